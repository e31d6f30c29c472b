"""Samples of EDF and BDF files: from interleaved integers to float32 rows.

Records are converted in blocks that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.io.edf_header import EdfHeader, EdfSignal

__all__ = ["Place", "annotation_bytes", "decode_records", "encode_int24", "places"]

# Bytes of records converted at once: large enough to be worth a call, small enough for the cache.
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signal's samples lie in a data record."""

    signal: EdfSignal
    first_byte: int


def places(header: EdfHeader) -> tuple[Place, ...]:
    """Return the place of every signal, in the order of the header."""
    found, position = [], 0
    for signal in header.signals:
        found.append(Place(signal, position))
        position += signal.samples_per_record * header.sample_bytes
    return tuple(found)


def annotation_bytes(path: Path, header: EdfHeader) -> list[list[bytes]]:
    """Return the bytes of each annotation signal, one item a record."""
    chosen = [place for place in places(header) if place.signal.is_annotations]
    if not chosen or not header.n_records:
        return [[] for _ in chosen]
    shape = (header.n_records, header.record_bytes)
    stored = np.memmap(path, dtype=np.uint8, mode="r", offset=header.n_bytes, shape=shape)
    found = []
    for place in chosen:
        end = place.first_byte + place.signal.samples_per_record * header.sample_bytes
        found.append([row.tobytes() for row in stored[:, place.first_byte : end]])
    return found


def decode_records(
    path: Path, header: EdfHeader, chosen: Sequence[Place], first: int, last: int
) -> NDArray[np.float32]:
    """Return the physical samples of some equally fast signals in records ``first`` to ``last``.

    Returns
    -------
    ndarray of float32, shape (len(chosen), (last - first) * samples_per_record)
    """
    per_record = chosen[0].signal.samples_per_record
    out = np.empty((len(chosen), (last - first) * per_record), dtype=np.float32)
    digital = _digital_24 if header.is_bdf else _digital_16
    for begin, count, block in _blocks(path, header, first, last):
        columns = slice((begin - first) * per_record, (begin - first + count) * per_record)
        for row, place in zip(out, chosen, strict=True):
            target = row[columns].reshape(count, per_record)
            signal = place.signal
            stored = digital(block, place, count, header.record_bytes)
            np.multiply(stored, np.float32(signal.gain), out=target)
            if signal.offset:
                target += np.float32(signal.offset)
    return out


def encode_int24(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the three low bytes of each value, along the last axis."""
    stored = np.ascontiguousarray(values, dtype="<i4").view(np.uint8)
    return stored.reshape(*values.shape, 4)[..., :3].reshape(*values.shape[:-1], -1)


def _blocks(
    path: Path, header: EdfHeader, first: int, last: int
) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Yield (first record, number of records, their bytes); one buffer serves all blocks.

    One byte of padding lies before the records, for `_digital_24`.
    """
    size = header.record_bytes
    step = max(1, _BLOCK_BYTES // size)
    buffer = np.zeros(1 + min(step, last - first) * size, dtype=np.uint8)
    with path.open("rb", buffering=0) as file:
        file.seek(header.n_bytes + first * size)
        for begin in range(first, last, step):
            count = min(step, last - begin)
            _read_into(file, memoryview(buffer.data)[1 : 1 + count * size], path)
            yield begin, count, buffer


def _read_into(file: Any, target: memoryview, path: Path) -> None:
    while target:
        got = file.readinto(target)
        if not got:
            raise FormatError(f"{path} became shorter while it was read; is it being written?")
        target = target[got:]


def _digital_16(
    block: NDArray[np.uint8], place: Place, count: int, record_bytes: int
) -> NDArray[np.int16]:
    return np.ndarray(
        (count, place.signal.samples_per_record),
        "<i2",
        buffer=block.data,
        offset=1 + place.first_byte,
        strides=(record_bytes, 2),
    )


def _digital_24(
    block: NDArray[np.uint8], place: Place, count: int, record_bytes: int
) -> NDArray[np.int32]:
    """Read four bytes from one before each sample: its three end up on top, sign included."""
    stored: NDArray[np.int32] = np.ndarray(
        (count, place.signal.samples_per_record),
        "<i4",
        buffer=block.data,
        offset=place.first_byte,
        strides=(record_bytes, 3),
    )
    return stored >> 8


Digital = Callable[[NDArray[np.uint8], Place, int, int], NDArray[Any]]
