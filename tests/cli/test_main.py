"""The command line: how everything that can go wrong is said, and what numbers look like."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import myograph
from myograph import __version__
from myograph.cli import main as module
from myograph.cli import render
from myograph.cli.main import main
from myograph.core.decision import Estimate
from myograph.core.errors import (
    ArtifactError,
    DataError,
    FormatError,
    LayoutError,
    LeakageError,
    MissingExtraError,
    OutputExistsError,
    ParameterError,
)

#: The environment of a process that is to find the same Myograph.
HERE = {**os.environ, "PYTHONPATH": str(Path(myograph.__file__).parents[1])}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ParameterError("said"), 2),
        (DataError("said"), 3),
        (FormatError("said"), 3),
        (LayoutError("said"), 3),
        (LeakageError("said"), 3),
        (ArtifactError("said"), 3),
        (OutputExistsError("said"), 3),
        (MissingExtraError("said"), 4),
        (OSError(errno.ENOSPC, "said", "there"), 3),
        (PermissionError(errno.EACCES, "said", "there"), 3),
        (MemoryError(), 3),
        (ZeroDivisionError("said"), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_readable_line_and_a_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "app", fail)
    assert main(["info"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == (2 if code == 70 else 1)


def test_debug_anywhere_shows_where_it_came_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "--debug", str(tmp_path / "none.edf")]) == 3
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.splitlines()[-1].startswith("Error: ")


def test_markup_in_a_message_is_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = tmp_path / "[red]none[blue].edf"
    assert main(["info", str(name)]) == 3
    assert str(name) in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"myograph {__version__}\n"


def test_no_words_is_a_usage_error_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    said = capsys.readouterr()
    assert "evaluate" in said.out + said.err


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupting_is_clean(tmp_path: Path) -> None:
    program = (
        "import sys, time, myograph.workflows.inspect as w; from myograph.cli.main import main;"
        "w.inspect = lambda *a, **k: (print('ready', flush=True), time.sleep(60));"
        f"sys.exit(main(['info', {str(tmp_path)!r}]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=HERE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.returncode == 130
        assert "Traceback" not in process.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m myograph.cli.main datasets list --json | head -c 20"
    done = subprocess.run(
        ["bash", "-c", command], check=False, capture_output=True, text=True, env=HERE
    )
    assert done.stdout.startswith("{")
    assert done.stderr == ""


@pytest.mark.parametrize("width", [80, 120])
def test_tables_fit_the_terminal_and_lose_nothing(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    rows = [("a" * 70, "b" * 70), ("[bold]c", "d")]
    render.show_table(["first", "second"], rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    told = "".join(lines)
    assert told.count("a") == 70
    assert told.count("b") - "[bold]c".count("b") == 70
    assert "[bold]c" in told


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        render.print_json({"x": float("nan")})
    assert capsys.readouterr().out == ""


def test_percent() -> None:
    estimate = Estimate(0.753, 0.689, 0.81, evidence="person", n=19)
    assert render.percent(estimate) == "75.3 % [68.9, 81.0]"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (75, "1 min 15 s"), (7300, "2 h 1 min")],
)
def test_duration(seconds: float, told: str) -> None:
    assert render.duration(seconds) == told
