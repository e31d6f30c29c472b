"""From predictions to figures: people first, exact counts for cases, repetitions for one person."""

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from myograph.core.windows import WindowIndex
from myograph.validate.scores import Scorer, _resampled_areas
from myograph.validate.stats import exact_interval, resample


def scorer(index, classes, *, n_resamples=500):
    return Scorer(index, classes, method="mean-log-probability", seed=0, n_resamples=n_resamples)


def certain(labels, classes):
    """Probabilities of 1 for these labels."""
    return np.eye(len(classes))[[classes.index(label) for label in labels]]


def test_people_count_alike_however_many_windows_they_have():
    index = WindowIndex.of(
        12, subject=["a"] * 2 + ["b"] * 10, start_s=0.0, stop_s=1.0, label=list("xy" * 6)
    )
    said = list("xy") + list("y" * 10)  # a: all right; b: half right
    scores = scorer(index, ("x", "y")).score(certain(said, ["x", "y"]))
    np.testing.assert_allclose(scores.per_person["accuracy"], [1.0, 0.5])
    assert scores.figures["accuracy"].value == pytest.approx(0.75)
    assert scores.confusion.tolist() == [[1, 5], [0, 6]]


def test_estimates_are_about_people(make_index):
    index = make_index(people=9)
    random = np.random.default_rng(0)
    proba = random.dirichlet([1, 1, 1], len(index))
    judge = scorer(index, ("fist", "open", "rest"))
    estimates = judge.estimates(judge.score(proba).figures)
    assert set(estimates) == {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "roc_auc",
        "pr_auc",
    }
    for name, estimate in estimates.items():
        assert (estimate.evidence, estimate.n) == ("person", 9), name
        assert 0 <= estimate.low < estimate.value < estimate.high <= 1
    assert judge.headline == "accuracy"
    assert judge.chance == pytest.approx(1 / 3)


def test_a_person_who_is_a_case_is_counted_once():
    people = np.repeat([f"p{k:02d}" for k in range(25)], 4)
    label = np.where(people < "p12", "ill", "well")
    index = WindowIndex.of(
        100, subject=people, recording=people, start_s=0.0, stop_s=1.0, label=label
    )
    said = label.copy()
    said[:8] = "well"  # two ill people are missed
    said[8::4] = np.where(said[8::4] == "ill", "well", "ill")  # one window in four is wrong
    judge = scorer(index, ("ill", "well"))
    scores = judge.score(0.8 * certain(said.tolist(), ["ill", "well"]) + 0.1)
    estimates = judge.estimates(scores.figures)
    assert judge.headline == "person_accuracy"
    headline = estimates["person_accuracy"]
    assert headline.value == pytest.approx(23 / 25)
    assert (headline.low, headline.high) == pytest.approx(exact_interval(23, 25))
    assert estimates["person_balanced_accuracy"].value == pytest.approx((10 / 12 + 1) / 2)
    recall = judge.estimates(scores.per_class["ill"])["recall"]
    assert (recall.n, recall.low) == (12, pytest.approx(exact_interval(10, 12).low))
    precision = judge.estimates(scores.per_class["well"])["precision"]
    assert (precision.n, precision.value) == (15, pytest.approx(13 / 15))
    assert estimates["accuracy"].value < 0.75
    assert scores.confusion.tolist() == [[10, 2], [0, 13]]


def test_one_person_is_judged_by_repetitions(make_index):
    index = make_index(people=1, trials=6)
    right = index.label.tolist()
    said = ["rest" if index.trial[k] in "12" else label for k, label in enumerate(right)]
    classes = ("fist", "open", "rest")
    judge = scorer(index, classes)
    scores = judge.score(certain(said, classes))
    accuracy = judge.estimate("accuracy", scores.figures["accuracy"])
    assert (accuracy.evidence, accuracy.n) == ("repetition", 6)
    assert accuracy.value == pytest.approx(
        np.mean([a == b for a, b in zip(said, right, strict=True)])
    )
    assert accuracy.low < accuracy.value < accuracy.high
    area = judge.estimate("roc_auc", scores.figures["roc_auc"])
    assert (area.low, area.high, area.n, area.evidence) == (0, 1, 1, "person")
    gain = judge.gain(scores.figures["accuracy"], scores.figures["accuracy"])
    assert (gain.low, gain.value, gain.high) == (0, 0, 0)


def test_gain_is_paired(make_index):
    index = make_index(people=10)
    random = np.random.default_rng(1)
    # People differ widely; the better model is better by the same little in everyone.
    skill = random.uniform(0.3, 0.9, 10)
    classes = ("fist", "open", "rest")
    truth = np.searchsorted(classes, index.label)
    owner = np.unique(index.subject, return_inverse=True)[1]
    rank = np.concatenate([random.permutation(45) / 45 for _ in range(10)])
    outputs = [
        np.eye(3)[np.where(rank < skill[owner] + bonus, truth, (truth + 1) % 3)]
        for bonus in (0.0, 0.1)
    ]
    judge = scorer(index, classes)
    worse, better = (judge.score(output).figures["accuracy"] for output in outputs)
    gain = judge.gain(better, worse)
    assert gain.value == pytest.approx(better.value - worse.value)
    assert gain.low > 0.05
    alone = judge.estimate("accuracy", better)
    assert gain.high - gain.low < (alone.high - alone.low) / 4


def test_numeric_targets(make_index):
    index = make_index(people=6)
    target = np.random.default_rng(0).normal(size=len(index))
    index = WindowIndex.of(len(index), subject=index.subject, start_s=0.0, stop_s=1.0, label=target)
    judge = scorer(index, ())
    scores = judge.score(target + 0.5)
    estimates = judge.estimates(scores.figures)
    assert judge.headline == "r2"
    assert judge.chance == 0.0
    assert estimates["mae"].value == pytest.approx(0.5)
    assert estimates["rmse"].high == pytest.approx(0.5)
    assert estimates["r2"].n == 6


def test_numeric_target_of_one_person(make_index):
    index = make_index(people=1, trials=8)
    target = np.random.default_rng(0).normal(size=len(index))
    index = WindowIndex.of(
        len(index),
        subject="a",
        session="1",
        trial=index.trial,
        start_s=0.0,
        stop_s=1.0,
        label=target,
    )
    judge = scorer(index, ())
    noisy = target + 0.3 * np.random.default_rng(1).normal(size=len(index))
    estimate = judge.estimate("r2", judge.score(noisy).figures["r2"])
    assert (estimate.evidence, estimate.n) == ("repetition", 8)
    assert estimate.value == pytest.approx(0.91, abs=0.05)
    assert 0 < estimate.high - estimate.low < 0.2


def test_undefined_figures_are_left_out():
    index = WindowIndex.of(4, subject=list("aabb"), start_s=0.0, stop_s=1.0, label=np.ones(4))
    judge = scorer(index, ())
    estimates = judge.estimates(judge.score(np.zeros(4)).figures)
    assert set(estimates) == {"mae", "rmse"}


def test_resampled_areas_are_those_of_the_resampled_people():
    random = np.random.default_rng(3)
    truth = random.integers(0, 2, 12)
    scores = np.round(random.uniform(size=(12, 2)), 1)
    counts = resample(12, seed=0, n_resamples=40)
    roc, precision = _resampled_areas(truth, scores, counts)
    for row, drawn in enumerate(counts.astype(int)):
        who = np.repeat(np.arange(12), drawn)
        if len(set(truth[who])) < 2:
            assert np.isnan(roc[row]).all()
            assert np.isnan(precision[row]).all()
            continue
        for k in range(2):
            inside, score = truth[who] == k, scores[who, k]
            assert roc[row, k] == pytest.approx(roc_auc_score(inside, score))
            assert precision[row, k] == pytest.approx(average_precision_score(inside, score))
    assert math.isfinite(float(np.nanmean(roc)))
