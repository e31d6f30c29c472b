"""Networks through the verbs: devices, checkpoints, and the curve drawn while they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from myograph.cli.main import main
from myograph.core.errors import OutputExistsError, ParameterError
from myograph.datasets import SimulatedCohort, simulate
from myograph.pipeline.artifact import load_model
from myograph.report.training import training_picture
from myograph.workflows.evaluate import evaluate
from myograph.workflows.train import train

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")

TINY = (
    "pipeline.model.params.epochs=2",
    "pipeline.model.params.width=6",
    "pipeline.windowing.step_ms=400",
)


@pytest.fixture(scope="module")
def recordings() -> list[Any]:
    cohort = SimulatedCohort(
        fs_hz=500.0, n_people=4, n_sessions=1, n_repetitions=2, n_channels=3, hold_s=1.0
    )
    return list(simulate(cohort).recordings)


def test_train_keeps_epochs_draws_the_curve_and_goes_on(recordings, tmp_path):
    told = []
    given: dict[str, Any] = {
        "model": "cnn1d",
        "overrides": TINY,
        "device": "cpu",
        "jobs": 1,
        "checkpoint": tmp_path / "kept",
    }
    one = train(
        recordings,
        tmp_path / "a.myomodel",
        curve=tmp_path / "curve.svg",
        progress=lambda *words: told.append(words),
        **given,
    )
    assert one.people == 4
    assert any("Training stopped by 1 of 4 people" in note for note in one.notes)
    assert ("training", 2, 2) in [words[:3] for words in told]
    assert "held out" in (tmp_path / "curve.svg").read_text()
    again = []
    train(recordings, tmp_path / "b.myomodel", progress=lambda *w: again.append(w), **given)
    assert [words[:3] for words in again if words[0] == "training"] == [("training", 2, 2)]
    assert (tmp_path / "a.myomodel").read_bytes() == (tmp_path / "b.myomodel").read_bytes()
    assert load_model(tmp_path / "a.myomodel").model.curve_.shape == (2, 4)


def test_the_same_command_goes_on_after_a_stop_curve_and_all(recordings, tmp_path):
    """A stopped training leaves its curve; that must not stand in the way of going on."""
    curve, target = tmp_path / "curve.svg", tmp_path / "a.myomodel"
    given: dict[str, Any] = {"model": "cnn1d", "overrides": TINY, "device": "cpu", "jobs": 1}
    given |= {"curve": curve, "checkpoint": tmp_path / "kept"}

    def stop(what: str, done: int, _total: int, _word: str) -> None:
        if what == "training" and done == 1:
            raise KeyboardInterrupt

    curve.touch()
    with pytest.raises(OutputExistsError, match="already exists"):
        train(recordings, target, **given)  # somebody else's picture
    curve.unlink()
    with pytest.raises(KeyboardInterrupt):
        train(recordings, target, **given, progress=stop)
    curve.write_text("drawn by half")
    train(recordings, target, **given)
    assert "<svg" in curve.read_text()
    with pytest.raises(OutputExistsError, match="already exists"):
        train(recordings, target, **{**given, "checkpoint": tmp_path / "other"})
    with pytest.raises(OutputExistsError, match=r"a\.myomodel already exists"):
        train(recordings, target, **given)


def test_evaluate_keeps_the_epochs_of_its_folds_and_says_the_device(recordings, tmp_path):
    result = evaluate(
        recordings,
        model="separable",
        overrides=(*TINY, "baselines=false", "probes=false", "bootstrap=100"),
        device="auto",
        jobs=1,
        checkpoint=tmp_path,
    )
    assert result.config["model"]["params"]["device"] == "auto"
    assert len(list((tmp_path / "epochs").rglob("epoch.npz"))) == len(result.people) == 4
    assert any("who were not learned from" in note for note in result.notes)


def test_what_only_networks_can_do_is_refused_for_others(recordings, tmp_path):
    target = tmp_path / "a.myomodel"
    with pytest.raises(ParameterError, match=r"'lda' does not learn in epochs .*'cnn1d'"):
        train(recordings, target, model="lda", curve=tmp_path / "curve.svg")
    with pytest.raises(ParameterError, match="cannot be trained on a device"):
        evaluate(recordings, model="lda", device="cpu")
    with pytest.raises(ParameterError, match=r"ending of a picture must be one of .*'\.svg'"):
        train(recordings, target, model="cnn1d", curve=tmp_path / "curve.gif")
    (tmp_path / "curve.png").touch()
    with pytest.raises(OutputExistsError, match="already exists"):
        train(recordings, target, model="cnn1d", curve=tmp_path / "curve.png")
    assert not target.exists()


def test_cuda_asked_for_where_there_is_none_is_usage(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    words = ["train", "--data", "simulated", "--model", "cnn1d", "--device", "cuda"]
    assert main([*words, "--out", str(tmp_path / "a.myomodel")]) == 2
    assert "finds no CUDA device here" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_a_curve_is_drawn_with_and_without_people_held_out(suffix):
    curve = np.array([[1.0, 1.1, 0.4, 0.1], [0.8, 0.9, 0.6, 0.1], [0.7, 1.0, 0.5, 0.1]])
    alone = curve.copy()
    alone[:, 1:3] = np.nan
    for given in (curve, alone):
        content = training_picture(given, suffix=suffix, epochs=10)
        assert content[:4] == b"\x89PNG" if suffix == ".png" else b"<svg" in content
    if suffix == ".svg":
        assert b"score held out; kept: epoch 2, 0.600" in training_picture(curve, suffix=suffix)
