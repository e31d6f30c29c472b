from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.signal.heartbeat import find_heart
from myograph.twin.heart import Heart, beat, ecg_uv, effort_of, variability

FS = 50.0


def steady(effort: float, seconds: int = 300):
    return beat(Heart(), np.full(round(seconds * FS), effort), fs_hz=FS, seed=1)


def test_rest_has_the_rate_and_the_variability_asked_for():
    rate, sdnn, rmssd = variability(steady(0.0).times_s)
    assert rate == pytest.approx(65, abs=1.5)
    assert sdnn == pytest.approx(45, rel=0.25)
    assert 0 < rmssd < 2 * sdnn


def test_effort_raises_the_rate_and_takes_the_variability():
    found = []
    for effort in (0.0, 0.2, 0.5, 0.9):
        times = steady(effort).times_s
        found.append(variability(times[times > 90]))
    rate, sdnn, rmssd = np.array(found).T
    assert (np.diff(rate) > 10).all()
    assert (np.diff(sdnn) < 0).all()
    assert (np.diff(rmssd) < 0).all()
    assert rate[-1] == pytest.approx(65 + 0.9 * 120, abs=4)
    assert sdnn[-1] < 0.2 * sdnn[0]


def test_the_rate_follows_and_recovers():
    work = np.zeros(round(300 * FS))
    work[round(60 * FS) : round(160 * FS)] = 0.5
    rate = beat(Heart(), work, fs_hz=FS, seed=1).rate_bpm

    def at(seconds: float) -> float:
        return float(rate[round(seconds * FS)])

    assert at(59) == 65
    assert at(60 + 12) == pytest.approx(65 + 60 * (1 - np.exp(-1)), abs=1)
    assert at(159) == pytest.approx(125, abs=1)
    assert at(160 + 30) == pytest.approx(65 + 60 * np.exp(-1), abs=1)


def test_effort_leaves_breathing_as_it_was():
    assert steady(0.0).phase[0] == pytest.approx(steady(0.5).phase[0], abs=1e-3)
    np.testing.assert_array_equal(steady(0.3).times_s, steady(0.3).times_s)


def test_the_ecg_has_its_beats():
    beats = steady(0.1, 60)
    wave = ecg_uv(beats, fs_hz=250.0, seed=1)
    assert wave.shape == (15_000,)
    found = find_heart(wave, fs_hz=250.0).beats / 250
    near = np.abs(found[:, None] - beats.times_s).min(axis=1)
    assert np.mean(near < 0.03) > 0.95
    assert len(found) == pytest.approx(len(beats.times_s), abs=2)


def test_the_weak_work_harder_for_the_same_force():
    force = np.full(10, 10.0)
    assert (effort_of(force, 20.0) > effort_of(force, 40.0)).all()
    assert effort_of([0.0, 999.0], 20.0, mass_share=1.0).tolist() == [0, 1]
    with pytest.raises(ParameterError, match="mvc_n must be above 0"):
        effort_of(force, 0.0)


def test_people_have_hearts_of_their_own():
    young, old = (Heart.of_person(age_years=a, seed=1) for a in (25, 75))
    assert young.most_bpm - old.most_bpm == pytest.approx(50)
    assert young.variability_ms > old.variability_ms
    assert Heart.of_person(age_years=25, seed=2) != young


def test_hearts_that_cannot_be_are_refused():
    with pytest.raises(ParameterError, match="must lie above rest_bpm"):
        Heart(rest_bpm=110, most_bpm=110)
    with pytest.raises(DataError, match="effort is a share of the heart rate reserve"):
        beat(Heart(), [0.5, 1.5], fs_hz=FS, seed=1)
    with pytest.raises(ParameterError, match="fs_hz must be 10 Hz or more"):
        beat(Heart(), np.zeros(20), fs_hz=2.0, seed=1)
    with pytest.raises(DataError, match="three or more beats"):
        variability([0.0, 1.0])
