import json

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.core.windows import WindowIndex
from myograph.preprocess.quality import (
    DEFECTS,
    GRADES,
    PARTS,
    QualityThresholds,
    assess,
    withheld,
)
from myograph.signal.filters import CausalFilter, design_bandpass

FS_HZ = 2000.0
SECONDS = 8


def emg(rng, n_channels=1, rest=0.05):
    """Band-limited noise, loud in every other second."""
    n = int(SECONDS * FS_HZ)
    band = CausalFilter(design_bandpass(20, 250, order=2, fs_hz=FS_HZ), n_channels=n_channels)
    noise = band.push(rng.standard_normal((n_channels, n)).astype("f4"))
    loud = np.where(np.arange(n) // FS_HZ % 2 == 1, 1.0, rest)
    return (100 * noise * loud).astype("f4")


def recording_of(samples, *, labelled=True, events=(), kinds=None):
    kinds = kinds or ["semg"] * len(samples)
    channels = tuple(Channel(f"e{i}", kind=kind) for i, kind in enumerate(kinds))
    if labelled:
        names = ("rest", "fist")
        events = (*events, *(Event(k, 1.0, names[k % 2], "protocol") for k in range(SECONDS)))
    return Recording(samples, Layout(FS_HZ, channels), events=events)


def only(report):
    (channel,) = report.channels
    return channel


def test_a_clean_recording_is_graded_a(rng):
    report = assess(recording_of(emg(rng)))
    channel = only(report)
    assert (report.grade, channel.grade, channel.reasons) == ("A", "A", ())
    assert report.snr_from == "events"
    # 20 log10(1 / 0.05) = 26 dB
    assert channel.parts["snr_db"] == pytest.approx(26, abs=1.0)
    assert channel.parts["clip_percent"] == 0
    assert report.per_second["grade"].shape == (1, SECONDS)
    np.testing.assert_allclose(report.seconds_s, np.arange(SECONDS))


def test_the_baseline_is_the_rms_of_labelled_rest(rng):
    samples = emg(rng)
    rest = samples[0].reshape(SECONDS, -1)[::2]
    assert only(assess(recording_of(samples))).parts["baseline_rms"] == pytest.approx(
        rest.std(), rel=0.05
    )


def test_hum_is_found_at_its_frequency_and_graded(rng):
    t = np.arange(int(SECONDS * FS_HZ)) / FS_HZ
    for mains_hz in (50.0, 60.0):
        hum = 60 * np.sin(2 * np.pi * mains_hz * t).astype("f4")
        report = assess(recording_of(emg(rng) + hum))
        assert report.mains_hz == mains_hz
        channel = only(report)
        assert channel.parts["mains_ratio"] > 0.3
        assert channel.grade in ("C", "reject")
        assert any(reason.startswith("mains_ratio") for reason in channel.reasons)
    assert assess(recording_of(emg(rng)), mains_hz=50).mains_hz == 50


def test_movement_lowers_the_grade(rng):
    t = np.arange(int(SECONDS * FS_HZ)) / FS_HZ
    sway = (400 * np.sin(2 * np.pi * 1.5 * t)).astype("f4")
    channel = only(assess(recording_of(emg(rng) + sway)))
    assert channel.parts["motion_ratio"] > 4
    assert channel.grade == "reject"


def test_clipping_is_measured_as_a_share_of_samples(rng):
    samples = np.clip(np.round(emg(rng)), -60, 60)
    at_rail = (np.abs(samples) >= 60).mean() * 100
    channel = only(assess(recording_of(samples)))
    assert 0.3 * at_rail < channel.parts["clip_percent"] <= at_rail * 1.1
    assert any(reason.startswith("clip_percent") for reason in channel.reasons)


def test_a_dead_channel_is_rejected_and_its_spectrum_not_invented(rng):
    samples = emg(rng, n_channels=2)
    samples[1] = 37.0
    alive, dead = assess(recording_of(samples)).channels
    assert alive.grade == "A"
    assert dead.grade == "reject"
    assert dead.parts["flat_percent"] == 100
    assert np.isnan(dead.parts["mains_ratio"])


def test_coarse_quiet_rest_is_not_flat(rng):
    quiet = np.round(0.4 * rng.standard_normal((1, int(SECONDS * FS_HZ)))).astype("f4")
    assert only(assess(recording_of(quiet))).parts["flat_percent"] == 0


def test_one_bad_second_is_found_where_it_is(rng):
    samples = emg(rng)
    samples[0, int(3 * FS_HZ) : int(4 * FS_HZ)] = 0
    report = assess(recording_of(samples))
    flat = report.per_second["flat_percent"][0]
    assert flat.tolist() == [0, 0, 0, 100, 0, 0, 0, 0]
    assert report.per_second["grade"][0, 3] == GRADES.index("reject")
    assert only(report).parts["flat_percent"] == pytest.approx(100 / SECONDS)


def test_gaps_are_counted_and_left_out_of_the_rest(rng):
    samples = emg(rng)
    samples[0, int(2 * FS_HZ) : int(4 * FS_HZ)] = 0
    report = assess(recording_of(samples, events=(Event(2.0, 2.0, GAP, "reader"),)))
    channel = only(report)
    assert channel.parts["gap_percent"] == pytest.approx(25)
    assert channel.parts["flat_percent"] == 0
    assert channel.grade == "reject"


def test_without_labelled_rest_snr_is_shown_but_not_graded(rng):
    noise = (50 * rng.standard_normal((1, int(SECONDS * FS_HZ)))).astype("f4")
    steady = assess(recording_of(noise, labelled=False))
    assert steady.snr_from != "events"
    assert only(steady).parts["snr_db"] < 3
    assert not any(reason.startswith("snr_db") for reason in only(steady).reasons)
    same = assess(recording_of(noise))  # labelled, and nothing happens
    assert any(reason.startswith("snr_db") for reason in only(same).reasons)


def test_bridged_channels_and_held_samples_are_named(rng):
    samples = emg(rng, n_channels=3)
    samples[2] = samples[0]
    report = assess(recording_of(samples))
    assert [pair[:2] for pair in report.bridged] == [("e0", "e2")]
    assert not report.hold.held
    held = np.repeat(samples[:, ::8], 8, axis=1)
    assert assess(recording_of(held)).hold.factor == pytest.approx(8, rel=0.01)


def test_scale_does_not_change_grades(rng):
    samples = emg(rng)
    small, large = (only(assess(recording_of(c * samples))) for c in (0.01, 100))
    assert small.grade == large.grade
    for part in ("mains_ratio", "motion_ratio", "kurtosis", "omega", "snr_db"):
        assert small.parts[part] == pytest.approx(large.parts[part], rel=1e-3)
    assert large.parts["rms"] == pytest.approx(1e4 * small.parts["rms"], rel=1e-3)


def test_only_muscle_channels_are_assessed(rng):
    samples = emg(rng, n_channels=2)
    report = assess(recording_of(samples, kinds=["semg", "force"]))
    assert [channel.name for channel in report.channels] == ["e0"]
    with pytest.raises(LayoutError, match="No channel is left"):
        assess(recording_of(samples, kinds=["force", "acc"]))


def test_a_recording_shorter_than_a_second_is_one_stretch(rng):
    short = recording_of(emg(rng)[:, :700], labelled=False)
    assert assess(short).per_second["rms"].shape == (1, 1)


def test_a_slow_recording_leaves_out_what_it_cannot_hold(rng):
    layout = Layout(200.0, (Channel("e0", kind="semg", scale="count"),))
    counts = np.round(20 * rng.standard_normal((1, 1000))).astype("f4")
    channel = only(assess(Recording(counts, layout)))
    assert channel.unit == "count"
    assert np.isnan(channel.parts["high_frequency_ratio"])
    assert channel.grade == "A"


def test_the_report_is_json(rng):
    samples = emg(rng, n_channels=2)
    samples[1] = 0
    report = assess(recording_of(samples))
    text = json.dumps(report.to_dict(), allow_nan=False)
    back = json.loads(text)
    assert set(back["per_second"]) == {*PARTS, "grade"}
    assert back["channels"][1]["parts"]["kurtosis"] is None
    assert back["thresholds"]["clip_percent"] == [0.0, 0.1, 1.0]


def test_thresholds_are_parameters(rng):
    strict = QualityThresholds(snr_db=(90.0, 60.0, 40.0))
    assert only(assess(recording_of(emg(rng)), thresholds=strict)).grade == "reject"
    assert strict.grade("snr_db", 50.0) == 2
    assert strict.grade("clip_percent", 0.05) == 1
    assert strict.grade("clip_percent", float("nan")) == 0
    with pytest.raises(ParameterError, match="mains_ratio must be three limits"):
        QualityThresholds(mains_ratio=(0.5, 0.1, 0.9))
    with pytest.raises(ParameterError, match="mains_hz must be above 0"):
        assess(recording_of(emg(rng)), mains_hz=-50)


def test_a_value_that_is_held_is_not_clipped(rng):
    measured = np.round(40 * rng.standard_normal((4, 1500)))
    for row in measured:  # each extreme occurs at three separate moments
        row[[100, 600, 1200]], row[[300, 700, 1300]] = 400, -400
    report = assess(recording_of(np.repeat(measured, 8, axis=1).astype("f4"), labelled=False))
    assert report.hold.held
    assert [channel.parts["clip_percent"] for channel in report.channels] == [0] * 4


def test_rest_is_never_quieter_than_the_converter(rng):
    samples = np.round(emg(rng, rest=0.0))  # rest is exactly 0, one LSB is 1
    channel = only(assess(recording_of(samples)))
    assert channel.parts["baseline_rms"] == pytest.approx(1 / np.sqrt(12))
    assert np.isfinite(channel.parts["snr_db"])


def test_defects_are_named(rng):
    t = np.arange(int(SECONDS * FS_HZ)) / FS_HZ
    x = emg(rng, n_channels=4, rest=0.5)
    x[1] += 60 * np.sin(2 * np.pi * 50 * t)
    x[2] += 700 * np.exp(-0.5 * ((t - 3.5) / 0.08) ** 2)
    x[3, int(4 * FS_HZ) : int(6 * FS_HZ)] = 2000
    report = assess(recording_of((np.round(x * 10) / 10).astype("f4")))
    clean, hum, bump, off = report.channels
    assert clean.defects == ()
    assert hum.defects == ("mains",)
    assert bump.defects == ("motion",)
    assert not any(
        reason.startswith("motion_peak") and "reject" in reason for reason in bump.reasons
    )
    assert report.per_second["grade"][2].argmax() == 3  # a moment: its second is graded by it
    assert "lead-off" in off.defects
    assert off.grade == "reject"
    assert set(off.defects) <= set(DEFECTS.values())


def test_a_silent_second_is_not_graded_by_what_fills_it(rng):
    x = emg(rng, rest=0.0)
    x += 0.5 * np.sin(2 * np.pi * 50 * np.arange(x.shape[1]) / FS_HZ)
    report = assess(recording_of(x.astype("f4")))
    quiet = report.per_second["mains_ratio"][0, ::2]
    assert quiet.min() > 0.6  # nothing but mains there, and next to nothing of it
    assert report.per_second["grade"][0].max() == 0


def test_windows_on_rejected_seconds_are_withheld(rng):
    x = emg(rng, n_channels=4, rest=0.5)
    x[3, int(4 * FS_HZ) : int(6 * FS_HZ)] = 2000
    report = assess(recording_of(x))
    start_s = np.arange(0.0, SECONDS - 0.4, 0.5)
    index = WindowIndex.of(len(start_s), start_s=start_s, stop_s=start_s + 0.5, label="")
    mask = withheld(report, index)
    assert np.flatnonzero(mask).tolist() == [8, 9, 10, 11]
    assert not withheld(report, index, most_channels=0.25).any()
    assert not withheld(report, index, worst="reject").any()
    across = WindowIndex.of(1, start_s=[3.9], stop_s=[4.1], label="")
    assert withheld(report, across).tolist() == [True]
    with pytest.raises(ParameterError, match="worst must be one of"):
        withheld(report, index, worst="D")
    with pytest.raises(ParameterError, match="most_channels must be from 0"):
        withheld(report, index, most_channels=1.0)
    later = WindowIndex.of(1, start_s=[50.0], stop_s=[50.5], label="")
    with pytest.raises(DataError, match="assess their recording"):
        withheld(report, later)


def test_crosstalk_is_measured_and_only_copies_are_graded(rng):
    x = emg(rng, n_channels=2)
    x[1] = 0.6 * x[0] + 0.8 * x[1]
    for channel in assess(recording_of(x)).channels:
        assert channel.parts["crosstalk"] == pytest.approx(0.36, abs=0.08)
        assert channel.grade == "A"
    x[1] = 2 * x[0]
    for channel in assess(recording_of(x)).channels:
        assert channel.parts["crosstalk"] > 0.999
        assert "crosstalk" in channel.defects
