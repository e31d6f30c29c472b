"""Spreadsheets are read from their parts: shared text, inline text, numbers, empty cells."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from myograph.core.errors import FormatError
from myograph.datasets.spreadsheet import read_sheet, sheet_names

ROWS = (
    '<row><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
    '<row><c r="A2"><v>1.5</v></c><c r="C2" t="inlineStr"><is><t>hi</t></is></c></row>'
)


def test_cells_stand_where_they_stood(tmp_path: Path, write_book: Callable[..., Path]) -> None:
    path = write_book(tmp_path / "b.xlsx", {"one": ROWS}, ("name", "what"))
    assert read_sheet(path) == [["name", "", "what"], ["1.5", "", "hi"]]


def test_sheets_are_found_by_name(tmp_path: Path, write_book: Callable[..., Path]) -> None:
    second = '<row><c r="AB1"><v>7</v></c></row>'
    path = write_book(tmp_path / "b.xlsx", {"one": ROWS, "two": second}, ("a", "b"))
    assert sheet_names(path) == ("one", "two")
    assert read_sheet(path, "two") == [[""] * 27 + ["7"]]
    with pytest.raises(FormatError, match="sheet must be one of"):
        read_sheet(path, "three")


def test_what_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(b"nothing of the kind")
    with pytest.raises(FormatError, match="no spreadsheet"):
        read_sheet(tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as book:
        book.writestr("hello.txt", "hello")
    with pytest.raises(FormatError, match="cannot be read"):
        read_sheet(tmp_path / "c.xlsx")
