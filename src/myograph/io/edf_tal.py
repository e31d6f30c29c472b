"""Time-stamped annotation lists, in which EDF+ and BDF+ keep events and the records' onsets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from myograph.core.errors import DataError, FormatError
from myograph.io.annotations import Annotation

__all__ = ["pack_annotations", "parse_annotations"]

# An onset, perhaps a duration, then texts; each part ends with byte 20, the list with 20 and 0.
_STAMP = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?")
_SEPARATORS = dict.fromkeys((0x00, 0x14, 0x15), " ")
_STAMP_DIGITS = 9  # nanoseconds


def parse_annotations(
    records: Sequence[bytes], *, path: Path
) -> tuple[list[float | None], list[Annotation]]:
    """Parse the annotation signal of every record.

    Returns
    -------
    onsets : list of float or None
        Onset of each record in seconds; None where the record does not say.
    annotations : list of Annotation
        In the order of the file.

    Raises
    ------
    FormatError
        If a list does not follow the rules.
    """
    onsets: list[float | None] = []
    found: list[Annotation] = []
    for number, record in enumerate(records):
        onset_s: float | None = None
        for part in record.split(b"\x14\x00"):
            content = part.strip(b"\0")
            if not content:
                continue
            stamp, *texts = content.split(b"\x14")
            match = _STAMP.fullmatch(stamp)
            if match is None:
                raise FormatError(
                    f"{path}: the annotations of data record {number + 1} are damaged: a list must "
                    f"begin with an onset like +12.5, not {stamp[:20]!r}."
                )
            time_s, length_s = float(match[1]), float(match[2] or 0)
            if onset_s is None and not (texts and texts[0]):  # an empty text: the record's own
                onset_s = time_s
            found += [Annotation(time_s, length_s, _decoded(text)) for text in texts if text]
        onsets.append(onset_s)
    return onsets, found


def pack_annotations(
    annotations: Iterable[Annotation], onsets_s: Sequence[float], *, multiple: int
) -> list[bytes]:
    """Spread annotations over the records, in order, each record beginning with its onset.

    Parameters
    ----------
    annotations : iterable of Annotation
    onsets_s : sequence of float
        Onset of each data record.
    multiple : int
        The records' equal length is a multiple of this many bytes: the size of a sample.

    Returns
    -------
    list of bytes
        One for each record, all equally long.
    """
    stamps = [_seconds(onset_s, sign=True) + b"\x14\x14\x00" for onset_s in onsets_s]
    lists = [_encoded(annotation) for annotation in annotations]
    longest = max(map(len, stamps))
    capacity = longest + max([len(item) for item in lists], default=0)
    while True:
        filled = _filled(stamps, lists, capacity)
        if filled is not None:
            break
        capacity = capacity * 5 // 4 + 1
    width = -(-max(map(len, filled)) // multiple) * multiple
    return [record.ljust(width, b"\0") for record in filled]


def _encoded(annotation: Annotation) -> bytes:
    """Return the annotation as a list of its own."""
    stamp = _seconds(annotation.onset_s, sign=True)
    if annotation.duration_s:
        stamp += b"\x15" + _seconds(annotation.duration_s)
    return stamp + b"\x14" + annotation.text.translate(_SEPARATORS).encode() + b"\x14\x00"


def _filled(stamps: list[bytes], lists: list[bytes], capacity: int) -> list[bytes] | None:
    """Put the lists into the records one after the other; None when they do not fit."""
    records, waiting = list(stamps), iter(lists)
    item = next(waiting, None)
    for number in range(len(records)):
        parts = [records[number]]
        room = capacity - len(parts[0])
        while item is not None and len(item) <= room:
            parts.append(item)
            room -= len(item)
            item = next(waiting, None)
        records[number] = b"".join(parts)
    return records if item is None else None


def _seconds(value: float, *, sign: bool = False) -> bytes:
    text = f"{value:+.{_STAMP_DIGITS}f}" if sign else f"{value:.{_STAMP_DIGITS}f}"
    if len(text) > 32:
        raise DataError(f"A time of {value:g} s cannot be written as an annotation.")
    return text.rstrip("0").rstrip(".").encode()


def _decoded(text: bytes) -> str:
    try:
        return text.decode().strip()
    except UnicodeDecodeError:  # older writers used the code page of their Windows
        return text.decode("latin-1").strip()
