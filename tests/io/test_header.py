"""The one text form of a recording's header."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import FormatError
from myograph.core.layout import KIND_UNITS, SIDES, Channel
from myograph.core.recording import Recording
from myograph.io.header import (
    Header,
    channel_from_text,
    channel_to_text,
    headers_from_text,
    headers_to_text,
)

words = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=12).map(
    lambda text: text.replace(";", "").strip()
)
places = st.none() | st.tuples(*[st.integers(-999, 999).map(lambda n: n / 4)] * 3)
channels = st.builds(
    Channel, st.just("a"), st.sampled_from(list(KIND_UNITS)), words, st.sampled_from(SIDES), places
)


def test_everything_but_the_samples_survives(full: Recording) -> None:
    text = headers_to_text({"": Header.of(full)})
    assert text.isascii()
    assert "\n" not in text
    back = headers_from_text(text, where="x")[""]
    assert back == Header.of(full)
    assert back.recording(full.samples) == full


@given(channels)
def test_a_channel_survives_a_field_wide_enough(channel: Channel) -> None:
    assert channel_from_text(channel_to_text(channel, width=80), name="a") == channel


@given(channels, st.integers(16, 80))
def test_a_narrow_field_never_says_something_wrong(channel: Channel, width: int) -> None:
    text = channel_to_text(channel, width=width)
    assert len(text) <= width
    back = channel_from_text(text, name="a")
    assert back is not None
    assert back.kind == channel.kind
    assert back.side in ("", channel.side)
    assert back.position_mm in (None, channel.position_mm)


@pytest.mark.parametrize("text", ["", "AgAgCl electrode", "semg; a; middle", "semg; a; ; 1,2 mm"])
def test_words_of_others_are_not_taken_for_a_channel(text: str) -> None:
    assert channel_from_text(text, name="a") is None


def altered(full: Recording, change: dict[str, Any]) -> str:
    data = json.loads(headers_to_text({"": Header.of(full)}))
    data["members"][""].update(change)
    return json.dumps(data)


@pytest.mark.parametrize(
    "change",
    [
        {"layout": {"fs_hz": -1, "channels": []}},
        {"layout": None},
        {"events": [{"onset_s": 1}]},
        {"events": 7},
        {"subject": {"pseudonym": ""}},
        {"subject": {"name": "Jane"}},
        {"started_at": "yesterday"},
        {"start_s": "soon"},
        {"n_samples": None},
        {"recipe": {}},
    ],
    ids=str,
)
def test_a_damaged_header_is_refused(full: Recording, change: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match=r"a file: the Myograph header (is damaged|breaks)"):
        headers_from_text(altered(full, change), where="a file")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}", '{"myograph": 1, "members": {}}'])
def test_text_that_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="a file: the Myograph header is damaged"):
        headers_from_text(text, where="a file")


def test_a_newer_header_is_refused() -> None:
    with pytest.raises(
        FormatError, match=r"header version 2; this Myograph reads up to 1\. Update"
    ):
        headers_from_text('{"myograph": 2, "members": {}}', where="a file")
