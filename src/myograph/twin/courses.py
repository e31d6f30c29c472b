"""The courses of diseases by name: people's laws drawn from what was published.

Each function draws one person's `Course`. Sizes with a key were published; where only a mean was,
the spread between people is assumed and says so. A seed is a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import numpy as np

from myograph.core.checks import check_choice, check_positive
from myograph.core.registry import Registry
from myograph.twin.decline import Exponential, Linear, Loss, Plateau, Sigmoid
from myograph.twin.myopathy import FibreDisease
from myograph.twin.physiology import Range
from myograph.twin.progression import Course, Pace
from myograph.twin.reinnervation import Reinnervation
from myograph.twin.seeds import stream

__all__ = [
    "CMT_KINDS",
    "COURSES",
    "PersonCourse",
    "ageing_course",
    "als_course",
    "als_sigmoid_course",
    "cmt_course",
    "dmd_course",
    "healthy_course",
    "sma_course",
]


class PersonCourse(Protocol):
    """What draws one person's course."""

    def __call__(self, *, seed: int) -> Course:
        """Return the course of the person with this seed."""
        ...


#: Courses by the name of their disease.
COURSES: Registry[PersonCourse] = Registry("course")

#: ALSFRS-R points lost per month, mean over people (proact2018), and the assumed spread: standard
#: deviation of the logarithm.
ALS_SLOPE, ALS_SLOPE_SIGMA = 0.99, 0.65
# MUNIX falls by 3.2 % a month where ALSFRS-R falls by 2.3 % (neuwirth2015). MUNIX follows the motor
# response (bostock2019), which reinnervation holds up: the units themselves go faster. Calibrated
# so that a cohort's mean fields fall at those two rates (benchmarks/science/twin_progression.py).
_UNITS_PER_POINT = 0.07
_EFFICACY, _EFFICACY_SD = 0.65, 0.04


def _z(seed: int, *key: str) -> float:
    """Draw how the person differs in a trait, in standard deviations (within 2.5)."""
    return float(np.clip(stream(seed, "course", *key).standard_normal(), -2.5, 2.5))


def _reinnervation(seed: int, mean: float = _EFFICACY) -> Reinnervation:
    efficacy = mean + _EFFICACY_SD * _z(seed, "efficacy")
    # Units grow to 5 to 8 times their size.
    most = 6.0 + 0.7 * _z(seed, "enlargement")
    return Reinnervation(efficacy=efficacy, enlargement=float(np.clip(most, 5.0, 8.0)))


@COURSES.register("healthy")
def healthy_course(*, seed: int) -> Course:
    """Return the course of somebody in whom nothing happens."""
    del seed
    return Course(disease="healthy", onset_age_years=35.0)


@COURSES.register("als")
def als_course(*, seed: int, slope_per_month: float | None = None) -> Course:
    """Amyotrophic lateral sclerosis: units die exponentially, large ones first.

    Parameters
    ----------
    seed : int
    slope_per_month : float, optional
        ALSFRS-R points lost per month, early on; drawn from the cohort's distribution (proact2018,
        the spread assumed) when not given.

    Examples
    --------
    >>> course = als_course(seed=1, slope_per_month=0.99)
    >>> course.burden([0.0, 12.0]).units.round(2).tolist()
    [1.0, 0.46]
    """
    rate = _als_rate(seed, slope_per_month)
    return _als(Exponential(rate_per_month=rate), seed)


@COURSES.register("als sigmoid")
def als_sigmoid_course(*, seed: int, half_months: float | None = None) -> Course:
    """Amyotrophic lateral sclerosis in the form of the D50 model: slow, fast, slow.

    Parameters
    ----------
    seed : int
    half_months : float, optional
        When half of the units are lost; when not given, where the exponential course of the same
        person has lost them, and again as late: the sigmoid starts slowly.
    """
    if half_months is None:
        half_months = 2 * np.log(2) / _als_rate(seed, None)
    half = check_positive(half_months, name="half_months")
    return _als(Sigmoid(half_months=float(np.clip(half, 3, 240)), width_months=half / 3), seed)


def _als_rate(seed: int, slope_per_month: float | None) -> float:
    if slope_per_month is None:
        mean = np.log(ALS_SLOPE) - ALS_SLOPE_SIGMA**2 / 2
        slope_per_month = float(np.exp(mean + ALS_SLOPE_SIGMA * min(_z(seed, "slope"), 2.0)))
    slope = Range(0.05, 5, "points per month", most=48).check(
        slope_per_month, name="slope_per_month"
    )
    return float(_UNITS_PER_POINT * slope * np.exp(0.1 * _z(seed, "units")))


def _als(units: Loss, seed: int) -> Course:
    age = 62.0 + 11.0 * _z(seed, "age")
    return Course(
        disease="als",
        units=units,
        bias=1.5,
        reinnervation=_reinnervation(seed),
        onset_age_years=float(np.clip(age, 20, 88)),
        muscle_sd=0.2,
    )


@COURSES.register("sma")
def sma_course(*, seed: int, onset_months: float | None = None) -> Course:
    """Spinal muscular atrophy: units lost fast after the onset, the faster the earlier it is.

    The earlier the onset, the more is lost in the end: about 95 % when it falls into the first
    months, about a third in adults (the form assumed after the courses of motor unit numbers in
    swoboda2005).

    Parameters
    ----------
    seed : int
    onset_months : float, optional
        Age at the onset, months; drawn from the ages of types 1 to 4 when not given.
    """
    if onset_months is None:
        middle = (4.0, 11.0, 36.0, 360.0)
        kind = int(stream(seed, "course", "type").choice(4, p=(0.5, 0.3, 0.17, 0.03)))
        onset_months = middle[kind] * float(np.exp(0.3 * _z(seed, "onset")))
    onset = Range(0.5, 720, "months", most=1200).check(onset_months, name="onset_months")
    share = 0.95 - 0.14 * np.log(max(onset, 0.5) / 3.0) + 0.04 * _z(seed, "share")
    rule = Reinnervation(
        efficacy=_EFFICACY + _EFFICACY_SD * _z(seed, "efficacy"), maturation_months=6.0
    )
    return Course(
        disease="sma",
        units=Plateau(
            share=float(np.clip(share, 0.2, 0.97)),
            time_months=float(np.clip(0.75 * onset, 1.0, 120.0)),
            later_per_month=0.001,
        ),
        reinnervation=rule,
        junctions=0.75,
        onset_age_years=onset / 12,
        muscle_sd=0.15,
    )


#: Months over which a typical boy's fibres fall ill, and the spread between boys: the quartiles of
#: the loss of ambulation (10.7, 12.2 and 14.3 years; nsaauk2023) are those of one lognormal.
DMD_MONTHS, DMD_SIGMA = 171.0, 0.215


@COURSES.register("dmd")
def dmd_course(*, seed: int, months: float | None = None) -> Course:
    """Duchenne dystrophy from birth: fibres fall ill one by one, waste, die, partly come back.

    Parameters
    ----------
    seed : int
    months : float, optional
        Time within which all fibres fall ill; drawn when not given.
    """
    if months is None:
        months = DMD_MONTHS * float(np.exp(DMD_SIGMA * _z(seed, "pace")))
    rule = FibreDisease(
        onset_months=Range(80, 320, "months", least=12).check(months, name="months"),
        hypertrophic=0.05,
        regenerating=0.4,
        patch_mm=2.0,
        segmental=0.06,
    )
    return Course(disease="dmd", fibres=rule, onset_age_years=0.0, muscle_sd=0.1)


# CMTPedS points in two years, mean and standard deviation (cmtpeds2022; 4.9 over all kinds stands
# in where none was given); units lost in a year, share, that give them (calibrated:
# benchmarks/science/twin_progression.py); share of the velocity that is kept and efficacy of
# reinnervation (both assumed: axonal forms keep the velocity, and their sprouts fail too).
CMT_KINDS: Mapping[str, tuple[float, float, float, float, float]] = MappingProxyType(
    {
        "CMT1A": (1.8, 4.2, 0.062, 0.4, 0.65),
        "CMT1B": (2.2, 4.9, 0.077, 0.35, 0.65),
        "CMT2A": (6.2, 7.9, 0.25, 0.9, 0.3),
        "CMT4C": (3.0, 4.9, 0.114, 0.45, 0.65),
    }
)
# Measuring twice with 2.5 points of noise adds 3.5; what is left of the spread is people's.
_CMT_NOISE = 3.5


@COURSES.register("cmt")
def cmt_course(*, seed: int, kind: str = "CMT1A") -> Course:
    """Charcot-Marie-Tooth disease: slow from childhood where myelin fails; axons are lost slowly.

    Parameters
    ----------
    seed : int
    kind : str
        ``"CMT1A"``, ``"CMT1B"``, ``"CMT2A"`` or ``"CMT4C"``.
    """
    mean, sd, per_year, slowing, efficacy = CMT_KINDS[check_choice(kind, CMT_KINDS, name="kind")]
    # A gamma distribution: nobody regains axons.
    shape = max(mean**2 / (sd**2 - _CMT_NOISE**2), 1.5)
    rate = per_year / 12 * stream(seed, "course", "slope").gamma(shape, 1 / shape)
    return Course(
        disease="cmt",
        units=Exponential(rate_per_month=float(rate)),
        reinnervation=_reinnervation(seed, efficacy),
        slowing=float(np.clip(slowing + 0.03 * _z(seed, "slowing"), 0.2, 1.0)),
        sensory=Exponential(rate_per_month=float(1.3 * rate)),
        onset_age_years=6.0,
        muscle_sd=0.15,
    )


@COURSES.register("ageing")
def ageing_course(*, seed: int, from_years: float = 30.0) -> Course:
    """Healthy ageing: four in ten units lost between 30 and 71, well replaced (piasecki2016).

    Months count from ``from_years``; apply it to the muscle of a person of that age, and not to one
    that `myograph.twin.subject.aged` has aged already.

    Parameters
    ----------
    seed : int
    from_years : float
    """
    age = Range(15, 95, "years", most=120).check(from_years, name="from_years")
    rate = 0.4 / (71.0 - 30.0) / 12 * np.exp(0.2 * _z(seed, "rate"))
    course = Course(
        disease="ageing",
        units=Linear(rate_per_month=float(rate), most=0.8),
        bias=0.5,
        reinnervation=Reinnervation(efficacy=0.75),
        onset_age_years=age,
        muscle_sd=0.1,
    )
    if age >= 30:
        return course
    return course.paced(Pace(from_months=0.0, factor=0.0, until_months=12 * (30 - age)))
