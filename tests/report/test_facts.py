"""Facts: what the run says, and nothing that it does not say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from myograph.report.facts import LABELS, Evidence, facts
from myograph.report.material import Material
from myograph.report.words import Measure
from myograph.validate.answers import Answers
from myograph.validate.fold import Groups
from myograph.validate.manifest import SplitManifest
from myograph.validate.result import ValidationResult
from myograph.validate.trust import measure_trust

Make = Callable[..., ValidationResult]


def test_values_are_those_of_the_run(make_result: Make, manifest: SplitManifest) -> None:
    result = make_result()
    material = Material(about={"licence": "CC0", "digest": "f00d"}, command="myograph evaluate x")
    known = facts(Evidence(result, material, manifest))
    told = Measure("accuracy").told(result.metrics["accuracy"])
    assert known["headline"].value == f"accuracy {told}, mean over 3 people; chance 50.0 %"
    assert known["headline"].source == "result.json: metrics.accuracy"
    assert known["seed"].value == "7"
    assert known["licence"].value == "CC0"
    assert known["command"].value == "myograph evaluate x"
    assert known["balance"].value == "rest 150, fist 150"
    assert manifest.digest() in known["split"].value
    assert known["sides"].value == "units (subject) in a fold: train 2, test 1"
    assert "drift" in known["probes"].value


@pytest.mark.parametrize(
    "key",
    ["licence", "citation", "source", "tasks", "command", "sides", "locked", "training"],
)
def test_what_is_not_known_is_not_there(make_result: Make, key: str) -> None:
    assert key in LABELS
    assert key not in facts(Evidence(make_result()))


@pytest.mark.parametrize("key", ["benefit", "subgroups"])
def test_what_this_version_does_not_measure_is_not_claimed(make_result: Make, key: str) -> None:
    assert key not in facts(Evidence(make_result()))


def test_calibration_is_told_where_it_was_measured(make_result: Make) -> None:
    assert "calibration" not in facts(Evidence(make_result()))
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 3, 400)
    proba = rng.dirichlet(np.ones(3), 400)
    people = Groups.of([f"p{k // 20}" for k in range(400)])
    answers = Answers(proba, truth, people, ("a", "b", "c"))
    told = facts(Evidence(make_result(trust=measure_trust(answers, unit="window"))))["calibration"]
    assert told.value.startswith("expected calibration error 0.")
    assert "on other people" in told.value


def test_none_is_an_answer_where_the_definition_says_so(make_result: Make) -> None:
    known = facts(Evidence(make_result()))
    assert known["scaling"].value == "none"
    assert known["selection"].value.startswith("none")
    assert known["dropped"].value == "nothing was left out"


def test_every_fact_has_a_place(make_result: Make, manifest: SplitManifest) -> None:
    known = facts(Evidence(make_result(), Material(about={"name": "hands"}), manifest))
    assert set(known) <= set(LABELS)
    for fact in known.values():
        assert fact.value
        assert fact.source.partition(":")[0] in {"result.json", "material.json", "split.json"}


def test_a_value_to_estimate(make_result: Make) -> None:
    windowing = {"length_ms": 200.0, "step_ms": 50.0, "target_kind": "force"}
    result = make_result(
        task="regression", classes=(), config={"windowing": windowing, "model": {"name": "ridge"}}
    )
    known = facts(Evidence(result))
    assert known["target"].value == "the mean force in the window"
    assert known["output"].value == "a value for every window"
    assert "balance" not in known
