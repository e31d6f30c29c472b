"""XDF: several streams on one clock, interruptions, markers, damage."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, OutputExistsError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, RecordingSet, Subject
from myograph.io import read, write

pytest.importorskip("pyxdf")


@pytest.fixture
def recording(make_recording: Callable[..., Recording]) -> Recording:
    channels = (
        Channel("a <1> & b", "semg", muscle="soleus", side="right", position_mm=(1, 2, 3)),
        Channel("myo", "semg", scale="count"),
    )
    made = make_recording(fs_hz=1000.0, n_channels=2, duration_s=0.8)
    return replace(
        made, layout=Layout(1000.0, channels), started_at=datetime(2024, 5, 6, tzinfo=UTC)
    )


def chunk(tag: int, content: bytes, stream: int | None = None) -> bytes:
    body = struct.pack("<H", tag) + (b"" if stream is None else struct.pack("<I", stream)) + content
    return struct.pack("<BI", 4, len(body)) + body


def stream_of(
    number: int, name: str, rate: float, stamps: Any, values: Any, *, desc: str = "", kind: str = ""
) -> bytes:
    """Write a stream in which every sample carries its time."""
    values = np.asarray(values, dtype="<f8")
    values = values if values.ndim == 2 else values[:, None]
    header = (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{values.shape[1]}"
        f"</channel_count><nominal_srate>{rate}</nominal_srate>"
        f"<channel_format>double64</channel_format><desc>{desc}</desc></info>"
    )
    rows = b"".join(
        struct.pack("<Bd", 8, t) + v.tobytes() for t, v in zip(stamps, values, strict=True)
    )
    samples = struct.pack("<BI", 4, len(stamps)) + rows
    return chunk(2, header.encode(), number) + chunk(3, samples, number)


def file_of(path: Path, *parts: bytes) -> Path:
    path.write_bytes(b"XDF:" + chunk(1, b"<info><version>1.0</version></info>") + b"".join(parts))
    return path


EMG = (
    "<channels><channel><label>EMG TA</label><unit>millivolts</unit><type>EMG</type></channel>"
    "</channels>"
)


def test_there_and_back_is_the_same_recording(recording: Recording, tmp_path: Path) -> None:
    assert read(write(recording, tmp_path / "a.xdf")) == recording


def test_a_set_keeps_its_clock(recording: Recording, tmp_path: Path) -> None:
    imu = Recording(
        np.ones((3, 40)), Layout(50.0, tuple(Channel(f"a{i}", "acc") for i in "xyz")), start_s=0.1,
        subject=recording.subject,
    )  # fmt: skip
    path = write(RecordingSet({"emg": recording, "imu": imu}), tmp_path / "a.xdf")
    back = read(path)
    assert isinstance(back, RecordingSet)
    assert dict(back.members) == {"emg": recording, "imu": imu}


def test_pyxdf_reads_what_is_written(recording: Recording, tmp_path: Path) -> None:
    pyxdf = pytest.importorskip("pyxdf")
    streams, _ = pyxdf.load_xdf(str(write(recording, tmp_path / "a.xdf")))
    np.testing.assert_array_equal(streams[0]["time_series"].T, recording.samples)
    np.testing.assert_allclose(np.diff(streams[0]["time_stamps"]), 1e-3, rtol=1e-9)
    labels = [str(texts[0]) for texts in streams[1]["time_series"]]
    assert labels == [event.label for event in recording.events]
    np.testing.assert_allclose(streams[1]["time_stamps"], [e.onset_s for e in recording.events])


def test_more_than_one_chunk(tmp_path: Path) -> None:
    long = Recording(np.arange(200_000.0)[None], Layout(2000.0, (Channel("TA", "semg"),)))
    assert read(write(long, tmp_path / "a.xdf")) == long


def test_streams_of_other_programs(tmp_path: Path) -> None:
    t_emg, t_acc = 100.0 + np.arange(500) / 500, 100.2 + np.arange(50) / 50
    acc = "<channels>" + "".join(
        f"<channel><label>acc {axis}</label><unit>g</unit></channel>" for axis in "xyz"
    ) + "</channels>"  # fmt: skip
    path = file_of(
        tmp_path / "a.xdf",
        stream_of(1, "Trigno", 500, t_emg, np.arange(500) / 1000, desc=EMG, kind="EMG"),
        stream_of(2, "IMU", 50, t_acc, np.ones((50, 3)), desc=acc),
        stream_of(3, "keys", 0, [100.5, 100.9], [7, 8]),
        stream_of(4, "off", 500, [], np.empty((0, 1))),
    )
    found = read(path)
    assert isinstance(found, RecordingSet)
    assert list(found) == ["Trigno", "IMU"]
    assert found["Trigno"].layout == Layout(500.0, (Channel("EMG TA", "semg"),))
    np.testing.assert_allclose(found["Trigno"].samples[0], np.arange(500), rtol=1e-6)
    assert found["IMU"].start_s == pytest.approx(0.2)
    assert [(round(e.onset_s, 6), e.label, e.source) for e in found["IMU"].events] == [
        (0.5, "7", "keys"),
        (0.9, "8", "keys"),
    ]


def test_an_interruption_is_a_gap_and_holds_the_last_value(tmp_path: Path) -> None:
    stamps = np.r_[np.arange(200), np.arange(500, 800)] / 500
    values = np.arange(500.0)
    path = file_of(tmp_path / "a.xdf", stream_of(1, "Trigno", 500, stamps, values, desc=EMG))
    found = read(path)
    assert isinstance(found, Recording)
    assert found.n_samples == 800
    (gap,) = found.events
    assert (gap.label, round(gap.onset_s, 9), round(gap.duration_s, 9)) == (GAP, 0.4, 0.6)
    np.testing.assert_allclose(found.samples[0, 200:500], 199e3, rtol=1e-6)
    np.testing.assert_allclose(found.samples[0, 500:], 1e3 * values[200:], rtol=1e-6)
    part = read(path, start_s=0.9, stop_s=1.1)
    assert isinstance(part, Recording)
    np.testing.assert_array_equal(part.samples, found.samples[:, 450:550])


def test_a_clock_that_strays_gives_the_measured_rate(tmp_path: Path) -> None:
    stamps = np.arange(2000) / 499.0
    path = file_of(tmp_path / "a.xdf", stream_of(1, "T", 500, stamps, np.zeros(2000), desc=EMG))
    found = read(path)
    assert isinstance(found, Recording)
    assert found.fs_hz == pytest.approx(499.0, rel=1e-6)


def test_what_is_neither_signal_nor_event_is_refused(tmp_path: Path) -> None:
    path = file_of(
        tmp_path / "a.xdf",
        stream_of(1, "T", 500, np.arange(50) / 500, np.zeros(50), desc=EMG),
        stream_of(2, "gaze", 0, [0.01], [[1, 2]]),
    )
    with pytest.raises(DataError, match=r"'gaze': 2 channels without a sampling rate.*channels="):
        read(path)
    assert isinstance(read(path, channels=["EMG TA"]), (Recording, RecordingSet))


def test_files_without_signals_are_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.xdf", stream_of(1, "keys", 0, [0.1], [1]))
    with pytest.raises(FormatError, match=r"holds no samples: none of its streams \['keys'\]"):
        read(path)


def test_truncated_files_are_refused(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.xdf")
    whole = path.read_bytes()
    for kept in (len(whole) - 1, len(whole) // 2, 40, 5):
        path.write_bytes(whole[:kept])
        with pytest.raises(FormatError, match=r"a.xdf: .*truncated or damaged"):
            read(path)


def test_lying_chunks_are_refused(tmp_path: Path) -> None:
    good = stream_of(1, "T", 500, np.arange(50) / 500, np.zeros(50), desc=EMG)
    more = good.replace(struct.pack("<BI", 4, 50), struct.pack("<BI", 4, 60))
    with pytest.raises(FormatError, match=r"chunks declare 60 samples, 0 with a time"):
        read(file_of(tmp_path / "a.xdf", more))
    with pytest.raises(FormatError, match=r"at byte \d+ a length of 1, 4 or 8 bytes.*says 3"):
        read(file_of(tmp_path / "b.xdf", good, b"\x03abc"))
    with pytest.raises(FormatError, match="names no stream"):
        read(file_of(tmp_path / "c.xdf", good, chunk(3, b"ab")))
    far = stream_of(1, "T", 500, np.r_[np.arange(49) / 500, 1e9], np.zeros(50), desc=EMG)
    with pytest.raises(FormatError, match=r"time stamps up to 1e.09 s after the first"):
        read(file_of(tmp_path / "d.xdf", far))
    wrong = good.replace(b"double64", b"double65")
    with pytest.raises(FormatError, match=r"XDF streams are damaged.*double65"):
        read(file_of(tmp_path / "e.xdf", wrong))


def test_entities_are_refused_before_they_expand(tmp_path: Path) -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><info><name>&b;</name></info>"
    path = file_of(tmp_path / "a.xdf", chunk(2, bomb, 1))
    with pytest.raises(FormatError, match=r"chunk at byte \d+.*declares a document type"):
        read(path)
    path = file_of(tmp_path / "b.xdf", chunk(2, b"<info><name>", 1))
    with pytest.raises(FormatError, match="its XML is damaged"):
        read(path)


def test_a_damaged_own_header_is_refused(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.xdf")
    path.write_bytes(path.read_bytes().replace(b'"kind":"semg"', b'"kind":"smeg"'))
    with pytest.raises(FormatError, match=r"a.xdf: the Myograph header breaks a rule.*'smeg'"):
        read(path)


def test_existing_outputs_stay(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.xdf")
    other = replace(recording, subject=Subject("p2"))
    with pytest.raises(OutputExistsError, match="already exists"):
        write(other, path)
    assert read(path) == recording
    assert read(write(other, path, force=True)) == other


def test_labels_that_xml_cannot_hold(tmp_path: Path) -> None:
    layout = Layout(100.0, (Channel("a\x07b]]>", "semg"),))
    events = (Event(0.1, 0.0, "bell\x07 <&>"),)
    odd = Recording(np.zeros((1, 50)), layout, events=events, session="\x00\ufffe")
    assert read(write(odd, tmp_path / "a.xdf")) == odd
