from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.cmap import Montage, cmap, measure_cmap, motor_units
from myograph.twin.muap import MuapLibrary
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import (
    Lesion,
    carpal_tunnel,
    cidp,
    cmt1,
    denervated,
    injured,
    lose_axons,
)
from myograph.twin.pool import PoolParameters
from myograph.twin.snap import measure_snap, snap


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return Muscle.healthy("APB", PoolParameters(n_units=80, n_fibres=6000), seed=3)


@pytest.fixture(scope="module")
def library(muscle) -> MuapLibrary:
    return motor_units(muscle, Montage(muscle="APB", gain=4.0), fs_hz=20000.0)


@pytest.fixture(scope="module")
def nerve() -> Nerve:
    return Nerve.healthy("median", n_motor=80, seed=3, variation=0.0)


def study(nerve: Nerve, library: MuapLibrary) -> dict[str, float]:
    distal, proximal = (measure_cmap(cmap(nerve, library, site=s)) for s in ("wrist", "elbow"))
    sensory = measure_snap(snap(nerve, site="wrist", fs_hz=20000.0))
    return {
        "dml": distal.onset_ms,
        "cmap": distal.amplitude_mv,
        "duration": distal.duration_ms,
        "velocity": 220 / (proximal.onset_ms - distal.onset_ms),
        "fall": 1 - proximal.amplitude_mv / max(distal.amplitude_mv, 1e-9),
        "snap": sensory.amplitude_uv,
        "sensory": 140 / sensory.onset_ms,
    }


def test_severity_zero_changes_nothing_that_can_be_measured(nerve, library):
    before = study(nerve, library)
    for disease in (carpal_tunnel, cmt1, cidp):
        after = study(disease(nerve, 0.0, months=24, seed=1), library)
        assert after == pytest.approx(before, rel=1e-6)


def test_a_focal_lesion_is_seen_across_its_segment_only(nerve):
    sick = injured(nerve, "forearm", Lesion(slowing=0.5), kind="motor", seed=1)
    np.testing.assert_array_equal(sick.motor_latency_ms("wrist"), nerve.motor_latency_ms("wrist"))
    extra = sick.motor_latency_ms("elbow") - nerve.motor_latency_ms("elbow")
    np.testing.assert_allclose(extra, 220 / nerve.motor.velocity_m_s[:, 3])
    np.testing.assert_array_equal(sick.sensory.velocity_m_s, nerve.sensory.velocity_m_s)


def test_conduction_block_is_a_fall_of_amplitude_without_loss_below(nerve, library):
    sick = injured(nerve, "forearm", Lesion(block=0.6), kind="motor", seed=1)
    found = study(sick, library)
    assert found["cmap"] == pytest.approx(study(nerve, library)["cmap"])
    assert found["fall"] > 0.3
    worse = injured(nerve, "forearm", Lesion(block=0.9), kind="motor", seed=1)
    assert (worse.motor.blocked | ~sick.motor.blocked).all()


def test_carpal_tunnel_takes_sensation_first_then_latency_then_the_muscle(nerve, library):
    course = [
        study(carpal_tunnel(nerve, s, months=60, seed=1), library)
        for s in (0.0, 0.25, 0.5, 0.7, 0.9)
    ]
    assert course[1]["sensory"] < 50 < course[0]["sensory"]
    assert course[1]["dml"] < 4.5
    assert 4.5 < course[2]["dml"] < 6.5
    assert course[2]["snap"] > 1
    assert course[3]["snap"] == 0
    assert course[4]["dml"] > 6.5
    assert course[4]["cmap"] < 0.5 * course[0]["cmap"]
    assert all(step["velocity"] > 50 for step in course[:4])  # the forearm is spared
    last = carpal_tunnel(nerve, 1.0, months=120, seed=1)
    assert measure_cmap(cmap(last, library, site="wrist")).amplitude_mv < 0.2


def test_hereditary_demyelination_is_uniform(nerve, library):
    before, after = study(nerve, library), study(cmt1(nerve, 0.9, seed=1), library)
    assert after["velocity"] < 0.55 * before["velocity"]
    assert after["dml"] > 1.6 * before["dml"]
    assert after["fall"] < 0.25
    assert not cmt1(nerve, 1.0, seed=1).motor.blocked.any()


def test_acquired_demyelination_blocks_and_disperses(nerve, library):
    before, after = study(nerve, library), study(cidp(nerve, 0.8, seed=1), library)
    assert after["fall"] > 0.3
    assert after["velocity"] < 0.75 * before["velocity"]
    assert after["duration"] > 1.08 * before["duration"]


def test_lost_axons_hardly_change_the_velocity(nerve, library):
    before, after = (
        study(nerve, library),
        study(lose_axons(nerve, 0.7, kind="motor", seed=1), library),
    )
    assert after["cmap"] < 0.5 * before["cmap"]
    assert after["velocity"] > 0.88 * before["velocity"]
    assert after["snap"] == before["snap"]


def test_more_loss_takes_the_same_axons_and_more(nerve):
    few, many = (lose_axons(nerve, f, kind="sensory", seed=1).sensory.alive for f in (0.2, 0.6))
    assert many.sum() == 400
    assert (few | ~many).all()
    fast = lose_axons(nerve, 0.5, kind="sensory", seed=1, fast_first=4.0).sensory
    speed = fast.velocity_m_s[:, -1]
    assert speed[~fast.alive].mean() > speed[fast.alive].mean()


def test_the_muscle_follows_its_nerve(nerve, muscle):
    sick = carpal_tunnel(nerve, 0.9, months=60, seed=1)
    weak = denervated(muscle, sick, months=36, seed=1)
    np.testing.assert_array_equal(weak.pool.alive, sick.motor.alive)
    assert weak.mvc_n < muscle.mvc_n
    assert denervated(muscle, nerve, months=36, seed=1) is muscle
    with pytest.raises(DataError, match="must be each other's"):
        denervated(muscle, Nerve.healthy("median", n_motor=7, seed=1), months=1, seed=1)


def test_onset_takes_time(nerve):
    def slowest(months: float) -> float:
        return float(carpal_tunnel(nerve, 0.6, months=months, seed=1).sensory.velocity_m_s.min())

    assert slowest(0.0) > slowest(1.0) > slowest(12.0)


def test_same_seed_same_nerve(nerve):
    one, two = (cidp(nerve, 0.5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.motor.velocity_m_s, two.motor.velocity_m_s)
    np.testing.assert_array_equal(one.motor.blocked, two.motor.blocked)


def test_impossible_lesions_are_refused(nerve):
    with pytest.raises(ParameterError, match="does not pass the carpal tunnel"):
        carpal_tunnel(Nerve.healthy("ulnar", n_motor=5, seed=1), 0.5, seed=1)
    with pytest.raises(ParameterError, match="segment of median must be one of"):
        injured(nerve, "elbow", Lesion(), kind="motor", seed=1)
    with pytest.raises(ParameterError, match="block must be at least 0 and at most 1"):
        Lesion(block=2.0)
    with pytest.raises(ParameterError, match="severity must be at least 0"):
        cmt1(nerve, -0.1, seed=1)
