"""The ladder's rungs: names, configurations and the features they see."""

import numpy as np
import pytest

from myograph.config.schema import PipelineConfig
from myograph.validate.ladder import MODEL, build_ladder


def test_the_model_alone(make_index, make_table):
    rungs, notes = build_ladder(PipelineConfig(), make_table(make_index()), baselines=False)
    assert [rung.name for rung in rungs] == [MODEL]
    assert notes == ()


@pytest.mark.parametrize("scaling", ["none", "standard", "person"])
def test_baselines_scale_as_the_model_does(make_index, make_table, scaling):
    config = PipelineConfig(scaling=scaling, aggregate="vote")
    rungs, _ = build_ladder(config, make_table(make_index()), baselines=True)
    assert [rung.config.model.name for rung in rungs] == ["lda", "majority", "lda", "random-forest"]
    assert {rung.config.scaling for rung in rungs} == {scaling}
    assert {rung.config.aggregate for rung in rungs} == {"vote"}


def test_the_time_domain_rung_sees_only_its_features(make_index, as_table):
    index = make_index()
    values = np.random.default_rng(0).standard_normal((len(index), 8))
    table = as_table(values, index)
    wide = type(table)(
        np.concatenate([values, values[:, :2]], axis=1),
        (*table.names, "emg1.mnf", "emg2.mnf"),
        ("uV",) * 10,
        index,
        table.layout,
    )
    rungs = {rung.name: rung for rung in build_ladder(PipelineConfig(), wide, baselines=True)[0]}
    np.testing.assert_array_equal(rungs["lda-td"].table.values, values)
    assert rungs["random-forest"].table is wide
