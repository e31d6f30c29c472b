"""Sums over the samples of a window, compiled: one pass, each sample once.

A window is cut into blocks of equal length, which depends on the length of the window alone. What
is summed over a block is summed once and serves every window that holds the block; the sums of
the blocks are then added from the first block of the window to the last. So a window alone, in a
batch and in a stream give the same bits, whatever overlaps it.

Terms that need the next one or two samples belong to the block of their first sample; the last
block of a window leaves out those that reach beyond it (`inner`), the others have them (`joined`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.blocks import (
    FREELY,
    SUM_TYPES,
    add_blocks,
    at_once,
    read,
    steps,
)
from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.log_sums import log_pass
from myograph.features.kernels.rows import Rows, overlap

__all__ = [
    "SUMS", "Prepared", "RunningSums", "block_length", "prepare_sums", "run_sums", "window_sums",
]  # fmt: skip

#: Sums by name: of steps d to the next sample, of bends e = d[n+1] - d[n], of the Teager-Kaiser
#: energy, and of the logarithm l = ln(x^2 + 2^-52). One compiled pass per line, each compiled
#: when first asked for.
PASSES = (
    ("size", "step", "crossings", "turns"),
    ("x", "square", "step2", "jumps", "above"),
    ("cube", "fourth", "fifth", "energy", "energy-size", "bend", "bend2", "root+", "root-"),
    ("log", "log-offset", "l2", "l-step", "l-step2", "l-bend", "l-bend2"),
)
SUMS = tuple(name for names in PASSES for name in names)

# Lengths of block to choose from: divisors of the usual windows and hops, the best first.
_BLOCKS = (50, 64, 40, 32, 25, 48, 30, 20)

Values = NDArray[np.float64]


def block_length(n_samples: int) -> int:
    """Return the length of the blocks of a window: a divisor of it, or all of it."""
    for length in _BLOCKS:
        if n_samples % length == 0 and n_samples >= 2 * length:
            return length
    return n_samples


def window_sums(
    windows: Rows, wanted: Sequence[str], *, amplitudes: Mapping[str, Values]
) -> dict[str, Values]:
    """Sum over the samples of every window.

    Parameters
    ----------
    windows : Rows
    wanted : sequence of str
        Names of `SUMS`.
    amplitudes : mapping of str to ndarray, shape (n_channels,)
        Thresholds of ``crossings``, ``turns``, ``jumps`` and ``above``; the ``log`` floor and the
        ``log-offset``. Missing ones are 0.

    Returns
    -------
    dict of str to ndarray, shape (n_windows, n_channels)
    """
    return run_sums(windows, prepare_sums(wanted, amplitudes, n_channels=int(windows[1][1])))


class Prepared(NamedTuple):
    """What is the same on every hop: names of the sums, and each pass with its arguments."""

    names: tuple[str, ...]
    passes: tuple[tuple[Callable[..., None], NDArray[np.int64], Values], ...]


def prepare_sums(
    wanted: Sequence[str], amplitudes: Mapping[str, Values], *, n_channels: int
) -> Prepared:
    """Choose the passes for some sums; see `window_sums`."""
    names = tuple(dict.fromkeys(wanted))
    passes = []
    for members, run in zip(PASSES, (_pass_0, _pass_1, _pass_2, log_pass), strict=True):
        if set(names).isdisjoint(members):
            continue
        slots = np.array([names.index(m) if m in names else -1 for m in members])
        limits = np.zeros((len(members), n_channels))
        for k, member in enumerate(members):
            limits[k] = amplitudes.get(member, 0.0)
        passes.append((run, slots, limits))
    return Prepared(names, tuple(passes))


def run_sums(windows: Rows, prepared: Prepared) -> dict[str, Values]:
    """Run the passes that were chosen; see `window_sums`."""
    n_windows, n_channels, n = windows[1][:3].tolist()
    block = block_length(n)
    (memory, shape), n_each, step = overlap(windows, multiple_of=block)
    names = prepared.names
    sizes = (len(names), int(shape[0]), n_channels, int(shape[2]) // block)
    inner, joined = np.empty(sizes), np.empty(sizes)
    for run, slots, limits in prepared.passes:
        run(memory, shape, block, 0, slots, limits, inner, joined)
    out = np.empty((len(names), n_windows, n_channels))
    _fold(inner, joined, n_each, n // block, step // block, 0, np.ones(len(names)), out)
    return dict(zip(names, out, strict=True))


class RunningSums:
    """Sums of windows that follow each other in a stream: blocks that two share are summed once.

    Parameters
    ----------
    prepared : Prepared
    n_channels, n_samples, step : int
        Of the windows, and from the start of one to the start of the next.
    """

    __slots__ = (
        "_block", "_done", "_inner", "_joined", "_names", "_ones", "_out", "_passes", "_shift",
    )  # fmt: skip

    def __init__(self, prepared: Prepared, *, n_channels: int, n_samples: int, step: int) -> None:
        block = block_length(n_samples)
        n_blocks = n_samples // block
        self._names, self._passes, self._block = prepared.names, prepared.passes, block
        # The last block of a window is summed again, since its joined sums reach beyond.
        shared = step % block == 0 and step // block < n_blocks - 1
        self._shift = step // block if shared else 0
        self._inner = np.zeros((len(self._names), 1, n_channels, n_blocks))
        self._joined = np.zeros_like(self._inner)
        self._out = np.empty((len(self._names), 1, n_channels))
        self._ones = np.ones(len(self._names))
        self._done = 0

    def forget(self) -> None:
        """Take the next window as the first of a stream."""
        self._done = 0

    def next(self, window: Rows) -> dict[str, Values]:
        """Return the sums of the next window; they are written over when the following one comes.

        Parameters
        ----------
        window : Rows
            One window, a step after the one before.
        """
        self.divided(window, self._ones, self._out)
        return dict(zip(self._names, self._out, strict=True))

    def divided(self, window: Rows, divisors: Values, out: Values) -> None:
        """Write the sums of the next window, each over its divisor.

        Parameters
        ----------
        window : Rows
            One window, a step after the one before.
        divisors : ndarray, shape (n_names,)
        out : ndarray, shape (n_names, 1, n_channels)
        """
        memory, shape = window
        inner, joined = self._inner, self._joined
        for run, slots, limits in self._passes:
            run(memory, shape, self._block, self._done, slots, limits, inner, joined)
        n_blocks = inner.shape[3]
        _fold(inner, joined, 1, n_blocks, 0, self._shift, divisors, out)
        self._done = n_blocks - 1 - self._shift if self._shift else 0


@njit(**FREELY)
def _four(x, least_crossing, least_turn, own):  # type: ignore[no-untyped-def]
    """Sum sizes and steps, and count crossings and turns: without, and with, what reaches beyond.

    Without thresholds, a product below 0 is all there is to ask.
    """
    n, size, step, crossings, turns = len(x) - 2, 0.0, 0.0, 0, 0
    if least_crossing == 0 and least_turn == 0:
        for i in range(n - 2):
            a, b = x[i], x[i + 1]
            d, e = b - a, x[i + 2] - b
            size += abs(a)
            step += abs(d)
            crossings += a * b < 0
            turns += d * e < 0
    else:
        for i in range(n - 2):
            a, b = x[i], x[i + 1]
            d, e = b - a, x[i + 2] - b
            size += abs(a)
            step += abs(d)
            crossings += (a * b < 0) & (abs(d) >= least_crossing)
            turns += (d * e < 0) & ((abs(d) >= least_turn) | (abs(e) >= least_turn))
    own[3] = turns
    for i in range(n - 2 if n > 2 else 0, n):
        a, b = x[i], x[i + 1]
        d, e = b - a, x[i + 2] - b
        size += abs(a)
        own[0], own[1], own[2] = size, step, crossings
        step += abs(d)
        crossings += (a * b < 0) & (abs(d) >= least_crossing)
        turns += (d * e < 0) & ((abs(d) >= least_turn) | (abs(e) >= least_turn))
    own[4], own[5], own[6], own[7] = size, step, crossings, turns


@kernel(*SUM_TYPES, freely=True)
def _pass_0(memory, shape, block, done, slots, limits, inner, joined):  # type: ignore[no-untyped-def]
    x, own = np.empty(block + 2), np.empty(8)
    for s in range(shape[0]):
        for c in range(shape[1]):
            for b in range(done, inner.shape[3]):
                read(memory, shape, s, c, b * block, x)
                _four(x, limits[2, c], limits[3, c], own)
                for q in range(4):
                    if slots[q] >= 0:
                        inner[slots[q], s, c, b] = own[q]
                        joined[slots[q], s, c, b] = own[4 + q]


@njit(nogil=True)
def _terms_1(q, x, d, limit, t):  # type: ignore[no-untyped-def]
    """Fill ``t`` with the terms of the sum, and return how far they reach."""
    n = len(t)
    if q == 0:
        for i in range(n):
            t[i] = x[i]
    elif q == 1:
        for i in range(n):
            t[i] = x[i] * x[i]
    elif q == 2:
        for i in range(n):
            t[i] = d[i] * d[i]
    elif q == 3:
        for i in range(n):
            t[i] = abs(d[i]) > limit
    else:
        for i in range(n):
            t[i] = abs(x[i]) > limit
    return 1 if q in (2, 3) else 0


@kernel(*SUM_TYPES)
def _pass_1(memory, shape, block, done, slots, limits, inner, joined):  # type: ignore[no-untyped-def]
    n_blocks = inner.shape[3]
    per = at_once(block, n_blocks - done)
    x, d, t = np.empty(per * block + 2), np.empty(per * block + 1), np.empty(per * block)
    for s in range(shape[0]):
        for c in range(shape[1]):
            for first in range(done, n_blocks, per):
                read(memory, shape, s, c, first * block, x)
                steps(x, d)
                last = min(first + per, n_blocks)
                for q in range(len(slots)):
                    if slots[q] >= 0:
                        reach = _terms_1(q, x, d, limits[q, c], t)
                        at = inner[slots[q], s, c], joined[slots[q], s, c]
                        add_blocks(t, block, reach, at[0][first:last], at[1][first:last])


@njit(nogil=True)
def _terms_2(q, x, d, t):  # type: ignore[no-untyped-def]
    n = len(t)
    if q == 0:
        for i in range(n):
            t[i] = x[i] * x[i] * x[i]
    elif q == 1:
        for i in range(n):
            t[i] = (x[i] * x[i]) * (x[i] * x[i])
    elif q == 2:
        for i in range(n):
            t[i] = (x[i] * x[i]) * (x[i] * x[i]) * x[i]
    elif q == 3:
        for i in range(n):
            t[i] = x[i + 1] * x[i + 1] - x[i] * x[i + 2]
    elif q == 4:
        for i in range(n):
            t[i] = abs(x[i + 1] * x[i + 1] - x[i] * x[i + 2])
    elif q == 5:
        for i in range(n):
            t[i] = abs(d[i + 1] - d[i])
    elif q == 6:
        for i in range(n):
            t[i] = (d[i + 1] - d[i]) * (d[i + 1] - d[i])
    elif q == 7:
        for i in range(n):
            t[i] = np.sqrt(max(x[i], 0.0))
    else:
        for i in range(n):
            t[i] = np.sqrt(max(-x[i], 0.0))
    return 2 if 3 <= q <= 6 else 0


@kernel(*SUM_TYPES)
def _pass_2(memory, shape, block, done, slots, limits, inner, joined):  # type: ignore[no-untyped-def]
    n_blocks = inner.shape[3]
    per = at_once(block, n_blocks - done)
    x, d, t = np.empty(per * block + 2), np.empty(per * block + 1), np.empty(per * block)
    for s in range(shape[0]):
        for c in range(shape[1]):
            for first in range(done, n_blocks, per):
                read(memory, shape, s, c, first * block, x)
                steps(x, d)
                last = min(first + per, n_blocks)
                for q in range(len(slots)):
                    if slots[q] >= 0:
                        reach = _terms_2(q, x, d, t)
                        at = inner[slots[q], s, c], joined[slots[q], s, c]
                        add_blocks(t, block, reach, at[0][first:last], at[1][first:last])


@kernel(
    types.float64[:, :, :, ::1],
    types.float64[:, :, :, ::1],
    types.int64,
    types.int64,
    types.int64,
    types.int64,
    types.float64[::1],
    types.float64[:, :, :],
)
def _fold(inner, joined, n_each, per_window, hop, shift, divisors, out):  # type: ignore[no-untyped-def]
    """Add the blocks of each window, from its first to its last, and divide the sums.

    Then move the blocks down by ``shift``, for the window that comes next.
    """
    for q in range(inner.shape[0]):
        for s in range(inner.shape[1]):
            for c in range(inner.shape[2]):
                for w in range(n_each):
                    total, last = 0.0, w * hop + per_window - 1
                    for b in range(w * hop, last):
                        total += joined[q, s, c, b]
                    total += inner[q, s, c, last]
                    out[q, s * n_each + w, c] = total / divisors[q]
                for b in range(shift, inner.shape[3] if shift > 0 else 0):
                    joined[q, s, c, b - shift] = joined[q, s, c, b]
