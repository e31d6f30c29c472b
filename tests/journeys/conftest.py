"""A small simulated cohort as files, and the command line as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from myograph import datasets, write
from myograph.cli.main import main
from myograph.core.recording import Recording
from myograph.datasets import SimulatedCohort


@dataclass(frozen=True)
class Said:
    """What a command returned and said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run ``myograph`` with these words."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture(scope="session")
def recordings() -> list[Recording]:
    """Four people, three repetitions of seven gestures."""
    cohort = SimulatedCohort(
        fs_hz=500.0, n_people=4, n_sessions=1, n_repetitions=3, n_channels=4, hold_s=1.0
    )
    return list(datasets.simulate(cohort).recordings)


@pytest.fixture(scope="session")
def folder(recordings: list[Recording], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as files, one a repetition."""
    folder = tmp_path_factory.mktemp("cohort")
    for number, recording in enumerate(recordings):
        write(recording, folder / f"r{number:02d}.myo")
    return folder


@pytest.fixture(scope="session")
def model(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the first three people."""
    path = tmp_path_factory.mktemp("model") / "hand.myomodel"
    words = ["train", "--data", str(folder), "--leave-out", "sim-04", "--out", str(path), "-j", "1"]
    assert main(words) == 0
    return path


@pytest.fixture(scope="session")
def result(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of the cohort."""
    path = tmp_path_factory.mktemp("evaluation") / "result"
    assert main(["evaluate", "--data", str(folder), "--out", str(path), "-j", "1"]) == 0
    return path
