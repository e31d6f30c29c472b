"""Order statistics, compiled: sixteen windows at a time pass one sorting network.

A network compares the same places whatever the values are, so sixteen windows share every step.
The network is the merge exchange of Batcher (knuth1998, algorithm 5.2.2 M), which fits any length.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.lanes import (
    LANES,
    exceeds,
    higher,
    lay_out,
    load,
    lower,
    scale,
    store,
    widen,
)
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, starts_of

__all__ = ["order_sums"]


def order_sums(
    windows: Rows, tolerances: NDArray[np.float64], *, distinct: bool = True
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sort every window and sum over the order.

    Parameters
    ----------
    windows : Rows
    tolerances : ndarray, shape (n_channels,)
        Sorted neighbours count as different when they are further apart than this.
    distinct : bool
        Whether to count them; otherwise the counts are 1.

    Returns
    -------
    weighted : ndarray, shape (n_windows, n_channels)
        Sum of (2 i - n + 1) x_(i) over the sorted samples, i from 0.
    distinct : ndarray, shape (n_windows, n_channels)
        How many different samples there are.
    """
    weighted, counts = np.empty(windows[1][:2]), np.empty(windows[1][:2])
    limits = np.asarray(tolerances, dtype=np.float64)
    _measure(*windows, limits, distinct, weighted, counts)
    return weighted, counts


@njit(nogil=True)
def _order(x, i, j):  # type: ignore[no-untyped-def]  # compiled, as all below
    a, b = load(x, i * LANES), load(x, j * LANES)
    store(x, i * LANES, lower(a, b))
    store(x, j * LANES, higher(b, a))


@njit(nogil=True)
def _exchange(x, n, p, r, d):  # type: ignore[no-untyped-def]
    """Order the samples i and i + d for every i < n - d whose bit p is that of r."""
    if p == 1:  # half of the work is left for small p: no loop for each
        for i in range(r, n - d, 2):
            _order(x, i, i + d)
        return
    if p == 2:
        for i in range(r, n - d - 1, 4):
            _order(x, i, i + d)
            _order(x, i + 1, i + 1 + d)
        i = r + (n - d - r) // 4 * 4
        if i == n - d - 1:
            _order(x, i, i + d)
        return
    for start in range(r, n - d, 2 * p):
        for i in range(start, min(start + p, n - d)):
            _order(x, i, i + d)


@njit(nogil=True)
def _sort(x, n):  # type: ignore[no-untyped-def]
    top = 1
    while 2 * top < n:
        top *= 2
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            _exchange(x, n, p, r, d)
            if q == p:
                break
            d, r = q - p, p
            q //= 2
        p //= 2


@njit(nogil=True)
def _weigh(x, n, total):  # type: ignore[no-untyped-def]
    sums = load(total, 0)
    for i in range(n):
        sums = sums + scale(widen(load(x, i * LANES)), 2.0 * i - n + 1.0)
    store(total, 0, sums)


@njit(nogil=True)
def _count(x, n, limits, count):  # type: ignore[no-untyped-def]
    limit, counts = load(limits, 0), load(count, 0)
    before = widen(load(x, 0))
    for i in range(1, n):
        here = widen(load(x, i * LANES))
        counts = counts + exceeds(here - before, limit)
        before = here
    store(count, 0, counts)


@kernel(
    MEMORY, SHAPE, types.float64[::1], types.boolean, types.float64[:, ::1], types.float64[:, ::1]
)
def _measure(memory, shape, tolerances, distinct, weighted, counts):  # type: ignore[no-untyped-def]
    n_channels, n = shape[1], shape[2]
    n_rows = shape[0] * n_channels
    x = np.zeros(n * LANES, dtype=np.float32)
    total, count, limits = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    starts = np.empty(LANES, dtype=np.int64)
    for first in range(0, n_rows, LANES):
        used = starts_of(shape, first, starts)
        lay_out(memory, starts, n, x)
        for lane in range(used):
            total[lane], count[lane] = 0.0, 1.0
            limits[lane] = tolerances[(first + lane) % n_channels]
        _sort(x, n)
        _weigh(x, n, total)
        if distinct:
            _count(x, n, limits, count)
        for lane in range(used):
            w, c = (first + lane) // n_channels, (first + lane) % n_channels
            weighted[w, c], counts[w, c] = total[lane], count[lane]
