"""The spectrum of every window, compiled, and what is measured on it: one transform serves all.

Eight windows at a time pass a mixed-radix transform (stockham1966) whose lanes are windows, in
float64. An even window of n samples is a complex one of n / 2. Lengths with other prime factors
than 2, 3 and 5 are left to `myograph.signal.spectrum`.

The spectrum of a window is the mean of those of its pieces: one piece for a periodogram, several
segments for Welch's method, several tapers for a multitaper estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.butterflies import transform
from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.lanes import (
    LANES,
    conjugate,
    last,
    load,
    meet,
    running,
    scale_halves,
    store,
    turn,
    twist,
)
from myograph.features.kernels.logarithm import logarithms
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, overlap

__all__ = ["KINDS", "Asked", "ask", "factors", "spectral_measures"]

#: What can be asked of a band of the spectrum: a weighted sum of the power in it, the place that
#: halves the power, the place of the highest bin, the sums of P ln P and of ln P (-inf where a bin
#: is empty).
KINDS = ("weighted", "half", "highest", "p-log-p", "log-p")

# Windows that share one reading of the samples.
_RUN = 16
_LANES = LANES // 2

Values = NDArray[np.float64]


@lru_cache(maxsize=32)
def factors(length: int) -> tuple[int, ...]:
    """Return the radices of a transform, or none when it has other factors than 2, 3 and 5."""
    found, rest = [], length
    for radix in (4, 2, 3, 5):
        while rest % radix == 0:
            found.append(radix)
            rest //= radix
    return tuple(found) if rest == 1 else ()


class Asked(NamedTuple):
    """What is asked of every spectrum, as `ask` puts it: kinds and ranges, weights, their span."""

    kinds: NDArray[np.int64]
    weights: Values
    band: NDArray[np.int64]


def ask(requests: Sequence[tuple[str, int, int, Values]], *, length: int) -> Asked:
    """Put requests in the form that the kernel takes.

    Parameters
    ----------
    requests : sequence of (kind, first, stop, weights)
        One of `KINDS`, a range of bins, and for ``"weighted"`` one weight per bin of the range.
    length : int
        Of the pieces that are transformed.
    """
    kinds = np.array([(KINDS.index(kind), first, stop) for kind, first, stop, _ in requests])
    weights = np.zeros((len(requests), length // 2 + 1))
    for row, (_, first, stop, given) in zip(weights, requests, strict=True):
        row[first:stop] = given if len(given) else 0.0
    return Asked(kinds, weights, np.array([kinds[:, 1].min(), kinds[:, 2].max()]))


def spectral_measures(
    windows: Rows, starts: NDArray[np.int64], tapers: Values, asked: Asked
) -> list[Values]:
    """Measure the spectra of windows.

    Parameters
    ----------
    windows : Rows
    starts : ndarray of int64, shape (n_pieces,)
        First sample of each piece that is transformed.
    tapers : ndarray, shape (n_pieces, length)
        Weights, scaled so that the squared magnitude of the transform is the density of power.
        For the length, `factors` must be known.
    asked : Asked

    Returns
    -------
    list of ndarray, shape (n_windows, n_channels)
        In the order asked. Places are in bins from the first of the range.
    """
    (memory, whole), n_each, step = overlap(windows)
    radices, twiddles, turns = _plan(tapers.shape[1])
    n_windows, n_channels, n = windows[1][:3].tolist()
    grid = np.array([n_each, step, min(_RUN, n_each), n])
    kinds, weights, band = asked
    out = np.empty((len(kinds), n_windows, n_channels))
    _spectra(
        memory, whole, grid, starts, tapers, radices, twiddles, turns, band,
        kinds, weights, out,
    )  # fmt: skip
    return list(out)


@lru_cache(maxsize=32)
def _plan(length: int) -> tuple[NDArray[np.int64], Values, Values]:
    """Return radices, the factors between the passes, and those that untangle a real signal."""
    inner = length // 2 if length % 2 == 0 else length
    radices, twiddles, rest = factors(inner), [], inner
    for radix in radices:
        rest //= radix
        angles = -2 * np.pi * np.outer(np.arange(rest), np.arange(radix)) / (rest * radix)
        twiddles.append(np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(-1, 2))
    angles = -2 * np.pi * np.arange(length // 2 + 1) / length
    joined = np.concatenate(twiddles) if twiddles else np.ones((1, 2))
    return (
        np.array(radices, dtype=np.int64),
        np.ascontiguousarray(joined),
        np.stack([np.cos(angles), np.sin(angles)], axis=-1),
    )


@njit(nogil=True)
def _means(samples, start, n, scratch):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Return the first sample and the mean above it of each lane, in both halves."""
    for lane in range(_LANES):
        scratch[lane] = scratch[_LANES + lane] = samples[start * _LANES + lane]
    origin = load(scratch, 0)
    total = origin - origin
    for i in range(start, start + n - 1, 2):
        total = total + (load(samples, i * _LANES) - origin)
    store(scratch, LANES, total)
    for lane in range(_LANES):
        mean = scratch[LANES + lane] + scratch[LANES + _LANES + lane]
        if n % 2:
            mean += samples[(start + n - 1) * _LANES + lane] - scratch[lane]
        scratch[LANES + lane] = scratch[LANES + _LANES + lane] = mean / n


@njit(nogil=True)
def _taper(samples, start, taper, scratch, work):  # type: ignore[no-untyped-def]
    """Take the mean off a piece, weight it, and lay it out as complex numbers."""
    n = len(taper)
    _means(samples, start, n, scratch)
    # The first sample is taken off first, so that a flat piece becomes exactly 0.
    origin, mean = load(scratch, 0), load(scratch, LANES)
    if n % 2 == 0:  # even samples are the real parts, odd ones the imaginary parts
        for i in range(0, n, 2):
            value = load(samples, (start + i) * _LANES) - origin - mean
            store(work, i * _LANES, scale_halves(value, taper[i], taper[i + 1]))
    else:
        for i in range(n):
            value = load(samples, (start + i) * _LANES) - origin - mean
            store(work, i * LANES, scale_halves(value, taper[i], 0.0))


@njit(nogil=True)
def _squared(work, at, k, n, turns):  # type: ignore[no-untyped-def]
    """Return squared real and imaginary parts of bin k, times 4 where n is even."""
    if n % 2:
        z = load(work, at + k * LANES)
        return z * z
    m = n // 2
    z = load(work, at + (k % m) * LANES)
    mirrored = conjugate(load(work, at + ((m - k) % m) * LANES))
    z = (z + mirrored) + twist(turn(z - mirrored), turns[k, 0], turns[k, 1])
    return z * z


@njit(nogil=True)
def _add_power(work, at, n, turns, band, share, power):  # type: ignore[no-untyped-def]
    """Add the one-sided power of the transform of a real signal of n samples, bins in pairs."""
    share = share if n % 2 else 0.25 * share
    n_bins = n // 2 + 1
    for k in range(band[0], band[1], 2):
        follows = min(k + 1, n_bins - 1)
        first, second = _squared(work, at, k, n, turns), _squared(work, at, follows, n, turns)
        # The bins at 0 and at the Nyquist frequency have no mirror image.
        here = share if k == 0 or 2 * k == n else 2.0 * share
        there = share if 2 * follows == n else 2.0 * share
        added = scale_halves(meet(first, second), here, there)
        store(power, k * _LANES, load(power, k * _LANES) + added)


@njit(nogil=True)
def _weighted(power, first, stop, weights, result):  # type: ignore[no-untyped-def]
    total = load(power, 0)
    total = total - total
    for k in range(first, stop, 2):
        pair = load(power, k * _LANES)
        high = weights[k + 1] if k + 1 < stop else 0.0
        total = total + scale_halves(pair, weights[k], high)
    store(result, 0, running(total))
    for lane in range(_LANES):
        result[lane] = result[_LANES + lane]


@njit(nogil=True)
def _half(power, below, first, stop, result):  # type: ignore[no-untyped-def]
    """Find where half of the power lies below, each bin's power spread over its width."""
    total = load(power, first * _LANES)
    total = total - total
    for k in range(first, stop, 2):  # below[k]: the power of the bins up to k
        total = total + running(load(power, k * _LANES))
        store(below, k * _LANES, total)
        total = last(total)
    for lane in range(_LANES):
        half = 0.5 * below[(stop - 1) * _LANES + lane]
        low, high = first, stop - 1  # the first bin whose power takes the sum to half
        while low < high:
            middle = (low + high) // 2
            if below[middle * _LANES + lane] < half:
                low = middle + 1
            else:
                high = middle
        before = below[(low - 1) * _LANES + lane] if low > first else 0.0
        here = below[low * _LANES + lane] - before
        result[lane] = low - first - 0.5 + (half - before) / here if here > 0 else 0.0


@njit(nogil=True)
def _highest(power, first, stop, result):  # type: ignore[no-untyped-def]
    for lane in range(_LANES):
        best = first
        for k in range(first, stop):
            if power[k * _LANES + lane] > power[best * _LANES + lane]:
                best = k
        result[lane] = best - first


@njit(nogil=True)
def _logarithmic(power, logs, first, stop, times_power, result):  # type: ignore[no-untyped-def]
    logs = logs[first * _LANES : stop * _LANES]
    band = power[first * _LANES : stop * _LANES]
    for i in range(len(logs)):
        logs[i] = band[i]
    logarithms(logs)
    for lane in range(_LANES):
        result[lane] = 0.0
    if times_power:
        for i in range(len(logs)):
            logs[i] = logs[i] * band[i] if band[i] > 0 else 0.0
    for k in range(stop - first):
        for lane in range(_LANES):
            result[lane] += logs[k * _LANES + lane]


@njit(nogil=True)
def _measure(power, logs, kind, weights, result):  # type: ignore[no-untyped-def]
    first, stop = kind[1], kind[2]
    if kind[0] == 0:
        _weighted(power, first, stop, weights, result)
    elif kind[0] == 1:
        _half(power, logs, first, stop, result)
    elif kind[0] == 2:
        _highest(power, first, stop, result)
    else:
        _logarithmic(power, logs, first, stop, kind[0] == 3, result)


@njit(nogil=True)
def _read(memory, shape, grid, task, samples, places):  # type: ignore[no-untyped-def]
    """Lay eight runs of windows side by side; ``places`` says where each one's results belong."""
    n_each, step, run, n = grid
    n_runs = (n_each + run - 1) // run
    n_tasks = shape[0] * shape[1] * n_runs
    most = 0
    for lane in range(_LANES):
        places[lane, 2] = 0
        if task + lane >= n_tasks:
            continue
        row, piece = divmod(task + lane, n_runs)
        s, c = divmod(row, shape[1])
        places[lane, 0], places[lane, 1] = s * n_each + piece * run, c
        places[lane, 2] = min(run, n_each - piece * run)
        start = s * shape[3] + c * shape[4] + piece * run * step
        stretch = memory[start : start + (places[lane, 2] - 1) * step + n]
        for i in range(len(stretch)):
            samples[i * _LANES + lane] = stretch[i]
        most = max(most, places[lane, 2])
    return most


@kernel(
    MEMORY,
    SHAPE,
    types.int64[::1],
    types.int64[::1],
    types.float64[:, ::1],
    types.int64[::1],
    types.float64[:, ::1],
    types.float64[:, ::1],
    types.int64[::1],
    types.int64[:, ::1],
    types.float64[:, ::1],
    types.float64[:, :, ::1],
)
def _spectra(  # type: ignore[no-untyped-def]
    memory, shape, grid, starts, tapers, radices, twiddles, turns, band, kinds, weights, out
):
    n_each, step, run, n = grid
    n_runs = (n_each + run - 1) // run
    length = tapers.shape[1]
    size = (length // 2 if length % 2 == 0 else length) * LANES
    samples, work = np.zeros(((run - 1) * step + n + 1) * _LANES), np.zeros(2 * size)
    power, logs = np.zeros((len(turns) + 1) * _LANES), np.zeros((len(turns) + 1) * _LANES)
    result, scratch = np.empty(LANES), np.empty(2 * LANES)
    places = np.empty((_LANES, 3), dtype=np.int64)
    for task in range(0, shape[0] * shape[1] * n_runs, _LANES):
        most = _read(memory, shape, grid, task, samples, places)
        for w in range(most):
            for i in range(len(power)):
                power[i] = 0.0
            for piece in range(len(starts)):
                _taper(samples, w * step + starts[piece], tapers[piece], scratch, work)
                at = transform(work, size, radices, twiddles)
                _add_power(work, at, length, turns, band, 1.0 / len(starts), power)
            for q in range(len(kinds)):
                _measure(power, logs, kinds[q], weights[q], result)
                for lane in range(_LANES):
                    if w < places[lane, 2]:
                        out[q, places[lane, 0] + w, places[lane, 1]] = result[lane]
