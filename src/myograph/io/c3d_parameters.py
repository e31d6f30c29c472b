"""The parameter section of a C3D file: groups of named arrays, in blocks of 512 bytes.

Layout as published in the C3D user guide (c3d.org).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError

__all__ = ["BLOCK", "Machine", "Parameters", "pack_parameters", "parse_parameters"]

#: Bytes in a block; everything begins at one.
BLOCK = 512

# A dimension is one byte, so longer lists go on under the same name with a number.
_LONGEST = 255

_TEXT, _BYTE, _INTEGER, _REAL = -1, 1, 2, 4


@dataclass(frozen=True, slots=True)
class Machine:
    """The processor for which a file was written: how its numbers lie in bytes."""

    code: int

    @property
    def order(self) -> str:
        """Byte order, as numpy names it."""
        return ">" if self.code == 86 else "<"

    def integers(self, raw: bytes) -> NDArray[np.int16]:
        """Return 16-bit integers."""
        return np.frombuffer(raw, f"{self.order}i2").astype(np.int16)

    def reals(self, raw: bytes) -> NDArray[np.float64]:
        """Return 32-bit reals."""
        if self.code != 85:
            return np.frombuffer(raw, f"{self.order}f4").astype(np.float64)
        # DEC: the two words stand the other way round, and the exponent counts from 2 more.
        words = np.frombuffer(raw, "<u2").reshape(-1, 2)[:, ::-1]
        return np.ascontiguousarray(words).view("<f4")[:, 0].astype(np.float64) / 4


#: Group name -> parameter name -> list of texts or array of numbers.
Parameters = dict[str, dict[str, Any]]


def parse_parameters(data: bytes, machine: Machine, *, where: str) -> Parameters:
    """Parse the section, without its four leading bytes.

    Raises
    ------
    FormatError
        If a record reaches outside the section or is of a type that does not exist.
    """
    names: dict[int, str] = {}
    found: dict[int, dict[str, Any]] = {}
    position = 0
    while position + 2 <= len(data) and data[position] != 0:
        length, number = struct.unpack_from("bb", data, position)
        name_end = position + 2 + abs(length)
        if name_end + 2 > len(data):
            raise _cut(where, position)
        name = data[position + 2 : name_end].decode("latin-1").strip().upper()
        (step,) = struct.unpack_from(f"{machine.order}h", data, name_end)
        if number < 0:
            names[-number] = name
        elif number > 0:
            content = data[name_end + 2 :]
            found.setdefault(number, {})[name] = _value(content, machine, f"{where}, {name}")
        if step <= 0:
            break
        position = name_end + step
    return {names.get(number, str(number)): group for number, group in found.items()}


def _value(content: bytes, machine: Machine, where: str) -> Any:
    if len(content) < 2 or len(content) < 2 + content[1]:
        raise _cut(where, 0)
    (kind,) = struct.unpack_from("b", content)
    sizes = list(content[2 : 2 + content[1]])
    n_values = int(np.prod(sizes, dtype=np.int64)) if sizes else 1
    start = 2 + len(sizes)
    raw = content[start : start + n_values * abs(kind)]
    if kind not in (_TEXT, _BYTE, _INTEGER, _REAL) or len(raw) != n_values * abs(kind):
        raise _cut(where, start)
    if kind == _TEXT:
        width = sizes[0] if sizes else 1
        n_texts = n_values // width if width else 0
        return [raw[i * width : (i + 1) * width].decode("latin-1").strip() for i in range(n_texts)]
    if kind == _BYTE:
        return np.frombuffer(raw, "u1")
    return machine.integers(raw) if kind == _INTEGER else machine.reals(raw)


def _cut(where: str, position: int) -> FormatError:
    return FormatError(
        f"{where}: the parameter record at byte {position} of its section reaches outside it or "
        "is of no known type; the file is truncated or damaged."
    )


def pack_parameters(groups: Mapping[str, Mapping[str, Sequence[Any]]]) -> bytes:
    """Return the whole section for an Intel machine; values are texts, ints, floats or rows."""
    records = b""
    for number, (group, parameters) in enumerate(groups.items(), start=1):
        records += _record(group, -number, b"\0")
        for name, values in parameters.items():
            for part in range(0, max(len(values), 1), _LONGEST):
                suffix = str(part // _LONGEST + 1) if part else ""
                content = _content(values[part : part + _LONGEST]) + b"\0"
                records += _record(name + suffix, number, content)
    n_blocks = -(-(len(records) + 6) // BLOCK)
    return (struct.pack("4B", 1, 0x50, min(n_blocks, 255), 84) + records).ljust(
        n_blocks * BLOCK, b"\0"
    )


def _record(name: str, number: int, content: bytes) -> bytes:
    return (
        struct.pack("bb", len(name), number)
        + name.encode("ascii")
        + struct.pack("<h", 2 + len(content))
        + content
    )


def _content(values: Sequence[Any]) -> bytes:
    if values and isinstance(values[0], str):
        texts = [text.encode("ascii", "replace") for text in values]
        width = max(map(len, texts), default=0)
        packed = b"".join(text.ljust(width) for text in texts)
        return struct.pack("bBBB", _TEXT, 2, width, len(texts)) + packed
    if values and isinstance(values[0], int):
        # Counts up to 65535 are written in the signed words that the format has.
        packed = np.array(values, np.uint16).astype("<u2").tobytes()
        return struct.pack("bBB", _INTEGER, 1, len(values)) + packed
    reals = np.array(values, "<f4")
    return struct.pack(f"bB{reals.ndim}B", _REAL, reals.ndim, *reals.shape[::-1]) + reals.tobytes()
