"""BrainVision: three files, exact samples, markers that may be edited elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, OutputExistsError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, RecordingSet
from myograph.io import read, write


@pytest.fixture
def recording(make_recording: Callable[..., Recording]) -> Recording:
    made = make_recording(fs_hz=3000.0, duration_s=0.5)
    channels = (
        Channel("a,b", "semg", muscle="tibialis anterior", side="left", position_mm=(1, 2, 3)),
        Channel("grip", "force"),
        Channel("myo", "semg", scale="count"),
    )
    events = (*made.events, Event(0.1, 0.0, "go, now"), Event(0.2, 0.1, GAP, "reader"))
    return replace(
        made,
        layout=Layout(3000.0, channels),
        events=events,
        started_at=datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC),
        start_s=0.0,
    )


@pytest.fixture
def written(recording: Recording, tmp_path: Path) -> Path:
    return write(recording, tmp_path / "a.vhdr")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_there_and_back_is_the_same_recording(recording: Recording, written: Path) -> None:
    assert read(written) == recording
    assert sorted(p.name for p in written.parent.iterdir()) == ["a.eeg", "a.vhdr", "a.vmrk"]


def test_a_slice_is_the_slice_of_the_whole(recording: Recording, written: Path) -> None:
    part = read(written, start_s=0.1, stop_s=0.2, channels=["grip"])
    assert part == recording.select(["grip"]).crop(0.1, 0.2)


def test_mne_reads_what_is_written(recording: Recording, written: Path) -> None:
    mne = pytest.importorskip("mne")
    raw = mne.io.read_raw_brainvision(written, misc=["grip", "myo"], verbose="error")
    np.testing.assert_allclose(raw.get_data(["a,b"])[0] * 1e6, recording.samples[0], rtol=1e-6)
    assert raw.info["sfreq"] == pytest.approx(3000.0)
    assert "Comment/go, now" in set(raw.annotations.description)


def test_what_pybv_writes_is_read(tmp_path: Path) -> None:
    pybv = pytest.importorskip("pybv")
    samples = np.array([[1.0, -2.0, 3.0, 4.0], [0.5, 0.25, -1.0, 0.0]])
    pybv.write_brainvision(
        data=samples * 1e-6, sfreq=500, ch_names=["EMG TA", "EMG SOL"], folder_out=tmp_path,
        fname_base="b", fmt="binary_int16", resolution=0.25, meas_date="20240506070809000000",
        events=[{"onset": 2, "duration": 1, "description": 7, "type": "Stimulus"}],
    )  # fmt: skip
    found = read(tmp_path / "b.vhdr")
    assert isinstance(found, Recording)
    np.testing.assert_allclose(found.samples, samples)
    assert found.layout.names == ("EMG TA", "EMG SOL")
    assert found.started_at == datetime(2024, 5, 6, 7, 8, 9)  # noqa: DTZ001 (no zone in the file)
    assert found.events == (Event(0.004, 0.0, "S  7", "Stimulus"),)


def test_markers_edited_elsewhere_win_over_the_header(written: Path) -> None:
    edit(written.with_suffix(".vmrk"), "go\\1 now,301,1,0", "stop,601,300,0")
    found = read(written)
    assert isinstance(found, Recording)
    assert Event(0.2, 0.1, "stop") in found.events
    assert found.layout.channels[0].muscle == "tibialis anterior"


def test_a_renamed_channel_is_taken_by_its_new_name(written: Path) -> None:
    edit(written, "Ch2=grip,,1,N", "Ch2=handle,,2,N")
    found = read(written, kinds={"a,b": "semg", "myo": "semg"})
    assert isinstance(found, Recording)
    assert found.layout.names == ("a,b", "handle", "myo")
    assert found.layout.channels[1].kind == "force"


def test_a_pause_is_a_gap(written: Path) -> None:
    edit(written.with_suffix(".vmrk"), "Mk2=", "Mk20=New Segment,,601,1,0,0\nMk2=")
    found = read(written)
    assert isinstance(found, Recording)
    assert Event(0.2, 1 / 3000, GAP, "reader") in found.events


def test_vectorized_files_are_read(recording: Recording, written: Path) -> None:
    written.with_suffix(".eeg").write_bytes(recording.samples.astype("<f4").tobytes())
    edit(written, "MULTIPLEXED", "VECTORIZED")
    assert read(written) == recording


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("NumberOfChannels=3", "NumberOfChannels=4", "NumberOfChannels says 4.*describes 3"),
        ("NumberOfChannels=3", "NumberOfChannels=x", "NumberOfChannels must be a number.*'x'"),
        ("SamplingInterval=", "SamplingInterval=-", "SamplingInterval must be a number above 0"),
        ("SamplingInterval", "Interval", "SamplingInterval must be a number above 0.*''"),
        ("IEEE_FLOAT_32", "FLOAT", "BinaryFormat must be one of.*'FLOAT'"),
        ("DataFormat=BINARY", "DataFormat=ASCII", "DataFormat 'ASCII' is not supported"),
        ("DataFile=a.eeg", "DataFile=b.eeg", "DataFile is 'b.eeg', and there is no such file"),
        ("DataFile=a.eeg", "DataFile=../a.eeg", "name of a file beside the header.*'../a.eeg'"),
        ("DataFile=a.eeg", "DataFile=/etc/passwd", "name of a file beside the header"),
        ("DataFile=a.eeg", "", "does not say DataFile="),
        ("MarkerFile=a.vmrk", "MarkerFile=c.vmrk", "MarkerFile is 'c.vmrk', and there is no such"),
        ("Ch3=", "Ch7=", "no line Ch3="),
        ("Codepage=UTF-8", "Codepage=UTF-8\nnonsense", r"line 6: a line must read key=value"),
        ("DataFormat=", "DataPoints=7\nDataFormat=", "18000 bytes do not make 7 samples"),
        ('"myograph":1', '"myograph":99', "written in header version 99"),
        ('"fs_hz":3000.0', '"fs_hz":-1', "header breaks a rule"),
    ],
)
def test_damaged_headers(written: Path, old: str, new: str, message: str) -> None:
    edit(written, old, new)
    with pytest.raises(FormatError, match=f"a.vhdr.*{message}|a.eeg.*{message}"):
        read(written)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Marker File", "File", "is not a BrainVision marker file"),
        (",301,1,0", "", "a marker must read type,description,position"),
        ("20240506", "20241306", "date 20241306070809123456 of the first marker is none"),
    ],
)
def test_damaged_markers(written: Path, old: str, new: str, message: str) -> None:
    edit(written.with_suffix(".vmrk"), old, new)
    edit(written, "Ch2=grip", "Ch2=force")  # the header is no longer believed
    with pytest.raises(FormatError, match=message):
        read(written, kinds="semg", unit="uV")


def test_truncated_samples(written: Path) -> None:
    data = written.with_suffix(".eeg")
    data.write_bytes(data.read_bytes()[:-5])
    with pytest.raises(FormatError, match=r"a.eeg: 17995 bytes do not make whole.*truncated"):
        read(written)


def test_stray_markers_are_refused_or_dropped(written: Path) -> None:
    edit(written.with_suffix(".vmrk"), "now,301,1,0", "now,9999,1,0")
    with pytest.raises(DataError, match=r"'go, now' at 3.33.*stray_events='drop'"):
        read(written)
    found = read(written, stray_events="drop")
    assert isinstance(found, Recording)
    assert "go, now" not in {e.label for e in found.events}


def test_existing_outputs_stay(recording: Recording, written: Path) -> None:
    before = {p.name: p.read_bytes() for p in written.parent.iterdir()}
    written.unlink()  # the marker file alone is in the way
    with pytest.raises(OutputExistsError, match=r"a.eeg.*already exist"):
        write(recording, written)
    assert not written.exists()
    write(recording, written, force=True)
    assert {p.name: p.read_bytes() for p in written.parent.iterdir()} == before


def test_several_rates_do_not_fit(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"holds one sampling rate; this set has 1 recordings \(\['emg'\]"
    ):
        write(RecordingSet({"emg": recording}), tmp_path / "a.vhdr")
    assert list(tmp_path.iterdir()) == []
