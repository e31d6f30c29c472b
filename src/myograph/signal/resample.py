"""Change of sampling rate by a ratio of whole numbers: anti-aliased, in pieces or at once.

A polyphase low-pass (Kaiser window) at the lower of the two Nyquist frequencies. Every phase passes
a constant exactly, so an electrode offset stays one value and does not turn into a ripple.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.signal import upfirdn

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, ParameterError

__all__ = ["Resampler", "rate_ratio", "resample_offline"]

#: Largest numerator or denominator of a rate ratio: the filter grows with it.
LARGEST = 2000

# The filter passes up to this share of the lower Nyquist frequency, and from there on falls by
# the attenuation, reached at the Nyquist frequency itself.
_PASS = 0.85
_ATTENUATION_DB = 80.0

# Values filtered at once: bounds the float64 copies.
_BLOCK = 1 << 19


def rate_ratio(from_hz: float, to_hz: float) -> Fraction:
    """Return ``to_hz / from_hz`` as a ratio of whole numbers.

    Raises
    ------
    ParameterError
        If no small ratio gives the wanted rate; the message names the nearest one that does.

    Examples
    --------
    >>> rate_ratio(23437.5, 20000)
    Fraction(64, 75)
    """
    check_positive(from_hz, name="from_hz")
    check_positive(to_hz, name="to_hz")
    exact = Fraction(to_hz) / Fraction(from_hz)
    near = exact.limit_denominator(LARGEST)
    if near == 0 or near.numerator > LARGEST or abs(near / exact - 1) > Fraction(1, 10**9):
        best = max(near, Fraction(1, LARGEST))
        raise ParameterError(
            f"{to_hz:g} Hz is not reached from {from_hz:g} Hz by a ratio of whole numbers up to "
            f"{LARGEST}; {float(best) * from_hz:.9g} Hz is ({best.numerator}/{best.denominator})."
        )
    return near


class Resampler:
    """Resample a stream: causal, so what comes out is late by `delay_s`, like any filter.

    Output ``m`` stands for the time of input ``m * down / up`` and leaves as soon as that input
    has come. The stream is taken to have held its first value for ever before.

    Parameters
    ----------
    ratio : Fraction
        New rate over old, see `rate_ratio`.
    n_channels : int
    held : sequence of int
        Rows that are states, not waves (triggers): their value is taken, not filtered, with the
        same delay.

    Examples
    --------
    >>> half = Resampler(Fraction(1, 2), n_channels=1)
    >>> half.push(np.full((1, 5), 7, dtype=np.float32)).tolist()
    [[7.0, 7.0, 7.0]]
    """

    __slots__ = (
        "_down",
        "_half",
        "_held",
        "_made",
        "_n_channels",
        "_reach",
        "_seen",
        "_start",
        "_tail",
        "_taps",
        "_up",
    )

    def __init__(self, ratio: Fraction, *, n_channels: int, held: tuple[int, ...] = ()) -> None:
        self._up, self._down = ratio.numerator, ratio.denominator
        self._taps = _taps(self._up, self._down)
        self._half = (len(self._taps) - 1) // 2
        self._reach = -(-len(self._taps) // self._up)
        self._n_channels = n_channels
        self._held = list(held)
        self._seen = 0  # inputs so far
        self._made = 0  # outputs so far
        # The tail is the input that coming outputs still need; it starts at a multiple of `down`,
        # so that its first sample falls on the grid of the outputs.
        self._start = -self._down * math.ceil(self._reach / self._down)
        self._tail: NDArray[np.float32] | None = None

    def delay_s(self, fs_hz: float) -> float:
        """Return by how much the output is late, for an input at ``fs_hz``."""
        return self._half / self._up / fs_hz

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take (n_channels, n_new) samples and return those at the new rate that they complete.

        Raises
        ------
        DataError
            If the chunk has other channels or holds NaN or infinity; the state stays as it was.
        """
        if chunk.ndim != 2 or chunk.shape[0] != self._n_channels:
            raise DataError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        if chunk.shape[1] == 0:
            return np.empty((self._n_channels, 0), dtype=np.float32)
        if not np.isfinite(chunk).all():
            raise DataError("The chunk holds NaN or infinite samples; declare a gap instead.")
        tail = self._tail
        if tail is None:
            tail = np.repeat(chunk[:, :1], -self._start, axis=1)
        signal = np.concatenate([tail, chunk], axis=1)
        self._seen += chunk.shape[1]
        stop = -(-self._seen * self._up // self._down)
        out = self._between(signal, self._made, stop)
        self._made = stop
        oldest = stop * self._down // self._up - self._reach
        start = max(self._start, oldest // self._down * self._down)
        self._tail = signal[:, start - self._start :].copy()
        self._start = start
        return out

    def _between(self, signal: NDArray[np.float32], first: int, stop: int) -> NDArray[np.float32]:
        """Return outputs ``first`` to ``stop``; ``signal`` starts at input ``self._start``."""
        begin = first - self._start * self._up // self._down
        out = _filtered(
            self._taps, signal, (self._up, self._down), slice(begin, begin + stop - first)
        )
        if self._held:
            places = (np.arange(first, stop) * self._down - self._half) // self._up
            out[self._held] = signal[self._held][:, np.maximum(places - self._start, 0)]
        return out


def resample_offline(
    samples: NDArray[np.float32], ratio: Fraction, *, held: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    """Resample a whole signal without delay: every output looks as far ahead as back.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    ratio : Fraction
        New rate over old, see `rate_ratio`.
    held : sequence of int
        Rows whose nearest value is taken, not filtered (triggers).

    Returns
    -------
    ndarray of float32, shape (n_channels, ceil(n_samples * ratio))
        Output ``m`` stands for the time of input ``m / ratio``. The ends are extended by odd
        reflection.
    """
    up, down = ratio.numerator, ratio.denominator
    taps = _taps(up, down)
    half = (len(taps) - 1) // 2
    taps = np.concatenate([np.zeros(-half % down), taps])  # the delay falls on the output grid
    n_samples = samples.shape[1]
    n_out = -(-n_samples * up // down)
    pad = down * math.ceil((len(taps) // up + 1) / down)
    begin = (pad * up + half + (-half % down)) // down
    signal = _reflected(samples, pad)
    out = _filtered(taps, signal, (up, down), slice(begin, begin + n_out))
    if held:
        places = np.minimum((2 * np.arange(n_out) * down + up) // (2 * up), n_samples - 1)
        out[list(held)] = samples[list(held)][:, places]
    return out


def _filtered(
    taps: NDArray[np.float64], signal: NDArray[np.float32], rates: tuple[int, int], keep: slice
) -> NDArray[np.float32]:
    up, down = rates
    out = np.empty((len(signal), keep.stop - keep.start), dtype=np.float32)
    step = max(1, _BLOCK // max(signal.shape[1], 1))
    for first in range(0, len(signal), step):
        rows = slice(first, first + step)
        out[rows] = upfirdn(taps, signal[rows].astype(np.float64), up, down, axis=1)[:, keep]
    return out


def _taps(up: int, down: int) -> NDArray[np.float64]:
    """Design the low-pass at ``up`` times the old rate; every phase sums to 1."""
    widest = max(up, down)
    if widest == 1:
        return np.ones(1)
    width = (1 - _PASS) * math.pi / widest
    half = math.ceil((_ATTENUATION_DB - 7.95) / (2.285 * width) / 2)
    places = np.arange(-half, half + 1)
    cutoff = (1 + _PASS) / 2 / widest
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    taps = cutoff * np.sinc(cutoff * places) * np.kaiser(len(places), beta)
    for phase in range(up):
        taps[phase::up] /= taps[phase::up].sum()
    return taps


def _reflected(samples: NDArray[np.float32], pad: int) -> NDArray[np.float32]:
    reach = min(pad, samples.shape[1] - 1)
    if reach:
        samples = np.pad(samples, ((0, 0), (reach, reach)), mode="reflect", reflect_type="odd")
    return np.pad(samples, ((0, 0), (pad - reach, pad - reach)), mode="edge")
