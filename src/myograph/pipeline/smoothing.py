"""Smoothing: one decision in, one steadier decision out, with nothing of the future."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.models.rejection import class_thresholds

__all__ = [
    "BayesianFusion",
    "ChangeRate",
    "Debounce",
    "DecisionFilter",
    "Hysteresis",
    "MajorityVote",
    "Rejection",
    "Smoothing",
    "change_rate",
    "rejection_thresholds",
]

# Least probability that counts in a product: one window that is sure must not outvote all others.
_FLOOR = 1e-4

# Longer than any stream.
_ALWAYS_S = 1e12


class DecisionFilter(ABC):
    """Something that steadies decisions as they come; every state is reached by pushes alone."""

    @abstractmethod
    def push(self, decision: Decision) -> Decision:
        """Take the newest decision and return the one to act on, at the same moment."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything: what comes next is the first decision."""


class MajorityVote(DecisionFilter):
    """The label most frequent among the newest decisions [englehart2003]_.

    A refused decision does not vote. Of equally frequent labels the one voted for last wins. With
    nobody voting the answer is refused too.

    Parameters
    ----------
    votes : int
        Decisions that are counted; the delay grows by half of them times the hop [farrell2011]_.

    Examples
    --------
    >>> import numpy as np
    >>> vote, classes = MajorityVote(3), ("open", "rest")
    >>> seen = [
    ...     Decision(label, np.eye(2)[int(label == "rest")], classes, t)
    ...     for t, label in enumerate(["rest", "rest", "open", "rest"])
    ... ]
    >>> [vote.push(decision).label for decision in seen]
    ['rest', 'rest', 'rest', 'rest']
    """

    def __init__(self, votes: int) -> None:
        self.votes = check_count(votes, name="votes")
        self._seen: deque[str | None] = deque(maxlen=self.votes)

    def push(self, decision: Decision) -> Decision:
        """Count the newest decision and return the vote; probabilities are shares of votes."""
        self._seen.append(None if decision.rejected else decision.label)
        votes = [label for label in self._seen if label is not None]
        if not votes:
            return replace(decision, rejected=True)
        counts = {label: votes.count(label) for label in votes}
        most = max(counts.values())
        winner = next(label for label in reversed(votes) if counts[label] == most)
        shares = np.array([counts.get(name, 0) for name in decision.classes]) / len(votes)
        return Decision(winner, shares, decision.classes, decision.time_s)

    def reset(self) -> None:
        """Forget the votes."""
        self._seen.clear()


class BayesianFusion(DecisionFilter):
    """The product of the newest probabilities, as if the windows were independent.

    They overlap and are not, so the fused probability is surer than it is right: use the label,
    and a `Rejection` before the fusion.

    Parameters
    ----------
    windows : int
        Decisions that are fused.
    """

    def __init__(self, windows: int) -> None:
        self.windows = check_count(windows, name="windows")
        self._seen: deque[NDArray[np.float64]] = deque(maxlen=self.windows)

    def push(self, decision: Decision) -> Decision:
        """Fuse; a refused decision adds nothing, and alone is given back as it is."""
        if not decision.rejected:
            self._seen.append(np.log(np.maximum(decision.probabilities, _FLOOR)))
        if not self._seen:
            return decision
        total = np.sum(self._seen, axis=0)
        fused = np.exp(total - total.max())
        fused /= fused.sum()
        label = decision.classes[int(fused.argmax())]
        return Decision(label, fused, decision.classes, decision.time_s)

    def reset(self) -> None:
        """Forget what was fused."""
        self._seen.clear()


class Hysteresis(DecisionFilter):
    """Stay with a class until another is clearly more probable.

    Parameters
    ----------
    margin : float
        How much more probable, from 0 to below 1; 0 changes as the input does.
    """

    def __init__(self, margin: float) -> None:
        if not 0 <= margin < 1:
            raise ParameterError(f"margin must be from 0 to below 1; got {margin!r}.")
        self.margin = float(margin)
        self._held: str | None = None

    def push(self, decision: Decision) -> Decision:
        """Return the class that holds; a refused decision changes nothing and stays refused."""
        if decision.rejected:
            return decision if self._held is None else replace(decision, label=self._held)
        if self._held is None or decision.label == self._held:
            self._held = decision.label
            return decision
        held = decision.probabilities[decision.classes.index(self._held)]
        if decision.confidence - held >= self.margin:
            self._held = decision.label
        return replace(decision, label=self._held)

    def reset(self) -> None:
        """Forget the class that holds."""
        self._held = None


class Debounce(DecisionFilter):
    """Change the class only after the new one came several times in a row.

    Parameters
    ----------
    repeats : int
        Equal decisions in a row that make a change; 1 changes at once. The first decision is
        taken as it comes.
    """

    def __init__(self, repeats: int) -> None:
        self.repeats = check_count(repeats, name="repeats")
        self._held: str | None = None
        self._new, self._count = "", 0

    def push(self, decision: Decision) -> Decision:
        """Return the class that holds; a refused decision breaks the row."""
        if decision.rejected:
            self._count = 0
            return decision if self._held is None else replace(decision, label=self._held)
        if self._held is None or decision.label == self._held:
            self._held, self._count = decision.label, 0
            return decision
        self._count = self._count + 1 if decision.label == self._new else 1
        self._new = decision.label
        if self._count >= self.repeats:
            self._held, self._count = decision.label, 0
        return replace(decision, label=self._held)

    def reset(self) -> None:
        """Forget the class that holds."""
        self._held, self._count = None, 0


class Rejection(DecisionFilter):
    """Refuse a decision that is less confident than its class must be [scheme2013]_.

    Parameters
    ----------
    least : float or mapping of str to float
        Confidence from 0 to 1, for all classes or class by class; a class that is not named is
        never refused. See `rejection_thresholds`.
    """

    def __init__(self, least: float | Mapping[str, float]) -> None:
        given = least if isinstance(least, Mapping) else {"every class": least}
        for name, value in given.items():
            if not 0 <= value <= 1:
                raise ParameterError(
                    f"The least confidence of {name} must be from 0 to 1; got {value!r}."
                )
        self._default = 0.0 if isinstance(least, Mapping) else float(least)
        self._least = dict(least) if isinstance(least, Mapping) else {}

    def push(self, decision: Decision) -> Decision:
        """Return the decision, refused when it is not confident enough."""
        unknown = set(self._least) - set(decision.classes)
        if unknown:
            raise ParameterError(
                f"Rejection names {sorted(unknown)}, which the model does not know; its classes "
                f"are {list(decision.classes)}."
            )
        least = self._least.get(decision.label, self._default)
        return replace(decision, rejected=decision.rejected or decision.confidence < least)

    def reset(self) -> None:
        """Nothing is remembered."""


class Smoothing(DecisionFilter):
    """Several filters, one after the other.

    Parameters
    ----------
    filters : sequence of DecisionFilter
    forget_after_s : float, optional
        A longer time between two decisions is a gap: what was before it is forgotten.

    Examples
    --------
    >>> steady = Smoothing([Rejection(0.5), MajorityVote(3), Debounce(2)], forget_after_s=0.5)
    """

    def __init__(
        self, filters: Sequence[DecisionFilter], *, forget_after_s: float | None = None
    ) -> None:
        self.filters = tuple(filters)
        self._forget_s = (
            math.inf
            if forget_after_s is None
            else check_positive(forget_after_s, name="forget_after_s")
        )
        self._last_s = -math.inf

    def push(self, decision: Decision) -> Decision:
        """Pass a decision through all filters.

        Raises
        ------
        DataError
            If it is older than the one before.
        """
        if decision.time_s < self._last_s:
            raise DataError(
                f"A decision at {decision.time_s:g} s came after one at {self._last_s:g} s; "
                "decisions are pushed in the order of time (reset() starts a new stream)."
            )
        if decision.time_s - self._last_s > self._forget_s and self._last_s > -math.inf:
            self._forget()
        self._last_s = decision.time_s
        for each in self.filters:
            decision = each.push(decision)
        return decision

    def reset(self) -> None:
        """Start a new stream."""
        self._last_s = -math.inf
        self._forget()

    def _forget(self) -> None:
        for each in self.filters:
            each.reset()


class ChangeRate:
    """How often the decision changes, over the newest seconds.

    Parameters
    ----------
    over_s : float
        Seconds looked back on.
    """

    def __init__(self, over_s: float) -> None:
        self.over_s = check_positive(over_s, name="over_s")
        self._changes: deque[float] = deque()
        self._before: tuple[str, bool] | None = None
        self._first_s: float | None = None

    def push(self, decision: Decision) -> float:
        """Take the newest decision and return changes per second; refusing is a change too."""
        now = (decision.label if not decision.rejected else "", decision.rejected)
        if self._before is not None and now != self._before:
            self._changes.append(decision.time_s)
        self._before = now
        self._first_s = decision.time_s if self._first_s is None else self._first_s
        while self._changes and self._changes[0] <= decision.time_s - self.over_s:
            self._changes.popleft()
        seen_s = min(self.over_s, decision.time_s - self._first_s)
        return len(self._changes) / seen_s if seen_s > 0 else 0.0

    def reset(self) -> None:
        """Start a new stream."""
        self._changes.clear()
        self._before = self._first_s = None


def change_rate(decisions: Iterable[Decision]) -> float:
    """Return changes per second over a whole run of decisions; 0 for fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> one = [Decision(c, np.eye(2)[int(c == "b")], ("a", "b"), t) for t, c in enumerate("aabb")]
    >>> round(change_rate(one), 3)
    0.333
    """
    rate, counter = 0.0, ChangeRate(_ALWAYS_S)
    for decision in decisions:
        rate = counter.push(decision)
    return rate


def rejection_thresholds(
    probabilities: ArrayLike, truth: Sequence[str], classes: Sequence[str], *, most_wrong: float
) -> dict[str, float]:
    """Choose, class by class, the least confidence that keeps errors rare.

    Parameters
    ----------
    probabilities : array, shape (n_decisions, n_classes)
        Of decisions that the model did not learn from.
    truth : sequence of str
        What was meant.
    classes : sequence of str
    most_wrong : float
        Largest share of wrong decisions among those that are kept, in (0, 1).

    Returns
    -------
    dict of str to float
        A class that can only be kept at a higher share of errors is refused always (1).
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.shape != (len(truth), len(classes)):
        raise DataError(
            f"{len(truth)} decisions about {len(classes)} classes need probabilities of that "
            f"shape; got {values.shape}."
        )
    if not 0 < most_wrong < 1:
        raise ParameterError(f"most_wrong must be above 0 and below 1; got {most_wrong!r}.")
    places = {name: number for number, name in enumerate(classes)}
    meant = np.array([places.get(name, -1) for name in truth], dtype=np.intp)
    alone = np.arange(len(meant))
    limits = class_thresholds(values, meant, alone, accuracy=1 - most_wrong)
    called = set(values.argmax(axis=1).tolist())
    return {
        name: min(float(limits[number]), 1.0) if number in called else 0.0
        for name, number in places.items()
    }
