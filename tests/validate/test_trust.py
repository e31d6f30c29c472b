"""Trust of an evaluation: measured, saved, read back, and left out where nothing can be said."""

import json

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.errors import DataError
from myograph.report.trust import coverage_rows, reliability_rows, trust_parts
from myograph.validate.answers import Answers
from myograph.validate.result import ValidationResult
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split
from myograph.validate.trust import Trust, coverage_of, measure_trust


def test_bold_answers_are_calmed_and_sets_hold_the_truth(simulated):
    found = measure_trust(simulated(60, temperature=3.0), unit="window")
    assert found.after.ece.value < 0.05 < found.before.ece.value
    assert found.coverage[0].group == "all"
    assert found.coverage[0].coverage.low <= 0.92
    assert found.coverage[0].coverage.high >= 0.88
    assert [each.group for each in found.coverage[1:]] == ["a", "b", "c"]
    assert found.curve[-1].accuracy.value > found.curve[0].accuracy.value


def test_survives_json(simulated):
    found = measure_trust(simulated(12), unit="window")
    text = json.dumps(found.to_dict(), allow_nan=False)
    assert Trust.from_dict(json.loads(text)).to_dict() == found.to_dict()


def test_nothing_is_said_of_too_few(simulated):
    assert measure_trust(simulated(2), unit="window") is None
    lonely = Answers.of([[0.5, 0.5]] * 3, list("aab"), list("pqr"), classes=("a", "b"))
    assert measure_trust(lonely, unit="person") is None


def test_coverage_of_cases_is_counted_exactly():
    answers = Answers.of([[0.9, 0.1]] * 15, ["a"] * 15, [f"p{k}" for k in range(15)], classes="ab")
    (row,) = coverage_of(answers, np.array([[True, False]] * 15))
    assert (row.coverage.value, row.coverage.high, row.people) == (1.0, 1.0, 15)
    assert row.coverage.low == pytest.approx(0.025 ** (1 / 15))  # clopper1934 at 15 of 15


def test_coverage_counts_people_alike():
    answers = Answers.of([[0.9, 0.1]] * 4, list("aaab"), ["p", "p", "p", "q"], classes=("a", "b"))
    sets = np.array([[True, False]] * 4)
    (row,) = coverage_of(answers, sets)
    assert (row.coverage.value, row.size, row.single, row.empty) == (0.5, 1.0, 1.0, 0.0)
    by_place = coverage_of(answers, sets, groups=np.array(["x", "y", "y", "y"]))
    assert [(row.group, row.windows, row.people) for row in by_place] == [("x", 1, 1), ("y", 3, 2)]
    with pytest.raises(DataError, match="shape of the probabilities"):
        coverage_of(answers, sets[:, :1])


def test_an_evaluation_measures_trust(make_index, make_table):
    table = make_table(make_index(people=5, windows=6))
    config = PipelineConfig(features=("hudgins",), model=ModelConfig(name="lda"))
    result = evaluate(
        config,
        table,
        make_split("leave-one-subject-out"),
        options=RunOptions(baselines=False, bootstrap=100),
    )
    assert result.trust.unit == "window"
    assert [row.group for row in result.trust.coverage] == ["all", *result.classes]
    again = ValidationResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert again.trust.to_dict() == result.trust.to_dict()
    older = {key: value for key, value in result.to_dict().items() if key != "trust"}
    assert ValidationResult.from_dict(older).trust is None


def test_report_tells_it(simulated):
    found = measure_trust(simulated(30, temperature=3.0), unit="window")
    page = "".join(trust_parts(found))
    assert "calibrated on other people (mixture)" in page
    assert "all, 90 % asked" in page
    assert page.count("<table>") == 5
    assert coverage_rows(found)[0][1] == "30"
    assert reliability_rows(found)[0][1] == f"{found.before.ece.value:.3f}"
