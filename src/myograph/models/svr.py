"""Support vector regression: trained by scikit-learn, kept and evaluated as arrays."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import svm

from myograph.core.checks import check_choice, check_non_negative, check_positive
from myograph.core.dial import choice, real
from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Regressor
from myograph.models.budget import spread_rows
from myograph.models.svm import rbf, rbf_width

__all__ = ["SVR"]


@MODELS.register("svr")
class SVR(Regressor):
    """Support vector regression: errors smaller than a tolerance cost nothing.

    The target is measured in units of its deviation over the training windows, so that ``cost``
    and ``tolerance`` mean the same for newtons and for degrees.

    Parameters
    ----------
    kernel : str
        ``"rbf"`` or ``"linear"``. Scale the features first: both go by distances.
    cost : float
        Price of an error beyond the tolerance.
    tolerance : float
        In deviations of the target.
    gamma : "scale" or float
        Width of the RBF kernel, as in `myograph.models.svm.SVM`.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people. None takes all.

    References
    ----------
    smola2004
    """

    space = (
        choice("kernel", "rbf", "linear"),
        real("cost", 0.01, 1000.0, log=True),
        real("tolerance", 0.01, 0.5, log=True),
        real("gamma", 1e-4, 1.0, log=True),
    )
    state = ("vectors_", "weights_", "intercept_", "gamma_")
    uses_groups = True

    vectors_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    gamma_: NDArray[np.float64]

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "linear"] = "rbf",
        cost: float = 1.0,
        tolerance: float = 0.1,
        gamma: float | Literal["scale"] = "scale",
        max_windows: int | None = 4000,
    ) -> None:
        self.kernel = kernel
        self.cost = cost
        self.tolerance = tolerance
        self.gamma = gamma
        self.max_windows = max_windows

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        check_choice(self.kernel, ("rbf", "linear"), name="kernel")
        cost = check_positive(self.cost, name="cost")
        tolerance = check_non_negative(self.tolerance, name="tolerance")
        rows, self.notes_ = spread_rows(np.zeros_like(people), people, most=self.max_windows)
        X, y = X[rows], y[rows]
        self.gamma_ = np.asarray(rbf_width(X, self.gamma))
        level, spread = y.mean(), y.std() or 1.0
        machine = svm.SVR(
            kernel=self.kernel, C=cost, epsilon=tolerance, gamma=float(self.gamma_), cache_size=500
        )
        machine.fit(X, (y - level) / spread)
        weights = machine.dual_coef_[0] * spread
        self.intercept_ = np.asarray(float(machine.intercept_[0]) * spread + level)
        if self.kernel == "linear":  # a weighted sum of dot products is one dot product
            self.weights_ = weights @ machine.support_vectors_
            self.vectors_ = np.empty((0, X.shape[1]))
        else:
            self.weights_, self.vectors_ = weights, machine.support_vectors_

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.kernel == "linear":
            return X @ self.weights_ + self.intercept_
        if not len(self.vectors_):  # every error was within the tolerance
            return np.full(len(X), float(self.intercept_))
        return rbf(X, self.vectors_, self.gamma_) @ self.weights_ + self.intercept_

    def _check_state(self) -> None:
        n_features = self.n_features_in_
        self._expect("vectors_", len(self.vectors_), n_features)
        self._expect("weights_", n_features if self.kernel == "linear" else len(self.vectors_))
        self._expect("intercept_")
        self._expect("gamma_")
        if not self.gamma_ > 0:
            raise ArtifactError("gamma of an SVR must be above 0.")
