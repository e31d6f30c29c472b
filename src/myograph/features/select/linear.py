"""Columns judged together by linear methods: the L1 path, elimination, stability."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.features.select.base import (
    SELECTIONS,
    Sample,
    Selector,
    build_selection,
    n_kept,
)
from myograph.features.select.effects import Effects
from myograph.features.select.information import best
from myograph.features.select.statistics import standardised

__all__ = ["L1", "RFE", "Stability", "lasso_path"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]

# The strengths of the L1 path: from where no column is in, down by a tenth each time.
_STRENGTHS = 0.9 ** np.arange(1, 66)
_TOLERANCE = 1e-6
_MOST_ITERATIONS = 300


@SELECTIONS.register("l1")
class L1(Selector):
    """Keep the columns that enter first as a price on weights falls.

    Least squares on the classes (each coded 0 or 1, all sharing their columns) or on the number,
    with a price on every column's weight: at a high price no column is in, and as it falls they
    enter one by one (tibshirani1996, yuan2006). The score is the price at which a column entered,
    as a share of the price that keeps all out; 0 for one that never entered.

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them; fewer when the rest never enters.
    """

    def __init__(self, *, keep: float = 0.5) -> None:
        self.keep = keep

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        count = n_kept(self.keep, sample.X.shape[1])
        gram, cross = _normal_equations(sample)
        scores = np.zeros(len(gram))
        size = np.linalg.norm(cross, axis=1)
        for price, weights in lasso_path(gram, cross):
            size = np.linalg.norm(weights, axis=1)
            scores[(size > 0) & (scores == 0)] = price
            if (scores > 0).sum() >= count:
                break
        entered = np.flatnonzero(scores > 0)
        # Of those that entered together the heavier one is first.
        order = entered[np.lexsort([-size[entered], -scores[entered]])][:count]
        return (order if len(order) else best(size, 1)), scores


def lasso_path(gram: Matrix, cross: Matrix) -> Iterator[tuple[float, Matrix]]:
    r"""Yield the weights that minimise least squares plus a price on the rows, price by price.

    :math:`\tfrac12 \mathrm{tr}(W^T G W) - \mathrm{tr}(W^T C) + \lambda \sum_j |W_j|_2`, each from
    the solution before, by accelerated gradient steps (beck2009).

    Parameters
    ----------
    gram : ndarray, shape (n_columns, n_columns)
        Mean products of the standardised columns.
    cross : ndarray, shape (n_columns, n_targets)
        Mean products of columns and targets.

    Yields
    ------
    price : float
        As a share of the price that keeps every weight 0.
    weights : ndarray, shape (n_columns, n_targets)
    """
    highest = float(np.linalg.norm(cross, axis=1).max())
    weights = np.zeros_like(cross)
    if highest <= 0:
        return
    step = 1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
    for share in _STRENGTHS:
        weights = _descend(gram, cross, weights, price=share * highest, step=step)
        yield float(share), weights


def _descend(gram: Matrix, cross: Matrix, start: Matrix, *, price: float, step: float) -> Matrix:
    weights, ahead, momentum = start, start, 1.0
    for _ in range(_MOST_ITERATIONS):
        moved = ahead - step * (gram @ ahead - cross)
        size = np.linalg.norm(moved, axis=1, keepdims=True)
        shrunk = np.maximum(1 - step * price / np.maximum(size, 1e-300), 0.0) * moved
        change = shrunk - weights
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        # Momentum that points uphill is given up.
        if (change * (ahead - shrunk)).sum() > 0:
            following, ahead = 1.0, shrunk
        else:
            ahead = shrunk + (momentum - 1) / following * change
        weights, momentum = shrunk, following
        if np.abs(change).max() <= _TOLERANCE * max(1.0, float(np.abs(weights).max())):
            break
    return weights


@SELECTIONS.register("rfe")
class RFE(Selector):
    """Keep what is left when the columns of the smallest weight are dropped again and again.

    Weights are those of linear discriminants (for a number: of least squares) on columns of
    deviation 1 around what the label makes of them. The score is the round in which a column was
    dropped (guyon2002).

    Whose a row is counts: where everybody in ``groups`` shows several classes, each person's means
    are taken out of what is judged, so that the levels of a few people are not taken for a relation
    between columns. Where each person has one class that is not possible, and is not done; see
    `myograph.features.select.effects.Effects`.

    Parameters
    ----------
    keep : int or float
        How many columns, or which share of them.
    drop : float
        Share of the columns left that a round drops, at least one.
    """

    def __init__(self, *, keep: float = 0.5, drop: float = 0.1) -> None:
        self.keep = keep
        self.drop = drop

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        n_columns = sample.X.shape[1]
        count = n_kept(self.keep, n_columns)
        if not 0 <= self.drop < 1:
            raise ParameterError(f"drop must be from 0 to below 1; got {self.drop!r}.")
        alike = Sample(
            standardised(sample.X)[0], sample.codes, sample.values, sample.people, sample.columns
        )
        effects = Effects.of(alike)
        deviation = np.sqrt(np.maximum(np.diag(effects.spread), 0.0))
        left = np.arange(n_columns)
        scores = np.zeros(n_columns)
        for round_number in range(n_columns):
            size = np.linalg.norm(effects.weights(left), axis=1) * deviation[left]
            scores[left] = round_number
            if len(left) == count:
                break
            n_dropped = min(max(1, int(self.drop * len(left))), len(left) - count)
            left = np.sort(left[best(size, len(left) - n_dropped)])
        return left, scores


@SELECTIONS.register("stability")
class Stability(Selector):
    """Keep the columns that a selection takes again and again on other halves of the people.

    Another selection runs on half of the people (of fewer than four people: half of the
    stretches of time), many times; the score is the share of the draws that took the column
    (meinshausen2010). Those above the threshold are kept; `facts_` bounds how many of them are
    there by chance, if useless columns are alike: the fewer `keep` takes, the fewer those.

    Parameters
    ----------
    base : str
        Name of the selection that runs on each half.
    keep : int or float
        How many columns that selection takes, or which share of them.
    threshold : float
        Least share of the draws, above 0.5.
    n_draws : int
    seed : int
        Of the draws.
    """

    def __init__(
        self,
        *,
        base: str = "l1",
        keep: float = 0.15,
        threshold: float = 0.7,
        n_draws: int = 50,
        seed: int = 0,
    ) -> None:
        self.base = base
        self.keep = keep
        self.threshold = threshold
        self.n_draws = n_draws
        self.seed = seed

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        if not 0.5 < self.threshold <= 1:
            raise ParameterError(f"threshold must be above 0.5, up to 1; got {self.threshold!r}.")
        n_draws = check_count(self.n_draws, name="n_draws", least=2)
        base = self._base()
        taken = np.zeros(sample.X.shape[1])
        for rows in _halves(sample, n_draws, self.seed):
            taken[base._pick(sample.take(rows))[0]] += 1
        scores = taken / n_draws
        kept = np.flatnonzero(scores >= self.threshold)
        if not len(kept):
            told = f"No column was taken in {self.threshold:.0%} of the draws; "
            self.notes_ = (told + "the one taken most often was kept.",)
            kept = best(scores, 1)
        size = taken.sum() / n_draws
        by_chance = size**2 / ((2 * self.threshold - 1) * len(scores))
        self.facts_ = {"columns by chance, at most": min(float(by_chance), float(len(kept)))}
        return kept, scores

    def _base(self) -> Selector:
        if self.base == "stability":
            raise ParameterError("The base of a stability selection must be another selection.")
        base = build_selection(self.base, keep=self.keep)
        if not isinstance(base, Selector):
            raise ParameterError(
                f"The base of a stability selection must keep columns; {self.base!r} makes new "
                "ones. Take 'l1', 'mrmr' or 'anova'."
            )
        return base


def _halves(sample: Sample, n_draws: int, seed: int) -> Iterator[Rows]:
    """Yield rows of half of the people, or of half of twenty stretches of every class."""
    random = np.random.default_rng(seed)
    units = sample.people
    if int(units.max()) + 1 < 4:
        key = sample.codes if sample.classes else np.zeros(len(units), dtype=np.intp)
        units = np.empty(len(key), dtype=np.intp)
        for label in np.unique(key):
            rows = np.flatnonzero(key == label)
            units[rows] = np.arange(len(rows)) * min(20, len(rows)) // len(rows)
    names = np.unique(units)
    for _ in range(n_draws):
        half = random.permutation(names)[: max(1, len(names) // 2)]
        rows = np.flatnonzero(np.isin(units, half))
        yield rows if len(rows) > 1 else np.arange(len(units))


def _normal_equations(sample: Sample) -> tuple[Matrix, Matrix]:
    """Return mean products of the standardised columns, and of these with the targets."""
    X = standardised(sample.X)[0]
    classes = sample.classes
    target = np.eye(classes)[sample.codes] if classes else sample.values[:, None]
    target = target - target.mean(axis=0)
    return X.T @ X / len(X), X.T @ target / len(X)
