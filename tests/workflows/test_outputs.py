"""Outputs: complete or not there, never somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from myograph.core.errors import DataError, OutputExistsError
from myograph.workflows.outputs import new_folder, read_json, write_json, write_text


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "µV\n")
    assert path.read_bytes() == "µV\n".encode()
    assert _names(tmp_path) == ["a.txt"]


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.txt", "first")
    with pytest.raises(OutputExistsError, match=r"a\.txt already exists .*--force"):
        write_text(path, "second")
    assert path.read_text() == "first"
    assert write_text(path, "second", force=True).read_text() == "second"


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none is not a folder"):
        write_text(tmp_path / "none" / "a.txt", "x")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_text(tmp_path / "a.txt", "first")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "second", force=True)
    assert path.read_text() == "first"
    assert _names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
def test_a_result_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    made = write_text(tmp_path / "made", "x")
    assert made.stat().st_mode == (tmp_path / "plain").stat().st_mode
    with new_folder(tmp_path / "folder", mark="made") as folder:
        write_text(folder / "made", "x")
    assert (tmp_path / "folder" / "made").stat().st_mode == made.stat().st_mode


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"x": 1, "y": [1.5]})
    write_json(tmp_path / "b", {"y": [1.5], "x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_json(tmp_path / "a") == {"x": 1, "y": [1.5]}


def test_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json is damaged: it is not JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(DataError, match=r"none\.json cannot be read"):
        read_json(tmp_path / "none.json")


def _fail_half_way(target: Path) -> None:
    with new_folder(target, mark="m") as folder:
        (folder / "m").write_text("half")
        raise RuntimeError("the power went")


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the power went"):
        _fail_half_way(tmp_path / "x")
    assert _names(tmp_path) == []


def test_only_a_folder_of_ours_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.mkdir()
    (target / "theirs").write_text("x")
    with (
        pytest.raises(OutputExistsError, match="is not a result of Myograph"),
        new_folder(target, mark="m", force=True),
    ):
        pass
    (target / "m").write_text("old")
    with new_folder(target, mark="m", force=True) as folder:
        (folder / "m").write_text("new")
    assert _names(target) == ["m"]
    assert (target / "m").read_text() == "new"
