"""From recordings over muscles to a person: how much each muscle says is learned."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from myograph.core.checks import check_non_negative
from myograph.core.errors import DataError, ParameterError
from myograph.core.saved import SavedAsArrays
from myograph.models.base import softmax

__all__ = ["RecordingsToPerson"]

# One recording's zero must not silence all the others.
_LEAST = 1e-6

Floats = NDArray[np.float64]


class RecordingsToPerson(SavedAsArrays):
    r"""A logistic model over muscles: each muscle's evidence, weighted by what it is worth.

    The recordings of one muscle of a person are one piece of evidence: the mean of their log
    probabilities :math:`l_m`, centred over classes. The score of class :math:`k` is
    :math:`b_k + \sum_m a_m l_{mk}` over the muscles that were recorded. The weights :math:`a_m` and
    levels :math:`b_k` are fitted on people, the weights drawn towards an even share of 1: what
    plain averaging gives.

    Fit it on answers about recordings that the recording's model had **not** learned from (inner
    folds), or it learns to trust an answer that was learned by heart.

    Parameters
    ----------
    penalty : float
        How strongly weights are drawn to an even share and levels to 0, in people.

    References
    ----------
    cox1958

    Examples
    --------
    >>> answers = [[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]]
    >>> muscles, people = ["biceps", "deltoid"] * 2, ["p1", "p1", "p2", "p2"]
    >>> model = RecordingsToPerson().fit(answers, muscles, people, ["ill", "ill", "well", "well"])
    >>> names, combined = model.combine(answers, muscles, people)
    >>> names.tolist(), model.classes_[combined.argmax(axis=1)].tolist()
    (['p1', 'p2'], ['ill', 'well'])
    """

    state = ("classes_", "muscles_", "weight_", "level_")

    classes_: NDArray[Any]
    muscles_: NDArray[np.str_]
    weight_: Floats
    level_: Floats

    def __init__(self, *, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fit(
        self, proba: ArrayLike, muscles: ArrayLike, people: ArrayLike, labels: ArrayLike
    ) -> Self:
        """Learn what each muscle is worth.

        Parameters
        ----------
        proba : array, shape (n_recordings, n_classes)
            Held-out probabilities, classes in sorted order.
        muscles, people, labels : array, shape (n_recordings,)
            Of each recording; a person has one label.

        Raises
        ------
        DataError
            If a person has two labels, or the shapes differ.
        """
        penalty = check_non_negative(self.penalty, name="penalty")
        truth = np.asarray(labels)
        self.classes_ = np.unique(truth)
        self.muscles_ = np.unique(np.asarray(muscles).astype(np.str_))
        names, evidence = self._evidence(proba, muscles, people)
        owner = np.searchsorted(names, np.asarray(people).astype(np.str_))
        codes = np.searchsorted(self.classes_, truth)
        of_person = np.zeros(len(names), dtype=np.intp)
        of_person[owner] = codes
        if (of_person[owner] != codes).any():
            raise DataError("A person has recordings of two labels; a person is one case here.")
        n_muscles = len(self.muscles_)
        even = np.full(n_muscles, 1 / n_muscles)

        def surprise(numbers: Floats) -> tuple[float, Floats]:
            weight, level = numbers[:n_muscles], numbers[n_muscles:]
            said = softmax(np.einsum("pmk,m->pk", evidence, weight) + level)
            loss = -np.log(said[np.arange(len(names)), of_person]).sum()
            away = said.copy()
            away[np.arange(len(names)), of_person] -= 1
            drawn = np.concatenate([weight - even, level])
            slope = np.concatenate([np.einsum("pmk,pk->m", evidence, away), away.sum(axis=0)])
            return float(loss + penalty * drawn @ drawn / 2), slope + penalty * drawn

        start = np.concatenate([even, np.zeros(len(self.classes_))])
        found = minimize(surprise, start, jac=True, method="L-BFGS-B").x
        self.weight_, self.level_ = found[:n_muscles], found[n_muscles:]
        self.n_features_in_ = len(self.classes_)
        return self

    def combine(
        self, proba: ArrayLike, muscles: ArrayLike, people: ArrayLike
    ) -> tuple[NDArray[np.str_], Floats]:
        """Return the people, sorted, and their probabilities (n_people, n_classes).

        Raises
        ------
        DataError
            If a muscle was not learned.
        """
        self._require_fitted()
        given = set(np.asarray(muscles).astype(np.str_).tolist())
        unknown = sorted(given - set(self.muscles_.tolist()))
        if unknown:
            raise DataError(
                f"Muscles {unknown} were not among those learned, {self.muscles_.tolist()}; what "
                "they are worth is unknown."
            )
        names, evidence = self._evidence(proba, muscles, people)
        return names, softmax(np.einsum("pmk,m->pk", evidence, self.weight_) + self.level_)

    def _evidence(
        self, proba: ArrayLike, muscles: ArrayLike, people: ArrayLike
    ) -> tuple[NDArray[np.str_], Floats]:
        """Return people, and what each muscle says of them, (n_people, n_muscles, n_classes)."""
        rows = np.asarray(proba, dtype=np.float64)
        names, owner = np.unique(np.asarray(people).astype(np.str_), return_inverse=True)
        muscle = np.searchsorted(self.muscles_, np.asarray(muscles).astype(np.str_))
        if (
            rows.ndim != 2
            or rows.shape != (len(owner), len(self.classes_))
            or len(muscle) != len(rows)
        ):
            raise DataError(
                f"One muscle, one person and {len(self.classes_)} probabilities are needed per "
                f"recording; got {rows.shape} probabilities, {len(muscle)} muscles and "
                f"{len(owner)} people."
            )
        logs = np.log(np.maximum(rows, _LEAST))
        logs -= logs.mean(axis=1, keepdims=True)
        sums = np.zeros((len(names), len(self.muscles_), len(self.classes_)))
        counts = np.zeros((len(names), len(self.muscles_), 1))
        np.add.at(sums, (owner, muscle), logs)
        np.add.at(counts, (owner, muscle), 1.0)
        # What was not recorded says nothing.
        return names, sums / np.maximum(counts, 1.0)

    def _require_fitted(self) -> None:
        if not hasattr(self, "weight_"):
            raise ParameterError("This model has not learned what muscles are worth; call fit.")

    def _check_state(self) -> None:
        self._expect("muscles_", len(self.muscles_), kind="U")
        self._expect("weight_", len(self.muscles_))
        self._expect("level_", len(self.classes_))
