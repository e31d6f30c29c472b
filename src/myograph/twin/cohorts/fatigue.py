"""A contraction held until it cannot be held: the biceps brachii under a row of electrodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

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
from myograph.twin.discharge import discharges_at
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import evolving
from myograph.twin.fatigue import FatigueCourse, endurance_s, fatigue, fatigued
from myograph.twin.muap import MuapLibrary, muap_library
from myograph.twin.muscle import Muscle
from myograph.twin.seeds import stream
from myograph.twin.subject import simulate_person
from myograph.twin.truth import Truth

__all__ = ["FATIGUE", "STAGES"]

#: Thirds of the time until this person can no longer hold the force.
STAGES = ("fresh", "tiring", "tired")

_MUSCLE = "BB"
_FIBRE_SHARE = 0.02
_CHANNELS, _SPACING_MM = 8, 5.0
_COURSE_HZ = 5.0
_MOMENTS = 4  # of which the potentials are computed; between them they go over
# The force is chosen so that the task ends about here, in shares of its length.
_LEVELS = np.linspace(0.25, 0.85, 7)


def _prepare(scene: Scene, index: int) -> Sitting:
    who = member(FATIGUE, scene, index)
    patient = simulate_person(who.person, (_MUSCLE,), seed=who.seed, fibre_share=_FIBRE_SHARE)

    def record(take: int) -> Simulated:
        return _record(who, patient.muscle(_MUSCLE), scene, take)

    return record


def _record(who: Member, muscle: Muscle, scene: Scene, take: int) -> Simulated:
    seed = int(stream(who.seed, "session", take).integers(2**31))
    level, endurance = _level(muscle, scene.seconds, seed)
    target = np.full(round(scene.seconds * _COURSE_HZ), level * muscle.mvc_n)
    course = fatigue(muscle.pool, target, fs_hz=_COURSE_HZ)
    trains = discharges_at(course.rates_hz, fs_hz=_COURSE_HZ, seed=seed)
    moments = np.linspace(0, len(target) - 1, _MOMENTS).round().astype(int)
    libraries = _libraries(who, muscle, course.remaining[:, moments].T, seed)
    signal = evolving(trains, libraries, (moments / _COURSE_HZ).tolist(), duration_s=scene.seconds)
    also = [Motion(rms_uv=2.0, knocks_per_min=1.0, knock_uv=40.0)]
    found = who.device.record(signal, seed=seed, also=also)
    events = _events(endurance, trains.duration_s, take)
    truth = Truth(
        duration_s=trains.duration_s,
        discharges={muscle.name: trains},
        muaps={
            f"{muscle.name} at {at / _COURSE_HZ:g} s": who.seen(library.values)
            for at, library in zip(moments.tolist(), libraries, strict=True)
        },
        muap_fs_hz=who.device.fs_hz,
        muap_onset_sample=libraries[0].onset_sample,
        events=events,
        forces={muscle.name: course.force_n, "capacity": course.capacity_n},
        force_fs_hz=_COURSE_HZ,
        contaminations=dict(found.parts) if scene.parts else {},
        labels=who.labels(
            fibre_share=_FIBRE_SHARE,
            force=level,
            endurance_s=endurance,
            missed_s=_missed(course),
            excitation=course.excitation[:: int(_COURSE_HZ)].round(4).tolist(),
        ),
    )
    layout = surface_layout(_CHANNELS, who.device.fs_hz, muscle=muscle.name)
    return Simulated(who.recording(found, layout, events, str(take)), truth)


def _level(muscle: Muscle, seconds: float, seed: int) -> tuple[float, float]:
    """Choose a force that this person can hold for about the length of the task."""
    wanted = seconds * float(stream(seed, "ambition").uniform(0.8, 1.1))
    limit = 2.0 * seconds
    held = [endurance_s(muscle.pool, level, limit_s=limit, fs_hz=1.0) for level in _LEVELS]
    level = float(np.interp(-wanted, -np.minimum(held, limit), _LEVELS))
    return level, float(np.interp(level, _LEVELS, np.minimum(held, limit)))


def _missed(course: FatigueCourse) -> float | None:
    return float(course.endurance_s) if np.isfinite(course.endurance_s) else None


def _libraries(
    who: Member, muscle: Muscle, remaining: NDArray[np.float64], seed: int
) -> list[MuapLibrary]:
    """Compute the potentials of the muscle as tired as it is at some moments."""
    shape, rng = muscle.geometry, stream(seed, "array")
    row = SurfaceElectrodes.linear(
        _CHANNELS + 1,
        spacing_mm=_SPACING_MM,
        center_z_mm=0.72 * shape.fibre_length_mm + 3.0 * float(rng.standard_normal()),
        radius_mm=1.5,
    )
    differences = np.eye(_CHANNELS + 1)[1:] - np.eye(_CHANNELS + 1)[:-1]
    row = replace(row.shifted(x_mm=2.0 * float(rng.standard_normal())), weights=differences)
    conductor, fs_hz = PlanarConductor.of(shape), who.device.fs_hz
    found = [
        muap_library(fatigued(muscle, left), row, conductor, fs_hz=fs_hz) for left in remaining
    ]
    # Slower fibres take longer: the shapes get one length.
    n = max(library.values.shape[2] for library in found)
    return [scaled(_longer(library, n), _FIBRE_SHARE) for library in found]


def _longer(library: MuapLibrary, n: int) -> MuapLibrary:
    room = n - library.values.shape[2]
    return replace(library, values=np.pad(library.values, ((0, 0), (0, 0), (0, room))))


def _events(endurance: float, duration_s: float, take: int) -> tuple[Event, ...]:
    edges = np.minimum(np.array([0.0, 1 / 3, 2 / 3]) * endurance, duration_s)
    ends = np.append(edges[1:], duration_s)
    return tuple(
        Event(float(start), float(end - start), stage, "protocol", str(take))
        for start, end, stage in zip(edges, ends, STAGES, strict=True)
        if end - start > 0.5
    )


#: A sustained contraction of the biceps brachii, eight channels along its fibres.
FATIGUE = CohortKind(
    title="a contraction of the biceps brachii held to exhaustion, eight channels",
    tasks=(
        "One force held, chosen for the person so that it can just be held for the task; label = "
        "third of the endurance that has passed, trial and session = the repetition on another day."
    ),
    labels=STAGES,
    conditions=("healthy",),
    channel="semg",
    fs_hz=1000.0,
    takes=1,
    take="session",
    seconds=60.0,
    prepare=_prepare,
)
