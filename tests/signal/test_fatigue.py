import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.signal.fatigue import Trend, index_ratio, jasa, theil_sen, trend


def series(n=60, *, change=0.0, sd=4.0, alike=0.0, seed=0, start=80.0):
    rng = np.random.default_rng(seed)
    noise = np.zeros(n + 50)
    for k in range(1, n + 50):
        noise[k] = alike * noise[k - 1] + np.sqrt(1 - alike**2) * rng.standard_normal()
    t = np.arange(n, dtype=float)
    return t, start * (1 + change * t / 60) + sd * noise[50:]


def test_theil_sen_is_the_median_of_all_slopes():
    t, y = series(20, change=0.3)
    slopes = [(y[j] - y[i]) / (t[j] - t[i]) for i in range(20) for j in range(i + 1, 20)]
    slope, level = theil_sen(t, y)
    assert slope == pytest.approx(np.median(slopes))
    assert level == pytest.approx(np.median(y - slope * t))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    gain=st.floats(0.1, 10),
    tilt=st.floats(-1, 1),
    later=st.floats(-1e3, 1e3),
)
def test_theil_sen_follows_the_line(seed, gain, tilt, later):
    t, y = series(30, seed=seed)
    slope, level = theil_sen(t, y)
    other, there = theil_sen(t + later, gain * y + tilt * (t + later))
    assert other == pytest.approx(gain * slope + tilt, abs=1e-6)
    assert there == pytest.approx(gain * (level - slope * later), rel=1e-4, abs=1e-3)


def test_wrong_values_do_not_move_it():
    t, y = series(40, change=-0.2)
    spoiled = y.copy()
    spoiled[::5] += 500
    assert theil_sen(t, spoiled)[0] == pytest.approx(theil_sen(t, y)[0], abs=0.15)


def test_the_slope_is_told_in_percent_of_the_start():
    t = np.arange(60.0)
    found = trend(t, 80 - 0.2 * t)
    assert found.slope_percent_per_min == pytest.approx(-15.0)
    assert found.start == pytest.approx(80)
    assert (found.direction, found.p_value) == ("falling", pytest.approx(1 / 1000))
    later = trend(t + 500, 80 - 0.2 * t)
    assert later.slope_percent_per_min == pytest.approx(-15.0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 100), gain=st.floats(1e-3, 1e3))
def test_the_unit_does_not_matter(seed, gain):
    t, y = series(seed=seed, change=-0.1)
    plain, other = trend(t, y, n_surrogates=199), trend(t, gain * y, n_surrogates=199)
    assert other.slope_percent_per_min == pytest.approx(plain.slope_percent_per_min)
    assert other.p_value == plain.p_value
    assert (other.low, other.high) == pytest.approx((plain.low, plain.high))


def test_the_same_seed_gives_the_same_answer():
    t, y = series(change=-0.05)
    assert trend(t, y, seed=3) == trend(t, y, seed=3)


@pytest.mark.parametrize("alike", [0.0, 0.5])
def test_no_trend_is_found_where_none_is(alike):
    """5 % of 150, and the chance of more than 15 is below 1 in 200."""
    found = [
        trend(*series(alike=alike, seed=s), n_surrogates=199, seed=s).p_value <= 0.05
        for s in range(150)
    ]
    assert sum(found) <= 15


def test_a_clear_trend_is_found_and_covered():
    found = [trend(*series(change=-0.2, seed=s), n_surrogates=199, seed=s) for s in range(60)]
    assert sum(f.direction == "falling" for f in found) >= 58
    covered = np.mean([f.low <= -20 <= f.high for f in found])
    assert covered >= 0.9
    assert np.median([f.slope_percent_per_min for f in found]) == pytest.approx(-20, abs=1.5)


def test_long_series_take_a_share_of_the_pairs():
    t, y = series(4000, change=0.01)
    slope, _ = theil_sen(t, y)
    assert slope == pytest.approx(80 * 0.01 / 60, rel=0.05)


def fake(direction):
    slope, p = {"rising": (5.0, 0.01), "falling": (-5.0, 0.01), "undecided": (5.0, 0.4)}[direction]
    return Trend(slope, slope - 1, slope + 1, p, 80.0, 0.0, 60)


@pytest.mark.parametrize(
    ("amplitude", "frequency", "name"),
    [
        ("rising", "falling", "fatigue"),
        ("rising", "rising", "force increase"),
        ("falling", "falling", "force decrease"),
        ("falling", "rising", "recovery"),
        ("rising", "undecided", "undecided"),
        ("undecided", "falling", "undecided"),
    ],
)
def test_quadrants(amplitude, frequency, name):
    assert jasa(fake(amplitude), fake(frequency)) == name


def test_an_index_is_told_relative_to_its_first_values():
    assert index_ratio([2, 4, 3, 12], n_reference=3).tolist() == pytest.approx([2 / 3, 4 / 3, 1, 4])


@pytest.mark.parametrize(
    ("work", "error", "message"),
    [
        (lambda: trend(np.arange(5), np.ones(5)), DataError, "at least 8 values; got 5"),
        (lambda: trend(np.arange(10), np.arange(10) - 20.0), DataError, "starts at -20"),
        (lambda: trend(np.zeros(10), np.ones(10)), DataError, "Times must rise"),
        (lambda: trend(np.arange(10), np.full(10, np.nan)), DataError, "must be finite"),
        (lambda: trend(np.arange(10), np.ones(9)), DataError, "equally long"),
        (lambda: trend(np.arange(10), np.ones(10), n_surrogates=5), ParameterError, "at least 99"),
        (lambda: index_ratio([0.0, 1.0]), DataError, "above 0"),
        (lambda: index_ratio([1.0], n_reference=2), ParameterError, "n_reference=2"),
    ],
)
def test_refusals(work, error, message):
    with pytest.raises(error, match=message):
        work()


def test_a_series_that_never_changes_has_no_trend():
    found = trend(np.arange(20.0), np.full(20, 50.0))
    assert (found.slope_percent_per_min, found.direction) == (0.0, "undecided")
