from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.anatomy import NERVES
from myograph.twin.nerve import REFERENCE_C, Axons, Nerve, of_anatomy
from myograph.twin.nerve_parameters import NERVE_PARAMETERS, NerveParameters, Segment
from myograph.twin.physiology import PhysiologyWarning

NAMES = sorted(NERVE_PARAMETERS)


def made(name: str = "median", **options) -> Nerve:
    return Nerve.healthy(name, n_motor=60, seed=options.pop("seed", 1), **options)


@pytest.mark.parametrize("name", NAMES)
def test_latency_is_the_sum_of_what_the_segments_take(name):
    nerve = made(name)
    for site in nerve.sites:
        reach = nerve.reach(site)
        by_hand = nerve.motor.terminal_ms + sum(
            nerve.segments[k].motor_mm / nerve.motor.velocity_m_s[:, k] for k in range(reach)
        )
        np.testing.assert_allclose(nerve.motor_latency_ms(site), by_hand)


@pytest.mark.parametrize("name", NAMES)
def test_sites_are_in_order_and_end_at_the_cord(name):
    nerve = made(name)
    assert nerve.sites[-1] == "cord"
    assert [nerve.reach(site) for site in nerve.sites] == sorted(map(nerve.reach, nerve.sites))
    kind = "sensory" if name == "sural" else "motor"
    distances = [nerve.distance_mm(site, kind=kind) for site in nerve.sites]
    assert distances == sorted(distances)


def test_protocol_distances_are_those_of_the_norms():
    assert made("median").distance_mm("wrist") == 80
    assert made("median").distance_mm("wrist", kind="sensory") == 140
    assert made("sural").distance_mm("calf", kind="sensory") == 140
    assert made("ulnar", height_cm=190).distance_mm("wrist") == 80


def test_taller_and_older_people_have_slower_nerves_and_longer_ways():
    base = made(variation=0.0)
    tall, old = made(variation=0.0, height_cm=190), made(variation=0.0, age_years=80)
    speed = [nerve.motor.velocity_m_s[:, 0].max() for nerve in (base, tall, old)]
    assert speed[0] - speed[1] == pytest.approx(5.0, rel=0.1)  # 2 to 3 m/s in 10 cm
    assert speed[0] - speed[2] == pytest.approx(6.0, rel=0.1)
    assert tall.distance_mm("cord") > 1.08 * base.distance_mm("cord")


def test_people_differ_as_the_norms_say():
    fastest = [made(seed=seed).motor.velocity_m_s[:, 3].mean() for seed in range(120)]
    mean = made(variation=0.0).motor.velocity_m_s[:, 3].mean()
    assert np.mean(fastest) == pytest.approx(mean, abs=1.0)
    assert np.std(fastest) == pytest.approx(5.0, abs=1.0)


def test_cold_slows_where_it_reaches():
    warm, cold = made(), made().at_temperature(25.0)
    assert warm.temperature_c == REFERENCE_C
    ratio = cold.conduction_ms() / warm.conduction_ms()
    assert ratio[0, 0] == pytest.approx(1.3 ** ((REFERENCE_C - 25) / 10))
    assert ratio[0, -1] == pytest.approx(1.0)
    assert (np.diff(ratio[0, 2:]) < 0).all()
    slope = (cold.motor_latency_ms("wrist") - warm.motor_latency_ms("wrist")).mean() / 8
    assert 0.1 < slope < 0.3  # about 0.2 ms in each degree


def test_demyelinated_nerves_lose_less_speed_in_the_cold():
    warm = made(variation=0.0)
    slow = warm.with_axons("motor", replace(warm.motor, velocity_m_s=0.4 * warm.motor.velocity_m_s))

    def fall(nerve: Nerve) -> float:
        hand = [n.conduction_ms()[:, 0].mean() for n in (nerve, nerve.at_temperature(28.0))]
        return 25 / hand[0] - 25 / hand[1]

    assert fall(slow) < 0.5 * fall(warm)
    assert 0.5 < fall(warm) / 5 < 2.0  # m/s in each degree


def test_a_block_stops_what_comes_from_beyond_it():
    nerve = made("ulnar")
    blocked = nerve.motor.blocked.copy()
    blocked[:30, 2] = True
    sick = nerve.with_axons("motor", replace(nerve.motor, blocked=blocked))
    assert sick.conducting(None, "wrist").all()
    assert sick.conducting(None, "below elbow").all()
    assert sick.conducting(None, "above elbow").sum() == 30
    assert sick.conducting("above elbow", "cord").all()


def test_one_seed_is_one_person_and_properties_have_their_own_chances():
    one, two = made(), made()
    for name in Axons.__slots__:
        np.testing.assert_array_equal(getattr(one.motor, name), getattr(two.motor, name))
    other = NERVE_PARAMETERS["median"]
    faster = made(replace(other, motor_velocity_m_s=60.0))
    np.testing.assert_array_equal(one.motor.terminal_ms, faster.motor.terminal_ms)
    np.testing.assert_array_equal(one.motor.threshold_ma, faster.motor.threshold_ma)
    np.testing.assert_array_equal(one.sensory.velocity_m_s, faster.sensory.velocity_m_s)
    assert (faster.motor.velocity_m_s > one.motor.velocity_m_s).all()


@pytest.mark.parametrize("name", ["median", "radial"])
def test_a_patients_nerve_has_that_patients_speed_and_length(name):
    nerve = of_anatomy(NERVES[name], n_motor=100, seed=1)
    assert nerve.motor.velocity_m_s[:, 0].max() == pytest.approx(
        NERVES[name].motor_velocity_m_s, rel=0.1
    )
    assert nerve.distance_mm("cord") == pytest.approx(NERVES[name].root_mm, rel=0.05)
    assert len(nerve.motor) == 100


def test_what_cannot_be_is_refused_and_what_nobody_has_warned_about():
    with pytest.raises(ParameterError, match=r"nerve must be one of \['median'.*'medain'"):
        made("medain")
    with pytest.raises(ParameterError, match="site of median must be one of"):
        made().reach("knee")
    with pytest.raises(ParameterError, match="at least one segment"):
        NerveParameters(name="none", segments=())
    with pytest.warns(PhysiologyWarning, match="height_cm=230"):
        made(height_cm=230)
    with pytest.raises(ParameterError, match="temperature_c must be at least 5"):
        made().at_temperature(0.0)
    with pytest.raises(ParameterError, match="kind must be one of"):
        made().axons("autonomic")
    with pytest.raises(DataError, match="60 motor axons to replace"):
        made().with_axons("motor", made().sensory)
    with pytest.raises(DataError, match="above 0; block axons instead"):
        Axons(np.zeros((2, 3)), np.zeros((2, 3)), np.ones(2), np.ones(2), np.ones(2))
    with pytest.raises(DataError, match=r"Axons.terminal_ms must have shape \(2,\)"):
        Axons(np.ones((2, 3)), np.zeros((2, 3)), np.ones(3), np.ones(2), np.ones(2))
    assert Segment("a", 1, 1, 0.0).site == ""
