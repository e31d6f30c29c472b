"""NumPy's ``.npz``: named arrays in a zip archive, read without pickles."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.arrays import HEADER_KEY, Variable, arrays_of, tracks_in
from myograph.io.formats import FORMATS, Format
from myograph.io.hints import Hints
from myograph.io.track import Track

__all__ = ["NPZ"]

T = TypeVar("T")


def _sniff(head: bytes, path: Path) -> bool:
    """Look for a zip archive whose first entry is a ``.npy``."""
    del path
    if not head.startswith(b"PK\x03\x04") or len(head) < 30:
        return False
    length = int.from_bytes(head[26:28], "little")
    return head[30 : 30 + length].endswith(b".npy")


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    shapes = _parsed(path, lambda: _shapes(path))
    variables: dict[str, Variable] = {
        name: (shape, _loader(path, name))
        for name, (shape, dtype) in shapes.items()
        if dtype.kind in "iufb"
    }
    header = None
    if HEADER_KEY in shapes:
        header = str(_loader(path, HEADER_KEY)())
    return tracks_in(variables, header, hints, path=path)


def _loader(path: Path, name: str) -> Callable[[], NDArray[Any]]:
    def load() -> NDArray[Any]:
        with np.load(path, allow_pickle=False) as archive:
            return np.asarray(archive[name])

    return lambda: _parsed(path, load)


def _shapes(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """Read every array's own header, and hold it against the size of its entry."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)
                parse = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = parse(file)
                promised = dtype.itemsize * int(np.prod(shape, dtype=object))
                if not dtype.hasobject and promised != entry.file_size - file.tell():
                    raise FormatError(
                        f"{path}: {entry.filename} promises {promised} bytes of {dtype} and holds "
                        f"{entry.file_size - file.tell()}."
                    )
            found[entry.filename.removesuffix(".npy")] = (shape, dtype)
    return found


def _parsed(path: Path, parse: Callable[[], T]) -> T:
    """Run ``parse``; what zipfile and NumPy cannot follow is damage."""
    try:
        return parse()
    except DataError:
        raise
    except Exception as error:  # damaged archives raise whatever the damaged place leads to
        raise FormatError(f"{path} is a damaged or truncated NPZ file: {error}.") from error


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays_of(recording))


#: Exact, uncompressed.
NPZ = FORMATS.add(
    "npz",
    Format(
        "npz",
        "NumPy NPZ",
        (".npz",),
        _sniff,
        _open,
        _save,
        options=frozenset({"fs_hz", "variable", "time_axis"}),
    ),
)
