"""MATLAB's MAT-files: version 5 (up to 2 GB a variable) and version 7.3 (HDF5 inside)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.arrays import HEADER_KEY, Variable, arrays_of, tracks_in
from myograph.io.formats import FORMATS, Format
from myograph.io.hints import Hints
from myograph.io.mat5 import Found, variables_in
from myograph.io.track import Track

__all__ = ["MAT5", "MAT73"]

_LARGEST_V5_BYTES = 2**31 - 1
_USER_BLOCK_BYTES = 512
_DEPTH = 8  # structures in structures; deeper is no recording

T = TypeVar("T")


def _parsed(path: Path, parse: Callable[[], T]) -> T:
    """Run ``parse``; what scipy and HDF5 cannot follow is damage."""
    try:
        return parse()
    except DataError:
        raise
    except Exception as error:  # damaged files raise whatever the damaged place leads to
        raise FormatError(f"{path} is a damaged or truncated MAT-file: {error!r}.") from error


# --- version 5 ---------------------------------------------------------------------------------


def _sniff_v5(head: bytes, path: Path) -> bool:
    del path
    return head.startswith(b"MATLAB 5.0 MAT-file")


def _open_v5(path: Path, hints: Hints) -> tuple[Track, ...]:
    content = variables_in(path.read_bytes(), where=str(path))
    header = content.pop(HEADER_KEY, None)
    text = header if isinstance(header, str) else None
    variables: dict[str, Variable] = {}
    for name, value in content.items():
        variables.update(_leaves(name, value))
    return tracks_in(variables, text, hints, path=path)


def _leaves(name: str, value: Found) -> Iterator[tuple[str, Variable]]:
    """Yield the numeric arrays in a variable; fields of a structure follow a dot."""
    if isinstance(value, np.ndarray):
        array = value
        yield name, (array.shape, lambda: array)
    elif isinstance(value, dict):
        for field, inner in value.items():
            yield from _leaves(f"{name}.{field}", inner)


def _save_v5(recording: Recording | RecordingSet, path: Path) -> None:
    from scipy.io import savemat

    arrays = arrays_of(recording)
    largest = max(array.nbytes for array in arrays.values())
    if largest > _LARGEST_V5_BYTES:
        raise DataError(
            f"A MAT-file of version 5 holds at most 2 GB a variable; this recording needs "
            f"{largest / 1e9:.1f} GB. Write version 7.3 with as_format='mat73', or .myo.h5."
        )
    savemat(str(path), arrays, appendmat=False)


# --- version 7.3 -------------------------------------------------------------------------------


def _sniff_v73(head: bytes, path: Path) -> bool:
    del path
    return head.startswith(b"MATLAB 7.3 MAT-file")


def _open_v73(path: Path, hints: Hints) -> tuple[Track, ...]:
    import h5py

    def content() -> tuple[dict[str, Variable], str | None]:
        with h5py.File(path, "r") as file:
            variables = dict(_datasets(file, "", path))
            header = file.get(HEADER_KEY)
            return variables, None if header is None else _text(header)

    variables, header = _parsed(path, content)
    variables.pop(HEADER_KEY, None)
    return tracks_in(variables, header, hints, path=path)


def _datasets(group: Any, prefix: str, path: Path) -> Iterator[tuple[str, Variable]]:
    """Yield the numeric arrays of a group; MATLAB keeps structures as groups."""
    import h5py

    for name, item in group.items():
        if name.startswith("#") or prefix.count(".") > _DEPTH:  # "#refs#": contents of cells
            continue
        if isinstance(item, h5py.Group):
            yield from _datasets(item, f"{prefix}{name}.", path)
        elif item.dtype.kind in "iufb" and "MATLAB_empty" not in item.attrs:
            # HDF5 lists the dimensions of MATLAB's column-major arrays the other way round.
            yield f"{prefix}{name}", (item.shape[::-1], _loader(path, item.name))


def _loader(path: Path, key: str) -> Callable[[], NDArray[Any]]:
    import h5py

    def load() -> NDArray[Any]:
        with h5py.File(path, "r") as file:
            return np.asarray(file[key][()]).T

    return lambda: _parsed(path, load)


def _text(dataset: Any) -> str:
    """Decode a character array, kept as UTF-16 code units."""
    return np.asarray(dataset[()], dtype="<u2").tobytes().decode("utf-16-le")


def _save_v73(recording: Recording | RecordingSet, path: Path) -> None:
    import h5py

    with h5py.File(path, "w", userblock_size=_USER_BLOCK_BYTES) as file:
        for name, array in arrays_of(recording).items():
            if array.dtype.kind == "U":
                units = np.frombuffer(str(array).encode("utf-16-le"), dtype="<u2")
                stored = file.create_dataset(name, data=units[:, None])
                stored.attrs["MATLAB_int_decode"] = np.int32(2)
                stored.attrs["MATLAB_class"] = np.bytes_("char")
            else:
                stored = file.create_dataset(name, data=array.T)
                stored.attrs["MATLAB_class"] = np.bytes_("single")
    text = b"MATLAB 7.3 MAT-file, written by Myograph, HDF5 schema 1.00 ."
    with path.open("rb+") as block:
        block.write(text.ljust(116) + bytes(8) + b"\x00\x02IM")


_OPTIONS = frozenset({"fs_hz", "variable", "time_axis"})

#: Exact.
MAT5 = FORMATS.add(
    "mat", Format("mat", "MAT v5", (".mat",), _sniff_v5, _open_v5, _save_v5, options=_OPTIONS)
)

#: Exact; chosen for writing with ``as_format="mat73"``.
MAT73 = FORMATS.add(
    "mat73", Format("mat73", "MAT v7.3", (), _sniff_v73, _open_v73, _save_v73, options=_OPTIONS)
)
