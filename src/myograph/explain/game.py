"""Games: a decision as what its parts make of it, some of them kept and the others taken away.

Every way of explaining here asks the model the same thing: what would you say if only these parts
were there? What takes the place of a part that is away is stated: its level of rest where training
people are known, or else a hundredth of it (not nothing: a covariance of nothing has no logarithm);
for features, the values of training people.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.explain.explanation import Groups
from myograph.explain.question import Question

__all__ = ["AskedGame", "FeatureGame", "Game", "every_mask"]

Array = NDArray[np.float64]
Masks = NDArray[np.bool_]

# Windows that are scored at once.
_BLOCK = 2048


class Game(ABC):
    """Parts of a decision that can be taken away.

    Attributes
    ----------
    names : tuple of str
    about : str
        What a part is.
    unit : str
        Of the evidence.
    away : str
        What takes the place of a part that is away.
    """

    about: str
    away: str

    def __init__(self, question: Question, names: Sequence[str]) -> None:
        if not names:
            raise DataError("There is nothing to take away: the decision has no parts.")
        self.question = question
        self.names = tuple(names)
        self.unit = question.unit

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.names)

    def value(self, keep: Masks) -> Array:
        """Return the evidence with only some parts there.

        Parameters
        ----------
        keep : ndarray of bool, shape (n_masks, n_parts)

        Returns
        -------
        ndarray, shape (n_masks,)
        """
        return self.worth(keep).mean(axis=1)

    @abstractmethod
    def worth(self, keep: Masks) -> Array:
        """Return what `value` is the mean of: the evidence of each row, (n_masks, n_rows)."""

    @abstractmethod
    def with_question(self, question: Question) -> Game:
        """Return the same game about the same signal, asked of another model."""

    def _checked(self, keep: Masks) -> Masks:
        masks = np.asarray(keep, dtype=np.bool_)
        if masks.ndim != 2 or masks.shape[1] != len(self.names):
            raise DataError(
                f"keep must say of each of {len(self.names)} parts whether it is there; "
                f"got shape {masks.shape}."
            )
        return masks


class AskedGame(Game):
    """A game whose model is asked anew for every way of keeping parts."""

    def __init__(self, question: Question, names: Sequence[str]) -> None:
        super().__init__(question, names)
        #: Rows the model is asked about for each way of keeping parts.
        self._n_rows = len(question.windows)

    def with_question(self, question: Question) -> Self:
        """Return the same game about the same signal, asked of another model."""
        other = copy(self)
        other.question = question
        return other

    def worth(self, keep: Masks) -> Array:
        """Return the evidence of each row, (n_masks, n_rows); see `Game.worth`."""
        masks = self._checked(keep)
        size = max(1, _BLOCK // self._n_rows)
        found = []
        for start in range(0, len(masks), size):
            taken = [self._taken(mask) for mask in masks[start : start + size]]
            evidence = self.question.evidence_of(np.concatenate(taken))
            found.append(evidence.reshape(len(taken), -1))
        return np.concatenate(found)

    @abstractmethod
    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        """Return what the model takes with only these parts there."""


class FeatureGame(AskedGame):
    """Columns of what the model takes, replaced by those of training people.

    The value of a coalition is the mean over the training rows: each of them lends the columns
    that are away. This is what interventional SHAP values divide up.

    Parameters
    ----------
    question : Question
    reference : ndarray, shape (n_reference, n_columns)
        What the model takes of windows of training people.
    groups : Groups, optional
        Columns that come and go together; every column for itself without.
    most_rows : int, optional
        At most so many of the question's windows, evenly spread. None takes all.
    """

    away = "a feature that is away has the values of training people"

    def __init__(
        self,
        question: Question,
        reference: Array,
        *,
        groups: Groups | None = None,
        most_rows: int | None = None,
    ) -> None:
        rows = np.asarray(question.inputs, dtype=np.float64)
        if most_rows is not None and len(rows) > most_rows:
            rows = rows[np.linspace(0, len(rows) - 1, most_rows).round().astype(int)]
        if rows.ndim != 2:
            raise ParameterError(
                "This model takes whole windows, not features; explain it by muscles, bands and "
                "moments."
            )
        given = np.asarray(reference, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != rows.shape[1] or not len(given):
            raise DataError(
                f"reference must have {rows.shape[1]} columns and at least one row; "
                f"got shape {given.shape}."
            )
        if groups is None:
            n = rows.shape[1]
            groups = Groups("feature", question.names, tuple(range(n)))
        super().__init__(question, groups.names)
        self.about = groups.about
        self.groups, self.rows, self.reference = groups, rows, given
        self._owner = np.asarray(groups.owner)
        self._n_rows = max(1, len(rows) * len(given) // 16)

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask[self._owner]
        return np.where(there, self.rows[:, None], self.reference[None]).reshape(-1, len(there))


def every_mask(n_parts: int) -> Masks:
    """Return all ways of keeping parts, shape (2**n_parts, n_parts); row k is k in binary."""
    check_count(n_parts, name="n_parts")
    return (np.arange(2**n_parts)[:, None] >> np.arange(n_parts) & 1).astype(np.bool_)
