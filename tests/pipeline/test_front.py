from __future__ import annotations

from dataclasses import MISSING, fields

import pytest

from myograph.config.schema import PipelineConfig, WindowingConfig
from myograph.core.errors import ParameterError
from myograph.pipeline.front import build_front
from myograph.preprocess.windowing import Windowing


def test_the_configuration_mirrors_windowing():
    config = WindowingConfig.model_fields
    assert list(config) == [f.name for f in fields(Windowing)]
    for field in fields(Windowing):
        if field.default is not MISSING:
            assert config[field.name].default == field.default, field.name


def test_the_default_pipeline_can_be_built():
    front = build_front(PipelineConfig())
    assert [step.name for step in front.steps] == ["select"]
    assert front.steps[0].parameters()["kinds"] == ("semg", "hdemg", "needle")
    assert [spec.name for spec in front.features] == ["mav", "zc", "ssc", "wl"]


def test_a_target_is_kept_beside_the_muscles():
    front = build_front(PipelineConfig(windowing=WindowingConfig(target_kind="force")))
    assert "force" in front.steps[0].parameters()["kinds"]


def test_a_select_step_replaces_the_default(plain):
    select = {"step": "select", "names": ["emg2"]}
    front = build_front(
        PipelineConfig.model_validate({**plain, "steps": [*plain["steps"], select]})
    )
    assert [step.name for step in front.steps] == ["bandpass", "select"]


def test_a_target_kind_nobody_knows():
    with pytest.raises(ParameterError, match="target_kind must be one of"):
        build_front(PipelineConfig(windowing=WindowingConfig(target_kind="forces")))
