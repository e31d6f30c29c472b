"""A simulated cohort in a folder: recordings with the truth beside each, read when asked for."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Recording, Subject
from myograph.datasets.card import DatasetCard
from myograph.datasets.dataset import Contents, Dataset, Entry
from myograph.datasets.files import Dropped

__all__ = ["FORMAT", "MARK", "is_cohort", "open_folder", "recording_file", "truth_stem"]

#: What the mark of such a folder says it is, and the mark's name.
FORMAT = "myograph-cohort-1"
MARK = "cohort.json"

_NOTE = (
    "Engineering verification only: figures from simulated people say that the software works, "
    "never how well it would do on a person, and are never pooled with real data."
)


def recording_file(folder: Path, name: str) -> Path:
    """Return where a recording of a cohort lies."""
    return folder / "recordings" / f"{name}.myo.h5"


def truth_stem(folder: Path, name: str) -> Path:
    """Return where the truth of a recording lies, without its endings .npz and .json."""
    return folder / "truth" / name


def is_cohort(folder: Path) -> bool:
    """Say whether a folder is a simulated cohort."""
    mark = folder / MARK
    if not mark.is_file():
        return False
    try:
        said = json.loads(mark.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("format") == FORMAT


def open_folder(folder: str | PathLike[str]) -> Dataset:
    """Open a simulated cohort as a dataset; nothing is read but what it says of itself.

    Parameters
    ----------
    folder : path
        As ``myograph simulate cohort`` writes it.

    Returns
    -------
    Dataset
        Marked as simulated. What an interrupted run has not made yet is among what was dropped.

    Raises
    ------
    FormatError
        If the folder is no cohort, or does not hold what it says.
    DataError
        If none of its recordings is there.
    """
    path = Path(folder)
    if not is_cohort(path):
        raise FormatError(f"{path} is not a simulated cohort: it holds no {MARK} of {FORMAT}.")
    said = json.loads((path / MARK).read_text(encoding="utf-8"))
    try:
        names, card = list(said["recordings"]), _card(path, said)
    except (KeyError, TypeError) as error:
        raise FormatError(f"{path / MARK} lacks {error}; make the cohort again.") from error
    entries, dropped = [], []
    for name in names:
        if recording_file(path, name).is_file():
            entries.append(_entry(path, name, said))
        else:
            dropped.append(Dropped(name, "not made yet: the simulation was stopped"))
    if not entries:
        raise DataError(
            f"{path} holds none of its {len(names)} recordings yet; run the same myograph simulate "
            "cohort again, and it goes on."
        )
    return Dataset(card, Contents(tuple(entries), tuple(dropped)), f"simulated, in {path}")


def _card(path: Path, said: dict[str, Any]) -> DatasetCard:
    scene = said["scene"]
    return DatasetCard(
        name=path.name,
        title=said["title"],
        citation="Myograph, simulated cohort",
        people=f"{scene['people']} simulated",
        kinds=(said["channel"],),
        tasks=said["tasks"],
        labels=tuple(said["labels"]),
        notes=(_NOTE,),
        simulated=True,
    )


def _entry(path: Path, name: str, said: dict[str, Any]) -> Entry:
    person, take = name.split("/")
    stem = truth_stem(path, name)
    condition = _condition(stem.with_name(stem.name + ".json"))
    subject = Subject(person, condition=f"simulated: {condition}")
    # The same scene gives the same bytes: what it says of itself identifies them.
    rule = {key: said[key] for key in ("made_by", "kind", "scene")}
    told = json.dumps({**rule, "name": name}, sort_keys=True)
    digest = hashlib.sha256(told.encode()).hexdigest()
    load = partial(_load, recording_file(path, name))
    return Entry(name, subject, load, take.rsplit("-", 1)[-1], digest=digest)


def _condition(truth: Path) -> str:
    try:
        return str(json.loads(truth.read_text(encoding="utf-8"))["labels"]["condition"])
    except (OSError, ValueError, KeyError):
        return "unknown"


def _load(file: Path) -> Recording:
    from myograph.io import read

    found = read(file)
    if not isinstance(found, Recording):
        raise FormatError(f"{file} holds several recordings; a cohort's files hold one each.")
    if found.subject is None or not found.subject.condition.startswith("simulated"):
        raise DataError(
            f"{file} is not a simulated recording, and simulated people are never pooled with "
            "real ones; take it out of the cohort."
        )
    return found
