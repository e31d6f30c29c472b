import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Recording
from myograph.preprocess.quality import assess
from myograph.preprocess.repair import REPAIRED, Repair, SubtractHeart

FS_HZ = 1000.0


def test_a_spike_is_restored_and_declared(make_muscle, record):
    clean = make_muscle(2)
    x = clean.copy()
    x[1, [3000, 9000]] += 900
    recording = record(x)
    out = Repair().apply(recording)
    np.testing.assert_array_equal(out.samples[0], recording.samples[0])
    changed = np.flatnonzero(out.samples[1] != recording.samples[1])
    assert {3000, 9000} <= set(changed)
    assert len(changed) <= 10
    assert np.abs(out.samples[1] - clean[1]).max() < 60
    assert {(e.label, e.source) for e in out.events} == {(REPAIRED, "repair:e1: spike")}
    assert [r.step for r in out.recipe.steps] == ["repair"]


def test_what_cannot_be_known_becomes_a_gap(make_muscle, record):
    x = make_muscle(2)
    x[0, 5000:8000] = 700
    recording = record(x)
    out = Repair().apply(recording)
    np.testing.assert_array_equal(out.samples, recording.samples)
    (gap,) = out.events
    assert (gap.label, gap.source) == (GAP, "repair:e0: lead-off")
    assert (gap.onset_s, gap.duration_s) == pytest.approx((5.0, 3.0), abs=0.3)
    assert assess(out).channels[0].parts["off_percent"] == 0  # a declared gap is not found again


def test_short_clipping_is_restored_and_long_clipping_is_a_gap(make_muscle, record):
    x = make_muscle(1)
    rails = np.clip(x, -100, 100)
    rails[0, 6000:6100] = 100
    out = Repair(longest_ms=4).apply(record(rails))
    restored = [e for e in out.events if e.label == REPAIRED]
    gaps = [e for e in out.events if e.label == GAP]
    assert len(restored) > 5
    assert all(e.duration_s <= 0.004 + 1e-9 for e in restored)
    assert any(e.onset_s <= 6.0 and e.end_s >= 6.1 for e in gaps)


def test_movement_is_a_gap_only_when_asked(make_muscle, record):
    x = make_muscle(1)
    x[0] += 600 * np.exp(-0.5 * ((np.arange(x.shape[1]) / FS_HZ - 6.0) / 0.08) ** 2)
    assert Repair().apply(record(x)).events == ()
    (gap,) = Repair(motion_peak=1.5).apply(record(x)).events
    assert gap.label == GAP
    assert gap.onset_s < 6.0 < gap.end_s


def test_a_channel_that_is_mostly_lost_is_refused_with_the_way_out(make_muscle, record):
    x = make_muscle(2)
    x[1, 3000:17000] = 40
    with pytest.raises(DataError, match=r"'e1' is lost in 14 of 20 s \(lead-off\).*'select'"):
        Repair().apply(record(x))
    assert Repair(most_bad=0.9).apply(record(x)).events


def test_a_clean_recording_is_handed_on(make_muscle, record):
    recording = record(make_muscle(2))
    out = Repair().apply(recording)
    np.testing.assert_array_equal(out.samples, recording.samples)
    assert out.events == ()


def test_parameters_are_checked():
    for bad in ({"longest_ms": 0}, {"motion_peak": -1}, {"most_bad": 0}, {"most_bad": 2}):
        with pytest.raises(ParameterError, match=next(iter(bad))):
            Repair(**bad)


def heart(n, rate_per_min=66):
    t = np.arange(n) / FS_HZ
    wave = np.zeros(n)
    for k, steady_s in enumerate(np.arange(0.5, n / FS_HZ - 0.3, 60 / rate_per_min)):
        at_s = steady_s + 0.02 * np.sin(k)
        for height, place_s, width_s in ((1, 0, 0.011), (-0.2, 0.03, 0.01), (0.25, 0.24, 0.045)):
            wave += height * np.exp(-0.5 * ((t - at_s - place_s) / width_s) ** 2)
    return wave


def trunk(make_muscle, *, ecg_size):
    x = make_muscle(2)
    beat = heart(x.shape[1])
    clean = x.copy()
    x[0] += 400 * beat
    channels = (Channel("e0", "semg"), Channel("e1", "semg"), Channel("heart", "ecg"))
    samples = np.vstack([x, ecg_size * beat[None]]).astype("f4")
    return clean, Recording(samples, Layout(FS_HZ, channels))


@pytest.mark.parametrize("ecg", ["", "heart"])
def test_the_heart_is_taken_out_of_the_muscle(make_muscle, ecg):
    clean, recording = trunk(make_muscle, ecg_size=1000)
    out = SubtractHeart(ecg=ecg).apply(recording)
    before = (recording.samples[0] - clean[0]).std()
    assert (out.samples[0] - clean[0]).std() < 0.35 * before
    # The channel without a heart: untouched, or with a named ECG hardly touched.
    moved = (out.samples[1] - clean[1]).std() / clean[1].std()
    assert moved < (0.2 if ecg else 1e-3)
    np.testing.assert_array_equal(out.samples[2], recording.samples[2])


def test_an_ecg_channel_without_a_heart_is_refused(make_muscle):
    _, recording = trunk(make_muscle, ecg_size=0)
    with pytest.raises(LayoutError, match="'heart' shows no heartbeat"):
        SubtractHeart(ecg="heart").apply(recording)
    with pytest.raises(LayoutError, match="channel must be one of"):
        SubtractHeart(ecg="chest").apply(recording)
