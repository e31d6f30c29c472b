"""Decision trees as flat arrays: kept, checked and walked by compiled code, whoever grew them.

All trees lie end to end, one entry per node, children after their parent. A row goes left where
its value is at most the threshold. Walking them costs microseconds a row, where the libraries that
grew them need milliseconds for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ArtifactError
from myograph.core.saved import SavedAsArrays

__all__ = ["NODES", "GrownTree", "TreeState", "join_trees", "walk"]

#: Names of the arrays of a forest besides what its leaves say.
NODES = ("feature_", "threshold_", "left_", "right_", "leaf_", "root_")


@dataclass(frozen=True, slots=True, eq=False)
class GrownTree:
    """One tree as a library grew it; children count from 0 and are below 0 at leaves.

    Parameters
    ----------
    left, right, feature : ndarray of int, shape (n_nodes,)
    threshold : ndarray, shape (n_nodes,)
        A row goes left where its value is at most this.
    values : ndarray, shape (n_nodes, n_outputs)
        What each node says; only what leaves say is kept.
    """

    left: NDArray[Any]
    right: NDArray[Any]
    feature: NDArray[Any]
    threshold: NDArray[Any]
    values: NDArray[Any]


class TreeState(SavedAsArrays):
    """The nodes of a model that is made of trees; mixed into models that name `NODES`."""

    feature_: NDArray[np.int32]
    threshold_: NDArray[np.float64]
    left_: NDArray[np.int32]
    right_: NDArray[np.int32]
    leaf_: NDArray[np.int32]
    root_: NDArray[np.int32]

    def _keep_nodes(self, trees: Sequence[GrownTree]) -> NDArray[np.float64]:
        """Set the arrays of `NODES`, and return what the leaves say, (n_leaves, n_outputs)."""
        nodes, values = join_trees(trees)
        for name, array in nodes.items():
            setattr(self, name, array)
        return values

    def _walked(self, rows: NDArray[Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of what the trees say about each row, shape (n_rows, n_outputs)."""
        out = np.zeros((len(rows), values.shape[1]))
        nodes = (self.feature_, self.threshold_, self.left_, self.right_, self.leaf_)
        walk(np.ascontiguousarray(rows), nodes, self.root_, values, out)
        return out

    def _check_nodes(self, *, n_leaves: int, n_features: int) -> None:
        """Refuse nodes of the wrong shape, or that lead outside or in a circle."""
        for name in ("feature_", "left_", "right_", "leaf_"):
            self._expect(name, len(self.feature_), kind="i")
        self._expect("threshold_", len(self.feature_))
        self._expect("root_", len(self.root_), kind="i")
        itself = np.arange(len(self.feature_))
        is_leaf = self.leaf_ >= 0
        inside = (
            len(itself) > 0
            and len(self.root_) > 0
            and ((self.left_ == itself) == is_leaf).all()
            and ((self.right_ == itself) == is_leaf).all()
            and (np.stack([self.left_, self.right_]) >= itself).all()
            and max(self.left_.max(), self.right_.max(), self.root_.max()) < len(itself)
            and self.root_.min() >= 0
            and self.leaf_.max() < n_leaves
            and 0 <= self.feature_.min() <= self.feature_.max() < n_features
        )
        if not inside:
            raise ArtifactError(f"The trees of {type(self).__name__} point outside the forest.")


def join_trees(
    trees: Sequence[GrownTree],
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float64]]:
    """Lay trees end to end.

    Returns
    -------
    nodes : dict
        The arrays of `NODES`. A leaf is its own child, on both sides.
    values : ndarray, shape (n_leaves, n_outputs)
    """
    counts = [len(tree.left) for tree in trees]
    root = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)
    base = np.repeat(root, counts)
    itself = np.arange(len(base), dtype=np.int32)
    left = np.concatenate([tree.left for tree in trees]).astype(np.int64)
    right = np.concatenate([tree.right for tree in trees]).astype(np.int64)
    inner = left >= 0
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees]).astype(np.float64)
    nodes = {
        "feature_": np.where(inner, feature, 0).astype(np.int32),
        "threshold_": np.where(inner, threshold, 0.0),
        "left_": np.where(inner, left + base, itself).astype(np.int32),
        "right_": np.where(inner, right + base, itself).astype(np.int32),
        "leaf_": np.where(inner, -1, np.cumsum(~inner) - 1).astype(np.int32),
        "root_": root,
    }
    values = np.concatenate([tree.values for tree in trees])[~inner]
    return nodes, np.ascontiguousarray(values, dtype=np.float64)


@numba.njit(cache=True, nogil=True)
def walk(
    X: NDArray[Any],
    nodes: tuple[NDArray[Any], ...],
    root: NDArray[np.int32],
    values: NDArray[np.float64],
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
            for k in range(values.shape[1]):
                out[row, k] += values[leaf[node], k]
