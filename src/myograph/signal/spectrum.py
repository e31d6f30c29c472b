"""Power spectra: one-sided density, so that the power in the bins is the power of the signal."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, ParameterError

__all__ = ["band_power", "periodogram", "psd"]

TAPERS = ("hann", "none")

# Values transformed at once: bounds the temporary float64 arrays.
_BLOCK = 1 << 19


def periodogram(
    samples: ArrayLike, *, fs_hz: float, taper: str = "hann", remove_mean: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the one-sided power spectral density along the last axis.

    Parameters
    ----------
    samples : array, shape (..., n_samples)
    fs_hz : float
        Sampling rate.
    taper : {"hann", "none"}
    remove_mean : bool
        Subtract each stretch's mean first.

    Returns
    -------
    frequencies_hz : ndarray, shape (n_bins,)
    density : ndarray, shape (..., n_bins)
        Squared unit of the samples per Hz. Without a taper its sum times the bin width is the mean
        square of the samples (Parseval); with one this holds on average.

    Examples
    --------
    >>> x = 10 * np.sin(2 * np.pi * 80 * np.arange(1000) / 1000)
    >>> frequencies_hz, density = periodogram(x, fs_hz=1000)
    >>> float(density.sum().round(6))
    50.0
    """
    x = np.asarray(samples)
    n_samples = x.shape[-1] if x.ndim else 0
    if n_samples < 2:
        raise DataError(f"A spectrum needs at least 2 samples; got shape {x.shape}.")
    check_positive(fs_hz, name="fs_hz")
    weights = _weights(taper, n_samples)
    frequencies_hz = _bins(n_samples, fs_hz)
    stack = x[None] if x.ndim == 1 else x
    density: NDArray[np.float64] = np.empty((*stack.shape[:-1], len(frequencies_hz)))
    step = max(1, _BLOCK // max(1, stack[:1].size))
    for first in range(0, len(stack), step):
        part = slice(first, first + step)
        density[part] = _density(stack[part], weights, fs_hz, remove_mean=remove_mean)
    return frequencies_hz, density.reshape(*x.shape[:-1], len(frequencies_hz))


def psd(
    samples: ArrayLike, *, fs_hz: float, segment_s: float, overlap: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the one-sided power spectral density by Welch's method (welch1967).

    Hann-tapered, mean-free segments; what does not fill a last segment is left out, and a signal
    shorter than one segment is one segment.

    Parameters
    ----------
    samples : array, shape (..., n_samples)
    fs_hz : float
        Sampling rate.
    segment_s : float
        Length of a segment; its inverse is the resolution in Hz.
    overlap : float
        Share of a segment that the next one repeats, from 0 to below 1.

    Returns
    -------
    frequencies_hz : ndarray, shape (n_bins,)
    density : ndarray, shape (..., n_bins)
        Squared unit of the samples per Hz.
    """
    x = np.asarray(samples)
    if not 0 <= overlap < 1:
        raise ParameterError(f"overlap must be from 0 to below 1; got {overlap!r}.")
    wanted = round(check_positive(segment_s, name="segment_s") * fs_hz)
    length = max(2, min(wanted, x.shape[-1] if x.ndim else 0))
    if x.ndim == 0 or x.shape[-1] < length:
        raise DataError(f"A spectrum needs at least 2 samples; got shape {x.shape}.")
    step = max(1, round(length * (1 - overlap)))
    rows = x.reshape(-1, x.shape[-1])
    n_bins = length // 2 + 1
    density = np.empty((len(rows), n_bins))
    for row, signal in enumerate(rows):
        segments = sliding_window_view(signal, length)[::step]
        parts = periodogram(segments, fs_hz=fs_hz)[1]
        density[row] = parts.mean(axis=0)
    return _bins(length, fs_hz), density.reshape(*x.shape[:-1], n_bins)


def band_power(
    frequencies_hz: NDArray[np.float64],
    density: NDArray[np.float64],
    *,
    low_hz: float,
    high_hz: float,
) -> NDArray[np.float64]:
    """Return the power in the bins from ``low_hz`` up to, not including, ``high_hz``.

    Bands that share an edge share no bin, so the powers of adjoining bands add up.
    """
    inside = (frequencies_hz >= low_hz) & (frequencies_hz < high_hz)
    width_hz = frequencies_hz[1] - frequencies_hz[0]
    power: NDArray[np.float64] = density[..., inside].sum(axis=-1) * width_hz
    return power


def _bins(n_samples: int, fs_hz: float) -> NDArray[np.float64]:
    return np.arange(n_samples // 2 + 1, dtype=np.float64) * (fs_hz / n_samples)


def _weights(taper: str, n_samples: int) -> NDArray[np.float64]:
    check_choice(taper, TAPERS, name="taper")
    if taper == "none":
        return np.ones(n_samples)
    # The periodic form: its transform has three bins, so a tone on a bin stays within them.
    weights: NDArray[np.float64] = np.sin(np.pi * np.arange(n_samples) / n_samples) ** 2
    return weights


def _density(
    rows: NDArray[np.floating], weights: NDArray[np.float64], fs_hz: float, *, remove_mean: bool
) -> NDArray[np.float64]:
    n_samples = rows.shape[-1]
    x = np.ascontiguousarray(rows, dtype=np.float64)
    if remove_mean:
        x = x - x[..., :1]  # so that a flat stretch becomes exactly 0
        x -= x.mean(axis=-1, keepdims=True)
    spectrum = np.fft.rfft(x * weights, axis=-1)
    density = spectrum.real**2 + spectrum.imag**2
    density *= 2 / (fs_hz * np.square(weights).sum())
    density[..., 0] /= 2
    if n_samples % 2 == 0:
        density[..., -1] /= 2  # the Nyquist bin has no mirror image
    return density
