"""Rows: the channels of an OTB file, from the columns of its members to tracks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import FormatError
from myograph.core.recording import Event
from myograph.io.otb_archive import Archive, number_in, text_in
from myograph.io.track import Fetch, Signal, Track, unique_names

__all__ = ["Row", "emg_kind", "markers_of", "non_emg_kind", "tracks_of"]

# Grids as the vendor names them: HD08MM1305 has 13 x 5 electrodes 8 mm apart.
_GRID = re.compile(r"(hd|gr)\d\dmm\d{4}|array|matrix|splitter|64 electrodes|32 electrodes")
_NEEDLE = re.compile(r"iemg|intramuscular|needle|fine ?wire|thin[- ]film")

# From this many channels of one connector on, it is a grid whatever its name.
_GRID_CHANNELS = 16


@dataclass(frozen=True, slots=True)
class Row:
    """One channel: a column of frames (n_samples, n_columns), and the factor to its unit."""

    signal: Signal
    frames: NDArray[Any]
    column: int
    factor: float
    fs_hz: float


def non_emg_kind(words: str, *, is_control: bool = False) -> str:
    """Return the kind of a channel that the words of the device say is no EMG; empty otherwise.

    Examples
    --------
    >>> non_emg_kind("AdapterLoadCell")
    'force'
    >>> non_emg_kind("Bipolar EMG")
    ''
    """
    plain = words.lower().replace(" ", "").replace("_", "")
    if "quaternion" in plain:
        return "orientation"
    if "loadcell" in plain or "dynamom" in plain:
        return "force"
    if is_control or re.search(r"adaptercontrol|buffer|ramp|control|trigger", plain):
        return "trigger"
    return ""


def emg_kind(words: str, *, n_channels: int) -> str:
    """Return which EMG a connector records.

    Examples
    --------
    >>> emg_kind("GR08MM1305", n_channels=64), emg_kind("Bipolar", n_channels=1)
    ('hdemg', 'semg')
    """
    if _NEEDLE.search(words.lower()):
        return "needle"
    return "hdemg" if n_channels >= _GRID_CHANNELS or _GRID.search(words.lower()) else "semg"


def tracks_of(rows: Sequence[Row], template: Track, names: Sequence[str]) -> tuple[Track, ...]:
    """Group rows of one rate and length into tracks, the first of which is the EMG.

    ``names`` are those of the tracks, in their order; one track alone has none.
    """
    groups: dict[tuple[float, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.fs_hz, len(row.frames)), []).append(row)
    labels = [*names, *(f"{fs_hz:g} Hz, {n} samples" for fs_hz, n in groups)]
    return tuple(
        replace(
            template,
            fs_hz=fs_hz,
            n_samples=n_samples,
            signals=tuple(_unique([row.signal for row in group])),
            fetch=_fetch(group),
            name=labels[i] if len(groups) > 1 else "",
            events=tuple(e for e in template.events if i == 0 or e.end_s <= n_samples / fs_hz),
        )
        for i, ((fs_hz, n_samples), group) in enumerate(groups.items())
    )


def _unique(signals: Sequence[Signal]) -> Iterator[Signal]:
    names = unique_names([signal.name for signal in signals])
    return (replace(s, name=name) for s, name in zip(signals, names, strict=True))


def _fetch(group: Sequence[Row]) -> Fetch:
    def fetch(rows: Sequence[int], first: int, last: int) -> NDArray[np.float64]:
        loaded: dict[int, NDArray[Any]] = {}
        out = np.empty((len(rows), last - first))
        for i, row in enumerate(group[number] for number in rows):
            if id(row.frames) not in loaded:
                loaded[id(row.frames)] = np.array(row.frames[first:last])
            out[i] = loaded[id(row.frames)][:, row.column] * row.factor
        return out

    return fetch


def markers_of(archive: Archive) -> tuple[Event, ...]:
    """Return the markers that the operator set; several files may repeat them."""
    found = set()
    for name in archive.names(".xml"):
        if not re.match(r"markers?", name.rpartition("/")[2].lower()):
            continue
        where = f"{archive.path}, {name}"
        for marker in archive.xml(name).iter("Marker"):
            onset_s = number_in(marker, "Milliseconds", where=where) / 1000
            if onset_s < 0:
                raise FormatError(f"{where}: a marker stands at {onset_s:g} s, before the start.")
            found.add(Event(onset_s, 0.0, text_in(marker, "Description")))
    return tuple(sorted(found))
