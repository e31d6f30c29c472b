"""Convert: what is kept, and what is said to be lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from myograph import read, write
from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.formats import FORMATS
from myograph.workflows.convert import convert

Make = Callable[..., Recording]


def test_the_native_format_loses_nothing(make_recording: Make, tmp_path: Path) -> None:
    source = write(make_recording(), tmp_path / "a.npz")
    done = convert(source, tmp_path / "b.myo")
    assert done.lost == ()
    assert done.relative_error == 0.0
    assert read(done.target) == read(source)


def test_what_a_format_cannot_hold_is_said(
    make_recording: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(make_recording(), tmp_path / "a.myo")
    poorer = FORMATS["npz"].holds - {"trials", "muscles", "session"}
    monkeypatch.setitem(FORMATS._entries, "npz", replace(FORMATS["npz"], holds=poorer))
    done = convert(source, tmp_path / "b.npz")
    assert done.lost == ("session", "trials")  # no channel names a muscle, so none is lost


def test_one_member_of_several(make_recording: Make, tmp_path: Path) -> None:
    both = RecordingSet({"emg": make_recording(), "slow": make_recording(fs_hz=500.0)})
    source = write(both, tmp_path / "both.myo")
    done = convert(source, tmp_path / "slow.npz", member="slow")
    slow = read(done.target)
    assert isinstance(slow, Recording)
    assert slow.fs_hz == 500.0
    with pytest.raises(DataError, match=r"no member 'imu'; it has \['emg', 'slow'\]"):
        convert(source, tmp_path / "imu.npz", member="imu")


def test_refusals(make_recording: Make, tmp_path: Path) -> None:
    source = write(make_recording(), tmp_path / "a.myo")
    with pytest.raises(OutputExistsError, match="already exists"):
        convert(source, source)
    with pytest.raises(ParameterError, match="is the source itself"):
        convert(source, source, force=True)
    with pytest.raises(ParameterError, match="ending"):
        convert(source, tmp_path / "b.docx")
    with pytest.raises(DataError, match="does not exist"):
        convert(tmp_path / "none.edf", tmp_path / "b.npz")
