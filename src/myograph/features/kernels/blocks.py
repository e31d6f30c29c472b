"""Blocks of samples, compiled: reading them, and adding up terms block by block."""

from __future__ import annotations

from numba import njit, types

from myograph.features.kernels.rows import MEMORY, SHAPE

__all__ = ["FREELY", "SUM_TYPES", "TILE", "add_blocks", "at_once", "read", "steps"]

#: Samples of one channel worked on at once: they stay in the first-level cache.
TILE = 1600

#: Sums may be added in any order, the same one every time.
FREELY = {"nogil": True, "fastmath": {"reassoc", "nsz"}}

#: Arguments of a pass: memory, shape, block, blocks that are done, slots, limits, inner, joined.
SUM_TYPES = (
    MEMORY,
    SHAPE,
    types.int64,
    types.int64,
    types.int64[::1],
    types.float64[:, ::1],
    types.float64[:, :, :, ::1],
    types.float64[:, :, :, ::1],
)


# Comparisons are written out: the compiler takes longer over `min` and `max` than over a loop.


@njit(nogil=True, inline="always")
def at_once(block, n_blocks):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Return how many blocks are worked on at once: no more than there are."""
    most = TILE // block if block < TILE else 1
    return most if most < n_blocks else n_blocks


@njit(nogil=True, inline="always")
def read(memory, shape, s, c, start, x):  # type: ignore[no-untyped-def]
    """Copy samples to ``x``, zeros beyond the end."""
    place = s * shape[3] + c * shape[4] + start
    left = shape[2] - start
    row = memory[place : place + (left if left < len(x) else len(x))]
    for i in range(len(row)):
        x[i] = row[i]
    for i in range(len(row), len(x)):
        x[i] = 0.0


@njit(nogil=True)
def steps(x, d):  # type: ignore[no-untyped-def]
    """Fill ``d`` with the steps from each sample to the next."""
    for i in range(len(d)):
        d[i] = x[i + 1] - x[i]


@njit(**FREELY)
def _add(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


@njit(nogil=True)
def add_blocks(t, block, reach, inner, joined):  # type: ignore[no-untyped-def]
    """Sum the terms of each block; the last ``reach`` terms need samples beyond it."""
    within = block - reach if block > reach else 0
    for b in range(len(inner)):
        i = b * block
        stop = i + within
        inner[b] = _add(t[i:stop])
        joined[b] = inner[b]
        for k in range(stop, i + block):
            joined[b] += t[k]
