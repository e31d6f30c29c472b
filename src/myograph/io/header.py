"""Header: everything about a recording but its samples, and its one text form.

Every format that holds free text carries this header, so that what survives a round trip is
decided here once and not in each format again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from numpy.typing import NDArray

from myograph.core.errors import FormatError, MyographError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.core.recipe import Recipe, canonical_json
from myograph.core.recording import Event, Recording, RecordingSet, Subject

__all__ = [
    "HEADER_VERSION",
    "Header",
    "channel_from_text",
    "channel_to_text",
    "headers_from_text",
    "headers_to_text",
    "members_of",
]

#: Raised by one when a file written today can no longer be understood by yesterday's program.
HEADER_VERSION = 1

#: Name of the only member of a file that holds a `Recording` and not a `RecordingSet`.
SINGLE = ""

# What the standard library raises on JSON that is not what we wrote.
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """A `Recording` without its samples.

    Parameters
    ----------
    layout : Layout
    n_samples : int
        Samples per channel.
    events, subject, session, site, device, started_at, start_s, recipe
        As in `Recording`.
    source : str
        Digest of the samples as they were read, when the file keeps it; empty otherwise.
    """

    layout: Layout
    n_samples: int
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
    def of(cls, recording: Recording, *, exact: bool = False) -> Header:
        """Take the header of ``recording``; ``exact`` formats keep the digest of its source too."""
        return cls(
            recording.layout,
            recording.n_samples,
            recording.events,
            recording.subject,
            recording.session,
            recording.site,
            recording.device,
            recording.started_at,
            recording.start_s,
            recording.recipe,
            recording.source_digest if exact else "",
        )

    def recording(self, samples: NDArray[Any]) -> Recording:
        """Join the header with its samples, shape (n_channels, n_samples)."""
        return Recording(
            samples,
            self.layout,
            events=self.events,
            subject=self.subject,
            session=self.session,
            site=self.site,
            device=self.device,
            started_at=self.started_at,
            start_s=self.start_s,
            recipe=self.recipe,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the header as plain JSON-able data."""
        return {
            "layout": self.layout.to_dict(),
            "n_samples": self.n_samples,
            "events": [event.to_dict() for event in self.events],
            "subject": self.subject.to_dict() if self.subject else None,
            "session": self.session,
            "site": self.site,
            "device": self.device,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "start_s": self.start_s,
            "recipe": self.recipe.to_dict(),
            "source": self.source,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, where: str) -> Header:
        """Rebuild a header from what `to_dict` gave; ``where`` names the file in messages.

        Raises
        ------
        FormatError
            If a part is missing or breaks its rule.
        """
        return _understood(lambda: cls._from_dict(data), where=where)

    @classmethod
    def _from_dict(cls, data: Mapping[str, Any]) -> Header:
        started_at = data["started_at"]
        return cls(
            Layout.from_dict(data["layout"]),
            int(data["n_samples"]),
            tuple(Event(**event) for event in data["events"]),
            Subject(**data["subject"]) if data["subject"] else None,
            str(data["session"]),
            str(data["site"]),
            str(data["device"]),
            datetime.fromisoformat(started_at) if started_at else None,
            float(data["start_s"]),
            Recipe.from_dict(data["recipe"]),
            str(data["source"]),
        )


def members_of(recording: Recording | RecordingSet) -> dict[str, Recording]:
    """Return the recordings by name; a lone `Recording` has the empty name."""
    if isinstance(recording, Recording):
        return {SINGLE: recording}
    return dict(recording.members)


def headers_to_text(headers: Mapping[str, Header]) -> str:
    """Write the headers of a file's members as one line of ASCII JSON.

    Examples
    --------
    >>> layout = Layout(1000.0, (Channel("TA", kind="semg"),))
    >>> text = headers_to_text({"": Header(layout, 500)})
    >>> headers_from_text(text, where="a file")[""].layout == layout
    True
    """
    members = {name: header.to_dict() for name, header in headers.items()}
    return canonical_json({"myograph": HEADER_VERSION, "members": members})


def headers_from_text(text: str, *, where: str) -> dict[str, Header]:
    """Read the headers back; ``where`` names the file in messages.

    Raises
    ------
    FormatError
        If the text is damaged or was written by a newer Myograph.
    """
    data = _understood(lambda: json.loads(text), where=where)
    version = data.get("myograph") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise FormatError(f"{where}: the Myograph header is damaged (no version in it).")
    if version > HEADER_VERSION:
        raise FormatError(
            f"{where}: written in header version {version}; this Myograph reads up to "
            f"{HEADER_VERSION}. Update Myograph to read it."
        )
    members = _understood(lambda: dict(data["members"].items()), where=where)
    if not members:
        raise FormatError(f"{where}: the Myograph header is damaged (it names no recording).")
    return {name: Header.from_dict(member, where=where) for name, member in members.items()}


def channel_to_text(channel: Channel, *, width: int) -> str:
    """Write what is known of a channel, but its name, in at most ``width`` ASCII characters.

    For the narrow fields of other formats, readable to people there: kind, muscle, side, position.
    What does not fit is left out from the end; the full header says it too where there is one.

    Examples
    --------
    >>> channel_to_text(
    ...     Channel("a", kind="semg", muscle="tibialis anterior", side="left"), width=80
    ... )
    'semg; tibialis anterior; left'
    """
    position = channel.position_mm
    parts = [
        channel.kind,
        channel.muscle,
        channel.side,
        "" if position is None else "{:g},{:g},{:g} mm".format(*position),
    ]
    parts = [part.encode("ascii", "replace").decode().replace(";", ",") for part in parts]
    while len(parts) > 1 and (not parts[-1] or len("; ".join(parts)) > width):
        parts.pop()
    return "; ".join(parts)[:width]


def channel_from_text(text: str, *, name: str) -> Channel | None:
    """Rebuild a channel from what `channel_to_text` gave; None when the text is not of that form.

    Examples
    --------
    >>> channel_from_text("semg; tibialis anterior; left", name="a").muscle
    'tibialis anterior'
    >>> channel_from_text("AgAgCl electrode", name="a") is None
    True
    """
    kind, muscle, side, place = ([part.strip() for part in text.split(";")] + [""] * 4)[:4]
    if kind not in KIND_UNITS:  # somebody else's words
        return None
    numbers = place.removesuffix(" mm").split(",") if place else None
    try:
        position = None if numbers is None else tuple(float(number) for number in numbers)
        return Channel(name, kind, muscle, side, position)  # type: ignore[arg-type]
    except ValueError:  # a side or number that is none of ours
        return None


def _understood(parse: Callable[[], T], *, where: str) -> T:
    """Run ``parse`` on foreign data; whatever breaks in it is the file's fault."""
    try:
        return parse()
    except MyographError as error:
        raise FormatError(f"{where}: the Myograph header breaks a rule. {error}") from error
    except _DAMAGE as error:
        raise FormatError(f"{where}: the Myograph header is damaged ({error!r}).") from error
