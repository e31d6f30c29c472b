"""Wire: samples as bytes, the same over serial lines, sockets and brokers.

A frame is 24 bytes (``MYOF`` or ``MYOI``, channels, samples per channel, number of the first
sample, time of the last one), the samples channel by channel as float32 or int16, and a CRC-32 of
all that. Little-endian throughout. Before the first frame of a connection that can carry text goes
a hello: JSON with the layout.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError, MyographError
from myograph.core.layout import Layout

__all__ = ["Frame", "FrameReader", "frame", "hello", "layout_from_hello", "read_frame"]

_FRONT = struct.Struct("<4sHHqd")
_CRC = struct.Struct("<I")
_WHOLE = 0x2144DF1C
_TYPES: dict[bytes, np.dtype[Any]] = {b"MYOF": np.dtype("<f4"), b"MYOI": np.dtype("<i2")}
_MOST_CHANNELS, _MOST_SAMPLES = 1024, 16384


class Frame(NamedTuple):
    """Samples that travelled together.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_channels, n_new)
    first : int
        Number of the first sample; -1 when the sender does not count.
    time_s : float
        Of the last sample, on the sender's clock; NaN when unknown.
    """

    samples: NDArray[np.float32]
    first: int
    time_s: float


def frame(
    samples: NDArray[Any], *, first: int = -1, time_s: float = math.nan, counts: bool = False
) -> bytes:
    """Return samples (n_channels, n_new) as one frame; ``counts`` sends int16.

    Examples
    --------
    >>> sent = frame(np.array([[1.0, 2.0]]), first=7)
    >>> read_frame(sent).samples.tolist(), read_frame(sent).first
    ([[1.0, 2.0]], 7)
    """
    mark = b"MYOI" if counts else b"MYOF"
    values = np.ascontiguousarray(samples, dtype=_TYPES[mark])
    content = _FRONT.pack(mark, *values.shape, first, time_s) + values.tobytes()
    return content + _CRC.pack(zlib.crc32(content))


def read_frame(content: bytes) -> Frame:
    """Read one whole frame.

    Raises
    ------
    FormatError
        If it is none, or was damaged on its way.
    """
    if _size(content) != len(content):
        raise FormatError(
            f"A frame of samples was expected and {len(content)} bytes came that are none "
            f"(they begin with {content[:8]!r}); see myograph.stream.wire."
        )
    return _parsed(content)


def hello(layout: Layout) -> str:
    """Return the text that says what the frames of a connection hold."""
    return json.dumps({"myograph": 1, "layout": layout.to_dict()})


def layout_from_hello(text: str | bytes, *, where: str) -> Layout:
    """Read a hello.

    Raises
    ------
    FormatError
        If it is none.
    """
    try:
        return Layout.from_dict(json.loads(text)["layout"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, MyographError):
            raise FormatError(f"{where} describes what it sends wrongly. {error}") from error
        raise FormatError(
            f"{where} should first say what it sends ('myograph' and 'layout' as JSON); it said "
            f"{str(text)[:80]!r}."
        ) from error


class FrameReader:
    """Finds frames in a stream of bytes, past whatever else is in it.

    Examples
    --------
    >>> reader = FrameReader()
    >>> sent = b"noise" + frame(np.zeros((2, 3)), first=0)
    >>> [len(list(reader.push(sent[:20]))), len(list(reader.push(sent[20:])))]
    [0, 1]
    """

    def __init__(self) -> None:
        self._held = bytearray()
        #: Bytes that belonged to no frame, frames whose CRC was wrong.
        self.skipped = 0
        self.damaged = 0

    def push(self, content: bytes) -> Iterator[Frame]:
        """Take the newest bytes and yield the frames that they complete."""
        held = self._held
        held += content
        while True:
            self._skip_to_mark()
            size = _size(held)
            if size is None or len(held) < size:
                return
            whole = bytes(held[:size])
            try:
                found = _parsed(whole)
            except FormatError:
                self.damaged += 1
                del held[:1]
                continue
            del held[:size]
            yield found

    def _skip_to_mark(self) -> None:
        held = self._held
        while len(held) >= 4:
            places = [place for place in (held.find(mark) for mark in _TYPES) if place >= 0]
            if not places:  # the last three bytes may begin a mark
                self.skipped += len(held) - 3
                del held[:-3]
                return
            if min(places):
                self.skipped += min(places)
                del held[: min(places)]
            if len(held) < _FRONT.size or _size(held) is not None:
                return
            del held[:1]
            self.skipped += 1


def _size(content: bytes | bytearray) -> int | None:
    """Return the length of the frame that begins here; None when none does."""
    if len(content) < _FRONT.size:
        return None
    mark, channels, samples, _, _ = _FRONT.unpack_from(content)
    plausible = 0 < channels <= _MOST_CHANNELS and 0 < samples <= _MOST_SAMPLES
    if mark not in _TYPES or not plausible:
        return None
    return int(_FRONT.size + _TYPES[mark].itemsize * channels * samples + _CRC.size)


def _parsed(whole: bytes) -> Frame:
    # The checksum of a text with its own checksum behind it, little-endian, is always the same.
    if zlib.crc32(whole) != _WHOLE:
        raise FormatError("A frame of samples was damaged on its way: its CRC differs.")
    mark, channels, samples, first, time_s = _FRONT.unpack_from(whole)
    values = np.frombuffer(whole, _TYPES[mark], channels * samples, _FRONT.size)
    return Frame(values.reshape(channels, samples).astype(np.float32), first, time_s)


def check_channels(found: Frame, layout: Layout, *, where: str) -> None:
    """Refuse a frame that does not have the channels that were announced."""
    if len(found.samples) != layout.n_channels:
        raise DataError(
            f"{where} announced {layout.n_channels} channels and sent {len(found.samples)}."
        )
