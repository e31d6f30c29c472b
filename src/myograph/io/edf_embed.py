"""Myograph's own header inside an EDF+ file, so that what the narrow fields cannot hold survives.

It rides as annotations that begin with ``myograph``, compressed; other programs show them as a
few odd texts at the start and lose nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from myograph.core.errors import FormatError
from myograph.core.recording import Event
from myograph.io.edf_tal import Annotation
from myograph.io.header import Header, headers_from_text, headers_to_text
from myograph.io.track import Track

__all__ = ["embed", "embedded_headers", "event_annotations", "matching_events"]

_PIECE_LENGTH = 400  # some programs cut annotations at 512 bytes
_PIECE = re.compile(r"myograph (\d{1,6})/(\d{1,6}) ([A-Za-z0-9+/=]+)")
_LARGEST_BYTES = 1 << 28  # of the text inside; a small file may pretend to hold a huge one


def embed(headers: Mapping[str, Header]) -> list[Annotation]:
    """Return the annotations that carry these headers."""
    text = base64.b64encode(zlib.compress(headers_to_text(headers).encode(), 9)).decode()
    pieces = [text[i : i + _PIECE_LENGTH] for i in range(0, len(text), _PIECE_LENGTH)]
    return [
        Annotation(0.0, 0.0, f"myograph {number}/{len(pieces)} {piece}")
        for number, piece in enumerate(pieces, start=1)
    ]


def embedded_headers(
    annotations: Sequence[Annotation], *, path: Path
) -> tuple[dict[str, Header], list[Annotation]]:
    """Return the headers found among the annotations (none is fine), and the other annotations."""
    pieces: dict[int, str] = {}
    others, promised = [], 0
    for annotation in annotations:
        match = _PIECE.fullmatch(annotation.text)
        if match is None:
            others.append(annotation)
        else:
            pieces[int(match[1])] = match[3]
            promised = int(match[2])
    if not pieces or sorted(pieces) != list(range(1, promised + 1)):
        return {}, others  # none, or another program has cut some away
    text = _unpacked("".join(pieces[number] for number in sorted(pieces)), path)
    return headers_from_text(text, where=str(path)), others


def _unpacked(packed: str, path: Path) -> str:
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), _LARGEST_BYTES)
        return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path}: the Myograph header among its annotations is damaged ({error})."
        ) from error


def event_annotations(headers: Iterable[Header], *, begin_s: float) -> list[Annotation]:
    """Return the events of all members, each once, in seconds after ``begin_s``."""
    events = sorted({(e.onset_s, e.duration_s, e.label) for h in headers for e in h.events})
    return [Annotation(onset - begin_s, length, label) for onset, length, label in events]


def matching_events(tracks: Sequence[Track], annotations: Sequence[Annotation]) -> Iterator[Track]:
    """Give each track its events back with source and repetition, where the file still has them.

    The annotations are the truth, as another program may have edited them; an annotation that no
    header knows goes to every track as it stands.
    """
    begin_s = min(track.start_s for track in tracks)
    left = {_key(a.onset_s, a.duration_s, a.text): a for a in annotations}
    present = set(left)
    kept = []
    for track in tracks:
        keys = {_key(e.onset_s - begin_s, e.duration_s, e.label): e for e in track.events}
        own = [e for e in track.events if _key_of(e, begin_s) in present]
        for key in keys:
            left.pop(key, None)
        kept.append(own)
    added = [Event(a.onset_s + begin_s, a.duration_s, a.text) for a in left.values()]
    for track, own in zip(tracks, kept, strict=True):
        yield replace(track, events=(*own, *added))


def _key_of(event: Event, begin_s: float) -> tuple[int, int, str]:
    return _key(event.onset_s - begin_s, event.duration_s, event.label)


def _key(onset_s: float, duration_s: float, text: str) -> tuple[int, int, str]:
    """Return what tells annotations apart: microseconds, and the text without odd spaces."""
    return (
        round(onset_s * 1e6),
        round(duration_s * 1e6),
        " ".join(re.split(r"[\s\0\x14\x15]+", text)),
    )
