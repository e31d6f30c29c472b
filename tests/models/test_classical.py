"""Models against the library that grew them, closed forms, and what makes each itself."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import Lasso as LibraryLasso
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVR as LibrarySVR

from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.models import build_model
from myograph.models.logistic import balance_weights

Data = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def rows(rng: np.random.Generator) -> Data:
    y = rng.choice(3, size=300)
    X = rng.standard_normal((300, 5)) + 1.5 * np.eye(3, 5)[y]
    return X, np.array(["a", "b", "c"])[y], rng.standard_normal((500, 5))


@pytest.fixture
def numbers(rng: np.random.Generator) -> Data:
    X = rng.standard_normal((200, 4))
    y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.1 * rng.standard_normal(200)
    return X, y, rng.standard_normal((300, 4))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_boosting_answers_as_the_library(rows: Data, n_classes: int):
    X, y, new = rows
    X, y = X[y != "c"] if n_classes == 2 else X, y[y != "c"] if n_classes == 2 else y
    library = HistGradientBoostingClassifier(max_iter=15, early_stopping=False, random_state=0).fit(
        X, y
    )
    model = build_model("gradient-boosting", n_rounds=15).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=1e-12)


def test_extra_trees_answer_as_the_library(rows: Data):
    X, y, new = rows
    library = ExtraTreesClassifier(20, random_state=2).fit(X, y)
    model = build_model("extra-trees", n_trees=20, seed=2).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("random-forest-regression", RandomForestRegressor(15, random_state=1)),
        ("extra-trees-regression", ExtraTreesRegressor(15, random_state=1)),
        (
            "gradient-boosting-regression",
            HistGradientBoostingRegressor(max_iter=15, early_stopping=False, random_state=1),
        ),
    ],
)
def test_trees_estimate_as_the_library(numbers: Data, name: str, library):
    X, y, new = numbers
    size = {"n_rounds": 15} if "boosting" in name else {"n_trees": 15}
    model = build_model(name, seed=1, **size).fit(X, y)
    np.testing.assert_allclose(model.predict(new), library.fit(X, y).predict(new), atol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_xgboost_answers_as_the_library(rows: Data, n_classes: int):
    xgboost = pytest.importorskip("xgboost")
    X, y, new = rows
    X, y = (X, y) if n_classes == 3 else (X[y != "c"], y[y != "c"])
    codes = np.unique(y, return_inverse=True)[1]
    library = xgboost.XGBClassifier(
        n_estimators=12,
        learning_rate=0.3,
        max_depth=4,
        reg_lambda=1.0,
        tree_method="hist",
        random_state=0,
    ).fit(X, codes)
    model = build_model("xgboost", n_rounds=12, most_depth=4).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=1e-5)


def test_xgboost_estimates_as_the_library(numbers: Data):
    xgboost = pytest.importorskip("xgboost")
    X, y, new = numbers
    library = xgboost.XGBRegressor(n_estimators=12, learning_rate=0.3, tree_method="hist").fit(X, y)
    model = build_model("xgboost-regression", n_rounds=12).fit(X, y)
    np.testing.assert_allclose(model.predict(new), library.predict(new), atol=1e-4)


def test_trees_decide_about_one_window_in_microseconds(rows: Data):
    X, y, new = rows
    model = build_model("random-forest", n_trees=50).fit(X, y)
    one = np.ascontiguousarray(new[:1])
    model._proba(one)  # compiled by now
    taken = []
    for _ in range(50):
        started = time.perf_counter()
        model._proba(one)
        taken.append(time.perf_counter() - started)
    assert min(taken) < 1e-3  # the library takes several milliseconds


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_are_the_librarys(rows: Data, weights: str):
    X, y, new = rows
    library = KNeighborsClassifier(7, weights=weights).fit(X, y)
    model = build_model("knn", n_neighbours=7, weights=weights).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=1e-9)


def test_a_window_that_was_learned_outweighs_other_neighbours(rows: Data):
    X, y, _ = rows
    model = build_model("knn", n_neighbours=5, weights="distance").fit(X, y)
    assert model.predict_proba(X[:1]).max() == 1.0
    assert model.predict(X[:20]).tolist() == y[:20].tolist()


def test_naive_bayes_answers_as_the_library(rows: Data):
    X, y, new = rows
    expected = GaussianNB().fit(X, y).predict_proba(new)
    model = build_model("naive-bayes").fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), expected, atol=1e-10)


def test_qda_without_shrinkage_answers_as_the_library(rows: Data):
    X, y, new = rows
    n = np.bincount(np.unique(y, return_inverse=True)[1])
    library = QuadraticDiscriminantAnalysis().fit(X, y)
    model = build_model("qda", shrinkage=0.0).fit(X, y)
    # The library divides by one less than the windows of the class.
    assert (n > 80).all()
    np.testing.assert_allclose(model.predict_proba(new), library.predict_proba(new), atol=0.02)
    assert (model.predict(new) == library.predict(new)).mean() > 0.99


def test_qda_does_not_depend_on_units(rows: Data):
    X, y, new = rows
    units = np.array([1e-6, 1.0, 1e3, 1e6, 1.0])
    plain = build_model("qda").fit(X, y).predict_proba(new)
    scaled = build_model("qda").fit(X * units, y).predict_proba(new * units)
    np.testing.assert_allclose(plain, scaled, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_answers_as_the_library(rows: Data, n_classes: int):
    X, y, new = rows
    X, y = (X, y) if n_classes == 3 else (X[y != "c"], y[y != "c"])
    centre, scale = X.mean(axis=0), X.std(axis=0)
    library = LogisticRegression(C=0.5, max_iter=1000).fit((X - centre) / scale, y)
    expected = library.predict_proba((new - centre) / scale)
    model = build_model("logistic", cost=0.5).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(new), expected, atol=1e-6)


def test_weights_of_people_do_not_depend_on_how_many_windows_they_have():
    codes = np.array([0, 0, 0, 0, 1, 1])
    people = np.array([0, 0, 0, 1, 0, 1])
    weights = balance_weights(codes, people, by="people")
    assert weights.mean() == pytest.approx(1.0)
    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights[codes == 0].sum() == pytest.approx(weights[codes == 1].sum())


def test_a_logistic_that_did_not_settle_says_so(rows: Data):
    X, y, _ = rows
    assert "had not settled after 1 step" in build_model("logistic", most=1).fit(X, y).notes_[0]


def test_the_lasso_is_the_librarys_and_leaves_features_out(numbers: Data):
    X, y, new = numbers
    centre, scale = X.mean(axis=0), X.std(axis=0)
    library = LibraryLasso(alpha=0.1).fit((X - centre) / scale, (y - y.mean()) / y.std())
    expected = library.predict((new - centre) / scale) * y.std() + y.mean()
    model = build_model("lasso", alpha=0.1).fit(X, y)
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-9)
    assert (model.coef_[2:] == 0).all()


@pytest.mark.parametrize("sharpness", [0.0, 1.5])
def test_a_sharpness_outside_its_range_is_refused(numbers: Data, sharpness: float):
    with pytest.raises(ParameterError, match="sharpness must be above 0"):
        build_model("lasso", sharpness=sharpness).fit(*numbers[:2])


@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_svr_estimates_as_the_library(numbers: Data, kernel: str):
    X, y, new = numbers
    gamma = 1 / (4 * X.var())
    library = LibrarySVR(kernel=kernel, C=2.0, epsilon=0.1, gamma=gamma)
    library.fit(X, (y - y.mean()) / y.std())
    model = build_model("svr", kernel=kernel, cost=2.0).fit(X, y)
    expected = library.predict(new) * y.std() + y.mean()
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-9)


def test_an_svr_within_its_tolerance_answers_its_level(numbers: Data):
    X, y, new = numbers
    model = build_model("svr", tolerance=100.0).fit(X, y)
    assert len(model.vectors_) == 0
    assert np.ptp(model.predict(new)) == 0


def test_a_gaussian_process_is_the_librarys_with_its_deviation(numbers: Data):
    X, y, new = (part[:60] for part in numbers)
    model = build_model("gaussian-process").fit(X, y)
    level, spread, gamma, variance, noise = model.scales_
    kernel = ConstantKernel(variance) * RBF(np.sqrt(0.5 / gamma)) + WhiteKernel(noise)
    library = GaussianProcessRegressor(kernel, optimizer=None).fit(X, (y - level) / spread)
    mean, deviation = library.predict(new, return_std=True)
    np.testing.assert_allclose(model.predict(new), mean * spread + level, atol=1e-8)
    np.testing.assert_allclose(model.deviation(new), deviation * spread, atol=1e-8)


def cohort(rng: np.random.Generator, *, between: float, n_people: int = 30, n: int = 20) -> Data:
    people = np.repeat(np.arange(n_people), n)
    level = between * rng.standard_normal(n_people)
    X = rng.standard_normal((len(people), 2)) + 0.8 * level[people, None]
    y = 2 * X[:, 0] + 1 + level[people] + 0.5 * rng.standard_normal(len(people))
    return X, y, people


def test_mixed_effects_find_the_slope_that_levels_of_people_hide(rng):
    X, y, people = cohort(rng, between=3.0)
    model = build_model("mixed-effects").fit(X, y, groups=people)
    assert model.coef_ == pytest.approx([2.0, 0.0], abs=0.1)
    assert np.sqrt(model.variances_) == pytest.approx([3.0, 0.5], rel=0.35)
    blind = build_model("ridge", alpha=0.0).fit(X, y)
    assert abs(blind.coef_.sum() - 2.0) > 0.3


def test_mixed_effects_of_one_person_are_least_squares(rng):
    X, y, people = cohort(rng, between=1.0, n_people=1, n=80)
    model = build_model("mixed-effects").fit(X, y, groups=people)
    plain = build_model("ridge", alpha=0.0).fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-9)
    assert model.variances_[0] == 0


def test_mixed_effects_reach_the_likelihood_that_a_dense_computation_gives(rng):
    X, y, people = cohort(rng, between=1.0, n_people=6, n=7)
    model = build_model("mixed-effects").fit(X, y, groups=people)

    def deviance(between: float, within: float) -> float:
        covariance = between * (people[:, None] == people) + within * np.eye(len(y))
        design = np.column_stack([np.ones(len(y)), X])
        inverse = np.linalg.inv(covariance)
        information = design.T @ inverse @ design
        left = y - design @ np.linalg.solve(information, design.T @ inverse @ y)
        logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1]
        return float(logs + left @ inverse @ left)

    between, within = model.variances_
    best = deviance(between, within)
    for a in (0.8, 1.25):
        assert best < deviance(a * between, within)
        assert best < deviance(between, a * within)


def test_mixed_effects_know_the_level_of_the_people_they_learned_from(rng):
    X, y, people = cohort(rng, between=3.0)
    model = build_model("mixed-effects").fit(X, y, groups=people)
    known = model.estimate_known(X, people)
    assert np.std(y - known) < 0.6 < np.std(y - model.predict(X))
    with pytest.raises(DataError, match=r"People \['nobody'\] were not learned from"):
        model.estimate_known(X[:1], ["nobody"])


def test_means_of_an_mdm_ignore_a_mixture_of_channels(rng):
    X = rng.standard_normal((60, 3, 80)) * np.repeat([[1, 1, 3], [3, 1, 1]], 30, axis=0)[..., None]
    y = np.repeat(["a", "b"], 30)
    mixing = rng.standard_normal((3, 3)) + 2 * np.eye(3)
    plain = build_model("mdm", metric="riemann", shrinkage="none").fit(X, y).predict_proba(X)
    mixed = mixing @ X
    other = build_model("mdm", metric="riemann", shrinkage="none").fit(mixed, y)
    np.testing.assert_allclose(other.predict_proba(mixed), plain, atol=1e-6)


def test_lags_let_covariances_see_spectra(rng):
    white = rng.standard_normal((80, 1, 200))
    smooth = white.copy()
    smooth[..., 1:] += white[..., :-1]
    X = np.concatenate([white, smooth / smooth.std() * white.std()])
    y = np.repeat(["white", "smooth"], 80)
    half = np.arange(160) % 2 == 0
    scores = [
        build_model("tangent-space", lags=lags).fit(X[half], y[half]).score(X[~half], y[~half])
        for lags in (0, 1)
    ]
    assert scores[0] < 0.7
    assert scores[1] > 0.95


def test_windows_shorter_than_lags_are_refused():
    with pytest.raises(DataError, match="too short for 5 lags"):
        build_model("mdm", lags=5).fit(np.ones((4, 2, 6)), ["a", "b"] * 2)


@pytest.mark.parametrize(
    ("name", "key", "value", "match"),
    [
        ("knn", "code", 9, "has no class"),
        ("qda", "scale", 0.0, "above 0"),
        ("naive-bayes", "variance", -1.0, "above 0"),
        ("gradient-boosting", "left", 10**6, "outside the forest"),
        ("gaussian-process", "scales", -1.0, "above 0"),
        ("svr", "gamma", -1.0, "above 0"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(rows: Data, numbers: Data, name, key, value, match):
    data = numbers if name in ("gaussian-process", "svr") else rows
    model = build_model(name).fit(data[0][:80], data[1][:80])
    arrays = {k: v.copy() for k, v in model.to_arrays().items()}
    arrays[key][...] = value
    with pytest.raises(ArtifactError, match=match):
        type(model).from_arrays(arrays)


def test_a_saved_boosted_model_is_plain_numbers(rows: Data):
    arrays = build_model("gradient-boosting", n_rounds=3).fit(*rows[:2]).to_arrays()
    json.dumps({key: array.tolist() for key, array in arrays.items()})
