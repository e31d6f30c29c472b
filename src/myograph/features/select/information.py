"""Mutual information of binned columns: how much a column says, and what two say twice."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.features.select.base import SELECTIONS, Sample, Selector, n_kept

__all__ = ["MRMR", "MutualInformation", "binned", "mutual_information"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]


@SELECTIONS.register("mutual-information")
class MutualInformation(Selector):
    """Keep the columns that each say most about the target, in bits of mutual information.

    A column is cut into bins of equal counts, so that no transformation that keeps its order
    changes the answer, and the bias of counting is taken off (miller1955).

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them.
    n_bins : int
        Bins per column, and of the target when it is a number.
    """

    def __init__(self, *, keep: float = 0.5, n_bins: int = 16) -> None:
        self.keep = keep
        self.n_bins = n_bins

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        count = n_kept(self.keep, sample.X.shape[1])
        bins, target = _binned_sample(sample, self.n_bins)
        scores = np.array([mutual_information(column, target) for column in bins.T])
        return best(scores, count), scores


@SELECTIONS.register("mrmr")
class MRMR(Selector):
    """Keep columns that say much about the target and little that is said already (peng2005).

    One after the other, the column with the largest difference of its mutual information with the
    target and the mean of that with the columns already chosen. The score is that difference at
    the moment of choosing, and at the end for those left out.

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them.
    n_bins : int
        Bins of equal counts, see `MutualInformation`.
    """

    def __init__(self, *, keep: float = 0.5, n_bins: int = 16) -> None:
        self.keep = keep
        self.n_bins = n_bins

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        count = n_kept(self.keep, sample.X.shape[1])
        bins, target = _binned_sample(sample, self.n_bins)
        relevance = np.array([mutual_information(column, target) for column in bins.T])
        repeated = np.zeros(len(relevance))
        scores = relevance.copy()
        left = np.ones(len(relevance), dtype=np.bool_)
        chosen: list[int] = []
        while True:
            newest = int(np.argmax(np.where(left, scores, -np.inf)))
            chosen.append(newest)
            left[newest] = False
            if len(chosen) == count:
                return np.array(chosen, dtype=np.intp), scores
            for k in np.flatnonzero(left):
                repeated[k] += mutual_information(bins[:, k], bins[:, newest])
            scores[left] = relevance[left] - repeated[left] / len(chosen)


def best(scores: Matrix, count: int) -> Rows:
    """Return the ``count`` columns with the highest scores; the earlier one of two equal ones."""
    order: Rows = np.argsort(-scores, kind="stable")[:count]
    return order


def binned(column: Matrix, n_bins: int) -> Rows:
    """Return the bin of every value; bins hold equal counts as far as equal values allow.

    Examples
    --------
    >>> import numpy as np
    >>> binned(np.array([5.0, 1.0, 9.0, 2.0]), 2).tolist()
    [1, 0, 1, 0]
    """
    edges = np.unique(np.quantile(column, np.arange(1, n_bins) / n_bins))
    return np.searchsorted(edges, column, side="left").astype(np.intp)


def mutual_information(one: Rows, other: Rows) -> float:
    r"""Return the mutual information of two codings, in bits, with the bias of counting taken off.

    :math:`H(a) + H(b) - H(a, b)`, each entropy by Miller's correction: (cells in use - 1) / 2n
    nats more than that of the observed frequencies. Never below 0.

    Parameters
    ----------
    one, other : ndarray of int, shape (n_rows,)
        Codes from 0.

    References
    ----------
    miller1955

    Examples
    --------
    >>> import numpy as np
    >>> side = np.arange(1024) % 2
    >>> round(mutual_information(side, side), 2), mutual_information(side, np.zeros(1024, int))
    (1.0, 0.0)
    """
    width = int(other.max()) + 1
    joint = np.bincount(one * width + other, minlength=(int(one.max()) + 1) * width)
    table = joint.reshape(-1, width)
    nats = _entropy(table.sum(axis=1)) + _entropy(table.sum(axis=0)) - _entropy(joint)
    return max(nats / math.log(2), 0.0)


def _entropy(counts: NDArray[np.intp]) -> float:
    used = counts[counts > 0]
    n = used.sum()
    share = used / n
    return float(-(share * np.log(share)).sum() + (len(used) - 1) / (2 * n))


def _binned_sample(sample: Sample, n_bins: int) -> tuple[Rows, Rows]:
    n_bins = check_count(n_bins, name="n_bins", least=2)
    bins = np.column_stack([binned(column, n_bins) for column in sample.X.T])
    target = sample.codes if sample.classes else binned(sample.values, n_bins)
    return bins, target
