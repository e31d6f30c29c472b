"""Treatments, with effects nobody knows exactly: each is a prior, and a person draws from it.

A treatment acts where it acts in a body: on the pace of a disease, on junctions, on a nerve, on the
command. No treatment changes a score directly. An effect that was never measured as a change of
pace is this project's reading of what was measured, and its prior is wide accordingly. What comes
out says what follows from these assumptions, and never whom to treat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import truncnorm

from myograph.core.checks import check_count, check_non_negative
from myograph.core.errors import ParameterError
from myograph.core.registry import Registry
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import carpal_tunnel
from myograph.twin.physiology import Range
from myograph.twin.progression import Course, Pace
from myograph.twin.seeds import stream
from myograph.twin.transmission import Endplates, equipped, with_endplates
from myograph.twin.tremor import Tremor

__all__ = [
    "TREATMENTS",
    "Prior",
    "Treatment",
    "calmed",
    "injected",
    "released",
    "strength_under",
    "strengthened",
    "treated",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """What is believed about an effect: a normal distribution, cut off at what is possible.

    Parameters
    ----------
    mean, sd : float
        Before the cut.
    least, most : float

    Examples
    --------
    >>> prior = Prior(mean=0.15, sd=0.08)
    >>> prior.draw(seed=1), prior.draw(seed=1) == prior.draw(seed=1)
    (0.1..., True)
    """

    mean: float
    sd: float
    least: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        if not (self.sd > 0 and -np.inf < self.least < self.most and np.isfinite(self.mean)):
            raise ParameterError(
                "A prior needs sd above 0 and least below most; an effect is never a point. Got "
                f"sd={self.sd!r}, least={self.least!r}, most={self.most!r}."
            )

    def quantile(self, share: ArrayLike) -> Floats:
        """Return quantiles, in the shape of ``share``."""
        low, high = (self.least - self.mean) / self.sd, (self.most - self.mean) / self.sd
        found = truncnorm.ppf(np.asarray(share, float), low, high, loc=self.mean, scale=self.sd)
        return np.asarray(found, np.float64)

    def draw(self, *, seed: int, name: str = "effect") -> float:
        """Draw one person's effect."""
        return float(self.quantile(stream(seed, "treatment", name).random()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """A treatment and what is believed about it.

    Parameters
    ----------
    name : str
    acts_on : str
        ``"pace"``, ``"junction"``, ``"release"``, ``"tremor"`` or ``"tunnel"``.
    effect : Prior
        Share by which it slows, calms or restores; for junctions, by which quanta grow.
    diseases : tuple of str
        Whom it is for.
    source : str
        Key of what the prior rests on, or ``"assumed"``.
    """

    name: str
    acts_on: str
    effect: Prior
    diseases: tuple[str, ...]
    source: str

    def check(self, acts_on: str) -> Treatment:
        """Return the treatment if it acts there."""
        if self.acts_on != acts_on:
            fitting = sorted(t.name for t in TREATMENTS.values() if t.acts_on == acts_on)
            raise ParameterError(
                f"{self.name!r} acts on the {self.acts_on}, not on the {acts_on}; "
                f"what does is {fitting}."
            )
        return self


#: Treatments by name.
TREATMENTS: Registry[Treatment] = Registry("treatment")

for _name, _acts, _effect, _diseases, _source in (
    # Two to three months of median survival, of about twenty.
    ("riluzole", "pace", Prior(mean=0.13, sd=0.07, most=0.5), ("als",), "riluzole2018"),
    # Not significant in network meta-analysis: none and harm are within it.
    ("edaravone", "pace", Prior(mean=0.1, sd=0.12, least=-0.2, most=0.5), ("als",), "assumed"),
    ("tofersen", "pace", Prior(mean=0.25, sd=0.2, least=-0.2, most=0.9), ("als",), "assumed"),
    ("nusinersen", "pace", Prior(mean=0.9, sd=0.12), ("sma",), "nusinersen2018"),
    ("glucocorticoid", "pace", Prior(mean=0.27, sd=0.08, most=0.7), ("dmd",), "dmdsteroid2023"),
    (
        "cholinesterase inhibitor",
        "junction",
        Prior(mean=0.5, sd=0.25, most=1.5),
        ("myasthenia gravis", "lambert-eaton"),
        "assumed",
    ),
    ("levodopa", "tremor", Prior(mean=0.45, sd=0.25), ("parkinson",), "assumed"),
    (
        "deep brain stimulation",
        "tremor",
        Prior(mean=0.8, sd=0.15),
        ("parkinson", "essential tremor"),
        "assumed",
    ),
    (
        "botulinum toxin",
        "release",
        Prior(mean=0.75, sd=0.12, least=0.2, most=0.99),
        ("spasticity", "dystonia", "stroke"),
        "assumed",
    ),
    ("carpal tunnel release", "tunnel", Prior(mean=0.7, sd=0.15), ("carpal tunnel",), "assumed"),
):
    TREATMENTS.add(
        _name,
        Treatment(name=_name, acts_on=_acts, effect=_effect, diseases=_diseases, source=_source),
    )


def treated(
    course: Course,
    name: str,
    *,
    seed: int,
    from_months: float,
    until_months: float = np.inf,
    effect: float | None = None,
) -> Course:
    """Return a course whose disease a treatment slows while it is given.

    Parameters
    ----------
    course : Course
    name : str
        Of `TREATMENTS`, one that acts on the pace and is for this disease.
    seed : int
        The person: the effect is drawn from the treatment's prior.
    from_months, until_months : float
        Since the onset.
    effect : float, optional
        Asked for instead of drawn.

    Raises
    ------
    ParameterError
        If the treatment is for another disease, acts elsewhere, ends before it starts, or is given
        twice at once.

    Examples
    --------
    >>> from myograph.twin.courses import als_course
    >>> course = als_course(seed=1)
    >>> slower = treated(course, "riluzole", seed=1, from_months=6)
    >>> bool(slower.burden(24.0).units > course.burden(24.0).units)
    True
    """
    given = TREATMENTS[name].check("pace")
    if course.disease not in given.diseases:
        raise ParameterError(
            f"{name!r} is for {list(given.diseases)}; this course is one of {course.disease!r}."
        )
    for pace in course.paces:
        if (
            pace.label == name
            and pace.from_months < until_months
            and from_months < pace.until_months
        ):
            end = "on" if math.isinf(pace.until_months) else f"to month {pace.until_months:g}"
            raise ParameterError(
                f"{name!r} is given already, from month {pace.from_months:g} {end}; a person "
                "takes a treatment once at a time."
            )
    size = given.effect.draw(seed=seed, name=name) if effect is None else effect
    Range(0, 1, least=-1, most=1).check(abs(size), name="effect")
    pace = Pace(from_months=from_months, until_months=until_months, factor=1 - size, label=name)
    return course.paced(pace)


def strength_under(
    course: Course,
    names: Sequence[str],
    months: ArrayLike,
    *,
    from_months: float,
    n_draws: int = 200,
    seed: int,
) -> Floats:
    """Return the strength under treatments, once for each draw from their priors.

    Parameters
    ----------
    course : Course
    names : sequence of str
        Given together; none is the natural course.
    months : array_like, shape (n_months,)
    from_months : float
    n_draws : int
    seed : int

    Returns
    -------
    ndarray, shape (n_draws, n_months)
    """
    check_count(n_draws, name="n_draws")
    time = np.atleast_1d(np.asarray(months, float))
    out = np.empty((n_draws, len(time)))
    for k in range(n_draws):
        own = int(stream(seed, "what-if", k).integers(2**31))
        mine = course
        for name in names:
            mine = treated(mine, name, seed=own, from_months=from_months)
        out[k] = mine.burden(time).strength
    return out


def calmed(tremor: Tremor, name: str, *, seed: int, effect: float | None = None) -> Tremor:
    """Return a tremor under a treatment: smaller, of the same frequency.

    Parameters
    ----------
    tremor : Tremor
    name : str
        ``"levodopa"`` or ``"deep brain stimulation"``.
    seed : int
    effect : float, optional

    Examples
    --------
    >>> from myograph.twin.tremor import TREMORS
    >>> calmed(TREMORS["parkinson"], "levodopa", seed=1, effect=0.5).amplitude
    0.06
    """
    given = TREATMENTS[name].check("tremor")
    size = given.effect.draw(seed=seed, name=name) if effect is None else effect
    Range(0, 1, most=1).check(size, name="effect")
    return replace(tremor, amplitude=tremor.amplitude * (1 - size))


def strengthened(
    muscle: Muscle,
    name: str = "cholinesterase inhibitor",
    *,
    seed: int,
    effect: float | None = None,
) -> Muscle:
    """Return a muscle whose junctions a cholinesterase inhibitor helps: each quantum does more.

    Parameters
    ----------
    muscle : Muscle
        Gets healthy end-plates first when it has none.
    name : str
    seed : int
    effect : float, optional
        Share by which the depolarisation by one quantum grows.
    """
    given = TREATMENTS[name].check("junction")
    size = given.effect.draw(seed=seed, name=name) if effect is None else effect
    Range(0, 1.5, most=10).check(size, name="effect")
    whole = equipped(muscle, seed=seed)
    ends = Endplates.of(whole.fibres)
    return with_endplates(whole, replace(ends, quantum_mv=ends.quantum_mv * (1 + size)))


#: Botulinum toxin: time constants of coming on and wearing off, and the time at which half of the
#: effect is gone again, months (assumed: days to come on, three to four months to go).
TOXIN_ON_MONTHS, TOXIN_HALF_MONTHS, TOXIN_WIDTH_MONTHS = 0.15, 3.2, 0.45


def injected(muscle: Muscle, months: float, *, seed: int, effect: float | None = None) -> Muscle:
    """Return a muscle some months after an injection of botulinum toxin: less release.

    Parameters
    ----------
    muscle : Muscle
    months : float
        Since the injection.
    seed : int
        Fibres near the needle get more.
    effect : float, optional
        Share of the release that is lost at the peak.
    """
    time = check_non_negative(months, name="months")
    given = TREATMENTS["botulinum toxin"]
    size = given.effect.draw(seed=seed, name=given.name) if effect is None else effect
    Range(0, 0.99, most=1).check(size, name="effect")
    on = -np.expm1(-time / TOXIN_ON_MONTHS)
    gone = 1 / (1 + np.exp(-np.clip((time - TOXIN_HALF_MONTHS) / TOXIN_WIDTH_MONTHS, -50, 50)))
    whole = equipped(muscle, seed=seed)
    ends = Endplates.of(whole.fibres)
    # Distance from a needle in the middle of the muscle decides how much a fibre gets.
    away = np.hypot(whole.fibres.x_mm, whole.fibres.y_mm)
    near = np.exp(-((away / max(whole.geometry.width_mm / 2, 1.0)) ** 2) / 2)
    lost = np.minimum(size * near / near.mean(), 1.0) * on * (1 - gone)
    return with_endplates(whole, replace(ends, release=ends.release * (1 - lost)))


#: After the release of a carpal tunnel: time constants of block and slowing, and of axons, months.
RELEASE_MONTHS, REGROWTH_MONTHS = 2.5, 9.0


def released(
    healthy: Nerve, severity: float, *, months: float, seed: int, effect: float | None = None
) -> Nerve:
    """Return a median nerve some months after its carpal tunnel was released.

    Block and slowing go back within months; axons that were lost come back slowly and in part.

    Parameters
    ----------
    healthy : Nerve
        Before the disease.
    severity : float
        Of the compression when it was released (`myograph.twin.neuropathy.carpal_tunnel`).
    months : float
        Since the release; 0 is the compressed nerve.
    seed : int
        That of the disease: the same axons suffered.
    effect : float, optional
        Share of the severity that is undone in the end.
    """
    time = check_non_negative(months, name="months")
    given = TREATMENTS["carpal tunnel release"]
    size = given.effect.draw(seed=seed, name=given.name) if effect is None else effect
    Range(0, 1, most=1).check(size, name="effect")
    functional = severity * (1 + size * np.expm1(-time / RELEASE_MONTHS))
    structural = severity * (1 + 0.5 * size * np.expm1(-time / REGROWTH_MONTHS))
    after = carpal_tunnel(healthy, float(functional), months=1200.0, seed=seed)
    axons = carpal_tunnel(healthy, float(structural), months=1200.0, seed=seed)
    for kind in ("motor", "sensory"):
        left = replace(after.axons(kind), alive=axons.axons(kind).alive)
        after = after.with_axons(kind, left)
    return after
