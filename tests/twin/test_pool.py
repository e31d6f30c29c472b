from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import RATE_LAWS, TETANUS_PER_TWITCH, Pool, PoolParameters, fusion


def test_the_default_pool_has_the_published_ranges():
    pool = Pool.fuglevand()
    assert pool.n_units == 120
    assert pool.threshold[-1] / pool.threshold[0] == pytest.approx(30)
    assert pool.twitch_n[-1] / pool.twitch_n[0] == pytest.approx(100)
    assert pool.contraction_ms[[0, -1]].tolist() == pytest.approx([90, 30])
    assert pool.peak_rate_hz[[0, -1]].tolist() == pytest.approx([35, 25])
    # Emax = RTE_n + (PFR_n - MFR) / g = 30 + 17 = 47 threshold units
    assert pool.threshold[-1] == pytest.approx(30 / 47)
    assert pool.rate_gain[0] == pytest.approx(47)


def test_the_last_unit_reaches_its_peak_rate_exactly_at_full_excitation():
    for range_ in (30.0, 50.0, 60.0):
        pool = Pool.fuglevand(PoolParameters(recruitment_range=range_))
        assert pool.rates_hz([1.0])[-1, 0] == pytest.approx(25)
        assert pool.rates_hz([0.99])[-1, 0] < 25


def test_upper_recruitment_of_the_broad_pool_is_three_quarters_of_the_maximum():
    pool = Pool.fuglevand(PoolParameters(recruitment_range=50))
    assert pool.threshold[-1] == pytest.approx(50 / 67)


def test_contraction_time_follows_twitch_force_by_the_published_exponent():
    pool = Pool.fuglevand()
    exponent = np.log(3) / np.log(100)
    relative = pool.twitch_n / pool.twitch_n[0]
    np.testing.assert_allclose(pool.contraction_ms, 90 * relative**-exponent)


def test_rates_are_zero_below_threshold_and_the_minimum_at_it():
    pool = Pool.fuglevand()
    at = np.diagonal(pool.rates_hz(pool.threshold))
    np.testing.assert_allclose(at, 8.0)
    below = np.diagonal(pool.rates_hz(pool.threshold * (1 - 1e-9)))
    assert (below == 0).all()


def test_de_luca_rates_by_hand():
    pool = Pool.fuglevand(PoolParameters(rate_law="de-luca"))
    x, threshold = 0.5, pool.threshold[40]
    by_hand = 7 * x + (-25 - 100 * np.exp(-x / 0.2)) * threshold + 20
    assert pool.rates_hz([x])[40, 0] == pytest.approx(by_hand)


def test_petersen_rostalski_rates_by_hand():
    pool = Pool.fuglevand(PoolParameters(rate_law="petersen-rostalski"))
    x, threshold = 0.5, pool.threshold[40]
    start = (8 - 8 * threshold) * np.exp(-(x - threshold) / 0.05)
    assert pool.rates_hz([x])[40, 0] == pytest.approx(
        -20 * (1.5 - x) * threshold + 30 * x + 13 - start
    )


@pytest.mark.parametrize("law", RATE_LAWS)
def test_onion_skin_early_units_fire_faster(law):
    pool = Pool.fuglevand(PoolParameters(rate_law=law))
    for excitation in (0.2, 0.5, 0.9):
        rates = pool.rates_hz([excitation])[:, 0]
        active = rates[rates > 0]
        assert (np.diff(active) <= 1e-9).all()


@pytest.mark.parametrize("law", RATE_LAWS)
@given(low=st.floats(0, 1), high=st.floats(0, 1))
def test_more_excitation_never_lowers_a_rate(law, low, high):
    pool = Pool.fuglevand(PoolParameters(rate_law=law, n_units=20))
    low, high = sorted((low, high))
    rates = pool.rates_hz([low, high])
    assert (rates[:, 1] >= rates[:, 0] - 1e-9).all()


@given(n_units=st.integers(1, 400), n_fibres=st.integers(400, 100_000))
def test_fibres_are_shared_out_exactly_and_each_unit_has_one(n_units, n_fibres):
    pool = Pool.fuglevand(PoolParameters(n_units=n_units, n_fibres=n_fibres))
    assert pool.n_fibres.sum() == n_fibres
    assert pool.n_fibres.min() >= 1
    assert (np.diff(pool.n_fibres) >= -1).all()


def test_mvc_is_the_force_at_full_excitation():
    pool = Pool.fuglevand(PoolParameters(mvc_n=123.0))
    assert pool.steady_force_n(1.0) == pytest.approx(123.0)
    assert pool.steady_force_n(0.0) == 0
    assert pool.unit_forces_n([1.0]).sum() == pytest.approx(123.0)


def test_fusion_is_continuous_and_reaches_tetanus():
    edge = fusion(np.array([0.4 - 1e-9, 0.4 + 1e-9]))
    assert edge[0] == pytest.approx(edge[1], abs=1e-6)
    assert edge[0] == pytest.approx(1 - np.exp(-2 * 0.4**3), abs=1e-6)
    assert fusion(np.array([3.0]))[0] == pytest.approx(1)
    assert pytest.approx(9.05, abs=0.01) == TETANUS_PER_TWITCH


def test_dead_units_are_silent_and_weak():
    pool = Pool.fuglevand()
    sick = pool.kill([119])
    assert sick.steady_force_n(1.0) < pool.steady_force_n(1.0)
    assert (sick.rates_hz([1.0])[119] == 0).all()
    np.testing.assert_array_equal(sick.rates_hz([1.0])[:119], pool.rates_hz([1.0])[:119])


def test_keep_takes_the_rows_asked_for():
    pool = Pool.fuglevand()
    kept = pool.keep(pool.threshold < 0.1)
    np.testing.assert_array_equal(kept.threshold, pool.threshold[pool.threshold < 0.1])
    with pytest.raises(DataError, match="mask must have shape"):
        pool.keep([True])


def test_implausible_parameters_warn_with_the_range_and_are_used():
    with pytest.warns(PhysiologyWarning, match=r"peak_rate_hz=150 Hz .*8 to 80 Hz"):
        parameters = PoolParameters(peak_rate_hz=150, peak_rate_drop_hz=10)
    assert parameters.peak_rate_hz == 150


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_units", 0, "n_units must be at least 1"),
        ("n_units", 2.5, "whole number"),
        ("n_fibres", 5, "cannot give each"),
        ("recruitment_range", 0.5, "recruitment_range must be at least"),
        ("twitch_range", -1.0, "twitch_range must be at least"),
        ("min_rate_hz", float("nan"), "min_rate_hz must be finite"),
        ("mvc_n", "strong", "mvc_n must be a number"),
        ("rate_law", "fugelvand", "Did you mean 'fuglevand'"),
    ],
)
def test_impossible_parameters_are_refused(name, value, message):
    with pytest.raises(ParameterError, match=message):
        PoolParameters(**{name: value})


def test_a_peak_below_the_minimum_rate_is_refused():
    with pytest.raises(ParameterError, match="must not lie below"):
        PoolParameters(peak_rate_hz=12, peak_rate_drop_hz=6)


def test_arrays_of_unequal_length_and_bad_excitations_are_refused():
    pool = Pool.fuglevand()
    with pytest.raises(DataError, match=r"twitch_n must have shape \(120,\)"):
        replace(pool, twitch_n=np.ones(3))
    with pytest.raises(DataError, match="1-D and finite"):
        pool.rates_hz([np.nan])


def test_ordinary_parameters_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PoolParameters(n_units=800, recruitment_range=50, peak_rate_hz=45)


def test_a_warning_names_the_line_that_called():
    with pytest.warns(PhysiologyWarning, match="peak_rate_hz=200") as said:
        PoolParameters(peak_rate_hz=200.0)
    assert said[0].filename == __file__
