"""Conformal sets: coverage over exchangeable people, counted, and hand-made thresholds."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from myograph.core.errors import DataError, ParameterError
from myograph.validate.answers import Answers
from myograph.validate.conformal import (
    Conformal,
    Promise,
    fit_conformal,
    person_quantile,
    sets_across,
    strangeness,
)


def coverage(simulated, promise, *, people, windows, repeats, new=50):
    """Share of windows of new people that are covered, in each of many calibrations."""
    found = []
    for seed in range(repeats):
        everybody = simulated(people + new, windows=windows, apart=0.8, seed=seed)
        known = everybody.people.codes < people
        rule = fit_conformal(everybody.take(known), promise)
        tested = everybody.take(~known)
        held = rule.sets(tested.proba)[np.arange(len(tested.truth)), tested.truth]
        found.append(float(tested.by_person(held).mean()))
    return np.array(found)


def law(share, n, low, high):
    """Whether a share of n independent tries is what a rate in [low, high] gives, at 1 in 10^4."""
    return binom.ppf(5e-5, n, low) / n <= share <= binom.ppf(1 - 5e-5, n, high) / n


@pytest.mark.parametrize("people", [9, 19, 99])
def test_one_window_each_is_exact(simulated, people):
    # P(covered) = ceil(0.9 (n + 1)) / (n + 1) = 0.9 for these n.
    found = coverage(simulated, Promise(), people=people, windows=1, repeats=400, new=1)
    assert law(found.mean(), len(found), 0.9, 0.9)


def test_all_windows_hold_the_promise_with_little_to_spare(simulated):
    found = coverage(simulated, Promise(), people=99, windows=8, repeats=60)
    spread = 4 * found.std() / math.sqrt(len(found))
    assert 0.9 - spread <= found.mean() <= 0.9 + 1 / 100 + spread


def test_one_drawn_window_is_as_asked_for_with_few_people(simulated):
    found = coverage(simulated, Promise(draw="one"), people=9, windows=8, repeats=300)
    spread = 4 * found.std() / math.sqrt(len(found))
    assert abs(found.mean() - 0.9) <= spread
    wide = coverage(simulated, Promise(), people=9, windows=8, repeats=40)
    assert wide.mean() > 0.97  # what the docstring warns of


def test_pooled_windows_would_break_the_promise_about_people(simulated):
    # The law that counts people: a person's share of covered windows.
    promise = Promise(share=0.8)
    kept = []
    for seed in range(300):
        everybody = simulated(20, windows=10, apart=1.0, seed=1000 + seed)
        rule = fit_conformal(everybody.take(everybody.people.codes < 19), promise)
        new = everybody.take(everybody.people.codes == 19)
        held = rule.sets(new.proba)[np.arange(10), new.truth]
        kept.append(held.mean() >= 0.8)
    assert law(np.mean(kept), 300, 0.9, 0.95)


def test_mondrian_holds_class_by_class():
    # Class c is hard: one threshold for all lets it down, one per class does not.
    def people(n, seed):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 3, n)
        logits = random.standard_normal((n, 3))
        logits[np.arange(n), truth] += np.array([4.0, 4.0, 0.5])[truth]
        proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return Answers.of(proba, np.array(list("abc"))[truth], np.arange(n), classes=tuple("abc"))

    rates = {}
    for mondrian in (False, True):
        held = []
        for seed in range(40):
            rule = fit_conformal(people(300, 2 * seed), Promise(mondrian=mondrian))
            new = people(300, 2 * seed + 1)
            covered = rule.sets(new.proba)[np.arange(300), new.truth]
            held.append([covered[new.truth == k].mean() for k in range(3)])
        rates[mondrian] = np.mean(held, axis=0)
    assert rates[False][2] < 0.8
    assert rates[True] == pytest.approx(0.9, abs=0.025)


def test_hand_made_threshold():
    # Person q has two windows: each weighs half. Of 4 people + the new one, 0.6 * 5 = 3 are needed.
    scores, people = [0.1, 0.2, 0.3, 0.4, 0.5], ["p", "q", "q", "r", "s"]
    assert person_quantile(scores, people, miscoverage=0.4) == 0.4
    assert person_quantile(scores, people, miscoverage=0.1) == math.inf


def test_cumulative_sets_are_never_empty_and_hold_the_surest_first(simulated):
    proba = simulated(30, temperature=3.0).proba
    scores = strangeness(proba, "cumulative")
    assert (scores.min(axis=1) == 0).all()
    assert (np.argsort(scores, axis=1)[:, 0] == proba.argmax(axis=1)).all()
    rule = fit_conformal(simulated(99), Promise(score="cumulative"))
    assert rule.sets(proba).any(axis=1).all()


def test_too_few_people_rule_nothing_out(simulated):
    rule = fit_conformal(simulated(8), Promise(miscoverage=0.1))
    assert rule.unbounded == ("a", "b", "c")
    assert rule.sets([[1.0, 0.0, 0.0]]).all()
    assert Conformal.from_dict(rule.to_dict()).unbounded == rule.unbounded


def test_smaller_risk_gives_larger_sets(simulated):
    answers = simulated(200)
    sizes = [
        fit_conformal(answers, Promise(miscoverage=m)).sets(answers.proba).sum()
        for m in (0.3, 0.2, 0.1, 0.05)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_guarantee_names_its_unit_and_condition(simulated):
    rule = fit_conformal(simulated(30), Promise(mondrian=True))
    assert "A window of each class, drawn at random from a new person" in rule.guarantee
    assert "(30 of them)" in rule.guarantee
    assert "trained on none of them" in rule.guarantee
    people = fit_conformal(simulated(30), Promise(share=0.8))
    assert "At least 90 % of new people" in people.guarantee


def test_across_uses_nothing_of_the_person(simulated):
    answers = simulated(40)
    mine = answers.person(3)
    truth = answers.truth.copy()
    truth[mine] = answers.proba[mine].argmin(axis=1)
    changed = Answers(answers.proba, truth, answers.people, answers.classes)
    assert np.array_equal(sets_across(answers)[mine], sets_across(changed)[mine])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"miscoverage": 0.0}, r"miscoverage must lie in \(0, 1\)"),
        ({"share": 1.5}, r"share must lie in \(0, 1\]"),
        ({"score": "x"}, "score must be one of"),
        ({"draw": "two"}, "draw must be one of"),
        ({"draw": "one", "share": 0.5}, "needs all of their windows"),
    ],
)
def test_refused_promises(options, message):
    with pytest.raises(ParameterError, match=message):
        Promise(**options)


def test_refused_data():
    answers = Answers.of([[0.5, 0.5]], ["a"], ["p"], classes=("a", "b"))
    with pytest.raises(DataError, match=r"shows \['b'\]"):
        fit_conformal(answers, Promise(mondrian=True))
    with pytest.raises(DataError, match="at least 2 people"):
        sets_across(answers)
    with pytest.raises(DataError, match="about 2 classes"):
        fit_conformal(answers).sets([[1.0]])
