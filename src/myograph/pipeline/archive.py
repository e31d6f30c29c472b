"""Zip files of named members: written to equal bytes, read with suspicion.

Nothing here knows what a model is. Reading never writes to disk, never trusts a size that a
header states, and never unpickles.
"""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from myograph.core.errors import ArtifactError, OutputExistsError

__all__ = ["pack", "pack_arrays", "unpack", "unpack_arrays", "write_atomically"]

# The first moment a zip file can state: when it was written must not change its bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)

# What the standard library raises, in one place or another, on a zip file that is not whole.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
)


def pack(members: Mapping[str, bytes], *, compress: bool = True) -> bytes:
    """Return a zip file of ``members``, in their order; equal members give equal bytes."""
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method, compresslevel=6 if compress else None) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = method
            info.create_system = 3  # the same on every system
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def unpack(content: bytes, limits: Mapping[str, int], *, where: str) -> dict[str, bytes]:
    """Return the members of a zip file.

    Parameters
    ----------
    content : bytes
    limits : mapping of str to int
        Names that must be there, all of them and no others, with the most bytes each may have.
    where : str
        The file, for messages.

    Raises
    ------
    ArtifactError
        If it is not a zip file, a member is missing, unknown, too large, damaged, listed twice or
        encrypted, or a name leads outside.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_names([info.filename for info in infos], set(limits), where=where)
            return {i.filename: _member(archive, i, limits[i.filename], where) for i in infos}
    except ArtifactError:
        raise
    except _DAMAGE as error:
        raise ArtifactError(f"{where} is damaged or not a model file: {error}.") from error


def pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return ``arrays`` as an npz file, equal arrays as equal bytes."""
    members = {}
    for name in sorted(arrays):
        buffer = io.BytesIO()
        npy.write_array(buffer, np.asarray(arrays[name], order="C"), allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    return pack(members, compress=False)


def unpack_arrays(content: bytes, *, where: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of what `pack_arrays` gave; shapes must match the bytes that are there.

    Raises
    ------
    ArtifactError
        If a member is not a plain array, or states another size than it has.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            if any(i.compress_type != zipfile.ZIP_STORED or i.flag_bits & 1 for i in infos):
                raise ArtifactError(f"Arrays in {where} must be stored as they are.")
            return {
                i.filename.removesuffix(".npy"): _array(archive.read(i), where=where) for i in infos
            }
    except ArtifactError:
        raise
    except _DAMAGE as error:
        raise ArtifactError(f"{where} is damaged or not an npz file: {error}.") from error


def write_atomically(path: Path, content: bytes, *, force: bool) -> None:
    """Write a file whole or not at all.

    Raises
    ------
    OutputExistsError
        If the file is already there, unless ``force``.
    """
    if path.exists() and not force:
        raise OutputExistsError(
            f"{path} is already there; choose another name, or overwrite it with force=True "
            "(--force)."
        )
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _check_names(names: list[str], expected: set[str], *, where: str) -> None:
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in name:
            raise ArtifactError(
                f"{where} holds {name!r}, a name that leads outside; it was not made by Myograph "
                "and is not opened."
            )
    if len(set(names)) < len(names):
        raise ArtifactError(f"{where} lists a member twice: {sorted(names)}.")
    missing, unknown = sorted(expected - set(names)), sorted(set(names) - expected)
    if missing:
        raise ArtifactError(f"{where} is not a whole model file: {missing} missing.")
    if unknown:
        raise ArtifactError(f"{where} holds {unknown}, which no model file has.")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int, where: str) -> bytes:
    if info.flag_bits & 1:
        raise ArtifactError(f"{info.filename} in {where} is encrypted; model files are not.")
    with archive.open(info) as file:
        content = file.read(most + 1)  # what the header says about the size may be a lie
    if len(content) > most:
        raise ArtifactError(f"{info.filename} in {where} is larger than {most} bytes.")
    return content


def _array(content: bytes, *, where: str) -> NDArray[Any]:
    buffer = io.BytesIO(content)
    try:
        version = npy.read_magic(buffer)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(buffer)
        stated = int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize
        if dtype.hasobject or not dtype.isnative or stated != len(content) - buffer.tell():
            raise ArtifactError(
                f"An array in {where} says it holds {stated} bytes of {dtype}; "
                f"{len(content) - buffer.tell()} are there."
            )
        buffer.seek(0)
        array: NDArray[Any] = npy.read_array(buffer, allow_pickle=False)
    except ArtifactError:
        raise
    except (ValueError, TypeError, SyntaxError) as error:
        raise ArtifactError(f"An array in {where} cannot be read: {error}.") from error
    return array
