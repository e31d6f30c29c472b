"""Unpack an archive that nobody here has made, without trusting a word of it."""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath, PureWindowsPath

from myograph.core.errors import DataError, FormatError
from myograph.datasets.files import MANIFEST

__all__ = ["Progress", "unpack"]

#: Called with what is done ("download" or "unpack"), the bytes so far and in all (None: unknown).
Progress = Callable[[str, int, int | None], None]

_CHUNK_BYTES = 1 << 20


def unpack(
    archive: Path,
    folder: Path,
    *,
    keep: Sequence[str] = ("*",),
    strip: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Unpack ``archive`` into ``folder``, all or nothing, with a manifest of digests.

    Only regular files are written, by this function and not by the archive's wishes: no owner, no
    mode, no link, no device.

    Parameters
    ----------
    archive : Path
        A tar file, compressed or not.
    folder : Path
        Where the files go; it must not exist.
    keep : sequence of str
        ``fnmatch`` patterns of the names to unpack.
    strip : int
        How many leading folders to cut from every name.
    progress : callable, optional
        Told "unpack", the bytes of the archive read so far, and its size.

    Raises
    ------
    FormatError
        If the archive is damaged, or holds an absolute path, a path through ``..``, a link or a
        device.
    DataError
        If nothing in it matches ``keep``, or it cannot be written.
    """
    with _beside(folder) as temporary:
        digests: dict[str, str] = {}
        try:
            with archive.open("rb") as raw, tarfile.open(fileobj=raw, mode="r:*") as tar:
                for member, name in _wanted(tar, archive, keep=keep, strip=strip):
                    digests[name] = _write(tar, member, temporary / name)
                    if progress is not None:
                        progress("unpack", raw.tell(), archive.stat().st_size)
        except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError) as error:
            raise FormatError(
                f"{archive} is damaged or no tar archive: {error}. Get it again."
            ) from error
        except OSError as error:
            raise DataError(f"{archive} could not be unpacked into {folder}: {error}.") from error
        if not digests:
            raise DataError(f"{archive} holds no file named like {list(keep)}.")
        (temporary / MANIFEST).write_text(json.dumps(digests, indent=0), encoding="utf-8")
        _put_in_place(temporary, folder)
    return folder


def _put_in_place(temporary: Path, folder: Path) -> None:
    try:
        temporary.rename(folder)
    except OSError as error:
        # Another process may have unpacked the same archive in the meantime; its files are as good.
        if not (folder / MANIFEST).is_file():
            raise DataError(f"{folder} could not be written: {error}.") from error


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Make a temporary folder on the same disk, gone unless it was renamed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _wanted(
    tar: tarfile.TarFile, archive: Path, *, keep: Sequence[str], strip: int
) -> Iterator[tuple[tarfile.TarInfo, str]]:
    for member in tar:
        parts = _safe_parts(member.name, archive)[strip:]
        name = "/".join(parts)
        if not parts or member.isdir() or not any(fnmatch(name, rule) for rule in keep):
            continue
        if not member.isreg():
            raise FormatError(
                f"{archive} holds {member.name!r}, which is a link or a device; a dataset is "
                "made of regular files only. Nothing was unpacked."
            )
        yield member, name


def _safe_parts(name: str, archive: Path) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or PureWindowsPath(name).drive or "\\" in name or ".." in path.parts:
        raise FormatError(
            f"{archive} holds the path {name!r}, which leads out of the folder it is unpacked "
            "into; such an archive is refused whole. Nothing was unpacked."
        )
    return tuple(part for part in path.parts if part != ".")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    source = tar.extractfile(member)
    if source is None:  # only links and devices have no content, and they are refused above
        raise FormatError(f"{member.name!r} has no content.")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    if target.stat().st_size != member.size:
        raise EOFError(f"{member.name!r} ends after {target.stat().st_size} of {member.size} bytes")
    return digest.hexdigest()
