from __future__ import annotations

import pickle
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, ParameterError
from myograph.twin.discharge import (
    Discharges,
    Doublets,
    Firing,
    Pic,
    discharges,
    discharges_at,
)
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.pool import Pool, PoolParameters

POOL = Pool.fuglevand(PoolParameters(n_units=60))
FULL = Drive(np.full((1, 60 * 200), 0.6), fs_hz=200.0)


def intervals(trains: Discharges) -> list[np.ndarray]:
    return [np.diff(times) for times in trains.times_s if len(times) > 50]


@pytest.mark.parametrize("law", ["lognormal", "gamma", "gaussian"])
@pytest.mark.parametrize("cv", [0.0, 0.1, 0.3])
def test_interval_mean_and_cv_are_those_asked_for(law, cv):
    if cv == 0:
        with pytest.warns(PhysiologyWarning, match="cv=0"):
            firing = Firing(cv=cv, law=law)
    else:
        firing = Firing(cv=cv, law=law)
    trains = discharges(POOL, FULL, seed=1, firing=firing)
    wanted = POOL.rates_hz([0.6])[:, 0]
    found = [
        (d.mean() * r, d.std() / d.mean()) for d, r in zip(intervals(trains), wanted, strict=False)
    ]
    mean, spread = np.mean(found, axis=0)
    # 60 units x ~1700 intervals: the standard error of the mean is about cv / 320.
    assert mean == pytest.approx(1, abs=0.004)
    assert spread == pytest.approx(cv, abs=0.005)


def test_no_interval_is_shorter_than_the_minimum_even_where_the_mean_is_close_to_it():
    firing = Firing(cv=0.3, min_isi_ms=20)
    trains = discharges_at(np.full((20, 8000), 33.0), fs_hz=200, seed=2, firing=firing)
    shortest = min(d.min() for d in intervals(trains))
    assert shortest >= 0.020 - 1e-9
    found = np.array([(d.mean(), d.std() / d.mean()) for d in intervals(trains)]).mean(axis=0)
    assert found[0] == pytest.approx(1 / 33, rel=0.004)
    assert found[1] == pytest.approx(0.3, abs=0.008)


def test_units_fire_only_above_their_threshold():
    trains = discharges(POOL, FULL, seed=1)
    np.testing.assert_array_equal(trains.counts > 0, POOL.threshold <= 0.6)


def test_recruitment_on_a_ramp_follows_the_thresholds():
    ramp = Drive(np.linspace(0, 1, 6000)[None], fs_hz=200.0)
    trains = discharges(POOL, ramp, seed=3)
    first = np.array([times[0] for times in trains.times_s])
    assert np.abs(first / 30 - POOL.threshold).max() < 0.002
    assert (np.diff(first) > -0.02).all()


def test_rates_follow_a_changing_drive_without_bias():
    time_s = np.arange(40_000) / 1000
    level = 0.5 + 0.2 * np.sin(2 * np.pi * 0.5 * time_s)
    trains = discharges(POOL, Drive(level[None], 1000.0), seed=4)
    expected = POOL.rates_hz(level).mean(axis=1) * 40
    recruited = POOL.threshold < 0.25
    np.testing.assert_allclose(trains.counts[recruited], expected[recruited], rtol=0.02)


def test_the_control_rate_hardly_matters():
    slow = discharges(POOL, Drive(np.full((1, 600), 0.5), 20.0), seed=5)
    fast = discharges(POOL, Drive(np.full((1, 60_000), 0.5), 2000.0), seed=5)
    assert np.abs(slow.counts - fast.counts).max() <= 1
    np.testing.assert_allclose(slow.times_s[10][:50], fast.times_s[10][:50], atol=1e-6)


def test_same_seed_same_bits_another_seed_other_times():
    one, two, other = (discharges(POOL, FULL, seed=s) for s in (7, 7, 8))
    for a, b in zip(one.times_s, two.times_s, strict=True):
        assert a.tobytes() == b.tobytes()
    assert not np.array_equal(one.times_s[0], other.times_s[0])


def test_changing_one_unit_changes_only_that_unit():
    changed = POOL.kill([5])
    one, two = discharges(POOL, FULL, seed=7), discharges(changed, FULL, seed=7)
    assert two.counts[5] == 0
    for i in set(range(60)) - {5}:
        np.testing.assert_array_equal(one.times_s[i], two.times_s[i])


def test_doublets_leave_the_other_draws_alone():
    plain = discharges(POOL, FULL, seed=7)
    with_first = discharges(POOL, FULL, seed=7, firing=Firing(doublets=Doublets(first=0.0)))
    for a, b in zip(plain.times_s, with_first.times_s, strict=True):
        np.testing.assert_array_equal(a, b)


def test_doublets_come_with_their_interval_and_share():
    onset = np.zeros(4000)
    onset[1000:] = 0.6
    firing = Firing(doublets=Doublets(first=1.0, interval_ms=5.0))
    trains = discharges(POOL, Drive(onset[None], 200.0), seed=1, firing=firing)
    first = [np.diff(times)[0] for times in trains.times_s if len(times)]
    np.testing.assert_allclose(first, 0.005)
    later = Firing(doublets=Doublets(first=0.0, later=0.1, interval_ms=5.0))
    trains = discharges(POOL, FULL, seed=1, firing=later)
    short = np.mean(np.concatenate(intervals(trains)) < 0.006)
    assert short == pytest.approx(0.1 / 1.1, abs=0.01)


def triangle(peak: float, fs_hz: float = 200.0) -> Drive:
    half = np.linspace(0, peak, int(10 * fs_hz))
    edges = np.zeros(200)
    return Drive(np.concatenate([edges, half, half[::-1], edges])[None], fs_hz)


def test_without_pic_units_stop_where_they_started():
    drive = triangle(0.3)
    trains = discharges(POOL, drive, seed=1, firing=Firing(cv=0.1))
    for times in trains.times_s[:30]:
        middle = drive.duration_s / 2
        assert (times[0] - 0) == pytest.approx(2 * middle - times[-1], abs=0.15)


def test_pic_delays_recruitment_and_gives_a_positive_delta_f():
    drive = triangle(0.3)
    plain = discharges(POOL, drive, seed=1, firing=Firing(cv=0.1))
    bistable = discharges(POOL, drive, seed=1, firing=Firing(cv=0.1, pic=Pic(excitation=0.08)))
    recruited = [i for i in range(60) if bistable.counts[i] > 60]
    later = [bistable.times_s[i][0] - plain.times_s[i][0] for i in recruited]
    stop = [bistable.times_s[i][-1] - plain.times_s[i][-1] for i in recruited]
    # 0.08 of excitation is 2.67 s of this ramp; units stop where they did without it.
    np.testing.assert_allclose(later, 2.67, atol=0.1)
    assert np.abs(stop).max() < 0.3
    assert delta_f_hz(plain) == pytest.approx(0, abs=0.4)
    assert delta_f_hz(bistable) == pytest.approx(POOL.rate_gain[0] * 0.08, rel=0.15)


def test_pic_leaves_the_rate_of_a_steady_contraction_to_the_rate_law():
    steady = discharges(POOL, FULL, seed=1, firing=Firing(pic=Pic()))
    wanted = POOL.rates_hz([0.6])[:40, 0]
    np.testing.assert_allclose(steady.rates_hz[:40], wanted, rtol=0.03)


def delta_f_hz(trains: Discharges) -> float:
    found = []
    for i, test in enumerate(trains.times_s):
        for control in trains.times_s[:i]:
            if len(test) < 30 or test[0] - control[0] < 1 or control[-1] < test[-1]:
                continue
            middles = (control[1:] + control[:-1]) / 2
            smooth = np.polynomial.Polynomial.fit(middles, 1 / np.diff(control), 5)
            found.append(smooth(test[0]) - smooth(test[-1]))
    return float(np.mean(found))


def test_a_strong_pic_keeps_units_firing_without_drive():
    pulse = np.zeros(4000)
    pulse[200:600] = 0.3
    drive = Drive(pulse[None], 200.0)
    held = discharges(
        POOL, drive, seed=1, firing=Firing(pic=Pic(excitation=0.2, below=1.0, decay_s=1.5))
    )
    plain = discharges(POOL, drive, seed=1)
    assert max(times[-1] for times in plain.times_s if len(times)) < 3.1
    assert held.times_s[0][-1] > 19.5  # the smallest unit never stops
    assert held.counts[50] == 0  # a large one was never recruited


def test_common_drive_correlates_the_units():
    quiet = Drive(np.full((1, 120 * 200), 0.5), 200.0)
    noisy = with_noise(quiet, seed=1, noise=CommonNoise(common=0.1))
    correlation = {}
    for name, drive in (("quiet", quiet), ("noisy", noisy)):
        trains = discharges(POOL, drive, seed=2)
        counts = [np.histogram(t, bins=np.arange(0, 120, 0.25))[0] for t in trains.times_s[:30]]
        matrix = np.corrcoef(counts)
        correlation[name] = matrix[np.triu_indices(30, 1)].mean()
    assert abs(correlation["quiet"]) < 0.02
    assert correlation["noisy"] > 0.15


def test_rates_given_directly_are_followed():
    rates = np.vstack([np.full(20_000, 12.0), np.zeros(20_000)])
    trains = discharges_at(rates, fs_hz=200.0, seed=1)
    assert trains.rates_hz[0] == pytest.approx(12, rel=0.01)
    assert trains.counts[1] == 0
    with pytest.raises(ParameterError, match="needs a drive"):
        discharges_at(rates, fs_hz=200.0, seed=1, firing=Firing(pic=Pic()))
    with pytest.raises(DataError, match="0 or more"):
        discharges_at(-rates, fs_hz=200.0, seed=1)


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0, 9.9)), max_size=40),
)
def test_flat_arrays_and_back(pairs):
    unit = [u for u, _ in pairs]
    time_s = [t for _, t in pairs]
    trains = Discharges.from_flat(unit, time_s, n_units=5, duration_s=10.0)
    back_unit, back_s = trains.flat
    assert sorted(zip(unit, time_s, strict=True)) == sorted(
        zip(back_unit.tolist(), back_s.tolist(), strict=True)
    )
    assert trains.counts.sum() == len(pairs)


def test_events_merging_and_keeping():
    trains = Discharges(([0.5, 1.0], [0.2]), duration_s=2.0)
    assert [(e.onset_s, e.label) for e in trains.to_events()] == [
        (0.2, "unit 1"),
        (0.5, "unit 0"),
        (1.0, "unit 0"),
    ]
    both = trains.merged(Discharges(([0.7], []), duration_s=2.0))
    assert both.times_s[0].tolist() == [0.5, 0.7, 1.0]
    assert trains.keep([False, True]).counts.tolist() == [1]
    with pytest.raises(DataError, match="Cannot merge"):
        trains.merged(Discharges(([],), duration_s=2.0))


def test_bad_trains_are_refused():
    with pytest.raises(DataError, match="must ascend"):
        Discharges(([2.0, 1.0],), duration_s=3.0)
    with pytest.raises(DataError, match="must lie within"):
        Discharges(([2.0],), duration_s=1.0)
    with pytest.raises(ParameterError, match="law must be one of"):
        Firing(law="normal")
    with pytest.raises(ParameterError, match="excitation must be at least 0"):
        Pic(excitation=-0.1)


def test_the_state_travels_between_processes():
    trains = discharges(POOL, FULL, seed=1)
    again = pickle.loads(pickle.dumps(trains))
    np.testing.assert_array_equal(again.counts, trains.counts)


def test_speed_of_the_promised_size():
    pool = Pool.fuglevand()
    drive = Drive(np.full((1, 60 * 2048), 1.0), fs_hz=2048.0)
    discharges(pool, drive, seed=0)  # compile
    start = time.perf_counter()
    trains = discharges(pool, drive, seed=1)
    seconds = time.perf_counter() - start
    assert trains.counts.min() > 1000
    assert seconds < 3  # 0.2 s on a free core; the margin is for a shared one
