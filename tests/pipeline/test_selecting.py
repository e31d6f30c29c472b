"""Selection inside a pipeline: learned in `fit`, kept in the file, the same live and offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from myograph.config.load import load_config, parse_config
from myograph.config.schema import EvaluationConfig, PipelineConfig
from myograph.config.toml import to_toml
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.features.select import SELECTIONS
from myograph.pipeline.artifact import load_model, read_manifest, save_model
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.scaling import Scaler
from myograph.pipeline.selecting import restore_selection

# What each is asked for on the 12 columns of the cohort, so that something is left out.
DEFINITIONS = {
    "stability": {"name": "stability", "base": "anova", "keep": 6, "n_draws": 10},
    "cost-aware": {"name": "cost-aware", "tolerance": 0.05},
    "lda": {"name": "lda"},
    "pca": {"name": "pca", "keep": 3},
}


def definition(name):
    return DEFINITIONS.get(name, {"name": name, "keep": 4})


@pytest.mark.parametrize("name", list(SELECTIONS))
def test_the_model_is_given_what_was_selected(trained, table, name):
    pipeline = trained(selection=definition(name))
    selection = pipeline.fitted.selection
    assert selection.n_out < len(table.names)
    assert pipeline.model.n_features_in_ == selection.n_out == len(pipeline.fitted.names_taken)
    expected = pipeline.model.predict_proba(selection.transform(table.values))
    np.testing.assert_array_equal(pipeline.predict_proba(table), expected)


@pytest.mark.parametrize("name", list(SELECTIONS))
def test_a_file_gives_the_selection_back(trained, cohort, tmp_path: Path, name):
    pipeline = trained(selection=definition(name))
    path = save_model(pipeline, tmp_path / "one.myomodel", card="# One\n")
    again = load_model(path)
    assert again.fitted.names_taken == pipeline.fitted.names_taken
    assert read_manifest(path)["taken"] == list(pipeline.fitted.names_taken)
    for one, other in zip(pipeline.predict(cohort[0]), again.predict(cohort[0]), strict=True):
        assert one.label == other.label
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


@pytest.mark.parametrize("name", ["mrmr", "pca"])
def test_pushed_equals_offline(trained, cohort, name):
    pipeline = trained(selection=definition(name), scaling="standard")
    recording = cohort[1]
    state = pipeline.start(recording.layout)
    pushed = [d for part in np.array_split(recording.samples, 31, axis=1) for d in state.push(part)]
    whole = pipeline.predict(recording)
    assert [d.label for d in pushed] == [d.label for d in whole]
    np.testing.assert_allclose(
        [d.probabilities for d in pushed], [d.probabilities for d in whole], atol=1e-9
    )


def test_names_follow_the_columns(trained, table):
    taken = trained(selection={"name": "anova", "keep": 3}).fitted.names_taken
    assert set(taken) < set(table.names)
    assert trained(selection={"name": "pca", "keep": 2}).fitted.names_taken == ("pca1", "pca2")
    assert trained().fitted.names_taken == table.names


def test_selection_sees_scaled_features(table, plain):
    # Columns that differ between people only say nothing once each person is scaled.
    values = table.values.copy()
    values[:, 0] = np.unique(table.index.subject, return_inverse=True)[1] * 100.0
    shifted = type(table)(values, table.names, table.units, table.index, table.layout)
    config = {**plain, "scaling": "person", "selection": {"name": "anova", "keep": 11}}
    assert table.names[0] not in Pipeline(config).fit(shifted).fitted.names_taken


def test_cost_aware_knows_the_windows(trained):
    facts = trained(selection={"name": "cost-aware"}).fitted.selection.facts_
    assert facts["operations per window"] >= 2 * 100  # of 100 samples, every one looked at


def test_the_seed_of_the_pipeline_reaches_the_selection(plain, table):
    config = {**plain, "selection": {"name": "stability", "base": "anova", "keep": 3}}
    one, same, other = (Pipeline(config, seed=seed).fit(table) for seed in (1, 1, 2))
    assert one.fitted.selection.seed == 1
    np.testing.assert_array_equal(one.fitted.selection.scores_, same.fitted.selection.scores_)
    assert not np.array_equal(one.fitted.selection.scores_, other.fitted.selection.scores_)


@pytest.mark.parametrize(
    ("selection", "match"),
    [
        ({"name": "mrrm"}, "Did you mean 'mrmr'"),
        ({"name": "mrmr", "kep": 3}, "Did you mean 'keep'"),
        ({"keep": 3}, "selection.name"),
        ("mrmr", "selection"),
    ],
)
def test_wrong_definitions_are_refused_before_any_work(plain, selection, match):
    with pytest.raises(ParameterError, match=match):
        Pipeline({**plain, "selection": selection})


def test_too_many_columns_are_refused(trained):
    with pytest.raises(ParameterError, match="keep=99 is more than the 12 columns"):
        trained(selection={"name": "anova", "keep": 99})


def test_non_negative_parts_of_standardised_features_are_refused(trained):
    with pytest.raises(DataError, match="scaling='none'"):
        trained(selection={"name": "nmf"}, scaling="standard")


def test_a_selection_for_classes_is_refused_for_numbers(plain, table):
    values = np.random.default_rng(0).normal(size=len(table))
    index = type(table.index)(
        **{
            name: getattr(table.index, name)
            for name in table.index.__dataclass_fields__
            if name != "label"
        },
        label=values,
    )
    numbers = type(table)(table.values, table.names, table.units, index, table.layout)
    config = {**plain, "model": {"name": "ridge"}}
    with pytest.raises(ParameterError, match="is for classification"):
        Pipeline({**config, "selection": {"name": "lda"}}).fit(numbers)
    fitted = Pipeline({**config, "selection": {"name": "mrmr", "keep": 5}}).fit(numbers)
    assert fitted.estimate(numbers).shape == (len(table),)
    assert fitted.model.n_features_in_ == 5


def test_arrays_that_do_not_fit_are_refused(trained):
    pipeline = trained(selection={"name": "anova", "keep": 3})
    arrays = pipeline.fitted.selection.to_arrays()
    assert restore_selection(pipeline.config, arrays, seed=0, n_features=12).n_out == 3
    with pytest.raises(ArtifactError, match="takes 12 features; 9 are named"):
        restore_selection(pipeline.config, arrays, seed=0, n_features=9)
    with pytest.raises(ArtifactError, match="has no selection, and arrays of one"):
        restore_selection(PipelineConfig(), arrays, seed=0, n_features=12)


def test_configuration_travels_as_toml_and_by_override(tmp_path: Path):
    config = parse_config(
        {"data": "x", "pipeline": {"selection": {"name": "mrmr", "keep": 5}}},
        schema=EvaluationConfig,
        where="a test",
    )
    file = tmp_path / "a.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert load_config(file, schema=EvaluationConfig) == config
    overrides = ["data=x", "pipeline.selection.name=mrmr", "pipeline.selection.keep=5"]
    assert load_config(overrides=overrides, schema=EvaluationConfig) == config
    assert parse_config(config.to_dict(), schema=EvaluationConfig, where="a test") == config


def test_a_long_constant_column_is_not_scaled_up():
    # Added up row by row, the mean of 7.3 is off by the rounding of 100 000 sums.
    values = np.full((100_000, 2), 7.3)
    assert np.abs(Scaler.of(values).apply(values)).max() < 1e-9
