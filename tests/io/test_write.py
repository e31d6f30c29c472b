"""Writing is all or nothing."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.core.recording import Recording
from myograph.io import FORMATS, read, write

NAMES = ["rec.myo.h5", "rec.edf", "rec.bdf", "rec.csv", "rec.mat", "rec.npz", "rec.hea"]


class FullDisk:
    """Stands in for `Path.open`: a file that takes 1000 bytes and then no more."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *args: object, **kwargs: object) -> None:
        self.path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device", str(self.path))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("existing", [False, True])
def test_a_full_disk_leaves_nothing_half_written(
    name: str, existing: bool, emg: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    if existing:
        write(emg, path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def full(recording: Recording, target: Path) -> None:
        FullDisk(target)()

    chosen = next(e for e in FORMATS.values() if name.endswith(e.suffixes) and e.suffixes)
    broken = type(chosen)(
        **{f: getattr(chosen, f) for f in chosen.__slots__ if f != "save"}, save=full
    )
    monkeypatch.setitem(FORMATS._entries, chosen.name, broken)
    with pytest.raises(DataError, match=r"could not be written: .*No space left.*left behind"):
        write(emg, path, force=True)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_full_disk_while_samples_are_written(
    emg: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from myograph.io import edf_write

    def blocks(*args: object, **kwargs: object) -> object:
        yield np.zeros(100, dtype=np.uint8)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(edf_write, "_blocks", blocks)
    with pytest.raises(DataError, match="No space left on device"):
        write(emg, tmp_path / "rec.edf")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_another_kind_leaves_nothing_either(emg: Recording, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="letters, digits, _ and - only; got 'two words'"):
        write(emg, tmp_path / "two words.hea")
    assert list(tmp_path.iterdir()) == []


def test_a_side_file_that_exists_is_not_overwritten(emg: Recording, tmp_path: Path) -> None:
    (tmp_path / "rec.dat").write_bytes(b"somebody's")
    with pytest.raises(OutputExistsError, match=r"rec\.dat already exists"):
        write(emg, tmp_path / "rec.hea")
    assert (tmp_path / "rec.dat").read_bytes() == b"somebody's"
    assert [file.name for file in tmp_path.iterdir()] == ["rec.dat"]


def test_unknown_endings_list_the_known(emg: Recording, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"must be one of \[.*'\.edf'.*\]; got '\.edff'"):
        write(emg, tmp_path / "rec.edff")
    with pytest.raises(ParameterError, match=r"format must be one of .*; got 'flac'"):
        write(emg, tmp_path / "rec.edf", as_format="flac")


def test_a_missing_folder_is_said(emg: Recording, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is not a folder; create it"):
        write(emg, tmp_path / "nowhere" / "rec.edf")


def test_the_path_is_returned_and_text_paths_work(emg: Recording, tmp_path: Path) -> None:
    assert write(emg, str(tmp_path / "REC.NPZ")) == tmp_path / "REC.NPZ"
    assert read(str(tmp_path / "REC.NPZ")) == emg
