"""The text header of WFDB records (PhysioNet), parsed strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from myograph.core.errors import DataError, FormatError
from myograph.io.wfdb_samples import STORAGE

__all__ = ["WfdbHeader", "WfdbSignal", "looks_like_header", "parse_header"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?"
_RECORD = re.compile(
    rf"(?P<name>\w[\w-]*)(?:/(?P<segments>\d+))?\s+(?P<signals>\d{{1,6}})"
    rf"(?:\s+(?P<rate>{_NUMBER})(?:/\S+)?(?:\s+(?P<samples>\d{{1,15}})(?P<start>(?:\s+\S+){{0,2}}))?)?"
)
_SIGNAL = re.compile(
    rf"(?P<file>\S+)\s+(?P<storage>\d+)(?:x(?P<per_frame>\d{{1,6}}))?(?::(?P<skew>\d+))?"
    rf"(?:\+(?P<offset>\d{{1,15}}))?"
    rf"(?:\s+(?P<gain>{_NUMBER})(?:\((?P<baseline>[-+]?\d+)\))?(?:/(?P<unit>\S+))?"
    rf"(?:\s+(?P<bits>\d+)(?:\s+(?P<zero>[-+]?\d+)(?:\s+(?P<initial>[-+]?\d+)"
    rf"(?:\s+(?P<checksum>[-+]?\d+)(?:\s+\d+(?:\s+(?P<words>.*))?)?)?)?)?)?)?"
)


@dataclass(frozen=True, slots=True)
class WfdbSignal:
    """One signal: where its samples are and what a step is worth.

    Parameters
    ----------
    file : str
        Name of the signal file, beside the header.
    storage : int
        WFDB's number of the way samples are stored.
    per_frame : int
        Samples in each frame.
    offset : int
        Bytes before the first frame of the file.
    gain : float
        Steps per unit; 0 when never calibrated.
    baseline : int
        Step that stands for zero.
    unit, words : str
        Unit and description.
    checksum : int, optional
        Sum of all samples in 16 bits.
    """

    file: str
    storage: int
    per_frame: int
    offset: int
    gain: float
    baseline: int
    unit: str
    words: str
    checksum: int | None


@dataclass(frozen=True, slots=True)
class WfdbHeader:
    """A record: frames per second, number of frames (None when not stated), signals, comments."""

    name: str
    fs_hz: float | None
    n_frames: int | None
    started_at: datetime | None
    signals: tuple[WfdbSignal, ...]
    comments: tuple[str, ...]


def looks_like_header(head: bytes) -> bool:
    """Say whether the first line that is no comment describes a record."""
    for raw in head.splitlines():
        line = raw.decode("latin-1").strip()
        if line and not line.startswith("#"):
            return _RECORD.fullmatch(line) is not None
    return False


def parse_header(text: str, *, path: Path) -> WfdbHeader:
    """Parse the text of a ``.hea`` file.

    Raises
    ------
    FormatError
        If a line breaks its rule.
    DataError
        If the record is of a kind that is not read here.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    comments = tuple(line[1:].strip() for line in lines if line.startswith("#"))
    content = [line for line in lines if not line.startswith("#")]
    record = _RECORD.fullmatch(content[0]) if content else None
    if record is None:
        raise FormatError(f"{path}: its first line does not describe a WFDB record.")
    if record["segments"]:
        raise DataError(
            f"{path} is a record of {record['segments']} segments; read the segments' own headers "
            "one by one."
        )
    n_signals = int(record["signals"])
    if n_signals < 1 or len(content) - 1 != n_signals:
        raise FormatError(
            f"{path}: the first line promises {n_signals} signals, "
            f"{len(content) - 1} are described."
        )
    signals = tuple(_signal(line, path) for line in content[1:])
    return WfdbHeader(
        record["name"],
        float(record["rate"]) if record["rate"] else None,
        int(record["samples"] or 0) or None,
        _started_at(record["start"] or ""),
        signals,
        comments,
    )


def _signal(line: str, path: Path) -> WfdbSignal:
    match = _SIGNAL.fullmatch(line)
    if match is None:
        raise FormatError(f"{path}: this line does not describe a signal: {line[:60]!r}.")
    storage = int(match["storage"])
    if storage not in STORAGE:
        raise DataError(
            f"{path}: samples stored in format {storage} are not read (known: {sorted(STORAGE)})."
        )
    if int(match["skew"] or 0):
        raise DataError(f"{path}: signals shifted in time against each other (skew) are not read.")
    if re.fullmatch(r"[\w][\w.-]*", match["file"]) is None:
        raise FormatError(
            f"{path}: a signal file must be named plainly and lie beside the header; "
            f"got {match['file']!r}."
        )
    per_frame = int(match["per_frame"] or 1)
    if per_frame < 1:
        raise FormatError(f"{path}: a frame needs at least 1 sample of each signal; got 0.")
    zero = int(match["zero"] or 0)
    gain = float(match["gain"] or 0)
    return WfdbSignal(
        match["file"],
        storage,
        per_frame,
        int(match["offset"] or 0),
        gain,
        int(match["baseline"]) if match["baseline"] else zero,
        match["unit"] or "mV",  # the format's own default where there is a gain
        (match["words"] or "").strip(),
        int(match["checksum"]) if match["checksum"] else None,
    )


def _started_at(words: str) -> datetime | None:
    """Return the start when both time and date are given and exist."""
    for pattern in ("%H:%M:%S.%f %d/%m/%Y", "%H:%M:%S %d/%m/%Y"):
        try:
            return datetime.strptime(" ".join(words.split()), pattern)  # noqa: DTZ007 (no zone)
        except ValueError:
            continue
    return None
