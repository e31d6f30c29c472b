"""Duty: when a wearable measures, and when it sleeps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError

__all__ = ["DutyCycle"]


@dataclass(frozen=True, slots=True)
class DutyCycle:
    """Measure for a while, every so often.

    Parameters
    ----------
    on_s : float
        Length of one stretch of measuring.
    every_s : float
        From the beginning of one to the beginning of the next; equal to ``on_s`` measures always.

    Examples
    --------
    >>> duty = DutyCycle(10.0, 600.0)
    >>> duty.on(605.0), duty.on(615.0), round(duty.share, 4), duty.next_on_s(615.0)
    (True, False, 0.0167, 1200.0)
    """

    on_s: float
    every_s: float

    def __post_init__(self) -> None:
        check_positive(self.on_s, name="on_s")
        check_positive(self.every_s, name="every_s")
        if self.every_s < self.on_s:
            raise ParameterError(
                f"every_s must be at least on_s; got {self.every_s:g} < {self.on_s:g}."
            )

    @property
    def share(self) -> float:
        """Share of the time that is measured: about the share of the battery that is used."""
        return self.on_s / self.every_s

    def on(self, time_s: float) -> bool:
        """Whether something is measured at a moment."""
        return time_s % self.every_s < self.on_s

    def next_on_s(self, time_s: float) -> float:
        """Return when measuring begins next; now, if it goes on."""
        if self.on(time_s):
            return time_s
        return math.ceil(time_s / self.every_s) * self.every_s
