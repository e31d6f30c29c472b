"""Thresholds by class: what they promise on the people they were learned on, and their limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.models.rejection import Rejection, class_thresholds

N = np.arange(5)


def made_up(seed, n=120, people=8, classes=3):
    random = np.random.default_rng(seed)
    proba = random.dirichlet(np.full(classes, 0.7), n).round(2) + 1e-3
    proba /= proba.sum(axis=1, keepdims=True)
    truth = np.where(random.random(n) < 0.6, proba.argmax(axis=1), random.integers(classes, size=n))
    return proba, truth, random.integers(people, size=n).clip(max=people - 1)


def shares(proba, truth, people, thresholds):
    """Weighted share of right ones among what is given, and of what is given, class by class."""
    weight = 1 / np.bincount(people)[people]
    said, sure = proba.argmax(axis=1), proba.max(axis=1)
    found = []
    for k, limit in enumerate(thresholds):
        mine = said == k
        kept = mine & (sure >= limit)
        right = weight[kept & (truth == k)].sum() / weight[kept].sum() if kept.any() else math.nan
        found.append((right, weight[kept].sum() / weight[mine].sum()))
    return found


def test_by_hand():
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4], [0.1, 0.9]])
    truth = np.array([0, 0, 1, 0, 1])
    assert class_thresholds(proba, truth, N, accuracy=1.0).tolist() == [0.8, 0.9]
    assert class_thresholds(proba, truth, N, accuracy=0.75).tolist() == [0.6, 0.9]
    assert class_thresholds(proba, truth, N, coverage=0.5).tolist() == [0.8, 0.9]
    assert class_thresholds(proba, truth, N, coverage=0.51).tolist() == [0.7, 0.9]
    # A person with many windows counts as one: here the three surest of "a" are one person's.
    people = np.array([0, 0, 0, 1, 2])
    assert class_thresholds(proba, truth, people, coverage=0.5).tolist() == [0.7, 0.9]


@given(seed=st.integers(0, 10_000), asked=st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9, 1.0]))
@settings(max_examples=60, deadline=None)
def test_what_was_asked_holds_on_the_people_learned_from(seed, asked):
    proba, truth, people = made_up(seed)
    people = np.unique(people, return_inverse=True)[1]
    right = class_thresholds(proba, truth, people, accuracy=asked)
    given_ = class_thresholds(proba, truth, people, coverage=asked)
    assert all(r >= asked - 1e-9 for r, _ in shares(proba, truth, people, right) if r == r)
    for k, (_, share) in enumerate(shares(proba, truth, people, given_)):
        assert share >= asked - 1e-9
        stricter = given_.copy()
        stricter[k] = np.nextafter(given_[k], 2)
        assert shares(proba, truth, people, stricter)[k][1] < asked  # and no higher one does
    assert (class_thresholds(proba, truth, people, accuracy=min(1, asked + 0.1)) >= right).all()


def test_a_class_that_few_people_bear_out_is_not_answered():
    proba = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]] * 2)
    truth, people = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 2])
    assert class_thresholds(proba, truth, people, accuracy=0.9)[0] == 0.9
    assert math.isinf(class_thresholds(proba, truth, people, accuracy=0.9, least_people=2)[0])


def test_what_was_never_said_is_refused():
    proba, truth = np.array([[0.9, 0.1]] * 5), np.zeros(5, dtype=int)
    for aim in ({"accuracy": 0.5}, {"coverage": 0.9}):
        rule = Rejection(("a", "b"), class_thresholds(proba, truth, N, **aim), **aim)
        assert rule.silent == ("b",)
        assert rule.refused([[0.95, 0.05], [0.0, 1.0]]).tolist() == [False, True]
        assert Rejection.from_dict(rule.to_dict()).to_dict() == rule.to_dict()


@pytest.mark.parametrize(
    ("aim", "message"),
    [
        ({}, "give one of them"),
        ({"accuracy": 0.9, "coverage": 0.9}, "give one of them"),
        ({"accuracy": 1.2}, r"accuracy must lie in \(0, 1\]; got 1\.2"),
        ({"coverage": 0.0}, r"coverage must lie in \(0, 1\]; got 0\.0"),
    ],
)
def test_hostile_aims(aim, message):
    with pytest.raises(ParameterError, match=message):
        class_thresholds(np.full((5, 2), 0.5), np.zeros(5, dtype=int), N, **aim)
    with pytest.raises(DataError, match="for 1 classes"):
        Rejection(("a",), np.zeros(1)).refused([[0.5, 0.5]])
