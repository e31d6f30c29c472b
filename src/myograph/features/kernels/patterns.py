"""Patterns of order and of bits, compiled: permutation entropy and Lempel-Ziv pieces."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.ordering import put_in_order
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["pattern_entropies", "piece_counts"]

Values = NDArray[np.float64]


def pattern_entropies(windows: Rows, *, order: int, delay: int) -> Values:
    """Return the entropies of the patterns of order in nats, shape (n_windows, n_channels)."""
    out = np.empty(windows[1][:2])
    _patterns(*windows, order, delay, np.zeros(math.factorial(order), dtype=np.int64), out)
    return out


def piece_counts(windows: Rows) -> Values:
    """Return into how many new pieces each window falls, shape (n_windows, n_channels)."""
    out = np.empty(windows[1][:2])
    _pieces(*windows, out)
    return out


@njit(nogil=True)
def _code(x, start, order, delay):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Return the number of the pattern: how many later samples are smaller, as digits."""
    code = 0
    for a in range(order - 1):
        smaller = 0
        for b in range(a + 1, order):
            smaller += x[start + b * delay] < x[start + a * delay]
        code = code * (order - a) + smaller
    return code


@kernel(MEMORY, SHAPE, types.int64, types.int64, types.int64[::1], types.float64[:, ::1])
def _patterns(memory, shape, order, delay, counts, out):  # type: ignore[no-untyped-def]
    n = shape[2] - (order - 1) * delay
    for w in range(shape[0]):
        for c in range(shape[1]):
            window = row(memory, shape, w, c)
            for i in range(n):
                counts[_code(window, i, order, delay)] += 1
            entropy = 0.0
            for k in range(len(counts)):
                if counts[k] > 0:
                    share = counts[k] / n
                    entropy -= share * np.log(share)
                    counts[k] = 0
            out[w, c] = entropy + 0.0


@njit(nogil=True)
def _new_pieces(bits):  # type: ignore[no-untyped-def]
    """Count the pieces of a sequence, each the shortest that did not occur before (kaspar1987)."""
    n = len(bits)
    count, start = 0, 0
    while start < n:
        longest = 0
        for copy in range(start):
            length = 0
            while start + length < n and bits[copy + length] == bits[start + length]:
                length += 1
            longest = max(longest, length)
            if start + longest >= n:
                break
        count += 1
        start += longest + 1
    return count


@kernel(MEMORY, SHAPE, types.float64[:, ::1])
def _pieces(memory, shape, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x, placed = np.empty(n), np.empty(n)
    order, start = np.empty(n, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
    bits = np.empty(n, dtype=np.uint8)
    for w in range(shape[0]):
        for c in range(shape[1]):
            window = row(memory, shape, w, c)
            for i in range(n):
                x[i] = window[i]
            put_in_order(x, order, placed, start)
            median = 0.5 * (placed[(n - 1) // 2] + placed[n // 2])
            for i in range(n):
                bits[i] = x[i] > median
            out[w, c] = _new_pieces(bits)
