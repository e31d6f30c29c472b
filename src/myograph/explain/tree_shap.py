r"""SHAP values of trees, exact: read off the leaves instead of asking the model again and again.

A leaf is a box. Take a window :math:`x` and a training row :math:`z`; a mixture of the two, with
the columns of some set from :math:`x` and the rest from :math:`z`, falls into the box when the set
holds every column in which only :math:`x` fits (:math:`p` of them) and none in which only
:math:`z` fits (:math:`q`); a column in which neither fits rules the leaf out. The Shapley value of
that game is known: each of the :math:`p` columns gets :math:`v\,(p-1)!\,q!/(p+q)!` and each of the
:math:`q` columns :math:`-v\,p!\,(q-1)!/(p+q)!`, with :math:`v` what the leaf says. Summed over
leaves and trees, averaged over training rows, these are the interventional SHAP values.
"""

from __future__ import annotations

from math import factorial

import numba
import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.explain.explanation import Attribution
from myograph.explain.question import Question
from myograph.models.boosting import GradientBoosting, GradientBoostingRegression
from myograph.models.trees import TreeState

__all__ = ["is_tree_model", "tree_shap"]

Array = NDArray[np.float64]

_MOST_REFERENCE = 200
_MOST_DEPTH = 64


def is_tree_model(question: Question) -> bool:
    """Say whether the model is made of trees that `tree_shap` can read."""
    return isinstance(question.model, TreeState)


def tree_shap(question: Question, reference: Array) -> Attribution:
    """Divide what trees say about the windows among their columns, exactly.

    A forest's probability is divided (target less against), and the sum of boosted trees, which is
    the log-odds of the two classes.

    Parameters
    ----------
    question : Question
        Of a model made of trees.
    reference : ndarray, shape (n_reference, n_columns)
        What the model takes of windows of training people; the first 200 are used.

    Raises
    ------
    ParameterError
        If the model is not made of trees.

    References
    ----------
    lundberg2020
    """
    model = question.model
    if not isinstance(model, TreeState):
        raise ParameterError(
            f"{type(model).__name__} is not made of trees; use shapley, which asks any model."
        )
    rows = _as_compared(model, question.inputs)
    given = np.asarray(reference, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != rows.shape[1] or not len(given):
        raise DataError(
            f"reference must have {rows.shape[1]} columns and at least one row; got shape "
            f"{given.shape}."
        )
    lent = _as_compared(model, given[:_MOST_REFERENCE])
    leaf, level, unit = _said(question)
    boxes = _boxes(model)
    values = _shared(rows, lent, boxes, leaf, _weights(int(np.diff(boxes[3]).max(initial=0))))
    base, total = (float(_sums(model, each, leaf).mean() + level) for each in (lent, rows))
    return Attribution(
        "shap-trees",
        "feature",
        question.names,
        values.mean(axis=0),
        unit,
        base=base,
        total=total,
        note=f"Exact for these trees, against {len(lent)} windows of training people.",
    )


def _as_compared(model: TreeState, rows: Array) -> Array:
    """Return rows in the precision in which the trees compare them."""
    if isinstance(model, GradientBoosting | GradientBoostingRegression):
        return np.ascontiguousarray(rows, dtype=np.float64)
    return np.ascontiguousarray(rows.astype(np.float32), dtype=np.float64)


def _said(question: Question) -> tuple[Array, float, str]:
    """Return what each leaf adds to what is explained, where it starts, and its unit."""
    model = question.model
    n_trees = len(getattr(model, "root_"))  # noqa: B009 - of any class made of trees
    level = np.atleast_1d(np.asarray(getattr(model, "level_", 0.0), dtype=np.float64))
    if not question.target:
        if hasattr(model, "value_"):
            return np.asarray(model.value_)[:, 0], float(level[0]), question.unit
        return np.asarray(getattr(model, "level_"))[:, 0] / n_trees, 0.0, question.unit  # noqa: B009
    places = [question.classes.index(name) for name in (question.target, question.against)]
    if hasattr(model, "proba_"):
        proba = np.asarray(model.proba_)
        return (proba[:, places[0]] - proba[:, places[1]]) / n_trees, 0.0, "probability"
    value = np.asarray(getattr(model, "value_"))  # noqa: B009
    if value.shape[1] == 1:
        sign = 1.0 if places[0] == 1 else -1.0
        return sign * value[:, 0], float(sign * level[0]), question.unit
    return (
        value[:, places[0]] - value[:, places[1]],
        float(level[places[0]] - level[places[1]]),
        question.unit,
    )


def _sums(model: TreeState, rows: Array, leaf: Array) -> Array:
    """Return the sum over trees of what is explained."""
    from myograph.models.trees import walk

    out = np.zeros((len(rows), 1))
    nodes = (model.feature_, model.threshold_, model.left_, model.right_, model.leaf_)
    walk(rows, nodes, model.root_, np.ascontiguousarray(leaf[:, None]), out)
    return out[:, 0]


def _boxes(model: TreeState) -> tuple[NDArray[np.int32], Array, Array, NDArray[np.int64]]:
    """Return every leaf as limits of the columns on its path.

    Returns
    -------
    column, above, upto : ndarray, shape (n_limits,)
        A value fits where ``above < value <= upto``.
    start : ndarray of int, shape (n_leaves + 1,)
        Where the limits of each leaf begin; leaves in the order of what they say.
    """
    limits: dict[int, dict[int, tuple[float, float]]] = {}
    pending: list[tuple[int, dict[int, tuple[float, float]]]] = [
        (int(root), {}) for root in model.root_
    ]
    while pending:
        node, path = pending.pop()
        number = int(model.leaf_[node])
        if number >= 0:
            limits[number] = path
            continue
        column, threshold = int(model.feature_[node]), float(model.threshold_[node])
        above, upto = path.get(column, (-np.inf, np.inf))
        pending.append((int(model.left_[node]), {**path, column: (above, min(upto, threshold))}))
        pending.append((int(model.right_[node]), {**path, column: (max(above, threshold), upto)}))
    n_leaves = int(model.leaf_.max()) + 1
    columns: list[int] = []
    lows: list[float] = []
    highs: list[float] = []
    start = np.zeros(n_leaves + 1, dtype=np.int64)
    for number in range(n_leaves):
        path = limits.get(number, {})
        columns += path.keys()
        lows += [low for low, _ in path.values()]
        highs += [high for _, high in path.values()]
        start[number + 1] = len(columns)
    if int(np.diff(start).max(initial=0)) > _MOST_DEPTH:
        raise ParameterError(
            f"A leaf of these trees stands behind more than {_MOST_DEPTH} different columns; use "
            "shapley, which asks any model."
        )
    return np.array(columns, dtype=np.int32), np.array(lows), np.array(highs), start


def _weights(most: int) -> Array:
    """Return (p-1)! q! / (p+q)! at [p, q], the share of each of p columns."""
    found = np.zeros((most + 2, most + 2))
    for p in range(1, most + 1):
        for q in range(most + 1 - p):
            found[p, q] = factorial(p - 1) * factorial(q) / factorial(p + q)
    return found


@numba.njit(cache=True, nogil=True)
def _shared(
    X: Array,
    Z: Array,
    boxes: tuple[NDArray[np.int32], Array, Array, NDArray[np.int64]],
    leaf: Array,
    weights: Array,
) -> Array:
    """Return SHAP values (n_rows, n_columns), the mean over the rows of ``Z``."""
    column, above, upto, start = boxes
    out = np.zeros(X.shape)
    fits_z = np.zeros((Z.shape[0], column.shape[0]), dtype=np.bool_)
    fits_x = np.zeros(column.shape[0], dtype=np.bool_)
    for row in range(Z.shape[0]):
        _fits(Z[row], column, above, upto, fits_z[row])
    for i in range(X.shape[0]):
        _fits(X[i], column, above, upto, fits_x)
        for number in range(leaf.shape[0]):
            if leaf[number] == 0.0:
                continue
            limits = slice(start[number], start[number + 1])
            for row in range(Z.shape[0]):
                own, lent = fits_x[limits], fits_z[row, limits]
                p, q = _counts(own, lent)
                if p + q == 0:
                    continue
                gain, loss = leaf[number] * weights[p, q], leaf[number] * weights[q, p]
                for k in range(own.shape[0]):
                    if own[k] != lent[k]:
                        out[i, column[start[number] + k]] += gain if own[k] else -loss
    return out / Z.shape[0]


@numba.njit(cache=True, nogil=True)
def _fits(
    values: Array, column: NDArray[np.int32], above: Array, upto: Array, out: NDArray[np.bool_]
) -> None:
    """Say for every limit whether the row's value fits."""
    for k in range(column.shape[0]):
        value = values[column[k]]
        out[k] = above[k] < value <= upto[k]


@numba.njit(cache=True, nogil=True)
def _counts(own: NDArray[np.bool_], lent: NDArray[np.bool_]) -> tuple[int, int]:
    """Count the columns in which only one of two rows fits; 0, 0 when neither does in some."""
    p, q = 0, 0
    for k in range(own.shape[0]):
        if own[k]:
            if not lent[k]:
                p += 1
        elif lent[k]:
            q += 1
        else:
            return 0, 0
    return p, q
