"""Gestures of the hand under a band of electrodes around the forearm."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from myograph.twin.conductor import KeptTable, PlanarConductor, Reach
from myograph.twin.contamination import Contamination, Motion
from myograph.twin.contraction import force_n
from myograph.twin.discharge import Discharges, discharges
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.gesture import GestureStyle, Synergies, gestures
from myograph.twin.muap import MuapLibrary, muap_library
from myograph.twin.seeds import stream
from myograph.twin.subject import Patient, simulate_person
from myograph.twin.truth import Truth

__all__ = ["FOREARM_DEGREES", "GESTURES", "GESTURE_LABELS", "Forearm"]

#: What is made, each held, the series repeated.
GESTURE_LABELS = (
    "rest",
    "hand close",
    "hand open",
    "wrist flexion",
    "wrist extension",
    "pronation",
    "supination",
)

#: Where the muscles lie around the proximal third of a forearm, degrees from the middle of its
#: volar side towards the ulna (textbook anatomy; assumed).
FOREARM_DEGREES = {
    "FCR": -25.0,
    "PL": 5.0,
    "FDS": 25.0,
    "FCU": 65.0,
    "ECU": 130.0,
    "ED": 170.0,
    "ECRB": 205.0,
    "ECRL": 230.0,
    "SUP": 215.0,
    "BR": 275.0,
    "PT": 310.0,
}

# This share of the fibres is simulated, each standing for the others; territories keep their size.
FIBRE_SHARE = 0.03
_CHANNELS = 8
_RADIUS_MM = 5.0
_CONTROL_HZ = 100.0
# Farther around the limb than this a muscle is not heard.
_REACH_MM = 50.0
# Where the band lies along every muscle, as a share of its fibres' length.
_PLACE = 0.68
_BUSY_S, _RAMP_S, _REST_S, _LEAST_HOLD_S = 2.5, 0.4, 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Forearm:
    """A person's forearm and the band around it.

    Parameters
    ----------
    patient : Patient
        With the muscles of `FOREARM_DEGREES`.
    turned : float
        How far this person's band is turned, degrees.
    seed : int
    """

    patient: Patient
    turned: float
    seed: int

    @classmethod
    def of(cls, who: Member) -> Forearm:
        """Build the forearm of a member of a cohort."""
        patient = simulate_person(
            who.person, tuple(FOREARM_DEGREES), seed=who.seed, fibre_share=FIBRE_SHARE
        )
        turned = 8.0 * float(stream(who.seed, "band").standard_normal())
        return cls(patient, turned, who.seed)

    @property
    def radius_mm(self) -> float:
        """Radius of the forearm."""
        return self.patient.muscle("FCR").geometry.limb_radius_mm

    def libraries(self, fs_hz: float, *, session: int) -> dict[str, MuapLibrary]:
        """Return what each muscle's units give at the band, as it lies in one session.

        A new session turns the band by some degrees and shifts it along the arm.
        """
        rng = stream(self.seed, "donning", session)
        turned = self.turned + 4.0 * rng.standard_normal()
        along_mm = 4.0 * rng.standard_normal()
        conductor = self._conductor()
        return {
            name: self._library(name, (turned, along_mm), conductor, fs_hz)
            for name in self.patient.muscles
        }

    def _conductor(self) -> KeptTable:
        """Tabulate the layers of the forearm once for all its muscles."""
        shapes = [muscle.geometry for muscle in self.patient.muscles.values()]
        reach = Reach(
            _REACH_MM + max(s.width_mm for s in shapes),
            _PLACE * max(s.fibre_length_mm for s in shapes) + 60.0,
        )
        deepest_mm = max(s.depth_mm + s.thickness_mm for s in shapes) + 1.0
        flat = PlanarConductor.of(shapes[0])
        return KeptTable.of(flat, reach, deepest_mm=deepest_mm, radius_mm=_RADIUS_MM)

    def _library(
        self, name: str, place: tuple[float, float], conductor: KeptTable, fs_hz: float
    ) -> MuapLibrary:
        muscle = self.patient.muscle(name)
        turned, along_mm = place
        degrees = np.arange(_CHANNELS) * 360 / _CHANNELS + turned - FOREARM_DEGREES[name]
        x = self.radius_mm * np.deg2rad(np.mod(degrees + 180, 360) - 180)
        heard = np.abs(x) <= _REACH_MM
        band = SurfaceElectrodes.bipolar(
            x[heard],
            center_z_mm=_PLACE * muscle.geometry.fibre_length_mm + along_mm,
            radius_mm=_RADIUS_MM,
        )
        found = scaled(muap_library(muscle, band, conductor, fs_hz=fs_hz), FIBRE_SHARE)
        values = np.zeros((found.n_units, _CHANNELS, found.values.shape[2]), np.float32)
        values[:, heard] = found.values
        return replace(found, values=values)


def _prepare(scene: Scene, index: int) -> Sitting:
    who = member(GESTURES, scene, index)
    arm = Forearm.of(who)

    def record(take: int) -> Simulated:
        drive = gesture_drive(who, scene.seconds, session=take)
        return recorded(who, arm, drive, session=take, parts=scene.parts)

    return record


def gesture_drive(who: Member, seconds: float, *, session: int, level: float = 0.22) -> Drive:
    """Return a person's drive through the series of gestures, about ``seconds`` long."""
    seed = int(stream(who.seed, "session", session).integers(2**31))
    pause = 2 * _RAMP_S + _REST_S
    n = len(GESTURE_LABELS)
    repetitions = max(round(seconds / n / (_BUSY_S + pause)), 1)
    hold = max(seconds / n / repetitions - pause, _LEAST_HOLD_S)
    own = level * float(np.exp(0.25 * stream(who.seed, "effort").standard_normal()))
    style = GestureStyle(
        repetitions=repetitions, hold_s=hold, ramp_s=_RAMP_S, rest_s=_REST_S, level=own
    )
    synergies = Synergies.typical(tuple(FOREARM_DEGREES)).of_person(seed=who.seed, spread=0.25)
    made = gestures(GESTURE_LABELS, fs_hz=_CONTROL_HZ, seed=seed, style=style, synergies=synergies)
    return with_noise(made, seed=seed, noise=CommonNoise(between_muscles=0.3))


def recorded(
    who: Member, arm: Forearm, drive: Drive, *, session: int, parts: bool, **labels: object
) -> Simulated:
    """Return what the band records while a forearm is driven, with its truth."""
    seed = int(stream(who.seed, "sitting", session).integers(2**31))
    fs_hz = who.device.fs_hz
    libraries = arm.libraries(fs_hz, session=session)
    trains, forces = _played(arm, drive, seed)
    signal = np.zeros((_CHANNELS, round(drive.duration_s * fs_hz)), np.float32)
    for name, library in libraries.items():
        signal += synthesise(trains[name], library, duration_s=drive.duration_s)
    also: list[Contamination] = [Motion(rms_uv=3.0, knocks_per_min=2.0, knock_uv=60.0)]
    found = who.device.record(signal, seed=seed, also=also)
    muaps = {name: who.seen(library.values) for name, library in libraries.items()}
    truth = Truth(
        duration_s=drive.duration_s,
        discharges=trains,
        muaps=muaps,
        muap_fs_hz=fs_hz,
        muap_onset_sample=next(iter(libraries.values())).onset_sample,
        events=drive.events,
        forces=forces,
        force_fs_hz=_CONTROL_HZ,
        contaminations=dict(found.parts) if parts else {},
        labels=who.labels(fibre_share=FIBRE_SHARE, session=session, **labels),
    )
    layout = surface_layout(_CHANNELS, fs_hz, muscle="forearm")
    return Simulated(who.recording(found, layout, drive.events, str(session)), truth)


def _played(
    arm: Forearm, drive: Drive, seed: int
) -> tuple[dict[str, Discharges], dict[str, NDArray[np.float64]]]:
    trains, forces = {}, {}
    for name, muscle in arm.patient.muscles.items():
        own = _muscle_seed(seed, name)
        trains[name] = discharges(muscle.pool, drive, seed=own, muscle=name)
        forces[name] = force_n(muscle.pool, trains[name], fs_hz=_CONTROL_HZ)
    return trains, forces


def _muscle_seed(seed: int, name: str) -> int:
    return int(stream(seed, "muscle", name).integers(2**31))


def event_labels(events: tuple[Event, ...]) -> tuple[str, ...]:
    """Return the labels of some events, each once, in order."""
    return tuple(dict.fromkeys(event.label for event in events))


#: Seven gestures of the hand under eight bipolar channels around the forearm.
GESTURES = CohortKind(
    title="seven gestures of the hand, eight channels around the forearm",
    tasks=(
        "Each gesture is held with a rise and a fall, rest between; trial = the repetition; each "
        "session dons the band anew."
    ),
    labels=GESTURE_LABELS,
    conditions=("healthy",),
    channel="semg",
    fs_hz=1000.0,
    takes=1,
    take="session",
    seconds=60.0,
    prepare=_prepare,
)
