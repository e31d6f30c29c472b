"""Tune and evaluate --tune, from recordings to what is written; features kept between runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from myograph.cli.main import main
from myograph.config.load import load_config
from myograph.config.schema import EvaluationConfig
from myograph.core.errors import OutputExistsError, ParameterError
from myograph.validate.study import Study
from myograph.workflows.evaluate import evaluate
from myograph.workflows.keeping import clear_tables, show_tables
from myograph.workflows.tune import tune

pytest.importorskip("optuna")

PLAIN = {"jobs": 1, "model": "knn", "search": ("scaling=none,standard",)}
QUICK = ("baselines=false", "probes=false", "bootstrap=100")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("MYOGRAPH_CACHE", str(folder))
    return folder


@pytest.fixture
def cohort(make_recording):
    return [make_recording(subject=f"p{k}", duration_s=3.0) for k in range(4)]


def test_the_best_settings_are_written_and_read_back(cohort, tmp_path):
    found = tune(cohort, trials=5, out=tmp_path / "tuned", **PLAIN)
    assert len(found.study.trials) == 5
    saved = Study.load(tmp_path / "tuned" / "study.json")
    assert saved.to_dict() == found.study.to_dict()
    again = load_config(tmp_path / "tuned" / "config.toml", [], schema=EvaluationConfig)
    assert again.pipeline == found.settings.pipeline
    assert again.tuning is None
    assert json.loads(json.dumps(found.to_dict()))["best"]["score"] == found.study.best.score
    before = (tmp_path / "tuned" / "study.json").read_bytes()
    with pytest.raises(OutputExistsError, match="already exists"):
        tune(cohort, trials=5, out=tmp_path / "tuned", **PLAIN)
    assert (tmp_path / "tuned" / "study.json").read_bytes() == before


def test_each_fold_is_tuned_on_its_own_training_side(cohort, tmp_path):
    result = evaluate(cohort, tune=["trials=5"], overrides=QUICK, **PLAIN)
    folds = result.tuning["folds"]
    assert list(folds) == ["p0", "p1", "p2", "p3"]
    assert all(len(fold["trials"]) == 5 for fold in folds.values())
    assert any("searched anew inside every fold" in note for note in result.notes)
    spoiled = [r.with_samples(50 * r.samples, step="x", parameters={}) for r in cohort[:1]]
    other = evaluate([*spoiled, *cohort[1:]], tune=["trials=5"], overrides=QUICK, **PLAIN)
    assert [t["score"] for t in other.tuning["folds"]["p0"]["trials"]] == [
        t["score"] for t in folds["p0"]["trials"]
    ]
    assert other.tuning["folds"]["p1"] != folds["p1"]
    saved = json.loads(json.dumps(result.to_dict()))
    assert type(result).from_dict(saved).tuning == result.tuning


def test_a_tuned_evaluation_goes_on_where_it_stopped(cohort, tmp_path):
    asked = {"tune": ["trials=3"], "overrides": QUICK, **PLAIN}
    whole = evaluate(cohort, **asked)
    evaluate(cohort, checkpoint=tmp_path / "kept", **asked)
    assert len(list((tmp_path / "kept").glob("study-*.json"))) == 4
    again = evaluate(cohort, checkpoint=tmp_path / "kept", **asked)
    assert again.run.folds_resumed == 4
    assert again.to_dict() == whole.to_dict()
    np.testing.assert_array_equal(again.predictions.output, whole.predictions.output)


def test_a_second_run_measures_nothing(cohort, monkeypatch):
    asked = {"model": "lda", "overrides": QUICK, "jobs": 1}
    first = evaluate(cohort, **asked)
    assert show_tables().tables == 4
    monkeypatch.setattr("myograph.pipeline.front.Front.measure", None)
    assert evaluate(cohort, **asked).to_dict() == first.to_dict()
    assert clear_tables() == 4
    assert show_tables().bytes == 0


def test_nothing_is_kept_where_nobody_wants_it(cohort, monkeypatch):
    evaluate(cohort, model="lda", overrides=QUICK, jobs=1, cache=False)
    assert show_tables().tables == 0
    monkeypatch.setenv("MYOGRAPH_CACHE_GB", "0")
    evaluate(cohort, model="lda", overrides=QUICK, jobs=1)
    assert show_tables().tables == 0
    monkeypatch.setenv("MYOGRAPH_CACHE_GB", "much")
    with pytest.raises(ParameterError, match="MYOGRAPH_CACHE_GB must be a number"):
        show_tables()


def test_a_damaged_table_is_said(cohort, own_cache: Path):
    asked = {"model": "lda", "overrides": QUICK, "jobs": 1}
    first = evaluate(cohort, **asked)
    next(iter(own_cache.rglob("*.npz"))).write_bytes(b"no")
    with pytest.warns(UserWarning, match="is damaged.*measured again"):
        second = evaluate(cohort, **asked)
    assert second.to_dict() == first.to_dict()


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"search": ["scaling=none,standard"]}, "--search says what to search"),
        ({"tune": ["5"]}, "--tune takes minutes=NUMBER or trials=NUMBER"),
        ({"tune": ["hours=1"]}, "hours"),
        ({"tune": ["inner_folds=3"]}, "A search needs an end"),
        ({"tune": ["trials=2"], "search": ["windowing.length_ms=100..200"]}, "cannot be searched"),
    ],
)
def test_what_cannot_be_tuned_is_refused(asked, match, cohort):
    with pytest.raises(ParameterError, match=match):
        evaluate(cohort, model="knn", overrides=QUICK, jobs=1, **asked)


def test_on_the_command_line(capsys, tmp_path):
    people = ["--people", "sim-01,sim-02,sim-03", "--jobs", "1"]
    asked = ["tune", "--data", "simulated", "--model", "lda", "--trials", "3", *people]
    assert main([*asked, "--out", str(tmp_path / "t"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["trials"] == 3
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "settings tried on 3 folds" in said
    assert "chosen for being the best" in said
    assert main(["cache", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"] > 0
    assert main(["cache", "show"]) == 0
    assert "of at most 5 GB" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert "tables dropped" in capsys.readouterr().out
