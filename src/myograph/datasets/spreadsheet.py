"""Read the cells of an Office Open XML spreadsheet: text in rows, nothing more."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from myograph.core.checks import unknown_name
from myograph.core.errors import FormatError

__all__ = ["read_sheet", "sheet_names"]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def sheet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the sheets, in their order."""
    with _opened(path) as book:
        return tuple(_sheets(book))


def read_sheet(path: Path, name: str = "") -> list[list[str]]:
    """Return the rows of one sheet (the first unless named), each as long as the longest.

    Raises
    ------
    FormatError
        If the file is no spreadsheet or has no such sheet.
    """
    with _opened(path) as book:
        sheets = _sheets(book)
        wanted = name or next(iter(sheets), "")
        if wanted not in sheets:
            raise FormatError(f"{path}: " + unknown_name(wanted, sheets, what="sheet"))
        shared = _shared(book)
        root = _parse(book, sheets[wanted])
    rows = [_cells(row, shared) for row in root.iter(f"{_MAIN}row")]
    width = max((max(row, default=-1) + 1 for row in rows), default=0)
    return [[row.get(i, "") for i in range(width)] for row in rows if row]


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise FormatError(f"{path} is damaged or no spreadsheet: {error}.") from error


def _parse(book: zipfile.ZipFile, name: str) -> ET.Element:
    try:
        return ET.fromstring(book.read(name))  # noqa: S314 (expat refuses entity bombs)
    except (KeyError, ET.ParseError, zipfile.BadZipFile) as error:
        raise FormatError(f"{book.filename}: {name} cannot be read: {error}.") from error


def _sheets(book: zipfile.ZipFile) -> dict[str, str]:
    targets = {
        relation.get("Id"): relation.get("Target", "")
        for relation in _parse(book, "xl/_rels/workbook.xml.rels")
    }
    found = {}
    for sheet in _parse(book, "xl/workbook.xml").iter(f"{_MAIN}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        place = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found[sheet.get("name", "")] = place
    return found


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    items = _parse(book, "xl/sharedStrings.xml").iter(f"{_MAIN}si")
    return ["".join(text.text or "" for text in item.iter(f"{_MAIN}t")) for item in items]


def _cells(row: ET.Element, shared: list[str]) -> dict[int, str]:
    cells = {}
    for i, cell in enumerate(row.iter(f"{_MAIN}c")):
        letters = re.match(r"[A-Z]+", cell.get("r", ""))
        column = _column(letters[0]) if letters else i
        value = cell.find(f"{_MAIN}v")
        text = value.text or "" if value is not None else ""
        if cell.get("t") == "s" and text:
            text = shared[int(text)]
        elif cell.get("t") == "inlineStr":
            text = "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
        if text:
            cells[column] = text
    return cells


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
