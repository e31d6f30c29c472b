"""One Gaussian per class: quadratic discriminant analysis, and naive Bayes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative
from myograph.core.dial import real
from myograph.core.errors import ArtifactError, ParameterError
from myograph.models.base import MODELS, Classifier, softmax

__all__ = ["QDA", "NaiveBayes"]

_LEAST_VARIANCE = 1e-9


@MODELS.register("qda")
class QDA(Classifier):
    r"""Quadratic discriminant analysis: one Gaussian per class, each with its own covariance.

    The score of class :math:`k` is
    :math:`-\tfrac12 \log|S_k| - \tfrac12 (x-\mu_k)^T S_k^{-1} (x-\mu_k) + \log \pi_k`. Features are
    measured in units of their own deviation over the training windows, so that the mixture of
    units decides nothing.

    Parameters
    ----------
    shrinkage : float
        How far each class's covariance is drawn towards the identity, 0 (not at all) to 1. A class
        with fewer windows than features needs some.

    References
    ----------
    friedman1989

    Examples
    --------
    >>> X = [[-0.1], [0.1], [-3.0], [3.0]]
    >>> QDA().fit(X, ["rest", "rest", "fist", "fist"]).predict([[0.2], [-4.0]]).tolist()
    ['rest', 'fist']
    """

    space = (real("shrinkage", 1e-3, 1.0, log=True),)
    state = ("centre_", "scale_", "mean_", "whitener_", "offset_")

    centre_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    mean_: NDArray[np.float64]
    #: ``(x - mean) @ whitener`` has the identity as covariance within the class.
    whitener_: NDArray[np.float64]
    offset_: NDArray[np.float64]

    def __init__(self, *, shrinkage: float = 0.05) -> None:
        self.shrinkage = shrinkage

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del people
        amount = check_non_negative(self.shrinkage, name="shrinkage")
        if amount > 1:
            raise ParameterError(f"shrinkage must be from 0 to 1; got {amount:g}.")
        n_classes, n_features = len(self.classes_), X.shape[1]
        self.centre_, self.scale_ = X.mean(axis=0), X.std(axis=0)
        self.scale_[self.scale_ <= 10 * np.finfo(np.float64).eps * np.abs(X).max(axis=0)] = 1.0
        rows = (X - self.centre_) / self.scale_
        self.mean_ = np.empty((n_classes, n_features))
        self.whitener_ = np.empty((n_classes, n_features, n_features))
        self.offset_ = np.empty(n_classes)
        for k in range(n_classes):
            mine = rows[codes == k]
            self.mean_[k] = mine.mean(axis=0)
            centred = mine - self.mean_[k]
            covariance = (1 - amount) * centred.T @ centred / len(mine) + amount * np.eye(
                n_features
            )
            values, vectors = np.linalg.eigh(covariance)
            values = np.maximum(values, _LEAST_VARIANCE)
            self.whitener_[k] = vectors / np.sqrt(values)
            self.offset_[k] = np.log(len(mine) / len(rows)) - 0.5 * np.log(values).sum()

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = (X - self.centre_) / self.scale_
        scores = np.empty((len(rows), len(self.classes_)))
        for k, (mean, whitener) in enumerate(zip(self.mean_, self.whitener_, strict=True)):
            scores[:, k] = -0.5 * np.square((rows - mean) @ whitener).sum(axis=1)
        return softmax(scores + self.offset_)

    def _check_state(self) -> None:
        n_classes, n_features = len(self.classes_), self.n_features_in_
        self._expect("centre_", n_features)
        self._expect("scale_", n_features)
        self._expect("mean_", n_classes, n_features)
        self._expect("whitener_", n_classes, n_features, n_features)
        self._expect("offset_", n_classes)
        if not (self.scale_ > 0).all():
            raise ArtifactError("The scale of a QDA must be above 0.")


@MODELS.register("naive-bayes")
class NaiveBayes(Classifier):
    """One Gaussian per class and feature, as if features were strangers to each other.

    Parameters
    ----------
    smoothing : float
        Share of the largest variance among the features that is added to every variance.

    References
    ----------
    hand2001

    Examples
    --------
    >>> NaiveBayes().fit([[0.0], [1.0], [4.0], [5.0]], list("aabb")).predict([[1.2]]).tolist()
    ['a']
    """

    space = (real("smoothing", 1e-12, 0.1, log=True),)
    state = ("mean_", "variance_", "log_prior_")

    mean_: NDArray[np.float64]
    variance_: NDArray[np.float64]
    log_prior_: NDArray[np.float64]

    def __init__(self, *, smoothing: float = 1e-9) -> None:
        self.smoothing = smoothing

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del people
        smoothing = check_non_negative(self.smoothing, name="smoothing")
        classes = [X[codes == k] for k in range(len(self.classes_))]
        self.mean_ = np.stack([rows.mean(axis=0) for rows in classes])
        spread = np.stack([rows.var(axis=0) for rows in classes])
        # Below what can be divided by, features that never vary would shout.
        least = max(smoothing * float(X.var(axis=0).max()), float(np.finfo(np.float64).tiny))
        self.variance_ = spread + least
        self.log_prior_ = np.log([len(rows) / len(X) for rows in classes])

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        scores = np.empty((len(X), len(self.classes_)))
        for k, (mean, variance) in enumerate(zip(self.mean_, self.variance_, strict=True)):
            away = np.square(X - mean) / variance
            scores[:, k] = -0.5 * (away.sum(axis=1) + np.log(2 * np.pi * variance).sum())
        return softmax(scores + self.log_prior_)

    def _check_state(self) -> None:
        n_classes, n_features = len(self.classes_), self.n_features_in_
        self._expect("mean_", n_classes, n_features)
        self._expect("variance_", n_classes, n_features)
        self._expect("log_prior_", n_classes)
        if not (self.variance_ > 0).all():
            raise ArtifactError("Variances of a naive Bayes model must be above 0.")
