"""Smoothing and control inside the engine: late answers, abstentions, commands."""

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.smoothing import Debounce, MajorityVote, Rejection, Smoothing
from myograph.stream.answer import Answer
from myograph.stream.calibrate import PIPELINE
from myograph.stream.control import VelocityControl, VelocityRamp
from myograph.stream.controller import PatternController
from myograph.stream.effort import EffortScale
from myograph.stream.forearm import Forearm
from myograph.stream.safety import Safety, SafetyLimits
from myograph.stream.stages import CommandConsumer, smoothing_stage

CLASSES = ("rest", "pinch")


def answer(label, time_s, *, abstains="", level=35.0):
    proba = np.array([float(label == name) for name in CLASSES])
    decision = Decision(label, proba, CLASSES, time_s, rejected=bool(abstains))
    return Answer(round(20 * time_s), decision, abstains, np.full(3, level), time_s, time_s)


def test_a_stage_steadies_and_keeps_reasons():
    stage = smoothing_stage(Smoothing([Debounce(2)]))
    given = [("rest", ""), ("pinch", ""), ("pinch", ""), ("rest", "gap"), ("pinch", "")]
    out = [stage(answer(name, 0.05 * k, abstains=why)) for k, (name, why) in enumerate(given)]
    assert [one.decision.label for one in out] == ["rest", "rest", "pinch", "pinch", "pinch"]
    assert [one.abstains for one in out] == ["", "", "", "gap", ""]
    assert out[3].decision.rejected


def test_a_late_answer_leaves_the_state_alone():
    stage = smoothing_stage(Smoothing([MajorityVote(3)]))
    stage(answer("pinch", 1.0))
    late = stage(answer("rest", 0.5))
    assert late.decision.label == "rest"
    assert stage(answer("pinch", 1.05)).decision.confidence == 1.0


def test_refusing_is_told_as_unsure():
    stage = smoothing_stage(Rejection({"pinch": 1.0}))
    proba = np.array([0.2, 0.8])
    unsure = Answer(0, Decision("pinch", proba, CLASSES, 0.0), "", np.ones(3), 0.0, 0.0)
    assert stage(unsure).abstains == "unsure"


def test_answers_become_commands_and_late_or_abstaining_ones_move_nothing():
    sent = []
    consumer = CommandConsumer(
        sent.append,
        scale=EffortScale(5.0, {"pinch": 65.0}),
        safety=Safety(SafetyLimits(most_change_per_s=1e6)),
    )
    for one in (
        answer("rest", 0.0),
        answer("pinch", 0.05),
        answer("pinch", 0.1, abstains="gap", level=float("nan")),
        answer("pinch", 0.02),
    ):
        consumer.take(one)
    assert [command.velocity[1] for command in sent] == [0.0, pytest.approx(0.5), 0.0]
    assert sent[2].reason == "rejected"


def test_pattern_control_does_not_depend_on_chunks(rng):
    arm = Forearm(500.0, seed=2)
    recordings = []
    for trial in "12":
        for movement in ("rest", "pinch"):
            drive = {} if movement == "rest" else {movement: 0.6}
            arm.push(drive, 200)
            event = Event(0.0, 1.0, movement, "protocol", trial)
            samples = arm.push(drive, 500)
            recordings.append(Recording(samples, arm.layout, (event,), Subject("s")))
    pipeline = Pipeline(PIPELINE)
    pipeline.fit(pipeline.prepare(recordings))
    stream = np.concatenate([arm.push(d, 500) for d in ({}, {"pinch": 0.6}, {})], axis=1)

    def commands(sizes):
        controller = PatternController(
            pipeline,
            arm.layout,
            scale=EffortScale(3.0, {"pinch": 40.0}),
            smoothing=Smoothing([MajorityVote(3)]),
            control=VelocityControl(ramp=VelocityRamp(steps=3)),
        )
        out, place = [], 0
        while place < stream.shape[1]:
            size = int(next(sizes))
            out += controller.push(stream[:, place : place + size])
            place += size
        return out

    hop = commands(iter([25] * 60))
    again = commands(iter([25] * 60))
    odd = commands(iter(rng.integers(1, 26, 1500)))
    assert [(c.time_s, c.movement) for c in hop] == [(c.time_s, c.movement) for c in odd]
    assert [c.velocity.tolist() for c in hop] == [c.velocity.tolist() for c in again]
    assert max(c.velocity[1] for c in hop) > 0.3
    assert hop[-1].still
