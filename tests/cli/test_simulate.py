"""Simulated people on the command line: what is said, and what is refused before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myograph.cli.main import main

SMALL = ["--seconds", "1", "--fs-hz", "8000"]


def test_kinds_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "kinds", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["kinds"]
    kinds = {item["kind"] for item in told}
    assert kinds >= {"gestures", "needle", "fatigue", "progression", "rehab"}
    assert all(item["labels"] and item["tasks"] for item in told)


def test_a_cohort_and_what_is_there_already(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clinic"
    words = ["simulate", "cohort", "needle", "--people", "1", "--takes", "1", *SMALL]
    words += ["--jobs", "1", "--out", str(folder)]
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.out.startswith("SIMULATED needle: 1 person, 1 recording")
    assert f"folder: {folder}" in said.out
    assert "never clinical performance" in said.out
    assert main(words) == 3
    assert "complete; use it, write elsewhere" in capsys.readouterr().err
    assert main([*words, "--force", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["made"] == 1


def test_one_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "one.myo.h5"
    words = ["simulate", "recording", "needle", "--condition", "myopathy", *SMALL]
    assert main([*words, "--out", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["simulated"]
    assert told["subject"]["condition"] == "simulated: myopathy"
    assert all(Path(name).is_file() for name in told["files"])
    assert main([*words, "--out", str(file)]) == 3


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["gestuers", "--out", "x"], "Did you mean 'gestures'"),
        (["needle", "--people", "0", "--out", "x"], "people must be at least 1"),
        (["needle", "--seconds", "-3", "--out", "x"], "seconds must be"),
        (["needle", "--fs-hz", "100", "--out", "x"], "at least 8000"),
        (["needle", "--fs-hz", "1e9", "--out", "x"], "at most 200000"),
        (["needle", "--jobs", "0", "--out", "x"], "jobs must not be 0"),
        (["needle", "--condition", "flu", "--out", "x"], "condition must be one of"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(
    words: list[str],
    match: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "cohort", *words]) == 2
    assert match in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
