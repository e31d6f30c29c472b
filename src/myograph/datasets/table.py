"""Table: measurements that came as rows and columns instead of signals."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, FormatError, ParameterError

__all__ = ["Table", "read_table", "table_of"]

_MISSING = frozenset({"", "NA", "NaN", "nan"})


@dataclass(frozen=True, eq=False)
class Table:
    """Equally long named columns: numbers (NaN where missing) or text.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_rows,)
        Held read-only.
    units : mapping of str to str
        Unit of a column where the source states one.

    Examples
    --------
    >>> table = table_of(("unit", "rate_hz"), [("a", "12.5"), ("b", "NA")])
    >>> table["rate_hz"].tolist()
    [12.5, nan]
    """

    columns: Mapping[str, NDArray[Any]]
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(f"The columns of a table must be equally long; got {lengths}.")
        frozen = {}
        for name, column in self.columns.items():
            frozen[name] = np.asarray(column).view()
            frozen[name].flags.writeable = False
        object.__setattr__(self, "columns", MappingProxyType(frozen))

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the column called ``name``."""
        if name not in self.columns:
            raise ParameterError(unknown_name(name, self.columns, what="column"))
        return self.columns[name]

    def __len__(self) -> int:
        """Count the rows."""
        return len(next(iter(self.columns.values()), ()))

    def digest(self) -> str:
        """Return the sha256 of the names and of every value."""
        digest = hashlib.sha256()
        for name, column in self.columns.items():
            digest.update(f"{name} {column.dtype.str} {len(column)} ".encode())
            digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def take(self, rows: NDArray[Any]) -> Table:
        """Return these rows (positions or a mask)."""
        return Table({name: column[rows] for name, column in self.columns.items()}, self.units)

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns))


def table_of(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    units: Mapping[str, str] | None = None,
    text: Sequence[str] = (),
) -> Table:
    """Build a table from rows of text: a column of numbers becomes numbers.

    Columns named in ``text`` stay text whatever they hold: ``"059"`` is a person, not 59.
    """
    columns = list(zip(*rows, strict=True)) or [() for _ in names]
    if len(columns) != len(names):
        raise DataError(f"{len(names)} columns are named {list(names)}; rows have {len(columns)}.")
    held = {
        name: np.asarray(column, dtype=np.str_) if name in text else _numbers_or_text(column)
        for name, column in zip(names, columns, strict=True)
    }
    return Table(held, units or {})


def read_table(
    path: Path, *, units: Mapping[str, str] | None = None, text: Sequence[str] = ()
) -> Table:
    """Read comma-separated text whose first row names the columns.

    Raises
    ------
    FormatError
        If a row has another number of values than the header has names.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    names = [name or "row" for name in header]
    ragged = [i + 2 for i, row in enumerate(rows) if len(row) != len(names)]
    if ragged or not names:
        raise FormatError(
            f"{path.name}: every row must have {len(names)} values, as the header has names; "
            f"line {ragged[0] if ragged else 1} does not."
        )
    return table_of(names, rows, units=units, text=text)


def _numbers_or_text(values: Sequence[str]) -> NDArray[Any]:
    try:
        return np.asarray([np.nan if v in _MISSING else float(v) for v in values], dtype=float)
    except ValueError:
        return np.asarray(values, dtype=np.str_)
