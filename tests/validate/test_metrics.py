"""Metrics: scikit-learn's values where all classes are there, defined values where they are not."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from myograph.validate.metrics import (
    CLASSIFICATION,
    METRICS,
    REGRESSION,
    average_precision,
    class_scores,
    confusion_counts,
    error_sums,
    nan_mean,
    regression_scores,
    roc_auc,
    scores_of_sums,
)


@st.composite
def predictions(draw):
    """Truth that shows every class, and probabilities with many ties."""
    n_classes = draw(st.integers(2, 5))
    n = draw(st.integers(n_classes, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate([np.arange(n_classes), random.integers(0, n_classes, n - n_classes)])
    raw = random.integers(1, draw(st.sampled_from([4, 1000])), (n, n_classes)).astype(float)
    return truth, raw / raw.sum(axis=1, keepdims=True)


@given(predictions())
@settings(max_examples=80, deadline=None)
def test_scores_are_those_of_scikit_learn(given_predictions):
    truth, proba = given_predictions
    named, n = proba.argmax(axis=1), proba.shape[1]
    confusion = confusion_counts(truth, named, n)
    np.testing.assert_array_equal(confusion, theirs.confusion_matrix(truth, named))
    scores = class_scores(confusion)
    precision, recall, f1, _ = theirs.precision_recall_fscore_support(
        truth, named, zero_division=0.0
    )
    np.testing.assert_allclose(scores.precision, precision)
    np.testing.assert_allclose(scores.recall, recall)
    np.testing.assert_allclose(scores.f1, f1)
    macro = scores.macro()
    assert macro["accuracy"] == pytest.approx(theirs.accuracy_score(truth, named))
    assert macro["balanced_accuracy"] == pytest.approx(theirs.balanced_accuracy_score(truth, named))
    for k in range(n):
        assert roc_auc(truth, proba)[k] == pytest.approx(
            theirs.roc_auc_score(truth == k, proba[:, k])
        )
        assert average_precision(truth, proba)[k] == pytest.approx(
            theirs.average_precision_score(truth == k, proba[:, k])
        )
    if n > 2:
        ours = nan_mean(roc_auc(truth, proba))
        assert ours == pytest.approx(theirs.roc_auc_score(truth, proba, multi_class="ovr"))


@given(
    n=st.integers(2, 50),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
@settings(max_examples=40, deadline=None)
def test_regression_is_that_of_scikit_learn(n, seed, scale):
    random = np.random.default_rng(seed)
    truth, estimate = scale * random.normal(2, 1, n), scale * random.normal(2, 1, n)
    ours = regression_scores(truth, estimate)
    assert ours["mae"] == pytest.approx(theirs.mean_absolute_error(truth, estimate))
    assert ours["rmse"] == pytest.approx(theirs.root_mean_squared_error(truth, estimate))
    assert ours["r2"] == pytest.approx(theirs.r2_score(truth, estimate))
    half = n // 2
    sums = error_sums(truth[:half], estimate[:half]) + error_sums(truth[half:], estimate[half:])
    for name, value in scores_of_sums(sums).items():
        assert float(value) == pytest.approx(ours[name], rel=1e-6)


def test_absent_classes():
    # Class 0: true, named. 1: true, never named. 2: named, never true. 3: neither.
    scores = class_scores(np.array([[3, 0, 1, 0], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    np.testing.assert_allclose(scores.precision, [3 / 5, 0, 0, np.nan])
    np.testing.assert_allclose(scores.recall, [3 / 4, 0, np.nan, np.nan])
    np.testing.assert_allclose(scores.f1, [6 / 9, 0, 0, np.nan])
    macro = scores.macro()
    assert macro["balanced_accuracy"] == pytest.approx(3 / 8)
    assert macro["f1"] == pytest.approx(2 / 9)
    assert macro["precision"] == pytest.approx(1 / 5)


def test_stacks_are_scored_matrix_by_matrix(rng):
    stack = rng.integers(0, 9, (6, 3, 3))
    together = class_scores(stack)
    for k, matrix in enumerate(stack):
        alone = class_scores(matrix)
        assert together.accuracy[k] == alone.accuracy
        np.testing.assert_array_equal(together.f1[k], alone.f1)


def test_areas_of_absent_classes_are_undefined():
    truth = np.zeros(4, dtype=int)
    scores = np.full((4, 2), 0.5)
    assert np.isnan(roc_auc(truth, scores)).all()
    assert np.isnan(average_precision(truth, scores)).all()
    assert np.isnan(roc_auc(truth[:0], scores[:0])).all()
    assert math.isnan(nan_mean(roc_auc(truth, scores)))


def test_areas_of_known_orders():
    truth = np.array([0, 0, 1, 1])
    rising = np.array([0.1, 0.2, 0.3, 0.4])
    scores = np.stack([1 - rising, rising], axis=1)
    np.testing.assert_allclose(roc_auc(truth, scores), [1, 1])
    np.testing.assert_allclose(roc_auc(truth, scores[::-1]), [0, 0])
    np.testing.assert_allclose(average_precision(truth, scores), [1, 1])
    level = np.full((4, 2), 0.5)
    np.testing.assert_allclose(roc_auc(truth, level), [0.5, 0.5])
    np.testing.assert_allclose(average_precision(truth, level), [0.5, 0.5])


def test_areas_see_only_the_order(rng):
    truth = rng.integers(0, 3, 50)
    scores = rng.uniform(size=(50, 3))
    np.testing.assert_allclose(roc_auc(truth, scores), roc_auc(truth, np.exp(5 * scores)))
    np.testing.assert_allclose(
        average_precision(truth, scores), average_precision(truth, np.log(scores))
    )


def test_constant_targets_have_no_r2():
    scored = regression_scores(np.full(5, 0.1), np.full(5, 0.3))
    assert math.isnan(scored["r2"])
    assert scored["mae"] == pytest.approx(0.2)
    assert math.isnan(regression_scores(np.empty(0), np.empty(0))["mae"])
    sums = error_sums(np.full(5, 0.1), np.full(5, 0.3))
    assert math.isnan(scores_of_sums(sums)["r2"])


def test_every_metric_says_what_it_may_be():
    assert set(CLASSIFICATION) | set(REGRESSION) <= set(METRICS)
    assert not METRICS["rmse"].higher_is_better
    assert METRICS["r2"].bounds == (-math.inf, 1.0)
