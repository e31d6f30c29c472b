"""Numbers that say how good a stretch of EMG is, from its samples or its spectrum.

Spectral ones take what `myograph.signal.spectrum.periodogram` gives. Every function works along
the last axis and returns NaN where it cannot be measured: no power, or a band beyond Nyquist.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from myograph.signal.spectrum import band_power

__all__ = [
    "dp_ratio",
    "high_frequency_ratio",
    "kurtosis",
    "mains_ratio",
    "motion_ratio",
    "snr_db",
    "spectral_deformation",
]

Spectra = NDArray[np.float64]

_HARMONICS = 5
_DP_BAND_HZ = (35.0, 600.0)
_DP_BINS = 13


def mains_ratio(frequencies_hz: Spectra, density: Spectra, *, mains_hz: float) -> Spectra:
    """Return the power within 1 Hz of the mains frequency and its multiples up to 5, over all."""
    near = np.zeros(len(frequencies_hz), dtype=np.bool_)
    for k in range(1, _HARMONICS + 1):
        near |= np.abs(frequencies_hz - k * mains_hz) <= 1.0
    if frequencies_hz[-1] <= mains_hz:
        return np.full(density.shape[:-1], np.nan)
    return _ratio(density[..., near].sum(axis=-1), density[..., 1:].sum(axis=-1))


def motion_ratio(frequencies_hz: Spectra, density: Spectra, *, high_hz: float = 500.0) -> Spectra:
    """Return the power below 20 Hz (cable and skin movement) over that from 20 Hz to ``high_hz``.

    The band ends at the Nyquist frequency when that is lower.
    """
    slow = band_power(frequencies_hz[1:], density[..., 1:], low_hz=0, high_hz=20)
    return _ratio(slow, band_power(frequencies_hz, density, low_hz=20, high_hz=high_hz))


def high_frequency_ratio(frequencies_hz: Spectra, density: Spectra) -> Spectra:
    """Return the power above 400 Hz, where surface EMG has little, over all."""
    if frequencies_hz[-1] <= 400:
        return np.full(density.shape[:-1], np.nan)
    high = density[..., frequencies_hz > 400].sum(axis=-1)
    return _ratio(high, density[..., 1:].sum(axis=-1))


def spectral_deformation(frequencies_hz: Spectra, density: Spectra) -> Spectra:
    r"""Return Omega, :math:`\sqrt{(M_2/M_0)/(M_1/M_0)^2}` of the spectrum (Sinderby 1995).

    1 for a tone, 1.15 for a flat spectrum; disturbances far from the EMG band raise it.
    """
    f, p = frequencies_hz[1:], density[..., 1:]
    moment0, moment1, moment2 = p.sum(axis=-1), (f * p).sum(axis=-1), (f**2 * p).sum(axis=-1)
    return np.sqrt(_ratio(moment2 * moment0, moment1**2))


def dp_ratio(frequencies_hz: Spectra, density: Spectra) -> Spectra:
    """Return the highest over the lowest 13-bin mean density in 35-600 Hz (A. Chan's DP ratio).

    High for EMG, whose spectrum falls; near 1 for broadband noise.
    """
    low_hz, high_hz = _DP_BAND_HZ
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    if frequencies_hz[-1] < high_hz or inside.sum() < 2 * _DP_BINS:
        return np.full(density.shape[:-1], np.nan)
    smooth = sliding_window_view(density[..., inside], _DP_BINS, axis=-1).mean(axis=-1)
    return _ratio(smooth.max(axis=-1), smooth.min(axis=-1))


def kurtosis(samples: NDArray[np.floating]) -> Spectra:
    """Return the fourth standardised moment: 3 for Gaussian noise, large for isolated spikes."""
    x = samples - samples.mean(axis=-1, keepdims=True, dtype=np.float64)
    square = np.square(x)
    return _ratio(np.square(square).mean(axis=-1), square.mean(axis=-1) ** 2)


def snr_db(active_power: Spectra, rest_power: Spectra) -> Spectra:
    r"""Return :math:`10\log_{10}((P_{act}-P_{rest})/P_{rest})`, at least -30 dB.

    Below that the two powers cannot be told apart.
    """
    above = np.maximum(active_power - rest_power, 1e-3 * rest_power)
    return 10 * np.log10(_ratio(above, rest_power))


def _ratio(part: Spectra, whole: Spectra) -> Spectra:
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
