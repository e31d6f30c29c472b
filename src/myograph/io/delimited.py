"""Text tables (CSV, TSV, TXT): a row a moment, a column a channel, comments above.

Myograph's own files begin with a comment that carries the whole header. In other files the names
of the columns may tell units (``EMG [mV]``), the time (``time_s``) and the class shown
(``label``); what they do not tell is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io.formats import FORMATS, METADATA, Format
from myograph.io.header import Header, headers_from_text, headers_to_text
from myograph.io.hints import Hints
from myograph.io.text_table import LABEL_NAMES, TRIAL_NAMES, Table, looks_like_table, parse_table
from myograph.io.track import Fetch, Signal, Track, rate_of, unique_names
from myograph.io.units import canonical_unit

__all__ = ["TEXT"]

_OWN = "myograph "
_TIME_NAMES = frozenset({"time", "t", "timestamp", "timestamps", "seconds", "sec"})
_TIME_UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_NAME_AND_UNIT = (
    re.compile(r"(?P<name>.*?)\s*\[(?P<unit>[^\]]*)\]"),
    re.compile(r"(?P<name>.*?)\s*\((?P<unit>[^)]*)\)"),
    re.compile(r"(?P<name>.+)_(?P<unit>[^\W\d_]+)"),
)
_RATE = re.compile(
    r"sampl\w*[ _-]*(?:rate|freq\w*)[^\d:=]*[:=]\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<kilo>k?)hz?\b",
    re.IGNORECASE,
)
_CLOCK_NOISE_S = 1e-9
_LARGEST_JITTER = 0.5  # of a sample: beyond, neighbours may have changed places


def _sniff(head: bytes, path: Path) -> bool:
    del path
    return looks_like_table(head)


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    table = parse_table(path.read_bytes(), path=path)
    own = next((text for text in table.comments if text.startswith(_OWN)), None)
    if own is not None:
        return (_own_track(table, own.removeprefix(_OWN), path),)
    if len(table.cells) == 1 and table.cells.shape[1] > 1 and not any(table.names):
        return (_run_on(table, hints, path),)
    return (_foreign_track(table, hints, path),)


def _columns(cells: NDArray[Any], columns: list[int]) -> Fetch:
    return lambda rows, first, last: cells[first:last, [columns[row] for row in rows]].T


def _own_track(table: Table, text: str, path: Path) -> Track:
    headers = headers_from_text(text, where=f"{path}, line 1")
    (name, header), *rest = headers.items()
    shape = (len(table.cells), table.cells.shape[1] - 1)  # the first column is time
    if rest or name or shape != (header.n_samples, header.layout.n_channels):
        raise FormatError(
            f"{path}: its first line describes {header.n_samples} rows of "
            f"{header.layout.n_channels} channels, the table has {shape[0]} of {shape[1]}; it was "
            "edited. Remove the first line to read it as a plain table."
        )
    return Track.of(header, _columns(table.cells, list(range(1, shape[1] + 1))), path=path)


def _run_on(table: Table, hints: Hints, path: Path) -> Track:
    """Describe a file of one line: one channel, its samples one after the other."""
    fs_hz = rate_of(hints, _stated_rate(table), path=path)
    fetch = _columns(table.cells.T, [0])
    signal = Signal("channel1", text=" ".join(table.comments))
    return Track(path, fs_hz, table.cells.size, (signal,), fetch)


def _foreign_track(table: Table, hints: Hints, path: Path) -> Track:
    parted = [_name_and_unit(name) for name in table.names]
    roles = [name.lower() for name, _ in parted]
    times = next((i for i, role in enumerate(roles) if role in _TIME_NAMES), None)
    labels = next((i for i, role in enumerate(roles) if role in LABEL_NAMES), None)
    trials = next((i for i, role in enumerate(roles) if role in TRIAL_NAMES), None)
    special = {times, labels, trials}
    columns = [i for i in range(len(parted)) if i not in special]
    if not columns:
        raise DataError(f"{path}: no column is a channel; the table has {list(table.names)}.")
    start_s, stated_hz = 0.0, _stated_rate(table)
    if times is not None:
        unit = parted[times][1] or table.units[times]
        unit = "s" if roles[times] in ("seconds", "sec") else unit
        start_s, found_hz = _clock(table.cells[:, times], unit.strip("[]()"), hints, path)
        stated_hz = found_hz or stated_hz
    fs_hz = rate_of(hints, stated_hz, path=path)
    names = unique_names([parted[i][0] or f"channel{n}" for n, i in enumerate(columns, start=1)])
    signals = tuple(
        Signal(
            name,
            parted[i][1] or table.units[i].strip("[]()"),
            text=" ".join(table.comments),
        )
        for name, i in zip(names, columns, strict=True)
    )
    events: tuple[Event, ...] = ()
    if labels is not None:
        events = tuple(_runs(table, labels, trials, fs_hz, start_s))
    fetch = _columns(table.cells, columns)
    n_samples = len(table.cells)
    return Track(path, fs_hz, n_samples, signals, fetch, events=events, start_s=start_s)


def _name_and_unit(words: str) -> tuple[str, str]:
    """Part a column's name from its unit.

    Examples
    --------
    >>> _name_and_unit("EMG [mV]"), _name_and_unit("force_N"), _name_and_unit("channel_a")
    (('EMG', 'mV'), ('force', 'N'), ('channel_a', ''))
    """
    for pattern in _NAME_AND_UNIT:
        match = pattern.fullmatch(words)
        if match and (canonical_unit(match["unit"]) or match["unit"] in _TIME_UNITS):
            return match["name"], match["unit"]
    return words, ""


def _stated_rate(table: Table) -> float | None:
    for line in table.comments:
        match = _RATE.search(line)
        if match:
            return float(match["value"]) * (1000 if match["kilo"] else 1)
    return None


def _clock(
    times: NDArray[np.float64], unit: str, hints: Hints, path: Path
) -> tuple[float, float | None]:
    """Return the first moment and the rate told by a column of times.

    The rate is None when the unit is not known; the moment is then 0.
    """
    factor = _TIME_UNITS.get(unit)
    if factor is None:
        return 0.0, None
    if hints.fs_hz is not None:
        return float(times[0]) * factor, None
    if len(times) < 2 or not np.isfinite(times).all() or times[-1] <= times[0]:
        raise DataError(
            f"{path}: the column of times does not rise, so it tells no rate; state it with the "
            "option fs_hz=."
        )
    seconds = times * factor
    rate_hz = _rounded((len(times) - 1) / (seconds[-1] - seconds[0]), seconds)
    drift = np.abs((seconds - seconds[0]) * rate_hz - np.arange(len(times)))
    if drift.max() > _LARGEST_JITTER:
        row = int(np.argmax(drift > _LARGEST_JITTER))
        raise DataError(
            f"{path}: the times are not evenly spaced (row {row + 1} of the table is "
            f"{drift[row]:.2f} samples away from its place at {rate_hz:g} Hz); state the true rate "
            "with the option fs_hz= if the times are unreliable, or resample the file."
        )
    return float(seconds[0]), rate_hz


def _rounded(rate_hz: float, seconds: NDArray[np.float64]) -> float:
    """Return the simplest rate that the times, printed with few digits, cannot tell apart."""
    steps, since_s = np.arange(len(seconds)), seconds - seconds[0]

    def error_s(fs_hz: float) -> float:
        return float(np.abs(since_s - steps / fs_hz).max())

    allowed_s = error_s(rate_hz) + _CLOCK_NOISE_S
    simpler = (round(float(rate_hz), digits) for digits in range(7))
    return next((fs_hz for fs_hz in simpler if fs_hz and error_s(fs_hz) <= allowed_s), rate_hz)


def _runs(
    table: Table, labels: int, trials: int | None, fs_hz: float, start_s: float
) -> Iterator[Event]:
    """Yield an event for each run of rows with one label (and one repetition)."""
    names = np.array(table.words[labels])
    trial = np.array(table.words[trials]) if trials is not None else np.full(len(names), "")
    changes = np.flatnonzero((names[1:] != names[:-1]) | (trial[1:] != trial[:-1])) + 1
    edges = [0, *changes.tolist(), len(names)]
    for begin, end in pairwise(edges):
        if names[begin]:
            yield Event(
                start_s + begin / fs_hz,
                (end - begin) / fs_hz,
                str(names[begin]),
                trial=str(trial[begin]),
            )


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    if isinstance(recording, RecordingSet):
        raise DataError(
            f"A table of text has one rate, and this set has {len(recording)} recordings "
            f"({list(recording)}); write one of them, or choose .myo.h5, .edf, .mat or .npz."
        )
    import pandas as pd

    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    layout = recording.layout
    times = recording.start_s + np.arange(recording.n_samples) / recording.fs_hz
    names = [f"{c.name} [{c.unit}]".replace(delimiter, " ") for c in layout.channels]
    frame = pd.DataFrame(recording.samples.T, columns=names, copy=False)
    frame.insert(0, "time_s", np.round(times, 9))
    text = headers_to_text({"": Header.of(recording, exact=True)})
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"# {_OWN}{text}\n")
        frame.to_csv(file, sep=delimiter, index=False, lineterminator="\n")


#: Exact: float32 is printed with as many digits as it needs.
TEXT = FORMATS.add(
    "text",
    Format(
        "text",
        "CSV/TSV/TXT",
        (".csv", ".tsv", ".txt"),
        _sniff,
        _open,
        _save,
        options=frozenset({"fs_hz"}),
        holds=METADATA - {"sets"},
        rank=9,
    ),
)
