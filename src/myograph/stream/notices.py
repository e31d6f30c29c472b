"""Notices: a stream in trouble for days tells so, and floods nobody."""

from __future__ import annotations

from collections.abc import Iterator

from myograph.stream.allowance import Allowance
from myograph.stream.answer import Notice

__all__ = ["NoticeLimit"]

#: Kinds that come once or twice in the life of a stream.
_ALWAYS = ("connected", "ended")
_HOUR_S = 3600.0


class NoticeLimit:
    """Lets so many notices of a kind through in an hour; says how many it kept.

    Parameters
    ----------
    most_per_hour : int
        Of each kind, but for ``connected`` and ``ended``.

    Examples
    --------
    >>> limit = NoticeLimit(1)
    >>> [[n.kind for n in limit.push(Notice("gap", t, "."), t)] for t in (0.0, 1.0, 3601.0)]
    [['gap'], [], ['withheld', 'gap']]
    """

    def __init__(self, most_per_hour: int) -> None:
        self._most = most_per_hour
        self._kinds: dict[str, Allowance] = {}
        self._told: dict[str, int] = {}  # of those withheld, how many were told of
        Allowance(most_per_hour, within_s=_HOUR_S)  # refuses a number that cannot be

    @property
    def withheld(self) -> dict[str, int]:
        """How many of each kind were not told, of kinds that had any."""
        return {kind: one.withheld for kind, one in self._kinds.items() if one.withheld}

    def push(self, notice: Notice, time_s: float) -> Iterator[Notice]:
        """Take a notice at a moment and yield what may be told now.

        The first one after some were withheld is told behind a notice of the kind ``withheld``.
        """
        if notice.kind not in _ALWAYS:
            allowance = self._kinds.setdefault(notice.kind, Allowance(self._most, within_s=_HOUR_S))
            if not allowance.take(time_s):
                return
            yield from self._rest(notice.kind, notice.time_s)
        yield notice

    def finish(self, time_s: float) -> Iterator[Notice]:
        """Yield what has to be said about those withheld since, when a stream ends."""
        for kind in self._kinds:
            yield from self._rest(kind, time_s)

    def _rest(self, kind: str, time_s: float) -> Iterator[Notice]:
        count = self._kinds[kind].withheld - self._told.get(kind, 0)
        if count:
            self._told[kind] = self._kinds[kind].withheld
            text = (
                f"{count} more of the kind {kind!r} were not told: no more than {self._most} are "
                "in an hour."
            )
            yield Notice("withheld", time_s, text, samples=count)
