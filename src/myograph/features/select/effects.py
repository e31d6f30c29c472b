"""What the label does to the columns, told apart from the levels at which people have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.features.select.base import Sample
from myograph.features.select.statistics import SHRINKAGE

__all__ = ["Effects"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]

# Directions of the label that vary less than this share of the largest are rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    r"""How far the label moves each column, and the spread that this has to stand out from.

    A column is taken to be :math:`x = u_{person} + M^T t + e`, with :math:`t` the label (each
    class coded 0 or 1, or the number) and :math:`u` a level of each person's own. Where everybody
    shows several classes, and all classes can be compared within people, both are taken from what
    is left of columns and label when each person's means are taken out. With :math:`n` people the
    correlation of two columns' levels is off by :math:`1/\sqrt{n-1}`, so among many columns some
    always seem to make up for the levels of others, and weights would follow.

    Where it is not possible (each person has one diagnosis), people are compared, and their levels
    are part of the spread.

    Parameters
    ----------
    moves : ndarray, shape (n_targets, n_columns)
        :math:`M`: means of the classes around their own mean, or the slope.
    spread : ndarray, shape (n_columns, n_columns)
        Covariance of :math:`e`; with the levels where people are compared.
    within_people : bool
        Whether both are about changes within people.
    """

    moves: Matrix
    spread: Matrix
    within_people: bool

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """Estimate both from rows whose columns have the same scale.

        Examples
        --------
        Two people on different levels, each with both classes; the first column tells them apart.

        >>> X = np.array([[0.0, 1.0], [1.0, 0.0], [9.0, 0.0], [10.0, 1.0]])
        >>> sample = Sample(X, np.array([0, 1, 0, 1]), np.empty(0), np.array([0, 0, 1, 1]), None)
        >>> found = Effects.of(sample)
        >>> found.within_people, found.moves[1].round(3).tolist()
        (True, [0.5, 0.0])
        >>> found.spread.round(3).tolist()
        [[0.0, 0.0], [0.0, 0.25]]
        """
        people = np.unique(sample.people, return_inverse=True)[1]
        classes = sample.classes
        target = np.eye(classes)[sample.codes] if classes else sample.values[:, None]
        target = target - target.mean(axis=0)
        own = _around_means(target, people)
        within = _comparable(target, own, people)
        basis = own if within else target
        rows = _around_means(sample.X, people if within else np.zeros_like(people))
        moves = np.linalg.pinv(basis.T @ basis, rcond=_ROUNDING, hermitian=True) @ (basis.T @ rows)
        left = rows - basis @ moves
        return cls(moves, left.T @ left / len(left), within)

    def weights(self, columns: Rows) -> Matrix:
        """Return the weights of these columns in linear discriminants, or least squares.

        Those of classes are told around their mean, those of a number up to a factor; shape
        (n_columns_chosen, n_targets).
        """
        inside = self.spread[np.ix_(columns, columns)]
        ridge = SHRINKAGE * max(np.trace(inside) / len(columns), 1e-12)
        inside[np.diag_indices(len(columns))] += ridge
        return np.asarray(np.linalg.solve(inside, self.moves[:, columns].T))


def _around_means(values: Matrix, people: Rows) -> Matrix:
    sums = np.zeros((int(people.max()) + 1, values.shape[1]))
    np.add.at(sums, people, values)
    return values - (sums / np.bincount(people)[:, None])[people]


def _comparable(target: Matrix, own: Matrix, people: Rows) -> bool:
    """Say whether everybody's label varies, and shows within people all that it shows at all."""
    power = np.bincount(people, (own**2).sum(axis=1))
    if not (power > _ROUNDING * (target**2).sum()).all():
        return False
    ranks = [np.linalg.matrix_rank(t.T @ t, rtol=_ROUNDING, hermitian=True) for t in (own, target)]
    return bool(ranks[0] == ranks[1])
