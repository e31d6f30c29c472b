"""Each reader of gesture files understands its source's layout, on files made here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myograph import datasets
from myograph.core.errors import FormatError, ParameterError
from myograph.datasets.dataset import Dataset
from myograph.datasets.sources.longterm_myo import MOTIONS

Write = Callable[[Path, dict[str, str | bytes]], Path]


@pytest.fixture
def loaded(tmp_path: Path, write_files: Write) -> Callable[..., Dataset]:
    """Write a dataset's files as a mirror holds them, and load it."""

    def load(name: str, contents: dict[str, str | bytes], **options: object) -> Dataset:
        write_files(tmp_path / "mirror" / name.partition("/")[0], contents)
        return datasets.load(name, mirror=tmp_path / "mirror", **options)  # type: ignore[arg-type]

    return load


def myo_rows(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-128, 128, (n, 8))


def csv_of(rows: np.ndarray) -> str:
    return "\n".join(",".join(str(v) for v in row) for row in rows)


class TestMyoCotellard:
    def test_class_and_cycle_come_from_the_file_number(
        self, loaded: Callable[..., Dataset]
    ) -> None:
        rows = myo_rows(40, 1)
        data = loaded(
            "myo-cotellard",
            {
                "PreTrainingDataset/Female0/training0/classe_9.dat": rows.astype("<i2").tobytes(),
                "PreTrainingDataset/Female0/experiment.csv": "Sex,,F,\nAge,,29,\n",
            },
        )
        recording = data.recordings[0]
        np.testing.assert_array_equal(recording.samples, rows.T)
        (event,) = recording.events
        assert (event.label, event.trial, event.source) == ("wrist flexion", "2", "protocol")
        assert (event.onset_s, event.duration_s) == (0.0, 0.2)
        assert recording.fs_hz == 200.0
        assert set(recording.layout.units) == {"count"}
        assert data.subjects[0].sex == "female"
        assert data.subjects[0].age_years == 29.0

    def test_a_file_of_odd_length_is_refused(self, loaded: Callable[..., Dataset]) -> None:
        data = loaded(
            "myo-cotellard",
            {
                "P/Male0/training0/classe_0.dat": b"\0\0" * 9,
                "P/Male0/experiment.csv": "Sex,M\nAge,\n",
            },
        )
        assert data.subjects[0].age_years is None
        with pytest.raises(FormatError, match="9 values do not divide by 8"):
            data.recordings[0]

    def test_a_repeated_file_is_dropped_and_told(self, loaded: Callable[..., Dataset]) -> None:
        one = myo_rows(16, 2).astype("<i2").tobytes()
        data = loaded(
            "myo-cotellard",
            {
                "P/Male0/training0/classe_0.dat": one,
                "P/Male1/training0/classe_0.dat": one,
                "P/Male0/experiment.csv": "Sex,M\n",
            },
        )
        assert len(data.recordings) == 1
        assert data.dropped[0].what == "P/Male1/training0/classe_0.dat"
        assert "byte for byte" in data.dropped[0].reason


class TestCiil:
    def contents(self) -> dict[str, str | bytes]:
        names = [
            "ElectrodeShift/subject3/training/R_4_C_3.csv",
            "ElectrodeShift/subject3/trial_2/R_1_C_0.csv",
            "ElectrodeShift/subject13/trial_0/R_0_C_1.csv",
            "MinimalTrainingData/subject3/train/R_0_C_4.csv",
            "MinimalTrainingData/subject3/test/trial_6/R_1_C_2.csv",
        ]
        return {name: csv_of(myo_rows(50, i)) for i, name in enumerate(names)}

    def test_sessions_people_and_classes(self, loaded: Callable[..., Dataset]) -> None:
        data = loaded("ciil", self.contents())
        seen = [
            (r.subject.pseudonym, r.session, r.events[0].trial, r.events[0].label)  # type: ignore[union-attr]
            for r in data.recordings
        ]
        assert seen == [
            ("shift-03", "training", "5", "wrist extension"),
            ("shift-03", "trial_2", "2", "hand close"),
            ("minimal-03", "test-6", "2", "rest"),
            ("minimal-03", "train", "1", "wrist flexion"),
        ]
        assert data.dropped[0].what == "shift-13, trial_0 (1 files)"

    def test_a_part_is_loaded_alone(self, loaded: Callable[..., Dataset]) -> None:
        data = loaded("ciil/minimal", self.contents())
        assert data.name == "ciil/minimal"
        assert data.dropped == ()  # what is missing from the other part does not concern it
        assert [s.pseudonym for s in data.subjects] == ["minimal-03"]
        with pytest.raises(ParameterError, match="part of dataset 'ciil' must be one of"):
            loaded("ciil/nothing", {})


class TestUci:
    """Samples are held until a new one comes; gaps are irregular; two rows a label apart."""

    def text(self) -> tuple[str, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(3)
        arrivals_ms = np.cumsum(rng.integers(1, 20, 400))
        counts = rng.integers(-128, 128, (400, 8))
        time_ms = np.arange(arrivals_ms[0], arrivals_ms[-1])
        held = np.searchsorted(arrivals_ms, time_ms, side="right") - 1
        marks = np.where((time_ms > 1000) & (time_ms <= 2000), 2, 0)
        marks[(time_ms > 3000) & (time_ms <= 3500)] = 2
        lines = ["time\t" + "\t".join(f"channel{i + 1}" for i in range(8)) + "\tclass"]
        for t, row, mark in zip(time_ms, counts[held], marks, strict=True):
            lines.append("\t".join([str(t), *(f"{v * 1e-5:g}" for v in row), str(mark)]))
        return "\n".join(lines) + "\n", arrivals_ms[:-1], counts[:-1]

    def load(self, loaded: Callable[..., Dataset], text: str) -> Dataset:
        return loaded("uci-gestures", {"EMG/07/1_raw_data_13-12_22.03.16.txt": text})

    def test_held_rows_become_fresh_samples_on_a_regular_clock(
        self, loaded: Callable[..., Dataset]
    ) -> None:
        text, arrivals_ms, counts = self.text()
        recording = self.load(loaded, text).recordings[0]
        assert recording.fs_hz == 200.0
        assert set(recording.layout.units) == {"count"}
        clock_ms = np.arange(recording.n_samples) * 5.0 + arrivals_ms[0]
        for channel, expected in zip(recording.samples, counts.T, strict=True):
            np.testing.assert_allclose(
                channel, np.interp(clock_ms, arrivals_ms, expected), atol=1e-3
            )
        assert "fresh-samples(fresh=399, rows=" in str(recording.recipe)
        assert "regular-clock(between=linear, fs_hz=200.0)" in str(recording.recipe)

    def test_labels_keep_their_times_and_repetitions_are_counted(
        self, loaded: Callable[..., Dataset]
    ) -> None:
        text, arrivals_ms, _ = self.text()
        events = self.load(loaded, text).recordings[0].events
        assert [(e.label, e.trial) for e in events] == [("hand close", "1"), ("hand close", "2")]
        first_s = (1001 - arrivals_ms[0]) / 1e3
        np.testing.assert_allclose(
            [(e.onset_s, e.duration_s) for e in events], [(first_s, 1.0), (first_s + 2, 0.5)]
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.replace("time\t", "zeit\t"), "a first line 'time"),
            (lambda t: t.replace("\t0\n", "\n", 1), "10 numbers a row"),
            (lambda t: t + t.splitlines()[1] + "\n", "times must increase"),
            (lambda t: t.splitlines()[0], "at least two"),
        ],
    )
    def test_damage_is_named(
        self, loaded: Callable[..., Dataset], change: Callable[[str], str], message: str
    ) -> None:
        data = self.load(loaded, change(self.text()[0]))
        with pytest.raises(FormatError, match=message):
            data.recordings[0]


class TestDc3:
    def test_orientation_rides_along_at_its_own_rate(self, loaded: Callable[..., Dataset]) -> None:
        counts = np.random.default_rng(4).integers(-3000, 3000, (2000, 10))
        lines = ["(0, 0, 0, 0)"] + [f"(0.5, -0.5, {i / 200}, 1e-05)" for i in range(100)]
        data = loaded(
            "3dc",
            {
                "Participant2/test/EMG/3dc_EMG_gesture_3_10.txt": csv_of(counts),
                "Participant2/test/IMU/3dc_IMU_gesture_3_10.txt": "\n".join(lines),
            },
        )
        both = data.sets[0]
        np.testing.assert_array_equal(both["emg"].samples, counts.T)
        assert both["emg"] == data.recordings[0]
        assert (both["emg"].session, both["emg"].events[0].trial) == ("test", "4")
        assert both["emg"].events[0].label == "pinch grip"
        beside = both["orientation"]
        assert beside.fs_hz == 50.0
        assert beside.layout.names == (
            "orientation_w", "orientation_x", "orientation_y", "orientation_z",
        )  # fmt: skip
        np.testing.assert_allclose(beside.samples[2], np.arange(100) / 200, rtol=1e-6)

    @pytest.mark.parametrize(
        ("lines", "message"),
        [("(1, 2, 3)", "4 numbers in brackets"), ("(0, 0, 0, 0)", "holds no orientation")],
    )
    def test_broken_orientation_is_named(
        self, loaded: Callable[..., Dataset], lines: str, message: str
    ) -> None:
        data = loaded(
            "3dc",
            {
                "Participant2/test/EMG/3dc_EMG_gesture_0_0.txt": csv_of(np.ones((9, 10), int)),
                "Participant2/test/IMU/3dc_IMU_gesture_0_0.txt": lines,
            },
        )
        assert data.recordings[0].n_samples == 9
        with pytest.raises(FormatError, match=message):
            data.sets[0]


class TestLongterm:
    def test_two_motions_at_once_have_both_names(self) -> None:
        assert len(MOTIONS) == len(set(MOTIONS)) == 22
        assert MOTIONS[9] == "wrist extension + pronation"
        assert MOTIONS[15] == "ulnar deviation + supination"
        assert MOTIONS[21] == "supination + hand close"

    def test_day_motion_and_trial_come_from_the_name(self, loaded: Callable[..., Dataset]) -> None:
        rows = np.random.default_rng(5).normal(size=(300, 8)).round(5)
        data = loaded("longterm-myo-30day", {"data/sub2/day12/D12M8T3.csv": csv_of(rows)})
        recording = data.recordings[0]
        np.testing.assert_allclose(recording.samples, rows.T, rtol=1e-6)
        assert (recording.session, recording.events[0].trial) == ("day-12", "3")
        assert recording.events[0].label == "hand close"
        assert set(recording.layout.units) == {"1"}
        placement = data.tables["placement"]
        assert placement["placement"][placement["session"] == "day-12"].tolist() == ["neutral"]


class TestLis:
    def sample(self, stamp: str, seed: int = 0) -> str:
        rng = np.random.default_rng(seed)
        motion = [
            {"gyroscope": [1, 2, 3], "acceleration": [0, 0, 1], "orientation": [0, 0, 0, 1]}
        ] * 400
        return json.dumps(
            {
                "timestamp": stamp,
                "duration": 2000,
                "emg": {"frequency": 200, "data": rng.integers(-9, 9, (400, 8)).tolist()},
                "imu": {"frequency": 200, "data": motion},
            }
        )

    def test_samples_are_counted_in_the_order_of_their_time(
        self, loaded: Callable[..., Dataset]
    ) -> None:
        data = loaded(
            "lis-emg-imu",
            {
                "Dataset/B/a.json": self.sample("27/06/20/14:07:01", 1),
                "Dataset/B/b.json": self.sample("26/06/20/22:28:12", 2),
                "Dataset/A/c.json": self.sample("09/07/20/08:00:00", 3),
            },
        )
        seen = [(r.session, r.events[0].label, r.events[0].trial) for r in data.recordings]
        assert seen == [
            ("2020-06-26", "B", "1"),
            ("2020-06-27", "B", "2"),
            ("2020-07-09", "A", "1"),
        ]
        assert len(data.subjects) == 1
        layout = data.recordings[0].layout
        assert layout.n_channels == 18
        assert [layout.units[i] for i in (0, 8, 11, 14)] == ["count", "deg/s", "g", "1"]
        np.testing.assert_array_equal(data.recordings[0].samples[8:11, 0], [1, 2, 3])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.replace('"imu"', '"xyz"'), "emg and imu"),
            (lambda t: t[:-50], "emg and imu"),
            (lambda t: t.replace('"frequency": 200', '"frequency": 50', 1), "200 Hz is expected"),
        ],
    )
    def test_damage_is_named(
        self, loaded: Callable[..., Dataset], change: Callable[[str], str], message: str
    ) -> None:
        text = change(self.sample("27/06/20/14:07:01"))
        data = loaded("lis-emg-imu", {"Dataset/A/c.json": text})
        with pytest.raises(FormatError, match=message):
            data.recordings[0]
        with pytest.raises(FormatError, match="time stamp"):
            loaded("lis-emg-imu", {"Dataset/A/c.json": "{}"})


class TestDataset:
    def test_people_are_chosen_by_name(self, loaded: Callable[..., Dataset]) -> None:
        contents: dict[str, str | bytes] = {
            f"data/{who}/day1/D1M1T{t}.csv": csv_of(np.full((9, 8), 0.1 * t + int(who[-1])))
            for who in ("sub1", "sub2")
            for t in (1, 2)
        }
        data = loaded("longterm-myo-30day", contents, people=["sub2"])
        assert [s.pseudonym for s in data.subjects] == ["sub2"]
        assert len(data.recordings) == len(data.recordings[:9]) == 2
        assert data.recordings[-1].events[0].trial == "2"
        with pytest.raises(ParameterError, match=r"person of 'longterm-myo-30day' must be one of"):
            loaded("longterm-myo-30day", {}, people=["sub9"])

    def test_the_digest_follows_the_bytes_and_the_people(
        self, loaded: Callable[..., Dataset]
    ) -> None:
        name = "data/sub1/day1/D1M1T1.csv"
        one = loaded("longterm-myo-30day", {name: csv_of(np.ones((9, 8)))})
        again = loaded("longterm-myo-30day", {name: csv_of(np.ones((9, 8)))})
        other = loaded("longterm-myo-30day", {name: csv_of(np.zeros((9, 8)))})
        assert one.digest() == again.digest() != other.digest()
        described = json.loads(json.dumps(one.to_dict()))
        assert described["recordings"] == 1
        assert described["digest"] == one.digest()
        assert described["sessions"] == ["day-01"]
