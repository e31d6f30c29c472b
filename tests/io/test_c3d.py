"""C3D: analog channels, checked against ezc3d in both directions."""

from __future__ import annotations

import struct
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
from myograph.io.c3d_parameters import Machine, pack_parameters, parse_parameters
from myograph.io.formats import sniff_format


@pytest.fixture
def recording(make_recording: Callable[..., Recording]) -> Recording:
    channels = (
        Channel("TA", "semg", muscle="tibialis anterior", side="left", position_mm=(1, 2, 3)),
        Channel("Fz", "force"),
        Channel("Mx", "torque"),
        Channel("myo ü", "semg", scale="count"),
    )
    made = make_recording(fs_hz=1000.0, n_channels=4, duration_s=0.5)
    events = (*made.events, Event(0.1, 0.0, "heel strike"), Event(0.2, 0.1, GAP, "reader"))
    return replace(
        made,
        layout=Layout(1000.0, channels),
        events=events,
        started_at=datetime(2024, 5, 6, tzinfo=UTC),
    )


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A file of ezc3d: 100 Hz markers, 1000 Hz analog, events, nothing of ours in it."""
    ezc3d = pytest.importorskip("ezc3d")
    made = ezc3d.c3d()
    made["header"]["points"]["first_frame"] = 20
    made["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    made["parameters"]["POINT"]["LABELS"]["value"] = ["LASI", "RASI"]
    made["parameters"]["ANALOG"]["RATE"]["value"] = [1000.0]
    made["parameters"]["ANALOG"]["LABELS"]["value"] = ["EMG TA", "Fz1", "Mx1"]
    made["parameters"]["ANALOG"]["UNITS"]["value"] = ["V", "N", "Nmm"]
    made["data"]["points"] = np.ones((4, 2, 30))
    made["data"]["analogs"] = analog()[None]
    made.add_parameter("EVENT", "USED", [2])
    made.add_parameter("EVENT", "LABELS", ["Foot Strike", "Foot Off"])
    made.add_parameter("EVENT", "CONTEXTS", ["Left", "General"])
    made.add_parameter("EVENT", "TIMES", np.array([[0.0, 0.0], [0.3, 0.35]]))
    made.write(str(tmp_path / "f.c3d"))
    return tmp_path / "f.c3d"


def analog() -> np.ndarray:
    return np.random.default_rng(1).standard_normal((3, 300)).astype(np.float32).astype(float)


def test_there_and_back_is_the_same_recording(recording: Recording, tmp_path: Path) -> None:
    assert read(write(recording, tmp_path / "a.c3d")) == recording


def test_a_slice_is_the_slice_of_the_whole(recording: Recording, tmp_path: Path) -> None:
    part = read(write(recording, tmp_path / "a.c3d"), start_s=0.1, stop_s=0.2, channels=["Fz"])
    assert part == recording.select(["Fz"]).crop(0.1, 0.2)


def test_more_samples_than_frames_can_be_counted(tmp_path: Path) -> None:
    samples = np.arange(2 * 140_001.0).reshape(2, -1)
    long = Recording(samples, Layout(2000.0, (Channel("a", "semg"), Channel("b", "semg"))))
    path = write(long, tmp_path / "a.c3d")
    assert read(path) == long
    part = read(path, start_s=10.0005, stop_s=10.003)
    assert isinstance(part, Recording)
    np.testing.assert_array_equal(part.samples, samples[:, 20_001:20_006])


def test_many_channels_and_events(tmp_path: Path) -> None:
    channels = tuple(Channel(f"electrode {i}", "hdemg") for i in range(300))
    events = tuple(Event(i / 1000, 0.001, f"e{i}", "protocol", str(i)) for i in range(600))
    wide = Recording(np.ones((300, 700)), Layout(1000.0, channels), events=events)
    assert read(write(wide, tmp_path / "a.c3d")) == wide


def test_ezc3d_reads_what_is_written(recording: Recording, tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    found = ezc3d.c3d(str(write(recording, tmp_path / "a.c3d")))
    np.testing.assert_array_equal(found["data"]["analogs"][0], recording.samples)
    parameters = found["parameters"]
    assert parameters["ANALOG"]["LABELS"]["value"][:3] == ["TA", "Fz", "Mx"]
    assert parameters["ANALOG"]["UNITS"]["value"] == ["uV", "N", "Nm", "count"]
    assert found["header"]["analogs"]["frame_rate"] == 1000.0
    assert parameters["EVENT"]["LABELS"]["value"] == [e.label for e in recording.events]
    np.testing.assert_allclose(
        parameters["EVENT"]["TIMES"]["value"][1], [e.onset_s for e in recording.events], rtol=1e-6
    )


def test_a_file_of_ezc3d(foreign: Path) -> None:
    found = read(foreign)
    assert isinstance(found, Recording)
    assert [(c.name, c.kind) for c in found.layout.channels] == [
        ("EMG TA", "semg"),
        ("Fz1", "force"),
        ("Mx1", "torque"),
    ]
    assert found.fs_hz == 1000.0
    factors = np.array([[1e6], [1.0], [1e-3]])  # V, N, Nmm
    np.testing.assert_allclose(found.samples, analog() * factors, rtol=1e-6)
    assert found.start_s == pytest.approx(0.2)
    assert [(round(e.onset_s, 6), e.label) for e in found.events] == [
        (0.3, "Left Foot Strike"),
        (0.35, "Foot Off"),
    ]
    part = read(foreign, start_s=0.255, stop_s=0.277, channels=["Fz1"])
    assert isinstance(part, Recording)
    np.testing.assert_array_equal(part.samples[0], found.samples[1, 55:77])


@pytest.mark.parametrize("unsigned", [False, True])
def test_integers_are_calibrated(tmp_path: Path, unsigned: bool) -> None:
    """value = (stored - offset) * scale * general scale, as the user guide says."""
    stored = np.array([[0, 100], [65535 if unsigned else -1, 7]], "<u2" if unsigned else "<i2")
    groups = {
        "POINT": {"USED": [0], "SCALE": [1.0], "RATE": [50.0], "DATA_START": [3], "FRAMES": [2]},
        "ANALOG": {
            "USED": [2], "LABELS": ["EMG a", "EMG b"], "UNITS": ["mV", "mV"], "GEN_SCALE": [0.5],
            "SCALE": [2.0, 0.1], "OFFSET": [10, 0],
            "FORMAT": ["UNSIGNED" if unsigned else "SIGNED"],
        },
    }  # fmt: skip
    section = pack_parameters(groups)
    assert len(section) == 512
    block = struct.pack("<BB5Hf2Hf", 2, 0x50, 0, 2, 1, 2, 0, 1.0, 3, 1, 50.0).ljust(512, b"\0")
    path = tmp_path / "a.c3d"
    path.write_bytes(block + section + stored.tobytes())
    found = read(path)
    assert isinstance(found, Recording)
    expected = (stored.astype(float) - [10, 0]) * [1.0, 0.05] * 1e3
    np.testing.assert_allclose(found.samples, expected.T, rtol=1e-6)


def test_numbers_of_other_machines() -> None:
    assert Machine(84).reals(struct.pack("<f", 2.5)).item() == 2.5
    assert Machine(86).reals(struct.pack(">f", 2.5)).item() == 2.5
    assert Machine(86).integers(struct.pack(">h", -3)).item() == -3
    # 1.0 of a VAX: 0x4080 in the first word.
    assert Machine(85).reals(bytes([0x80, 0x40, 0, 0])).item() == 1.0


def test_parameters_there_and_back() -> None:
    groups = {"A": {"T": ["x", "yz"], "I": [1, 60000], "R": [0.5], "TWO": [(1.0, 2.0)]}}
    section = pack_parameters(groups)
    found = parse_parameters(section[4:], Machine(84), where="here")["A"]
    assert found["T"] == ["x", "yz"]
    assert found["I"].astype("u2").tolist() == [1, 60000]
    assert (found["R"].tolist(), found["TWO"].tolist()) == ([0.5], [1.0, 2.0])


def test_text_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("EPOCH,EMG TA\n" + "0,1.5\n" * 20)
    assert sniff_format(path).name != "c3d"


def test_truncated_files_are_refused(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.c3d")
    whole = path.read_bytes()
    for kept in (len(whole) - 600, len(whole) // 2, 1500, 700, 514):
        path.write_bytes(whole[:kept])
        with pytest.raises(FormatError, match=r"a.c3d.*truncated or damaged"):
            read(path)


def test_noise_is_refused_and_never_crashes(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.c3d")
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for position in rng.integers(2, 2000, 3):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            read(path, kinds="semg", unit="uV", stray_events="drop", non_finite="gap")
        except DataError:  # every refusal is one of ours
            refused += 1
    assert refused > 30


def test_contradictions(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.c3d")
    data = path.read_bytes()
    path.write_bytes(data[:4] + struct.pack("<H", 9) + data[6:])
    with pytest.raises(FormatError, match=r"counts 9 analog values in a frame, 1 for.*4 channels"):
        read(path)


def test_markers_alone_are_refused(tmp_path: Path) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    made = ezc3d.c3d()
    made["parameters"]["POINT"]["RATE"]["value"] = [100.0]
    made["parameters"]["POINT"]["LABELS"]["value"] = ["LASI"]
    made["data"]["points"] = np.ones((4, 1, 30))
    made.write(str(tmp_path / "m.c3d"))
    with pytest.raises(FormatError, match="no analog channels; markers alone"):
        read(tmp_path / "m.c3d")


def test_a_damaged_own_header_is_refused(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.c3d")
    data = bytearray(path.read_bytes())
    data[data.index(b"eN") + 40] ^= 0x15  # inside the base64 text, which begins as zlib's does
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"a.c3d: the Myograph header is damaged"):
        read(path)


def test_existing_outputs_stay(recording: Recording, tmp_path: Path) -> None:
    path = write(recording, tmp_path / "a.c3d")
    with pytest.raises(OutputExistsError, match="already exists"):
        write(recording.crop(0.0, 0.2), path)
    assert read(path) == recording


def test_several_rates_do_not_fit(recording: Recording, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"have one rate; this set has 1 recordings \(\['emg'\]"):
        write(RecordingSet({"emg": recording}), tmp_path / "a.c3d")
    assert list(tmp_path.iterdir()) == []
