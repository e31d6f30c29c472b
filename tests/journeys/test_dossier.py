"""The papers about an evaluation: filled from the run, refused when anything was changed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from myograph.cli.main import main

Cli = Callable[..., Any]
PAPERS = {
    *("model-card.md", "dataset-sheet.md", "split-manifest.md", "change-plan.md"),
    *("tripod-ai.md", "probast-ai.md", "stard-ai.md", "dossier.html"),
    *("split.json", "sbom.cdx.json", "locked-model.json", "dossier.json"),
}


@pytest.fixture(scope="session")
def written(result: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers") / "dossier"
    words = ["dossier", "write", str(result), "--model", str(model), "--out", str(folder)]
    assert main(words) == 0
    return folder


@pytest.fixture
def dossier(written: Path, tmp_path: Path) -> Path:
    """A copy, to be altered."""
    return Path(shutil.copytree(written, tmp_path / "dossier"))


def _altered(model: Path, to: Path) -> Path:
    """Copy a model with one number of what it learned changed."""
    with zipfile.ZipFile(model) as source, zipfile.ZipFile(to, "w") as target:
        for name in source.namelist():
            content = bytearray(source.read(name))
            if name == "arrays.npz":
                content[-100] ^= 1
            target.writestr(name, bytes(content))
    return to


def test_every_paper_is_there_and_filled_from_the_run(
    dossier: Path, result: Path, model: Path
) -> None:
    assert {file.name for file in dossier.iterdir()} == PAPERS
    run = json.loads((result / "result.json").read_text())
    value = f"{100 * run['metrics']['accuracy']['value']:.1f} %"
    for name in ("model-card.md", "tripod-ai.md", "stard-ai.md", "change-plan.md", "dossier.html"):
        text = (dossier / name).read_text().replace("<wbr>", "")
        assert value in text
        assert sha256(model.read_bytes()).hexdigest() in text
    assert run["split"]["fingerprint"] in (dossier / "split-manifest.md").read_text()
    assert (dossier / "split.json").read_bytes() == (result / "split.json").read_bytes()


def test_what_no_run_can_know_is_left_to_the_authors(dossier: Path) -> None:
    contents = json.loads((dossier / "dossier.json").read_text())
    answers = {each["number"]: each for each in contents["checklists"]["tripod-ai"]}
    for number in ("5b", "6c", "17", "18a", "18b", "19"):
        assert answers[number]["status"] == "to be answered by the authors"
        assert answers[number]["found"] == []
    assert "calibration error" in json.dumps(answers["12e"]["found"])
    assert any("Simulated" in told for told in contents["against"])
    assert any("learned from 3 people, the evaluation had 4" in t for t in contents["against"])


def test_json_is_one_object(cli: Cli, result: Path, tmp_path: Path) -> None:
    said = cli("dossier", "write", result, "--out", tmp_path / "d", "--json")
    assert said.json["locked"] is None
    assert sum(said.json["answered"]["tripod-ai"].values()) == 52
    assert any("nothing is locked" in told for told in said.json["against"])


def test_the_same_run_gives_the_same_bytes(
    cli: Cli, result: Path, model: Path, dossier: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    assert cli("dossier", "write", result, "-m", model, "--out", again).code == 0
    for name in PAPERS - {"dossier.json"}:
        assert (again / name).read_bytes() == (dossier / name).read_bytes(), name
    first, second = (json.loads((d / "dossier.json").read_text()) for d in (dossier, again))
    assert first.pop("written")
    assert second.pop("written")
    assert first == second


def test_nothing_is_overwritten_without_force(cli: Cli, result: Path, dossier: Path) -> None:
    before = (dossier / "dossier.json").read_bytes()
    said = cli("dossier", "write", result, "--out", dossier)
    assert said.code == 3
    assert "--force" in said.err
    assert (dossier / "dossier.json").read_bytes() == before
    assert cli("dossier", "write", result, "--out", dossier, "--force").code == 0
    # a folder that is not a dossier is kept even then
    said = cli("dossier", "write", result, "--out", result, "--force")
    assert said.code == 3
    assert (result / "result.json").is_file()


def test_the_locked_model_is_told_from_any_other(
    cli: Cli, dossier: Path, model: Path, tmp_path: Path
) -> None:
    said = cli("dossier", "check", dossier, "--model", model, "--json")
    assert said.code == 0
    assert said.json["model_is_locked"] is True
    changed = _altered(model, tmp_path / "hand.myomodel")
    assert sha256(changed.read_bytes()).hexdigest() != said.json["locked"]
    said = cli("dossier", "check", dossier, "--model", changed)
    assert said.code == 3
    assert "is not the model that was locked" in said.err


def test_a_changed_model_is_not_locked(cli: Cli, result: Path, model: Path, tmp_path: Path) -> None:
    changed = _altered(model, tmp_path / "changed.myomodel")
    said = cli("dossier", "write", result, "--model", changed, "--out", tmp_path / "d")
    assert said.code == 3
    assert "altered" in said.err
    assert not (tmp_path / "d").exists()


def test_a_model_of_another_pipeline_is_refused(
    cli: Cli, result: Path, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(result, other)
    run = json.loads((other / "result.json").read_text())
    run["config"]["features"] = ["mav"]
    (other / "result.json").write_text(json.dumps(run))
    said = cli("dossier", "write", other, "--model", model, "--out", tmp_path / "d")
    assert said.code == 3
    assert "another pipeline" in said.err


def test_a_split_of_another_result_is_refused(cli: Cli, result: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(result, other)
    run = json.loads((other / "result.json").read_text())
    run["split"]["fingerprint"] = "0" * 64
    (other / "result.json").write_text(json.dumps(run))
    said = cli("dossier", "write", other, "--out", tmp_path / "d")
    assert said.code == 3
    assert "is not the split of this result" in said.err


@pytest.mark.parametrize("name", ["tripod-ai.md", "sbom.cdx.json", "locked-model.json"])
def test_an_altered_paper_is_refused(cli: Cli, dossier: Path, name: str) -> None:
    with (dossier / name).open("a") as file:
        file.write(" ")
    said = cli("dossier", "check", dossier)
    assert said.code == 3
    assert f"{name} was altered" in " ".join(said.err.split())
    (dossier / name).unlink()
    assert f"lacks {name}" in " ".join(cli("dossier", "check", dossier).err.split())


def test_answers_of_the_authors(cli: Cli, result: Path, tmp_path: Path) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text('[tripod-ai]\n"18a" = "No funding."\n[model-card]\n"ethics and harm" = "N."')
    words = ("dossier", "write", result, "--answers", answers, "--out", tmp_path / "d", "--json")
    said = cli(*words)
    assert said.json["answered"]["tripod-ai"]["answered by the authors"] == 1
    assert "answered: No funding." in (tmp_path / "d" / "tripod-ai.md").read_text()
    assert "answered: N." in (tmp_path / "d" / "model-card.md").read_text()


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ('[tripod]\n"1" = "x"', 2, "paper in"),
        ('[tripod-ai]\n"99" = "x"', 2, "item of tripod-ai"),
        ('[tripod-ai]\n"1" = 3', 3, "must hold items with texts"),
        ("[tripod-ai", 3, "is not TOML"),
    ],
)
def test_answers_to_nothing_are_refused(
    cli: Cli, result: Path, tmp_path: Path, text: str, code: int, told: str
) -> None:
    answers = tmp_path / "answers.toml"
    answers.write_text(text)
    said = cli("dossier", "write", result, "--answers", answers, "--out", tmp_path / "d")
    assert (said.code, told in said.err) == (code, True)
    assert not (tmp_path / "d").exists()


def test_folders_without_anything_are_refused(cli: Cli, tmp_path: Path) -> None:
    said = cli("dossier", "write", tmp_path, "--out", tmp_path / "d")
    assert said.code == 3
    assert "holds no result.json" in said.err
    said = cli("dossier", "check", tmp_path)
    assert said.code == 3
    assert "holds no dossier.json" in said.err
    (tmp_path / "dossier.json").write_text('{"format": 1}')
    assert "not a whole dossier" in cli("dossier", "check", tmp_path).err
