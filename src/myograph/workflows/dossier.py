"""Dossier: the papers that a journal or a regulator asks for, written from one evaluation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from myograph.core.checks import unknown_name
from myograph.core.errors import ArtifactError, DataError, FormatError, ParameterError
from myograph.workflows.evaluate import MATERIAL, RESULT, result_folder
from myograph.workflows.outputs import (
    check_folder,
    new_folder,
    read_json,
    write_bytes,
    write_json,
    write_text,
)
from myograph.workflows.settings import same_pipeline

if TYPE_CHECKING:
    from myograph.report.checklist import Answer, Checklist
    from myograph.report.document import Document
    from myograph.report.facts import Evidence, Fact

__all__ = ["DOSSIER", "Dossier", "check_dossier", "write_dossier"]

#: The file that every dossier holds: its contents, and the one place where a time stands.
DOSSIER = "dossier.json"

FORMAT = 1
_LOCK, _BOM, _SPLIT = "locked-model.json", "sbom.cdx.json", "split.json"
_SHEETS = ("model-card", "dataset-sheet", "change-plan")
_SOURCES = (RESULT, MATERIAL, _SPLIT, "config.toml")
_FILES = {
    _LOCK: "the hash of the locked model, and of its parts; myograph dossier check compares",
    _BOM: "bill of materials of the environment that wrote these papers (CycloneDX 1.6)",
    _SPLIT: "the split manifest for machines, as the evaluation saved it",
    DOSSIER: "what is in the dossier, with the sha256 of every file, and when it was written",
}


_Given: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier that was written, or checked.

    Parameters
    ----------
    folder : Path
    title : str
    files : mapping of str to str
        Name, then sha256.
    against : tuple of str
        What stands against the figures.
    answered : mapping of str to mapping of str to int
        Guideline, then how many items the run answers, answers in part, and leaves to authors.
    locked : str
        sha256 of the locked model; empty without one.
    """

    folder: Path
    title: str
    files: Mapping[str, str]
    against: tuple[str, ...]
    answered: Mapping[str, Mapping[str, int]]
    locked: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "dossier": str(self.folder),
            "title": self.title,
            "files": dict(self.files),
            "against": list(self.against),
            "answered": {name: dict(counts) for name, counts in self.answered.items()},
            "locked": self.locked or None,
        }


def write_dossier(
    result: str | PathLike[str],
    out: str | PathLike[str],
    *,
    model: str | PathLike[str] | None = None,
    answers: str | PathLike[str] | None = None,
    force: bool = False,
) -> Dossier:
    """Write the papers about the evaluation in a folder.

    The same evaluation, model and environment give the same files, byte for byte; only
    ``dossier.json`` holds the times of writing and evaluating.

    Parameters
    ----------
    result : path
        What ``myograph evaluate --out`` wrote.
    out : path
        The dossier's folder: complete, or not there.
    model : path, optional
        The model file to lock; it must be of the pipeline that was evaluated.
    answers : path, optional
        What the authors answer, as TOML: a table per paper, in it the item's number (on a sheet
        its topic) and the answer.
    force : bool
        Replace an earlier dossier at ``out``.

    Raises
    ------
    DataError
        If the folder holds no result, its split is not the one of the result, or the model is of
        another pipeline.
    ParameterError
        If an answer is to a paper or an item that there is not.
    ArtifactError
        If the model file is damaged or was altered.
    OutputExistsError
        If ``out`` exists and ``force`` is not given.
    """
    from myograph.report.bom import bill_of_materials, differing_versions
    from myograph.report.dossier_page import dossier_page
    from myograph.report.doubts import doubts
    from myograph.report.facts import facts

    target = check_folder(Path(out), mark=DOSSIER, force=force)
    source = result_folder(result)
    evidence = _evidence(source, model)
    known, given = facts(evidence), _given(answers)
    bom = bill_of_materials()
    differing = differing_versions(bom, evidence.result.environment)
    against = [*doubts(evidence), *_mismatches(evidence, differing)]
    title = known["title"].value
    documents = _documents(evidence, known, given, against)
    beside = {name: what for name, what in _FILES.items() if name != _SPLIT or evidence.split}
    with new_folder(target, mark=DOSSIER, force=force) as folder:
        for document in documents:
            write_text(folder / f"{document.name}.md", document.to_markdown())
        if evidence.split is not None:
            write_bytes(folder / _SPLIT, (source / _SPLIT).read_bytes())
        write_json(folder / _BOM, bom)
        write_json(folder / _LOCK, _lock_facts(evidence))
        page = dossier_page(title, documents, against=against, files=beside)
        write_text(folder / "dossier.html", page)
        files = {file.name: _digest(file) for file in sorted(folder.iterdir())}
        written = Dossier(
            target, title, files, tuple(against), _counts(known, given), _locked_hash(evidence)
        )
        write_json(folder / DOSSIER, _contents(written, source, _answered(known, given)))
    return written


def check_dossier(
    folder: str | PathLike[str], *, model: str | PathLike[str] | None = None
) -> Dossier:
    """Refuse a dossier whose files were altered, or a model that is not the locked one.

    Parameters
    ----------
    folder : path
        What `write_dossier` wrote.
    model : path, optional
        A model file that should be, byte for byte, the locked one.

    Raises
    ------
    DataError
        If a file is missing or differs from what ``dossier.json`` states.
    ArtifactError
        If no model is locked, or the given one is another.
    """
    from myograph.pipeline.lock import Lock

    folder = Path(folder)
    if not (folder / DOSSIER).is_file():
        raise DataError(f"{folder} holds no {DOSSIER}; give a folder that myograph dossier wrote.")
    contents = read_json(folder / DOSSIER)
    try:
        if contents["format"] != FORMAT:
            raise FormatError(
                f"{folder / DOSSIER} has format {contents['format']!r}, not {FORMAT}."
            )
        files = dict(contents["files"])
        answered = contents["answered"]
        found = Dossier(
            folder, contents["title"], files, tuple(contents["against"]), answered,
            contents["locked"] or "",
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{folder / DOSSIER} is not a whole dossier: {error!r}.") from error
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise DataError(f"{folder} lacks {name}, which its {DOSSIER} lists; write it again.")
        if _digest(folder / name) != digest:
            raise DataError(
                f"{folder / name} was altered after the dossier was written: it does not match "
                f"the sha256 in {DOSSIER}. Write the dossier again; answers of the authors go in "
                "with --answers."
            )
    if model is not None:
        lock = read_json(folder / _LOCK)
        if lock.get("sha256") is None:
            raise ArtifactError(f"{folder} locks no model: it was written without one.")
        Lock.from_dict(lock).check(model)
    return found


def _evidence(source: Path, model: str | PathLike[str] | None) -> Evidence:
    from myograph.pipeline.artifact import read_manifest
    from myograph.pipeline.lock import Lock
    from myograph.report.facts import Evidence
    from myograph.report.material import Material
    from myograph.validate.manifest import SplitManifest
    from myograph.validate.result import ValidationResult

    result = ValidationResult.load(source)
    kept, saved = source / MATERIAL, source / _SPLIT
    material = Material.from_dict(read_json(kept)) if kept.is_file() else Material()
    split = SplitManifest.load(saved) if saved.is_file() else None
    stated = result.split.get("fingerprint")
    if split is not None and split.digest() != stated:
        raise DataError(
            f"{saved} is not the split of this result: its digest begins with "
            f"{split.digest()[:12]}, the result states {str(stated)[:12]}. Restore the saved file, "
            "or evaluate again."
        )
    if model is None:
        return Evidence(result, material, split)
    lock, manifest = Lock.of(model), read_manifest(model)
    if not same_pipeline(manifest["pipeline"], result.config):
        raise DataError(
            f"{model} is a model of another pipeline than the one that {source / RESULT} is about; "
            "give a model that was trained with the settings of the evaluation (config.toml)."
        )
    return Evidence(result, material, split, lock, manifest)


def _given(answers: str | PathLike[str] | None) -> _Given:
    """Read what the authors answer: paper, then item, then text."""
    if answers is None:
        return {}
    path = Path(answers)
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FormatError(f"{path} is not TOML: {error}.") from error
    papers = [*(guideline.name for guideline in _guidelines()), *_SHEETS]
    for paper, items in read.items():
        if paper not in papers:
            raise ParameterError(unknown_name(paper, papers, what=f"paper in {path}"))
        plain = isinstance(items, dict) and all(isinstance(text, str) for text in items.values())
        if not plain:
            raise FormatError(f"{path}: [{paper}] must hold items with texts as their answers.")
    return read


def _documents(
    evidence: Evidence, known: Mapping[str, Fact], given: _Given, against: list[str]
) -> list[Document]:
    from myograph.report.change_plan import change_plan
    from myograph.report.dataset_sheet import dataset_sheet
    from myograph.report.model_card import model_card
    from myograph.report.split_sheet import split_sheet

    return [
        model_card(evidence, known, against=against, given=given.get("model-card")),
        dataset_sheet(known, given=given.get("dataset-sheet")),
        split_sheet(evidence),
        *(g.document(known, given.get(g.name)) for g in _guidelines()),
        change_plan(known, given=given.get("change-plan")),
    ]


def _guidelines() -> tuple[Checklist, ...]:
    from myograph.report.probast_ai import PROBAST_AI
    from myograph.report.stard_ai import STARD_AI
    from myograph.report.tripod_ai import TRIPOD_AI

    return TRIPOD_AI, PROBAST_AI, STARD_AI


def _answered(known: Mapping[str, Fact], given: _Given) -> dict[str, tuple[Answer, ...]]:
    return {g.name: g.answer(known, given.get(g.name)) for g in _guidelines()}


def _counts(known: Mapping[str, Fact], given: _Given) -> dict[str, dict[str, int]]:
    from myograph.report.checklist import STATUSES

    counts = {}
    for name, answers in _answered(known, given).items():
        found = [answer.status for answer in answers]
        counts[name] = {status: found.count(status) for status in STATUSES}
    return counts


def _mismatches(evidence: Evidence, differing: list[str]) -> list[str]:
    """Say where the model, the evaluation and this machine do not belong together."""
    told = []
    if differing:
        told.append(
            "The bill of materials is of another environment than the one that evaluated: "
            f"{'; '.join(differing)}."
        )
    training, data = evidence.model.get("training", {}), evidence.result.data
    for key in ("people", "recordings", "windows"):
        learned, judged = training.get(key), data.get(key)
        if None not in (learned, judged) and learned != judged:
            told.append(
                f"The locked model learned from {learned:,} {key}, the evaluation had {judged:,}."
            )
    carried = evidence.model.get("validation") or {}
    if carried and carried.get("fingerprint") != evidence.result.split.get("fingerprint"):
        told.append("The locked model carries the summary of another evaluation than this one.")
    return told


def _lock_facts(evidence: Evidence) -> dict[str, Any]:
    if evidence.lock is None:
        return {"format": FORMAT, "sha256": None, "why": "no model file was given"}
    return evidence.lock.to_dict()


def _locked_hash(evidence: Evidence) -> str:
    return "" if evidence.lock is None else evidence.lock.sha256


def _contents(
    written: Dossier, source: Path, answered: Mapping[str, tuple[Answer, ...]]
) -> dict[str, Any]:
    run = read_json(source / "run.json") if (source / "run.json").is_file() else {}
    told = written.to_dict()
    del told["dossier"]
    return {
        "format": FORMAT,
        **told,
        "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "evaluated": run.get("started_at") or None,
        "sources": {name: _digest(source / name) for name in _SOURCES if (source / name).is_file()},
        "checklists": {
            name: [answer.to_dict() for answer in answers] for name, answers in answered.items()
        },
    }


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
