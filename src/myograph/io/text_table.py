"""A text file's table: where it begins, how its cells are parted, what its columns are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.io.formats import HEAD_BYTES
from myograph.io.units import canonical_unit

__all__ = ["LABEL_NAMES", "TRIAL_NAMES", "Table", "looks_like_table", "parse_table"]

#: Names of columns that say what was shown, and which repetition it was: words are fine there.
LABEL_NAMES = frozenset({"class", "label", "gesture", "stimulus", "restimulus"})
TRIAL_NAMES = frozenset({"trial", "repetition", "rerepetition"})

WHITESPACE = ""  # the delimiter "any run of spaces or tabs"

_NEWLINE = 10
_PREAMBLE_LINES = 1000  # a table that begins later is not one
_COMMENT = ("#", "%")
_ROW = re.compile(r"[\s0-9eE+\-.,;\"]*([nN][aA][nN]?|[iI]nf|[\s0-9eE+\-.,;\"])*")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Parameters
    ----------
    comments : tuple of str
        The lines before the table, without their comment sign.
    names : tuple of str
        One for each column; empty text where the file gives none.
    units : tuple of str
        From a line of units under the names; empty text otherwise.
    cells : ndarray of float64, shape (n_rows, n_columns)
    words : dict of int to list of str
        The columns that hold words, as they stand; their cells are NaN.
    """

    comments: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    cells: NDArray[np.float64]
    words: dict[int, list[str]]


def looks_like_table(head: bytes) -> bool:
    """Say whether these first bytes are text with a row of numbers or Myograph's own comment."""
    text = head.decode("latin-1").removeprefix("\xef\xbb\xbf")
    if re.search(r"[\x00-\x08\x0e-\x1f\x7f]", text):
        return False
    if text.startswith("# myograph "):
        return True
    lines = text.splitlines()
    if len(head) == HEAD_BYTES and len(lines) > 1:
        lines.pop()  # it may be cut
    above = ["", *lines]
    return any(
        _is_row(line) or _is_worded_row(line, a) for line, a in zip(lines, above, strict=False)
    )


def parse_table(raw: bytes, *, path: Path) -> Table:
    """Parse a text file of numbers.

    Parameters
    ----------
    raw : bytes
        The whole file.
    path : Path
        For messages.

    Raises
    ------
    FormatError
        With its line number, if a row has another number of cells or a cell is no number.
    """
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")  # the line ends of the first Macintoshes
    before, first_row, body = _split(raw, path)
    delimiter = _delimiter(first_row)
    _refuse_decimal_comma(first_row, delimiter, len(before) + 1, path)
    comments, names, units = _preamble(before, delimiter, _cut(first_row, delimiter))
    counts = _cells_per_line(body, delimiter)
    n_columns = len(names) or int(counts[counts > 0][0])
    _refuse_ragged(counts, n_columns, len(before) + 1, path, named=bool(names))
    worded = [i for i, name in enumerate(names) if name.lower() in LABEL_NAMES | TRIAL_NAMES]
    cells, words = _parse(body, delimiter, n_columns, worded, len(before) + 1, path)
    empty = ("",) * n_columns
    return Table(comments, names or empty, units or empty, cells, words)


def _split(raw: bytes, path: Path) -> tuple[list[str], str, bytes]:
    """Return the lines before the first row of numbers, that row, and everything from it on."""
    before: list[str] = []
    position = 0
    while position < len(raw) and len(before) < _PREAMBLE_LINES:
        end = raw.find(b"\n", position)
        end = len(raw) if end < 0 else end
        line = raw[position:end].decode("utf-8", "replace").rstrip("\r")
        if _is_row(line) or _is_worded_row(line, before[-1] if before else ""):
            return before, line, raw[position:]
        before.append(line)
        position = end + 1
    raise FormatError(
        f"{path} holds no row of numbers (in its first {len(before)} lines); a recording as text "
        "is a table with one row a moment and one column a channel."
    )


def _is_row(line: str) -> bool:
    return any(c.isdigit() for c in line) and _ROW.fullmatch(line) is not None


def _is_worded_row(line: str, above: str) -> bool:
    """Say whether this is a row under its names, with words where words are fine."""
    delimiter = _delimiter(line)
    cells, names = _cut(line, delimiter), _cut(above, delimiter)
    if line.startswith(_COMMENT) or len(cells) != len(names) or not any(map(_is_number, cells)):
        return False
    return all(
        not cell or _is_number(cell) or name.lower() in LABEL_NAMES | TRIAL_NAMES
        for cell, name in zip(cells, names, strict=True)
    )


def _delimiter(line: str) -> str:
    return next((c for c in "\t;," if c in line.strip()), WHITESPACE)


def _cut(line: str, delimiter: str) -> list[str]:
    cells = line.split(delimiter) if delimiter else line.split()
    return [cell.strip().strip('"') for cell in cells]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _preamble(
    before: Sequence[str], delimiter: str, first: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Tell comments, names and units apart: names stand right above the rows, units between."""
    lines = [line for line in before if line.strip()]
    names: list[str] = []
    units: list[str] = []
    if lines and not lines[-1].startswith(_COMMENT):
        cells = _cut(lines[-1], delimiter)
        if len(lines) > 1 and len(cells) == len(first) and all(_is_unit(cell) for cell in cells):
            units = cells
            lines.pop()
        if not lines[-1].startswith(_COMMENT):
            line = lines.pop().strip()  # with one column, blanks are part of its name
            names = [line.strip('"')] if len(first) == 1 else _cut(line, delimiter)
    comments = tuple(line.lstrip("#% ").rstrip() for line in lines)
    return comments, tuple(names), tuple(units)


def _is_unit(cell: str) -> bool:
    return cell in ("", "s", "ms", "sec") or canonical_unit(cell.strip("[]()")) is not None


def _refuse_decimal_comma(row: str, delimiter: str, line: int, path: Path) -> None:
    cells = _cut(row, delimiter)
    found = [cell for cell in cells if _DECIMAL_COMMA.fullmatch(cell)]
    if delimiter == "," and any(re.search(r"\d\s+[+-]?\d", cell) for cell in cells):
        found = [token for token in row.split() if _DECIMAL_COMMA.fullmatch(token)]
    if found:
        raise FormatError(
            f"{path}, line {line}: the numbers have a decimal comma ({found[0]!r}); export the "
            "table with decimal points (in a spreadsheet: the English number format)."
        )


# --- rows ----------------------------------------------------------------------------------------


def _cells_per_line(body: bytes, delimiter: str) -> NDArray[np.int64]:
    """Count the cells of every line; a blank line has none."""
    content = np.frombuffer(body if body.endswith(b"\n") else body + b"\n", dtype=np.uint8)
    ends = np.flatnonzero(content == _NEWLINE)
    space = (content == ord(" ")) | (content == ord("\t")) | (content == 13) | (content == _NEWLINE)
    starts = ~space
    starts[1:] &= space[:-1]
    tokens = _per_line(np.flatnonzero(starts), ends)
    if not delimiter:
        return tokens
    parted = _per_line(np.flatnonzero(content == ord(delimiter)), ends) + 1
    return np.where((tokens == 0) & (parted == 1), 0, parted)


def _per_line(marks: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.diff(np.searchsorted(marks, ends), prepend=0)


def _refuse_ragged(
    counts: NDArray[np.int64], n_columns: int, first_line: int, path: Path, *, named: bool
) -> None:
    wrong = np.flatnonzero((counts != n_columns) & (counts > 0))
    if not wrong.size:
        return
    given = int(counts[wrong[0]])
    like = "the line of names above" if named else f"line {first_line}"
    comma = ""
    if named and given == 2 * n_columns:
        comma = " Twice as many cells as names: does the file have decimal commas?"
    raise FormatError(
        f"{path}, line {first_line + int(wrong[0])}: {given} cells, where {like} has {n_columns}; "
        f"every row of a table must have as many ({wrong.size} of {len(counts)} differ).{comma}"
    )


def _parse(
    body: bytes, delimiter: str, n_columns: int, worded: list[int], first_line: int, path: Path
) -> tuple[NDArray[np.float64], dict[int, list[str]]]:
    """Return the cells as numbers, and those of the worded columns as text."""
    if body.count(b"\n", 0, -1) == 0 and not worded:  # one line, perhaps of very many cells
        cells = [_number(c, path, first_line) for c in _cut(body.decode("latin-1"), delimiter)]
        return np.array([cells]), {}
    import pandas as pd

    types: dict[int, Any] = {i: str if i in worded else np.float64 for i in range(n_columns)}
    try:
        frame = pd.read_csv(
            BytesIO(body),
            sep=delimiter or r"\s+",
            header=None,
            names=range(n_columns),
            dtype=types,
            na_filter=True,
            encoding_errors="replace",
            skipinitialspace=True,
        )
    except (ValueError, OverflowError) as error:  # ParserError is a ValueError
        raise _bad_cell(body, delimiter, worded, first_line, path) from error
    words = {i: frame[i].fillna("").tolist() for i in worded}
    for i in worded:
        frame[i] = pd.to_numeric(frame[i], errors="coerce")
    return frame.to_numpy(dtype=np.float64), words


def _number(cell: str, path: Path, line: int) -> float:
    if not cell:
        return float("nan")
    if not _is_number(cell):
        raise FormatError(f"{path}, line {line}: {cell[:40]!r} is not a number.")
    return float(cell)


def _bad_cell(
    body: bytes, delimiter: str, worded: list[int], first_line: int, path: Path
) -> DataError:
    """Find the cell that is no number, and say where it stands."""
    for offset, raw in enumerate(body.split(b"\n")):
        for column, cell in enumerate(_cut(raw.decode("utf-8", "replace"), delimiter)):
            if cell and column not in worded and not _is_number(cell) and raw.strip():
                comma = _DECIMAL_COMMA.fullmatch(cell)
                hint = " (a decimal comma; export with decimal points)" if comma else ""
                return FormatError(
                    f"{path}, line {first_line + offset}, column {column + 1}: {cell[:40]!r} is "
                    f"not a number{hint}."
                )
    return FormatError(f"{path}: the table could not be understood as numbers.")
