"""Annotations: texts at moments, the only form in which EDF and WFDB keep events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from myograph.core.recording import Event
from myograph.io.header import Header
from myograph.io.track import Track

__all__ = ["Annotation", "event_annotations", "matching_events"]

_ODD_SPACES = re.compile(r"[\s\0\x14\x15]+")
_COMPARED = 100  # characters of a label; formats cut long ones


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text at a moment, in seconds from the start that the file states."""

    onset_s: float
    duration_s: float
    text: str


def event_annotations(headers: Iterable[Header], *, begin_s: float) -> list[Annotation]:
    """Return the events of all members, each once, in seconds after ``begin_s``."""
    events = sorted({(e.onset_s, e.duration_s, e.label) for h in headers for e in h.events})
    return [Annotation(onset - begin_s, length, label) for onset, length, label in events]


def matching_events(
    tracks: Sequence[Track], annotations: Sequence[Annotation], *, moments_of_hz: float = 0.0
) -> Iterator[Track]:
    """Give each track its events back with source and repetition, where the file still has them.

    The annotations are the truth, as another program may have edited them; an annotation that no
    header knows goes to every track as it stands. With ``moments_of_hz`` the file keeps moments
    only, rounded to that clock.
    """

    def key(onset_s: float, duration_s: float, text: str) -> tuple[int, int, str]:
        plain = " ".join(_ODD_SPACES.split(text)).strip()[:_COMPARED]
        if moments_of_hz:
            return round(onset_s * moments_of_hz), 0, plain
        return round(onset_s * 1e6), round(duration_s * 1e6), plain

    begin_s = min(track.start_s for track in tracks)
    left = {key(a.onset_s, a.duration_s, a.text): a for a in annotations}
    present = set(left)
    kept = []
    for track in tracks:
        keys = [key(e.onset_s - begin_s, e.duration_s, e.label) for e in track.events]
        kept.append([e for e, k in zip(track.events, keys, strict=True) if k in present])
        for k in keys:
            left.pop(k, None)
    added = [Event(a.onset_s + begin_s, a.duration_s, a.text) for a in left.values()]
    for track, own in zip(tracks, kept, strict=True):
        yield replace(track, events=(*own, *added))
