"""Walking after stroke: 5 muscles of the right leg and the markers of a motion capture system."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe, StepRecord
from myograph.core.recording import Event, Recording, RecordingSet, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import EMG, Contents, Entry
from myograph.datasets.files import Dropped, Files

EMG_FS_HZ, MARKER_FS_HZ = 1000.0, 100.0
MUSCLES = {
    "RRF": "rectus femoris",
    "RVL": "vastus lateralis",
    "RST": "semitendinosus",
    "RBF": "biceps femoris",
    "RTA": "tibialis anterior",
}
CONDITIONS = {"SBJ05": "healthy", "TVC03": "stroke", "TVC13": "stroke"}

CARD = DatasetCard(
    name="gait-poststroke",
    title="Walking of 2 people after stroke and 1 control: EMG of the right leg, knee angles",
    sources=(
        Source(
            "rob230400/Post-Stroke-Gait-Analysis-Joint-Angles-EMG-Vicon",
            commit="d9c02e9af3f861ea35c9f661642359383dba6a6a",
            licence="none stated",
            keep=("Data/*.mat",),
        ),
    ),
    citation=(
        "Lolli A., Reviglio L., Toska R., Traetta G. (2024). Analysis of walking of people after "
        "stroke (course work in rehabilitation bioengineering, 2023-2024)"
    ),
    people="2 people after stroke, 1 healthy control",
    kinds=("semg", "angle"),
    fs_hz=(EMG_FS_HZ, MARKER_FS_HZ),
    tasks="Three walks each; session = walk; label 'gait'.",
    labels=("gait",),
    defects=(
        "The rectus femoris of walk TVC03_2 is empty: that channel is left out of that walk.",
        "The control's tibialis anterior clips: kept as it is.",
        "The source gives no unit for the EMG: held as counts.",
        (
            "The files hold marker positions, not angles: the knee angle here is 180 degrees minus "
            "the angle between the markers of hip bone, knee and ankle, not a joint angle of a "
            "model."
        ),
    ),
    notes=("Three people: for demonstration only, nothing can be concluded from a figure.",),
    sha256="3edde408aef8d3ebadce129d03aefdc668ea96c6917798a412c5336259d447ef",
)


def read(files: Files) -> Contents:
    """Find the walks; one recording each, with the knee angles beside it."""
    people = {match[1].upper(): _subject(path) for path, match in files.find(r"Antro_(\w+)\.mat$")}
    entries, dropped = [], []
    for path, match in files.find(r"(?:^|/)((?:SBJ|TVC)\d+)_(\d)\.mat$"):
        subject = people.get(match[1]) or Subject(match[1])
        load = partial(_emg, path, subject, match[2])
        load_set = partial(_set, path, subject, match[2])
        digest, name = files.sha256(path), files.name(path)
        entries.append(Entry(name, subject, load, match[2], digest=digest, load_set=load_set))
        dropped += [
            Dropped(f"{muscle} of {name}", "the channel is empty in the source")
            for muscle, values in _struct(path, "sd_sig").items()
            if not np.size(values)
        ]
    return Contents(tuple(entries), tuple(dropped))


def _struct(path: Path, name: str) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    held = loadmat(path, squeeze_me=True, struct_as_record=False, variable_names=[name])
    if name not in held:
        raise FormatError(f"{path} has no variable {name!r}.")
    return {field: np.asarray(getattr(held[name], field)) for field in held[name]._fieldnames}


def _subject(path: Path) -> Subject:
    body = _struct(path, "Antro")
    person = path.stem.removeprefix("Antro_").upper()
    return Subject(
        person,
        height_cm=float(body["Height"]) / 10,
        mass_kg=float(body["BodyMass"]),
        condition=CONDITIONS.get(person, ""),
    )


def _emg(path: Path, subject: Subject, session: str) -> Recording:
    held = {name: v for name, v in _struct(path, "sd_sig").items() if np.size(v)}
    channels = tuple(
        Channel(name, kind="semg", muscle=MUSCLES.get(name, ""), side="right", scale="count")
        for name in held
    )
    samples = np.array(list(held.values()), dtype=np.float32)
    event = Event(0.0, samples.shape[1] / EMG_FS_HZ, "gait", "protocol", session)
    layout = Layout(EMG_FS_HZ, channels)
    return Recording(samples, layout, events=(event,), subject=subject, session=session)


def _set(path: Path, subject: Subject, session: str) -> RecordingSet:
    emg, markers = _emg(path, subject, session), _struct(path, "traj")
    sides = {"left": "L", "right": "R"}
    channels = tuple(Channel(f"knee_{side}", kind="angle", side=side) for side in sides)
    angles = [
        180 - _angle_deg(markers[f"{s}ASI"], markers[f"{s}KNE"], markers[f"{s}ANK"])
        for s in sides.values()
    ]
    made = StepRecord.of("marker-angle", {"markers": ["ASI", "KNE", "ANK"]})
    knees = Recording(
        np.array(angles, dtype=np.float32),
        Layout(MARKER_FS_HZ, channels),
        subject=subject,
        session=session,
        recipe=Recipe((made,)),
    )
    return RecordingSet({EMG: emg, "knee": knees})


def _angle_deg(
    first: NDArray[Any], corner: NDArray[Any], last: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the angle at ``corner`` for every row of positions (n, 3)."""
    one, other = (np.asarray(end, dtype=float) - corner for end in (first, last))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = np.einsum("ij,ij->i", one, other) / lengths
    angle: NDArray[np.float64] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle
