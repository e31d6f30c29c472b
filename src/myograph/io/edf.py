"""EDF, EDF+, BDF and BDF+: the European Data Format and its 24-bit relative, read.

Written from the published specifications (kemp1992, kemp2003). Annotations become events, the
pauses of a discontinuous file become declared gaps, several sampling rates a `RecordingSet`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import GAP, Event, Subject
from myograph.io.annotations import Annotation, matching_events
from myograph.io.edf_header import BDF_MAGIC, EDF_MAGIC, MONTHS, EdfHeader, parse_header
from myograph.io.edf_samples import Place, annotation_bytes, decode_records, places
from myograph.io.edf_tal import parse_annotations
from myograph.io.edf_write import labels_for, save_bdf, save_edf
from myograph.io.embed import embedded_headers
from myograph.io.formats import FORMATS, Format
from myograph.io.header import Header, channel_from_text
from myograph.io.hints import Hints
from myograph.io.kinds import infer_kind
from myograph.io.track import Fetch, Signal, Track, unique_names

__all__ = ["BDF", "EDF"]

_HEADER_LIMIT = 256 * 10_000  # no recorder has this many signals; a lying number may ask for more
_LARGEST_FILL = 1 << 28  # held samples a channel in the gaps of one read: beyond, something is off


def _open(path: Path, hints: Hints) -> tuple[Track, ...]:
    del hints
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(256)
        header = parse_header(head + file.read(_more_bytes(head)), path=path, size=size)
    lists = annotation_bytes(path, header)
    onsets: list[float | None] = []
    annotations: list[Annotation] = []
    for number, records in enumerate(lists):
        times, found = parse_annotations(records, path=path)
        onsets = times if number == 0 else onsets
        annotations += found
    groups = _groups(header)
    if not groups:
        raise FormatError(f"{path} holds annotations only; a recording needs samples.")
    own, others = embedded_headers(annotations, path=path)
    # The start in the header has whole seconds; the first record says what is missing.
    first_s = (onsets[0] if onsets else None) or 0.0
    others = [replace(a, onset_s=a.onset_s - first_s) for a in others]
    tracks = _own_tracks(path, header, own, others)
    return tracks or _foreign_tracks(path, header, groups, onsets, others)


def _more_bytes(head: bytes) -> int:
    """Return how many bytes follow the first 256 of a header, as far as those can be trusted."""
    words = head[252:256].strip(b" \0")
    return min(256 * int(words), _HEADER_LIMIT) if words.isdigit() else 0


def _groups(header: EdfHeader) -> list[list[Place]]:
    """Return the signals with samples, those of one rate together, in the order of the file."""
    found: dict[int, list[Place]] = {}
    for place in places(header):
        if not place.signal.is_annotations:
            found.setdefault(place.signal.samples_per_record, []).append(place)
    return list(found.values())


# --- files that Myograph wrote -------------------------------------------------------------------


def _own_tracks(
    path: Path,
    header: EdfHeader,
    own: dict[str, Header],
    annotations: list[Annotation],
) -> tuple[Track, ...]:
    """Describe a file by the header Myograph left in it; nothing when that no longer fits.

    Another program may have cut the file or dropped channels since: then what the file itself
    says is true.
    """
    signals = [place for place in places(header) if not place.signal.is_annotations]
    channels = [channel for member in own.values() for channel in member.layout.channels]
    if [place.signal.label for place in signals] != labels_for(channels):
        return ()
    tracks, start = [], 0
    for name, member in own.items():
        chosen = signals[start : start + member.layout.n_channels]
        start += member.layout.n_channels
        if not _as_long(member, chosen, header):
            return ()
        fetch = _fetch(path, header, chosen, _Clock.continuous(header, chosen))
        tracks.append(Track.of(member, fetch, path=path, name=name))
    return tuple(matching_events(tracks, annotations))


def _as_long(member: Header, chosen: Sequence[Place], header: EdfHeader) -> bool:
    per_record = {place.signal.samples_per_record for place in chosen}
    if len(per_record) != 1:
        return False
    stored = per_record.pop()
    return header.n_records == -(-member.n_samples // stored) or (
        # another member of the set was longer: this one was held until its end
        0 < member.n_samples <= header.n_records * stored
        and abs(stored / float(header.record_s) - member.layout.fs_hz) < 1e-3 * member.layout.fs_hz
    )


# --- files of others -----------------------------------------------------------------------------


def _foreign_tracks(
    path: Path,
    header: EdfHeader,
    groups: list[list[Place]],
    onsets: list[float | None],
    annotations: list[Annotation],
) -> tuple[Track, ...]:
    first_s = (onsets[0] if onsets else None) or 0.0
    started_at = _started_at(header)
    if started_at is not None:
        started_at += timedelta(seconds=first_s)
    events = tuple(Event(a.onset_s, a.duration_s, a.text or "annotation") for a in annotations)
    labels = _signals(groups)
    names = _member_names(header, groups)
    tracks = []
    for name, chosen in zip(names, groups, strict=True):
        clock = _Clock.of(path, header, chosen, onsets)
        tracks.append(
            Track(
                path,
                clock.fs_hz,
                clock.n_samples,
                tuple(labels[place.first_byte] for place in chosen),
                _fetch(path, header, chosen, clock),
                name,
                events + clock.gaps(),
                _subject(header),
                device=_equipment(header),
                started_at=started_at,
            )
        )
    return tuple(tracks)


def _signals(groups: list[list[Place]]) -> dict[int, Signal]:
    """Return every signal by the place of its first byte; equal labels get a number."""
    every = [place for chosen in groups for place in chosen]
    names = unique_names([place.signal.label or f"signal{i}" for i, place in enumerate(every, 1)])
    return {p.first_byte: _signal(p, name) for p, name in zip(every, names, strict=True)}


def _signal(place: Place, label: str) -> Signal:
    words = place.signal
    known = channel_from_text(words.transducer, name=label)
    text = f"{words.transducer} {words.prefiltering}"
    if known is None:
        return Signal(label, words.dimension, text=text)
    place_mm = known.position_mm
    return Signal(label, words.dimension, known.kind, text, known.muscle, known.side, place_mm)


def _member_names(header: EdfHeader, groups: list[list[Place]]) -> list[str]:
    """Name the rates of a file: empty for a lone one, else by what they hold and how fast."""
    if len(groups) == 1:
        return [""]
    names = []
    for chosen in groups:
        signals = [_signal(place, place.signal.label) for place in chosen]
        kinds = {s.kind or infer_kind(s.name, unit=s.unit, text=s.text) or "other" for s in signals}
        rate_hz = float(chosen[0].signal.samples_per_record / header.record_s)
        names.append(f"{'-'.join(sorted(kinds))}-{rate_hz:g}Hz")
    return names


def _started_at(header: EdfHeader) -> datetime | None:
    """Return the start's date and time; None when unknown or made anonymous."""
    time = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", header.start_time)
    date = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)", header.start_date)
    if time is None or date is None:
        return None
    day, month, year = (int(part) for part in date.groups())
    year += 1900 if year >= 85 else 2000  # the format's own rule; it began in 1985
    if header.is_plus:
        full = re.match(r"Startdate (\d\d)-([A-Z]{3})-(\d{4})\b", header.recording)
        if full is None or full[2] not in MONTHS:
            return None  # "Startdate X": the date in front is a placeholder
        day, month, year = int(full[1]), MONTHS.index(full[2]) + 1, int(full[3])
    elif (day, month, year) == (1, 1, 1985):
        return None
    hour, minute, second = (int(part) for part in time.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  (the file has no zone)
    except ValueError:  # the 31st of February: as good as not stated
        return None


def _subject(header: EdfHeader) -> Subject | None:
    """Return the person under a pseudonym made from the patient code.

    The code of a clinic's file is a hospital number and the name may follow it: neither is kept,
    but files of one person still share a pseudonym.
    """
    code, sex, birth = ([*header.patient.split(), "X", "X", "X"])[:3]
    if not header.is_plus or code == "X":
        return None
    born = re.fullmatch(r"\d\d-[A-Z]{3}-(\d{4})", birth)
    started = _started_at(header)
    age = started.year - int(born[1]) if born and started else 0
    return Subject(
        f"person-{hashlib.sha256(code.encode()).hexdigest()[:8]}",
        age_years=float(age) if age > 0 else None,
        sex={"F": "female", "M": "male"}.get(sex, ""),
    )


def _equipment(header: EdfHeader) -> str:
    parts = header.recording.split()
    if not header.is_plus or len(parts) < 5 or parts[0] != "Startdate" or parts[4] == "X":
        return ""
    return parts[4].replace("_", " ")


# --- samples -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Clock:
    """Where on the clock the data records of equally fast signals stand.

    Parameters
    ----------
    fs_hz : float
    per_record : int
        Samples in a record.
    firsts : ndarray of int64, shape (n_records,)
        Position of each record's first sample.
    """

    fs_hz: float
    per_record: int
    firsts: NDArray[np.int64]

    @classmethod
    def continuous(cls, header: EdfHeader, chosen: Sequence[Place]) -> _Clock:
        per_record = chosen[0].signal.samples_per_record
        firsts = per_record * np.arange(header.n_records, dtype=np.int64)
        return cls(float(per_record / header.record_s), per_record, firsts)

    @classmethod
    def of(
        cls, path: Path, header: EdfHeader, chosen: Sequence[Place], onsets: list[float | None]
    ) -> _Clock:
        clock = cls.continuous(header, chosen)
        if not header.is_discontinuous or not onsets:
            return clock
        if any(onset is None for onset in onsets):
            raise FormatError(
                f"{path} is discontinuous (EDF+D), and data record {onsets.index(None) + 1} does "
                "not say when it begins."
            )
        times_s = np.array(onsets, dtype=np.float64)
        firsts = np.round((times_s - times_s[0]) * clock.fs_hz)
        early = np.flatnonzero(np.diff(firsts) < clock.per_record)
        if early.size:
            record = int(early[0]) + 1
            raise FormatError(
                f"{path}: data record {record + 1} begins at {times_s[record]:g} s, before the end "
                f"of the one in front of it ({times_s[record - 1]:g} s + "
                f"{float(header.record_s):g} s); records must follow each other in time."
            )
        return cls(clock.fs_hz, clock.per_record, firsts.astype(np.int64))

    @property
    def n_samples(self) -> int:
        return int(self.firsts[-1]) + self.per_record if self.firsts.size else 0

    def gaps(self) -> tuple[Event, ...]:
        ends = self.firsts[:-1] + self.per_record
        lengths = self.firsts[1:] - ends
        return tuple(
            Event(float(ends[i]) / self.fs_hz, float(lengths[i]) / self.fs_hz, GAP, "reader")
            for i in np.flatnonzero(lengths)
        )

    @property
    def is_continuous(self) -> bool:
        return self.n_samples == len(self.firsts) * self.per_record


def _fetch(path: Path, header: EdfHeader, chosen: Sequence[Place], clock: _Clock) -> Fetch:
    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[Any]:
        begin = max(int(np.searchsorted(clock.firsts, first, side="right")) - 1, 0)
        end = max(int(np.searchsorted(clock.firsts, last, side="left")), begin + 1)
        samples = decode_records(path, header, [chosen[row] for row in rows], begin, end)
        if clock.is_continuous:
            lead = first - int(clock.firsts[begin])
            return samples[:, lead : lead + last - first]
        if last - first > samples.shape[1] + _LARGEST_FILL:
            raise DataError(
                f"{path}: {last - first - samples.shape[1]} of the {last - first} samples a "
                "channel between these moments were never measured; read one stretch at a time "
                "with the options start_s= and stop_s=."
            )
        columns = np.arange(first, last)
        record = np.searchsorted(clock.firsts[begin:end], columns, side="right") - 1
        within = np.minimum(columns - clock.firsts[begin:end][record], clock.per_record - 1)
        return samples[:, record * clock.per_record + within]  # a gap holds the last value

    return fetch


#: 16-bit samples: an error of at most half a step, a 65534th of the channel's range.
EDF = FORMATS.add(
    "edf",
    Format(
        "edf",
        "EDF/EDF+",
        (".edf",),
        lambda head, path: head.startswith(EDF_MAGIC),
        _open,
        save_edf,
        relative_error=2e-5,
    ),
)

#: 24-bit samples: as exact as float32.
BDF = FORMATS.add(
    "bdf",
    Format(
        "bdf",
        "BDF/BDF+",
        (".bdf",),
        lambda head, path: head.startswith(BDF_MAGIC),
        _open,
        save_bdf,
        relative_error=2e-7,
    ),
)
