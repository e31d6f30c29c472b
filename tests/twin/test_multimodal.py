from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.core.recording import Subject
from myograph.twin.cortex import Cortex
from myograph.twin.drive import CommonNoise, Drive, trapezoid
from myograph.twin.heart import Heart, variability
from myograph.twin.limb import Joint
from myograph.twin.muap import MuapLibrary
from myograph.twin.multimodal import Body, Rates, record
from myograph.twin.muscle import Muscle
from myograph.twin.pool import PoolParameters
from myograph.twin.truth import Truth

RATES = Rates(eeg_hz=500.0, motion_hz=250.0, force_hz=100.0, ecg_hz=250.0)
MUSCLE = Muscle.healthy("FCR", PoolParameters(n_units=40, n_fibres=2000), seed=1)


def library(scale: float = 1.0) -> MuapLibrary:
    shape = np.gradient(np.exp(-(((np.arange(30) - 10) / 3.0) ** 2)))
    values = scale * 50 * np.sqrt(MUSCLE.pool.n_fibres)[:, None, None] * shape
    return MuapLibrary(values.astype(np.float32), 1000.0, 0)


def body() -> Body:
    return Body(
        muscles={"FCR": MUSCLE, "ECRB": MUSCLE},
        libraries={"FCR": library(), "ECRB": library(0.8)},
        joint=Joint(arms_mm={"FCR": 14.0, "ECRB": -14.0}),
        cortex=Cortex(),
        heart=Heart(),
        subject=Subject("S1", condition="simulated: healthy"),
    )


def task(level: float = 0.4) -> Drive:
    one = trapezoid(level, ramp_s=1.0, hold_s=6.0, rest_s=3.0, fs_hz=500.0, muscle="FCR")
    rows = np.concatenate([one.excitation, 0.3 * one.excitation])
    return Drive(rows, 500.0, ("FCR", "ECRB"), one.events)


BETA = CommonNoise(beta=0.08)


def test_everything_lies_on_one_clock():
    recordings, truth = record(body(), task(), rates=RATES, seed=1, noise=BETA)
    assert list(recordings) == ["emg", "force", "eeg", "angle", "acc", "ecg"]
    for name in recordings:
        assert recordings[name].start_s == 0
        assert recordings[name].duration_s == pytest.approx(14.0, abs=0.01)
        assert [e.label for e in recordings[name].events] == ["contraction", "hold"]
        assert recordings[name].subject.condition == "simulated: healthy"
    assert {c.kind for n in recordings for c in recordings[n].layout.channels} == {
        "semg", "force", "eeg", "angle", "acc", "ecg",
    }  # fmt: skip
    assert truth.labels["corticomuscular_delay_ms"] == 16.0
    assert truth.labels["onsets_s"][0] == pytest.approx(3.05, abs=0.02)


def test_the_signals_tell_one_story():
    recordings, truth = record(body(), task(), rates=RATES, seed=1, noise=BETA)
    hold, rest = recordings.crop(5.0, 9.0), recordings.crop(0.5, 2.5)
    assert hold["emg"].samples[0].std() > 10 * rest["emg"].samples[0].std()
    assert hold["force"].samples[0].mean() > hold["force"].samples[1].mean() > 0
    assert hold["angle"].samples.mean() > rest["angle"].samples.mean() + 0.5
    # The angle is where the difference of the forces holds it.
    torque = 0.014 * (hold["force"].samples[0] - hold["force"].samples[1]).mean()
    assert hold["angle"].samples.mean() == pytest.approx(np.rad2deg(torque / 2.0), rel=0.05)
    # The muscle starts after the cortex says so, and force after the muscle.
    first = min(t[0] for t in truth.discharges["FCR"].times_s if len(t))
    assert 3.0 <= first < 3.3
    assert truth.forces["FCR"][: round(first * 250) - 1].max() == 0


def test_effort_reaches_the_heart():
    rates = []
    for level in (0.0, 0.6):
        whole = Body(
            muscles={"FCR": MUSCLE}, libraries={"FCR": library()}, heart=Heart(), mass_share=1.0
        )
        drive = Drive(np.full((1, 30_000), level), 500.0, ("FCR",))
        _, truth = record(whole, drive, rates=RATES, seed=1)
        rates.append(variability(np.array(truth.labels["beats_s"])))
    assert rates[1][0] > rates[0][0] + 20
    assert rates[1][2] < rates[0][2]


def test_leaving_one_signal_out_leaves_the_others_as_they_were():
    whole, _ = record(body(), task(), rates=RATES, seed=1, noise=BETA)
    again, _ = record(body(), task(), rates=RATES, seed=1, noise=BETA)
    fewer, _ = record(
        replace(body(), heart=None, cortex=None), task(), rates=RATES, seed=1, noise=BETA
    )
    for name in whole:
        np.testing.assert_array_equal(whole[name].samples, again[name].samples)
    assert list(fewer) == ["emg", "force", "angle", "acc"]
    for name in fewer:
        np.testing.assert_array_equal(whole[name].samples, fewer[name].samples)
    later = replace(body(), cortex=Cortex(delay_ms=30))
    other, _ = record(later, task(), rates=RATES, seed=1, noise=BETA)
    np.testing.assert_array_equal(whole["emg"].samples, other["emg"].samples)
    assert not np.array_equal(whole["eeg"].samples, other["eeg"].samples)


def test_the_truth_is_kept(tmp_path):
    _, truth = record(body(), task(), rates=RATES, seed=1, noise=BETA)
    truth.save(tmp_path / "t")
    back = Truth.load(tmp_path / "t")
    assert back.labels == truth.labels
    np.testing.assert_array_equal(back.forces["FCR"], truth.forces["FCR"])


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(DataError, match=r"Each muscle needs its library"):
        Body(muscles={"FCR": MUSCLE}, libraries={})
    with pytest.raises(DataError, match="All libraries must have one rate"):
        Body(
            muscles={"FCR": MUSCLE, "ECRB": MUSCLE},
            libraries={"FCR": library(), "ECRB": replace(library(), fs_hz=2000.0)},
        )
    wrong = Drive(np.zeros((2, 500)), 500.0, ("FCR", "FDI"))
    with pytest.raises(DataError, match=r"\['ECRB', 'FDI'\] is in one of them only"):
        record(body(), wrong, rates=RATES, seed=1)
