"""Random forest: grown by scikit-learn, kept and evaluated as flat arrays."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Classifier
from myograph.models.budget import spread_rows

__all__ = ["RandomForest"]


@MODELS.register("random-forest")
class RandomForest(Classifier):
    """Trees grown on resampled windows; the probability is the mean over their leaves.

    All trees lie end to end in flat arrays, one entry per node, children after their parent.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest training windows in a leaf.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    seed : int
        Same seed, same forest.

    References
    ----------
    breiman2001
    """

    state = ("feature_", "threshold_", "left_", "right_", "leaf_", "proba_", "root_")
    uses_groups = True

    feature_: NDArray[np.int32]
    threshold_: NDArray[np.float64]
    left_: NDArray[np.int32]
    right_: NDArray[np.int32]
    leaf_: NDArray[np.int32]
    proba_: NDArray[np.float64]
    root_: NDArray[np.int32]

    def __init__(
        self,
        *,
        n_trees: int = 100,
        min_leaf: int = 1,
        max_windows: int | None = 5000,
        seed: int = 0,
    ) -> None:
        self.n_trees = n_trees
        self.min_leaf = min_leaf
        self.max_windows = max_windows
        self.seed = seed

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        n_trees = check_count(self.n_trees, name="n_trees")
        min_leaf = check_count(self.min_leaf, name="min_leaf")
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        forest = RandomForestClassifier(n_trees, min_samples_leaf=min_leaf, random_state=self.seed)
        forest.fit(X[rows], codes[rows])
        self._flatten(forest)

    def _flatten(self, forest: RandomForestClassifier) -> None:
        trees = [member.tree_ for member in forest.estimators_]
        counts = [tree.node_count for tree in trees]
        self.root_ = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)
        base = np.repeat(self.root_, counts)
        itself = np.arange(len(base), dtype=np.int32)
        left = np.concatenate([tree.children_left for tree in trees])
        right = np.concatenate([tree.children_right for tree in trees])
        inner = left >= 0
        self.left_ = np.where(inner, left + base, itself).astype(np.int32)
        self.right_ = np.where(inner, right + base, itself).astype(np.int32)
        feature = np.concatenate([tree.feature for tree in trees])
        self.feature_ = np.where(inner, feature, 0).astype(np.int32)
        threshold = np.concatenate([tree.threshold for tree in trees])
        self.threshold_ = np.where(inner, threshold, 0.0)
        self.leaf_ = np.where(inner, -1, np.cumsum(~inner) - 1).astype(np.int32)
        values = np.concatenate([tree.value[:, 0, :] for tree in trees])[~inner]
        # The library names classes by what it saw, which are the codes in their order.
        self.proba_ = np.zeros((len(values), len(self.classes_)))
        self.proba_[:, forest.classes_] = values / values.sum(axis=1, keepdims=True)

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        # Single precision, because the thresholds were chosen between such values.
        single = np.ascontiguousarray(X, dtype=np.float32)
        out = np.zeros((len(X), self.proba_.shape[1]))
        nodes = (self.feature_, self.threshold_, self.left_, self.right_, self.leaf_)
        _walk(single, nodes, self.root_, self.proba_, out)
        return out / len(self.root_)

    def _check_state(self) -> None:
        n_nodes, n_leaves = len(self.feature_), len(self.proba_)
        for name in ("feature_", "left_", "right_", "leaf_"):
            self._expect(name, n_nodes, kind="i")
        self._expect("threshold_", n_nodes)
        self._expect("proba_", n_leaves, len(self.classes_))
        self._expect("root_", len(self.root_), kind="i")
        itself = np.arange(n_nodes)
        is_leaf = self.leaf_ >= 0
        inside = (
            ((self.left_ == itself) == is_leaf).all()
            and ((self.right_ == itself) == is_leaf).all()
            and (np.stack([self.left_, self.right_]) >= itself).all()
            and max(self.left_.max(), self.right_.max(), self.root_.max()) < n_nodes
            and self.root_.min() >= 0
            and self.leaf_.max() < n_leaves
            and 0 <= self.feature_.min() <= self.feature_.max() < self.n_features_in_
        )
        if not inside:
            raise ArtifactError("The trees of a random forest point outside the forest.")


@numba.njit(cache=True, nogil=True)
def _walk(
    X: NDArray[np.float32],
    nodes: tuple[NDArray[Any], ...],
    root: NDArray[np.int32],
    proba: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Add the leaf that each row of ``X`` reaches in each tree to its row of ``out``."""
    feature, threshold, left, right, leaf = nodes
    for start in root:  # one tree at a time: it stays in the processor's cache
        for row in range(X.shape[0]):
            node = start
            while leaf[node] < 0:
                goes_left = X[row, feature[node]] <= threshold[node]
                node = left[node] if goes_left else right[node]
            for k in range(proba.shape[1]):
                out[row, k] += proba[leaf[node], k]
