"""A simulated person: muscles, nerves, age and own traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from myograph.core.checks import check_choice, unknown_name
from myograph.core.errors import ParameterError
from myograph.core.recording import Subject
from myograph.twin.anatomy import MUSCLES, NERVES, Anatomy, NerveAnatomy
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.pool import PoolParameters
from myograph.twin.seeds import stream

__all__ = ["DEVICE", "Patient", "Person", "Traits", "aged", "simulate_person"]

#: What a recording of a simulated person names as its device.
DEVICE = "Myograph twin"

_HEALTHY = "healthy"
_AGE_YEARS = Range(15, 95, "years", least=1, most=120)
_HEIGHT_CM = Range(60, 215, "cm", least=40, most=260)
_TRAITS = {
    "strength": Range(0.3, 2.5, least=0.01, most=20),
    "size": Range(0.6, 1.6, least=0.05, most=10),
    "fat": Range(0.1, 6, most=100),
    "rates": Range(0.6, 1.6, least=0.05, most=10),
    "units": Range(0.4, 2, least=0.01, most=20),
    "nerve_velocity": Range(-3, 3, "deviations", least=-20, most=20),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who is simulated.

    Parameters
    ----------
    pseudonym : str
    age_years : float
    sex : str
        ``"female"`` or ``"male"``.
    height_cm : float, optional
    condition : str
        In words; it is stored as ``"simulated: ..."``.
    """

    pseudonym: str
    age_years: float = 35.0
    sex: str = "male"
    height_cm: float | None = None
    condition: str = _HEALTHY

    def __post_init__(self) -> None:
        check_choice(self.sex, ("female", "male"), name="sex")
        _AGE_YEARS.check(self.age_years, name="age_years")
        if self.height_cm is not None:
            _HEIGHT_CM.check(self.height_cm, name="height_cm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """How a person differs from the typical adult of their age and sex: factors around 1.

    Parameters
    ----------
    strength, size, fat, rates, units : float
        Of the maximal force, the muscles' width and thickness, subcutaneous fat, discharge rates
        and the number of motor units.
    nerve_velocity : float
        Standard deviations from the mean conduction velocity.
    """

    strength: float = 1.0
    size: float = 1.0
    fat: float = 1.0
    rates: float = 1.0
    units: float = 1.0
    nerve_velocity: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(self, _TRAITS)

    @classmethod
    def of_person(cls, *, seed: int) -> Traits:
        """Draw a person's traits, each from a stream of its own."""
        spread = {"strength": 0.2, "size": 0.08, "fat": 0.4, "rates": 0.08, "units": 0.15}
        factors = {
            name: float(np.exp(sd * np.clip(stream(seed, "trait", name).standard_normal(), -2, 2)))
            for name, sd in spread.items()
        }
        z = np.clip(stream(seed, "trait", "nerve_velocity").standard_normal(), -2, 2)
        return cls(**factors, nerve_velocity=float(z))


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """A simulated person with a body. Diseases and treatments return a changed copy.

    Parameters
    ----------
    subject : Subject
        With a condition that starts with ``"simulated:"``.
    muscles : mapping of str to Muscle
    nerves : mapping of str to NerveAnatomy
        The nerves of the muscles, with this person's velocities.
    traits : Traits
    seed : int
    state : mapping of str to JSON-able values
        What other modules note about the person (disease parameters, months since onset, ...).
    """

    subject: Subject
    muscles: Mapping[str, Muscle]
    nerves: Mapping[str, NerveAnatomy]
    traits: Traits
    seed: int
    state: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.subject.condition.startswith("simulated:"):
            raise ParameterError(
                "The condition of a simulated person starts with 'simulated:'; got "
                f"{self.subject.condition!r}."
            )
        for name in ("muscles", "nerves", "state"):
            object.__setattr__(self, name, dict(getattr(self, name)))

    def muscle(self, name: str) -> Muscle:
        """Return a muscle by name."""
        if name not in self.muscles:
            raise ParameterError(unknown_name(name, self.muscles, what="muscle of this person"))
        return self.muscles[name]

    def with_muscles(self, changed: Mapping[str, Muscle]) -> Patient:
        """Return the person with some muscles replaced or added."""
        return replace(self, muscles={**self.muscles, **changed})

    def with_condition(self, condition: str, **state: Any) -> Patient:
        """Return the person with another condition, in words, and notes about it."""
        subject = replace(self.subject, condition=f"simulated: {condition}")
        return replace(self, subject=subject, state={**self.state, **state})


def simulate_person(
    person: Person,
    muscles: Sequence[str],
    *,
    seed: int,
    traits: Traits | None = None,
    fibre_share: float = 1.0,
) -> Patient:
    """Build a simulated person.

    Parameters
    ----------
    person : Person
    muscles : sequence of str
        Keys of `myograph.twin.anatomy.MUSCLES`.
    seed : int
        Traits and each muscle have streams of their own: asking for one more muscle leaves the
        others as they were.
    traits : Traits, optional
        Drawn from the seed when not given.
    fibre_share : float
        Simulate only this share of the fibres (for speed); territories keep their size.

    Examples
    --------
    >>> patient = simulate_person(Person(pseudonym="S1"), ["FDI"], seed=1, fibre_share=0.1)
    >>> patient.subject.condition, list(patient.nerves)
    ('simulated: healthy', ['ulnar'])
    """
    Range(0.005, 1.0, least=1e-4, most=1).check(fibre_share, name="fibre_share")
    own = traits or Traits.of_person(seed=seed)
    if not muscles:
        raise ParameterError("muscles must name at least one muscle; got none.")
    bodies = {}
    for name in muscles:
        if name not in MUSCLES:
            raise ParameterError(unknown_name(name, MUSCLES, what="muscle"))
        pool, geometry = _own_muscle(MUSCLES[name], person, own, fibre_share)
        bodies[name] = Muscle.healthy(name, pool, geometry, seed=_muscle_seed(seed, name))
    subject = Subject(
        person.pseudonym,
        age_years=person.age_years,
        sex=person.sex,
        height_cm=person.height_cm,
        condition=f"simulated: {person.condition}",
    )
    used = dict.fromkeys(MUSCLES[name].nerve for name in muscles)
    nerves = {name: _own_nerve(NERVES[name], person, own) for name in used}
    return Patient(subject, bodies, nerves, own, seed)


def aged(parameters: PoolParameters, age_years: float) -> PoolParameters:
    """Return a pool as healthy ageing leaves it.

    Four in ten units are lost by the age of 71, the survivors then have half as many fibres again
    (piasecki2016); force, rates and speed fall. Before 50 nothing changes.

    Examples
    --------
    >>> aged(PoolParameters(), 71).n_units
    72
    """
    _AGE_YEARS.check(age_years, name="age_years")
    years = max(age_years - 50.0, 0.0) / 21.0
    units = max(1 - 0.4 * years, 0.2)
    per_unit = 1 + 0.5 * min(years, 1.5)
    rate = 1 - 0.12 * min(years, 2.0)
    n_units = max(round(parameters.n_units * units), 1)
    return replace(
        parameters,
        n_units=n_units,
        n_fibres=max(round(parameters.n_fibres * units * per_unit), n_units),
        mvc_n=parameters.mvc_n * max(1 - 0.25 * years, 0.3),
        min_rate_hz=parameters.min_rate_hz * rate,
        peak_rate_hz=parameters.peak_rate_hz * rate,
        peak_rate_drop_hz=parameters.peak_rate_drop_hz * rate,
        longest_contraction_ms=parameters.longest_contraction_ms * (1 + 0.15 * min(years, 2.0)),
    )


def _own_muscle(
    anatomy: Anatomy, person: Person, traits: Traits, fibre_share: float
) -> tuple[PoolParameters, MuscleGeometry]:
    female = person.sex == "female"
    pool = anatomy.pool
    n_units = max(round(pool.n_units * traits.units), 2)
    size = traits.size * (0.92 if female else 1.0)
    n_fibres = round(pool.n_fibres * size**2 / (0.95**2 if female else 1.0))
    pool = replace(
        pool,
        n_units=n_units,
        n_fibres=n_fibres,
        mvc_n=pool.mvc_n * traits.strength * (0.68 if female else 1.0),
        min_rate_hz=pool.min_rate_hz * traits.rates,
        peak_rate_hz=pool.peak_rate_hz * traits.rates,
        peak_rate_drop_hz=pool.peak_rate_drop_hz * traits.rates,
        rate_gain=pool.rate_gain * traits.rates,
    )
    pool = aged(pool, person.age_years)
    pool = replace(pool, n_fibres=max(round(pool.n_fibres * fibre_share), pool.n_units))
    shape = anatomy.geometry
    fat_mm = shape.fat_mm * traits.fat * (1.5 if female else 1.0)
    geometry = replace(
        shape,
        width_mm=shape.width_mm * size,
        thickness_mm=shape.thickness_mm * size,
        fat_mm=fat_mm,
        limb_radius_mm=shape.limb_radius_mm * size + fat_mm - shape.fat_mm * size,
        diameter_um=shape.diameter_um * (0.95 if female else 1.0),
        territory_density_per_mm2=shape.territory_density_per_mm2 * fibre_share,
    )
    return pool, geometry


def _own_nerve(nerve: NerveAnatomy, person: Person, traits: Traits) -> NerveAnatomy:
    # Velocity falls by about 1.5 m/s in ten years after 40; lengths go with the height.
    change = traits.nerve_velocity * nerve.motor_velocity_sd_m_s
    change -= 0.15 * max(person.age_years - 40.0, 0.0)
    height_cm = person.height_cm or (178.0 if person.sex == "male" else 165.0)
    longer = height_cm / 178.0
    sensory = nerve.sensory_velocity_m_s
    return replace(
        nerve,
        motor_velocity_m_s=nerve.motor_velocity_m_s + change,
        sensory_velocity_m_s=sensory + change if sensory > 0 else 0.0,
        proximal_mm=nerve.proximal_mm * longer,
        root_mm=nerve.root_mm * longer,
    )


def _muscle_seed(seed: int, name: str) -> int:
    return int(stream(seed, "muscle", name).integers(2**31))
