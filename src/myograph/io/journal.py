"""Journal, ``.myolive``: a recording that is written while it is made, and survives being killed.

The file is a line of text that says what it is, and blocks behind each other. A block is 16 bytes
(``MYOB``, kind, length, CRC-32 of the rest) and its content. Blocks are only ever appended, so
that whatever happens the file is whole up to its last block, and a torn one at the end is left out.

========= ==========================================================================
``H``     header: the JSON of `myograph.io.header`, once, first
``S``     samples: number of the first as int64, then float32, channels x samples
``E``     an event of the recording: JSON
``A``     what somebody else said meanwhile (decisions, notices): JSON
========= ==========================================================================

Numbers of samples that no block holds are a gap, and so are samples with a NaN.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import GAP, Event
from myograph.io.formats import FORMATS, Format
from myograph.io.header import Header, headers_from_text, headers_to_text
from myograph.io.hints import Hints
from myograph.io.track import Track

__all__ = ["JOURNAL", "block", "notes_of", "opening", "sample_block"]

_MAGIC = b"Myograph journal 1: blocks of MYOB, kind, length, CRC-32, content.\n"
_MARK = b"MYOB"
_FRONT = struct.Struct("<4s4xII")  # the kind is the first of the four bytes left free
_NUMBER = struct.Struct("<q")
# No block is longer: a length beyond it is damage.
_LONGEST = 1 << 28


@dataclass(frozen=True, slots=True)
class _Block:
    """Where a block lies in the file."""

    kind: bytes
    place: int
    length: int
    crc: int


def block(kind: bytes, content: bytes) -> bytes:
    """Return one block as bytes.

    Examples
    --------
    >>> len(block(b"E", b"{}"))
    18
    """
    crc = zlib.crc32(content, zlib.crc32(kind))
    front = bytearray(_FRONT.pack(_MARK, len(content), crc))
    front[4:5] = kind
    return bytes(front) + content


def opening(header: Header) -> bytes:
    """Return how a file begins: what it is, and the header of what follows."""
    return _MAGIC + block(b"H", headers_to_text({"": header}).encode())


def sample_block(first: int, samples: NDArray[np.float32]) -> bytes:
    """Return samples (n_channels, n_new), the first of them number ``first``, as a block."""
    values = np.ascontiguousarray(samples, dtype="<f4")
    return block(b"S", _NUMBER.pack(first) + values.tobytes())


def notes_of(path: Path) -> list[dict[str, Any]]:
    """Return what was noted beside the samples: decisions and notices, in their order.

    Raises
    ------
    FormatError
        If the file is damaged before its end.
    """
    with path.open("rb") as file:
        return [
            json.loads(_content(file, found, path=path))
            for found in _sound(file, list(_blocks(file, path=path)))
            if found.kind == b"A"
        ]


def _sniff(head: bytes, path: Path) -> bool:
    del path
    return head.startswith(_MAGIC[:18])


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints
    with path.open("rb") as file:
        blocks = _sound(file, list(_blocks(file, path=path)))
        if not blocks or blocks[0].kind != b"H":
            raise FormatError(f"{path} is a journal without its header; it ends before its start.")
        text = _content(file, blocks[0], path=path).decode()
        header = headers_from_text(text, where=str(path))[""]
        spans = _spans(file, blocks, header.layout.n_channels, path=path)
        events = [
            Event(**json.loads(_content(file, found, path=path)))
            for found in blocks
            if found.kind == b"E"
        ]
    n_samples = max((first + size for first, size, _ in spans), default=0)
    held, gaps = _whole(path, spans, header, n_samples)
    end_s = header.start_s + n_samples / header.layout.fs_hz
    inside = [_cut(event, end_s) for event in events if event.onset_s < end_s]
    header = replace(header, n_samples=n_samples, events=(*header.events, *inside, *gaps))
    return (Track.of(header, held, path=path),)


def _blocks(file: BinaryIO, *, path: Path) -> Iterator[_Block]:
    """Yield the blocks whose front is whole; what is torn at the end is left out."""
    size = path.stat().st_size
    place = len(_MAGIC)
    file.seek(place)
    while place + _FRONT.size <= size:
        file.seek(place)
        front = file.read(_FRONT.size)
        mark, length, crc = _FRONT.unpack(front)
        if mark != _MARK or length > _LONGEST:
            if not any(front):  # space that was given to the file and never written
                return
            raise FormatError(f"{path} is damaged at byte {place}: a block was expected there.")
        place += _FRONT.size
        if place + length > size:
            return
        yield _Block(front[4:5], place, length, crc)
        place += length


def _sound(file: BinaryIO, blocks: list[_Block]) -> list[_Block]:
    """Leave out the last block if its content never reached the disk."""
    if not blocks:
        return blocks
    last = blocks[-1]
    file.seek(last.place)
    whole = zlib.crc32(file.read(last.length), zlib.crc32(last.kind)) == last.crc
    return blocks if whole else blocks[:-1]


def _content(file: BinaryIO, found: _Block, *, path: Path) -> bytes:
    file.seek(found.place)
    content = file.read(found.length)
    if zlib.crc32(content, zlib.crc32(found.kind)) != found.crc:
        raise FormatError(f"{path} is damaged in the block at byte {found.place}: its CRC differs.")
    return content


def _spans(
    file: BinaryIO, blocks: Sequence[_Block], n_channels: int, *, path: Path
) -> list[tuple[int, int, _Block]]:
    """Return first number, size and block of each stretch of samples."""
    spans = []
    for found in blocks:
        if found.kind != b"S":
            continue
        size, rest = divmod(found.length - _NUMBER.size, 4 * n_channels)
        if rest or size < 0:
            raise FormatError(
                f"{path}: the block at byte {found.place} does not hold {n_channels} channels."
            )
        file.seek(found.place)
        (first,) = _NUMBER.unpack(file.read(_NUMBER.size))
        if first < 0:
            raise FormatError(f"{path}: the block at byte {found.place} begins before the start.")
        spans.append((first, size, found))
    return spans


def _whole(
    path: Path, spans: Sequence[tuple[int, int, _Block]], header: Header, n_samples: int
) -> tuple[Callable[[Sequence[int], int, int], NDArray[np.float32]], list[Event]]:
    """Return what fetches samples, gaps held as everywhere else, and the gaps as events."""
    layout = header.layout
    samples = np.full((layout.n_channels, n_samples), np.nan, dtype=np.float32)
    with path.open("rb") as file:
        for first, size, found in spans:
            content = _content(file, found, path=path)
            values = np.frombuffer(content, dtype="<f4", offset=_NUMBER.size)
            samples[:, first : first + size] = values.reshape(layout.n_channels, size)
    finite = np.isfinite(samples)
    gaps: list[Event] = []
    if n_samples and not finite.all():
        silent = np.flatnonzero(~finite.any(axis=1)).tolist()
        if silent:
            raise DataError(f"{path}: channels {silent} have no finite sample at all.")
        columns = np.arange(n_samples)
        for row in range(layout.n_channels):
            # Before the first measured value, the live filters saw 0; so does the recording.
            place = np.maximum.accumulate(np.where(finite[row], columns, -1))
            samples[row] = np.where(place < 0, 0.0, samples[row, place])
        edges = np.flatnonzero(np.diff(np.r_[False, ~finite.all(axis=0), False])).reshape(-1, 2)
        gaps = [
            Event(header.start_s + a / layout.fs_hz, (b - a) / layout.fs_hz, GAP, "stream")
            for a, b in edges.tolist()
        ]

    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[np.float32]:
        return samples[list(rows), first:last]

    return fetch, gaps


def _cut(event: Event, end_s: float) -> Event:
    return replace(event, duration_s=min(event.duration_s, end_s - event.onset_s))


JOURNAL = FORMATS.add(
    "journal", Format("journal", "Myograph journal", (".myolive",), _sniff, _open)
)
