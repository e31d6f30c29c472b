"""The 30-day armband recordings: 22 motions on 9 days, for what a new day does to a classifier."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from myograph.core.layout import Layout
from myograph.core.recording import Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files, numbers
from myograph.datasets.sources.gesture import MYO_FS_HZ, gesture, numbered
from myograph.datasets.table import Table

BASIC = (
    "rest",
    "wrist flexion",
    "wrist extension",
    "radial deviation",
    "ulnar deviation",
    "pronation",
    "supination",
    "hand close",
)
# The other fourteen are two at once, in the order of the source's own labels.
_WRIST = BASIC[1:5]
MOTIONS = (
    *BASIC,
    *(f"{wrist} + pronation" for wrist in _WRIST),
    *(f"{wrist} + supination" for wrist in _WRIST),
    *(f"{motion} + hand close" for motion in (*_WRIST, "pronation", "supination")),
)
#: Where the band was put on each of the 30 days: neutral, turned inwards, turned outwards.
PLACEMENT = "NIONIIOONNONNOOIIINOOIOIINNINO"

CARD = DatasetCard(
    name="longterm-myo-30day",
    title="Myo armband over 30 days, 22 motions, placement changed from day to day",
    sources=(
        Source(
            "Suguru55/Wearable_Sensor_Long-term_sEMG_Dataset",
            commit="005b70cb0fd54f186e4fa17bcf66dcaf32937aa5",
            licence="Apache-2.0",
            keep=("data/sub*/day*/*.csv", "LICENSE"),
        ),
    ),
    citation=(
        "Are armband sEMG devices dense enough for long-term use? Sensor placement shifts cause "
        "significant reduction in recognition accuracy. Biomedical Signal Processing and Control "
        "(2020), article S1746809420301373"
    ),
    people="5 able-bodied people, 30 days each",
    kinds=("semg",),
    fs_hz=(200.0,),
    tasks=(
        "Each motion held, 1.5 s kept; session = day ('day-01', ...), trial 1 to 4. The first 8 "
        "motions are basic, the other 14 are two at once. Table 'placement' says how the band was "
        "put on each day: neutral, inner, outer."
    ),
    labels=MOTIONS,
    defects=(
        (
            "The values are the 8-bit counts divided by an unstated constant, and filtered: some "
            "pass 1. They are held as normalised, not as counts."
        ),
    ),
    sha256="f5300995e1a06e2330d94ae5afddf4121434624ec92da98d576b9d18fa90f6c3",
)

_NAMES = {"N": "neutral", "I": "inner", "O": "outer"}


def read(files: Files) -> Contents:
    """Find the motion files; one recording each."""
    found, dropped = files.distinct(files.find(r"(sub\d+)/day\d+/D(\d+)M(\d+)T(\d+)\.csv$"))
    entries = []
    for path, match in found:
        subject, day = Subject(match[1]), int(match[2])
        load = partial(_recording, path, subject, day, int(match[3]), int(match[4]))
        digest = files.sha256(path)
        entries.append(Entry(files.name(path), subject, load, f"day-{day:02d}", digest=digest))
    return Contents(tuple(entries), tuple(dropped), {"placement": _placement()})


def _placement() -> Table:
    names = [_NAMES[letter] for letter in PLACEMENT]
    days = [f"day-{i + 1:02d}" for i in range(len(names))]
    return Table({"session": np.array(days), "placement": np.array(names)})


def _recording(path: Path, subject: Subject, day: int, motion: int, trial: int) -> Recording:
    return gesture(
        numbers(path, columns=8).T,
        Layout(MYO_FS_HZ, numbered(8, scale="normalised")),
        label=MOTIONS[motion - 1],
        trial=trial,
        subject=subject,
        session=f"day-{day:02d}",
    )
