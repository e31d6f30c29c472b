from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, spearmanr

from myograph.core.errors import DataError, ParameterError
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.transmission import (
    EndplateParameters,
    Endplates,
    Release,
    _binomial,
    equipped,
    transmit,
    with_endplates,
)

TEN_HZ = np.arange(60) / 10
THREE_HZ = np.arange(10) / 3


@pytest.fixture(scope="module")
def ends() -> Endplates:
    return Endplates.healthy(2000, seed=1)


def scaled(ends: Endplates, **factors: float) -> Endplates:
    values = {name: getattr(ends, name) * factors.get(name, 1.0) for name in Endplates.__slots__}
    return Endplates(**values)


@given(
    n=st.integers(1, 3000),
    p=st.floats(0.001, 0.95),
    u=st.floats(0.001, 0.999),
)
@settings(max_examples=200, deadline=None)
def test_quanta_are_binomial(n, p, u):
    assert _binomial(n, p, u) == pytest.approx(binom.ppf(u, n, p), abs=1)


def test_no_store_or_no_probability_releases_nothing():
    assert _binomial(0, 0.5, 0.9) == 0
    assert _binomial(100, 0.0, 0.9) == 0


def test_quanta_per_impulse_and_safety_factor_are_those_of_people(ends):
    quanta = ends.store * ends.release
    assert 20 < quanta.mean() < 50
    assert np.quantile(ends.safety_factor, 0.05) > 3
    assert ends.safety_factor.mean() < 6


def test_single_endplates_jitter_by_12_to_13_us_at_ten_hertz(ends):
    passed = transmit(ends, TEN_HZ, seed=1)
    assert 11.5 < np.median(passed.jitter_us[:, None]) < 13.5
    assert passed.blocking.mean() < 0.002


def test_jitter_follows_the_margin_as_the_first_order_law_says(ends):
    # sigma = rise * (V / E) / (1 - V / E) * CV, to first order in the noise.
    quiet = Release(refill_s=0.1, facilitation=0.0, augmentation=0.0)
    passed = transmit(ends, np.arange(400.0), seed=2, rule=quiet)
    mean = passed.potential_mv.mean(axis=1)
    cv = passed.potential_mv.std(axis=1) / mean
    ratio = ends.threshold_mv / mean
    expected = 1000 * quiet.rise_ms * ratio / (1 - ratio) * cv
    np.testing.assert_allclose(passed.jitter_us, expected, rtol=0.5)
    # The second order adds a little where margins are narrow.
    assert np.median(passed.jitter_us / expected) == pytest.approx(1.05, abs=0.05)


def test_potential_runs_down_at_low_rates_and_recovers_in_seconds(ends):
    potential = transmit(ends, [*THREE_HZ, 60.0], seed=1).potential_mv.mean(axis=0)
    share = potential / potential[0]
    assert 0.75 < share[4] < 0.9
    assert (np.diff(share[:4]) < 0).all()
    assert share[-1] == pytest.approx(1.0, abs=0.02)


def test_the_store_never_exceeds_itself_and_an_endless_train_settles(ends):
    potential = transmit(ends, np.arange(200) / 20, seed=1).potential_mv.mean(axis=0)
    # Augmentation still grows over seconds, so that only a slow drift is left.
    assert potential[150:].std() / potential[150:].mean() < 0.02
    assert potential[1:].max() < potential[0] * 1.02


def test_fewer_receptors_block_and_jitter_more(ends):
    weak = [transmit(scaled(ends, quantum_mv=q), TEN_HZ, seed=1) for q in (1.0, 0.6, 0.4)]
    jitter = [np.nanmedian(passed.jitter_us) for passed in weak]
    blocking = [passed.blocking.mean() for passed in weak]
    assert jitter[0] < 0.7 * jitter[1]
    assert blocking[0] < blocking[1] < blocking[2]
    assert 0.05 < blocking[2] < 0.6


def test_low_release_facilitates_at_high_rate_and_after_effort(ends):
    weak = scaled(ends, release=0.17)
    fast = transmit(weak, np.arange(50) / 50, seed=1).fired.mean(axis=0)
    assert fast.max() > 1.6 * fast[0]
    effort = np.concatenate([[0.0], 5 + np.arange(300) / 30, [17.0]])
    after = transmit(weak, effort, seed=1).fired.mean(axis=0)
    assert after[-1] > 1.6 * after[0]


def test_young_junctions_are_unstable_and_grow_out_of_it(ends):
    jitter, blocking = [], []
    for maturity in (0.0, 0.5, 1.0):
        passed = transmit(ends, TEN_HZ, seed=1, maturity=maturity)
        jitter.append(np.nanmedian(passed.jitter_us))
        blocking.append(passed.blocking.mean())
    assert jitter[0] > 3 * jitter[2]
    assert jitter[0] > jitter[1] > jitter[2]
    assert 0.03 < blocking[0] < 0.3
    assert blocking[2] < 0.002


def test_same_seed_same_bits_and_a_longer_train_begins_like_a_shorter_one(ends):
    one, two = (transmit(ends, TEN_HZ, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one.delay_ms, two.delay_ms)
    short = transmit(ends, TEN_HZ[:7], seed=5)
    np.testing.assert_array_equal(short.potential_mv, one.potential_mv[:, :7])
    other = transmit(ends, TEN_HZ, seed=6)
    assert not np.array_equal(one.potential_mv, other.potential_mv)


def test_the_threshold_changes_who_fires_and_nothing_about_release(ends):
    base = transmit(ends, TEN_HZ, seed=5)
    harder = transmit(scaled(ends, threshold_mv=2.0), TEN_HZ, seed=5)
    np.testing.assert_array_equal(base.potential_mv, harder.potential_mv)
    assert harder.fired.sum() < base.fired.sum()
    assert not (harder.fired & ~base.fired).any()


def test_delays_are_long_where_the_margin_is_small(ends):
    passed = transmit(ends, TEN_HZ, seed=1)
    assert np.isnan(passed.delay_ms[~passed.fired]).all()
    assert (passed.delay_ms[passed.fired] > 0).all()
    rho = spearmanr(ends.safety_factor, np.nanmean(passed.delay_ms, axis=1)).statistic
    assert rho < -0.9


def test_a_muscle_carries_its_endplates_along():
    muscle = Muscle.healthy("FDI", PoolParameters(n_units=20, n_fibres=600), seed=1)
    with pytest.raises(DataError, match=r"have no end-plates.*equipped"):
        Endplates.of(muscle.fibres)
    whole = equipped(muscle, seed=2)
    assert equipped(whole, seed=99) is whole
    half = whole.fibres.keep(np.arange(300))
    np.testing.assert_array_equal(Endplates.of(half).store, Endplates.of(whole.fibres).store[:300])
    changed = equipped(whole, EndplateParameters(store=500.0), seed=2)
    assert Endplates.of(changed.fibres).store.mean() > 450
    back = with_endplates(changed, Endplates.of(whole.fibres))
    np.testing.assert_array_equal(Endplates.of(back.fibres).store, Endplates.of(whole.fibres).store)


def test_other_parameters_leave_other_properties_alone():
    one = Endplates.healthy(500, seed=3)
    two = Endplates.healthy(500, EndplateParameters(quantum_mv=0.4), seed=3)
    np.testing.assert_array_equal(one.store, two.store)
    np.testing.assert_array_equal(one.threshold_mv, two.threshold_mv)
    np.testing.assert_allclose(two.quantum_mv, one.quantum_mv / 2)


def test_implausible_warns_and_impossible_is_refused(ends):
    with pytest.warns(PhysiologyWarning, match=r"quantum_mv=5 mV.*0\.2 to 1\.5 mV"):
        EndplateParameters(quantum_mv=5)
    with pytest.raises(ParameterError, match=r"release must be at least 0 and at most 1"):
        EndplateParameters(release=1.2)
    with pytest.raises(ParameterError, match="ascending"):
        transmit(ends, [0.1, 0.1], seed=1)
    with pytest.raises(DataError, match=r"Endplates.release must be finite.*shape \(2,\)"):
        Endplates(np.ones(2), np.ones(3), np.ones(2), np.ones(2))
    with pytest.raises(DataError, match=r"Endplates.quantum_mv must be finite, 0 or more"):
        Endplates(np.ones(2), np.ones(2), -np.ones(2), np.ones(2))
