"""Grasp force with a Myo armband, and seven motions by the same group."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe, StepRecord
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Dropped, Files
from myograph.datasets.sources.gesture import MYO, MYO_FS_HZ, myo_layout

FORCE, MOTIONS = "force", "motions"

CARD = DatasetCard(
    name="grasp-force-myo",
    title="Myo armband with grasp force (11 recordings), and with motions (11 recordings)",
    sources=(
        Source(
            "brunoodutra/My_Thesis",
            commit="5c1083b2b0562f8471640ee10c8a207c9bf2803a",
            licence="none stated",
            keep=(
                "EMG_Data_and_Force_signals/EMG_force_datalog/recording_force_*.mat",
                "EMG_Data_and_patterns_moviments/EMG_patterns_datalog/recording_mov_v*.mat",
            ),
        ),
    ),
    citation=(
        "Grasping force estimation using state-space model and Kalman filter. Biomedical Signal "
        "Processing and Control (2021). doi:10.1016/j.bspc.2021.103036"
    ),
    people="10 volunteers in the paper; which recordings are one person is not stated",
    kinds=("semg", "force"),
    fs_hz=(200.0,),
    tasks=(
        "Part force: a ball squeezed three times, each time harder; channel 'force' of a "
        "force-sensing resistor. Part motions: the source's stimulus 1 to 8, held, as events "
        "'motion 1' to 'motion 8'; trial = how many of it so far; what they are is not stated."
    ),
    labels=tuple(f"motion {i}" for i in range(1, 9)),
    defects=(
        "Two scales of EMG, counts and counts / 128: all are counts here.",
        (
            "Two scales of force, converter counts and a fraction of the largest: counts stay "
            "counts, fractions stay normalised. Its variables force_n and force_volts are not "
            "used: in v1, v3, v4 and v9 they belong to another recording or another scale."
        ),
        "Recordings repeated under another name are dropped.",
    ),
    notes=(
        (
            "Versions of one number (v3, v3_2) are taken for one person; other people may still be "
            "the same one, so across-people figures are not to be trusted."
        ),
    ),
    parts=(FORCE, MOTIONS),
    sha256="683f833743822d2330aa82c4c1d477ce78a1abf20299ebb5607b9805d912c0fd",
)

# Channel order as in the source's table of electrode locations.
_FORCE_NAME, _MOTION_NAME = (
    r"recording_force_v(\d+)(?:_(\d+))?\.mat$",
    r"recording_mov_v(\d+)(?:_(\d+))?\.mat$",
)


def read(files: Files) -> Contents:
    """Find the recordings of both parts, each once."""
    entries: list[Entry] = []
    dropped: list[Dropped] = []
    for part, pattern in ((FORCE, _FORCE_NAME), (MOTIONS, _MOTION_NAME)):
        first: dict[str, str] = {}
        for path, match in files.find(pattern):
            name, digest = files.name(path), _emg_digest(path)
            if digest in first:
                reason = f"the same EMG, sample by sample, as {first[digest]}"
                dropped.append(Dropped(name, reason, part))
                continue
            first[digest] = path.name
            subject, session = Subject(f"{part}-v{match[1]}"), match[2] or "1"
            reader = _force if part == FORCE else _motions
            load = partial(reader, path, subject, session)
            entries.append(Entry(name, subject, load, session, part, files.sha256(path)))
    return Contents(tuple(entries), tuple(dropped))


def _variables(path: Path, *names: str) -> list[NDArray[Any]]:
    from scipy.io import loadmat

    try:
        held = loadmat(path, variable_names=names)
        return [np.asarray(held[name]) for name in names]
    except KeyError as error:
        raise FormatError(f"{path} has no variable {error}; {list(names)} are expected.") from error


def _emg_digest(path: Path) -> str:
    (emg,) = _variables(path, "emg")
    return hashlib.sha256(np.ascontiguousarray(_counts(emg)).tobytes()).hexdigest()


def _counts(emg: NDArray[Any]) -> NDArray[np.float32]:
    """Return 8-bit counts; floating values are counts over 128."""
    factor = 128 if emg.dtype.kind == "f" else 1
    counts: NDArray[np.float32] = np.rint(emg * np.float64(factor)).astype(np.float32)
    return counts


def _force(path: Path, subject: Subject, session: str) -> Recording:
    emg, force = _variables(path, "emg", "Force")
    scale = "normalised" if force.dtype.kind == "f" else "count"
    samples = np.vstack([_counts(emg).T, force.reshape(1, -1).astype(np.float32)])
    channels = (*myo_layout().channels, Channel("force", kind="force", scale=scale))
    return Recording(
        samples,
        Layout(MYO_FS_HZ, channels),
        subject=subject,
        session=session,
        device=MYO,
        recipe=_rescaled(emg),
    )


def _motions(path: Path, subject: Subject, session: str) -> Recording:
    emg, stimulus = _variables(path, "emg", "stimulus")
    return Recording(
        _counts(emg).T,
        myo_layout(),
        events=_stimulus_events(stimulus.ravel().astype(int)),
        subject=subject,
        session=session,
        device=MYO,
        recipe=_rescaled(emg),
    )


def _rescaled(emg: NDArray[Any]) -> Recipe:
    if emg.dtype.kind != "f":
        return Recipe()
    source = hashlib.sha256(np.ascontiguousarray(emg).tobytes()).hexdigest()
    return Recipe((StepRecord.of("counts", {"factor": 128}),), source)


def _stimulus_events(stimulus: NDArray[np.int_]) -> tuple[Event, ...]:
    starts = np.flatnonzero(np.diff(stimulus, prepend=stimulus[0] - 1))
    stops = np.append(starts[1:], len(stimulus))
    seen: dict[int, int] = {}
    events = []
    for start, stop in zip(starts, stops, strict=True):
        motion = int(stimulus[start])
        if motion == 0:
            continue
        seen[motion] = seen.get(motion, 0) + 1
        onset_s, length_s = start / MYO_FS_HZ, (stop - start) / MYO_FS_HZ
        events.append(
            Event(
                float(onset_s), float(length_s), f"motion {motion}", "protocol", str(seen[motion])
            )
        )
    return tuple(events)
