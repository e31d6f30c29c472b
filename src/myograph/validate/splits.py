"""Splits: which people, sessions or repetitions are held out. A split is data.

Every split is a frozen dataclass of its parameters, seed included, so the same split gives the
same folds on every call. ``scope`` says what its scores are about: people never seen, or people
the model already knows.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.core.recipe import canonical_json
from myograph.core.registry import Registry
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups, Rows
from myograph.validate.manifest import SplitManifest

__all__ = [
    "SPLITS",
    "GroupKFold",
    "HoldOut",
    "LeaveOneSubjectOut",
    "LeaveSiteOut",
    "Repetition",
    "SavedSplit",
    "Session",
    "Split",
    "make_split",
    "natural_order",
]

#: What names one unit of each kind; a coarser column is part of a finer unit's name.
_UNITS = {
    "subject": ("subject",),
    "site": ("site",),
    "session": ("subject", "session"),
    "trial": ("subject", "session", "trial"),
    "recording": ("recording",),
}
_ACROSS, _WITHIN = "across people", "within person"

Deal = list[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Split(ABC):
    """What is held out, fold by fold. Subclasses are frozen dataclasses of their parameters."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def scope(self) -> str:
        """``"across people"`` or ``"within person"``."""

    @property
    @abstractmethod
    def by(self) -> tuple[str, ...]:
        """Columns of the index that together name one unit of the split."""

    @abstractmethod
    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        """Return the folds of an index that has windows and names in every column of ``by``."""

    def folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        """Return the folds of ``index``, the same on every call.

        Raises
        ------
        DataError
            If the index is empty, lacks a name that the split groups by, or has too few groups.
        """
        self._check_index(index)
        return self._folds(index)

    def manifest(self, index: WindowIndex) -> SplitManifest:
        """Write down the folds of ``index`` by the names of people, sessions or repetitions."""
        folds = self.folds(index)
        written = SplitManifest.of_folds(
            folds, index, split=self.name, scope=self.scope, by=self.by
        )
        return replace(written, parameters=canonical_json(self.parameters()))

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that rebuild this split."""
        return asdict(self)

    def _check_index(self, index: WindowIndex) -> None:
        if not len(index):
            raise DataError(
                f"There are no windows to split by {self.name!r}; check that the recordings hold "
                "labelled events and are longer than one window."
            )
        for column in set(self.by) - {"window"}:
            unnamed = int((getattr(index, column) == "").sum())
            if unnamed:
                raise DataError(
                    f"{unnamed} of {len(index)} windows have no {column}, which split "
                    f"{self.name!r} holds out by; name the {column} of every recording, or "
                    "choose another split."
                )


#: Every split by name.
SPLITS: Registry[type[Split]] = Registry("split")

S = TypeVar("S", bound=type[Split])


def _split(name: str) -> Callable[[S], S]:
    def decorate(cls: S) -> S:
        cls.name = name
        SPLITS.add(name, cls)
        return cls

    return decorate


def make_split(name: str, **parameters: Any) -> Split:
    """Build the split called ``name``, or the one saved in the file ``name``.

    Raises
    ------
    ParameterError
        If the split or a parameter is unknown, or a value breaks its rule.

    Examples
    --------
    >>> make_split("group-k-fold", n_folds=4).scope
    'across people'
    """
    if name not in SPLITS and (name.endswith(".json") or Path(name).is_file()):
        return _saved_split(name, parameters)
    if name not in SPLITS:
        raise ParameterError(
            unknown_name(name, SPLITS, what="split") + " A saved split is named by its .json file."
        )
    cls = SPLITS[name]
    known = [f.name for f in fields(cls)]
    for given in parameters:
        if given not in known:
            raise ParameterError(unknown_name(given, known, what=f"parameter of split {name!r}"))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in parameters.items()}
    return cls(**values)


def _saved_split(path: str, parameters: dict[str, Any]) -> Split:
    if parameters:
        raise ParameterError(
            f"The split saved in {path} is complete and takes no parameters; got {parameters}."
        )
    return SavedSplit(path)


def natural_order(names: NDArray[np.str_]) -> tuple[str, ...]:
    """Return each name once, with numbers in them counted: 2 before 10.

    Examples
    --------
    >>> natural_order(np.array(["day10", "day2", "day2"]))
    ('day2', 'day10')
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts = re.split(r"(\d+)", name)
        return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts if p]

    return tuple(sorted(np.unique(names).tolist(), key=key))


@dataclass(frozen=True, slots=True)
class _GroupSplit(Split):
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


@_split("leave-one-subject-out")
@dataclass(frozen=True, slots=True)
class LeaveOneSubjectOut(_GroupSplit):
    """Test each person on a model of all the others."""

    @property
    def scope(self) -> str:
        """Scores are about people never seen."""
        return _ACROSS

    @property
    def by(self) -> tuple[str, ...]:
        """People."""
        return ("subject",)

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out one group at a time."""
        _need(names, 2, what=_plural(self.by), split=self.name)
        return [(name, (name,)) for name in names]


@_split("leave-site-out")
@dataclass(frozen=True, slots=True)
class LeaveSiteOut(_GroupSplit):
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
        return _ACROSS

    @property
    def by(self) -> tuple[str, ...]:
        """Sites, and the people there."""
        return ("site", "subject")

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out one site at a time."""
        _need(names, 2, what="sites", split=self.name)
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


@_split("group-k-fold")
@dataclass(frozen=True, slots=True)
class GroupKFold(_GroupSplit):
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
        check_choice(self.group, _UNITS, name="group")
        check_count(self.seed, name="seed", least=0)

    @property
    def scope(self) -> str:
        """About people never seen only if people are what is dealt."""
        return _ACROSS if self.group == "subject" else _WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Columns that name one group."""
        return _UNITS[self.group]

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Deal the groups, shuffled by the seed, into the folds."""
        _need(names, self.n_folds, what=_plural(self.by), split=self.name)
        order = np.random.default_rng(self.seed).permutation(len(names))
        parts = np.array_split(order, self.n_folds)
        return [
            (f"fold {k + 1} of {self.n_folds}", tuple(names[i] for i in sorted(part)))
            for k, part in enumerate(parts)
        ]


@_split("hold-out")
@dataclass(frozen=True, slots=True)
class HoldOut(_GroupSplit):
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
        check_choice(self.group, _UNITS, name="group")
        check_count(self.seed, name="seed", least=0)
        if not (0 < self.test < 1 and 0 <= self.validation and self.test + self.validation < 1):
            raise ParameterError(
                "test must lie in (0, 1), validation in [0, 1), and their sum below 1, so that "
                f"some groups train; got test={self.test!r}, validation={self.validation!r}."
            )

    @property
    def scope(self) -> str:
        """About people never seen only if people are what is dealt."""
        return _ACROSS if self.group == "subject" else _WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Columns that name one group."""
        return _UNITS[self.group]

    def deal(self, names: tuple[str, ...]) -> Deal:
        """Hold out the test groups, once."""
        return [("held out", self._dealt(names)[0])]

    def _dealt(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        least = 3 if self.validation else 2
        _need(names, least, what=_plural(self.by), split=self.name)
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


@_split("repetition")
@dataclass(frozen=True, slots=True)
class Repetition(Split):
    """Within each person: train a model of their own on some repetitions, test on others.

    Parameters
    ----------
    train, test : tuple of str
        Names of the repetitions to train and to test on. With ``train`` alone, all others are
        tested. With neither, see ``hold_out``.
    hold_out : str
        ``"each"`` repetition in turn, or the ``"last"``.
    n_folds : int
        With ``hold_out="each"``: deal the repetitions, in order, into this many folds instead
        of one each; 0 means one each.
    per : str
        One model per ``"person"`` (a repetition is then held out of all sessions), or per
        ``"session"`` of a person.
    """

    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    hold_out: str = "each"
    n_folds: int = 0
    per: str = "person"

    def __post_init__(self) -> None:
        check_choice(self.hold_out, ("each", "last"), name="hold_out")
        check_choice(self.per, ("person", "session"), name="per")
        check_count(self.n_folds, name="n_folds", least=0)
        _check_sides(self.train, self.test, what="repetitions")

    @property
    def scope(self) -> str:
        """Scores are about people already known."""
        return _WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Repetitions of a session of a person."""
        return _UNITS["trial"]

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        groups = Groups.of(index.groups(*self.by))
        owners = Groups.of(index.groups(*_UNITS["subject" if self.per == "person" else "session"]))
        folds: list[Fold] = []
        for owner in owners.names:
            rows = owners.rows_of((owner,))
            trials = index.trial[rows]
            for name, train, test in self._sides(owner, natural_order(trials)):
                folds.append(
                    Fold(name, rows[np.isin(trials, train)], rows[np.isin(trials, test)], groups)
                )
        return tuple(folds)

    def _sides(self, owner: str, trials: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
        if self.train:
            yield _named_sides(owner, trials, self, what="repetition")
            return
        least = max(2, self.n_folds)
        _need(trials, least, what=f"repetitions of {owner}", split=self.name)
        parts = [(trials[-1],)] if self.hold_out == "last" else _dealt_in_order(trials, self.n_folds)
        for part in parts:
            train = [trial for trial in trials if trial not in part]
            yield f"{owner}: repetition {', '.join(part)}", train, list(part)


@_split("session")
@dataclass(frozen=True, slots=True)
class Session(Split):
    """Within each person: train on some sessions, test on others, usually later ones.

    Sessions are ordered by their names, numbers counted (day 2 before day 10).

    Parameters
    ----------
    train, test : tuple of str
        Names of the sessions to train and to test on. With ``train`` alone, all others are
        tested. With neither, see ``order``.
    order : str
        ``"first"``: train on the first, test on all later ones. ``"earlier"``: test each on a
        model of all earlier ones. ``"each"``: hold out each in turn.
    """

    train: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    order: str = "first"

    def __post_init__(self) -> None:
        check_choice(self.order, ("first", "earlier", "each"), name="order")
        _check_sides(self.train, self.test, what="sessions")

    @property
    def scope(self) -> str:
        """Scores are about people already known, on another day or donning."""
        return _WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Sessions of a person."""
        return _UNITS["session"]

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        groups = Groups.of(index.groups(*self.by))
        people = Groups.of(index.subject)
        folds: list[Fold] = []
        for person in people.names:
            rows = people.rows_of((person,))
            sessions = index.session[rows]
            for name, train, test in self._sides(person, natural_order(sessions)):
                train_rows, test_rows = np.isin(sessions, train), np.isin(sessions, test)
                folds.append(Fold(name, rows[train_rows], rows[test_rows], groups))
        return tuple(folds)

    def _sides(self, person: str, sessions: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
        if self.train:
            yield _named_sides(person, sessions, self, what="session")
            return
        _need(sessions, 2, what=f"sessions of {person}", split=self.name)
        if self.order == "first":
            yield f"{person}: after session {sessions[0]}", [sessions[0]], list(sessions[1:])
            return
        for k, held_out in enumerate(sessions):
            train = sessions[:k] if self.order == "earlier" else sessions[:k] + sessions[k + 1 :]
            if train:
                yield f"{person}: session {held_out}", list(train), [held_out]


@dataclass(frozen=True, slots=True)
class SavedSplit(Split):
    """A split read from the manifest at ``path``; an altered one is refused."""

    path: str
    saved: SplitManifest = field(init=False, repr=False)

    name = "saved"

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", str(self.path))
        object.__setattr__(self, "saved", SplitManifest.load(self.path))

    @property
    def scope(self) -> str:
        """What the manifest says."""
        return self.saved.scope

    @property
    def by(self) -> tuple[str, ...]:
        """What the manifest says."""
        return self.saved.by

    def parameters(self) -> dict[str, Any]:
        """Return the digest: it, not the place of the file, identifies the split."""
        return {"sha256": self.saved.digest()}

    def manifest(self, index: WindowIndex) -> SplitManifest:
        """Return the saved manifest, checked to fit ``index``."""
        self.folds(index)
        return self.saved

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        return self.saved.rows(index)


def _others(rows: Rows, n_rows: int) -> Rows:
    rest = np.ones(n_rows, dtype=bool)
    rest[rows] = False
    return np.flatnonzero(rest)


def _plural(by: tuple[str, ...]) -> str:
    kinds = {"subject": "people", "trial": "repetitions"}
    return kinds.get(by[-1], f"{by[-1]}s")


def _need(names: tuple[str, ...], least: int, *, what: str, split: str) -> None:
    if len(names) < least:
        raise DataError(
            f"Split {split!r} needs at least {least} {what}; the data have {len(names)}: "
            f"{list(names[:5])}. Ask for fewer folds, add data, or choose another split "
            f"({', '.join(name for name in SPLITS if name != split)})."
        )


def _check_sides(train: tuple[str, ...], test: tuple[str, ...], *, what: str) -> None:
    if test and not train:
        raise ParameterError(f"test names {what} {list(test)}, so train must name some as well.")
    both = sorted(set(train) & set(test))
    if both:
        raise ParameterError(f"train and test both name the {what} {both}; each has one side.")


def _named_sides(
    owner: str, present: tuple[str, ...], split: Repetition | Session, *, what: str
) -> tuple[str, list[str], list[str]]:
    absent = [name for name in (*split.train, *split.test) if name not in present]
    test = list(split.test or [name for name in present if name not in split.train])
    if absent or not test:
        lack = f"no {what} named {absent}" if absent else f"no other {what} to test"
        raise DataError(
            f"{owner} has {lack}; theirs are {list(present)}. Name {what}s that everyone has, or "
            "leave this person out."
        )
    return f"{owner}: {what} {', '.join(test)}", list(split.train), test


def _dealt_in_order(names: tuple[str, ...], n_folds: int) -> list[tuple[str, ...]]:
    if not n_folds:
        return [(name,) for name in names]
    return [tuple(part.tolist()) for part in np.array_split(np.array(names), n_folds)]
