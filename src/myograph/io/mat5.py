"""Variables in a MAT-file of version 5, read by its published layout with every length checked.

scipy's reader trusts the file: some altered bytes end the whole process, which no caller can catch.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError

__all__ = ["Found", "variables_in"]

#: What a variable of the file is to us: numbers, text, fields by name, or nothing we read.
Found = NDArray[Any] | str | dict[str, "Found"] | None

_HEADER_BYTES = 128
_ALIGNED = 8
_LARGEST_BYTES = 2**31 + 2**20  # of a variable, by the format, and its own head
_DEEPEST = 16  # structures in structures

_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
            13: "u8"}  # fmt: skip
_TEXTS = {2: "u1", 4: "u2", 16: "u1", 17: "u2", 18: "u4"}
_STRUCT, _CHAR, _FIRST_NUMERIC, _LAST_NUMERIC = 2, 4, 6, 15
_COMPLEX = 0x0800


@dataclass(frozen=True)
class _Element:
    """One piece of the file: the code of its type, and its bytes."""

    kind: int
    data: memoryview


def variables_in(content: bytes, *, where: str) -> dict[str, Found]:
    """Return the variables of a MAT-file of version 5, by name.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        For messages.

    Returns
    -------
    dict
        Real numbers as arrays of the stored type, text as one string, a structure of one element as
        a mapping of its fields. Cells, sparse and complex arrays, objects: None.

    Raises
    ------
    FormatError
        If the file breaks its own lengths, types or checksums.

    Notes
    -----
    Source: ``mathworks2024mat``.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER_BYTES - 2 : _HEADER_BYTES])
    if order is None:
        raise _damaged(where, "its head does not say the order of its bytes")
    reader = _Reader(order, where)
    found: dict[str, Found] = {}
    for element in reader.elements(memoryview(content)[_HEADER_BYTES:]):
        name, value = reader.variable(element)
        if name:  # without a name: MATLAB's own workspace of functions
            found[name] = value
    return found


def _damaged(where: str, why: str) -> FormatError:
    return FormatError(f"{where} is a damaged or truncated MAT-file: {why}.")


@dataclass(frozen=True)
class _Reader:
    """Reads elements of one file: the order of its bytes, and its name for messages."""

    order: str
    where: str

    def elements(self, data: memoryview) -> Iterator[_Element]:
        """Walk elements that follow one another."""
        at = 0
        while at < len(data):
            element, at = self._element(data, at)
            yield element

    def variable(self, element: _Element) -> tuple[str, Found]:
        """Return name and value of an element at the top of the file."""
        if element.kind == _COMPRESSED:
            inner = list(self.elements(self._inflated(element.data)))
            if len(inner) != 1:
                raise _damaged(self.where, f"a compressed variable holds {len(inner)} elements")
            element = inner[0]
        if element.kind != _MATRIX:
            raise _damaged(self.where, f"an element of type {element.kind} stands for a variable")
        return self._matrix(element.data, depth=0)

    def _element(self, data: memoryview, at: int) -> tuple[_Element, int]:
        if len(data) - at < _ALIGNED:
            raise _damaged(self.where, f"its last {len(data) - at} bytes are no element")
        first, n_bytes = (int(v) for v in np.frombuffer(data[at : at + 8], f"{self.order}u4"))
        if first >> 16:  # up to four bytes fit into the head itself
            kind, n_bytes = first & 0xFFFF, first >> 16
            start, after = at + 4, at + _ALIGNED
            room = 4
        else:
            kind, start = first, at + _ALIGNED
            padding = 0 if kind == _COMPRESSED else -n_bytes % _ALIGNED
            after = start + n_bytes + padding
            room = len(data) - start
        if n_bytes > room:
            raise _damaged(self.where, f"an element promises {n_bytes} bytes, {room} are there")
        return _Element(kind, data[start : start + n_bytes]), after

    def _inflated(self, data: memoryview) -> memoryview:
        stream = zlib.decompressobj()
        try:
            plain = stream.decompress(data, _LARGEST_BYTES)
        except zlib.error as error:
            raise _damaged(self.where, f"a variable cannot be decompressed ({error})") from error
        if not stream.eof:
            raise _damaged(self.where, "a compressed variable does not end")
        return memoryview(plain)

    def _matrix(self, data: memoryview, *, depth: int) -> tuple[str, Found]:
        if len(data) == 0:  # an empty field
            return "", None
        parts = self.elements(data)
        flags = self._integers(self._next(parts, "flags"), n=2)
        kind = int(flags[0]) & 0xFF
        if not (kind in (_STRUCT, _CHAR) or _FIRST_NUMERIC <= kind <= _LAST_NUMERIC):
            return self._name_of_other(parts), None
        shape = tuple(int(n) for n in self._integers(self._next(parts, "size")))
        if min(shape, default=-1) < 0:
            raise _damaged(self.where, f"a variable has size {shape}")
        name = bytes(self._next(parts, "name").data).decode("latin-1").rstrip("\0")
        if kind == _STRUCT:
            return name, self._structure(parts, shape, depth=depth)
        if kind == _CHAR:
            return name, self._text(parts)
        if int(flags[0]) & _COMPLEX:
            return name, None
        return name, self._numbers(self._next(parts, "values"), shape, name)

    def _name_of_other(self, parts: Iterator[_Element]) -> str:
        """Return the name of something that is not read, where it has one."""
        names = [bytes(part.data) for part in (*parts,)[:2] if part.kind in (1, 16)]
        return names[0].decode("latin-1").rstrip("\0") if names else ""

    def _next(self, parts: Iterator[_Element], what: str) -> _Element:
        element = next(parts, None)
        if element is None:
            raise _damaged(self.where, f"a variable ends before its {what}")
        return element

    def _integers(self, element: _Element, *, n: int | None = None) -> NDArray[Any]:
        if element.kind not in (5, 6) or len(element.data) % 4 or len(element.data) == 0:
            raise _damaged(self.where, "a size or a flag is no whole number")
        values = np.frombuffer(element.data, f"{self.order}i4")
        if n is not None and len(values) != n:
            raise _damaged(self.where, f"{len(values)} flags instead of {n}")
        return values

    def _numbers(self, element: _Element, shape: tuple[int, ...], name: str) -> NDArray[Any]:
        code = _NUMBERS.get(element.kind)
        if code is None:
            raise _damaged(self.where, f"variable {name!r} has values of type {element.kind}")
        dtype = np.dtype(self.order + code)
        promised = prod(shape) * dtype.itemsize
        if promised != len(element.data):
            size = " x ".join(str(n) for n in shape)
            raise _damaged(
                self.where,
                f"variable {name!r} ({size}) needs {promised} bytes and has {len(element.data)}",
            )
        values = np.frombuffer(element.data, dtype).reshape(shape, order="F")
        return values.astype(dtype.newbyteorder("="), copy=False)

    def _text(self, parts: Iterator[_Element]) -> str:
        element = next(parts, None)
        if element is None or len(element.data) == 0:
            return ""
        code = _TEXTS.get(element.kind)
        if code is None:
            raise _damaged(self.where, f"text is kept as type {element.kind}")
        encoding = {"u1": "utf-8", "u2": "utf-16", "u4": "utf-32"}[code]
        if code != "u1":
            encoding += {"<": "-le", ">": "-be"}[self.order]
        try:
            return bytes(element.data).decode(encoding)
        except UnicodeDecodeError as error:
            raise _damaged(self.where, f"text is not {encoding}") from error

    def _structure(self, parts: Iterator[_Element], shape: tuple[int, ...], *, depth: int) -> Found:
        length = int(self._integers(self._next(parts, "length of names"), n=1)[0])
        names = bytes(self._next(parts, "names of fields").data)
        if prod(shape) != 1 or depth >= _DEEPEST:
            return None  # an array of structures is no recording
        if length <= 0 or len(names) % length:
            raise _damaged(self.where, f"names of fields take {len(names)} bytes, {length} each")
        fields: dict[str, Found] = {}
        for at in range(0, len(names), length):
            name = names[at : at + length].split(b"\0")[0].decode("latin-1")
            element = self._next(parts, f"field {name!r}")
            if element.kind != _MATRIX:
                raise _damaged(self.where, f"field {name!r} is of type {element.kind}")
            fields[name] = self._matrix(element.data, depth=depth + 1)[1]
        return fields
