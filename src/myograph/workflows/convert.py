"""Convert a recording into another format, saying what the new one cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Recording
from myograph.workflows.inspect import members_of
from myograph.workflows.outputs import check_free

if TYPE_CHECKING:
    from myograph.io.hints import ReadOptions

__all__ = ["Conversion", "convert"]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a conversion did.

    Parameters
    ----------
    source, target : Path
    format : str
        Of the target.
    lost : tuple of str
        What the source says and the target's format cannot hold.
    relative_error : float
        Largest rounding of a sample, as a fraction of its channel's range.
    """

    source: Path
    target: Path
    format: str
    lost: tuple[str, ...]
    relative_error: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "source": str(self.source),
            "target": str(self.target),
            "format": self.format,
            "lost": list(self.lost),
            "relative_error": self.relative_error,
        }


def convert(
    source: str | PathLike[str],
    target: str | PathLike[str],
    *,
    member: str = "",
    force: bool = False,
    **options: Unpack[ReadOptions],
) -> Conversion:
    """Read ``source`` and write it as ``target``, whose ending chooses the format.

    Parameters
    ----------
    source, target : path
    member : str
        Convert only this member of a file with several rates.
    force : bool
        Overwrite the target.
    **options
        As for `myograph.read`.

    Raises
    ------
    DataError
        If the source cannot be read, or the format cannot hold it.
    OutputExistsError
        If the target exists and ``force`` is not given.
    """
    from myograph.io import read, write
    from myograph.io.formats import format_for_suffix

    source, target = Path(source), Path(target)
    chosen = format_for_suffix(target)
    check_free(target, force=force)
    if source.exists() and target.exists() and source.samefile(target):
        raise ParameterError(f"{target} is the source itself; convert into another file.")
    found = read(source, **options)
    if member:
        members = members_of(found)
        if member not in members:
            raise DataError(f"{source} has no member {member!r}; it has {sorted(members)}.")
        found = members[member]
    written = write(found, target, force=force)
    held = {name for recording in members_of(found).values() for name in _present(recording)}
    if len(members_of(found)) > 1:
        held.add("sets")
    return Conversion(
        source, written, chosen.title, tuple(sorted(held - chosen.holds)), chosen.relative_error
    )


def _present(recording: Recording) -> Iterator[str]:
    """Name what is known of a recording, in the words of `Format.holds`."""
    channels = recording.layout.channels
    known = {
        "kinds": any(c.kind != "semg" for c in channels),
        "muscles": any(c.muscle for c in channels),
        "sides": any(c.side for c in channels),
        "positions": any(c.position_mm is not None for c in channels),
        "scales": any(c.scale != "physical" for c in channels),
        "events": bool(recording.events),
        "event_sources": any(e.source != "annotation" for e in recording.events),
        "trials": any(e.trial for e in recording.events),
        "subject": recording.subject is not None,
        "session": bool(recording.session),
        "site": bool(recording.site),
        "device": bool(recording.device),
        "started_at": recording.started_at is not None,
        "start_s": recording.start_s != 0,
        "recipe": bool(recording.recipe.steps),
    }
    return (name for name, there in known.items() if there)
