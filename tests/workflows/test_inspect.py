"""Inspect: what is in a recording, and every defect that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph import write
from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.workflows.inspect import describe, inspect, quality

Make = Callable[..., Recording]


def _said(recording: Recording) -> dict[str, tuple[tuple[str, ...], str]]:
    return {r.what: (r.channels, r.text) for r in describe(recording).remarks}


def test_facts(make_recording: Make) -> None:
    found = describe(make_recording(duration_s=4.0, n_channels=3))
    assert found.fs_hz == 1000.0
    assert found.n_samples == 4000
    assert found.events == {"rest": (2, 2.0), "fist": (2, 2.0)}
    assert found.trials == 2
    assert [channel["unit"] for channel in found.channels] == ["uV"] * 3
    assert found.remarks == ()


def test_flat_and_clipped_channels(make_recording: Make) -> None:
    recording = make_recording(n_channels=3)
    samples = recording.samples.copy()
    samples[0] = 7.0
    samples[1] = np.clip(samples[1], -60, 60)
    samples[2, 500:1500] = samples[2, 500]
    said = describe(replace(recording, samples=samples)).remarks
    assert [(r.what, r.channels) for r in said] == [
        ("flat", ("emg1",)),
        ("clipping", ("emg2",)),
        ("flat", ("emg3",)),
    ]
    assert said[0].text == "does not change: 7 throughout"
    assert said[2].text == "1 s without any change"


def test_sample_and_hold(make_recording: Make) -> None:
    recording = make_recording(n_channels=4, duration_s=4.0)
    held = np.repeat(recording.samples[:, ::5], 5, axis=1)
    channels, text = _said(replace(recording, samples=held))["sample-and-hold"]
    assert channels == recording.layout.names
    assert "80 % of the samples repeat the one before" in text
    assert "new values arrive at about 200 Hz" in text


def test_copied_channels(make_recording: Make) -> None:
    recording = make_recording(n_channels=3)
    samples = recording.samples.copy()
    samples[2] = samples[0]
    assert _said(replace(recording, samples=samples))["same signal"][0] == ("emg1", "emg3")


def test_gaps(make_recording: Make) -> None:
    recording = make_recording().with_events([Event(0.5, 0.25, GAP), Event(2.0, 0.25, GAP)])
    assert _said(recording)["gap"][1] == "2 gaps, 0.5 s in all, were never measured"


def test_a_trigger_may_rest(make_recording: Make) -> None:
    recording = make_recording(n_channels=2)
    layout = Layout(1000.0, (Channel("emg1", kind="semg"), Channel("trig", kind="trigger")))
    samples = recording.samples.copy()
    samples[1] = 0
    assert _said(replace(recording, samples=samples, layout=layout)) == {}


def test_equal_samples_under_two_names(make_recording: Make, tmp_path: Path) -> None:
    first, other = make_recording(), make_recording()
    write(first, tmp_path / "a.myo")
    write(first, tmp_path / "b.npz")
    write(other, tmp_path / "c.myo")
    found = inspect([tmp_path])
    assert found.duplicates == ((str(tmp_path / "a.myo"), str(tmp_path / "b.npz")),)


def test_the_only_file_raises_and_one_of_several_is_told(
    make_recording: Make, tmp_path: Path
) -> None:
    write(make_recording(), tmp_path / "a.myo")
    (tmp_path / "b.edf").write_bytes(b"not an EDF file")
    with pytest.raises(FormatError, match=r"b\.edf is none of the formats"):
        inspect([tmp_path / "b.edf"])
    found = inspect([tmp_path / "a.myo", tmp_path / "b.edf"])
    assert [file.path.name for file in found.failed] == ["b.edf"]
    assert "is none of the formats" in found.failed[0].error


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no files"):
        inspect([tmp_path])


def test_quality_needs_muscle(make_recording: Make, tmp_path: Path) -> None:
    layout = Layout(1000.0, (Channel("knee", kind="angle"),))
    write(replace(make_recording(n_channels=1), layout=layout), tmp_path / "knee.myo")
    with pytest.raises(DataError, match="no muscle channel"):
        quality(tmp_path / "knee.myo")
