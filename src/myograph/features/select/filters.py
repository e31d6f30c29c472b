"""Columns judged one by one: by the variance between classes, and by their neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from myograph.core.checks import check_count
from myograph.features.select.base import SELECTIONS, Sample, Selector, constant_columns, n_kept
from myograph.features.select.information import best

__all__ = ["Anova", "ReliefF", "f_ratio"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]


@SELECTIONS.register("anova")
class Anova(Selector):
    """Keep the columns with the largest F ratio of the variance between and within the classes.

    For a number to estimate it is the F ratio of a straight line through it. The ratio is a score
    and no test: windows overlap, so its p value would mean nothing.

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them.

    References
    ----------
    fisher1936

    Examples
    --------
    >>> X = [[0.0, 5.0], [0.1, 1.0], [1.0, 4.0], [1.1, 2.0]]
    >>> Anova(keep=1).fit(X, ["a", "a", "b", "b"]).support_.tolist()
    [True, False]
    """

    def __init__(self, *, keep: float = 0.5) -> None:
        self.keep = keep

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        scores = f_ratio(sample)
        return best(scores, n_kept(self.keep, len(scores))), scores


def f_ratio(sample: Sample) -> Matrix:
    """Return the F ratio of every column; 0 for one that never varies.

    Examples
    --------
    >>> import numpy as np
    >>> none = np.empty(0)
    >>> X = np.array([[0.0], [2.0], [4.0], [6.0]])
    >>> f_ratio(Sample(X, np.array([0, 0, 1, 1]), none, np.zeros(4, int), None)).tolist()
    [8.0]
    """
    X = sample.X - sample.X.mean(axis=0)
    total = (X**2).sum(axis=0)
    if sample.classes:
        sizes = np.bincount(sample.codes)
        sums = np.zeros((len(sizes), X.shape[1]))
        np.add.at(sums, sample.codes, X)
        explained = (sums**2 / sizes[:, None]).sum(axis=0)
        degrees = (len(sizes) - 1, len(X) - len(sizes))
    else:
        y = sample.values - sample.values.mean()
        power = (y**2).sum()
        explained = (X * y[:, None]).sum(axis=0) ** 2 / power if power > 0 else 0 * total
        degrees = (1, len(X) - 2)
    varies = ~constant_columns(sample.X)  # rounding alone says nothing
    rest = np.where(varies, np.maximum(total - explained, 1e-15 * total), 1.0)
    ratio = (explained / max(degrees[0], 1)) / (rest / max(degrees[1], 1))
    return np.where(varies, ratio, 0.0)


@SELECTIONS.register("relieff")
class ReliefF(Selector):
    """Keep columns in which near windows of one class agree and of others differ (kononenko1994).

    For every window its nearest neighbours of each class are found by all columns together
    (city-block distance, columns scaled to their range). A column gains by how much the window
    differs in it from neighbours of the other classes, weighted by how frequent those are, and
    loses by how much it differs from those of its own. So columns that only work together are
    found. For a number to estimate it is RReliefF (robnik2003).

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them.
    n_neighbours : int
    max_windows : int
        Learn from at most so many windows, spread evenly: time grows with their square.
    """

    def __init__(
        self, *, keep: float = 0.5, n_neighbours: int = 10, max_windows: int = 2000
    ) -> None:
        self.keep = keep
        self.n_neighbours = n_neighbours
        self.max_windows = max_windows

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        count = n_kept(self.keep, sample.X.shape[1])
        k = check_count(self.n_neighbours, name="n_neighbours")
        few = self._thinned(sample, self.max_windows)
        lowest = few.X.min(axis=0)
        extent = few.X.max(axis=0) - lowest
        scaled = (few.X - lowest) / np.where(extent > 0, extent, 1.0)
        distance = cdist(scaled, scaled, "cityblock")
        np.fill_diagonal(distance, np.inf)
        if few.classes:
            scores = _by_classes(scaled, few.codes, distance, k)
        else:
            scores = _by_numbers(scaled, few.values, distance, k)
        return best(scores, count), scores


def _by_classes(scaled: Matrix, codes: Rows, distance: Matrix, k: int) -> Matrix:
    share = np.bincount(codes) / len(codes)
    scores = np.zeros(scaled.shape[1])
    for label in range(len(share)):
        members = np.flatnonzero(codes == label)
        asked = np.arange(len(codes))
        if len(members) == 1:  # it has no other of its class to agree with
            asked = np.setdiff1d(asked, members)
        near = _nearest(distance[np.ix_(asked, members)], min(k, len(members) - 1))
        gap = np.abs(scaled[asked, None] - scaled[members[near]]).mean(axis=1)
        same = codes[asked] == label
        weight = np.where(same, -1.0, share[label] / (1 - share[codes[asked]] + 1e-300))
        scores += weight @ gap
    return scores / len(codes)


def _by_numbers(scaled: Matrix, values: Matrix, distance: Matrix, k: int) -> Matrix:
    extent = np.ptp(values) or 1.0
    near = _nearest(distance, min(k, len(values) - 1))
    other_value = np.abs(values[:, None] - values[near]) / extent
    other = np.abs(scaled[:, None] - scaled[near])
    n = other_value.size
    both = (other * other_value[..., None]).sum(axis=(0, 1))
    value, column = other_value.sum(), other.sum(axis=(0, 1))
    if value <= 0 or value >= n:
        return np.zeros(scaled.shape[1])
    scores: Matrix = both / value - (column - both) / (n - value)
    return scores


def _nearest(distance: Matrix, k: int) -> Rows:
    """Return the positions of the ``k`` smallest of every row, fewer when there are fewer."""
    k = max(1, min(k, distance.shape[1]))
    return np.argsort(distance, axis=1, kind="stable")[:, :k]
