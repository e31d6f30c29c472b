"""Fewer numbers made of all columns: principal components, discriminants, non-negative parts."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import nnls
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.features.select.base import SELECTIONS, Projection, Sample, n_kept
from myograph.features.select.statistics import Sums, standardised

__all__ = ["NMF", "PCA", "Discriminants"]

Matrix = NDArray[np.float64]

# Within-class spread is drawn this far towards independence: some columns are nearly copies.
_SHRINKAGE = 1e-3


@SELECTIONS.register("pca")
class PCA(Projection):
    """Principal components of the standardised columns: columns of different units count alike.

    Parameters
    ----------
    keep : int or float
        How many components, or the share of the variance they must hold together.

    References
    ----------
    pearson1901

    Examples
    --------
    >>> pca = PCA(keep=1).fit([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0]])
    >>> pca.transform([[1.0, 10.0], [2.0, 20.0]]).round(3).tolist()
    [[0.0], [1.732]]
    """

    supervised = False
    prefix = "pca"

    def __init__(self, *, keep: float = 0.95) -> None:
        self.keep = keep

    def _learn(self, sample: Sample) -> None:
        scaled, self.centre_, self.spread_ = standardised(sample.X)
        variances, axes = np.linalg.eigh(scaled.T @ scaled / len(scaled))
        variances, axes = np.maximum(variances[::-1], 0.0), axes[:, ::-1]
        count = n_kept(self.keep, len(variances))
        total = variances.sum()
        if isinstance(self.keep, float) and total > 0:
            held = np.cumsum(variances) / total
            count = min(int((held < self.keep - 1e-12).sum()) + 1, len(variances))
        if total > 0:
            self.facts_ = {"share of the variance held": float(variances[:count].sum() / total)}
        self.components_ = _upright(axes[:, :count])


@SELECTIONS.register("lda")
class Discriminants(Projection):
    """The directions in which the classes lie furthest apart, in units of their own spread.

    Parameters
    ----------
    keep : int, optional
        How many; all by default: one less than there are classes, or than columns.

    References
    ----------
    fisher1936
    """

    tasks = ("classification",)
    prefix = "lda"

    def __init__(self, *, keep: int | None = None) -> None:
        self.keep = keep

    def _learn(self, sample: Sample) -> None:
        if sample.classes < 2:
            raise DataError(
                "A discriminant projection needs at least 2 classes to tell apart; the training "
                "windows have one class."
            )
        scaled, self.centre_, self.spread_ = standardised(sample.X)
        alike = Sample(scaled, sample.codes, sample.values, sample.people, sample.columns)
        sums = Sums.of(alike, sample.classes)
        within = sums.within()
        within[np.diag_indices(len(within))] += _SHRINKAGE * max(within.diagonal().mean(), 1e-9)
        means = sums.sums / sums.counts[:, None]
        between = means.T @ (means * sums.counts[:, None]) / sums.counts.sum()
        most = min(sample.classes - 1, len(within))
        count = most if self.keep is None else check_count(self.keep, name="keep")
        if count > most:
            raise ParameterError(
                f"keep={count} is more than the {most} directions that {sample.classes} classes "
                f"and {len(within)} columns have; keep fewer."
            )
        axes = eigh(between, within)[1][:, ::-1]
        self.components_ = _upright(axes[:, :count])


@SELECTIONS.register("nmf")
class NMF(Projection):
    """Non-negative parts whose non-negative mixtures are the windows (lee1999).

    For columns that cannot be negative, such as amplitudes: the parts are then patterns of
    activity over channels. Every column counts in units of its mean over the training windows.

    Parameters
    ----------
    keep : int
        How many parts.
    max_iterations : int
        Rounds of the fit; a note tells when they did not suffice.
    """

    supervised = False
    prefix = "nmf"

    def __init__(self, *, keep: int = 4, max_iterations: int = 400) -> None:
        self.keep = keep
        self.max_iterations = max_iterations

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn that the columns must not be negative."""
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def _learn(self, sample: Sample) -> None:
        scaled_by = sample.X.mean(axis=0)
        self.centre_ = np.zeros(sample.X.shape[1])
        self.spread_ = np.where(scaled_by > 0, scaled_by, 1.0)
        scaled = self._non_negative(sample.X) / self.spread_
        count = min(check_count(self.keep, name="keep"), *scaled.shape)
        rounds = check_count(self.max_iterations, name="max_iterations")
        parts, used = _non_negative_parts(scaled, count, rounds)
        length = np.linalg.norm(parts, axis=1, keepdims=True)
        self.components_ = (parts / np.where(length > 0, length, 1.0)).T
        if used >= rounds:
            self.notes_ = (f"NMF had not settled after {rounds} rounds (max_iterations).",)

    def _apply(self, X: Matrix) -> Matrix:
        scaled = self._non_negative(X) / self.spread_
        return np.array([nnls(self.components_, row)[0] for row in scaled]).reshape(
            len(scaled), self.n_out
        )

    def _non_negative(self, X: Matrix) -> Matrix:
        negative = np.flatnonzero((X < 0).any(axis=0))
        if len(negative):
            raise DataError(
                f"Negative values in data passed to {type(self).__name__}: columns "
                f"{negative[:5].tolist()} have some. Choose features that cannot be negative "
                "(mav, rms, wl, zc, ...) and scaling='none'."
            )
        return X

    def _check_state(self) -> None:
        super()._check_state()
        if (self.components_ < 0).any():
            raise ArtifactError("The parts of an NMF cannot be negative.")


def _non_negative_parts(scaled: Matrix, count: int, rounds: int) -> tuple[Matrix, int]:
    # Imported when first used: no other selection needs it.
    from sklearn import decomposition

    library = decomposition.NMF(count, init="nndsvda", max_iter=rounds, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told in the notes instead
        library.fit(scaled)
    return library.components_, int(library.n_iter_)


def _upright(axes: Matrix) -> Matrix:
    """Turn every axis so that its largest weight is positive: the same axis in every run."""
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.ascontiguousarray(axes * np.where(largest < 0, -1.0, 1.0))
