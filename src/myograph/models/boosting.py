"""Boosted trees: grown by scikit-learn or XGBoost, kept and evaluated as flat arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from myograph.core.checks import check_count, check_non_negative, check_positive
from myograph.core.dial import Dial, real, whole
from myograph.core.optional import needs
from myograph.models.base import MODELS, Classifier, Regressor, softmax
from myograph.models.budget import spread_rows
from myograph.models.trees import NODES, GrownTree, TreeState

__all__ = [
    "GradientBoosting",
    "GradientBoostingRegression",
    "XGBoost",
    "XGBoostRegression",
]


class _Boosted(TreeState):
    """Trees that add up, from a level; `_grow` says which trees."""

    space: ClassVar[tuple[Dial, ...]] = (
        whole("n_rounds", 30, 300, log=True),
        real("rate", 0.02, 0.5, log=True),
        whole("most_leaves", 7, 127, log=True),
        whole("min_leaf", 5, 200, log=True),
        real("penalty", 1e-3, 10.0, log=True),
    )
    state = (*NODES, "value_", "level_")
    uses_groups = True

    #: What each leaf adds, to one of the outputs, shape (n_leaves, n_outputs).
    value_: NDArray[np.float64]
    #: Where each output starts, shape (n_outputs,).
    level_: NDArray[np.float64]

    def __init__(  # noqa: PLR0913 - settings of the model, by their names
        self,
        *,
        n_rounds: int = 100,
        rate: float = 0.1,
        most_leaves: int = 31,
        min_leaf: int = 20,
        penalty: float = 0.0,
        max_windows: int | None = 20_000,
        seed: int = 0,
    ) -> None:
        self.n_rounds = n_rounds
        self.rate = rate
        self.most_leaves = most_leaves
        self.min_leaf = min_leaf
        self.penalty = penalty
        self.max_windows = max_windows
        self.seed = seed

    def _settings(self) -> dict[str, Any]:
        return {
            "max_iter": check_count(self.n_rounds, name="n_rounds"),
            "learning_rate": check_positive(self.rate, name="rate"),
            "max_leaf_nodes": check_count(self.most_leaves, name="most_leaves", least=2),
            "min_samples_leaf": check_count(self.min_leaf, name="min_leaf"),
            "l2_regularization": check_non_negative(self.penalty, name="penalty"),
            "early_stopping": False,  # a part of the windows would not be a part of the people
            "random_state": self.seed,
        }

    def _keep(self, library: Any) -> None:
        rounds = library._predictors
        n_outputs = len(rounds[0])
        trees = [
            _of_histogram(grown.nodes, output, n_outputs)
            for members in rounds
            for output, grown in enumerate(members)
        ]
        self.value_ = self._keep_nodes(trees)
        self.level_ = np.asarray(library._baseline_prediction, dtype=np.float64).ravel()

    def _sums(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._walked(X, self.value_) + self.level_

    def _check_sums(self, n_outputs: int) -> None:
        self._expect("value_", len(self.value_), n_outputs)
        self._expect("level_", n_outputs)
        self._check_nodes(n_leaves=len(self.value_), n_features=self.n_features_in_)


class _BoostedClasses(_Boosted, Classifier):
    """Boosted trees whose sums are the logarithms of odds."""

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = self._sums(X)
        if len(self.classes_) > 2:
            return softmax(sums)
        later = expit(sums[:, 0])
        return np.stack([1 - later, later], axis=1)

    def _check_state(self) -> None:
        self._check_sums(len(self.classes_) if len(self.classes_) > 2 else 1)


class _BoostedNumber(_Boosted, Regressor):
    """Boosted trees whose sum is the estimate."""

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._sums(X)[:, 0]

    def _check_state(self) -> None:
        self._check_sums(1)


@MODELS.register("gradient-boosting")
class GradientBoosting(_BoostedClasses):
    """Small trees, each grown on what those before it still get wrong.

    Parameters
    ----------
    n_rounds : int
        Trees per class.
    rate : float
        How much of each tree is believed.
    most_leaves, min_leaf : int
        Most leaves of a tree; fewest training windows in a leaf.
    penalty : float
        On the squares of what leaves say.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    seed : int

    References
    ----------
    friedman2001
    """

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        settings = self._settings()
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        self._keep(HistGradientBoostingClassifier(**settings).fit(X[rows], codes[rows]))


@MODELS.register("gradient-boosting-regression")
class GradientBoostingRegression(_BoostedNumber):
    """Small trees that estimate a number, each grown on what those before it leave over.

    Parameters
    ----------
    n_rounds : int
        Trees.
    rate : float
        How much of each tree is believed.
    most_leaves, min_leaf : int
        Most leaves of a tree; fewest training windows in a leaf.
    penalty : float
        On the squares of what leaves say.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people. None takes all.
    seed : int

    References
    ----------
    friedman2001
    """

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        settings = self._settings()
        rows, self.notes_ = spread_rows(np.zeros_like(people), people, most=self.max_windows)
        self._keep(HistGradientBoostingRegressor(**settings).fit(X[rows], y[rows]))


class _ByXGBoost(_Boosted):
    """Trees grown by XGBoost, which compares in single precision and goes left below a value."""

    packages: ClassVar[tuple[str, ...]] = ("xgboost",)
    space: ClassVar[tuple[Dial, ...]] = (
        whole("n_rounds", 30, 300, log=True),
        real("rate", 0.02, 0.5, log=True),
        whole("most_depth", 2, 8),
        real("penalty", 0.01, 100.0, log=True),
        real("share_rows", 0.5, 1.0),
        real("share_columns", 0.3, 1.0),
    )

    def __init__(  # noqa: PLR0913 - settings of the model, by their names
        self,
        *,
        n_rounds: int = 100,
        rate: float = 0.3,
        most_depth: int = 6,
        penalty: float = 1.0,
        share_rows: float = 1.0,
        share_columns: float = 1.0,
        max_windows: int | None = 20_000,
        seed: int = 0,
    ) -> None:
        self.n_rounds = n_rounds
        self.rate = rate
        self.most_depth = most_depth
        self.penalty = penalty
        self.share_rows = share_rows
        self.share_columns = share_columns
        self.max_windows = max_windows
        self.seed = seed

    def _settings(self) -> dict[str, Any]:
        return {
            "eta": check_positive(self.rate, name="rate"),
            "max_depth": check_count(self.most_depth, name="most_depth"),
            "lambda": check_non_negative(self.penalty, name="penalty"),
            "subsample": check_positive(self.share_rows, name="share_rows"),
            "colsample_bytree": check_positive(self.share_columns, name="share_columns"),
            "seed": self.seed,
            "tree_method": "hist",
            "nthread": 1,
        }

    def _grow(self, X: NDArray[Any], y: NDArray[Any], **goal: Any) -> None:
        library = needs("xgboost", to="grow trees with XGBoost", extra="boost")
        n_rounds = check_count(self.n_rounds, name="n_rounds")
        rows = library.DMatrix(X.astype(np.float32), label=y)
        settings = {**self._settings(), **goal}
        booster = library.train(settings, rows, num_boost_round=n_rounds)
        learned = json.loads(bytes(booster.save_raw("json")))["learner"]
        model = learned["gradient_booster"]["model"]
        n_outputs = max(1, int(goal.get("num_class", 1)))
        trees = [
            _of_xgboost(tree, output, n_outputs)
            for tree, output in zip(model["trees"], model["tree_info"], strict=True)
        ]
        self.value_ = self._keep_nodes(trees)
        stated = np.array(
            json.loads(f"[{learned['learner_model_param']['base_score'].strip('[]')}]")
        )
        level = np.broadcast_to(stated.astype(np.float64), (n_outputs,))
        if goal["objective"] == "binary:logistic":  # stated as a probability
            level = np.log(level / (1 - level))
        self.level_ = np.array(level)

    def _sums(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return super()._sums(X.astype(np.float32))


@MODELS.register("xgboost")
class XGBoost(_ByXGBoost, _BoostedClasses):
    """Boosted trees by XGBoost: second-order steps, penalised leaves (extra ``boost``).

    Needs XGBoost to learn, and not to answer.

    Parameters
    ----------
    n_rounds : int
        Trees per class.
    rate : float
        How much of each tree is believed.
    most_depth : int
    penalty : float
        On the squares of what leaves say.
    share_rows, share_columns : float
        Share of windows and of features drawn for each tree, up to 1.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over classes and people. None takes all.
    seed : int

    References
    ----------
    chen2016xgboost
    """

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        n_classes = len(self.classes_)
        goal: dict[str, Any] = {"objective": "binary:logistic"}
        if n_classes > 2:
            goal = {"objective": "multi:softprob", "num_class": n_classes}
        self._grow(X[rows], codes[rows], **goal)


@MODELS.register("xgboost-regression")
class XGBoostRegression(_ByXGBoost, _BoostedNumber):
    """Boosted trees by XGBoost that estimate a number (extra ``boost``).

    Needs XGBoost to learn, and not to answer.

    Parameters
    ----------
    n_rounds : int
        Trees.
    rate : float
        How much of each tree is believed.
    most_depth : int
    penalty : float
        On the squares of what leaves say.
    share_rows, share_columns : float
        Share of windows and of features drawn for each tree, up to 1.
    max_windows : int, optional
        Train on at most so many windows, spread evenly over people. None takes all.
    seed : int

    References
    ----------
    chen2016xgboost
    """

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        rows, self.notes_ = spread_rows(np.zeros_like(people), people, most=self.max_windows)
        self._grow(X[rows], y[rows], objective="reg:squarederror")


def _of_histogram(nodes: Any, output: int, n_outputs: int) -> GrownTree:
    """Read a tree of scikit-learn's histogram boosting."""
    leaf = nodes["is_leaf"].astype(bool)
    return GrownTree(
        np.where(leaf, -1, nodes["left"].astype(np.int64)),
        np.where(leaf, -1, nodes["right"].astype(np.int64)),
        nodes["feature_idx"].astype(np.int64),
        nodes["num_threshold"].astype(np.float64),
        _of_output(nodes["value"], output, n_outputs),
    )


def _of_xgboost(tree: dict[str, Any], output: int, n_outputs: int) -> GrownTree:
    left = np.array(tree["left_children"], dtype=np.int64)
    conditions = np.array(tree["split_conditions"], dtype=np.float32)
    return GrownTree(
        left,
        np.array(tree["right_children"], dtype=np.int64),
        np.array(tree["split_indices"], dtype=np.int64),
        # Below a single-precision value is at most the one before it.
        np.nextafter(conditions, np.float32(-np.inf)),
        _of_output(conditions.astype(np.float64), output, n_outputs),
    )


def _of_output(values: Sequence[float] | NDArray[Any], output: int, n_outputs: int) -> NDArray[Any]:
    held = np.zeros((len(values), n_outputs))
    held[:, output] = values
    return held
