"""The calibrate verb: files that it leaves, a short one after it, live sources, refusals."""

import json

import numpy as np
import pytest

from myograph.cli.main import main
from myograph.core.errors import DataError, OutputExistsError, ParameterError
from myograph.io.read import read
from myograph.io.write import write
from myograph.pipeline.artifact import load_model
from myograph.stream.forearm import Forearm
from myograph.workflows.calibrate import CalibrationAsked, calibrate

ASKED = {"movements": ("rest", "hand close", "hand open"), "repetitions": 2}


@pytest.fixture(scope="module")
def monday(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrate") / "monday"
    asked = CalibrationAsked(subject="p01", hold_s=1.2, countdown_s=0.5, **ASKED)
    calibrate("simulated:3?fs_hz=500", folder, asked)
    return folder


def test_everything_is_kept_and_works_again(monday):
    about = json.loads((monday / "calibration.json").read_text())
    assert about["simulated"] is True
    assert about["own_accuracy"] > 0.9
    pipeline = load_model(monday / "hand.myomodel")
    recording = read(monday / "repetitions.myo")
    right = [
        decision.label == event.label
        for event in recording.events
        if event.source == "protocol"
        for decision in pipeline.predict(recording.crop(event.onset_s, event.end_s))
    ]
    assert np.mean(right) > 0.9


def test_a_short_one_follows_and_is_compared(monday, tmp_path):
    asked = CalibrationAsked(subject="p01", earlier=monday, repetitions=1)
    result = calibrate("simulated:3?fs_hz=500&turned_deg=45", tmp_path / "tuesday", asked)
    assert result.about["seconds"] < 15
    assert result.about["compared"]["turned_channels"] == -1
    with pytest.raises(DataError, match="not that of the calibration in"):
        calibrate("simulated:3?fs_hz=600", tmp_path / "wednesday", asked)


def test_a_live_source_is_guided_to_its_end(tmp_path):
    # Whatever is replayed here follows no prompts; the gate and the end are what is tested.
    arm = Forearm(500.0, seed=2)
    from myograph.core.recording import Recording

    path = tmp_path / "short.myo"
    write(Recording(arm.push({"hand close": 0.5}, 1000), arm.layout), path)
    asked = CalibrationAsked(subject="p01", **ASKED)
    with pytest.raises(DataError, match=r"ended in prompt 1 of 6; nothing was kept"):
        calibrate(f"replay:{path}?speed=inf", tmp_path / "out", asked)
    assert not (tmp_path / "out").exists()


def test_refusals(monday, tmp_path):
    asked = CalibrationAsked(subject="p01", **ASKED)
    with pytest.raises(OutputExistsError, match="already exists"):
        calibrate("simulated:3", monday, asked)
    with pytest.raises(ParameterError, match="source must be one of"):
        calibrate("telepathy:me", tmp_path / "x", asked)
    with pytest.raises(ParameterError, match="needs the person's seed"):
        calibrate("simulated:me", tmp_path / "x", asked)


def test_command_line(tmp_path, capsys):
    out = tmp_path / "first"
    given = ["calibrate", "--source", "simulated:4?fs_hz=500", "--out", str(out)]
    given += ["--movements", "rest,hand close", "--repetitions", "1", "--hold-s", "1"]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "SIMULATED person" in shown
    assert "nearest movement" in shown
    assert main([*given, "--json"]) == 3
    assert main([*given, "--json", "--force"]) == 0
    assert json.loads(capsys.readouterr().out)["subject"] == "p01"


def test_the_screen_shows_hand_countdown_and_verdict():
    from rich.console import Console

    from myograph.cli.calibrate import picture, told
    from myograph.stream.calibrate import Calibration, run_prompts
    from myograph.stream.prompts import Plan
    from myograph.stream.wearer import SimulatedWearer

    wearer = SimulatedWearer(Forearm(500.0, seed=1), seed=1)
    plan = Plan(("rest", "hand close"), 1, countdown_s=1.0, hold_s=1.0)
    guided = Calibration(plan, wearer.layout, subject="p01")
    console = Console(width=90, record=True)
    with console.capture() as shown:
        console.print(picture(guided, ""))
    assert "1 of 2: rest" in shown.get()
    assert "get ready" in shown.get()
    run_prompts(guided, wearer)
    assert "hand close 1: good" in told(guided)
    assert "apart" in told(guided)


@pytest.mark.parametrize("redo", [0, 2])
def test_a_repetition_that_fails_is_asked_for_again_so_often(redo, tmp_path, monkeypatch):
    from myograph.stream.gate import Gate

    tried = []

    def reasons(self, hold, rest):
        tried.append((hold.events[0].label, hold.events[0].trial))
        return ("Too weak.",) if tried[-1] == ("hand close", "1") else ()

    monkeypatch.setattr(Gate, "reasons", reasons)
    asked = CalibrationAsked(subject="p01", hold_s=1.0, countdown_s=0.3, redo=redo, **ASKED)
    result = calibrate("simulated:3?fs_hz=500", tmp_path / "out", asked)
    assert tried.count(("hand close", "1")) == 1 + redo
    assert len(tried) == 6 + redo
    assert [one["movement"] for one in result.about["refused"]] == ["hand close"]


def test_the_last_one_is_done_again_by_a_key_and_not_twice():
    from myograph.cli.calibrate import redo_last
    from myograph.stream.calibrate import Calibration
    from myograph.stream.prompts import Plan

    arm = Forearm(500.0, seed=2)
    plan = Plan(("rest", "hand close"), 1, countdown_s=0.2, hold_s=1.0)
    guided = Calibration(plan, arm.layout, subject="p")
    assert redo_last(guided) == ""
    guided.push(arm.push({}, 650))  # rest, and a little of what follows
    assert redo_last(guided) == redo_last(guided) == "rest 1: once more, next."
    assert (guided.situation.total, guided.asks_again("rest", 1)) == (3, True)
    guided.push(arm.push({"hand close": 0.6}, 600))
    assert guided.situation.prompt.again
    assert guided.situation.prompt.movement == "rest"
