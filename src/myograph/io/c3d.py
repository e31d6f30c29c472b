"""C3D: the analog channels of a motion capture (EMG, force plates, whatever was plugged in).

Trajectories of markers are positions, not signals of the body that Myograph knows, and stay in
the file. Written as 32-bit floats without calibration factors, so samples are exact.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Channel
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io.c3d_parameters import (
    BLOCK,
    Machine,
    Parameters,
    pack_parameters,
    parse_parameters,
)
from myograph.io.formats import FORMATS, METADATA, Format
from myograph.io.header import Header, headers_from_text, headers_to_text
from myograph.io.hints import Hints
from myograph.io.track import Signal, Track

__all__: list[str] = []

_MACHINES = {84: "Intel", 85: "DEC", 86: "MIPS"}

# Frames are counted in 16 bits; a longer recording gets several samples into each frame.
_MOST_FRAMES = 65535

_PIECE = 120  # characters of our header in one text of a parameter
_MOST_TEXT = 1 << 26  # bytes that our header may unfold to

# What numbers raise where texts should stand, and the other way round.
_DAMAGE = (ValueError, TypeError, IndexError, AttributeError, OverflowError)

_Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Analog:
    """Where the analog samples lie and what they mean."""

    path: Path
    machine: Machine
    offset: int  # of the first frame, in bytes
    n_points: int
    n_channels: int
    per_frame: int  # samples of each channel in a frame
    n_frames: int
    is_real: bool
    is_unsigned: bool
    zero: _Reals
    factor: _Reals

    @property
    def n_values(self) -> int:
        """Numbers in a frame: four for each marker, then the analog samples."""
        return 4 * self.n_points + self.n_channels * self.per_frame

    @property
    def frame_bytes(self) -> int:
        """Bytes in a frame."""
        return self.n_values * (4 if self.is_real else 2)

    def fetch(self, rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        """Load samples in the file's units."""
        begin, end = first // self.per_frame, -(-last // self.per_frame)
        dtype = f"{self.machine.order}u{4 if self.is_real else 2}"
        frames = np.memmap(self.path, dtype, "r", self.offset, (self.n_frames, self.n_values))[
            begin:end, 4 * self.n_points :
        ]
        stored = frames.reshape(-1, self.n_channels)[
            first - begin * self.per_frame : last - begin * self.per_frame, list(rows)
        ]
        numbers = self._numbers(np.ascontiguousarray(stored)).T
        return (numbers - self.zero[list(rows), None]) * self.factor[list(rows), None]

    def _numbers(self, stored: NDArray[Any]) -> _Reals:
        raw = stored.tobytes()
        if self.is_real:
            return self.machine.reals(raw).reshape(stored.shape)
        if self.is_unsigned:
            return stored.astype(np.float64)
        return self.machine.integers(raw).astype(np.float64).reshape(stored.shape)


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints  # the file says everything
    try:
        return (_track(path),)
    except _DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise FormatError(f"{path}: its parameters are damaged ({error!r}).") from error


def _track(path: Path) -> Track:
    head, machine, groups = _read_groups(path)
    point, analog = groups.get("POINT", {}), groups.get("ANALOG", {})
    n_channels = _count(analog, "USED", 0)
    if n_channels < 1:
        raise FormatError(
            f"{path} has no analog channels; markers alone are not a recording of muscle."
        )
    point_hz = _first(point, "RATE", head.frame_hz)
    where = _where(path, head, machine, groups, n_channels)
    fs_hz = point_hz * where.per_frame
    if not (np.isfinite(fs_hz) and fs_hz > 0):
        raise FormatError(f"{path}: the frame rate must be above 0 Hz; the file says {point_hz!r}.")
    labels = _texts(analog, "LABELS", n_channels)
    n_samples = where.n_frames * where.per_frame
    header = _own_header(groups.get("MYOGRAPH", {}), path)
    if header and _still_fits(header, labels, n_samples, where.per_frame):
        if path.stat().st_size % BLOCK:
            raise FormatError(f"{path} does not end with a whole block; the file is truncated.")
        return Track.of(header, where.fetch, path=path)
    start_s = (head.first_frame - 1) / point_hz
    units = _texts(analog, "UNITS", n_channels)
    words = _texts(analog, "DESCRIPTIONS", n_channels)
    signals = tuple(
        Signal(name or f"analog {i}", unit, text=text)
        for i, (name, unit, text) in enumerate(zip(labels, units, words, strict=True), start=1)
    )
    events = tuple(_events(groups.get("EVENT", {}), path))
    return Track(path, fs_hz, n_samples, signals, where.fetch, events=events, start_s=start_s)


@dataclass(frozen=True, slots=True)
class _Head:
    """The first block of the file."""

    parameter_block: int
    n_points: int
    analog_per_frame: int
    first_frame: int
    last_frame: int
    data_block: int
    samples_per_frame: int
    frame_hz: float


def _read_groups(path: Path) -> tuple[_Head, Machine, Parameters]:
    with path.open("rb") as file:
        block = file.read(BLOCK).ljust(BLOCK, b"\0")
        start = (block[0] - 1) * BLOCK
        file.seek(max(start, 0))
        lead = file.read(4)
        if len(lead) < 4 or lead[3] not in _MACHINES:
            raise FormatError(
                f"{path}: its parameters should begin at byte {start} and do not; the file is "
                "truncated or damaged."
            )
        machine = Machine(lead[3])
        words = struct.unpack_from(f"{machine.order}256H", block)
        rate = float(machine.reals(block[20:24])[0])
        head = _Head(block[0], words[1], words[2], words[3], words[4], words[8], words[9], rate)
        n_bytes = max(lead[2], head.data_block - head.parameter_block) * BLOCK - 4
        section = file.read(max(n_bytes, 0))
    return head, machine, parse_parameters(section, machine, where=str(path))


def _where(
    path: Path, head: _Head, machine: Machine, groups: Parameters, n_channels: int
) -> _Analog:
    point, analog = groups.get("POINT", {}), groups.get("ANALOG", {})
    per_frame = head.samples_per_frame
    if per_frame < 1 or head.analog_per_frame != per_frame * n_channels:
        raise FormatError(
            f"{path}: the header counts {head.analog_per_frame} analog values in a frame, "
            f"{per_frame} for each channel; ANALOG:USED says {n_channels} channels."
        )
    n_frames = _n_frames(head, point, groups.get("TRIAL", {}))
    factor = _reals(analog, "SCALE", n_channels, 1.0) * _first(analog, "GEN_SCALE", 1.0)
    found = _Analog(
        path,
        machine,
        (_count(point, "DATA_START", head.data_block) - 1) * BLOCK,
        _count(point, "USED", head.n_points),
        n_channels,
        per_frame,
        n_frames,
        is_real=_first(point, "SCALE", -1.0) < 0,
        is_unsigned="UNSIGNED" in [text.upper() for text in analog.get("FORMAT", [])],
        zero=_reals(analog, "OFFSET", n_channels, 0.0),
        factor=factor,
    )
    there = path.stat().st_size - found.offset
    if n_frames < 1 or found.offset < BLOCK or there < n_frames * found.frame_bytes:
        raise FormatError(
            f"{path}: {n_frames} frames of {found.frame_bytes} bytes are declared from byte "
            f"{found.offset} on, {max(there, 0)} bytes are there; the file is truncated or damaged."
        )
    return found


def _n_frames(head: _Head, point: Mapping[str, Any], trial: Mapping[str, Any]) -> int:
    """Return how many frames there are; each newer field was made for longer recordings."""
    start, end = trial.get("ACTUAL_START_FIELD"), trial.get("ACTUAL_END_FIELD")
    if start is not None and end is not None and len(start) == len(end) == 2:
        first, last = (int(x[0]) % 65536 + 65536 * (int(x[1]) % 65536) for x in (start, end))
        return last - first + 1
    if "LONG_FRAMES" in point:
        return int(_first(point, "LONG_FRAMES", 0))
    return _count(point, "FRAMES", head.last_frame - head.first_frame + 1)


def _first(group: Mapping[str, Any], name: str, default: float) -> float:
    values = group.get(name)
    return float(values[0]) if isinstance(values, np.ndarray) and values.size else default


def _count(group: Mapping[str, Any], name: str, default: int) -> int:
    """Return a count: the format has signed words only, and means unsigned ones."""
    return int(_first(group, name, default)) % 65536


def _all(group: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list with what goes on under ``name2``, ``name3``, ..."""
    found, number = list(group.get(name, [])), 2
    while f"{name}{number}" in group:
        found += list(group[f"{name}{number}"])
        number += 1
    return found


def _texts(group: Mapping[str, Any], name: str, n_channels: int) -> list[str]:
    found = [str(text) for text in _all(group, name)]
    return (found + [""] * n_channels)[:n_channels]


def _reals(group: Mapping[str, Any], name: str, n_channels: int, default: float) -> _Reals:
    found = [float(value) for value in _all(group, name)]
    return np.array((found + [default] * n_channels)[:n_channels])


def _events(group: Mapping[str, Any], path: Path) -> Iterator[Event]:
    """Yield gait events and the like; times are minutes and seconds from frame 1."""
    labels, times = _all(group, "LABELS"), _all(group, "TIMES")
    contexts = [*_all(group, "CONTEXTS"), *("" for _ in labels)]
    n_events = _count(group, "USED", 0)
    if len(labels) < n_events or len(times) < 2 * n_events:
        raise FormatError(
            f"{path}: {n_events} events are declared, {len(labels)} have a label and "
            f"{len(times) // 2} a time; the file is damaged."
        )
    for number in range(n_events):
        onset_s = 60 * times[2 * number] + times[2 * number + 1]
        side = contexts[number].strip()
        words = [side if side.lower() in ("left", "right") else "", labels[number]]
        yield Event(float(onset_s), 0.0, " ".join(filter(None, words)))


def _own_header(group: Mapping[str, Any], path: Path) -> Header | None:
    packed = "".join(_all(group, "HEADER"))
    if not packed:
        return None
    try:
        unfold = zlib.decompressobj()
        text = unfold.decompress(base64.b64decode(packed, validate=True), _MOST_TEXT).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: the Myograph header is damaged ({error}).") from error
    return headers_from_text(text, where=str(path)).get("")


def _still_fits(header: Header, labels: Sequence[str], n_samples: int, per_frame: int) -> bool:
    """Say whether the header is that of this file; the last frame may be filled up."""
    names = [_label(channel) for channel in header.layout.channels]
    return names == list(labels) and 0 <= n_samples - header.n_samples < per_frame


def _label(channel: Channel) -> str:
    return channel.name[:_PIECE].strip().encode("ascii", "replace").decode()


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    if isinstance(recording, RecordingSet):
        raise DataError(
            f"{path.name}: the analog channels of a C3D file have one rate; this set has "
            f"{len(recording)} recordings ({list(recording)}). Write them one by one, or use XDF "
            "or the native format."
        )
    n_channels, n_samples = recording.n_channels, recording.n_samples
    per_frame = -(-n_samples // _MOST_FRAMES)
    n_frames = -(-n_samples // per_frame)
    filled = np.pad(recording.samples, ((0, 0), (0, n_frames * per_frame - n_samples)), "edge")
    frame_hz = recording.fs_hz / per_frame
    n_blocks = len(pack_parameters(_groups(recording, frame_hz, n_frames, data_block=0))) // BLOCK
    if n_blocks > 255:
        raise DataError(
            f"{path.name}: {n_channels} channels and {len(recording.events)} events do not fit "
            "into the parameters of a C3D file; use the native format."
        )
    data_block = 2 + n_blocks
    block = struct.pack(
        "<BB5Hf2Hf", 2, 0x50, 0, n_channels * per_frame, 1, n_frames, 0, -1.0, data_block,
        per_frame, frame_hz,
    )  # fmt: skip
    with path.open("wb") as file:
        file.write(block.ljust(BLOCK, b"\0"))
        file.write(pack_parameters(_groups(recording, frame_hz, n_frames, data_block=data_block)))
        data = filled.T.astype("<f4", order="C").tobytes()
        file.write(data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0"))


def _groups(
    recording: Recording, frame_hz: float, n_frames: int, *, data_block: int
) -> dict[str, dict[str, Sequence[Any]]]:
    channels, events = recording.layout.channels, recording.events
    text = headers_to_text({"": Header.of(recording, exact=True)})
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    pieces = [packed[i : i + _PIECE] for i in range(0, len(packed), _PIECE)]
    # A C3D event has no length and stands on the clock of the first frame.
    times = [divmod(event.onset_s - recording.start_s, 60.0) for event in events]
    gait: dict[str, Sequence[Any]] = {
        "USED": [len(events)],
        "LABELS": [event.label[:_PIECE] for event in events],
        "CONTEXTS": ["General"] * len(events),
        "TIMES": times,
    }
    return {
        "POINT": {
            "USED": [0],
            "SCALE": [-1.0],
            "RATE": [frame_hz],
            "DATA_START": [data_block],
            "FRAMES": [n_frames],
        },
        "ANALOG": {
            "USED": [len(channels)],
            "LABELS": [_label(channel) for channel in channels],
            "DESCRIPTIONS": [channel.kind for channel in channels],
            "GEN_SCALE": [1.0],
            "SCALE": [1.0] * len(channels),
            "OFFSET": [0] * len(channels),
            "UNITS": [channel.unit for channel in channels],
            "RATE": [recording.fs_hz],
        },
        **({"EVENT": gait} if events else {}),
        "MYOGRAPH": {"HEADER": pieces},
    }


def _sniff(head: bytes, path: Path) -> bool:
    """Say whether parameters begin at one of the first blocks; no text has such a first byte."""
    del path
    if len(head) < 2 or not 2 <= head[0] <= 7 or head[1] != 0x50:
        return False
    processor = (head[0] - 1) * BLOCK + 3
    return len(head) <= processor or head[processor] in _MACHINES


FORMATS.add(
    "c3d",
    Format(
        "c3d",
        "C3D",
        (".c3d",),
        sniff=_sniff,
        open=_open,
        save=_save,
        holds=METADATA - {"sets"},
        rank=2,
    ),
)
