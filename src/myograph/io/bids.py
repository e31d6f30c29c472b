"""BIDS with datatype ``emg`` (BIDS 1.11, once BEP 042), read: a recording and its tables.

What the tables say (kinds, muscles, positions, events, the person) wins over what the EDF or BDF
says, as curators edit the tables. Written by `myograph.io.bids_write.write_bids`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.core.layout import KIND_UNITS, SIDES, Channel
from myograph.core.recording import Event, Subject
from myograph.io.bids_files import (
    DESCRIPTION,
    TYPES,
    data_name,
    entities_of,
    inherited,
    label_of,
    read_json,
    read_table,
    root_of,
)
from myograph.io.edf import BDF, EDF
from myograph.io.edf_write import labels_for
from myograph.io.formats import FORMATS, HEAD_BYTES, Format
from myograph.io.hints import Hints
from myograph.io.track import Signal, Track

__all__: list[str] = []

# What is certain about a channel of this type; "EMG" may be of any electrode.
_KINDS = {"EMG": "semg", "EEG": "eeg", "ECG": "ecg", "TRIG": "trigger", "ACCEL": "acc"}
_KINDS |= {"GYRO": "gyro"}

_MM = {"m": 1000.0, "cm": 10.0, "mm": 1.0}
_SEX = {"m": "male", "f": "female"}
_HAND = {"l": "left", "r": "right", "a": "both"}

Row = Mapping[str, str]


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    if not path.is_dir():
        return _tracks(path, hints)
    found = sorted(p for p in path.glob("sub-*/**/emg/*") if data_name(p))
    occasions = {frozenset((entities_of(p.name) | {"acq": ""}).items()) for p in found}
    if len(occasions) != 1:
        shown = [str(p.relative_to(path)) for p in found[:5]]
        raise DataError(
            f"{path} holds {len(found)} recordings of EMG {shown}{'...' * (len(found) > 5)}; "
            "give the path of one of them."
            if found
            else f"{path} holds no recording named sub-*/**/emg/sub-*_emg.bdf (or .edf)."
        )
    if len(found) == 1:
        return _tracks(found[0], hints)
    return tuple(
        replace(track, name=" ".join(filter(None, (entities_of(p.name).get("acq"), track.name))))
        for p in found
        for track in _tracks(p, hints)
    )


def _tracks(path: Path, hints: Hints) -> tuple[Track, ...]:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    inner = next((entry for entry in (BDF, EDF) if entry.sniff(head, path)), None)
    if inner is None:
        raise FormatError(f"{path} is neither EDF nor BDF; it begins with {head[:8]!r}.")
    tracks = inner.open(path, hints)
    events = inherited(path, "events.tsv")
    return tuple(
        replace(
            track,
            signals=_signals(path, track),
            events=tuple(_events(events[-1], track)) if events else track.events,
            subject=_subject(path, track.subject),
            session=_same(track.session, entities_of(path.name).get("ses", "")),
        )
        for track in tracks
    )


# --- channels ------------------------------------------------------------------------------------


def _signals(path: Path, track: Track) -> tuple[Signal | Channel, ...]:
    rows = _rows_for(path, track)
    places = _positions(path)
    return tuple(
        _described(signal, row, places, path)
        for signal, row in zip(track.signals, rows, strict=True)
    )


def _rows_for(path: Path, track: Track) -> Sequence[Row]:
    tables = inherited(path, "channels.tsv")
    rows = read_table(tables[-1]) if tables else []
    if any("name" not in row for row in rows):
        raise FormatError(f"{tables[-1]} has no column name.")
    named = {row["name"]: row for row in rows}
    if len(named) != len(rows):
        raise FormatError(f"{tables[-1]} names a channel more than once.")
    # Our own names may be longer than the labels of the data file, which the table repeats.
    own = [signal for signal in track.signals if isinstance(signal, Channel)]
    names = [signal.name for signal in track.signals]
    labels = labels_for(own) if len(own) == len(names) else names
    return [
        named.get(label) or named.get(name) or {} for name, label in zip(names, labels, strict=True)
    ]


def _described(
    signal: Signal | Channel, row: Row, places: Mapping[str, Any], path: Path
) -> Signal | Channel:
    """Return the signal as the table describes it; what the table leaves open stays."""
    where = f"{path}, channel {signal.name!r}"
    kind = _kind(signal, row)
    side = row.get("side", "").lower() or signal.side
    for word, value, known in (("kind", kind, ("", *KIND_UNITS)), ("side", side, SIDES)):
        if value not in known:
            raise FormatError(f"{where}: {word} must be one of {list(known)}; got {value!r}.")
    muscle = row.get("target_muscle", "") or signal.muscle
    electrode = row.get("signal_electrode", "") or signal.name
    position = places.get(electrode, signal.position_mm)
    if isinstance(signal, Channel):
        return replace(signal, kind=kind, muscle=muscle, side=side, position_mm=position)
    unit = signal.unit or row.get("units", "")
    return replace(signal, unit=unit, kind=kind, muscle=muscle, side=side, position_mm=position)


def _kind(signal: Signal | Channel, row: Row) -> str:
    bids_type = row.get("type", "").upper()
    if row.get("kind"):
        return row["kind"]
    if not bids_type or TYPES.get(signal.kind, "MISC") == bids_type:
        return signal.kind  # the table knows no more than the file
    return _KINDS.get(bids_type, "" if isinstance(signal, Signal) else signal.kind)


def _positions(path: Path) -> dict[str, tuple[float, float, float]]:
    """Return the places of electrodes that were measured in a unit of length, in millimetres."""
    tables, systems = inherited(path, "electrodes.tsv"), inherited(path, "coordsystem.json")
    if not tables:
        return {}
    if not systems:
        raise FormatError(
            f"{tables[-1]}: positions without a coordsystem.json have no unit; BIDS requires one."
        )
    described = read_json(systems[-1])
    places = {}
    for row in read_table(tables[-1]):
        system = described.get(row.get("coordinate_system", ""), described)
        unit = system.get("EMGCoordinateUnits", system.get("EMGCoordinateSystemUnits"))
        axes = [row.get(axis, "") for axis in "xyz"]
        if unit in _MM and axes[0] and axes[1]:  # percent of a landmark's distance is no place
            numbers = [_number(axis or "0", f"{tables[-1]}, {row}") * _MM[unit] for axis in axes]
            places[row.get("name", "")] = (numbers[0], numbers[1], numbers[2])
    return places


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FormatError(f"{where}: {text!r} should be a number.") from error


# --- events and people ---------------------------------------------------------------------------


def _events(path: Path, track: Track) -> Iterator[Event]:
    """Yield the events of the table; those the file says exactly are taken from there."""
    known = {_key(e.onset_s - track.start_s, e.duration_s, e.label): e for e in track.events}
    for number, row in enumerate(read_table(path), start=2):
        where = f"{path}, line {number}"
        if not row.get("onset"):
            raise FormatError(f"{where}: an event needs an onset; got {row}.")
        onset_s = _number(row["onset"], where)
        duration_s = _number(row.get("duration") or "0", where)
        if not duration_s >= 0:
            raise FormatError(f"{where}: a duration must be 0 or more; got {duration_s:g}.")
        label = row.get("trial_type") or row.get("value") or "event"
        exact = known.get(_key(onset_s, duration_s, label))
        if exact and row.get("source", exact.source) == exact.source:
            yield exact
        else:
            source, trial = row.get("source") or "annotation", row.get("trial", "")
            yield Event(track.start_s + onset_s, duration_s, label, source, trial)


def _key(onset_s: float, duration_s: float, label: str) -> tuple[int, int, str]:
    return round(onset_s * 1e6), round(duration_s * 1e6), " ".join(label.split())


def _subject(path: Path, found: Subject | None) -> Subject | None:
    """Return the person of the file's name, with what participants.tsv says."""
    label = entities_of(path.name)["sub"]
    same = found if found and label_of(found.pseudonym) == label else None
    subject = same or Subject(label)
    root = root_of(path)
    table = root / "participants.tsv" if root else None
    if table is None or not table.is_file():
        return subject
    row = next((r for r in read_table(table) if r.get("participant_id") == f"sub-{label}"), {})
    where = f"{table}, sub-{label}"
    values: dict[str, Any] = {
        "age_years": row.get("age") and _number(row["age"], where),
        "height_cm": row.get("height") and _number(row["height"], where),
        "mass_kg": row.get("weight") and _number(row["weight"], where),
        "sex": _SEX.get(row.get("sex", "").lower()[:1]),
        "handedness": _HAND.get(row.get("handedness", "").lower()[:1]),
        "condition": row.get("condition") or row.get("group"),
    }
    try:
        return replace(subject, **{name: value for name, value in values.items() if value})
    except ParameterError as error:
        raise FormatError(f"{where}: {error}") from error


def _same(text: str, label: str) -> str:
    """Return the text if the label is its own, else the label."""
    return text if label_of(text) == label else label


def _sniff(head: bytes, path: Path) -> bool:
    return (path / DESCRIPTION).is_file() if not head else data_name(path)


FORMATS.add(
    "bids",
    Format("bids", "BIDS (emg)", (), sniff=_sniff, open=_open, relative_error=2e-7, rank=-1),
)
