"""`myograph features` at the terminal: a summary, a table, and its refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from myograph import write
from myograph.cli.main import main


@pytest.fixture
def file(make_recording, tmp_path: Path) -> Path:
    path = tmp_path / "forearm.edf"
    write(make_recording(n_channels=2), path)
    return path


def test_a_summary_is_shown(file, capsys):
    assert main(["features", str(file), "--features", "td-spectral"]) == 0
    said = capsys.readouterr().out
    assert "39 windows of 200 ms: median of each feature" in said
    assert "mav [uV]" in said  # and not taken for markup
    assert "and 1 more feature (--out writes all)" in said


@pytest.mark.parametrize("name", ["t.csv", "t.json"])
def test_a_table_is_written(file, tmp_path: Path, capsys, name):
    target = tmp_path / name
    words = ["features", str(file), "--windows", "250/50", "--out", str(target)]
    assert main(words) == 0
    assert f"table: {target} (76 rows, 8 features)" in capsys.readouterr().out.replace("\n", "")
    assert target.stat().st_size > 1000
    assert main(words) == 3
    assert "already exists" in capsys.readouterr().err
    assert main([*words, "--force"]) == 0


def test_json_is_one_object(file, capsys):
    assert main(["features", str(file), "--features", "mav", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [f["name"] for f in content["features"]] == ["emg1.mav", "emg2.mav"]
    assert len(content["values"]) == len(content["windows"]["start_s"]) == 39


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--features", "mvv"], 2, "Did you mean 'mav'"),
        (["--windows", "200"], 2, "LENGTH/STEP"),
        (["--windows", "9000/100"], 3, "gives no window"),
        (["--windows", "-5/100"], 2, "length_ms"),
        (["--out", "t.xls"], 2, ".parquet"),
        (["--out", "nowhere/t.csv"], 3, "is not a folder"),
        (["--set", "pipeline.stepps=[]"], 2, "steps"),
        (["--people", "p99"], 2, "p99"),
    ],
)
def test_refusals(file, capsys, monkeypatch, words, code, told):
    monkeypatch.chdir(file.parent)
    assert main(["features", str(file), *words]) == code
    assert told in capsys.readouterr().err
    assert sorted(p.name for p in file.parent.iterdir()) == ["forearm.edf"]
