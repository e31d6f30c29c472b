"""Selection under validation: fitted in each fold, told in the result, and its leaks found."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from myograph.config.schema import PipelineConfig, SelectionConfig
from myograph.features.select import SELECTIONS, Anova, apply_selection
from myograph.models.linear import LDA
from myograph.validate import leakage
from myograph.validate.result import ValidationResult
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split

LOSO = make_split("leave-one-subject-out")
PLAIN = RunOptions(baselines=False, bootstrap=100)


def config(**selection):
    return PipelineConfig(selection=SelectionConfig(**selection))


@pytest.fixture
def table(make_index, make_table):
    return make_table(make_index(people=5))


def test_the_result_tells_what_was_taken(table):
    result = evaluate(config(name="anova", keep=3), table, LOSO, options=PLAIN)
    told = result.selection
    assert (told["name"], told["of"]) == ("anova", 8)
    assert told["taken"] == {"mean": 3.0, "least": 3, "most": 3}
    assert list(told["folds"]) == [f"p{k:02d}" for k in range(5)]
    for person, names in told["folds"].items():
        rows = table.index.subject != person
        expected = Anova(keep=3).fit(table.values[rows], table.index.label[rows]).support_
        assert names == [n for n, kept in zip(table.names, expected, strict=True) if kept]
    shares = told["columns"]
    for name in table.names:
        count = sum(name in names for names in told["folds"].values())
        assert shares.get(name, 0) == pytest.approx(count / 5)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert -1 <= told["stability"] <= 1


def test_the_result_travels_as_json(table):
    result = evaluate(config(name="stability", base="anova", n_draws=9), table, LOSO, options=PLAIN)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert ValidationResult.from_dict(data).selection == result.selection
    assert result.selection["figures"]["columns by chance, at most"] > 0
    del data["selection"]  # a result written before there were selections
    assert ValidationResult.from_dict(data).selection == {}


def test_components_have_no_columns_to_agree_on(table):
    told = evaluate(config(name="pca", keep=2), table, LOSO, options=PLAIN).selection
    assert "columns" not in told
    assert "stability" not in told
    assert set(map(tuple, told["folds"].values())) == {("pca1", "pca2")}
    assert 0 < told["figures"]["share of the variance held"] <= 1


def test_without_a_selection_nothing_is_told(table):
    assert evaluate(PipelineConfig(), table, LOSO, options=PLAIN).selection == {}


def test_resumed_and_parallel_runs_tell_the_same(table, tmp_path):
    chosen = config(name="mrmr", keep=4)
    first = evaluate(chosen, table, LOSO, options=replace(PLAIN, checkpoint=tmp_path))
    resumed = evaluate(chosen, table, LOSO, options=replace(PLAIN, checkpoint=tmp_path))
    parallel = evaluate(chosen, table, LOSO, options=replace(PLAIN, jobs=2))
    assert resumed.run.folds_resumed == 5
    assert first.to_dict() == resumed.to_dict() == parallel.to_dict()


def test_the_ladder_shows_what_the_selection_is_worth(table):
    result = evaluate(config(name="anova", keep=2), table, LOSO, options=RunOptions(bootstrap=100))
    plain = evaluate(PipelineConfig(), table, LOSO, options=PLAIN)
    assert result.ladder["all-columns"].value == plain.metrics["accuracy"].value
    without = evaluate(PipelineConfig(), table, LOSO, options=RunOptions(bootstrap=100))
    assert "all-columns" not in without.ladder
    for name in ("majority", "lda-td", "random-forest"):  # baselines select nothing
        assert result.ladder[name] == without.ladder[name]


@pytest.mark.parametrize("name", list(SELECTIONS))
def test_an_honest_selection_passes_every_audit(make_index, as_table, name):
    index = make_index(people=4)
    random = np.random.default_rng(2)
    codes = np.unique(index.label, return_inverse=True)[1]
    values = np.exp(random.standard_normal((len(index), 8)) + np.eye(3, 8)[codes])
    chosen = config(name="nmf", keep=2) if name == "nmf" else config(name=name)
    result = evaluate(chosen, as_table(values, index), LOSO, options=PLAIN)
    assert result.passed, [audit.text for audit in result.audits if not audit.passed]


def spoiled_fit(select_on):
    """Fit on the training side what was selected on the rows that ``select_on`` names."""

    def fit(table, fold):
        seen = table.take(select_on(table, fold))
        kept = Anova(keep=2).fit(seen.values, seen.index.label)
        train = table.take(fold.train)
        model = LDA().fit(kept.transform(train.values), train.index.label)
        return lambda probes: model.predict_proba(kept.transform(probes.values))

    return fit


def test_the_audit_finds_a_selection_that_saw_the_test_side(table):
    folds = LOSO.folds(table.index)
    inside = spoiled_fit(lambda _, fold: fold.train)
    everywhere = spoiled_fit(lambda table, _: np.arange(len(table)))
    assert leakage.audit_fitting(inside, table, folds, seed=0).passed
    found = leakage.audit_fitting(everywhere, table, folds, seed=0)
    assert not found.passed
    assert "selected with test data" in found.text


def test_the_audit_finds_a_selection_that_remembers_other_folds(table, monkeypatch):
    fits = []

    class Remembering(Anova):
        """Goes by what it chose before, as a cache that outlives its fold would make it."""

        def _pick(self, sample):
            fits.append(sample)
            return np.array([len(fits) % sample.X.shape[1]]), np.ones(sample.X.shape[1])

    monkeypatch.setitem(SELECTIONS._entries, "anova", Remembering)
    result = evaluate(config(name="anova", keep=1), table, LOSO, options=PLAIN)
    assert not result.passed
    assert not {audit.name: audit for audit in result.audits}["fitting"].passed


def test_a_table_selected_before_the_split_fails_its_audit(table):
    kept = Anova(keep=3).fit(table.values, table.index.label)
    result = evaluate(PipelineConfig(), apply_selection(kept, table), LOSO, options=PLAIN)
    audits = {audit.name: audit for audit in result.audits}
    assert not result.passed
    assert "selected or combined before the split" in audits["normalisation"].text
