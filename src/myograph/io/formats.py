"""Format: one kind of file, and the registry of all of them.

A module that knows a format registers it when it is imported, and `myograph.io` imports every
such module. Which format a file has is decided by its bytes (`sniff`), never by trying readers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from myograph.core.checks import unknown_name
from myograph.core.errors import FormatError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.core.registry import Registry

if TYPE_CHECKING:
    from myograph.io.hints import Hints
    from myograph.io.track import Track

__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "METADATA",
    "Format",
    "Open",
    "Save",
    "format_for_suffix",
    "sniff_format",
]

#: How many of a file's first bytes `Format.sniff` is shown.
HEAD_BYTES = 4096

#: What a format may be able to hold beside the samples and their rate.
METADATA = frozenset(
    {"kinds", "muscles", "sides", "positions", "scales", "events", "event_sources", "trials"}
    | {"subject", "session", "site", "device", "started_at", "start_s", "recipe", "sets"}
)

Open = Callable[[Path, "Hints"], "tuple[Track, ...]"]
Save = Callable[[Recording | RecordingSet, Path], None]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Parameters
    ----------
    name : str
        Short and unique: ``"edf"``.
    title : str
        What people call it: ``"EDF+"``.
    suffixes : tuple of str
        Endings that choose this format for writing, lower case, with their dot.
    sniff : callable
        ``sniff(head, path) -> bool``: is it this format? ``head`` is the first `HEAD_BYTES` bytes,
        empty for a folder. Only formats without any magic bytes may look at the path.
    open : callable
        ``open(path, hints) -> tuple[Track, ...]``: what is inside, samples not loaded yet. Several
        tracks (several rates) become a `RecordingSet`.
    save : callable, optional
        ``save(recording, path)``: write to ``path``, a name that is free, in a folder of its own:
        `myograph.io.write.write` moves whatever appears there into place. None: read only.
    options : frozenset of str
        Options of `read` that only some formats take: ``"fs_hz"``, ``"variable"``, ``"time_axis"``.
    holds : frozenset of str
        Which of `METADATA` survive a round trip.
    relative_error : float
        Largest error of a written sample, as a fraction of its channel's range; 0 is exact.
    verified : bool
        False until a real file from a vendor has been read.
    rank : int
        Formats with a lower rank are asked first; text without any magic comes last.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes, Path], bool]
    open: Open
    save: Save | None = None
    options: frozenset[str] = frozenset()
    holds: frozenset[str] = METADATA
    relative_error: float = 0.0
    verified: bool = True
    rank: int = 0


#: Every format by name.
FORMATS: Registry[Format] = Registry("format")


def sniff_format(path: Path) -> Format:
    """Return the format of an existing file or folder, from its first bytes.

    Raises
    ------
    FormatError
        If the file is empty or no format knows it.
    """
    head = b""
    if not path.is_dir():
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head:
            raise FormatError(f"{path} is empty (0 bytes); a recording was expected.")
    for entry in sorted(FORMATS.values(), key=lambda entry: entry.rank):
        if entry.sniff(head, path):
            return entry
    raise FormatError(_not_recognised(path, head))


def format_for_suffix(path: Path) -> Format:
    """Return the format that writes files with this path's ending; the longest ending wins."""
    name = path.name.lower()
    endings = {s: entry for entry in FORMATS.values() if entry.save for s in entry.suffixes}
    fitting = [ending for ending in endings if name.endswith(ending)]
    if not fitting:
        raise ParameterError(unknown_name(path.suffix, endings, what=f"The ending of {path}"))
    return endings[max(fitting, key=len)]


def _not_recognised(path: Path, head: bytes) -> str:
    titles = ", ".join(entry.title for entry in FORMATS.values())
    said = [e.title for e in FORMATS.values() if path.name.lower().endswith(e.suffixes)]
    looks = "a folder" if path.is_dir() else f"it begins with {head[:16]!r}"
    named = f" Its name says {said[0]}, its content does not: is it damaged?" if said else ""
    return f"{path} is none of the formats Myograph reads ({titles}); {looks}.{named}"
