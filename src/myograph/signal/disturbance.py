"""Movement and isolated spikes in one channel, measured against its own muscle activity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.signal.filters import design_bandpass, zero_phase
from myograph.signal.prediction import fit_autoregression, innovations

__all__ = ["slow_wave", "spikes"]

# Skin and cable move at these frequencies, slower than nearly all of surface EMG.
_SLOW_HZ = (0.7, 12.0)
_REACH_S = 2.0

# A spike is this many times what the signal's own past does not predict, and this short.
_ORDER = 8
_SCALE_S = 0.25
_USUAL, _TIMES_USUAL = 0.98, 3.0


def slow_wave(signal: NDArray[np.floating], *, fs_hz: float) -> NDArray[np.float64]:
    """Return what moves between 0.7 and 12 Hz, where cables and skin move; offline.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
    fs_hz : float
        Sampling rate, above 30 Hz.

    Returns
    -------
    ndarray, shape (n_samples,)
    """
    band = design_bandpass(*_SLOW_HZ, order=2, fs_hz=fs_hz)
    x = np.asarray(signal, dtype=np.float64) - float(np.median(signal))
    # Mirrored ends: turned over as well, they would swing by twice the last sample.
    reach = min(len(x) - 1, round(_REACH_S * fs_hz))
    if reach:
        x = np.pad(x, reach, mode="reflect")
    wave = zero_phase(band, x[None])[0].astype(np.float64)
    return wave[reach : reach + len(signal)]


def spikes(
    signal: NDArray[np.floating], *, fs_hz: float, times: float, longest_s: float = 0.004
) -> NDArray[np.bool_]:
    """Mark isolated spikes: short, and far from what the signal's own past predicts.

    The prediction is autoregressive; its errors are compared with their own middle size within a
    quarter of a second, so that a burst of muscle is not a row of spikes, and with what is usual in
    the whole signal.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
    fs_hz : float
    times : float
        How many robust standard deviations an error must reach.
    longest_s : float
        Longer stretches of large errors are something else.

    Returns
    -------
    ndarray of bool, shape (n_samples,)
    """
    n = len(signal)
    marked = np.zeros(n, dtype=np.bool_)
    block = max(4 * _ORDER, round(_SCALE_S * fs_hz))
    if n < 2 * block:
        return marked
    x = np.asarray(signal, dtype=np.float64) - float(np.median(signal))
    limit = 6 * np.median(np.abs(x)) / 0.6745
    coefficients = fit_autoregression(np.clip(x, -limit, limit), order=_ORDER)
    error = np.abs(innovations(x, coefficients))
    count = n // block
    middle = np.median(error[: count * block].reshape(count, block), axis=1) / 0.6745
    # The louder of a block and its neighbours: onsets of muscle are not spikes.
    padded = np.pad(middle, 1, mode="edge")
    near = np.maximum(np.maximum(padded[:-2], padded[1:-1]), padded[2:])
    scale = np.repeat(near, block)
    scale = np.concatenate([scale, np.full(n - len(scale), near[-1])])
    # Nor is the first potential of a short burst, as long as others are like it.
    usual = _TIMES_USUAL * float(np.quantile(error, _USUAL))
    large = error > np.maximum(times * np.maximum(scale, 1e-12), usual)
    longest = max(1, round(longest_s * fs_hz))
    heard = 0
    for first in np.flatnonzero(large):
        if first >= heard:
            marked[first : first + longest] = large[first : first + longest]
            heard = int(first) + longest + _ORDER  # a spike spoils the predictions after it
    return marked
