"""Two-channel filter banks of windows, compiled: mean squares of wavelet and packet coefficients.

A level of the bank keeps every second output of a low-pass and of a high-pass. Sixteen windows
pass it side by side.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.lanes import LANES, add_scaled, lay_out, load, scale, store
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, starts_of

__all__ = ["packet_energies", "wavelet_energies"]

Values = NDArray[np.float64]


def wavelet_energies(windows: Rows, filters: Values, level: int, *, periodic: bool) -> Values:
    """Measure the bands of a discrete wavelet transform.

    Parameters
    ----------
    windows : Rows
    filters : ndarray, shape (2, n_taps)
        Low-pass and high-pass of the analysis, ``n_taps`` even.
    level : int
        How often the low band is split.
    periodic : bool
        The window repeats itself; otherwise it is mirrored at its ends, the end sample twice.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, level + 1)
        Sum of squared coefficients over the length of the window: the approximation, then the
        details from the lowest band to the highest.
    """
    return _measured(_transform, windows, filters, level + 1, periodic=periodic)


def packet_energies(windows: Rows, filters: Values, level: int, *, periodic: bool) -> Values:
    """Measure the bands of a wavelet packet transform; see `wavelet_energies`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, 2 ** level)
        From the lowest band to the highest.
    """
    return _measured(_packets, windows, filters, 1 << level, periodic=periodic)


def _measured(
    bank: Callable[..., None], windows: Rows, filters: Values, bands: int, *, periodic: bool
) -> Values:
    n_windows, n_channels = windows[1][:2].tolist()
    out = np.empty((n_windows * n_channels, bands))
    bank(*windows, np.ascontiguousarray(filters[:, ::-1]), periodic, out)
    return out.reshape(n_windows, n_channels, bands)


@njit(nogil=True)
def _beyond(i, n, whole, periodic):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Return which sample stands at i, less than a window beyond an end."""
    if periodic:
        i += whole if i < 0 else 0
        i -= whole if i >= whole else 0
        return min(i, n - 1)
    i = -1 - i if i < 0 else i
    return 2 * n - 1 - i if i >= n else i


@njit(nogil=True)
def _split(x, n, filters, periodic, low, high):  # type: ignore[no-untyped-def]
    """Split a band, whose first sample stands after room for what is before it, in two."""
    taps = filters.shape[1]
    room = (taps - 2) * LANES
    n_out = (n + 1) // 2 if periodic else (n + taps - 1) // 2
    before = taps // 2 - 1 if periodic else taps - 2
    whole = n + n % 2  # the last sample once more, so that the period is even
    stop = 2 * (n_out - 1) + taps - before
    for i in range(-before, 0):
        store(x, room + i * LANES, load(x, room + _beyond(i, n, whole, periodic) * LANES))
    for i in range(n, stop):
        store(x, room + i * LANES, load(x, room + _beyond(i, n, whole, periodic) * LANES))
    start = room - before * LANES
    for k in range(n_out):
        value = load(x, start + 2 * k * LANES)
        below, above = scale(value, filters[0, 0]), scale(value, filters[1, 0])
        for tap in range(1, taps):
            value = load(x, start + (2 * k + tap) * LANES)
            below = add_scaled(below, value, filters[0, tap])
            above = add_scaled(above, value, filters[1, tap])
        store(low, room + k * LANES, below)
        store(high, room + k * LANES, above)
    return n_out


@njit(nogil=True)
def _squares(x, n, room, result):  # type: ignore[no-untyped-def]
    value = load(x, room)
    total = value * value
    for k in range(1, n):
        value = load(x, room + k * LANES)
        total = total + value * value
    store(result, 0, total)


@kernel(MEMORY, SHAPE, types.float64[:, ::1], types.boolean, types.float64[:, ::1])
def _transform(memory, shape, filters, periodic, out):  # type: ignore[no-untyped-def]
    n, level, room = shape[2], out.shape[1] - 1, (filters.shape[1] - 2) * LANES
    size = (n + 2 * filters.shape[1]) * LANES + 2 * room
    x, low, high, result = np.zeros(size), np.zeros(size), np.zeros(size), np.empty(LANES)
    starts = np.empty(LANES, dtype=np.int64)
    for task in range(0, shape[0] * shape[1], LANES):
        count = starts_of(shape, task, starts)
        lay_out(memory, starts, n, x[room:])
        length = n
        for step in range(level):
            length = _split(x, length, filters, periodic, low, high)
            _squares(high, length, room, result)
            for lane in range(count):
                out[task + lane, level - step] = result[lane] / n
            x, low = low, x
        _squares(x, length, room, result)
        for lane in range(count):
            out[task + lane, 0] = result[lane] / n


@kernel(MEMORY, SHAPE, types.float64[:, ::1], types.boolean, types.float64[:, ::1])
def _packets(memory, shape, filters, periodic, out):  # type: ignore[no-untyped-def]
    n, nodes, room = shape[2], out.shape[1], (filters.shape[1] - 2) * LANES
    size = (n + 2 * filters.shape[1]) * LANES + 2 * room
    now, after, result = np.zeros((nodes, size)), np.zeros((nodes, size)), np.empty(LANES)
    starts = np.empty(LANES, dtype=np.int64)
    for task in range(0, shape[0] * shape[1], LANES):
        count = starts_of(shape, task, starts)
        lay_out(memory, starts, n, now[0, room:])
        length, bands = n, 1
        while bands < nodes:
            following = length
            for node in range(bands):
                # Keeping every second output turns the high band over, so the halves of every
                # second node change places.
                turned = node % 2
                low, high = after[2 * node + turned], after[2 * node + 1 - turned]
                following = _split(now[node], length, filters, periodic, low, high)
            length, bands = following, 2 * bands
            now, after = after, now
        for node in range(nodes):
            _squares(now[node], length, room, result)
            for lane in range(count):
                out[task + lane, node] = result[lane] / n
