from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.twin.courses import als_course, dmd_course, sma_course
from myograph.twin.function import AMBULATION_STRENGTH, months_until
from myograph.twin.junction import myasthenia
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import carpal_tunnel
from myograph.twin.pool import PoolParameters
from myograph.twin.transmission import Endplates
from myograph.twin.treatment import (
    TREATMENTS,
    Prior,
    calmed,
    injected,
    released,
    strength_under,
    strengthened,
    treated,
)
from myograph.twin.tremor import TREMORS


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return Muscle.healthy("ADM", PoolParameters(n_units=60, n_fibres=3000), seed=3)


def test_no_effect_is_a_point():
    for treatment in TREATMENTS.values():
        low, high = treatment.effect.quantile([0.05, 0.95])
        assert high - low > 0.15, treatment.name
    with pytest.raises(ParameterError, match="an effect is never a point"):
        Prior(mean=0.2, sd=0.0)


def test_priors_draw_what_they_say():
    prior = Prior(mean=0.3, sd=0.1)
    drawn = [prior.draw(seed=s) for s in range(2000)]
    assert np.mean(drawn) == pytest.approx(0.3, abs=0.01)
    assert np.std(drawn) == pytest.approx(0.1, rel=0.1)
    assert Prior(mean=0.9, sd=1.0).quantile([0, 1]).tolist() == [0, 1]


def test_what_is_not_proven_may_harm():
    for name in ("edaravone", "tofersen"):
        assert TREATMENTS[name].effect.quantile(0.02) < 0
    # Riluzole rests on trials: it slows.
    assert TREATMENTS["riluzole"].effect.quantile(0.02) > 0


def test_a_slowed_course_is_the_course_run_slower():
    course = als_course(seed=1)
    slow = treated(course, "riluzole", seed=1, from_months=6, effect=0.2)
    assert slow.burden(16.0).units == course.burden(14.0).units
    stopped = treated(course, "riluzole", seed=1, from_months=6, until_months=11, effect=0.2)
    assert stopped.disease_months(30.0) == pytest.approx(29.0)


def test_riluzole_gains_months_not_years():
    """riluzole2018: two to three months of median survival."""
    gained = []
    for seed in range(100):
        course = als_course(seed=seed)
        slow = treated(course, "riluzole", seed=seed, from_months=9)
        gained.append(months_until(slow, 0.25) - months_until(course, 0.25))
    assert 1 < np.median(gained) < 5


def test_glucocorticoids_keep_boys_walking_for_years():
    """2.1 to 4.4 years later at milestones of mobility (dmdsteroid2023)."""
    later = []
    for seed in range(60):
        course = dmd_course(seed=seed)
        slow = treated(course, "glucocorticoid", seed=seed, from_months=60)
        later.append(
            months_until(slow, AMBULATION_STRENGTH) - months_until(course, AMBULATION_STRENGTH)
        )
    assert 2.1 < np.median(later) / 12 < 4.4


def test_smn_therapy_stops_the_loss_the_better_the_earlier():
    course = sma_course(seed=1, onset_months=4)
    left = [
        treated(course, "nusinersen", seed=1, from_months=m, effect=0.9).burden(24.0).units
        for m in (0, 2, 6)
    ]
    assert left[0] > left[1] > left[2] > course.burden(24.0).units


def test_contradictory_protocols_are_refused():
    course = als_course(seed=1)
    with pytest.raises(ParameterError, match=r"'nusinersen' is for \['sma'\]; .* 'als'"):
        treated(course, "nusinersen", seed=1, from_months=3)
    with pytest.raises(ParameterError, match=r"'levodopa' acts on the tremor, not on the pace"):
        treated(course, "levodopa", seed=1, from_months=3)
    with pytest.raises(ParameterError, match="must end later"):
        treated(course, "riluzole", seed=1, from_months=9, until_months=3)
    once = treated(course, "riluzole", seed=1, from_months=3, until_months=9)
    with pytest.raises(ParameterError, match="is given already, from month 3 to month 9"):
        treated(once, "riluzole", seed=1, from_months=8)
    treated(once, "riluzole", seed=1, from_months=9)
    treated(once, "edaravone", seed=1, from_months=3)
    with pytest.raises(ParameterError, match="Did you mean 'riluzole'"):
        treated(course, "riluzol", seed=1, from_months=3)


def test_a_what_if_is_a_spread_around_the_natural_course():
    course = als_course(seed=1, slope_per_month=1.0)
    months = np.array([6.0, 18.0, 30.0])
    natural = strength_under(course, [], months, from_months=6, n_draws=3, seed=1)
    assert (natural == course.burden(months).strength).all()
    drawn = strength_under(course, ["tofersen"], months, from_months=6, n_draws=200, seed=1)
    assert (drawn[:, 0] == natural[0, 0]).all()
    low, high = np.quantile(drawn[:, 1], [0.05, 0.95])
    assert low < natural[0, 1] < high
    np.testing.assert_array_equal(
        drawn, strength_under(course, ["tofersen"], months, from_months=6, n_draws=200, seed=1)
    )


def test_tremor_is_calmed_and_keeps_its_frequency():
    before = TREMORS["parkinson"]
    after = calmed(before, "deep brain stimulation", seed=1)
    assert after.amplitude < 0.7 * before.amplitude
    assert after.frequency_hz == before.frequency_hz
    with pytest.raises(ParameterError, match="effect must be at least 0 and at most 1"):
        calmed(before, "levodopa", seed=1, effect=1.4)


def test_an_inhibitor_restores_the_safety_factor(muscle):
    sick = myasthenia(muscle, 0.8, seed=1)
    helped = strengthened(sick, seed=1, effect=0.5)
    ratio = Endplates.of(helped.fibres).safety_factor / Endplates.of(sick.fibres).safety_factor
    np.testing.assert_allclose(ratio, 1.5)
    np.testing.assert_array_equal(helped.fibres.diameter_um, sick.fibres.diameter_um)


def test_toxin_comes_within_days_and_goes_within_months(muscle):
    release = [
        Endplates.of(injected(muscle, m, seed=1, effect=0.8).fibres).release.mean()
        for m in (0.0, 1.0, 3.2, 8.0)
    ]
    assert release[0] == pytest.approx(0.15)
    assert release[1] == pytest.approx(0.15 * 0.2, abs=0.02)
    assert release[1] < release[2] < release[3]
    assert release[3] == pytest.approx(0.15, rel=0.01)


def test_a_released_nerve_gets_faster_and_regains_few_axons():
    healthy = Nerve.healthy("median", n_motor=150, seed=1, variation=0.0)
    sick = carpal_tunnel(healthy, 0.7, months=1200.0, seed=4)
    now, later = (released(healthy, 0.7, months=m, seed=4, effect=0.7) for m in (0.0, 12.0))
    np.testing.assert_array_equal(now.motor.velocity_m_s, sick.motor.velocity_m_s)
    np.testing.assert_array_equal(now.sensory.alive, sick.sensory.alive)
    latency = [np.median(n.motor_latency_ms("wrist")) for n in (healthy, later, sick)]
    assert latency[0] < latency[1] < latency[2]
    assert later.motor.blocked.sum() < sick.motor.blocked.sum()
    assert sick.sensory.alive.sum() < later.sensory.alive.sum() < healthy.sensory.alive.sum()
