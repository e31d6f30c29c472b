"""LibEMG: lists of arrays (n_samples, n_channels), attributes (n_samples, 1)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.io.bridges import from_libemg, to_libemg

LAYOUT = Layout(100.0, (Channel("a", "semg"), Channel("b", "semg")))


def record(*events: Event, subject: str = "p1", n_samples: int = 100) -> Recording:
    samples = np.arange(2.0 * n_samples).reshape(2, n_samples)
    return Recording(samples, LAYOUT, events=events, subject=Subject(subject), session="1")


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_there_and_back_keeps_samples_people_and_protocol(
    seed: int, draw_recording: Callable[..., Recording]
) -> None:
    recording = draw_recording(seed)
    (back,) = from_libemg(to_libemg([recording]))
    np.testing.assert_array_equal(back.samples, recording.samples)
    assert back.layout == recording.layout
    assert (back.subject and back.subject.pseudonym) == (
        recording.subject and recording.subject.pseudonym
    )
    assert back.session == recording.session
    protocol = [e for e in recording.events if e.source == "protocol"]
    assert [
        (e.onset_s + recording.start_s, e.duration_s, e.label, e.trial) for e in back.events
    ] == [(e.onset_s, e.duration_s, e.label, e.trial) for e in protocol]


def test_structure_is_the_one_of_the_offline_data_handler() -> None:
    first = record(Event(0.2, 0.5, "fist", "protocol", "1"), subject="p1")
    second = record(Event(0.0, 1.0, "rest", "protocol", "1"), subject="p2")
    handler = to_libemg([first, second]).fill(SimpleNamespace())
    assert [d.shape for d in handler.data] == [(100, 2), (100, 2)]
    assert handler.extra_attributes == ["classes", "reps", "subjects", "sessions"]
    for name in handler.extra_attributes:
        assert [a.shape for a in getattr(handler, name)] == [(100, 1), (100, 1)]
        assert all(a.dtype.kind == "i" for a in getattr(handler, name))
    assert np.unique(handler.subjects[1]).tolist() == [1]


def test_samples_without_a_class_have_the_last_number() -> None:
    data = to_libemg([record(Event(0.2, 0.5, "fist", "protocol", "1"))])
    assert data.names["classes"] == ("fist", "")
    classes = data.attributes["classes"][0][:, 0]
    assert classes[:20].tolist() == [1] * 20
    assert classes[20:70].tolist() == [0] * 50


def test_windows_of_libemg_have_its_shape() -> None:
    """LibEMG cuts ``data[i][start:start + size]`` and turns it: channels before samples."""
    data = to_libemg([record()]).data[0]
    np.testing.assert_array_equal(data[10:20].T, record().samples[:, 10:20])


def test_a_handler_from_elsewhere() -> None:
    handler = SimpleNamespace(
        data=[np.zeros((6, 2)), np.ones((4, 2))],
        classes=[np.array([[0], [0], [0], [1], [1], [1]]), np.array([2])],
        subjects=[np.full((6, 1), 0), np.full((4, 1), 1)],
        extra_attributes=["classes", "subjects"],
    )
    names = {"classes": ("rest", "fist", "point"), "subjects": ("ann", "bob")}
    first, second = from_libemg(handler, layout=LAYOUT, names=names)
    assert [(e.onset_s, e.label) for e in first.events] == [(0.0, "rest"), (0.03, "fist")]
    assert [(e.duration_s, e.label) for e in second.events] == [(0.04, "point")]
    assert second.subject == Subject("bob")
    (unnamed, _) = from_libemg(handler, layout=LAYOUT)
    assert [e.label for e in unnamed.events] == ["0", "1"]


def test_refusals() -> None:
    with pytest.raises(DataError, match="at least one recording"):
        to_libemg([])
    with pytest.raises(DataError, match=r"'fist' and 'rest' overlap at 0.4 s.*label_sources"):
        to_libemg(
            [record(Event(0.2, 0.5, "fist", "protocol"), Event(0.4, 0.1, "rest", "protocol"))]
        )
    other = Recording(np.zeros((2, 9)), Layout(200.0, LAYOUT.channels))
    with pytest.raises(LayoutError, match=r"Recording 1 does not fit.*200 Hz; 100 Hz"):
        to_libemg([record(), other])
    handler = SimpleNamespace(data=[np.zeros((6, 3))])
    with pytest.raises(LayoutError, match=r"neither its sampling rate.*layout="):
        from_libemg(handler)
    with pytest.raises(LayoutError, match=r"data\[0\] has shape \(6, 3\)"):
        from_libemg(handler, layout=LAYOUT)
    handler = SimpleNamespace(data=[np.zeros((6, 2))], classes=[np.zeros((5, 1))])
    with pytest.raises(DataError, match=r"classes\[0\] has 5 values for 6 samples"):
        from_libemg(handler, layout=LAYOUT)
    handler.classes = [np.full((6, 1), 4)]
    with pytest.raises(DataError, match=r"classes\[0\] holds the numbers \[4\]"):
        from_libemg(handler, layout=LAYOUT, names={"classes": ("rest",)})
