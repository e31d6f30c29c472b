"""What a person can still do: scores and distances as a function of the strength that is left.

The link between body and score is logistic: little is lost at first, then much, then nothing is
left to lose. Its constants are calibrated so that a typical person's course gives the published
course of the score (benchmarks/science/twin_progression.py); they are no property of a score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from myograph.core.errors import DataError, ParameterError
from myograph.core.registry import Registry
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.progression import Course
from myograph.twin.seeds import stream

__all__ = [
    "AMBULATION_STRENGTH",
    "RISE_STRENGTH",
    "SCORES",
    "Alsfrs",
    "ChopIntend",
    "CmtPeds",
    "Nsaa",
    "Score",
    "Walk",
    "measured",
    "months_until",
]

Floats = NDArray[np.float64]

#: Share of a healthy peer's strength below which a boy no longer walks, and below which he no
#: longer rises from the floor: where the typical course of `myograph.twin.courses.dmd_course` is at
#: 12.2 and at 10.1 years, the medians of nsaauk2023.
AMBULATION_STRENGTH, RISE_STRENGTH = 0.346, 0.474

_AGE = Range(0, 95, "years", most=120)


class Score(Protocol):
    """A measure of function, of one person."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def unit(self) -> str:
        """Its unit."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation between two measurements of an unchanged person."""
        ...

    @property
    def most(self) -> float:
        """Its largest value; infinite when there is none."""
        ...

    @property
    def diseases(self) -> tuple[str, ...]:
        """Diseases it was made for."""
        ...

    def of(self, strength: ArrayLike, age_years: ArrayLike) -> Floats:
        """Return the score at some strengths and ages, without noise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Alsfrs:
    """ALSFRS-R, 48 points in health: logistic in the logarithm of the strength.

    Parameters
    ----------
    half : float
        The score is half of ``1 + half`` times the strength over ``strength + half``; a larger one
        makes it more nearly proportional.
    noise : float
        Points (assumed).

    Examples
    --------
    >>> Alsfrs().of([1.0, 0.5, 0.0], 60.0).round(1).tolist()
    [48.0, 34.0, 0.0]
    """

    half: float = 0.7
    noise: float = 1.0
    name: str = field(default="ALSFRS-R", init=False)
    unit: str = field(default="points", init=False)
    most: float = field(default=48.0, init=False)
    diseases: tuple[str, ...] = field(default=("als",), init=False)

    def __post_init__(self) -> None:
        check_ranges(self, {"half": Range(0.1, 10, least=1e-3), "noise": Range(0, 5)})

    @classmethod
    def of_person(cls, *, seed: int) -> Alsfrs:
        """Draw a person's link: people differ in what the same weakness costs them (assumed)."""
        return cls(half=0.7 * float(np.exp(0.2 * _z(seed, "alsfrs"))))

    def of(self, strength: ArrayLike, age_years: ArrayLike = 0.0) -> Floats:
        """Return the score at some strengths, without noise."""
        s = _strength(strength)
        return np.asarray(self.most * s * (1 + self.half) / (s + self.half), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Distance walked in six minutes by a boy with Duchenne dystrophy, m.

    Growth lengthens it by 19.6 m a year (hamuro2017), weakness takes it away.

    Parameters
    ----------
    half, width : float
        Strength at which half of the distance is left, and the logistic's scale.
    size : float
        The boy's own factor.
    noise : float
        Of one walk, m.
    """

    half: float = 0.337
    width: float = 0.065
    size: float = 1.0
    noise: float = 42.0
    name: str = field(default="6MWT", init=False)
    unit: str = field(default="m", init=False)
    most: float = field(default=np.inf, init=False)
    diseases: tuple[str, ...] = field(default=("dmd",), init=False)

    def __post_init__(self) -> None:
        ranges = {
            "half": Range(0.05, 0.8, most=1),
            "width": Range(0.01, 0.3, least=1e-3),
            "size": Range(0.5, 1.8, least=0.01),
            "noise": Range(0, 80, "m"),
        }
        check_ranges(self, ranges)

    @classmethod
    def of_person(cls, *, seed: int) -> Walk:
        """Draw a boy's link (of the spread of hamuro2017, 22 %, a part is his course)."""
        return cls(size=float(np.exp(0.15 * _z(seed, "walk"))))

    def of(self, strength: ArrayLike, age_years: ArrayLike) -> Floats:
        """Return the distance at some strengths and ages, without noise."""
        s = _strength(strength)
        full = expit((1 - self.half) / self.width)
        can = expit((s - self.half) / self.width) / full
        # What a strength of nothing would still walk is taken off.
        floor = expit(-self.half / self.width) / full
        can = np.maximum(can - floor, 0.0) / (1 - floor)
        return np.asarray(self.size * (270.0 + 19.6 * _age(age_years)) * can, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nsaa:
    """North Star Ambulatory Assessment, 34 points: skills are learned, strength is lost.

    Parameters
    ----------
    ability : float
        Log odds of the points by which the boy lies above the typical one; 1.2 between boys, as the
        centiles of the peak are spaced (nsaauk2023).
    gain : float
        Log odds per strength.
    noise : float
        Points (assumed).
    """

    ability: float = 0.0
    gain: float = 6.1
    noise: float = 1.0
    name: str = field(default="NSAA", init=False)
    unit: str = field(default="points", init=False)
    most: float = field(default=34.0, init=False)
    diseases: tuple[str, ...] = field(default=("dmd",), init=False)

    def __post_init__(self) -> None:
        ranges = {
            "ability": Range(-4, 4, least=-20, most=20),
            "gain": Range(1, 15, least=0.01),
            "noise": Range(0, 4, "points"),
        }
        check_ranges(self, ranges)

    @classmethod
    def of_person(cls, *, seed: int) -> Nsaa:
        """Draw a boy's link."""
        return cls(ability=1.2 * _z(seed, "nsaa"))

    def of(self, strength: ArrayLike, age_years: ArrayLike) -> Floats:
        """Return the score at some strengths and ages, without noise; 0 once he cannot walk."""
        s, age = _strength(strength), _age(age_years)
        unlearned = 2.42 * np.exp(-(age - 4.0) / 1.5)
        odds = 1.70 + self.ability + self.gain * (s - 0.706) - unlearned
        return np.where(s >= AMBULATION_STRENGTH, self.most * expit(odds), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CmtPeds:
    """CMT Pediatric Scale, 0 best to 44 worst.

    Parameters
    ----------
    start : float
        Points of the child at full strength: balance and sensation (assumed 10 +/- 4).
    noise : float
        Points.
    """

    start: float = 10.0
    noise: float = 2.5
    name: str = field(default="CMTPedS", init=False)
    unit: str = field(default="points", init=False)
    most: float = field(default=44.0, init=False)
    diseases: tuple[str, ...] = field(default=("cmt",), init=False)

    def __post_init__(self) -> None:
        check_ranges(self, {"start": Range(0, 30, most=44), "noise": Range(0, 5)})

    @classmethod
    def of_person(cls, *, seed: int) -> CmtPeds:
        """Draw a child's link."""
        return cls(start=10.0 + 4.0 * _z(seed, "cmtpeds"))

    def of(self, strength: ArrayLike, age_years: ArrayLike = 0.0) -> Floats:
        """Return the score at some strengths, without noise."""
        s = _strength(strength) ** 2
        can = s * 4.0 / (s + 3.0)
        return np.asarray(self.start + (self.most - self.start) * (1 - can), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChopIntend:
    """CHOP-INTEND of an infant with spinal muscular atrophy, 64 points at full strength.

    Parameters
    ----------
    half : float
        As in `Alsfrs` (assumed).
    noise : float
        Points (assumed).
    """

    half: float = 0.6
    noise: float = 2.0
    name: str = field(default="CHOP-INTEND", init=False)
    unit: str = field(default="points", init=False)
    most: float = field(default=64.0, init=False)
    diseases: tuple[str, ...] = field(default=("sma",), init=False)

    def __post_init__(self) -> None:
        check_ranges(self, {"half": Range(0.1, 10, least=1e-3), "noise": Range(0, 6)})

    @classmethod
    def of_person(cls, *, seed: int) -> ChopIntend:
        """Draw an infant's link."""
        return cls(half=0.6 * float(np.exp(0.25 * _z(seed, "chop"))))

    def of(self, strength: ArrayLike, age_years: ArrayLike = 0.0) -> Floats:
        """Return the score at some strengths, without noise."""
        s = _strength(strength)
        return np.asarray(self.most * s * (1 + self.half) / (s + self.half), np.float64)


#: Scores by name; each is a class with ``of_person(seed=...)``.
SCORES: Registry[type[Alsfrs | Walk | Nsaa | CmtPeds | ChopIntend]] = Registry("score")
for _score in (Alsfrs, Walk, Nsaa, CmtPeds, ChopIntend):
    SCORES.add(_score().name, _score)


def measured(score: Score, course: Course, months: ArrayLike, *, seed: int | None = None) -> Floats:
    """Return a person's score over a course, in the shape of ``months``.

    Parameters
    ----------
    score : Score
    course : Course
        Of a disease that the score was made for.
    months : array_like
        Since the onset.
    seed : int, optional
        Adds the noise of measuring; without it the score is the body's own.

    Examples
    --------
    >>> from myograph.twin.courses import als_course
    >>> course = als_course(seed=1, slope_per_month=0.99)
    >>> points = measured(Alsfrs(), course, [0.0, 12.0])
    >>> bool(9 < points[0] - points[1] < 15)
    True
    """
    if course.disease not in (*score.diseases, "healthy"):
        raise ParameterError(
            f"{score.name} is a score of {list(score.diseases)}; the course is one of "
            f"{course.disease!r}. Choose among {sorted(SCORES)}."
        )
    time = np.asarray(months, float)
    values = score.of(course.burden(time).strength, course.age_years(time))
    if seed is None:
        return values
    noise = stream(seed, "score", score.name).standard_normal(time.shape)
    # Who scores nothing scores nothing again.
    noisy = np.clip(values + score.noise * noise, 0.0, score.most)
    return np.where(values > 0, noisy, 0.0)


def months_until(course: Course, strength: float, *, most_months: float = 600.0) -> float:
    """Return the months from the onset until the strength falls below a share; infinite if never.

    Parameters
    ----------
    course : Course
    strength : float
        For example `AMBULATION_STRENGTH`.
    most_months : float
        How far to look.

    Examples
    --------
    >>> from myograph.twin.courses import dmd_course
    >>> round(months_until(dmd_course(seed=1, months=171.0), AMBULATION_STRENGTH) / 12, 1)
    12.2
    """
    Range(0, 1, most=1).check(strength, name="strength")
    time = np.linspace(0.0, most_months, 4801)
    weak = course.burden(time).strength < strength
    return float(time[np.argmax(weak)]) if weak.any() else float(np.inf)


def _z(seed: int, *key: str) -> float:
    return float(np.clip(stream(seed, "function", *key).standard_normal(), -2.5, 2.5))


def _strength(strength: ArrayLike) -> Floats:
    s = np.asarray(strength, float)
    if not np.isfinite(s).all() or (s < 0).any():
        raise DataError("strength is a share of the healthy one: finite and 0 or more.")
    return np.minimum(s, 1.0)


def _age(age_years: ArrayLike) -> Floats:
    age = np.asarray(age_years, float)
    if not np.isfinite(age).all() or (age < 0).any() or (age > _AGE.most).any():
        raise DataError(f"age_years must be finite, 0 to {_AGE.most:g}; got {age_years!r}.")
    return age
