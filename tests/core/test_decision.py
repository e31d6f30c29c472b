import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.decision import Decision, Estimate, Finding
from myograph.core.errors import DataError, ParameterError


def finding(low, high, **changes):
    fields = {
        "name": "duration",
        "value": (low + high) / 2,
        "unit": "ms",
        "interval": (low, high),
        "reference_range": (6.0, 12.0),
        "reference": "key",
        "evidence": ("20 potentials",),
        "limits": "one muscle",
    }
    return Finding(**{**fields, **changes})


def test_an_estimate_lies_inside_its_interval_and_says_what_it_counts():
    estimate = Estimate(0.5, 0.25, 0.75, evidence="person", n=1)
    assert str(estimate) == "0.500 [0.250, 0.750] (1 person)"
    assert json.loads(json.dumps(estimate.to_dict())) == {
        "value": 0.5, "low": 0.25, "high": 0.75, "evidence": "person", "n": 1,
    }  # fmt: skip
    for low, high in ((0.6, 0.7), (0.1, 0.4), (float("nan"), 1.0)):
        with pytest.raises(ParameterError, match="inside its interval"):
            Estimate(0.5, low, high, evidence="person", n=1)


def test_a_decision_states_its_confidence_and_keeps_what_it_rejected():
    decision = Decision("b", np.array([0.25, 0.75]), ("a", "b"), time_s=1.5, rejected=True)
    assert decision.confidence == 0.75
    assert json.loads(json.dumps(decision.to_dict()))["probabilities"] == {"a": 0.25, "b": 0.75}
    assert decision.label == "b"
    with pytest.raises(ValueError, match="read-only"):
        decision.probabilities[0] = 1


@pytest.mark.parametrize(
    ("label", "probabilities", "message"),
    [
        ("c", [0.5, 0.5], "Label 'c' is not one of"),
        ("a", [0.5, 0.6], "sum to 1"),
        ("a", [-0.5, 1.5], "0 or more"),
        ("a", [np.nan, 1.0], "0 or more"),
        ("a", [1.0], "need as many probabilities"),
    ],
)
def test_impossible_decisions_are_refused(label, probabilities, message):
    with pytest.raises(DataError, match=message):
        Decision(label, np.array(probabilities), ("a", "b"), time_s=0.0)


@given(st.floats(-50, 50), st.floats(0, 20))
def test_a_finding_is_decided_only_when_its_whole_interval_is(low, width):
    verdict = finding(low, low + width).verdict
    if verdict == "inside":
        assert low >= 6 and low + width <= 12  # noqa: PT018
    elif verdict == "outside":
        assert low + width < 6 or low > 12
    else:
        assert low <= 6 <= low + width or low <= 12 <= low + width


def test_impossible_findings_are_refused():
    with pytest.raises(ParameterError, match="interval of finding 'duration' runs from"):
        finding(9.0, 8.0)
    with pytest.raises(ParameterError, match="needs a finite value and interval"):
        finding(8.0, float("inf"))
    assert finding(8.0, 9.0, reference_range=(-np.inf, 12.0)).verdict == "inside"
