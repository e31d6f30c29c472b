"""Columns judged by how well a model does with them: one step after the other, and by cost."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_non_negative, check_positive
from myograph.core.errors import ParameterError
from myograph.features.cost import split_column, total_operations
from myograph.features.select.base import SELECTIONS, Sample, Selector, n_kept
from myograph.features.select.statistics import Judge

__all__ = ["CostAware", "Sequential", "Unit", "units_of"]

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]

#: What is chosen as one: a column; a feature of one channel; a feature of all; a channel.
Unit = Literal["column", "channel.feature", "feature", "channel"]
_UNITS = ("column", "channel.feature", "feature", "channel")


def units_of(sample: Sample, unit: str) -> list[Rows]:
    """Return the columns of each unit, in the order of first mention.

    Raises
    ------
    ParameterError
        If the unit is unknown, or needs names and the columns have none.
    """
    check_choice(unit, _UNITS, name="unit")
    if unit == "column":
        return [np.array([k]) for k in range(sample.X.shape[1])]
    if sample.columns is None:
        raise ParameterError(
            f"unit={unit!r} needs to know what the columns are; give fit columns=Columns(...), as "
            "a pipeline does, or use unit='column'."
        )
    keys: dict[object, list[int]] = {}
    for k, name in enumerate(sample.columns.names):
        channel, feature = split_column(name)
        key = {"channel.feature": (channel, feature), "feature": feature, "channel": channel}[unit]
        keys.setdefault(key, []).append(k)
    return [np.array(columns) for columns in keys.values()]


@SELECTIONS.register("sequential")
class Sequential(Selector):
    """Add the unit that helps most, or drop the one that is missed least, one after the other.

    Judged by linear discriminants (for a number: least squares) on people kept apart inside the
    training side (pudil1994 calls it SFS and SBS). The score is the round in which a unit came in,
    the earliest highest, or how long it stayed.

    Parameters
    ----------
    keep : int or float
        How many units, or which share of them.
    unit : str
        What is added or dropped as one: ``"column"``, ``"channel.feature"``, ``"feature"`` (of all
        channels), ``"channel"`` (all features of it).
    direction : str
        ``"forward"`` from nothing, ``"backward"`` from all.
    max_windows : int
        Learn from at most so many windows, spread evenly.
    """

    def __init__(
        self,
        *,
        keep: float = 0.5,
        unit: Unit = "column",
        direction: Literal["forward", "backward"] = "forward",
        max_windows: int = 4000,
    ) -> None:
        self.keep = keep
        self.unit = unit
        self.direction = direction
        self.max_windows = max_windows

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        check_choice(self.direction, ("forward", "backward"), name="direction")
        units = units_of(sample, self.unit)
        count = n_kept(self.keep, len(units), what="units")
        judge = Judge.of(self._thinned(sample, self.max_windows))
        forward = self.direction == "forward"
        inside = [] if forward else list(range(len(units)))
        scores = np.zeros(sample.X.shape[1])
        while len(inside) != count:
            options = [k for k in range(len(units)) if k not in inside] if forward else inside
            tried = [_changed(inside, k) for k in options]
            reached = [judge.score(_joined(units, each)) for each in tried]
            winner = int(np.argmax(reached))
            inside = tried[winner]
            if forward:
                scores[_joined(units, inside)] += 1
            else:
                scores[units[options[winner]]] = len(units) - len(inside)
        if not forward:
            scores[_joined(units, inside)] = len(units)
        return _joined(units, inside), scores


@SELECTIONS.register("cost-aware")
class CostAware(Selector):
    """Keep the cheapest columns that do nearly as well as the best: for a device that computes.

    Units are added one after the other, each time the one that gains most accuracy per operation
    (`myograph.features.cost`), on people kept apart inside the training side. Of the sets passed
    on the way the cheapest is kept whose accuracy is within ``tolerance`` of the best. The score
    is the round in which a unit came in, the earliest highest; `path_` tells accuracy against
    operations.

    Parameters
    ----------
    tolerance : float
        Accuracy (for a number: R squared) that may be given up.
    most_operations : float, optional
        Never more operations per window than this.
    unit : str
        As for `Sequential`; by default a feature of a channel.
    max_windows : int
        Learn from at most so many windows, spread evenly.
    """

    state = (*Selector.state, "path_")

    #: Operations per window and accuracy reached inside, round by round; shape (n_rounds, 2).
    path_: Matrix

    def __init__(
        self,
        *,
        tolerance: float = 0.01,
        most_operations: float | None = None,
        unit: Unit = "channel.feature",
        max_windows: int = 4000,
    ) -> None:
        self.tolerance = tolerance
        self.most_operations = most_operations
        self.unit = unit
        self.max_windows = max_windows

    def _pick(self, sample: Sample) -> tuple[Rows, Matrix]:
        tolerance = check_non_negative(self.tolerance, name="tolerance")
        limit = np.inf
        if self.most_operations is not None:
            limit = check_positive(self.most_operations, name="most_operations")
        # Without names every column costs the same: one.
        units = units_of(sample, self.unit if sample.columns is not None else "column")
        judge = Judge.of(self._thinned(sample, self.max_windows))
        rounds = _by_gain(sample, units, judge, limit)
        if not rounds:
            cheapest = min(_operations(sample, columns) for columns in units)
            raise ParameterError(
                f"most_operations={limit:g} is less than the cheapest unit takes ({cheapest:g} "
                "operations per window); allow more, or shorten the windows."
            )
        self.path_ = np.array([(operations, reached) for _, operations, reached in rounds])
        enough = self.path_[:, 1].max() - tolerance
        stop = int(np.argmax(self.path_[:, 1] >= enough))
        scores = np.zeros(sample.X.shape[1])
        for inside, _, _ in rounds:
            scores[_joined(units, inside)] += 1
        top = int(self.path_[:, 1].argmax())
        self.facts_ = {
            "operations per window": float(self.path_[stop, 0]),
            "operations of the best set": float(self.path_[top, 0]),
            "score inside training": float(self.path_[stop, 1]),
            "score of the best set": float(self.path_[top, 1]),
        }
        return _joined(units, rounds[stop][0]), scores

    def _check_state(self) -> None:
        super()._check_state()
        self._expect("path_", len(self.path_), 2)


Round = tuple[list[int], float, float]


def _by_gain(sample: Sample, units: list[Rows], judge: Judge, limit: float) -> list[Round]:
    """Return the sets passed, their operations and accuracy: each adds the best bargain."""
    rounds: list[Round] = []
    inside: list[int] = []
    spent = 0.0
    # Guessing is where the first unit starts from.
    shares = np.bincount(judge.sample.codes) / len(judge.sample.X) if judge.sample.classes else [0]
    reached = float(np.max(shares))
    while len(inside) < len(units):
        options = []
        for k in set(range(len(units))) - set(inside):
            columns = _joined(units, [*inside, k])
            operations = _operations(sample, columns)
            if operations <= limit:
                score = judge.score(columns)
                gain, price = score - reached, max(operations - spent, 1.0)
                # What loses is not a bargain for being cheap.
                options.append((gain / price if gain > 0 else gain, -operations, -k, score))
        if not options:
            break
        _, operations, k, reached = max(options)
        inside, spent = [*inside, -k], -operations
        rounds.append((inside, spent, reached))
    return rounds


def _operations(sample: Sample, columns: Rows) -> float:
    if sample.columns is None:
        return float(len(columns))
    names = [sample.columns.names[k] for k in columns]
    return total_operations(names, n_samples=sample.columns.n_samples)


def _changed(inside: list[int], k: int) -> list[int]:
    return [each for each in inside if each != k] if k in inside else [*inside, k]


def _joined(units: list[Rows], inside: list[int]) -> Rows:
    return np.sort(np.concatenate([units[k] for k in inside]))
