from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.preprocess.windowing import Windowing

FREE = {"label_sources": ()}


def ramp(n_samples, *, n_channels=2, fs_hz=1000.0, events=(), start_s=0.0, force=False):
    """A recording whose samples tell their own position: channel c holds 1000000 c + n."""
    channels = [Channel(f"e{c}", kind="semg") for c in range(n_channels)]
    if force:
        channels[-1] = Channel("grip", kind="force")
    samples = np.arange(n_samples) + 1_000_000 * np.arange(n_channels)[:, None]
    return Recording(
        samples.astype("f4"),
        Layout(fs_hz, tuple(channels)),
        events=tuple(events),
        subject=Subject("p07"),
        session="s2",
        site="ward",
        start_s=start_s,
    )


def firsts(windows):
    return windows.values[:, 0, 0].astype(int).tolist()


def test_windows_lie_on_a_grid_from_the_first_sample():
    windows = Windowing(100, 40, **FREE).cut(ramp(305))
    assert firsts(windows) == [0, 40, 80, 120, 160, 200]
    np.testing.assert_array_equal(windows.values[3, 1], 1_000_120 + np.arange(100))
    np.testing.assert_allclose(windows.index.start_s, np.arange(6) * 0.04)
    np.testing.assert_allclose(windows.index.stop_s - windows.index.start_s, 0.1)
    assert set(windows.index.label) == {""}


def test_windows_say_whose_they_are():
    recording = ramp(500, events=[Event(2.0, 0.5, "fist", "protocol", "3")], start_s=2.0)
    windows = Windowing(100, 100).cut(recording)
    index = windows.index
    assert set(zip(index.subject, index.session, index.trial, index.site, strict=True)) == {
        ("p07", "s2", "3", "ward")
    }
    assert set(index.recording) == {recording.source_digest}
    assert index.start_s[0] == 2.0
    assert windows.recipe.source == recording.source_digest
    assert windows.recipe.steps[-1].step == "windowing"


def test_uncut_windows_are_a_view_of_the_recording():
    recording = ramp(2000)
    windows = Windowing(100, 10, **FREE).cut(recording)
    assert np.shares_memory(windows.values, recording.samples)
    assert not windows.values.flags.writeable
    labelled = replace(recording, events=(Event(0.2, 0.5, "fist", "protocol"),))
    assert np.shares_memory(Windowing(100, 10).cut(labelled).values, labelled.samples)


def test_a_window_bears_the_label_of_the_event_it_lies_in():
    events = [Event(0.0, 0.3, "rest", "protocol", "1"), Event(0.3, 0.3, "fist", "protocol", "2")]
    windows = Windowing(100, 50).cut(ramp(600, events=events))
    assert firsts(windows) == [0, 50, 100, 150, 200, 300, 350, 400, 450, 500]
    assert windows.index.label.tolist() == ["rest"] * 5 + ["fist"] * 5
    assert windows.index.trial.tolist() == ["1"] * 5 + ["2"] * 5


def test_transitions_belong_to_nobody():
    events = [Event(0.0, 0.3, "rest", "protocol"), Event(0.3, 0.3, "fist", "protocol")]
    windows = Windowing(100, 50, transition_ms=50).cut(ramp(600, events=events))
    assert firsts(windows) == [50, 100, 150, 350, 400, 450]


def test_rest_can_be_dropped():
    events = [
        Event(0.0, 0.2, "rest", "protocol"),
        Event(0.2, 0.2, "fist", "protocol"),
        Event(0.4, 0.2, "relax", "protocol"),
    ]
    recording = ramp(600, events=events)
    assert set(Windowing(100, 50, rest="drop").cut(recording).index.label) == {"fist", "relax"}
    both = Windowing(100, 50, rest="drop", rest_labels=("rest", "relax"))
    assert set(both.cut(recording).index.label) == {"fist"}


def test_partly_covered_windows_count_when_asked_and_go_to_the_larger_share():
    events = [Event(0.0, 0.3, "rest", "protocol"), Event(0.3, 0.3, "fist", "protocol")]
    windows = Windowing(100, 20, min_coverage=0.6).cut(ramp(600, events=events))
    labels = dict(zip(firsts(windows), windows.index.label, strict=True))
    assert labels[240] == "rest"
    assert labels[260] == "fist"
    assert 580 not in labels
    half = Windowing(100, 50, min_coverage=0.5).cut(ramp(600, events=events))
    assert 250 in firsts(half)


def test_other_sources_moments_and_gaps_give_no_label():
    events = [
        Event(0.0, 0.4, "fist", "protocol"),
        Event(0.0, 0.6, "artefact", "annotation"),
        Event(0.5, 0.0, "beep", "protocol"),
        Event(0.4, 0.1, GAP, "protocol"),
    ]
    windows = Windowing(100, 100).cut(ramp(600, events=events))
    assert windows.index.label.tolist() == ["fist"] * 4
    by_annotation = Windowing(100, 100, label_sources=("annotation",)).cut(ramp(600, events=events))
    assert set(by_annotation.index.label) == {"artefact"}


def test_events_on_the_clock_of_a_crop_keep_their_windows():
    events = [Event(0.1 * k, 0.1, f"g{k}", "protocol") for k in range(10)]
    whole = ramp(1000, events=events)
    part = whole.crop(0.3, 0.8)
    cut = Windowing(100, 100).cut(part)
    assert cut.index.label.tolist() == [f"g{k}" for k in range(3, 8)]
    np.testing.assert_allclose(cut.index.start_s, 0.1 * np.arange(3, 8))


@settings(deadline=None)
@given(
    gap_start=st.integers(0, 480),
    gap_length=st.integers(0, 60),
    length=st.integers(2, 80),
    step=st.integers(1, 50),
)
def test_no_window_touches_a_gap_and_no_other_window_is_lost(gap_start, gap_length, length, step):
    gap_length = min(gap_length, 500 - gap_start)
    gap = Event(gap_start / 1000, gap_length / 1000, GAP, "reader")
    windows = Windowing(length, step, **FREE).cut(ramp(500, events=[gap]))
    grid = range(0, 500 - length + 1, step)
    gap_end = gap_start + gap_length
    clear = [f for f in grid if f + length <= gap_start or f >= gap_end]
    assert firsts(windows) == clear


def test_a_gap_beats_a_label():
    events = [Event(0.0, 0.6, "fist", "protocol"), Event(0.25, 0.01, GAP, "reader")]
    assert firsts(Windowing(100, 100).cut(ramp(600, events=events))) == [0, 100, 300, 400, 500]


@settings(deadline=None, max_examples=60)
@given(
    n_samples=st.integers(1, 400),
    cuts=st.lists(st.integers(0, 400), max_size=20),
    length=st.integers(1, 90),
    step=st.integers(1, 120),
    target=st.sampled_from(["", "force"]),
)
def test_live_windows_equal_offline_windows(n_samples, cuts, length, step, target):
    recording = ramp(n_samples, n_channels=3, force=True)
    windowing = Windowing(length, step, target_kind=target, **FREE)
    offline = windowing.cut(recording, labelled=False)
    state = windowing.start(recording.layout)
    chunks = np.split(recording.samples, sorted(min(c, n_samples) for c in cuts), axis=1)
    live, stops, seen = [], [], 0
    for chunk in chunks:
        values, stop = state.push(chunk)
        # A window comes with the chunk that completes it.
        assert ((stop > seen) & (stop <= seen + chunk.shape[1])).all()
        seen += chunk.shape[1]
        live.append(values.copy())
        stops.append(stop)
    np.testing.assert_array_equal(np.concatenate(live), offline.values)
    stop_s = np.concatenate(stops) / recording.fs_hz
    np.testing.assert_allclose(stop_s, offline.index.stop_s)
    assert stops[0].dtype == np.int64
    assert windowing.output_layout(recording.layout) == offline.layout


def test_windows_handed_out_live_do_not_change_afterwards():
    state = Windowing(10, 5, **FREE).start(ramp(10).layout)
    chunk = ramp(20).samples.copy()
    values, _ = state.push(chunk)
    before = values.copy()
    chunk[:] = -1
    state.push(chunk)
    np.testing.assert_array_equal(values, before)
    with pytest.raises(LayoutError, match=r"A chunk must be \(2 channels"):
        state.push(np.zeros((3, 4), dtype="f4"))


def test_a_target_channel_becomes_the_label_and_leaves_the_windows():
    recording = ramp(300, n_channels=3, force=True)
    windows = Windowing(100, 50, target_kind="force", **FREE).cut(recording)
    assert windows.layout.names == ("e0", "e1")
    np.testing.assert_allclose(windows.index.label, 2_000_049.5 + 50 * np.arange(5))
    assert windows.values.shape == (5, 2, 100)


def test_a_target_within_labelled_stretches_only():
    recording = ramp(
        300, n_channels=2, force=True, events=[Event(0.1, 0.1, "pull", "protocol", "4")]
    )
    windows = Windowing(50, 50, target_kind="force").cut(recording)
    np.testing.assert_allclose(windows.index.label, [1_000_124.5, 1_000_174.5])
    assert windows.index.trial.tolist() == ["4", "4"]


def test_unlabelled_cutting_ignores_labels_and_needs_no_target():
    recording = ramp(300, events=[Event(0.0, 0.1, "fist", "protocol")])
    windows = Windowing(100, 100, rest="drop", target_kind="force").cut(recording, labelled=False)
    assert firsts(windows) == [0, 100, 200]
    assert windows.index.label.tolist() == [""] * 3


def test_a_recording_shorter_than_a_window_has_none():
    for recording in (ramp(50), ramp(50, events=[Event(0.0, 0.05, "fist", "protocol")])):
        sources = ("protocol",) if recording.events else ()
        windows = Windowing(100, 50, label_sources=sources).cut(recording)
        assert windows.values.shape == (0, 2, 100)
        assert len(windows.index) == 0
    empty = Windowing(100, 50, target_kind="force", **FREE).cut(ramp(50, force=True))
    assert empty.index.label.dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"length_ms": 0, "step_ms": 10}, "length_ms must be above 0"),
        ({"length_ms": 10, "step_ms": -1}, "step_ms must be above 0"),
        ({"length_ms": 10, "step_ms": 10, "rest": "maybe"}, "rest must be one of"),
        ({"length_ms": 10, "step_ms": 10, "transition_ms": -5}, "transition_ms must be 0 or more"),
        ({"length_ms": 10, "step_ms": 10, "min_coverage": 1.5}, "min_coverage must be at most 1"),
        ({"length_ms": 10, "step_ms": 10, "min_coverage": 0}, "min_coverage must be above 0"),
        ({"length_ms": 10, "step_ms": 10, "target_kind": "grip"}, "target_kind must be one of"),
        ({"length_ms": 10, "step_ms": 10, "label_sources": "protocol"}, "must be a list of texts"),
    ],
)
def test_wrong_windowing_is_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Windowing(**arguments)


def test_windows_shorter_than_a_sample_are_refused():
    with pytest.raises(ParameterError, match=r"step_ms=2 ms is shorter than one sample at 200 Hz"):
        Windowing(100, 2, **FREE).cut(ramp(50, fs_hz=200.0))


def test_a_recording_without_labels_is_refused_with_the_way_out():
    with pytest.raises(DataError, match=r"no lasting event .* label_sources=\(\)"):
        Windowing(100, 50).cut(ramp(300))
    marked = ramp(300, events=[Event(0.0, 0.1, "fist", "annotation")])
    with pytest.raises(DataError, match=r"its events come from \['annotation'\]"):
        Windowing(100, 50).cut(marked)


def test_overlapping_labels_are_refused():
    events = [
        Event(0.0, 0.3, "fist", "protocol"),
        Event(0.05, 0.05, "open", "annotation"),
        Event(0.2, 0.2, "open", "protocol"),
    ]
    with pytest.raises(DataError, match=r"'fist' \(0-0.3 s\) and 'open' \(0.2-0.4 s\) overlap"):
        Windowing(100, 50).cut(ramp(600, events=events))
    touching = [Event(0.0, 0.3004, "a", "protocol"), Event(0.2999, 0.3, "b", "protocol")]
    assert len(Windowing(100, 100).cut(ramp(600, events=touching))) == 6


def test_a_missing_or_double_target_is_refused():
    windowing = Windowing(100, 50, target_kind="force", **FREE)
    with pytest.raises(LayoutError, match="needs exactly one channel of that kind"):
        windowing.cut(ramp(300))
    with pytest.raises(LayoutError, match="All channels are of kind 'force'"):
        windowing.cut(ramp(300, n_channels=1, force=True))


def test_a_window_shared_evenly_goes_to_the_earlier_event():
    events = [Event(0.0, 0.15, "a", "protocol"), Event(0.15, 0.15, "b", "protocol")]
    windows = Windowing(100, 100, min_coverage=0.5).cut(ramp(300, events=events))
    assert windows.index.label.tolist() == ["a", "a", "b"]
