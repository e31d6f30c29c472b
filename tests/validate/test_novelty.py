"""Novelty gate: distances by hand, false alarms as asked for, strange things stopped."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.validate.metrics import roc_auc
from myograph.validate.novelty import NoveltyGate, fit_novelty_gate, score_novelty


def people(n, *, windows=30, apart=0.5, seed=0):
    random = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n), windows)
    shift = apart * random.standard_normal((n, 4))
    return random.standard_normal((len(codes), 4)) + shift[codes], codes


def test_distance_is_mahalanobis():
    values, codes = people(50, apart=0.0)
    gate = fit_novelty_gate(values, codes)
    spread = np.cov(values.T, bias=True)
    spread = 0.99 * spread + 0.01 * np.diag(np.diag(spread))
    away = values - values.mean(axis=0)
    expected = np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(spread), away))
    assert gate.distance(values) == pytest.approx(expected)


def test_false_alarms_on_new_people_are_as_asked_for():
    rates = []
    for seed in range(30):
        values, codes = people(80, seed=seed)
        known = codes < 60
        gate = fit_novelty_gate(values[known], codes[known], false_alarms=0.1)
        rates.append(gate.stops(values[~known]).mean())
    assert 0.06 < np.mean(rates) < 0.115


def test_class_centres_see_what_lies_between_them():
    random = np.random.default_rng(1)
    codes = np.repeat(np.arange(40), 20)
    labels = np.tile([0, 1], 400)
    values = random.standard_normal((800, 2)) + np.where(labels[:, None] == 1, 12.0, 0.0)
    one = fit_novelty_gate(values, codes)
    both = fit_novelty_gate(values, codes, labels=labels)
    between = [[6.0, 6.0]]
    assert not one.stops(between)[0]
    assert both.stops(between)[0]


def test_shifted_windows_are_told_apart():
    values, codes = people(40)
    gate = fit_novelty_gate(values, codes)
    strange = values + 6.0
    truth = np.repeat([0, 1], len(values))
    far = np.concatenate([gate.distance(values), gate.distance(strange)])
    assert roc_auc(truth, np.column_stack([-far, far]))[1] > 0.98


def test_not_finite_is_infinitely_far():
    values, codes = people(30)
    gate = fit_novelty_gate(values, codes)
    assert gate.stops([[np.nan, 0, 0, 0], [0, 0, 0, 0]]).tolist() == [True, False]


def test_constant_feature_and_few_people():
    values, codes = people(5)
    values[:, 2] = 3.0
    gate = fit_novelty_gate(values, codes)
    assert np.isinf(gate.limit)  # five people cannot set a limit at 5 %
    assert not gate.stops(values * 100).any()
    again = NoveltyGate.from_dict(gate.to_dict())
    assert np.array_equal(again.distance(values), gate.distance(values))
    assert again.limit == gate.limit


def test_refused():
    values, codes = people(3)
    with pytest.raises(DataError, match="at least 2 people"):
        fit_novelty_gate(values[codes == 0], codes[codes == 0])
    with pytest.raises(DataError, match="finite values"):
        fit_novelty_gate(values * np.nan, codes)
    with pytest.raises(ParameterError, match="false_alarms"):
        fit_novelty_gate(values, codes, false_alarms=1.0)
    with pytest.raises(DataError, match="knows 4 features"):
        fit_novelty_gate(values, codes).distance([[1.0]])


def test_a_gate_is_scored_person_by_person():
    far = np.array([1.0, 2.0, 3.0, np.inf, 1.0, 5.0, 4.0, 6.0])
    strange = np.array([False, False, True, True] * 2)
    whose = np.repeat(["a", "b"], 4)
    score = score_novelty(far, strange, whose, limit=3.5)
    assert score.auroc.value == pytest.approx((1.0 + 0.75) / 2)
    assert score.stopped.value == pytest.approx((0.5 + 1.0) / 2)
    assert score.false_alarms.value == pytest.approx((0.0 + 0.5) / 2)
    assert score.auroc.evidence == "person"
    assert set(score.to_dict()) == {"auroc", "stopped", "false_alarms"}
    with pytest.raises(DataError, match="Person 'b' has windows of one kind only"):
        score_novelty(far, np.array([False, True] * 2 + [True] * 4), whose, limit=1.0)
    with pytest.raises(DataError, match="needed in equal number"):
        score_novelty(far * np.nan, strange, whose, limit=1.0)
