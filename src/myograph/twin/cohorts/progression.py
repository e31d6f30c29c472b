"""The same people visit after visit while a disease runs, and others in whom nothing happens.

The muscle is the tibialis anterior. Everybody is asked for the same three forces at every visit,
shares of what a healthy muscle of theirs gives; whoever can no longer reach one does what they can.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from myograph.core.recording import Event
from myograph.twin.cohort import (
    CohortKind,
    Member,
    Scene,
    Simulated,
    Sitting,
    member,
    scaled,
    surface_layout,
)
from myograph.twin.conductor import PlanarConductor
from myograph.twin.contamination import Motion
from myograph.twin.contraction import excitation_for_force, force_n
from myograph.twin.courses import COURSES
from myograph.twin.discharge import discharges
from myograph.twin.drive import Drive, trapezoid, with_noise
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.muap import muap_library
from myograph.twin.muscle import Muscle
from myograph.twin.progression import Course, state_at
from myograph.twin.seeds import stream
from myograph.twin.subject import simulate_person
from myograph.twin.truth import Truth

__all__ = ["PROGRESSION", "Case", "case"]

_MUSCLE = "TA"
_FIBRE_SHARE = 0.15
_CHANNELS, _SPACING_MM = 8, 5.0
_CONTROL_HZ = 100.0
_FORCES = (0.1, 0.2, 0.4)
_FIRST_MONTHS, _BETWEEN_MONTHS = 3.0, 6.0
_RAMP_S, _REST_S, _LEAST_HOLD_S = 1.0, 1.0, 1.0


@dataclass(frozen=True, slots=True)
class Case:
    """A person's muscle before the disease, and its course."""

    who: Member
    healthy: Muscle
    course: Course
    scene: Scene

    def record(self, visit: int) -> Simulated:
        """Return the recording of a visit, from 1."""
        return self.record_at(_FIRST_MONTHS + _BETWEEN_MONTHS * (visit - 1), visit)

    def record_at(self, months: float, visit: int) -> Simulated:
        """Return the recording of a visit so many months after the onset."""
        seed = int(stream(self.who.seed, "visit", visit).integers(2**31))
        muscle = state_at(self.healthy, self.course, months=months, seed=self.who.seed)
        drive, reached = _drive(muscle, self.healthy.mvc_n, self.scene.seconds, seed)
        trains = discharges(muscle.pool, drive, seed=seed)
        library = scaled(
            muap_library(
                muscle,
                _row(muscle, self.who.seed, visit),
                PlanarConductor.of(muscle.geometry),
                fs_hz=self.who.device.fs_hz,
            ),
            _FIBRE_SHARE,
        )
        signal = synthesise(trains, library, duration_s=drive.duration_s)
        also = [Motion(rms_uv=2.0, knocks_per_min=1.0, knock_uv=40.0)]
        found = self.who.device.record(signal, seed=seed, also=also)
        events = self._events(drive)
        burden = self.course.burden([months])
        truth = Truth(
            duration_s=drive.duration_s,
            discharges={_MUSCLE: trains},
            muaps={_MUSCLE: self.who.seen(library.values)},
            muap_fs_hz=self.who.device.fs_hz,
            muap_onset_sample=library.onset_sample,
            events=(*events, *drive.events),
            forces={_MUSCLE: force_n(muscle.pool, trains, fs_hz=_CONTROL_HZ)},
            force_fs_hz=_CONTROL_HZ,
            contaminations=dict(found.parts) if self.scene.parts else {},
            labels=self.who.labels(
                fibre_share=_FIBRE_SHARE,
                months=months,
                units_alive=muscle.pool.n_alive,
                units_at_onset=self.healthy.pool.n_alive,
                strength=muscle.mvc_n / self.healthy.mvc_n,
                expected_strength=float(burden.strength[0]),
                forces=list(_FORCES),
                reached=reached,
            ),
        )
        layout = surface_layout(_CHANNELS, self.who.device.fs_hz, muscle=_MUSCLE)
        return Simulated(self.who.recording(found, layout, events, str(visit)), truth)

    def _events(self, drive: Drive) -> tuple[Event, ...]:
        holds = [event for event in drive.events if event.label == "hold"]
        return tuple(
            replace(event, label=self.who.condition, trial=str(k + 1))
            for k, event in enumerate(holds)
        )


def _prepare(scene: Scene, index: int) -> Sitting:
    return case(scene, index).record


def case(scene: Scene, index: int) -> Case:
    """Build a person of the cohort, healthy, with the course of what they have."""
    who = member(PROGRESSION, scene, index, ages=(40.0, 70.0))
    patient = simulate_person(who.person, (_MUSCLE,), seed=who.seed, fibre_share=_FIBRE_SHARE)
    course = COURSES[who.condition](seed=who.seed)
    rule = course.reinnervation
    # With a share of the fibres simulated, the neighbours of an orphan lie farther away.
    wider = replace(rule, radius_um=rule.radius_um / np.sqrt(_FIBRE_SHARE))
    return Case(who, patient.muscle(_MUSCLE), replace(course, reinnervation=wider), scene)


def _drive(muscle: Muscle, healthy_n: float, seconds: float, seed: int) -> tuple[Drive, list[bool]]:
    """Return one contraction at each force, as far as the muscle can."""
    levels, reached = excitation_for_force(muscle.pool, np.array(_FORCES) * healthy_n)
    hold = max(seconds / len(_FORCES) - 2 * (_RAMP_S + _REST_S), _LEAST_HOLD_S)
    parts = [
        trapezoid(
            float(level),
            ramp_s=_RAMP_S,
            hold_s=hold,
            rest_s=_REST_S,
            fs_hz=_CONTROL_HZ,
            muscle=_MUSCLE,
        )
        for level in levels
    ]
    whole = reduce(Drive.then, parts)
    return with_noise(whole, seed=seed), [bool(r) for r in reached]


def _row(muscle: Muscle, seed: int, visit: int) -> SurfaceElectrodes:
    """Lay a row of electrodes along the fibres, a little elsewhere at each visit."""
    rng = stream(seed, "array", visit)
    row = SurfaceElectrodes.linear(
        _CHANNELS + 1,
        spacing_mm=_SPACING_MM,
        center_z_mm=0.62 * muscle.geometry.fibre_length_mm + 2.0 * float(rng.standard_normal()),
        radius_mm=1.5,
    )
    differences = np.eye(_CHANNELS + 1)[1:] - np.eye(_CHANNELS + 1)[:-1]
    return replace(row.shifted(x_mm=2.0 * float(rng.standard_normal())), weights=differences)


#: The tibialis anterior of people with ALS and of others, every half year.
PROGRESSION = CohortKind(
    title="the tibialis anterior of people with ALS and of others, visit after visit",
    tasks=(
        "Three contractions at 10, 20 and 40 % of the force before the disease, or as much as is "
        "left; label = the condition, trial = the contraction, session = the visit (3 months after "
        "the onset, then every 6)."
    ),
    labels=("healthy", "als"),
    conditions=("healthy", "als"),
    channel="semg",
    fs_hz=1000.0,
    takes=4,
    take="visit",
    seconds=24.0,
    prepare=_prepare,
)
