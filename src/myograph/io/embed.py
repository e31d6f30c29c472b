"""Myograph's own header in the annotations or comments of other formats.

What their narrow fields cannot hold survives so. It rides in texts that begin with ``myograph``,
compressed; other programs show a few odd texts at the start and lose nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from myograph.core.errors import FormatError
from myograph.io.annotations import Annotation
from myograph.io.header import Header, headers_from_text, headers_to_text

__all__ = ["embed", "embedded_headers"]

_PIECE_LENGTH = 400  # some programs cut annotations at 512 bytes
_PIECE = re.compile(r"myograph (\d{1,6})/(\d{1,6}) ([A-Za-z0-9+/=]+)")
_LARGEST_BYTES = 1 << 28  # of the text inside; a small file may pretend to hold a huge one


def embed(headers: Mapping[str, Header], *, length: int = _PIECE_LENGTH) -> list[Annotation]:
    """Return the annotations that carry these headers, in pieces of this many characters."""
    text = base64.b64encode(zlib.compress(headers_to_text(headers).encode(), 9)).decode()
    pieces = [text[i : i + length] for i in range(0, len(text), length)]
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
