"""Muscle fibres that fall ill: atrophy, hypertrophy, death, splitting, regeneration.

Month by month the involved fibres shrink or swell; thin ones die, thick ones split, some of the
dead come back as thin fibres with young junctions. Units keep their nerve and lose their muscle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from myograph.core.checks import check_non_negative
from myograph.core.errors import DataError
from myograph.twin.fibre import Fibres, velocity_m_s
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.reinnervation import DENERVATED, denervated_months
from myograph.twin.seeds import stream

__all__ = ["FibreDisease", "fibre_disease", "fibre_strength"]

Floats = NDArray[np.float64]

# Whole months are simulated; in one an atrophic fibre loses 4 % of its area (hamiltonwright2005).
_MONTHLY = np.sqrt(0.96)
# A graded death: of fibres that have become this much thicker than the smallest, this share is dead
# (hamiltonwright2005: a quarter below 10 um more, three quarters below 5). A share of diameter and
# not of time: a fast disease does not leave thinner fibres alive.
_ABOVE_UM, _DEAD = (0.0, 5.0, 10.0, 12.5), (1.0, 0.75, 0.25, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FibreDisease:
    """What a disease does to fibres.

    Parameters
    ----------
    onset_months : float
        Time within which the involved fibres fall ill, one by one (uniform).
    hypertrophic : float
        Share of the involved fibres that swell instead of shrinking.
    speed : float
        How fast diameters change: 1 is 4 % of the area in a month.
    smallest_um : float
        Fibres of this diameter are dead, three quarters of those below 5 µm more, and a quarter of
        those below 10 µm more (hamiltonwright2005: 25).
    split_area : float
        A fibre splits in two when its area exceeds this times the mean healthy one.
    regenerating : float
        Probability that a dead fibre comes back, 15 to 25 µm thick.
    segmental : float
        Probability that an involved fibre is cut off from its junction for good.
    patch_mm : float
        Size of the patches in which fibres are involved together; 0 for scattered ones.
    maturation_months : float
        Time constant with which the junctions of regenerated fibres mature.
    """

    onset_months: float = 12.0
    hypertrophic: float = 0.1
    speed: float = 1.0
    smallest_um: float = 25.0
    split_area: float = 2.0
    regenerating: float = 0.3
    segmental: float = 0.05
    patch_mm: float = 0.0
    maturation_months: float = 4.0

    def __post_init__(self) -> None:
        ranges = {
            "onset_months": Range(1, 480, "months", least=1e-3),
            "hypertrophic": Range(0, 0.5, most=1),
            "speed": Range(0, 3, most=20),
            "smallest_um": Range(1, 35, "um", most=100),
            "split_area": Range(1.5, 5, least=1.01),
            "regenerating": Range(0, 0.8, most=1),
            "segmental": Range(0, 0.6, most=1),
            "patch_mm": Range(0, 10, "mm", most=100),
            "maturation_months": Range(1, 12, "months", least=1e-3),
        }
        check_ranges(self, ranges)


def fibre_disease(
    muscle: Muscle,
    involvement: float,
    *,
    months: float,
    seed: int,
    rule: FibreDisease | None = None,
) -> Muscle:
    """Return the muscle some months into a disease of its fibres.

    Parameters
    ----------
    muscle : Muscle
    involvement : float
        Share of the fibres that fall ill in the end, 0 to 1. With one seed, more involvement means
        the same fibres and more.
    months : float
        Since the onset; rounded to whole months.
    seed : int
        Every fibre has its own chances.
    rule : FibreDisease, optional

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> healthy = Muscle.healthy("BB", PoolParameters(n_fibres=4000), seed=1)
    >>> sick = fibre_disease(healthy, 0.5, months=24, seed=1)
    >>> bool(sick.mvc_n < 0.9 * healthy.mvc_n), sick.pool.n_alive
    (True, 120)
    """
    Range(0, 1, most=1).check(involvement, name="involvement")
    check_non_negative(months, name="months")
    law, count = rule or FibreDisease(), len(muscle.fibres)
    if not count:
        raise DataError(f"{muscle.name!r} has no fibres left.")
    whole = round(months)
    start = _start(muscle, involvement, law, seed)
    if whole == 0 or not np.isfinite(start).any():
        return muscle
    course = _course(muscle.fibres, start, whole, law, seed)
    fibres = _changed(muscle.fibres, course, law, whole, seed)
    swollen = course.diameter_um > muscle.fibres.diameter_um
    thick = swollen & (fibres.area_mm2 > law.split_area * _healthy_area(muscle))
    fibres = _split(fibres.keep(course.present), thick[course.present], seed)
    return muscle.remodelled(fibres)


def fibre_strength(
    months: ArrayLike, involvement: float, *, rule: FibreDisease | None = None
) -> Floats:
    """Return the force that the fibres have left, as a share: the mean field of `fibre_disease`.

    Parameters
    ----------
    months : array_like
        Since the onset, 0 or more.
    involvement : float
    rule : FibreDisease, optional

    Examples
    --------
    >>> fibre_strength([0.0, 24.0, 120.0], 0.5).round(2).tolist()
    [1.0, 0.78, 0.62]
    """
    law = rule or FibreDisease()
    Range(0, 1, most=1).check(involvement, name="involvement")
    time = np.asarray(months, float)
    if not np.isfinite(time).all() or (time < 0).any():
        raise DataError("months must be finite and 0 or more.")
    grid = np.arange(np.ceil(time.max(initial=0.0)) + 2)
    area = np.concatenate([[0.0], np.cumsum(_mean_area(grid, law))])[: len(grid)]
    # Fibres fall ill evenly over the onset: the ill are as old as the time since each did.
    oldest, youngest = time, np.maximum(time - law.onset_months, 0.0)
    have = np.interp(oldest, grid, area) - np.interp(youngest, grid, area)
    gone = (oldest - youngest - have) / law.onset_months
    return np.asarray(np.clip(1 - involvement * gone, 0.0, None), np.float64)


def _mean_area(months: Floats, law: FibreDisease) -> Floats:
    """Return the mean area of fibres that fell ill so long ago, as a share of the healthy one."""
    diameter = 55.0 + 9.0 * norm.ppf((np.arange(15) + 0.5) / 15)
    weight = diameter**2 / np.sum(diameter**2)
    now = diameter * (_MONTHLY**law.speed) ** months[:, None]
    dead = np.interp(now - law.smallest_um, _ABOVE_UM, _DEAD)
    back = law.regenerating * (20.0 / diameter) ** 2
    wasting = dead * back + (1 - dead) * (now / diameter) ** 2
    swelling = np.minimum(0.96 ** (-law.speed * months), law.split_area * 1.05)
    ill = (1 - law.hypertrophic) * (wasting @ weight) + law.hypertrophic * swelling
    return np.asarray((1 - law.segmental) * ill, np.float64)


class _Course(NamedTuple):
    """What the months did to each fibre.

    Diameter now, whether it is there, months since it regenerated (NaN: it did not) and since it
    was cut off (0: it was not).
    """

    diameter_um: Floats
    present: NDArray[np.bool_]
    regrown: Floats
    cut: Floats


def _start(muscle: Muscle, involvement: float, law: FibreDisease, seed: int) -> Floats:
    """Return the month at which each fibre falls ill; infinite for those that never do."""
    fibres, count = muscle.fibres, len(muscle.fibres)
    rank = stream(seed, "involved").random(count)
    if law.patch_mm > 0:
        # Neighbours share half their luck: a smooth random field over the cross-section.
        field = _field(fibres, law.patch_mm, seed)
        order = np.argsort(np.argsort(field + stream(seed, "scatter").normal(0, 0.5, count)))
        rank = (order + 0.5) / count
    onset = stream(seed, "onset").random(count) * law.onset_months
    return np.where(rank < involvement, onset, np.inf)


def _field(fibres: Fibres, patch_mm: float, seed: int) -> Floats:
    """Return a unit-variance random field over x and y with a scale: a sum of plane waves."""
    rng = stream(seed, "patches")
    total = np.zeros(len(fibres))
    for _ in range(24):
        angle, phase = 2 * np.pi * rng.random(2)
        wave = 2 * np.pi / patch_mm * (0.3 + 0.7 * rng.random())
        total += np.cos(wave * (np.cos(angle) * fibres.x_mm + np.sin(angle) * fibres.y_mm) + phase)
    return np.asarray(total / np.sqrt(12), np.float64)


def _course(fibres: Fibres, start: Floats, months: int, law: FibreDisease, seed: int) -> _Course:
    count = len(fibres)
    swells = stream(seed, "swells").random(count) < law.hypertrophic
    factor = np.where(swells, 1 / _MONTHLY, _MONTHLY) ** law.speed
    # Every fibre has a diameter at which it dies; its luck is drawn once.
    luck = stream(seed, "survival").random(count)
    deadly = law.smallest_um + np.interp(luck, _DEAD[::-1], _ABOVE_UM[::-1])
    returns = stream(seed, "regeneration").random(count) < law.regenerating
    regrown_um = stream(seed, "regrown").uniform(15.0, 25.0, count)
    diameter = fibres.diameter_um.copy()
    regrown, dead = np.full(count, np.nan), np.zeros(count, bool)
    # A fibre swells to no more than it takes to split.
    most = np.sqrt(law.split_area * 1.05) * float(np.mean(diameter))
    _live(diameter, (start, factor, deadly, returns, regrown_um), (regrown, dead), (months, most))
    cut = (stream(seed, "segmental").random(count) < law.segmental) & (start < months)
    since = np.where(cut, months - np.minimum(start, months), 0.0)
    return _Course(diameter, ~dead, regrown, since)


@njit(cache=True)
def _live(diameter, fibre, fate, limits):  # type: ignore[no-untyped-def]
    start, factor, deadly, returns, regrown_um = fibre
    regrown, dead = fate
    months, most = limits
    for i in range(len(diameter)):
        for month in range(1, months + 1):
            if month <= start[i]:
                continue
            before = diameter[i]
            if before * factor[i] <= max(most, before):
                diameter[i] = before * factor[i]
            if factor[i] < 1 and diameter[i] <= deadly[i]:
                if returns[i]:
                    # It comes back thin and does not fall ill again.
                    diameter[i] = regrown_um[i]
                    regrown[i] = months - month
                else:
                    dead[i] = True
                break


def _changed(fibres: Fibres, course: _Course, law: FibreDisease, months: int, seed: int) -> Fibres:
    new = np.isfinite(course.regrown)
    young = np.exp(-np.where(new, course.regrown, np.inf) / law.maturation_months)
    # Regenerated fibres are reached late and over long terminals.
    late = young * stream(seed, "regrown-terminal").standard_exponential(len(fibres))
    earlier = denervated_months(fibres)
    lost = np.where(earlier > 0, earlier + months, course.cut)
    # Only what changed gets a new velocity: a fibre may have one of its own.
    changed = course.diameter_um != fibres.diameter_um
    velocity = np.where(changed, velocity_m_s(course.diameter_um), fibres.velocity_m_s)
    return fibres.change(
        diameter_um=course.diameter_um,
        velocity_m_s=velocity,
        innervated=fibres.innervated & (course.cut == 0),
        maturity=np.where(new, 1 - young, fibres.maturity),
        terminal_delay_ms=np.where(new, late, fibres.terminal_delay_ms),
        columns={DENERVATED: lost},
    )


def _healthy_area(muscle: Muscle) -> float:
    return float(np.pi / 4 * (muscle.geometry.diameter_um / 1000) ** 2)


def _split(fibres: Fibres, chosen: NDArray[np.bool_], seed: int) -> Fibres:
    """Split fibres in two neighbours of about half the area, each with its own velocity."""
    thick = np.flatnonzero(chosen)
    if not thick.size:
        return fibres
    share = stream(seed, "split").uniform(0.35, 0.65, thick.size)
    diameter = fibres.diameter_um.copy()
    whole = diameter[thick]
    diameter[thick] = whole * np.sqrt(share)
    twins = fibres.keep(thick)
    angle = 2 * np.pi * stream(seed, "split-angle").random(thick.size)
    twins = replace(
        twins,
        x_mm=twins.x_mm + whole / 2000 * np.cos(angle),
        y_mm=twins.y_mm + whole / 2000 * np.sin(angle),
    ).change(diameter_um=whole * np.sqrt(1 - share))
    velocity = np.where(diameter != fibres.diameter_um, velocity_m_s(diameter), fibres.velocity_m_s)
    return Fibres.concatenate([fibres.change(diameter_um=diameter, velocity_m_s=velocity), twins])
