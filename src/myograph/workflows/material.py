"""Gather what a report shows of the data: a stretch of signal, spectra, intervals per person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import GAP, Event, Recording
from myograph.report.material import Material
from myograph.report.signals import Excerpt, Spectrum, thinned
from myograph.workflows.cohort import Cohort

if TYPE_CHECKING:
    from myograph.validate.result import ValidationResult

__all__ = ["excerpt", "gather", "person_intervals"]

_MOST_CHANNELS = 8
_EXCERPT_S = 6.0
_PIECE_S = 0.8
_MOST_PIECES = 8
_SEGMENT_S = 0.5
_RECORDINGS_IN_SPECTRUM = 48
_RESAMPLES = 1000


def gather(result: ValidationResult, cohort: Cohort, *, command: str) -> Material:
    """Return the material of a report: the same for the same recordings and result."""
    first = list(islice(_of_first_person(cohort.recordings), _MOST_PIECES))
    return Material(
        about=cohort.about,
        excerpts=(excerpt(first),),
        spectra=_spectra(_spread(cohort.recordings)),
        person_intervals=person_intervals(result),
        command=command,
    )


def excerpt(recordings: Sequence[Recording]) -> Excerpt:
    """Return a few seconds of one person's muscle channels, with what was done.

    A recording with several events is shown from just before its first activity. Recordings of one
    event each are shown side by side, a piece from the middle of each.
    """
    first = recordings[0]
    who = [first.subject.pseudonym if first.subject else "", first.session]
    title = ", ".join(filter(None, who)) or "a recording"
    if len(recordings) > 1 and len({e.label for e in first.events}) <= 1:
        pieces = [_piece(_muscle(recording)) for recording in recordings]
        return _side_by_side(pieces, f"{title}: {_PIECE_S:g} s from each of several recordings")
    return _stretch(_muscle(first), title)


def _muscle(recording: Recording) -> Recording:
    muscle = recording.select(kinds=MUSCLE_KINDS)
    return muscle.select(muscle.layout.names[:_MOST_CHANNELS])


def _stretch(muscle: Recording, title: str) -> Excerpt:
    active = [e for e in muscle.events if e.label not in (GAP, "rest") and e.duration_s > 0]
    onset_s = active[0].onset_s - 0.5 if active else muscle.start_s
    start_s = max(muscle.start_s, min(onset_s, muscle.end_s - _EXCERPT_S))
    cut = muscle.crop(start_s, min(start_s + _EXCERPT_S, muscle.end_s))
    samples, fs_hz = thinned(cut.samples, cut.fs_hz)
    layout = cut.layout
    return Excerpt(title, layout.names, layout.units, samples, fs_hz, cut.start_s, cut.events)


def _piece(muscle: Recording) -> Recording:
    middle_s = (muscle.start_s + muscle.end_s) / 2
    start_s = max(muscle.start_s, middle_s - _PIECE_S / 2)
    return muscle.crop(start_s, min(start_s + _PIECE_S, muscle.end_s))


def _side_by_side(pieces: Sequence[Recording], title: str) -> Excerpt:
    layout = pieces[0].layout
    samples, fs_hz = thinned(np.concatenate([p.samples for p in pieces], axis=1), layout.fs_hz)
    events, onset_s = [], 0.0
    for piece in pieces:
        if piece.events:
            label = piece.events[0].label
            events.append(Event(onset_s, piece.duration_s, label, piece.events[0].source))
        onset_s += piece.duration_s
    return Excerpt(title, layout.names, layout.units, samples, fs_hz, 0.0, tuple(events))


def person_intervals(result: ValidationResult) -> dict[str, tuple[float, float]]:
    """Return a 95 % interval of each person's accuracy, by resampling whole repetitions.

    Windows of one repetition are not independent, so they stay together. Only for accuracy and
    balanced accuracy, and for people with at least three repetitions.
    """
    found = result.predictions
    if found is None or result.headline not in ("accuracy", "balanced_accuracy"):
        return {}
    index = found.index
    right = np.asarray(result.classes)[found.output.argmax(axis=1)] == index.label
    balanced = result.headline == "balanced_accuracy"
    rng = np.random.default_rng(result.seed)
    intervals = {}
    for person in np.unique(index.subject):
        mine = index.subject == person
        one = index.take(mine)
        runs = np.char.add(one.groups("session", "trial"), np.char.add("/", one.label))
        drawn = _resampled(right[mine], runs, one.label, rng, balanced=balanced)
        if len(drawn):
            low, high = np.quantile(drawn, [0.025, 0.975])
            intervals[str(person)] = (float(low), float(high))
    return intervals


def _resampled(
    right: NDArray[np.bool_],
    runs: NDArray[np.str_],
    labels: NDArray[np.str_],
    rng: np.random.Generator,
    *,
    balanced: bool,
) -> NDArray[np.float64]:
    """Score resamples of a person's repetitions, drawn class by class for a balanced score."""
    names, first, of = np.unique(runs, return_index=True, return_inverse=True)
    hits = np.bincount(of, weights=right)
    sizes = np.bincount(of)
    kinds = labels[first] if balanced else np.zeros(len(names), dtype=int)
    scores = []
    for kind in np.unique(kinds):
        mine = np.flatnonzero(kinds == kind)
        if len(mine) < 3:
            return np.empty(0)
        drawn = mine[rng.integers(len(mine), size=(_RESAMPLES, len(mine)))]
        scores.append(hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.mean(scores, axis=0)


def _of_first_person(recordings: Sequence[Recording]) -> Iterator[Recording]:
    """Yield the first person's recordings of one layout, until something is done a second time."""
    seen: list[set[str]] = []
    first = recordings[0]
    for recording in recordings:
        labels = {event.label for event in recording.events}
        if recording.subject != first.subject or recording.layout != first.layout or labels in seen:
            return
        seen.append(labels)
        yield recording


def _spread(recordings: Sequence[Recording]) -> list[Recording]:
    """Return recordings from all over the cohort, those of nothing but rest left out."""
    most = min(len(recordings), _RECORDINGS_IN_SPECTRUM)
    chosen = [recordings[int(k)] for k in np.linspace(0, len(recordings) - 1, most).round()]
    active = [r for r in chosen if {event.label for event in r.events} != {"rest"}]
    return active or chosen


def _spectra(recordings: Sequence[Recording]) -> tuple[Spectrum, ...]:
    """Return the median spectrum of each of the first channels over these recordings."""
    from myograph.signal.spectrum import psd

    first = recordings[0].select(kinds=MUSCLE_KINDS).layout
    names = first.names[:_MOST_CHANNELS]
    densities = []
    frequency_hz = np.empty(0)
    for recording in recordings:
        if recording.layout != recordings[0].layout:
            continue
        muscle = recording.select(names)
        segment_s = min(_SEGMENT_S, muscle.duration_s)
        frequency_hz, density = psd(muscle.samples, fs_hz=muscle.fs_hz, segment_s=segment_s)
        densities.append(density)
    whole = [d for d in densities if d.shape == densities[-1].shape]
    middle = np.median(whole, axis=0)
    return tuple(
        Spectrum(name, frequency_hz[1:], middle[row, 1:], f"{first.units[row]}²/Hz")
        for row, name in enumerate(names)
    )
