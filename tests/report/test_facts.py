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
from myograph.validate.heterogeneity import site_heterogeneity
from myograph.validate.manifest import SplitManifest
from myograph.validate.result import ValidationResult
from myograph.validate.robustness import Robustness
from myograph.validate.subgroups import subgroup_table
from myograph.validate.trust import Trust, measure_trust

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
    assert known["balance"].value == "rest 150, fist 150 (windows)"
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


@pytest.mark.parametrize("key", ["benefit", "subgroups", "robustness"])
def test_what_was_not_measured_is_not_claimed(make_result: Make, key: str) -> None:
    assert key not in facts(Evidence(make_result()))


def test_benefit_is_told_where_people_are_cases(make_result: Make) -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(60) % 2
    right = np.where(rng.random(60) < 0.8, truth, 1 - truth)
    proba = np.where(right[:, None] == [0, 1], 0.8, 0.2)
    answers = Answers(proba, truth, Groups.of([f"p{k:02d}" for k in range(60)]), ("ill", "well"))
    trust = measure_trust(answers, unit="person")
    assert trust is not None
    told = facts(Evidence(make_result(trust=trust)))["benefit"]
    assert told.source == "result.json: trust.benefit"
    row = next(each for each in trust.benefit["ill"] if each.threshold == 0.2)
    assert f"ill from 20 %: {row.model.value:.3f}" in told.value
    assert Trust.from_dict(trust.to_dict()).benefit == trust.benefit
    worth = facts(Evidence(make_result(trust=trust)))["worth"]
    at = next(each for each in trust.worth["ill"] if each.prevalence == 0.01)
    assert at.ppv.value < 0.1 < trust.worth["ill"][-1].ppv.value  # rare, and a yes is mostly wrong
    assert f"ill where 1 % are: that answer is true in {100 * at.ppv.value:.1f} %" in worth.value
    assert Trust.from_dict(trust.to_dict()).worth == trust.worth
    windows = measure_trust(answers, unit="window")
    told = facts(Evidence(make_result(trust=windows)))["benefit"]
    assert told.value.startswith("not computed: people are not cases")


def test_sites_are_told(make_result: Make) -> None:
    sites = site_heterogeneity([0.7, 0.8, 0.5, 0.6, 0.9, 0.9], list("aabbcc"), bounds=(0, 1))
    told = facts(Evidence(make_result(sites=sites)))["sites"].value
    assert told.startswith("Pooled over 2 sites that the models had not seen, accuracy ")
    assert "more than chance (I²" in told
    assert "Not in it, for want of people who differ: c." in told


def test_groups_are_told_with_their_sizes(make_result: Make) -> None:
    right, people = [1.0, 0.0, 1.0, 1.0], ["a", "b", "c", "d"]
    groups = subgroup_table(right, people, {"sex": ["f", "f", "m", "m"]})
    told = facts(Evidence(make_result(subgroups=groups)))["subgroups"]
    assert told.value.startswith("sex f (2 people, few): accuracy 50.0 % (")
    assert "sex m (2 people, few): accuracy 100.0 %" in told.value
    kept = ValidationResult.from_dict(make_result(subgroups=groups).to_dict())
    assert kept.subgroups == groups


def test_spoilt_recordings_are_told_challenge_by_challenge(
    make_result: Make, robustness: Robustness
) -> None:
    told = facts(Evidence(make_result(robustness=robustness)))["robustness"]
    assert "clipping, rails at 1 SD: 60.0 %, −10.0 (−20.0 to −5.0)" in told.value


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
