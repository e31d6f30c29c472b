from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import METHODS, aggregate, aggregate_people


def test_mean_log_probability_is_the_normalised_geometric_mean():
    _, combined = aggregate([[0.8, 0.2], [0.5, 0.5]], ["r", "r"], method="mean-log-probability")
    raw = np.sqrt([0.8 * 0.5, 0.2 * 0.5])
    np.testing.assert_allclose(combined, [raw / raw.sum()])


def test_votes_are_counted():
    proba = [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.4, 0.6, 0.0], [0.0, 0.1, 0.9]]
    names, combined = aggregate(proba, ["b", "b", "b", "a"], method="vote")
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(combined, [[0, 0, 1], [1 / 3, 2 / 3, 0]])


def test_one_certain_window_does_not_silence_the_others():
    proba = [[1.0, 0.0]] + [[0.1, 0.9]] * 30
    _, combined = aggregate(proba, np.zeros(31), method="mean-log-probability")
    assert combined[0, 1] > 0.7


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 2**31))
def test_groups_do_not_touch_each_other_and_order_does_not_matter(method: str, n: int, seed: int):
    rng = np.random.default_rng(seed)
    proba, groups = rng.dirichlet(np.ones(3), n), rng.integers(4, size=n)
    names, combined = aggregate(proba, groups, method=method)
    np.testing.assert_allclose(combined.sum(axis=1), 1.0)
    for name, row in zip(names, combined, strict=True):
        mine = proba[groups == name]
        np.testing.assert_allclose(aggregate(mine, np.zeros(len(mine)), method=method)[1][0], row)
    order = rng.permutation(n)
    np.testing.assert_allclose(aggregate(proba[order], groups[order], method=method)[1], combined)


def test_recordings_of_a_person_count_alike_however_long():
    index = WindowIndex.of(
        5,
        subject=["p", "p", "p", "p", "q"],
        recording=["long", "long", "long", "short", "long"],
        start_s=0.0,
        stop_s=1.0,
    )
    proba = [[0.6, 0.4]] * 3 + [[0.1, 0.9]] + [[0.7, 0.3]]
    people, combined = aggregate_people(proba, index, method="mean-log-probability")
    assert people.tolist() == ["p", "q"]
    raw = np.sqrt([0.6 * 0.1, 0.4 * 0.9])
    np.testing.assert_allclose(combined, [raw / raw.sum(), [0.7, 0.3]])


def test_an_unknown_method():
    with pytest.raises(ParameterError, match="aggregate method must be one of"):
        aggregate([[1.0]], ["a"], method="mean")


def test_nothing_to_combine():
    with pytest.raises(DataError, match="at least one row"):
        aggregate(np.empty((0, 2)), [], method="vote")
