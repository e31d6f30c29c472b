"""Kept tables: features that were measured once need not be measured again.

The key of a table is everything that it depends on: the samples and the header of the recording,
the steps, windows and features, the code that measures, and the versions below it. So a table is
never out of date: when anything changes, it is another key. Entries are arrays in npz files, read
without pickle; one that is damaged is measured again, and said.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import myograph
from myograph.core.errors import MyographError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recipe import Recipe, canonical_json, digest_of
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.features import FEATURES
from myograph.pipeline.front import Front

__all__ = ["MOST_BYTES", "KeptTables", "code_facts"]

#: How much is kept unless told otherwise.
MOST_BYTES = 5_000_000_000
_FORMAT = 1
#: Code that has a say in the numbers of a table.
_MEASURING = ("core", "signal", "preprocess", "features", "pipeline")
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(eq=False)
class KeptTables:
    """Feature tables of recordings in a folder, the least used dropped first.

    Parameters
    ----------
    folder : Path
        Made when the first table is kept.
    most_bytes : int
        `trim` drops tables until the rest is no more than this.

    Attributes
    ----------
    found, missed : int
        How many tables were here, and how many were not.
    told : list of str
        What the user should hear: damaged entries, a folder that cannot be written.
    """

    folder: Path
    most_bytes: int = MOST_BYTES
    found: int = field(default=0, init=False)
    missed: int = field(default=0, init=False)
    told: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.most_bytes < 0:
            raise ParameterError(f"most_bytes must be 0 or more; got {self.most_bytes!r}.")

    def key(self, front: Front, recording: Recording) -> str:
        """Return the digest of everything that the recording's table depends on.

        Empty for steps and features from outside this package, whose code nobody watches.
        """
        if not all(module.partition(".")[0] == "myograph" for module in _modules(front)):
            return ""
        return digest_of([_of_front(front), _of_code(), _of_recording(recording)])

    def read(self, key: str) -> FeatureTable | None:
        """Return the table kept under ``key``, or None where there is none that can be used."""
        path = self._path(key)
        try:
            table = _parsed(path.read_bytes())
            os.utime(path)
        except (FileNotFoundError, NotADirectoryError):
            self.missed += 1
            return None
        except (*_DAMAGE, MyographError) as error:
            self.missed += 1
            self.told.append(
                f"A kept table of features is damaged ({path}: {error}); it is measured again."
            )
            with suppress(OSError):  # where it cannot be removed it cannot be replaced either
                path.unlink(missing_ok=True)
            return None
        self.found += 1
        return table

    def write(self, key: str, table: FeatureTable) -> None:
        """Keep a table: the file appears whole or not at all. A full disk is said, and no error."""
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".myograph-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_written(table))
                Path(beside).replace(path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            said = f"Tables of features are not kept in {self.folder}: {error.strerror or error}."
            if said not in self.told:
                self.told.append(said)

    def trim(self) -> int:
        """Drop the tables that were not used for longest until the rest fits; return how many."""
        entries = sorted(self._entries())
        total, dropped = sum(size for _, _, size in entries), 0
        for _, path, size in entries:
            if total <= self.most_bytes:
                break
            path.unlink(missing_ok=True)
            total, dropped = total - size, dropped + 1
        return dropped

    def clear(self) -> int:
        """Drop all tables and return how many there were."""
        paths = [path for _, path, _ in self._entries()]
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def size(self) -> tuple[int, int]:
        """Return how many tables are kept, and how many bytes they take."""
        sizes = [size for _, _, size in self._entries()]
        return len(sizes), sum(sizes)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:34]}.npz"

    def _entries(self) -> Iterator[tuple[float, Path, int]]:
        for path in self.folder.glob("??/*.npz"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process dropped it
                continue
            yield facts.st_mtime, path, facts.st_size


def _of_front(front: Front) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "steps": [step.to_dict() for step in front.steps],
        "windowing": asdict(front.windowing),
        "features": "samples" if front.whole else [spec.to_dict() for spec in front.features],
    }


def _modules(front: Front) -> Iterator[str]:
    for step in front.steps:
        yield type(step).__module__
    for spec in front.features:
        yield FEATURES[spec.name].function.__module__


def _of_recording(recording: Recording) -> dict[str, Any]:
    # The samples themselves, whatever the recipe says of their source.
    digest = hashlib.sha256(np.ascontiguousarray(recording.samples).data)
    return {
        "samples": digest.hexdigest(),
        "shape": list(recording.samples.shape),
        "source": recording.source_digest,
        "recipe": recording.recipe.to_dict(),
        "layout": recording.layout.to_dict(),
        "events": [event.to_dict() for event in recording.events],
        "subject": recording.subject.to_dict() if recording.subject else None,
        "session": recording.session,
        "site": recording.site,
        "start_s": recording.start_s,
    }


def _of_code() -> dict[str, str]:
    return code_facts(_MEASURING)


@cache
def code_facts(rooms: tuple[str, ...] = ("",)) -> dict[str, str]:
    """Say which code computes: a digest of its own files, and versions of what it stands on.

    Parameters
    ----------
    rooms : tuple of str
        Packages of Myograph that have a say; all of it by default.
    """
    root = Path(myograph.__file__).parent
    digest = hashlib.sha256()
    for name in rooms:
        for path in sorted((root / name).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    packages = ("numpy", "scipy", "numba", "PyWavelets", "scikit-learn")
    return {
        "code": digest.hexdigest(),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: version(name) for name in packages},
    }


def _written(table: FeatureTable) -> bytes:
    header = {
        "names": list(table.names),
        "units": list(table.units),
        "layout": table.layout.to_dict(),
        "recipe": table.recipe.to_dict(),
        "target_unit": table.target_unit,
    }
    arrays: dict[str, NDArray[Any]] = {
        f"index.{f.name}": getattr(table.index, f.name) for f in fields(WindowIndex)
    }
    arrays["values"], arrays["flat"] = table.values, table.flagged
    arrays["header"] = np.frombuffer(canonical_json(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _parsed(content: bytes) -> FeatureTable:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes().decode())
        index = WindowIndex(**{f.name: arrays[f"index.{f.name}"] for f in fields(WindowIndex)})
        return FeatureTable(
            arrays["values"],
            tuple(header["names"]),
            tuple(header["units"]),
            index,
            Layout.from_dict(header["layout"]),
            Recipe.from_dict(header["recipe"]),
            arrays["flat"],
            header["target_unit"],
        )
