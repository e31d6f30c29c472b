"""One body, one clock: EMG, EEG, force, joint angle, accelerometer and ECG of the same effort.

Everything follows from one drive: the cortex carries its rhythm first, the pool fires by it, forces
follow, the joint moves, the heart answers. Nothing is drawn twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, RecordingSet, Subject
from myograph.twin.contraction import force_n
from myograph.twin.cortex import Cortex, Eeg, eeg
from myograph.twin.discharge import Discharges, Firing, discharges
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.emg import synthesise
from myograph.twin.heart import Beats, Heart, beat, ecg_uv, effort_of
from myograph.twin.limb import Joint, Motion, acceleration_g, move
from myograph.twin.muap import MuapLibrary
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream
from myograph.twin.subject import DEVICE
from myograph.twin.truth import Truth

__all__ = ["Body", "Rates", "record"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Sampling rates of what is recorded beside the EMG, Hz.

    Parameters
    ----------
    eeg_hz, motion_hz, force_hz, ecg_hz : float
    """

    eeg_hz: float
    motion_hz: float
    force_hz: float
    ecg_hz: float

    def __post_init__(self) -> None:
        for name in ("eeg_hz", "motion_hz", "force_hz", "ecg_hz"):
            check_positive(getattr(self, name), name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What of a person is recorded.

    Parameters
    ----------
    muscles : mapping of str to Muscle
        As driven.
    libraries : mapping of str to MuapLibrary
        What each muscle's units give at its own electrodes; all at one rate.
    joint : Joint, optional
        Moved by all of the muscles.
    cortex : Cortex, optional
    heart : Heart, optional
    subject : Subject, optional
    firing : Firing, optional
    mass_share : float
        Share of the body's muscle that the task takes.
    noise_uv : float
        Of the EMG's baseline, µV.
    """

    muscles: Mapping[str, Muscle]
    libraries: Mapping[str, MuapLibrary]
    joint: Joint | None = None
    cortex: Cortex | None = None
    heart: Heart | None = None
    subject: Subject | None = None
    firing: Firing | None = None
    mass_share: float = 0.1
    noise_uv: float = 2.0

    def __post_init__(self) -> None:
        check_ranges(self, {"mass_share": Range(0.01, 1, most=1), "noise_uv": Range(0, 20, "uV")})
        for name in ("muscles", "libraries"):
            object.__setattr__(self, name, dict(getattr(self, name)))
        if set(self.muscles) != set(self.libraries) or not self.muscles:
            raise DataError(
                f"Each muscle needs its library; got muscles {sorted(self.muscles)} and libraries "
                f"{sorted(self.libraries)}."
            )
        rates = {library.fs_hz for library in self.libraries.values()}
        if len(rates) != 1:
            raise DataError(f"All libraries must have one rate; got {sorted(rates)}.")


@dataclass(slots=True)
class _Parts:
    """What was simulated, on the way to recordings."""

    trains: dict[str, Discharges] = field(default_factory=dict)
    forces: dict[str, Floats] = field(default_factory=dict)
    eeg: Eeg | None = None
    motion: Motion | None = None
    beats: Beats | None = None


def record(
    body: Body,
    drive: Drive,
    *,
    rates: Rates,
    seed: int,
    noise: CommonNoise | None = None,
) -> tuple[RecordingSet, Truth]:
    """Record a task with everything that a body has.

    Parameters
    ----------
    body : Body
    drive : Drive
        What the person intends (tremor included); muscles as in ``body``. Its first muscle is the
        one whose cortical area the EEG looks at.
    rates : Rates
    seed : int
        Each signal has streams of its own: leaving one out leaves the others as they were.
    noise : CommonNoise, optional
        What the cortex adds to the drive; beta makes EEG and EMG coherent.

    Returns
    -------
    RecordingSet
        ``"emg"``, ``"force"``, and as far as there are any ``"eeg"``, ``"angle"``, ``"acc"`` and
        ``"ecg"``, on one clock.
    Truth
        Discharges, forces, and in ``labels`` delays, onsets and beats.
    """
    missing = set(drive.muscles) ^ set(body.muscles)
    if missing:
        raise DataError(
            f"Drive and body must name the same muscles; {sorted(missing)} is in one of them only."
        )
    rule = noise or CommonNoise()
    driven = with_noise(drive, seed=seed, noise=rule)
    parts = _Parts()
    for name in drive.muscles:
        own = int(stream(seed, "multimodal", name).integers(2**31))
        pool = body.muscles[name].pool
        parts.trains[name] = discharges(pool, driven, seed=own, muscle=name, firing=body.firing)
        parts.forces[name] = force_n(pool, parts.trains[name], fs_hz=rates.motion_hz)
    if body.cortex is not None:
        parts.eeg = eeg(drive, body.cortex, fs_hz=rates.eeg_hz, seed=seed, noise=rule)
    if body.joint is not None:
        parts.motion = move(body.joint, parts.forces, fs_hz=rates.motion_hz)
    if body.heart is not None:
        parts.beats = beat(body.heart, _effort(body, parts), fs_hz=rates.motion_hz, seed=seed)
    members = _members(body, drive, parts, rates, seed)
    return RecordingSet(members), _truth(body, drive, parts, rates, rule)


def _effort(body: Body, parts: _Parts) -> Floats:
    rows = [
        effort_of(force, max(body.muscles[name].mvc_n, 1e-9), mass_share=body.mass_share)
        for name, force in parts.forces.items()
    ]
    return np.asarray(np.max(rows, axis=0), np.float64)


def _members(
    body: Body, drive: Drive, parts: _Parts, rates: Rates, seed: int
) -> dict[str, Recording]:
    made = {"emg": _emg(body, drive, parts, seed)}
    step = rates.motion_hz / rates.force_hz
    time = np.arange(int(len(next(iter(parts.forces.values()))) / step)) * step
    forces = {
        name: np.interp(time, np.arange(len(force)), force) for name, force in parts.forces.items()
    }
    made["force"] = (
        [Channel(f"force {name}", kind="force", muscle=name) for name in forces],
        np.stack(list(forces.values())),
        rates.force_hz,
    )
    if parts.eeg is not None:
        channels = [Channel(name, kind="eeg") for name in parts.eeg.channels]
        made["eeg"] = (channels, parts.eeg.samples_uv, parts.eeg.fs_hz)
    if parts.motion is not None and body.joint is not None:
        angle = parts.motion.angle_deg[None]
        made["angle"] = ([Channel("joint angle", kind="angle")], angle, rates.motion_hz)
        axes = [Channel(f"acc {axis}", kind="acc") for axis in ("across", "along", "normal")]
        measured = acceleration_g(body.joint, parts.motion, seed=seed)
        made["acc"] = (axes, measured, rates.motion_hz)
    if parts.beats is not None:
        wave = ecg_uv(parts.beats, fs_hz=rates.ecg_hz, seed=seed)[None]
        made["ecg"] = ([Channel("ECG", kind="ecg")], wave, rates.ecg_hz)
    return {
        name: Recording(
            np.asarray(samples, np.float32),
            Layout(fs_hz, tuple(channels)),
            events=_inside(drive.events, samples.shape[1] / fs_hz),
            subject=body.subject,
            device=DEVICE,
        )
        for name, (channels, samples, fs_hz) in made.items()
    }


def _emg(
    body: Body, drive: Drive, parts: _Parts, seed: int
) -> tuple[list[Channel], NDArray[Any], float]:
    channels, rows, fs_hz = [], [], 0.0
    for name in drive.muscles:
        library = body.libraries[name]
        fs_hz = library.fs_hz
        clean = synthesise(parts.trains[name], library)
        noise = stream(seed, "multimodal", "emg", name).standard_normal(clean.shape)
        rows.append(clean + body.noise_uv * noise)
        channels += [
            Channel(f"{name} {k + 1}" if len(clean) > 1 else name, kind="semg", muscle=name)
            for k in range(len(clean))
        ]
    return channels, np.concatenate(rows), fs_hz


def _inside(events: tuple[Event, ...], duration_s: float) -> tuple[Event, ...]:
    return tuple(e for e in events if e.onset_s >= 0 and e.end_s <= duration_s)


def _truth(body: Body, drive: Drive, parts: _Parts, rates: Rates, noise: CommonNoise) -> Truth:
    labels: dict[str, Any] = {"beta": noise.beta}
    events = list(drive.events)
    if body.cortex is not None and parts.eeg is not None:
        labels["corticomuscular_delay_ms"] = body.cortex.delay_ms
        labels["coupled"] = body.cortex.coupled
        labels["onsets_s"] = parts.eeg.onsets_s.tolist()
    if parts.beats is not None:
        times = parts.beats.times_s
        labels["beats_s"] = times.tolist()
        events += [Event(float(t), 0.0, "heart beat", source="truth") for t in times]
    return Truth(
        duration_s=drive.duration_s,
        discharges=parts.trains,
        muaps={name: library.values for name, library in body.libraries.items()},
        muap_fs_hz=next(iter(body.libraries.values())).fs_hz,
        muap_onset_sample=next(iter(body.libraries.values())).onset_sample,
        events=tuple(events),
        forces=parts.forces,
        force_fs_hz=rates.motion_hz,
        labels=labels,
    )
