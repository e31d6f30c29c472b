"""Mahalanobis distance to what is normal, or to the nearest of its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.models.detector import DETECTORS, Detector

__all__ = ["Mahalanobis"]

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

#: How much of the spread is taken to be independent, so that it can always be inverted.
SHRINKAGE = 0.01


@DETECTORS.register("mahalanobis")
class Mahalanobis(Detector):
    """Distance to the nearest centre in standard deviations: of everything, or of each class.

    Parameters
    ----------
    logs : bool
        See `Detector`.

    References
    ----------
    lee2018

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> detector = Mahalanobis().fit(rng.standard_normal((500, 2)))
    >>> detector.strangeness([[0.0, 0.0], [3.0, 4.0]]).round().tolist()
    [0.0, 5.0]
    """

    state = (*Detector.state, "centres_", "spread_")
    uses_labels = True

    #: Shape (n_centres, n_numbers).
    centres_: Floats
    #: Covariance around the centres, shape (n_numbers, n_numbers); every person counts alike.
    spread_: Floats

    def _learn(self, rows: Floats, kinds: Numbers, people: Numbers) -> None:
        self.centres_, self.spread_ = _Sums.of(rows, people, kinds).known()

    def _strangeness(self, rows: Floats) -> Floats:
        return _distance(rows, self.centres_, self.spread_)

    def strangeness_to_others(
        self, X: ArrayLike, y: ArrayLike | None, people: Numbers, *, folds: int, seed: int
    ) -> Floats:
        """Return the distance of each row by everybody else; every person is their own fold."""
        del folds, seed
        self.fit(X, y, people)
        rows = self._numbers(X)
        kinds = np.zeros(len(rows), dtype=np.intp)
        if y is not None:
            kinds = np.unique(np.asarray(y).astype(np.str_), return_inverse=True)[1]
        sums = _Sums.of(rows, people, kinds)
        far = np.empty(len(rows))
        for code in range(len(sums.weight)):
            mine = people == code
            far[mine] = _distance(rows[mine], *sums.known(without=code))
        return far

    def _check_state(self) -> None:
        super()._check_state()
        self._expect("centres_", len(np.atleast_2d(self.centres_)), self._n_numbers)
        self._expect("spread_", self._n_numbers, self._n_numbers)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Weight, sum and sum of products of each person in each class; a person weighs 1."""

    weight: Floats
    first: Floats
    second: Floats

    @classmethod
    def of(cls, values: Floats, codes: Numbers, kinds: Numbers) -> _Sums:
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

    def known(self, *, without: int | None = None) -> tuple[Floats, Floats]:
        """Return centres and spread of everybody, or of everybody else."""
        kept = np.arange(len(self.weight)) != (-1 if without is None else without)
        weight, first = self.weight[kept].sum(axis=0), self.first[kept].sum(axis=0)
        shown = weight > 0
        weight, first = weight[shown], first[shown]
        centres = first / weight[:, None]
        spread = (self.second[kept].sum(axis=0) - centres.T @ first) / weight.sum()
        scale = np.diag(spread).copy()
        scale[scale <= 0] = max(float(scale.max()), 1.0)
        return centres, (1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(scale)


def _distance(values: Floats, centres: Floats, spread: Floats) -> Floats:
    root = np.linalg.cholesky(spread)
    away = values[:, None] - centres
    flat = np.linalg.solve(root, away.reshape(-1, values.shape[1]).T)
    squared = (flat**2).sum(axis=0).reshape(-1, len(centres)).min(axis=1)
    return np.asarray(np.sqrt(squared), dtype=np.float64)
