"""Smoothing and control inside the engine: late answers, abstentions, commands."""

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.smoothing import Debounce, MajorityVote, Rejection, Smoothing
from myograph.stream.answer import Answer, Value
from myograph.stream.calibrate import PIPELINE
from myograph.stream.control import VelocityControl, VelocityRamp
from myograph.stream.controller import PatternController
from myograph.stream.effort import EffortScale
from myograph.stream.forearm import Forearm
from myograph.stream.regression import SimultaneousControl, ValueControl, ValueMove
from myograph.stream.safety import Safety, SafetyLimits
from myograph.stream.stages import CommandConsumer, command_stage, smoothing_stage

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


# --- regression

FREE = SafetyLimits(most_change_per_s=1e6)


def estimated(value, time_s, *, abstains=""):
    decision = Decision("force", np.ones(1), ("force",), time_s, rejected=bool(abstains))
    told = (Value("force", "N", value),)
    return Answer(round(20 * time_s), decision, abstains, np.ones(3), time_s, time_s, told)


def test_estimates_become_commands_and_abstentions_stop_the_hand():
    sent = []
    control = ValueControl([ValueMove(dof="power", still=5.0, full=85.0)])
    stage = command_stage(sent.append, control=control, safety=Safety(FREE))
    for one in (
        estimated(5.0, -0.05),
        estimated(45.0, 0.0),
        estimated(500.0, 0.05),
        estimated(float("nan"), 0.1, abstains="gap"),
        estimated(45.0, 0.07),  # late: moves nothing
        estimated(-60.0, 0.15),  # a force below rest opens nothing
        estimated(6.0, 0.2),
    ):
        assert stage(one) is one
    assert [command.velocity[0] for command in sent] == pytest.approx([0, 0.5, 1, 0, 0, 0])
    assert [command.reason for command in sent][3] == "rejected"
    with pytest.raises(DataError, match="the answer names a class; use CommandConsumer"):
        stage(answer("pinch", 1.0))


def test_simultaneous_control_learns_from_estimates():
    force = np.linspace(0, 100, 60)[:, None]
    targets = np.hstack([force / 100, np.zeros((60, 4))])
    control = SimultaneousControl(alpha=1e-9).fit(force, targets)
    sent = []
    stage = command_stage(sent.append, control=control, safety=Safety(FREE))
    stage(estimated(0.0, 0.0))
    stage(estimated(30.0, 0.05))
    assert sent[1].velocity.tolist() == pytest.approx([0.3, 0, 0, 0, 0], abs=0.01)


def test_an_angle_moves_a_wrist_both_ways():
    flexion = ValueMove(dof="flexion", still=0.0, full=60.0, both_ways=True)
    control = ValueControl([ValueMove(dof="power", still=0.0, full=1.0), flexion])
    assert control.push([0.5, -30.0], 0.0).velocity.tolist() == [0.5, 0, 0, 0, -0.5]
    with pytest.raises(DataError, match="2 finite values are needed"):
        control.push([0.5], 0.0)


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        ([("powr", 0.0, 1.0)], "degree of freedom"),
        ([("power", 1.0, 1.0)], "must be finite and differ"),
        ([("power", 0.0, 1.0), ("power", 0.0, 2.0)], "a degree of its own"),
        ([], "a degree of its own"),
    ],
)
def test_moves_that_cannot_be(moves, told):
    with pytest.raises(ParameterError, match=told):
        ValueControl([ValueMove(dof=dof, still=a, full=b) for dof, a, b in moves])
