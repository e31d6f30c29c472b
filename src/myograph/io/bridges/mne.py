"""MNE-Python: a recording as ``mne.io.RawArray``, and back.

MNE holds volts; Myograph holds microvolts. The only conversions are a factor 1e-6 going out and
1e6 coming in, for channels that are voltages on the body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import LayoutError
from myograph.core.layout import BIOPOTENTIALS, KIND_UNITS, Channel, Layout
from myograph.core.optional import needs
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.io.bridges.passport import Passport, join
from myograph.io.header import Header

__all__ = ["MNE_TYPES", "from_mne", "to_mne"]

#: MNE's channel type of each kind. MNE has no type for movement or force (acceleration, angular
#: velocity, orientation, angle, force, torque): they travel as "misc", in their own unit.
MNE_TYPES: Mapping[str, str] = {
    kind: {"semg": "emg", "hdemg": "emg", "needle": "emg", "trigger": "stim"}.get(
        kind, kind if kind in ("eeg", "ecg") else "misc"
    )
    for kind in KIND_UNITS
}

# What is certain about a channel that did not come from Myograph.
_KINDS = {"emg": "semg", "eeg": "eeg", "ecg": "ecg", "stim": "trigger"}

# MNE's own name for samples that were never measured; its tools leave such stretches out.
_MNE_GAP = "BAD_ACQ_SKIP"

_Position = tuple[float, float, float]

_MM_PER_M = 1000.0
_SEX = ("", "male", "female")
_HAND = ("", "right", "left", "both")


def to_mne(recording: Recording) -> Any:
    """Return the recording as an ``mne.io.RawArray``.

    Biopotentials become volts; channels without a type in MNE become ``misc`` in their own unit,
    as do channels in device counts or normalised ones, which are no voltages. Events become
    annotations (``gap`` becomes ``BAD_ACQ_SKIP``), positions become metres. What MNE has no place
    for (kind, muscle, side, trial, session, recipe) travels in ``info["description"]``, so that
    `from_mne` gives the same recording back, also after a detour through a FIF file.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    mne.io.RawArray
        Its time 0 is the first sample; annotations are relative to it.

    Raises
    ------
    MissingExtraError
        If mne is not installed.
    """
    mne = needs("mne", to="hand a recording to MNE", extra="io")
    channels = recording.layout.channels
    info = mne.create_info(
        list(recording.layout.names), recording.fs_hz, [_mne_type(c) for c in channels]
    )
    info["description"] = Passport.of(recording).to_text()
    if recording.subject:
        info["subject_info"] = _subject_info(recording.subject)
    raw = mne.io.RawArray(recording.samples * _mne_units(channels), info, verbose="error")
    for entry, channel in zip(raw.info["chs"], channels, strict=True):
        if channel.position_mm is not None:
            entry["loc"][:3] = np.array(channel.position_mm) / _MM_PER_M
    raw.set_meas_date(_first_sample_at(recording.started_at, recording.start_s))
    raw.set_annotations(_annotations(mne, recording), emit_warning=False)
    return raw


def from_mne(raw: Any, *, kinds: Mapping[str, str] | None = None) -> Recording:
    """Build a recording from an ``mne.io.Raw`` of any origin.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Channels that MNE marks as bad come along like the others: drop them first
        (``raw.drop_channels(raw.info["bads"])``) to leave them behind. The subject's ``his_id``
        becomes the pseudonym, so anonymise first (``raw.anonymize()``) if it is anything else.
    kinds : mapping of str to str, optional
        Kind of each channel, by name, where MNE's type does not tell (``misc``) or tells too
        little (``emg`` is read as ``semg``). A kind that is a voltage on the body is read as
        volts, any other in the unit of the kind.

    Returns
    -------
    Recording
        Samples that MNE has changed carry the step ``changed(in=mne)`` in their recipe.

    Raises
    ------
    LayoutError
        If the kind of a channel can be known neither from MNE's type nor from ``kinds``.
    """
    passport = Passport.from_text(raw.info["description"], where='raw.info["description"]')
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    channels = tuple(
        _channel(entry, types[entry["ch_name"]], passport, kinds or {}) for entry in raw.info["chs"]
    )
    layout = Layout(float(raw.info["sfreq"]), channels)
    header = passport.header if passport else _foreign_header(raw, layout)
    recording = join(
        header,
        raw.get_data(verbose="error") / _mne_units(channels),
        layout=layout,
        events=tuple(_exact(_events(raw.annotations, header.start_s), header.events)),
        started_at=_started_at(raw, header),
        start_s=header.start_s + float(raw.first_time),
    )
    return passport.stamp(recording, changed_in="mne") if passport else recording


def _mne_type(channel: Channel) -> str:
    return MNE_TYPES[channel.kind] if channel.scale == "physical" else "misc"


def _mne_units(channels: Iterable[Channel]) -> NDArray[np.float64]:
    """Return MNE's unit per Myograph's unit, as a column."""
    volts = [1e-6 if c.kind in BIOPOTENTIALS and c.scale == "physical" else 1.0 for c in channels]
    return np.array(volts)[:, None]


def _first_sample_at(started_at: datetime | None, start_s: float) -> datetime | None:
    """Return what MNE calls the measurement date: when the first sample was taken, in UTC."""
    if started_at is None:
        return None
    aware = started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)
    return aware.astimezone(UTC) + timedelta(seconds=start_s)


def _started_at(raw: Any, header: Header) -> datetime | None:
    date: datetime | None = raw.info["meas_date"]
    if date == _first_sample_at(header.started_at, header.start_s):
        return header.started_at  # as it was written, with its own time zone
    return date - timedelta(seconds=header.start_s) if date else None


def _annotations(mne: Any, recording: Recording) -> Any:
    events = recording.events
    return mne.Annotations(
        [event.onset_s - recording.start_s for event in events],
        [event.duration_s for event in events],
        [_MNE_GAP if event.label == GAP else event.label for event in events],
        extras=[{"source": event.source, "trial": event.trial} for event in events],
    )


def _events(annotations: Any, start_s: float) -> Iterator[Event]:
    for onset_s, duration_s, text, extras in zip(
        annotations.onset,
        annotations.duration,
        annotations.description,
        annotations.extras,
        strict=True,
    ):
        yield Event(
            start_s + float(onset_s),
            float(duration_s),
            GAP if text == _MNE_GAP else str(text),
            str(extras.get("source", "annotation")),
            str(extras.get("trial", "")),
        )


def _exact(events: Iterable[Event], known: Iterable[Event]) -> Iterator[Event]:
    """Undo MNE's rounding of times to microseconds, for events that are otherwise unchanged."""
    by_name: dict[tuple[str, ...], list[Event]] = {}
    for event in known:
        by_name.setdefault((event.label, event.source, event.trial), []).append(event)
    for event in events:
        same = by_name.get((event.label, event.source, event.trial), [])
        yield next((k for k in same if _is_rounded(event, k)), event)


def _is_rounded(event: Event, known: Event) -> bool:
    off_s = max(abs(event.onset_s - known.onset_s), abs(event.duration_s - known.duration_s))
    return off_s <= 2e-6  # seconds: onset and end are each rounded


def _foreign_header(raw: Any, layout: Layout) -> Header:
    """Return what MNE itself knows of a recording that did not come from Myograph."""
    device = raw.info["device_info"] or {}
    return Header(
        layout, raw.n_times, subject=_subject(raw.info), device=str(device.get("model", ""))
    )


def _channel(
    entry: Mapping[str, Any], mne_type: str, passport: Passport | None, kinds: Mapping[str, str]
) -> Channel:
    name = entry["ch_name"]
    known = passport.channel(name) if passport else None
    position = _position_mm(entry["loc"], known)
    if name in kinds:
        check_choice(kinds[name], KIND_UNITS, name=f"kind of channel {name!r}")
        return Channel(name, kinds[name], position_mm=position)
    if known and _mne_type(known) == mne_type:
        return replace(known, position_mm=position)
    if mne_type not in _KINDS:
        raise LayoutError(
            f"Channel {name!r} has MNE's type {mne_type!r}, which does not say what it measures; "
            f"state it with kinds={{{name!r}: ...}} (one of {sorted(KIND_UNITS)}), or drop the "
            "channel first."
        )
    return Channel(name, _KINDS[mne_type], position_mm=position)


def _position_mm(loc: NDArray[np.float64], known: Channel | None) -> _Position | None:
    metres = loc[:3]
    if not np.isfinite(metres).all() or not metres.any():  # MNE writes "unknown" as NaN or as 0
        return known.position_mm if known else None
    if known and known.position_mm and np.allclose(metres * _MM_PER_M, known.position_mm):
        return known.position_mm
    x, y, z = (round(float(value) * _MM_PER_M, 6) for value in metres)
    return (x, y, z)


def _subject_info(subject: Subject) -> dict[str, Any]:
    info = {
        "his_id": subject.pseudonym,
        "sex": _SEX.index(subject.sex),
        "hand": _HAND.index(subject.handedness),
        "weight": subject.mass_kg,
        "height": subject.height_cm and subject.height_cm / 100,
    }
    return {name: value for name, value in info.items() if value}


def _subject(info: Mapping[str, Any]) -> Subject | None:
    found = info["subject_info"] or {}
    if not found.get("his_id"):
        return None
    height_m = _number(found.get("height"))
    return Subject(
        str(found["his_id"]),
        sex=_SEX[int(found.get("sex") or 0)],
        handedness=_HAND[int(found.get("hand") or 0)],
        mass_kg=_number(found.get("weight")),
        height_cm=height_m and 100 * height_m,
    )


def _number(value: Any) -> float | None:
    return float(value) if value else None
