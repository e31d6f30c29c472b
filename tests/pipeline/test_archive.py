from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from myograph.core.errors import ArtifactError, OutputExistsError
from myograph.pipeline.archive import (
    pack,
    pack_arrays,
    unpack,
    unpack_arrays,
    write_atomically,
)

LIMITS = {"a.txt": 100, "b.bin": 100}
MEMBERS = {"a.txt": b"words", "b.bin": bytes(range(50))}


def zipped(members: list[tuple[str, bytes]], **changes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def test_members_come_back_and_equal_members_give_equal_bytes():
    assert unpack(pack(MEMBERS), LIMITS, where="x") == MEMBERS
    assert pack(MEMBERS) == pack(dict(MEMBERS))
    with zipfile.ZipFile(io.BytesIO(pack(MEMBERS))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../a.txt", "in/../../a.txt", "..\\a.txt", "\\a.txt", "C:\\a.txt"]
)
def test_a_name_that_leads_outside_is_refused(name: str):
    content = zipped([*MEMBERS.items(), (name, b"x")])
    with pytest.raises(ArtifactError, match="a name that leads outside"):
        unpack(content, LIMITS, where="x.myomodel")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.txt", b"words")], r"x\.myomodel is not a whole model file: \['b\.bin'\] missing"),
        ([*MEMBERS.items(), ("more", b"")], r"holds \['more'\], which no model file has"),
        ([("a.txt", b"words"), ("b.bin", b"x" * 101)], r"b\.bin in .* larger than 100 bytes"),
        ([("a.txt", b"words"), ("b.bin", b"0" * 10**7)], r"b\.bin in .* larger than 100 bytes"),
    ],
)
def test_members_missing_unknown_or_too_large_are_refused(members, message: str):
    with pytest.raises(ArtifactError, match=message):
        unpack(zipped(members), LIMITS, where="x.myomodel")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_listed_twice_is_refused():
    content = zipped([*MEMBERS.items(), ("a.txt", b"other")])
    with pytest.raises(ArtifactError, match="lists a member twice"):
        unpack(content, LIMITS, where="x")


def test_a_size_that_the_header_understates_is_refused():
    content = bytearray(zipped([("a.txt", b"words"), ("b.bin", b"0" * 5000)]))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.rindex(signature) + offset
        assert struct.unpack_from("<I", content, at) == (5000,)
        struct.pack_into("<I", content, at, 50)
    with pytest.raises(ArtifactError, match=r"damaged|larger than"):
        unpack(bytes(content), LIMITS, where="x")


def test_an_encrypted_member_is_refused():
    content = bytearray(zipped(list(MEMBERS.items())))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    with pytest.raises(ArtifactError, match=r"a\.txt in x is encrypted"):
        unpack(bytes(content), LIMITS, where="x")


@pytest.mark.parametrize("content", [b"", b"PK", b"hello", pack(MEMBERS)[:-10], pack(MEMBERS)[:60]])
def test_what_is_not_a_whole_zip_file_is_refused(content: bytes):
    with pytest.raises(ArtifactError, match="x is damaged or not a model file"):
        unpack(content, LIMITS, where="x")


@settings(deadline=None)
@given(st.integers(0, len(pack(MEMBERS)) - 1), st.integers(1, 255))
def test_any_byte_changed_is_refused_or_changes_nothing(at: int, by: int):
    content = bytearray(pack(MEMBERS))
    content[at] ^= by
    try:
        members = unpack(bytes(content), LIMITS, where="x")
    except ArtifactError:
        return
    assert members == MEMBERS


dtypes = st.sampled_from([np.float64, np.float32, np.int32, np.int64, np.bool_, "<U5"])


some_arrays = arrays(dtypes, array_shapes(min_dims=0))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abc"), some_arrays, max_size=3))
def test_arrays_come_back_and_numpy_reads_them_too(given_arrays):
    content = pack_arrays(given_arrays)
    assert content == pack_arrays(dict(reversed(given_arrays.items())))
    back = unpack_arrays(content, where="x")
    with np.load(io.BytesIO(content), allow_pickle=False) as theirs:
        assert set(back) == set(given_arrays) == set(theirs)
        for name, array in given_arrays.items():
            assert back[name].dtype == array.dtype
            np.testing.assert_array_equal(back[name], array)
            np.testing.assert_array_equal(theirs[name], array)


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"x" * 8), "of object"),
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9000000000000,)}", b"x" * 8),
            "72000000000000 bytes of float64; 8 are there",
        ),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "cannot be read|bytes"),
        (
            npy("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}", b"x" * 8),
            "of >f8",
        ),
        (npy("{'descr': '<f8', 'shape': (1,)}", b"x" * 8), "cannot be read"),
        (npy("__import__('os').getcwd()"), "cannot be read"),
        (b"no array", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_an_array_that_lies_or_carries_code_is_refused(content: bytes, message: str):
    with pytest.raises(ArtifactError, match=message):
        unpack_arrays(pack({"a.npy": content}, compress=False), where="x")


def test_packed_arrays_are_refused():
    with pytest.raises(ArtifactError, match="must be stored as they are"):
        unpack_arrays(pack({"a.npy": npy("")}), where="x")


def test_arrays_in_a_damaged_file_are_refused():
    with pytest.raises(ArtifactError, match="damaged or not an npz file"):
        unpack_arrays(b"nonsense", where="x")


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path):
    path = tmp_path / "out"
    write_atomically(path, b"first", force=False)
    with pytest.raises(OutputExistsError, match=r"out is already there.*--force"):
        write_atomically(path, b"second", force=False)
    assert path.read_bytes() == b"first"
    write_atomically(path, b"second", force=True)
    assert path.read_bytes() == b"second"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").write_bytes(b"first")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_atomically(tmp_path / "out", b"second", force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_bytes() == b"first"
