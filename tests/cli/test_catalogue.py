"""Datasets: terms before anything is downloaded, and nothing without agreement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from myograph.cli.main import main
from myograph.datasets import DATASETS, DatasetCard
from myograph.datasets.files import Files


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MYOGRAPH_MIRROR", raising=False)
    monkeypatch.setenv("MYOGRAPH_CACHE", str(tmp_path / "cache"))


def _no_network(*_: object, **__: object) -> None:
    pytest.fail("nothing may be downloaded")


@pytest.mark.parametrize("answer", [False, None])
def test_terms_first_and_no_download_without_agreement(
    answer: bool | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def confirm(*_: object, **__: object) -> bool:
        if answer is None:
            raise typer.Abort
        return answer

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr("myograph.datasets.fetch.download", _no_network)
    assert main(["datasets", "get", "myo-cotellard"]) == 3
    said = capsys.readouterr()
    assert said.err.startswith("myo-cotellard: ")
    assert "licence:  GPL-3.0" in said.err
    assert "cite:     Côté-Allard" in said.err
    assert "declined" in said.err
    assert said.out == ""


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_with_yes_nobody_is_asked(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    agreed: list[DatasetCard] = []

    def get(name: str, *, confirm, progress) -> Files:
        assert confirm(DATASETS[name])
        agreed.append(DATASETS[name])
        progress("download", 5_000_000, 10_000_000)
        progress("unpack", 1, None)
        return Files(tmp_path)

    monkeypatch.setattr("myograph.datasets.get", get)
    monkeypatch.setattr(typer, "confirm", _no_network)
    assert main(["datasets", "get", "uci-gestures", "--yes", *words]) == 0
    said = capsys.readouterr()
    assert [card.name for card in agreed] == ["uci-gestures"]
    if words:
        assert json.loads(said.out)["folder"] == str(tmp_path)
    else:
        assert "use it:   myograph evaluate --data uci-gestures" in said.out


def test_evaluate_never_downloads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("myograph.datasets.fetch.download", _no_network)
    assert main(["evaluate", "--data", "myo-cotellard"]) == 3
    assert "myograph datasets get myo-cotellard" in capsys.readouterr().err


def test_the_list_says_what_is_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "list", "--json"]) == 0
    found = {d["name"]: d for d in json.loads(capsys.readouterr().out)["datasets"]}
    assert set(found) == set(DATASETS)
    assert [name for name, dataset in found.items() if dataset["available"]] == ["simulated"]
    assert all(dataset["licence"] for dataset in found.values())


def test_simulated_people_cannot_be_got(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["datasets", "get", "simulated", "--yes"]) == 2
    assert "simulated" in capsys.readouterr().err
