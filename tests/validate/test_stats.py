"""Intervals: published values, laws, and coverage counted on people we made."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from myograph.core.errors import ParameterError
from myograph.validate.stats import (
    bootstrap_interval,
    distribution,
    exact_interval,
    mean_estimate,
    proportion_estimate,
    resample,
    resampled_estimate,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (23, 25, 0.740, 0.990),  # the two figures that the evidence file quotes
        (25, 25, 0.863, 1.0),
        (0, 25, 0.0, 0.137),
        (10, 20, 0.272, 0.728),
        (1, 1, 0.025, 1.0),
    ],
)
def test_published_exact_intervals(successes, n, low, high):
    assert exact_interval(successes, n) == pytest.approx((low, high), abs=5e-4)


@given(n=st.integers(1, 300), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
@settings(max_examples=60, deadline=None)
def test_exact_interval_is_that_of_the_exact_test(n, share, confidence):
    successes = round(share * n)
    expected = binomtest(successes, n).proportion_ci(confidence, method="exact")
    assert exact_interval(successes, n, confidence=confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


@pytest.mark.parametrize("truth", [0.05, 0.5, 0.77, 0.98])
def test_exact_interval_covers_at_least_as_promised(truth):
    n = 19
    ends = np.array([exact_interval(k, n) for k in range(n + 1)])
    inside = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    assert binom.pmf(np.arange(n + 1), n, truth)[inside].sum() >= 0.95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((3, 2), "at most n=2; got 3"), ((0, 0), "n must be at least 1"), ((-1, 2), "at least 0")],
)
def test_exact_interval_refuses(arguments, message):
    with pytest.raises(ParameterError, match=message):
        exact_interval(*arguments)


def test_confidence_must_be_a_share():
    with pytest.raises(ParameterError, match=r"confidence must lie in \(0, 1\); got 95"):
        exact_interval(1, 2, confidence=95)


def test_resamples_are_seeded_and_whole():
    counts = resample(7, seed=3, n_resamples=50)
    np.testing.assert_array_equal(counts, resample(7, seed=3, n_resamples=50))
    assert (counts.sum(axis=1) == 7).all()
    assert (counts != resample(7, seed=4, n_resamples=50)).any()


def test_bootstrap_is_the_one_of_scipy(rng):
    from scipy.stats import bootstrap

    scores = rng.beta(5, 2, 30)
    counts = resample(30, seed=0, n_resamples=20000)
    for method, theirs in (("bca", "BCa"), ("percentile", "percentile")):
        expected = bootstrap(
            (scores,), np.mean, n_resamples=20000, method=theirs, rng=np.random.default_rng(1)
        ).confidence_interval
        ours = bootstrap_interval(scores, counts, method=method)
        assert ours == pytest.approx((expected.low, expected.high), abs=0.004)


@pytest.mark.parametrize("method", ["bca", "percentile"])
def test_bootstrap_covers_about_as_promised(method):
    random = np.random.default_rng(5)
    counts = resample(25, seed=0, n_resamples=1000)
    truth = 6 / 8
    hits = 0
    for _ in range(400):
        low, high = bootstrap_interval(random.beta(6, 2, 25), counts, method=method)
        hits += low <= truth <= high
    # A little below 95 %: 25 people, skewed scores.
    assert 0.89 <= hits / 400 <= 0.975


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=30),
    st.floats(0.1, 5),
    st.floats(-3, 3),
)
@settings(max_examples=60, deadline=None)
def test_bootstrap_moves_with_the_scores(scores, factor, shift):
    counts = resample(len(scores), seed=1, n_resamples=200)
    values = np.round(np.array(scores), 6)
    low, high = bootstrap_interval(values, counts, method="percentile")
    moved = bootstrap_interval(factor * values + shift, counts, method="percentile")
    assert moved == pytest.approx((factor * low + shift, factor * high + shift), abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.3])
def test_equal_scores_have_no_width(value):
    estimate = mean_estimate(
        np.full(9, value), resample(9, seed=0), evidence="person", bounds=(0, 1)
    )
    assert (estimate.low, estimate.high) == pytest.approx((value, value), abs=1e-12)


def test_people_without_a_score_are_left_out_and_not_counted():
    counts = resample(4, seed=0)
    with_gap = mean_estimate([0.2, np.nan, 0.4, 0.6], counts, evidence="person", bounds=(0, 1))
    assert with_gap.n == 3
    assert with_gap.value == pytest.approx(0.4)
    assert 0.2 <= with_gap.low < 0.4 < with_gap.high <= 0.6


def test_one_person_says_nothing_about_people():
    estimate = mean_estimate([0.8], resample(1, seed=0), evidence="person", bounds=(0, 1))
    assert (estimate.low, estimate.high, estimate.n) == (0, 1, 1)
    assert mean_estimate([np.nan], resample(1, seed=0), evidence="person", bounds=(0, 1)) is None


def test_resampled_estimate():
    drawn = np.linspace(0, 1, 1001)
    estimate = resampled_estimate(0.5, drawn, evidence="person", n=8, bounds=(0, 1))
    assert (estimate.low, estimate.high) == pytest.approx((0.025, 0.975))
    assert resampled_estimate(math.nan, drawn, evidence="person", n=8, bounds=(0, 1)) is None
    unknown = resampled_estimate(0.5, [np.nan], evidence="person", n=8, bounds=(0, 1))
    assert (unknown.low, unknown.high) == (0, 1)


def test_proportion_estimate():
    assert str(proportion_estimate(23, 25)) == "0.920 [0.740, 0.990] (25 persons)"


def test_distribution_of_known_scores():
    spread = distribution(np.arange(21) / 20)
    assert spread == pytest.approx(
        {"min": 0, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1, "worst_decile": 0.05}
    )
    assert distribution([np.nan]) == {}
    assert distribution([0.3, np.nan])["worst_decile"] == 0.3
