"""What would happen: the months after the last visit, as they come or under a treatment.

Every particle goes on from where it stands, with luck of its own. Side by side, all protocols share
parameters, luck and errors, so that a difference between two of them has an interval of its own,
narrower than either trajectory's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import ParameterError
from myograph.twin.effect import Effect, Phase, protocol
from myograph.twin.forward import clinic, strength
from myograph.twin.posterior import PatientTwin
from myograph.twin.reduced import Course, grow
from myograph.twin.seeds import stream
from myograph.twin.visit import MEASURES

__all__ = ["NATURAL", "TRACKED", "Trajectory", "WhatIf", "forecast", "simulate", "what_if"]

Floats = NDArray[np.float64]
Plan = str | Effect | Phase | Sequence[str | Effect | Phase] | None

#: Name of the course without treatment.
NATURAL = "as it goes on"
#: Quantities of every trajectory besides the measures: title and unit.
TRACKED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "units": ("living motor units", ""),
        "innervated_percent": ("fibres with a nerve", "%"),
        "strength_percent": ("strength at full drive, of a healthy muscle's", "%"),
    }
)
_LONGEST_MONTHS = 240.0
_SETTINGS = ("loss", "adoption", "fibre", "drive", "junction", "fatigue")


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """The months to come under one protocol, drawn for every particle.

    Parameters
    ----------
    name : str
    phases : tuple of Phase
    months : ndarray, shape (n_t,)
        After the last visit, from 0 on.
    draws : mapping of str to ndarray, shape (n, n_t)
        Measures in their unit, without measurement error, and the quantities of `TRACKED`.
    """

    name: str
    phases: tuple[Phase, ...]
    months: Floats
    draws: Mapping[str, Floats]

    def band(self, quantity: str, level: float = 0.9) -> Floats:
        """Return median, low and high in time, shape (3, n_t)."""
        if quantity not in self.draws:
            raise ParameterError(unknown_name(quantity, self.draws, what="quantity"))
        ends = [0.5, (1 - level) / 2, (1 + level) / 2]
        return np.quantile(self.draws[quantity], ends, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class WhatIf:
    """Trajectories side by side; the first is what the others are compared with.

    Parameters
    ----------
    arms : tuple of Trajectory
    """

    arms: tuple[Trajectory, ...]

    def difference(self, arm: int, quantity: str, level: float = 0.9) -> Floats:
        """Return median, low and high of an arm minus the first, in time, shape (3, n_t)."""
        first = self.arms[0].draws[quantity]
        ends = [0.5, (1 - level) / 2, (1 + level) / 2]
        return np.quantile(self.arms[arm].draws[quantity] - first, ends, axis=0)

    def chance_better(self, arm: int, quantity: str) -> float:
        """Return the share of particles in which an arm ends above the first."""
        last = self.arms[arm].draws[quantity][:, -1] - self.arms[0].draws[quantity][:, -1]
        return float((last > 0).mean() + 0.5 * (last == 0).mean())


def simulate(
    twin: PatientTwin, treatment: Plan = None, *, months: float, step_months: float = 1.0
) -> Trajectory:
    """Simulate the months after the last visit.

    Parameters
    ----------
    twin : PatientTwin
    treatment : str, Effect, Phase or a sequence of these, optional
        The natural course when not given.
    months : float
    step_months : float
    """
    phases = protocol(treatment, months=_span(months))
    name = " + ".join(phase.effect.title for phase in phases) or NATURAL
    return _run(twin, name, phases, _moments(months, step_months))


def what_if(
    twin: PatientTwin, arms: Mapping[str, Plan], *, months: float, step_months: float = 1.0
) -> WhatIf:
    """Simulate protocols side by side, the natural course first.

    Parameters
    ----------
    twin : PatientTwin
    arms : mapping of str to protocol
        By the name under which each is shown.
    months, step_months : float
    """
    moments = _moments(_span(months), step_months)
    plans = {NATURAL: (), **{name: protocol(plan, months=months) for name, plan in arms.items()}}
    return WhatIf(tuple(_run(twin, name, phases, moments) for name, phases in plans.items()))


def forecast(twin: PatientTwin, months: float) -> dict[str, Floats]:
    """Return what a visit some months after the last one would measure, errors included.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        By measure, in its unit.
    """
    after = check_positive(months, name="months")
    end = _run(twin, NATURAL, (), np.array([0.0, after]), endless=True)
    found = {}
    for name in twin.observations.measures:
        rule = MEASURES[name]
        error = rule.noise * stream(twin.seed, "forecast", name).standard_normal(twin.n)
        read = rule.from_scale(rule.to_scale(end.draws[name][:, -1]) + error)
        found[name] = read if rule.logarithmic else np.clip(read, rule.low, rule.high)
    return found


def _span(months: float) -> float:
    span = check_positive(months, name="months")
    if span > _LONGEST_MONTHS:
        raise ParameterError(
            f"months must be at most {_LONGEST_MONTHS:g}: twenty years ahead nothing here means "
            f"anything; got {months:g}."
        )
    return span


def _moments(months: float, step_months: float) -> Floats:
    step = check_positive(step_months, name="step_months")
    count = max(round(_span(months) / step), 1)
    return np.linspace(0.0, months, count + 1)


def _run(
    twin: PatientTwin,
    name: str,
    phases: tuple[Phase, ...],
    moments: Floats,
    *,
    endless: bool = False,
) -> Trajectory:
    own, before, stand = twin.course()
    steps = np.diff(moments)
    # Step by step, so that a longer look ahead begins like a shorter one.
    luck = stream(twin.seed, "future").standard_normal((2 * len(steps), twin.n)).T
    pace, sprout, changing = _treated(twin, own, phases, moments)
    course, _ = grow(own, stand, steps, luck, speed=pace, adoption=sprout)
    whole = Course(
        *(
            np.concatenate([getattr(before, part)[:, -1:], getattr(course, part)], axis=1)
            for part in ("units", "innervated", "enlargement", "immature")
        )
    )
    state = {**own, **changing}
    names = tuple(MEASURES)
    desk = clinic(twin.observations.muscle, twin.observations.norms)
    scaled = desk.expected(state, whole, names) + twin.offsets_of(names).T[:, :, None]
    draws = {key: MEASURES[key].from_scale(scaled[i]) for i, key in enumerate(names)}
    if not endless:
        draws["score_percent"] = np.clip(draws["score_percent"], 0.0, 100.0)
    draws["units"] = whole.units
    draws["innervated_percent"] = 100 * whole.innervated
    draws["strength_percent"] = 100 * strength(state, whole, desk.healthy_units)
    return Trajectory(name, phases, moments, draws)


def _treated(
    twin: PatientTwin, own: Mapping[str, Floats], phases: tuple[Phase, ...], moments: Floats
) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Return factors of loss and reinnervation in each step, and what changes at each moment."""
    n, steps = twin.n, len(moments) - 1
    pace, sprout = np.ones((n, steps)), np.ones((n, steps))
    change = {key: np.zeros((n, len(moments))) for key in _SETTINGS[2:]}
    for phase in phases:
        effect = phase.effect
        drawn = {
            key: getattr(effect, key).draw(
                stream(twin.seed, "effect", effect.title, key).standard_normal(n)
            )[:, None]
            for key in _SETTINGS
        }
        given = _overlap(phase, moments)
        pace *= 1 - drawn["loss"] * given
        sprout *= 1 + drawn["adoption"] * given
        reached = _reached(phase, effect.months, moments)
        for key in change:
            change[key] += drawn[key] * reached
    return pace, np.maximum(sprout, 0.0), _changed(own, change)


def _changed(own: Mapping[str, Floats], change: Mapping[str, Floats]) -> dict[str, Floats]:
    found = {
        key: own[key][:, None] * np.maximum(1 + change[key], 0.05) for key in ("fibre", "fatigue")
    }
    junction = own["junction"][:, None]
    found["junction"] = np.clip(
        junction * (1 + change["junction"]), 1e-3, np.maximum(junction, 1.0)
    )
    there, by = own["drive"][:, None], change["drive"]
    regained = there + (1 - there) * np.clip(by, 0.0, 1.0)
    found["drive"] = np.clip(regained * (1 + np.minimum(by, 0.0)), 1e-3, 1.0)
    return found


def _overlap(phase: Phase, moments: Floats) -> Floats:
    """Return the share of each step in which a phase runs."""
    begin, end = moments[:-1], moments[1:]
    inside = np.minimum(end, phase.stop_months) - np.maximum(begin, phase.start_months)
    return np.clip(inside / (end - begin), 0.0, 1.0)


def _reached(phase: Phase, constant: float, moments: Floats) -> Floats:
    """Return how far a slow change has come at each moment; after the phase it goes back."""
    since = np.clip(np.minimum(moments, phase.stop_months) - phase.start_months, 0.0, None)
    after = np.clip(moments - phase.stop_months, 0.0, None)
    return -np.expm1(-since / constant) * np.exp(-after / constant)
