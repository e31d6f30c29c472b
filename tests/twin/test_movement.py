from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.anatomy import FOREARM_SET
from myograph.twin.gesture import GESTURES, GestureStyle, Synergies, gestures
from myograph.twin.movement import GaitStyle, gait, minimum_jerk, reaching


def test_walking_muscles_work_in_their_phase():
    style = GaitStyle(stride_cv=0.0, burst_cv=0.0, stride_s=1.0)
    drive = gait(["TA", "SOL", "VL"], n_strides=20, fs_hz=100, seed=1, style=style)
    cycle = drive.excitation[:, 500:1500].reshape(3, 10, 100).mean(axis=1)
    ta, soleus, vastus = cycle
    assert 35 <= soleus.argmax() <= 50  # push-off
    assert soleus[70:90].max() < 0.02  # silent in swing
    assert ta[0:6].max() > 0.15  # heel strike
    assert ta[60:75].max() > 0.1  # swing
    assert ta[35:45].max() < 0.02  # silent in push-off
    assert vastus[2:10].max() > 3 * vastus[40:60].max()


def test_stride_times_vary_by_the_coefficient_asked_for():
    drive = gait(["TA"], n_strides=400, fs_hz=50, seed=2, style=GaitStyle(stride_cv=0.03))
    strikes = np.array([e.onset_s for e in drive.events if e.label == "heel strike"])
    strides = np.diff(strikes)
    assert strides.mean() == pytest.approx(1.1, rel=0.01)
    assert strides.std() / strides.mean() == pytest.approx(0.03, rel=0.15)
    off = np.array([e.onset_s for e in drive.events if e.label == "toe off"])
    np.testing.assert_allclose((off - strikes[:-1]) / strides, 0.6)


def test_another_muscle_leaves_the_steps_of_the_first():
    one = gait(["TA"], n_strides=5, fs_hz=100, seed=3)
    two = gait(["TA", "SOL"], n_strides=5, fs_hz=100, seed=3)
    np.testing.assert_array_equal(one.of("TA"), two.of("TA"))


def test_gestures_drive_their_prime_movers():
    typical = Synergies.typical()
    prime = {
        "wrist flexion": "FCR",
        "wrist extension": "ECRB",
        "hand close": "FDS",
        "hand open": "ED",
        "pronation": "PT",
        "supination": "SUP",
        "ulnar deviation": "FCU",
        "pinch": "FPL",
    }
    for gesture, muscle in prime.items():
        pattern = typical.pattern(gesture)
        assert typical.muscles[int(pattern.argmax())] == muscle
    assert (typical.pattern("rest") == 0).all()


def test_every_pair_of_gestures_can_be_told_apart():
    typical = Synergies.typical()
    patterns = np.array([typical.pattern(g) for g in GESTURES if g != "rest"])
    unit = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
    cosine = unit @ unit.T - np.eye(len(unit))
    assert cosine.max() < 0.97


def test_the_drive_of_gestures_is_of_the_rank_of_its_synergies():
    style = GestureStyle(variability=0.0, repetitions=1)
    drive = gestures(["wrist flexion", "hand open", "pronation"], fs_hz=50, seed=1, style=style)
    assert np.linalg.matrix_rank(drive.excitation, tol=1e-9) == 3


def test_events_lie_over_the_activity_they_name():
    drive = gestures(["hand close", "hand open"], fs_hz=100, seed=3)
    assert len(drive.events) == 8
    assert [e.trial for e in drive.events] == ["1", "1", "2", "2", "3", "3", "4", "4"]
    active = drive.excitation.max(axis=0) > 1e-6
    inside = np.zeros_like(active)
    for e in drive.events:
        inside[round(e.onset_s * 100) : round(e.end_s * 100) + 1] = True
    assert (active <= inside).all()
    assert active[inside].mean() > 0.95


def test_people_differ_and_a_person_stays_the_same():
    typical = Synergies.typical()
    one, again, other = (typical.of_person(seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.weights, again.weights)
    assert np.abs(one.weights - other.weights).max() > 0.05
    fewer = Synergies.typical(FOREARM_SET[:8]).of_person(seed=1)
    np.testing.assert_array_equal(fewer.weights, one.weights[:, :8])


def test_repetitions_vary_by_the_coefficient_asked_for():
    style = GestureStyle(variability=0.2, repetitions=300, hold_s=0.2, ramp_s=0.05, rest_s=0.0)
    drive = gestures(["wrist flexion"], fs_hz=50, seed=1, style=style)
    peaks = drive.of("FCR").reshape(300, -1).max(axis=1)
    assert peaks.mean() == pytest.approx(0.3, rel=0.05)
    assert peaks.std() / peaks.mean() == pytest.approx(0.2, rel=0.15)


def test_a_reach_starts_with_the_agonist_and_brakes_with_the_antagonist():
    drive = reaching([60.0], fs_hz=1000, seed=1, movement_s=0.5, rest_s=0.5)
    triceps, biceps = drive.of("TB"), drive.of("BB")  # pull to 60 and 235 degrees
    assert 500 < triceps.argmax() < 700
    assert 800 < biceps.argmax() < 1000
    assert triceps[-1] > biceps[-1]  # holding the target


def test_faster_reaches_need_stronger_bursts():
    slow, fast = (
        reaching([0.0], fs_hz=200, seed=1, movement_s=s).excitation.max() for s in (0.9, 0.45)
    )
    assert fast > 2 * slow


def test_minimum_jerk_starts_and_ends_at_rest():
    s = minimum_jerk(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]))
    np.testing.assert_allclose(s, [0, 0, 0.5, 1, 1])
    fine = minimum_jerk(np.linspace(0, 1, 10_001))
    assert np.diff(fine).max() * 10_000 == pytest.approx(1.875, rel=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gait(["XX"], n_strides=1, fs_hz=10, seed=1), ParameterError, "must be one of"),
        (lambda: gait([], n_strides=1, fs_hz=10, seed=1), ParameterError, "at least one"),
        (lambda: gestures(["wave"], fs_hz=10, seed=1), ParameterError, "gesture must be one of"),
        (lambda: gestures([], fs_hz=10, seed=1), ParameterError, "at least one gesture"),
        (lambda: Synergies.typical(["TA"]), ParameterError, "forearm muscle must be"),
        (lambda: Synergies(("a",), ("b",), np.array([[2.0]])), DataError, "between 0 and 1"),
        (lambda: Synergies(("a",), ("b",), np.zeros((2, 2))), DataError, "shape"),
        (lambda: reaching([], fs_hz=10, seed=1), ParameterError, "at least one target"),
        (lambda: GestureStyle(repetitions=0), ParameterError, "repetitions"),
    ],
)
def test_nonsense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
