"""Random forest: grown by scikit-learn, kept and evaluated as flat arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Classifier
from myograph.models.budget import spread_rows

__all__ = ["RandomForest"]

# Rows that walk down the trees together: their positions stay in the processor's cache.
_BLOCK = 512


@MODELS.register("random-forest")
class RandomForest(Classifier):
    """Trees grown on resampled windows; the probability is the mean over their leaves.

    All trees lie end to end in flat arrays, one entry per node. A leaf points to itself, so every
    row takes ``depth`` steps in every tree, all at once.

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

    state = ("feature_", "threshold_", "left_", "right_", "leaf_", "proba_", "root_", "depth_")
    uses_groups = True

    feature_: NDArray[np.int32]
    threshold_: NDArray[np.float64]
    left_: NDArray[np.int32]
    right_: NDArray[np.int32]
    leaf_: NDArray[np.int32]
    proba_: NDArray[np.float64]
    root_: NDArray[np.int32]
    depth_: NDArray[np.int64]

    def __init__(
        self,
        *,
        n_trees: int = 100,
        min_leaf: int = 1,
        max_windows: int | None = 20000,
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
        self.depth_ = np.asarray(max(tree.max_depth for tree in trees))

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        # Single precision, because the thresholds were chosen between such values.
        single = np.ascontiguousarray(X, dtype=np.float32)
        blocks = [single[start : start + _BLOCK] for start in range(0, len(X), _BLOCK)]
        return np.concatenate([self._walk(rows) for rows in blocks])

    def _walk(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = np.arange(len(X))[:, None]
        node = np.broadcast_to(self.root_, (len(X), len(self.root_)))
        for _ in range(int(self.depth_)):
            goes_left = X[rows, self.feature_[node]] <= self.threshold_[node]
            node = np.where(goes_left, self.left_[node], self.right_[node])
        return self.proba_[self.leaf_[node]].mean(axis=1)

    def _check_state(self) -> None:
        n_nodes, n_leaves = len(self.feature_), len(self.proba_)
        for name in ("feature_", "left_", "right_", "leaf_"):
            self._expect(name, n_nodes, kind="i")
        self._expect("threshold_", n_nodes)
        self._expect("proba_", n_leaves, len(self.classes_))
        self._expect("root_", len(self.root_), kind="i")
        self._expect("depth_", kind="i")
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
            and 0 < self.depth_ + 1 <= n_nodes
        )
        if not inside:
            raise ArtifactError("The trees of a random forest point outside the forest.")
