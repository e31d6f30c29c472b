"""Comparing evaluations and refusing answers, as a person does it: on the command line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from myograph.cli.main import main

Cli = Callable[..., Any]
QUICK = ("--set", "probes=false", "--set", "baselines=false", "-j", "1")


@pytest.fixture(scope="module")
def other(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An evaluation of the same people by another model, that refuses class by class."""
    path = tmp_path_factory.mktemp("evaluation") / "naive"
    words = ["evaluate", "--data", str(folder), "--model", "naive-bayes", "--out", str(path)]
    words += ["--set", "pipeline.reject_below.rest=0.5", "--set", "pipeline.reject_below.*=0.99"]
    assert main([*words, *QUICK]) == 0
    return path


def test_two_evaluations_side_by_side(cli: Cli, result: Path, other: Path, tmp_path: Path) -> None:
    said = cli("compare", result, other, "--reference", "result", "--out", tmp_path / "both")
    assert said.code == 0, said.err
    assert "naive − result" in said.out
    assert "Simulated data: engineering verification" in said.out
    assert "better for" in said.out
    assert "No difference can be shown with 4 people" in said.out
    page = (tmp_path / "both" / "report.html").read_text(encoding="utf-8")
    assert "Person by person" in page
    kept = json.loads((tmp_path / "both" / "comparison.json").read_text(encoding="utf-8"))
    found = cli("compare", result, other, "--reference", other, "--json").json
    assert kept["people"] == found["people"] == [f"sim-{k:02d}" for k in range(1, 5)]
    (one,), (two,) = kept["comparisons"], found["comparisons"]
    assert one["p"] == two["p"]
    assert one["difference"]["value"] == pytest.approx(-two["difference"]["value"])
    again = cli("compare", result, other, "--out", tmp_path / "both")
    assert again.code == 3
    assert "already exists" in again.err
    assert cli("compare", result, other, "--out", tmp_path / "both", "--force").code == 0


def test_what_cannot_be_compared(cli: Cli, result: Path, other: Path, tmp_path: Path) -> None:
    twice = cli("compare", result, result / "result.json")
    assert (twice.code, "given twice" in twice.err) == (2, True)
    assert "holds no result.json" in cli("compare", result, tmp_path).err
    assert "at least 2 models" in cli("compare", result).err
    unknown = cli("compare", result, other, "--reference", "nobody")
    assert (unknown.code, "got 'nobody'" in unknown.err) == (2, True)
    assert "got 'r2'" in cli("compare", result, other, "--metric", "r2").err
    copy = tmp_path / "fewer"
    shutil.copytree(other, copy)
    kept = json.loads((copy / "result.json").read_text(encoding="utf-8"))
    for scores in kept["per_person"].values():
        del scores["sim-02"]
    (copy / "result.json").write_text(json.dumps(kept), encoding="utf-8")
    apart = cli("compare", result, copy)
    assert apart.code == 3
    assert "share 3 people (sim-01, sim-03, sim-04); only 'result' tested 1 person" in apart.err
    assert "3 people" in cli("compare", result, copy, "--shared").out


def test_refusals_are_told_everywhere(cli: Cli, other: Path, folder: Path, tmp_path: Path) -> None:
    kept = json.loads((other / "result.json").read_text(encoding="utf-8"))
    windows = kept["refusals"]["parts"][0]
    assert kept["refusals"]["asked"] == {"below": {"rest": 0.5, "*": 0.99}}
    assert 0 < windows["outcome"]["refused"] < 1
    page = (other / "report.html").read_text(encoding="utf-8")
    assert "less sure than 0.5 (rest), 0.99 (every other class)" in page
    papers = tmp_path / "dossier"
    assert cli("dossier", "write", other, "--out", papers).code == 0
    card = (papers / "model-card.md").read_text(encoding="utf-8")
    assert "when it does not answer" in card
    # The settings of the run make the same model: it refuses as the report says.
    model = tmp_path / "m.myomodel"
    words = ("--data", folder, "--config", other / "config.toml", "--out", model, "-j", "1")
    trained = cli("train", *words, "--validation", other)
    assert trained.code == 0, trained.err
    said = cli("predict", model, folder, "--people", "sim-01")
    assert "windows were refused" in said.out
    learned = cli(
        "train", "--data", folder, "--set", "pipeline.reject.coverage=0.7", "--force", "-j", "1",
        "--out", model,
    )  # fmt: skip
    assert "Least confidence to answer about windows: " in learned.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "pipeline.reject_below.fits=0.5"), "A class of reject_below must be one of"),
        (("--set", "pipeline.reject.accuracy=0.9", "--set", "pipeline.reject_below=0.5"), "give o"),
        (("--people", "sim-1"), "Did you mean 'sim-01'"),
        (("--model", "cnn1d", "--set", "pipeline.model.params.device=cuda"), "no CUDA device"),
    ],
)
def test_refused_before_any_work(
    cli: Cli, folder: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    out = tmp_path / "r"
    said = cli("evaluate", "--data", folder, *words, *QUICK, "--out", out)
    assert said.code == 2, said.err
    assert told in said.err
    assert not out.exists()
