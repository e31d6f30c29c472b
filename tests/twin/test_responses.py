"""Late responses, scans, sensory responses, repetitive stimulation, motor unit number index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.cmap import Montage, Responses, cmap, measure_cmap, motor_units
from myograph.twin.discharge import Discharges
from myograph.twin.junction import lambert_eaton, myasthenia
from myograph.twin.late import f_waves, h_reflex
from myograph.twin.muap import MuapLibrary
from myograph.twin.munix import interference_epochs, munix
from myograph.twin.muscle import Muscle
from myograph.twin.needle import Needle, needle_library, needle_signal
from myograph.twin.nerve import Nerve
from myograph.twin.neuropathy import Lesion, injured
from myograph.twin.pool import PoolParameters
from myograph.twin.reinnervation import lose_units
from myograph.twin.repetitive import (
    Effort,
    decrement,
    increment,
    needle_delays,
    repetitive_stimulation,
    unit_output,
)
from myograph.twin.scan import Scan, cmap_scan, excited, scan_currents
from myograph.twin.snap import measure_snap, snap
from myograph.twin.transmission import equipped

FS_HZ = 10000.0
RULE = Montage(muscle="FDI", gain=4.0)
THREE_HZ = np.arange(6) / 3


@pytest.fixture(scope="module")
def muscle() -> Muscle:
    body = Muscle.healthy("FDI", PoolParameters(n_units=60, n_fibres=6000), seed=3)
    return equipped(body, seed=3)


@pytest.fixture(scope="module")
def library(muscle) -> MuapLibrary:
    return motor_units(muscle, RULE, fs_hz=FS_HZ)


@pytest.fixture(scope="module")
def nerve() -> Nerve:
    return Nerve.healthy("ulnar", n_motor=60, seed=3)


# --- late responses ---


def test_f_wave_comes_after_twice_the_way_to_the_cord(nerve, library):
    waves = f_waves(nerve, library, site="wrist", n_stimuli=200, seed=1)
    twice = 2 * (nerve.motor_latency_ms("cord") - nerve.motor_latency_ms("wrist"))
    true = nerve.motor_latency_ms("wrist") + twice + 1.0
    fired = waves.answered.any(axis=0)
    # The onset of a response is found a little after its first unit began.
    assert true[fired].min() < waves.minimum_ms < true[fired].min() + 1.5
    assert np.nanmax(waves.latencies_ms) < true[fired].max() + 2.5


def test_a_more_proximal_site_shortens_the_f_wave(nerve, library):
    at = [f_waves(nerve, library, site=s, seed=1).minimum_ms for s in ("wrist", "below elbow")]
    direct = [nerve.motor_latency_ms(s).min() for s in ("wrist", "below elbow")]
    # F plus M is a constant: what one way gains the other loses.
    assert at[0] + direct[0] == pytest.approx(at[1] + direct[1], abs=1.5)


def test_persistence_follows_the_motoneurons_and_a_block_ends_it(nerve, library):
    def persistence(of: Nerve) -> float:
        return f_waves(of, library, site="wrist", n_stimuli=100, seed=1).persistence

    ready = [persistence(replace(nerve, backfiring=p)) for p in (0.005, 0.03, 0.2)]
    assert ready[0] < ready[1] < ready[2]
    stopped = injured(nerve, "trunk", Lesion(block=1.0), kind="motor", seed=1)
    assert persistence(stopped) == 0
    assert np.isnan(f_waves(stopped, library, site="wrist", seed=1).minimum_ms)


def test_a_longer_series_of_f_waves_begins_like_a_shorter_one(nerve, library):
    short, long = (f_waves(nerve, library, site="wrist", n_stimuli=n, seed=2) for n in (5, 9))
    np.testing.assert_array_equal(short.answered, long.answered[:5])


def test_f_waves_need_a_way_to_the_cord(nerve, library):
    with pytest.raises(ParameterError, match="need a site below the cord"):
        f_waves(nerve, library, site="cord", seed=1)


def test_h_reflex_rises_and_gives_way_to_the_direct_response(library):
    nerve = Nerve.healthy("tibial-soleus", n_motor=60, seed=1, variation=0.0)
    study = h_reflex(nerve, library, np.linspace(4, 25, 60), site="knee", seed=1)
    first_h, first_m = np.argmax(study.h_mv > 0.1), np.argmax(study.m_mv > 0.1)
    assert first_h < first_m
    assert study.h_mv[-1] == 0
    assert study.m_mv[-1] == pytest.approx(study.m_mv.max())
    assert 0.2 < study.ratio < 0.9
    assert 27 < study.latency_ms < 34
    strong = h_reflex(nerve, library, np.linspace(4, 25, 60), site="knee", seed=1, gain=1.2)
    assert strong.ratio > study.ratio


def test_h_reflex_needs_afferents(library):
    nerve = Nerve.healthy("peroneal", n_motor=60, seed=1)
    with pytest.raises(ParameterError, match="no sensory axons to start a reflex"):
        h_reflex(nerve, library, [10.0], site="ankle", seed=1)


# --- scan ---


def test_an_axon_fires_half_the_time_at_its_threshold():
    fires = excited(np.full(2000, 10.0), [9.0, 10.0, 11.0], seed=1).mean(axis=1)
    assert fires[0] == 0
    assert fires[1] == pytest.approx(0.5, abs=0.04)
    assert fires[2] == 1


def test_scan_rises_from_nothing_to_the_whole_response(nerve, library):
    scan = cmap_scan(nerve, library, site="wrist", seed=1)
    whole = measure_cmap(cmap(nerve, library, site="wrist")).amplitude_mv
    assert scan.largest_mv == pytest.approx(whole, rel=0.02)
    assert scan.amplitude_mv[-1] < 0.1
    low, middle, high = (scan.current_at(share) for share in (0.05, 0.5, 0.95))
    assert low < middle < high
    thresholds = np.quantile(nerve.motor.threshold_ma, [0.02, 0.98])
    assert thresholds[0] < middle < thresholds[1]


def test_fewer_units_make_fewer_and_larger_steps(muscle, nerve, library):
    sick = lose_units(muscle, 0.85, months=36, seed=1)
    few = cmap_scan(nerve, motor_units(sick, RULE, fs_hz=FS_HZ), site="wrist", seed=1)
    assert few.d50 < cmap_scan(nerve, library, site="wrist", seed=1).d50


def test_d50_and_range_of_a_known_scan():
    stairs = Scan(np.arange(1.0, 101.0), np.repeat([0.0, 4.0, 7.0, 9.0, 10.0], 20))
    assert stairs.largest_mv == 10
    assert stairs.d50 == 2
    assert stairs.relative_range == pytest.approx((81 - 21) / 41)
    with pytest.raises(ParameterError, match="No response reaches 2"):
        stairs.current_at(2.0)


def test_scan_currents_span_the_thresholds_in_equal_ratios(nerve):
    current = scan_currents(nerve)
    np.testing.assert_allclose(current[1:] / current[:-1], 0.998)
    assert current[0] > nerve.motor.threshold_ma.max()
    assert current[-1] < nerve.motor.threshold_ma.min()
    dead = nerve.with_axons("motor", replace(nerve.motor, alive=np.zeros(60, bool)))
    with pytest.raises(ParameterError, match="no living motor axon"):
        scan_currents(dead)
    with pytest.raises(ParameterError, match="current_ma must be finite"):
        excited([10.0], [-1.0], seed=1)


# --- sensory responses ---


def test_sensory_response_shrinks_with_distance_faster_than_it_lengthens():
    nerve = Nerve.healthy("median", n_motor=0, seed=1, variation=0.0)
    near, far = (measure_snap(snap(nerve, site=s, fs_hz=20000.0)) for s in ("wrist", "elbow"))
    assert 0.3 < 1 - far.amplitude_uv / near.amplitude_uv < 0.7
    lengths = [m.peak_ms - m.onset_ms for m in (near, far)]
    assert 1.0 < lengths[1] / lengths[0] < 1.6
    velocity = (360 - 140) / (far.onset_ms - near.onset_ms)
    assert velocity == pytest.approx(59, abs=4)


def test_without_dispersion_there_is_no_cancellation():
    nerve = Nerve.healthy("median", n_motor=0, seed=1, variation=0.0)
    same = np.broadcast_to(nerve.sensory.velocity_m_s.mean(axis=0), (1000, 6))
    equal = nerve.with_axons("sensory", replace(nerve.sensory, velocity_m_s=same))
    sizes = [measure_snap(snap(equal, site=s, fs_hz=50000.0)) for s in ("wrist", "elbow")]
    assert sizes[0].amplitude_uv == pytest.approx(1000 * nerve.sensory_uv, rel=1e-3)
    assert sizes[1].amplitude_uv == pytest.approx(sizes[0].amplitude_uv, rel=1e-3)


def test_half_the_axons_give_half_the_response():
    nerve = Nerve.healthy("sural", n_motor=0, seed=1)
    alive = np.arange(1000) % 2 == 0
    half = nerve.with_axons("sensory", replace(nerve.sensory, alive=alive))
    sizes = [measure_snap(snap(n, site="calf", fs_hz=20000.0)).amplitude_uv for n in (nerve, half)]
    assert sizes[1] == pytest.approx(sizes[0] / 2, rel=0.1)
    none = nerve.with_axons("sensory", replace(nerve.sensory, alive=np.zeros(1000, bool)))
    assert np.isnan(measure_snap(snap(none, site="calf", fs_hz=20000.0)).onset_ms)


def test_a_nerve_without_sensory_axons_gives_no_response():
    with pytest.raises(ParameterError, match="no sensory axons"):
        snap(Nerve.healthy("tibial", n_motor=5, seed=1), site="ankle", fs_hz=20000.0)


# --- repetitive stimulation ---


def series(muscle: Muscle, nerve: Nerve, library: MuapLibrary) -> Responses:
    return repetitive_stimulation(muscle, nerve, library, site="wrist", times_s=THREE_HZ, seed=1)


def test_healthy_muscle_has_no_decrement(muscle, nerve, library):
    assert abs(decrement(series(muscle, nerve, library))) < 5


def test_myasthenia_has_a_decrement_of_ten_percent_and_more(muscle, nerve, library):
    falls = [decrement(series(myasthenia(muscle, s, seed=1), nerve, library)) for s in (0.5, 0.9)]
    assert 0 < falls[0] < falls[1]
    assert falls[1] >= 10


def test_lambert_eaton_is_small_at_rest_and_doubles_after_effort(muscle):
    sick = lambert_eaton(muscle, 0.95, seed=1)
    rest = unit_output(sick, [0.0], seed=1).mean()
    after = unit_output(sick, [0.0], seed=1, effort=Effort()).mean()
    assert rest < 0.5
    assert increment(rest, after) > 60
    healthy = unit_output(muscle, [0.0], seed=1).mean()
    assert healthy > 0.99
    assert abs(increment(healthy, unit_output(muscle, [0.0], seed=1, effort=Effort()).mean())) < 5


def test_output_is_a_share_of_each_living_units_fibres(muscle):
    sick = lose_units(muscle, 0.5, months=12, seed=1)
    output = unit_output(sick, THREE_HZ, seed=1)
    assert output.shape == (6, 60)
    assert (output[:, ~sick.pool.alive] == 0).all()
    assert output.min() >= 0
    assert output.max() <= 1 + 1e-12


def test_decrement_of_known_responses():
    falling = Responses(-np.array([[10.0], [9], [8], [7], [6]], np.float32), FS_HZ)
    assert decrement(falling) == pytest.approx(30)
    assert decrement(falling, at=5) == pytest.approx(40)
    with pytest.raises(DataError, match="needs 9 responses; got 5"):
        decrement(falling, at=9)
    with pytest.raises(DataError, match="no first response"):
        decrement(Responses(np.zeros((5, 1), np.float32), FS_HZ))
    with pytest.raises(ParameterError, match="must be 0 or more"):
        unit_output(None, [-1.0], seed=1)


def test_jitter_reaches_the_needle(muscle):
    fibres = muscle.fibres
    needle = Needle(x_mm=0.0, y_mm=0.0, z_mm=float(fibres.endplate_mm.mean()) + 10)
    near = np.hypot(fibres.x_mm, fibres.y_mm) < 1.5
    muscle = replace(muscle, fibres=fibres.keep(near))
    library = needle_library(muscle, needle, fs_hz=20000.0)
    trains = Discharges(tuple(np.arange(0.1, 0.9, 0.1) for _ in range(60)), 1.0)
    delays = needle_delays(muscle, library, trains, seed=1)
    assert [d.shape for d in delays] == [(len(library.near(u)), 8) for u in range(60)]
    seen = np.concatenate([np.ravel(d) for d in delays])
    assert 0 < np.nanstd(seen) < 0.2
    alike, shaken = (
        needle_signal(trains, library, delays_ms=d)
        for d in ([np.zeros_like(d) for d in delays], delays)
    )
    assert not np.array_equal(alike, shaken)
    again = needle_delays(muscle, library, trains, seed=1)
    np.testing.assert_array_equal(delays[30], again[30])


# --- motor unit number index ---


def test_index_is_one_when_the_interference_is_the_response_itself():
    wave = np.concatenate([-np.hanning(100), 0.4 * np.hanning(150)]) * 8000
    response = Responses(np.pad(wave, (20, 20))[None].astype(np.float32), FS_HZ)
    # A power law through counts of area^-1 whose value at 20 mV ms is known: one response alone
    # has a count of 1, one scaled by k a count of 1/k.
    scales = np.linspace(1.0, 8.0, 12)
    epochs = scales[:, None] * response.samples_uv[0] * 1.01
    found = munix(response, epochs)
    area = np.abs(response.samples_uv[0]).sum() / 10 / 1000
    assert found.exponent == pytest.approx(-1.0)
    assert found.munix == pytest.approx(area / 20.0, rel=0.02)
    assert found.musix_uv == pytest.approx(1000 * response.amplitudes_mv[0] / found.munix)


def test_index_is_the_same_at_half_the_gain_squared_away(muscle, nerve, library):
    epochs = interference_epochs(muscle, library, np.linspace(0.1, 1, 12), seed=1)
    found = munix(cmap(nerve, library, site="wrist"), epochs)
    assert 20 < found.munix < 400
    assert -1.3 < found.exponent < -0.5


def test_too_few_epochs_or_too_small_a_response_have_no_index(nerve, library):
    response = cmap(nerve, library, site="wrist")
    assert np.isnan(munix(response, np.ones((20, 5000))).munix)
    tiny = Responses(response.samples_uv * 0.01, FS_HZ)
    assert np.isnan(munix(tiny, np.full((20, 5000), 300.0)).munix)


def test_epochs_grow_with_force_and_are_reproducible(muscle, library):
    forces = [0.05, 0.3, 1.0]
    one, two = (interference_epochs(muscle, library, forces, seed=2) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert one.shape == (3, 5000)
    rms = one.std(axis=1)
    assert rms[0] < rms[1] < rms[2]
    alone = interference_epochs(muscle, library, forces[:2], seed=2)
    np.testing.assert_array_equal(alone, one[:2])
    with pytest.raises(DataError, match="above 0 and at most 1"):
        interference_epochs(muscle, library, [0.0], seed=1)
    dead = lose_units(muscle, 1.0, months=0, seed=1)
    with pytest.raises(DataError, match="no force left"):
        interference_epochs(dead, library, [0.5], seed=1)
