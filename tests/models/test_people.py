from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.models.people import RecordingsToPerson


def clinic(rng: np.random.Generator, n: int = 80):
    """Biceps tells the condition, deltoid is a coin; two recordings of each."""
    ill = rng.random(n) < 0.5
    people, muscles, labels, proba = [], [], [], []
    for number in range(n):
        for muscle in ("biceps", "biceps", "deltoid", "deltoid"):
            told = (1.0 if ill[number] else -1.0) if muscle == "biceps" else 0.0
            odds = told + 1.5 * rng.standard_normal()
            p = 1 / (1 + np.exp(-odds))
            people.append(f"p{number:03d}")
            muscles.append(muscle)
            labels.append("ill" if ill[number] else "well")
            proba.append([p, 1 - p])
    return np.array(proba), np.array(muscles), np.array(people), np.array(labels)


def right(model: RecordingsToPerson, data) -> float:
    proba, muscles, people, labels = data
    names, combined = model.combine(proba, muscles, people)
    truth = labels[np.searchsorted(people, names)]
    return float((model.classes_[combined.argmax(axis=1)] == truth).mean())


def test_a_muscle_that_says_nothing_is_not_listened_to(rng):
    model = RecordingsToPerson().fit(*clinic(rng))
    biceps, deltoid = model.weight_
    assert biceps > 2 * abs(deltoid)
    even = RecordingsToPerson(penalty=1e6).fit(*clinic(rng))
    np.testing.assert_allclose(even.weight_, 0.5, atol=1e-3)
    unseen = clinic(np.random.default_rng(9), 400)
    assert right(model, unseen) >= right(even, unseen) - 0.01


def test_a_muscle_that_was_not_recorded_says_nothing(rng):
    proba, muscles, people, labels = clinic(rng)
    model = RecordingsToPerson().fit(proba, muscles, people, labels)
    alone = muscles == "biceps"
    _, combined = model.combine(proba[alone], muscles[alone], people[alone])
    assert np.isfinite(combined).all()


def test_it_is_rebuilt_from_its_arrays(rng):
    data = clinic(rng)
    model = RecordingsToPerson().fit(*data)
    arrays = model.to_arrays()
    again = RecordingsToPerson.from_arrays(arrays)
    np.testing.assert_array_equal(again.combine(*data[:3])[1], model.combine(*data[:3])[1])
    with pytest.raises(ArtifactError, match="must have shape"):
        RecordingsToPerson.from_arrays({**arrays, "weight": np.zeros(5)})


def test_hostile_input_is_refused(rng):
    proba, muscles, people, labels = clinic(rng, 6)
    model = RecordingsToPerson()
    with pytest.raises(ParameterError, match="has not learned"):
        model.combine(proba, muscles, people)
    model.fit(proba, muscles, people, labels)
    with pytest.raises(DataError, match=r"Muscles \['soleus'\] were not among those learned"):
        model.combine(proba[:1], ["soleus"], people[:1])
    with pytest.raises(DataError, match="One muscle, one person and 2 probabilities"):
        model.combine(proba[:, :1], muscles, people)
    mixed = labels.copy()
    mixed[0] = "well" if labels[0] == "ill" else "ill"
    with pytest.raises(DataError, match="two labels"):
        RecordingsToPerson().fit(proba, muscles, people, mixed)
