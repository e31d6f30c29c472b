"""The model contract: scikit-learn's, plus a fitted state that is nothing but arrays."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.core.registry import Registry
from myograph.core.saved import SavedAsArrays

__all__ = ["MODELS", "Classifier", "Model", "Regressor", "build_model", "softmax"]


class Model(SavedAsArrays, BaseEstimator):
    """What every model shares; its fitted state is nothing but arrays, see `SavedAsArrays`."""

    #: What a row of ``X`` is: ``"features"`` (n_features,), ``"windows"`` (n_channels, n_samples).
    eats: ClassVar[Literal["features", "windows"]] = "features"
    task: ClassVar[Literal["classification", "regression"]]
    #: True when `fit` also takes ``groups``, the person of each row.
    uses_groups: ClassVar[bool] = False

    @abstractmethod
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from ``X`` (n_rows, n_features) and ``y`` (n_rows,)."""

    def _require_fitted(self) -> None:
        check_is_fitted(self)

    def _rows(self, X: ArrayLike) -> NDArray[np.float64]:
        """Check ``X`` against the fitted model."""
        check_is_fitted(self)
        rows: NDArray[np.float64] = validate_data(self, X, reset=False, dtype=np.float64)
        return rows


class Classifier(ClassifierMixin, Model):
    """A model that names a class; subclasses write `_learn` and `_proba`."""

    task = "classification"
    #: Fewest classes that can be learned from.
    least_classes: ClassVar[int] = 2

    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn to name the class of a row.

        Parameters
        ----------
        X : array, shape (n_rows, n_features)
            Finite.
        y : array, shape (n_rows,)
            Class of each row.
        groups : array, shape (n_rows,), optional
            Person of each row, for models with ``uses_groups``.

        Raises
        ------
        DataError
            If there is only one class.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < self.least_classes:
            raise DataError(
                f"{type(self).__name__} needs at least {self.least_classes} classes to tell "
                f"apart; the training windows have one class: {self.classes_.tolist()}."
            )
        people = np.zeros(len(rows), dtype=np.intp)
        if groups is not None:
            people = np.unique(np.asarray(groups), return_inverse=True)[1]
        self.notes_ = ()
        self._learn(rows, codes, people)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of each class, shape (n_rows, n_classes)."""
        return self._proba(self._rows(X))

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what `predict_proba` does, without checking: for streams, which checked before."""
        return self._proba(rows)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class of each row."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    @classmethod
    def _saved(cls) -> tuple[str, ...]:
        return (*super()._saved(), "classes_")

    @abstractmethod
    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        """Set the attributes named in ``state``; ``codes`` are positions in ``classes_``."""

    @abstractmethod
    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probabilities of checked rows."""


class Regressor(RegressorMixin, Model):
    """A model that estimates a number; subclasses write `_learn` and `_estimate`."""

    task = "regression"

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn to estimate ``y`` (n_rows,) from ``X`` (n_rows, n_features)."""
        rows, values = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self.notes_ = ()
        self._learn(rows, np.asarray(values, dtype=np.float64))
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the estimate of each row, shape (n_rows,)."""
        return self._estimate(self._rows(X))

    @abstractmethod
    def _learn(self, X: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Set the attributes named in ``state``."""

    @abstractmethod
    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return estimates of checked rows."""


#: Every model by name.
MODELS: Registry[type[Model]] = Registry("model")


def build_model(name: str, **params: Any) -> Model:
    """Build an unfitted model.

    Raises
    ------
    ParameterError
        If the model or a parameter is unknown. A value that breaks its rule is refused by `fit`,
        as scikit-learn's contract wants.

    Examples
    --------
    >>> build_model("lda", shrinkage=0.1)
    LDA(shrinkage=0.1)
    """
    cls = MODELS[name]
    known = list(inspect.signature(cls).parameters)
    for given in params:
        if given not in known:
            raise ParameterError(unknown_name(given, known, what=f"parameter of model {name!r}"))
    return cls(**params)


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of ``scores`` as probabilities: exp, over its sum."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
