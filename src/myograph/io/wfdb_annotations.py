"""WFDB's annotation files (``.atr``): 16-bit words of a code and a step in time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from myograph.core.errors import FormatError
from myograph.io.annotations import Annotation

__all__ = ["pack_annotations", "parse_annotations"]

#: What PhysioNet's annotation codes are called.
_CODES: Mapping[int, str] = MappingProxyType(
    dict(enumerate("NLRaVFJASEj/Q~", start=1))
    | {16: "|"}
    | dict(enumerate('sT*D"=pB^t+u?![]en@xf()r', start=18))
)
_NOTE = 22
_SKIP, _NUMBER, _SUBTYPE, _CHANNEL, _TEXT = 59, 60, 61, 62, 63
_LONGEST_STEP = 1023
_LONGEST_TEXT = 254
_RESOLUTION = re.compile(r"## time resolution: (\d+(?:\.\d+)?)")


def parse_annotations(data: bytes, *, fs_hz: float, path: Path) -> list[Annotation]:
    """Parse an annotation file; ``fs_hz`` is the frames' rate unless the file states its own.

    An annotation's text is its note, or the sign of its code.
    """
    found: list[tuple[int, str]] = []
    position, sample, ticks_hz = 0, 0, fs_hz
    while position + 2 <= len(data):
        word = int.from_bytes(data[position : position + 2], "little")
        code, step = word >> 10, word & 0x3FF
        position += 2
        if word == 0:
            break
        if code == _SKIP:
            high, low = data[position : position + 2], data[position + 2 : position + 4]
            sample += int.from_bytes(low + high, "little", signed=True)
            position += 4
        elif code == _TEXT:
            if not found or position + step > len(data):
                raise FormatError(f"{path} is damaged: a note at byte {position - 2} has no end.")
            text = data[position : position + step].decode("utf-8", "replace").strip("\0 ")
            position += step + step % 2
            resolution = _RESOLUTION.match(text)
            if resolution:
                ticks_hz = float(resolution[1]) or fs_hz
                found.pop()
            else:
                found[-1] = (found[-1][0], text or found[-1][1])
        elif code not in (_NUMBER, _SUBTYPE, _CHANNEL):
            sample += step
            if code:  # a 0 with a step only moves the clock
                found.append((sample, _CODES.get(code, f"code {code}")))
    return [Annotation(tick / ticks_hz, 0.0, text) for tick, text in found]


def pack_annotations(events: Iterable[tuple[int, str]]) -> bytes:
    """Write (sample, text) pairs, sorted by sample, as notes."""
    parts, now = [], 0
    for sample, text in events:
        step = sample - now
        if not 0 <= step <= _LONGEST_STEP:
            low, high = (step & 0xFFFF), (step >> 16) & 0xFFFF
            parts.append(_word(_SKIP, 0) + high.to_bytes(2, "little") + low.to_bytes(2, "little"))
            step = 0
        parts.append(_word(_NOTE, step))
        note = text.encode()[:_LONGEST_TEXT]
        parts.append(_word(_TEXT, len(note)) + note + b"\0" * (len(note) % 2))
        now = sample
    return b"".join(parts) + b"\0\0"


def _word(code: int, step: int) -> bytes:
    return (code << 10 | step).to_bytes(2, "little")
