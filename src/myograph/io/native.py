"""Myograph's own files, ``.myo.h5``: HDF5 that gives back exactly what was written.

The first 512 bytes (HDF5's user block) say in plain text what the file is. Behind them, any HDF5
tool finds the dataset ``header`` (JSON, see `myograph.io.header`) and, for each member, the dataset
``members/<number>/samples``, float32 of shape (n_channels, n_samples) with a checksum per chunk,
so that a stretch is read without the rest and damage is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.formats import FORMATS, Format
from myograph.io.header import Header, headers_from_text, headers_to_text, members_of
from myograph.io.hints import Hints
from myograph.io.track import Track

__all__ = ["NATIVE"]

_MAGIC = b"Myograph recording\n"
_EXPLANATION = (
    b"This is HDF5 (from byte 512): the dataset 'header' is JSON text,\n"
    b"'members/0/samples' the first recording, channels x samples.\n"
)
_USER_BLOCK_BYTES = 512
_CHUNK_SAMPLES = 32768  # 128 KiB a chunk: small beside a recording, large beside its checksum

T = TypeVar("T")


def _sniff(head: bytes, path: Path) -> bool:
    del path
    return head.startswith(_MAGIC)


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints
    text = _from_file(path, lambda file: file["header"][()].tobytes().decode())
    headers = headers_from_text(text, where=str(path))
    return tuple(
        Track.of(header, _fetch(path, f"members/{number}/samples", header), path=path, name=name)
        for number, (name, header) in enumerate(headers.items())
    )


def _fetch(path: Path, key: str, header: Header) -> Callable[[Sequence[int], int, int], Any]:
    expected = (header.layout.n_channels, header.n_samples)

    def load(file: Any, rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        stored = file[key]
        if stored.shape != expected or stored.dtype.kind != "f":
            raise FormatError(
                f"{path}: the header describes {expected[0]} channels x {expected[1]} samples, "
                f"the file holds {stored.dtype} of shape {stored.shape}; it was altered."
            )
        samples = np.empty((len(rows), last - first), dtype=np.float32)
        for target, row in zip(samples, rows, strict=True):
            stored.read_direct(target, np.s_[row, first:last])
        return samples

    return lambda rows, first, last: _from_file(path, lambda file: load(file, rows, first, last))


def _from_file(path: Path, load: Callable[[Any], T]) -> T:
    """Run ``load`` on the open file; what HDF5 cannot follow is damage."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return load(file)
    except FormatError:
        raise
    except Exception as error:  # h5py raises whatever the damaged place leads it to
        raise FormatError(f"{path} is a damaged or truncated Myograph file: {error}.") from error


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    import h5py

    members = members_of(recording)
    headers = {name: Header.of(member, exact=True) for name, member in members.items()}
    text = headers_to_text(headers).encode()
    with h5py.File(path, "w", userblock_size=_USER_BLOCK_BYTES) as file:
        file.create_dataset(
            "header", data=np.frombuffer(text, np.uint8), chunks=True, fletcher32=True
        )
        for number, member in enumerate(members.values()):
            file.create_dataset(
                f"members/{number}/samples",
                data=member.samples,
                chunks=(1, min(_CHUNK_SAMPLES, member.n_samples)),
                fletcher32=True,
            )
    with path.open("rb+") as block:
        block.write(_MAGIC + _EXPLANATION)


#: Exact: every sample and everything known about it.
NATIVE = FORMATS.add(
    "native",
    Format("native", "Myograph HDF5", (".myo.h5", ".myo"), _sniff, _open, _save),
)
