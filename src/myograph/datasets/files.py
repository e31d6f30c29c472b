"""Files: a dataset's unpacked folder, searched by pattern, with a digest for every file."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError

__all__ = ["MANIFEST", "Dropped", "Files", "numbers", "sha256_of"]

#: Written beside unpacked files: their digests, so that nothing is hashed twice.
MANIFEST = ".myograph-files.json"

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Dropped:
    """Something in the source that is not in the dataset, and why.

    Examples
    --------
    >>> what, reason = Dropped("b.csv", "the same as a.csv")
    >>> print(what)
    b.csv
    """

    what: str
    reason: str
    part: str = ""

    def __iter__(self) -> Iterator[str]:
        """Unpack into what and why."""
        return iter((self.what, self.reason))

    def __str__(self) -> str:
        """Read like a sentence."""
        return f"{self.what}: {self.reason}"


@dataclass(frozen=True)
class Files:
    """The files of a dataset, wherever they lie below ``root``.

    Loaders search by pattern, so the layout of the source's repository and that of a mirror are
    both understood.

    Parameters
    ----------
    root : Path
        Folder that holds the files.
    origin : str
        Where they came from, in words.
    """

    root: Path
    origin: str = "a folder"
    _digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for manifest in (self.root / MANIFEST, *sorted(self.root.glob(f"*/{MANIFEST}"))):
            if manifest.is_file():
                known = json.loads(manifest.read_text(encoding="utf-8"))
                for name, digest in known.items():
                    self._digests[self.name(manifest.parent / name)] = digest

    def find(self, pattern: str) -> list[tuple[Path, re.Match[str]]]:
        """Return the files whose path below ``root`` matches, in natural order.

        Raises
        ------
        DataError
            If no file does.
        """
        rule = re.compile(pattern)
        found = [
            (path, match)
            for path in self.root.rglob("*")
            if path.is_file() and (match := rule.search(self.name(path)))
        ]
        if not found:
            raise DataError(
                f"No file below {self.root} is named like {pattern!r}; the folder is not this "
                "dataset, or is incomplete. Remove it and get the dataset again."
            )
        return sorted(found, key=lambda pair: _natural(self.name(pair[0])))

    def any(self, pattern: str) -> bool:
        """Say whether some file matches."""
        rule = re.compile(pattern)
        return any(path.is_file() and rule.search(self.name(path)) for path in self.root.rglob("*"))

    def name(self, path: Path) -> str:
        """Return the path below ``root``, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def sha256(self, path: Path) -> str:
        """Return the digest of one file; it is computed once."""
        name = self.name(path)
        if name not in self._digests:
            self._digests[name] = sha256_of(path)
        return self._digests[name]

    def distinct(
        self, found: Iterable[tuple[Path, re.Match[str]]]
    ) -> tuple[list[tuple[Path, re.Match[str]]], list[Dropped]]:
        """Part files into the first of their bytes and byte-identical repeats of an earlier one."""
        first: dict[str, str] = {}
        kept: list[tuple[Path, re.Match[str]]] = []
        dropped: list[Dropped] = []
        for path, match in found:
            original = first.setdefault(self.sha256(path), self.name(path))
            if original == self.name(path):
                kept.append((path, match))
            else:
                reason = f"byte for byte the same file as {original}"
                dropped.append(Dropped(self.name(path), reason))
        return kept, dropped


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, as hexadecimal text."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def numbers(path: Path, *, columns: int, header: bool = False) -> NDArray[np.float32]:
    """Read comma-separated numbers, shape (n_rows, columns), quickly.

    Raises
    ------
    FormatError
        If a row is ragged or a value is no number.
    """
    import pandas as pd  # its parser is five times as fast as numpy's

    try:
        frame = pd.read_csv(path, header=0 if header else None, dtype=np.float32)
    except (ValueError, pd.errors.ParserError) as error:
        raise FormatError(f"{path}: {columns} numbers a row are expected; {error}") from error
    values: NDArray[np.float32] = frame.to_numpy()
    if values.shape[1] != columns or np.isnan(values).any():
        raise FormatError(
            f"{path}: {columns} numbers a row are expected; got {values.shape[1]} columns with "
            f"{int(np.isnan(values).sum())} values missing."
        )
    return values


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdigit() else (-1, p) for p in re.split(r"(\d+)", name)]
