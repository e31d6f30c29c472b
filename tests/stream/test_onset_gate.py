"""Nothing moves before somebody clearly means it."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.stream.control import VelocityControl
from myograph.stream.onset_gate import OnsetGate
from myograph.stream.regression import SimultaneousControl

CLASSES = ("rest", "hand close")


def said(label: str, *, rejected: bool = False) -> Decision:
    proba = np.array([float(name == label) for name in CLASSES])
    return Decision(label, proba, CLASSES, 0.0, rejected=rejected)


def test_a_spike_does_not_open_it_and_a_dip_does_not_close_it():
    gate = OnsetGate(on=0.3, off=0.1, repeats=3)
    efforts = [0.9, 0.2, 0.9, 0.9, 0.2, 0.4, 0.4, 0.4, 0.15, 0.12, 0.09, 0.2]
    assert [gate.push(x) for x in efforts] == [False] * 7 + [True] * 3 + [False] * 2


def test_it_closes_at_half_by_default():
    gate = OnsetGate(on=0.2, repeats=1)
    assert [gate.push(x) for x in (0.2, 0.1, 0.099)] == [True, True, False]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"on": 0.0}, "on must be above 0"),
        ({"on": 1.5}, "on must be above 0 and at most 1; got 1.5"),
        ({"on": float("nan")}, "on must be above 0"),
        ({"on": 0.2, "off": 0.3}, r"off must be from 0 to on \(0.2\); got 0.3"),
        ({"on": 0.2, "repeats": 0}, "repeats must be at least 1"),
    ],
)
def test_what_it_cannot_be(given, told):
    with pytest.raises(ParameterError, match=told):
        OnsetGate(**given)


def test_an_effort_that_is_no_number():
    with pytest.raises(DataError, match="effort must be finite; got nan"):
        OnsetGate(on=0.2).push(float("nan"))


def test_velocity_waits_for_the_gate():
    control = VelocityControl(gate=OnsetGate(on=0.2, off=0.1, repeats=2))
    told = [
        control.push(said("hand close"), effort=effort) for effort in (0.15, 0.3, 0.3, 0.15, 0.05)
    ]
    assert [command.reason for command in told] == ["idle", "idle", "", "", "idle"]
    assert [command.velocity[0] for command in told] == [0, 0, 0.3, 0.15, 0]


def test_rest_closes_the_gate_and_a_refusal_leaves_it():
    control = VelocityControl(gate=OnsetGate(on=0.2, repeats=2))
    for _ in range(2):
        control.push(said("hand close"), effort=0.5)
    assert control.push(said("hand close", rejected=True), effort=0.5).reason == "rejected"
    assert control.push(said("hand close"), effort=0.5).velocity[0] == 0.5
    rest = control.push(said("rest"), effort=0.0)
    assert (rest.movement, rest.reason, rest.still) == ("rest", "", True)
    assert control.push(said("hand close"), effort=0.5).reason == "idle"
    control.push(said("hand close"), effort=0.5)
    control.reset()
    assert control.push(said("hand close"), effort=0.5).still


def test_regression_waits_too():
    levels = np.abs(np.random.default_rng(0).normal(size=(200, 4)))
    targets = levels @ np.ones((4, 5)) / 10
    control = SimultaneousControl(alpha=1e-6, gate=OnsetGate(on=0.2, off=0.05, repeats=2))
    control.fit(levels, targets)
    loud = np.ones(4)
    told = [control.push(level, 0.0) for level in (loud, loud, loud)]
    assert [command.still for command in told] == [True, False, False]
    assert told[0].reason == "idle"
    control.reset()
    assert control.push(loud, 0.0).still
