"""Sums from which linear methods are fitted on any columns and any folds, without the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.features.select.base import Sample, constant_columns

__all__ = ["SHRINKAGE", "Judge", "Sums", "deal_people", "standardised"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Drawn towards independence by this share: features of EMG are nearly copies of each other.
SHRINKAGE = 1e-3


def standardised(X: Matrix) -> tuple[Matrix, Matrix, Matrix]:
    """Return ``X`` with mean 0 and deviation 1, and the centre and spread that were taken off.

    A column that never varies, or by rounding alone, becomes 0 and has a spread of 1.
    """
    centre = X.mean(axis=0)
    scaled = X - centre
    spread = np.sqrt((scaled**2).mean(axis=0))
    still = constant_columns(X)
    scaled[:, still] = 0.0
    spread[still] = 1.0
    return scaled / spread, centre, spread


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over rows: they add up over folds, and any columns of them are those of the columns.

    Parameters
    ----------
    counts : ndarray, shape (n_classes,)
        Rows of each class; for regression the one number of rows.
    sums : ndarray, shape (n_classes, n_columns)
    products : ndarray, shape (n_columns, n_columns)
    cross : ndarray, shape (n_columns,)
        Sum of column times value, for regression.
    level : float
        Sum of the values.
    """

    counts: Matrix
    sums: Matrix
    products: Matrix
    cross: Matrix
    level: float

    @classmethod
    def of(cls, sample: Sample, n_classes: int) -> Self:
        """Add up the rows of ``sample``; codes as they stand, of ``n_classes``."""
        codes = sample.codes if n_classes else np.zeros(len(sample.X), dtype=np.intp)
        counts = np.bincount(codes, minlength=max(n_classes, 1)).astype(np.float64)
        sums = np.zeros((len(counts), sample.X.shape[1]))
        for k in range(len(counts)):
            sums[k] = sample.X[codes == k].sum(axis=0)
        products = sample.X.T @ sample.X
        if n_classes:
            return cls(counts, sums, products, np.zeros(sample.X.shape[1]), 0.0)
        return cls(counts, sums, products, sample.X.T @ sample.values, float(sample.values.sum()))

    def without(self, other: Sums) -> Sums:
        """Return the sums over the rows that are not in ``other``."""
        return Sums(
            self.counts - other.counts,
            self.sums - other.sums,
            self.products - other.products,
            self.cross - other.cross,
            self.level - other.level,
        )

    def within(self) -> Matrix:
        """Return the covariance around the means of the classes, (n_columns, n_columns)."""
        present = self.counts > 0
        sums, counts = self.sums[present], self.counts[present]
        return (self.products - sums.T @ (sums / counts[:, None])) / counts.sum()

    def weights(self, columns: Rows, *, regression: bool) -> tuple[Matrix, Matrix]:
        """Fit on these columns: linear discriminants, or least squares for a number.

        Returns
        -------
        weights : ndarray, shape (n_columns_chosen, n_classes or 1)
        offset : ndarray, shape (n_classes or 1,)
        """
        inside = self.within()[np.ix_(columns, columns)]
        ridge = SHRINKAGE * max(np.trace(inside) / len(columns), 1e-12)
        inside[np.diag_indices(len(columns))] += ridge
        n = self.counts.sum()
        if regression:
            mean = self.sums[0, columns] / n
            covariance = self.cross[columns] / n - mean * self.level / n
            slope = np.asarray(np.linalg.solve(inside, covariance)[:, None])
            offset: Matrix = self.level / n - mean @ slope
            return slope, offset
        present = self.counts > 0
        means = self.sums[:, columns] / np.where(present, self.counts, 1.0)[:, None]
        weights = np.linalg.solve(inside, means.T)
        share = np.where(present, self.counts / n, 0.0)
        with np.errstate(divide="ignore"):
            offsets: Matrix = np.log(share) - 0.5 * (means.T * weights).sum(axis=0)
        return np.asarray(weights), offsets


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """How well columns do together on people kept apart: linear discriminants or least squares.

    All folds are added up once; a set of columns then costs one small system of equations and one
    product per fold.

    Parameters
    ----------
    sample : Sample
        Standardised.
    folds : tuple of ndarray
        Rows of each fold.
    parts : tuple of Sums
        Of the rows outside each fold.
    """

    sample: Sample
    folds: tuple[Rows, ...]
    parts: tuple[Sums, ...]

    @classmethod
    def of(cls, sample: Sample, *, n_folds: int = 5) -> Self:
        """Standardise, deal the people into folds and add up."""
        scaled = standardised(sample.X)[0]
        alike = Sample(scaled, sample.codes, sample.values, sample.people, sample.columns)
        whole = Sums.of(alike, sample.classes)
        folds = deal_people(sample, n_folds=n_folds)
        parts = tuple(whole.without(Sums.of(_rows(alike, rows), sample.classes)) for rows in folds)
        return cls(alike, folds, parts)

    def scores(self, columns: Rows) -> Matrix:
        """Return the accuracy in every fold (for a number: R squared), from these columns alone."""
        regression = not self.sample.classes
        found = np.empty(len(self.folds))
        for number, (rows, part) in enumerate(zip(self.folds, self.parts, strict=True)):
            weights, offset = part.weights(columns, regression=regression)
            answer = self.sample.X[np.ix_(rows, columns)] @ weights + offset
            if regression:
                truth = self.sample.values[rows]
                power = ((truth - truth.mean()) ** 2).sum()
                left = ((truth - answer[:, 0]) ** 2).sum()
                found[number] = 1 - left / power if power > 0 else -left
            else:
                found[number] = (answer.argmax(axis=1) == self.sample.codes[rows]).mean()
        return found

    def score(self, columns: Rows) -> float:
        """Return the mean over folds."""
        return float(self.scores(columns).mean())


def deal_people(sample: Sample, *, n_folds: int) -> tuple[Rows, ...]:
    """Return rows by fold: whole people, or of one person stretches of every class in time."""
    n_people = int(sample.people.max()) + 1
    if n_people > 1:
        dealt = sample.people % min(n_folds, n_people)
    else:
        key = sample.codes if sample.classes else np.zeros(len(sample.X), dtype=np.intp)
        dealt = np.empty(len(key), dtype=np.intp)
        for label in np.unique(key):
            rows = np.flatnonzero(key == label)
            dealt[rows] = np.arange(len(rows)) * n_folds // len(rows)
    folds = (np.flatnonzero(dealt == k) for k in range(int(dealt.max()) + 1))
    return tuple(rows for rows in folds if len(rows))


def _rows(sample: Sample, rows: Rows) -> Sample:
    """Take rows without giving the classes new codes."""
    codes = sample.codes[rows] if sample.classes else sample.codes
    values = sample.values if sample.classes else sample.values[rows]
    return Sample(sample.X[rows], codes, values, sample.people[rows], sample.columns)
