"""Sums of logarithms over blocks of samples, compiled; see `myograph.features.kernels.sums`."""

from __future__ import annotations

import numpy as np
from numba import njit

from myograph.features.kernels.blocks import FREELY, SUM_TYPES, add_blocks, at_once, read
from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.logarithm import logarithms

__all__ = ["log_pass"]


@njit(**FREELY)
def _five(x, n):  # type: ignore[no-untyped-def]
    """Sum squares, and sizes and squares of steps and bends, over a block of ``n``.

    Returns the sums without, and with, what reaches beyond the block.
    """
    square, step, step2, bend, bend2 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n - 2):
        d = x[i + 1] - x[i]
        e = (x[i + 2] - x[i + 1]) - d
        square += x[i] * x[i]
        step += abs(d)
        step2 += d * d
        bend += abs(e)
        bend2 += e * e
    square += x[n - 1] * x[n - 1]
    c, d, f = 0.0, x[n] - x[n - 1], x[n + 1] - x[n]
    if n > 1:
        c = x[n - 1] - x[n - 2]
        square += x[n - 2] * x[n - 2]
        step += abs(c)
        step2 += c * c
    inner = square, step, step2, bend, bend2
    if n > 1:
        bend += abs(d - c)
        bend2 += (d - c) * (d - c)
    bend += abs(f - d)
    bend2 += (f - d) * (f - d)
    return inner, (square, step + abs(d), step2 + d * d, bend, bend2)


@njit(nogil=True)
def _log_sizes(x, floor, offset, t):  # type: ignore[no-untyped-def]
    for i in range(len(t)):
        t[i] = max(abs(x[i]), floor) + offset
    logarithms(t)


@kernel(*SUM_TYPES)
def log_pass(memory, shape, block, done, slots, limits, inner, joined):  # type: ignore[no-untyped-def]
    """Sum the logarithms of every block; the passes of `sums` say what goes in and out."""
    n_blocks = inner.shape[3]
    per = at_once(block, n_blocks - done)
    x, t = np.empty(per * block + 2), np.empty(per * block)
    alone = True  # written out: the compiler takes longer over `max` than over all of this
    for q in range(2, 7):
        alone = alone and slots[q] < 0
    for s in range(shape[0]):
        for c in range(shape[1]):
            for first in range(done, n_blocks, per):
                read(memory, shape, s, c, first * block, x)
                last = min(first + per, n_blocks)
                for q in range(2):
                    if slots[q] >= 0:
                        _log_sizes(x, limits[q, c] * (1 - q), limits[q, c] * q, t)
                        at = inner[slots[q], s, c], joined[slots[q], s, c]
                        add_blocks(t, block, 0, at[0][first:last], at[1][first:last])
                if alone:
                    continue
                for i in range(len(x)):
                    x[i] = x[i] * x[i] + 2.0**-52
                logarithms(x)
                for b in range(last - first):
                    own = _five(x[b * block : (b + 1) * block + 2], block)
                    for q in range(2, 7):
                        if slots[q] >= 0:
                            inner[slots[q], s, c, first + b] = own[0][q - 2]
                            joined[slots[q], s, c, first + b] = own[1][q - 2]
