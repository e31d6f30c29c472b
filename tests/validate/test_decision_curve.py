"""Decision curves: counted by hand, and the laws of net benefit."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.validate.decision_curve import decision_curve


def test_counted_by_hand():
    # 10 people, 4 ill. At 0.25, one needless action costs a third of a case found.
    probability = [0.9, 0.8, 0.3, 0.1, 0.7, 0.25, 0.2, 0.1, 0.1, 0.0]
    case = [True] * 4 + [False] * 6
    found = decision_curve(probability, case, thresholds=[0.25])[0]
    assert found.model.value == pytest.approx((3 - 2 / 3) / 10)
    assert found.everybody.value == pytest.approx((4 - 6 / 3) / 10)
    assert found.gain.value == pytest.approx(found.model.value - found.everybody.value)
    assert found.model.n == 10


def test_perfect_model_is_worth_the_prevalence_and_everybody_breaks_even_there():
    case = np.arange(100) < 20
    curve = decision_curve(case.astype(float), case, thresholds=[0.05, 0.2, 0.9])
    assert [each.model.value for each in curve] == pytest.approx([0.2] * 3)
    assert curve[1].everybody.value == pytest.approx(0.0)


def test_stated_prevalence():
    random = np.random.default_rng(0)
    case = np.arange(200) < 100
    probability = np.clip(0.3 * case + 0.6 * random.random(200), 0, 1)
    same = decision_curve(probability, case, thresholds=[0.3], prevalence=0.5)[0]
    assert same.model.value == pytest.approx(
        decision_curve(probability, case, thresholds=[0.3])[0].model.value
    )
    rare = decision_curve(probability, case, thresholds=[0.3], prevalence=0.05)[0]
    sensitivity = (probability[case] >= 0.3).mean()
    specificity = (probability[~case] < 0.3).mean()
    expected = sensitivity * 0.05 - (1 - specificity) * 0.95 * 3 / 7
    assert rare.model.value == pytest.approx(expected)
    assert rare.everybody.value == pytest.approx(0.05 - 0.95 * 3 / 7)


def test_a_model_that_knows_nothing_gains_nothing():
    case = np.arange(400) % 4 == 0
    for each in decision_curve(np.random.default_rng(3).random(400), case):
        assert each.gain.low <= 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.5], [True, True]), "2 of 2 people are cases"),
        (([1.5, 0.5], [True, False]), r"probability in \[0, 1\]"),
        (([0.5], [True, False]), "one truth per person"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        decision_curve(*arguments)


def test_refused_options():
    for options in ({"thresholds": [1.0]}, {"prevalence": 0.0}):
        with pytest.raises(ParameterError, match=r"must lie in \(0, 1\)"):
            decision_curve([0.5, 0.5], [True, False], **options)
