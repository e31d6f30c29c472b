r"""Wavelet scattering of two orders: averages that shifts hardly change and that lose little.

The signal passes analytic Morlet wavelets; the magnitudes are averaged (first order), and pass a
second set of wavelets, whose magnitudes are averaged too (mallat2012, anden2014). Averaged is over
a Gaussian of standard deviation ``average_s / 4``, or over everything.

Each set of wavelets, with the average, takes no more energy out of a signal than there is: at
every frequency :math:`|\hat\phi|^2 + \frac12 \sum (|\hat\psi(\omega)|^2 + |\hat\psi(-\omega)|^2)
\le 1`, so the scattering of a periodic signal is never longer than the signal, and that of two
signals never further apart than they are.

Everything happens in the spectrum, at the lowest rate that holds each wavelet's band: five seconds
of needle EMG take a fraction of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.signal.timefreq import magnitude

__all__ = ["EDGES", "Scattered", "Scattering", "scattering"]

Values = NDArray[np.float64]
Complex = NDArray[np.complex128]

EDGES = ("mirror", "periodic")

# A Gaussian in the spectrum has ended this many of its standard deviations from its middle.
_REACH = 4.0
# The magnitude of a band needs this many times its width.
_ROOM = 1.5


@dataclass(frozen=True, eq=False)
class Scattered:
    """Scattering coefficients of signals.

    Parameters
    ----------
    first : ndarray, shape (..., n_first, n_frames)
    second : ndarray, shape (..., n_second, n_frames)
        In the unit of the signal, as ``first``.
    first_hz : ndarray, shape (n_first,)
        Centre of each wavelet of the first order.
    second_hz : ndarray, shape (n_second, 2)
        Centres of both wavelets of each path.
    times_s : ndarray, shape (n_frames,)
        Middle of each frame, from the first sample.
    """

    first: Values
    second: Values
    first_hz: Values
    second_hz: Values
    times_s: Values

    def gain_free(self, *, floor: float = 1e-6) -> tuple[Values, Values]:
        """Return the logarithms of shares, which no gain changes.

        Parameters
        ----------
        floor : float
            Smaller shares count as this.

        Returns
        -------
        first : ndarray
            ln of each first-order coefficient over the sum of all of its frame.
        second : ndarray
            ln of each second-order coefficient over the first-order one that it comes from. Both
            are 0 where there is nothing to divide by.
        """
        least = check_positive(floor, name="floor")
        whole = self.first.sum(axis=-2, keepdims=True)
        parents = np.searchsorted(-self.first_hz, -self.second_hz[:, 0])
        return (
            _log_share(self.first, np.broadcast_to(whole, self.first.shape), least),
            _log_share(self.second, self.first[..., parents, :], least),
        )


def _log_share(part: Values, whole: Values, floor: float) -> Values:
    share = np.divide(part, whole, out=np.ones_like(part), where=whole > 0)
    logarithm: Values = np.log(np.maximum(share, floor))
    return logarithm


@dataclass(frozen=True, eq=False)
class _Band:
    """One wavelet: the bins it covers, its values there, and how far it may be thinned out."""

    centre_hz: float
    bins: NDArray[np.int64]
    values: Values
    thinning: int


Bands = tuple[_Band, ...]


@dataclass(frozen=True, eq=False)
class Scattering:
    """Filters for signals of one length; see `scattering`, which makes them once.

    Parameters
    ----------
    n_samples : int
    fs_hz : float
    size : int
        Length of what is transformed, edges included.
    before : int
        How much of it lies before the signal.
    hop : int
        Samples from one frame to the next; 0 when everything is one frame.
    average : ndarray, shape (size // 2 + 1,)
        Spectrum of the average at frequencies from 0.
    first : tuple
        Wavelets of the first order, highest first.
    second : tuple of tuple
        For each of them those that may follow.
    """

    n_samples: int
    fs_hz: float
    size: int
    before: int
    hop: int
    average: Values
    first: Bands
    second: tuple[Bands, ...]

    def transform(self, x: ArrayLike) -> Scattered:
        """Scatter signals; their means are taken off.

        Parameters
        ----------
        x : array, shape (..., n_samples)

        Raises
        ------
        DataError
            If the signals have another length than the filters were made for.
        """
        values = np.ascontiguousarray(x, dtype=np.float64)
        if values.ndim == 0 or values.shape[-1] != self.n_samples:
            raise DataError(
                f"These filters are for {self.n_samples} samples; got shape {values.shape}."
            )
        values = values - values[..., :1]
        values = values - values.mean(axis=-1, keepdims=True)
        spectrum = np.fft.fft(_extended(values, self.before, self.size), axis=-1)
        first, second = [], []
        for band, followers in zip(self.first, self.second, strict=True):
            envelope = magnitude(_through(spectrum, band, 1))
            inner = np.fft.fft(envelope, axis=-1)
            first.append(self._averaged(inner, band.thinning))
            for follower in followers:
                deeper = magnitude(_through(inner, follower, band.thinning))
                second.append(self._averaged(np.fft.fft(deeper, axis=-1), follower.thinning))
        n_frames = first[0].shape[-1]
        nothing = np.empty((*values.shape[:-1], 0, n_frames))
        paths = [(a.centre_hz, b.centre_hz) for a, bs in zip(self.first, self.second, strict=True)
                 for b in bs]  # fmt: skip
        return Scattered(
            np.stack(first, axis=-2),
            np.stack(second, axis=-2) if second else nothing,
            np.array([band.centre_hz for band in self.first]),
            np.array(paths).reshape(-1, 2),
            (np.arange(n_frames, dtype=np.float64) + 0.5)
            * (self.hop or self.n_samples)
            / self.fs_hz,
        )

    def _averaged(self, spectrum: Complex, thinning: int) -> Values:
        """Average a magnitude of which every ``thinning``-th sample is known."""
        size = self.size // thinning
        if not self.hop:
            envelope = np.fft.ifft(spectrum, axis=-1).real
            start = self.before // thinning
            stop = max((self.before + self.n_samples) // thinning, start + 1)
            mean: Values = envelope[..., start:stop].mean(axis=-1, keepdims=True)
            return np.maximum(mean, 0.0)
        half = size // 2 + 1
        smooth = np.fft.irfft(spectrum[..., :half] * self.average[:half], size, axis=-1)
        at = self.before + (np.arange(-(-self.n_samples // self.hop)) + 0.5) * self.hop
        place = np.minimum(np.round(at / thinning).astype(np.int64), size - 1)
        return np.maximum(smooth[..., place], 0.0)


def _extended(x: Values, before: int, size: int) -> Values:
    """Mirror the signal at its ends."""
    if size == x.shape[-1]:
        return x
    place = np.abs(np.arange(-before, size - before)) % (2 * x.shape[-1] - 2)
    return x[..., np.minimum(place, 2 * x.shape[-1] - 2 - place)]


def _through(spectrum: Complex, band: _Band, thinned: int) -> Complex:
    """Pass a signal, of which every ``thinned``-th sample is known, through a wavelet."""
    size = spectrum.shape[-1] * thinned // band.thinning
    folded = np.zeros((*spectrum.shape[:-1], size), dtype=np.complex128)
    folded[..., band.bins % size] = spectrum[..., band.bins] * band.values
    return np.fft.ifft(folded, axis=-1) * (size / spectrum.shape[-1])


@lru_cache(maxsize=16)
def scattering(
    n_samples: int,
    *,
    fs_hz: float,
    band_hz: tuple[float, float],
    per_octave: int = 4,
    average_s: float = 0.0,
    edges: str = "mirror",
) -> Scattering:
    """Make the filters for signals of ``n_samples``.

    Parameters
    ----------
    n_samples : int
    fs_hz : float
    band_hz : tuple of float
        The highest wavelet of the first order has its centre at the end of the band, and the
        lowest not below its beginning.
    per_octave : int
        Wavelets of the first order in an octave. Those of the second order are an octave apart.
    average_s : float
        Length of the average, seconds, four standard deviations of its Gaussian; there are two
        frames in each. 0 averages over the whole signal.
    edges : {"mirror", "periodic"}
        What stands beyond the ends of the signal.

    Returns
    -------
    Scattering

    Raises
    ------
    ParameterError
        If the band does not fit the sampling rate or the signal.

    Examples
    --------
    >>> bank = scattering(400, fs_hz=2000.0, band_hz=(20.0, 500.0))
    >>> found = bank.transform(np.sin(np.arange(400)))
    >>> found.first.shape, found.second.shape[0] > 0
    ((19, 1), True)
    """
    rate = check_positive(fs_hz, name="fs_hz")
    low, high = (check_positive(edge, name="band_hz") for edge in band_hz)
    octave = check_count(per_octave, name="per_octave")
    check_choice(edges, EDGES, name="edges")
    n = check_count(n_samples, name="n_samples", least=8)
    if not low < high <= rate / 2:
        raise ParameterError(
            f"band_hz must rise, and end at half the sampling rate at most ({rate / 2:g} Hz); "
            f"got {low:g} to {high:g} Hz."
        )
    margin = 0 if edges == "periodic" else n // 2
    size = n if edges == "periodic" else _round_size(n + 2 * margin)
    width_hz = rate / size
    average = np.zeros(size // 2 + 1)
    average[0] = 1.0
    if average_s:
        spread_hz = 4 / (2 * np.pi * check_positive(average_s, name="average_s"))
        average = np.exp(-0.5 * (np.arange(size // 2 + 1) * width_hz / spread_hz) ** 2)
    centres = high * 2.0 ** (-np.arange(int(octave * np.log2(high / low) + 1e-9) + 1) / octave)
    first = _bank(centres, octave, average, rate, size)
    slowest = max(rate / n, spread_hz if average_s else 0.0)
    slower = high / 2 * 2.0 ** -np.arange(max(int(np.log2(high / 2 / slowest)), 0) + 1.0)
    second = _bank(slower, 1, average, rate, size)
    followers = tuple(_followers(band, octave, second, size) for band in first)
    hop = max(1, round(average_s * rate / 2)) if average_s else 0
    before = (size - n) // 2 if edges == "mirror" else 0
    return Scattering(n, rate, size, before, hop, average, first, followers)


def _round_size(least: int) -> int:
    """Return the next length that can be halved often and is quick to transform."""
    unit = 1 << max(int(np.log2(least)) - 4, 0)
    return -(-least // unit) * unit


def _bank(centres: Values, per_octave: int, average: Values, rate: float, size: int) -> Bands:
    """Return wavelets that, with the average, take no more energy out of a signal than there is."""
    ratio = 2.0 ** (1 / per_octave)
    # Neighbours cross where each lets half of the power through.
    relative = (ratio - 1) / (ratio + 1) / np.sqrt(np.log(2))
    width_hz = rate / size
    total, found = np.zeros(len(average)), []
    for centre in centres.tolist():
        spread = centre * relative
        first = max(int((centre - _REACH * spread) / width_hz) + 1, 1)
        stop = min(int((centre + _REACH * spread) / width_hz) + 1, len(average))
        bins = np.arange(first, stop)
        values = _morlet(bins.astype(np.float64) * width_hz, centre, spread)
        total[bins] += np.square(values) / 2
        found.append((centre, bins, values))
    room = 1 - np.square(average[1:])
    highest = float((total[1:][room > 0] / room[room > 0]).max(initial=1e-300))
    return tuple(
        _Band(centre, bins, values / np.sqrt(highest), _thinning(bins, size))
        for centre, bins, values in found
    )


def _morlet(hz: Values, centre_hz: float, spread_hz: float) -> Values:
    bump = np.exp(-0.5 * ((hz - centre_hz) / spread_hz) ** 2)
    bump -= np.exp(-0.5 * (centre_hz / spread_hz) ** 2) * np.exp(-0.5 * (hz / spread_hz) ** 2)
    return bump


def _thinning(bins: NDArray[np.int64], size: int) -> int:
    width = int(_ROOM * len(bins))
    thinning = 1
    while size % (2 * thinning) == 0 and size // (2 * thinning) >= max(width, 4):
        thinning *= 2
    return thinning


def _followers(band: _Band, per_octave: int, second: Bands, size: int) -> Bands:
    """Return what may follow: slower than the band's own envelope can be."""
    most_hz = band.centre_hz * (2.0 ** (1 / per_octave) - 1)
    known = size // band.thinning
    chosen = []
    for follower in second:
        inside = follower.bins <= known // 2
        if follower.centre_hz <= most_hz and inside.any():
            thinning = max(follower.thinning, band.thinning)
            chosen.append(
                _Band(follower.centre_hz, follower.bins[inside], follower.values[inside], thinning)
            )
    return tuple(chosen)
