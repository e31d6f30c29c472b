"""BrainVision: a text header (.vhdr), the samples (.eeg) and a text of markers (.vmrk).

Written as 32-bit floats, so samples are exact. What the format has no field for (kind, muscle,
subject, recipe) stands in one line of the header's comment, which other readers pass over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Channel
from myograph.core.recording import GAP, Event, Recording, RecordingSet
from myograph.io.formats import FORMATS, METADATA, Format
from myograph.io.header import Header, headers_from_text, headers_to_text
from myograph.io.hints import Hints
from myograph.io.track import Fetch, Signal, Track

__all__: list[str] = []

_MAGIC = re.compile(rb"(\xef\xbb\xbf)?Brain ?Vision Data Exchange Header File")
_MAGIC_MARKERS = re.compile(r"\ufeff?Brain ?Vision Data Exchange Marker File")
_OWN = "myograph "  # begins the line of our header in [Comment]

_DTYPES = {"INT_16": "<i2", "UINT_16": "<u2", "INT_32": "<i4", "IEEE_FLOAT_32": "<f4"}

_NEW_SEGMENT = "New Segment"
_COMMENT = "Comment"


@dataclass(frozen=True, slots=True)
class _Info:
    """One line of [Channel Infos]."""

    line: str
    name: str
    resolution: float
    unit: str


@dataclass(frozen=True, slots=True)
class _Marker:
    """One line of [Marker Infos]; position counts samples from 1."""

    kind: str
    text: str
    position: int
    size: int
    date: str = ""


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    if isinstance(recording, RecordingSet):
        raise DataError(
            f"{path.name}: a BrainVision file holds one sampling rate; this set has "
            f"{len(recording)} recordings ({list(recording)}). Write them one by one, or use XDF "
            "or the native format."
        )
    layout = recording.layout
    lines = [f"Ch{i}={_channel_line(c)}" for i, c in enumerate(layout.channels, start=1)]
    path.with_suffix(".eeg").write_bytes(recording.samples.T.astype("<f4", order="C").tobytes())
    path.with_suffix(".vmrk").write_text(_marker_text(recording, path.stem), encoding="utf-8")
    path.write_text(
        "BrainVision Data Exchange Header File Version 1.0\n"
        "; Written by Myograph\n\n"
        "[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\n"
        "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
        f"NumberOfChannels={layout.n_channels}\nSamplingInterval={1e6 / layout.fs_hz!r}\n\n"
        "[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n\n"
        "[Channel Infos]\n" + "\n".join(lines) + "\n\n"
        f"[Comment]\n{_OWN}{headers_to_text({'': Header.of(recording, exact=True)})}",
        encoding="utf-8",
    )


def _channel_line(channel: Channel) -> str:
    unit = {"uV": "µV"}.get(channel.unit, channel.unit)
    return f"{_field(channel.name)},,1,{unit}"


def _field(text: str) -> str:
    """Return text without what ends a field or a line."""
    return " ".join(text.split()).replace(",", "\\1")


def _marker_text(recording: Recording, stem: str) -> str:
    markers = _marker_lines(Header.of(recording))
    lines = [f"Mk{i}={line}" for i, line in enumerate(markers, start=1)]
    return (
        "BrainVision Data Exchange Marker File, Version 1.0\n\n"
        f"[Common Infos]\nCodepage=UTF-8\nDataFile={stem}.eeg\n\n"
        "[Marker Infos]\n" + "\n".join(lines) + "\n"
    )


def _marker_lines(header: Header) -> list[str]:
    date = f"{header.started_at:%Y%m%d%H%M%S%f}" if header.started_at else "0"
    lines = [f"{_NEW_SEGMENT},,1,1,0,{date}"]
    for event in header.events:
        first = round((event.onset_s - header.start_s) * header.layout.fs_hz) + 1
        size = max(round(event.duration_s * header.layout.fs_hz), 1)  # a moment has size 1
        kind = _COMMENT if event.source == "annotation" else _field(event.source)
        lines.append(f"{kind},{_field(event.label)},{max(first, 1)},{size},0")
    return lines


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints  # the file says everything
    sections = _sections(_text(path), path)
    common = sections.get("Common Infos", {})
    infos = _channel_infos(common, sections.get("Channel Infos", {}), path)
    fs_hz = 1e6 / _number(common, "SamplingInterval", path)
    data_path = _beside(path, common, "DataFile")
    n_samples, fetch = _samples(data_path, common, sections, infos)
    header = _own_header(sections, path)
    marker_lines = _read_marker_lines(path, common)
    markers = [_marker(line, path) for line in marker_lines]
    if header and _still_fits(header, infos, fs_hz, n_samples):
        if _marker_lines(header) == marker_lines:  # unedited: the header says them exactly
            return (Track.of(header, fetch, path=path),)
        events = tuple(_events(markers, header.layout.fs_hz, header.start_s))
        return (Track.of(replace(header, events=events), fetch, path=path),)
    signals = tuple(Signal(info.name, info.unit) for info in infos)
    events = tuple(_events(markers, fs_hz, 0.0))
    started_at = _date(markers, path)
    return (Track(path, fs_hz, n_samples, signals, fetch, events=events, started_at=started_at),)


def _text(path: Path) -> str:
    data = path.read_bytes()
    # The header says its own encoding; "ANSI" is the Windows one, and reads every byte.
    encoding = "utf-8-sig" if re.search(rb"(?i)Codepage\s*=\s*UTF-?8", data) else "cp1252"
    return data.decode(encoding, errors="replace")


def _sections(text: str, path: Path) -> dict[str, dict[str, str]]:
    """Return the keys of each section; the comment's lines are numbered."""
    sections: dict[str, dict[str, str]] = {}
    here: dict[str, str] = {}
    for number, line in enumerate(text.splitlines()[1:], start=2):
        title = re.fullmatch(r"\[(.+)\]\s*", line)
        if title and "Comment" not in sections:  # the comment reaches to the end
            here = sections.setdefault(title[1], {})
        elif "Comment" in sections:
            here[str(number)] = line
        elif line.strip() and not line.startswith(";"):
            key, equals, value = line.partition("=")
            if not equals:
                raise FormatError(
                    f"{path}, line {number}: a line must read key=value; got {line[:60]!r}."
                )
            here[key.strip()] = value.strip()
    return sections


def _number(common: Mapping[str, str], key: str, path: Path) -> float:
    value = common.get(key, "")
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not (np.isfinite(number) and number > 0):
        raise FormatError(f"{path}: {key} must be a number above 0; the header says {value!r}.")
    return number


def _channel_infos(
    common: Mapping[str, str], lines: Mapping[str, str], path: Path
) -> tuple[_Info, ...]:
    n_channels = int(_number(common, "NumberOfChannels", path))
    if n_channels != len(lines):
        raise FormatError(
            f"{path}: NumberOfChannels says {n_channels}, [Channel Infos] describes {len(lines)}."
        )
    found = []
    for number in range(1, n_channels + 1):
        line = lines.get(f"Ch{number}")
        if line is None:
            raise FormatError(f"{path}: [Channel Infos] has no line Ch{number}=.")
        name, _, resolution, unit = ([part.strip() for part in line.split(",")] + [""] * 4)[:4]
        values = {"resolution": resolution or "1"}
        scale = _number(values, "resolution", path)
        name = name.replace("\\1", ",") or f"Ch{number}"
        found.append(_Info(line, name, scale, unit or "µV"))  # µV where no unit is written
    return tuple(found)


def _beside(path: Path, common: Mapping[str, str], key: str) -> Path:
    """Return the file that the header names; it lies beside the header."""
    name = common.get(key, "").replace("$b", path.stem)
    if not name:
        raise FormatError(f"{path}: the header does not say {key}=.")
    if re.search(r"[/\\:]", name) or name == "..":
        raise FormatError(
            f"{path}: {key} must be the name of a file beside the header; it says {name!r}. "
            "Put the files into one folder and correct that line."
        )
    found = path.with_name(name)
    if not found.is_file():
        raise FormatError(
            f"{path}: {key} is {name!r}, and there is no such file beside the header; put it "
            "there (or correct that line if the files were renamed)."
        )
    return found


def _samples(
    path: Path,
    common: Mapping[str, str],
    sections: Mapping[str, Mapping[str, str]],
    infos: Sequence[_Info],
) -> tuple[int, Fetch]:
    for key, usual in (("DataFormat", "BINARY"), ("DataType", "TIMEDOMAIN")):
        if common.get(key, usual).upper() != usual:
            raise FormatError(f"{path}: {key} {common[key]!r} is not supported; {usual} is.")
    word = sections.get("Binary Infos", {}).get("BinaryFormat", "")
    if word.upper() not in _DTYPES:
        raise FormatError(f"{path}: BinaryFormat must be one of {list(_DTYPES)}; got {word!r}.")
    dtype = np.dtype(_DTYPES[word.upper()])
    n_channels, n_bytes = len(infos), path.stat().st_size
    n_samples, rest = divmod(n_bytes, dtype.itemsize * n_channels)
    points = common.get("DataPoints", "")
    if rest or (points.isdigit() and int(points) != n_samples):
        raise FormatError(
            f"{path}: {n_bytes} bytes do not make {points or 'whole'} samples of {n_channels} "
            f"channels of {dtype.itemsize} bytes each; the file is truncated or not the one that "
            "belongs to this header."
        )
    multiplexed = common.get("DataOrientation", "MULTIPLEXED").upper() == "MULTIPLEXED"
    shape = (n_samples, n_channels) if multiplexed else (n_channels, n_samples)
    steps = np.array([info.resolution for info in infos])

    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        stored = np.memmap(path, dtype, mode="r", shape=shape)
        signals = stored.T if multiplexed else stored
        chosen = signals[list(rows), first:last]
        return chosen if np.all(steps == 1) else chosen * steps[list(rows), None]

    return n_samples, fetch


def _own_header(sections: Mapping[str, Mapping[str, str]], path: Path) -> Header | None:
    for line in sections.get("Comment", {}).values():
        if line.startswith(_OWN):
            return headers_from_text(line.removeprefix(_OWN), where=str(path)).get("")
    return None


def _still_fits(header: Header, infos: Sequence[_Info], fs_hz: float, n_samples: int) -> bool:
    """Say whether the header is that of this file, and not one whose file was edited since."""
    return (
        tuple(_channel_line(c) for c in header.layout.channels) == tuple(i.line for i in infos)
        and abs(header.layout.fs_hz - fs_hz) <= 1e-9 * fs_hz
        and header.n_samples == n_samples
    )


def _read_marker_lines(path: Path, common: Mapping[str, str]) -> list[str]:
    if not common.get("MarkerFile"):
        return []
    path = _beside(path, common, "MarkerFile")
    text = _text(path)
    if not _MAGIC_MARKERS.match(text):
        raise FormatError(f"{path} is not a BrainVision marker file; it begins {text[:40]!r}.")
    return list(_sections(text, path).get("Marker Infos", {}).values())


def _marker(line: str, path: Path) -> _Marker:
    parts = [part.replace("\\1", ",") for part in line.split(",")]
    try:
        kind, label, position, size = parts[0], parts[1], int(parts[2]), int(parts[3] or 1)
    except (IndexError, ValueError) as error:
        raise FormatError(
            f"{path}: a marker must read type,description,position,size,channel; got {line!r}."
        ) from error
    return _Marker(kind, label, position, size, parts[5] if len(parts) > 5 else "")


def _events(markers: Sequence[_Marker], fs_hz: float, start_s: float) -> Iterator[Event]:
    for marker in markers:
        onset_s = start_s + (marker.position - 1) / fs_hz
        if marker.kind != _NEW_SEGMENT:
            source = "annotation" if marker.kind == _COMMENT else marker.kind
            duration_s = 0.0 if marker.size <= 1 else marker.size / fs_hz
            yield Event(onset_s, duration_s, marker.text.strip() or marker.kind, source)
        elif marker.position > 1:
            # Recording was paused here: nothing may be cut across this sample.
            yield Event(onset_s, 1 / fs_hz, GAP, "reader")


def _date(markers: Sequence[_Marker], path: Path) -> datetime | None:
    """Return when the first segment began; the file does not say in which time zone."""
    dates = [m.date for m in markers if m.kind == _NEW_SEGMENT]
    if not dates or not re.fullmatch(r"[12]\d{19}", dates[0]):
        return None
    try:
        return datetime.strptime(dates[0], "%Y%m%d%H%M%S%f")  # noqa: DTZ007
    except ValueError as error:
        raise FormatError(f"{path}: the date {dates[0]} of the first marker is none.") from error


FORMATS.add(
    "brainvision",
    Format(
        "brainvision",
        "BrainVision",
        (".vhdr",),
        sniff=lambda head, path: _MAGIC.match(head) is not None,
        open=_open,
        save=_save,
        holds=METADATA - {"sets"},
    ),
)
