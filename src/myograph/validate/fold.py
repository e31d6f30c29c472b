"""Fold: which windows train and which test; no group stands on both sides, by construction."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, LeakageError, ParameterError

__all__ = ["Fold", "GroupDealer", "Groups"]

_SIDES = ("train", "validation", "test")
Rows = NDArray[np.intp]


class GroupDealer(Protocol):
    """Whatever says which groups are held out together, fold by fold."""

    def deal(self, names: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
        """Return (name of the fold, names of the groups it holds out) for each fold."""
        ...


@dataclass(frozen=True, eq=False)
class Groups:
    """The group of every window, as numbers into a table of names.

    Parameters
    ----------
    codes : ndarray of int, shape (n_windows,)
        Position of the window's group in ``names``.
    names : tuple of str
        Every group once.

    Examples
    --------
    >>> groups = Groups.of(["b", "a", "b"])
    >>> groups.names, groups.codes.tolist()
    (('a', 'b'), [1, 0, 1])
    """

    codes: Rows
    names: tuple[str, ...]

    @classmethod
    def of(cls, values: ArrayLike) -> Groups:
        """Give every group a number, from one name per window."""
        names, codes = np.unique(np.asarray(values, dtype=np.str_), return_inverse=True)
        codes = codes.astype(np.intp)
        codes.flags.writeable = False
        return cls(codes, tuple(names.tolist()))

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.codes)

    def present(self, rows: Rows) -> tuple[str, ...]:
        """Name the groups that occur in ``rows``, in the order of ``names``."""
        seen = np.bincount(self.codes[rows], minlength=len(self.names)) > 0
        return tuple(self.names[i] for i in np.flatnonzero(seen))

    def rows_of(self, names: tuple[str, ...], *, among: Rows | None = None) -> Rows:
        """Return the rows, in order, whose group is one of ``names``."""
        wanted = np.isin(np.array(self.names), np.array(names, dtype=np.str_))
        if among is None:
            return np.flatnonzero(wanted[self.codes])
        return among[wanted[self.codes[among]]]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows of one table to train on and rows to test on, with disjoint groups.

    A fold that shares a group between its sides cannot be made.

    Parameters
    ----------
    name : str
        What is held out, in words a reader recognises.
    train, test : ndarray of int
        Rows of the table, each once, kept in ascending order; neither may be empty.
    groups : Groups
        Of every row of the table, used or not.
    validation : ndarray of int
        Rows to tune, stop or calibrate on; neither trained on nor tested. Often none.

    Raises
    ------
    LeakageError
        If a group has rows on two sides.
    DataError
        If a side is empty or names rows that are not there.

    Examples
    --------
    >>> groups = Groups.of(["a", "a", "b", "c"])
    >>> Fold("c", train=[0, 1, 2], test=[3], groups=groups).test.tolist()
    [3]
    """

    name: str
    train: Rows
    test: Rows
    groups: Groups
    validation: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    def __post_init__(self) -> None:
        for side in _SIDES:
            object.__setattr__(self, side, self._checked(side))
        for side in ("train", "test"):
            if not len(getattr(self, side)):
                raise DataError(
                    f"Fold {self.name!r} has no windows to {side} on; "
                    "both sides need some. Check the groups and labels that the split was given."
                )
        for one, other in combinations(_SIDES, 2):
            self._refuse_shared(one, other)

    def inner(self, split: GroupDealer) -> tuple[Fold, ...]:
        """Split the training rows again, holding out whole groups of this fold.

        Parameters
        ----------
        split : GroupDealer
            A grouped split of `myograph.validate.splits`, such as ``GroupKFold(n_folds=3)``
            or ``LeaveOneSubjectOut()``; what it calls a group is this fold's group.

        Returns
        -------
        tuple of Fold
            On the rows of the same table; the outer test rows are in none of them.
        """
        names = self.groups.present(self.train)
        if len(names) < 2:
            raise DataError(
                f"Fold {self.name!r} trains on one group only ({names[0]!r}), so it has no inner "
                "folds that keep the groups; train on more groups, or tune on other data."
            )
        folds = []
        for name, held_out in split.deal(names):
            test = self.groups.rows_of(held_out, among=self.train)
            train = np.setdiff1d(self.train, test, assume_unique=True)
            folds.append(Fold(f"{self.name} > {name}", train, test, self.groups))
        return tuple(folds)

    def with_validation(self, split: GroupDealer) -> Fold:
        """Return a fold whose first inner test side became its validation side."""
        first = self.inner(split)[0]
        return Fold(self.name, first.train, self.test, self.groups, first.test)

    def _checked(self, side: str) -> Rows:
        given = np.asarray(getattr(self, side))
        if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
            raise ParameterError(
                f"{side} of fold {self.name!r} must be a list of row numbers; "
                f"got shape {given.shape} of {given.dtype}."
            )
        rows = np.unique(given).astype(np.intp)
        if len(rows) != len(given):
            raise DataError(f"{side} of fold {self.name!r} names some rows twice.")
        if len(rows) and not 0 <= rows[0] <= rows[-1] < len(self.groups):
            raise DataError(
                f"{side} of fold {self.name!r} names rows {rows[0]} to {rows[-1]}; "
                f"the table has {len(self.groups)} rows, numbered from 0."
            )
        rows.flags.writeable = False
        return rows

    def _refuse_shared(self, one: str, other: str) -> None:
        here = set(self.groups.present(getattr(self, one)))
        shared = sorted(here.intersection(self.groups.present(getattr(self, other))))
        if shared:
            raise LeakageError(
                f"Fold {self.name!r} has {len(shared)} groups on both its {one} and its {other} "
                f"side: {shared[:5]}; a group belongs to one side. Hold out whole groups."
            )
