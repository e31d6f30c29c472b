"""Cohort: the recordings a verb works on, from a dataset's name, a path, or Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from myograph.core.checks import check_choice, unknown_name
from myograph.core.errors import DataError, MyographError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recipe import digest_of
from myograph.core.recording import Recording, RecordingSet, Subject

if TYPE_CHECKING:
    from myograph.datasets.dataset import Dataset

__all__ = ["PEOPLE_FROM", "Cohort", "Data", "Selection", "open_cohort"]

#: What a verb may be given as its data.
Data: TypeAlias = "str | PathLike[str] | Dataset | Sequence[Recording]"

#: More people than this are not listed to somebody who misspelt one.
_MOST_NAMES = 12

#: Where the name of the person comes from when the data are files.
PEOPLE_FROM = ("header", "folder", "file")


@dataclass(frozen=True, eq=False)
class Cohort:
    """Recordings with what a reader of a result has to know about them.

    Parameters
    ----------
    name : str
        What was asked for.
    recordings : sequence of Recording
        Possibly read only when they are used.
    about : dict
        Plain facts for the report, see `myograph.report.material.Material`.
    dropped : tuple of (str, str)
        What was left out, and why.
    """

    name: str
    recordings: Sequence[Recording]
    about: dict[str, Any] = field(default_factory=dict)
    dropped: tuple[tuple[str, str], ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether no person was measured."""
        return bool(self.about.get("simulated"))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which recordings of the data, and how files among them are read.

    Parameters
    ----------
    people : sequence of str
        Only these; all when empty.
    leave_out : sequence of str
        All but these.
    people_from : str
        ``"header"``: files must name their person. ``"folder"`` or ``"file"``: files without one
        are named after the folder they lie in, or after themselves.
    read : mapping
        Options for reading files, as for `myograph.read`.
    """

    people: Sequence[str] = ()
    leave_out: Sequence[str] = ()
    people_from: str = "header"
    read: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice(self.people_from, PEOPLE_FROM, name="people_from")

    def of(self, known: Sequence[str], *, where: str) -> list[str]:
        """Return the chosen people among the ``known`` ones.

        Raises
        ------
        ParameterError
            If a name is unknown.
        DataError
            If nobody is left.
        """
        for person in (*self.people, *self.leave_out):
            if person not in known:
                told = unknown_name(person, known, what=f"person in {where}", most=_MOST_NAMES)
                raise ParameterError(told)
        kept = [p for p in self.people or known if p not in set(self.leave_out)]
        if not kept:
            raise DataError(f"Nobody is left of {where} once {list(self.leave_out)} are left out.")
        return kept


def open_cohort(data: Data, selection: Selection | None = None) -> Cohort:
    """Open a dataset by name, a file, a folder of files, or recordings that are already read.

    Parameters
    ----------
    data : str, path, Dataset or sequence of Recording
        A text that is a path on this machine is one; any other is the name of a dataset, with
        ``NAME/PART`` for a part of it.
    selection : Selection, optional

    Raises
    ------
    DataError
        If nothing is there, or a file does not say whose it is.
    ParameterError
        If ``data`` is neither a dataset nor a path, or a person is unknown.
    """
    selection = selection or Selection()
    from myograph.datasets import Dataset

    if isinstance(data, str) and not Path(data).exists():
        return _from_dataset(_load(data), selection)
    if isinstance(data, str | PathLike):
        return _from_files(Path(data), selection)
    if isinstance(data, Dataset):
        return _from_dataset(data, selection)
    return _chosen(_from_memory(data), selection)


def _load(name: str) -> Dataset:
    from myograph import datasets

    if name.partition("/")[0] not in datasets.DATASETS:
        near = unknown_name(name, list(datasets.DATASETS), what="data")
        raise ParameterError(f"{near} It is not a path on this machine either.")
    return datasets.load(name)


def _from_dataset(dataset: Dataset, selection: Selection) -> Cohort:
    everybody = [subject.pseudonym for subject in dataset.subjects]
    kept = selection.of(everybody, where=dataset.name) if everybody else []
    if kept != everybody:
        dataset = dataset.of(kept)
    if not len(dataset.recordings):
        tables = ", ".join(dataset.tables) or "nothing"
        raise DataError(
            f"Dataset {dataset.name!r} holds no recordings (it holds the tables {tables}); "
            "choose one with recordings: myograph datasets list."
        )
    facts = dataset.to_dict()
    card = facts["card"]
    about = {
        "name": dataset.name,
        "title": card["title"],
        "simulated": card["simulated"],
        "licence": card["licence"],
        "citation": card["citation"],
        "sources": [str(source) for source in dataset.card.sources],
        "people": card["people"],
        "tasks": card["tasks"],
        "defects": card["defects"],
        "notes": card["notes"],
        "origin": facts["origin"],
        "recordings": f"{len(dataset.recordings)} of {len(dataset.subjects)} people",
        "signals": _signals(dataset.recordings[0].layout),
        "digest": facts["digest"],
    }
    dropped = [(d.what, d.reason) for d in dataset.dropped]
    dropped += _left_out(everybody, kept)
    return Cohort(dataset.name, dataset.recordings, about, tuple(dropped))


def _from_files(path: Path, selection: Selection) -> Cohort:
    if not path.exists():
        raise DataError(f"{path} does not exist; give a recording, or a folder of them.")
    from myograph.datasets.folder import is_cohort, open_folder

    if is_cohort(path):
        return replace(_from_dataset(open_folder(path), selection), name=str(path))
    found, dropped = [], []
    for file in _recordings_below(path):
        try:
            recording = _muscle(file, selection.read)
        except MyographError as error:
            if path.is_file():
                raise
            dropped.append((str(file.relative_to(path)), str(error)))
            continue
        found.append(_with_person(recording, file, selection.people_from))
    if not found:
        first = f" The first: {dropped[0][1]}" if dropped else ""
        raise DataError(f"{path} holds no recording that could be read.{first}")
    cohort = _from_memory(found)
    about = {**cohort.about, "name": path.name, "title": f"Files from {path.name}"}
    return _chosen(replace(cohort, name=str(path), about=about, dropped=tuple(dropped)), selection)


def _from_memory(recordings: Sequence[Recording]) -> Cohort:
    if not len(recordings):
        raise DataError("There are no recordings to work on; got an empty sequence.")
    named = {r.subject.pseudonym for r in recordings if r.subject}
    about = {
        "name": "recordings",
        "simulated": _all_simulated(recordings),
        "recordings": f"{len(recordings)} of {len(named)} people",
        "signals": _signals(recordings[0].layout),
        "digest": digest_of([r.source_digest for r in recordings]),
    }
    return Cohort("recordings", recordings, about)


def _all_simulated(recordings: Sequence[Recording]) -> bool:
    """Say whether nobody was measured; simulated and real people together are refused."""
    made = {
        r.subject is not None and r.subject.condition.startswith("simulated") for r in recordings
    }
    if len(made) == 2:
        raise DataError(
            "Some of these recordings are simulated and some are not, and they are never pooled: a "
            "figure from both says nothing about people. Give one or the other."
        )
    return True in made


def _chosen(cohort: Cohort, selection: Selection) -> Cohort:
    whose = [r.subject.pseudonym if r.subject else "" for r in cohort.recordings]
    everybody = list(dict.fromkeys(filter(None, whose)))
    if not selection.people and not selection.leave_out:
        return cohort
    kept = selection.of(everybody, where=cohort.name)
    recordings = [r for r, w in zip(cohort.recordings, whose, strict=True) if w in set(kept)]
    dropped = (*cohort.dropped, *_left_out(everybody, kept))
    return replace(cohort, recordings=recordings, dropped=dropped)


def _left_out(everybody: Sequence[str], kept: Sequence[str]) -> list[tuple[str, str]]:
    gone = [person for person in everybody if person not in kept]
    return [(", ".join(gone), "left out as asked for")] if gone else []


def _recordings_below(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(path).parts):
            yield file


def _muscle(path: Path, options: Mapping[str, Any]) -> Recording:
    from myograph.io import read

    found = read(path, **options)
    if isinstance(found, Recording):
        return found
    return _muscle_member(found, path)


def _muscle_member(members: RecordingSet, path: Path) -> Recording:
    with_muscle = [n for n in members if members[n].layout.rows(kinds=MUSCLE_KINDS)]
    if len(with_muscle) != 1:
        raise DataError(
            f"{path} holds the recordings {list(members)}, of which {with_muscle or 'none'} "
            "record muscle; convert the one to use first: myograph convert --member NAME."
        )
    return members[with_muscle[0]]


def _with_person(recording: Recording, file: Path, people_from: str) -> Recording:
    if recording.subject is not None:
        return recording
    if people_from == "header":
        raise DataError(
            f"{file} does not say whose recording it is, and results are about people; name them "
            "after the files' folders with --people-from folder, or after the files with "
            "--people-from file."
        )
    name = file.parent.name if people_from == "folder" else file.stem
    return replace(recording, subject=Subject(name))


def _signals(layout: Layout) -> str:
    kinds: dict[str, int] = {}
    for channel in layout.channels:
        key = f"{channel.kind} ({channel.unit})"
        kinds[key] = kinds.get(key, 0) + 1
    told = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
    return f"{told} at {layout.fs_hz:g} Hz"
