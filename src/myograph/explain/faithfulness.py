"""Faithfulness: whether what an explanation points to is what the model used.

Three checks. *Deletion*: take the parts away, the most important first; the evidence must fall
faster than in random order. *Insertion*: bring them back, the most important first; it must rise
faster. *Randomisation*: shuffle what the model has learned; an explanation that stays the same
shows the signal, not the model. With few parts all orders are known, and one that no other beats
passes even where random ones do as well because one part decides everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from myograph.core.checks import check_count
from myograph.core.errors import ArtifactError, DataError
from myograph.explain.explanation import ranked
from myograph.explain.game import Game, every_mask
from myograph.explain.orders import least_area
from myograph.explain.question import Question
from myograph.explain.shapley import MOST_EXACT
from myograph.models import Model

__all__ = [
    "FEWEST_PARTS",
    "Curve",
    "Faithfulness",
    "Randomisation",
    "judge",
    "randomisation",
    "shuffled",
]

Array = NDArray[np.float64]

#: Largest mean rank correlation with explanations of shuffled models that passes.
MOST_ALIKE = 0.5
#: Fewer parts have too few orders: even the best would not be among one in twenty.
FEWEST_PARTS = 4
# Steps of a curve, whatever the number of parts.
_STEPS = 12
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Curve:
    """Evidence while parts go (or come), in the order of an explanation and in random orders.

    Parameters
    ----------
    share : ndarray, shape (n_points,)
        Share of the parts that are gone (or back).
    evidence : ndarray, shape (n_points,)
        In the order of the explanation.
    random : ndarray, shape (n_orders, n_points)
    falling : bool
        True for deletion: faster is lower.
    best : float, optional
        Mean evidence along the best of all orders, where there are few enough parts to know.
    """

    share: Array
    evidence: Array
    random: Array
    falling: bool
    best: float | None = None

    @property
    def area(self) -> float:
        """Mean evidence along the way."""
        return float(np.trapezoid(self.evidence, self.share))

    @property
    def random_areas(self) -> Array:
        """The same for each random order."""
        return np.asarray(np.trapezoid(self.random, self.share, axis=1))

    @property
    def gain(self) -> float:
        """How much faster than random orders, on average, in the unit of the evidence."""
        lead = float(self.random_areas.mean()) - self.area
        return lead if self.falling else -lead

    @property
    def of_best(self) -> float | None:
        """The gain as a share of what the best of all orders gains; None if that is not known."""
        if self.best is None:
            return None
        most = abs(float(self.random_areas.mean()) - self.best)
        return self.gain / most if most > 0 else None

    @property
    def unbeaten(self) -> bool:
        """Whether no order at all is faster, though random ones may be as fast."""
        return self.of_best is not None and self.of_best > 1 - _ROUNDING

    @property
    def passed(self) -> bool:
        """Whether it is better than random orders, or where all are known, beaten by none.

        Where one part of six decides everything, one in six random orders starts with it too, and
        no order beats 95 % of them.
        """
        return self.better or self.unbeaten

    @property
    def spread(self) -> tuple[float, float]:
        """Return where the middle 95 % of single random orders lie, as gains over their mean."""
        low, high = np.quantile(self.random_areas - self.random_areas.mean(), [0.025, 0.975])
        return float(low), float(high)

    @property
    def beaten(self) -> float:
        """Share of the random orders that are slower."""
        slower = self.random_areas > self.area if self.falling else self.random_areas < self.area
        return float(slower.mean())

    @property
    def better(self) -> bool:
        """Whether at least 95 % of the random orders are slower."""
        return self.beaten >= 0.95

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        low, high = self.spread
        return {
            "area": self.area,
            "random_area": float(self.random_areas.mean()),
            "gain": self.gain,
            "random_low": low,
            "random_high": high,
            "random_orders": len(self.random),
            "slower_random_orders": self.beaten,
            "better_than_random": self.better,
            "share_of_best_gain": self.of_best,
            "passed": self.passed,
            "share": self.share.tolist(),
            "evidence": self.evidence.tolist(),
        }


@dataclass(frozen=True, slots=True)
class Randomisation:
    """How alike an explanation is to those of the same model with shuffled parameters.

    Parameters
    ----------
    alike : tuple of float
        Rank correlation with each of them.
    why_not : str
        Why it could not be asked; empty when it could.
    """

    alike: tuple[float, ...] = ()
    why_not: str = ""

    @property
    def mean(self) -> float | None:
        """Mean rank correlation; None if it was not asked."""
        return float(np.mean(self.alike)) if self.alike else None

    @property
    def passed(self) -> bool | None:
        """Whether the explanation changes with the model; None if it was not asked."""
        return None if self.mean is None else self.mean <= MOST_ALIKE

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "rank_correlation": self.mean,
            "each": list(self.alike),
            "passed": self.passed,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """What the checks say about one explanation.

    Parameters
    ----------
    deletion, insertion : Curve
    unit : str
        Of the evidence.
    randomisation : Randomisation
    """

    deletion: Curve
    insertion: Curve
    unit: str
    randomisation: Randomisation = Randomisation()

    @property
    def faithful(self) -> bool:
        """Whether deletion, insertion and randomisation are passed."""
        kept = self.randomisation.passed is not False
        return self.deletion.passed and self.insertion.passed and kept

    @property
    def score(self) -> float:
        """Mean gain of deletion and insertion over random orders, in the unit of the evidence."""
        return (self.deletion.gain + self.insertion.gain) / 2

    @property
    def of_best(self) -> float | None:
        """The score as a share of the best that any order reaches; None if that is not known."""
        shares = [c.of_best for c in (self.deletion, self.insertion) if c.of_best is not None]
        return float(np.mean(shares)) if shares else None

    @property
    def sentence(self) -> str:
        """Say in one sentence what the checks found."""
        wrong = []
        for name, curve in (("taking away", self.deletion), ("bringing back", self.insertion)):
            if not curve.passed:
                wrong.append(
                    f"{name} what it points to first is faster than only "
                    f"{100 * curve.beaten:.0f} % of random orders"
                )
        if self.randomisation.passed is False:
            wrong.append(
                "a model with shuffled parameters gets nearly the same one (rank correlation "
                f"{_plain(self.randomisation.mean)})"
            )
        if wrong:
            return f"Not to be relied on: {'; '.join(wrong)}."
        told = (
            f"Faithful: taking away what it points to first moves the decision faster than "
            f"{100 * self.deletion.beaten:.0f} % of random orders, bringing it back faster than "
            f"{100 * self.insertion.beaten:.0f} %"
        )
        if not (self.deletion.better and self.insertion.better):
            told += " (the others are as fast: few parts matter; none of all orders is faster)"
        if self.randomisation.mean is not None:
            told += (
                "; it changes with the model (rank correlation with those of shuffled models "
                f"{_plain(self.randomisation.mean)})"
            )
        return f"{told}."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "score": self.score,
            "share_of_best_score": self.of_best,
            "unit": self.unit,
            "faithful": self.faithful,
            "sentence": self.sentence,
            "deletion": self.deletion.to_dict(),
            "insertion": self.insertion.to_dict(),
            "randomisation": self.randomisation.to_dict(),
        }


def judge(
    game: Game,
    values: Array,
    *,
    n_orders: int = 40,
    seed: int = 0,
    checked: Randomisation | None = None,
) -> Faithfulness:
    """Judge an explanation by taking away and bringing back what it points to.

    Parameters
    ----------
    game : Game
        Whose parts are explained.
    values : ndarray, shape (n_parts,)
        The explanation: the highest is said to speak most for the evidence.
    n_orders : int
        Random orders to compare with.
    seed : int
    checked : Randomisation, optional
        See `randomisation`.

    Raises
    ------
    DataError
        If there is not one value per part, or fewer than four parts.

    References
    ----------
    samek2017, petsiuk2018
    """
    given = np.asarray(values, dtype=np.float64)
    if given.shape != (len(game),):
        raise DataError(f"There must be one value per part ({len(game)}); got {given.shape}.")
    if len(game) < FEWEST_PARTS:
        raise DataError(
            f"{len(game)} parts have too few orders to tell one from chance; faithfulness needs at "
            f"least {FEWEST_PARTS}."
        )
    check_count(n_orders, name="n_orders", least=2)
    rng = np.random.default_rng(seed)
    orders = [ranked(given), *(rng.permutation(len(game)) for _ in range(n_orders))]
    # With few parts all ways of taking some away are fewer than those that orders pass through.
    known = game.value(every_mask(len(game))) if len(game) <= MOST_EXACT else None
    deletion = _curve(game, orders, known, falling=True)
    insertion = _curve(game, orders, known, falling=False)
    return Faithfulness(deletion, insertion, game.unit, checked or Randomisation())


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _curve(
    game: Game, orders: list[NDArray[np.intp]], known: Array | None, *, falling: bool
) -> Curve:
    n = len(game)
    steps = np.unique(np.linspace(0, n, min(n, _STEPS) + 1).round().astype(int))
    masks = np.empty((len(orders), len(steps), n), dtype=np.bool_)
    for k, order in enumerate(orders):
        place = np.empty(n, dtype=np.intp)
        place[order] = np.arange(n)
        first = place[None] < steps[:, None]
        masks[k] = ~first if falling else first
    if known is not None:
        evidence = known[masks @ (1 << np.arange(n))]
        best = least_area(known) if falling else -least_area(-known)
        return Curve(steps / n, evidence[0], evidence[1:], falling, best)
    # Both ends are the same in every order: asked once.
    evidence = np.empty(masks.shape[:2])
    inner = masks[:, 1:-1]
    evidence[:, [0, -1]] = game.value(masks[0, [0, -1]])
    if inner.shape[1]:
        evidence[:, 1:-1] = game.value(inner.reshape(-1, n)).reshape(inner.shape[:2])
    return Curve(steps / n, evidence[0], evidence[1:], falling)


def randomisation(
    question: Question,
    values: Array,
    explain: Callable[[Question], Array],
    *,
    n_models: int = 5,
    seed: int = 0,
) -> Randomisation:
    """Ask models with shuffled parameters the same question, and compare the explanations.

    Parameters
    ----------
    question : Question
    values : ndarray, shape (n_parts,)
        The explanation of the model itself.
    explain : callable
        From a question to the values of the same explanation.
    n_models : int
        How many times the parameters are shuffled.
    seed : int

    References
    ----------
    adebayo2018
    """
    check_count(n_models, name="n_models")
    alike = [
        _rank_correlation(values, explain(question.with_model(model)))
        for model in _others(question, n_models, seed)
    ]
    if not alike:
        kind = type(question.model).__name__
        return Randomisation(why_not=f"the parameters of {kind} cannot be shuffled")
    return Randomisation(tuple(alike))


def _others(question: Question, n_models: int, seed: int) -> Iterator[Model]:
    for k in range(n_models):
        model = shuffled(question.model, seed=seed + k)
        if model is not None and _answers(question.with_model(model)):
            yield model


def shuffled(model: Model, *, seed: int) -> Model | None:
    """Return the model with everything that it learned in random places; None if there is no way.

    Every array of weights is shuffled by itself: all its numbers, or whole rows where the numbers
    must stay together (probabilities of a leaf). Which columns a tree asks about stays.
    """
    arrays = model.to_arrays()
    for whole_rows in (False, True):
        rng = np.random.default_rng(seed)
        mixed = {
            name: _mixed(array, rng, whole_rows=whole_rows or name == "proba")
            for name, array in arrays.items()
        }
        try:
            return type(model).from_arrays(mixed, **model.get_params(deep=False))
        except (ArtifactError, ValueError, TypeError, np.linalg.LinAlgError):
            continue
    return None


def _mixed(array: NDArray[Any], rng: np.random.Generator, *, whole_rows: bool) -> NDArray[Any]:
    if array.dtype.kind != "f" or array.size < 2:
        return array
    if _symmetric(array):  # a covariance with other numbers is none: only their order can change
        return rng.permutation(array, axis=0) if array.ndim == 3 else array
    if whole_rows:
        return rng.permutation(array, axis=0)
    return rng.permutation(array.ravel()).reshape(array.shape)


def _symmetric(array: NDArray[Any]) -> bool:
    square = array.ndim in (2, 3) and array.shape[-1] == array.shape[-2] > 1
    return square and np.allclose(array, np.swapaxes(array, -1, -2))


def _answers(question: Question) -> bool:
    """Say whether a shuffled model still gives numbers, and not the same for everything."""
    with np.errstate(all="ignore"):
        try:
            evidence = question.evidence
        except (ValueError, np.linalg.LinAlgError, FloatingPointError):
            return False
    return bool(np.isfinite(evidence).all())


def _rank_correlation(first: Array, second: Array) -> float:
    """Return Spearman's rank correlation; 0 where one of them says nothing."""
    ranks = rankdata(first), rankdata(second)
    apart = [each - each.mean() for each in ranks]
    size = float(np.sqrt((apart[0] ** 2).sum() * (apart[1] ** 2).sum()))
    return float((apart[0] * apart[1]).sum() / size) if size > 0 else 0.0
