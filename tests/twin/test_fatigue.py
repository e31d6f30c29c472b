from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.discharge import discharges_at
from myograph.twin.fatigue import FatigueParameters, endurance_s, fatigue, fatigued
from myograph.twin.muscle import Muscle
from myograph.twin.pool import Pool, PoolParameters

BROAD = Pool.fuglevand(PoolParameters(recruitment_range=50, mvc_n=100.0))


def by_the_paper(fraction: float, *, seconds: float) -> float:
    """The published equations as written, one unit after another, excitation in steps of 0.02."""
    n, dt = 120, 0.1
    i = np.arange(n)
    threshold = 50 ** (i / (n - 1))
    peak = 35 - 10 * (threshold - 1) / 49
    force = 100 ** (i / (n - 1))
    rise_ms = 90 * force ** (-np.log(3) / np.log(100))
    loss = 180 ** (i / (n - 1)) * (0.0225 / 180) * force
    grid = np.arange(0, 67.001, 0.02)
    rested = np.where(
        grid >= threshold[:, None], np.minimum(grid - threshold[:, None] + 8, peak[:, None]), 0
    )

    def fused(x):
        return np.where(x <= 0.4, x / 0.4 * (1 - np.exp(-2 * 0.4**3)), 1 - np.exp(-2 * x**3))

    maximum = (fused(rise_ms[:, None] * rested / 1000) * force[:, None]).sum(axis=0)[-1]
    now, on_s = force.copy(), np.zeros(n)
    for step in range(int(seconds / dt)):
        scale = (threshold - 1) / 49 * 0.67 * (1 - np.exp(-on_s / 22))
        adapted = rested - np.maximum(scale[:, None] * (rested - 8 + 2), 0)
        slow_ms = rise_ms * (1 + 0.379 * (1 - now / force))
        share = fused(slow_ms[:, None] * adapted / 1000)
        total = (share * now[:, None]).sum(axis=0) / maximum
        if total[-1] < fraction:
            return step * dt
        at = int(np.argmax(total >= fraction))
        on_s += dt * (rested[:, at] > 0)
        now = np.clip(now - dt * loss * share[:, at], 0, force)
    return np.inf


@pytest.mark.parametrize("fraction", [0.6, 0.8])
def test_endurance_is_that_of_the_published_equations(fraction):
    assert endurance_s(BROAD, fraction) == pytest.approx(
        by_the_paper(fraction, seconds=60), rel=0.02
    )


def test_endurance_falls_steeply_with_force():
    times = [endurance_s(BROAD, fraction) for fraction in (0.4, 0.6, 0.9)]
    assert (np.diff(np.log(times)) < -0.9).all()
    assert endurance_s(BROAD, 0.3, limit_s=10) == np.inf


def test_fatigability_spans_the_published_1800_fold_range():
    one_second = fatigue(
        BROAD, np.full(2, 100.0), fs_hz=1.0, parameters=FatigueParameters(adaptation=0)
    )
    lost = (1 - one_second.remaining[:, 1]) * BROAD.twitch_n / BROAD.twitch_n[0]
    fused = 1 - np.exp(-2 * (BROAD.rates_hz([1.0])[:, 0] * BROAD.contraction_ms / 1000) ** 3)
    assert (lost / fused)[-1] / (lost / fused)[0] == pytest.approx(180 * 100, rel=1e-6)
    assert (lost / fused)[-1] == pytest.approx(0.0225 * 100, rel=1e-6)


def test_holding_a_force_needs_ever_more_excitation_until_it_fails():
    course = fatigue(BROAD, np.full(1200, 50.0), fs_hz=10.0)
    held = course.time_s < course.endurance_s
    assert (np.diff(course.excitation[held]) > -0.01).all()
    np.testing.assert_allclose(course.force_n[held], 50.0, rtol=0.01)
    assert course.excitation[~held].min() == 1.0
    assert course.force_n[-1] < 50
    assert (np.diff(course.capacity_n) < 0).all()
    assert course.endurance_s == pytest.approx(endurance_s(BROAD, 0.5), abs=0.2)


def test_rest_restores_force_at_the_rate_of_the_recovery_constant():
    work, rest = np.full(300, 80.0), np.zeros(1200)
    rules = FatigueParameters(recovery_per_s=0.001, rest_factor=15)
    course = fatigue(BROAD, np.concatenate([work, rest]), fs_hz=10.0, parameters=rules)
    lost = 1 - course.remaining[-1]
    assert lost[301] > 0.1
    # An exponential with 0.015 per second over the last 100 s.
    assert lost[-1] / lost[-1001] == pytest.approx(np.exp(-1.5), rel=0.01)


def test_a_rested_pool_at_rest_stays_rested():
    course = fatigue(BROAD, np.zeros(100), fs_hz=10.0)
    assert (course.remaining == 1).all()
    assert (course.rates_hz == 0).all()
    assert course.endurance_s == np.inf


def test_recovery_while_active_lengthens_endurance():
    rules = FatigueParameters(recovery_while_active=True, recovery_per_s=0.002)
    assert endurance_s(BROAD, 0.4, parameters=rules) > endurance_s(BROAD, 0.4)


def test_rates_adapt_down_at_constant_excitation():
    course = fatigue(BROAD, np.full(600, 100.0), fs_hz=10.0)
    last = course.rates_hz[-1]
    assert last[0] > last[-1] + 3
    trains = discharges_at(course.rates_hz, fs_hz=10.0, seed=1)
    early, late = ((trains.times_s[119] < 5).sum() / 5, (trains.times_s[119] > 50).sum() / 10)
    assert late < early - 3


def test_fatigued_muscle_is_weaker_slower_and_conducts_slower():
    muscle = Muscle.healthy("FDI", PoolParameters(n_units=20, n_fibres=2000), seed=1)
    left = np.linspace(1.0, 0.5, 20)
    tired = fatigued(muscle, left, parameters=FatigueParameters(velocity_loss=0.3))
    np.testing.assert_allclose(tired.pool.twitch_n, muscle.pool.twitch_n * left)
    np.testing.assert_allclose(
        tired.pool.contraction_ms, muscle.pool.contraction_ms * (1 + 0.379 * (1 - left))
    )
    ratio = tired.fibres.velocity_m_s / muscle.fibres.velocity_m_s
    np.testing.assert_allclose(ratio, 1 - 0.3 * (1 - left)[muscle.fibres.unit])
    np.testing.assert_array_equal(tired.fibres.x_mm, muscle.fibres.x_mm)


def test_starting_tired_shortens_endurance():
    half = fatigue(BROAD, np.full(900, 40.0), fs_hz=10.0, left=np.full(120, 0.6))
    assert half.endurance_s < fatigue(BROAD, np.full(2000, 40.0), fs_hz=10.0).endurance_s


def test_nonsense_is_refused():
    with pytest.raises(DataError, match="0 or more"):
        fatigue(BROAD, [-1.0], fs_hz=10.0)
    with pytest.raises(DataError, match="120 shares"):
        fatigue(BROAD, [1.0], fs_hz=10.0, left=[0.5])
    with pytest.raises(ParameterError, match="fatigability_range"):
        FatigueParameters(fatigability_range=0.1)
    with pytest.raises(ParameterError, match="fraction"):
        endurance_s(BROAD, 0)
