"""The Italian Sign Language alphabet: armband and motion sensor, 26 letters, one signer."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files
from myograph.datasets.sources.gesture import MYO_FS_HZ, gesture, numbered

SIGNER = Subject("signer")

CARD = DatasetCard(
    name="lis-emg-imu",
    title="Italian Sign Language alphabet: Myo EMG and motion, 26 letters, 30 times each",
    sources=(
        Source(
            "airtlab/An-EMG-and-IMU-Dataset-for-the-Italian-Sign-Language-Alphabet",
            commit="86d59a12bff8629201f5a7c9cd498ad93299ac9e",
            licence="research and educational purposes, with citation",
            keep=("Dataset/*.json",),
        ),
    ),
    citation=(
        "Pacifici I., Sernani P., Falcionelli N., Tomassini S., Dragoni A. F. (2020). A surface "
        "electromyography and inertial measurement unit dataset for the Italian Sign Language "
        "alphabet. Data in Brief 33, 106455. doi:10.1016/j.dib.2020.106455"
    ),
    citation_key="lis2020",
    people="not said who signs: treated as one person",
    kinds=("semg", "gyro", "acc", "orientation"),
    fs_hz=(200.0,),
    tasks=(
        "Each letter signed for 2 s; session = date, trial = how many of this letter so far on any "
        "date."
    ),
    labels=tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    defects=(
        (
            "The motion sensor of a Myo measures 50 times a second; its values are stored 200 "
            "times a second, so most repeat: kept as they are."
        ),
        "2 to 13 % of the EMG rows repeat the one before, where the radio link was late: kept.",
    ),
    notes=("With one signer, nothing can be said about other people.",),
    sha256="5fe9e55a7ecb9a36f4ccf2ec515132c1737bed00f4ebb105107e4014f0fc8b8b",
)

_MOTION = {
    "gyroscope": ("gyro", "xyz"),
    "acceleration": ("acc", "xyz"),
    "orientation": ("orientation", "xyzw"),
}


def read(files: Files) -> Contents:
    """Find the samples in the order of their time stamps; one recording each."""
    found, dropped = files.distinct(files.find(r"Dataset/([A-Z])/[^/]+\.json$"))
    stamped = sorted((_stamp(path), match[1], path) for path, match in found)
    count: Counter[str] = Counter()
    entries = []
    for stamp, letter, path in stamped:
        count[letter] += 1
        session = stamp.rpartition("T")[0]
        load = partial(_recording, path, session, letter, count[letter])
        entries.append(Entry(files.name(path), SIGNER, load, session, digest=files.sha256(path)))
    return Contents(tuple(entries), tuple(dropped))


def _stamp(path: Path) -> str:
    """Return the sample's date and time so that they sort; they stand at the head of the file."""
    with path.open("rb") as file:
        head = file.read(64).decode("ascii", errors="replace")
    try:
        day, month, year, clock = head.split('"')[3].split("/")
    except (IndexError, ValueError) as error:
        raise FormatError(f"{path}: a time stamp 'dd/mm/yy/hh:mm:ss' is expected first.") from error
    return f"20{year}-{month}-{day}T{clock}"


def _recording(path: Path, session: str, letter: str, trial: int) -> Recording:
    try:
        data = json.loads(path.read_bytes())
        emg = np.array(data["emg"]["data"], dtype=np.float32).T
        motion = [_axes(data["imu"]["data"], name) for name in _MOTION]
        rates = {data["emg"]["frequency"], data["imu"]["frequency"]}
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(
            f"{path}: emg and imu with equally long rows are expected; {error!r}"
        ) from error
    if rates != {MYO_FS_HZ}:
        raise FormatError(f"{path}: {MYO_FS_HZ:g} Hz is expected for both sensors; got {rates}.")
    channels = [
        Channel(f"{kind}_{axis}", kind=kind) for kind, axes in _MOTION.values() for axis in axes
    ]
    return gesture(
        np.concatenate([emg, *motion]),
        Layout(MYO_FS_HZ, (*numbered(8, scale="count"), *channels)),
        label=letter,
        trial=trial,
        subject=SIGNER,
        session=session,
    )


def _axes(rows: list[dict[str, Any]], name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array([row[name] for row in rows], dtype=np.float32).T
