"""Rejection: from which confidence on an answer of each class is given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError

__all__ = ["Rejection", "class_thresholds"]

Array = NDArray[np.float64]

#: Shares are sums of weights, and equal ones may differ in their last digits.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Rejection:
    """A confidence below which no answer is given, for each class that could be answered.

    Parameters
    ----------
    classes : tuple of str
    thresholds : ndarray, shape (n_classes,)
        Infinite for a class that was never sure enough: it is always refused.
    accuracy : float, optional
        What answers of each class were to reach on the people the thresholds were fitted on.
    coverage : float, optional
        Or the share of each class's answers that were to be given.
    """

    classes: tuple[str, ...]
    thresholds: Array
    accuracy: float | None = None
    coverage: float | None = None

    def refused(self, proba: ArrayLike) -> NDArray[np.bool_]:
        """Return which windows get no answer, shape (n_windows,)."""
        given = np.asarray(proba, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.classes):
            raise DataError(
                f"These thresholds are for {len(self.classes)} classes; got probabilities of "
                f"shape {given.shape}."
            )
        return np.asarray(given.max(axis=1) < self.thresholds[given.argmax(axis=1)])

    @property
    def silent(self) -> tuple[str, ...]:
        """The classes that are never answered."""
        return tuple(
            name for name, t in zip(self.classes, self.thresholds, strict=True) if math.isinf(t)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; an infinite threshold is None."""
        return {
            "classes": list(self.classes),
            "thresholds": [None if math.isinf(t) else float(t) for t in self.thresholds],
            "accuracy": self.accuracy,
            "coverage": self.coverage,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rejection:
        """Rebuild it from what `to_dict` gave."""
        thresholds = [math.inf if t is None else t for t in data["thresholds"]]
        return cls(
            tuple(data["classes"]),
            np.array(thresholds),
            data["accuracy"],
            data.get("coverage"),  # older ones lack it
        )


def class_thresholds(
    proba: Array,
    truth: NDArray[np.intp],
    people: NDArray[np.intp],
    *,
    accuracy: float | None = None,
    coverage: float | None = None,
    least_people: int = 1,
) -> Array:
    """Find, class by class, the lowest confidence from which answers are right often enough.

    Parameters
    ----------
    proba : ndarray, shape (n_windows, n_classes)
        What models said of windows of people they had not seen.
    truth : ndarray of int, shape (n_windows,)
        Number of the true class.
    people : ndarray of int, shape (n_windows,)
        Number of the person; every person's windows weigh 1 together.
    accuracy : float, optional
        Share of right answers wanted among the answers of each class, in (0, 1].
    coverage : float, optional
        Or: share of the answers of each class to be given, in (0, 1].
    least_people : int
        So many people at least must have an answer of the class that reaches the threshold: what
        is right for one person says little about the next.

    Returns
    -------
    ndarray, shape (n_classes,)
        Infinite for a class whose surest answers do not reach the accuracy, or that was never
        answered: nothing is known of it, so it is refused. Equal confidences share their fate.

    Raises
    ------
    ParameterError
        Unless exactly one of ``accuracy`` and ``coverage`` is given, in its range.

    Examples
    --------
    >>> proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    >>> truth, people = np.array([0, 0, 1, 0]), np.arange(4)
    >>> class_thresholds(proba, truth, people, accuracy=0.9).tolist()
    [0.8, inf]
    >>> class_thresholds(proba, truth, people, coverage=0.6).tolist()
    [0.8, 0.7]
    """
    _check_aim(accuracy, coverage)
    weights = 1.0 / np.bincount(people)[people]
    said, confidence = proba.argmax(axis=1), proba.max(axis=1)
    thresholds = np.full(proba.shape[1], math.inf)
    for k in range(proba.shape[1]):
        mine = np.flatnonzero(said == k)
        if not len(mine):
            continue
        order = mine[np.argsort(-confidence[mine], kind="stable")]
        whole = np.cumsum(weights[order])
        # Equal confidences are answered together or not at all.
        last = np.append(np.diff(confidence[order]) != 0, [True])
        if accuracy is not None:
            share = np.cumsum(weights[order] * (truth[order] == k)) / whole
            last &= _people_so_far(people[order]) >= least_people
            enough = np.flatnonzero(last & (share >= accuracy - _ROUNDING))[-1:]
        else:
            share = whole / whole[-1]
            enough = np.flatnonzero(share >= (coverage or 0.0) - _ROUNDING)[:1]
        if len(enough):
            thresholds[k] = confidence[order][enough[0]]
    return thresholds


def _people_so_far(people: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count, for each place, the different people up to and with it."""
    first = np.zeros(len(people), dtype=np.intp)
    first[np.unique(people, return_index=True)[1]] = 1
    return np.cumsum(first)


def _check_aim(accuracy: float | None, coverage: float | None) -> None:
    if (accuracy is None) == (coverage is None):
        raise ParameterError(
            "Thresholds aim at the accuracy of the answers or at the share that is answered; give "
            f"one of them: got accuracy={accuracy!r} and coverage={coverage!r}."
        )
    for name, value in (("accuracy", accuracy), ("coverage", coverage)):
        if value is not None and not 0 < value <= 1:
            raise ParameterError(f"{name} must lie in (0, 1]; got {value!r}.")
