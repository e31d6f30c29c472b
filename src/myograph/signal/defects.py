"""Defects that a file does not declare: held samples, clipping, flat stretches, lost packets.

Pure detectors, array in, facts out. They say what is there; what follows from it is decided by
whoever reads a file or grades a recording.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError

__all__ = [
    "Hold",
    "clipped",
    "dropped_samples",
    "equal_groups",
    "flat_stretches",
    "hold",
    "quantum",
    "similar_channels",
    "timing",
]

Samples = NDArray[np.floating]

# What counts as evidence for a sample-and-hold; see `hold`.
_CLEAR_STEPS = 3
_ENOUGH_RUNS = 10

# How far, in converter steps, an extreme must lie from the median to be taken for a rail.
_FAR_LSB = 16

# Separate visits to an extreme from which on it may be a rail.
_MANY_VISITS = 8

# Values that suffice to find the smallest step between two of them.
_ENOUGH_VALUES = 1 << 18


@dataclass(frozen=True, slots=True)
class Hold:
    """Whether a signal was stored faster than it was measured, by repeating samples.

    Parameters
    ----------
    repeated : float
        Share of samples in which no channel moved from the sample before.
    factor : float
        Stored samples per measured one; 1 when nothing is held.
    held : bool
        True when the repetition is that of a sample-and-hold, not of a quiet signal.
    """

    repeated: float
    factor: float
    held: bool

    def true_rate_hz(self, fs_hz: float) -> float:
        """Return the rate at which new values arrive in a signal stored at ``fs_hz``."""
        return fs_hz / self.factor


def hold(samples: Samples, *, least: float = 1.5, lsb: NDArray[np.float64] | None = None) -> Hold:
    """Find sample-and-hold upsampling.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
        All channels of one device: it repeats them together.
    least : float
        Stored samples per measured one from which a signal counts as held.
    lsb : ndarray, shape (n_channels,), optional
        What `quantum` gives, if it is known already.

    Notes
    -----
    A quiet signal on a coarse converter repeats values too. So only runs of equal samples that
    begin and end with a clear jump (more than three converter steps) are evidence: a signal that
    is really sampled this fast would have moved on at once. Without ten of them nothing is said.

    Examples
    --------
    >>> measured = np.random.default_rng(0).normal(size=(8, 100))
    >>> hold(np.repeat(measured, 4, axis=1)).factor
    4.0
    """
    lsb = quantum(samples) if lsb is None else lsb
    steps = np.abs(np.diff(samples, axis=1))
    moves = np.flatnonzero((steps > 0).any(axis=0))
    repeated = 1 - len(moves) / max(steps.shape[1], 1)
    clear = np.asarray((steps[:, moves] > _CLEAR_STEPS * lsb[:, None]).any(axis=0))
    runs = np.diff(moves)[clear[:-1] & clear[1:]]
    factor = float(runs.mean()) if len(runs) >= _ENOUGH_RUNS else 1.0
    return Hold(repeated, factor if factor >= least else 1.0, held=factor >= least)


def quantum(samples: Samples) -> NDArray[np.float64]:
    """Return, per channel, the smallest step between two values that occur: the converter's LSB.

    A channel that never changes has none: 0. Long channels are looked at in part.
    """
    steps = np.zeros(len(samples))
    stride = 1 + samples.shape[1] // _ENOUGH_VALUES
    for row, signal in enumerate(samples):
        values = np.unique(signal[::stride]).astype(np.float64)
        if len(values) == 1:
            values = np.unique(signal).astype(np.float64)
        if len(values) > 1:
            steps[row] = np.diff(values).min()
    return steps


def clipped(
    samples: Samples,
    *,
    rails: ArrayLike | None = None,
    lsb: NDArray[np.float64] | None = None,
    min_run: int = 3,
) -> NDArray[np.bool_]:
    """Mark samples at the rail: at least ``min_run`` in a row within one LSB of it.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    rails : array, shape (2,) or (n_channels, 2), optional
        Lowest and highest value that the converter can give. Without it, a channel's own extremes
        are taken for rails where it stays at least twice and where they are far (16 LSB) from its
        median: neither a single peak, nor the quiet of a coarse converter, nor the zero of a
        force sensor is clipping.
    lsb : ndarray, shape (n_channels,), optional
        What `quantum` gives, if it is known already.
    min_run : int
        Shorter runs are peaks, unless they pile up: eight separate visits to one value, and clearly
        fewer to the value before it, are a rail.

    Returns
    -------
    ndarray of bool, shape (n_channels, n_samples)
        A channel that never changes is flat, not clipped.

    Examples
    --------
    >>> wave = np.clip(10 * np.sin(np.arange(0.0, 13.0, 0.1)), -20, 9)[None]
    >>> int(clipped(wave).sum())
    18
    """
    check_count(min_run, name="min_run")
    step = (quantum(samples) if lsb is None else lsb)[:, None]
    if rails is None:
        bounds = np.stack([samples.min(axis=1), samples.max(axis=1)], axis=1)
        far = np.abs(bounds - np.median(samples, axis=1)[:, None]) >= _FAR_LSB * step
    else:
        bounds = np.broadcast_to(np.asarray(rails, dtype=np.float64), (len(samples), 2))
        far = np.ones(bounds.shape, dtype=np.bool_)
    marked = np.zeros(samples.shape, dtype=np.bool_)
    for side, sign in ((0, 1), (1, -1)):
        distance = sign * (samples - bounds[:, side : side + 1])
        at_rail = (distance <= step) & (step > 0)
        marked |= _long_runs(
            at_rail & far[:, side : side + 1], min_run, times=2 if rails is None else 1
        )
        for row in np.flatnonzero(_piles_up(distance, at_rail, step)):
            marked[row] |= distance[row] <= step[row, 0] / 2
    return marked


def _piles_up(
    distance: Samples, at_rail: NDArray[np.bool_], step: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Say which channels come to their extreme often, and rarely just short of it."""
    piled = np.zeros(len(distance), dtype=np.bool_)
    for row in np.flatnonzero(at_rail.any(axis=1)):
        width = max(float(step[row, 0]), 0.002 * float(np.ptp(distance[row])))
        place = np.rint(distance[row] / width)
        rail, before = np.count_nonzero(place == 0), np.count_nonzero(place == 1)
        # Values grow rarer towards an extreme, unless something holds them there.
        more = rail - before > max(0.25 * before, 3 * math.sqrt(before + rail))
        piled[row] = more and _visits(place == 0) >= _MANY_VISITS
    return piled


def _visits(mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(np.diff(mask.view(np.int8), prepend=0) == 1))


def flat_stretches(samples: Samples, *, min_samples: int) -> NDArray[np.bool_]:
    """Mark samples in stretches of at least ``min_samples`` in which a channel does not change.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    min_samples : int
        At least 2.

    Returns
    -------
    ndarray of bool, shape (n_channels, n_samples)
    """
    check_count(min_samples, name="min_samples", least=2)
    same = np.diff(samples, axis=1) == 0
    runs = _long_runs(same, min_samples - 1)
    marked = np.zeros(samples.shape, dtype=np.bool_)
    marked[:, :-1] |= runs
    marked[:, 1:] |= runs
    return marked


def timing(times_s: ArrayLike) -> tuple[float, float]:
    """Return the rate, from the median interval, and the mean rate over the whole, in Hz.

    Where they differ much, samples were lost or the clock is not what the header says.
    """
    times = _times(times_s)
    intervals = np.diff(times)
    return 1 / float(np.median(intervals)), (len(times) - 1) / float(times[-1] - times[0])


def dropped_samples(
    times_s: ArrayLike, *, fs_hz: float, tolerance: float = 0.5
) -> list[tuple[int, int]]:
    """Find samples lost between timestamps.

    Parameters
    ----------
    times_s : array, shape (n_samples,)
        Increasing, seconds.
    fs_hz : float
        Rate at which samples should have come.
    tolerance : float
        By how many sample intervals a step may exceed one before it counts as a loss.

    Returns
    -------
    list of (int, int)
        Number of the last sample before each hole, and how many are missing there.

    Examples
    --------
    >>> dropped_samples([0.0, 0.001, 0.002, 0.006, 0.007], fs_hz=1000)
    [(2, 3)]
    """
    check_positive(fs_hz, name="fs_hz")
    check_positive(tolerance, name="tolerance")
    steps = np.diff(_times(times_s)) * fs_hz
    holes = np.flatnonzero(steps > 1 + tolerance)
    return [(int(i), max(1, round(float(steps[i])) - 1)) for i in holes]


def similar_channels(samples: Samples, *, threshold: float = 0.98) -> list[tuple[int, int, float]]:
    """Find pairs of channels that carry the same signal: bridged electrodes, copied columns.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    threshold : float
        Absolute correlation above which a pair counts.

    Returns
    -------
    list of (int, int, float)
        Rows of each pair and their correlation. Flat channels correlate with nothing.
    """
    centred = samples - samples.mean(axis=1, keepdims=True, dtype=np.float64)
    size = np.linalg.norm(centred, axis=1)
    moving = np.flatnonzero(size > 0)
    unit = centred[moving] / size[moving, None]
    correlation = np.clip(unit @ unit.T, -1, 1)
    pairs = np.argwhere(np.triu(np.abs(correlation) > threshold, k=1))
    return [(int(moving[i]), int(moving[j]), float(correlation[i, j])) for i, j in pairs]


def equal_groups(digests: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Group names whose digests are equal: one recording under several names.

    Examples
    --------
    >>> equal_groups({"a": "1f", "b": "2e", "c": "1f"})
    [('a', 'c')]
    """
    groups: dict[str, list[str]] = {}
    for name, digest in digests.items():
        groups.setdefault(digest, []).append(name)
    return [tuple(names) for names in groups.values() if len(names) > 1]


def _long_runs(mask: NDArray[np.bool_], least: int, *, times: int = 1) -> NDArray[np.bool_]:
    """Keep runs of at least ``least`` True values, in rows that have at least ``times`` of them."""
    kept = np.zeros(mask.shape, dtype=np.bool_)
    for row, values in enumerate(mask):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], values.view(np.int8), [0]))))
        runs = [(first, last) for first, last in edges.reshape(-1, 2) if last - first >= least]
        for first, last in runs if len(runs) >= times else ():
            kept[row, first:last] = True
    return kept


def _times(times_s: ArrayLike) -> NDArray[np.float64]:
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all():
        raise DataError(
            f"Timestamps must be at least 2 finite numbers in a row; got shape {times.shape}."
        )
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        raise DataError(
            f"Timestamps must not run backwards; sample {int(back[0]) + 1} is at "
            f"{times[back[0] + 1]:g} s after {times[back[0]]:g} s."
        )
    return times
