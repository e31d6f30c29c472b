"""The contract of a selection: scikit-learn's, plus a fitted state that is nothing but arrays."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from myograph.core.checks import check_count, unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.registry import Registry
from myograph.core.saved import SavedAsArrays

__all__ = [
    "SELECTIONS",
    "Columns",
    "Projection",
    "Sample",
    "Selection",
    "Selector",
    "build_selection",
    "constant_columns",
    "n_kept",
]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table are.

    Parameters
    ----------
    names : tuple of str
        ``channel.feature``, one per column.
    n_samples : int
        Length of the windows they were measured on.
    """

    names: tuple[str, ...]
    n_samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a selection learns from: checked rows, what they show, and whose they are.

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_columns)
    codes : ndarray of int, shape (n_rows,)
        Class of each row as a position in the sorted classes; empty for regression.
    values : ndarray, shape (n_rows,)
        Number to estimate; empty for classification.
    people : ndarray of int, shape (n_rows,)
    columns : Columns or None
        None when the caller did not name them.
    """

    X: Matrix
    codes: Rows
    values: Matrix
    people: Rows
    columns: Columns | None

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for regression."""
        return int(self.codes.max()) + 1 if len(self.codes) else 0

    def take(self, rows: NDArray[Any]) -> Sample:
        """Return these rows; classes that lose all of theirs leave no gap in the codes."""
        codes = self.codes[rows] if len(self.codes) else self.codes
        if len(codes):
            codes = np.unique(codes, return_inverse=True)[1].astype(np.intp)
        values = self.values[rows] if len(self.values) else self.values
        return Sample(self.X[rows], codes, values, self.people[rows], self.columns)

    def thinned(self, most: int) -> Sample:
        """Return at most ``most`` rows, at equal distances within every class: none is drawn."""
        n = len(self.X)
        if n <= most:
            return self
        key = self.codes if len(self.codes) else np.zeros(n, dtype=np.intp)
        order = np.lexsort([np.arange(n), self.people, key])
        return self.take(np.sort(order[np.arange(most) * n // most]))


class Selection(TransformerMixin, SavedAsArrays, BaseEstimator):
    """What every selection shares: it learns from training rows which numbers go on to the model.

    Two kinds: a `Selector` keeps some of the columns, a `Projection` makes new ones of all.
    """

    #: Whether `fit` needs ``y``.
    supervised: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    #: Figures about this fit, by what they are; results tell their mean over folds.
    facts_: Mapping[str, float] = MappingProxyType({})

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        columns: Columns | None = None,
    ) -> Self:
        """Learn which columns to keep, or how to combine them.

        Parameters
        ----------
        X : array, shape (n_rows, n_columns)
            Finite.
        y : array, shape (n_rows,)
            Class of each row, or the number to estimate.
        groups : array, shape (n_rows,), optional
            Person of each row: what is tried out inside is tried on people kept apart.
        columns : Columns, optional
            What the columns are; a selection by cost needs it.

        Raises
        ------
        DataError, ParameterError
            If there is nothing to tell apart, or a parameter breaks its rule.
        """
        if y is None and not self.supervised:
            rows, codes = validate_data(self, X, dtype=np.float64), np.empty(0, dtype=np.intp)
            values = np.empty(0)
        else:
            rows, target = validate_data(self, X, y, dtype=np.float64)
            codes, values = self._read(target)
        people = np.zeros(len(rows), dtype=np.intp)
        if groups is not None:
            people = np.unique(np.asarray(groups), return_inverse=True)[1]
        if columns is not None and len(columns.names) != rows.shape[1]:
            raise DataError(f"{len(columns.names)} columns are named; X has {rows.shape[1]}.")
        self.notes_, self.facts_ = (), {}
        self._learn(Sample(rows, codes, values, people, columns))
        return self

    def transform(self, X: ArrayLike) -> Matrix:
        """Return the selected or projected numbers, shape (n_rows, n_out)."""
        check_is_fitted(self)
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        return self._apply(rows)

    def selected(self, rows: Matrix) -> Matrix:
        """Return what `transform` does, without checking: for streams, which checked before."""
        return self._apply(rows)

    def __sklearn_tags__(self) -> Tags:
        """Tell scikit-learn whether ``y`` is needed."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.supervised
        return tags

    @abstractmethod
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of what goes on to the model."""

    @property
    @abstractmethod
    def n_out(self) -> int:
        """How many numbers go on to the model."""

    @abstractmethod
    def _learn(self, sample: Sample) -> None:
        """Set the attributes named in ``state``."""

    @abstractmethod
    def _apply(self, X: Matrix) -> Matrix:
        """Transform checked rows."""

    def _require_fitted(self) -> None:
        check_is_fitted(self)

    def _read(self, target: NDArray[Any]) -> tuple[Rows, Matrix]:
        numeric = type_of_target(target) == "continuous"
        task = "regression" if numeric else "classification"
        if self.supervised and task not in self.tasks:
            # The words that scikit-learn's users, and its checks, know.
            raise DataError(
                f"Unknown label type: continuous. {type(self).__name__} needs classes; to "
                "estimate a number, use a selection that can."
            )
        if numeric:
            return np.empty(0, dtype=np.intp), np.asarray(target, dtype=np.float64)
        check_classification_targets(target)
        codes = np.unique(target, return_inverse=True)[1].astype(np.intp)
        return codes, np.empty(0)


class Selector(Selection):
    """A selection that keeps some of the columns as they are; subclasses write `_pick`."""

    state: ClassVar[tuple[str, ...]] = ("support_", "scores_")

    #: Which columns are kept, shape (n_columns,).
    support_: NDArray[np.bool_]
    #: How each column did, shape (n_columns,); higher is better, the meaning is the method's.
    scores_: Matrix

    @property
    def n_out(self) -> int:
        """How many columns are kept."""
        return int(self.support_.sum())

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the columns that are kept."""
        check_is_fitted(self)
        names: NDArray[Any] = _check_feature_names_in(self, input_features)
        return names[self.support_]

    def _learn(self, sample: Sample) -> None:
        n_columns = sample.X.shape[1]
        chosen, self.scores_ = self._pick(sample)
        self.support_ = np.zeros(n_columns, dtype=np.bool_)
        self.support_[chosen] = True

    def _apply(self, X: Matrix) -> Matrix:
        return X[:, self.support_]

    def _thinned(self, sample: Sample, max_windows: int) -> Sample:
        most = check_count(max_windows, name="max_windows", least=2)
        if len(sample.X) > most:
            told = f"The selection learned from {most} training windows of each fold (max_windows)"
            self.notes_ = (f"{told}, spread evenly over classes.",)
        return sample.thinned(most)

    @abstractmethod
    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        """Return the columns to keep, and the score of every column."""

    def _check_state(self) -> None:
        self._expect("support_", self.n_features_in_, kind="b")
        self._expect("scores_", self.n_features_in_)
        if not self.support_.any():
            raise ArtifactError("A selection must keep at least one column; its support is empty.")


class Projection(Selection):
    """A selection that makes new numbers of all columns: ``(X - centre) / spread @ components``."""

    state = ("centre_", "spread_", "components_")
    #: Start of the names of the new columns.
    prefix: ClassVar[str]

    centre_: Matrix
    spread_: Matrix
    #: Shape (n_columns, n_out).
    components_: Matrix

    @property
    def n_out(self) -> int:
        """How many components there are."""
        return self.components_.shape[1]

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Return the names of the components."""
        check_is_fitted(self)
        _check_feature_names_in(self, input_features)
        return np.array([f"{self.prefix}{k + 1}" for k in range(self.n_out)], dtype=object)

    def _apply(self, X: Matrix) -> Matrix:
        return ((X - self.centre_) / self.spread_) @ self.components_

    def _check_state(self) -> None:
        self._expect("centre_", self.n_features_in_)
        self._expect("spread_", self.n_features_in_)
        self._expect("components_", self.n_features_in_, self.components_.shape[-1])
        if not (self.spread_ > 0).all() or not self.n_out:
            raise ArtifactError("A projection needs spreads above 0 and at least one component.")


#: Every selection by name.
SELECTIONS: Registry[type[Selection]] = Registry("selection")


def build_selection(name: str, **params: Any) -> Selection:
    """Build an unfitted selection.

    Raises
    ------
    ParameterError
        If the selection or a parameter is unknown. A value that breaks its rule is refused by
        `fit`, as scikit-learn's contract wants.

    Examples
    --------
    >>> build_selection("anova", keep=8)
    Anova(keep=8)
    """
    cls = SELECTIONS[name]
    known = list(inspect.signature(cls).parameters)
    for given in params:
        if given not in known:
            raise ParameterError(
                unknown_name(given, known, what=f"parameter of selection {name!r}")
            )
    return cls(**params)


def constant_columns(X: Matrix) -> NDArray[np.bool_]:
    """Say which columns never vary, or by rounding alone.

    By their range: the deviation from a mean holds the rounding of a long sum.
    """
    tolerance = 10 * np.finfo(np.float64).eps * np.abs(X).max(axis=0)
    constant: NDArray[np.bool_] = np.ptp(X, axis=0) <= tolerance
    return constant


def n_kept(keep: float, n: int, *, what: Literal["columns", "units"] = "columns") -> int:
    """Return how many of ``n`` things ``keep`` means: a count, or a share when it is a float.

    Examples
    --------
    >>> n_kept(8, 32), n_kept(0.5, 33), n_kept(1.0, 4)
    (8, 17, 4)
    """
    if isinstance(keep, float | np.floating):
        if not 0 < keep <= 1:
            raise ParameterError(
                f"keep must be a count, or a share above 0 and up to 1.0; got {keep!r}."
            )
        return max(1, int(np.ceil(keep * n - 1e-9)))
    count = check_count(keep, name="keep")
    if count > n:
        raise ParameterError(f"keep={count} is more than the {n} {what} there are; keep fewer.")
    return count
