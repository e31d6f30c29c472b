"""Forests: grown by scikit-learn or on bins of our own, kept and evaluated as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from myograph.core.checks import check_choice, check_count
from myograph.core.dial import whole
from myograph.models.base import MODELS, Classifier, Regressor
from myograph.models.budget import spread_rows
from myograph.models.growing import Growth, grow_forest
from myograph.models.trees import NODES, GrownTree, TreeState

__all__ = ["ExtraTrees", "ExtraTreesRegression", "RandomForest", "RandomForestRegression"]


class _Forest(TreeState, Classifier):
    """A classifier whose probability is the mean over the leaves of its trees."""

    space = (whole("min_leaf", 1, 50, log=True),)
    state = (*NODES, "proba_")
    uses_groups = True
    _grower: ClassVar[type[Any]]

    proba_: NDArray[np.float64]

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

    @property
    def votes(self) -> int:
        """How many trees a fitted forest has."""
        return len(self.root_)

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        n_trees = check_count(self.n_trees, name="n_trees")
        min_leaf = check_count(self.min_leaf, name="min_leaf")
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        trees, seen = self._grow(X[rows], codes[rows], n_trees, min_leaf)
        values = self._keep_nodes(trees)
        self.proba_ = np.zeros((len(values), len(self.classes_)))
        self.proba_[:, seen] = values / values.sum(axis=1, keepdims=True)

    def _grow(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], n_trees: int, min_leaf: int
    ) -> tuple[list[GrownTree], NDArray[np.intp]]:
        """Return the trees, and the classes that their values are about."""
        forest = self._grower(n_trees, min_samples_leaf=min_leaf, random_state=self.seed)
        forest.fit(X, codes)
        return _grown(forest.estimators_), forest.classes_

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        # Single precision, because the thresholds were chosen between such values.
        return self._walked(X.astype(np.float32), self.proba_) / len(self.root_)

    def _check_state(self) -> None:
        self._expect("proba_", len(self.proba_), len(self.classes_))
        self._check_nodes(n_leaves=len(self.proba_), n_features=self.n_features_in_)


@MODELS.register("random-forest")
class RandomForest(_Forest):
    """Trees grown on resampled windows; the probability is the mean over their leaves.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest training windows in a leaf.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    seed : int
        Same seed, same forest.
    splits : str
        ``"exact"``: grown by scikit-learn, a threshold may lie between any two windows.
        ``"binned"``: grown several times sooner by `myograph.models.growing`, a threshold may lie
        between any two of 256 equal shares of the windows. As accurate, but another forest.

    References
    ----------
    breiman2001
    """

    _grower = RandomForestClassifier

    def __init__(
        self,
        *,
        n_trees: int = 100,
        min_leaf: int = 1,
        max_windows: int | None = 5000,
        seed: int = 0,
        splits: Literal["exact", "binned"] = "exact",
    ) -> None:
        super().__init__(n_trees=n_trees, min_leaf=min_leaf, max_windows=max_windows, seed=seed)
        self.splits = splits

    def _grow(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], n_trees: int, min_leaf: int
    ) -> tuple[list[GrownTree], NDArray[np.intp]]:
        if check_choice(self.splits, ("exact", "binned"), name="splits") == "exact":
            return super()._grow(X, codes, n_trees, min_leaf)
        seen, places = np.unique(codes, return_inverse=True)
        tried = max(1, int(np.sqrt(X.shape[1])))
        return grow_forest(X, places, Growth(n_trees, min_leaf, tried, self.seed)), seen


@MODELS.register("extra-trees")
class ExtraTrees(_Forest):
    """Trees whose thresholds are drawn by chance: more varied than a random forest, and faster.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest training windows in a leaf.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    seed : int
        Same seed, same trees.

    References
    ----------
    geurts2006
    """

    _grower = ExtraTreesClassifier


class _ForestRegression(TreeState, Regressor):
    """A regressor whose estimate is the mean over the leaves of its trees."""

    space = (whole("min_leaf", 1, 50, log=True),)
    state = (*NODES, "level_")
    uses_groups = True
    _grower: ClassVar[type[Any]]

    level_: NDArray[np.float64]

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
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        n_trees = check_count(self.n_trees, name="n_trees")
        min_leaf = check_count(self.min_leaf, name="min_leaf")
        rows, self.notes_ = spread_rows(np.zeros_like(people), people, most=self.max_windows)
        forest = self._grower(n_trees, min_samples_leaf=min_leaf, random_state=self.seed)
        forest.fit(X[rows], y[rows])
        self.level_ = self._keep_nodes(_grown(forest.estimators_))

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = self._walked(X.astype(np.float32), self.level_)[:, 0]
        return sums / len(self.root_)

    def _check_state(self) -> None:
        self._expect("level_", len(self.level_), 1)
        self._check_nodes(n_leaves=len(self.level_), n_features=self.n_features_in_)


@MODELS.register("random-forest-regression")
class RandomForestRegression(_ForestRegression):
    """A random forest that estimates a number: the mean over the leaves of its trees.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest training windows in a leaf.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people. None takes all.
    seed : int
        Same seed, same forest.

    References
    ----------
    breiman2001
    """

    _grower = RandomForestRegressor


@MODELS.register("extra-trees-regression")
class ExtraTreesRegression(_ForestRegression):
    """Trees with thresholds drawn by chance that estimate a number.

    Parameters
    ----------
    n_trees : int
    min_leaf : int
        Fewest training windows in a leaf.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people. None takes all.
    seed : int
        Same seed, same trees.

    References
    ----------
    geurts2006
    """

    _grower = ExtraTreesRegressor


def _grown(members: Sequence[Any]) -> list[GrownTree]:
    trees = [member.tree_ for member in members]
    return [
        GrownTree(
            tree.children_left,
            tree.children_right,
            tree.feature,
            tree.threshold,
            tree.value[:, 0, :],
        )
        for tree in trees
    ]
