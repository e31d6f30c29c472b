"""Live: a model on a stream decides what it decides offline, through the command line and on
recordings of real people."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import numpy as np
import pytest

from myograph import datasets, read, write
from myograph.core.recording import Event, Recording
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.consumer import Callback
from myograph.stream.engine import Engine
from myograph.stream.replay import Replay

# Opening the archive alone takes long.
SLOW = pytest.mark.slow
REAL = [
    "myo-cotellard", "ciil", "uci-gestures", pytest.param("3dc", marks=SLOW),
    pytest.param("longterm-myo-30day", marks=SLOW), "lis-emg-imu", "grasp-force-myo",
    "fatigue-liu", "knee-lowerlimb", "elderly-emg-force", "gait-poststroke", "needle-nmd",
    "needle-n2001", "needle-emgdb",
]  # fmt: skip
MOST_S = 15.0


def halves(recording: Recording) -> Recording:
    """The recording with two classes that every recording has: its halves."""
    half_s = recording.duration_s / 2
    events = (Event(0.0, half_s, "first", "protocol"), Event(half_s, half_s, "second", "protocol"))
    start_s = recording.start_s
    return recording.with_events(
        Event(start_s + e.onset_s, e.duration_s, e.label, e.source) for e in events
    )


def short(recording: Recording) -> Recording:
    if recording.duration_s <= MOST_S:
        return recording
    return recording.crop(recording.start_s, recording.start_s + MOST_S)


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_live_is_offline_on_every_dataset(name: str, mirror: Path, monkeypatch) -> None:
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))
    recordings = datasets.load(name).recordings
    learned, streamed = short(recordings[0]), short(recordings[len(recordings) // 2])
    if streamed.layout != learned.layout:
        streamed = learned
    fs_hz = learned.fs_hz
    pipeline = Pipeline(
        {
            "steps": [{"step": "bandpass", "low_hz": 15.0, "high_hz": min(450.0, 0.4 * fs_hz)}],
            "windowing": {"length_ms": 150.0, "step_ms": 25.0},
            "features": ["hudgins"],
            "scaling": "standard",
            "model": {"name": "lda"},
            "reject_below": 0.6,
        }
    )
    pipeline.fit(pipeline.prepare([halves(learned)]))
    offline = pipeline.predict(streamed)
    rng = np.random.default_rng(len(name))
    sizes = [*rng.integers(0, round(0.3 * fs_hz), size=40).tolist(), 1]
    answers: list = []
    source = Replay(streamed, speed=math.inf, sizes=sizes)
    health = asyncio.run(Engine(pipeline, source, [Callback(answers.append)]).run())
    decided = [a.decision for a in answers if a.abstains != "gap"]
    assert len(decided) == len(offline) > 20 or streamed.duration_s < 3
    assert [d.label for d in decided] == [d.label for d in offline]
    assert [d.rejected for d in decided] == [d.rejected for d in offline]
    for now, then in zip(decided, offline, strict=True):
        assert now.time_s + streamed.start_s == pytest.approx(then.time_s, abs=1e-6)
        np.testing.assert_allclose(now.probabilities, then.probabilities, atol=1e-9)
    assert health.dropped == 0


@pytest.mark.realdata
def test_a_grasp_force_is_estimated_live_as_offline(mirror: Path, monkeypatch) -> None:
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))
    recordings = datasets.load("grasp-force-myo").recordings
    force = [r for r in recordings if r.layout.rows(kinds=("force",))]
    recording = force[0]
    middle_s = recording.start_s + 0.6 * recording.duration_s
    pipeline = Pipeline(
        {
            "steps": [{"step": "bandpass", "low_hz": 15.0, "high_hz": 90.0}],
            "windowing": {
                "length_ms": 250.0, "step_ms": 50.0, "label_sources": [], "target_kind": "force",
            },
            "features": ["hudgins"],
            "scaling": "standard",
            "model": {"name": "ridge"},
        }
    )  # fmt: skip
    pipeline.fit(pipeline.prepare([recording.crop(recording.start_s, middle_s)]))
    later = recording.crop(middle_s, recording.end_s)
    offline, _ = pipeline.estimate_recording(later)
    sizes = np.random.default_rng(3).integers(0, 90, size=40).tolist()
    answers: list = []
    source = Replay(later, speed=math.inf, sizes=[*sizes, 1])
    asyncio.run(Engine(pipeline, source, [Callback(answers.append)]).run())
    live = [a.values[0] for a in answers if not a.abstains]
    assert [one.value for one in live] == offline.tolist()
    assert {(one.name, one.unit) for one in live} == {pipeline.target}
    truth = pipeline.prepare([later]).index.label
    assert np.corrcoef(offline, truth)[0, 1] > 0.7


def test_the_command_line_decides_live_as_it_predicts(cli, model, folder, tmp_path) -> None:
    path = sorted(folder.glob("*.myo"))[-1]
    record = tmp_path / "session.myolive"
    said = cli("live", model, "--source", f"replay:{path}?speed=1000", "--record", record, "--json")
    assert said.code == 0, said.err
    told = [json.loads(line) for line in said.out.splitlines()]
    answers = [one["answer"] for one in told if "answer" in one]
    predicted = cli("predict", model, path, "--json").json["recordings"][0]["windows"]
    assert [a["label"] for a in answers] == [w["label"] for w in predicted]
    health = told[-1]["health"]
    assert (health["loss"], health["decided"]) == (0.0, len(predicted))
    assert [one["notice"]["kind"] for one in told if "notice" in one] == ["connected", "ended"]
    # What was recorded gives the same once more, from the file.
    again = cli("predict", model, record, "--json").json["recordings"][0]["windows"]
    assert [w["label"] for w in again] == [w["label"] for w in predicted]


def test_in_a_pipe_changes_are_told_and_a_summary(cli, model, folder) -> None:
    path = sorted(folder.glob("*.myo"))[0]
    said = cli("live", model, "--source", f"replay:{path}?speed=1000")
    assert said.code == 0, said.err
    for words in ("decisions", "latency", "controller delay", "samples"):
        assert words in said.out
    assert "connected" in said.err


@pytest.mark.parametrize(
    ("source", "code", "told"),
    [
        ("twin:1", 3, "twin:1 cannot be used. This model was trained for another recording"),
        ("Forearm", 2, "written scheme:place"),
        ("replay:nowhere.edf", 3, "nowhere.edf does not exist"),
        ("ws:127.0.0.1:9", 3, "ws://127.0.0.1:9 gave no samples within 0.2 s"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(cli, model, source, code, told) -> None:
    if source.startswith("ws"):
        pytest.importorskip("websockets")
    said = cli("live", model, "--source", source, "--wait", "0.2")
    assert said.code == code
    assert told in said.err
    assert "Traceback" not in said.err


def test_nothing_is_recorded_over(cli, model, folder, tmp_path) -> None:
    record = tmp_path / "session.myolive"
    record.write_bytes(b"mine")
    path = sorted(folder.glob("*.myo"))[0]
    said = cli("live", model, "--source", f"replay:{path}", "--record", record)
    assert said.code == 3
    assert "never overwrites another" in said.err
    assert record.read_bytes() == b"mine"


def test_a_bad_link_abstains_and_is_recorded(cli, model, folder, tmp_path) -> None:
    path = sorted(folder.glob("*.myo"))[0]
    record = tmp_path / "session.myolive"
    source = f"replay:{path}?loss=0.3"
    said = cli("live", model, "--source", source, "--record", record, "--seconds", "2.5", "--json")
    assert said.code == 0, said.err
    told = [json.loads(line) for line in said.out.splitlines()]
    assert "gap" in {one["answer"]["abstains"] for one in told if "answer" in one}
    back = read(record)
    assert any(event.label == "gap" for event in back.events)
    write(back, tmp_path / "session.edf")


@pytest.mark.slow
def test_bench_live_says_how_quick_it_is(cli) -> None:
    pytest.importorskip("websockets")
    said = cli("bench", "live", "--hops", "100", "--json")
    if said.code == 3 and "None of 100 windows" in said.err:
        pytest.skip("this machine is too busy to decide about any window in time")
    assert said.code == 0, said.err
    found = said.json
    # How many come in time is the machine's affair; every window is answered or counted as dropped.
    n_windows = 100 + 50 + 8 + 1 - 7
    assert 0 < found["hops"] <= 100
    assert found["hops"] == 100 or found["dropped"] or found["lost"]
    if not found["lost"]:
        assert found["decided"] + found["dropped"] == n_windows
    assert set(found["parts_ms"]) == {"hearing", "sending", "sender late"}
    assert 0 < found["latency_ms"]["p50"] <= found["latency_ms"]["max"]
    assert found["controller_delay_ms"] == pytest.approx(90 + found["mean_ms"])


def test_priority_that_is_not_allowed_is_a_sentence(cli, model, folder, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.sched_setscheduler", refuse, raising=False)
    path = sorted(folder.glob("*.myo"))[0]
    said = cli("live", model, "--source", f"replay:{path}?speed=1000", "--realtime")
    assert said.code == 2
    assert "Real-time priority 40 is refused here (Operation not permitted)" in said.err
