"""EDF+ and BDF+ written: samples rounded to 16 or 24 bits, everything else kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Channel
from myograph.core.recording import Recording, RecordingSet, Subject
from myograph.io.annotations import Annotation, event_annotations
from myograph.io.edf_header import MONTHS, EdfHeader, EdfSignal, number_field, render_header
from myograph.io.edf_samples import encode_int24
from myograph.io.edf_tal import pack_annotations
from myograph.io.embed import embed
from myograph.io.header import Header, channel_to_text, members_of

__all__ = ["labels_for", "save_bdf", "save_edf"]

# Parts of a second that have a short exact decimal form, the longest first.
_PARTS = [
    Fraction(1, n) for n in (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500, 1000)
]
_LARGEST_DENOMINATOR = 1000  # of a rate in Hz; beyond, the record's duration is rounded
_BLOCK_RECORDS = 64
# Each record repeats its onset: records of a few samples are for short recordings only.
_SHORTEST_RECORD = Fraction(1, 10)
_FEW_RECORDS = 100


def save_edf(recording: Recording | RecordingSet, path: Path) -> None:
    """Write EDF+; samples are rounded to 16 bits of each channel's range."""
    _save(recording, path, is_bdf=False)


def save_bdf(recording: Recording | RecordingSet, path: Path) -> None:
    """Write BDF+; samples are rounded to 24 bits of each channel's range."""
    _save(recording, path, is_bdf=True)


def labels_for(channels: Sequence[Channel]) -> list[str]:
    """Return a label of at most 16 ASCII characters for each channel, all different."""
    taken: list[str] = []
    for channel in channels:
        plain = channel.name.encode("ascii", "replace").decode()
        label, number = plain[:16].strip(), 1
        while label in taken or label in ("EDF Annotations", "BDF Annotations", ""):
            number += 1
            label = f"{plain[: 15 - len(str(number))].strip()}~{number}"
        taken.append(label)
    return taken


def _save(recording: Recording | RecordingSet, path: Path, *, is_bdf: bool) -> None:
    members = members_of(recording)
    begin_s = _common_start(members)
    record_s, per_record = _records(members)
    n_records = max(-(-m.n_samples // n) for m, n in zip(members.values(), per_record, strict=True))
    headers = {name: Header.of(member) for name, member in members.items()}
    first = next(iter(members.values()))
    started_at = first.started_at and first.started_at + timedelta(seconds=begin_s)
    fraction_s = started_at.microsecond * 1e-6 if started_at else 0.0
    onsets_s = [fraction_s + float(number * record_s) for number in range(n_records)]
    annotations = [
        Annotation(a.onset_s + fraction_s, a.duration_s, a.text)
        for a in event_annotations(headers.values(), begin_s=begin_s)
    ]
    width = 3 if is_bdf else 2
    lists = pack_annotations([*embed(headers), *annotations], onsets_s, multiple=width)
    signals = _signals(members, per_record, is_bdf=is_bdf)
    kind = "BDF" if is_bdf else "EDF"
    listed = EdfSignal(
        f"{kind} Annotations", "", "", (-1.0, 1.0), _range(is_bdf), "", len(lists[0]) // width
    )
    header = EdfHeader(
        is_bdf,
        _patient(first.subject),
        _recording_field(started_at, first.device),
        started_at.strftime("%d.%m.%y") if started_at else "01.01.85",
        started_at.strftime("%H.%M.%S") if started_at else "00.00.00",
        f"{kind}+C",
        n_records,
        record_s,
        (*signals, listed),
    )
    with path.open("wb") as file:
        file.write(render_header(header))
        for block in _blocks(members, per_record, signals, lists, is_bdf=is_bdf):
            file.write(block.data)


def _common_start(members: Mapping[str, Recording]) -> float:
    """Return when all members begin; the format has one clock and no room for a late start."""
    starts = [member.start_s for member in members.values()]
    slowest = min(member.fs_hz for member in members.values())
    if max(starts) - min(starts) > 0.5 / slowest:
        raise DataError(
            f"EDF and BDF begin all channels at one moment; these recordings begin at "
            f"{[round(start, 6) for start in starts]} s. Crop them to a common start, or write "
            "Myograph HDF5 (.myo.h5)."
        )
    return min(starts)


# --- data records ------------------------------------------------------------------------------


def _records(members: Mapping[str, Recording]) -> tuple[Fraction, list[int]]:
    """Return the duration of a data record and the samples of each member in it.

    The duration must hold whole samples of every member and have a short exact decimal form. If
    one also divides the recording evenly, nothing needs to be held beyond its end.
    """
    rates = [Fraction(m.fs_hz).limit_denominator(_LARGEST_DENOMINATOR) for m in members.values()]
    whole = Fraction(int(np.lcm.reduce([rate.denominator for rate in rates])))
    exact = all(
        abs(float(r) / m.fs_hz - 1) < 1e-12 for r, m in zip(rates, members.values(), strict=True)
    )
    if not exact or whole > 100:
        if len(members) > 1:
            raise DataError(
                "EDF and BDF need one record duration that holds whole samples of every rate; "
                f"there is none for {[m.fs_hz for m in members.values()]} Hz. Write Myograph HDF5 "
                "(.myo.h5), or resample."
            )
        return _rounded_record(next(iter(members.values())).fs_hz)
    lengths = [member.n_samples for member in members.values()]
    for part in _PARTS:
        counts = [rate * whole * part for rate in rates]
        if any(count.denominator != 1 for count in counts):
            continue
        numbers = {Fraction(n, int(c)) for n, c in zip(lengths, counts, strict=True)}
        if len(numbers) > 1 or (n_records := numbers.pop()).denominator > 1:
            continue
        if whole * part >= _SHORTEST_RECORD or n_records <= _FEW_RECORDS:
            return whole * part, [int(count) for count in counts]
    return whole, [int(rate * whole) for rate in rates]


def _rounded_record(fs_hz: float) -> tuple[Fraction, list[int]]:
    """Return about a second's worth of samples at a rate without a short exact form.

    Of the nearby numbers of samples, the one whose duration suffers least from eight characters.
    """
    candidates = range(max(1, round(fs_hz * 0.9)), round(fs_hz) + 2)
    texts = {n: f"{n / fs_hz:.6f}" for n in candidates}
    best = min(candidates, key=lambda n: abs(float(texts[n]) * fs_hz / n - 1))
    return Fraction(texts[best]), [best]


def _blocks(
    members: Mapping[str, Recording],
    per_record: Sequence[int],
    signals: Sequence[EdfSignal],
    lists: Sequence[bytes],
    *,
    is_bdf: bool,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the bytes of some data records at a time."""
    texts = np.frombuffer(b"".join(lists), dtype=np.uint8).reshape(len(lists), -1)
    for begin in range(0, len(lists), _BLOCK_RECORDS):
        end = min(begin + _BLOCK_RECORDS, len(lists))
        parts, left = [], list(signals)
        for member, count in zip(members.values(), per_record, strict=True):
            mine, left = left[: member.n_channels], left[member.n_channels :]
            samples = _held(member.samples, begin * count, end * count)
            for row, signal in zip(samples, mine, strict=True):
                digital = _digital(row, signal).reshape(end - begin, count)
                parts.append(encode_int24(digital) if is_bdf else _bytes_16(digital))
        yield np.concatenate([*parts, texts[begin:end]], axis=1)


def _bytes_16(digital: NDArray[np.int32]) -> NDArray[np.uint8]:
    return digital.astype("<i2").view(np.uint8)


def _held(samples: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
    """Return these columns; beyond the end, the last value is held."""
    part = samples[:, first:last]
    missing = last - first - part.shape[1]
    if not missing:
        return part
    return np.hstack([part, np.repeat(samples[:, -1:], missing, axis=1)])


def _digital(row: NDArray[np.float32], signal: EdfSignal) -> NDArray[np.int32]:
    steps = (row.astype(np.float64) - signal.offset) / signal.gain
    return np.clip(np.rint(steps), *signal.digital).astype(np.int32)


# --- header ------------------------------------------------------------------------------------


def _signals(
    members: Mapping[str, Recording], per_record: Sequence[int], *, is_bdf: bool
) -> list[EdfSignal]:
    channels = [channel for member in members.values() for channel in member.layout.channels]
    labels = iter(labels_for(channels))
    found = []
    for member, count in zip(members.values(), per_record, strict=True):
        for channel, row in zip(member.layout.channels, member.samples, strict=True):
            physical, digital = _ranges(row, is_bdf=is_bdf)
            words = channel_to_text(channel, width=80)
            unit = _dimension(channel)
            found.append(EdfSignal(next(labels), words, unit, physical, digital, "", count))
    return found


def _dimension(channel: Channel) -> str:
    if channel.scale == "normalised":
        return "normal"
    return "" if channel.unit == "1" else channel.unit


def _range(is_bdf: bool) -> tuple[int, int]:  # noqa: FBT001
    return (-(2**23), 2**23 - 1) if is_bdf else (-(2**15), 2**15 - 1)


def _ranges(
    row: NDArray[np.float32], *, is_bdf: bool
) -> tuple[tuple[float, float], tuple[int, int]]:
    """Return physical and digital range: exact for whole numbers, symmetric where that is close."""
    low, high = float(row.min()), float(row.max())
    least, most = _range(is_bdf)
    if least <= low and high <= most and np.array_equal(row, np.rint(row)):
        return (float(least), float(most)), (least, most)
    peak = max(abs(low), abs(high))
    if high - low >= peak:  # zero lies inside or near: keep it exactly zero
        top = float(number_field(peak, up=True, width=7))
        return (-top, top), (least + 1, most)
    return (
        float(number_field(low, up=False)),
        float(number_field(high, up=True)),
    ), (least, most)


def _patient(subject: Subject | None) -> str:
    if subject is None:
        return "X X X X"
    sex = {"female": "F", "male": "M"}.get(subject.sex, "X")
    return f"{_one_word(subject.pseudonym)} {sex} X X"


def _recording_field(started_at: datetime | None, device: str) -> str:
    date = "X"
    if started_at:
        date = f"{started_at.day:02}-{MONTHS[started_at.month - 1]}-{started_at.year:04}"
    return f"Startdate {date} X X {_one_word(device) or 'X'}"


def _one_word(text: str) -> str:
    return "_".join(text.split())
