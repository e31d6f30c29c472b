"""`myograph features`: every window, what it shows, in a file that says its units."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import (
    DataError,
    LayoutError,
    MissingExtraError,
    OutputExistsError,
    ParameterError,
)
from myograph.core.recording import Event
from myograph.core.step import STEPS, Step
from myograph.features import compute
from myograph.workflows import features as verbs
from myograph.workflows.features import Cut, measure, table_content, write_table
from myograph.workflows.settings import Choices

AS_RECORDED = Choices(features="mav,zc", overrides=("pipeline.steps=[]",))


@pytest.fixture
def recording(make_recording):
    return make_recording()


@pytest.fixture
def table(recording):
    return measure([recording], AS_RECORDED, cut=Cut(200.0, 100.0))


def test_every_window_is_measured_labelled_or_not(recording, table):
    # 4 s at 1000 Hz, windows of 200 ms every 100 ms; labels rest, fist, rest, fist of 1 s each.
    assert len(table) == 39
    assert table.names[:2] == ("emg1.mav", "emg1.zc")
    first = recording.samples[None, :, :200]
    np.testing.assert_allclose(table.values[0, ::2], compute("mav", first, fs_hz=1000)[0])
    by_start = dict(zip(np.round(table.index.start_s, 1), table.index.label, strict=True))
    assert by_start[0.8] == "rest"
    assert by_start[0.9] == ""  # lies in two events
    assert by_start[1.0] == "fist"
    assert by_start[3.8] == "fist"
    trials = dict(zip(np.round(table.index.start_s, 1), table.index.trial, strict=True))
    assert (trials[0.5], trials[0.9], trials[2.5]) == ("0", "", "1")


def test_a_recording_without_labels_is_measured(recording):
    bare = measure([replace(recording, events=())], AS_RECORDED)
    assert set(bare.index.label) == {""}
    assert len(bare) == 39


def test_the_default_band_is_that_of_evaluate(recording):
    steps = [step.step for step in measure([recording]).recipe.steps]
    assert "bandpass" in steps
    assert "bandpass" not in [step.step for step in measure([recording], AS_RECORDED).recipe.steps]


def test_a_channel_to_estimate_stays_out(recording):
    channels = (*recording.layout.channels[:2], replace(recording.layout.channels[2], kind="force"))
    layout = replace(recording.layout, channels=channels)
    table = measure([replace(recording, layout=layout, events=())], AS_RECORDED)
    assert [name for name in table.names if name.startswith("emg3")] == []
    assert table.index.label.dtype.kind == "U"


def test_csv_reads_back_to_the_last_bit(table, tmp_path: Path):
    path = write_table(table, tmp_path / "t.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0][:9] == [
        *("subject", "session", "trial", "label", "start_s", "stop_s", "flat"),
        *("emg1.mav [uV]", "emg1.zc"),
    ]
    assert len(rows) == 1 + len(table)
    np.testing.assert_array_equal(np.array([r[7:] for r in rows[1:]], dtype=float), table.values)
    assert [r[3] for r in rows[1:]] == table.index.label.tolist()
    assert {r[0] for r in rows[1:]} == {"p01"}
    assert {r[6] for r in rows[1:]} == {""}


def test_channels_that_are_flat_in_a_window_are_named(table, tmp_path: Path):
    flat = np.zeros_like(table.flat)
    flat[1, :2] = True
    path = write_table(replace(table, flat=flat), tmp_path / "t.csv")
    with path.open(newline="", encoding="utf-8") as file:
        told = [row["flat"] for row in csv.DictReader(file)]
    assert told[:3] == ["", "; ".join(table.layout.names[:2]), ""]


def test_json_holds_units_and_history(table, tmp_path: Path):
    path = write_table(table, tmp_path / "t.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content == table_content(table)
    assert content["features"][0] == {"name": "emg1.mav", "unit": "uV"}
    assert content["steps"][-1]["step"] == "features"
    assert content["recordings"] == [str(table.index.recording[0])]
    np.testing.assert_array_equal(content["values"], table.values)


def test_parquet_holds_units_and_history(table, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra 'table'")
    path = write_table(table, tmp_path / "t.parquet")
    found = parquet.read_table(path)
    assert found.schema.field("emg1.mav").metadata == {b"unit": b"uV"}
    assert json.loads(found.schema.metadata[b"myograph"])["fs_hz"] == 1000.0
    columns = np.column_stack([found[name].to_numpy() for name in table.names])
    np.testing.assert_array_equal(columns, table.values)
    assert found["label"].to_pylist() == table.index.label.tolist()


def test_parquet_without_the_package_says_how_to_get_it(table, tmp_path: Path, monkeypatch):
    def absent(module, *, to, extra):
        raise MissingExtraError(f"{module} is needed to {to}: myograph[{extra}]")

    monkeypatch.setattr(verbs, "needs", absent)
    with pytest.raises(MissingExtraError, match=r"write Parquet: myograph\[table\]"):
        write_table(table, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(table, tmp_path: Path):
    path = write_table(table, tmp_path / "t.csv")
    before = path.read_bytes()
    with pytest.raises(OutputExistsError, match="already exists"):
        write_table(table, path)
    assert path.read_bytes() == before
    assert write_table(table, path, force=True).read_bytes() == before
    with pytest.raises(ParameterError, match=r"one of \['.csv', '.parquet', '.json'\]"):
        write_table(table, tmp_path / "t.xls")


@pytest.mark.parametrize("text", ["200", "200/", "a/b", "200/100/50", ""])
def test_windows_are_length_and_step(text):
    with pytest.raises(ParameterError, match="LENGTH/STEP in milliseconds"):
        Cut.parse(text)


def test_windows_win_over_settings(recording):
    choices = replace(AS_RECORDED, overrides=("pipeline.windowing.length_ms=500.0",))
    assert len(measure([recording], choices)) == 36
    assert len(measure([recording], choices, cut=Cut.parse("1000/1000"))) == 4


def test_recordings_that_differ_share_no_table(recording, make_recording):
    other = make_recording(n_channels=2)
    with pytest.raises(LayoutError, match="Recording 2 differs from the first"):
        measure([recording, other], AS_RECORDED)


def test_a_recording_shorter_than_a_window_is_refused(make_recording):
    with pytest.raises(DataError, match="gives no window"):
        measure([make_recording(duration_s=0.1)], AS_RECORDED)


def test_an_unknown_feature_is_refused_before_anything_is_read():
    with pytest.raises(ParameterError, match="Did you mean 'hudgins'"):
        measure("no-such-file.edf", Choices(features="hudgin"))


def test_steps_that_learn_are_refused(recording, monkeypatch):
    class Learner(Step):
        name = "learner"
        learns = True

        def start(self, layout):
            raise NotImplementedError

    monkeypatch.setitem(STEPS._entries, "learner", Learner)
    choices = Choices(overrides=('pipeline.steps=[{step="learner"}]',))
    with pytest.raises(ParameterError, match=r"learns from training recordings \(step 'learner'\)"):
        measure([recording], choices)


def test_overlapping_events_are_told(recording):
    events = (Event(0.0, 2.0, "fist", "protocol"), Event(1.0, 2.0, "open", "protocol"))
    with pytest.raises(DataError, match="overlap"):
        measure([replace(recording, events=events)], AS_RECORDED)
