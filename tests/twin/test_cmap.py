from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.cmap import (
    MONTAGES,
    STUDY_MUSCLES,
    Montage,
    Responses,
    cmap,
    delayed_sum,
    measure_cmap,
    motor_units,
)
from myograph.twin.muap import MuapLibrary
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.pool import PoolParameters
from myograph.twin.reinnervation import lose_units

FS_HZ = 10000.0


def gaussians(n_units: int = 6, onset: int = 0) -> MuapLibrary:
    """Make units that are smooth enough to be shifted by any fraction of a sample."""
    time = np.arange(200.0)
    shape = -100 * np.exp(-((time - 60) ** 2) / (2 * 8.0**2))
    values = np.outer(np.arange(1, n_units + 1), shape)[:, None, :].astype(np.float32)
    return MuapLibrary(values, FS_HZ, onset)


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    return Muscle.healthy("FDI", PoolParameters(n_units=60, n_fibres=6000), seed=3)


@pytest.fixture(scope="module")
def library(muscle) -> MuapLibrary:
    return motor_units(muscle, Montage(muscle="FDI", gain=4.0), fs_hz=FS_HZ)


@pytest.fixture(scope="module")
def nerve() -> Nerve:
    return Nerve.healthy("ulnar", n_motor=60, seed=3)


def test_a_delay_of_whole_samples_moves_the_samples():
    units = gaussians(1)
    moved = delayed_sum(units, [5.0], [[1.0]]).samples_uv[0]
    np.testing.assert_allclose(moved[50:249], units.values[0, 0, :199], atol=0.05)
    assert np.abs(moved[:50]).max() < 0.05


def test_a_delay_between_samples_is_exact_for_a_smooth_wave():
    moved = delayed_sum(gaussians(1), [5.034], [[1.0]]).samples_uv[0]
    time = np.arange(len(moved))
    expected = -100 * np.exp(-((time - 60 - 50.34) ** 2) / (2 * 8.0**2))
    np.testing.assert_allclose(moved, expected, atol=0.05)


def test_the_librarys_onset_sample_is_time_zero():
    early, late = gaussians(1), gaussians(1, onset=30)
    one = delayed_sum(early, [6.0], [[1.0]]).samples_uv[0]
    two = delayed_sum(late, [9.0], [[1.0]]).samples_uv[0]
    np.testing.assert_allclose(one[:250], two[:250], atol=0.05)


def test_responses_add_up_over_units(nerve, library):
    whole = cmap(nerve, library, site="wrist")
    half = np.arange(60) < 30
    parts = cmap(nerve, library, site="wrist", output=np.stack([half, ~half]))
    np.testing.assert_allclose(parts.samples_uv.sum(axis=0), whole.samples_uv[0], atol=0.5)
    assert whole.samples_uv.dtype == np.float32


def test_measures_of_a_known_wave():
    measures = measure_cmap(delayed_sum(gaussians(1), [3.0], [[10.0]]))
    assert measures.amplitude_mv == pytest.approx(1.0, rel=1e-3)
    assert measures.peak_ms == pytest.approx(9.0, abs=0.06)
    # 2 % of the peak is left 2.8 standard deviations (of 0.8 ms) before it.
    assert measures.onset_ms == pytest.approx(9.0 - 0.8 * np.sqrt(2 * np.log(50)), abs=0.1)
    assert measures.area_mv_ms == pytest.approx(np.sqrt(2 * np.pi) * 0.8, rel=0.02)


def test_silence_has_no_latency():
    quiet = Responses(np.zeros((1, 200), np.float32), FS_HZ)
    measures = measure_cmap(quiet)
    assert measures.amplitude_mv == 0
    assert np.isnan(measures.onset_ms)
    with pytest.raises(ParameterError, match="lies beyond the end"):
        measure_cmap(quiet, after_ms=50.0)


def test_proximal_response_is_later_longer_and_smaller(nerve, library):
    distal, proximal = (measure_cmap(cmap(nerve, library, site=s)) for s in ("wrist", "axilla"))
    assert proximal.onset_ms > distal.onset_ms + 5
    assert proximal.duration_ms > distal.duration_ms
    fall = 1 - proximal.amplitude_mv / distal.amplitude_mv
    assert 0 < fall < 0.35
    velocity = (nerve.distance_mm("axilla") - 80) / (proximal.onset_ms - distal.onset_ms)
    fastest = nerve.motor.velocity_m_s[:, 1].max()
    assert 0.85 * fastest < velocity < 1.05 * fastest


def test_the_first_phase_is_negative_at_the_endplates(nerve, library):
    values = cmap(nerve, library, site="wrist").samples_uv[0]
    loud = np.flatnonzero(np.abs(values) > 0.05 * np.abs(values).max())
    assert values[loud[0]] < 0


def test_cold_makes_the_response_later_and_longer(muscle, nerve, library):
    cold = nerve.at_temperature(25.0)
    slow = motor_units(
        muscle, Montage(muscle="FDI", gain=4.0), fs_hz=FS_HZ, slowing=float(cold.slowing(1.5))
    )
    warm_m = measure_cmap(cmap(nerve, library, site="wrist"))
    cold_m = measure_cmap(cmap(cold, slow, site="wrist"))
    assert cold_m.onset_ms > warm_m.onset_ms + 0.5
    assert cold_m.duration_ms > 1.15 * warm_m.duration_ms


def test_lost_units_leave_a_smaller_response_and_adopted_fibres_give_some_back(
    muscle, nerve, library
):
    rule = Montage(muscle="FDI", gain=4.0)
    acute = motor_units(lose_units(muscle, 0.5, months=0.0, seed=1), rule, fs_hz=FS_HZ)
    later = motor_units(lose_units(muscle, 0.5, months=36.0, seed=1), rule, fs_hz=FS_HZ)
    sizes = [
        measure_cmap(cmap(nerve, units, site="wrist")).amplitude_mv
        for units in (library, acute, later)
    ]
    assert sizes[1] < 0.75 * sizes[0]
    assert sizes[1] < sizes[2] < sizes[0]


def test_every_montage_names_a_muscle():
    assert set(MONTAGES) <= set(STUDY_MUSCLES)
    assert {"EDB", "AH"} <= set(STUDY_MUSCLES)


def test_strangers_are_refused(muscle, nerve, library):
    wrong = Nerve.healthy("ulnar", n_motor=61, seed=3)
    with pytest.raises(DataError, match="61 motor axons and the library 60 units"):
        cmap(wrong, library, site="wrist")
    with pytest.raises(ParameterError, match="site of ulnar must be one of"):
        cmap(nerve, library, site="ankle")
    with pytest.raises(DataError, match="output must be finite and 0 or more"):
        cmap(nerve, library, site="wrist", output=-1.0)
    with pytest.raises(ParameterError, match="montage must be one of"):
        motor_units(muscle, "nose", fs_hz=FS_HZ)
    two = MuapLibrary(np.zeros((60, 2, 9), np.float32), FS_HZ, 0)
    with pytest.raises(DataError, match="one channel; the library has 2"):
        cmap(nerve, two, site="wrist")
