"""Onset gate: whether somebody means to move, told from how strongly, before what is asked.

Arms are never wholly still, and a classifier that has to name something names a movement. The gate
opens only when effort exceeds one level for several decisions in a row, and closes when it falls
below a lower one, so that what is under way is not cut up [hudgins1993]_.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError

__all__ = ["OnsetGate"]


@dataclass(slots=True, kw_only=True)
class OnsetGate:
    """Lets a movement begin when effort is clearly there, and end when it is clearly gone.

    Parameters
    ----------
    on : float
        Effort, as a share of full, from which a movement may begin: above 0, at most 1.
    off : float, optional
        Effort below which it ends: from 0 to ``on``, and half of it by default.
    repeats : int
        So many decisions in a row must reach ``on`` first.

    Examples
    --------
    >>> gate = OnsetGate(on=0.2, off=0.1, repeats=2)
    >>> [gate.push(effort) for effort in (0.3, 0.15, 0.3, 0.25, 0.15, 0.05, 0.15)]
    [False, False, False, True, True, False, False]
    """

    on: float
    off: float | None = None
    repeats: int = 2
    open: bool = field(default=False, init=False)
    _seen: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 < self.on <= 1:
            raise ParameterError(f"on must be above 0 and at most 1; got {self.on!r}.")
        if self.off is None:
            self.off = self.on / 2
        if not 0 <= self.off <= self.on:
            raise ParameterError(f"off must be from 0 to on ({self.on:g}); got {self.off!r}.")
        check_count(self.repeats, name="repeats")

    def push(self, effort: float) -> bool:
        """Take the newest effort and return whether movements pass.

        Raises
        ------
        DataError
            If the effort is not a number.
        """
        if not np.isfinite(effort):
            raise DataError(f"effort must be finite; got {effort!r}.")
        self._seen = self._seen + 1 if effort >= self.on else 0
        self.open = effort >= (self.off or 0.0) if self.open else self._seen >= self.repeats
        return self.open

    def reset(self) -> None:
        """Start a new stream: closed."""
        self.open, self._seen = False, 0
