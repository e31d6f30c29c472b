"""LibEMG: recordings as what its ``OfflineDataHandler`` holds, and back.

LibEMG is not imported: its handler is a list of arrays (n_samples, n_channels) and, for each
attribute it names, a list of arrays (n_samples, 1) of whole numbers. It holds neither a sampling
rate nor channel names, units or the meaning of the numbers, so these stay beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import Layout
from myograph.core.recording import Event, Recording, Subject

__all__ = ["LibEMGData", "from_libemg", "to_libemg"]

#: LibEMG's usual names of the attributes, and what they number.
_CLASSES, _REPS, _SUBJECTS, _SESSIONS = "classes", "reps", "subjects", "sessions"

H = TypeVar("H")


@dataclass(frozen=True)
class LibEMGData:
    """What an ``OfflineDataHandler`` holds, and what it cannot hold.

    Parameters
    ----------
    data : list of ndarray, each (n_samples, n_channels)
        One per recording.
    attributes : dict of str to list of ndarray, each (n_samples, 1)
        Numbers of ``classes``, ``reps``, ``subjects`` and ``sessions``.
    names : dict of str to tuple of str
        What the numbers of an attribute stand for: number 2 is the third name. An empty name in
        ``classes`` stands for samples under no event.
    layout : Layout
        Sampling rate, channel names and units.

    Examples
    --------
    >>> from libemg.data_handler import OfflineDataHandler  # doctest: +SKIP
    >>> handler = to_libemg(recordings).fill(OfflineDataHandler())  # doctest: +SKIP
    >>> windows, metadata = handler.parse_windows(200, 100)  # doctest: +SKIP
    """

    data: list[NDArray[np.float32]]
    attributes: dict[str, list[NDArray[np.int64]]]
    names: dict[str, tuple[str, ...]]
    layout: Layout

    def fill(self, handler: H) -> H:
        """Put the arrays into an ``OfflineDataHandler`` and return it."""
        content: dict[str, Any] = {
            "data": list(self.data),
            "extra_attributes": list(self.attributes),
            **{name: list(arrays) for name, arrays in self.attributes.items()},
        }
        for name, value in content.items():
            setattr(handler, name, value)
        return handler


def to_libemg(
    recordings: Iterable[Recording], *, label_sources: Sequence[str] = ("protocol",)
) -> LibEMGData:
    """Return recordings of one layout as LibEMG's arrays.

    Parameters
    ----------
    recordings : iterable of Recording
        Of the same channels and rate. Select the EMG channels first
        (``recording.select(kinds=("semg",))``): LibEMG takes every column for EMG.
    label_sources : sequence of str
        Whose events label the samples; they must not overlap.

    Returns
    -------
    LibEMGData
        ``.fill(OfflineDataHandler())`` gives a handler ready for ``parse_windows``.

    Raises
    ------
    LayoutError
        If the recordings differ in channels or rate.
    DataError
        If there is no recording, or two labelling events overlap.
    """
    listed = list(recordings)
    layout = _common_layout(listed)
    runs = [_runs(recording, tuple(label_sources)) for recording in listed]
    texts: dict[str, list[NDArray[Any]]] = {
        _CLASSES: [labels for labels, _ in runs],
        _REPS: [trials for _, trials in runs],
        _SUBJECTS: [_constant(r, r.subject.pseudonym if r.subject else "") for r in listed],
        _SESSIONS: [_constant(r, r.session) for r in listed],
    }
    names, attributes = {}, {}
    for attribute, columns in texts.items():
        # Text before no text, so that real classes are numbered from 0.
        found = sorted(
            {str(text) for column in columns for text in column}, key=lambda t: (not t, t)
        )
        names[attribute] = tuple(found)
        number = {text: i for i, text in enumerate(found)}
        attributes[attribute] = [_numbers(column, number) for column in columns]
    return LibEMGData([np.array(r.samples.T) for r in listed], attributes, names, layout)


def from_libemg(
    handler: Any,
    *,
    layout: Layout | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Recording, ...]:
    """Build recordings from a LibEMG ``OfflineDataHandler``, one for each of its arrays.

    Parameters
    ----------
    handler : OfflineDataHandler or LibEMGData
    layout : Layout, optional
        Rate, names, kinds of the channels, whose units the data must be in: LibEMG does not know
        them. Needed for a handler.
    names : mapping of str to sequence of str, optional
        What the numbers of ``classes``, ``reps``, ``subjects`` and ``sessions`` stand for; without
        it the number itself is the name.

    Returns
    -------
    tuple of Recording
        Neighbouring samples of one class and repetition become one event; where both names are
        empty there is none.

    Raises
    ------
    LayoutError
        If the layout is not given or does not fit the data.
    DataError
        If an attribute does not have one value for each sample.
    """
    if isinstance(handler, LibEMGData):
        layout, names = layout or handler.layout, names or handler.names
        handler = handler.fill(_Handler())
    if layout is None:
        raise LayoutError(
            "A LibEMG handler says neither its sampling rate nor its channels and units; state "
            "them with from_libemg(handler, layout=Layout(fs_hz, channels))."
        )
    columns = {
        attribute: _named(handler, attribute, (names or {}).get(attribute))
        for attribute in (_CLASSES, _REPS, _SUBJECTS, _SESSIONS)
    }
    return tuple(
        _recording(np.asarray(data), {a: texts[i] for a, texts in columns.items()}, layout, i)
        for i, data in enumerate(handler.data)
    )


class _Handler:
    """Stands in for an ``OfflineDataHandler``."""

    data: list[Any]


def _common_layout(recordings: Sequence[Recording]) -> Layout:
    if not recordings:
        raise DataError("to_libemg needs at least one recording; got none.")
    first = recordings[0].layout
    for number, recording in enumerate(recordings):
        differences = recording.layout.differences(first)
        if differences:
            raise LayoutError(
                f"Recording {number} does not fit the first one, and LibEMG holds one layout. "
                + " ".join(differences)
            )
    return first


def _runs(
    recording: Recording, sources: tuple[str, ...]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return label and trial of every sample."""
    labels, trials = _constant(recording, ""), _constant(recording, "")
    taken_until, before = 0, None
    for event in recording.events:
        if event.source not in sources:
            continue
        first = round((event.onset_s - recording.start_s) * recording.fs_hz)
        last = round((event.end_s - recording.start_s) * recording.fs_hz)
        if first < taken_until and before is not None:
            raise DataError(
                f"Events {before.label!r} and {event.label!r} overlap at {event.onset_s:g} s, and "
                "LibEMG gives a sample one class; choose whose events count with label_sources=."
            )
        labels[first:last], trials[first:last] = event.label, event.trial
        taken_until, before = last, event
    return labels, trials


def _text_first(text: str) -> tuple[bool, str]:
    """Sort no text last, so that real classes are numbered from 0."""
    return not text, text


def _constant(recording: Recording, text: str) -> NDArray[np.object_]:
    return np.full(recording.n_samples, text, dtype=object)


def _numbers(texts: NDArray[Any], number: Mapping[str, int]) -> NDArray[np.int64]:
    return np.array([number[text] for text in texts], dtype=np.int64)[:, None]


def _named(handler: Any, attribute: str, names: Sequence[str] | None) -> list[NDArray[Any]]:
    """Return the text of every sample of every array; empty where LibEMG does not say."""
    if not hasattr(handler, attribute):
        return [np.full(len(data), "", dtype=object) for data in handler.data]
    found = []
    for number, (data, given) in enumerate(
        zip(handler.data, getattr(handler, attribute), strict=True)
    ):
        codes = np.asarray(given).reshape(-1)
        if len(codes) not in (1, len(data)):
            raise DataError(
                f"{attribute}[{number}] has {len(codes)} values for {len(data)} samples; "
                "one for each sample, or one for all, is needed."
            )
        wanted = set(codes.tolist())
        unknown = sorted(c for c in wanted if names is not None and not 0 <= c < len(names))
        if unknown:
            raise DataError(
                f"{attribute}[{number}] holds the numbers {unknown}; names has "
                f"{len(names or ())} entries, for 0 to {len(names or ()) - 1}. Name them all."
            )
        text = {c: str(names[int(c)]) if names is not None else f"{c:g}" for c in wanted}
        full = np.broadcast_to(codes, len(data)).tolist()
        found.append(np.array([text[code] for code in full], dtype=object))
    return found


def _recording(
    data: NDArray[Any], texts: Mapping[str, NDArray[Any]], layout: Layout, number: int
) -> Recording:
    if data.ndim != 2 or data.shape[1] != layout.n_channels:
        raise LayoutError(
            f"data[{number}] has shape {data.shape}; (n_samples, {layout.n_channels}) is expected "
            f"for the channels {list(layout.names)}."
        )
    subject = str(texts[_SUBJECTS][0]) if len(data) else ""
    return Recording(
        data.T.astype(np.float32),
        layout,
        events=tuple(_events(texts[_CLASSES], texts[_REPS], layout.fs_hz)),
        subject=Subject(subject) if subject else None,
        session=str(texts[_SESSIONS][0]) if len(data) else "",
    )


def _events(labels: NDArray[Any], trials: NDArray[Any], fs_hz: float) -> Iterator[Event]:
    pairs = list(zip(labels.tolist(), trials.tolist(), strict=True))
    edges = [i for i in range(1, len(pairs)) if pairs[i] != pairs[i - 1]]
    for first, last in zip([0, *edges], [*edges, len(pairs)], strict=True):
        label, trial = pairs[first]
        if label or trial:
            yield Event(first / fs_hz, (last - first) / fs_hz, label, "protocol", trial)
