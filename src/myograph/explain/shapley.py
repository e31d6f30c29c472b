r"""Shapley values: the evidence divided among its parts, so that nothing is lost or counted twice.

The value of a part is what it adds to those there before it, averaged over all orders in which the
parts could have come. They sum to the evidence with everything there less that with nothing
(``additivity_gap`` is what rounding leaves over).
"""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.explain.explanation import Attribution
from myograph.explain.game import Game, every_mask
from myograph.explain.question import Question

__all__ = ["MOST_EXACT", "linear_shap", "linear_weights", "occlusion", "shapley"]

Array = NDArray[np.float64]

#: Parts for which all 2^n ways of taking some away are asked; more are sampled.
MOST_EXACT = 9


def shapley(game: Game, *, n_orders: int = 20, seed: int = 0) -> Attribution:
    """Divide the evidence of a game among its parts.

    Up to `MOST_EXACT` parts exactly, beyond by ``n_orders`` random orders and their reverses.

    Parameters
    ----------
    game : Game
    n_orders : int
        Pairs of orders when they are sampled.
    seed : int

    References
    ----------
    shapley1953, strumbelj2014
    """
    if len(game) <= MOST_EXACT:
        return _exact(game)
    return _sampled(game, check_count(n_orders, name="n_orders", least=2), seed)


def occlusion(game: Game) -> Attribution:
    """Return what the evidence loses when each part alone is taken away.

    Two parts that say the same lose nothing each: see `shapley` for a way that shares between
    them.

    References
    ----------
    zeiler2014
    """
    n = len(game)
    masks = np.concatenate([np.ones((1, n), dtype=np.bool_), ~np.eye(n, dtype=np.bool_)])
    values = game.value(masks)
    note = f"What the evidence loses without this part; {game.away}."
    return Attribution(
        "occlusion", game.about, game.names, values[0] - values[1:], game.unit, note=note
    )


def _exact(game: Game) -> Attribution:
    n = len(game)
    masks = every_mask(n)
    values = game.value(masks)
    sizes = masks.sum(axis=1)
    weights = np.array([1 / (n * comb(n - 1, size)) for size in range(n)])
    found = np.empty(n)
    for part in range(n):
        without = np.flatnonzero(~masks[:, part])
        found[part] = weights[sizes[without]] @ (values[without + (1 << part)] - values[without])
    note = f"Exact, over all {2**n} ways of taking parts away; {game.away}."
    return Attribution(
        "shap",
        game.about,
        game.names,
        found,
        game.unit,
        base=float(values[0]),
        total=float(values[-1]),
        note=note,
    )


def _sampled(game: Game, n_orders: int, seed: int) -> Attribution:
    n = len(game)
    rng = np.random.default_rng(seed)
    pairs = np.empty((n_orders, n))
    base = total = 0.0
    for k in range(n_orders):
        order = rng.permutation(n)
        sums = np.zeros(n)
        for way in (order, order[::-1]):
            place = np.empty(n, dtype=np.intp)
            place[way] = np.arange(n)
            masks = place[None] < np.arange(n + 1)[:, None]
            values = game.value(masks)
            sums[way] += np.diff(values)
            base, total = float(values[0]), float(values[-1])
        pairs[k] = sums / 2
    note = (
        f"Sampled over {n_orders} random orders and their reverses, with its standard error; "
        f"{game.away}."
    )
    return Attribution(
        "shap-sampled",
        game.about,
        game.names,
        pairs.mean(axis=0),
        game.unit,
        error=pairs.std(axis=0, ddof=1) / sqrt(n_orders),
        base=base,
        total=total,
        note=note,
    )


def linear_weights(question: Question) -> Array | None:
    """Return the weight of each column in the evidence, if the model is linear; None if not."""
    coef = getattr(question.model, "coef_", None)
    if coef is None or question.model.eats != "features":
        return None
    weights = np.asarray(coef, dtype=np.float64)
    if weights.ndim == 1 and not question.target and len(weights) == len(question.names):
        return weights
    if weights.shape != (len(question.classes), len(question.names)):
        return None
    rows = question.classes
    return np.asarray(weights[rows.index(question.target)] - weights[rows.index(question.against)])


def linear_shap(question: Question, reference: Array) -> Attribution:
    r"""Divide the evidence of a linear model among its columns, in closed form.

    The value of a column is :math:`w_i (\bar x_i - \bar z_i)`: its weight times how far the mean of
    the windows lies from that of the training rows.

    Parameters
    ----------
    question : Question
    reference : ndarray, shape (n_reference, n_columns)

    Raises
    ------
    ParameterError
        If the model is not linear.

    References
    ----------
    lundberg2017
    """
    weights = linear_weights(question)
    if weights is None:
        raise ParameterError(
            f"{type(question.model).__name__} is not a linear model of features; use shapley, "
            "which asks any model."
        )
    rows = question.inputs
    model = question.model
    intercept = np.atleast_1d(np.asarray(getattr(model, "intercept_", 0.0), dtype=np.float64))
    offset = float(intercept[0])
    if question.target:
        places = question.classes.index(question.target), question.classes.index(question.against)
        offset = float(intercept[places[0]] - intercept[places[1]])
    values = weights * (rows.mean(axis=0) - reference.mean(axis=0))
    return Attribution(
        "shap-linear",
        "feature",
        question.names,
        values,
        question.unit,
        base=float(weights @ reference.mean(axis=0) + offset),
        total=float((rows @ weights).mean() + offset),
        note="Exact, in closed form: weight times distance from the mean of training people.",
    )
