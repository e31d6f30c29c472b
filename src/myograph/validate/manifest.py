"""SplitManifest: who trains and who tests, saved as a file that shows when it was altered."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import DataError, FormatError, OutputExistsError
from myograph.core.recipe import digest_of
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups

__all__ = ["SCOPES", "FoldUnits", "SplitManifest", "unit_names"]

FORMAT = 1
#: What a score of the split is about: people never seen, people already known, or no more than
#: the later course of a recording of which the beginning is known.
SCOPES = ("across people", "within person", "within recording")


def unit_names(index: WindowIndex, by: Sequence[str]) -> NDArray[np.str_]:
    """Name the unit that every window belongs to.

    Parameters
    ----------
    index : WindowIndex
    by : sequence of str
        Grouping columns of the index, or ``("window",)`` for the windows themselves.

    Examples
    --------
    >>> index = WindowIndex.of(1, subject="p1", trial="2", start_s=0.0, stop_s=0.2)
    >>> unit_names(index, ("subject", "trial")).tolist()
    ['p1/2']
    """
    if tuple(by) != ("window",):
        return index.groups(*by)
    owner = index.groups("subject", "session", "trial", "recording")
    starts = np.array([f"/{start:.6f}" for start in index.start_s], dtype=np.str_)
    return np.char.add(owner, starts)


@dataclass(frozen=True, slots=True)
class FoldUnits:
    """One fold of a manifest: the units on each side, sorted."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """Everything that the fold uses."""
        return (*self.train, *self.validation, *self.test)

    def to_dict(self) -> dict[str, Any]:
        """Return the fold as plain JSON-able data."""
        sides = {side: list(getattr(self, side)) for side in ("train", "validation", "test")}
        return {"name": self.name, **sides}


@dataclass(frozen=True, slots=True)
class SplitManifest:
    """A split written down: names of people, sessions or repetitions, not row numbers.

    It therefore holds for any windowing of the same recordings.

    Parameters
    ----------
    split : str
        Name of the split that made it.
    scope : str
        One of `SCOPES`.
    by : tuple of str
        Columns of the index that name a unit, or ``("window",)``.
    folds : tuple of FoldUnits
    unused : tuple of str
        Units of the data that no fold uses.
    parameters : str
        Of the split, as canonical JSON.
    """

    split: str
    scope: str
    by: tuple[str, ...]
    folds: tuple[FoldUnits, ...]
    unused: tuple[str, ...] = ()
    parameters: str = "{}"

    def __post_init__(self) -> None:
        check_choice(self.scope, SCOPES, name="scope")

    @classmethod
    def of_folds(
        cls,
        folds: Sequence[Fold],
        index: WindowIndex,
        *,
        split: str,
        scope: str,
        by: Sequence[str],
    ) -> SplitManifest:
        """Write down ``folds`` of ``index`` in units of the columns ``by``."""
        units = Groups.of(unit_names(index, by))
        written = []
        for fold in folds:
            # Made again with the units as groups: a unit on two sides could not be written down.
            Fold(fold.name, fold.train, fold.test, units, fold.validation)
            sides = [units.present(rows) for rows in (fold.train, fold.validation, fold.test)]
            written.append(FoldUnits(fold.name, *sides))
        named = {unit for fold in written for unit in fold.units}
        unused = tuple(unit for unit in units.names if unit not in named)
        return cls(split, scope, tuple(by), tuple(written), unused)

    def rows(self, index: WindowIndex) -> tuple[Fold, ...]:
        """Apply the manifest to the windows of ``index``.

        Raises
        ------
        DataError
            If the index has units that the manifest does not know, or lacks some that it names.
        """
        units = Groups.of(unit_names(index, self.by))
        self._check_same_units(units)
        return tuple(
            Fold(
                fold.name,
                units.rows_of(fold.train),
                units.rows_of(fold.test),
                units,
                units.rows_of(fold.validation),
            )
            for fold in self.folds
        )

    def digest(self) -> str:
        """Return the sha256 of the canonical content: the split's fingerprint."""
        return digest_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as plain JSON-able data."""
        return {
            "split": self.split,
            "scope": self.scope,
            "by": list(self.by),
            "parameters": json.loads(self.parameters),
            "folds": [fold.to_dict() for fold in self.folds],
            "unused": list(self.unused),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SplitManifest:
        """Rebuild a manifest from what `to_dict` gave."""
        folds = tuple(
            FoldUnits(
                fold["name"], tuple(fold["train"]), tuple(fold["validation"]), tuple(fold["test"])
            )
            for fold in data["folds"]
        )
        parameters = json.dumps(data["parameters"], sort_keys=True, separators=(",", ":"))
        by, unused = tuple(data["by"]), tuple(data["unused"])
        return cls(data["split"], data["scope"], by, folds, unused, parameters)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the manifest with its digest; an existing file is kept unless ``force``."""
        path = Path(path)
        if path.exists() and not force:
            raise OutputExistsError(
                f"{path} is already there and is kept; give force=True (--force) to replace it, "
                "or another name."
            )
        content = self.to_dict()
        document = {"format": FORMAT, "sha256": digest_of(content), "manifest": content}
        write_text(path, json.dumps(document, indent=1, sort_keys=True) + "\n")
        return path

    @classmethod
    def load(cls, path: str | Path) -> SplitManifest:
        """Read a saved manifest.

        Raises
        ------
        FormatError
            If the file is no split manifest, or of a newer format.
        DataError
            If its content is not what its digest says.
        """
        document = _read_document(Path(path))
        content = document["manifest"]
        if digest_of(content) != document["sha256"]:
            raise DataError(
                f"Split manifest {path} was altered after it was saved: its content does not "
                f"match its sha256 {str(document['sha256'])[:12]}. Restore the saved file, or "
                "make the split again and say that it is another one."
            )
        try:
            return cls.from_dict(content)
        except (KeyError, TypeError) as error:
            raise FormatError(f"Split manifest {path} lacks {error}; make it again.") from error

    def _check_same_units(self, units: Groups) -> None:
        named = {unit for fold in self.folds for unit in fold.units} | set(self.unused)
        unknown = sorted(set(units.names) - named)
        missing = sorted(named - set(units.names))
        if unknown or missing:
            raise DataError(
                f"The split manifest ({self.split}, by {'/'.join(self.by)}) was made for other "
                f"data: {len(unknown)} units of these data are not in it {unknown[:5]}, and "
                f"{len(missing)} that it names are not in the data {missing[:5]}. Use the data "
                "it was made for, or make a new split."
            )


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in one step: a reader sees the old file or the whole new one."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` in one step."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"There is no split manifest at {path}.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise FormatError(f"{path} is not a split manifest: it is not JSON ({error}).") from error
    wanted = {"format", "sha256", "manifest"}
    if not isinstance(document, dict) or not wanted <= document.keys():
        raise FormatError(f"{path} is not a split manifest: it needs the keys {sorted(wanted)}.")
    if document["format"] != FORMAT:
        raise FormatError(
            f"{path} is a split manifest of format {document['format']!r}; this version of "
            f"Myograph reads format {FORMAT}. Update Myograph, or make the split again."
        )
    return document
