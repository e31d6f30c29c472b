"""Rejection: thresholds by hand, and nothing that was refused disappears."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.validate.answers import Answers
from myograph.validate.rejection import (
    COVERAGES,
    Outcome,
    Rejection,
    coverage_curve,
    fit_rejection,
    outcome_of,
)


def test_thresholds_by_hand():
    # Answers "a" from sure to unsure: right, right, wrong, right. 3 of 4 are right with all.
    proba = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.1, 0.9]]
    answers = Answers.of(proba, list("aabab"), list("pqrst"), classes=("a", "b"))
    assert fit_rejection(answers, accuracy=1.0).thresholds.tolist() == [0.8, 0.9]
    assert fit_rejection(answers, accuracy=0.75).thresholds.tolist() == [0.6, 0.9]


def test_equal_confidences_share_their_fate():
    answers = Answers.of([[0.8, 0.2]] * 3, list("aab"), list("pqr"), classes=("a", "b"))
    rule = fit_rejection(answers, accuracy=0.9)
    assert rule.silent == ("a", "b")
    assert rule.refused([[0.99, 0.01]]).tolist() == [True]


def test_everything_is_counted(simulated):
    answers = simulated(25, seed=2)
    rule = fit_rejection(simulated(200, seed=3), accuracy=0.9)
    outcome = outcome_of(answers, rule.refused(answers.proba))
    assert outcome.right + outcome.wrong + outcome.refused == pytest.approx(1)
    assert outcome.coverage.value + outcome.refused == pytest.approx(1)
    assert outcome.coverage.n == 25


def test_a_person_without_answer_is_named():
    answers = Answers.of([[0.9, 0.1], [0.6, 0.4]], ["a", "a"], ["p", "q"], classes=("a", "b"))
    outcome = outcome_of(answers, [False, True])
    assert outcome.unanswered_people == 1
    assert outcome.accuracy.n == 1
    assert (outcome.right, outcome.wrong, outcome.refused) == (0.5, 0.0, 0.5)
    assert outcome_of(answers, [True, True]).accuracy is None


def test_classwise_accuracy_carries_over_to_other_people(simulated):
    rule = fit_rejection(simulated(400, seed=4), accuracy=0.85)
    new = simulated(400, seed=5)
    given = ~rule.refused(new.proba)
    for k in range(3):
        mine = given & (new.predicted == k)
        assert new.right[mine].mean() == pytest.approx(0.85, abs=0.04)


def test_curve_rises_as_coverage_falls(simulated):
    curve = coverage_curve(simulated(200))
    assert [each.coverage.value for each in curve] == pytest.approx(COVERAGES, abs=0.01)
    accuracies = [each.accuracy.value for each in curve]
    assert accuracies == sorted(accuracies)
    assert curve[0].refused == 0
    assert Outcome.from_dict(curve[2].to_dict()) == curve[2]


def test_survives_being_saved():
    rule = Rejection(("a", "b"), np.array([0.5, np.inf]), 0.9)
    assert Rejection.from_dict(rule.to_dict()).thresholds.tolist() == [0.5, np.inf]


def test_refused_input(simulated):
    answers = simulated(3)
    with pytest.raises(ParameterError, match="accuracy must lie in"):
        fit_rejection(answers, accuracy=0.0)
    with pytest.raises(ParameterError, match="coverage must lie in"):
        coverage_curve(answers, coverages=[0.0])
    with pytest.raises(DataError, match="one value per window"):
        outcome_of(answers, [True])
    with pytest.raises(DataError, match="for 2 classes"):
        Rejection(("a", "b"), np.zeros(2), 0.9).refused([[1.0]])
