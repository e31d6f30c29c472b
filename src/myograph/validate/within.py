"""Splits within each person: a model of their own, tested on what it has not seen of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups
from myograph.validate.manifest import unit_names
from myograph.validate.split import UNITS, WITHIN, Split, natural_order, need, register_split

__all__ = ["Repetition", "Session", "Time"]

Sides = tuple[str, list[str], list[str]]


@register_split("repetition")
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
        return WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Repetitions of a session of a person."""
        return UNITS["trial"]

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        groups = Groups.of(index.groups(*self.by))
        owners = Groups.of(index.groups(*UNITS["subject" if self.per == "person" else "session"]))
        folds: list[Fold] = []
        for owner in owners.names:
            rows = owners.rows_of((owner,))
            trials = index.trial[rows]
            for name, train, test in self._sides(owner, natural_order(trials)):
                folds.append(
                    Fold(name, rows[np.isin(trials, train)], rows[np.isin(trials, test)], groups)
                )
        return tuple(folds)

    def _sides(self, owner: str, trials: tuple[str, ...]) -> Iterator[Sides]:
        if self.train:
            yield _named_sides(owner, trials, self, what="repetition")
            return
        least = max(2, self.n_folds)
        need(trials, least, what=f"repetitions of {owner}", split=self.name)
        parts = (
            [(trials[-1],)] if self.hold_out == "last" else _dealt_in_order(trials, self.n_folds)
        )
        for part in parts:
            train = [trial for trial in trials if trial not in part]
            yield f"{owner}: repetition {', '.join(part)}", train, list(part)


@register_split("session")
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
        return WITHIN

    @property
    def by(self) -> tuple[str, ...]:
        """Sessions of a person."""
        return UNITS["session"]

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

    def _sides(self, person: str, sessions: tuple[str, ...]) -> Iterator[Sides]:
        if self.train:
            yield _named_sides(person, sessions, self, what="session")
            return
        need(sessions, 2, what=f"sessions of {person}", split=self.name)
        if self.order == "first":
            yield f"{person}: after session {sessions[0]}", [sessions[0]], list(sessions[1:])
            return
        for k, held_out in enumerate(sessions):
            train = sessions[:k] if self.order == "earlier" else sessions[:k] + sessions[k + 1 :]
            if train:
                yield f"{person}: session {held_out}", list(train), [held_out]


@register_split("time")
@dataclass(frozen=True, slots=True)
class Time(Split):
    """Within each recording: train on its beginning, test on the rest.

    The weakest split there is: same person, same electrodes, minutes apart. Windows that reach
    over the cut are in neither side.

    Parameters
    ----------
    train : float
        Share of the recording's time, from its start, to train on; in (0, 1).
    """

    train: float = 0.7

    def __post_init__(self) -> None:
        if not 0 < self.train < 1:
            raise ParameterError(f"train must lie in (0, 1); got {self.train!r}.")

    @property
    def scope(self) -> str:
        """Scores are about the later course of known recordings."""
        return "within recording"

    @property
    def by(self) -> tuple[str, ...]:
        """Windows themselves: a recording stands on both sides."""
        return ("window",)

    def _folds(self, index: WindowIndex) -> tuple[Fold, ...]:
        windows = Groups.of(unit_names(index, self.by))
        owners = Groups.of(index.groups("subject", "session", "recording"))
        folds: list[Fold] = []
        for owner in owners.names:
            rows = owners.rows_of((owner,))
            start_s, stop_s = index.start_s[rows], index.stop_s[rows]
            cut_s = start_s.min() + self.train * (stop_s.max() - start_s.min())
            name = f"{owner.rpartition('/')[0].rstrip('/')}: after {cut_s:.1f} s"
            # Half a microsecond, so that rounding does not drop the window that ends at the cut.
            early, late = stop_s <= cut_s + 5e-7, start_s >= cut_s - 5e-7
            folds.append(Fold(name, rows[early], rows[late], windows))
        return tuple(folds)


def _check_sides(train: tuple[str, ...], test: tuple[str, ...], *, what: str) -> None:
    if test and not train:
        raise ParameterError(f"test names {what} {list(test)}, so train must name some as well.")
    both = sorted(set(train) & set(test))
    if both:
        raise ParameterError(f"train and test both name the {what} {both}; each has one side.")


def _named_sides(
    owner: str, present: tuple[str, ...], split: Repetition | Session, *, what: str
) -> Sides:
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
