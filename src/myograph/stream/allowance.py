"""Allowance: how often somebody is told within a time; what is beyond is counted."""

from __future__ import annotations

from collections import deque

from myograph.core.checks import check_count, check_positive

__all__ = ["Allowance"]


class Allowance:
    """So many within any stretch of time, and no more.

    Parameters
    ----------
    most : int
    within_s : float

    Examples
    --------
    >>> allowance = Allowance(2, within_s=60.0)
    >>> [allowance.take(time_s) for time_s in (0.0, 1.0, 2.0, 61.0)], allowance.withheld
    ([True, True, False, True], 1)
    """

    def __init__(self, most: int, *, within_s: float) -> None:
        self._most = check_count(most, name="most")
        self._within_s = check_positive(within_s, name="within_s")
        self._told: deque[float] = deque(maxlen=self._most)
        #: How many were refused.
        self.withheld = 0

    def take(self, time_s: float) -> bool:
        """Ask for one; False, and counted, when there were too many."""
        while self._told and self._told[0] <= time_s - self._within_s:
            self._told.popleft()
        if len(self._told) >= self._most:
            self.withheld += 1
            return False
        self._told.append(time_s)
        return True
