"""The reader of MAT-files of version 5, beside scipy's."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from myograph.core.errors import FormatError
from myograph.io.mat5 import variables_in


def saved(variables: dict[str, object], **options: object) -> bytes:
    file = io.BytesIO()
    savemat(file, variables, **options)
    return file.getvalue()


def element(kind: int, data: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(-len(data) % 8)


def big_endian(values: np.ndarray, name: str) -> bytes:
    """A file as MATLAB on a big-endian machine wrote it."""
    parts = [
        element(6, struct.pack(">II", 6, 0), ">"),
        element(5, struct.pack(f">{values.ndim}i", *values.shape), ">"),
        element(1, name.encode(), ">"),
        element(9, values.astype(">f8").tobytes(order="F"), ">"),
    ]
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    return head + element(14, b"".join(parts), ">")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "code", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "bool"]
)
def test_every_number_as_scipy_reads_it(
    code: str, packed: bool, rng: np.random.Generator, tmp_path: Path
) -> None:
    values = (50 * rng.standard_normal((3, 4, 5))).astype(code)
    content = saved({"v": values}, do_compression=packed)
    ours = variables_in(content, where="x")["v"]
    theirs = loadmat(io.BytesIO(content))["v"]
    assert isinstance(ours, np.ndarray)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


def test_names_texts_structures_and_what_is_not_read() -> None:
    content = saved(
        {
            "emg": np.arange(6.0).reshape(2, 3),
            "muscle": "tibialis — µV",
            "nothing": "",
            "deep": {"left": {"TA": np.ones((1, 4))}, "fs": 1000.0},
            "cells": np.array([[1], "a"], dtype=object),
            "wave": np.array([1 + 2j]),
            "empty": np.zeros((0, 3)),
        }
    )
    found = variables_in(content, where="x")
    assert found["muscle"] == "tibialis — µV"
    assert found["nothing"] == ""
    assert found["cells"] is None
    assert found["wave"] is None
    assert np.shape(found["empty"]) == (0, 3)
    deep = found["deep"]
    assert isinstance(deep, dict)
    assert deep["fs"] == 1000.0
    assert isinstance(deep["left"], dict)
    np.testing.assert_array_equal(deep["left"]["TA"], np.ones((1, 4)))


def test_the_other_order_of_bytes(rng: np.random.Generator) -> None:
    values = rng.standard_normal((2, 5))
    found = variables_in(big_endian(values, "emg"), where="x")["emg"]
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, values)
    assert found.dtype.isnative


def lying(content: bytes, at: int, value: int) -> bytes:
    return content[:at] + struct.pack("<I", value) + content[at + 4 :]


PLAIN = saved({"emg": np.arange(600.0).reshape(2, 300)})
PACKED = saved({"emg": np.arange(600.0).reshape(2, 300)}, do_compression=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PLAIN[:127], "the order of its bytes"),
        (PLAIN[:130], "its last 2 bytes are no element"),
        (PLAIN[:-8], "promises 4848 bytes, 4840 are there"),
        (lying(PLAIN, 128, 3), "an element of type 3 stands for a variable"),
        (lying(PLAIN, 160, 3), r"variable 'emg' \(3 x 300\) needs 7200 bytes and has 4800"),
        (lying(PLAIN, 160, 2**32 - 2), r"has size \(-2, 300\)"),
        (lying(PLAIN, 176, 8), "has values of type 8"),
        (PACKED[:200] + b"\xff" * 9 + PACKED[209:], "cannot be decompressed"),
        (PLAIN[:128] + element(15, zlib.compress(PLAIN[128:])[:-9]), "does not end"),
        (PLAIN[:128] + element(15, zlib.compress(2 * PLAIN[128:])), "holds 2 elements"),
    ],
)
def test_damage_is_told(content: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=f"x.mat is a damaged or truncated MAT-file: .*{why}"):
        variables_in(content, where="x.mat")
