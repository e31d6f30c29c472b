"""Reading the table of a patient's visits."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError
from myograph.twin.visit import MEASURES, Observations

__all__ = ["read_observations"]

_TIME, _DATE = "months", "date"
_ABOUT = ("muscle", "pseudonym")
_GAPS = ("", "na", "nan", "n/a", "-", "none", "null")
_MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True, slots=True)
class _Table:
    """Cells by column, all text, and how numbers are written in them."""

    file: Path
    columns: Mapping[str, list[str]]
    decimal_comma: bool

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers; gaps are NaN."""
        return np.array([self._number(name, row) for row in range(len(self.columns[name]))])

    def _number(self, name: str, row: int) -> float:
        text = self.columns[name][row]
        if text.lower() in _GAPS:
            return float("nan")
        try:
            return float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError as error:
            raise DataError(
                f"{self.file}, row {row + 2}, column {name}: {text!r} is not a number; leave the "
                "cell empty when nothing was measured."
            ) from error

    def same(self, name: str) -> str:
        """Return what a column says in all rows."""
        told = sorted({cell for cell in self.columns.get(name, ()) if cell})
        if len(told) > 1:
            raise DataError(
                f"{self.file} holds several values of {name} ({', '.join(told[:4])}); a twin is of "
                "one muscle of one person: give each a table of its own."
            )
        return told[0] if told else ""

    def months(self) -> NDArray[np.float64]:
        """Return when each visit was."""
        if _TIME in self.columns:
            found = self.numbers(_TIME)
            if np.isnan(found).any():
                row = int(np.flatnonzero(np.isnan(found))[0]) + 2
                raise DataError(f"{self.file}, row {row}: the visit has no {_TIME}.")
            return found
        days = []
        for row, cell in enumerate(self.columns[_DATE], start=2):
            try:
                days.append(date.fromisoformat(cell).toordinal())
            except ValueError as error:
                raise DataError(
                    f"{self.file}, row {row}: a date is written as 2026-03-01; got {cell!r}."
                ) from error
        return (np.array(days, float) - min(days)) / _MONTH_DAYS


def read_observations(
    path: str | PathLike[str],
    *,
    muscle: str | None = None,
    norms: Mapping[str, float] | None = None,
) -> Observations:
    """Read a table of visits.

    One row for each visit: a column ``months`` (or ``date``, as 2026-03-01) and one for each
    measure, by the names of `myograph.twin.visit.MEASURES`. Empty cells are gaps. Columns
    ``muscle`` and ``pseudonym`` are optional and say the same in every row. Separators may be
    commas, semicolons or tabs; with semicolons and tabs a decimal comma is read too.

    Parameters
    ----------
    path : path
    muscle : str, optional
        In place of the table's; ``ADM`` when neither says.
    norms : mapping of str to float, optional
        The laboratory's own typical healthy values.

    Raises
    ------
    DataError
        If the table cannot be read, with the row and column.
    """
    table = _read(Path(path))
    months = table.months()
    order = np.argsort(months, kind="stable")
    values = {name: table.numbers(name)[order] for name in table.columns if name in MEASURES}
    return Observations(
        months[order],
        values,
        muscle or table.same("muscle") or "ADM",
        table.same("pseudonym") or table.file.name.split(".")[0],
        dict(norms or {}),
    )


def _read(file: Path) -> _Table:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not text in UTF-8: {error.reason}.") from error
    first = text.split("\n", 1)[0]
    separator = max((",", ";", "\t"), key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    rows = [[cell.strip() for cell in row] for row in reader if any(map(str.strip, row))]
    if len(rows) < 2:
        raise DataError(
            f"{file} holds no visit: it needs a line of names and a line for each visit."
        )
    for k, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{file}, row {k}: {len(row)} cells under {len(rows[0])} names; leave empty cells "
                "for what was not measured."
            )
    _check_header(rows[0], file)
    columns = {name: [row[k] for row in rows[1:]] for k, name in enumerate(rows[0])}
    return _Table(file, columns, separator != ",")


def _check_header(header: Sequence[str], file: Path) -> None:
    known = [_TIME, _DATE, *_ABOUT, *MEASURES]
    for name in header:
        if name not in known:
            raise DataError(f"{file}: " + unknown_name(name, known, what="column"))
    if len(set(header)) != len(header):
        raise DataError(f"{file}: a column stands twice in {list(header)}.")
    if (_TIME in header) == (_DATE in header):
        raise DataError(f"{file} needs one column that says when: {_TIME!r} or {_DATE!r}.")
