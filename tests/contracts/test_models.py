"""What every model owes: scikit-learn's contract, and a state that is nothing but arrays."""

from __future__ import annotations

from functools import cache, partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from myograph.core.errors import ArtifactError, ParameterError
from myograph.models import MODELS, Classifier, Model, build_model
from myograph.models.deep import Network

DEEP = [name for name in MODELS if issubclass(MODELS[name], Network)]
NEEDS = {
    "xgboost": "xgboost",
    "xgboost-regression": "xgboost",
    **dict.fromkeys(DEEP, "torch"),
}


def present(name: str) -> bool:
    return name not in NEEDS or find_spec(NEEDS[name]) is not None


NAMES = [
    name
    if present(name)
    else pytest.param(name, marks=pytest.mark.skip(f"needs {NEEDS[name]}, which is not installed"))
    for name in MODELS
]
FEATURE_EATERS = [name for name in MODELS if MODELS[name].eats == "features"]
WINDOW_EATERS = [name for name in MODELS if MODELS[name].eats == "windows" and present(name)]
CLASSIFIERS = [name for name in MODELS if issubclass(MODELS[name], Classifier) and present(name)]


#: Enough for a contract that does not ask for skill.
SMALL: dict[str, dict[str, Any]] = {
    "random-forest": {"n_trees": 8},
    "extra-trees": {"n_trees": 8},
    "random-forest-regression": {"n_trees": 8},
    "extra-trees-regression": {"n_trees": 8},
    "gradient-boosting": {"n_rounds": 6, "min_leaf": 2, "rate": 0.5},
    "gradient-boosting-regression": {"n_rounds": 6, "min_leaf": 2, "rate": 0.5},
    "xgboost": {"n_rounds": 6},
    "xgboost-regression": {"n_rounds": 6},
    "gaussian-process": {"max_windows": 60},
    **{
        name: {"fs_hz": 200.0, "width": 8, "epochs": 1, "batch": 80, "held_out": 0.0}
        for name in DEEP
    },
}


#: Enough to learn something.
SKILLED: dict[str, dict[str, Any]] = {
    name: {"epochs": 8, "batch": 24, "width": 16, "rate": 0.01} for name in DEEP
}


def small(name: str, **more: Any) -> Model:
    return build_model(name, **{**SMALL.get(name, {}), **more})


def sklearn_checks() -> list[Any]:
    def name_of(check: Any) -> str:
        return (check.func if isinstance(check, partial) else check).__name__

    return [
        pytest.param(name, check, id=f"{name}-{name_of(check)}-{number}")
        for name in FEATURE_EATERS
        if present(name)
        for number, (_, check) in enumerate(estimator_checks_generator(small(name)))
        if "array_api" not in name_of(check)  # needs a process set up for it, and we take numpy
    ]


@pytest.mark.parametrize(("name", "check"), sklearn_checks())
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_contract(name: str, check: Any):
    check(small(name))


def problem(name: str, *, seed: int = 0, n_rows: int = 240) -> tuple[Any, Any, Any]:
    """Three people, three overlapping classes (or a number to estimate), four features."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 4))
    codes = rng.integers(3, size=n_rows)
    people = np.array(["p1", "p2", "p3"])[rng.integers(3, size=n_rows)]
    X[:, 0] += 2 * (codes == 1)
    X[:, 1] += 2 * (codes == 2)
    y = np.array(["fist", "open", "rest"])[codes]
    if MODELS[name].task == "regression":
        y = 3 * X[:, 0] - X[:, 1] + rng.standard_normal(n_rows)
    return windows_of(X, seed) if MODELS[name].eats == "windows" else X, y, people


def windows_of(X: Any, seed: int) -> Any:
    """Windows of as many channels, the loudness of each given by a column."""
    noise = np.random.default_rng(seed + 100).standard_normal((*X.shape, 40))
    return np.exp(X / 4)[:, :, np.newaxis] * noise


def extremes(name: str) -> Any:
    rows = np.stack([np.full(4, 1e6), np.zeros(4)])
    if MODELS[name].eats == "features":
        return rows
    return np.stack([1e6, 1e-6])[:, None, None] * windows_of(np.zeros((2, 4)), 3)


@cache
def fitted(name: str, *, skilled: bool = False) -> Model:
    """Return a model that learned; the same one each time, so leave it as it is."""
    X, y, people = problem(name)
    model = small(name, **SKILLED.get(name, {}) if skilled else {})
    return model.fit(X, y, **({"groups": people} if model.uses_groups else {}))


def answer(model: Model, X: Any) -> Any:
    return model.predict_proba(X) if model.task == "classification" else model.predict(X)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_rebuild_a_model_that_answers_bit_for_bit_alike(name: str):
    model = fitted(name)
    again = type(model).from_arrays(model.to_arrays(), **model.get_params())
    X = problem(name, seed=1)[0]
    np.testing.assert_array_equal(answer(again, X), answer(model, X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for key, array in model.to_arrays().items():
        assert not array.dtype.hasobject, key
        np.testing.assert_array_equal(again.to_arrays()[key], array)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_missing_or_unknown_are_refused(name: str):
    model = fitted(name)
    arrays = model.to_arrays()
    for key in arrays:
        fewer = {k: v for k, v in arrays.items() if k != key}
        with pytest.raises(ArtifactError, match="is rebuilt from the arrays"):
            type(model).from_arrays(fewer)
    with pytest.raises(ArtifactError, match="is rebuilt from the arrays"):
        type(model).from_arrays({**arrays, "more": np.zeros(1)})


@pytest.mark.parametrize("name", NAMES)
def test_arrays_of_another_shape_are_refused(name: str):
    model = fitted(name)
    arrays = model.to_arrays()
    for key in sorted(set(arrays) - {"n_features_in", "classes", "root", "people"}):
        wrong = {**arrays, key: np.concatenate([arrays[key].ravel(), [0, 0, 0]])}
        with pytest.raises(ArtifactError, match="must have shape"):
            type(model).from_arrays(wrong, **model.get_params())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_data_and_seed_give_the_same_model(name: str):
    one, two = fitted(name).to_arrays(), fitted.__wrapped__(name).to_arrays()
    for key in one:
        np.testing.assert_array_equal(one[key], two[key])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inherited_from_an_earlier_fit(name: str):
    X, y, people = problem(name)
    other = problem(name, seed=5, n_rows=90)
    used, fresh = small(name), small(name)
    given = [{"groups": g} if used.uses_groups else {} for g in (other[2], people)]
    used.fit(other[0], other[1], **given[0]).fit(X, y, **given[1])
    fresh.fit(X, y, **given[1])
    for key, array in fresh.to_arrays().items():
        np.testing.assert_array_equal(used.to_arrays()[key], array)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_are_probabilities(name: str):
    model = fitted(name)
    X = np.concatenate([problem(name, seed=2)[0], extremes(name)])
    proba = model.predict_proba(X)
    assert proba.shape == (len(X), 3)
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_better_than_its_baseline(name: str):
    if name in ("majority", "mean"):
        pytest.skip("is the baseline")
    X, y, _ = problem(name, seed=3)
    guess = (y == np.unique(y)[:, None]).mean(axis=1).max() if y.dtype.kind == "U" else 0.0
    assert fitted(name, skilled=True).score(X, y) > guess + 0.2


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused_with_the_known_ones(name: str):
    with pytest.raises(ParameterError, match=rf"parameter of model '{name}' must be one of \["):
        build_model(name, nonsense=1)


@pytest.mark.parametrize("name", NAMES)
def test_cloning_keeps_parameters_and_forgets_what_was_learned(name: str):
    model = fitted(name)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not any(hasattr(copy, attribute) for attribute in model.state)


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"'lda'.*'svm'.*got 'ldaa'\. Did you mean 'lda'"):
        build_model("ldaa")


@pytest.mark.parametrize("name", [n for n in CLASSIFIERS if n != "majority"])
def test_one_class_is_refused_by_name(name: str):
    with pytest.raises(ValueError, match=r"needs at least 2 classes .* one class: \['fist'\]"):
        small(name).fit(problem(name)[0][:2], ["fist", "fist"])


@pytest.mark.parametrize("name", WINDOW_EATERS)
def test_windows_of_another_shape_are_refused(name: str):
    with pytest.raises(ValueError, match=r"takes windows \(n_windows, n_channels, n_samples\)"):
        build_model(name).fit([[0.0, 1.0]] * 4, ["a", "b"] * 2)
    with pytest.raises(ValueError, match="learned from windows of 4 channels; these have 3"):
        fitted(name).predict(np.ones((2, 3, 40)))


@pytest.mark.parametrize("name", FEATURE_EATERS)
@pytest.mark.filterwarnings("ignore")
def test_it_stands_in_a_pipeline_and_a_grid_search_beside_other_peoples(name: str):
    if not present(name):
        pytest.skip(f"needs {NEEDS[name]}, which is not installed")
    X, y, people = problem(name, n_rows=90)
    model = small(name)
    steps = Pipeline([("scaled", StandardScaler()), ("model", model)])
    grid = {f"model__{key}": [value] for key, value in sorted(model.get_params().items())[:1]}
    search = GridSearchCV(steps, grid, cv=GroupKFold(3)).fit(X, y, groups=people)
    assert np.isfinite(search.best_score_)
    assert search.predict(X).shape == (90,)


@pytest.mark.parametrize("name", [n for n in FEATURE_EATERS if MODELS[n].task == "regression"])
def test_a_person_must_be_named_for_every_row(name: str):
    X, y, _ = problem(name, n_rows=30)
    with pytest.raises(ValueError, match="one person per row"):
        build_model(name).fit(X, y, groups=["p1"])
