"""Permutation importance finds what was planted, within people, with intervals over people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event
from myograph.explain.importance import band_importance, feature_importance, muscle_importance
from myograph.explain.parts import bands_of, families, muscles
from myograph.pipeline.pipeline import Pipeline


@pytest.fixture(scope="module")
def new_people(person):
    return [person(k) for k in range(20, 24)]


def test_the_muscles_that_carry_the_labels_are_found(lda, new_people):
    found = muscle_importance(lda, new_people, repeats=2)
    losses = dict(zip(found.names, (e.value for e in found.losses), strict=True))
    assert losses["a"] < 0.05
    assert min(losses["b"], losses["c"]) > 0.15
    assert found.score.value > 0.95
    assert all(e.low <= e.value <= e.high and e.n == 4 for e in found.losses)
    assert found.exchanged == "among the windows of each person"


def test_features_and_signal_agree_about_muscles(lda, new_people):
    table = lda.prepare(new_people)
    by_columns = feature_importance(lda, table, muscles(table.names, lda.layout), repeats=2)
    by_signal = muscle_importance(lda, new_people, repeats=2)
    assert by_columns.names == by_signal.names
    ours, theirs = ([e.value for e in each.losses] for each in (by_columns, by_signal))
    assert np.allclose(ours, theirs, atol=1e-9)


def test_the_same_seed_gives_the_same_losses(lda, new_people):
    table = lda.prepare(new_people)
    first, second = (
        feature_importance(lda, table, families(table.names), repeats=2, seed=3).to_dict()
        for _ in range(2)
    )
    assert first == second


def test_bands_are_exchanged_for_models_of_windows(people, new_people, fitted):
    pipeline = fitted("tangent-space", people)
    found = band_importance(pipeline, new_people[:2], bands_of(pipeline, 500.0), repeats=1)
    assert len(found.losses) == len(found.names)
    assert max(e.value for e in found.losses) > 0


def test_where_a_person_has_one_label_people_change_places(people, person, fitted):
    """A diagnosis: nothing can be exchanged within a person."""
    sick = [
        replace(r, events=(Event(2.0, 2.0, "fist", "protocol"),))
        if k % 2
        else replace(r, events=(Event(0.0, 2.0, "rest", "protocol"),))
        for k, r in enumerate([person(k) for k in range(30, 38)])
    ]
    pipeline = fitted("lda", sick)
    found = muscle_importance(pipeline, sick, repeats=2)
    assert found.exchanged.startswith("between people")
    assert found.names[int(np.argmax([e.value for e in found.losses]))] == "b"


def test_one_person_has_an_interval_that_says_nothing(lda, new_people):
    found = muscle_importance(lda, new_people[:1], repeats=1)
    assert (found.losses[0].low, found.losses[0].high) == (-1.0, 1.0)


def test_hostile_data_are_refused(lda, people, new_people, config):
    table = lda.prepare(new_people)
    with pytest.raises(ParameterError, match="3 columns, and the table has 12"):
        feature_importance(lda, table, muscles(table.names[:3], lda.layout))
    nobody = [replace(r, subject=None) for r in new_people]
    with pytest.raises(DataError, match="do not say whose"):
        muscle_importance(lda, nobody)
    one = replace(people[0], events=(Event(2.0, 2.0, "fist", "protocol"),))
    with pytest.raises(DataError, match="nothing about what a model uses"):
        muscle_importance(lda, [one])
    with pytest.raises(ParameterError, match="not learned anything"):
        muscle_importance(Pipeline({**config, "model": {"name": "lda"}}), people)
