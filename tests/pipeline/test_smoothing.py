"""Laws of smoothing decisions: causal, deterministic, forgetful when told."""

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.pipeline.smoothing import (
    BayesianFusion,
    ChangeRate,
    Debounce,
    Hysteresis,
    MajorityVote,
    Rejection,
    Smoothing,
    change_rate,
    rejection_thresholds,
)

CLASSES = ("a", "b", "c")
FILTERS = {
    "vote": lambda: MajorityVote(5),
    "fusion": lambda: BayesianFusion(4),
    "hysteresis": lambda: Hysteresis(0.3),
    "debounce": lambda: Debounce(3),
    "rejection": lambda: Rejection(0.5),
    "chain": lambda: Smoothing([Rejection(0.4), MajorityVote(3), Debounce(2)], forget_after_s=1.0),
}


def say(label, time_s=0.0, *, sure=0.8, rejected=False):
    probabilities = np.full(3, (1 - sure) / 2)
    probabilities[CLASSES.index(label)] = sure
    return Decision(label, probabilities, CLASSES, time_s, rejected)


def stream(rng, n=200):
    return [
        say(str(rng.choice(CLASSES)), 0.05 * k, sure=float(rng.uniform(0.4, 1))) for k in range(n)
    ]


@pytest.mark.parametrize("name", FILTERS)
def test_same_pushes_same_answers_and_reset_forgets(name, rng):
    given, one = stream(rng), FILTERS[name]()
    first = [(d.label, d.rejected, d.confidence) for d in map(one.push, given)]
    one.reset()
    again = [(d.label, d.rejected, d.confidence) for d in map(one.push, given)]
    assert first == again


@pytest.mark.parametrize("name", FILTERS)
def test_the_past_is_not_changed_by_the_future(name, rng):
    given = stream(rng)
    whole = [d.label for d in map(FILTERS[name]().push, given)]
    part = [d.label for d in map(FILTERS[name]().push, given[:80])]
    assert part == whole[:80]


@pytest.mark.parametrize("name", FILTERS)
def test_a_constant_stream_is_left_alone(name):
    one = FILTERS[name]()
    for k in range(20):
        out = one.push(say("b", 0.05 * k, sure=0.9))
        assert (out.label, out.rejected, out.time_s) == ("b", False, 0.05 * k)


@pytest.mark.parametrize("name", ["vote", "fusion", "hysteresis", "debounce", "chain"])
def test_steadying_filters_change_less_often(name, rng):
    given = [say("a", 0.05 * k, sure=0.9) for k in range(300)]
    for k in rng.choice(300, 40, replace=False):
        other = np.array([0.4, 0.55, 0.05])
        given[k] = Decision("b", other, CLASSES, given[k].time_s)
    one = FILTERS[name]()
    assert change_rate([one.push(d) for d in given]) < 0.6 * change_rate(given)


def test_vote_changes_after_a_majority_and_not_before():
    vote = MajorityVote(5)
    for k in range(5):
        vote.push(say("a", k))
    assert [vote.push(say("b", 5 + k)).label for k in range(4)] == ["a", "a", "b", "b"]


def test_rejected_decisions_do_not_vote():
    vote = MajorityVote(3)
    vote.push(say("a"))
    out = [vote.push(say("b", k, rejected=True)) for k in (1, 2, 3)]
    assert [(d.label, d.rejected) for d in out] == [("a", False), ("a", False), ("b", True)]


def test_fusion_multiplies_probabilities():
    fusion = BayesianFusion(2)
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.7, 0.1])
    fusion.push(Decision("a", p, CLASSES, 0.0))
    out = fusion.push(Decision("b", q, CLASSES, 0.1))
    np.testing.assert_allclose(out.probabilities, p * q / (p * q).sum())
    assert out.label == "b"


def test_hysteresis_holds_within_its_margin():
    hold = Hysteresis(0.2)
    hold.push(say("a"))
    near = Decision("b", np.array([0.42, 0.5, 0.08]), CLASSES, 0.1)
    far = Decision("b", np.array([0.2, 0.7, 0.1]), CLASSES, 0.2)
    assert [hold.push(near).label, hold.push(far).label, hold.push(near).label] == ["a", "b", "b"]


def test_debounce_needs_equal_decisions_in_a_row():
    debounce = Debounce(3)
    labels = [debounce.push(say(name, k)).label for k, name in enumerate("abbabbbc")]
    assert "".join(labels) == "aaaaaabb"


def test_rejection_is_class_wise():
    reject = Rejection({"a": 0.9})
    assert reject.push(say("a", sure=0.8)).rejected
    assert not reject.push(say("b", sure=0.4)).rejected
    with pytest.raises(ParameterError, match=r"names \['x'\], which the model does not know"):
        Rejection({"x": 0.5}).push(say("a"))
    with pytest.raises(ParameterError, match=r"from 0 to 1; got 1\.5"):
        Rejection(1.5)


def test_thresholds_keep_errors_rare(rng):
    truth = rng.choice(CLASSES, 600)
    sure = rng.uniform(0.34, 1, 600)
    called = np.where(rng.uniform(size=600) < sure, truth, rng.choice(CLASSES, 600))
    proba = np.stack([say(c, sure=s).probabilities for c, s in zip(called, sure, strict=True)])
    limits = rejection_thresholds(proba, truth, CLASSES, most_wrong=0.1)
    names = np.array(CLASSES)[proba.argmax(axis=1)]
    for name in CLASSES:
        kept = (names == name) & (proba.max(axis=1) >= limits[name])
        assert kept.any()
        assert (truth[kept] != name).mean() <= 0.1


def test_a_hopeless_class_is_always_refused_and_an_unseen_one_never():
    proba = np.array([[0.9, 0.1], [0.8, 0.2]])
    limits = rejection_thresholds(proba, ["b", "b"], ("a", "b"), most_wrong=0.1)
    assert limits == {"a": 1.0, "b": 0.0}


def test_a_gap_is_forgotten_and_time_goes_on():
    steady = Smoothing([Debounce(5)], forget_after_s=0.5)
    steady.push(say("a", 0.0))
    assert steady.push(say("b", 0.1)).label == "a"
    assert steady.push(say("b", 2.0)).label == "b"
    with pytest.raises(DataError, match="came after one at 2 s"):
        steady.push(say("a", 1.0))


def test_change_rate_counts_the_newest_seconds():
    rate = ChangeRate(2.0)
    seen = [rate.push(say(name, 0.5 * k)) for k, name in enumerate("abababbbbbb")]
    assert seen[5] == pytest.approx(2.0)
    assert seen[-1] == 0.0


@pytest.mark.parametrize(
    "make", [lambda: MajorityVote(0), lambda: Debounce(0), lambda: Hysteresis(1.0)]
)
def test_wrong_settings_are_refused(make):
    with pytest.raises(ParameterError, match="must be"):
        make()
