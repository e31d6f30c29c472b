"""Kernel logistic regression: what is minimised, and what the kernel makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from myograph.core.errors import ArtifactError, ParameterError
from myograph.models import build_model
from myograph.models.kernel_logistic import KernelLogistic, median_width
from myograph.models.svm import rbf


def rings(*, seed: int, n_rows: int = 120) -> tuple[NDArray[Any], NDArray[Any]]:
    """Three classes, one around the other: no line tells them apart."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_rows) % 3
    angle, radius = rng.uniform(0, 2 * np.pi, n_rows), 2.0 * codes + rng.uniform(0, 0.8, n_rows)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return X, np.array(["inner", "middle", "outer"])[codes]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_linear_kernel_is_logistic_regression_on_features_as_they_are(n_classes: int):
    X, y = rings(seed=0)
    X, y = (X, y) if n_classes == 3 else (X[y != "outer"], y[y != "outer"])
    X[:, 0] += 3 * (y == "inner")
    library = LogisticRegression(C=0.3, max_iter=1000, tol=1e-8).fit(X, y)
    model = KernelLogistic(kernel="linear", cost=0.3).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), library.predict_proba(X), atol=1e-3)


def test_what_is_found_is_the_least_of_what_is_promised():
    X, y = rings(seed=1, n_rows=24)
    codes = np.unique(y, return_inverse=True)[1]
    cost, gamma = 2.0, 0.3
    kernel = rbf(X, X, gamma)

    def price(numbers: NDArray[Any]) -> float:
        weights, level = numbers[:72].reshape(3, 24), numbers[72:]
        scores = kernel @ weights.T + level
        lost = np.logaddexp.reduce(scores, axis=1) - scores[np.arange(24), codes]
        return float(cost * lost.sum() + 0.5 * np.einsum("kj,ji,ki->", weights, kernel, weights))

    model = KernelLogistic(cost=cost, gamma=gamma).fit(X, y)
    found = price(np.concatenate([model.weights_.ravel(), model.intercept_]))
    best = minimize(price, np.zeros(75), method="L-BFGS-B", options={"maxfun": 200_000}).fun
    assert found == pytest.approx(best, rel=1e-4)
    np.testing.assert_allclose(
        model.predict_proba(X),
        _softmax(kernel @ model.weights_.T + model.intercept_),
        atol=1e-12,
    )


def _softmax(scores: NDArray[Any]) -> NDArray[Any]:
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(proba / proba.sum(axis=1, keepdims=True))


def test_a_curved_border_needs_the_curved_kernel():
    X, y = rings(seed=2)
    new, truth = rings(seed=3)
    assert KernelLogistic(cost=10.0).fit(X, y).score(new, truth) > 0.95
    assert KernelLogistic(kernel="linear", cost=10.0).fit(X, y).score(new, truth) < 0.6


def test_fewer_centres_are_spread_over_classes_and_nearly_as_good():
    X, y = rings(seed=4, n_rows=300)
    new, truth = rings(seed=5)
    model = KernelLogistic(cost=10.0, max_centres=60).fit(X, y)
    assert model.centres_.shape == (60, 2)
    radius = np.hypot(*model.centres_.T)
    assert np.bincount((radius // 2).astype(int)).tolist() == [20, 20, 20]
    assert model.score(new, truth) > 0.95


def test_people_count_alike_however_many_rows_they_have():
    X, y = rings(seed=6)
    people = np.arange(len(y)) // 3 % 4
    often = np.repeat(np.arange(len(y)), np.where(people == 0, 5, 1))
    settings = {"cost": 3.0, "gamma": 0.5, "balance": "people"}
    # The centres must be the same, or the functions would be others.
    once = build_model("kernel-logistic", **settings).fit(X, y, groups=people)
    more = build_model("kernel-logistic", **settings)
    more.fit(X[often], y[often], groups=people[often])
    scale = len(often) / len(y)  # weights have mean 1, so the price grew with the rows
    fair = build_model("kernel-logistic", **{**settings, "cost": 3.0 * scale})
    fair.fit(X, y, groups=people)
    np.testing.assert_allclose(more.predict_proba(X), fair.predict_proba(X), atol=0.02)
    assert np.abs(once.predict_proba(X) - fair.predict_proba(X)).max() > 1e-3


def test_the_price_moves_from_shares_of_classes_to_certainty():
    X, y = rings(seed=7)
    cheap, dear = (KernelLogistic(cost=cost).fit(X, y).predict_proba(X) for cost in (1e-4, 100.0))
    np.testing.assert_allclose(cheap, 1 / 3, atol=0.02)
    assert np.median(dear.max(axis=1)) > 0.95


def test_a_model_that_did_not_settle_says_so():
    X, y = rings(seed=8)
    notes = KernelLogistic(most=1, cost=100.0).fit(X, y).notes_
    assert "had not settled after 1 step" in notes[0]


def test_the_median_width_is_a_median_and_survives_rows_that_are_all_alike():
    X = np.random.default_rng(9).standard_normal((2000, 3))
    squares = ((X[:, None] - X) ** 2).sum(axis=-1)[np.triu_indices(2000, 1)]
    assert median_width(X) == pytest.approx(1 / np.median(squares), rel=0.03)
    assert median_width(100 + np.zeros((5, 2))) == 1.0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": "cubic"}, r"kernel must be one of \['linear', 'rbf'\]"),
        ({"balance": "rows"}, "balance must be one of"),
        ({"gamma": -1.0}, "gamma must be"),
        ({"cost": 0.0}, "cost must be"),
        ({"max_centres": 2}, "max_centres=2 cannot hold one"),
    ],
)
def test_settings_outside_their_range_are_refused(settings: dict[str, Any], words: str):
    X, y = rings(seed=10)
    with pytest.raises(ParameterError, match=words):
        KernelLogistic(**settings).fit(X, y)


def test_arrays_with_an_impossible_width_are_refused():
    X, y = rings(seed=11)
    model = KernelLogistic().fit(X, y)
    with pytest.raises(ArtifactError, match="gamma of a kernel logistic regression"):
        KernelLogistic.from_arrays({**model.to_arrays(), "gamma": np.asarray(-1.0)})
