"""Linear models with closed forms: linear discriminant analysis and ridge regression."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_non_negative
from myograph.core.dial import choice, real
from myograph.core.errors import ParameterError
from myograph.models.base import MODELS, Classifier, Regressor, softmax

__all__ = ["LDA", "Ridge", "ledoit_wolf"]


@MODELS.register("lda")
class LDA(Classifier):
    r"""Linear discriminant analysis: one Gaussian per class, one covariance for all.

    The score of class :math:`k` is
    :math:`\mu_k^T S^{-1} x - \tfrac12 \mu_k^T S^{-1} \mu_k + \log \pi_k`, where :math:`S` is the
    mean of the classes' covariances, each shrunk, weighted by the priors. One pass over the data,
    so leaving out one person of nineteen takes seconds.

    Parameters
    ----------
    shrinkage : "auto" or float
        How far each class's covariance is drawn towards a multiple of the identity, 0 (not at
        all) to 1. ``"auto"`` estimates it by Ledoit and Wolf on standardised features, so that
        features in different units are drawn alike.
    priors : str
        ``"empirical"``: as frequent as in training; ``"uniform"``: all classes alike.

    References
    ----------
    fisher1936, ledoit2004

    Examples
    --------
    >>> model = LDA(shrinkage=0.0).fit([[0.0], [1.0], [4.0], [5.0]], ["a", "a", "b", "b"])
    >>> model.predict([[2.4], [2.6]]).tolist()
    ['a', 'b']
    """

    space = (
        real("shrinkage", 1e-4, 1.0, log=True),
        choice("priors", "empirical", "uniform"),
    )
    state = ("coef_", "intercept_")

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(
        self,
        *,
        shrinkage: float | Literal["auto"] = "auto",
        priors: Literal["empirical", "uniform"] = "empirical",
    ) -> None:
        self.shrinkage = shrinkage
        self.priors = priors

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del people
        check_choice(self.priors, ("empirical", "uniform"), name="priors")
        n_classes = len(self.classes_)
        sizes = np.bincount(codes, minlength=n_classes).astype(np.float64)
        priors: NDArray[np.float64] = sizes / len(codes)
        if self.priors == "uniform":
            priors = np.full(n_classes, 1 / n_classes)
        # Around the middle of the data, which takes the same from every class's score: a feature
        # far from zero then costs no digits.
        middle = X.mean(axis=0)
        means = np.empty((n_classes, X.shape[1]))
        spread = np.zeros((X.shape[1], X.shape[1]))
        for k in range(n_classes):
            rows = X[codes == k] - middle
            means[k] = rows.mean(axis=0)
            spread += priors[k] * self._covariance(_centred(rows, means[k], middle))
        self.coef_ = _solve(spread, means)
        offsets = (self.coef_ * (0.5 * means + middle)).sum(axis=1)
        self.intercept_ = np.log(priors) - offsets

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(X @ self.coef_.T + self.intercept_)

    def _covariance(self, centred: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.shrinkage == "auto":
            scale = np.sqrt((centred**2).mean(axis=0))
            scale[scale == 0] = 1.0
            standard = centred / scale
            shrunk = _shrink(standard.T @ standard / len(centred), ledoit_wolf(standard))
            return scale[:, None] * shrunk * scale
        amount = check_non_negative(self.shrinkage, name="shrinkage")
        if amount > 1:
            raise ParameterError(f"shrinkage must be 'auto' or from 0 to 1; got {amount:g}.")
        return _shrink(centred.T @ centred / len(centred), amount)

    def _check_state(self) -> None:
        n_classes = len(self.classes_)
        self._expect("coef_", n_classes, self.n_features_in_)
        self._expect("intercept_", n_classes)


@MODELS.register("ridge")
class Ridge(Regressor):
    r"""Least squares that prefers small weights: :math:`\min |y - Xw - b|^2 + \alpha |w|^2`.

    Parameters
    ----------
    alpha : float
        Weight of the preference; 0 is ordinary least squares. Scale the features first.

    Examples
    --------
    >>> round(
    ...     float(Ridge(alpha=0.0).fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).predict([[3.0]])[0]),
    ...     6,
    ... )
    7.0
    """

    space = (real("alpha", 1e-3, 1e4, log=True),)
    state = ("coef_", "intercept_")

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(self, *, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        del people
        alpha = check_non_negative(self.alpha, name="alpha")
        centre, level = X.mean(axis=0), y.mean()
        centred = X - centre
        # The penalty as further rows: as accurate as the data allow, and right for alpha = 0.
        rows = np.concatenate([centred, np.sqrt(alpha) * np.eye(X.shape[1])])
        targets = np.concatenate([y - level, np.zeros(X.shape[1])])
        self.coef_ = np.linalg.lstsq(rows, targets, rcond=None)[0]
        self.intercept_ = np.asarray(level - centre @ self.coef_)

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        # Summed row by row, not by BLAS, whose last digit depends on how many rows there are: a
        # stream gets what the whole recording gets.
        values: NDArray[np.float64] = np.einsum("ij,j->i", X, self.coef_) + self.intercept_
        return values

    def _check_state(self) -> None:
        self._expect("coef_", self.n_features_in_)
        self._expect("intercept_")


def ledoit_wolf(centred: NDArray[np.float64]) -> float:
    r"""Return the shrinkage that is optimal in mean square, estimated by Ledoit and Wolf.

    Parameters
    ----------
    centred : ndarray, shape (n_rows, n_features)
        Rows with mean 0.

    Returns
    -------
    float
        Between 0 (the sample covariance) and 1 (a multiple of the identity).

    References
    ----------
    ledoit2004
    """
    n_rows, n_features = centred.shape
    covariance = centred.T @ centred / n_rows
    level = np.trace(covariance) / n_features
    squares = (covariance**2).sum()
    # The sum over feature pairs of the squared products factorises row by row.
    fourth = ((centred**2).sum(axis=1) ** 2).sum() / n_rows
    error = (fourth - squares) / (n_features * n_rows)
    distance = squares / n_features - level**2
    return 0.0 if error <= 0 or distance <= 0 else float(min(error / distance, 1.0))


def _shrink(covariance: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
    level = np.trace(covariance) / len(covariance)
    return (1 - amount) * covariance + amount * level * np.eye(len(covariance))


def _centred(
    rows: NDArray[np.float64], mean: NDArray[np.float64], middle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Take the mean off; a column that varies by rounding alone becomes 0."""
    centred = rows - mean
    noise = 10 * np.finfo(np.float64).eps * np.abs(middle)
    centred[:, np.abs(centred).max(axis=0) <= noise] = 0.0
    return centred


def _solve(spread: NDArray[np.float64], means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of each class, shape (n_classes, n_features)."""
    # With every feature in units of its own deviation, so that the mixture of units decides
    # nothing, and by least squares: a feature that never varies leaves the spread singular.
    scale = np.sqrt(np.diag(spread))
    scale[scale == 0] = 1.0
    alike = spread / scale / scale[:, None]
    solved = np.linalg.lstsq(alike, (means / scale).T, rcond=None)[0]
    return np.asarray(solved.T / scale, dtype=np.float64)
