"""What `read` decides for every format: kinds, units, gaps, stray events, recognition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, LayoutError, ParameterError
from myograph.core.layout import Channel
from myograph.core.recording import GAP, Event, Recording
from myograph.io import read
from myograph.io.hints import Hints
from myograph.io.track import Signal, Track


def table(tmp_path: Path, header: str, rows: np.ndarray) -> Path:
    path = tmp_path / "table.csv"
    lines = [",".join(repr(float(v)) for v in row) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def track(values: np.ndarray, *signals: Signal | Channel, **more: object) -> Track:
    values = np.asarray(values, dtype=np.float64)
    return Track(
        Path("a.file"),
        100.0,
        values.shape[1],
        signals or (Channel("a", "semg"),),
        lambda rows, first, last: values[list(rows), first:last],
        **more,
    )


@pytest.mark.parametrize(
    ("name", "unit", "kind", "factor"),
    [
        ("EMG 1", "mV", "semg", 1e3),
        ("EMG 1", "V", "semg", 1e6),
        ("EMG 1", "nV", "semg", 1e-3),
        ("EMG 1", "µV", "semg", 1.0),
        ("EMG 1", "μV", "semg", 1.0),
        ("EEG C3", "uV", "eeg", 1.0),
        ("ECG II", "mV", "ecg", 1e3),
        ("x", "m/s^2", "acc", 1 / 9.80665),
        ("x", "m/s²", "acc", 1 / 9.80665),
        ("x", "mg", "acc", 1e-3),
        ("x", "rad/s", "gyro", 180 / np.pi),
        ("x", "°/s", "gyro", 1.0),
        ("x", "rad", "angle", 180 / np.pi),
        ("x", "°", "angle", 1.0),
        ("x", "kgf", "force", 9.80665),
        ("x", "kN", "force", 1e3),
        ("x", "lbf", "force", 4.4482216152605),
        ("x", "N·m", "torque", 1.0),
        ("needle", "uV", "needle", 1.0),
        ("HD-EMG 12", "mV", "hdemg", 1e3),
        ("TRIG", "", "trigger", 1.0),
    ],
)
def test_units_are_converted_on_entry(name: str, unit: str, kind: str, factor: float) -> None:
    given = np.array([[1.0, -2.5, 0.0]])
    back = track(given, Signal(name, unit)).load(Hints())
    assert back.layout.channels[0].kind == kind
    np.testing.assert_allclose(back.samples, given * factor, rtol=1e-6)


def test_counts_and_normalised_values_are_scales() -> None:
    counts = track([[7.0, -7.0]], Signal("EMG", "counts")).load(Hints())
    assert counts.layout.channels[0].unit == "count"
    np.testing.assert_array_equal(counts.samples, [[7, -7]])
    share = track([[50.0, 100.0]], Signal("EMG", "%MVC")).load(Hints())
    assert share.layout.channels[0].scale == "normalised"
    np.testing.assert_allclose(share.samples, [[0.5, 1.0]])


def test_an_unknown_unit_names_the_option() -> None:
    with pytest.raises(DataError, match=r"a.file, channel 'EMG': unknown unit 'furlong'.*unit="):
        track([[1.0]], Signal("EMG", "furlong")).load(Hints())


def test_a_missing_unit_names_the_option() -> None:
    with pytest.raises(DataError, match=r"nothing says in which unit this semg .* option unit="):
        track([[1.0]], Signal("EMG")).load(Hints())


def test_an_unknown_kind_names_the_options() -> None:
    with pytest.raises(DataError, match=r"option kinds= \(one of \['semg'.*or leave .* channels="):
        track([[1.0]], Signal("Ch 1", "mV")).load(Hints())


def test_a_unit_of_another_kind_is_refused() -> None:
    with pytest.raises(DataError, match="a force channel is held in N, and 'mV' is not a unit"):
        track([[1.0]], Signal("grip", "mV", kind="force")).load(Hints())


def test_what_the_caller_states_wins() -> None:
    stated = Hints(kinds={"Ch*": "needle", "f": "force"}, unit={"Ch 1": "mV", "*": "kgf"})
    back = track([[1.0], [1.0]], Signal("Ch 1", "uV"), Signal("f", "uV")).load(stated)
    assert [c.kind for c in back.layout.channels] == ["needle", "force"]
    np.testing.assert_allclose(back.samples, [[1000.0], [9.80665]])


def test_kinds_in_the_order_of_the_file() -> None:
    pair = (Signal("a", "mV"), Signal("b", "mV"))
    back = track([[1.0], [2.0]], *pair).load(Hints(kinds=["semg", "ecg"], channels=["b"]))
    assert back.layout.channels == (Channel("b", "ecg"),)
    with pytest.raises(ParameterError, match="kinds lists 1 kinds, the file has 2 channels"):
        track([[1.0], [2.0]], *pair).load(Hints(kinds=["semg"]))


def test_a_channel_can_be_restated() -> None:
    own = Channel("a", "semg", muscle="soleus", scale="count")
    back = track([[2.0]], own).load(Hints(unit="mV", kinds="needle"))
    assert back.layout.channels == (Channel("a", "needle", muscle="soleus"),)
    assert back.samples[0, 0] == 2000


def test_equal_names_are_refused() -> None:
    with pytest.raises(LayoutError, match=r"channels \['a'\] occur more than once"):
        track([[1.0], [2.0]], Signal("a", "mV"), Signal("a", "mV")).load(Hints(kinds="semg"))


# --- missing samples -----------------------------------------------------------------------------


def test_non_finite_samples_are_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "emg [uV]", np.array([[1.0], [np.nan], [2.0], [np.inf]]))
    with pytest.raises(
        DataError, match=r"table\.csv: samples has 2 non-finite .* non_finite='gap'"
    ):
        read(path, fs_hz=100)


def test_non_finite_stretches_become_gaps() -> None:
    values = np.arange(20.0).reshape(2, 10)
    values[0, :2] = np.nan
    values[0, 5] = np.inf
    values[1, 6:8] = -np.inf
    back = track(values, Channel("a", "semg"), Channel("b", "semg")).load(Hints(non_finite="gap"))
    assert [(e.onset_s, round(e.duration_s, 9), e.label) for e in back.events] == [
        (0.0, 0.02, GAP),
        (0.05, 0.03, GAP),
    ]
    np.testing.assert_array_equal(back.samples[0], [2, 2, 2, 3, 4, 4, 6, 7, 8, 9])
    np.testing.assert_array_equal(back.samples[1], [10, 11, 12, 13, 14, 15, 15, 15, 18, 19])


def test_gaps_stand_on_the_clock_of_a_slice() -> None:
    values = np.arange(10.0)[None].copy()
    values[0, 6] = np.nan
    hints = Hints(non_finite="gap", start_s=1.05, stop_s=1.1)
    back = track(values, start_s=1.0).load(hints)
    assert back.start_s == 1.05
    assert back.events[0].onset_s == pytest.approx(1.06)


def test_a_channel_without_any_finite_sample_is_refused() -> None:
    values = np.array([[1.0, 2.0], [np.nan, np.nan]])
    made = track(values, Channel("a", "semg"), Channel("b", "semg"))
    with pytest.raises(DataError, match=r"\['b'\] have no finite sample at all; .* channels="):
        made.load(Hints(non_finite="gap"))
    assert made.load(Hints(non_finite="gap", channels=["a"])).events == ()


# --- events --------------------------------------------------------------------------------------


def test_stray_events_are_refused_or_dropped() -> None:
    events = (Event(0.01, 0.01, "in"), Event(5.0, 1.0, "late"), Event(-1.0, 0.5, "early"))
    made = track(np.zeros((1, 10)), events=events)
    with pytest.raises(DataError, match=r"event 'late' at 5-6 s lies outside .*stray_events='drop"):
        made.load(Hints())
    assert [e.label for e in made.load(Hints(stray_events="drop")).events] == ["in"]


# --- recognition ---------------------------------------------------------------------------------


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.edf does not exist"):
        read(tmp_path / "nothing.edf")


def test_random_bytes_are_not_recognised(tmp_path: Path, rng: np.random.Generator) -> None:
    path = tmp_path / "rec.edf"
    path.write_bytes(rng.bytes(5000))
    with pytest.raises(FormatError, match=r"none of the formats .*says EDF/EDF\+, its content"):
        read(path)


def test_the_bytes_decide_not_the_name(emg: Recording, tmp_path: Path) -> None:
    from myograph.io import write

    path = write(emg, tmp_path / "rec.myo.h5").rename(tmp_path / "rec.edf")
    assert read(path) == emg


def test_prose_is_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Recorded in room 12.\nThe third trial was repeated.\n")
    with pytest.raises(FormatError, match="none of the formats"):
        read(path)


def test_a_folder_is_not_recognised(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"none of the formats .*; a folder"):
        read(tmp_path)


def test_unknown_options_list_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"option of read must be one of .*'fs_hz'.*; got 'fs'"
    ):
        read(tmp_path, fs=1000)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fs_hz": 0}, "fs_hz must be above 0"),
        ({"channels": "emg1"}, "channels must be a list of names; got the text 'emg1'"),
        ({"non_finite": "ignore"}, "non_finite must be one of"),
        ({"kinds": "emg"}, "kinds must be one of .*; got 'emg'. Did you mean"),
        ({"kinds": {"a": "surface"}}, "kinds must be one of"),
        ({"start_s": "1"}, "start_s must be a number of seconds; got '1'"),
        ({"stop_s": float("nan")}, "stop_s must be a number of seconds; got nan"),
        ({"time_axis": 2}, "time_axis must be 0 or 1; got 2"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Hints.of(options)
