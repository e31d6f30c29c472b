"""Text tables: what their columns tell, and what makes them no table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import DataError, FormatError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.io import read, write
from myograph.io.text_table import parse_table

SEMG = {"fs_hz": 100, "kinds": "semg", "unit": "uV"}


@pytest.fixture
def text(tmp_path: Path) -> Callable[..., Path]:
    def make(content: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return path

    return make


# --- good tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "  ", ", ", " ; "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_delimiters_and_line_ends(
    text: Callable[..., Path], delimiter: str, end: str, last: str
) -> None:
    rows = [delimiter.join(cells) for cells in (["1", "-2.5"], ["3e2", "+.5"], ["5", "6."])]
    content = end.join(rows) + last.replace("end", end)
    back = read(text(content), **SEMG)
    assert isinstance(back, Recording)
    np.testing.assert_array_equal(back.samples, [[1, 300, 5], [-2.5, 0.5, 6]])
    assert back.layout.names == ("channel1", "channel2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_names_units_and_time(text: Callable[..., Path], encoding: str) -> None:
    content = "Time [ms],EMG TA [mV],force_N,accel (m/s²)\n" + "".join(
        f"{1000 + 2 * i},{i},{2 * i},9.80665\n" for i in range(50)
    )
    back = read(text(content, encoding=encoding))
    assert isinstance(back, Recording)
    assert back.layout == Layout(
        500.0, (Channel("EMG TA", "semg"), Channel("force", "force"), Channel("accel", "acc"))
    )
    assert back.start_s == 1.0
    np.testing.assert_allclose(back.samples[:, 3], [3000, 6, 1])


def test_a_line_of_units_and_a_rate_in_the_preamble(text: Callable[..., Path]) -> None:
    content = "Some device\nSampling rate: 2 kHz\nemg left\tgrip\nmV\tkgf\n1\t1\n2\t2\n"
    back = read(text(content, "t.txt"))
    assert isinstance(back, Recording)
    assert back.fs_hz == 2000
    assert back.layout.names == ("emg left", "grip")
    np.testing.assert_allclose(back.samples, [[1000, 2000], [9.80665, 19.6133]], rtol=1e-6)


def test_comments_may_state_the_rate(text: Callable[..., Path]) -> None:
    back = read(text("%OpenBCI\n%Sample Rate = 250 Hz\n1,2\n3,4\n"), kinds="semg", unit="uV")
    assert back.fs_hz == 250  # type: ignore[union-attr]


def test_labels_become_events(text: Callable[..., Path]) -> None:
    content = "emg_mV,label,trial\n1,rest,\n2,rest,\n3,fist,1\n4,fist,1\n5,fist,2\n6,,\n"
    back = read(text(content), fs_hz=10)
    assert isinstance(back, Recording)
    assert back.events == (
        Event(0.0, 0.2, "rest"),
        Event(0.2, 0.2, "fist", trial="1"),
        Event(0.4, 0.1, "fist", trial="2"),
    )
    assert back.layout.names == ("emg",)


def test_one_line_is_one_channel(text: Callable[..., Path]) -> None:
    back = read(text("   50.0000    49.2000    36.7000  ", "t.asc"), **SEMG)
    assert isinstance(back, Recording)
    np.testing.assert_allclose(back.samples, [[50, 49.2, 36.7]])


def test_one_column_keeps_its_name(text: Callable[..., Path]) -> None:
    back = read(text("EMG of the right arm [mV]\n1\n2\n"), fs_hz=100)
    assert back.layout.names == ("EMG of the right arm",)  # type: ignore[union-attr]


def test_equal_names_get_numbers(text: Callable[..., Path]) -> None:
    assert read(text("a,a\n1,2\n3,4\n"), **SEMG).layout.names == ("a", "a (2)")  # type: ignore[union-attr]


def test_blank_lines_and_empty_cells(text: Callable[..., Path]) -> None:
    path = text("a,b\n1,2\n\n3,\n\n")
    with pytest.raises(DataError, match=r"1 non-finite .* rows \[1\], the first at sample 1"):
        read(path, **SEMG)
    back = read(path, **SEMG, non_finite="gap")
    assert isinstance(back, Recording)
    np.testing.assert_array_equal(back.samples, [[1, 3], [2, 2]])


@given(
    st.lists(
        st.lists(
            st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=2
        ),
        min_size=2,
        max_size=5,
    )
)
def test_every_float32_survives_text(rows: list[list[float]]) -> None:
    lines = [",".join(str(np.float32(v)) for v in row) for row in rows]
    table = parse_table("\n".join(lines).encode(), path=Path("t"))
    np.testing.assert_array_equal(table.cells.astype(np.float32), np.array(rows, np.float32))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_our_tables_are_plain_for_others(emg: Recording, tmp_path: Path, suffix: str) -> None:
    import pandas as pd

    path = write(emg, tmp_path / f"t{suffix}")
    delimiter = "," if suffix == ".csv" else "\t"
    frame = pd.read_csv(path, comment="#", sep=delimiter)
    assert list(frame.columns) == ["time_s", "emg1 [uV]", "emg2 [uV]"]
    np.testing.assert_allclose(frame["time_s"], np.arange(1000) / 1000)
    np.testing.assert_array_equal(frame["emg1 [uV]"].astype(np.float32), emg.samples[0])
    without = "\n".join(path.read_text().splitlines()[1:])
    path.write_text(without)
    assert read(path) == emg  # names, units and times tell enough


# --- rates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [5, 6, 9])
@pytest.mark.parametrize("fs_hz", [1000.0, 2048.0, 1259.26, 23437.5, 100 / 3])
def test_the_rate_is_told_by_the_times(
    text: Callable[..., Path], fs_hz: float, digits: int
) -> None:
    times = [f"{i / fs_hz:.{digits}f}" for i in range(5000)]
    path = text("time_s,emg_uV\n" + "".join(f"{t},1\n" for t in times))
    assert read(path).fs_hz == pytest.approx(fs_hz, rel=10.0**-digits)  # type: ignore[union-attr]


def test_a_rate_is_never_guessed(text: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"how many samples a second it holds; .* option fs_hz="):
        read(text("emg_mV\n1\n2\n"))
    with pytest.raises(DataError, match="option fs_hz="):  # seconds or milliseconds?
        read(text("time,emg_mV\n0,1\n1,2\n"))


def test_uneven_times_are_refused_unless_the_rate_is_stated(text: Callable[..., Path]) -> None:
    path = text("time_s,emg_mV\n0,1\n0.01,1\n0.02,1\n0.09,1\n")
    with pytest.raises(DataError, match=r"not evenly spaced \(row 2 .* option fs_hz="):
        read(path)
    assert read(path, fs_hz=100).n_samples == 4  # type: ignore[union-attr]
    with pytest.raises(DataError, match="does not rise"):
        read(text("time_s,emg_mV\n1,1\n1,1\n", "u.csv"))


# --- bad tables ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\n1,2\n3,4,5\n",
            r"line 3: 3 cells, where the line of names above has 2; .*\(1 of 2 differ",
        ),
        ("a,b\n1,2\n3\n", r"line 3: 1 cells"),
        ("# x\n1 2\n3 4\n5\n", r"line 4: 1 cells, where line 2 has 2"),
        ("a;b\n1,5;2,5\n", r"line 2: the numbers have a decimal comma \('1,5'\)"),
        ("a\tb\n0,1\t0,2\n", r"line 2: .* decimal comma \('0,1'\)"),
        ("0,1 0,2\n0,3 0,4\n", r"line 1: .* decimal comma"),
        ("a,b\n0,1,0,2\n", r"4 cells, where .* has 2.*decimal commas\?"),
        ("a;b\n1;2\n1;2,5\n", r"line 3, column 2: '2,5' is not a number \(a decimal comma"),
        ("a,b\n1,2\n3,oops\n", r"line 3, column 2: 'oops' is not a number"),
        ("a,b\n1,2\n0x1F,3\n", r"line 3, column 1: '0x1F' is not a number"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_bad_tables_are_refused_with_their_line(
    text: Callable[..., Path], content: str, message: str
) -> None:
    with pytest.raises(FormatError, match=message):
        read(text(content), **SEMG)


def test_names_without_rows_are_refused(text: Callable[..., Path]) -> None:
    with pytest.raises(FormatError, match="holds no row of numbers"):
        parse_table(b"time,emg\n", path=Path("t.csv"))


def test_a_table_without_channels_is_refused(text: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match=r"no column is a channel; the table has \['time_s'\]"):
        read(text("time_s\n1\n2\n"))


def test_an_edited_table_of_ours_is_refused(emg: Recording, tmp_path: Path) -> None:
    path = write(emg, tmp_path / "t.csv")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(FormatError, match=r"describes 1000 rows of 2 .* has 999 of 2; .* edited"):
        read(path)
