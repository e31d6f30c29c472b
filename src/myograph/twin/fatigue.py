"""Fatigue and recovery of a contraction, unit by unit; endurance is a result, not a parameter.

The model is that of potvin2017 (force loss by each unit's own force-time, slower twitches, rate
adaptation) with the rest-recovery of looft2018 added, which the source model leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.pool import TETANUS_PER_TWITCH, Pool, fusion

__all__ = ["FatigueCourse", "FatigueParameters", "endurance_s", "fatigue", "fatigued"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FatigueParameters:
    """Constants of the fatigue model.

    Parameters
    ----------
    fatigability_range : float
        Fatigability of the last over the first unit, relative to its force (potvin2017: 180).
    fastest_loss_per_s : float
        Share of its force that the last unit loses each second of full fusion (potvin2017: 0.0225).
    adaptation : float
        Size of the rate adaptation (potvin2017: 0.67).
    adaptation_s : float
        Its time constant, seconds (potvin2017: 22).
    slowing : float
        Lengthening of the contraction time at complete force loss (potvin2017: 0.379).
    recovery_per_s : float
        Recovery of lost force, share per second (freylaw2012: 0.00058 ankle to 0.00168 shoulder).
    rest_factor : float
        Recovery is this much faster while a unit rests (looft2018: 15).
    recovery_while_active : bool
        Let active units recover too, as the three-compartment model does. Off, since the
        endurance of potvin2017 was fitted without it.
    velocity_loss : float
        Conduction velocity lost at complete force loss, share (assumed, 0.2 to 0.4).
    """

    fatigability_range: float = 180.0
    fastest_loss_per_s: float = 0.0225
    adaptation: float = 0.67
    adaptation_s: float = 22.0
    slowing: float = 0.379
    recovery_per_s: float = 0.001
    rest_factor: float = 15.0
    recovery_while_active: bool = False
    velocity_loss: float = 0.3

    def __post_init__(self) -> None:
        ranges = {
            "fatigability_range": Range(10, 1000, least=1),
            "fastest_loss_per_s": Range(0.001, 0.1, "1/s", most=10),
            "adaptation": Range(0, 2, most=10),
            "adaptation_s": Range(5, 60, "s", least=0.01),
            "slowing": Range(0, 2, most=10),
            "recovery_per_s": Range(0.0002, 0.005, "1/s", most=1),
            "rest_factor": Range(1, 40, least=1),
            "velocity_loss": Range(0, 0.5, most=0.9),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, eq=False)
class FatigueCourse:
    """What happened to a muscle asked to hold a force.

    Parameters
    ----------
    fs_hz : float
        Rate of the arrays, Hz.
    excitation : ndarray, shape (n_t,)
        Excitation needed, at most 1.
    force_n, capacity_n : ndarray, shape (n_t,)
        Force delivered, and the greatest force possible at that moment.
    rates_hz : ndarray, shape (n_units, n_t)
        Rates with adaptation: for `myograph.twin.discharge.discharges_at`.
    remaining : ndarray, shape (n_units, n_t)
        Force each unit has left, as a share of its rested force.
    endurance_s : float
        Moment at which the target was first missed; infinite when it never was.
    """

    fs_hz: float
    excitation: Floats
    force_n: Floats
    capacity_n: Floats
    rates_hz: Floats
    remaining: Floats
    endurance_s: float

    @property
    def time_s(self) -> Floats:
        """Time of each sample, seconds."""
        return np.arange(len(self.excitation)) / self.fs_hz


@dataclass(slots=True)
class _State:
    """Force left (share), time since recruitment; the pool's constants beside them."""

    pool: Pool
    rules: FatigueParameters
    loss_per_s: Floats
    relative_threshold: Floats
    left: Floats
    active_s: Floats

    @classmethod
    def rested(cls, pool: Pool, rules: FatigueParameters, left: Floats | None) -> _State:
        n = pool.n_units
        order = np.arange(n) / max(n - 1, 1)
        span = max(float(np.ptp(pool.threshold)), 1e-12)
        return cls(
            pool=pool,
            rules=rules,
            loss_per_s=rules.fastest_loss_per_s * rules.fatigability_range ** (order - 1),
            relative_threshold=(pool.threshold - pool.threshold.min()) / span,
            left=np.ones(n) if left is None else np.array(left, float),
            active_s=np.zeros(n),
        )

    def rates_hz(self, excitation: ArrayLike) -> Floats:
        """Return adapted rates, shape (n_units, n_excitations)."""
        rates = self.pool.rates_hz(excitation)
        growth = -np.expm1(-self.active_s / self.rules.adaptation_s) * self.relative_threshold
        above = rates - self.pool.min_rate_hz[:, None] + 2
        fall = self.rules.adaptation * growth[:, None] * above
        return np.where(rates > 0, np.maximum(rates - np.maximum(fall, 0.0), 0.0), 0.0)

    def fusions(self, rates_hz: Floats) -> Floats:
        """Return the share of tetanus at some rates; tired twitches are slower."""
        slower = 1 + self.rules.slowing * (1 - self.left)
        return fusion(rates_hz * (self.pool.contraction_ms * slower / 1000)[:, None])

    def forces_n(self, excitation: ArrayLike) -> Floats:
        """Return the force at each excitation, newtons."""
        tetanus = TETANUS_PER_TWITCH * self.pool.twitch_n * self.left
        return tetanus @ self.fusions(self.rates_hz(excitation))

    def solve(self, wanted_n: float) -> tuple[float, float]:
        """Return the excitation for a force and the force at full excitation."""
        low, high = 0.0, 1.0
        capacity = float(self.forces_n([1.0])[0])
        if wanted_n <= 0:
            return 0.0, capacity
        if wanted_n >= capacity:
            return 1.0, capacity
        # Three rounds of a 17-fold subdivision: to a part in five thousand.
        for _ in range(3):
            grid = np.linspace(low, high, 18)
            enough = self.forces_n(grid) >= wanted_n
            first = int(np.argmax(enough))
            low, high = float(grid[max(first - 1, 0)]), float(grid[first])
        return high, capacity

    def advance(self, excitation: float, dt_s: float) -> tuple[Floats, Floats]:
        """Let one step pass; return the rates and the fusion during it."""
        rates = self.rates_hz([excitation])
        share = self.fusions(rates)
        working = rates[:, 0] > 0
        rule = self.rules
        back = rule.recovery_per_s * np.where(
            working, float(rule.recovery_while_active), rule.rest_factor
        )
        change = back * (1 - self.left) - self.loss_per_s * share[:, 0]
        self.left = np.clip(self.left + dt_s * change, 0.0, 1.0)
        # Rate adaptation is forgotten at rest as fast as it came.
        decayed = self.active_s * np.exp(-dt_s / rule.adaptation_s)
        self.active_s = np.where(working, self.active_s + dt_s, decayed)
        return rates[:, 0], share[:, 0]


def fatigue(
    pool: Pool,
    target_n: ArrayLike,
    *,
    fs_hz: float,
    parameters: FatigueParameters | None = None,
    left: ArrayLike | None = None,
) -> FatigueCourse:
    """Let a pool follow a force and tire.

    Parameters
    ----------
    pool : Pool
    target_n : array_like, shape (n_t,)
        Force asked for, newtons; 0 is rest.
    fs_hz : float
        Rate of ``target_n``, Hz; 10 is what the source model uses.
    parameters : FatigueParameters, optional
    left : array_like, shape (n_units,), optional
        Force each unit has left at the start, as a share; rested without it.

    Examples
    --------
    >>> pool = Pool.fuglevand()
    >>> course = fatigue(pool, np.full(1200, 0.5 * 40), fs_hz=10.0)
    >>> bool(course.excitation[300] > course.excitation[0])
    True
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    target = np.atleast_1d(np.asarray(target_n, float))
    if target.ndim != 1 or not np.isfinite(target).all() or target.min() < 0:
        raise DataError("target_n must be 1-D, finite and 0 or more.")
    state = _State.rested(pool, parameters or FatigueParameters(), _start(pool, left))
    shape = (pool.n_units, len(target))
    rates, remaining = np.empty(shape), np.empty(shape)
    excitation, force, capacity = np.empty((3, len(target)))
    for j, wanted in enumerate(target):
        excitation[j], capacity[j] = state.solve(float(wanted))
        remaining[:, j] = state.left
        rates[:, j], share = state.advance(excitation[j], 1 / rate_hz)
        force[j] = TETANUS_PER_TWITCH * (pool.twitch_n * remaining[:, j]) @ share
    missed = np.flatnonzero(capacity < target * (1 - 1e-9))
    endurance = missed[0] / rate_hz if len(missed) else np.inf
    return FatigueCourse(rate_hz, excitation, force, capacity, rates, remaining, float(endurance))


def endurance_s(
    pool: Pool,
    fraction: float,
    *,
    limit_s: float = 3600.0,
    fs_hz: float = 10.0,
    parameters: FatigueParameters | None = None,
) -> float:
    """Return how long a pool holds a fraction of its maximal force; infinite beyond ``limit_s``.

    Examples
    --------
    >>> 10 < endurance_s(Pool.fuglevand(), 0.8) < 20
    True
    """
    Range(0.05, 1.0, "of the maximal force", least=1e-6, most=1).check(fraction, name="fraction")
    state = _State.rested(pool, parameters or FatigueParameters(), None)
    wanted = fraction * float(state.forces_n([1.0])[0])
    for step in range(round(limit_s * fs_hz)):
        excitation, capacity = state.solve(wanted)
        if capacity < wanted * (1 - 1e-9):
            return step / fs_hz
        state.advance(excitation, 1 / fs_hz)
    return float(np.inf)


def fatigued(
    muscle: Muscle, remaining: ArrayLike, *, parameters: FatigueParameters | None = None
) -> Muscle:
    """Return the muscle with each unit tired: weaker and slower twitches, slower conduction.

    Conduction velocity falls in proportion to the force lost, which compresses the spectrum of the
    surface signal; feed it to an electrode model at several moments of a `FatigueCourse`.

    Parameters
    ----------
    muscle : Muscle
    remaining : array_like, shape (n_units,)
        A column of `FatigueCourse.remaining`.
    parameters : FatigueParameters, optional
    """
    rules = parameters or FatigueParameters()
    left = _start(muscle.pool, remaining)
    lost = np.zeros(muscle.pool.n_units) if left is None else 1 - left
    pool = replace(
        muscle.pool,
        twitch_n=muscle.pool.twitch_n * (1 - lost),
        contraction_ms=muscle.pool.contraction_ms * (1 + rules.slowing * lost),
    )
    owned = muscle.fibres.unit >= 0
    slower = np.where(owned, 1 - rules.velocity_loss * lost[muscle.fibres.unit], 1.0)
    fibres = muscle.fibres.change(velocity_m_s=muscle.fibres.velocity_m_s * slower)
    return replace(muscle, pool=pool, fibres=fibres)


def _start(pool: Pool, left: ArrayLike | None) -> Floats | None:
    if left is None:
        return None
    share = np.asarray(left, float)
    if share.shape != (pool.n_units,) or not ((share >= 0) & (share <= 1)).all():
        raise DataError(
            f"The force left must be {pool.n_units} shares between 0 and 1; got shape "
            f"{share.shape}."
        )
    return share
