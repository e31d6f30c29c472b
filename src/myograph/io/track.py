"""Track: what lies in a file at one rate, described but not loaded yet.

A format describes; this module decides (kinds, units, slices, gaps) once for all formats and
makes the `Recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, FormatError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recipe import Recipe
from myograph.core.recording import GAP, Event, Recording, Subject
from myograph.io.header import Header
from myograph.io.hints import Hints
from myograph.io.kinds import infer_kind, refuse_kind
from myograph.io.units import conversion

__all__ = ["Fetch", "Signal", "Track", "rate_of", "unique_names"]

#: ``fetch(rows, first, last)`` loads samples ``first`` to ``last`` of these rows, in their order,
#: in the file's units: shape (len(rows), last - first), NaN where nothing was measured.
Fetch = Callable[[Sequence[int], int, int], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Signal:
    """A channel as a file words it, before anyone decided what it is.

    Parameters
    ----------
    name : str
        Its label.
    unit : str
        As written in the file; empty when it does not say.
    kind : str
        One of Myograph's kinds when the format states it; empty to infer it.
    text : str
        Anything else that may tell the kind: a transducer, a group's name.
    muscle, side, position_mm
        As in `Channel`.
    """

    name: str
    unit: str = ""
    kind: str = ""
    text: str = ""
    muscle: str = ""
    side: str = ""
    position_mm: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One rate's channels of a file.

    Parameters
    ----------
    path : Path
        The file, for messages.
    fs_hz : float
        Samples per second.
    n_samples : int
        Samples per channel.
    signals : tuple of Signal or Channel
        One per row. A `Channel` is taken as it is, its samples in its own unit.
    fetch : callable
        See `Fetch`.
    name : str
        The member's name in a `RecordingSet`.
    events : tuple of Event
    subject, session, site, device, started_at, start_s, recipe
        As in `Recording`.
    source : str
        Digest of the samples as they were read, when the file keeps it.
    """

    path: Path
    fs_hz: float
    n_samples: int
    signals: tuple[Signal | Channel, ...]
    fetch: Fetch
    name: str = ""
    events: tuple[Event, ...] = ()
    subject: Subject | None = None
    session: str = ""
    site: str = ""
    device: str = ""
    started_at: datetime | None = None
    start_s: float = 0.0
    recipe: Recipe = field(default_factory=Recipe)
    source: str = ""

    @classmethod
    def of(cls, header: Header, fetch: Fetch, *, path: Path, name: str = "") -> Track:
        """Make a track of a Myograph header found in a file."""
        return cls(
            path,
            header.layout.fs_hz,
            header.n_samples,
            header.layout.channels,
            fetch,
            name,
            header.events,
            header.subject,
            header.session,
            header.site,
            header.device,
            header.started_at,
            header.start_s,
            header.recipe,
            header.source,
        )

    def load(self, hints: Hints) -> Recording:
        """Load the samples that the hints ask for and make the recording."""
        if self.n_samples < 1:
            raise FormatError(f"{self.path} holds no samples: its header describes 0 of them.")
        rows = self._rows(hints)
        channels, factors = zip(*(self._decide(row, hints) for row in rows), strict=True)
        first, last = self._span(hints)
        samples = _in_own_unit(self.fetch(rows, first, last), np.array(factors))
        begin_s, end_s = self.start_s + first / self.fs_hz, self.start_s + last / self.fs_hz
        whole = (first, last) == (0, self.n_samples)
        events = tuple(self._events(hints) if whole else _cut(self.events, begin_s, end_s))
        layout = Layout(self.fs_hz, channels)
        if hints.non_finite == "gap":
            samples, gaps = _hold_through_gaps(samples, layout, begin_s, path=self.path)
            events += gaps
        recipe = self._recipe(layout, rows, None if whole else (begin_s, end_s))
        header = Header(
            layout,
            last - first,
            events,
            self.subject,
            self.session,
            self.site,
            self.device,
            self.started_at,
            begin_s,
            recipe,
        )
        samples.flags.writeable = False  # nobody else holds them: no copy is needed
        try:
            return header.recording(samples)
        except DataError as error:
            raise type(error)(f"{self.path}: {error}") from error

    def _rows(self, hints: Hints) -> tuple[int, ...]:
        names = [signal.name for signal in self.signals]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise LayoutError(f"{self.path}: channels {repeated} occur more than once.")
        if hints.channels is None:
            return tuple(range(len(names)))
        for name in hints.channels:
            if name not in names:
                raise LayoutError(f"{self.path}: " + unknown_name(name, names, what="channel"))
        return tuple(names.index(name) for name in hints.channels)

    def _decide(self, row: int, hints: Hints) -> tuple[Channel, float]:
        """Return the channel of ``row`` and the factor from the file's unit to its own."""
        signal = self.signals[row]
        stated = hints.kind_of(signal.name, index=row, n_channels=len(self.signals))
        unit = hints.unit_of(signal.name)
        where = f"{self.path}, channel {signal.name!r}"
        if isinstance(signal, Channel):
            if stated is None and unit is None:
                return signal, 1.0
            signal = Signal(
                signal.name,
                signal.unit if signal.scale != "normalised" else "normalised",
                signal.kind,
                muscle=signal.muscle,
                side=signal.side,
                position_mm=signal.position_mm,
            )
        word = signal.unit if unit is None else unit
        kind = stated or signal.kind or infer_kind(signal.name, unit=word, text=signal.text)
        if not kind:
            raise refuse_kind(where, unit=word)
        scale, factor = conversion(word, kind=kind, where=where)
        place = (signal.muscle, signal.side, signal.position_mm)
        return Channel(signal.name, kind, *place, scale), factor

    def _span(self, hints: Hints) -> tuple[int, int]:
        end_s = self.start_s + self.n_samples / self.fs_hz
        start_s = self.start_s if hints.start_s is None else hints.start_s
        stop_s = end_s if hints.stop_s is None else hints.stop_s
        slack = 1 / self.fs_hz
        if not self.start_s - slack / 2 <= start_s < stop_s <= end_s + slack:
            raise ParameterError(
                f"{self.path}: start_s and stop_s must lie in {self.start_s:g} <= start_s < stop_s "
                f"<= {end_s:g}; got start_s={start_s!r}, stop_s={stop_s!r}."
            )
        first = max(round((start_s - self.start_s) * self.fs_hz), 0)
        last = min(round((stop_s - self.start_s) * self.fs_hz), self.n_samples)
        if first >= last:
            raise ParameterError(
                f"{self.path}: no sample lies between {start_s!r} and {stop_s!r} s at "
                f"{self.fs_hz:g} Hz; ask for a longer stretch."
            )
        return first, last

    def _events(self, hints: Hints) -> Iterator[Event]:
        """Yield the events of the whole file; those outside it are strays."""
        end_s, slack = self.start_s + self.n_samples / self.fs_hz, 1 / self.fs_hz
        for event in self.events:
            if self.start_s - slack <= event.onset_s and event.end_s <= end_s + slack:
                yield event
            elif hints.stray_events == "refuse":
                raise DataError(
                    f"{self.path}: event {event.label!r} at {event.onset_s:g}-{event.end_s:g} s "
                    f"lies outside the samples ({self.start_s:g}-{end_s:g} s); leave such events "
                    "out with the option stray_events='drop'."
                )

    def _recipe(
        self, layout: Layout, rows: Sequence[int], span_s: tuple[float, float] | None
    ) -> Recipe:
        """Say what was left out, as `Recording.select` and `Recording.crop` say it."""
        recipe = self.recipe
        chosen = tuple(rows) != tuple(range(len(self.signals)))
        if (chosen or span_s) and not recipe.source:
            recipe = replace(recipe, source=self.source)
        if chosen:
            recipe = recipe.then("select", {"names": list(layout.names)})
        if span_s:
            recipe = recipe.then("crop", {"start_s": span_s[0], "stop_s": span_s[1]})
        return recipe


def rate_of(hints: Hints, stated_hz: float | None, *, path: Path) -> float:
    """Return the sampling rate that the caller or the file states, or refuse.

    Raises
    ------
    DataError
        If nobody states it.
    """
    rate_hz = stated_hz if hints.fs_hz is None else hints.fs_hz
    if rate_hz is None:
        raise DataError(
            f"{path}: nothing in the file says how many samples a second it holds; state it with "
            "the option fs_hz= (a sampling rate is never guessed)."
        )
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise FormatError(
            f"{path}: the sampling rate must be above 0 Hz; the file says {rate_hz!r}."
        )
    return float(rate_hz)


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, those that occur again with a number behind them.

    Examples
    --------
    >>> unique_names(["EMG", "EMG", "ECG"])
    ('EMG', 'EMG (2)', 'ECG')
    """
    found: list[str] = []
    for name in names:
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found.append(unique)
    return tuple(found)


def _in_own_unit(samples: NDArray[Any], factors: NDArray[np.float64]) -> NDArray[np.float32]:
    if np.all(factors == 1):
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(samples, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused later
        return (samples * factors[:, None]).astype(np.float32, order="C")


def _hold_through_gaps(
    samples: NDArray[np.float32], layout: Layout, begin_s: float, *, path: Path
) -> tuple[NDArray[np.float32], tuple[Event, ...]]:
    """Replace non-finite values by the last finite one of their channel; name the stretches."""
    finite = np.isfinite(samples)
    if finite.all():
        return samples, ()
    silent = np.flatnonzero(~finite.any(axis=1))
    if silent.size:
        raise DataError(
            f"{path}: channels {[layout.names[row] for row in silent]} have no finite sample at "
            "all; leave them out with the option channels=."
        )
    held = samples.copy()
    columns = np.arange(samples.shape[1])
    for row in np.flatnonzero(~finite.all(axis=1)):
        first = int(np.argmax(finite[row]))  # before it, the first measured value is all there is
        nearest = np.maximum.accumulate(np.where(finite[row], columns, first))
        held[row] = samples[row, nearest]
    edges = np.flatnonzero(np.diff(np.r_[False, ~finite.all(axis=0), False]))
    return held, tuple(
        Event(begin_s + start / layout.fs_hz, (stop - start) / layout.fs_hz, GAP, "reader")
        for start, stop in edges.reshape(-1, 2).tolist()
    )


def _cut(events: Sequence[Event], start_s: float, stop_s: float) -> Iterator[Event]:
    """Keep what is left of the events between two moments, as `Recording.crop` does."""
    for event in events:
        onset_s, end_s = max(event.onset_s, start_s), min(event.end_s, stop_s)
        if event.duration_s == 0:
            if start_s <= event.onset_s < stop_s:
                yield event
        elif end_s > onset_s:
            yield replace(event, onset_s=onset_s, duration_s=end_s - onset_s)
