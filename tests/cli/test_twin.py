"""``myograph twin`` as people type it."""

from __future__ import annotations

import json

import pytest

from myograph.cli.main import main

TABLE = "months,cmap_mv,munix\n0,9.0,120\n4,8.2,101\n8,7.1,\n12,6.0,60\n"


@pytest.fixture
def twin(tmp_path, capsys):
    table, out = tmp_path / "visits.csv", tmp_path / "a.twin.json"
    table.write_text(TABLE)
    assert main(["twin", "fit", str(table), "--out", str(out), "--particles", "150"]) == 0
    told = capsys.readouterr().out
    assert "unit loss" in told
    assert "limit: A research model" in told
    assert str(out) in told
    return out


def test_fit_show_and_what_if(twin, tmp_path, capsys):
    assert main(["twin", "show", str(twin), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["values"] == 7
    page = tmp_path / "what.html"
    asked = ["twin", "what-if", str(twin), "--treatment", "riluzole", "--months", "6"]
    assert main([*asked, "--report", str(page)]) == 0
    told = capsys.readouterr().out
    assert "riluzole" in told
    assert "limit: What a treatment does" in told
    assert page.read_text().count("<svg") == 4
    assert main([*asked, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["months"]) == 7
    assert main(["twin", "show", str(twin), "--report", str(tmp_path / "show.html")]) == 0
    assert "narrowed by" in capsys.readouterr().out


def test_errors_are_sentences_with_exit_codes(twin, tmp_path, capsys):
    assert main(["twin", "show", str(tmp_path / "none.json")]) == 3
    assert "cannot be read" in capsys.readouterr().err
    assert main(["twin", "what-if", str(twin), "--treatment", "aspirin"]) == 2
    assert "treatment must be one of" in capsys.readouterr().err
    assert main(["twin", "what-if", str(twin), "--months", "-1"]) == 2
    assert "months must be above 0" in capsys.readouterr().err
    table = tmp_path / "visits.csv"
    again = ["twin", "fit", str(table), "--out", str(twin)]
    assert main(again) == 3
    assert "already exists" in capsys.readouterr().err
    assert main([*again, "--force", "--known", "units"]) == 2
    assert "NAME=MEDIAN" in capsys.readouterr().err
