"""Answers: held-out probabilities beside the truth, and whose windows they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError
from myograph.models.aggregate import aggregate_people
from myograph.validate.fold import Groups

if TYPE_CHECKING:
    from myograph.validate.result import Predictions

__all__ = ["Answers"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model said about windows of people it had not seen.

    Parameters
    ----------
    proba : ndarray, shape (n_windows, n_classes)
        Rows sum to 1.
    truth : ndarray of int, shape (n_windows,)
        Number of the true class.
    people : Groups
        Whose window each is.
    classes : tuple of str

    Raises
    ------
    DataError
        If the arrays do not fit each other, there is nothing in them, or a row holds no
        probabilities.
    """

    proba: Array
    truth: Codes
    people: Groups
    classes: tuple[str, ...]
    #: Every person's windows weigh 1 together: windows of one person are one piece of evidence.
    weights: Array = field(init=False)

    def __post_init__(self) -> None:
        if self.proba.ndim != 2 or self.proba.shape != (len(self.truth), len(self.classes)):
            raise DataError(
                f"Answers need one row of {len(self.classes)} probabilities per window; got "
                f"probabilities of shape {self.proba.shape} and {len(self.truth)} true classes."
            )
        if not len(self.truth) or len(self.people) != len(self.truth):
            raise DataError(
                f"Answers need at least one window, and a person for each; got {len(self.truth)} "
                f"windows and {len(self.people)} names."
            )
        sums = self.proba.sum(axis=1)
        if not (np.isfinite(sums) & (self.proba >= 0).all(axis=1) & (abs(sums - 1) < 1e-6)).all():
            raise DataError(
                "Every row of probabilities must be finite, 0 or more and sum to 1; turn scores "
                "into probabilities first (a calibrated model, or a softmax)."
            )
        counts = np.bincount(self.people.codes, minlength=len(self.people.names))
        object.__setattr__(self, "weights", 1.0 / counts[self.people.codes])

    @classmethod
    def of(
        cls, proba: ArrayLike, truth: ArrayLike, people: ArrayLike, *, classes: tuple[str, ...]
    ) -> Answers:
        """Put together answers from plain arrays.

        Parameters
        ----------
        proba : array, shape (n_windows, n_classes)
        truth : array of str, shape (n_windows,)
            Names of true classes.
        people : array of str, shape (n_windows,)
        classes : tuple of str
            In the order of the columns.

        Examples
        --------
        >>> said = Answers.of([[0.9, 0.1], [0.4, 0.6]], ["a", "a"], ["p", "q"], classes=("a", "b"))
        >>> said.right.tolist(), said.n_people
        ([True, False], 2)
        """
        places = {name: number for number, name in enumerate(classes)}
        names = np.asarray(truth, dtype=np.str_).ravel().tolist()
        for name in names:
            if name not in places:
                raise DataError(unknown_name(name, classes, what="a true class"))
        return cls(
            np.asarray(proba, dtype=np.float64),
            np.array([places[name] for name in names], dtype=np.intp),
            Groups.of(people),
            tuple(classes),
        )

    @classmethod
    def of_predictions(cls, predictions: Predictions, classes: tuple[str, ...]) -> Answers:
        """Take the held-out windows of an evaluation."""
        index = predictions.index
        return cls.of(predictions.output, index.label, index.subject, classes=classes)

    @classmethod
    def of_cases(
        cls, predictions: Predictions, classes: tuple[str, ...], *, method: str
    ) -> Answers:
        """Take one answer per person, for people with one label each.

        Parameters
        ----------
        predictions : Predictions
        classes : tuple of str
        method : str
            See `myograph.models.aggregate.METHODS`.
        """
        index = predictions.index
        people, proba = aggregate_people(predictions.output, index, method=method)
        truth = []
        for person in people:
            labels = np.unique(index.label[index.subject == person])
            if len(labels) != 1:
                raise DataError(
                    f"Person {str(person)!r} has windows of {len(labels)} classes, so they are "
                    "not one case; judge their windows instead."
                )
            truth.append(str(labels[0]))
        return cls.of(proba, truth, people, classes=classes)

    @property
    def n_people(self) -> int:
        """Count the people."""
        return len(self.people.names)

    @property
    def predicted(self) -> Codes:
        """The most probable class of each window."""
        return self.proba.argmax(axis=1)

    @property
    def confidence(self) -> Array:
        """The probability of the most probable class."""
        return np.asarray(self.proba.max(axis=1))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the true one."""
        return np.asarray(self.predicted == self.truth)

    def take(self, rows: NDArray[Any]) -> Answers:
        """Return these windows (positions or a mask)."""
        names = np.array(self.people.names)[self.people.codes[rows]]
        return Answers(self.proba[rows], self.truth[rows], Groups.of(names), self.classes)

    def person(self, code: int, *, others: bool = False) -> Codes:
        """Return the rows of one person, or of everybody else."""
        return np.flatnonzero((self.people.codes == code) != others)

    def replaced(self, proba: Array) -> Answers:
        """Return the same windows with other probabilities."""
        return Answers(proba, self.truth, self.people, self.classes)

    def by_person(self, values: NDArray[Any]) -> Array:
        """Return the mean of ``values`` over each person's windows.

        Parameters
        ----------
        values : ndarray, shape (n_windows,)
            NaN where a window does not count.

        Returns
        -------
        ndarray, shape (n_people,)
            NaN for a person without a value.
        """
        given = np.asarray(values, dtype=np.float64)
        counts = np.isfinite(given)
        n = self.n_people
        total = np.bincount(self.people.codes, np.where(counts, given, 0.0), minlength=n)
        many = np.bincount(self.people.codes, counts.astype(np.float64), minlength=n)
        return np.divide(total, many, out=np.full(n, np.nan), where=many > 0)
