from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import csd, welch

from myograph.core.errors import DataError, ParameterError
from myograph.twin.contraction import force_n
from myograph.twin.discharge import Firing, discharges
from myograph.twin.drive import Drive
from myograph.twin.pool import Pool, PoolParameters
from myograph.twin.stroke import (
    SPASTIC_PIC,
    Spasticity,
    compensated,
    stretch_reflex,
    weakened,
)
from myograph.twin.tremor import TREMORS, Tremor, tremulous

FS_HZ = 200.0
REST = Drive(np.full((3, 60 * 200), 0.02), FS_HZ, ("FCR", "ECRB", "BB"))
POOL = Pool.fuglevand(PoolParameters(n_units=60))


def peak_and_phase(a: np.ndarray, b: np.ndarray, fs_hz: float) -> tuple[float, float]:
    f, power = welch(a, fs_hz, nperseg=int(10 * fs_hz))
    _, cross = csd(a, b, fs_hz, nperseg=int(10 * fs_hz))
    k = int(np.argmax(power * (f > 2)))
    return float(f[k]), float(np.angle(cross[k], deg=True))


@pytest.mark.parametrize("kind", TREMORS)
def test_tremor_has_its_frequency_and_antagonist_phase(kind):
    tremor = TREMORS[kind]
    shaking = tremulous(REST, tremor, seed=2, agonists=("FCR",), antagonists=("ECRB",))
    f_hz, phase = peak_and_phase(shaking.of("FCR"), shaking.of("ECRB"), FS_HZ)
    assert f_hz == pytest.approx(tremor.frequency_hz, rel=0.02 + tremor.wander)
    assert abs(phase) == pytest.approx(tremor.antagonist_phase_deg, abs=5)
    np.testing.assert_array_equal(shaking.of("BB"), REST.of("BB"))


def test_parkinsonian_frequencies_lie_in_their_band_and_forces_alternate():
    assert 4 <= TREMORS["parkinson"].frequency_hz <= 6
    tremor = TREMORS["parkinson"]
    shaking = tremulous(REST, tremor, seed=2, agonists=("FCR",), antagonists=("ECRB",))
    firing = Firing(doublets=tremor.doublets)
    forces = [
        force_n(POOL, discharges(POOL, shaking, seed=s, muscle=m, firing=firing), fs_hz=FS_HZ)
        for s, m in ((1, "FCR"), (2, "ECRB"))
    ]
    f_hz, phase = peak_and_phase(*forces, FS_HZ)
    assert f_hz == pytest.approx(5.0, rel=0.05)
    assert abs(phase) > 160


def test_units_fire_in_phase_with_the_tremor_some_with_doublets_of_50_ms():
    tremor = replace(TREMORS["parkinson"], wander=0.0, swell=0.0)
    drive = Drive(np.full((1, 60 * 200), 0.0), FS_HZ, ("FCR",))
    shaking = tremulous(drive, tremor, seed=2)
    plain, doubled = (
        discharges(POOL, shaking, seed=1, firing=Firing(doublets=d))
        for d in (None, tremor.doublets)
    )
    start = np.angle(
        np.mean(np.exp(2j * np.pi * 5.0 * np.arange(12_000) / FS_HZ) * shaking.of("FCR"))
    )
    for times in plain.times_s[:10]:
        phase = np.exp(1j * (2 * np.pi * 5.0 * times - start))
        assert np.abs(phase.mean()) > 0.5  # locked to the tremor
    share = np.mean(np.abs(np.diff(doubled.times_s[20]) - 0.050) < 1e-6)
    assert share > 0.2


def test_treatment_scales_the_amplitude_and_leaves_the_rhythm():
    full = tremulous(REST, Tremor(amplitude=0.1), seed=3).of("FCR") - REST.of("FCR")
    half = tremulous(REST, Tremor(amplitude=0.05), seed=3).of("FCR") - REST.of("FCR")
    np.testing.assert_allclose(full, 2 * half, atol=1e-12)


def test_impossible_tremors_are_refused():
    with pytest.raises(ParameterError, match="agonist and antagonist at once"):
        tremulous(REST, Tremor(), seed=1, agonists=("FCR",), antagonists=("FCR",))
    with pytest.raises(ParameterError, match="control rate"):
        tremulous(Drive(np.zeros((1, 50)), 15.0), Tremor(), seed=1)
    with pytest.raises(ParameterError, match="muscle must be one of"):
        tremulous(REST, Tremor(), seed=1, agonists=("XX",))


HEALTHY = Drive(np.full((3, 100), 0.4), 100.0, ("ECRB", "ECRL", "FCR"))


def test_weakness_spares_what_is_not_named():
    weak = weakened(HEALTHY, {"ECRB": 0.25})
    assert weak.excitation[:, 0].tolist() == pytest.approx([0.1, 0.4, 0.4])
    with pytest.raises(ParameterError, match="strength of ECRB"):
        weakened(HEALTHY, {"ECRB": 1.5})


def test_synergists_take_over_and_antagonists_come_along():
    weak = weakened(HEALTHY, {"ECRB": 0.25})
    done = compensated(
        weak,
        HEALTHY,
        synergists={"ECRB": ["ECRL"]},
        antagonists={"ECRB": ["FCR"]},
        effort=0.5,
        coactivation=0.2,
    )
    # 0.3 of excitation is missing: half goes to the synergist, a fifth spills over.
    assert done.excitation[:, 0].tolist() == pytest.approx([0.1, 0.55, 0.46])
    unchanged = compensated(HEALTHY, HEALTHY, synergists={"ECRB": ["ECRL"]})
    np.testing.assert_array_equal(unchanged.excitation, HEALTHY.excitation)


def test_the_stretch_reflex_is_velocity_dependent_and_late():
    spastic = Spasticity(threshold_deg_s=30, gain=0.15, delay_ms=40, decay_s=0.05)
    quiet = Drive(np.zeros((1, 300)), 100.0, ("BB",))
    answers = []
    for velocity in (20.0, 60.0, 130.0):
        stretch = np.zeros(300)
        stretch[100:150] = velocity
        answer = stretch_reflex(quiet, spastic, muscle="BB", stretch_deg_s=stretch).of("BB")
        answers.append(answer.max())
        assert (answer[:104] == 0).all()
    assert answers == pytest.approx([0, 0.045, 0.15])
    with pytest.raises(DataError, match="300 finite values"):
        stretch_reflex(quiet, spastic, muscle="BB", stretch_deg_s=[1.0])


def test_spastic_units_outlast_the_stretch():
    quiet = Drive(np.zeros((1, 2000)), 200.0, ("BB",))
    stretch = np.zeros(2000)
    stretch[200:300] = 150
    drive = stretch_reflex(quiet, Spasticity(), muscle="BB", stretch_deg_s=stretch)
    healthy = discharges(POOL, drive, seed=1)
    spastic = discharges(POOL, drive, seed=1, firing=Firing(pic=SPASTIC_PIC))
    assert spastic.flat[1].max() > healthy.flat[1].max() + 1
