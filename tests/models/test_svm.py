from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import SVC

from myograph.core.errors import ParameterError
from myograph.models.svm import SVM


@pytest.fixture
def people(rng: np.random.Generator):
    """Four classes whose places differ a little from person to person."""
    y = rng.integers(4, size=600)
    group = rng.integers(6, size=600)
    places = 1.5 * rng.standard_normal((4, 3))
    X = places[y] + 0.5 * rng.standard_normal((6, 4, 3))[group, y] + rng.standard_normal((600, 3))
    return X, np.array(["a", "b", "c", "d"])[y], group


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_decisions_from_arrays_are_the_librarys(people, kernel: str, n_classes: int):
    X, y, _ = people
    rows = np.isin(y, ["a", "b", "c", "d"][:n_classes])
    X, y = X[rows], y[rows]
    library = SVC(kernel=kernel, C=3.0, decision_function_shape="ovo").fit(X, y)
    expected = library.decision_function(X)
    if n_classes == 2:  # positive for the later class there, for the earlier one here
        expected = -expected[:, None]
    model = SVM(kernel=kernel, cost=3.0).fit(X, y)
    np.testing.assert_allclose(model.decision_values(X), expected, atol=1e-10)


def test_two_classes_are_decided_as_the_library_does(people, rng: np.random.Generator):
    X, y, group = people
    rows = np.isin(y, ["a", "b"])
    model = SVM().fit(X[rows], y[rows], groups=group[rows])
    library = SVC().fit(X[rows], y[rows])
    new = 2 * rng.standard_normal((500, 3))
    np.testing.assert_array_equal(model.predict(new), library.predict(new))


def test_more_classes_are_decided_nearly_as_by_votes(people, rng: np.random.Generator):
    X, y, group = people
    model, library = SVM().fit(X, y, groups=group), SVC().fit(X, y)
    new = 2 * rng.standard_normal((1000, 3))
    assert (model.predict(new) == library.predict(new)).mean() > 0.93


def test_probabilities_are_calibrated_on_people_not_seen(people):
    X, y, group = people
    train = group < 4
    model = SVM().fit(X[train], y[train], groups=group[train])
    proba = model.predict_proba(X[~train])
    accuracy = (model.classes_[proba.argmax(axis=1)] == y[~train]).mean()
    assert proba.max(axis=1).mean() == pytest.approx(accuracy, abs=0.1)


def test_calibration_keeps_people_whole(rng: np.random.Generator):
    # Each person's windows are copies of one point whose label is random: only a machine that saw
    # the person is sure of it. Calibrated across people the probabilities must stay near 1/2.
    spots, labels = rng.standard_normal((40, 2)), rng.permutation(np.arange(40) % 2)
    group = rng.permutation(np.repeat(np.arange(40), 10))
    X = spots[group] + 0.001 * rng.standard_normal((400, 2))
    kept = SVM(gamma=50.0, cost=100.0).fit(X, labels[group], groups=group)
    assert kept.predict_proba(X).max(axis=1).mean() < 0.75
    mixed = SVM(gamma=50.0, cost=100.0).fit(X, labels[group])
    assert mixed.predict_proba(X).max(axis=1).mean() > 0.9


def test_a_cap_on_windows_is_kept_and_said(people):
    X, y, group = people
    model = SVM(max_windows=120).fit(X, y, groups=group)
    assert len(model.vectors_) <= 120
    (note,) = model.notes_
    assert note.startswith("The model learned from 120 of 600 training windows (max_windows)")
    assert SVM(max_windows=None).fit(X, y, groups=group).notes_ == ()
    assert SVM(max_windows=600).fit(X, y, groups=group).notes_ == ()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernel": "poly"}, r"kernel must be one of \['linear', 'rbf'\]; got 'poly'"),
        ({"cost": 0}, "cost must be above 0; got 0"),
        ({"gamma": -1.0}, r"gamma must be above 0; got -1\.0"),
        ({"max_windows": 2.5}, "max_windows must be a whole number"),
        ({"max_windows": 3}, "cannot hold one window of every class of every person"),
    ],
)
def test_parameters_that_break_their_rule(people, params, message: str):
    X, y, group = people
    with pytest.raises(ParameterError, match=message):
        SVM(**params).fit(X, y, groups=group)
