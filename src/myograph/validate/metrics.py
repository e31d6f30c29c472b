"""Scores of predictions: pure functions, array in, number out, NaN where nothing is defined.

What a missing class does, everywhere: a class that is neither true nor predicted counts for
nothing; a true class that is never predicted has precision, recall and F1 of 0; a class that is
predicted and never true has precision and F1 of 0 and no recall. Macro means are over what is
defined, and are NaN when nothing is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = [
    "CLASSIFICATION",
    "METRICS",
    "REGRESSION",
    "ClassScores",
    "MetricInfo",
    "average_precision",
    "class_scores",
    "confusion_counts",
    "error_sums",
    "nan_mean",
    "regression_scores",
    "roc_auc",
    "scores_of_sums",
]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a metric's value may be, and which way is better."""

    low: float
    high: float
    higher_is_better: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and greatest possible value."""
        return (self.low, self.high)


CLASSIFICATION = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "pr_auc")
REGRESSION = ("mae", "rmse", "r2")
METRICS: dict[str, MetricInfo] = {
    **{name: MetricInfo(0.0, 1.0) for name in CLASSIFICATION},
    **{f"person_{name}": MetricInfo(0.0, 1.0) for name in CLASSIFICATION},
    "mae": MetricInfo(0.0, math.inf, higher_is_better=False),
    "rmse": MetricInfo(0.0, math.inf, higher_is_better=False),
    "r2": MetricInfo(-math.inf, 1.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """Scores of one confusion matrix, or of a stack of them (leading axes).

    Parameters
    ----------
    accuracy : ndarray, shape (...)
    precision, recall, f1 : ndarray, shape (..., n_classes)
    """

    accuracy: Array
    precision: Array
    recall: Array
    f1: Array

    def macro(self) -> dict[str, Array]:
        """Return each score as one number per matrix; balanced accuracy is the mean recall."""
        recall = nan_mean(self.recall)
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": recall,
            "precision": nan_mean(self.precision),
            "recall": recall,
            "f1": nan_mean(self.f1),
        }


def confusion_counts(truth: Codes, predicted: Codes, n_classes: int) -> NDArray[np.int64]:
    """Count windows by true class (rows) and predicted class (columns).

    Parameters
    ----------
    truth, predicted : ndarray of int, shape (n_windows,)
        Numbers of classes.
    n_classes : int

    Returns
    -------
    ndarray, shape (n_classes, n_classes)

    Examples
    --------
    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def class_scores(confusion: NDArray[np.generic]) -> ClassScores:
    """Score confusion matrices.

    Parameters
    ----------
    confusion : ndarray, shape (..., n_classes, n_classes)
        Counts (weighted counts are fine), true classes in rows.

    Examples
    --------
    >>> float(class_scores(np.array([[1, 1], [0, 2]])).accuracy)
    0.75
    """
    counts = np.asarray(confusion, dtype=np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    true, named = counts.sum(axis=-1), counts.sum(axis=-2)
    # A true class that nobody named has precision 0, not undefined: 0 of at least one.
    precision = _ratio(right, np.where((named == 0) & (true > 0), 1.0, named))
    return ClassScores(
        accuracy=_ratio(right.sum(axis=-1), counts.sum(axis=(-2, -1))),
        precision=precision,
        recall=_ratio(right, true),
        f1=_ratio(2 * right, true + named),
    )


def roc_auc(truth: Codes, scores: Array) -> Array:
    """Return the area under the ROC curve of each class against all others.

    The probability that a window of the class scores above one of another class, ties counting
    one half.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
    scores : ndarray, shape (n_windows, n_classes)

    Returns
    -------
    ndarray, shape (n_classes,)
        NaN for a class that is in no window or in all of them.

    References
    ----------
    hanley1982
    """
    n_classes = scores.shape[1]
    inside = truth[:, None] == np.arange(n_classes)
    n_in = inside.sum(axis=0).astype(np.float64)
    n_out = len(truth) - n_in
    if not len(truth):
        return np.full(n_classes, np.nan)
    ranks = rankdata(scores, axis=0)
    above = (ranks * inside).sum(axis=0) - n_in * (n_in + 1) / 2
    return _ratio(above, n_in * n_out)


def average_precision(truth: Codes, scores: Array) -> Array:
    """Return the area under the precision-recall curve of each class, as average precision.

    The mean, over the windows of the class, of the precision among all windows that score at
    least as high; no interpolation.

    Parameters
    ----------
    truth : ndarray of int, shape (n_windows,)
    scores : ndarray, shape (n_windows, n_classes)

    Returns
    -------
    ndarray, shape (n_classes,)
        NaN for a class that is in no window or in all of them.
    """
    n_windows, n_classes = scores.shape
    areas = np.full(n_classes, np.nan)
    for k in range(n_classes):
        inside = truth == k
        n_in = int(inside.sum())
        if not 0 < n_in < n_windows:
            continue
        descending = np.sort(-scores[:, k])
        mine = np.sort(-scores[inside, k])
        # Both counts run to the end of a tie, so equal scores are taken together.
        named = np.searchsorted(descending, mine, side="right")
        right = np.searchsorted(mine, mine, side="right")
        areas[k] = float((right / named).mean())
    return areas


def error_sums(truth: Array, estimate: Array) -> Array:
    """Return the sums that every regression score follows from; they add over groups.

    Returns
    -------
    ndarray, shape (5,)
        Count, sum of absolute errors, of squared errors, of the truth, of the squared truth.
    """
    error = estimate - truth
    return np.array(
        [len(truth), np.abs(error).sum(), (error**2).sum(), truth.sum(), (truth**2).sum()]
    )


def scores_of_sums(sums: Array) -> dict[str, Array]:
    """Score what `error_sums` gave, summed over groups; leading axes are kept.

    Parameters
    ----------
    sums : ndarray, shape (..., 5)
    """
    n, absolute, squared, total, total_squared = np.moveaxis(np.asarray(sums), -1, 0)
    around = total_squared - _ratio(total**2, n)
    return {
        "mae": _ratio(absolute, n),
        "rmse": np.sqrt(_ratio(squared, n)),
        "r2": 1 - _ratio(squared, np.where(around > 1e-9 * total_squared, around, 0.0)),
    }


def regression_scores(truth: Array, estimate: Array) -> dict[str, float]:
    """Return mean absolute error, root mean squared error and R2.

    Parameters
    ----------
    truth, estimate : ndarray, shape (n_windows,)

    Returns
    -------
    dict
        ``mae`` and ``rmse`` in the unit of the target; ``r2`` = 1 - squared errors / squared
        distances from the mean of the truth, NaN where the truth is constant.
    """
    if not len(truth):
        return dict.fromkeys(REGRESSION, math.nan)
    error = estimate - truth
    around = float(((truth - truth.mean()) ** 2).sum())
    # A spread this small is the rounding of a constant.
    constant = around <= len(truth) * (1e-12 * max(1.0, float(np.abs(truth).max()))) ** 2
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "r2": math.nan if constant else 1 - float((error**2).sum()) / around,
    }


def nan_mean(values: Array) -> Array:
    """Return the mean over the last axis of what is not NaN; NaN where nothing is left."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


def _ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Array:
    parts, wholes = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    return np.divide(parts, wholes, out=np.full(parts.shape, np.nan), where=wholes > 0)
