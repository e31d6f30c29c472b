"""Flip: the smallest change of features, or of muscles, that makes a model decide otherwise.

A change of features is measured in standard deviations of the training windows, touches as few
features as it can, and stays within what training people show. The model itself confirms it, or it
is not told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.explain.counterfactual import Change, Counterfactual
from myograph.explain.parts import muscle_name
from myograph.explain.question import Question
from myograph.explain.shapley import linear_weights
from myograph.features import FEATURES
from myograph.models.aggregate import aggregate

__all__ = ["feature_counterfactual", "gain_counterfactual"]

Array = NDArray[np.float64]

# Beyond the point where both classes are alike, so that the change does flip the decision.
_BEYOND = 1e-3
# Where training people are: between these quantiles of their windows.
_RANGE = (0.01, 0.99)
_TRIES = 9
_GAINS = np.geomspace(1 / 8, 8, 49)


def feature_counterfactual(
    question: Question, reference: Array, *, wanted: str = "", most: int = 5
) -> Counterfactual:
    """Find the smallest sparse change of features that makes the model say another class.

    The change is the same in all windows of the question. For linear models it has the least sum of
    changes, in standard deviations, of all within the range of training people (closed form); for
    others it is searched, one feature at a time, and then made as small as it can be.

    Parameters
    ----------
    question : Question
        Of a classifier that takes features, about the class it decided for.
    reference : ndarray, shape (n_reference, n_columns)
        What the model takes of windows of training people.
    wanted : str
        The class to reach; the one the question compares with by default.
    most : int
        Most features that may change.

    Raises
    ------
    ParameterError
        If the model has no classes or takes whole windows, or already says ``wanted``.

    References
    ----------
    wachter2018
    """
    check_count(most, name="most")
    wanted = _wanted(question, wanted)
    if question.inputs.ndim != 2:
        raise ParameterError(
            "This model takes whole windows, not features; ask for a change of muscles "
            "(gain_counterfactual)."
        )
    given = np.asarray(reference, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(question.names) or len(given) < 2:
        raise DataError(
            f"reference must have {len(question.names)} columns and at least two rows; "
            f"got shape {given.shape}."
        )
    room = _Room.of(question, given)
    weights = linear_weights(_towards(question, wanted))
    shift = None
    if weights is not None:
        shift = room.least(weights, question, wanted, most)
    method = "closed form" if shift is not None else "search"
    if shift is None:
        shift = room.search(question, wanted, most)
    if shift is None:
        return Counterfactual(wanted, (), 0.0, method, "features")
    proba = _proba_after(question, shift)
    changes = _changes(question, room, shift)
    return Counterfactual(
        wanted, changes, float(proba[question.classes.index(wanted)]), method, "features"
    )


def gain_counterfactual(question: Question, *, wanted: str = "") -> Counterfactual:
    """Find the muscle whose amplitude, changed by the smallest factor, flips the decision.

    For any model: the channel is made stronger or weaker, up to eight times, in the signal after
    the pipeline's steps, and the model asked again.

    Parameters
    ----------
    question : Question
        Of a classifier.
    wanted : str
        The class to reach; the one the question compares with by default.
    """
    wanted = _wanted(question, wanted)
    values = question.windows.values
    best: tuple[float, int, float, float] | None = None
    place = question.classes.index(wanted)
    gains = sorted((g for g in _GAINS if abs(np.log(g)) > 1e-9), key=lambda g: abs(np.log(g)))
    for channel in range(values.shape[1]):
        for gain in gains:
            size = abs(float(np.log(gain)))
            if best is not None and size >= best[0]:
                break
            changed = values.copy()
            changed[:, channel] *= np.float32(gain)
            proba = _combined(question, question.taken(changed))
            if int(proba.argmax()) == place:
                best = size, channel, float(gain), float(proba[place])
                break
    if best is None:
        return Counterfactual(wanted, (), 0.0, "search", "muscles")
    _, channel, gain, proba_after = best
    level = float(np.sqrt((values[:, channel].astype(np.float64) ** 2).mean()))
    unit = question.layout.units[channel]
    change = Change(muscle_name(question.layout, channel), level, gain * level, unit, gain)
    return Counterfactual(wanted, (change,), proba_after, "search", "muscles")


@dataclass(frozen=True, eq=False)
class _Room:
    """How far each column's mean may move, in the model's own scale."""

    mean: Array
    spread: Array
    low: Array
    high: Array
    quantiles: Array

    @classmethod
    def of(cls, question: Question, reference: Array) -> _Room:
        mean = question.inputs.mean(axis=0)
        spread = reference.std(axis=0)
        low, high = np.quantile(reference, _RANGE, axis=0)
        # Who is outside already may come back, and need not.
        low, high = np.minimum(low, mean) - mean, np.maximum(high, mean) - mean
        quantiles = np.quantile(reference, np.linspace(*_RANGE, _TRIES), axis=0)
        return cls(mean, np.where(spread > 0, spread, np.inf), low, high, quantiles)

    def least(self, weights: Array, question: Question, wanted: str, most: int) -> Array | None:
        """Return the change with the least sum of deviations; each unit where it does most."""
        shift = self._towards(weights, _margin(question, wanted), most)
        if shift is not None and not _says(question, shift, wanted):
            return None  # a third class won on the way; the search looks at all of them
        return shift

    def _towards(self, weights: Array, margin: float, most: int) -> Array | None:
        missing = _BEYOND * (1 + abs(margin)) - margin
        shift = np.zeros(len(weights))
        order = np.argsort(-np.abs(weights) * np.where(np.isinf(self.spread), 0, self.spread))
        for column in order[:most]:
            limit = self.high[column] if weights[column] > 0 else self.low[column]
            reach = weights[column] * limit
            if reach <= 0:
                continue
            shift[column] = limit * min(1.0, missing / reach)
            missing -= weights[column] * shift[column]
            if missing <= 1e-12 * (1 + abs(margin)):
                return shift
        return None

    def search(self, question: Question, wanted: str, most: int) -> Array | None:
        """Return a change found one column at a time, then made as small as it can be."""
        shift = np.zeros(len(self.mean))
        changed: list[int] = []
        for _ in range(most):
            found = self._best_step(question, wanted, shift)
            if found is None:
                return None
            column, shift = found
            changed.append(column)
            if _says(question, shift, wanted):
                return self._smaller(question, wanted, shift, changed)
        return None

    def _best_step(self, question: Question, wanted: str, shift: Array) -> tuple[int, Array] | None:
        base = _lead(question, shift[None], wanted)[0]
        columns = np.flatnonzero(np.isfinite(self.spread))
        tries = np.repeat(shift[None], len(columns) * _TRIES, axis=0)
        moves = np.clip(self.quantiles[:, columns] - self.mean[columns], self.low[columns],
                        self.high[columns])  # fmt: skip
        at = np.repeat(columns, _TRIES)
        tries[np.arange(len(at)), at] = moves.T.ravel()
        leads = _lead(question, tries, wanted)
        cost = np.abs((tries - shift)[np.arange(len(at)), at]) / self.spread[at]
        gain = leads - base
        if not (gain > 1e-9).any():
            return None
        # The cheapest of those that flip, or else the one that comes nearest for its size.
        flips = leads > 0
        worth = np.where(flips, 1e6 - cost, np.where(gain > 1e-9, gain / (cost + 0.5), -1))
        best = int(worth.argmax())
        return int(at[best]), tries[best]

    def _smaller(self, question: Question, wanted: str, shift: Array, changed: list[int]) -> Array:
        for column in changed:
            without = shift.copy()
            without[column] = 0.0
            if _says(question, without, wanted):
                shift = without
                continue
            low, high = 0.0, 1.0
            for _ in range(12):
                middle = (low + high) / 2
                tried = shift.copy()
                tried[column] *= middle
                low, high = (low, middle) if _says(question, tried, wanted) else (middle, high)
            shift = shift.copy()
            shift[column] *= high
        return shift


def _wanted(question: Question, wanted: str) -> str:
    if not question.classes:
        raise ParameterError("This model estimates a value; there is no decision to flip.")
    wanted = wanted or question.against
    if wanted not in question.classes:
        raise ParameterError(f"wanted must be one of {list(question.classes)}; got {wanted!r}.")
    if wanted == question.decided:
        raise ParameterError(f"The model already says {wanted!r}; name another class.")
    return wanted


def _towards(question: Question, wanted: str) -> Question:
    return replace(question, target=wanted, against=question.decided)


def _margin(question: Question, wanted: str) -> float:
    """Return how far a linear model is from ``wanted``: below 0 it says something else."""
    said = np.log(np.maximum(question.probabilities(question.inputs), 1e-300)).mean(axis=0)
    classes = question.classes
    return float(said[classes.index(wanted)] - said[classes.index(question.decided)])


def _combined(question: Question, rows: Array) -> Array:
    proba = question.probabilities(rows)
    method = question.pipeline.config.aggregate
    combined: Array = aggregate(proba, np.zeros(len(proba)), method=method)[1][0]
    return combined


def _proba_after(question: Question, shift: Array) -> Array:
    return _combined(question, question.inputs + shift)


def _says(question: Question, shift: Array, wanted: str) -> bool:
    proba = _proba_after(question, shift)
    return question.classes[int(proba.argmax())] == wanted


def _lead(question: Question, shifts: Array, wanted: str) -> Array:
    """Return how far ahead ``wanted`` is of the best other class, for each change."""
    rows = question.inputs
    if len(rows) > 24:  # enough to choose by; what is chosen is confirmed on all
        rows = rows[np.linspace(0, len(rows) - 1, 24).round().astype(int)]
    proba = question.probabilities((rows[None] + shifts[:, None]).reshape(-1, rows.shape[1]))
    said = np.log(np.maximum(proba, 1e-6)).reshape(len(shifts), len(rows), -1).mean(axis=1)
    place = question.classes.index(wanted)
    others = np.delete(said, place, axis=1).max(axis=1)
    return np.asarray(said[:, place] - others)


def _changes(question: Question, room: _Room, shift: Array) -> tuple[Change, ...]:
    """Tell the changes in the units of the features."""
    pipeline = question.pipeline
    names, fitted = question.names, pipeline.fitted
    measured = question.measured(question.windows.values).mean(axis=0)
    scaler = question.person or fitted.scaler
    found = []
    for column in np.flatnonzero(shift):
        name = names[column]
        size = float(shift[column] / room.spread[column])
        if name in fitted.names:
            at = fitted.names.index(name)
            factor = float(scaler.spread[at]) if scaler is not None else 1.0
            before, unit = float(measured[at]), _unit_of(question, name)
            after = before + factor * float(shift[column])
        else:  # a projection: it has no unit
            before, unit = float(room.mean[column]), ""
            after = before + float(shift[column])
        found.append(Change(name, before, after, unit, size))
    return tuple(sorted(found, key=lambda change: -abs(change.size)))


def _unit_of(question: Question, name: str) -> str:
    where, _, feature = name.rpartition(".")
    feature = feature.partition("[")[0]
    channel = where.partition("~")[0]
    if feature not in FEATURES or channel not in question.layout.names:
        return ""
    unit = question.layout.units[question.layout.names.index(channel)]
    return FEATURES[feature].unit_for(unit)
