"""How a disease goes on: from months since the onset to what it has done to units, fibres, axons.

A `Course` is one person's law. It can be asked cheaply how far it has come (`Course.burden`, a mean
field, thousands of times a second) or be applied to a body (`state_at`), which lets the units die
and the fibres waste one by one. What people can still do follows from the strength that is left
(`myograph.twin.function`); no score is drawn apart from the body.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import ParameterError
from myograph.twin.decline import Loss, Stable, check_months, own_share
from myograph.twin.junction import weak_junctions
from myograph.twin.muscle import Muscle
from myograph.twin.myopathy import FibreDisease, fibre_disease, fibre_strength
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import Lesion, injured, lose_axons
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.reinnervation import Reinnervation, die_at
from myograph.twin.seeds import stream
from myograph.twin.subject import Patient

__all__ = ["Burden", "Course", "Pace", "death_months", "state_at", "wired"]

Floats = NDArray[np.float64]
Body = TypeVar("Body", Muscle, Nerve, Patient)

# Points at which a course is tabulated when it is inverted, and integrated over its paces.
_GRID = 2001
_STEP_MONTHS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A stretch of time in which the disease runs slower or faster, as under a treatment.

    Parameters
    ----------
    from_months : float
        Since the onset.
    factor : float
        Speed of the disease: 1 as ever, 0 at rest.
    until_months : float
        Infinite when it goes on.
    label : str
        What does it: the name of a treatment.
    """

    from_months: float
    factor: float
    until_months: float = np.inf
    label: str = ""

    def __post_init__(self) -> None:
        check_ranges(
            self, {"from_months": Range(0, 1200, "months"), "factor": Range(0, 2, most=20)}
        )
        if not self.until_months > self.from_months:
            raise ParameterError(
                f"A pace that starts at {self.from_months:g} months must end later; got "
                f"until_months={self.until_months!r}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Burden:
    """What a course has done by some months: a mean field over a typical muscle.

    Every array has the shape of ``months``.

    Parameters
    ----------
    months : ndarray
        Since the onset.
    disease_months : ndarray
        How far the disease has run: the months, unless something slowed it.
    units : ndarray
        Share of the motor units that lives.
    own : ndarray
        Share of the fibres that the living units had at the onset; less than ``units`` where the
        large ones die first.
    innervated : ndarray
        Share of the fibres that has a nerve, adopted ones included.
    fibres : ndarray
        Share of their force that the fibres themselves have left.
    axon_velocity : ndarray
        Conduction velocity of the living axons as a share of the healthy one.
    sensory : ndarray
        Share of the sensory axons that lives.
    """

    months: Floats
    disease_months: Floats
    units: Floats
    own: Floats
    innervated: Floats
    fibres: Floats
    axon_velocity: Floats
    sensory: Floats

    @property
    def unit_loss(self) -> Floats:
        """Share of the motor units that is lost."""
        return 1 - self.units

    @property
    def enlargement(self) -> Floats:
        """Fibres of the living units, as a multiple of those they had."""
        return np.asarray(self.innervated / np.maximum(self.own, 1e-12), np.float64)

    @property
    def strength(self) -> Floats:
        """Maximal force as a share of the healthy one."""
        return np.asarray(self.innervated * self.fibres, np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One person's disease in time.

    Parameters
    ----------
    disease : str
        In words; it becomes the person's condition.
    units : Loss
        Share of the motor units that is lost.
    bias : float
        Which units die first, as in `myograph.twin.reinnervation.lose_units`.
    reinnervation : Reinnervation
    fibres : FibreDisease, optional
        A disease of the fibres; its ``onset_months`` says how fast fibres fall ill.
    involvement : float
        Share of the fibres that fall ill in the end.
    junctions : float
        Share of the quanta that is lost per share of the units lost.
    slowing : float
        Velocity that the axons keep, as a share; from birth, as in hereditary demyelination.
    sensory : Loss
        Share of the sensory axons that is lost.
    onset_age_years : float
        Age at month 0.
    muscle_sd : float
        Standard deviation of the logarithm of the pace between the muscles of one person.
    paces : tuple of Pace
        Where something slowed or hastened it; factors of stretches that overlap multiply.

    Examples
    --------
    >>> from myograph.twin.decline import Exponential
    >>> course = Course(disease="unit loss", units=Exponential(rate_per_month=0.05))
    >>> burden = course.burden([0.0, 12.0, 24.0])
    >>> burden.units.round(2).tolist(), burden.strength.round(2).tolist()
    ([1.0, 0.55, 0.3], [1.0, 0.77, 0.63])
    """

    disease: str
    units: Loss = field(default_factory=Stable)
    bias: float = 0.0
    reinnervation: Reinnervation = field(default_factory=Reinnervation)
    fibres: FibreDisease | None = None
    involvement: float = 1.0
    junctions: float = 0.0
    slowing: float = 1.0
    sensory: Loss = field(default_factory=Stable)
    onset_age_years: float = 50.0
    muscle_sd: float = 0.0
    paces: tuple[Pace, ...] = ()

    def __post_init__(self) -> None:
        ranges = {
            "bias": Range(-5, 5, least=-50, most=50),
            "involvement": Range(0, 1, most=1),
            "junctions": Range(0, 0.95, most=1),
            "slowing": Range(0.2, 1, least=0.05, most=1),
            "onset_age_years": Range(0, 95, "years", most=120),
            "muscle_sd": Range(0, 0.6, most=3),
        }
        check_ranges(self, ranges)

    def disease_months(self, months: ArrayLike) -> Floats:
        """Return how far the disease has run by some months, in their shape."""
        time = check_months(months)
        if not self.paces:
            return time
        edges = {0.0, *(p.from_months for p in self.paces), *(p.until_months for p in self.paces)}
        knots = np.array(sorted(edge for edge in edges if np.isfinite(edge)))
        speed = np.ones(len(knots))
        for pace in self.paces:
            inside = (knots >= pace.from_months) & (knots < pace.until_months)
            speed[inside] *= pace.factor
        run = np.concatenate([[0.0], np.cumsum(speed[:-1] * np.diff(knots))])
        stretch = np.searchsorted(knots, time, side="right") - 1
        return np.asarray(run[stretch] + speed[stretch] * (time - knots[stretch]), np.float64)

    def age_years(self, months: ArrayLike) -> Floats:
        """Return the person's age, in the shape of ``months``."""
        return self.onset_age_years + check_months(months) / 12

    def burden(self, months: ArrayLike) -> Burden:
        """Return how far the disease has come, as a mean field.

        Living units that own a share ``w`` of the fibres keep, with efficacy ``e`` of
        reinnervation, ``w ** (1 - e)`` of them, less those that still wait to be adopted, and never
        more than the largest enlargement allows. In a muscle of lifelike density `state_at` differs
        by a few hundredths, and by a tenth where a handful of units is left.

        Parameters
        ----------
        months : array_like
            Since the onset.
        """
        time = check_months(months)
        run = self.disease_months(time)
        left = 1 - self.units.lost(run)
        own = own_share(left, self.bias)
        ill = np.ones(time.shape)
        if self.fibres is not None:
            ill = fibre_strength(run, self.involvement, rule=self.fibres)
        return Burden(
            months=time,
            disease_months=run,
            units=left,
            own=own,
            innervated=self._innervated(time, own),
            fibres=ill,
            axon_velocity=np.full(time.shape, self.slowing),
            sensory=1 - self.sensory.lost(run),
        )

    def paced(self, *paces: Pace) -> Course:
        """Return the course with further paces."""
        return replace(self, paces=(*self.paces, *paces))

    def _innervated(self, time: Floats, own: Floats) -> Floats:
        rule = self.reinnervation
        kept = own ** (1 - rule.efficacy)
        # Orphans wait for their sprout: so many as died within the last delay.
        before = np.maximum(time - _STEP_MONTHS, 0.0)
        earlier = own_share(1 - self.units.lost(self.disease_months(before)), self.bias)
        died = np.log(np.maximum(earlier, 1e-12) / np.maximum(own, 1e-12))
        hazard = died / np.maximum(time - before, 1e-9)
        waiting = rule.delay_months * -np.expm1(-time / rule.delay_months)
        kept = kept / (1 + rule.efficacy * hazard * waiting)
        # There are never fewer fibres than survivors' own, nor more than they can hold.
        return np.asarray(np.clip(kept, own, np.minimum(rule.enlargement * own, 1.0)), np.float64)


def death_months(course: Course, n_units: int, *, months: float) -> Floats:
    """Return when units die up to now, months since the onset, first death first.

    Of ``n_units``, the k-th dies when the course has taken k + 1/2 of them.

    Parameters
    ----------
    course : Course
    n_units : int
    months : float

    Examples
    --------
    >>> from myograph.twin.decline import Exponential
    >>> course = Course(disease="loss", units=Exponential(rate_per_month=0.1))
    >>> death_months(course, 4, months=6).round(2).tolist()
    [1.34, 4.7]
    """
    now = float(check_months(months))
    time = np.linspace(0.0, now, _GRID)
    lost = np.maximum.accumulate(course.units.lost(course.disease_months(time)))
    share = (np.arange(n_units) + 0.5) / max(n_units, 1)
    # Where the loss stands still, the first moment of it counts.
    lost, first = np.unique(lost, return_index=True)
    return np.interp(share[share <= lost[-1]], lost, time[first])


def state_at(body: Body, course: Course, *, months: float, seed: int) -> Body:
    """Return a muscle, a nerve or a person as the disease has left them by some months.

    One seed is one course: later months lose the same units and more, at the same moments.

    Parameters
    ----------
    body : Muscle, Nerve or Patient
        As it was at the onset. The muscles of a person are hit at slightly different paces. Nerves
        of a person are anatomy: build one with `myograph.twin.nerve.of_anatomy`, and pass it here
        or, to give it the axons of a muscle's units, to `wired`.
    course : Course
    months : float
        Since the onset, 0 or more.
    seed : int

    Examples
    --------
    >>> from myograph.twin.decline import Exponential
    >>> from myograph.twin.pool import PoolParameters
    >>> healthy = Muscle.healthy("FDI", PoolParameters(n_fibres=4000), seed=1)
    >>> course = Course(disease="loss", units=Exponential(rate_per_month=0.05))
    >>> [state_at(healthy, course, months=m, seed=1).pool.n_alive for m in (0, 12, 24)]
    [120, 66, 36]
    """
    check_months(months)
    if isinstance(body, Muscle):
        return _muscle_at(body, course, months, seed)
    if isinstance(body, Nerve):
        return _nerve_at(body, course, months, seed)
    if isinstance(body, Patient):
        return _patient_at(body, course, months, seed)
    raise ParameterError(
        f"state_at needs a Muscle, a Nerve or a Patient; got {type(body).__name__}."
    )


def wired(nerve: Nerve, muscle: Muscle) -> Nerve:
    """Return the nerve with the motor axons of a muscle's living units and no others.

    Parameters
    ----------
    nerve : Nerve
        With one motor axon per unit.
    muscle : Muscle
    """
    if len(nerve.motor) != muscle.pool.n_units:
        raise ParameterError(
            f"{nerve.name!r} has {len(nerve.motor)} motor axons and {muscle.name!r} "
            f"{muscle.pool.n_units} units; build the nerve with n_motor=muscle.pool.n_units."
        )
    return nerve.with_axons("motor", replace(nerve.motor, alive=muscle.pool.alive))


def _muscle_at(muscle: Muscle, course: Course, months: float, seed: int) -> Muscle:
    died = death_months(course, muscle.pool.n_alive, months=months)
    sick = die_at(muscle, months - died, seed=seed, bias=course.bias, rule=course.reinnervation)
    run = float(course.disease_months(months))
    if course.fibres is not None and course.involvement > 0:
        sick = fibre_disease(sick, course.involvement, months=run, seed=seed, rule=course.fibres)
    if course.junctions > 0 and len(died):
        lost = course.junctions * float(course.units.lost(run))
        sick = weak_junctions(sick, "store", lost, seed=seed, spread=0.6)
    return sick


def _nerve_at(nerve: Nerve, course: Course, months: float, seed: int) -> Nerve:
    run = float(course.disease_months(months))
    if course.slowing < 1:
        lesion = Lesion(slowing=course.slowing, dispersion=0.05 * (1 - course.slowing))
        for kind in ("motor", "sensory"):
            for segment in nerve.segments:
                nerve = injured(nerve, segment.name, lesion, kind=kind, seed=seed)
            axons = nerve.axons(kind)
            late = replace(axons, terminal_ms=axons.terminal_ms * (1 + 1.8 * (1 - course.slowing)))
            nerve = nerve.with_axons(kind, late)
    lost = {"motor": course.units, "sensory": course.sensory}
    for kind, law in lost.items():
        nerve = lose_axons(nerve, float(law.lost(run)), kind=kind, seed=seed)
    return nerve


def _patient_at(patient: Patient, course: Course, months: float, seed: int) -> Patient:
    muscles = {}
    for name, muscle in patient.muscles.items():
        key = stream(seed, "course", name)
        own = int(key.integers(2**31))
        pace = float(np.exp(course.muscle_sd * np.clip(key.standard_normal(), -2, 2)))
        mine = course if course.muscle_sd == 0 else course.paced(Pace(from_months=0, factor=pace))
        muscles[name] = state_at(muscle, mine, months=months, seed=own)
    older = patient.with_muscles(muscles).with_condition(
        course.disease, months=float(months), disease_months=float(course.disease_months(months))
    )
    age = patient.subject.age_years
    if age is None:
        return older
    return replace(older, subject=replace(older.subject, age_years=age + months / 12))
