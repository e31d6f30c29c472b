"""An archive is unpacked whole or not at all, and never outside its folder."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from myograph.core.errors import DataError, FormatError
from myograph.datasets.archive import unpack
from myograph.datasets.files import MANIFEST, Files


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def test_files_come_out_as_they_went_in_with_their_digests(
    make_tar: Callable[..., Path], tmp_path: Path
) -> None:
    contents = {"d/a.txt": b"one", "d/deep/b.bin": bytes(range(256)) * 5000}
    folder = unpack(make_tar(contents), tmp_path / "out")
    assert {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*.*")
        if p.is_file() and p.name != MANIFEST
    } == contents
    digests = json.loads((folder / MANIFEST).read_text())
    assert digests == {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def test_only_wanted_files_come_out_and_leading_folders_can_go(
    make_tar: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_tar({"repo-1/data/x.csv": b"1", "repo-1/code.py": b"2"}, name="a.tar.gz")
    folder = unpack(archive, tmp_path / "out", keep=("data/*.csv",), strip=1)
    assert [p.name for p, _ in Files(folder).find(r"x|code")] == ["x.csv"]
    assert (folder / "data" / "x.csv").read_bytes() == b"1"


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up.txt", "d/../../up.txt", "C:/x.txt", "d\\..\\x.txt"]
)
def test_a_path_that_leads_out_refuses_the_whole_archive(
    make_tar: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    archive = make_tar({"d/good.txt": b"good", name: b"bad"})
    with pytest.raises(FormatError, match="leads out of the folder"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []
    assert not (tmp_path / "up.txt").exists()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"),
        (tarfile.SYMTYPE, "good.txt"),
        (tarfile.LNKTYPE, "d/good.txt"),
        (tarfile.CHRTYPE, ""),
        (tarfile.BLKTYPE, ""),
        (tarfile.FIFOTYPE, ""),
    ],
)
def test_links_and_devices_are_refused(
    make_tar: Callable[..., Path], tmp_path: Path, kind: bytes, target: str
) -> None:
    archive = make_tar({"d/good.txt": b"good"}, members=(member("d/odd", kind, target),))
    with pytest.raises(FormatError, match="link or a device"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("name", ["a.tar.xz", "a.tar.gz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_archive_is_named_damaged_and_leaves_nothing(
    make_tar: Callable[..., Path], tmp_path: Path, name: str, share: float
) -> None:
    noise = hashlib.shake_256(b"noise").digest(200_000)
    archive = make_tar({"d/a": noise, "d/b": noise[::-1]}, name=name)
    archive.write_bytes(archive.read_bytes()[: int(share * archive.stat().st_size)])
    with pytest.raises(FormatError, match="damaged or no tar archive"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


def test_a_flipped_byte_is_noticed(make_tar: Callable[..., Path], tmp_path: Path) -> None:
    archive = make_tar({"d/a": hashlib.shake_256(b"x").digest(100_000)})
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        unpack(archive, tmp_path / "out")


def test_an_archive_without_the_data_says_so(make_tar: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no file named like"):
        unpack(make_tar({"readme.md": b"hello"}), tmp_path / "out", keep=("*.csv",))


def test_a_place_that_cannot_be_written_is_an_error_in_words(
    make_tar: Callable[..., Path], tmp_path: Path
) -> None:
    # The same name twice stands for every failure of the disk: the second cannot be written.
    archive = make_tar({"d/a": b"1"}, members=(member("d/a"),))
    with pytest.raises(DataError, match="could not be unpacked"):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


def test_who_comes_second_takes_what_the_first_unpacked(
    make_tar: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_tar({"d/a": b"1"})
    first = unpack(archive, tmp_path / "out")
    assert unpack(archive, tmp_path / "out") == first
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".unpacking")] == []


def test_progress_ends_with_the_whole_archive(
    make_tar: Callable[..., Path], tmp_path: Path
) -> None:
    told: list[tuple[str, int, int | None]] = []
    archive = make_tar({f"d/{i}": b"x" * 1000 for i in range(5)})
    unpack(archive, tmp_path / "out", progress=lambda *now: told.append(now))
    size = archive.stat().st_size
    assert len(told) == 5
    assert told[-1] == ("unpack", size, size)
