import json

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.preprocess.segment import METHODS, Segmenter, choose_method
from myograph.signal.onset import HodgesBui

FS = 2000.0


def muscle(*, n_channels=1, seed=0, gain=10.0, start_s=0.0, events=(), noise=5.0):
    """One second of rest, one of action, one of rest, in every channel."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(3 * FS)) / FS
    active = (t >= 1) & (t < 2)
    samples = noise * rng.standard_normal((n_channels, len(t))) * np.where(active, gain, 1)
    channels = tuple(Channel(f"m{i}", kind="semg") for i in range(n_channels))
    return Recording(samples, Layout(FS, channels), start_s=start_s, events=tuple(events))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_a_clear_epoch(method):
    found = Segmenter(method=method).find(muscle(gain=20.0), rest=(0.0, 0.8))
    (epoch,) = found.epochs
    assert (epoch.onset_s, epoch.end_s) == (pytest.approx(1, abs=0.03), pytest.approx(2, abs=0.04))
    assert epoch.method == ("profile-likelihood" if method == "auto" else method)
    assert epoch.snr_db == pytest.approx(26, abs=1)
    (event,) = found.events()
    assert (event.label, event.source) == ("active", epoch.method)
    assert found.refused == ()


def test_the_clock_of_the_recording_is_kept():
    plain = Segmenter().find(muscle())
    later = Segmenter().find(muscle(start_s=40.0))
    for a, b in zip(plain.epochs, later.epochs, strict=True):
        assert b.onset_s == pytest.approx(a.onset_s + 40)
        assert b.end_s == pytest.approx(a.end_s + 40)
    marked = later.mark(muscle(start_s=40.0))
    assert [e.source for e in marked.events] == ["profile-likelihood"]


def test_edges_come_with_intervals_and_confidence():
    (epoch,) = Segmenter().find(muscle()).epochs
    low, high = epoch.onset_interval_s
    assert low <= epoch.onset_s <= high
    assert epoch.end_interval_s[0] <= epoch.end_s <= epoch.end_interval_s[1]
    assert epoch.confidence > 0.9
    assert "dB above rest" in epoch.reason
    (plain,) = Segmenter(method="hodges-bui").find(muscle()).epochs
    assert (plain.confidence, plain.onset_interval_s) == (None, None)


def test_channels_are_searched_alone_and_named():
    recording = muscle(n_channels=3, seed=2)
    together = Segmenter().find(recording)
    assert {e.label for e in together.events()} == {"active m0", "active m1", "active m2"}
    swapped = Segmenter().find(recording.select(("m2", "m0")))
    assert swapped.of("m2") == together.of("m2")
    assert swapped.of("m0") == together.of("m0")


@pytest.mark.parametrize("power", [-6, 6])
def test_the_unit_does_not_matter(power):
    recording = muscle()
    scaled = recording.with_samples(recording.samples * 2.0**power, step="gain", parameters={})
    (a,), (b,) = Segmenter().find(recording).epochs, Segmenter().find(scaled).epochs
    assert (a.onset_s, a.end_s) == (pytest.approx(b.onset_s), pytest.approx(b.end_s))


def test_rest_comes_from_whoever_knows():
    labelled = [Event(0.0, 0.9, "rest", "protocol")]
    assert source(Segmenter().find(muscle(events=labelled))) == "events"
    assert source(Segmenter().find(muscle())) == "quietest stretch"
    given = Segmenter().find(muscle(events=labelled), rest=(2.2, 2.9))
    assert source(given) == "given"
    assert given.channels[0].rest_rms == pytest.approx(5, rel=0.1)


def source(found):
    return found.channels[0].rest_source


def test_weak_action_is_given_out_only_when_a_change_point_agrees():
    """At 3 dB a lasting change is told apart; where none agrees, the reason is told."""
    weak = Segmenter(method="hodges-bui", least_snr_db=8.0)
    accepted = refused = 0
    for seed in range(12):
        found = weak.find(muscle(gain=10 ** (4 / 20), seed=seed), rest=(0.0, 0.9))
        accepted += len(found.epochs)
        refused += len(found.refused)
        assert all("a change point agrees" in e.reason for e in found.epochs)
        assert all("no change point" in e.reason for e in found.refused)
        assert all(e.snr_db < 8 for e in (*found.epochs, *found.refused))
    assert refused > 3
    assert accepted > 3


def test_pure_rest_gives_no_events():
    for seed in range(5):
        assert Segmenter().find(muscle(gain=1.0, seed=seed)).events() == ()


def test_epochs_that_touch_a_gap_are_refused():
    recording = muscle(events=[Event(1.4, 0.1, GAP)])
    found = Segmenter().find(recording)
    assert found.epochs == ()
    assert "gap" in found.refused[0].reason


def test_live_is_offline():
    recording = muscle(seed=4, n_channels=2)
    for method in ("hodges-bui", "adaptive-double-threshold"):
        segmenter = Segmenter(method=method)
        offline = segmenter.find(recording, rest=(0.0, 0.8))
        state = segmenter.start(recording, rest=(0.0, 0.8))
        chunks = np.split(recording.samples, [7, 7, 1000, 2500], axis=1)
        edges = [edge for chunk in chunks for edge in state.push(chunk)]
        for channel in ("m0", "m1"):
            onsets = [e.at_s for e in edges if e.channel == channel and e.rising]
            every = sorted(
                e.onset_s for e in (*offline.epochs, *offline.refused) if e.channel == channel
            )
            assert onsets == pytest.approx(every)
        assert all(edge.known_s >= edge.at_s and edge.method == method for edge in edges)


def test_auto_goes_by_the_measured_ratio():
    assert choose_method(12.0, live=False) == "profile-likelihood"
    clean, noisy = (Segmenter().start(muscle(gain=g), rest=(0.0, 0.8)) for g in (20.0, 3.0))
    assert {e.method for e in clean.push(muscle(gain=20.0).samples)} == {"hodges-bui"}
    assert {e.method for e in noisy.push(muscle(gain=3.0).samples)} == {"adaptive-double-threshold"}


def test_a_detector_with_its_own_parameters():
    own = HodgesBui(low_pass_hz=10.0, n_sd=2.0, window_ms=100.0)
    found = Segmenter(detector=own).find(muscle(gain=20.0), rest=(0.0, 0.8))
    assert found.epochs[0].method == "hodges-bui"
    content = json.dumps(Segmenter(detector=own).to_dict())
    assert json.loads(content)["detector"]["window_ms"] == 100.0
    json.dumps(found.to_dict())


def test_refusals():
    with pytest.raises(ParameterError, match="Did you mean 'pelt'"):
        Segmenter(method="plet")
    with pytest.raises(ParameterError, match="not both"):
        Segmenter(method="tkeo", detector=HodgesBui())
    with pytest.raises(ParameterError, match="must be a list of texts"):
        Segmenter(kinds="semg")
    with pytest.raises(ParameterError, match="rest must lie in the recording"):
        Segmenter().find(muscle(), rest=(2.0, 5.0))
    with pytest.raises(DataError, match=r"at least 0\.1 s of rest"):
        Segmenter().find(muscle(), rest=(0.0, 0.02))
    with pytest.raises(ParameterError, match="runs offline only"):
        Segmenter(method="pelt").start(muscle())
    with pytest.raises(LayoutError, match=r"A chunk must be \(1 channels"):
        Segmenter().start(muscle()).push(np.zeros((2, 5), "f4"))
    force = Recording(np.ones((1, 4000)), Layout(FS, (Channel("f", kind="force"),)))
    with pytest.raises(LayoutError, match=r"only \['force'\]"):
        Segmenter().find(force)
    flat = Recording(np.zeros((1, 4000)), Layout(FS, (Channel("m", kind="semg"),)))
    with pytest.raises(DataError, match="no rest to learn"):
        Segmenter().find(flat)
