"""Recording: samples in physical units with everything needed to understand them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import (
    check_choice,
    check_non_negative,
    check_positive,
    check_samples,
    unknown_name,
)
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recipe import Recipe

__all__ = ["GAP", "Event", "Recording", "RecordingSet", "Subject", "cut_events"]

#: Label of an event over samples that were never measured (lost packets, a repaired stretch).
GAP = "gap"

# The largest time, in samples, by which an event may pass the end: writers round to their clock.
_ROUNDING = 1.0

# What is left of an event after a crop is nothing when it is shorter than this: rounding alone.
_INSTANT_S = 1e-9


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something that happened, on the clock of the recording.

    Parameters
    ----------
    onset_s, duration_s : float
        Seconds; a duration of 0 marks a moment.
    label : str
        What happened: a gesture, ``"gap"``, ``"onset"``, ...
    source : str
        Who says so: ``"protocol"``, ``"annotation"``, a detector's name.
    trial : str
        Which repetition this is; empty when there is no such thing.
    """

    onset_s: float
    duration_s: float
    label: str
    source: str = "annotation"
    trial: str = ""

    def __post_init__(self) -> None:
        if not np.isfinite(self.onset_s):
            raise ParameterError(f"onset_s of event {self.label!r} must be finite.")
        check_non_negative(self.duration_s, name=f"duration_s of event {self.label!r}")

    @property
    def end_s(self) -> float:
        """Seconds at which the event ends."""
        return self.onset_s + self.duration_s

    def to_dict(self) -> dict[str, Any]:
        """Return the event as plain JSON-able data."""
        return {
            "onset_s": self.onset_s,
            "duration_s": self.duration_s,
            "label": self.label,
            "source": self.source,
            "trial": self.trial,
        }


@dataclass(frozen=True, slots=True)
class Subject:
    """The person, by pseudonym: never a name or a hospital number.

    Parameters
    ----------
    pseudonym : str
        Identifies the person within a study.
    age_years, height_cm, mass_kg : float, optional
    sex : str
        ``"female"``, ``"male"`` or empty when unknown.
    handedness : str
        ``"left"``, ``"right"``, ``"both"`` or empty.
    condition : str
        Diagnosis or study group, as the source words it; empty when unknown.
    """

    pseudonym: str
    age_years: float | None = None
    sex: str = ""
    height_cm: float | None = None
    mass_kg: float | None = None
    handedness: str = ""
    condition: str = ""

    def __post_init__(self) -> None:
        if not self.pseudonym:
            raise ParameterError("A subject needs a pseudonym; got an empty one.")
        check_choice(self.sex, ("", "female", "male"), name="sex")
        check_choice(self.handedness, ("", "left", "right", "both"), name="handedness")
        for name in ("age_years", "height_cm", "mass_kg"):
            value = getattr(self, name)
            if value is not None:
                check_positive(value, name=name)

    def to_dict(self) -> dict[str, Any]:
        """Return the subject as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, eq=False)
class Recording:
    """A multichannel recording in physical units, frozen.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_channels, n_samples)
        Values in each channel's unit, finite, held read-only. A writeable array is copied, so that
        nobody can change the recording from outside; one already made read-only is taken as it is.
    layout : Layout
        Sampling rate and channels, one channel per row of ``samples``.
    events : tuple of Event
        Sorted by onset, inside the recording. Samples that were never measured lie under events
        labelled ``"gap"``; windows never touch them.
    subject : Subject, optional
    session, site, device : str
        Which visit, where, with what; empty when unknown.
    started_at : datetime, optional
        Wall-clock time of the zero of the recording's clock.
    start_s : float
        Time of the first sample on the recording's clock. Cropping keeps the clock, and the
        members of a `RecordingSet` share one.
    recipe : Recipe
        What was done to reach these samples.

    Raises
    ------
    DataError
        If samples are not finite or an event lies outside the recording.
    LayoutError
        If there is not one row of samples per channel.

    Examples
    --------
    >>> import numpy as np
    >>> from myograph.core.layout import Channel, Layout
    >>> layout = Layout(1000.0, (Channel("TA", kind="semg"),))
    >>> Recording(np.zeros((1, 500)), layout).duration_s
    0.5
    """

    samples: NDArray[np.float32]
    layout: Layout
    events: tuple[Event, ...] = ()
    subject: Subject | None = None
    session: str = ""
    site: str = ""
    device: str = ""
    started_at: datetime | None = None
    start_s: float = 0.0
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", _frozen(self.samples))
        object.__setattr__(self, "events", tuple(sorted(self.events)))
        if self.n_channels != self.layout.n_channels:
            raise LayoutError(
                f"The layout names {self.layout.n_channels} channels {list(self.layout.names)}; "
                f"samples has {self.n_channels} rows."
            )
        slack = _ROUNDING / self.fs_hz
        for event in self.events:
            if event.onset_s < self.start_s - slack or event.end_s > self.end_s + slack:
                raise DataError(
                    f"Event {event.label!r} at {event.onset_s:g}-{event.end_s:g} s lies outside "
                    f"the recording ({self.start_s:g}-{self.end_s:g} s)."
                )

    @property
    def fs_hz(self) -> float:
        """Samples per second."""
        return self.layout.fs_hz

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return int(self.samples.shape[0])

    @property
    def n_samples(self) -> int:
        """Number of samples per channel."""
        return int(self.samples.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs_hz

    @property
    def end_s(self) -> float:
        """Time just after the last sample, on the recording's clock."""
        return self.start_s + self.duration_s

    @cached_property
    def source_digest(self) -> str:
        """sha256 of the samples as they were read: equal recordings under two names share it."""
        if self.recipe.source:
            return self.recipe.source
        header = f"{self.fs_hz!r} {self.samples.shape} ".encode()
        return hashlib.sha256(header + self.samples.tobytes()).hexdigest()

    def with_samples(
        self,
        samples: NDArray[np.floating],
        *,
        step: str,
        parameters: Mapping[str, Any],
        version: int = 1,
        layout: Layout | None = None,
    ) -> Recording:
        """Return a copy holding ``samples``, its recipe one step longer."""
        return replace(
            self,
            samples=samples,
            layout=layout or self.layout,
            recipe=self._then(step, parameters, version),
        )

    def with_events(self, events: Iterable[Event]) -> Recording:
        """Return a copy with these events instead."""
        return replace(self, events=tuple(events))

    def select(self, names: Iterable[str] = (), *, kinds: Iterable[str] = ()) -> Recording:
        """Return the channels with these names, in their order, or of these kinds."""
        rows = self.layout.rows(names=names, kinds=kinds)
        if not rows:
            raise LayoutError(
                f"No channel is left of {list(self.layout.names)} "
                f"(kinds {[c.kind for c in self.layout.channels]}); name at least one that exists."
            )
        if rows == tuple(range(self.n_channels)):
            return self
        return self.with_samples(
            self.samples[list(rows)],
            step="select",
            parameters={"names": [self.layout.names[row] for row in rows]},
            layout=self.layout.take(rows),
        )

    def crop(self, start_s: float, stop_s: float) -> Recording:
        """Return the samples from ``start_s`` up to ``stop_s``, on the same clock.

        Events are cut to what is left of them.
        """
        if not self.start_s <= start_s < stop_s <= self.end_s + _ROUNDING / self.fs_hz:
            raise ParameterError(
                f"crop needs {self.start_s:g} <= start_s < stop_s <= {self.end_s:g}; "
                f"got start_s={start_s!r}, stop_s={stop_s!r}."
            )
        first = round((start_s - self.start_s) * self.fs_hz)
        last = min(round((stop_s - self.start_s) * self.fs_hz), self.n_samples)
        begin_s, end_s = self.start_s + first / self.fs_hz, self.start_s + last / self.fs_hz
        return replace(
            self,
            samples=self.samples[:, first:last],
            events=tuple(cut_events(self.events, begin_s, end_s)),
            start_s=begin_s,
            recipe=self._then("crop", {"start_s": begin_s, "stop_s": end_s}),
        )

    def _then(self, step: str, parameters: Mapping[str, Any], version: int = 1) -> Recipe:
        source = replace(self.recipe, source=self.source_digest)
        return source.then(step, parameters, version)

    def __eq__(self, other: object) -> bool:
        """Equal when samples and everything known about them are equal."""
        if not isinstance(other, Recording):
            return NotImplemented
        return self._header() == other._header() and np.array_equal(self.samples, other.samples)

    def __hash__(self) -> int:
        """Hash by the source and what was done to it."""
        return hash((self.source_digest, self._header()))

    def _header(self) -> tuple[object, ...]:
        return (
            self.layout,
            self.events,
            self.subject,
            self.session,
            self.site,
            self.device,
            self.started_at,
            self.start_s,
            self.recipe.steps,
        )

    def __repr__(self) -> str:
        """Name what a reader needs to tell recordings apart."""
        who = f", subject {self.subject.pseudonym!r}" if self.subject else ""
        return (
            f"<Recording {self.n_channels} channels x {self.n_samples} samples, "
            f"{self.fs_hz:g} Hz, {self.duration_s:.3g} s, {len(self.events)} events{who}>"
        )

    # Leaving for other people's tools. The conversions live in io.bridges, two layers up; this is
    # the one deliberate upward door, so that `recording.to_mne()` is where people look for it.

    def to_mne(self) -> Any:
        """Return an ``mne.io.RawArray`` (volts, with annotations); see `myograph.io.bridges`."""
        return _bridges().to_mne(self)

    @classmethod
    def from_mne(cls, raw: Any) -> Recording:
        """Build a recording from an ``mne.io.Raw``; see `myograph.io.bridges`."""
        recording: Recording = _bridges().from_mne(raw)
        return recording

    def to_pandas(self) -> Any:
        """Return a DataFrame, one column per channel, indexed by seconds."""
        return _bridges().to_pandas(self)


@dataclass(frozen=True)
class RecordingSet:
    """Recordings of one occasion at different rates, on one clock.

    Parameters
    ----------
    members : mapping of str to Recording
        For example ``{"emg": ..., "imu": ...}``; each member's ``start_s`` places it on the clock.
    """

    members: Mapping[str, Recording]

    def __post_init__(self) -> None:
        if not self.members:
            raise DataError("A RecordingSet needs at least one recording; got none.")
        people = {r.subject.pseudonym for r in self.members.values() if r.subject}
        if len(people) > 1:
            raise DataError(f"A RecordingSet holds one person on one clock; got {sorted(people)}.")

    def __getitem__(self, name: str) -> Recording:
        """Return the member called ``name``."""
        if name not in self.members:
            raise ParameterError(unknown_name(name, self.members, what="member"))
        return self.members[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the members' names."""
        return iter(self.members)

    def __len__(self) -> int:
        """Count the members."""
        return len(self.members)

    def crop(self, start_s: float, stop_s: float) -> RecordingSet:
        """Crop every member to the same stretch of the common clock."""
        return RecordingSet({k: r.crop(start_s, stop_s) for k, r in self.members.items()})


def _frozen(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    checked = check_samples(samples)
    if checked.flags.writeable and np.may_share_memory(checked, samples):
        checked = checked.copy()
    checked = checked.view()
    checked.flags.writeable = False
    return checked


def cut_events(events: Iterable[Event], start_s: float, stop_s: float) -> Iterator[Event]:
    """Yield what is left of the events between ``start_s`` and ``stop_s``."""
    for event in events:
        onset_s, end_s = max(event.onset_s, start_s), min(event.end_s, stop_s)
        inside = (
            start_s <= event.onset_s < stop_s
            if event.duration_s == 0
            else end_s - onset_s > _INSTANT_S
        )
        if inside:
            yield replace(event, onset_s=onset_s, duration_s=max(end_s - onset_s, 0.0))


def _bridges() -> Any:
    return import_module("myograph.io.bridges")
