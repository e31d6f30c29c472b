"""The Hilbert-Huang marginal spectrum: power by instantaneous frequency, without a basis.

The window, freed of its mean, is sifted into intrinsic modes (huang1998): the mean of two natural
cubic splines, through the maxima and through the minima, is taken off, ``sifts`` times for each
mode. A fixed number is the stopping rule (wu2009): about ten leave modes whose bands are an octave
wide for noise, and the result does not hang on a threshold. A mode needs two maxima and two minima;
there are at most ``modes`` of them, and what is left over counts nowhere. Beyond its ends the
window is mirrored at them, two extrema deep.

Each mode has an amplitude and a frequency at every sample, those of its analytic signal, and the
marginal spectrum adds up half the squared amplitude by frequency. The transform of a window treats
it as a period, so that the first and last few samples are uncertain.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.features.shape import ratio
from myograph.features.spectral import EDGES_HZ

__all__ = ["SIFTING", "hilbert_mean_frequency", "hilbert_power", "marginal", "modes_of"]

Values = NDArray[np.float64]

#: Parameters of the decomposition.
SIFTING: Mapping[str, Any] = {"modes": 8, "sifts": 10}

# Samples decomposed at once, to bound memory.
_BLOCK = 1 << 13


def modes_of(x: Values, *, modes: int = 8, sifts: int = 10) -> tuple[Values, NDArray[np.int64]]:
    """Decompose signals into intrinsic modes.

    Parameters
    ----------
    x : ndarray, shape (..., n_samples)
    modes : int
        The most there may be.
    sifts : int
        How often each is sifted.

    Returns
    -------
    modes : ndarray, shape (..., modes + 1, n_samples)
        From the fastest to the slowest; unused ones are 0. The last one is what is left over with
        the mean taken off: all add up to the signal less its mean.
    counts : ndarray of int64, shape (...)
        How many modes each signal has.

    Examples
    --------
    >>> n = np.arange(1000)
    >>> found, counts = modes_of(np.sin(0.5 * n) + np.sin(0.05 * n))
    >>> bool(np.abs(found[0] - np.sin(0.5 * n))[100:-100].max() < 0.05)
    True
    """
    from myograph.features.kernels.sifting import sift

    values = as_float64(x)
    values = values - values[..., :1]
    values = values - values.mean(axis=-1, keepdims=True)
    n = values.shape[-1]
    found, counts = sift(values.reshape(-1, n), check_count(modes, name="modes"),
                         check_count(sifts, name="sifts"))  # fmt: skip
    shape = values.shape[:-1]
    return found.reshape(*shape, modes + 1, n), counts.reshape(shape)


def marginal(x: Values, fs_hz: float, *, modes: int = 8, sifts: int = 10) -> tuple[Values, Values]:
    """Return power and frequency of every mode between every two samples.

    Parameters
    ----------
    x : ndarray, shape (..., n_samples)
    fs_hz : float
    modes, sifts : int
        See `modes_of`.

    Returns
    -------
    power : ndarray, shape (..., modes, n_samples - 1)
        Half the squared amplitude, in the squared unit of the signal.
    frequency_hz : ndarray, shape (..., modes, n_samples - 1)
    """
    found = modes_of(x, modes=modes, sifts=sifts)[0][..., :-1, :]
    turning = _analytic(found)
    now, before = turning[..., 1:], turning[..., :-1]
    # In parts: the product of complex arrays rounds differently in a vector's tail.
    real = now.real * before.real + now.imag * before.imag
    imaginary = now.imag * before.real - now.real * before.imag
    power = np.sqrt(real**2 + imaginary**2) / 2
    return power, np.arctan2(imaginary, real) * (fs_hz / (2 * np.pi))


def _analytic(x: Values) -> NDArray[np.complex128]:
    n = x.shape[-1]
    weights = np.zeros(n)
    weights[0] = 1
    weights[1 : (n + 1) // 2] = 2
    if n % 2 == 0:
        weights[n // 2] = 1
    return np.fft.ifft(np.fft.fft(x, axis=-1) * weights, axis=-1)


def _check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del n_samples
    check_count(parameters["modes"], name="modes")
    check_count(parameters["sifts"], name="sifts")
    edges = tuple(parameters.get("edges_hz", (0.0, fs_hz)))
    if len(edges) < 2 or any(a >= b for a, b in pairwise(edges)):
        raise ParameterError(
            f"edges_hz must be at least two rising frequencies; got {list(edges)}."
        )
    if edges[0] >= fs_hz / 2:
        raise ParameterError(
            f"edges_hz begins at {edges[0]:g} Hz, not below half the sampling rate "
            f"({fs_hz / 2:g} Hz)."
        )


@feature(
    "hht-power",
    unit="signal^2",
    amplitude_power=2,
    reference="huang1998",
    parameters={"edges_hz": EDGES_HZ, **SIFTING},
    min_samples=8,
    check=_check,
)
def hilbert_power(
    windows: Windows3D,
    fs_hz: float,
    *,
    edges_hz: tuple[float, ...] = EDGES_HZ,
    modes: int = 8,
    sifts: int = 10,
) -> Values:
    """Power of the Hilbert-Huang marginal spectrum between each two of ``edges_hz`` (huang1998).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    edges_hz : tuple of float
        Rising; what lies on an edge belongs to the band above.
    modes, sifts : int
        See `myograph.features.hilbert_huang`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, n_bands)
        In the squared unit of the channel: a tone of amplitude A gives A^2 / 2.
    """
    edges = np.asarray(edges_hz, dtype=np.float64)

    def bands(power: Values, frequency_hz: Values) -> Values:
        inside = [
            _together(power * ((frequency_hz >= low) & (frequency_hz < high)))
            for low, high in pairwise(edges)
        ]
        return np.stack(inside, axis=-1) / power.shape[-1]

    return _by_parts(windows, fs_hz, bands, modes=modes, sifts=sifts)


@feature(
    "hht-mnf",
    unit="Hz",
    amplitude_power=0,
    reference="huang1998",
    parameters=SIFTING,
    min_samples=8,
    check=_check,
)
def hilbert_mean_frequency(
    windows: Windows3D, fs_hz: float, *, modes: int = 8, sifts: int = 10
) -> Values:
    """Mean frequency of the Hilbert-Huang marginal spectrum, over all frequencies (huang1998).

    See `hilbert_power` for the parameters; the result is in Hz, 0 for silence.
    """

    def mean_hz(power: Values, frequency_hz: Values) -> Values:
        return ratio(_together(power * np.maximum(frequency_hz, 0.0)), _together(power))

    return _by_parts(windows, fs_hz, mean_hz, modes=modes, sifts=sifts)


def _together(x: Values) -> Values:
    """Add up modes and samples in one order, whatever stands before them."""
    total: Values = x.reshape(*x.shape[:-2], x.shape[-2] * x.shape[-1]).sum(axis=-1)
    return total


def _by_parts(windows: Windows3D, fs_hz: float, measure: Any, *, modes: int, sifts: int) -> Values:
    x = as_float64(windows)
    step = max(1, _BLOCK // max(x.shape[1] * x.shape[2], 1))
    parts = [
        measure(*marginal(x[first : first + step], fs_hz, modes=modes, sifts=sifts))
        for first in range(0, max(len(x), 1), step)
    ]
    return np.concatenate(parts)
