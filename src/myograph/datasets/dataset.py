"""Dataset: a cohort of recordings, read one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, overload

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.core.recipe import digest_of
from myograph.core.recording import Recording, RecordingSet, Subject
from myograph.datasets.card import DatasetCard
from myograph.datasets.files import Dropped
from myograph.datasets.table import Table

__all__ = ["EMG", "Contents", "Dataset", "Entry", "RecordingSets", "Recordings"]

#: The member of a RecordingSet that holds the muscles.
EMG = "emg"


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording that can be read, and what is known of it before it is.

    Parameters
    ----------
    name : str
        What the source calls it; unique in the dataset.
    subject : Subject
        Whose it is.
    load : callable
        Reads it. Module-level functions and partials of them, so that entries can be sent to
        other processes.
    session : str
        Which visit.
    part : str
        Part of the dataset, when it has several.
    digest : str
        Identifies the bytes it is read from.
    load_set : callable, optional
        Reads it together with what was recorded beside it at other rates.
    """

    name: str
    subject: Subject
    load: Callable[[], Recording]
    session: str = ""
    part: str = ""
    digest: str = ""
    load_set: Callable[[], RecordingSet] | None = None


class Recordings(Sequence[Recording]):
    """Recordings read when they are asked for, and not kept.

    Parameters
    ----------
    entries : sequence of Entry
        What can be read.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)

    @overload
    def __getitem__(self, index: int) -> Recording: ...
    @overload
    def __getitem__(self, index: slice) -> Recordings: ...
    def __getitem__(self, index: int | slice) -> Recording | Recordings:
        """Read one recording, or take a slice without reading any."""
        if isinstance(index, slice):
            return Recordings(self.entries[index])
        return self.entries[index].load()

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.entries)

    def __iter__(self) -> Iterator[Recording]:
        """Read them one after the other."""
        return (entry.load() for entry in self.entries)

    def __repr__(self) -> str:
        """Count them."""
        people = len({entry.subject.pseudonym for entry in self.entries})
        return f"<{len(self)} recordings of {people} people, read when asked for>"


class RecordingSets(Sequence[RecordingSet]):
    """Recordings with what was recorded beside them, read when they are asked for.

    Parameters
    ----------
    entries : sequence of Entry
        What can be read. Where nothing was recorded beside, the only member is ``"emg"``.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)

    @overload
    def __getitem__(self, index: int) -> RecordingSet: ...
    @overload
    def __getitem__(self, index: slice) -> RecordingSets: ...
    def __getitem__(self, index: int | slice) -> RecordingSet | RecordingSets:
        """Read one set, or take a slice without reading any."""
        if isinstance(index, slice):
            return RecordingSets(self.entries[index])
        entry = self.entries[index]
        return entry.load_set() if entry.load_set else RecordingSet({EMG: entry.load()})

    def __len__(self) -> int:
        """Count the sets."""
        return len(self.entries)


@dataclass(frozen=True)
class Contents:
    """What a loader found in a source's files."""

    entries: tuple[Entry, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named cohort: its card, its recordings, and what was left out.

    Parameters
    ----------
    card : DatasetCard
        What it is.
    contents : Contents
        What was found.
    origin : str
        Where the files were found, in words.
    part : str
        The part that was loaded; empty for all.
    """

    card: DatasetCard
    contents: Contents
    origin: str = ""
    part: str = ""

    @property
    def name(self) -> str:
        """Name by which it was loaded."""
        return f"{self.card.name}/{self.part}" if self.part else self.card.name

    @property
    def recordings(self) -> Recordings:
        """The recordings of muscle, each read when it is asked for."""
        return Recordings(self.contents.entries)

    @property
    def sets(self) -> RecordingSets:
        """The recordings with whatever was recorded beside them at other rates."""
        return RecordingSets(self.contents.entries)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """The people, in the order in which they first occur."""
        return tuple({e.subject.pseudonym: e.subject for e in self.contents.entries}.values())

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What the source holds and the dataset does not, each with the reason."""
        return self.contents.dropped

    @property
    def tables(self) -> Mapping[str, Table]:
        """Measurements that came as rows and columns."""
        return MappingProxyType(dict(self.contents.tables))

    def digest(self) -> str:
        """Return the sha256 that identifies the data: the name, the people and every byte read."""
        entries = [(e.name, e.subject.pseudonym, e.digest) for e in self.contents.entries]
        tables = {name: table.digest() for name, table in self.contents.tables.items()}
        return digest_of({"name": self.name, "entries": entries, "tables": tables})

    def of(self, people: Sequence[str]) -> Dataset:
        """Return the recordings of these people.

        Raises
        ------
        ParameterError
            If a name is not one of the dataset's people.
        """
        known = [subject.pseudonym for subject in self.subjects]
        for person in people:
            if person not in known:
                raise ParameterError(unknown_name(person, known, what=f"person of {self.name!r}"))
        kept = tuple(e for e in self.contents.entries if e.subject.pseudonym in set(people))
        return replace(self, contents=replace(self.contents, entries=kept))

    def only(self, part: str) -> Dataset:
        """Return one part of the dataset.

        Raises
        ------
        ParameterError
            If the dataset has no such part.
        """
        if part not in self.card.parts:
            raise ParameterError(
                unknown_name(part, self.card.parts, what=f"part of dataset {self.card.name!r}")
            )
        entries = tuple(entry for entry in self.contents.entries if entry.part == part)
        dropped = tuple(d for d in self.contents.dropped if d.part in ("", part))
        contents = replace(self.contents, entries=entries, dropped=dropped)
        return replace(self, contents=contents, part=part)

    def to_dict(self) -> dict[str, Any]:
        """Return what the dataset is as plain JSON-able data, without reading a recording."""
        return {
            "name": self.name,
            "card": self.card.to_dict(),
            "origin": self.origin,
            "people": [subject.to_dict() for subject in self.subjects],
            "recordings": len(self.contents.entries),
            "sessions": sorted({e.session for e in self.contents.entries if e.session}),
            "tables": {name: len(table) for name, table in self.contents.tables.items()},
            "dropped": [[d.what, d.reason] for d in self.dropped],
            "digest": self.digest(),
        }

    def __repr__(self) -> str:
        """Name it and count what it holds."""
        tables = f", {len(self.contents.tables)} tables" if self.contents.tables else ""
        return (
            f"<Dataset {self.name!r}: {len(self.contents.entries)} recordings of "
            f"{len(self.subjects)} people{tables}, {len(self.dropped)} things dropped>"
        )
