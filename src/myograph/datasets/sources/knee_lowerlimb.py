"""Gait, sitting and standing, with and without knee abnormality: 4 muscles and the knee."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files, numbers

MOVEMENTS = ("gait", "sitting", "standing")
CHANNELS = (
    Channel("RF", kind="semg", muscle="rectus femoris"),
    Channel("BF", kind="semg", muscle="biceps femoris"),
    Channel("VM", kind="semg", muscle="vastus medialis"),
    Channel("ST", kind="semg", muscle="semitendinosus"),
    Channel("knee", kind="angle"),
)

CARD = DatasetCard(
    name="knee-lowerlimb",
    title="Lower-limb EMG and knee angle, 11 healthy and 11 abnormal knees (UCI 278)",
    sources=(
        Source(
            "LE0920E/EMG-dataset-in-Lower-limb",
            commit="834e750e41fa6d79773c62d7ae878f93ef52ee52",
            licence="none in the copy",
            keep=("gaits_data/*.csv", "*/gaits_data/*.csv"),
        ),
    ),
    citation="EMG dataset in lower limb. UCI Machine Learning Repository, dataset 278",
    citation_key="uci278",
    people="9 healthy and 9 with a knee abnormality in this copy",
    kinds=("semg", "angle"),
    fs_hz=(1000.0,),
    tasks="One recording of each movement; the event's label is the movement.",
    labels=MOVEMENTS,
    defects=(
        (
            "Healthy person 2 has the bytes of person 1 for sitting and standing: dropped, only "
            "the gait of person 2 remains."
        ),
    ),
    notes=(
        (
            "Healthy or abnormal, judged on people not seen before, is at chance here: a high "
            "figure means that something leaked."
        ),
    ),
    sha256="3807485441b33b9b3fdc2bf471f0ee78356813cab5ef37ed89ca79daa4091e40",
)

_MV_TO_UV = np.array([1e3, 1e3, 1e3, 1e3, 1.0], dtype=np.float32)


def read(files: Files) -> Contents:
    """Find the movement files; one recording each."""
    pattern = r"(?:^|/)(\d+)([AN])(gait|sitting|standing) - [^/]*\.csv$"
    found, dropped = files.distinct(files.find(pattern))
    entries = []
    for path, match in found:
        group = "healthy" if match[2] == "N" else "knee abnormality"
        subject = Subject(f"{match[2]}{int(match[1]):02d}", condition=group)
        load = partial(_recording, path, subject, match[3])
        entries.append(Entry(files.name(path), subject, load, digest=files.sha256(path)))
    return Contents(tuple(entries), tuple(dropped))


def _recording(path: Path, subject: Subject, movement: str) -> Recording:
    values = numbers(path, columns=5, header=True) * _MV_TO_UV
    layout = Layout(1000.0, CHANNELS)
    event = Event(0.0, len(values) / layout.fs_hz, movement, "protocol", "1")
    return Recording(values.T, layout, events=(event,), subject=subject)
