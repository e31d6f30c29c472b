from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from myograph.core.errors import DataError, ParameterError
from myograph.twin.drive import (
    CommonNoise,
    Drive,
    band_noise,
    repeated,
    steps,
    trapezoid,
    with_noise,
)
from myograph.twin.physiology import PhysiologyWarning
from myograph.twin.seeds import stream

FLAT = Drive(np.full((2, 40_000), 0.4), 200.0, ("A", "B"))


def test_trapezoid_has_its_corners_and_events():
    drive = trapezoid(0.5, ramp_s=2, hold_s=4, rest_s=1, fs_hz=100, muscle="TA")
    at = dict(
        zip(
            (0.5, 2.0, 3.5, 6.9, 8.0, 9.5),
            drive.of("TA")[[50, 200, 350, 690, 800, 950]],
            strict=True,
        )
    )
    assert at == pytest.approx({0.5: 0, 2.0: 0.25, 3.5: 0.5, 6.9: 0.5, 8.0: 0.25, 9.5: 0})
    hold = next(e for e in drive.events if e.label == "hold")
    assert (hold.onset_s, hold.duration_s) == (3.0, 4.0)


def test_a_ramp_of_no_length_is_a_step():
    drive = trapezoid(0.5, ramp_s=0, hold_s=1, rest_s=1, fs_hz=10)
    assert drive.excitation[0].tolist() == [0] * 10 + [0.5] * 10 + [0] * 10


def test_repeated_contractions_number_their_trials():
    one = trapezoid(0.2, ramp_s=1, hold_s=2, rest_s=0.5, fs_hz=50)
    three = repeated(one, 3)
    assert three.duration_s == pytest.approx(3 * one.duration_s)
    np.testing.assert_array_equal(three.excitation[0, 250:500], one.excitation[0])
    holds = [(e.trial, e.onset_s) for e in three.events if e.label == "hold"]
    assert holds == [("1", 1.5), ("2", 6.5), ("3", 11.5)]


def test_steps_hold_each_level():
    drive = steps([0.1, 0.3], hold_s=2, fs_hz=5)
    assert drive.excitation[0].tolist() == [0.1] * 10 + [0.3] * 10


def test_common_noise_has_the_size_and_band_asked_for():
    noisy = with_noise(FLAT, seed=3, noise=CommonNoise(common=0.05, beta=0.08))
    relative = noisy.of("A") / 0.4 - 1
    f, power = welch(relative, 200.0, nperseg=2000)
    low, beta = power[f <= 6].sum(), power[(f > 10) & (f < 40)].sum()
    assert np.sqrt(low * f[1]) == pytest.approx(0.05, rel=0.1)
    assert np.sqrt(beta * f[1]) == pytest.approx(0.08, rel=0.1)


def test_adding_beta_leaves_the_slow_drive_bit_for_bit():
    slow = with_noise(FLAT, seed=3, noise=CommonNoise(common=0.05)).of("A") / 0.4
    both = with_noise(FLAT, seed=3, noise=CommonNoise(common=0.05, beta=0.1)).of("A") / 0.4
    beta = with_noise(FLAT, seed=3, noise=CommonNoise(common=0.0, beta=0.1)).of("A") / 0.4
    np.testing.assert_allclose(both - slow, beta - 1, atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_muscles_share_what_they_are_told_to(share):
    noise = CommonNoise(common=0.05, between_muscles=share)
    noisy = with_noise(FLAT, seed=4, noise=noise)
    assert np.corrcoef(noisy.excitation)[0, 1] == pytest.approx(share, abs=0.15)


def test_a_further_muscle_leaves_the_noise_of_the_others():
    more = Drive(np.full((3, 40_000), 0.4), 200.0, ("A", "B", "C"))
    np.testing.assert_array_equal(
        with_noise(FLAT, seed=4).excitation, with_noise(more, seed=4).excitation[:2]
    )


def test_noise_is_proportional_and_never_negative():
    silent = Drive(np.zeros((1, 1000)), 100.0)
    assert (with_noise(silent, seed=1).excitation == 0).all()
    with pytest.warns(PhysiologyWarning, match="common=0.9"):
        wild = with_noise(FLAT, seed=1, noise=CommonNoise(common=0.9))
    assert wild.excitation.min() >= 0


def test_band_noise_of_a_longer_drive_starts_the_same():
    short = band_noise(100, (0, 5), fs_hz=100, rng=stream(1, "x"))
    long = band_noise(200, (0, 5), fs_hz=100, rng=stream(1, "x"))
    np.testing.assert_array_equal(short, long[:100])


def test_scaling_and_joining():
    half = FLAT.scaled({"B": 0.5})
    assert half.of("A")[0] == 0.4
    assert half.of("B")[0] == 0.2
    assert FLAT.then(half).duration_s == 2 * FLAT.duration_s
    with pytest.raises(DataError, match="same muscles and rate"):
        FLAT.then(Drive(np.zeros((2, 5)), 100.0, ("A", "B")))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Drive(np.array([[-0.1]]), 100.0), DataError, "0 or more"),
        (lambda: Drive(np.array([[np.nan]]), 100.0), DataError, "finite"),
        (lambda: Drive(np.zeros((1, 0)), 100.0), DataError, "not empty"),
        (lambda: Drive(np.zeros((2, 5)), 100.0, ("A", "A")), DataError, "different muscle names"),
        (lambda: Drive(np.zeros((1, 5)), 0.0), ParameterError, "fs_hz must be above 0"),
        (lambda: FLAT.of("C"), ParameterError, "muscle must be one of"),
        (lambda: FLAT.of(2), ParameterError, "must be below 2"),
        (lambda: trapezoid(-0.1, ramp_s=1, hold_s=1, fs_hz=10), ParameterError, "level"),
        (lambda: with_noise(Drive(np.zeros((1, 9)), 8.0), seed=1), ParameterError, "Nyquist"),
        (lambda: CommonNoise(beta_hz=(30, 15)), ParameterError, "beta_hz"),
    ],
)
def test_nonsense_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
