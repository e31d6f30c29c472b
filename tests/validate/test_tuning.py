"""Tuning: people stay whole, the test side is never seen, and a search can be gone on with."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.dial import Dial, choice, parse_dial, real, whole
from myograph.core.errors import DataError, FormatError, ParameterError
from myograph.validate import tuning as tuning_module
from myograph.validate.fold import Fold, Groups
from myograph.validate.splits import GroupKFold, make_split
from myograph.validate.study import Budget, Study
from myograph.validate.tuning import Search, space_of, tune, with_values

pytest.importorskip("optuna")

KNN = PipelineConfig(model=ModelConfig(name="knn"))


@pytest.fixture
def table(make_index, make_table):
    return make_table(make_index(people=6), signal=0.6)


@pytest.fixture
def folds(table):
    return make_split("leave-one-subject-out").folds(table.index)[0].inner(GroupKFold(n_folds=3))


def search(trials: int = 6, **changes) -> Search:
    space = changes.pop("space", space_of(KNN))
    return Search(space, Budget(trials=trials), **changes)


def plain(study: Study) -> list:
    return [[t.number, t.values, t.score, t.told] for t in study.trials]


def test_scores_are_those_of_a_plain_loop(table, folds):
    study = tune(KNN, table, folds, search())
    assert [t.number for t in study.trials] == list(range(6))
    assert study.trials[0].values == {}
    for trial in study.trials:
        right = {}
        for fold in folds:
            pipeline = tuning_module.Pipeline(with_values(KNN, trial.values))
            proba = pipeline.fit(table.take(fold.train)).predict_proba(table.take(fold.test))
            named = np.array(pipeline.classes)[proba.argmax(axis=1)]
            for person in np.unique(table.index.subject[fold.test]):
                mine = table.index.subject[fold.test] == person
                right[person] = (named == table.index.label[fold.test])[mine].mean()
        assert trial.score == pytest.approx(np.mean(list(right.values())))
    assert study.best.score == max(t.score for t in study.trials)
    assert study.given == study.trials[0].score
    assert study.metric == "accuracy"


def test_the_outer_test_side_is_in_no_inner_fold(table):
    outer = make_split("leave-one-subject-out").folds(table.index)[2]
    spoiled = table.values.copy()
    spoiled[outer.test] = 1e6
    inner = outer.inner(GroupKFold(n_folds=3))
    one = tune(KNN, table, inner, search())
    two = tune(KNN, replace(table, values=spoiled), inner, search())
    assert plain(one) == plain(two)
    people = {name for fold in inner for name in table.index.subject[fold.test].tolist()}
    assert people == set(table.index.subject[outer.train].tolist())


def test_processes_change_nothing(table, folds):
    assert plain(tune(KNN, table, folds, search())) == plain(
        tune(KNN, table, folds, search(jobs=2))
    )
    assert plain(tune(KNN, table, folds, search())) != plain(
        tune(KNN, table, folds, search(seed=1))
    )


class Stopped(Exception):
    """The power went."""


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    table, folds, tmp_path, monkeypatch
):
    path = tmp_path / "study.json"
    whole_study = tune(KNN, table, folds, search(14))
    done = []
    honest = tuning_module._try_fold

    def stopping(task, *rest):
        if len(done) == 17:  # in the middle of a round, and of a trial
            raise Stopped
        done.append((task.trial, task.fold))
        return honest(task, *rest)

    monkeypatch.setattr(tuning_module, "_try_fold", stopping)
    with pytest.raises(Stopped):
        tune(KNN, table, folds, search(14), path=path)
    kept = Study.load(path)
    assert len(kept.trials) == 5
    done.clear()
    monkeypatch.setattr(
        tuning_module, "_try_fold", lambda task, *rest: done.append(task) or honest(task, *rest)
    )
    resumed = tune(KNN, table, folds, search(14), path=path)
    assert len(done) == 9 * len(folds)
    assert plain(resumed) == plain(whole_study)
    assert plain(Study.load(path)) == plain(whole_study)
    assert resumed.spent_s > kept.spent_s


def test_a_larger_budget_goes_on(table, folds, tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    tune(KNN, table, folds, search(5), path=path)
    more = tune(KNN, table, folds, search(9), path=path)
    assert plain(more) == plain(tune(KNN, table, folds, search(9)))


def test_a_budget_in_minutes_ends(table, folds, monkeypatch):
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(tuning_module, "_now", lambda: float(next(clock)))
    told = []
    study = tune(KNN, table, folds, Search(space_of(KNN), Budget(minutes=4)), told=told.append)
    assert 1 < len(study.trials) < 60
    assert study.spent_s <= 300
    assert [len(each.trials) for each in told] == list(range(1, len(study.trials) + 1, 4))


def test_another_search_is_not_gone_on_with(table, folds, tmp_path):
    path = tmp_path / "study.json"
    tune(KNN, table, folds, search(2), path=path)
    before = path.read_bytes()
    with pytest.raises(DataError, match="holds a search of other data, settings"):
        tune(KNN, table, folds, search(2, seed=1), path=path)
    with pytest.raises(DataError, match="holds a search of other data, settings"):
        tune(KNN, replace(table, values=table.values + 1), folds, search(2), path=path)
    assert path.read_bytes() == before


def test_a_study_that_was_changed_or_damaged_is_refused(table, folds, tmp_path):
    path = tmp_path / "study.json"
    study = tune(KNN, table, folds, search(6), path=path)
    assert Study.from_dict(json.loads(path.read_text())).to_dict() == study.to_dict()
    changed = study.to_dict()
    changed["trials"][2]["values"]["model.params.n_neighbours"] = 61
    path.write_text(json.dumps(changed))
    with pytest.raises(FormatError, match=r"Trial 2 .* is not the one that this search proposes"):
        tune(KNN, table, folds, search(6), path=path)
    for content in ("{", "{}", '{"format": 9}'):
        path.write_text(content)
        with pytest.raises(FormatError, match="study"):
            tune(KNN, table, folds, search(6), path=path)


def test_a_setting_that_cannot_be_fitted_is_an_outcome(table, folds):
    space = (choice("model.params.n_neighbours", 3, 0),)
    study = tune(KNN, table, folds, Search(space, Budget(trials=8)))
    failed = [trial for trial in study.trials if trial.score is None]
    assert 0 < len(failed) < 8
    assert all(trial.told for trial in failed)
    assert study.best.score is not None
    bad = KNN.model_copy(update={"model": ModelConfig(name="knn", params={"n_neighbours": 0})})
    scalings = Search((choice("scaling", "none", "standard"),), Budget(trials=3))
    with pytest.raises(DataError, match=r"None of 3 settings could be fitted.*The first:"):
        tune(bad, table, folds, scalings)


def test_inner_folds_with_one_class(make_index, make_table):
    index = make_index(people=3, labels=("fist", "open"))
    keep = (index.subject != "p00") & (index.label == "fist") | (index.subject == "p00")
    table = make_table(index).take(keep)
    folds = Fold("all", np.arange(len(table) - 1), [len(table) - 1], Groups.of(
        [*table.index.subject[:-1], "nobody"])).inner(GroupKFold(n_folds=3))  # fmt: skip
    study = tune(KNN, table, folds, search(2))
    assert any("1 of 3 inner folds were left out" in note for note in study.notes)
    alone = table.take(table.index.label == "fist")
    folds = make_split("leave-one-subject-out").folds(alone.index)
    with pytest.raises(DataError, match=r"None of 3 inner folds can be fitted.*one class only"):
        tune(KNN, alone, folds, search(2))


def test_classes_that_only_the_test_side_shows_are_said(make_index, make_table):
    index = make_index(people=3)
    table = make_table(index)
    table = table.take((table.index.subject == "p00") | (table.index.label != "rest"))
    study = tune(KNN, table, make_split("leave-one-subject-out").folds(table.index), search(2))
    assert any("does not show" in note and "rest" in note for note in study.notes)


def test_several_models_bring_their_own_spaces(table, folds):
    names, scaling = choice("model.name", "knn", "lda"), choice("scaling", "none", "standard")
    space = space_of(KNN, (names, scaling))
    assert {dial.when for dial in space} == {"", "knn", "lda"}
    study = tune(KNN, table, folds, Search(space, Budget(trials=12)))
    for trial in study.trials[1:]:
        other = {"knn": "shrinkage", "lda": "n_neighbours"}[trial.values["model.name"]]
        assert not any(other in name for name in trial.values)
        assert trial.score is not None
    best = with_values(KNN, study.best.values)
    assert best.model.name == study.best.values.get("model.name", "knn")


def test_features_may_be_a_choice(table, folds):
    few = replace(table, values=table.values[:, :4], names=table.names[:4], units=table.units[:4])
    both = {
        tuning_module.features_key(KNN): table,
        tuning_module.features_key(with_values(KNN, {"features": "mav+wl"})): few,
    }
    study = tune(
        KNN, both, folds, Search((choice("features", "hudgins", "mav+wl"),), Budget(trials=6))
    )
    scores = {t.values.get("features", "hudgins"): t.score for t in study.trials}
    assert len(set(scores.values())) == 2


def test_a_number_to_estimate(make_index, make_table):
    index = make_index(people=4)
    index = replace(index, label=np.random.default_rng(0).standard_normal(len(index)))
    table = make_table(index)
    ridge = PipelineConfig(model=ModelConfig(name="ridge"))
    folds = make_split("leave-one-subject-out").folds(index)
    study = tune(ridge, table, folds, Search(space_of(ridge), Budget(trials=4)))
    assert study.metric == "r2"
    assert study.best.score > 0.5


@pytest.mark.parametrize(
    ("dial", "match"),
    [
        (real("model.params.cots", 0.1, 1.0), "parameter of model 'knn' must be one of"),
        (real("windowing.length_ms", 100, 300), "cannot be searched.*the same windows"),
        (whole("selection.keep", 1, 3), "the pipeline has no selection"),
        (choice("scaling", "weird", "none"), "scaling"),
        (choice("model.name", "lda", "nobody"), "model must be one of"),
    ],
)
def test_a_space_that_does_not_fit_is_refused_before_any_work(
    dial, match, table, folds, monkeypatch
):
    monkeypatch.setattr(tuning_module, "_try_fold", None)
    with pytest.raises(ParameterError, match=match):
        tune(KNN, table, folds, Search(space_of(KNN, (dial,)), Budget(trials=3)))


def test_nothing_to_search():
    majority = PipelineConfig(model=ModelConfig(name="majority"))
    with pytest.raises(ParameterError, match="There is nothing to search"):
        Search(space_of(majority), Budget(trials=3))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "A search needs an end"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"minutes": float("nan")}, "minutes must be above 0"),
        ({"trials": 0}, "trials must be at least 1"),
    ],
)
def test_budgets(given, match):
    with pytest.raises(ParameterError, match=match):
        Budget(**given)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("cost", "is not something to search"),
        ("cost=", "is not something to search"),
        ("cost=1..x", "must be two numbers"),
        ("cost=3..1", "from a lower to a higher"),
        ("cost=0..1:log", "must begin above 0"),
        ("cost=7", "two different values or more"),
    ],
)
def test_dials_that_cannot_be_read(text, match):
    with pytest.raises(ParameterError, match=match):
        parse_dial(text)


def test_dials_read_as_they_are_written():
    for text in ("a=1..20", "a=0.5..2:log", "a=x,y", "a=true,false", "b.c=1,2.5,z"):
        dial = parse_dial(text)
        assert str(dial) == text
        assert Dial.from_dict(json.loads(json.dumps(dial.to_dict()))) == dial
        assert dial.first in dial
    assert 3 in whole("k", 1, 5)
    assert 3.5 not in whole("k", 1, 5)
    assert 9.0 not in real("k", 1, 5)
