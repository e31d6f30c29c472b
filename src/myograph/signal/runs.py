"""Masks and the stretches in them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["join_runs", "long_runs", "runs_of", "widen"]


def runs_of(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return first and one past the last sample of every run of True, shape (n_runs, 2).

    Examples
    --------
    >>> runs_of(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return edges.reshape(-1, 2)


def long_runs(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Keep the runs of at least ``least``."""
    kept = np.zeros(len(mask), dtype=np.bool_)
    for first, last in runs_of(mask):
        if last - first >= least:
            kept[first:last] = True
    return kept


def join_runs(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Close holes of at most ``most`` between runs."""
    joined = mask.copy()
    runs = runs_of(mask)
    for (_, last), (first, _) in pairwise(runs):
        if first - last <= most:
            joined[last:first] = True
    return joined


def widen(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Extend every run by ``by`` on both sides."""
    wide = mask.copy()
    for first, last in runs_of(mask):
        wide[max(0, first - by) : last + by] = True
    return wide
