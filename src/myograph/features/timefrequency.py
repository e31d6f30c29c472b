"""When which frequencies are there: short-time coefficients, scalograms, instantaneous frequency.

Every feature states its band. It ends at half the sampling rate when that is lower, and the mean
of the window (of each segment, for `stft`) is taken off. Silence and flat windows give 0.

The scalogram is that of analytic Morlet wavelets (`myograph.signal.timefreq`) at frequencies that
are the same share apart. White noise has equal power in each of them per hertz, so its power at a
frequency, weighted alike, is an integral over frequency, and the moments of one instant are sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.features.shape import ratio
from myograph.features.spectral import Band
from myograph.signal.timefreq import Morlets, log_frequencies, magnitude, morlets, short_time

__all__ = [
    "FROM_SCALOGRAM",
    "SCALOGRAM",
    "SEGMENTS",
    "bank_for",
    "cwt_power",
    "instantaneous_mean_frequency",
    "instantaneous_median_frequency",
    "scalogram_measures",
    "segments_for",
    "stft_magnitude",
]

Values = NDArray[np.float64]

#: Parameters of the short-time transform.
SEGMENTS: Mapping[str, Any] = {"low_hz": 10.0, "high_hz": 500.0, "segments": 3}

#: Parameters that every feature of the scalogram has.
SCALOGRAM: Mapping[str, Any] = {
    "low_hz": 20.0,
    "high_hz": 500.0,
    "frequencies": 16,
    "cycles": 6.0,
}

# Complex values transformed at once, to bound memory.
_BLOCK = 1 << 16


def segments_for(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> tuple[int, int]:
    """Return length and hop of the segments: they overlap by half and fill the window."""
    count = check_count(parameters["segments"], name="segments")
    length = 2 * n_samples // (count + 1)
    if length < 4:
        raise ParameterError(
            f"{count} segments of windows of {n_samples} samples ({1000 * n_samples / fs_hz:g} "
            f"ms) would have {length} samples each; give fewer segments or longer windows."
        )
    return length, (n_samples - length) // (count - 1) if count > 1 else length


def _stft_band(parameters: Mapping[str, Any], length: int, fs_hz: float) -> Band:
    frequencies_hz = np.arange(length // 2 + 1, dtype=np.float64) * (fs_hz / length)
    return Band.of(frequencies_hz, parameters["low_hz"], parameters["high_hz"], least=1)


def _check_stft(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    length, _ = segments_for(parameters, n_samples=n_samples, fs_hz=fs_hz)
    _stft_band(parameters, length, fs_hz)


@feature(
    "stft",
    unit="signal",
    amplitude_power=1,
    reference="englehart1999",
    parameters=SEGMENTS,
    min_samples=4,
    check=_check_stft,
)
def stft_magnitude(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Magnitudes of the short-time transform in a band, segment after segment (englehart1999).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    **given
        ``low_hz`` and ``high_hz``, and ``segments``: how many Hann-tapered segments, overlapping
        by half, the window is cut into.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, segments * n_bins)
        All bins of the first segment, then of the next, in the unit of the channel: a tone of
        amplitude A on a bin gives A.
    """
    parameters = {**SEGMENTS, **given}
    length, hop = segments_for(parameters, n_samples=windows.shape[-1], fs_hz=fs_hz)
    band = _stft_band(parameters, length, fs_hz)
    found, _, _ = short_time(as_float64(windows), fs_hz=fs_hz, segment=length, hop=hop)
    inside = magnitude(found[..., band.first : band.stop, : parameters["segments"]])
    moved = np.ascontiguousarray(np.swapaxes(inside, -1, -2))
    return moved.reshape(*windows.shape[:2], moved.shape[-1] * moved.shape[-2])


def bank_for(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> Morlets:
    """Return the wavelets that the parameters of a feature ask for."""
    high = min(check_positive(parameters["high_hz"], name="high_hz"), fs_hz / 2)
    low = check_positive(parameters["low_hz"], name="low_hz")
    if low >= high:
        raise ParameterError(
            f"The band low_hz={low:g} to high_hz={parameters['high_hz']:g} Hz holds nothing below "
            f"half the sampling rate, {fs_hz / 2:g} Hz. Lower the band or record faster."
        )
    frequencies = log_frequencies(low, high, parameters["frequencies"])
    return morlets(n_samples, fs_hz, tuple(frequencies.tolist()), parameters["cycles"])


def _check_scalogram(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    bank_for(parameters, n_samples=n_samples, fs_hz=fs_hz)


def _mean_power(power: Values, frequencies_hz: Values) -> Values:
    del frequencies_hz
    return power.mean(axis=-1) / 2


def _mean_hz(power: Values, frequencies_hz: Values) -> Values:
    moment = (power * frequencies_hz[:, None]).sum(axis=-2)
    return ratio(moment, power.sum(axis=-2)).mean(axis=-1)


def _median_hz(power: Values, frequencies_hz: Values) -> Values:
    """Each frequency stands for the stretch around it, in equal shares; half lies below."""
    below = np.cumsum(power, axis=-2)
    half = below[..., -1:, :] / 2
    at = (below < half).sum(axis=-2, keepdims=True)
    here = np.take_along_axis(power, at, axis=-2)
    rest = half - (np.take_along_axis(below, at, axis=-2) - here)
    place = (at + ratio(rest, here) - 0.5)[..., 0, :]
    step = np.log(frequencies_hz[1] / frequencies_hz[0])
    median_hz = np.where(half[..., 0, :] > 0, frequencies_hz[0] * np.exp(place * step), 0.0)
    result: Values = median_hz.mean(axis=-1)
    return result


#: How a feature follows from scalograms, (..., n_frequencies, n_samples), by its name.
FROM_SCALOGRAM: Mapping[str, Callable[[Values, Values], Values]] = {
    "cwt-power": _mean_power,
    "imnf": _mean_hz,
    "imdf": _median_hz,
}


def scalogram_measures(
    names: tuple[str, ...], windows: Windows3D, fs_hz: float, parameters: Mapping[str, Any]
) -> list[Values]:
    """Measure several features on one scalogram, a few windows at a time."""
    x = as_float64(windows)
    bank = bank_for(parameters, n_samples=x.shape[-1], fs_hz=fs_hz)
    step = max(1, _BLOCK // max(x.shape[1] * bank.spectra.size, 1))
    parts: list[list[Values]] = []
    for first in range(0, max(len(x), 1), step):
        power = bank.power(x[first : first + step])
        parts.append([FROM_SCALOGRAM[name](power, bank.frequencies_hz) for name in names])
    return [np.concatenate(same) for same in zip(*parts, strict=True)]


def _one(name: str, windows: Windows3D, fs_hz: float, given: Mapping[str, Any]) -> Values:
    return scalogram_measures((name,), windows, fs_hz, {**SCALOGRAM, **given})[0]


@feature(
    "cwt-power",
    unit="signal^2",
    amplitude_power=2,
    reference="morlet1982",
    parameters=SCALOGRAM,
    min_samples=4,
    check=_check_scalogram,
)
def cwt_power(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Mean power at each frequency of the scalogram of Morlet wavelets (morlet1982).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    **given
        ``low_hz``, ``high_hz``, ``frequencies`` (how many, the same share apart) and ``cycles``,
        see `myograph.signal.timefreq.morlets`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, frequencies)
        In the squared unit of the channel: a tone of amplitude A gives A^2 / 2 at its frequency.
    """
    return _one("cwt-power", windows, fs_hz, given)


@feature(
    "imnf",
    unit="Hz",
    amplitude_power=0,
    reference="karlsson2000",
    parameters=SCALOGRAM,
    min_samples=4,
    check=_check_scalogram,
)
def instantaneous_mean_frequency(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Mean frequency of the scalogram at each sample, averaged over the window (karlsson2000).

    See `cwt_power` for the parameters; the result is in Hz, 0 where there is no power.
    """
    return _one("imnf", windows, fs_hz, given)


@feature(
    "imdf",
    unit="Hz",
    amplitude_power=0,
    reference="karlsson2000",
    parameters=SCALOGRAM,
    min_samples=4,
    check=_check_scalogram,
)
def instantaneous_median_frequency(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Median frequency of the scalogram at each sample, averaged over the window (karlsson2000).

    See `cwt_power` for the parameters; the result is in Hz, 0 where there is no power.
    """
    return _one("imdf", windows, fs_hz, given)
