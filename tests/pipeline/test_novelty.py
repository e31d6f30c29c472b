"""A novelty gate in a pipeline: strange windows are refused, live and offline, saved and loaded."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from myograph.config.load import apply_overrides, parse_config
from myograph.config.schema import PipelineConfig
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.pipeline.artifact import load_model, save_model
from myograph.pipeline.novelty import restore_gate
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.decider import Decider

GATE = {"name": "mahalanobis", "false_alarms": 0.2}
NETWORK = {"name": "autoencoder", "false_alarms": 0.3, "epochs": 8, "width": 8, "latent": 2}
GATES = {
    "features": {"novelty": GATE},
    "scaled": {"novelty": GATE, "scaling": "standard"},
    "network": {"novelty": NETWORK},
}
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name == "network" and find_spec("torch") is None,
            reason="needs torch, which is not installed",
        ),
    )
    for name in GATES
]


@pytest.fixture(scope="module")
def gated(make_person, plain):
    """Return a function that fits a pipeline with a gate on six people, once for each."""
    people = [make_person(name, gain=0.9 + 0.04 * k) for k, name in enumerate("abcdef")]
    kept: dict[str, Pipeline] = {}

    def fit(name: str) -> Pipeline:
        if name not in kept:
            pipeline = Pipeline({**plain, **GATES[name]})
            kept[name] = pipeline.fit(pipeline.prepare(people))
        return kept[name]

    return fit


@pytest.fixture(scope="module")
def spoilt(make_person):
    """Return a recording of somebody new whose last half is mains hum."""
    clean = make_person("zoe")
    samples = clean.samples.copy()
    half = samples.shape[1] // 2
    hum = 400 * np.sin(2 * np.pi * 50 * np.arange(samples.shape[1] - half) / clean.layout.fs_hz)
    samples[:, half:] += hum.astype(np.float32)
    return replace(clean, samples=samples)


@pytest.mark.parametrize("name", NAMES)
def test_strange_windows_are_refused_and_keep_their_label(gated, spoilt, name):
    pipeline = gated(name)
    decisions = pipeline.predict(spoilt)
    half_s = spoilt.samples.shape[1] / 2 / spoilt.layout.fs_hz
    late = [d.rejected for d in decisions if d.time_s > half_s + 0.25]
    early = [d.rejected for d in decisions if d.time_s <= half_s]
    assert all(late)
    assert np.mean(early) < 0.5
    assert all(d.label for d in decisions)
    assert any("novelty gate" in note for note in pipeline.notes)


@pytest.mark.parametrize("name", NAMES)
def test_live_refuses_what_offline_refuses(gated, spoilt, name):
    pipeline = gated(name)
    offline = [d.rejected for d in pipeline.predict(spoilt)]
    state = pipeline.start(spoilt.layout)
    chunks = np.array_split(spoilt.samples, 37, axis=1)
    assert [d.rejected for chunk in chunks for d in state.push(chunk)] == offline
    decider = Decider(pipeline, spoilt.layout)
    assert [w.strange for chunk in chunks for w in decider.push(chunk)] == offline


@pytest.mark.parametrize("name", NAMES)
def test_a_model_file_carries_its_gate(gated, spoilt, name, tmp_path):
    pipeline = gated(name)
    loaded = load_model(save_model(pipeline, tmp_path / "gated.myomodel", card="# Card"))
    assert loaded.fitted.gate.limit == pipeline.fitted.gate.limit
    table = pipeline.measure(spoilt)
    np.testing.assert_array_equal(
        loaded.fitted.gate.distance(table.values), pipeline.fitted.gate.distance(table.values)
    )
    assert [d.rejected for d in loaded.predict(spoilt)] == [
        d.rejected for d in pipeline.predict(spoilt)
    ]


def test_a_recording_is_decided_by_the_windows_that_were_not_refused(gated, spoilt, make_person):
    pipeline = gated("features")
    assert not pipeline.predict_recording(make_person("zoe")).rejected
    assert not pipeline.predict_recording(spoilt).rejected
    hum = replace(
        spoilt, samples=spoilt.samples[:, spoilt.samples.shape[1] // 2 + 100 :], events=()
    )
    assert pipeline.predict_recording(hum).rejected


def test_without_a_gate_nothing_is_strange(trained, spoilt):
    pipeline = trained()
    assert not pipeline.strange(pipeline.measure(spoilt).values).any()
    assert not any(d.rejected for d in pipeline.predict(spoilt))


def test_too_few_people_set_no_limit_and_the_notes_say_so(cohort, plain):
    pipeline = Pipeline({**plain, "novelty": {"name": "mahalanobis"}})
    pipeline.fit(pipeline.prepare(cohort))
    assert np.isinf(pipeline.fitted.gate.limit)
    assert any("stops nothing: 3 people are too few" in note for note in pipeline.notes)
    with pytest.raises(DataError, match="at least 2 people"):
        pipeline.fit(pipeline.prepare(cohort[:1]))


def test_it_is_set_from_the_command_line():
    given: dict[str, Any] = apply_overrides({}, ["novelty.name=vae", "novelty.false_alarms=0.1"])
    config = parse_config(given, schema=PipelineConfig, where="test")
    assert config.novelty is not None
    assert (config.novelty.name, config.novelty.false_alarms) == ("vae", 0.1)


def test_hostile_settings_are_refused(plain, gated):
    with pytest.raises(ParameterError, match="novelty detector must be one of"):
        Pipeline({**plain, "novelty": {"name": "isolation"}})
    with pytest.raises(ParameterError, match="parameter of detector 'mahalanobis' must be"):
        Pipeline({**plain, "novelty": {"name": "mahalanobis", "depth": 3}})
    with pytest.raises(ParameterError, match="false_alarms"):
        Pipeline({**plain, "novelty": {"name": "mahalanobis", "false_alarms": 1.0}})
    with pytest.raises(ParameterError, match=r"refuses decisions, and model 'ridge' does"):
        Pipeline({**plain, "model": {"name": "ridge"}, "novelty": GATE})
    pipeline = gated("features")
    arrays = pipeline.fitted.gate.to_arrays()
    with pytest.raises(ArtifactError, match="has no novelty gate, and arrays of one"):
        restore_gate(PipelineConfig(), arrays, seed=0, width=12)
    with pytest.raises(ArtifactError, match="knows 12 numbers; 11 are measured"):
        restore_gate(pipeline.config, arrays, seed=0, width=11)
