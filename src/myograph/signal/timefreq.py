"""Time and frequency together: short-time transforms and Morlet scalograms.

Both are scaled so that a tone of amplitude A that fills the transform gives magnitude A where its
frequency lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError

__all__ = ["Morlets", "log_frequencies", "magnitude", "morlets", "short_time"]

Values = NDArray[np.float64]
Complex = NDArray[np.complex128]

# A Gaussian is taken to have ended this many of its standard deviations from its middle.
_REACH = 4.0


def short_time(
    x: ArrayLike, *, fs_hz: float, segment: int, hop: int
) -> tuple[Complex, Values, Values]:
    """Transform Hann-tapered segments, each freed of its mean.

    Parameters
    ----------
    x : array, shape (..., n_samples)
    fs_hz : float
    segment, hop : int
        Length of a segment and distance between the starts of two, in samples. Every segment lies
        wholly inside the signal; what is left at the end is not transformed.

    Returns
    -------
    coefficients : ndarray of complex, shape (..., n_bins, n_segments)
    frequencies_hz : ndarray, shape (n_bins,)
    times_s : ndarray, shape (n_segments,)
        Middles of the segments, from the first sample of the signal.

    Raises
    ------
    DataError
        If the signal is shorter than a segment.

    Examples
    --------
    >>> tone = 3 * np.sin(2 * np.pi * 50 * np.arange(1000) / 1000)
    >>> found, frequencies_hz, times_s = short_time(tone, fs_hz=1000, segment=200, hop=100)
    >>> float(frequencies_hz[10]), abs(found[10]).round(6).max(), len(times_s)
    (50.0, np.float64(3.0), 9)
    """
    values = np.ascontiguousarray(x, dtype=np.float64)
    rate = check_positive(fs_hz, name="fs_hz")
    length = check_count(segment, name="segment", least=4)
    step = check_count(hop, name="hop")
    n = values.shape[-1]
    if n < length:
        raise DataError(
            f"Segments of {length} samples do not fit into {n} ({1000 * n / rate:g} ms at "
            f"{rate:g} Hz); shorten the segments or lengthen the windows."
        )
    pieces = np.lib.stride_tricks.sliding_window_view(values, length, axis=-1)[..., ::step, :]
    pieces = pieces - pieces[..., :1]  # so that a flat stretch becomes exactly 0
    pieces = pieces - pieces.mean(axis=-1, keepdims=True)
    taper = np.sin(np.pi * np.arange(length) / length) ** 2
    found = np.fft.rfft(pieces * (taper * 2 / taper.sum()), axis=-1)
    times_s: Values = (np.arange(found.shape[-2], dtype=np.float64) * step + length / 2) / rate
    frequencies_hz = np.arange(found.shape[-1], dtype=np.float64) * (rate / length)
    return np.swapaxes(found, -1, -2), frequencies_hz, times_s


def log_frequencies(low_hz: float, high_hz: float, count: int) -> Values:
    """Return ``count`` frequencies from low to high, each the same share above the one before.

    Examples
    --------
    >>> log_frequencies(10, 1000, 3).round(6).tolist()
    [10.0, 100.0, 1000.0]
    """
    low, high = check_positive(low_hz, name="low_hz"), check_positive(high_hz, name="high_hz")
    if low >= high:
        raise ParameterError(f"low_hz must be below high_hz; got {low:g} and {high:g}.")
    return np.geomspace(low, high, check_count(count, name="frequencies", least=2))


@dataclass(frozen=True, eq=False)
class Morlets:
    r"""Analytic Morlet wavelets for signals of one length, as they look in the spectrum.

    The wavelet at frequency f is a complex tone under a Gaussian whose standard deviation is
    ``cycles / (2 pi f)`` seconds; a second Gaussian takes its mean away (morlet1982). Beyond its
    ends the signal is taken to be 0, so what lies within one standard deviation of an end is
    weakened.

    Parameters
    ----------
    frequencies_hz : ndarray, shape (n_frequencies,)
    spectra : ndarray, shape (n_frequencies, size)
        Real; 0 at negative frequencies.
    """

    frequencies_hz: Values
    spectra: Values

    def transform(self, x: ArrayLike) -> Complex:
        """Return the coefficients, shape (..., n_frequencies, n_samples).

        The mean of each signal is taken off.
        """
        values = np.ascontiguousarray(x, dtype=np.float64)
        values = values - values[..., :1]
        values = values - values.mean(axis=-1, keepdims=True)
        size = self.spectra.shape[1]
        spectrum = np.fft.fft(values, size, axis=-1)[..., None, :]
        return np.fft.ifft(spectrum * self.spectra, axis=-1)[..., : values.shape[-1]]

    def power(self, x: ArrayLike) -> Values:
        """Return the squared magnitudes of the coefficients."""
        return np.square(magnitude(self.transform(x)))


@lru_cache(maxsize=32)
def morlets(
    n_samples: int, fs_hz: float, frequencies_hz: tuple[float, ...], cycles: float
) -> Morlets:
    """Return the wavelets for signals of ``n_samples``.

    Parameters
    ----------
    n_samples : int
    fs_hz : float
    frequencies_hz : tuple of float
        Above 0, and at most half the sampling rate.
    cycles : float
        How many periods the Gaussian spans, as ``2 pi`` standard deviations: more resolve
        frequency better and time worse. At least 2.

    Examples
    --------
    >>> bank = morlets(2000, 1000.0, (50.0, 100.0), 6.0)
    >>> tone = 3 * np.sin(2 * np.pi * 100 * np.arange(2000) / 1000)
    >>> abs(bank.transform(tone)[1, 1000]).round(3)
    np.float64(3.0)
    """
    rate = check_positive(fs_hz, name="fs_hz")
    if check_positive(cycles, name="cycles") < 2:
        raise ParameterError(f"cycles must be at least 2; got {cycles:g}.")
    centres = np.array(frequencies_hz, dtype=np.float64)
    if not len(centres) or centres.min() <= 0 or centres.max() > rate / 2:
        raise ParameterError(
            f"Wavelets need frequencies above 0 and up to half the sampling rate ({rate / 2:g} "
            f"Hz); got {centres.min():g} to {centres.max():g} Hz."
        )
    # Imported when used: it takes longer to load than most commands take.
    from scipy.fft import next_fast_len

    longest = _REACH * cycles / (2 * np.pi * centres.min()) * rate
    size = next_fast_len(n_samples + int(min(longest, 2 * n_samples)))
    positive_hz = np.fft.fftfreq(size, 1 / rate).astype(np.float64)
    if size % 2 == 0:
        positive_hz[size // 2] = rate / 2
    spectra = np.stack([_morlet(positive_hz, f, f / cycles) for f in centres])
    spectra.flags.writeable = False
    return Morlets(centres, spectra)


def _morlet(frequencies_hz: Values, centre_hz: float, spread_hz: float) -> Values:
    """Return the spectrum of one wavelet, 2 at its centre: that of a real tone lies on two."""
    bump = np.exp(-0.5 * ((frequencies_hz - centre_hz) / spread_hz) ** 2)
    at_zero = np.exp(-0.5 * (centre_hz / spread_hz) ** 2)
    bump -= at_zero * np.exp(-0.5 * (frequencies_hz / spread_hz) ** 2)
    return np.where(frequencies_hz > 0, 2 * bump, 0.0)


def magnitude(z: Complex) -> Values:
    """Return the magnitudes of complex numbers.

    The same bits wherever a number stands: numpy's own rounds differently in a vector's tail.
    """
    size: Values = np.sqrt(z.real**2 + z.imag**2)
    return size
