"""Contests: only the same people, recordings, classes and questions are compared."""

import json
from dataclasses import replace

import numpy as np
import pytest

from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.report.comparison import (
    comparison_page,
    comparison_rows,
    comparison_sentences,
    people_figure,
    reach_words,
)
from myograph.report.comparison import (
    test_words as words_of_test,
)
from myograph.validate.contest import compare_results
from myograph.validate.result import Audit, ValidationResult

PEOPLE = tuple(f"p{k}" for k in range(8))


def result(level, *, people=PEOPLE, seed=0, metric="accuracy", classes=("fist", "rest"), **fields):
    random = np.random.default_rng(seed)
    scores = {p: float(level + 0.02 * random.standard_normal()) for p in people}
    mean = float(np.mean(list(scores.values())))
    plain = {
        "task": "classification",
        "headline": metric,
        "config": {"model": {"name": "lda", "params": {}}, "features": ["hudgins"]},
        "split": {"name": "loso", "scope": "across people", "fingerprint": "f" * 64},
        "data": {"name": "hands", "tested_digest": "d" * 64, "recordings": 8, "windows_tested": 99},
        "seed": 0,
        "classes": classes,
        "per_person": {metric: scores},
        "metrics": {metric: Estimate(mean, mean - 0.05, mean + 0.05, "person", len(people))},
        "audits": (Audit("people", passed=True, text="x"),),
        "environment": {"myograph": "0.1.0"},
    }
    return ValidationResult(**{**plain, **fields})


@pytest.fixture(scope="module")
def three():
    return {"good": result(0.9, seed=1), "plain": result(0.7, seed=2), "same": result(0.7, seed=3)}


def test_the_better_one_is_found_and_the_same_one_is_not(three):
    found = compare_results(three, reference="plain")
    good, same = found.comparisons
    assert (good.first, good.second, good.better, good.worse) == ("good", "plain", 8, 0)
    assert good.p == 2 / 2**8
    assert good.corrected == 2 * good.p  # Holm, of two
    assert same.corrected > 0.05
    assert [row[-1] for row in comparison_rows(found)] == ["good is better", "not shown"]
    assert found.people == PEOPLE
    assert len(compare_results(three).comparisons) == 3
    json.dumps(found.to_dict(), allow_nan=False)


def test_for_an_error_less_is_better():
    pair = {"a": result(0.3, metric="mae", seed=1), "b": result(0.9, metric="mae", seed=2)}
    found = compare_results(pair)
    (row,) = comparison_rows(found)
    assert row[-1] == "a is better"
    assert row[5] == "8, 0"
    assert "better for 8 of 8 people" in comparison_sentences(found)[0]
    assert "less mean absolute error than b" in comparison_sentences(found)[0]


def test_people_without_a_score_are_named():
    scores = {**dict.fromkeys(PEOPLE, 0.5), "p3": None}
    found = compare_results({"a": result(0.7), "b": result(0.5, per_person={"accuracy": scores})})
    assert found.left_out == {"p3": "no score by b"}
    assert len(found.people) == 7


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"classes": ("fist", "pinch")}, DataError, r"other classes apart: \['pinch', 'rest'\]"),
        ({"task": "regression"}, DataError, "'b' regression; a comparison needs one question"),
        ({"people": ("q1", "q2")}, DataError, "no person is in both"),
        ({"people": (*PEOPLE[1:], "q1")}, DataError, r"share 7 people .*only 'a' tested 1 person"),
        (
            {"data": {"name": "hands", "tested_digest": "e" * 64, "recordings": 8}},
            DataError,
            "people of the same names, and other recordings",
        ),
        ({"data": {"name": "arms", "recordings": 8}}, DataError, "about arms, 8 recordings"),
        (
            {"split": {"name": "session", "scope": "within person"}},
            DataError,
            r"across people \(loso\), 'b' within person \(session\): other questions",
        ),
        ({"metric": "f1"}, ParameterError, r"other metrics, \['accuracy', 'f1'\]"),
    ],
)
def test_what_is_not_the_same_question_is_refused(fields, error, message):
    with pytest.raises(error, match=message):
        compare_results({"a": result(0.7), "b": result(0.7, **fields)})


def test_hostile_choices(three):
    with pytest.raises(DataError, match="at least 2 models"):
        compare_results({"good": three["good"]})
    with pytest.raises(ParameterError, match=r"reference must be .*got 'best'"):
        compare_results(three, reference="best")
    with pytest.raises(ParameterError, match=r"for each person must be .*got 'accurate'"):
        compare_results(three, metric="accurate")
    with pytest.raises(ParameterError, match="test must be one of"):
        compare_results(three, test="t-test")
    with pytest.raises(ParameterError, match="correction must be one of"):
        compare_results(three, correction="bonferroni")
    lonely = {p: (0.5 if p == "p0" else None) for p in PEOPLE}
    with pytest.raises(DataError, match="1 people have a accuracy by every model"):
        compare_results({"a": result(0.7), "b": result(0.7, per_person={"accuracy": lonely})})


def test_shared_people_can_be_compared_knowingly():
    pair = {"a": result(0.7), "b": result(0.7, people=PEOPLE[2:])}
    found = compare_results(pair, shared=True)
    assert found.people == PEOPLE[2:]
    assert any("only those in all of them are compared" in note for note in found.notes)
    other = replace(pair["b"], data={"name": "arms"})
    with pytest.raises(DataError, match="other recordings"):
        compare_results({"a": pair["a"], "b": other}, shared=True)


def test_notes_say_what_stands_against_it(three):
    failed = (Audit("samples", passed=False, text="shared"),)
    other = replace(
        three["plain"], audits=failed, split={**three["plain"].split, "fingerprint": "g"}
    )
    other = replace(other, data={**other.data, "windows_tested": 7})
    told = compare_results({"good": three["good"], "plain": other}).notes
    assert told[0] == "Do not rely on this comparison: plain failed the audits samples."
    assert any("The folds differ (good loso, plain loso)" in note for note in told)
    assert any("different windows (good 99, plain 7)" in note for note in told)


def test_the_page_is_complete_and_safe(three):
    named = {"<b>good": three["good"], "plain": three["plain"]}
    named["plain"] = replace(named["plain"], data={**named["plain"].data, "simulated": True})
    found = replace(compare_results(named), simulated=True)
    page = comparison_page(found, command="myograph compare a b", written="today")
    assert "<b>good" not in page
    assert "&lt;b&gt;good" in page
    assert "Simulated data: engineering verification" in page
    assert page.count("<svg") == 1
    assert "shown: &lt;b&gt;good is better" in page
    assert comparison_page(found) == comparison_page(found)
    assert people_figure(found).count("<title") == 1


def test_too_few_people_are_told_so():
    assert reach_words(5, "none", 3).endswith("p 0.062 is the least there is.")
    assert reach_words(6, "none", 3) == ""
    assert reach_words(6, "holm", 2).endswith("p 0.062 is the least there is.")
    few = {"a": result(0.9, people=PEOPLE[:4]), "b": result(0.5, people=PEOPLE[:4])}
    found = compare_results(few)
    assert found.comparisons[0].p == 2 / 2**4  # the least there is
    assert "No difference can be shown with 4 people" in comparison_page(found)


def test_words_of_tests_say_what_was_corrected():
    assert "Corrected for 3 comparisons (Holm)" in words_of_test("sign-flip", "holm", 3)
    assert "Not corrected for how many were compared (1 comparison)" in words_of_test(
        "wilcoxon", "none", 1
    )
