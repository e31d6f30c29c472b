from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.muscle import Muscle
from myograph.twin.needle import Needle, needle_library
from myograph.twin.pathology import als, nerve_injury
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import PoolParameters
from myograph.twin.resting_rhythm import RHYTHMS
from myograph.twin.resting_wave import WAVES
from myograph.twin.seeds import stream
from myograph.twin.spontaneous import (
    SPONTANEOUS,
    denervation_activity,
    fasciculations,
    joined,
    spontaneous,
)

FS_HZ = 20000.0


def rhythm(name: str, rate_hz: float, seed: int = 1, duration_s: float = 60.0):
    return RHYTHMS[name](duration_s, rate_hz, stream(seed, "rhythm"))


def wave(name: str, seed: int = 1) -> np.ndarray:
    return WAVES[name](FS_HZ, stream(seed, "wave"))


@pytest.mark.parametrize("kind", sorted(SPONTANEOUS))
def test_every_kind_gives_labelled_reproducible_activity(kind):
    one, two = (spontaneous(kind, duration_s=20.0, fs_hz=FS_HZ, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.samples_uv, two.samples_uv)
    assert one.samples_uv.shape == (400_000,)
    assert one.samples_uv.dtype == np.float32
    assert {event.label for event in one.events} == {kind}
    (times,) = one.times_s.values()
    assert (np.diff(times) >= 0).all()
    assert times.max() < 20.0
    inside = [(e.onset_s <= times + 1e-9) & (times <= e.end_s + 1e-9) for e in one.events]
    assert np.any(inside, axis=0).all()
    other = spontaneous(kind, duration_s=20.0, fs_hz=FS_HZ, seed=5)
    assert not np.array_equal(one.samples_uv, other.samples_uv)


@pytest.mark.parametrize("kind", sorted(SPONTANEOUS))
def test_the_shape_does_not_change_when_it_comes(kind):
    plain = spontaneous(kind, duration_s=10.0, fs_hz=FS_HZ, seed=4)
    spiky = spontaneous(kind, duration_s=10.0, fs_hz=FS_HZ, seed=4, wave_uv=[100.0, 0.0])
    for one, two in zip(plain.times_s.values(), spiky.times_s.values(), strict=True):
        np.testing.assert_array_equal(one, two)
    # Between two samples a wave is shared by both: nothing is lost.
    n = sum(len(times) for times in spiky.times_s.values())
    assert spiky.samples_uv.sum() <= 100.0 * n * 1.6


def test_fibrillations_are_regular_drift_and_slow_before_they_stop():
    cv = []
    for seed in range(30):
        intervals = np.diff(rhythm("regular", 5.0, seed).times_s)
        cv.append(np.std(intervals[:30]) / np.mean(intervals[:30]))
    assert 0.01 < np.median(cv) < 0.06
    stopped = [
        r for r in (rhythm("regular", 5.0, s, 400.0) for s in range(30)) if len(r.times_s) > 60
    ]
    slower = [np.diff(r.times_s)[-3:].mean() / np.diff(r.times_s)[:20].mean() for r in stopped]
    assert np.mean(slower) > 1.4


def test_fasciculations_are_more_irregular_than_chance():
    intervals = np.concatenate(
        [np.diff(rhythm("sporadic", 1.0, seed, 600.0).times_s) for seed in range(5)]
    )
    assert intervals.std() / intervals.mean() > 1.1
    assert 1 / intervals.mean() == pytest.approx(1.08, abs=0.12)  # with 8 % of doublets


def test_a_single_unit_is_as_regular_as_measured():
    intervals = np.diff(rhythm("single unit", 6.3).times_s)
    assert intervals.std() / intervals.mean() == pytest.approx(0.035, abs=0.006)


def test_complex_repetitive_discharges_hardly_jitter_and_stop_at_once():
    found = rhythm("complex repetitive", 35.0)
    intervals = np.diff(found.times_s)
    typical = np.median(intervals)
    same = intervals[np.abs(intervals / typical - 1) < 0.1]
    assert same.std() / same.mean() < 0.005
    assert found.scale.min() == 1.0
    assert found.spans == ((found.times_s[0], found.times_s[-1]),)


def test_myotonic_runs_wax_and_wane_in_rate_and_amplitude():
    found = rhythm("myotonic", 45.0)
    start, end = max(found.spans, key=lambda span: span[1] - span[0])
    inside = (found.times_s >= start) & (found.times_s < end)
    rate, scale = 1 / np.diff(found.times_s[inside]), found.scale[inside]
    assert 18 < rate.min() < 40 < rate.max() < 85
    for values in (np.convolve(rate, np.ones(7) / 7, "valid"), scale):
        top = values.argmax() / len(values)
        assert 0.05 < top < 0.8
        assert values[0] < 0.8 * values.max()
        assert values[-1] < 0.8 * values.max()


def test_myokymia_comes_in_groups_and_neuromyotonia_fades():
    groups = rhythm("myokymic", 30.0)
    sizes = [np.sum((groups.times_s >= a) & (groups.times_s <= b)) for a, b in groups.spans]
    assert 2 <= np.median(sizes) <= 10
    fast = rhythm("neuromyotonic", 220.0)
    assert 1 / np.median(np.diff(fast.times_s)) == pytest.approx(220, rel=0.03)
    start, end = fast.spans[0]
    scale = fast.scale[(fast.times_s >= start) & (fast.times_s <= end)]
    assert (np.diff(scale) < 0).all()


def test_endplate_activity_is_irregular():
    intervals = np.diff(rhythm("irregular", 20.0).times_s)
    assert intervals.std() / intervals.mean() > 0.7
    assert intervals.min() >= 0.003


def first_phase(shape: np.ndarray) -> float:
    loud = np.flatnonzero(np.abs(shape) > 0.1 * np.abs(shape).max())
    return float(np.sign(shape[loud[0]]))


@pytest.mark.parametrize("seed", range(8))
def test_shapes_are_those_by_which_they_are_known(seed):
    fibre, sharp = wave("fibre", seed), wave("positive sharp", seed)
    spike, noise = wave("end-plate spike", seed), wave("end-plate noise", seed)
    assert first_phase(fibre) > 0
    assert first_phase(sharp) > 0
    assert first_phase(spike) < 0
    assert first_phase(noise) < 0

    def length_ms(shape: np.ndarray, share: float) -> float:
        loud = np.flatnonzero(np.abs(shape) > share * np.abs(shape).max())
        return (loud[-1] - loud[0]) / FS_HZ * 1000

    assert 0.5 < length_ms(fibre, 0.1) < 5
    assert 5 < length_ms(sharp, 0.03) < 30
    assert 0.3 < length_ms(noise, 0.1) < 3
    assert 5 < np.ptp(noise) < 100
    assert 100 <= np.ptp(spike) <= 200
    assert noise.max() <= 0
    assert abs(sharp.min()) < 0.4 * sharp.max()


def test_a_healthy_muscle_is_silent_and_a_denervated_one_is_not_at_once():
    healthy = Muscle.healthy("TA", PoolParameters(n_units=40, n_fibres=12000), seed=1)
    needle = Needle(z_mm=20.0)

    def listen(muscle: Muscle):
        return denervation_activity(muscle, needle, duration_s=5.0, fs_hz=FS_HZ, seed=1)

    assert not listen(healthy).samples_uv.any()
    assert not listen(healthy).events
    assert not listen(nerve_injury(healthy, 0.6, months=0.3, seed=1)).events
    sick = listen(nerve_injury(healthy, 0.6, months=3.0, seed=1))
    kinds = [event.label for event in sick.events]
    assert kinds.count("fibrillation") > kinds.count("positive sharp wave") > 0
    assert 5 < np.ptp(sick.samples_uv) < 5000
    later = listen(nerve_injury(healthy, 0.6, months=24.0, seed=1))
    assert len(later.events) < len(sick.events)


def test_fasciculations_are_the_units_own_potentials_of_living_units():
    healthy = Muscle.healthy("TA", PoolParameters(n_units=40, n_fibres=8000), seed=1)
    muscle = als(healthy, 0.4, months=12, seed=1)
    library = needle_library(muscle, Needle(z_mm=20.0), fs_hz=FS_HZ)
    found = fasciculations(muscle, library, duration_s=30.0, rate_hz=2.0, seed=1)
    units = [int(name.rsplit("-", 1)[1]) for name in found.times_s]
    assert muscle.pool.alive[units].all()
    count = sum(len(times) for times in found.times_s.values())
    assert count == len(found.events)
    assert 25 < count < 130
    unit = max(
        units,
        key=lambda u: np.ptp(library.muaps[u]) * len(found.times_s[f"fasciculation-unit-{u}"]),
    )
    at = round(found.times_s[f"fasciculation-unit-{unit}"][0] * FS_HZ)
    assert np.ptp(found.samples_uv[at : at + 600]) > 0.5 * np.ptp(library.muaps[unit])


def test_sources_add_up_and_keep_their_names():
    parts = [spontaneous("fibrillation", duration_s=4.0, fs_hz=FS_HZ, seed=seed) for seed in (1, 2)]
    both = joined(parts)
    np.testing.assert_allclose(
        both.samples_uv, parts[0].samples_uv + parts[1].samples_uv, atol=1e-4
    )
    assert sorted(both.times_s) == ["fibrillation-1", "fibrillation-2"]
    with pytest.raises(DataError, match="Two sources have one name"):
        joined([parts[0], parts[0]])
    with pytest.raises(DataError, match="one length and rate"):
        joined([parts[0], spontaneous("fibrillation", duration_s=3.0, fs_hz=FS_HZ, seed=3)])
    with pytest.raises(DataError, match="nothing to join"):
        joined([])


def test_unknown_kinds_rates_and_waves_are_refused():
    with pytest.raises(ParameterError, match=r"spontaneous activity must be one of.*'fibrilation'"):
        spontaneous("fibrilation", duration_s=1.0, fs_hz=FS_HZ, seed=1)
    with pytest.warns(PhysiologyWarning, match="rate_hz=40"):
        spontaneous("fibrillation", duration_s=1.0, fs_hz=FS_HZ, seed=1, rate_hz=40.0)
    with pytest.raises(ParameterError, match="4000 Hz or more"):
        spontaneous("fibrillation", duration_s=1.0, fs_hz=1000.0, seed=1)
    with pytest.raises(DataError, match="wave_uv must be finite"):
        spontaneous("fibrillation", duration_s=1.0, fs_hz=FS_HZ, seed=1, wave_uv=[np.nan])
