"""Progress: people, folds and time left, while a run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups

__all__ = ["Clock", "Progress", "Reporter"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; ``seconds_left`` supposes that all folds take as long."""

    people_done: int
    people: int
    folds_done: int
    folds: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Clock:
    """When a run began."""

    started_s: float
    started_at: str

    @classmethod
    def start(cls) -> Clock:
        """Begin now."""
        return cls(time.perf_counter(), datetime.now(UTC).isoformat(timespec="seconds"))

    def seconds(self) -> float:
        """Return how long it has been."""
        return time.perf_counter() - self.started_s


class Reporter:
    """Turns finished folds into progress: a person is done when all folds that test them are.

    Parameters
    ----------
    folds : sequence of Fold
    index : WindowIndex
    tell : callable or None
        Called with a `Progress` after every fold.
    resumed : set of int
        Folds that were done before.
    """

    def __init__(
        self,
        folds: Sequence[Fold],
        index: WindowIndex,
        tell: Callable[[Progress], None] | None,
        *,
        resumed: set[int],
    ) -> None:
        people = Groups.of(index.subject)
        self.tell, self.started_s = tell, time.perf_counter()
        self.tested = [set(people.present(fold.test)) for fold in folds]
        self.left = set(range(len(folds))) - resumed
        self.to_do = len(self.left)

    def __call__(self, number: int) -> None:
        """Take note that fold ``number`` is done."""
        self.left.discard(number)
        if self.tell is None:
            return
        people = set().union(*self.tested)
        waiting = set().union(*(self.tested[k] for k in self.left))
        per_fold_s = (time.perf_counter() - self.started_s) / (self.to_do - len(self.left))
        self.tell(
            Progress(
                people_done=len(people - waiting),
                people=len(people),
                folds_done=len(self.tested) - len(self.left),
                folds=len(self.tested),
                seconds_left=per_fold_s * len(self.left),
            )
        )
