"""MNE: out in volts, back in microvolts, nothing lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import FormatError, LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.io.bridges import from_mne, to_mne
from myograph.io.bridges.mne import MNE_TYPES

mne = pytest.importorskip("mne")


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_there_and_back_is_the_same_recording(
    seed: int, draw_recording: Callable[..., Recording]
) -> None:
    recording = draw_recording(seed)
    assert from_mne(to_mne(recording)) == recording


def test_recording_has_the_doors(draw_recording: Callable[..., Recording]) -> None:
    recording = draw_recording(3)
    assert Recording.from_mne(recording.to_mne()) == recording


def test_biopotentials_leave_in_volts_and_the_rest_as_it_is() -> None:
    layout = Layout(1000.0, (Channel("TA", "semg"), Channel("F", "force")))
    raw = to_mne(Recording(np.array([[1.0, -2.0], [30.0, 40.0]]), layout))
    np.testing.assert_allclose(raw.get_data(), [[1e-6, -2e-6], [30.0, 40.0]], rtol=1e-12)
    assert raw.get_channel_types() == ["emg", "misc"]


def test_counts_are_no_volts() -> None:
    raw = to_mne(
        Recording(np.array([[7.0]]), Layout(200.0, (Channel("m", "semg", scale="count"),)))
    )
    assert raw.get_channel_types() == ["misc"]
    assert raw.get_data().item() == 7.0


@pytest.mark.parametrize("kind", KIND_UNITS)
def test_every_kind_has_a_type_that_mne_knows(kind: str) -> None:
    assert mne.create_info(["a"], 100.0, [MNE_TYPES[kind]]).get_channel_types() == [MNE_TYPES[kind]]


def test_a_gap_is_what_mne_leaves_out() -> None:
    layout = Layout(100.0, (Channel("TA", "semg"),))
    raw = to_mne(Recording(np.zeros((1, 100)), layout, events=(Event(0.25, 0.5, GAP),)))
    assert raw.annotations.description.tolist() == ["BAD_ACQ_SKIP"]
    assert raw.get_data(reject_by_annotation="omit", verbose="error").shape == (1, 50)


def test_positions_are_in_metres() -> None:
    layout = Layout(100.0, (Channel("TA", "semg", position_mm=(10.0, -20.0, 0.5)),))
    raw = to_mne(Recording(np.zeros((1, 9)), layout))
    np.testing.assert_allclose(raw.info["chs"][0]["loc"][:3], [0.01, -0.02, 0.0005])


def test_a_detour_through_a_file_keeps_everything(
    tmp_path: Path, draw_recording: Callable[..., Recording]
) -> None:
    recording = draw_recording(11)
    to_mne(recording).save(tmp_path / "a_raw.fif", fmt="double", verbose="error")
    back = from_mne(mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="error"))
    np.testing.assert_array_equal(back.samples, recording.samples)
    assert back.layout == recording.layout
    assert back.subject == recording.subject
    assert [(e.label, e.source, e.trial) for e in back.events] == [
        (e.label, e.source, e.trial) for e in recording.events
    ]


def test_what_mne_changed_says_so(draw_recording: Callable[..., Recording]) -> None:
    recording = draw_recording(5, kinds=("semg",))
    raw = to_mne(recording)
    raw.apply_function(lambda x: -x, picks="all", verbose="error")
    back = from_mne(raw)
    np.testing.assert_array_equal(back.samples, -recording.samples)
    assert str(back.recipe) == "changed(in=mne)"
    assert back.source_digest == recording.source_digest


def test_cropping_in_mne_keeps_the_clock() -> None:
    layout = Layout(100.0, (Channel("TA", "semg"),))
    started = datetime(2024, 1, 1, tzinfo=UTC)
    whole = Recording(
        np.arange(200.0)[None],
        layout,
        events=(Event(3.0, 0.5, "fist"),),
        started_at=started,
        start_s=2.0,
    )
    back = from_mne(to_mne(whole).crop(0.5, 1.5, include_tmax=False, verbose="error"))
    assert back.start_s == pytest.approx(2.5)
    assert back.started_at == started
    assert (back.events[0].onset_s, back.events[0].duration_s) == pytest.approx((3.0, 0.5))
    np.testing.assert_array_equal(back.samples, whole.crop(2.5, 3.5).samples)


def test_a_recording_of_mne_itself() -> None:
    info = mne.create_info(["TA", "Cz", "grip"], 500.0, ["emg", "eeg", "misc"])
    info["subject_info"] = {"his_id": "p7", "sex": 2, "hand": 1, "height": 1.7, "weight": 60.0}
    raw = mne.io.RawArray(np.full((3, 50), 2.0), info, first_samp=100, verbose="error")
    raw.set_annotations(mne.Annotations([0.02], [0.04], ["fist"]))
    found = from_mne(raw, kinds={"grip": "force", "TA": "needle"})
    assert [c.kind for c in found.layout.channels] == ["needle", "eeg", "force"]
    assert found.samples[:, 0].tolist() == [2e6, 2e6, 2.0]
    assert found.start_s == pytest.approx(0.2)
    assert found.events[0].onset_s == pytest.approx(0.22)
    assert found.subject is not None
    assert (found.subject.sex, found.subject.handedness) == ("female", "right")
    assert found.subject.height_cm == pytest.approx(170.0)


def test_a_type_that_says_nothing_is_refused() -> None:
    info = mne.create_info(["grip"], 500.0, ["misc"])
    raw = mne.io.RawArray(np.zeros((1, 50)), info, verbose="error")
    with pytest.raises(LayoutError, match=r"'grip' has MNE's type 'misc'.*kinds=\{'grip'"):
        from_mne(raw)
    with pytest.raises(ParameterError, match="kind of channel 'grip' must be one of"):
        from_mne(raw, kinds={"grip": "strength"})


def test_a_damaged_passport_is_refused(draw_recording: Callable[..., Recording]) -> None:
    raw = to_mne(draw_recording(1))
    raw.info["description"] = raw.info["description"][:100]
    with pytest.raises(FormatError, match=r"raw.info\[.description.\].*damaged"):
        from_mne(raw)


def test_a_new_date_in_mne_wins(draw_recording: Callable[..., Recording]) -> None:
    recording = replace(draw_recording(2), started_at=datetime(2024, 1, 1, tzinfo=UTC))
    raw = to_mne(recording)
    later = raw.info["meas_date"] + timedelta(days=1)
    raw.set_meas_date(later)
    assert from_mne(raw).started_at == datetime(2024, 1, 2, tzinfo=UTC)
