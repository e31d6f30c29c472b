"""The model contract: scikit-learn's, plus a fitted state that is nothing but arrays."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from myograph.core.checks import unknown_name
from myograph.core.dial import Dial
from myograph.core.errors import DataError, ParameterError
from myograph.core.registry import Registry
from myograph.core.saved import SavedAsArrays

__all__ = [
    "MODELS",
    "Classifier",
    "Model",
    "Regressor",
    "build_model",
    "numbers_of_people",
    "softmax",
]


class Model(SavedAsArrays, BaseEstimator):
    """What every model shares; its fitted state is nothing but arrays, see `SavedAsArrays`."""

    #: What a row of ``X`` is: ``"features"`` (n_features,), ``"windows"`` (n_channels, n_samples).
    eats: ClassVar[Literal["features", "windows"]] = "features"
    task: ClassVar[Literal["classification", "regression"]]
    #: What is worth tuning, and between which values; see `myograph.validate.tuning`.
    space: ClassVar[tuple[Dial, ...]] = ()
    #: True when `fit` also takes ``groups``, the person of each row.
    uses_groups: ClassVar[bool] = False
    #: Packages it learns with, besides those that all of Myograph stands on.
    packages: ClassVar[tuple[str, ...]] = ()

    @property
    def votes(self) -> int:
        """How many votes the probabilities are shares of; 0 where none are counted."""
        return 0

    @abstractmethod
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from ``X`` (n_rows, n_features) and ``y`` (n_rows,)."""

    def _require_fitted(self) -> None:
        check_is_fitted(self)

    def _rows(self, X: ArrayLike) -> NDArray[np.float64]:
        """Check ``X`` against the fitted model."""
        check_is_fitted(self)
        if self.eats == "windows":
            return self._windows(X)
        rows: NDArray[np.float64] = validate_data(self, X, reset=False, dtype=np.float64)
        return rows

    def _windows(self, X: ArrayLike) -> NDArray[np.float64]:
        """Check windows; a fitted model knows how many channels they have."""
        windows: NDArray[np.float64] = check_array(X, dtype=np.float64, allow_nd=True)
        if windows.ndim != 3:
            raise DataError(
                f"{type(self).__name__} takes windows (n_windows, n_channels, n_samples); got an "
                f"array of shape {windows.shape}."
            )
        known = getattr(self, "n_features_in_", windows.shape[1])
        if windows.shape[1] != known:
            raise DataError(
                f"{type(self).__name__} learned from windows of {known} channels; these have "
                f"{windows.shape[1]}."
            )
        return windows

    def _both(self, X: ArrayLike, y: ArrayLike, **rules: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Check what is to be learned from, rows and targets."""
        if self.eats == "features":
            rows, targets = validate_data(self, X, y, dtype=np.float64, **rules)
            return rows, targets
        if hasattr(self, "n_features_in_"):
            del self.n_features_in_  # of an earlier fit
        windows, targets = self._windows(X), column_or_1d(y)
        check_consistent_length(windows, targets)
        self.n_features_in_ = windows.shape[1]
        return windows, targets

    def __sklearn_tags__(self) -> Any:
        """Say to scikit-learn what a row is."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.eats == "features"
        tags.input_tags.three_d_array = self.eats == "windows"
        return tags


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
        rows, labels = self._both(X, y)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < self.least_classes:
            raise DataError(
                f"{type(self).__name__} needs at least {self.least_classes} classes to tell "
                f"apart; the training windows have one class: {self.classes_.tolist()}."
            )
        self.notes_ = ()
        self._learn(rows, codes, numbers_of_people(groups, len(rows)))
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

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Learn to estimate a number.

        Parameters
        ----------
        X : array, shape (n_rows, n_features)
            Finite.
        y : array, shape (n_rows,)
            What to estimate.
        groups : array, shape (n_rows,), optional
            Person of each row, for models with ``uses_groups``.
        """
        rows, values = self._both(X, y, y_numeric=True)
        self.notes_ = ()
        self._learn(
            rows, np.asarray(values, dtype=np.float64), numbers_of_people(groups, len(rows))
        )
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the estimate of each row, shape (n_rows,)."""
        return self._estimate(self._rows(X))

    def estimates(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what `predict` does, without checking: for streams, which checked before."""
        return self._estimate(rows)

    @abstractmethod
    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
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


def numbers_of_people(groups: ArrayLike | None, n_rows: int) -> NDArray[np.intp]:
    """Return the number of the person of each row; everybody is one person without groups."""
    if groups is None:
        return np.zeros(n_rows, dtype=np.intp)
    given = np.asarray(groups)
    if given.shape != (n_rows,):
        raise DataError(f"groups must name one person per row ({n_rows}); got shape {given.shape}.")
    return np.unique(given, return_inverse=True)[1].astype(np.intp)
