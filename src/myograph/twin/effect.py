"""What treatments and training do to the parameters of a reduced muscle, with their uncertainty.

No effect is a number: each is drawn for every particle, as widely as what is published leaves it
open. Where nothing quantitative is known, the spread reaches to no effect at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.core.registry import Registry
from myograph.twin.treatment import TREATMENTS, Treatment

__all__ = ["EFFECTS", "Effect", "Phase", "Size", "protocol"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    """How large an effect is: normal, cut off at what is possible.

    Parameters
    ----------
    mean, sd, low, high : float
    """

    mean: float = 0.0
    sd: float = 0.0
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (self.sd >= 0 and self.low <= self.mean <= self.high):
            raise ParameterError(
                f"An effect needs a spread of 0 or more and a mean between its ends; got {self}."
            )

    def draw(self, z: Floats) -> Floats:
        """Turn standard normal numbers into effects."""
        return np.clip(self.mean + self.sd * z, self.low, self.high)


_NONE = Size()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a treatment does.

    Parameters
    ----------
    title : str
    loss : Size
        Share by which the loss of units slows.
    adoption : Size
        Relative change of reinnervation.
    fibre : Size
        Relative change of the fibres' diameter in the end.
    junction : Size
        Relative change of what a quantum does; it does no more than in health.
    drive : Size
        Share of what is missing that is regained (below 0: of what is there, lost).
    fatigue : Size
        Relative change of fatigability.
    months : float
        Time constant with which fibres, drive, junctions and fatigue change.
    load : str
        Treatments with different loads exclude each other: ``"training"``, ``"rest"``.
    source : str
        Key in references.bib, or ``"assumed"``.
    note : str
    """

    title: str
    loss: Size = _NONE
    adoption: Size = _NONE
    fibre: Size = _NONE
    drive: Size = _NONE
    junction: Size = _NONE
    fatigue: Size = _NONE
    months: float = 1.0
    load: str = ""
    source: str = "assumed"
    note: str = ""


#: Treatments by name.
EFFECTS: Registry[Effect] = Registry("treatment")


def _of_treatment(treatment: Treatment) -> Effect:
    """Bring what is believed about a treatment to the parameters of a reduced muscle."""
    belief = treatment.effect
    size = Size(belief.mean, belief.sd, belief.least, belief.most)
    whom = f"for {', '.join(treatment.diseases)}; for anybody else it means nothing"
    if treatment.acts_on == "pace":
        return Effect(
            title=treatment.name, loss=size, source=treatment.source,
            note=f"slows the loss of units; {whom}",
        )  # fmt: skip
    return Effect(
        title=treatment.name, junction=size, months=0.1, source=treatment.source,
        note=f"each quantum does more; {whom}",
    )  # fmt: skip


# What acts on fibres, tremor, release or a tunnel has no parameter here.
for _treatment in TREATMENTS.values():
    if _treatment.acts_on == "junction" or (
        _treatment.acts_on == "pace" and "dmd" not in _treatment.diseases
    ):
        EFFECTS.add(_treatment.name, _of_treatment(_treatment))
EFFECTS.add(
    "strength training",
    Effect(
        title="strength training",
        fibre=Size(0.075, 0.03, 0.0, 0.2),
        drive=Size(0.3, 0.15, 0.0, 0.9),
        months=2.0,
        load="training",
        source="wilson2023",
        note="healthy people; area is assumed; drive within weeks, fibres within months",
    ),
)
EFFECTS.add(
    "endurance training",
    Effect(
        title="endurance training",
        fatigue=Size(-0.2, 0.1, -0.6, 0.1),
        months=2.0,
        load="training",
        note="healthy people",
    ),
)
EFFECTS.add(
    "immobilisation",
    Effect(
        title="immobilisation", fibre=Size(-0.08, 0.03, -0.3, 0.0),
        drive=Size(-0.15, 0.08, -0.5, 0.0), fatigue=Size(0.15, 0.1, 0.0, 0.6), months=1.0,
        load="rest", note="healthy people in a cast",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phase:
    """A treatment and when it is given.

    Parameters
    ----------
    treatment : str or Effect
        A name in `EFFECTS`, or an effect of one's own.
    start_months : float
        After the last visit.
    stop_months : float
        Infinite when it goes on.
    """

    treatment: str | Effect
    start_months: float = 0.0
    stop_months: float = np.inf

    def __post_init__(self) -> None:
        if isinstance(self.treatment, str):
            object.__setattr__(self, "treatment", EFFECTS[self.treatment])
        if not 0 <= self.start_months < np.inf or not self.stop_months > self.start_months:
            raise ParameterError(
                f"{self.effect.title!r} must start at 0 months or later and stop after it started; "
                f"got {self.start_months:g} to {self.stop_months:g} months."
            )

    @property
    def effect(self) -> Effect:
        """What it does."""
        if isinstance(self.treatment, str):
            return EFFECTS[self.treatment]
        return self.treatment


def protocol(
    treatment: str | Effect | Phase | Sequence[str | Effect | Phase] | None, *, months: float
) -> tuple[Phase, ...]:
    """Return a protocol as phases, and refuse one that contradicts itself.

    Parameters
    ----------
    treatment : str, Effect, Phase or a sequence of these
        None is the natural course.
    months : float
        How far is simulated.

    Raises
    ------
    ParameterError
        If a treatment is given twice at a time, loads exclude each other, or a phase begins after
        the end.

    Examples
    --------
    >>> [phase.effect.title for phase in protocol(["riluzole", "strength training"], months=12)]
    ['riluzole', 'strength training']
    """
    if treatment is None:
        return ()
    given = [treatment] if isinstance(treatment, str | Effect | Phase) else list(treatment)
    phases = tuple(item if isinstance(item, Phase) else Phase(item) for item in given)
    for k, phase in enumerate(phases):
        if phase.start_months >= months:
            raise ParameterError(
                f"{phase.effect.title!r} starts at {phase.start_months:g} months, but only "
                f"{months:g} months are simulated; simulate longer, or start it earlier."
            )
        for other in phases[:k]:
            _agree(phase, other)
    return phases


def _agree(phase: Phase, other: Phase) -> None:
    together = phase.start_months < other.stop_months and other.start_months < phase.stop_months
    if not together:
        return
    if phase.effect == other.effect:
        raise ParameterError(
            f"{phase.effect.title!r} is given twice at the same time; give it once, or one after "
            "the other."
        )
    loads = {phase.effect.load, other.effect.load} - {""}
    if len(loads) > 1:
        raise ParameterError(
            f"The protocol contradicts itself: {other.effect.title!r} and {phase.effect.title!r} "
            "at the same time; let one stop before the other starts."
        )
