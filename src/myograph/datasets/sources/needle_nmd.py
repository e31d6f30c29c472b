"""Needle EMG of healthy people and people with myopathy or neuropathy, biceps and deltoid."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Dropped, Files
from myograph.datasets.table import read_table

FS_HZ = 32768.0
#: All recordings are cut to this: length leaks the class.
N_SAMPLES = 163840
UV_PER_LSB = 0.78125
CONDITIONS = {"Hea": "healthy", "Myo": "myopathy", "Neu": "neuropathy"}
_MUSCLES = {"D": "deltoid", "B": "biceps brachii"}
_SIDES = {"R": "right", "L": "left"}

CARD = DatasetCard(
    name="needle-nmd",
    title="Needle EMG, healthy, myopathy, neuropathy; biceps and deltoid, 5 s at 32768 Hz",
    sources=(
        Source(
            "massimocoppotelli/EMG-Based_Neuropathy_Diagnosis",
            commit="88b3eec4b46a58bee28ebd144309abed065126ec",
            licence="none stated in the copy",
            keep=("*.asc",),
        ),
    ),
    citation=(
        "Messekher A., Mekaooui S., Kedir-Talha M., Kediha M. I., Mostefaoui F. (2023). "
        "Electromyographic data recordings during isometric contractions of the biceps brachii and "
        "deltoid collected from patients and healthy subjects. Mendeley Data, "
        "doi:10.17632/543xpjycj9.1"
    ),
    citation_key="nmd2023",
    people="397 recordings; healthy people have 4 each, patients mostly 1",
    kinds=("needle",),
    fs_hz=(FS_HZ,),
    tasks="One isometric contraction of 5 s; label = the person's condition, trial = the number.",
    labels=tuple(CONDITIONS.values()),
    defects=(
        (
            "Slow drift below 16 Hz differs by class, probably by another high-pass setting: its "
            "power alone separates healthy from neuropathy (AUC 0.97). Samples are as recorded: "
            "band-pass 100 Hz to 5 kHz before any diagnostic figure, and print the probes."
        ),
        "Mains hum alone gives a balanced accuracy of 0.47 (chance 0.33).",
        "Length differs by class: every recording is cut to 163840 samples.",
        "Recording 351 has one clipped sample: kept.",
    ),
    notes=(
        "Healthy people have more recordings than patients: weigh by person, and split by person.",
    ),
    sha256="dfb3128f5750d3c0a52d0eb2fecd054753fc25045661658e49099e1bff9d8697",
)

_NAME = r"EMG _(\d+) _(\d+)_ ([RL])([DB])_(Hea|Myo|Neu)\.asc$"


def read(files: Files) -> Contents:
    """Find the recordings, in the mirror's array file or in the source's text files."""
    if files.any(r"dev\.npz$"):
        return _from_arrays(files)
    found, dropped = files.distinct(files.find(_NAME))
    entries = []
    for path, match in found:
        number, patient, side, muscle, group = match.groups()
        subject = _person(group, patient)
        load = partial(_from_text, path, number, side + muscle, subject)
        entries.append(Entry(files.name(path), subject, load, digest=files.sha256(path)))
    return Contents(tuple(entries), tuple(dropped))


def _from_arrays(files: Files) -> Contents:
    ((path, _), *_) = files.find(r"dev\.npz$")
    digest = files.sha256(path)
    table = read_table(files.find(r"dev_labels\.csv$")[0][0], text=("key", "cls", "side", "muscle"))
    entries = []
    for key in table["key"]:
        group, number, patient, place = str(key).split("_")
        subject = _person(group, patient)
        load = partial(_from_npz, path, str(key), number, place, subject)
        entries.append(Entry(str(key), subject, load, digest=f"{digest} {key}"))
    originals = [path for path, _ in files.find(_NAME)] if files.any(_NAME) else []
    dropped = [
        Dropped(files.name(path), "the same recording as in dev.npz, before rounding")
        for path in originals
    ]
    return Contents(tuple(entries), tuple(dropped), {"labels": table})


def _person(group: str, patient: str) -> Subject:
    return Subject(f"{group}{int(patient):02d}", condition=CONDITIONS[group])


def _from_npz(path: Path, key: str, number: str, place: str, subject: Subject) -> Recording:
    with np.load(path, allow_pickle=False) as held:
        if key not in held:
            raise FormatError(f"{path} has no recording {key!r}, which its labels name.")
        microvolts = held[key] * np.float32(UV_PER_LSB)
    return _recording(microvolts, number, place, subject)


def _from_text(path: Path, number: str, place: str, subject: Subject) -> Recording:
    try:
        microvolts = np.array(path.read_bytes().split(), dtype=np.float32)
    except ValueError as error:
        raise FormatError(f"{path}: numbers between spaces are expected; {error}") from error
    return _recording(microvolts, number, place, subject)


def _recording(
    microvolts: NDArray[np.float32], number: str, place: str, subject: Subject
) -> Recording:
    if len(microvolts) < N_SAMPLES:
        raise FormatError(
            f"Recording {number} has {len(microvolts)} samples; at least {N_SAMPLES} are expected."
        )
    side, muscle = place[0], place[1]
    channel = Channel("needle", kind="needle", muscle=_MUSCLES[muscle], side=_SIDES[side])
    event = Event(0.0, N_SAMPLES / FS_HZ, subject.condition, "protocol", number)
    samples = microvolts[np.newaxis, :N_SAMPLES]
    return Recording(samples, Layout(FS_HZ, (channel,)), events=(event,), subject=subject)
