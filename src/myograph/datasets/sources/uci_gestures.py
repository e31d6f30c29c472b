"""The UCI gesture recordings: a Myo armband, held samples undone, 36 people."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.recipe import Recipe, StepRecord
from myograph.core.recording import Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Files
from myograph.datasets.sources.gesture import MYO, MYO_FS_HZ, myo_layout

GESTURES = {
    1: "rest",
    2: "hand close",
    3: "wrist flexion",
    4: "wrist extension",
    5: "radial deviation",
    6: "ulnar deviation",
    7: "hand open",
}
#: The files hold 8-bit counts times this, called volts.
VOLTS_PER_COUNT = 1e-5

CARD = DatasetCard(
    name="uci-gestures",
    title="Myo armband, 6 or 7 gestures, 36 people, two series each (UCI 481)",
    sources=(
        Source(
            "chiuedison/emg-signal-classifier",
            commit="17d9b7fe6bb967ccd8f0748370fbf52e822d3ff8",
            licence="none in the copy",
            keep=("EMG_data_for_gestures-master/*", "*/EMG_data_for_gestures-master/*"),
        ),
    ),
    citation=(
        "Lobov S., Krilova N., Kastalskiy I., Kazantsev V., Makarov V. A. (2018). Latent factors "
        "limiting the performance of sEMG-interfaces. Sensors 18(4), 1122. doi:10.3390/s18041122"
    ),
    citation_key="lobov2018",
    people="36 people",
    kinds=("semg",),
    fs_hz=(200.0,),
    tasks=(
        "Each gesture held 3 s, twice in a series; session = series (1, 2), trial = repetition "
        "within the series. Unmarked time between the gestures carries no event."
    ),
    labels=tuple(GESTURES.values()),
    defects=(
        (
            "The rows are about 960 a second, but 89 % of them repeat the one before: the armband "
            "was polled. Only fresh samples are kept."
        ),
        (
            "Fresh samples come at about 105 a second and irregularly (gaps of 1 to 100 ms), so "
            "about half of what the armband sampled at 200 Hz never reached the file. They are put "
            "on a regular clock of 200 Hz by linear interpolation between fresh samples; nothing "
            "above about 50 Hz can be trusted."
        ),
        "The values are 8-bit counts times 0.00001 and called volts: they are counts again.",
    ),
    notes=("Frequency features of these recordings describe the radio link, not the muscle.",),
    sha256="f99f5d49ef07122de3394bf28340a7aa4addf285f04ba16f6c6e998b6d092bd1",
)


def read(files: Files) -> Contents:
    """Find the series; one recording each."""
    found, dropped = files.distinct(files.find(r"(?:^|/)(\d\d)/([12])_raw_data_[^/]*\.txt$"))
    entries = []
    for path, match in found:
        subject, digest = Subject(match[1]), files.sha256(path)
        load = partial(_recording, path, subject, match[2], digest)
        entries.append(Entry(files.name(path), subject, load, match[2], digest=digest))
    return Contents(tuple(entries), tuple(dropped))


def _recording(path: Path, subject: Subject, session: str, digest: str) -> Recording:
    rows, n_rows = fresh_rows(path)
    time_s = (rows[:, 0] - rows[0, 0]) / 1e3
    counts, is_new = np.rint(rows[:, 1:9] / VOLTS_PER_COUNT), np.ones(len(rows), dtype=bool)
    is_new[1:] = (np.diff(counts, axis=0) != 0).any(axis=1)
    clock_s = np.arange(0.0, time_s[-1], 1 / MYO_FS_HZ)
    samples = [np.interp(clock_s, time_s[is_new], channel[is_new]) for channel in counts.T]
    polled = {"rows": n_rows, "fresh": int(is_new.sum()), "seconds": round(float(time_s[-1]), 3)}
    steps = (
        StepRecord.of("fresh-samples", polled),
        StepRecord.of("regular-clock", {"fs_hz": MYO_FS_HZ, "between": "linear"}),
    )
    return Recording(
        np.array(samples, dtype=np.float32),
        myo_layout(),
        events=_events(time_s, rows[:, 9].astype(int), clock_s[-1] + 1 / MYO_FS_HZ),
        subject=subject,
        session=session,
        device=MYO,
        recipe=Recipe(steps, source=digest),
    )


def fresh_rows(path: Path) -> tuple[NDArray[np.float64], int]:
    """Return the rows that differ from the one before in more than time, and the count of all.

    Compared as bytes: most rows repeat, and need never become numbers. The last row is always
    returned: it says how long the recording is.
    """
    header, *lines = path.read_bytes().splitlines()
    if not header.startswith(b"time"):
        raise FormatError(f"{path}: a first line 'time channel1 ... class' is expected.")
    lines = [line for line in lines if line.strip()]
    kept, before = [], b""
    for line in lines:
        content = line.partition(b"\t")[2]
        if content != before:
            kept.append(line)
            before = content
    if not lines or kept[-1] is not lines[-1]:
        kept += lines[-1:]
    try:
        rows = np.array([line.split() for line in kept], dtype=np.float64).reshape(-1, 10)
    except ValueError as error:
        raise FormatError(f"{path}: 10 numbers a row are expected; {error}") from error
    if len(rows) < 2 or (np.diff(rows[:, 0]) <= 0).any():
        raise FormatError(
            f"{path}: times must increase from row to row, and at least two be there."
        )
    return rows, len(lines)


def _events(
    time_s: NDArray[np.float64], marks: NDArray[np.int_], end_s: float
) -> tuple[Event, ...]:
    starts = np.flatnonzero(np.diff(marks, prepend=marks[0] - 1))
    stops = np.append(starts[1:], len(marks) - 1)
    seen: dict[int, int] = {}
    events = []
    for start, stop in zip(starts, stops, strict=True):
        mark = int(marks[start])
        onset_s, until_s = time_s[start], min(time_s[stop], end_s)
        if mark not in GESTURES or until_s <= onset_s:
            continue
        seen[mark] = seen.get(mark, 0) + 1
        length_s = float(until_s - onset_s)
        events.append(Event(float(onset_s), length_s, GESTURES[mark], "protocol", str(seen[mark])))
    return tuple(events)
