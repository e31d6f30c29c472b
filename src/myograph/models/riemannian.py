"""Models of how strongly channels act together: windows in, covariances inside.

They take windows (n_windows, n_channels, n_samples), not features. A recording that was band-passed
before is what they expect: a covariance of drift says nothing about muscle.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.dial import choice, real, whole
from myograph.core.errors import ArtifactError, DataError
from myograph.models.base import MODELS, Classifier, softmax
from myograph.models.linear import LDA
from myograph.signal import riemann

__all__ = ["MDM", "TangentSpace", "lagged"]

Metric = Literal["riemann", "log-euclid"]


class _OfCovariances(Classifier):
    """What both share: windows to covariances of channels, lagged copies beside them."""

    eats = "windows"

    lags: int
    shrinkage: float | str
    metric: Metric

    def _matrices(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        lags = check_count(self.lags, name="lags", least=0)
        if X.shape[2] < lags + 2:
            raise DataError(
                f"Windows of {X.shape[2]} samples are too short for {lags} lags; lengthen them."
            )
        return riemann.covariances(lagged(X, lags), shrinkage=self.shrinkage)

    def _size(self) -> int:
        return self.n_features_in_ * (check_count(self.lags, name="lags", least=0) + 1)


@MODELS.register("mdm")
class MDM(_OfCovariances):
    r"""Minimum distance to the mean: the class whose mean covariance is nearest.

    The probability of class :math:`k` is proportional to :math:`\exp(-d_k^2)`. With
    ``metric="riemann"`` distances do not change when channels are mixed or amplified.

    Parameters
    ----------
    metric : str
        ``"riemann"``: the affine-invariant distance and mean; ``"log-euclid"``: between logarithms
        of the matrices, which is much faster and close to it.
    shrinkage : str or float
        Of each window's covariance, see `myograph.signal.riemann.covariances`.
    lags : int
        How many copies of the channels, each one sample later, join them: 0 sees strengths and
        correlations, 1 or more also spectra.

    References
    ----------
    barachant2012
    """

    space = (
        choice("metric", "log-euclid", "riemann"),
        whole("lags", 0, 3),
    )
    state = ("mean_",)

    mean_: NDArray[np.float64]

    def __init__(
        self,
        *,
        metric: Metric = "log-euclid",
        shrinkage: float | str = "ledoit-wolf",
        lags: int = 0,
    ) -> None:
        self.metric = metric
        self.shrinkage = shrinkage
        self.lags = lags

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del people
        check_choice(self.metric, ("riemann", "log-euclid"), name="metric")
        matrices = self._matrices(X)
        self.mean_ = np.stack(
            [
                riemann.mean(matrices[codes == k], metric=self.metric)
                for k in range(len(self.classes_))
            ]
        )

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        matrices = self._matrices(X)
        away = np.empty((len(matrices), len(self.mean_)))
        if self.metric == "riemann":
            for k, mean in enumerate(self.mean_):
                away[:, k] = riemann.distance(mean, matrices)
        else:
            logs, means = riemann.logm(matrices), riemann.logm(self.mean_)
            for k, mean in enumerate(means):
                away[:, k] = np.linalg.norm(logs - mean, axis=(1, 2))
        return softmax(-np.square(away))

    def _check_state(self) -> None:
        self._expect("mean_", len(self.classes_), self._size(), self._size())
        if not (np.linalg.eigvalsh(self.mean_) > 0).all():
            raise ArtifactError("Means of an MDM must be positive definite.")


@MODELS.register("tangent-space")
class TangentSpace(_OfCovariances):
    """Linear discriminant analysis of covariances, in the flat space at their mean.

    Parameters
    ----------
    metric : str
        Of the mean, as for `MDM`.
    shrinkage : str or float
        Of each window's covariance, see `myograph.signal.riemann.covariances`.
    lags : int
        As for `MDM`.
    lda_shrinkage : "auto" or float
        Of the discriminant analysis, see `myograph.models.linear.LDA`.

    References
    ----------
    barachant2012
    """

    space = (
        choice("metric", "log-euclid", "riemann"),
        whole("lags", 0, 3),
        real("lda_shrinkage", 1e-4, 1.0, log=True),
    )
    state = ("reference_", "coef_", "intercept_")

    reference_: NDArray[np.float64]
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(
        self,
        *,
        metric: Metric = "log-euclid",
        shrinkage: float | str = "ledoit-wolf",
        lags: int = 0,
        lda_shrinkage: float | Literal["auto"] = "auto",
    ) -> None:
        self.metric = metric
        self.shrinkage = shrinkage
        self.lags = lags
        self.lda_shrinkage = lda_shrinkage

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del people
        matrices = self._matrices(X)
        self.reference_ = riemann.mean(matrices, metric=self.metric)
        flat = riemann.tangent(matrices, self.reference_)
        linear = LDA(shrinkage=self.lda_shrinkage).fit(flat, codes)
        self.coef_, self.intercept_ = linear.coef_, linear.intercept_

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        flat = riemann.tangent(self._matrices(X), self.reference_)
        return softmax(flat @ self.coef_.T + self.intercept_)

    def _check_state(self) -> None:
        size, n_classes = self._size(), len(self.classes_)
        self._expect("reference_", size, size)
        self._expect("coef_", n_classes, size * (size + 1) // 2)
        self._expect("intercept_", n_classes)
        if not (np.linalg.eigvalsh(self.reference_) > 0).all():
            raise ArtifactError("The reference of a tangent space must be positive definite.")


def lagged(windows: NDArray[Any], lags: int) -> NDArray[Any]:
    """Return windows with copies of their channels beside them, each one sample later.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    lags : int

    Returns
    -------
    ndarray, shape (n_windows, n_channels * (lags + 1), n_samples - lags)

    Examples
    --------
    >>> lagged(np.array([[[1.0, 2.0, 3.0]]]), 1).tolist()
    [[[2.0, 3.0], [1.0, 2.0]]]
    """
    if lags == 0:
        return windows
    length = windows.shape[2] - lags
    return np.concatenate(
        [windows[:, :, lags - k : lags - k + length] for k in range(lags + 1)], axis=1
    )
