"""Tables keep numbers numbers, names names, and holes visible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.datasets.table import Table, read_table, table_of


def test_numbers_text_and_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"",person,rate_hz,code\n1,a,12.5,007\n2,"b, c",NA,008\n', encoding="utf-8-sig")
    table = read_table(path, text=("code",), units={"rate_hz": "Hz"})
    assert list(table.columns) == ["row", "person", "rate_hz", "code"]
    assert table["rate_hz"][0] == 12.5
    assert np.isnan(table["rate_hz"][1])
    assert table["code"].tolist() == ["007", "008"]
    assert table["person"].tolist() == ["a", "b, c"]
    assert table.units == {"rate_hz": "Hz"}
    assert len(table) == 2


def test_a_ragged_row_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(FormatError, match=r"t\.csv: every row must have 2 values.*line 3"):
        read_table(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(FormatError, match="line 1"):
        read_table(tmp_path / "t.csv")


def test_columns_are_read_only_equally_long_and_known_by_name() -> None:
    table = Table({"a": np.arange(3)})
    with pytest.raises(ValueError, match="read-only"):
        table["a"][0] = 5
    with pytest.raises(DataError, match="equally long"):
        Table({"a": np.arange(3), "b": np.arange(2)})
    with pytest.raises(ParameterError, match="column must be one of"):
        table["b"]
    with pytest.raises(DataError, match="2 columns are named"):
        table_of(("a", "b"), [("1",)])


def test_the_digest_sees_every_value_and_every_name() -> None:
    table = table_of(("a", "b"), [("1", "x"), ("2", "y")])
    same = table_of(("a", "b"), [("1", "x"), ("2", "y")])
    other = table_of(("a", "b"), [("1", "x"), ("2", "z")])
    renamed = table_of(("a", "c"), [("1", "x"), ("2", "y")])
    assert table.digest() == same.digest()
    assert len({table.digest(), other.digest(), renamed.digest()}) == 3


def test_rows_are_taken_and_pandas_gets_a_copy() -> None:
    table = table_of(("a", "b"), [("1", "x"), ("2", "y")])
    assert table.take(table["a"] > 1)["b"].tolist() == ["y"]
    frame = table.to_pandas()
    assert list(frame.columns) == ["a", "b"]
    assert frame.shape == (2, 2)
