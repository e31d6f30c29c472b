"""Sizes of a window at several scales, compiled: DFA, curve lengths and boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.matches import from_first
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["box_counts", "curve_lengths", "extents", "fluctuations"]

_F = {"nogil": True, "fastmath": {"reassoc", "nsz"}}

Values = NDArray[np.float64]


def fluctuations(windows: Rows, sizes: NDArray[np.int64], nothing: float) -> Values:
    """Return F(n) of each window in boxes of these sizes, (n_windows, n_channels, n_sizes).

    Below the part ``nothing`` of the power of the profile, it is 0.
    """
    out = np.empty((*windows[1][:2], len(sizes)))
    _fluctuations(*windows, sizes, nothing, out)
    return out


def curve_lengths(windows: Rows, max_lag: int) -> Values:
    """Return Higuchi's lengths L(k), k from 1 on, (n_windows, n_channels, max_lag)."""
    out = np.empty((*windows[1][:2], max_lag))
    _lengths(*windows, out)
    return out


def extents(windows: Rows) -> Values:
    """Return the summed steps and the largest distance from the first sample.

    Returns
    -------
    ndarray, shape (2, n_windows, n_channels)
    """
    out = np.empty((2, *windows[1][:2]))
    _extents(*windows, out)
    return out


def box_counts(windows: Rows, edges: Sequence[NDArray[np.int64]]) -> Values:
    """Count the boxes that cover each window in 2, 4, 8, ... columns.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, len(edges))
    """
    out = np.empty((*windows[1][:2], len(edges)))
    _boxes(*windows, np.concatenate(edges), out)
    return out


@njit(**_F)
def _add(x):  # type: ignore[no-untyped-def]  # compiled, as all below
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


@njit(**_F)
def _add_squares(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return total


@njit(**_F)
def _rise(y, mean, middle):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(y)):
        total += (y[i] - mean) * (i - middle)
    return total


@njit(**_F)
def _left(y, mean, middle, rise):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(y)):
        left = (y[i] - mean) - rise * (i - middle)
        total += left * left
    return total


@kernel(MEMORY, SHAPE, types.int64[::1], types.float64, types.float64[:, :, ::1])
def _fluctuations(memory, shape, sizes, nothing, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    y = np.empty(n)
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), y)
            mean, total = _add(y) / n, 0.0
            for i in range(n):
                total += y[i] - mean
                y[i] = total
            least = nothing * _add_squares(y) / n
            for k in range(len(sizes)):
                size, boxes = sizes[k], n // sizes[k]
                middle, power = 0.5 * (size - 1), 0.0
                spread = size * (size * size - 1) / 12.0
                for b in range(boxes):
                    box = y[b * size : (b + 1) * size]
                    level = _add(box) / size
                    power += _left(box, level, middle, _rise(box, level, middle) / spread)
                power /= boxes * size
                out[w, c, k] = np.sqrt(power) if power > least else 0.0


@njit(**_F)
def _steps(x, lag):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x) - lag):
        total += abs(x[i + lag] - x[i])
    return total


@kernel(MEMORY, SHAPE, types.float64[:, :, ::1])
def _lengths(memory, shape, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x = np.empty(n)
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), x)
            for k in range(1, out.shape[2] + 1):
                total = 0.0
                for start in range(k):
                    count, part = (n - 1 - start) // k, 0.0
                    for i in range(start, start + count * k, k):
                        part += abs(x[i + k] - x[i])
                    total += part / count
                out[w, c, k - 1] = total * (n - 1) / (k * k) / k


@njit(**_F)
def _farthest(x):  # type: ignore[no-untyped-def]
    most = 0.0
    for i in range(len(x)):
        most = max(most, abs(x[i]))
    return most


@kernel(MEMORY, SHAPE, types.float64[:, :, ::1])
def _extents(memory, shape, out):  # type: ignore[no-untyped-def]
    x = np.empty(shape[2])
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), x)
            out[0, w, c], out[1, w, c] = _steps(x, 1), _farthest(x)


@njit(nogil=True)
def _cover(height, edges, boxes):  # type: ignore[no-untyped-def]
    total = 0.0
    for k in range(len(edges) - 1):
        low = high = height[edges[k]]
        for i in range(edges[k] + 1, edges[k + 1] + 1):
            low, high = min(low, height[i]), max(high, height[i])
        total += max(np.ceil(high * boxes) - np.floor(low * boxes), 1.0)
    return total


@kernel(MEMORY, SHAPE, types.int64[::1], types.float64[:, :, ::1])
def _boxes(memory, shape, edges, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x = np.empty(n)
    for w in range(shape[0]):
        for c in range(shape[1]):
            window = row(memory, shape, w, c)
            for i in range(n):
                x[i] = window[i]
            low = high = x[0]
            for i in range(n):
                low, high = min(low, x[i]), max(high, x[i])
            for i in range(n):
                x[i] = (x[i] - low) / (high - low) if high > low else 0.0
            first = 0
            for k in range(out.shape[2]):
                columns = 2 << k
                out[w, c, k] = _cover(x, edges[first : first + columns + 1], float(columns))
                first += columns + 1
