from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.jitter import mcd_us, stimulated_jitter, voluntary_jitter
from myograph.twin.junction import myasthenia
from myograph.twin.muscle import Muscle
from myograph.twin.pool import PoolParameters
from myograph.twin.transmission import equipped

SMALL = PoolParameters(n_units=30, n_fibres=3000)


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return equipped(Muscle.healthy("FDI", SMALL, seed=3), seed=3)


def test_mean_consecutive_difference_of_a_known_series():
    assert mcd_us([1.0, 1.1, 0.9, 0.9]) == pytest.approx(1000 * (0.1 + 0.2 + 0.0) / 3)


def test_mean_consecutive_difference_passes_over_blocks():
    assert mcd_us([1.0, np.nan, 1.2]) == pytest.approx(200)
    assert np.isnan(mcd_us([np.nan, 1.0]))
    with pytest.raises(DataError, match="at least one axis"):
        mcd_us(1.0)


def test_mean_consecutive_difference_is_two_over_root_pi_times_sigma(rng):
    sigma_ms = 0.0125
    found = mcd_us(rng.normal(0, sigma_ms, (4000, 50))).mean()
    assert found == pytest.approx(2 / np.sqrt(np.pi) * 1000 * sigma_ms, rel=0.01)
    # The relative standard error of one 50-discharge study, as it is known: 13 %.
    assert mcd_us(rng.normal(0, sigma_ms, (4000, 50))).std() / found == pytest.approx(
        0.13, abs=0.02
    )


def test_voluntary_pairs_have_the_jitter_of_healthy_people(muscle):
    study = voluntary_jitter(muscle, n=60, seed=1)
    assert 15 < np.median(study.mcd_us) < 35
    assert 15 < study.mcd_us.mean() < 35
    assert np.mean(study.mcd_us > 55) < 0.1
    assert study.blocking.max() < 0.1


def test_pairs_belong_to_one_unit_and_lie_close(muscle):
    rows = voluntary_jitter(muscle, n=20, seed=1).rows
    fibres = muscle.fibres
    assert (fibres.unit[rows[:, 0]] == fibres.unit[rows[:, 1]]).all()
    gap = np.hypot(np.diff(fibres.x_mm[rows]), np.diff(fibres.y_mm[rows]))
    assert gap.max() <= 0.3
    assert len(np.unique(rows)) == rows.size


def test_one_endplate_jitters_less_than_a_pair(muscle):
    single = stimulated_jitter(muscle, n=100, seed=1).mcd_us.mean()
    pair = voluntary_jitter(muscle, n=60, seed=1).mcd_us.mean()
    # 0.71 for equal end-plates and regular discharges; irregular ones add to the pair.
    assert 0.55 < single / pair < 0.8


def test_myasthenia_raises_jitter_and_then_blocks(muscle):
    healthy = stimulated_jitter(muscle, n=100, seed=1)
    sick = stimulated_jitter(myasthenia(muscle, 0.7, seed=1), n=100, seed=1)
    assert np.nanmedian(sick.mcd_us) > 1.8 * np.median(healthy.mcd_us)
    assert sick.blocking.mean() > 0.02


def test_the_same_seed_gives_the_same_study(muscle):
    one, two = (voluntary_jitter(muscle, n=10, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.mcd_us, two.mcd_us)
    other = voluntary_jitter(muscle, n=10, seed=5)
    assert not np.array_equal(one.rows, other.rows)


def test_too_few_fibres_or_impossible_rates_are_refused(muscle):
    with pytest.raises(DataError, match=r"innervated fibres; 9999 are asked"):
        stimulated_jitter(muscle, n=9999, seed=1)
    with pytest.raises(DataError, match=r"within 0\.3 mm"):
        voluntary_jitter(muscle, n=9999, seed=1)
    with pytest.raises(ParameterError, match="at most 100"):
        stimulated_jitter(muscle, n=5, rate_hz=200, seed=1)
    with pytest.raises(ParameterError, match="n_discharges must be at least 20"):
        stimulated_jitter(muscle, n=5, n_discharges=5, seed=1)
