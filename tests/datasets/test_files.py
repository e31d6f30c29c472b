"""Files are found by pattern, in natural order, and repeats are told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError
from myograph.datasets.files import MANIFEST, Files, numbers

Write = Callable[[Path, dict[str, str | bytes]], Path]


def test_files_are_found_wherever_they_lie_in_natural_order(
    tmp_path: Path, write_files: Write
) -> None:
    write_files(tmp_path, {"x/f10.csv": "a", "x/f9.csv": "b", "y/z/f1.csv": "c", "x/g.txt": "d"})
    files = Files(tmp_path)
    found = files.find(r"f(\d+)\.csv$")
    assert [match[1] for _, match in found] == ["9", "10", "1"]
    assert files.any(r"g\.txt$")
    assert not files.any(r"h\.txt$")


def test_nothing_found_is_an_error_with_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not this dataset, or is incomplete"):
        Files(tmp_path).find(r"x\.csv")


def test_the_first_of_equal_bytes_is_kept_and_the_others_are_told(
    tmp_path: Path, write_files: Write
) -> None:
    write_files(tmp_path, {"1.csv": "same", "2.csv": "same", "10.csv": "other", "11.csv": "same"})
    files = Files(tmp_path)
    kept, dropped = files.distinct(files.find(r"\.csv$"))
    assert [path.name for path, _ in kept] == ["1.csv", "10.csv"]
    assert [(what, reason) for what, reason in dropped] == [
        ("2.csv", "byte for byte the same file as 1.csv"),
        ("11.csv", "byte for byte the same file as 1.csv"),
    ]


def test_digests_come_from_the_manifest_where_there_is_one(
    tmp_path: Path, write_files: Write
) -> None:
    manifest = json.dumps({"a.csv": "known"})
    write_files(tmp_path, {f"s/{MANIFEST}": manifest, "s/a.csv": "1", "s/b.csv": "2"})
    files = Files(tmp_path)
    assert files.sha256(tmp_path / "s" / "a.csv") == "known"
    assert files.sha256(tmp_path / "s" / "b.csv") == hashlib.sha256(b"2").hexdigest()


def test_numbers_are_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text("1,-2,3.5\n4,5e-3,-6")
    expected = np.array([[1, -2, 3.5], [4, 5e-3, -6]], dtype=np.float32)
    np.testing.assert_array_equal(numbers(path, columns=3), expected)


@pytest.mark.parametrize(
    "text", ["1,2\n", "1,2,3\n4,5\n", "1,2,3\n4,5,6,7\n", "1,2,3\n4,x,6\n", "", "1,2,3\n4,,6\n"]
)
def test_ragged_missing_or_wordy_rows_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "n.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match="3 numbers a row are expected"):
        numbers(path, columns=3)
