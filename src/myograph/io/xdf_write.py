"""Write XDF: each member of a set as one stream of 32-bit floats, all on the recording's clock."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

import numpy as np

from myograph.core.layout import Channel
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io.header import Header, headers_to_text, members_of

__all__ = ["FILE_HEADER", "OWN", "SAMPLES", "STREAM_FOOTER", "STREAM_HEADER", "save_xdf"]

#: Tags of the chunks.
FILE_HEADER, STREAM_HEADER, SAMPLES, STREAM_FOOTER = 1, 2, 3, 6

#: Element of a stream's description that holds our own header.
OWN = "myograph"

_CHUNK_SAMPLES = 1 << 16

_TYPES = {"semg": "EMG", "hdemg": "EMG", "needle": "EMG", "eeg": "EEG", "ecg": "ECG"}


def save_xdf(recording: Recording | RecordingSet, path: Path) -> None:
    """Write a recording or a set; events also go into a stream of markers, for other readers."""
    members = members_of(recording)
    with path.open("wb") as file:
        file.write(b"XDF:")
        _write_chunk(file, FILE_HEADER, b"<info><version>1.0</version></info>")
        for number, (name, member) in enumerate(members.items(), start=1):
            _write_chunk(file, STREAM_HEADER, _stream_header(name, member).encode(), number)
            _write_samples(file, number, member)
            _write_chunk(file, STREAM_FOOTER, _footer(member).encode(), number)
        events = sorted({event for member in members.values() for event in member.events})
        if events:
            _write_markers(file, len(members) + 1, events)


def _write_chunk(file: BinaryIO, tag: int, content: bytes, stream: int | None = None) -> None:
    body = struct.pack("<H", tag) + (b"" if stream is None else struct.pack("<I", stream)) + content
    file.write(_length(len(body)) + body)


def _length(number: int) -> bytes:
    """Return a number in XDF's form: how many bytes it takes, then the bytes."""
    if number < 1 << 8:
        return struct.pack("<BB", 1, number)
    return struct.pack("<BI", 4, number) if number < 1 << 32 else struct.pack("<BQ", 8, number)


def _stream_header(name: str, member: Recording) -> str:
    channels = "".join(
        f"<channel><label>{_text(c.name)}</label><unit>{_text(_unit(c))}</unit>"
        f"<type>{_TYPES.get(c.kind, c.kind)}</type></channel>"
        for c in member.layout.channels
    )
    kinds = {_TYPES.get(c.kind, c.kind) for c in member.layout.channels}
    own = headers_to_text({name: Header.of(member, exact=True)})
    return (
        f"<info><name>{_text(name or 'myograph')}</name>"
        f"<type>{kinds.pop() if len(kinds) == 1 else 'Mixed'}</type>"
        f"<channel_count>{member.n_channels}</channel_count>"
        f"<nominal_srate>{member.fs_hz!r}</nominal_srate>"
        "<channel_format>float32</channel_format>"
        f"<desc><channels>{channels}</channels><{OWN}>{_text(own)}</{OWN}></desc></info>"
    )


def _unit(channel: Channel) -> str:
    return "microvolts" if channel.unit == "uV" else channel.unit


def _text(text: str) -> str:
    """Return text as XML allows it: no control characters, nothing that opens a tag."""
    return escape(re.sub(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]", " ", text))


def _footer(member: Recording) -> str:
    last_s = member.start_s + (member.n_samples - 1) / member.fs_hz
    return (
        f"<info><first_timestamp>{member.start_s!r}</first_timestamp>"
        f"<last_timestamp>{last_s!r}</last_timestamp>"
        f"<sample_count>{member.n_samples}</sample_count></info>"
    )


def _write_samples(file: BinaryIO, stream: int, member: Recording) -> None:
    """Write chunks whose first sample carries its time; the others follow at the rate."""
    row = np.dtype([("stamp_bytes", "u1"), ("values", "<f4", (member.n_channels,))])
    for first in range(0, member.n_samples, _CHUNK_SAMPLES):
        block = member.samples[:, first : first + _CHUNK_SAMPLES].T
        rows = np.zeros(len(block), row)
        rows["values"] = block
        stamp = struct.pack("<Bd", 8, member.start_s + first / member.fs_hz)
        content = _length(len(rows)) + stamp + rows.tobytes()[1:]  # in place of the first 0
        _write_chunk(file, SAMPLES, content, stream)


def _write_markers(file: BinaryIO, stream: int, events: list[Event]) -> None:
    header = (
        "<info><name>events</name><type>Markers</type><channel_count>1</channel_count>"
        "<nominal_srate>0</nominal_srate><channel_format>string</channel_format>"
        f"<desc><{OWN}>events</{OWN}></desc></info>"
    )
    _write_chunk(file, STREAM_HEADER, header.encode(), stream)
    content = _length(len(events))
    for event in events:
        label = event.label.encode(errors="replace")
        content += struct.pack("<Bd", 8, event.onset_s) + _length(len(label)) + label
    _write_chunk(file, SAMPLES, content, stream)
    _write_chunk(file, STREAM_FOOTER, b"<info></info>", stream)
