"""Versions: what a pipeline learns with is named, by every model that needs more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import myograph.models
from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.models import MODELS
from myograph.models.detector import DETECTORS
from myograph.pipeline.versions import LEARNING, installed, versions
from myograph.validate.facts import environment


@pytest.mark.parametrize("name", ["cnn1d", "lstm-regressor", "transformer", "covariance-net"])
def test_networks_name_torch(name):
    pytest.importorskip("torch")
    plain, deep = versions(PipelineConfig()), versions(PipelineConfig(model=ModelConfig(name=name)))
    assert "torch" not in plain
    assert set(deep) - set(plain) == {"skorch", "torch"}


def test_what_models_import_through_the_door_is_what_they_name():
    """Every package that a module of models asks for is one that a model or a gate names."""
    asked = set()
    for path in Path(myograph.models.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "needs":
                asked.add(ast.literal_eval(node.args[0]).partition(".")[0])
    assert asked == set(LEARNING) == {"skorch", "torch", "xgboost"}
    assert not MODELS["lda"].packages
    assert not DETECTORS["mahalanobis"].packages


def test_several_pipelines_name_the_packages_of_all():
    pytest.importorskip("torch")
    several = [PipelineConfig(model=ModelConfig(name=n)) for n in ("lda", "cnn1d", "xgboost")]
    assert set(versions(*several)) >= {"torch", "numpy", *installed(["xgboost"])}


def test_folds_of_another_torch_are_not_gone_on_with(monkeypatch):
    """Its version is part of what identifies the checkpoints of a run."""
    pytest.importorskip("torch")
    deep = PipelineConfig(model=ModelConfig(name="cnn1d"))
    before = environment(deep)
    monkeypatch.setattr("myograph.pipeline.versions.version", lambda name: f"another {name}")
    assert environment(deep)["torch"] == "another torch" != before["torch"]
