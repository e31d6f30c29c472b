"""Keeping: where feature tables are kept between runs, how much of it, and showing and clearing."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.errors import ParameterError

if TYPE_CHECKING:
    from myograph.pipeline.kept import KeptTables

__all__ = ["MOST", "Kept", "clear_tables", "kept_tables", "show_tables", "tables"]

#: Gigabytes of feature tables to keep, in the environment; 0 keeps none.
MOST = "MYOGRAPH_CACHE_GB"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept."""

    folder: Path
    tables: int
    bytes: int
    most_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "folder": str(self.folder),
            "tables": self.tables,
            "bytes": self.bytes,
            "most_bytes": self.most_bytes,
        }


def tables() -> KeptTables:
    """Return the feature tables kept for this user.

    They lie in the cache folder of `myograph.datasets.fetch.cache_folder`, below ``tables``.

    Raises
    ------
    ParameterError
        If `MOST` is set to no number.
    """
    from myograph.datasets.fetch import cache_folder
    from myograph.pipeline.kept import MOST_BYTES, KeptTables

    given = os.environ.get(MOST)
    if not given:
        return KeptTables(cache_folder() / "tables", MOST_BYTES)
    try:
        most_gb = float(given)
    except ValueError as error:
        raise ParameterError(f"{MOST} must be a number of gigabytes; got {given!r}.") from error
    if not 0 <= most_gb < float("inf"):
        raise ParameterError(f"{MOST} must be 0 or more; got {given!r}.")
    return KeptTables(cache_folder() / "tables", int(most_gb * 1e9))


@contextmanager
def kept_tables(*, use: bool) -> Iterator[KeptTables | None]:
    """Give the kept tables to a block, and say afterwards what went wrong with them."""
    kept = tables() if use else None
    if kept is not None and not kept.most_bytes:
        kept = None
    yield kept
    for told in kept.told if kept is not None else ():
        warnings.warn(told, stacklevel=3)


def show_tables() -> Kept:
    """Say how much is kept."""
    kept = tables()
    count, size = kept.size()
    return Kept(kept.folder, count, size, kept.most_bytes)


def clear_tables() -> int:
    """Drop all kept tables and return how many there were."""
    return tables().clear()
