from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError
from myograph.twin.contraction import (
    excitation_for_force,
    force_n,
    steady_force_n,
    to_excitation,
    unit_forces_n,
)
from myograph.twin.discharge import Discharges, Firing, discharges
from myograph.twin.drive import Drive, trapezoid
from myograph.twin.pool import TETANUS_PER_TWITCH, Pool, PoolParameters

POOL = Pool.fuglevand()


def test_one_discharge_gives_the_closed_form_twitch():
    trains = Discharges(([0.1],), duration_s=1.0)
    one = POOL.keep(np.arange(120) == 60)
    force = unit_forces_n(one, trains, fs_hz=1000.0)[0]
    t = np.maximum(np.arange(1000) / 1000 - 0.1, 0) / (one.contraction_ms[0] / 1000)
    np.testing.assert_allclose(force, one.twitch_n[0] * t * np.exp(1 - t), atol=1e-9)
    assert force.argmax() / 1000 == pytest.approx(0.1 + one.contraction_ms[0] / 1000, abs=0.002)


@pytest.mark.parametrize("rate_hz", [5.0, 12.0, 20.0, 40.0])
def test_regular_discharges_give_the_mean_force_of_the_fusion_curve(rate_hz):
    one = POOL.keep(np.arange(120) == 60)
    trains = Discharges((np.arange(0.0, 10.0, 1 / rate_hz),), duration_s=10.0)
    force = force_n(one, trains, fs_hz=2000.0)[6000:]
    x = rate_hz * one.contraction_ms[0] / 1000
    share = x / 0.4 * (1 - np.exp(-2 * 0.4**3)) if x <= 0.4 else 1 - np.exp(-2 * x**3)
    assert force.mean() == pytest.approx(TETANUS_PER_TWITCH * one.twitch_n[0] * share, rel=0.01)


def test_the_ripple_vanishes_as_twitches_fuse():
    one = POOL.keep(np.arange(120) == 0)
    ripple = []
    for rate_hz in (5.0, 15.0, 40.0):
        trains = Discharges((np.arange(0.0, 10.0, 1 / rate_hz),), duration_s=10.0)
        force = force_n(one, trains, fs_hz=1000.0)[5000:]
        ripple.append(np.ptp(force) / force.mean())
    assert ripple[0] > 0.5 > ripple[1] > ripple[2]
    assert ripple[2] < 0.02


def test_simulated_and_steady_force_agree():
    for level in (0.1, 0.4, 0.8):
        drive = Drive(np.full((1, 2000), level), 200.0)
        force = force_n(POOL, discharges(POOL, drive, seed=1, firing=Firing(cv=0.1)), fs_hz=500.0)
        assert force[1500:].mean() == pytest.approx(POOL.steady_force_n(level), rel=0.02)


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, 40))
def test_the_excitation_for_a_force_gives_that_force(wanted):
    excitation, reached = excitation_for_force(POOL, wanted)
    assert reached
    # Recruiting one unit makes a jump: 40 N / 120 units, never more than a third of a newton.
    assert steady_force_n(POOL, excitation) == pytest.approx(wanted, abs=0.35)


def test_a_weak_pool_needs_more_excitation_and_says_when_it_cannot():
    sick = POOL.kill(np.arange(60, 120))
    easy, reached = excitation_for_force(sick, [2.0])
    assert reached.all()
    assert easy[0] > excitation_for_force(POOL, [2.0])[0][0]
    full, reached = excitation_for_force(sick, [30.0])
    assert not reached.any()
    assert full[0] == 1.0


def test_fewer_units_fire_faster_for_the_same_force():
    sick = POOL.kill(np.arange(0, 120, 2))
    rates = [p.rates_hz(excitation_for_force(p, [8.0])[0])[1, 0] for p in (POOL, sick)]
    assert rates[1] > rates[0] + 2


def test_zero_force_needs_no_excitation():
    assert excitation_for_force(POOL, [0.0])[0].tolist() == [0.0]


def test_a_drive_in_force_becomes_one_in_excitation():
    target = trapezoid(0.3, ramp_s=1, hold_s=1, rest_s=0, fs_hz=20, muscle="FDI")
    drive = to_excitation(target, {"FDI": POOL}, mvc_n={"FDI": 40.0})
    assert steady_force_n(POOL, drive.of("FDI")[25]) == pytest.approx(12, rel=0.02)
    assert drive.events == target.events


def test_trains_of_another_pool_are_refused():
    with pytest.raises(DataError, match="120 units, the discharges 1"):
        force_n(POOL, Discharges(([],), 1.0), fs_hz=10.0)
    with pytest.raises(DataError, match="0 or more"):
        excitation_for_force(POOL, -1.0)


def test_force_scales_with_the_mvc_only():
    drive = Drive(np.full((1, 400), 0.5), 200.0)
    small = Pool.fuglevand(PoolParameters(mvc_n=10.0))
    forces = [force_n(p, discharges(p, drive, seed=1), fs_hz=100.0) for p in (POOL, small)]
    np.testing.assert_allclose(forces[0], 4 * forces[1])
