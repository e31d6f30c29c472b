from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge as ReferenceRidge

from myograph.core.errors import ParameterError
from myograph.models.linear import LDA, Ridge, ledoit_wolf


@pytest.fixture
def classes(rng: np.random.Generator):
    mixing = rng.standard_normal((6, 6))
    y = rng.choice(4, size=500, p=[0.1, 0.2, 0.3, 0.4])
    X = rng.standard_normal((500, 6)) @ mixing + 3 * rng.standard_normal((4, 6))[y]
    return X * [1, 100, 0.01, 1, 5, 1], np.array(["a", "b", "c", "d"])[y]


@pytest.mark.parametrize("shrinkage", ["auto", 0.0, 0.1, 0.9, 1.0])
@pytest.mark.parametrize("priors", ["empirical", "uniform"])
def test_lda_is_the_reference_lda(classes, shrinkage, priors):
    X, y = classes
    reference = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=shrinkage, priors=None if priors == "empirical" else [0.25] * 4
    ).fit(X, y)
    model = LDA(shrinkage=shrinkage, priors=priors).fit(X, y)
    # Only differences between classes mean anything: what all share cancels in the softmax.
    for name in ("coef_", "intercept_"):
        mine, theirs = getattr(model, name), getattr(reference, name)
        np.testing.assert_allclose(mine - mine[0], theirs - theirs[0], rtol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), reference.predict_proba(X), atol=1e-9)


def test_two_classes_on_a_line_meet_halfway():
    model = LDA(shrinkage=0.0).fit([[-1.0], [1.0], [9.0], [11.0]], ["low", "low", "high", "high"])
    # Means 0 and 10, variance 1: the log odds are 10 (x - 5), which is 1 at x = 5.1.
    np.testing.assert_allclose(model.predict_proba([[5.0]]), [[0.5, 0.5]])
    np.testing.assert_allclose(model.predict_proba([[5.1]])[0, 0], 1 / (1 + np.exp(-1)))


def test_the_unit_of_a_feature_does_not_matter(classes):
    X, y = classes
    volts = X * [1e-6, 1, 1, 1, 1, 1e6]
    np.testing.assert_allclose(
        LDA().fit(volts, y).predict_proba(volts), LDA().fit(X, y).predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("level", [0.0, 7.3, 1e9])
def test_a_feature_that_never_varies_keeps_what_the_others_say(classes, level: float):
    X, y = classes
    flat = np.column_stack([X, np.full(len(X), level)])
    alone = LDA(shrinkage=0.0).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        LDA(shrinkage=0.0).fit(flat, y).predict_proba(flat), alone, atol=1e-6
    )
    both = LDA().fit(flat, y).predict_proba(flat)
    assert (both.argmax(axis=1) == alone.argmax(axis=1)).mean() > 0.95


def test_a_class_with_one_window_is_learned():
    model = LDA().fit([[0.0, 0.0], [1.0, 0.5], [0.5, 1.0], [9.0, 9.0]], ["a", "a", "a", "b"])
    assert model.predict([[0.4, 0.4], [9.0, 9.0]]).tolist() == ["a", "b"]


@pytest.mark.parametrize("n_rows", [5, 50, 2000])
def test_ledoit_wolf_is_the_reference(rng: np.random.Generator, n_rows: int):
    X = rng.standard_normal((n_rows, 8)) @ rng.standard_normal((8, 8))
    X -= X.mean(axis=0)
    assert ledoit_wolf(X) == pytest.approx(ledoit_wolf_shrinkage(X, assume_centered=True))


def test_ledoit_wolf_without_variance_shrinks_nothing():
    assert ledoit_wolf(np.zeros((4, 3))) == 0.0


@pytest.mark.parametrize("shrinkage", [1.5, -0.1, "some"])
def test_a_shrinkage_outside_its_range(shrinkage):
    with pytest.raises(ParameterError, match="shrinkage must be"):
        LDA(shrinkage=shrinkage).fit([[0.0], [1.0]], ["a", "b"])


def test_unknown_priors():
    with pytest.raises(ParameterError, match=r"priors must be one of .* Did you mean 'uniform'"):
        LDA(priors="uniforms").fit([[0.0], [1.0]], ["a", "b"])  # type: ignore[arg-type]


@pytest.mark.parametrize("alpha", [0.0, 1.0, 1e4])
def test_ridge_is_the_reference_ridge(rng: np.random.Generator, alpha: float):
    X = rng.standard_normal((60, 5)) + 4
    y = X @ [1.0, -2.0, 0.0, 3.0, 0.5] + rng.standard_normal(60)
    reference = ReferenceRidge(alpha=alpha).fit(X, y)
    model = Ridge(alpha=alpha).fit(X, y)
    np.testing.assert_allclose(model.coef_, reference.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(model.predict(X), reference.predict(X), rtol=1e-8)


def test_ridge_with_more_features_than_windows(rng: np.random.Generator):
    X, y = rng.standard_normal((5, 20)), rng.standard_normal(5)
    np.testing.assert_allclose(Ridge(alpha=0.0).fit(X, y).predict(X), y, atol=1e-10)


def test_a_negative_alpha():
    with pytest.raises(ParameterError, match="alpha must be 0 or more; got -1"):
        Ridge(alpha=-1).fit([[0.0], [1.0]], [0.0, 1.0])
