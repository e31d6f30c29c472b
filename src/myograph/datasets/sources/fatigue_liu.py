"""Repeated contractions to exhaustion, with a Borg rating for each: 3 channels of a BITalino."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe, StepRecord
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.datasets.card import DatasetCard, Source
from myograph.datasets.dataset import Contents, Entry
from myograph.datasets.files import Dropped, Files, numbers
from myograph.datasets.table import Table, read_table

FS_HZ = 1000.0
#: The BITalino's EMG sensor: supply in volts, gain, converter bits.
_SUPPLY_V, _GAIN, _BITS = 3.3, 1009.0, 10
#: The PC's clock comes in bursts up to 0.4 s late; a longer silence is lost samples.
_LOST_S = 1.0

CARD = DatasetCard(
    name="fatigue-liu",
    title="Contractions to exhaustion, 3 surface channels, Borg rating of every repetition",
    sources=(
        Source(
            "LiuYu175/Quantitative-Assessment-of-Muscle-Fatigue-Based-on-Improved-Gramian-"
            "Angular-Difference-Field",
            commit="85acd7e13732b5858654f5089fb3ceee45515780",
            licence="Apache-2.0",
            keep=("dataset/raw_2.5/*.csv", "LICENSE"),
        ),
    ),
    citation=(
        "Liu Y. et al. Quantitative assessment of muscle fatigue based on improved Gramian angular "
        "difference field. IEEE Sensors Journal; the source asks to write to its author for the "
        "citation"
    ),
    citation_key="liu2023gadf",
    people="one per recording; not described",
    kinds=("semg",),
    fs_hz=(FS_HZ,),
    tasks=(
        "One event for each repetition, from its click to the next: label = Borg rating 0 to 9, "
        "trial = number. Events 'active' of source 'annotation' are the part the authors used. The "
        "last click ends the last repetition."
    ),
    labels=tuple(str(i) for i in range(10)),
    defects=(
        (
            "Recording 09 lost 8.56 s of samples at 93.2 s (one jump of its clock; 999.6 Hz on "
            "both sides of it, so it was not sampled at 946 Hz): a gap event, zeros below it."
        ),
        "Time stamps are the PC's and come in bursts: the sample counter is the clock.",
        "The fourth input, RE, is not described and not connected in some recordings: left out.",
        "Some recordings reach the converter's limits 0 and 1023: kept as they are.",
        "Clicks with a missing rating are left out; clicks without a recording are dropped.",
    ),
    notes=(
        "Microvolts by the sensor's published transfer function (3.3 V, gain 1009, 10 bits).",
        "Borg ratings rise with time by design: compare every figure with time alone.",
    ),
    sha256="3648f5b00ff5751bad9ae66112257f677e401aeb5185b59bbfc23939efdfde39",
)


def read(files: Files) -> Contents:
    """Find the raw recordings and the clicks that belong to them."""
    found, dropped = files.distinct(files.find(r"(?:^|/)(\d\d)\.csv$"))
    clicks = {match[1]: path for path, match in files.find(r"(?:^|/)(\d\d)_click\.csv$")}
    entries = []
    for path, match in found:
        subject = Subject(match[1])
        load = partial(_recording, path, clicks.pop(match[1], None), subject)
        entries.append(Entry(files.name(path), subject, load, digest=files.sha256(path)))
    lone = [Dropped(files.name(path), "no recording belongs to it") for path in clicks.values()]
    return Contents(tuple(entries), (*dropped, *lone))


@dataclass(frozen=True)
class _Clock:
    """Times of the PC to samples since the beginning, lost ones included."""

    stamps_s: NDArray[np.float64]
    lost_after: NDArray[np.int_]  # rows after which samples are missing
    lost: NDArray[np.int_]  # how many

    @classmethod
    def of(cls, stamps_s: NDArray[np.float64]) -> _Clock:
        step_s = np.diff(stamps_s)
        after = np.flatnonzero(step_s > _LOST_S)
        return cls(stamps_s, after, np.rint(step_s[after] * FS_HZ).astype(int))

    def seconds(self, stamp_s: float) -> float:
        """Return where in the recording the PC's clock showed ``stamp_s``."""
        row = int(np.searchsorted(self.stamps_s, stamp_s))
        before = self.lost[self.lost_after < row].sum()
        return float((row + before) / FS_HZ)


def _recording(path: Path, clicks: Path | None, subject: Subject) -> Recording:
    stamps_s = _stamps(path)
    clock = _Clock.of(stamps_s)
    counts = numbers(path, columns=5, header=True)[:, 1:4].T
    microvolts = (counts / 2**_BITS - 0.5) * _SUPPLY_V / _GAIN * 1e6
    samples = np.insert(microvolts, np.repeat(clock.lost_after + 1, clock.lost), 0.0, axis=1)
    gaps = _gaps(clock)
    events = [*gaps, *(_repetitions(read_table(clicks), clock) if clicks else ())]
    channels = tuple(Channel(name, kind="semg") for name in ("A1", "A2", "A3"))
    sensor = {"supply_v": _SUPPLY_V, "gain": _GAIN, "bits": _BITS}
    steps = [StepRecord.of("microvolts", sensor)]
    if gaps:
        steps.append(StepRecord.of("declare-gaps", {"samples": clock.lost.tolist()}))
    return Recording(
        samples.astype(np.float32),
        Layout(FS_HZ, channels),
        events=tuple(events),
        subject=subject,
        device="BITalino",
        recipe=Recipe(tuple(steps)),
    )


def _stamps(path: Path) -> NDArray[np.float64]:
    """Read the first column in double precision: seconds of the day with microseconds."""
    import pandas as pd

    stamps: NDArray[np.float64] = pd.read_csv(path, usecols=[0]).to_numpy(dtype=float).ravel()
    if (np.diff(stamps) < 0).any():
        raise DataError(f"{path}: the clock runs backwards.")
    return stamps


def _gaps(clock: _Clock) -> list[Event]:
    gaps, before = [], 0
    for row, lost in zip(clock.lost_after, clock.lost, strict=True):
        gaps.append(Event((int(row) + 1 + before) / FS_HZ, int(lost) / FS_HZ, GAP, "reader"))
        before += int(lost)
    return gaps


def _repetitions(clicks: Table, clock: _Clock) -> list[Event]:
    starts = [clock.seconds(stamp) for stamp in clicks["Time"]]
    events = []
    for i, (onset_s, until_s) in enumerate(itertools.pairwise(starts)):
        borg, trial = clicks["Borg"][i], clicks["Times"][i]
        if not np.isfinite([borg, trial]).all():
            continue
        number = str(int(trial))
        events.append(Event(onset_s, until_s - onset_s, str(int(borg)), "protocol", number))
        first_ms, last_ms = clicks["L"][i], clicks["R"][i]
        if np.isfinite([first_ms, last_ms]).all() and onset_s + last_ms / 1e3 <= until_s:
            length_s = (last_ms - first_ms) / 1e3
            events.append(Event(onset_s + first_ms / 1e3, length_s, "active", "annotation", number))
    return events
