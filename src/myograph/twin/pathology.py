"""Diseases by name. Each changes a muscle, a nerve or a drive; none touches a signal.

Every function takes a healthy (or already sick) state, a severity from 0 to 1, the months since
the onset and a seed, and returns a changed copy. Severity 0 changes nothing that can be measured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from myograph.core.errors import ParameterError
from myograph.core.registry import Registry
from myograph.twin.drive import Drive
from myograph.twin.junction import lambert_eaton, myasthenia, weak_junctions
from myograph.twin.muscle import Muscle
from myograph.twin.myopathy import FibreDisease, fibre_disease
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import carpal_tunnel, cidp, cmt1, lose_axons
from myograph.twin.physiology import Range
from myograph.twin.reinnervation import Reinnervation, lose_units
from myograph.twin.stroke import weakened
from myograph.twin.tremor import TREMORS, Tremor, tremulous

__all__ = [
    "DRIVE_DISEASES",
    "MUSCLE_DISEASES",
    "NERVE_DISEASES",
    "ageing",
    "als",
    "axonal_neuropathy",
    "dmd",
    "fshd",
    "multiple_sclerosis",
    "myositis",
    "nerve_injury",
    "parkinson",
    "polio",
    "sma",
    "stroke",
]

_SHARE = Range(0, 1, most=1)
_YEARS = Range(15, 95, "years", least=1, most=120)


class MuscleDisease(Protocol):
    """What every disease of a muscle is."""

    def __call__(self, muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
        """Return the sick muscle."""
        ...


class NerveDisease(Protocol):
    """What every disease of a nerve is."""

    def __call__(self, nerve: Nerve, severity: float, *, months: float, seed: int) -> Nerve:
        """Return the sick nerve."""
        ...


class DriveDisease(Protocol):
    """What every disease of the command is."""

    def __call__(self, drive: Drive, severity: float, *, seed: int) -> Drive:
        """Return the changed drive."""
        ...


#: Diseases that change a muscle.
MUSCLE_DISEASES: Registry[MuscleDisease] = Registry("muscle disease")
#: Diseases that change a nerve.
NERVE_DISEASES: Registry[NerveDisease] = Registry("nerve disease")
#: Diseases that change the drive.
DRIVE_DISEASES: Registry[DriveDisease] = Registry("drive disease")

MUSCLE_DISEASES.add("myasthenia gravis", myasthenia)
MUSCLE_DISEASES.add("lambert-eaton", lambert_eaton)
NERVE_DISEASES.add("carpal tunnel", carpal_tunnel)
NERVE_DISEASES.add("cmt1", cmt1)
NERVE_DISEASES.add("cidp", cidp)


@MUSCLE_DISEASES.register("als")
def als(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Amyotrophic lateral sclerosis: large units die first, the rest adopt while they can.

    Parameters
    ----------
    muscle : Muscle
    severity : float
        Share of the units lost.
    months : float
        Over which they were lost, up to now: the last ones have not been replaced yet.
    seed : int
        One seed is one course: more severity loses the same units and more.
    """
    _check_muscle(muscle, severity)
    return lose_units(muscle, severity, months=months, seed=seed, bias=1.5)


@MUSCLE_DISEASES.register("sma")
def sma(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Spinal muscular atrophy: units lost early and at random, large survivors, weak junctions.

    Severity is the share of the units lost; the store of quanta of what remains falls with it, as
    the decrement of 12 to 17 % in patients tells.
    """
    _check_muscle(muscle, severity)
    rule = Reinnervation(enlargement=8.0, maturation_months=6.0, hypertrophy=0.2)
    left = lose_units(muscle, severity, months=months, seed=seed, rule=rule)
    return weak_junctions(left, "store", 0.75 * severity, seed=seed, spread=0.6)


@MUSCLE_DISEASES.register("axonal neuropathy")
def axonal_neuropathy(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Axonal neuropathy: units lost at random, well replaced (the muscle's side of it).

    Fibres of enlarged units thicken, as in polio and spinal muscular atrophy (assumed); in
    amyotrophic lateral sclerosis, where wasting prevails, they do not (also assumed).
    """
    _check_muscle(muscle, severity)
    rule = Reinnervation(hypertrophy=0.2)
    return lose_units(muscle, severity, months=months, seed=seed, rule=rule)


@MUSCLE_DISEASES.register("polio")
def polio(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Poliomyelitis: units lost within weeks, long ago; enormous, stable survivors.

    ``months`` counts from the acute illness; the loss is over within two weeks.
    """
    _check_muscle(muscle, severity)
    rule = Reinnervation(enlargement=8.0, efficacy=0.8, loss_months=0.5, hypertrophy=0.2)
    return lose_units(muscle, severity, months=months, seed=seed, rule=rule)


@MUSCLE_DISEASES.register("nerve injury")
def nerve_injury(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Partial injury of the nerve: a share of the units lost at one moment."""
    _check_muscle(muscle, severity)
    rule = Reinnervation(loss_months=0.03)
    return lose_units(muscle, severity, months=months, seed=seed, rule=rule)


@MUSCLE_DISEASES.register("dmd")
def dmd(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Duchenne dystrophy: patches of fibres waste, die, split and regenerate.

    Severity is the share of the fibres involved in the end.
    """
    _check_muscle(muscle, severity)
    rule = FibreDisease(
        onset_months=36.0, hypertrophic=0.15, regenerating=0.25, patch_mm=2.0, segmental=0.06
    )
    return fibre_disease(muscle, severity, months=months, seed=seed, rule=rule)


@MUSCLE_DISEASES.register("fshd")
def fshd(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Facioscapulohumeral dystrophy: slow, in larger patches, with many thick fibres."""
    _check_muscle(muscle, severity)
    rule = FibreDisease(
        onset_months=60.0,
        speed=0.7,
        hypertrophic=0.25,
        regenerating=0.2,
        patch_mm=4.0,
        segmental=0.02,
    )
    return fibre_disease(muscle, severity, months=months, seed=seed, rule=rule)


@MUSCLE_DISEASES.register("myositis")
def myositis(muscle: Muscle, severity: float, *, months: float, seed: int) -> Muscle:
    """Myositis: within months, in small patches; dying segments cut fibres off from junctions.

    The loss is of segments, more than of girth: what is left wastes at a third of the pace of the
    dystrophies. Both shares are assumed, so that potentials become shorter as in people: thin
    fibres are slow, and lengthen what fewer fibres shorten.
    """
    _check_muscle(muscle, severity)
    rule = FibreDisease(
        onset_months=4.0,
        speed=0.3,
        hypertrophic=0.03,
        regenerating=0.25,
        patch_mm=1.0,
        segmental=0.6,
    )
    return fibre_disease(muscle, severity, months=months, seed=seed, rule=rule)


def ageing(muscle: Muscle, age_years: float, *, seed: int) -> Muscle:
    """Return a young adult's muscle at an age: units lost, the survivors larger (piasecki2016).

    Four in ten units are gone at 71. For whole persons `myograph.twin.subject.aged` changes the
    pool they are built from; do not apply both.

    Parameters
    ----------
    muscle : Muscle
        Of a person of 30.
    age_years : float
    seed : int
    """
    years = max(_YEARS.check(age_years, name="age_years") - 30.0, 0.0)
    rule = Reinnervation(efficacy=0.75)
    lost = min(0.4 * years / 41.0, 0.8)
    return lose_units(muscle, lost, months=12 * years, seed=seed, bias=0.5, rule=rule)


@NERVE_DISEASES.register("axonal neuropathy")
def axonal_nerve(nerve: Nerve, severity: float, *, months: float, seed: int) -> Nerve:
    """Axonal neuropathy of a nerve: sensory axons go before motor ones, velocity hardly changes."""
    _SHARE.check(severity, name="severity")
    Range(0, 1200, "months").check(months, name="months")
    present = min(months / 12.0, 1.0)
    lost = lose_axons(nerve, min(1.4 * severity, 1.0) * present, kind="sensory", seed=seed)
    return lose_axons(lost, severity * present, kind="motor", seed=seed)


@DRIVE_DISEASES.register("parkinson")
def parkinson(drive: Drive, severity: float, *, seed: int) -> Drive:
    """Parkinson's disease: less command, and a resting tremor that alternates if there are two.

    The second half of the drive's muscles are taken as the antagonists of the first. Units then
    fire in doublets: give ``TREMORS["parkinson"].doublets`` to `Firing`.
    """
    _SHARE.check(severity, name="severity")
    slow = drive.scaled(dict.fromkeys(drive.muscles, 1 - 0.3 * severity))
    return _shaken(slow, TREMORS["parkinson"], severity, seed)


@DRIVE_DISEASES.register("essential tremor")
def essential_tremor(drive: Drive, severity: float, *, seed: int) -> Drive:
    """Essential tremor in posture; full strength."""
    return _shaken(drive, TREMORS["essential postural"], severity, seed)


@DRIVE_DISEASES.register("multiple sclerosis")
def multiple_sclerosis(drive: Drive, severity: float, *, seed: int) -> Drive:
    """Multiple sclerosis: less of the command arrives, and a slow tremor rides on what does."""
    _SHARE.check(severity, name="severity")
    weak = weakened(drive, dict.fromkeys(drive.muscles, 1 - 0.7 * severity))
    slow = Tremor(frequency_hz=3.5, amplitude=0.08, wander=0.08, swell=0.3)
    return _shaken(weak, slow, severity, seed, only_active=True)


@DRIVE_DISEASES.register("stroke")
def stroke(drive: Drive, severity: float, *, seed: int) -> Drive:
    """Stroke: less of the command arrives (what people do about it: `myograph.twin.stroke`)."""
    _SHARE.check(severity, name="severity")
    del seed  # nothing is drawn; every disease takes one
    return weakened(drive, dict.fromkeys(drive.muscles, 1 - 0.9 * severity))


def _check_muscle(muscle: Muscle, severity: float) -> None:
    if not isinstance(muscle, Muscle):
        raise ParameterError(
            f"This disease changes a Muscle; got a {type(muscle).__name__}. Those of nerves stand "
            "in NERVE_DISEASES, those of the drive in DRIVE_DISEASES."
        )
    _SHARE.check(severity, name="severity")


def _shaken(
    drive: Drive, tremor: Tremor, severity: float, seed: int, *, only_active: bool = False
) -> Drive:
    _SHARE.check(severity, name="severity")
    if severity == 0:
        return drive
    half = (drive.n_muscles + 1) // 2
    sized = replace(tremor, amplitude=tremor.amplitude * 2 * severity)
    shaken = tremulous(
        drive, sized, seed=seed, agonists=drive.muscles[:half], antagonists=drive.muscles[half:]
    )
    if not only_active:
        return shaken
    share = drive.excitation / max(float(drive.excitation.max()), 1e-12)
    return drive.changed(drive.excitation + share * (shaken.excitation - drive.excitation))
