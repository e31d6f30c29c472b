"""A channel that does not vary is named, in results and in models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from myograph.pipeline.flat import flat_notes
from myograph.pipeline.pipeline import Pipeline
from myograph.workflows.evaluate import evaluate
from myograph.workflows.train import train


def without(recording, row, *, upto=None):
    """The electrode of a channel came off: for good, or for the first part of the recording."""
    samples = recording.samples.copy()
    samples[row, :upto] = 0.0
    return replace(recording, samples=samples)


@pytest.mark.parametrize("model", ["lda", "mdm"])
def test_whose_channel_is_dead_is_said(cohort, plain, model):
    ann, bo, cy = cohort
    pipeline = Pipeline({**plain, "model": {"name": model}})
    assert flat_notes(pipeline.prepare(cohort)) == ()
    told = flat_notes(pipeline.prepare([without(ann, 1), bo, without(cy, 1)]))
    assert len(told) == 1
    assert told[0].startswith("Channel 'emg2' does not vary in most windows of 2 of 3 people (ann,")


def test_a_moment_without_contact_is_not_a_dead_channel(cohort, plain):
    ann, bo, cy = cohort
    parted = without(ann, 0, upto=ann.n_samples // 4)
    assert flat_notes(Pipeline(plain).prepare([parted, bo, cy])) == ()


def test_evaluations_and_models_carry_it(cohort, tmp_path):
    ann, bo, cy = cohort
    given = {"jobs": 1, "cache": False}
    people = [without(ann, 2), bo, cy]
    quick = ("baselines=false", "probes=false", "bootstrap=100", "pipeline.steps=[]")
    result = evaluate(people, overrides=quick, **given)
    trained = train(people, tmp_path / "m.myomodel", overrides=quick, **given)
    said = "'emg3' does not vary in most windows of 1 of 3 people (ann)"
    for notes in (result.notes, trained.notes):
        assert any(said in note for note in notes)
