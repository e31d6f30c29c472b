"""How well a novelty gate tells what is strange, on people it has not seen.

The gate itself is in `myograph.models.novelty`, so that a pipeline can carry one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.models.novelty import NoveltyGate, fit_novelty_gate
from myograph.validate.fold import Groups
from myograph.validate.metrics import roc_auc
from myograph.validate.stats import mean_estimate, resample

__all__ = ["NoveltyGate", "NoveltyScore", "fit_novelty_gate", "score_novelty"]


@dataclass(frozen=True, slots=True)
class NoveltyScore:
    """How a gate did on people it has not seen; every person counts alike.

    Parameters
    ----------
    auroc : Estimate
        Chance that a strange window of a person is stranger than a normal one of theirs.
    stopped : Estimate
        Share of strange windows that the gate stops.
    false_alarms : Estimate
        Share of normal windows that it stops.
    """

    auroc: Estimate
    stopped: Estimate
    false_alarms: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name).to_dict() for name in self.__slots__}


def score_novelty(
    distance: ArrayLike,
    strange: ArrayLike,
    people: ArrayLike,
    *,
    limit: ArrayLike,
    seed: int = 0,
) -> NoveltyScore:
    """Score distances of normal and of strange windows of people whom no gate has seen.

    Parameters
    ----------
    distance : array, shape (n_windows,)
        By gates that have not seen the window's person; may be infinite.
    strange : array of bool, shape (n_windows,)
        Which windows should be stopped.
    people : array, shape (n_windows,)
        Who has windows of both kinds.
    limit : array, shape (n_windows,), or float
        Of the gate that measured each window.
    seed : int
        Of the resamples of people behind the intervals.

    Raises
    ------
    DataError
        If a person lacks one kind, a distance is not a number, or the shapes differ.

    Examples
    --------
    >>> far, strange = [0.5, 1.0, 3.0, 0.4, 0.6, 2.0], [False, False, True] * 2
    >>> people = ["a"] * 3 + ["b"] * 3
    >>> score = score_novelty(far, strange, people, limit=2.5)
    >>> score.auroc.value, score.stopped.value, score.false_alarms.value
    (1.0, 0.5, 0.0)
    """
    far = np.asarray(distance, dtype=np.float64)
    odd = np.asarray(strange, dtype=np.bool_)
    groups = Groups.of(people)
    if far.shape != odd.shape or far.ndim != 1 or len(far) != len(groups) or np.isnan(far).any():
        raise DataError(
            "Distances that are numbers, whether each window is strange, and whose it is are "
            f"needed in equal number; got {far.shape}, {odd.shape} and {len(groups)}."
        )
    stopped = far > np.broadcast_to(np.asarray(limit, dtype=np.float64), far.shape)
    rows = np.array([_of_person(far, odd, stopped, groups, k) for k in range(len(groups.names))])
    counts = resample(len(rows), seed=seed)
    auroc, caught, alarms = (_mean(column, counts) for column in rows.T)
    return NoveltyScore(auroc, caught, alarms)


def _mean(of_people: NDArray[np.float64], counts: NDArray[np.float64]) -> Estimate:
    found = mean_estimate(of_people, counts, evidence="person", bounds=(0.0, 1.0))
    if found is None:
        raise DataError("No person has a score that is a number.")
    return found


def _of_person(
    far: NDArray[np.float64],
    odd: NDArray[np.bool_],
    stopped: NDArray[np.bool_],
    groups: Groups,
    code: int,
) -> tuple[float, float, float]:
    mine = groups.codes == code
    kinds = odd[mine]
    if kinds.all() or not kinds.any():
        raise DataError(
            f"Person {groups.names[code]!r} has windows of one kind only; normal and strange ones "
            "of the same person are compared."
        )
    # Ranks say the same and are finite.
    ranks = np.unique(far[mine], return_inverse=True)[1].astype(np.float64)
    area = roc_auc(kinds.astype(np.intp), np.column_stack([-ranks, ranks]))[1]
    return float(area), float(stopped[mine][kinds].mean()), float(stopped[mine][~kinds].mean())
