from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from myograph.core.errors import ArtifactError, ParameterError
from myograph.models.forest import RandomForest


@pytest.fixture
def rows(rng: np.random.Generator):
    y = rng.choice(3, size=400)
    X = rng.standard_normal((400, 5)) + np.eye(3, 5)[y]
    return X, np.array(["a", "b", "c"])[y]


@pytest.mark.parametrize("min_leaf", [1, 7])
def test_probabilities_from_arrays_are_the_librarys(rows, min_leaf: int, rng):
    X, y = rows
    library = RandomForestClassifier(30, min_samples_leaf=min_leaf, random_state=4).fit(X, y)
    model = RandomForest(n_trees=30, min_leaf=min_leaf, seed=4).fit(X, y)
    new = rng.standard_normal((3000, 5))
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=1e-12)


def test_rows_on_a_threshold_go_where_the_library_sends_them(rows):
    # Coarse values repeat, so many lie on thresholds, which single precision must not move.
    X, y = np.round(rows[0], 1), rows[1]
    library = RandomForestClassifier(20, random_state=0).fit(X, y)
    model = RandomForest(n_trees=20).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), library.predict_proba(X), atol=1e-12)


def test_another_seed_is_another_forest(rows):
    X, y = rows
    one, two = (RandomForest(n_trees=5, seed=s).fit(X, y).predict_proba(X) for s in (0, 1))
    assert not np.array_equal(one, two)


def test_a_cap_on_windows_is_said(rows):
    X, y = rows
    assert "learned from 100 of 400" in RandomForest(n_trees=3, max_windows=100).fit(X, y).notes_[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("left", 10**6),
        ("left", 0),
        ("right", -1),
        ("root", 10**6),
        ("root", -1),
        ("feature", 99),
        ("leaf", 10**6),
    ],
)
def test_trees_that_lead_outside_or_in_a_circle_are_refused(rows, key: str, value: int):
    arrays = {k: v.copy() for k, v in RandomForest(n_trees=3).fit(*rows).to_arrays().items()}
    inner, leaves = np.flatnonzero(arrays["leaf"] < 0), np.flatnonzero(arrays["leaf"] >= 0)
    arrays[key][{"root": 0, "leaf": leaves[0]}.get(key, inner[-1])] = value
    with pytest.raises(ArtifactError, match="point outside the forest"):
        RandomForest.from_arrays(arrays, n_trees=3)


@pytest.mark.parametrize("params", [{"n_trees": 0}, {"min_leaf": 0}, {"max_windows": 0}])
def test_parameters_that_break_their_rule(rows, params):
    with pytest.raises(ParameterError, match="must be at least 1; got 0"):
        RandomForest(**params).fit(*rows)
