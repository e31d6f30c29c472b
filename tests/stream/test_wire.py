"""Frames arrive as they were sent, or not at all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import FormatError
from myograph.core.layout import Channel, Layout
from myograph.stream.wire import FrameReader, frame, hello, layout_from_hello, read_frame


@given(
    shapes=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 30)), min_size=1, max_size=5),
    noise=st.lists(st.binary(max_size=12), min_size=6, max_size=6),
    cuts=st.lists(st.integers(0, 3000), max_size=10),
)
@settings(deadline=None, max_examples=60)
def test_frames_are_found_in_any_stream_cut_anywhere(shapes, noise, cuts):
    sent, content = [], noise[0]
    for k, (channels, samples) in enumerate(shapes):
        values = np.arange(channels * samples, dtype=np.float32).reshape(channels, samples) + k
        sent.append(values)
        content += frame(values, first=100 * k, time_s=float(k)) + noise[k + 1]
    content += bytes(3)
    reader, found = FrameReader(), []
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    for a, b in itertools.pairwise(edges):
        found += list(reader.push(content[a:b]))
    whole = [one for one in found if any(np.array_equal(one.samples, s) for s in sent)]
    # Noise that looks like the front of a frame may hide one, and never makes one up.
    assert len(whole) == len(found) >= len(sent) - 1
    assert [one.first for one in found] == sorted(one.first for one in found)


def test_counts_travel_as_integers():
    sent = frame(np.array([[-5, 7], [32767, -32768]]), counts=True, first=3)
    back = read_frame(sent)
    assert len(sent) == 24 + 8 + 4
    np.testing.assert_array_equal(back.samples, [[-5, 7], [32767, -32768]])
    assert (back.first, np.isnan(back.time_s)) == (3, True)


@pytest.mark.parametrize("place", [0, 5, 30, -1])
def test_a_damaged_frame_is_refused(place):
    content = bytearray(frame(np.ones((2, 3)), first=0))
    content[place] ^= 0xFF
    with pytest.raises(FormatError, match=r"damaged on its way|A frame of samples was expected"):
        read_frame(bytes(content))
    reader = FrameReader()
    assert list(reader.push(bytes(content) + frame(np.ones((1, 1)), first=9)))[-1].first == 9


@pytest.mark.parametrize("content", [b"", b"hello", b"MYOF" + bytes(20), bytes(1000)])
def test_what_is_no_frame_is_refused(content):
    with pytest.raises(FormatError, match=r"A frame of samples was expected"):
        read_frame(content)


def test_the_hello_carries_the_layout():
    layout = Layout(2000.0, (Channel("TA", kind="semg", side="left"),))
    assert layout_from_hello(hello(layout), where="x") == layout


@pytest.mark.parametrize(
    "text", ["", "hi", "{}", '{"layout": 3}', '{"layout": {"fs_hz": 1}}', "[]"]
)
def test_another_hello_is_refused(text):
    with pytest.raises(FormatError, match=r"arm should first say what it sends"):
        layout_from_hello(text, where="arm")


def test_a_hello_that_breaks_a_rule_is_refused():
    with pytest.raises(FormatError, match=r"arm describes what it sends wrongly.*fs_hz must be"):
        layout_from_hello('{"layout": {"fs_hz": -1, "channels": []}}', where="arm")
