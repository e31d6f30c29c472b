"""Smoothers of continuous values: laws that each holds, and closed forms."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.stream.steady import DeadBand, KalmanSmoother, OneEuro, RateLimit

MADE = {
    "one euro": lambda: OneEuro(2),
    "kalman": lambda: KalmanSmoother(2, acceleration=1.0),
    "dead band": lambda: DeadBand(2, width=0.1),
    "rate limit": lambda: RateLimit(2, rise_per_s=2.0, fall_per_s=4.0),
}
TIMES = np.arange(200) / 20


def run(smoother, values):
    return np.array([smoother.push(v, t) for v, t in zip(values, TIMES, strict=False)])


@pytest.mark.parametrize("name", MADE)
def test_causal_deterministic_and_independent_per_value(name, rng):
    values = rng.uniform(-1, 1, (200, 2))
    smoother = MADE[name]()
    whole = run(smoother, values)
    smoother.reset()
    np.testing.assert_array_equal(run(smoother, values)[:90], whole[:90])
    np.testing.assert_array_equal(run(MADE[name](), values[:90]), whole[:90])
    swapped = run(MADE[name](), values[:, ::-1])
    np.testing.assert_allclose(swapped[:, ::-1], whole, atol=1e-12)


@pytest.mark.parametrize("name", MADE)
def test_odd_symmetry(name, rng):
    values = rng.uniform(-1, 1, (200, 2))
    np.testing.assert_allclose(run(MADE[name](), -values), -run(MADE[name](), values), atol=1e-12)


@pytest.mark.parametrize("name", ["one euro", "kalman", "rate limit"])
def test_a_constant_is_reached(name):
    assert run(MADE[name](), np.full((200, 2), 0.7))[-1] == pytest.approx(0.7, abs=1e-3)


@pytest.mark.parametrize("name", ["one euro", "kalman"])
def test_noise_becomes_smaller(name, rng):
    values = 0.5 + 0.1 * rng.standard_normal((200, 2))
    assert run(MADE[name](), values)[40:].std() < 0.6 * values[40:].std()


def test_one_euro_without_speed_gain_is_a_first_order_low_pass():
    values = np.ones((200, 2))
    values[0] = 0
    weight = 2 * np.pi * 1.0 / 20 / (2 * np.pi * 1.0 / 20 + 1)
    out = run(OneEuro(2, least_hz=1.0, speed_gain=0.0), values)
    np.testing.assert_allclose(out[:, 0], 1 - (1 - weight) ** np.arange(200), atol=1e-12)


def test_one_euro_lags_less_when_it_may_speed_up():
    ramp = np.tile(TIMES[:, None], (1, 2))
    slow = run(OneEuro(2, speed_gain=0.0), ramp)[-1, 0]
    quick = run(OneEuro(2, speed_gain=2.0), ramp)[-1, 0]
    assert ramp[-1, 0] - quick < 0.5 * (ramp[-1, 0] - slow)


def test_kalman_follows_a_ramp_without_lag():
    ramp = np.tile(0.4 * TIMES[:, None], (1, 2))
    assert run(KalmanSmoother(2), ramp)[-1] == pytest.approx(ramp[-1], abs=1e-3)


def test_dead_band_has_no_step_at_its_edge():
    band = DeadBand(1, width=0.2)
    out = [float(band.push([v], k)[0]) for k, v in enumerate((0.1, 0.2, 0.2001, 0.6, -1.0))]
    np.testing.assert_allclose(out, [0, 0, 1.25e-4, 0.5, -1.0], atol=1e-9)


def test_rate_limit_rises_slowly_falls_quickly_and_crosses_zero_in_one_go():
    limit = RateLimit(1, rise_per_s=1.0, fall_per_s=2.0)
    values = [0, 1, 1, 0.9, -1, -1]
    out = [float(limit.push([v], 0.25 * k)[0]) for k, v in enumerate(values)]
    np.testing.assert_allclose(out, [0, 0.25, 0.5, 0.75, 0.25, -0.125])


@pytest.mark.parametrize("name", MADE)
def test_bad_input(name):
    smoother = MADE[name]()
    smoother.push([0.0, 0.0], 1.0)
    with pytest.raises(DataError, match="time goes on"):
        smoother.push([0.0, 0.0], 1.0)
    with pytest.raises(DataError, match="takes as many finite values"):
        smoother.push([np.nan, 0.0], 2.0)
    with pytest.raises(DataError, match="takes as many finite values"):
        smoother.push([0.0], 2.0)


def test_settings():
    with pytest.raises(ParameterError, match="width must be"):
        DeadBand(1, width=1.0)
    with pytest.raises(ParameterError, match="least_hz must be above 0"):
        OneEuro(1, least_hz=0.0)
