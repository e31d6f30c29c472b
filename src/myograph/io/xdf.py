"""XDF: streams of several devices on one clock, as LabRecorder writes them; read through pyxdf.

The clock of the recording starts at the first sample of the first stream. Streams of markers (and
of single numbers without a rate) become events; interruptions become gaps.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.optional import needs
from myograph.core.recording import GAP, Event
from myograph.io.formats import FORMATS, Format
from myograph.io.header import headers_from_text
from myograph.io.hints import Hints
from myograph.io.track import Fetch, Signal, Track, unique_names
from myograph.io.xdf_write import (
    FILE_HEADER,
    OWN,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
    save_xdf,
)
from myograph.io.xml import parse_xml

__all__: list[str] = []

# A hole in the time stamps longer than this is an interruption; shorter ones are the jitter of
# packets that travelled in bursts (tens of milliseconds over Bluetooth).
_BREAK_S = 0.1

# The rate a device states is kept unless its clock is off by more than this at the end.
_DRIFT_S = 0.005

# Stamps that would have us fill in a hundred times more than was measured are damaged.
_MOST_FILLED = 100

# What pyxdf raises on chunks that are not what they say.
_DAMAGE = (ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, OverflowError)


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream as pyxdf gives it, and what its header says."""

    name: str
    kind: str
    fs_hz: float  # nominal; 0 for events
    stamps: NDArray[np.float64]
    values: Any
    info: dict[str, Any]

    @classmethod
    def of(cls, found: dict[str, Any]) -> _Stream:
        info = found["info"]
        name, kind = str(info["name"][0] or "stream"), str(info["type"][0] or "")
        stamps = np.asarray(found["time_stamps"], dtype=np.float64)
        fs_hz = float(info["nominal_srate"][0])
        return cls(name, kind, fs_hz, stamps, found["time_series"], info)

    @property
    def is_signal(self) -> bool:
        """Whether it has a rate and numbers."""
        return self.fs_hz > 0 and self.info["channel_format"][0] != "string"

    def described(self, name: str) -> Any:
        """Return an element of the stream's description, or None."""
        description = (self.info.get("desc") or [None])[0]
        return (description.get(name) or [None])[0] if isinstance(description, dict) else None

    def signals(self) -> tuple[Signal, ...]:
        """Return the channels as the stream words them."""
        channels = self.described("channels")
        entries = channels.get("channel", []) if isinstance(channels, dict) else []
        n_channels = int(self.info["channel_count"][0])
        entries = entries if len(entries) == n_channels else [{}] * n_channels
        return tuple(
            Signal(
                _word(entry, "label") or f"{self.name} {number}",
                _word(entry, "unit"),
                text=f"{_word(entry, 'type')} {self.kind}".strip(),
            )
            for number, entry in enumerate(entries, start=1)
        )


def _word(entry: dict[str, Any], key: str) -> str:
    return str((entry.get(key) or [""])[0] or "").strip()


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    pyxdf = needs("pyxdf", to="read an XDF file", extra="io")
    declared = _check_chunks(path)
    try:
        found, _ = pyxdf.load_xdf(
            str(path), jitter_break_threshold_seconds=_BREAK_S, jitter_break_threshold_samples=2
        )
        streams = [_Stream.of(stream) for stream in found]
        _check_complete(streams, declared, path)
        return _tracks(streams, hints, path)
    except _DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise FormatError(f"{path}: its XDF streams are damaged ({error!r}).") from error


def _tracks(streams: Sequence[_Stream], hints: Hints, path: Path) -> tuple[Track, ...]:
    signals = [s for s in streams if s.is_signal and len(s.stamps)]  # a silent device says nothing
    if not signals:
        raise FormatError(
            f"{path} holds no samples: none of its streams {[s.name for s in streams]} has a "
            "sampling rate and numbers in it."
        )
    own = [_own_track(stream, path) for stream in signals]
    tracks = [track for track in own if track is not None]
    if len(tracks) == len(signals):
        return tuple(tracks)
    zero_s = min(float(stream.stamps[0]) for stream in signals)
    names = ["" if len(signals) == 1 else name for name in unique_names([s.name for s in signals])]
    tracks = [_track(s, zero_s, path, name) for s, name in zip(signals, names, strict=True)]
    others = [s for s in streams if not s.is_signal]
    return _with_events(tracks, list(_events(others, zero_s, hints, path)))


def _own_track(stream: _Stream, path: Path) -> Track | None:
    """Return the stream as Myograph wrote it, if it still has the size that its header says."""
    text = stream.described(OWN)
    if text is None:
        return None
    ((name, header),) = headers_from_text(str(text), where=str(path)).items()
    if stream.values.shape != (header.n_samples, header.layout.n_channels):
        return None
    return Track.of(header, _fetch(stream.values, None), path=path, name=name)


def _track(stream: _Stream, zero_s: float, path: Path, name: str) -> Track:
    fs_hz = _true_rate(stream)
    starts, counts = _segments(stream, fs_hz, path)
    first_s = float(stream.stamps[0]) - zero_s
    ends = starts + counts
    gaps = tuple(
        Event(first_s + a / fs_hz, (b - a) / fs_hz, GAP, "reader")
        for a, b in zip(ends[:-1].tolist(), starts[1:].tolist(), strict=True)
        if b > a
    )
    fetch = _fetch(stream.values, (starts, counts) if gaps else None)
    return Track(
        path,
        fs_hz,
        int(ends[-1]),
        stream.signals(),
        fetch,
        name=name,
        events=gaps,
        device=stream.name,
        start_s=first_s,
    )


def _true_rate(stream: _Stream) -> float:
    """Return the stated rate, or the measured one where the device's clock strays from it."""
    measured_hz = float(stream.info["effective_srate"] or stream.fs_hz)
    drift_s = len(stream.stamps) * abs(1 / measured_hz - 1 / stream.fs_hz)
    return stream.fs_hz if drift_s <= _DRIFT_S else measured_hz


def _segments(
    stream: _Stream, fs_hz: float, path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each uninterrupted stretch begins on the grid of samples, and its length."""
    edges = np.array(stream.info["segments"], dtype=np.int64).reshape(-1, 2)
    counts = edges[:, 1] - edges[:, 0] + 1
    begin_s = stream.stamps[edges[:, 0]] - stream.stamps[0]
    wanted = begin_s * fs_hz
    if not np.isfinite(wanted).all() or wanted.max() > _MOST_FILLED * len(stream.stamps):
        raise FormatError(
            f"{path}, stream {stream.name!r}: {len(stream.stamps)} samples at {fs_hz:g} Hz with "
            f"time stamps up to {begin_s.max():g} s after the first; the stamps are damaged."
        )
    starts = np.rint(wanted).astype(np.int64)
    for k in range(1, len(starts)):  # stretches never overlap: samples are not thrown away
        starts[k] = max(starts[k], starts[k - 1] + counts[k - 1])
    return starts, counts


def _fetch(
    values: NDArray[Any], segments: tuple[NDArray[np.int64], NDArray[np.int64]] | None
) -> Fetch:
    """Fetch from values (n_samples, n_channels); through an interruption the last one is held."""

    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        if segments is None:
            return values[first:last, list(rows)].T
        starts, counts = segments
        wanted = np.arange(first, last)
        stretch = np.searchsorted(starts, wanted, side="right") - 1
        offset = np.minimum(wanted - starts[stretch], counts[stretch] - 1)
        before = np.r_[0, np.cumsum(counts)[:-1]]
        return values[before[stretch] + offset][:, list(rows)].T

    return fetch


def _events(streams: Iterable[_Stream], zero_s: float, hints: Hints, path: Path) -> Iterator[Event]:
    for stream in streams:
        is_text = stream.info["channel_format"][0] == "string"
        n_channels = int(stream.info["channel_count"][0])
        if not is_text and n_channels > 1:
            names = [signal.name for signal in stream.signals()]
            if hints.channels is not None and not set(names) & set(hints.channels):
                continue  # the caller leaves them out
            raise DataError(
                f"{path}, stream {stream.name!r}: {n_channels} channels without a sampling rate "
                "are neither a signal nor events; name the channels to read, without these, with "
                "the option channels=."
            )
        for stamp, value in zip(stream.stamps.tolist(), stream.values, strict=True):
            parts = value if is_text else [f"{number:g}" for number in np.atleast_1d(value)]
            label = "; ".join(str(part) for part in parts if str(part))
            yield Event(stamp - zero_s, 0.0, label, stream.name)


def _with_events(tracks: Sequence[Track], events: Sequence[Event]) -> tuple[Track, ...]:
    """Give each track the events inside it; what is inside none stays a stray of the first."""
    shared: list[list[Event]] = [list(track.events) for track in tracks]
    for event in events:
        inside = [
            i
            for i, track in enumerate(tracks)
            if track.start_s <= event.onset_s <= track.start_s + track.n_samples / track.fs_hz
        ]
        for i in inside or [0]:
            shared[i].append(event)
    return tuple(
        replace(track, events=tuple(mine)) for track, mine in zip(tracks, shared, strict=True)
    )


def _check_chunks(path: Path) -> dict[int, int]:
    """Walk over the chunks and return how many samples each stream says it has.

    pyxdf passes over what it cannot parse; here a file is whole or refused.
    """
    declared: dict[int, int] = {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 4  # after the magic
        while position < len(data):
            start, length = _read_length(data, position, path)
            end = start + length
            if length < 2 or end > len(data):
                raise FormatError(
                    f"{path}: the chunk at byte {position} has {length} bytes, of which "
                    f"{len(data) - start} are there; the file is truncated or damaged."
                )
            (tag,) = struct.unpack_from("<H", data, start)
            where = f"{path}, chunk at byte {position}"
            if tag in (STREAM_HEADER, SAMPLES, STREAM_FOOTER) and length < 6:
                raise FormatError(f"{where}: it names no stream; the file is damaged.")
            if tag in (FILE_HEADER, STREAM_HEADER, STREAM_FOOTER):
                parse_xml(data[start + (2 if tag == FILE_HEADER else 6) : end], where=where)
            elif tag == SAMPLES:
                (stream,) = struct.unpack_from("<I", data, start + 2)
                declared[stream] = declared.get(stream, 0) + _read_length(data, start + 6, path)[1]
            position = end
    return declared


def _read_length(data: mmap.mmap, position: int, path: Path) -> tuple[int, int]:
    """Return the position after a number in XDF's form, and the number."""
    formats = {1: "<B", 4: "<I", 8: "<Q"}
    n_bytes = data[position] if position < len(data) else 0
    if n_bytes not in formats or position + 1 + n_bytes > len(data):
        raise FormatError(
            f"{path}: at byte {position} a length of 1, 4 or 8 bytes must stand; it says "
            f"{n_bytes}. The file is truncated or damaged."
        )
    return position + 1 + n_bytes, int(struct.unpack_from(formats[n_bytes], data, position + 1)[0])


def _check_complete(streams: Iterable[_Stream], declared: dict[int, int], path: Path) -> None:
    for stream in streams:
        expected = declared.get(int(stream.info["stream_id"]), 0)
        if len(stream.stamps) != expected or not np.isfinite(stream.stamps).all():
            raise FormatError(
                f"{path}, stream {stream.name!r}: its chunks declare {expected} samples, "
                f"{len(stream.stamps)} with a time can be read; the file is damaged."
            )


FORMATS.add(
    "xdf",
    Format(
        "xdf",
        "XDF",
        (".xdf",),
        sniff=lambda head, path: head[:4] == b"XDF:",
        open=_open,
        save=save_xdf,
    ),
)
