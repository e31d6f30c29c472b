import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError
from myograph.signal.changepoint import BayesianChange, pelt, profile_likelihood
from myograph.signal.edges import contrast, locate_onset


def brute_force(z, *, least, penalty):
    """Least cost over every way to cut; for short series."""
    n, best = len(z), (np.inf, [])
    places = range(least, n - least + 1)
    for count in range(4):
        for cuts in itertools.combinations(places, count):
            bounds = [0, *cuts, n]
            lengths = np.diff(bounds)
            if lengths.min() < least:
                continue
            cost = penalty * count + sum(
                m * np.log(z[a : a + m].mean()) for a, m in zip(bounds, lengths, strict=False)
            )
            best = min(best, (cost, list(cuts)))
    return best


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 500), least=st.integers(2, 5), penalty=st.floats(0.5, 6))
def test_pelt_is_exact(seed, least, penalty):
    rng = np.random.default_rng(seed)
    z = rng.exponential(np.repeat(rng.choice([1.0, 4.0, 30.0], 3), 7))
    cost, cuts = brute_force(z, least=least, penalty=penalty)
    found = pelt(z, least=least, penalty=penalty)
    if len(found) <= 3:
        bounds = [0, *found, len(z)]
        reached = penalty * len(found) + sum(
            (b - a) * np.log(z[a:b].mean()) for a, b in itertools.pairwise(bounds)
        )
        assert reached == pytest.approx(cost, abs=1e-9), (found, cuts)


def test_pelt_leaves_steady_noise_whole():
    z = np.random.default_rng(3).exponential(np.ones(4000))
    assert pelt(z) == []
    assert pelt(z[:10]) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_likeliest_change_by_definition(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(120) * np.repeat([1, 4], [70, 50])

    def likelihood(k):
        return -k / 2 * np.log(np.mean(x[:k] ** 2)) - (120 - k) / 2 * np.log(np.mean(x[k:] ** 2))

    best = max(range(10, 111), key=likelihood)
    change = profile_likelihood(x, least=10)
    assert change.at == best
    assert change.gain == pytest.approx(likelihood(best) + 60 * np.log(np.mean(x**2)))
    assert abs(change.at - 70) < 8


def test_a_change_needs_samples():
    with pytest.raises(DataError, match="more than 20 samples"):
        profile_likelihood(np.ones(15))


def test_silence_before_action_is_a_change():
    x = np.concatenate([np.zeros(100), np.random.default_rng(0).standard_normal(100)])
    assert profile_likelihood(x).at == 100


def test_bayes_knows_how_long_the_level_has_lasted():
    rng = np.random.default_rng(1)
    z = rng.exponential(np.repeat([1.0, 25.0, 1.0], 300))
    runs, levels = BayesianChange(expected=300, level=1.0).push(z)
    assert runs[299] == pytest.approx(299, abs=8)
    assert runs[599] == pytest.approx(299, abs=8)
    assert levels[599] == pytest.approx(25, rel=0.2)
    pieces = BayesianChange(expected=300, level=1.0)
    again = np.concatenate([pieces.push(part)[0] for part in np.split(z, [5, 5, 400])])
    np.testing.assert_array_equal(again, runs)


def ramp(seed, *, onset=600, rise=40, gain=8.0, n=1200):
    rng = np.random.default_rng(seed)
    share = np.clip((np.arange(n) - onset) / rise, 0, 1)
    return rng.standard_normal(n) + gain * share * rng.standard_normal(n)


def test_a_rise_is_not_mistaken_for_a_late_onset():
    """A sudden change sits in the climb; allowing for the rise takes the bias off."""
    sudden = [profile_likelihood(ramp(seed)).at - 600 for seed in range(60)]
    risen = [1e3 * locate_onset(ramp(seed), fs_hz=1000.0).at_s - 600 for seed in range(60)]
    assert np.median(sudden) > 6
    assert abs(np.median(risen)) < 2.5
    assert np.median(np.abs(risen)) < 0.6 * np.median(np.abs(sudden))


def test_intervals_hold_the_truth_as_often_as_they_say():
    onsets = [locate_onset(ramp(seed), fs_hz=1000.0) for seed in range(120)]
    inside = [onset.low_s <= 0.6 <= onset.high_s for onset in onsets]
    assert 0.88 <= np.mean(inside) <= 1.0
    assert all(onset.low_s <= onset.at_s <= onset.high_s for onset in onsets)
    near = np.mean([abs(onset.at_s - 0.6) <= 0.01 for onset in onsets])
    assert np.mean([onset.certainty for onset in onsets]) == pytest.approx(near, abs=0.2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 50), power=st.integers(-10, 10), shift=st.floats(-1e3, 1e3))
def test_unit_and_offset_do_not_matter(seed, power, shift):
    x = ramp(seed)
    plain = locate_onset(x, fs_hz=1000.0)
    other = locate_onset(x * 2.0**power + shift * 2.0**power, fs_hz=1000.0)
    assert other.at_s == pytest.approx(plain.at_s, abs=1.1e-3)
    assert other.snr_db == pytest.approx(plain.snr_db, abs=1e-3)


def test_an_end_is_the_onset_of_the_reversed():
    x = ramp(3)
    assert locate_onset(x[::-1][::-1], fs_hz=1000.0) == locate_onset(x, fs_hz=1000.0)
    with pytest.raises(DataError, match="ends quieter than it begins"):
        locate_onset(x[::-1], fs_hz=1000.0)


def test_contrast_shows_the_band_that_action_adds():
    rng = np.random.default_rng(0)
    t = np.arange(4000) / 1000
    rest = rng.standard_normal(4000)
    action = rng.standard_normal(4000) + 5 * np.sin(2 * np.pi * 100 * t)
    tone, elsewhere = (np.sin(2 * np.pi * f * t) for f in (100, 350))
    kept = [contrast(x, rest, action)[500:-500].std() for x in (tone, elsewhere)]
    assert kept[0] > 5 * kept[1]
