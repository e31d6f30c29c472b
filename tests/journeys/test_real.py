"""Real people: the figures that a plain method is known to reach, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.realdata


@pytest.fixture(autouse=True)
def _real(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))


def _accuracy(said) -> float:
    assert said.code == 0, said.err
    return 100 * said.json["metrics"]["accuracy"]["value"]


def test_leaving_one_person_out(cli) -> None:
    said = cli(
        "evaluate", "--data", "myo-cotellard", "--split", "leave-one-subject-out",
        "--features", "hudgins", "--model", "lda", "--set", "baselines=false", "--json",
    )  # fmt: skip
    assert _accuracy(said) == pytest.approx(74.9, abs=3)
    assert len(said.json["people"]) == 19
    assert said.json["seconds"] < 60


def test_within_a_person(cli) -> None:
    said = cli(
        "evaluate", "--data", "myo-cotellard", "--split", "repetition", "--json",
        "--set", "split.params.train=['1','2','3']", "--set", "split.params.test=['4']",
        "--set", "baselines=false",
    )  # fmt: skip
    assert _accuracy(said) == pytest.approx(96.4, abs=3)
    assert said.json["split"]["scope"] == "within person"


@pytest.mark.slow
def test_a_second_series(cli) -> None:
    said = cli(
        "evaluate", "--data", "uci-gestures", "--split", "session",
        "--leave-out", "02,34", "--json",
        "--set", "split.params.train=['1']", "--set", "split.params.test=['2']",
        "--set", "baselines=false",
    )  # fmt: skip
    assert _accuracy(said) == pytest.approx(93.1, abs=3)
    assert ["02, 34", "left out as asked for"] in said.json["dropped"]


@pytest.mark.slow
def test_a_moved_band(cli) -> None:
    said = cli(
        "evaluate", "--data", "ciil/electrode-shift", "--split", "session", "--json",
        "--set", "baselines=false",
    )  # fmt: skip
    assert _accuracy(said) == pytest.approx(47.5, abs=3)


def test_a_force_is_estimated(cli) -> None:
    said = cli(
        "evaluate", "--data", "grasp-force-myo/force", "--split", "time", "--json",
        "--set", "baselines=false",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.json["headline"] == "r2"
    assert said.json["confusion"] == []
    assert said.json["metrics"]["r2"]["value"] > 0.7
