"""The 3DC armband recordings: 11 gestures, two rounds of 4 cycles, with the arm's orientation."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording, RecordingSet, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import EMG, Contents, Entry
from myograph.datasets.files import Files, numbers
from myograph.datasets.sources.gesture import gesture, numbered

DEVICE = "3DC armband"
FS_HZ = 1000.0
GESTURES = (
    "rest",
    "radial deviation",
    "wrist flexion",
    "ulnar deviation",
    "wrist extension",
    "supination",
    "pronation",
    "power grip",
    "hand open",
    "chuck grip",
    "pinch grip",
)

CARD = DatasetCard(
    name="3dc",
    title="3DC armband, 11 gestures of the hand and wrist, with orientation",
    sources=(
        Source(
            "LibEMG/3DCDataset",
            commit="1af9058237a5d79a883feb2ce61f4d59090288ac",
            licence="none stated",
            keep=("Participant*/*/EMG/*.txt", "Participant*/*/IMU/*.txt"),
        ),
    ),
    citation=(
        "Côté-Allard U. et al. (2019). IEEE Transactions on Neural Systems and Rehabilitation "
        "Engineering 27(4), 760-771, as the source asks; the armband: Côté-Allard U. et al. "
        "(2019). A low-cost, wireless, 3-D-printed custom armband for sEMG hand gesture "
        "recognition. Sensors 19(12), 2811. doi:10.3390/s19122811"
    ),
    citation_key="cotealllard2019armband",
    people="22 able-bodied people",
    kinds=("semg", "orientation"),
    fs_hz=(1000.0,),
    tasks="Each gesture held about 5 s; session = round (train, test), trial = cycle 1 to 4.",
    labels=GESTURES,
    defects=(
        "EMG is in the converter's counts, whose size is not stated: scale 'count'.",
        "The orientation file opens with a row of zeros, which no orientation has: left out.",
        (
            "Orientation has no rate of its own: its rows are spread over the time of the EMG file "
            "(about 48 Hz)."
        ),
        "Lengths vary from 0.4 s to 7.6 s: kept as they are.",
    ),
    sha256="a7100433ebc673873961593a8ff38a3a754d04ddf5978d910d21a118dcff4ad4",
)


def read(files: Files) -> Contents:
    """Find the gesture files; one recording each, with its orientation beside it."""
    pattern = r"(Participant\d+)/(train|test)/EMG/3dc_EMG_gesture_(\d+)_(\d+)\.txt$"
    found, dropped = files.distinct(files.find(pattern))
    entries = []
    for path, match in found:
        subject = Subject(match[1])
        load = partial(_recording, path, subject, match[2], int(match[3]), int(match[4]))
        beside = path.parents[1] / "IMU" / path.name.replace("_EMG_", "_IMU_")
        digest = files.sha256(path)
        load_set = partial(_set, load, beside)
        entries.append(
            Entry(files.name(path), subject, load, match[2], digest=digest, load_set=load_set)
        )
    return Contents(tuple(entries), tuple(dropped))


def _recording(path: Path, subject: Subject, session: str, cycle: int, number: int) -> Recording:
    recording = gesture(
        numbers(path, columns=10).T,
        Layout(FS_HZ, numbered(10, scale="count")),
        label=GESTURES[number],
        trial=cycle + 1,
        subject=subject,
        session=session,
    )
    return replace(recording, device=DEVICE)


def _set(load: partial[Recording], path: Path) -> RecordingSet:
    emg = load()
    rows = _quaternions(path)
    axes = (Channel(f"orientation_{axis}", kind="orientation") for axis in "wxyz")
    layout = Layout(len(rows) / emg.duration_s, tuple(axes))
    beside = Recording(rows.T, layout, subject=emg.subject, session=emg.session, device=emg.device)
    return RecordingSet({EMG: emg, "orientation": beside})


def _quaternions(path: Path) -> NDArray[np.float32]:
    """Read lines of ``(w, x, y, z)``, without the zeros before the first measurement."""
    rows = re.findall(r"\(([^)]*)\)", path.read_text(encoding="ascii"))
    try:
        values = np.array([row.split(",") for row in rows], dtype=np.float32).reshape(-1, 4)
    except ValueError as error:
        raise FormatError(
            f"{path}: lines of 4 numbers in brackets are expected; {error}"
        ) from error
    values = values[np.abs(values).sum(axis=1) > 0]
    if not len(values):
        raise FormatError(f"{path} holds no orientation.")
    return values
