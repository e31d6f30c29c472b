"""Prompts: what somebody is asked to do at calibration, when, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError

__all__ = ["FIRST_TIME_S", "REPEAT_S", "Plan", "Prompt"]

#: A new person is calibrated within this, and somebody who puts the band on again within that.
FIRST_TIME_S, REPEAT_S = 60.0, 14.0

_LEAST_HOLD_S = 1.0


@dataclass(frozen=True, slots=True)
class Prompt:
    """One movement that is asked for.

    Parameters
    ----------
    movement : str
    repetition : int
        From 1.
    countdown_s, hold_s : float
        Time to get ready, and time to hold what is recorded.
    again : bool
        Whether it replaces an earlier recording of the same repetition.
    """

    movement: str
    repetition: int
    countdown_s: float
    hold_s: float
    again: bool = False

    @property
    def length_s(self) -> float:
        """Countdown and hold."""
        return self.countdown_s + self.hold_s


@dataclass(frozen=True, slots=True)
class Plan:
    """The prompts of a calibration, in order.

    Parameters
    ----------
    movements : tuple of str
        With rest among them.
    repetitions : int
    countdown_s, hold_s : float

    Examples
    --------
    >>> plan = Plan.first_time(("rest", "hand close", "hand open"))
    >>> plan.length_s <= 60, plan.prompts[0].movement
    (True, 'rest')
    """

    movements: tuple[str, ...]
    repetitions: int
    countdown_s: float
    hold_s: float

    def __post_init__(self) -> None:
        if len(self.movements) < 2 or len(set(self.movements)) != len(self.movements):
            raise ParameterError(
                f"A calibration needs at least two different movements; got {self.movements}."
            )
        check_count(self.repetitions, name="repetitions")
        check_positive(self.countdown_s, name="countdown_s")
        check_positive(self.hold_s, name="hold_s")
        if self.hold_s < _LEAST_HOLD_S:
            raise ParameterError(
                f"hold_s must be at least {_LEAST_HOLD_S:g} s, else its quality cannot be judged; "
                f"got {self.hold_s:g}."
            )

    @classmethod
    def first_time(cls, movements: Sequence[str], *, within_s: float = FIRST_TIME_S) -> Plan:
        """Return a plan for a new person: as many repetitions, up to 4, as fit."""
        return cls._fitting(movements, within_s, most=4, least_hold_s=2.0, countdown_s=1.0)

    @classmethod
    def repeat(cls, movements: Sequence[str], *, within_s: float = REPEAT_S) -> Plan:
        """Return a plan for somebody known who put the band on again: once each."""
        return cls._fitting(
            movements, within_s, most=1, least_hold_s=_LEAST_HOLD_S, countdown_s=0.8
        )

    @classmethod
    def _fitting(
        cls,
        movements: Sequence[str],
        within_s: float,
        *,
        most: int,
        least_hold_s: float,
        countdown_s: float,
    ) -> Plan:
        names = tuple(movements)
        each_s = check_positive(within_s, name="within_s") / max(len(names), 1)
        for repetitions in range(most, 0, -1):
            hold_s = each_s / repetitions - countdown_s
            if hold_s >= least_hold_s or (repetitions == 1 and hold_s >= _LEAST_HOLD_S):
                return cls(names, repetitions, countdown_s, min(int(10 * hold_s) / 10, 5.0))
        raise ParameterError(
            f"{len(names)} movements do not fit into {within_s:g} s: each takes at least "
            f"{countdown_s + _LEAST_HOLD_S:g} s. Ask for fewer movements, or give more time."
        )

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Every movement once, then every movement again, ..."""
        return tuple(
            Prompt(movement, repetition, self.countdown_s, self.hold_s)
            for repetition in range(1, self.repetitions + 1)
            for movement in self.movements
        )

    @property
    def length_s(self) -> float:
        """Seconds from the first countdown to the last hold's end."""
        return sum(prompt.length_s for prompt in self.prompts)
