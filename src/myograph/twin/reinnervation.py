"""Loss of motor units, and what the survivors do about it.

Units die one after another; their fibres wait, are adopted by a neighbour's sprout, or waste. A
sprout's junction is slow and weak at first and matures over months. Everything happens to fibres;
what an electrode sees of it follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from myograph.core.checks import check_non_negative
from myograph.core.errors import DataError, ParameterError
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = [
    "DENERVATED",
    "Reinnervation",
    "denervated_months",
    "die_at",
    "kill_and_adopt",
    "lose_units",
    "matured",
]

Floats = NDArray[np.float64]

#: Fibre column: months since a fibre lost its nerve; 0 while it has one.
DENERVATED = "denervated_months"

# A fibre asks no more than this many neighbours.
_NEIGHBOURS = 64
# Fibres thicken to this multiple of their area at most (grimby2005).
_MOST_AREA = 2.0
# Its luck is drawn for this many times of being orphaned, and comes round again after that.
_TURNS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinnervation:
    """How surviving units adopt the fibres of dead ones.

    Parameters
    ----------
    radius_um : float
        How far a sprout reaches: an orphan is adopted by the unit of a fibre within it.
    efficacy : float
        Probability that an orphan with such a neighbour is adopted (0.6 to 0.7).
    enlargement : float
        Most fibres that a unit can have, as a multiple of its own at the start (5 to 8).
    delay_months : float
        Mean time from denervation to the new junction (exponential).
    maturation_months : float
        Time constant with which the junction matures (3 to 6 months).
    terminal_ms : float
        Mean conduction delay of a fresh sprout (exponential); it goes as the sprout matures.
    atrophy_months : float
        Time constant with which the diameter of a denervated fibre falls, to a third at last.
    removal_months : float
        A fibre that was denervated for longer is gone.
    loss_months : float
        Units die within this time of the onset; evenly until now when it is longer than that.
    hypertrophy : float
        Fibres of an enlarged unit thicken, as far as the muscle lacks strength: their diameter
        follows this power of the enlargement, to twice the area at most. In old polio areas double
        where units have five times their fibres: 0.2 (grimby2005); 0 for none.
    hypertrophy_months : float
        Time constant of that (assumed: it comes late, grimby1995).
    """

    radius_um: float = 150.0
    efficacy: float = 0.65
    enlargement: float = 6.0
    delay_months: float = 1.5
    maturation_months: float = 4.0
    terminal_ms: float = 1.0
    atrophy_months: float = 6.0
    removal_months: float = 30.0
    loss_months: float = math.inf
    hypertrophy: float = 0.0
    hypertrophy_months: float = 12.0

    def __post_init__(self) -> None:
        ranges = {
            "radius_um": Range(50, 400, "um", most=5000),
            "efficacy": Range(0, 1, most=1),
            "enlargement": Range(1, 8, least=1, most=100),
            "delay_months": Range(0.3, 6, "months", least=1e-3),
            "maturation_months": Range(1, 12, "months", least=1e-3),
            "terminal_ms": Range(0, 3, "ms", most=20),
            "atrophy_months": Range(1, 24, "months", least=1e-3),
            "removal_months": Range(6, 120, "months", least=0.1),
            "hypertrophy": Range(0, 0.3, most=2),
            "hypertrophy_months": Range(3, 60, "months", least=1e-3),
        }
        check_ranges(self, ranges)
        if not self.loss_months > 0:
            raise ParameterError(f"loss_months must be above 0; got {self.loss_months!r}.")


def lose_units(
    muscle: Muscle,
    fraction: float,
    *,
    months: float,
    seed: int,
    bias: float = 0.0,
    rule: Reinnervation | None = None,
) -> Muscle:
    """Return the muscle after a share of its living units died, evenly over some months.

    With one seed the units die in one order: a larger fraction kills the same units and more.

    Parameters
    ----------
    muscle : Muscle
    fraction : float
        Share of the living units that die, 0 to 1.
    months : float
        Time since the first died; 0 kills them all at this moment, with nothing adopted yet.
    seed : int
    bias : float
        0 takes units at random, above 0 prefers large ones, below 0 small ones: the log odds of
        the largest over the smallest.
    rule : Reinnervation, optional

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> healthy = Muscle.healthy("FDI", PoolParameters(n_fibres=4000), seed=1)
    >>> sick = lose_units(healthy, 0.5, months=24, seed=1)
    >>> sick.pool.n_alive, bool(sick.fibre_counts.max() > healthy.fibre_counts.max())
    (60, True)
    """
    Range(0, 1, most=1).check(fraction, name="fraction")
    check_non_negative(months, name="months")
    Range(-5, 5, least=-50, most=50).check(bias, name="bias")
    order = _order(muscle, bias, seed)
    dying = order[: round(fraction * len(order))]
    return kill_and_adopt(muscle, dying, months=months, seed=seed, rule=rule)


def kill_and_adopt(
    muscle: Muscle,
    units: NDArray[np.int64],
    *,
    months: float,
    seed: int,
    rule: Reinnervation | None = None,
) -> Muscle:
    """Return the muscle after these units died in this order, evenly over some months."""
    law, dying = rule or Reinnervation(), np.asarray(units, np.int64)
    # Months before now at which each died, the first just after the onset.
    within = min(law.loss_months, months)
    ago = months - within * (np.arange(len(dying)) + 0.5) / max(len(dying), 1)
    return _after(muscle, dying, ago, law, seed)


def die_at(
    muscle: Muscle,
    ago_months: ArrayLike,
    *,
    seed: int,
    bias: float = 0.0,
    rule: Reinnervation | None = None,
) -> Muscle:
    """Return the muscle after units died at given moments, in the order of `lose_units`.

    Parameters
    ----------
    muscle : Muscle
    ago_months : array_like, shape (n_dead,)
        Months before now at which the first, second, ... unit died; descending, 0 or more. At most
        as many as are alive.
    seed : int
        One seed is one order of death.
    bias : float
        As in `lose_units`.
    rule : Reinnervation, optional

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> healthy = Muscle.healthy("FDI", PoolParameters(n_fibres=4000), seed=1)
    >>> die_at(healthy, [12.0, 6.0, 0.0], seed=1).pool.n_alive
    117
    """
    ago = np.atleast_1d(np.asarray(ago_months, float))
    if ago.ndim != 1 or not np.isfinite(ago).all() or (ago < 0).any() or (np.diff(ago) > 0).any():
        raise ParameterError(
            "ago_months must be finite, 0 or more and descending, first death first."
        )
    Range(-5, 5, least=-50, most=50).check(bias, name="bias")
    order = _order(muscle, bias, seed)
    if len(ago) > len(order):
        raise DataError(
            f"{len(ago)} deaths were asked of {muscle.name!r}, which has {len(order)} living units."
        )
    return _after(muscle, order[: len(ago)], ago, rule or Reinnervation(), seed)


def _after(
    muscle: Muscle, dying: NDArray[np.int64], ago: Floats, law: Reinnervation, seed: int
) -> Muscle:
    """Return the muscle after these units died so long ago, their fibres adopted or wasted."""
    if not len(dying):
        return muscle
    before = muscle.fibres.count(muscle.pool.n_units)
    fate = _adopt(muscle, _Deaths(dying, ago, before), law, seed)
    killed = muscle.kill_units(dying)
    fibres = _waste(_sprout(killed.fibres, fate, law, seed), fate, law)
    return _thickened(killed.remodelled(fibres), muscle.mvc_n, float(ago.max()), law)


def denervated_months(fibres: Fibres) -> Floats:
    """Return how long each fibre has been without a nerve, shape (n_fibres,), months; 0 if not."""
    none = np.zeros(len(fibres))
    return np.asarray(fibres.columns.get(DENERVATED, none), np.float64)


class _Deaths(NamedTuple):
    """Units in the order of their death, months ago of each, and each unit's fibres before."""

    units: NDArray[np.int64]
    ago: Floats
    size: NDArray[np.int64]


class _Fate(NamedTuple):
    """New unit of each fibre, months since it was adopted (NaN: not) and denervated (0: not)."""

    unit: NDArray[np.int64]
    adopted: Floats
    denervated: Floats


def _order(muscle: Muscle, bias: float, seed: int) -> NDArray[np.int64]:
    """Order the living units by their death: an exponential race with rates by size."""
    living = np.flatnonzero(muscle.pool.alive)
    if not living.size:
        return living
    size = np.log(np.maximum(muscle.pool.n_fibres[living], 1))
    rank = (size - size.min()) / max(float(np.ptp(size)), 1e-12)
    clock = stream(seed, "death").standard_exponential(muscle.pool.n_units)[living]
    return living[np.argsort(clock * np.exp(-bias * rank), kind="stable")]


def _adopt(muscle: Muscle, deaths: _Deaths, law: Reinnervation, seed: int) -> _Fate:
    fibres = muscle.fibres
    count = len(fibres)
    if not count:
        raise DataError(f"{muscle.name!r} has no fibres left.")
    points = np.stack([fibres.x_mm, fibres.y_mm], axis=1)
    near = (
        cKDTree(points)
        .query(points, min(_NEIGHBOURS, count), distance_upper_bound=law.radius_um / 1000)[1]
        .reshape(count, -1)
    )
    # An orphan has the same odds each time it is orphaned: its luck is not a trait of the fibre.
    chance = np.empty((count, _TURNS, 2))
    chance[:, 0] = stream(seed, "adoption").random((count, 2))
    chance[:, 1:] = stream(seed, "adoption-again").random((count, _TURNS - 1, 2))
    delay = stream(seed, "adoption-delay").standard_exponential(count) * law.delay_months
    cap = np.floor(law.enlargement * np.maximum(muscle.pool.n_fibres, deaths.size))
    unit = np.where(fibres.innervated, fibres.unit, -1)
    adopted = np.full(count, np.nan)
    denervated = denervated_months(fibres).copy()
    denervated[denervated > 0] += deaths.ago.max(initial=0.0)
    alive = muscle.pool.alive.copy()
    _pass_on(
        unit, near, (deaths.units, deaths.ago), (chance, delay), (cap, law.efficacy),
        (adopted, denervated, alive, deaths.size.copy()),
    )  # fmt: skip
    return _Fate(unit, adopted, denervated)


@njit(cache=True)
def _pass_on(unit, near, deaths, luck, limits, state):  # type: ignore[no-untyped-def]
    """Let units die in turn and pass their fibres on; fills the arrays of ``state``."""
    dying, ago = deaths
    chance, delay = luck
    cap, efficacy = limits
    adopted, denervated, alive, size = state
    n_fibres = len(unit)
    turn = np.zeros(n_fibres, np.int64)
    candidates = np.empty(near.shape[1], np.int64)
    for d in range(len(dying)):
        dead = dying[d]
        alive[dead] = False
        for i in range(n_fibres):
            if unit[i] != dead:
                continue
            unit[i] = -1
            adopted[i] = np.nan
            denervated[i] = max(ago[d], 1e-9)
            luck_now = chance[i, turn[i] % chance.shape[1]]
            turn[i] += 1
            if delay[i] > ago[d] or luck_now[0] > efficacy:
                continue
            found = 0
            for j in near[i]:
                if j == n_fibres:
                    break
                owner = unit[j]
                if owner >= 0 and alive[owner] and size[owner] < cap[owner]:
                    candidates[found] = owner
                    found += 1
            if found:
                owner = candidates[int(luck_now[1] * found)]
                unit[i] = owner
                size[owner] += 1
                adopted[i] = ago[d] - delay[i]
                denervated[i] = 0.0


def _sprout(fibres: Fibres, fate: _Fate, law: Reinnervation, seed: int) -> Fibres:
    """Join adopted fibres to their new units, through junctions as mature as their age."""
    new = np.isfinite(fate.adopted)
    young = np.exp(-np.where(new, fate.adopted, np.inf) / law.maturation_months)
    sprout_ms = law.terminal_ms * stream(seed, "sprout").standard_exponential(len(fibres))
    return fibres.change(
        unit=np.where(new, fate.unit, fibres.unit),
        innervated=fate.unit >= 0,
        maturity=np.where(new, 1 - young, fibres.maturity),
        terminal_delay_ms=np.where(new, sprout_ms * young, fibres.terminal_delay_ms),
    )


def _waste(fibres: Fibres, fate: _Fate, law: Reinnervation) -> Fibres:
    """Thin out denervated fibres, and take away those that have been so for too long."""
    lost = fate.denervated
    earlier = denervated_months(fibres)

    def shrunk(months: Floats) -> Floats:
        return (1 + 2 * np.exp(-months / law.atrophy_months)) / 3

    # What had wasted before goes on from there.
    share = np.where(lost > 0, shrunk(lost) / shrunk(np.minimum(earlier, lost)), 1.0)
    fibres = fibres.change(diameter_um=fibres.diameter_um * share, columns={DENERVATED: lost})
    return fibres.keep(lost <= law.removal_months)


def _thickened(left: Muscle, wanted_n: float, months: float, law: Reinnervation) -> Muscle:
    """Let the fibres of enlarged units thicken until the muscle is as strong as it was."""
    present_n = left.mvc_n if law.hypertrophy else 0.0
    if not 0 < present_n < wanted_n:
        return left
    fibres, own = left.fibres, left.fibres.innervated
    grown = np.maximum(left.fibre_counts / np.maximum(left.pool.n_fibres, 1), 1.0)
    come = -np.expm1(-months / law.hypertrophy_months)
    area = np.minimum(grown ** (2 * law.hypertrophy), _MOST_AREA) ** come
    # No further than to the strength there was: a share of each unit's growth.
    stronger = float(area[fibres.unit[own]] @ fibres.area_mm2[own] / fibres.area_mm2[own].sum())
    share = min((wanted_n / present_n - 1) / max(stronger - 1, 1e-12), 1.0)
    factor = np.append(1 + share * (area - 1), 1.0)[np.where(own, fibres.unit, -1)]
    return left.remodelled(fibres.change(diameter_um=fibres.diameter_um * np.sqrt(factor)))


def matured(muscle: Muscle, months: float, *, rule: Reinnervation | None = None) -> Muscle:
    """Return the muscle some months on, with its junctions that much more mature.

    Parameters
    ----------
    muscle : Muscle
    months : float
    rule : Reinnervation, optional
    """
    law = rule or Reinnervation()
    fade = float(np.exp(-check_non_negative(months, name="months") / law.maturation_months))
    fibres = muscle.fibres
    grown = fibres.change(
        maturity=1 - (1 - fibres.maturity) * fade,
        terminal_delay_ms=fibres.terminal_delay_ms * fade,
    )
    return replace(muscle, fibres=grown)
