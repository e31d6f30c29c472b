"""Novelty gate: whether a window is like anything the model was trained on.

The Mahalanobis distance to the training people, or to the nearest of their classes (lee2018). The
limit is set by what training people look like to a gate that has not seen them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.validate.conformal import person_quantile
from myograph.validate.fold import Groups

__all__ = ["NoveltyGate", "fit_novelty_gate"]

Array = NDArray[np.float64]

#: How much of the spread is taken to be independent, so that it can always be inverted.
_SHRINKAGE = 0.01


@dataclass(frozen=True, eq=False)
class NoveltyGate:
    """Distances to what is known, and a limit.

    Parameters
    ----------
    centres : ndarray, shape (n_centres, n_features)
        Of everything, or of each class.
    spread : ndarray, shape (n_features, n_features)
        Covariance around the centres; every person counts alike.
    limit : float
        Greatest distance that passes. Infinite when there are too few people to set one.
    false_alarms : float
        Share of a new person's windows that the limit was set to stop.
    people : int
    """

    centres: Array
    spread: Array
    limit: float
    false_alarms: float
    people: int

    def distance(self, values: ArrayLike) -> Array:
        """Return the distance of each row to the nearest centre, in standard deviations.

        Parameters
        ----------
        values : array, shape (n_windows, n_features)
            A row that is not finite is infinitely far.

        Returns
        -------
        ndarray, shape (n_windows,)
        """
        given = np.asarray(values, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != self.centres.shape[1]:
            raise DataError(
                f"This gate knows {self.centres.shape[1]} features; got values of shape "
                f"{given.shape}."
            )
        return _distance(given, self.centres, self.spread)

    def stops(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return which rows are too far from anything known, shape (n_windows,)."""
        return np.asarray(self.distance(values) > self.limit)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; an infinite limit is None."""
        return {
            "centres": self.centres.tolist(),
            "spread": self.spread.tolist(),
            "limit": self.limit if np.isfinite(self.limit) else None,
            "false_alarms": self.false_alarms,
            "people": self.people,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NoveltyGate:
        """Rebuild it from what `to_dict` gave."""
        limit = np.inf if data["limit"] is None else data["limit"]
        centres, spread = np.array(data["centres"]), np.array(data["spread"])
        return cls(centres, spread, limit, data["false_alarms"], data["people"])


def fit_novelty_gate(
    values: ArrayLike,
    people: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    false_alarms: float = 0.05,
) -> NoveltyGate:
    """Learn what is known, and how far a new person's windows usually are from it.

    Each person is measured by a gate fitted without them, so the limit is about people it has not
    seen: at most ``false_alarms`` of a new person's windows are stopped, on average over people,
    nearly (the gates that set the limit have seen one person fewer).

    Parameters
    ----------
    values : array, shape (n_windows, n_features)
        Finite. Features with long tails are better given as logarithms.
    people : array, shape (n_windows,)
    labels : array, shape (n_windows,), optional
        With them, the distance is to the nearest class.
    false_alarms : float
        In (0, 1).

    Raises
    ------
    DataError
        With fewer than 2 people, or values that are not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = np.repeat(np.arange(30), 20)
    >>> gate = fit_novelty_gate(rng.standard_normal((600, 3)), people)
    >>> gate.stops([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]).tolist()
    [False, True]
    """
    given = np.asarray(values, dtype=np.float64)
    groups = Groups.of(people)
    if given.ndim != 2 or len(given) != len(groups) or not np.isfinite(given).all():
        raise DataError(
            f"A novelty gate needs finite values, one row per window and a person for each; got "
            f"shape {given.shape} and {len(groups)} people."
        )
    if not 0 < false_alarms < 1:
        raise ParameterError(f"false_alarms must lie in (0, 1); got {false_alarms!r}.")
    n = len(groups.names)
    if n < 2:
        raise DataError("A novelty gate needs at least 2 people to know how people differ; got 1.")
    kinds = np.zeros(len(given), dtype=np.intp)
    if labels is not None:
        kinds = np.unique(np.asarray(labels, dtype=np.str_), return_inverse=True)[1]
    sums = _Sums.of(given, groups.codes, kinds)
    far = np.empty(len(given))
    for code in range(n):
        mine = groups.codes == code
        far[mine] = _distance(given[mine], *sums.known(without=code))
    limit = person_quantile(far, groups.codes, miscoverage=false_alarms)
    return NoveltyGate(*sums.known(), limit, false_alarms, n)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weight, sum and sum of products of each person in each class; a person weighs 1."""

    weight: Array
    first: Array
    second: Array

    @classmethod
    def of(cls, values: Array, codes: NDArray[np.intp], kinds: NDArray[np.intp]) -> _Sums:
        n, n_kinds, width = int(codes.max()) + 1, int(kinds.max()) + 1, values.shape[1]
        weight = np.zeros((n, n_kinds))
        first, second = np.zeros((n, n_kinds, width)), np.zeros((n, width, width))
        for code in range(n):
            mine = codes == code
            rows = values[mine]
            second[code] = rows.T @ rows / len(rows)
            np.add.at(weight[code], kinds[mine], 1 / len(rows))
            np.add.at(first[code], kinds[mine], rows / len(rows))
        return cls(weight, first, second)

    def known(self, *, without: int | None = None) -> tuple[Array, Array]:
        """Return centres and spread of everybody, or of everybody else."""
        kept = np.arange(len(self.weight)) != (-1 if without is None else without)
        weight, first = self.weight[kept].sum(axis=0), self.first[kept].sum(axis=0)
        shown = weight > 0
        weight, first = weight[shown], first[shown]
        centres = first / weight[:, None]
        spread = (self.second[kept].sum(axis=0) - centres.T @ first) / weight.sum()
        scale = np.diag(spread).copy()
        scale[scale <= 0] = max(float(scale.max()), 1.0)
        return centres, (1 - _SHRINKAGE) * spread + _SHRINKAGE * np.diag(scale)


def _distance(values: Array, centres: Array, spread: Array) -> Array:
    finite = np.isfinite(values).all(axis=1)
    root = np.linalg.cholesky(spread)
    away = values[finite][:, None] - centres
    flat = np.linalg.solve(root, away.reshape(-1, values.shape[1]).T)
    squared = (flat**2).sum(axis=0).reshape(-1, len(centres)).min(axis=1)
    distance = np.full(len(values), np.inf)
    distance[finite] = np.sqrt(squared)
    return distance
