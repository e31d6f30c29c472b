"""Sweep: garbage is collected behind decisions, never before one."""

from __future__ import annotations

import gc
from types import TracebackType
from typing import Self

__all__ = ["Sweep"]

# Between two collections of what is young, and how many of those before one of everything.
_EVERY_S = 2.0
_WHOLE = 30
# Whoever is never at leisure is interrupted after so long all the same: memory must not grow.
_AT_LAST_S = 30.0


class Sweep:
    """Holds the garbage collector back while a stream runs, and lets it work when told to.

    What lives already when the block begins is never looked at.

    Examples
    --------
    >>> with Sweep() as sweep:
    ...     sweep.now_and_then(0.0), gc.isenabled()
    (False, False)
    """

    def __init__(self) -> None:
        self._enabled = False
        self._next_s: float | None = None
        self._count = 0

    def __enter__(self) -> Self:
        """Begin."""
        self._enabled = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the collector be as it was."""
        gc.unfreeze()
        if self._enabled:
            gc.enable()

    def now_and_then(self, now_s: float, *, busy: bool = False) -> bool:
        """Take it that a decision is just made at ``now_s``; return whether garbage was collected.

        Parameters
        ----------
        now_s : float
        busy : bool
            Whether more work waits.
        """
        if self._next_s is None:
            self._next_s = now_s + _EVERY_S
        if now_s < self._next_s + _AT_LAST_S * busy:
            return False
        self._next_s = now_s + _EVERY_S
        self._count += 1
        gc.collect(2 if self._count % _WHOLE == 0 else 0)
        return True
