"""From a file to a checked decision, through the command line alone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import myograph
from myograph.workflows.evaluate import evaluate

Cli = Callable[..., "object"]


def test_a_newcomers_journey(cli, folder: Path, tmp_path: Path) -> None:
    first = folder / "r00.myo"
    said = cli("info", first)
    assert said.code == 0
    assert "4 semg in uV" in said.out
    assert "500 Hz" in said.out
    assert "sim-01" in said.out
    # The list of events wraps at the terminal's width, in an order of the simulated person's.
    assert "hand close × 1" in " ".join(said.out.split())

    edf = tmp_path / "first.edf"
    assert cli("convert", first, edf).code == 0
    assert cli("info", edf, "--json").json["files"][0]["format"].startswith("EDF")

    result = tmp_path / "result"
    said = cli("evaluate", "--data", folder, "--out", result, "-j", 1)
    assert said.code == 0, said.err
    assert "4 people" in said.out
    assert "passed  people" in said.out
    assert f"report: {result / 'report.html'}" in said.out

    model = tmp_path / "hand.myomodel"
    said = cli(
        "train", "--data", folder, "--leave-out", "sim-04", "--out", model, "-j", 1,
        "--validation", result,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "of 3 people" in said.out
    assert "sim-04" in said.out

    said = cli("predict", model, folder / "r11.myo", "--out", tmp_path / "decisions.csv")
    assert said.code == 0, said.err
    assert "labelled windows were called right" in said.out
    rows = (tmp_path / "decisions.csv").read_text().splitlines()
    assert rows[0].startswith("person,session,time_s,label,rejected,truth,p(hand close)")

    page = tmp_path / "page.html"
    assert cli("report", result, "--out", page).code == 0
    assert _without_time(page.read_text()) == _without_time((result / "report.html").read_text())


def test_every_verb_speaks_json(cli, folder: Path, model: Path, tmp_path: Path) -> None:
    result, out = tmp_path / "result", tmp_path / "m.myomodel"
    commands = {
        ("info", folder): {"files", "duplicates"},
        ("quality", folder / "r00.myo"): {"file", "recordings"},
        ("convert", folder / "r00.myo", tmp_path / "x.npz"): {"source", "target", "lost"},
        ("datasets", "list"): {"datasets"},
        ("evaluate", "--data", folder, "--out", result, "-j", 1): {
            *("data", "split", "people", "metrics", "ladder", "seconds", "audits", "dropped"),
        },
        ("train", "--data", folder, "--out", out, "-j", 1): {"path", "classes", "people"},
        ("predict", model, folder / "r11.myo"): {"model", "recordings"},
        ("report", result, "--out", tmp_path / "page.html"): {"report"},
    }
    for words, keys in commands.items():
        said = cli(*words, "--json")
        assert said.code == 0, said.err
        assert keys <= set(said.json), words
        assert said.err == ""


def test_every_figure_says_what_it_is_evidence_of(cli, folder: Path) -> None:
    found = cli("evaluate", "--data", folder, "-j", 1, "--json").json
    assert found["people"] == ["sim-01", "sim-02", "sim-03", "sim-04"]
    for estimate in [*found["metrics"].values(), *found["ladder"].values()]:
        assert set(estimate) == {"value", "low", "high", "evidence", "n"}
        assert estimate["evidence"] == "person"
        assert estimate["n"] == 4


def test_python_and_the_command_line_agree(cli, folder: Path) -> None:
    said = cli("evaluate", "--data", folder, "--model", "lda", "-j", 1, "--json").json
    result = myograph.evaluate(folder, model="lda", jobs=1)
    assert said["metrics"]["accuracy"] == result.metrics["accuracy"].to_dict()


def test_same_seed_same_bytes(result: Path, folder: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    evaluate(folder, seed=0, jobs=1, out=again)
    kept = sorted(path.name for path in result.iterdir())
    assert kept == sorted(path.name for path in again.iterdir())
    for name in kept:
        first, second = ((run / name).read_bytes() for run in (result, again))
        if name == "report.html":
            assert _without_time(first.decode()) == _without_time(second.decode())
        elif name != "run.json":  # the one file of times
            assert first == second, name


def test_another_seed_is_another_result(result: Path, folder: Path) -> None:
    other = evaluate(folder, model="random-forest", seed=1, jobs=1)
    same = evaluate(folder, model="random-forest", seed=0, jobs=1)
    assert other.metrics["accuracy"] != same.metrics["accuracy"]


def test_the_report_stands_alone(result: Path) -> None:
    page = (result / "report.html").read_text()
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert not re.search(r"url\((?!#)", page)
    assert "<script" not in page
    assert page.count('role="img"') == 5
    assert "myograph evaluate --data" in page


@pytest.mark.parametrize(
    "verb", ["", *["info", "quality", "convert", "train", "evaluate", "predict", "demo"]]
)
def test_help_has_examples(cli, verb: str) -> None:
    said = cli(*filter(None, [verb]), "--help")
    assert said.code == 0
    assert not verb or f"myograph {verb}" in said.out


def test_starting_up_loads_nothing_heavy() -> None:
    program = (
        "import sys; from myograph.cli.main import main; main(['--help']); "
        "heavy = {'sklearn', 'pandas', 'matplotlib', 'scipy', 'numba', 'torch', 'mne', 'pydantic'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    words = [sys.executable, "-c", program]
    here = {**os.environ, "PYTHONPATH": str(Path(myograph.__file__).parents[1])}
    done = subprocess.run(words, check=False, capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr


def _without_time(page: str) -> str:
    told, count = re.subn(r'<p id="written">.*?</p>', "", page)
    assert count == 1
    return told
