"""What refusing comes to, in words, tables and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from myograph.core.decision import Estimate
from myograph.report.evaluation import evaluation_page
from myograph.report.facts import Evidence, facts
from myograph.report.material import Material
from myograph.report.refusals import class_rows, refusal_figure, refusal_sentences
from myograph.report.words import rule_words
from myograph.validate.refusals import ClassRefusal, Refusals, Refused
from myograph.validate.rejection import Outcome
from myograph.validate.result import ValidationResult

Make = Callable[..., ValidationResult]


def _share(value: float, *, apart: float = 0.05, n: int = 12) -> Estimate:
    return Estimate(value, max(0.0, value - apart), min(1.0, value + apart), "person", n)


def _outcome(answered: float, right: float | None) -> Outcome:
    accuracy = None if right is None else _share(right)
    hit = answered * (right or 0.0)
    return Outcome(_share(answered), accuracy, hit, answered - hit, 1 - answered, 0)


@pytest.fixture
def refusals() -> Refusals:
    classes = (
        ClassRefusal("fist", _share(0.7), _share(0.8), _share(0.97), 0.6, 0.71, 0),
        ClassRefusal("open", _share(0.5), _share(0.7), _share(0.93), 0.8, 0.8, 1),
        ClassRefusal("pinch", _share(0.5), _share(0.7), _share(0.6), 0.8, 0.8, 0),
        ClassRefusal("point", _share(0.1), _share(0.7), _share(0.5, n=4), 0.9, 0.99, 0),
        ClassRefusal("rest", _share(0.0, apart=0), _share(0.4), None, None, None, 3),
    )
    curve = tuple(_outcome(a, 1 - 0.3 * a) for a in (1.0, 0.8, 0.5))
    return Refusals(
        {"accuracy": 0.95}, (Refused("window", _outcome(0.6, 0.9), 0.0, classes, curve),)
    )


def test_each_class_is_judged_against_what_was_asked(refusals: Refusals) -> None:
    first, verdict = refusal_sentences(refusals)
    assert first.startswith(
        "Of the windows of people it has not seen it answers 60.0 % (55.0 to 65.0); 90.0 % "
        "(85.0 to 95.0) of its answers are right, beside 70.0 % (65.0 to 75.0) if all are answered."
    )
    assert verdict == (
        "Asked were 95 % right answers of each class (windows); reached: fist; below it, and "
        "inside the interval: open 93.0 % (88.0 to 98.0); missed: pinch 60.0 % (55.0 to 65.0); too "
        "few people to say: point 50.0 % (45.0 to 55.0) of 4 people; never answered: rest."
    )
    needs = [row[1:3] for row in class_rows(refusals.windows)]
    assert needs == [
        ("0.6 to 0.71", "0"),
        ("0.8", "1"),
        ("0.8", "0"),
        ("0.9 to 0.99", "0"),
        ("–", "3"),
    ]


def test_nobody_answered_is_said(refusals: Refusals) -> None:
    silent = replace(refusals.windows, outcome=_outcome(0.0, None), strange=0.25)
    told = refusal_sentences(Refusals({"novelty": "vae"}, (silent,)))
    (sentence,) = told
    assert sentence.endswith("it answers 0.0 % (0.0 to 5.0): nobody gets an answer.")
    assert "<svg" in refusal_figure(silent)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"reject_below": 0.0, "reject": None, "novelty": None}, ""),
        ({}, ""),
        ({"reject_below": 0.6}, "less sure than 0.6"),
        ({"reject_below": {"*": 0.6}}, "less sure than 0.6 (every class)"),
        ({"reject": {"coverage": 0.9}}, "so that 90 % of its answers are given"),
        ({"novelty": {"name": "vae"}}, "about windows unlike those learned from (vae)"),
    ],
)
def test_rules_in_words(config: dict[str, Any], told: str) -> None:
    found = rule_words(config)
    assert found == told if not told.startswith("so") else found.endswith(told)


def test_report_and_facts_tell_it(make_result: Make, refusals: Refusals) -> None:
    plain = make_result()
    known = facts(Evidence(plain))
    assert known["refusals"].value == "never: every window is answered"
    config = {**plain.config, "reject": {"accuracy": 0.95}}
    result = make_result(refusals=refusals, config=config)
    page = evaluation_page(result, Material())
    assert "When it does not answer" in page
    assert "refused</dt>" in page
    assert "When it does not answer" not in evaluation_page(plain, Material())
    known = facts(Evidence(result))
    assert "95 % of its answers are right" in known["output"].value
    assert "reached: fist" in known["refusals"].value


def test_ladder_and_doubts_use_corrected_p(make_result: Make) -> None:
    from myograph.report.doubts import doubts
    from myograph.validate.compare import Comparison

    gap = Estimate(0.2, 0.15, 0.25, "person", 9)
    lucky = Comparison("model", "majority", gap, 0.03, 0.09, 3, 0)
    page = evaluation_page(make_result(comparisons=(lucky,)), Material())
    assert "corrected</th>" in page
    assert "0.09" in page
    assert any(
        "Not shown to be better than majority" in told
        for told in doubts(Evidence(make_result(comparisons=(lucky,))))
    )
    sure = replace(lucky, corrected=0.01)
    told = doubts(Evidence(make_result(comparisons=(sure,))))
    assert not any("Not shown" in each for each in told)
    few = replace(sure, difference=replace(gap, n=4), corrected=0.12)
    told = doubts(Evidence(make_result(comparisons=(few,))))
    assert any("No difference can be shown with 4 people" in each for each in told)
    assert not any("Not shown" in each for each in told)
    known = facts(Evidence(make_result(comparisons=(sure,))))
    assert "p 0.01 corrected" in known["baselines"].value


def test_a_long_list_of_left_out_people_is_told_once(make_result: Make) -> None:
    gone = ", ".join(f"p{k}" for k in range(12))
    evidence = Evidence(make_result(dropped=((gone, "left out as asked for"),)))
    known = facts(evidence)
    assert known["dropped"].value == "p0, p1, p2 and 9 more (left out as asked for)"
    assert known["dropped-whole"].value == f"{gone}: left out as asked for"
