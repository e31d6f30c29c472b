from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from myograph.core.errors import DataError, ParameterError
from myograph.signal.tremor import measure
from myograph.twin.contraction import force_n
from myograph.twin.discharge import discharges
from myograph.twin.drive import Drive
from myograph.twin.limb import Joint, acceleration_g, move
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import Pool
from myograph.twin.tremor import TREMORS, tremulous

WRIST = Joint(arms_mm={"FCR": 14.0, "ECRB": -14.0})
FS = 500.0


def pushed(force: np.ndarray, joint: Joint = WRIST, fs_hz: float = FS):
    return move(joint, {"FCR": force, "ECRB": np.zeros_like(force)}, fs_hz=fs_hz)


def test_the_motion_solves_the_equation_of_motion():
    fs_hz, time = 2000.0, np.arange(4000) / 2000
    motion = pushed(20 * np.sin(2 * np.pi * 3 * time) ** 2, fs_hz=fs_hz)

    def slope(t, y):
        torque = 0.014 * 20 * np.sin(2 * np.pi * 3 * t) ** 2
        j = WRIST
        return [y[1], (torque - j.viscosity_nm_s * y[1] - j.stiffness_nm * y[0]) / j.inertia_kg_m2]

    exact = solve_ivp(slope, (0, 2), [0, 0], t_eval=time, rtol=1e-8, atol=1e-10).y
    np.testing.assert_allclose(motion.angle_deg, np.rad2deg(exact[0]), atol=0.04)
    np.testing.assert_allclose(motion.velocity_deg_s, np.rad2deg(exact[1]), atol=1.0)


def test_derivatives_belong_together():
    motion = pushed(np.linspace(0, 30, 2000), fs_hz=2000.0)
    np.testing.assert_allclose(
        np.gradient(motion.angle_deg, 1 / 2000)[5:-5], motion.velocity_deg_s[5:-5], atol=0.05
    )


def test_equal_pulls_of_antagonists_move_nothing():
    force = np.full(1000, 30.0)
    motion = move(WRIST, {"FCR": force, "ECRB": force}, fs_hz=FS)
    assert np.abs(motion.angle_deg).max() < 1e-9


def test_twice_the_force_is_twice_the_angle():
    force = np.abs(np.random.default_rng(1).standard_normal(1000)) * 5
    np.testing.assert_allclose(pushed(2 * force).angle_deg, 2 * pushed(force).angle_deg)


def test_a_still_hand_feels_gravity_alone():
    joint = Joint(arms_mm={"FCR": 14.0}, rest_deg=30.0)
    still = move(joint, {"FCR": np.zeros(1000)}, fs_hz=FS)
    measured = acceleration_g(joint, still, seed=1, noise_g=0.0)
    np.testing.assert_allclose(np.linalg.norm(measured, axis=0), 1.0, atol=1e-6)
    assert np.rad2deg(np.arctan2(measured[1, 0], measured[0, 0])) == pytest.approx(30)


@pytest.mark.parametrize("name", ["parkinson", "essential postural"])
def test_the_accelerometer_peaks_at_the_tremor(name):
    tremor = TREMORS[name]
    drive = Drive(np.full((2, 20 * 500), 0.05), FS, ("FCR", "ECRB"))
    shaking = tremulous(drive, tremor, seed=1, agonists=("FCR",), antagonists=("ECRB",))
    pool = Pool.fuglevand()
    forces = {
        m: force_n(pool, discharges(pool, shaking, seed=k, muscle=m), fs_hz=FS)
        for k, m in enumerate(drive.muscles)
    }
    motion = move(WRIST, forces, fs_hz=FS)
    measured = acceleration_g(WRIST, motion, seed=1)[0].astype(float)
    found = measure(measured, fs_hz=FS)
    assert found.peak_hz == pytest.approx(tremor.frequency_hz, abs=0.3)
    calm = {
        m: force_n(pool, discharges(pool, drive, seed=k, muscle=m), fs_hz=FS)
        for k, m in enumerate(drive.muscles)
    }
    quiet = acceleration_g(WRIST, move(WRIST, calm, fs_hz=FS), seed=1)[0]
    assert measured[500:].std() > 3 * quiet[500:].std()


def test_joints_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="at least one muscle; got none"):
        Joint()
    with pytest.raises(ParameterError, match="inertia_kg_m2 must be at least"):
        Joint(arms_mm={"FCR": 14.0}, inertia_kg_m2=0.0)
    with pytest.raises(DataError, match="one force for each arm"):
        move(WRIST, {"FCR": np.zeros(10)}, fs_hz=FS)
    with pytest.raises(DataError, match="one length"):
        move(WRIST, {"FCR": np.zeros(10), "ECRB": np.zeros(11)}, fs_hz=FS)
    with pytest.warns(PhysiologyWarning, match="largest angle=.* deg lies outside"):
        pushed(np.full(2000, 900.0))
