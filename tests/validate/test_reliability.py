"""Reliability: hand-counted errors, intervals that hold the truth, laws of bins."""

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.validate.answers import Answers
from myograph.validate.reliability import Reliability, bins_of, measure_reliability


def two(first, truth, people=None):
    first = np.asarray(first)
    return Answers.of(
        np.column_stack([first, 1 - first]),
        truth,
        people if people is not None else [f"p{k}" for k in range(len(first))],
        classes=("a", "b"),
    )


def test_hand_counted():
    # Said 0.9, right 1 of 2; said 0.6, right 2 of 2: (2 * 0.4 + 2 * 0.4) / 4.
    found = measure_reliability(two([0.9, 0.9, 0.6, 0.6], list("abaa")), n_bins=2)
    assert found.ece.value == pytest.approx(0.4)
    assert [(each.confidence, each.accuracy) for each in found.table] == [
        pytest.approx((0.6, 1.0)),
        pytest.approx((0.9, 0.5)),
    ]
    assert found.brier.value == pytest.approx(2 * (0.01 + 0.81 + 0.16 + 0.16) / 4)


def test_people_count_alike():
    # One person with nine right windows, one with one wrong: half right, not nine of ten.
    answers = two([0.8] * 10, ["a"] * 9 + ["b"], people=["p"] * 9 + ["q"])
    assert measure_reliability(answers).ece.value == pytest.approx(0.3)


def test_true_probabilities_have_slope_one_and_intercept_zero(simulated):
    found = measure_reliability(simulated(500, seed=1))
    for name in found.slope:
        assert found.slope[name].low <= 1 <= found.slope[name].high
        assert found.intercept[name].low <= 0 <= found.intercept[name].high
    assert found.ece.value < 0.02


def test_bold_answers_have_a_slope_below_one():
    random = np.random.default_rng(0)
    z = random.normal(0, 1.5, 8000)
    yes = random.random(8000) < 1 / (1 + np.exp(-z))
    said = 1 / (1 + np.exp(-2 * z))  # twice as bold as is true
    found = measure_reliability(two(said, np.where(yes, "a", "b")))
    assert found.slope["a"].value == pytest.approx(0.5, abs=0.04)
    assert found.slope["a"].low <= 0.5 <= found.slope["a"].high


def test_interval_of_the_slope_is_as_wide_as_repetition_is(simulated):
    slopes = [measure_reliability(simulated(60, seed=s, apart=0.4)) for s in range(40)]
    values = np.array([each.slope["a"].value for each in slopes])
    width = np.mean([each.slope["a"].high - each.slope["a"].low for each in slopes])
    assert width == pytest.approx(2 * 1.96 * values.std(ddof=1), rel=0.35)


def test_brier_is_least_for_the_truth(simulated):
    right, bold = (simulated(300, temperature=t, seed=2) for t in (1.0, 2.0))
    assert measure_reliability(right).brier.value < measure_reliability(bold).brier.value


def test_bins():
    answers = two(np.linspace(0.501, 0.999, 100), ["a"] * 100)
    assert np.bincount(bins_of(answers, n_bins=10, binning="equal-mass")).tolist() == [10] * 10
    wide = bins_of(answers, n_bins=10, binning="equal-width")
    assert np.bincount(wide).tolist() == [20] * 5
    with pytest.raises(ParameterError, match="binning must be one of"):
        bins_of(answers, n_bins=10, binning="none")


def test_survives_being_saved_and_seeded(simulated):
    answers = simulated(20)
    found = measure_reliability(answers)
    assert Reliability.from_dict(found.to_dict()).to_dict() == found.to_dict()
    assert measure_reliability(answers).to_dict() == found.to_dict()
