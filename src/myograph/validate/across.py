"""Splits that hold out whole groups of the table: people, sites, sessions, ..."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups, Rows
from myograph.validate.split import ACROSS, UNITS, WITHIN, Split, need, register_split

__all__ = ["GroupKFold", "GroupSplit", "HoldOut", "LeaveOneSubjectOut", "LeaveSiteOut"]

Deal = list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class GroupSplit(Split):
    """Holds out whole groups of the table: people, sites, sessions, ..."""

    @abstractmethod
    def deal(self, names: tuple[str, ...]) -> Deal:
        """Return (name of the fold, groups it holds out) for each fold."""

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        groups = Groups.of(index.groups(*self.by))
        folds = []
        for name, held_out in self.deal(groups.names):
            test = groups.rows_of(held_out)
            folds.append(Fold(name, _others(test, len(index)), test, groups))
        return tuple(folds)


@register_split("leave-one-subject-out")
@dataclass(frozen=True, slots=True)
class LeaveOneSubjectOut(GroupSplit):
    """Test each person on a model of all the others."""

    @property
    def scope(self) -> str:
        """Scores are about people never seen."""
        return ACROSS

    @property
    def by(self) -> tuple[str, ...]:
        """People."""
        return ("subject",)

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out one group at a time."""
        need(names, 2, what=_plural(self.by), split=self.name)
        return [(name, (name,)) for name in names]


@register_split("leave-site-out")
@dataclass(frozen=True, slots=True)
class LeaveSiteOut(GroupSplit):
    """Test each site on a model of all the others.

    Parameters
    ----------
    shared_people : str
        What to do with people who were recorded at several sites: ``"refuse"``, or ``"drop"``
        them from the training side while one of their sites is tested.
    """

    shared_people: str = "refuse"

    def __post_init__(self) -> None:
        check_choice(self.shared_people, ("refuse", "drop"), name="shared_people")

    @property
    def scope(self) -> str:
        """Scores are about people never seen."""
        return ACROSS

    @property
    def by(self) -> tuple[str, ...]:
        """Sites, and the people there."""
        return ("site", "subject")

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out one site at a time."""
        need(names, 2, what="sites", split=self.name)
        return [(name, (name,)) for name in names]

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        sites, people = Groups.of(index.site), Groups.of(index.subject)
        folds = []
        for name, held_out in self.deal(sites.names):
            test = sites.rows_of(held_out)
            train = _others(test, len(index))
            shared = set(people.present(test)).intersection(people.present(train))
            if shared and self.shared_people == "refuse":
                raise DataError(
                    f"{len(shared)} people were recorded at site {name!r} and elsewhere "
                    f"({sorted(shared)[:5]}), so leaving the site out would test people it "
                    "trained on. Give shared_people='drop' to leave them out of training, "
                    "or rename them if they are different people."
                )
            known = people.rows_of(tuple(shared), among=train)
            folds.append(Fold(name, np.setdiff1d(train, known), test, sites))
        return tuple(folds)


@register_split("group-k-fold")
@dataclass(frozen=True, slots=True)
class GroupKFold(GroupSplit):
    """Deal whole groups at random into folds of about equally many groups.

    Parameters
    ----------
    n_folds : int
        2 or more.
    group : str
        ``"subject"`` (default), ``"site"``, ``"session"``, ``"trial"`` or ``"recording"``.
        The last three keep people on both sides, and the scores are then within person.
    seed : int
        Of the dealing.
    """

    n_folds: int = 5
    group: str = "subject"
    seed: int = 0

    def __post_init__(self) -> None:
        check_count(self.n_folds, name="n_folds", least=2)
        check_choice(self.group, UNITS, name="group")
        check_count(self.seed, name="seed", least=0)

    @property
    def scope(self) -> str:
        """About people never seen only if people are what is dealt."""
        return ACROSS if self.group == "subject" else WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Columns that name one group."""
        return UNITS[self.group]

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Deal the groups, shuffled by the seed, into the folds."""
        need(names, self.n_folds, what=_plural(self.by), split=self.name)
        order = np.random.default_rng(self.seed).permutation(len(names))
        parts = np.array_split(order, self.n_folds)
        return [
            (f"fold {k + 1} of {self.n_folds}", tuple(names[i] for i in sorted(part)))
            for k, part in enumerate(parts)
        ]


@register_split("hold-out")
@dataclass(frozen=True, slots=True)
class HoldOut(GroupSplit):
    """One fold: some people train, some validate, some test.

    Parameters
    ----------
    test, validation : float
        Shares of the groups, in (0, 1) and [0, 1); each rounded, a share above 0 to at least one.
    group : str
        As in `GroupKFold`.
    seed : int
        Of the dealing.
    """

    test: float = 0.2
    validation: float = 0.2
    group: str = "subject"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self.group, UNITS, name="group")
        check_count(self.seed, name="seed", least=0)
        if not (0 < self.test < 1 and self.validation >= 0 and self.test + self.validation < 1):
            raise ParameterError(
                "test must lie in (0, 1), validation in [0, 1), and their sum below 1, so that "
                f"some groups train; got test={self.test!r}, validation={self.validation!r}."
            )

    @property
    def scope(self) -> str:
        """About people never seen only if people are what is dealt."""
        return ACROSS if self.group == "subject" else WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Columns that name one group."""
        return UNITS[self.group]

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out the test groups, once."""
        return [("held out", self._dealt(names)[0])]

    def _dealt(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        least = 3 if self.validation else 2
        need(names, least, what=_plural(self.by), split=self.name)
        order = np.random.default_rng(self.seed).permutation(len(names))
        n_test = max(1, round(self.test * len(names)))
        n_validation = max(1, round(self.validation * len(names))) if self.validation else 0
        if n_test + n_validation >= len(names):
            raise DataError(
                f"Of {len(names)} groups, {n_test} to test and {n_validation} to validate leave "
                "none to train on; hold out less, or use leave-one-subject-out."
            )
        test, validation = order[:n_test], order[n_test : n_test + n_validation]
        return tuple(names[i] for i in test), tuple(names[i] for i in validation)

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        groups = Groups.of(index.groups(*self.by))
        test_names, validation_names = self._dealt(groups.names)
        test, validation = groups.rows_of(test_names), groups.rows_of(validation_names)
        train = _others(np.concatenate([test, validation]), len(index))
        return (Fold("held out", train, test, groups, validation),)


def _others(rows: Rows, n_rows: int) -> Rows:
    rest = np.ones(n_rows, dtype=bool)
    rest[rows] = False
    return np.flatnonzero(rest)


def _plural(by: tuple[str, ...]) -> str:
    kinds = {"subject": "people", "trial": "repetitions"}
    return kinds.get(by[-1], f"{by[-1]}s")
