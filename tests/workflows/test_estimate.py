"""A saved regression tells its numbers: on the screen, as JSON, in a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from myograph import write
from myograph.cli.main import main
from myograph.core.errors import OutputExistsError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.pipeline.artifact import save_model
from myograph.pipeline.pipeline import Pipeline
from myograph.workflows.estimate import Estimation, estimate_recording, write_estimates
from myograph.workflows.predict import predict

FS_HZ = 500.0


def squeeze(seed: int, *, held: bool = True, gap: bool = False) -> Recording:
    """Muscles that follow a force; the force beside them when ``held``."""
    rng = np.random.default_rng(seed)
    force_n = 50 + 40 * np.sin(2 * np.pi * 0.4 * np.arange(2000) / FS_HZ + seed)
    emg = np.array([[2.0], [1.0]]) * force_n * rng.standard_normal((2, 2000))
    channels = [Channel(f"emg{k}", kind="semg") for k in (1, 2)]
    rows = [emg]
    if held:
        channels.append(Channel("load", kind="force"))
        rows.append(force_n[None])
    events = (Event(1.0, 0.5, GAP, "reader"),) if gap else ()
    samples = np.vstack(rows).astype(np.float32)
    return Recording(samples, Layout(FS_HZ, tuple(channels)), events, Subject(f"p{seed}"))


@pytest.fixture(scope="module")
def grip() -> Pipeline:
    pipeline = Pipeline(
        {
            "windowing": {
                "length_ms": 200.0, "step_ms": 100.0, "label_sources": [], "target_kind": "force",
            },
            "features": ["rms", "wl"],
            "scaling": "standard",
            "model": {"name": "ridge"},
        }
    )  # fmt: skip
    return pipeline.fit(pipeline.prepare([squeeze(1), squeeze(2)]))


@pytest.fixture
def model(grip, tmp_path) -> Path:
    path = tmp_path / "grip.myomodel"
    save_model(grip, path, card="# Grip\n\n## Validation\n\nNone: made up.\n")
    return path


def test_estimates_are_the_pipelines_and_truth_is_what_training_takes(grip):
    recording = squeeze(3)
    found = estimate_recording(grip, recording)
    values, time_s = grip.estimate_recording(recording)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.time_s, time_s)
    force = recording.samples[2].astype(np.float64)
    wanted = [force[k : k + 100].mean() for k in range(0, 1901, 50)]
    np.testing.assert_allclose(found.truth, wanted, rtol=1e-6)
    assert (found.target, found.unit, found.measured) == ("force", "N", 39)
    assert found.scores["r2"] > 0.7


def test_windows_in_a_gap_are_left_out_of_both(grip):
    found = estimate_recording(grip, squeeze(3, gap=True))
    assert len(found.truth) == len(found.values) < 39


def test_a_recording_without_the_target_is_estimated_all_the_same(grip):
    found = estimate_recording(grip, squeeze(3, held=False))
    assert np.isnan(found.truth).all()
    np.testing.assert_array_equal(found.values, estimate_recording(grip, squeeze(3)).values)
    told = found.to_dict()
    assert told["measured_windows"] == 0
    assert told["scores"] == {"mae": None, "rmse": None, "r2": None}
    assert json.loads(json.dumps(told, allow_nan=False))["windows"][0]["truth"] is None


def test_predict_gives_estimates_for_a_regression(model):
    found = predict(model, [squeeze(3), squeeze(4)])
    assert all(isinstance(one, Estimation) for one in found)
    assert [one.subject for one in found] == ["p3", "p4"]


def test_a_table_of_them(grip, tmp_path):
    found = [estimate_recording(grip, squeeze(3)), estimate_recording(grip, squeeze(4, held=False))]
    path = write_estimates(found, tmp_path / "force.csv")
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(rows[0]) == ["person", "session", "time_s", "force_N", "measured_force_N"]
    assert len(rows) == 78
    assert float(rows[5]["force_N"]) == pytest.approx(found[0].values[5], rel=1e-5)
    assert float(rows[5]["measured_force_N"]) == pytest.approx(found[0].truth[5], rel=1e-5)
    assert rows[-1]["measured_force_N"] == ""
    with pytest.raises(OutputExistsError, match=r"force\.csv already exists"):
        write_estimates(found, path)


def test_as_people_type_it(model, tmp_path, capsys):
    with_force, without = tmp_path / "a.myo", tmp_path / "b.myo"
    write(squeeze(3), with_force)
    write(squeeze(4, held=False), without)
    out = tmp_path / "force.csv"
    assert main(["predict", str(model), str(with_force), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "force (N)" in told
    assert "beside what was measured: mean error" in told
    assert "one window in 4" in told
    assert str(out) in told
    assert len(out.read_text().splitlines()) == 40
    assert main(["predict", str(model), str(without)]) == 0
    assert "the recordings hold no force to compare with" in capsys.readouterr().out
    assert main(["predict", str(model), str(with_force), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["recordings"]
    assert (one["target"], one["unit"], len(one["windows"])) == ("force", "N", 39)
    assert main(["predict", str(model), str(with_force), "--out", str(out)]) == 3
    assert "already exists" in capsys.readouterr().err


def test_several_recordings_are_a_line_each(model, tmp_path, capsys):
    folder = tmp_path / "people"
    folder.mkdir()
    for seed in (3, 4):
        write(squeeze(seed), folder / f"p{seed}.myo")
    assert main(["predict", str(model), str(folder)]) == 0
    told = capsys.readouterr().out
    assert "rms error" in told
    assert "p3" in told
    assert "p4" in told
