"""Gaussian process: an estimate with its own standard deviation, from a few hundred windows."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Regressor
from myograph.models.budget import spread_rows
from myograph.models.svm import rbf

__all__ = ["GaussianProcess"]


@MODELS.register("gaussian-process")
class GaussianProcess(Regressor):
    """A smooth function with noise on it; strength, length and noise by maximum likelihood.

    Scale the features first: they share one length.

    Parameters
    ----------
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people: time grows with their cube.
        None takes all.
    seed : int

    References
    ----------
    rasmussen2006

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 3, 30)[:, np.newaxis]
    >>> model = GaussianProcess().fit(x, np.sin(2 * x[:, 0]))
    >>> bool(abs(model.predict([[1.0]])[0] - np.sin(2.0)) < 0.01)
    True
    """

    state = ("rows_", "weights_", "factor_", "scales_")
    uses_groups = True

    rows_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    #: Cholesky factor of the kernel of the rows, noise included.
    factor_: NDArray[np.float64]
    #: Level and spread of the target; gamma, variance and noise variance of the kernel.
    scales_: NDArray[np.float64]

    def __init__(self, *, max_windows: int | None = 500, seed: int = 0) -> None:
        self.max_windows = max_windows
        self.seed = seed

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        kept, self.notes_ = spread_rows(np.zeros_like(people), people, most=self.max_windows)
        X, y = X[kept], y[kept]
        level, spread = float(y.mean()), float(y.std()) or 1.0
        usual = float(np.sqrt(X.shape[1] * X.var())) or 1.0
        kernel = ConstantKernel(1.0, (1e-3, 1e3)) * RBF(usual, (usual / 100, 100 * usual))
        process = GaussianProcessRegressor(
            kernel + WhiteKernel(0.1, (1e-6, 10.0)), random_state=self.seed
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a bound is an answer too
            process.fit(X, (y - level) / spread)
        strength, noise = process.kernel_.k1, process.kernel_.k2
        gamma = 0.5 / float(strength.k2.length_scale) ** 2
        self.rows_, self.weights_ = np.array(X), np.array(process.alpha_)
        self.factor_ = np.array(process.L_)
        self.scales_ = np.array(
            [level, spread, gamma, float(strength.k1.constant_value), float(noise.noise_level)]
        )

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        level, spread = self.scales_[:2]
        return self._kernel(X) @ self.weights_ * spread + level

    def deviation(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the standard deviation of each estimate, noise included, shape (n_rows,)."""
        kernel = self._kernel(self._rows(X))
        _, spread, _, variance, noise = self.scales_
        known = solve_triangular(self.factor_, kernel.T, lower=True)
        left = np.maximum(variance + noise - np.square(known).sum(axis=0), 0.0)
        return np.asarray(np.sqrt(left) * spread)

    def _kernel(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        _, _, gamma, variance, _ = self.scales_
        return np.asarray(variance * rbf(X, self.rows_, float(gamma)))

    def _check_state(self) -> None:
        n = len(self.rows_)
        self._expect("rows_", n, self.n_features_in_)
        self._expect("weights_", n)
        self._expect("factor_", n, n)
        self._expect("scales_", 5)
        if not ((self.scales_[1:] > 0).all() and (np.diag(self.factor_) > 0).all()):
            raise ArtifactError("Scales of a Gaussian process must be above 0.")
