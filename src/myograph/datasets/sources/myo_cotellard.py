"""The Myo armband recordings of Côté-Allard and others: 7 gestures, 4 cycles, 19 people."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

import numpy as np

from myograph.core.errors import FormatError
from myograph.core.recording import Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files
from myograph.datasets.sources.gesture import gesture, myo_layout

GESTURES = (
    "rest",
    "radial deviation",
    "wrist flexion",
    "ulnar deviation",
    "wrist extension",
    "hand close",
    "hand open",
)

CARD = DatasetCard(
    name="myo-cotellard",
    title="Myo armband, 7 gestures of the hand and wrist, 19 people",
    sources=(
        Source(
            "UlysseCoteAllard/MyoArmbandDataset",
            commit="4de3efef85356fbf565d96a150f386d99165cfee",
            licence="GPL-3.0",
            keep=("PreTrainingDataset/*/training0/*.dat", "*/experiment.csv", "LICENSE"),
        ),
    ),
    citation=(
        "Côté-Allard U. et al. (2019). Deep learning for electromyographic hand gesture signal "
        "classification using transfer learning. IEEE Transactions on Neural Systems and "
        "Rehabilitation Engineering 27(4), 760-771. doi:10.1109/TNSRE.2019.2896269"
    ),
    citation_key="cotealllard2019",
    people="19 able-bodied people (the pre-training part; the evaluation part is not included)",
    kinds=("semg",),
    fs_hz=(200.0,),
    tasks="Each gesture held about 5 s, in 4 cycles; trial = cycle, one session.",
    labels=GESTURES,
    defects=("About 0.1 % of the samples clip at the 8-bit limits: kept as they are.",),
    notes=("The files begin and end within the held gesture: there are no transitions.",),
    sha256="4f48ff846b6c45be202747e055abfac033b75d34fdf682069eb38a7f741cfa35",
)


def read(files: Files) -> Contents:
    """Find the gesture files; one recording each."""
    found, dropped = files.distinct(files.find(r"(?:^|/)(\w+)/training0/classe_(\d+)\.dat$"))
    people = {
        match[1]: _subject(match[1], path) for path, match in files.find(r"(\w+)/experiment\.csv$")
    }
    entries = []
    for path, match in found:
        person, number = match[1], int(match[2])
        subject = people.get(person) or Subject(person)
        load = partial(_recording, path, subject, number)
        entries.append(
            Entry(files.name(path), subject, load, "training0", digest=files.sha256(path))
        )
    return Contents(tuple(entries), tuple(dropped))


def _recording(path: Path, subject: Subject, number: int) -> Recording:
    values = np.fromfile(path, dtype="<i2")
    if not values.size or values.size % 8:
        raise FormatError(
            f"{path}: 8 interleaved channels are expected; {values.size} values do not divide by 8."
        )
    cycle, label = divmod(number, len(GESTURES))
    return gesture(
        values.reshape(-1, 8).T,
        myo_layout(),
        label=GESTURES[label],
        trial=cycle + 1,
        subject=subject,
        session="training0",
    )


def _subject(person: str, path: Path) -> Subject:
    """Read sex and age; the value stands in whichever column the experimenter used."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = {row[0]: next(filter(None, row[1:]), "") for row in csv.reader(file) if row}
    sex = {"F": "female", "M": "male"}.get(rows.get("Sex", ""), "")
    age = rows.get("Age", "")
    return Subject(person, age_years=float(age) if age else None, sex=sex)
