"""Checkpoint: finished folds on disk, so that a run that was killed goes on where it stopped."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.table import FeatureTable
from myograph.validate.manifest import write_bytes

__all__ = ["Checkpoint", "table_digest"]

Outputs = dict[str, NDArray[np.float64]]


def table_digest(table: FeatureTable) -> str:
    """Return the sha256 of a table: its numbers, the names of its columns, and whose they are.

    Returns
    -------
    str
        Equal for tables of equal content.
    """
    digest = hashlib.sha256()
    for names in (table.names, table.units):
        digest.update("\n".join(names).encode() + b"\0")
    digest.update(np.ascontiguousarray(table.values).tobytes())
    index = table.index
    for column in (index.subject, index.session, index.trial, index.site, index.recording):
        digest.update("\n".join(column.tolist()).encode() + b"\0")
    digest.update(index.start_s.tobytes() + index.stop_s.tobytes())
    label = index.label
    text = label.dtype.kind == "U"
    digest.update("\n".join(label.tolist()).encode() if text else label.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Outputs of finished folds, in a folder of their own for every different run.

    Parameters
    ----------
    folder : Path
        Shared by all runs; this run writes into ``folder/key``.
    key : str
        Digest of everything that the outputs depend on.
    """

    folder: Path
    key: str

    @property
    def place(self) -> Path:
        """Folder of this run."""
        return self.folder / self.key[:16]

    def read(self, fold: int) -> Outputs | None:
        """Return the outputs of a finished fold, or None if it is still to do.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        path = self._path(fold)
        try:
            content = io.BytesIO(path.read_bytes())
            with np.load(content, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(
                f"Checkpoint {path} is damaged ({error}); delete it, and its fold is done again."
            ) from error

    def write(self, fold: int, outputs: Mapping[str, NDArray[np.float64]]) -> None:
        """Keep the outputs of a finished fold; the file appears whole or not at all."""
        self.place.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **outputs)
        write_bytes(self._path(fold), buffer.getvalue())

    def _path(self, fold: int) -> Path:
        return self.place / f"fold-{fold:04d}.npz"
