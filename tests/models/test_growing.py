"""Forests on bins: nothing lost where values are few, as accurate as the library's elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from myograph.core.errors import ParameterError
from myograph.models import growing
from myograph.models.forest import RandomForest
from myograph.models.growing import Binned, Growth, grow_forest


def blobs(rng, n_rows: int, *, apart: float = 1.5, n_features: int = 12):
    y = rng.choice(4, size=n_rows)
    return rng.standard_normal((n_rows, n_features)) + apart * np.eye(4, n_features)[y], y


def answers(trees, X):
    """Walk the trees in plain Python, one row at a time."""
    X = X.astype(np.float32)
    told = np.zeros((len(X), trees[0].values.shape[1]))
    for tree in trees:
        for row, x in enumerate(X):
            node = 0
            while tree.left[node] >= 0:
                goes_left = x[tree.feature[node]] <= tree.threshold[node]
                node = (tree.left if goes_left else tree.right)[node]
            told[row] += tree.values[node] / tree.values[node].sum()
    return told / len(trees)


def test_bins_keep_the_order_and_every_value_where_values_are_few(rng):
    X = rng.integers(0, 200, (3000, 2)).astype(np.float64)
    cut = Binned.of(X)
    for k in range(2):
        values = np.unique(X[:, k])
        assert len(cut.edges[k]) == len(values) - 1
        np.testing.assert_array_equal(values[cut.codes[:, k]], X[:, k])


def test_bins_hold_equal_shares_where_values_are_many(rng):
    X = np.exp(rng.standard_normal((20_000, 1)))
    cut = Binned.of(X)
    counts = np.bincount(cut.codes[:, 0], minlength=256)
    assert counts.min() >= 20_000 // 256 - 2
    assert counts.max() <= 20_000 // 256 + 2
    order = np.argsort(X[:, 0], kind="stable")
    assert (np.diff(cut.codes[order, 0].astype(int)) >= 0).all()


def test_one_value_makes_half_of_the_rows():
    X = np.concatenate([np.zeros(5000), np.linspace(1, 2, 5000)])[:, None]
    cut = Binned.of(X)
    assert (cut.codes[:5000] == 0).all()
    assert (cut.codes[5000:] > 0).all()
    assert len(cut.edges[0]) > 100


def test_a_tree_without_a_last_word_fits_what_it_was_given(rng):
    X, y = blobs(rng, 500)
    trees = grow_forest(X, y, Growth(1, 1, X.shape[1], 0))
    in_bag = answers(trees, X).argmax(axis=1) == y
    assert in_bag.mean() > 0.75  # a third of the rows was not drawn
    for tree in trees:
        inner = tree.left >= 0
        np.testing.assert_array_equal(
            tree.values[inner], tree.values[tree.left[inner]] + tree.values[tree.right[inner]]
        )
        shown = (tree.values[~inner] > 0).sum(axis=1)
        assert (shown == 1).all()
        assert tree.values[0].sum() == len(X)


@pytest.mark.parametrize("n_rows", [30, 250])
def test_one_cut_is_enough_where_one_is(n_rows: int, rng):
    X = rng.permutation(n_rows).astype(np.float64)[:, None]
    trees = grow_forest(X, (X[:, 0] > 0.6 * n_rows).astype(int), Growth(20, 1, 1, 3))
    assert all(len(tree.left) == 3 for tree in trees)
    assert all(abs(tree.threshold[0] - 0.6 * n_rows) < 0.15 * n_rows for tree in trees)


def purest(column, weights, y, least):
    """Try every cut between two values: the purity of the best."""
    best = -1.0
    for value in np.unique(column)[:-1]:
        sides = [(column <= value), (column > value)]
        if min(weights[side].sum() for side in sides) < least:
            continue
        counts = [np.bincount(y[side], weights[side]) for side in sides]
        best = max(best, sum((each**2).sum() / each.sum() for each in counts))
    return best


@pytest.mark.parametrize("n", [growing._FEW, 35, growing._SOME])
def test_the_cut_is_the_best_of_all_counted_or_put_in_order(n: int, rng):
    X, y = blobs(rng, n)
    X = np.round(X, 1)  # some values repeat
    X[:, 3] = 7.0
    rows = np.zeros((n, 16), np.uint8)
    rows[:, :12] = Binned.of(X).codes
    weights = rng.integers(1, 4, n).astype(np.int32)
    bag, span = (rows, weights, y.astype(np.int32)), (0, n)
    total = np.bincount(y, weights, minlength=4).astype(np.int64)
    parts = 1 / np.maximum(np.arange(3 * n + 1), 1)
    room = (
        np.zeros((1, 256, 8), np.int32),
        np.zeros(4, np.int64),
        np.zeros(growing._SOME, np.int64),
        np.zeros(256, np.int64),
        parts,
    )
    for feature in range(12):
        growing._count(bag, span, np.array([feature], np.uint64), 3, room[0])
        counted = growing._best_cut(room[0][0], total, 3, room)
        assert not room[0].any()
        growing._in_order(bag, span, np.uint64(feature), room)
        assert (np.diff(room[2][:n] >> 16) >= 0).all()
        assert counted == growing._best_cut_in_order(bag, span, total, 3, room)
        assert counted[0] == pytest.approx(purest(X[:, feature], weights, y, 3))
        assert counted[2] == (feature != 3)


def test_as_accurate_as_the_librarys_on_rows_it_has_not_seen(rng):
    X, y = blobs(rng, 1500)
    new, truth = blobs(rng, 3000)
    library = RandomForestClassifier(60, random_state=0).fit(X, y).predict(new) == truth
    ours = RandomForest(n_trees=60, splits="binned").fit(X, y).predict(new) == truth
    assert abs(library.mean() - ours.mean()) < 0.02
    assert (library == ours).mean() > 0.9


def test_the_arrays_walk_as_the_trees_do(rng):
    X, y = blobs(rng, 300)
    model = RandomForest(n_trees=7, splits="binned", seed=5).fit(X, y)
    trees = grow_forest(X, y, Growth(7, 1, 3, 5))
    np.testing.assert_allclose(model.predict_proba(X), answers(trees, X), atol=1e-12)
    again = RandomForest.from_arrays(model.to_arrays(), **model.get_params())
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_leaves_hold_as_many_rows_as_asked_for(rng):
    X, y = blobs(rng, 400)
    for tree in grow_forest(X, y, Growth(5, 20, 3, 0)):
        leaves = tree.left < 0
        assert tree.values[leaves].sum(axis=1).min() >= 20


def test_same_seed_same_forest_and_another_another(rng):
    X, y = blobs(rng, 200)
    one, two, other = (grow_forest(X, y, Growth(2, 1, 3, seed)) for seed in (4, 4, 5))
    assert all(np.array_equal(a.threshold, b.threshold) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].threshold, other[0].threshold)


def test_features_that_never_vary_are_passed_over(rng):
    X, y = blobs(rng, 200, n_features=4)
    X = np.concatenate([np.ones((200, 20)), X], axis=1)
    for tree in grow_forest(X, y, Growth(4, 1, 2, 0)):
        assert len(tree.left) > 20
        assert (tree.feature[tree.left >= 0] >= 20).all()
    alone = grow_forest(np.ones((200, 3)), y, Growth(2, 1, 2, 0))
    assert all(len(tree.left) == 1 for tree in alone)


def test_another_way_to_split_is_refused(rng):
    with pytest.raises(ParameterError, match="splits must be one of"):
        RandomForest(splits="fast").fit(*blobs(rng, 50))
