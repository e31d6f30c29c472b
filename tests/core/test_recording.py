from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording, RecordingSet, Subject

FS_HZ = 500.0


def recording_of(samples, *, events=(), start_s=0.0, fs_hz=FS_HZ, subject="p01"):
    channels = tuple(Channel(f"e{i}", kind="semg") for i in range(len(samples)))
    return Recording(
        np.asarray(samples),
        Layout(fs_hz, channels),
        events=events,
        subject=Subject(subject),
        start_s=start_s,
    )


@pytest.fixture
def recording(rng):
    events = (Event(0.2, 0.3, "fist", "protocol", "1"), Event(0.7, 0.0, "beep"))
    return recording_of(rng.standard_normal((2, 500)), events=events)


# --- samples -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f8", "f4", "i2", "u1", ">f4"])
def test_samples_are_float32_whatever_was_given(dtype):
    recording = recording_of(np.arange(6).reshape(2, 3).astype(dtype))
    assert recording.samples.dtype == np.float32
    assert recording.samples.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_samples_are_read_only_and_the_given_array_stays_the_callers():
    mine = np.zeros((1, 4), dtype=np.float32)
    recording = recording_of(mine)
    with pytest.raises(ValueError, match="read-only"):
        recording.samples[0, 0] = 1
    mine[0, 0] = 1  # still writable, and no longer what was recorded
    assert recording.samples[0, 0] == 0


def test_a_recording_is_frozen(recording):
    for name in ("samples", "layout", "events", "subject", "start_s", "recipe"):
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(recording, name, None)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        (np.zeros(5), DataError, r"must be 2-D .* got shape \(5,\)"),
        (np.zeros((1, 2, 3)), DataError, "must be 2-D"),
        (np.zeros((2, 0)), DataError, "is empty"),
        ([["a", "b"]], DataError, "array of numbers"),
        ([[1.0, np.nan]], DataError, "1 non-finite .* the first at sample 1 of row 0"),
        ([[0.0, 0.0], [np.inf, -np.inf]], DataError, r"2 non-finite .* rows \[1\]"),
        ([[1e39]], DataError, "non-finite"),
    ],
)
def test_unusable_samples_are_refused(samples, error, message):
    with pytest.raises(error, match=message):
        Recording(samples, Layout(FS_HZ, (Channel("a", kind="semg"),)))


def test_infinities_that_cancel_are_still_found():
    with pytest.raises(DataError, match="2 non-finite"):
        recording_of([[np.inf, -np.inf, 0.0]])


def test_there_is_one_row_per_channel():
    with pytest.raises(LayoutError, match=r"names 1 channels \['a'\]; samples has 2 rows"):
        Recording(np.zeros((2, 3)), Layout(FS_HZ, (Channel("a", kind="semg"),)))


# --- events --------------------------------------------------------------------


def test_events_are_sorted_and_inside():
    events = [Event(0.5, 0.1, "b"), Event(0.1, 0.1, "a")]
    assert [e.label for e in recording_of(np.zeros((1, 500)), events=events).events] == ["a", "b"]
    for event in (Event(-0.1, 0.05, "x"), Event(0.9, 0.2, "x")):
        with pytest.raises(DataError, match=r"Event 'x' at .* lies outside the recording"):
            recording_of(np.zeros((1, 500)), events=[event])
    # Writers round to their own clock: one sample is forgiven.
    recording_of(np.zeros((1, 500)), events=[Event(0.5, 0.5 + 1 / FS_HZ, "x")])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_events_have_finite_times(bad):
    with pytest.raises(ParameterError, match="must be finite"):
        Event(bad, 0.1, "x")
    with pytest.raises(ParameterError, match="must be finite"):
        Event(0.0, bad, "x")
    with pytest.raises(ParameterError, match="must be 0 or more"):
        Event(0.0, -0.1, "x")


# --- crop ----------------------------------------------------------------------


@settings(deadline=None)
@given(
    first=st.integers(0, 498),
    length=st.integers(1, 500),
    start_s=st.sampled_from([0.0, 12.5, -3.0]),
)
def test_crop_keeps_the_clock(first, length, start_s):
    samples = np.arange(500.0)[None]
    gap = Event(start_s + 0.4, 0.2, GAP, "reader")
    recording = recording_of(samples, events=[gap], start_s=start_s)
    last = min(first + length, 500)
    part = recording.crop(start_s + first / FS_HZ, start_s + last / FS_HZ)
    # Every sample is at the time it was at before.
    assert part.samples[0, 0] == first
    assert part.n_samples == last - first
    assert part.start_s == pytest.approx(start_s + first / FS_HZ)
    assert part.end_s == pytest.approx(start_s + last / FS_HZ)
    inside = min(last, 300) - max(first, 200)
    if inside > 0:
        (kept,) = part.events
        assert kept.duration_s * FS_HZ == pytest.approx(inside)
        assert kept.onset_s == pytest.approx(max(gap.onset_s, part.start_s))
    else:
        assert part.events == ()


def test_cropping_twice_is_cropping_once(recording):
    twice = recording.crop(0.1, 0.9).crop(0.3, 0.6)
    once = recording.crop(0.3, 0.6)
    np.testing.assert_array_equal(twice.samples, once.samples)
    assert twice.start_s == pytest.approx(once.start_s)
    for one, other in zip(once.events, twice.events, strict=True):
        assert other.onset_s == pytest.approx(one.onset_s)
        assert other.duration_s == pytest.approx(one.duration_s)


def test_a_moment_stays_where_it_is(recording):
    assert [e.label for e in recording.crop(0.7, 0.9).events] == ["beep"]
    assert [e.label for e in recording.crop(0.5, 0.7).events] == []


@pytest.mark.parametrize(("start_s", "stop_s"), [(0.5, 0.5), (0.6, 0.5), (-1, 0.5), (0.5, 9)])
def test_impossible_crops_are_refused(recording, start_s, stop_s):
    with pytest.raises(ParameterError, match="crop needs 0 <= start_s < stop_s <= 1"):
        recording.crop(start_s, stop_s)


# --- provenance ----------------------------------------------------------------


def test_equal_samples_under_two_names_share_a_digest(rng):
    samples = rng.standard_normal((2, 100)).astype("f4")
    one, other = recording_of(samples, subject="p01"), recording_of(samples.copy(), subject="p02")
    assert one.source_digest == other.source_digest
    changed = samples.copy()
    changed[1, 99] = np.nextafter(changed[1, 99], np.inf)
    assert recording_of(changed).source_digest != one.source_digest
    assert recording_of(samples, fs_hz=501.0).source_digest != one.source_digest
    assert recording_of(samples.reshape(1, 200)).source_digest != one.source_digest


def test_what_is_derived_remembers_its_source_and_every_step(recording):
    source = recording.source_digest
    derived = recording.with_samples(
        recording.samples * 2, step="double", parameters={"by": 2}, version=3
    )
    cropped = derived.crop(0.1, 0.5).select(["e1"])
    assert derived.source_digest == cropped.source_digest == source
    assert [step.step for step in cropped.recipe.steps] == ["double", "crop", "select"]
    assert cropped.recipe.steps[0].version == 3
    assert recording.recipe.steps == ()
    assert derived.recipe.digest() != recording.recipe.digest()


def test_selecting_everything_changes_nothing(recording):
    assert recording.select(kinds=["semg"]) is recording
    assert recording.select(["e1", "e0"]).layout.names == ("e1", "e0")
    with pytest.raises(LayoutError, match="No channel is left"):
        recording.select(kinds=["eeg"])
    with pytest.raises(LayoutError, match="channel must be one of"):
        recording.select(["e9"])


def test_equality_is_that_of_samples_and_of_everything_known(recording):
    same = replace(recording, samples=recording.samples.copy())
    assert same == recording
    assert hash(same) == hash(recording)
    assert replace(recording, session="2") != recording
    assert recording.with_events(()) != recording
    assert recording_of(recording.samples + 1, events=recording.events) != recording
    assert recording != "recording"


def test_repr_tells_recordings_apart(recording):
    assert repr(recording) == (
        "<Recording 2 channels x 500 samples, 500 Hz, 1 s, 2 events, subject 'p01'>"
    )


def test_the_wall_clock_is_kept(recording):
    when = datetime(2024, 5, 17, 9, 30, tzinfo=UTC)
    assert replace(recording, started_at=when).crop(0.2, 0.4).started_at == when


# --- people and sets -----------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pseudonym": ""}, "needs a pseudonym"),
        ({"pseudonym": "p", "sex": "f"}, "sex must be one of"),
        ({"pseudonym": "p", "handedness": "ambi"}, "handedness must be one of"),
        ({"pseudonym": "p", "age_years": -3}, "age_years must be above 0"),
        ({"pseudonym": "p", "height_cm": float("nan")}, "height_cm must be finite"),
    ],
)
def test_impossible_people_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Subject(**arguments)


def test_a_set_is_one_person_on_one_clock(rng):
    emg = recording_of(rng.standard_normal((2, 1000)), start_s=1.0)
    imu = recording_of(rng.standard_normal((3, 100)), fs_hz=50.0, start_s=1.0)
    both = RecordingSet({"emg": emg, "imu": imu})
    part = both.crop(1.5, 2.5)
    assert [part[name].n_samples for name in part] == [500, 50]
    assert {part[name].start_s for name in part} == {1.5}
    assert len(both) == 2
    with pytest.raises(ParameterError, match=r"member must be one of \['emg', 'imu'\]"):
        both["eeg"]
    with pytest.raises(DataError, match=r"one person on one clock; got \['p01', 'p02'\]"):
        RecordingSet({"a": emg, "b": recording_of(np.zeros((1, 5)), subject="p02")})
    with pytest.raises(DataError, match="at least one recording"):
        RecordingSet({})
