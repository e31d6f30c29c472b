"""What every model owes: scikit-learn's contract, and a state that is nothing but arrays."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from myograph.core.errors import ArtifactError, ParameterError
from myograph.models import MODELS, Classifier, Model, build_model

NAMES = list(MODELS)
CLASSIFIERS = [name for name in MODELS if issubclass(MODELS[name], Classifier)]


def sklearn_checks() -> list[Any]:
    def name_of(check: Any) -> str:
        return (check.func if isinstance(check, partial) else check).__name__

    return [
        pytest.param(name, check, id=f"{name}-{name_of(check)}-{number}")
        for name in NAMES
        for number, (_, check) in enumerate(estimator_checks_generator(build_model(name)))
        if "array_api" not in name_of(check)  # needs a process set up for it, and we take numpy
    ]


@pytest.mark.parametrize(("name", "check"), sklearn_checks())
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_contract(name: str, check: Any):
    check(build_model(name))


def problem(name: str, *, seed: int = 0, n_rows: int = 240) -> tuple[Any, Any, Any]:
    """Three people, three overlapping classes (or a number to estimate), four features."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 4))
    codes = rng.integers(3, size=n_rows)
    people = np.array(["p1", "p2", "p3"])[rng.integers(3, size=n_rows)]
    X[:, 0] += 2 * (codes == 1)
    X[:, 1] += 2 * (codes == 2)
    if MODELS[name].task == "regression":
        return X, 3 * X[:, 0] - X[:, 1] + rng.standard_normal(n_rows), people
    return X, np.array(["fist", "open", "rest"])[codes], people


def fitted(name: str) -> Model:
    X, y, people = problem(name)
    model = build_model(name)
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
    for key in sorted(set(arrays) - {"n_features_in", "classes", "root"}):
        wrong = {**arrays, key: np.concatenate([arrays[key].ravel(), [0, 0, 0]])}
        with pytest.raises(ArtifactError, match="must have shape"):
            type(model).from_arrays(wrong, **model.get_params())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_data_and_seed_give_the_same_model(name: str):
    one, two = fitted(name).to_arrays(), fitted(name).to_arrays()
    for key in one:
        np.testing.assert_array_equal(one[key], two[key])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_inherited_from_an_earlier_fit(name: str):
    X, y, people = problem(name)
    other = problem(name, seed=5, n_rows=90)
    used, fresh = build_model(name), build_model(name)
    given = [{"groups": g} if used.uses_groups else {} for g in (other[2], people)]
    used.fit(other[0], other[1], **given[0]).fit(X, y, **given[1])
    fresh.fit(X, y, **given[1])
    for key, array in fresh.to_arrays().items():
        np.testing.assert_array_equal(used.to_arrays()[key], array)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_probabilities_are_probabilities(name: str):
    model = fitted(name)
    X = np.concatenate([problem(name, seed=2)[0], np.full((1, 4), 1e6), np.zeros((1, 4))])
    proba = model.predict_proba(X)
    assert proba.shape == (len(X), 3)
    assert (proba >= 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-12)


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("majority", "mean")])
def test_better_than_its_baseline(name: str):
    X, y, _ = problem(name, seed=3)
    baseline = "majority" if MODELS[name].task == "classification" else "mean"
    assert fitted(name).score(X, y) > fitted(baseline).score(X, y) + 0.2


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
        build_model(name).fit([[0.0], [1.0]], ["fist", "fist"])
