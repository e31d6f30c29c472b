"""Where in the spectrum the power lies: MNF and MDF, from one shared periodogram."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D
from myograph.features.base import feature
from myograph.signal.spectrum import periodogram

__all__ = ["mean_frequency", "mean_of_spectrum", "median_frequency", "median_of_spectrum"]

Spectra = NDArray[np.float64]

_BAND = {"low_hz": 10.0, "high_hz": 500.0}


@feature("mnf", unit="Hz", amplitude_power=0, reference="phinyomark2012", parameters=_BAND)
def mean_frequency(
    windows: Windows3D, fs_hz: float, *, low_hz: float = 10.0, high_hz: float = 500.0
) -> NDArray[np.float64]:
    r"""Mean frequency, :math:`M_1/M_0` with :math:`M_k = \sum f^k P(f)` (phinyomark2012).

    P is the periodogram of the Hann-tapered, mean-free window.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    low_hz, high_hz : float
        Band of the sums. It ends at the Nyquist frequency when that is lower; the default suits
        surface EMG, a needle needs another.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        Hz. Where the band holds no power (silence, a flat window) the value is 0.
    """
    frequencies_hz, power = periodogram(windows, fs_hz=fs_hz)
    return mean_of_spectrum(frequencies_hz, power, low_hz=low_hz, high_hz=high_hz)


@feature("mdf", unit="Hz", amplitude_power=0, reference="phinyomark2012", parameters=_BAND)
def median_frequency(
    windows: Windows3D, fs_hz: float, *, low_hz: float = 10.0, high_hz: float = 500.0
) -> NDArray[np.float64]:
    """Median frequency: half of the power in the band lies below it (phinyomark2012).

    Each bin's power is spread evenly over its width, so the cumulative power is linear between
    bin edges and the median does not jump from bin to bin.

    See `mean_frequency` for the parameters and the result.
    """
    frequencies_hz, power = periodogram(windows, fs_hz=fs_hz)
    return median_of_spectrum(frequencies_hz, power, low_hz=low_hz, high_hz=high_hz)


def mean_of_spectrum(
    frequencies_hz: Spectra, power: Spectra, *, low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Return the mean frequency of spectra (..., n_bins)."""
    frequencies_hz, power = _band(frequencies_hz, power, low_hz, high_hz)
    total = power.sum(axis=-1)
    weighted = (power * frequencies_hz).sum(axis=-1)
    return np.divide(weighted, total, out=np.zeros_like(total), where=total > 0)


def median_of_spectrum(
    frequencies_hz: Spectra, power: Spectra, *, low_hz: float, high_hz: float
) -> NDArray[np.float64]:
    """Return the median frequency of spectra (..., n_bins)."""
    frequencies_hz, power = _band(frequencies_hz, power, low_hz, high_hz)
    below = np.cumsum(power, axis=-1)  # power up to the upper edge of each bin
    half = below[..., -1:] / 2
    bins = (below < half).sum(axis=-1, keepdims=True)
    inside = np.take_along_axis(power, bins, axis=-1)
    rest = half - (np.take_along_axis(below, bins, axis=-1) - inside)
    share = np.divide(rest, inside, out=np.zeros_like(rest), where=inside > 0)
    width_hz = frequencies_hz[1] - frequencies_hz[0]
    median_hz = frequencies_hz[bins] + (share - 0.5) * width_hz
    found: NDArray[np.float64] = np.where(half > 0, median_hz, 0.0)[..., 0]
    return found


#: Features of a spectrum alone, so that `extract` transforms every window once.
OF_SPECTRUM: dict[str, Any] = {"mnf": mean_of_spectrum, "mdf": median_of_spectrum}


def _band(
    frequencies_hz: Spectra, power: Spectra, low_hz: float, high_hz: float
) -> tuple[Spectra, Spectra]:
    check_non_negative(low_hz, name="low_hz")
    check_positive(high_hz, name="high_hz")
    inside = (frequencies_hz >= low_hz) & (frequencies_hz <= high_hz)
    if inside.sum() < 2:
        resolution_hz = frequencies_hz[1] - frequencies_hz[0]
        raise ParameterError(
            f"The band low_hz={low_hz:g} to high_hz={high_hz:g} Hz holds {inside.sum()} of the "
            f"frequencies of these windows (every {resolution_hz:g} Hz up to "
            f"{frequencies_hz[-1]:g} Hz); at least 2 are needed. Widen the band or lengthen the "
            "windows."
        )
    first, last = np.flatnonzero(inside)[[0, -1]]
    return frequencies_hz[first : last + 1], power[..., first : last + 1]
