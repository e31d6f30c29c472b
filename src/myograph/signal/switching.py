"""Turn a yes-or-no that flickers into epochs: two thresholds, and least durations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Edge", "Switch"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A switch-over, in points of the series that was pushed.

    Parameters
    ----------
    rising : bool
        True: activity begins; False: it has ended.
    at : int
        The point where it happened.
    known : int
        How many points had been seen when it was certain: ``known - at`` is the delay of knowing.
    """

    rising: bool
    at: int
    known: int


class Switch:
    """Hysteresis and least durations over a series of points, pushed in pieces.

    It turns on where ``high`` holds and off where ``stay`` fails; between the two thresholds it
    keeps its state. A stretch that does not last ``least_on`` (or ``least_off``) points changes
    nothing, so epochs and the pauses between them are never shorter.

    Parameters
    ----------
    least_on, least_off : int
        In points, at least 1.

    Examples
    --------
    >>> switch = Switch(least_on=2, least_off=2)
    >>> mask = np.array([0, 1, 0, 1, 1, 0, 1, 0, 0], dtype=bool)
    >>> [(edge.rising, edge.at, edge.known) for edge in switch.push(mask, mask)]
    [(True, 3, 5), (False, 7, 9)]
    """

    __slots__ = ("_begun", "_least", "_raw", "_seen", "_state")

    def __init__(self, *, least_on: int, least_off: int) -> None:
        self._least = (least_off, least_on)
        self._seen = 0
        self._raw = False  # after hysteresis, before durations
        self._begun = 0  # where the present stretch of _raw began
        self._state = False

    @property
    def on(self) -> bool:
        """Whether activity is going on, as far as is certain."""
        return self._state

    @property
    def reach(self) -> int:
        """How far, in points, an edge can lie before the point that makes it certain."""
        return max(self._least)

    def push(self, high: NDArray[np.bool_], stay: NDArray[np.bool_]) -> list[Edge]:
        """Take the newest points and return the edges that are now certain, oldest first."""
        raw = _hold(high, stay, held=self._raw)
        flips = np.flatnonzero(np.diff(raw, prepend=self._raw)) + self._seen
        self._seen += len(raw)
        edges: list[Edge] = []
        for flip in (*flips.tolist(), None):
            self._settle(self._seen if flip is None else flip, edges)
            if flip is not None:
                self._raw, self._begun = not self._raw, flip
        return edges

    def _settle(self, now: int, edges: list[Edge]) -> None:
        """Switch over if the present stretch has lasted long enough by ``now``."""
        least = self._least[self._raw]
        if self._raw != self._state and now - self._begun >= least:
            self._state = self._raw
            edges.append(Edge(self._raw, self._begun, self._begun + least))


def _hold(high: NDArray[np.bool_], stay: NDArray[np.bool_], *, held: bool) -> NDArray[np.bool_]:
    """Return the state at each point: the last decided one."""
    decided = high | ~stay
    last = np.maximum.accumulate(np.where(decided, np.arange(len(high)), -1))
    return np.where(last >= 0, high[last], held)
