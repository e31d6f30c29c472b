"""Windows as images for networks: spectrograms and scalograms with their axes.

A tensor has the shape (n_windows, n_channels, n_frequencies, n_times), float32, and says which
frequency and which moment each row and column is. Each window is transformed by itself, so windows
of a stream give the tensors of the whole recording.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.core.windows import Windows
from myograph.features.base import check_windows
from myograph.features.spectral import Band
from myograph.features.timefrequency import bank_for
from myograph.signal.timefreq import magnitude, short_time

__all__ = ["AXES", "DECIBELS", "SCALES", "Scale", "Tensor", "scalogram", "spectrogram"]

#: What the axes of a tensor are.
AXES = ("window", "channel", "frequency", "time")

#: How magnitudes can be told, and the unit of that.
SCALES = {"magnitude": "signal", "power": "signal^2", "decibel": "dB"}

Values = NDArray[np.float64]

# Samples transformed at once, to bound memory.
_BLOCK = 1 << 15


@dataclass(frozen=True)
class Scale:
    """How magnitudes are told.

    Parameters
    ----------
    kind : str
        One of `SCALES`: as they are, squared, or in decibels above the floor.
    floor : float
        In the unit of the channel: the magnitude that is 0 dB, and below which none is told. State
        the noise of the device, or a small share for channels that are normalised.
    """

    kind: str = "decibel"
    floor: float = 0.1

    def __post_init__(self) -> None:
        check_choice(self.kind, SCALES, name="kind of a scale")
        check_positive(self.floor, name="floor of a scale")

    def of(self, magnitudes: Values) -> Values:
        """Return magnitudes on this scale."""
        if self.kind == "power":
            return magnitudes**2
        if self.kind == "magnitude":
            return magnitudes
        return 20 * np.log10(np.maximum(magnitudes, self.floor) / self.floor)


#: Decibels above 0.1 of the unit of the channel: 0.1 microvolt, for most.
DECIBELS = Scale()


@dataclass(frozen=True, eq=False)
class Tensor:
    """Images of windows.

    Parameters
    ----------
    values : ndarray of float32, shape (n_windows, n_channels, n_frequencies, n_times)
        Finite. Axes are `AXES`.
    frequencies_hz : ndarray, shape (n_frequencies,)
        Rising.
    times_s : ndarray, shape (n_times,)
        From the first sample of the window.
    unit : str
        ``"signal"``, ``"signal^2"`` or ``"dB"``, where signal is the unit of the channel.
    flat : ndarray of bool, shape (n_windows, n_channels)
        Where all samples of a window are equal: the image is that of silence, and means nothing.
    """

    values: NDArray[np.float32]
    frequencies_hz: Values
    times_s: Values
    unit: str
    flat: NDArray[np.bool_]


def spectrogram(
    windows: ArrayLike | Windows,
    *,
    fs_hz: float,
    segment_ms: float = 64.0,
    hop_ms: float = 16.0,
    band_hz: tuple[float, float] = (10.0, 500.0),
    scale: Scale = DECIBELS,
) -> Tensor:
    """Turn windows into images by short-time transforms.

    Parameters
    ----------
    windows : array, shape (n_windows, n_channels, n_samples), or Windows
    fs_hz : float
        Samples per second.
    segment_ms, hop_ms : float
        Length of the Hann-tapered segments and distance between the starts of two.
    band_hz : tuple of float
        Lowest and highest frequency; it ends at half the sampling rate when that is lower.
    scale : Scale
        A tone of amplitude A on a bin has magnitude A.

    Returns
    -------
    Tensor

    Raises
    ------
    ParameterError
        If the band or a length does not fit.
    DataError
        If the windows are shorter than a segment or not finite.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((5, 8, 400))
    >>> images = spectrogram(noise, fs_hz=2000)
    >>> images.values.shape, images.unit
    ((5, 8, 32, 9), 'dB')
    """
    x = _windows(windows)
    rate = check_positive(fs_hz, name="fs_hz")
    segment = max(4, round(check_positive(segment_ms, name="segment_ms") * rate / 1000))
    hop = max(1, round(check_positive(hop_ms, name="hop_ms") * rate / 1000))
    bins_hz = np.arange(segment // 2 + 1, dtype=np.float64) * (rate / segment)
    band = Band.of(bins_hz, *_band(band_hz), least=1)
    _, _, times_s = short_time(x[:0], fs_hz=rate, segment=segment, hop=hop)

    def images(part: NDArray[np.floating]) -> Values:
        found, _, _ = short_time(part, fs_hz=rate, segment=segment, hop=hop)
        return magnitude(found[..., band.first : band.stop, :])

    return _tensor(x, images, (band.frequencies_hz, times_s), scale)


def scalogram(
    windows: ArrayLike | Windows,
    *,
    fs_hz: float,
    band_hz: tuple[float, float] = (20.0, 500.0),
    shape: tuple[int, int] = (32, 32),
    cycles: float = 6.0,
    scale: Scale = DECIBELS,
) -> Tensor:
    """Turn windows into images by Morlet wavelets.

    Parameters
    ----------
    windows : array, shape (n_windows, n_channels, n_samples), or Windows
    fs_hz : float
        Samples per second.
    band_hz : tuple of float
        Lowest and highest frequency; it ends at half the sampling rate when that is lower.
    shape : tuple of int
        How many frequencies, the same share apart, and how many moments: the window is cut into so
        many stretches of equal length, to a sample, and the power is averaged in each.
    cycles : float
        See `myograph.signal.timefreq.morlets`.
    scale : Scale
        A tone of amplitude A has magnitude A at its frequency.

    Returns
    -------
    Tensor

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((5, 8, 400))
    >>> scalogram(noise, fs_hz=2000).values.shape
    (5, 8, 32, 32)
    """
    x = _windows(windows)
    rate = check_positive(fs_hz, name="fs_hz")
    low_hz, high_hz = _band(band_hz)
    given = {"low_hz": low_hz, "high_hz": high_hz, "frequencies": shape[0], "cycles": cycles}
    bank = bank_for(given, n_samples=x.shape[-1], fs_hz=rate)
    count = check_count(shape[1], name="moments of shape")
    if count > x.shape[-1]:
        raise ParameterError(
            f"shape asks for {count} moments, more than the {x.shape[-1]} samples of a window; "
            "give fewer."
        )
    edges = np.round(np.linspace(0, x.shape[-1], count + 1)).astype(np.int64)

    def images(part: NDArray[np.floating]) -> Values:
        power = np.add.reduceat(bank.power(part), edges[:-1], axis=-1) / np.diff(edges)
        return np.sqrt(power)

    times_s = (edges[:-1] + edges[1:]) / (2 * rate)
    return _tensor(x, images, (bank.frequencies_hz, times_s), scale)


def _windows(windows: ArrayLike | Windows) -> NDArray[np.floating]:
    return check_windows(windows.values if isinstance(windows, Windows) else windows)


def _band(band_hz: tuple[float, float]) -> tuple[float, float]:
    if len(band_hz) != 2:
        raise ParameterError(f"band_hz needs a lowest and a highest frequency; got {band_hz!r}.")
    return float(band_hz[0]), float(band_hz[1])


def _tensor(
    x: NDArray[np.floating],
    images: Callable[[NDArray[np.floating]], Values],
    axes: tuple[Values, Values],
    scale: Scale,
) -> Tensor:
    out = np.empty((*x.shape[:2], len(axes[0]), len(axes[1])), dtype=np.float32)
    step = max(1, _BLOCK // max(x.shape[1] * x.shape[2], 1))
    for first in range(0, len(x), step):
        out[first : first + step] = scale.of(images(x[first : first + step]))
    flat = (x == x[..., :1]).all(axis=-1)
    return Tensor(out, *axes, SCALES[scale.kind], flat)
