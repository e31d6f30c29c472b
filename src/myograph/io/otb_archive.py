"""The archive of an OTB file: its members read where they lie, never unpacked to the disk."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TypeVar
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.io.xml import parse_xml

__all__ = ["Archive", "date_in", "number_in", "text_in", "whole_in"]

_MOST_XML = 1 << 26  # bytes; a description of thousands of channels takes less than a tenth

_DAMAGE = (tarfile.TarError, EOFError, OSError, zlib.error)

T = TypeVar("T")


@dataclass(frozen=True)
class Archive:
    """Members of a tar archive, plain or compressed, by name.

    Raises
    ------
    FormatError
        If it is damaged, or a member is a link or has a path that leads out of the archive.
    """

    path: Path
    members: dict[str, tarfile.TarInfo]

    @classmethod
    def of(cls, path: Path) -> Archive:
        """List the members and check their names."""
        members: dict[str, tarfile.TarInfo] = {}
        for member in _damage_is_ours(path, lambda: _listed(path)):
            name = _safe_name(member, path)
            if member.isdir():
                continue
            if not member.isfile() or member.issparse() or name in members:
                raise FormatError(
                    f"{path}: its member {member.name!r} is a link, a device or a repetition; "
                    "an OTB archive holds plain files. Do not trust this file."
                )
            members[name] = member
        return cls(path, members)

    def names(self, suffix: str) -> list[str]:
        """Return the members whose name ends so, in order."""
        return sorted(name for name in self.members if name.lower().endswith(suffix))

    def xml(self, name: str) -> Element:
        """Parse a member."""
        where = f"{self.path}, {name}"
        member = self._member(name)
        if member.size > _MOST_XML:
            raise FormatError(f"{where}: {member.size} bytes of XML; the file is damaged.")
        return parse_xml(self._bytes(member), where=where)

    def frames(self, name: str, dtype: str, n_columns: int) -> NDArray[np.generic]:
        """Return the numbers of a member, shape (n_samples, n_columns), read when they are used."""
        member, kind = self._member(name), np.dtype(dtype)
        n_samples, rest = divmod(member.size, kind.itemsize * n_columns) if n_columns else (0, 1)
        if rest or not n_samples:
            raise FormatError(
                f"{self.path}, {name}: {member.size} bytes do not make whole samples of "
                f"{n_columns} channels of {kind.itemsize} bytes each; the file is truncated or its "
                "description belongs to another one."
            )
        shape = (n_samples, n_columns)
        if self._is_plain():
            return np.memmap(self.path, kind, "r", member.offset_data, shape)
        return np.frombuffer(self._bytes(member), kind).reshape(shape)

    def _member(self, name: str) -> tarfile.TarInfo:
        if name not in self.members:
            raise FormatError(
                f"{self.path}: its description names {name!r}, and the archive has only "
                f"{sorted(self.members)}; the file is damaged."
            )
        return self.members[name]

    def _is_plain(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(2) != b"\x1f\x8b"

    def _bytes(self, member: tarfile.TarInfo) -> bytes:
        return _damage_is_ours(self.path, lambda: _content(self.path, member))


def _listed(path: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(path, "r:*") as archive:
        return archive.getmembers()


def _content(path: Path, member: tarfile.TarInfo) -> bytes:
    with tarfile.open(path, "r:*") as archive:
        file = archive.extractfile(member)
        return file.read() if file else b""


def _damage_is_ours(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except _DAMAGE as error:
        raise FormatError(f"{path}: the archive is truncated or damaged ({error}).") from error


def _safe_name(member: tarfile.TarInfo, path: Path) -> str:
    """Return the name without a leading ``./``."""
    name = PurePosixPath(member.name.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in member.name:
        raise FormatError(
            f"{path}: its member {member.name!r} has an absolute path or leads out of the archive; "
            "an OTB archive holds plain files beside each other. Do not trust this file."
        )
    return str(name)


def text_in(element: Element, name: str) -> str:
    """Return an attribute or the text of a child; empty when there is neither."""
    value = element.get(name)
    return (value if value is not None else element.findtext(name) or "").strip()


def number_in(element: Element, name: str, *, where: str) -> float:
    """Return an attribute or child that must be a finite number."""
    text = text_in(element, name)
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise FormatError(f"{where}: {name} must be a number; the file says {text!r}.")
    return value


def whole_in(element: Element, name: str, *, where: str, least: int = 0) -> int:
    """Return an attribute or child that must be a whole number of at least ``least``."""
    value = number_in(element, name, where=where)
    if value != int(value) or value < least:
        raise FormatError(
            f"{where}: {name} must be a whole number of at least {least}; the file says {value:g}."
        )
    return int(value)


def date_in(element: Element, name: str) -> datetime | None:
    """Return a date; None when it is missing or written in the words of some country."""
    try:
        return datetime.fromisoformat(text_in(element, name))
    except ValueError:
        return None
