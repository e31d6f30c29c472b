"""Pipelines whose model takes whole windows."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.pipeline.artifact import load_model, save_model
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split


@pytest.fixture(params=["mdm", "tangent-space"])
def definition(request, plain):
    return {**plain, "model": {"name": request.param, "params": {"lags": 1}}}


def test_samples_take_the_place_of_features(definition, cohort):
    table = Pipeline(definition).prepare(cohort)
    assert table.names[:2] == ("emg1.sample[0]", "emg1.sample[1]")
    assert table.values.shape[1] == 3 * 100
    assert set(table.units) == {"uV"}


def test_it_learns_is_saved_and_runs_live_as_offline(definition, cohort, tmp_path):
    pipeline = Pipeline(definition).fit(Pipeline(definition).prepare(cohort[:2]))
    offline = pipeline.predict(cohort[2])
    again = load_model(save_model(pipeline, tmp_path / "hand.myomodel", card="# A model\n"))
    live = again.start(cohort[2].layout)
    pushed = [d for part in np.array_split(cohort[2].samples, 7, axis=1) for d in live.push(part)]
    assert [d.label for d in pushed] == [d.label for d in offline]
    np.testing.assert_allclose(
        [d.probabilities for d in pushed], [d.probabilities for d in offline], atol=1e-9
    )


def test_it_is_evaluated_beside_baselines_on_features(definition, plain, cohort):
    config = Pipeline(definition).config
    table = Pipeline(definition).prepare(cohort)
    options = RunOptions(baseline_table=Pipeline(plain).prepare(cohort), bootstrap=100)
    result = evaluate(config, table, make_split("leave-one-subject-out"), options=options)
    assert result.passed
    assert result.metrics["accuracy"].value > 0.6
    assert set(result.ladder) == {"majority", "lda-td", "random-forest"}


@pytest.mark.parametrize("more", [{"scaling": "standard"}, {"selection": {"name": "anova"}}])
def test_there_is_nothing_to_scale_or_select(definition, more):
    with pytest.raises(ParameterError, match="takes whole windows, and there are no features"):
        Pipeline({**definition, **more})
