"""Counts of matching templates, compiled: 64 pairs of samples to a word.

The samples within the tolerance of one sample are neighbours in order of size. Let P_k be the
set of the k smallest samples, as bits by their place in time: the samples close to sample i are
then P_b without P_a for two numbers a and b, which are found for all samples in one sweep over the
order. Two templates match when the sets of their samples, each shifted by its place in the
template, have a bit in common: an and, a shift and a count of bits serve 64 pairs at once.

The sets are made one word at a time, for places in time that overlap by the length of a template,
so that a shift never reaches into the next word, and everything stays in the first-level cache.
The cost per window is about n + n^2 / 32 steps and does not depend on the tolerance.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import count_bits, kernel
from myograph.features.kernels.ordering import put_in_order
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["approximate_entropies", "match_counts"]

_F = {"nogil": True, "fastmath": {"reassoc", "nsz"}}

Values = NDArray[np.float64]


def match_counts(
    windows: Rows, *, m: int, tolerances: Values, r: float, margin: float, scales: int
) -> Values:
    """Count the pairs of templates that match.

    Parameters
    ----------
    windows : Rows
    m : int
        Length of a template.
    tolerances : ndarray, shape (n_channels,)
        0 where ``r`` standard deviations of the window are the tolerance.
    r, margin : float
        The tolerance is taken times ``margin``.
    scales : int
        Means of 1, 2, ... samples are counted, all with the tolerance of the window.

    Returns
    -------
    ndarray, shape (2, n_windows, n_channels, scales)
        Pairs of length m, and of length m + 1, among the first N - m templates.
    """
    out = np.empty((2, *windows[1][:2], scales))
    _counts(*windows, m, np.asarray(tolerances, dtype=np.float64), r, margin, out)
    return out


def approximate_entropies(
    windows: Rows, *, m: int, tolerances: Values, r: float, margin: float
) -> Values:
    """Return approximate entropies, shape (n_windows, n_channels); see `match_counts`."""
    out = np.empty(windows[1][:2])
    logs = np.log(np.arange(1, int(windows[1][2]) + 1))
    _approximate(*windows, m, np.asarray(tolerances, dtype=np.float64), r, margin, logs, out)
    return out


@njit(**_F)
def _spread(x):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Return the standard deviation of samples whose first is 0."""
    mean, power = 0.0, 0.0
    for i in range(len(x)):
        mean += x[i]
    mean /= len(x)
    for i in range(len(x)):
        power += (x[i] - mean) * (x[i] - mean)
    return np.sqrt(power / len(x))


@njit(nogil=True)
def from_first(window, x):  # type: ignore[no-untyped-def]
    """Copy a window without its first sample, so that a flat one becomes exactly 0."""
    origin = np.float64(window[0])
    for i in range(len(x)):
        x[i] = np.float64(window[i]) - origin


@njit(nogil=True)
def limit_of(x, tolerance, r, margin):  # type: ignore[no-untyped-def]
    """Return the tolerance of a window that `from_first` made."""
    return (tolerance if tolerance > 0 else r * _spread(x)) * margin


@njit(nogil=True)
def _coarse(x, scale, y):  # type: ignore[no-untyped-def]
    for i in range(len(y)):
        total = 0.0
        for k in range(i * scale, (i + 1) * scale):
            total += x[k]
        y[i] = total / scale


@njit(nogil=True)
def _neighbours(order, placed, limit, ends):  # type: ignore[no-untyped-def]
    """Say for every sample which stretch of the order lies within the limit."""
    n = len(order)
    a, b = 0, 0
    for k in range(n):
        value = placed[k]
        while value - placed[a] > limit:
            a += 1
        while b < n and placed[b] - value <= limit:
            b += 1
        ends[order[k], 0], ends[order[k], 1] = a, b


@njit(nogil=True)
def _words(order, ends, first, sets, close):  # type: ignore[no-untyped-def]
    """Fill ``close`` with the samples close to each, as bits for the places first to first + 63."""
    n = len(order)
    word = np.uint64(0)
    sets[0] = word
    for k in range(n):
        place = np.uint64(order[k] - first)
        here = np.uint64(1) if place < 64 else np.uint64(0)
        word |= here << (place & np.uint64(63))
        sets[k + 1] = word
    for i in range(len(close)):
        close[i] = sets[ends[i, 1]] ^ sets[ends[i, 0]]


@njit(nogil=True)
def _lowest(count):  # type: ignore[no-untyped-def]
    """Return a word whose lowest ``count`` bits, 0 to 63, are set."""
    return (np.uint64(1) << np.uint64(count)) - np.uint64(1)


@njit(nogil=True)
def _joined(close, both, m):  # type: ignore[no-untyped-def]
    """Keep the places where m samples in a row are close."""
    for i in range(len(both)):
        both[i] = close[i]
    for q in range(1, m):
        shift = np.uint64(q)
        for i in range(len(both)):
            both[i] &= close[i + q] >> shift


@njit(nogil=True)
def _count_later(close, both, first, used, m):  # type: ignore[no-untyped-def]
    """Count the matches of each template with later ones in the word."""
    short, long = 0, 0
    every, shift = _lowest(used), np.uint64(m)
    for i in range(min(first, len(both))):
        here = both[i] & every
        short += count_bits(here)
        long += count_bits(here & (close[i + m] >> shift))
    for i in range(first, min(first + used - 1, len(both))):
        here = both[i] & every & ~_lowest(i - first + 1)
        short += count_bits(here)
        long += count_bits(here & (close[i + m] >> shift))
    return short, long


@njit(nogil=True)
def _count(x, m, limit, work):  # type: ignore[no-untyped-def]
    """Count the matches of length m and m + 1 among the first n - m templates."""
    order, placed, start, ends, sets, close, both = work
    n = len(x)
    order, placed = order[:n], placed[:n]
    put_in_order(x, order, placed, start[: n + 1])
    _neighbours(order, placed, limit, ends)
    templates, width = n - m, 64 - m
    short, long = 0, 0
    for first in range(0, templates, width):
        used = min(width, templates - first)
        rows = min(first + used, templates)  # later ones have no partner in this word
        _words(order, ends, first, sets, close[: rows + m])
        _joined(close, both[:rows], m)
        found = _count_later(close, both[:rows], first, used, m)
        short += found[0]
        long += found[1]
    return short, long


@njit(nogil=True)
def _room(n):  # type: ignore[no-untyped-def]
    return (
        np.empty(n, dtype=np.int64),
        np.empty(n),
        np.empty(n + 1, dtype=np.int64),
        np.empty((n, 2), dtype=np.int64),
        np.empty(n + 1, dtype=np.uint64),
        np.empty(n, dtype=np.uint64),
        np.empty(n, dtype=np.uint64),
    )


@kernel(
    MEMORY, SHAPE, types.int64, types.float64[::1], types.float64, types.float64,
    types.float64[:, :, :, ::1],
)  # fmt: skip
def _counts(memory, shape, m, tolerances, r, margin, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x, y, work = np.empty(n), np.empty(n), _room(n)
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), x)
            limit = limit_of(x, tolerances[c], r, margin)
            for s in range(out.shape[3]):
                coarse = y[: n // (s + 1)]
                _coarse(x, s + 1, coarse)
                out[0, w, c, s], out[1, w, c, s] = _count(coarse, m, limit, work)


@njit(nogil=True)
def _mean_log(counts, logs):  # type: ignore[no-untyped-def]
    total, all_match = 0.0, logs[len(counts) - 1]
    for i in range(len(counts)):
        total += logs[counts[i] - 1] - all_match
    return total / len(counts)


@kernel(
    MEMORY, SHAPE, types.int64, types.float64[::1], types.float64, types.float64,
    types.float64[::1], types.float64[:, ::1],
)  # fmt: skip
def _approximate(memory, shape, m, tolerances, r, margin, logs, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x = np.empty(n)
    order, placed, start, ends, sets, close, both = _room(n)
    short, long = np.empty(n - m + 1, dtype=np.int64), np.empty(n - m, dtype=np.int64)
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), x)
            put_in_order(x, order, placed, start)
            _neighbours(order, placed, limit_of(x, tolerances[c], r, margin), ends)
            short[:], long[:] = 0, 0
            for first in range(0, n - m + 1, 64 - m):
                used = min(64 - m, n - m + 1 - first)
                _words(order, ends, first, sets, close)
                _joined(close, both[: n - m + 1], m)
                every, shift = _lowest(used), np.uint64(m)
                for i in range(n - m + 1):
                    short[i] += count_bits(both[i] & every)
                for i in range(n - m):
                    last = both[i] & (close[i + m] >> shift)
                    long[i] += count_bits(last & _lowest(min(used, n - m - first)))
            out[w, c] = _mean_log(short, logs) - _mean_log(long, logs)
