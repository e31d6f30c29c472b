"""WFDB records (PhysioNet): a text header ``.hea``, samples beside it, annotations in ``.atr``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.core.recording import Event, Recording, RecordingSet
from myograph.io.annotations import Annotation, matching_events
from myograph.io.edf_samples import encode_int24
from myograph.io.embed import embed, embedded_headers
from myograph.io.formats import FORMATS, METADATA, Format
from myograph.io.header import Header
from myograph.io.hints import Hints
from myograph.io.track import Fetch, Signal, Track, rate_of, unique_names
from myograph.io.wfdb_annotations import pack_annotations, parse_annotations
from myograph.io.wfdb_header import WfdbHeader, WfdbSignal, looks_like_header, parse_header
from myograph.io.wfdb_samples import STORAGE

__all__ = ["WFDB"]

_COMMENT_LENGTH = 200  # older programs read lines of up to 255 characters
_PEAK_24 = 2**23 - 1  # one value less on the negative side stands for "not measured"
_PEAK_16 = 2**15 - 1


def _sniff(head: bytes, path: Path) -> bool:
    """Look for a header; signal files have no magic, but a header of the same name beside them."""
    if path.suffix.lower() == ".hea":
        return looks_like_header(head)
    return path.suffix.lower() == ".dat" and path.with_suffix(".hea").is_file()


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    path = path.with_suffix(".hea") if path.suffix.lower() == ".dat" else path
    header = parse_header(path.read_bytes().decode("utf-8", "replace"), path=path)
    fs_hz = rate_of(hints, header.fs_hz, path=path)
    n_frames = _true_length(header, path)
    annotations = _annotations(path, fs_hz)
    comments = [Annotation(0, 0, text) for text in header.comments]
    own, others = embedded_headers(comments, path=path)
    words = " ".join(a.text for a in others)
    if own:
        return _own_tracks(path, header, own, n_frames, annotations)
    names = unique_names([s.words or f"signal{i + 1}" for i, s in enumerate(header.signals)])
    rates: dict[int, list[int]] = {}
    for i, signal in enumerate(header.signals):
        rates.setdefault(signal.per_frame, []).append(i)
    return tuple(
        Track(
            path,
            fs_hz * per_frame,
            n_frames * per_frame,
            tuple(_words_on(header.signals[i], names[i], words) for i in chosen),
            _fetch(path, header, chosen, n_frames),
            "" if len(rates) == 1 else f"{fs_hz * per_frame:g}Hz",
            tuple(Event(a.onset_s, 0.0, a.text) for a in annotations),
            started_at=header.started_at,
        )
        for per_frame, chosen in rates.items()
    )


def _words_on(signal: WfdbSignal, name: str, comments: str) -> Signal:
    # A gain of 0 or none at all: never calibrated, so only the caller can know the unit.
    return Signal(name, signal.unit if signal.gain else "", text=comments)


def _own_tracks(
    path: Path,
    header: WfdbHeader,
    own: Mapping[str, Header],
    n_frames: int,
    annotations: Sequence[Annotation],
) -> tuple[Track, ...]:
    (name, member), *rest = own.items()
    if rest or (len(header.signals), n_frames) != (member.layout.n_channels, member.n_samples):
        raise FormatError(
            f"{path}: its comments describe {member.layout.n_channels} channels x "
            f"{member.n_samples} samples, the record has {len(header.signals)} x {n_frames}; it "
            "was edited. Remove the comment lines that begin with 'myograph' to read it as it is."
        )
    fetch = _fetch(path, header, list(range(len(header.signals))), n_frames)
    track = Track.of(member, fetch, path=path, name=name)
    return tuple(matching_events([track], annotations, moments_of_hz=track.fs_hz))


def _annotations(path: Path, fs_hz: float) -> list[Annotation]:
    beside = path.with_suffix(".atr")
    if not beside.is_file():
        return []
    return parse_annotations(beside.read_bytes(), fs_hz=fs_hz, path=beside)


# --- samples -------------------------------------------------------------------------------------


def _files(header: WfdbHeader) -> dict[str, list[int]]:
    """Return the signals of each signal file, in their order."""
    found: dict[str, list[int]] = {}
    for i, signal in enumerate(header.signals):
        found.setdefault(signal.file, []).append(i)
    return found


def _true_length(header: WfdbHeader, path: Path) -> int:
    """Return the number of frames, held against the size of every signal file."""
    lengths = {}
    for name, chosen in _files(header).items():
        signals = [header.signals[i] for i in chosen]
        if len({(s.storage, s.offset) for s in signals}) != 1:
            raise FormatError(f"{path}: the signals in {name} must be stored in one way.")
        file = path.parent / name
        if not file.is_file():
            raise DataError(f"{path}: its signal file {name} is not beside it.")
        storage, frame = STORAGE[signals[0].storage], sum(s.per_frame for s in signals)
        size = file.stat().st_size - signals[0].offset
        lengths[name] = max(size, 0) * storage.samples // storage.n_bytes // frame
    promised = header.n_frames or min(lengths.values())
    for name, held in lengths.items():
        slack = 2 if header.n_frames else 0  # packed groups end with unused samples
        if held < promised or held > promised + slack:
            raise FormatError(
                f"{path}: the header promises {promised} samples a signal, {name} holds {held}; "
                "one of the two is truncated or was altered."
            )
    return promised


def _fetch(path: Path, header: WfdbHeader, chosen: Sequence[int], n_frames: int) -> Fetch:
    per_frame = header.signals[chosen[0]].per_frame

    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        begin, end = first // per_frame, -(-last // per_frame)
        samples = np.empty((len(rows), (end - begin) * per_frame))
        wanted = [chosen[row] for row in rows]
        for name, members in _files(header).items():
            if not set(members) & set(wanted):
                continue
            frames = _frames(path.parent / name, [header.signals[i] for i in members], begin, end)
            column = 0
            for i in members:
                signal = header.signals[i]
                part = frames[:, column : column + signal.per_frame]
                column += signal.per_frame
                if (begin, end) == (0, n_frames):
                    _check_sum(part, signal, path.parent / name)
                for target in np.flatnonzero(np.array(wanted) == i):
                    samples[target] = _physical(part, signal).ravel()
        lead = first - begin * per_frame
        return samples[:, lead : lead + last - first]

    return fetch


def _frames(file: Path, signals: Sequence[WfdbSignal], begin: int, end: int) -> NDArray[Any]:
    """Return the stored samples of some frames, shape (end - begin, samples per frame)."""
    storage, width = STORAGE[signals[0].storage], sum(s.per_frame for s in signals)
    first_group = begin * width // storage.samples
    last_group = -(-end * width // storage.samples)
    n_bytes = (last_group - first_group) * storage.n_bytes
    offset = signals[0].offset + first_group * storage.n_bytes
    raw = np.fromfile(file, dtype=np.uint8, count=n_bytes, offset=offset)
    raw = np.pad(raw, (0, n_bytes - raw.size))  # a packed group may be cut at the file's end
    flat = storage.decode(raw.reshape(-1, storage.n_bytes)).reshape(-1)
    lead = begin * width - first_group * storage.samples
    return flat[lead : lead + (end - begin) * width].reshape(-1, width)


def _check_sum(part: NDArray[Any], signal: WfdbSignal, file: Path) -> None:
    if signal.checksum is None:
        return
    total = int(part.sum(dtype=np.int64)) & 0xFFFF
    if total != signal.checksum & 0xFFFF:
        raise FormatError(
            f"{file}: the samples of {signal.words!r} do not add up to the header's checksum "
            f"({signal.checksum}); the file is damaged."
        )


def _physical(part: NDArray[Any], signal: WfdbSignal) -> NDArray[np.float64]:
    values = part.astype(np.float64)
    values[part == STORAGE[signal.storage].missing] = np.nan
    return (values - signal.baseline) / signal.gain if signal.gain else values


# --- writing -------------------------------------------------------------------------------------


def _save(recording: Recording | RecordingSet, path: Path) -> None:
    if isinstance(recording, RecordingSet):
        raise DataError(
            f"Myograph writes WFDB records of one rate, and this set has {len(recording)} "
            f"recordings ({list(recording)}); write one of them, or choose .myo.h5 or .edf."
        )
    if re.fullmatch(r"[A-Za-z0-9_-]+", path.stem) is None:
        raise ParameterError(
            f"A WFDB record's name has letters, digits, _ and - only; got {path.stem!r}."
        )
    samples = recording.samples
    whole = np.array_equal(samples, np.rint(samples)) and np.abs(samples).max() <= _PEAK_16
    peaks = np.abs(samples).max(axis=1).astype(np.float64)
    gains = np.ones(len(samples)) if whole else _PEAK_24 / np.where(peaks > 0, peaks, 1.0)
    digital = np.rint(samples * gains[:, None]).astype(np.int32)
    data = digital.T.astype("<i2") if whole else encode_int24(digital.T)
    path.with_suffix(".dat").write_bytes(np.ascontiguousarray(data).data)
    # Always written: an older record's annotations would otherwise be taken for this one's.
    path.with_suffix(".atr").write_bytes(pack_annotations(_moments(recording)))
    path.write_text(_header_text(recording, path, gains, digital, whole=whole), encoding="ascii")


def _moments(recording: Recording) -> list[tuple[int, str]]:
    begin_s, fs_hz = recording.start_s, recording.fs_hz
    return [(round((e.onset_s - begin_s) * fs_hz), e.label) for e in recording.events]


def _header_text(
    recording: Recording,
    path: Path,
    gains: NDArray[np.float64],
    digital: NDArray[np.int32],
    *,
    whole: bool,
) -> str:
    start = ""
    if recording.started_at:
        began = recording.started_at + timedelta(seconds=recording.start_s)
        start = f" {began:%H:%M:%S}.{began.microsecond // 1000:03} {began:%d/%m/%Y}"
    lines = [f"{path.stem} {recording.n_channels} {recording.fs_hz!r} {recording.n_samples}{start}"]
    bits = 16 if whole else 24
    for channel, gain, row in zip(recording.layout.channels, gains, digital, strict=True):
        unit = {"1": "NU"}.get(channel.unit, channel.unit)
        unit = "normal" if channel.scale == "normalised" else unit
        total = (int(row.sum(dtype=np.int64)) + 2**15) % 2**16 - 2**15
        name = channel.name.encode("ascii", "replace").decode()
        lines.append(
            f"{path.stem}.dat {bits} {float(gain)!r}(0)/{unit} {bits} 0 {row[0]} {total} 0 {name}"
        )
    pieces = embed({"": Header.of(recording)}, length=_COMMENT_LENGTH)
    return "\n".join([*lines, *(f"# {piece.text}" for piece in pieces)]) + "\n"


#: 16 bits for whole numbers (exact), 24 bits otherwise.
WFDB = FORMATS.add(
    "wfdb",
    Format(
        "wfdb",
        "WFDB",
        (".hea",),
        _sniff,
        _open,
        _save,
        options=frozenset({"fs_hz"}),
        holds=METADATA - {"sets"},
        relative_error=2e-7,
        rank=5,
    ),
)
