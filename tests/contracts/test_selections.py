"""What every selection owes: scikit-learn's contract, arrays, and nothing but training rows."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import estimator_checks_generator

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.features.select import (
    SELECTIONS,
    Columns,
    Projection,
    Selection,
    Selector,
    build_selection,
)

NAMES = list(SELECTIONS)
SELECTORS = [name for name in NAMES if issubclass(SELECTIONS[name], Selector)]
REGRESSION = [name for name in NAMES if "regression" in SELECTIONS[name].tasks]
SUPERVISED = [name for name in NAMES if SELECTIONS[name].supervised]


def sklearn_checks() -> list[Any]:
    def name_of(check: Any) -> str:
        return (check.func if isinstance(check, partial) else check).__name__

    return [
        pytest.param(name, check, id=f"{name}-{name_of(check)}-{number}")
        for name in NAMES
        for number, (_, check) in enumerate(estimator_checks_generator(build_selection(name)))
        if "array_api" not in name_of(check)  # needs a process set up for it, and we take numpy
    ]


@pytest.mark.parametrize(("name", "check"), sklearn_checks())
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_contract(name: str, check: Any):
    check(build_selection(name))


# Two columns tell three classes apart, one repeats the first, five are noise; none is negative.
USEFUL, COPY, NOISE = (0, 1), 2, (3, 4, 5, 6, 7)
COLUMNS = Columns(
    ("a.mav", "b.mav", "a.rms", "a.zc", "a.ssc", "b.zc", "b.ssc", "b.wl"), n_samples=400
)


def problem(*, seed: int = 0, n_rows: int = 600, regression: bool = False) -> Any:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_rows, 8))
    codes = rng.integers(3, size=n_rows)
    X[:, 0] += 3 * (codes == 1)
    X[:, 1] += 3 * (codes == 2)
    X[:, COPY] = X[:, 0] + 0.1 * rng.standard_normal(n_rows)
    people = np.array(["p1", "p2", "p3", "p4", "p5"])[rng.integers(5, size=n_rows)]
    X = np.exp(X / 4) * 10.0 ** np.arange(-3, 5)  # columns of very different sizes
    if regression:
        value = np.log(X[:, 0] * 1e3) + np.log(X[:, 1] * 1e2)
        return X, 4 * value + 0.3 * rng.standard_normal(n_rows), people
    return X, np.array(["fist", "open", "rest"])[codes], people


def fitted(name: str, **changes: Any) -> Selection:
    X, y, people = problem(**changes)
    return build_selection(name).fit(X, y, groups=people, columns=COLUMNS)


def with_two(name: str) -> Selection:
    limits = {"stability": {"keep": 2}, "cost-aware": {"tolerance": 0.03}}
    return build_selection(name, **limits.get(name, {"keep": 2}))


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize("regression", [False, True])
def test_useful_columns_are_kept_and_noise_is_not(name: str, regression: bool):
    X, y, people = problem(regression=regression)
    kept = with_two(name).fit(X, y, groups=people, columns=COLUMNS)
    chosen = set(np.flatnonzero(kept.support_).tolist())
    assert chosen & {0, COPY}
    assert not chosen & set(NOISE)
    if name in ("mrmr", "l1", "rfe", "sequential", "cost-aware"):
        assert 1 in chosen, "the copy of the first column was preferred to the second"


@pytest.mark.parametrize("name", SELECTORS)
def test_the_score_of_useful_columns_is_above_that_of_noise(name: str):
    X, y, people = problem()
    scores = with_two(name).fit(X, y, groups=people, columns=COLUMNS).scores_
    assert scores.shape == (8,)
    assert max(scores[0], scores[COPY]) > scores[list(NOISE)].max()


@pytest.mark.parametrize("name", SELECTORS)
def test_units_of_measurement_do_not_matter(name: str):
    X, y, people = problem()
    factors = 10.0 ** np.array([6, -3, 0, 2, -5, 1, 3, -1])
    one = build_selection(name).fit(X, y, groups=people, columns=COLUMNS)
    other = build_selection(name).fit(X * factors, y, groups=people, columns=COLUMNS)
    np.testing.assert_array_equal(one.support_, other.support_)


@pytest.mark.parametrize("name", SELECTORS)
def test_a_column_that_never_varies_is_not_preferred(name: str):
    X, y, people = problem()
    X[:, 3], X[:, 4] = 0.0, 7.3
    kept = with_two(name).fit(X, y, groups=people, columns=COLUMNS)
    assert np.isfinite(kept.scores_).all()
    assert not kept.support_[[3, 4]].any()


@pytest.mark.parametrize("name", NAMES)
def test_arrays_rebuild_a_selection_that_answers_bit_for_bit_alike(name: str):
    selection = fitted(name)
    again = type(selection).from_arrays(selection.to_arrays(), **selection.get_params())
    X = problem(seed=1)[0]
    np.testing.assert_array_equal(again.transform(X), selection.transform(X))
    np.testing.assert_array_equal(again.get_feature_names_out(), selection.get_feature_names_out())
    for key, array in selection.to_arrays().items():
        assert not array.dtype.hasobject, key
        np.testing.assert_array_equal(again.to_arrays()[key], array)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_missing_unknown_or_of_another_shape_are_refused(name: str):
    selection = fitted(name)
    arrays = selection.to_arrays()
    for key in arrays:
        fewer = {k: v for k, v in arrays.items() if k != key}
        with pytest.raises(ArtifactError, match="is rebuilt from the arrays"):
            type(selection).from_arrays(fewer)
    for key in sorted(set(arrays) - {"n_features_in"}):
        wrong = {**arrays, key: np.concatenate([arrays[key].ravel(), arrays[key].ravel()[:3]])}
        with pytest.raises(ArtifactError, match="must have shape"):
            type(selection).from_arrays(wrong, **selection.get_params())


@pytest.mark.parametrize("name", SELECTORS)
def test_a_file_that_keeps_no_column_is_refused(name: str):
    selection = fitted(name)
    arrays = {**selection.to_arrays(), "support": np.zeros(8, dtype=bool)}
    with pytest.raises(ArtifactError, match="at least one column"):
        type(selection).from_arrays(arrays, **selection.get_params())


@pytest.mark.parametrize("name", NAMES)
def test_the_same_data_give_the_same_selection_and_nothing_is_inherited(name: str):
    X, y, people = problem()
    other = problem(seed=5, n_rows=90)
    used = build_selection(name).fit(other[0], other[1], groups=other[2], columns=COLUMNS)
    used.fit(X, y, groups=people, columns=COLUMNS)
    for key, array in fitted(name).to_arrays().items():
        np.testing.assert_array_equal(used.to_arrays()[key], array)


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_on_has_names_and_a_width(name: str):
    selection = fitted(name)
    X = problem(seed=2)[0]
    out = selection.transform(X)
    names = selection.get_feature_names_out(np.array(COLUMNS.names, dtype=object))
    assert out.shape == (len(X), selection.n_out)
    assert len(names) == len(set(names)) == selection.n_out >= 1
    if isinstance(selection, Projection):
        assert names[0] == f"{selection.prefix}1"
    else:
        assert list(names) == [
            n for n, k in zip(COLUMNS.names, selection.support_, strict=True) if k
        ]
        np.testing.assert_array_equal(out, X[:, selection.support_])


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_plain_figures(name: str):
    facts = dict(fitted(name).facts_)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


@pytest.mark.parametrize("name", REGRESSION)
def test_a_number_can_be_the_target(name: str):
    assert fitted(name, regression=True).n_out >= 1


@pytest.mark.parametrize("name", [n for n in NAMES if n not in REGRESSION])
def test_a_number_is_refused_where_classes_are_needed(name: str):
    with pytest.raises(DataError, match="needs classes"):
        fitted(name, regression=True)


@pytest.mark.parametrize("name", SUPERVISED)
def test_labels_are_asked_for(name: str):
    with pytest.raises(ValueError, match="requires y to be passed"):
        build_selection(name).fit(problem()[0])


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("cost-aware", "stability")])
def test_more_than_there_is_cannot_be_kept(name: str):
    X, y, _ = problem()
    if name == "nmf":  # parts may be fewer than asked for, as columns are
        assert build_selection(name, keep=99).fit(X, y).n_out == 8
        return
    with pytest.raises(ParameterError, match=r"keep=99 is more than the \d"):
        build_selection(name, keep=99).fit(X, y)


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused_with_the_known_ones(name: str):
    with pytest.raises(ParameterError, match=rf"parameter of selection '{name}' must be one of"):
        build_selection(name, nonsense=1)


@pytest.mark.parametrize("name", NAMES)
def test_cloning_keeps_parameters_and_forgets_what_was_learned(name: str):
    selection = fitted(name)
    copy = clone(selection)
    assert copy.get_params() == selection.get_params()
    assert not any(hasattr(copy, attribute) for attribute in selection.state)


@pytest.mark.parametrize("name", NAMES)
def test_names_for_other_columns_are_refused(name: str):
    X, y, _ = problem()
    with pytest.raises(DataError, match="2 columns are named; X has 8"):
        build_selection(name).fit(X, y, columns=Columns(("a.mav", "b.mav"), 400))


def test_an_unknown_selection_lists_the_known_ones():
    with pytest.raises(ParameterError, match=r"'mrmr'.*got 'mrrm'\. Did you mean 'mrmr'"):
        build_selection("mrrm")
