"""Support vector machine: trained by scikit-learn, kept and evaluated as arrays."""

from __future__ import annotations

from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.svm import SVC

from myograph.core.checks import check_choice, check_positive
from myograph.core.dial import choice, real
from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Classifier, softmax
from myograph.models.budget import spread_rows

__all__ = ["SVM", "rbf", "rbf_width"]

# Rows whose kernel values are held at once.
_BLOCK = 4096
# Log of the sharpness: from nearly even probabilities to nearly certain ones.
_SHARPNESS_RANGE = (-5.0, 5.0)


@MODELS.register("svm")
class SVM(Classifier):
    r"""Support vector machine, one against one, with probabilities calibrated on held-out people.

    The decision values :math:`f_{ij}` (positive: class i rather than j) are those of the library
    that trained them. The probability of class i is proportional to
    :math:`\prod_j 1 / (1 + \exp(-a f_{ij}))`. Its one number :math:`a` is fitted by maximum
    likelihood on decision values of people the machine had not seen (two halves, people kept
    whole; of one person, two halves of the rows). One number cannot overfit, cannot favour a
    class, and for two classes leaves every decision what it was.

    Parameters
    ----------
    kernel : str
        ``"rbf"`` or ``"linear"``. Scale the features first: both go by distances.
    cost : float
        Price of a training window on the wrong side.
    gamma : "scale" or float
        Width of the RBF kernel :math:`\exp(-\gamma |x - z|^2)`; ``"scale"`` is
        1 / (n_features * variance of all feature values).
    max_windows : int, optional
        Train on at most so many windows, the same number for every class and person where there
        are enough: time grows with their square. None takes all.

    References
    ----------
    cortes1995
    """

    space = (
        choice("kernel", "rbf", "linear"),
        real("cost", 0.01, 1000.0, log=True),
        real("gamma", 1e-4, 1.0, log=True),
    )
    state = ("vectors_", "weights_", "intercept_", "gamma_", "sharpness_")
    uses_groups = True

    vectors_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    gamma_: NDArray[np.float64]
    sharpness_: NDArray[np.float64]

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "linear"] = "rbf",
        cost: float = 1.0,
        gamma: float | Literal["scale"] = "scale",
        max_windows: int | None = 4000,
    ) -> None:
        self.kernel = kernel
        self.cost = cost
        self.gamma = gamma
        self.max_windows = max_windows

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        self._check_parameters()
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        X, codes, people = X[rows], codes[rows], people[rows]
        self.gamma_ = np.asarray(rbf_width(X, self.gamma))
        self.sharpness_ = np.asarray(self._calibrate(X, codes, people))
        self._train(X, codes)

    def _check_parameters(self) -> None:
        check_choice(self.kernel, ("rbf", "linear"), name="kernel")
        check_positive(self.cost, name="cost")
        if self.gamma != "scale":
            check_positive(self.gamma, name="gamma")

    def _train(self, X: NDArray[np.float64], codes: NDArray[np.intp]) -> None:
        machine = SVC(kernel=self.kernel, C=self.cost, gamma=float(self.gamma_), cache_size=500)
        machine.fit(X, codes)
        weights, intercept = _pairs(machine, n_classes=len(self.classes_))
        if self.kernel == "linear":  # a weighted sum of dot products is one dot product
            self.vectors_, self.weights_ = (
                np.empty((0, X.shape[1])),
                weights @ machine.support_vectors_,
            )
        else:
            self.vectors_, self.weights_ = machine.support_vectors_, weights
        self.intercept_ = intercept

    def decision_values(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the decision of every pair of classes.

        Parameters
        ----------
        X : ndarray, shape (n_rows, n_features)

        Returns
        -------
        ndarray, shape (n_rows, n_classes * (n_classes - 1) / 2)
            Positive for the earlier class of the pair; pairs in the order 0-1, 0-2, ..., 1-2, ...
        """
        return self._decide(self._rows(X))

    def _decide(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.kernel == "linear":
            return X @ self.weights_.T + self.intercept_
        blocks = [X[start : start + _BLOCK] for start in range(0, len(X), _BLOCK)]
        values = [rbf(rows, self.vectors_, self.gamma_) @ self.weights_.T for rows in blocks]
        return np.concatenate(values) + self.intercept_

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return _couple(self._decide(X), float(self.sharpness_), n_classes=len(self.classes_))

    def _calibrate(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> float:
        """Fit the sharpness on decision values of the half that was not trained on."""
        if len(np.unique(people)) > 1:
            first = people % 2 == 0
        else:
            order = np.argsort(codes, kind="stable")  # halves of every class, in time
            first = np.empty(len(codes), dtype=bool)
            counts = np.bincount(codes)
            first[order] = np.concatenate([np.arange(n) < n / 2 for n in counts])
        values, truth = [], []
        for half in (first, ~first):
            if len(np.unique(codes[half])) == len(self.classes_) and not half.all():
                self._train(X[half], codes[half])
                values.append(self._decide(X[~half]))
                truth.append(codes[~half])
        if not values:
            return 1.0
        return _sharpness(np.concatenate(values), np.concatenate(truth), len(self.classes_))

    def _check_state(self) -> None:
        n_classes, n_features = len(self.classes_), self.n_features_in_
        n_pairs = n_classes * (n_classes - 1) // 2
        self._expect("vectors_", len(self.vectors_), n_features)
        width = n_features if self.kernel == "linear" else len(self.vectors_)
        self._expect("weights_", n_pairs, width)
        self._expect("intercept_", n_pairs)
        self._expect("gamma_")
        self._expect("sharpness_")
        if not (self.gamma_ > 0 and self.sharpness_ > 0):
            raise ArtifactError("gamma and sharpness of an SVM must be above 0.")


def _pairs(machine: SVC, *, n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return one row of weights on the support vectors, and an intercept, per pair of classes."""
    if n_classes == 2:  # the library counts two classes the other way round
        return -machine.dual_coef_, -machine.intercept_
    of_class = np.repeat(np.arange(n_classes), machine.n_support_)
    weights = np.zeros((n_classes * (n_classes - 1) // 2, len(of_class)))
    for row, (i, j) in zip(weights, combinations(range(n_classes), 2), strict=True):
        row[of_class == i] = machine.dual_coef_[j - 1, of_class == i]
        row[of_class == j] = machine.dual_coef_[i, of_class == j]
    return weights, machine.intercept_


def rbf_width(X: NDArray[np.float64], gamma: float | Literal["scale"]) -> float:
    """Return the width of the kernel on ``X``; ``"scale"`` as in `SVM`."""
    if gamma != "scale":
        return check_positive(gamma, name="gamma")
    variance = X.var()
    return float(1 / (X.shape[1] * variance)) if variance > 0 else 1.0


def rbf(
    X: NDArray[np.float64], vectors: NDArray[np.float64], gamma: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    """Return the RBF kernel between rows, shape (n_rows, n_vectors)."""
    lengths = (X**2).sum(axis=1)[:, None] + (vectors**2).sum(axis=1)
    kernel = lengths - 2 * X @ vectors.T
    np.maximum(kernel, 0.0, out=kernel)
    kernel *= -gamma
    return np.exp(kernel, out=kernel)


def _couple(
    decisions: NDArray[np.float64], sharpness: float, *, n_classes: int
) -> NDArray[np.float64]:
    scores = np.zeros((len(decisions), n_classes))
    for column, (i, j) in zip(decisions.T, combinations(range(n_classes), 2), strict=True):
        scores[:, i] -= np.logaddexp(0.0, -sharpness * column)
        scores[:, j] -= np.logaddexp(0.0, sharpness * column)
    return softmax(scores)


def _sharpness(decisions: NDArray[np.float64], codes: NDArray[np.intp], n_classes: int) -> float:
    def surprise(log_sharpness: float) -> float:
        proba = _couple(decisions, float(np.exp(log_sharpness)), n_classes=n_classes)
        return float(-np.log(np.maximum(proba[np.arange(len(codes)), codes], 1e-300)).mean())

    best = minimize_scalar(surprise, bounds=_SHARPNESS_RANGE, method="bounded")
    return float(np.exp(best.x))
