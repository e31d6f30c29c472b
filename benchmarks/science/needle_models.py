"""Models of needle recordings: what shape says, and as much of loudness as inner folds allow.

**Shape.** Four members see numbers that no gain changes: a linear and a Gaussian kernel, on the
numbers of the whole recording and on those together with the windows'. Their log probabilities are
averaged. That is the model free of gain.

**Loudness** is heard twice. A model of loudness alone adds its log probabilities, with a say
between 0 and 1. And which of two diseases it is, myopathy or neuropathy, is asked of two linear
kernels that learned from ill people alone and see shape and loudness. Whoever hears loudness learns
from each recording amplified by 0.5 to 2, so that it does not hold loudness for exact.

Prices of weights and the say of loudness are chosen by people held out of the training side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from needle_scores import HEALTHY, MYOPATHY, NEUROPATHY
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from myograph.models import build_model
from myograph.models.logistic import balance_weights

FOLDS, INNER = 10, 3
GAINS = (0.5, 1.0, 2.0)
COSTS = {"linear": (3.0, 10.0), "rbf": (10.0, 30.0)}
PAIR_COSTS = (0.5, 1.0, 2.0)
SAYS = (0.0, 0.25, 0.5, 0.75, 1.0)
_CLIP = 4.0
_WIDTH = 1.5
_LEAST = 1e-3

Matrix = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of every recording, as it is and changed, and whose it is."""

    values: Matrix  # (n_copies, n_recordings, n_numbers); the first as recorded
    loudness: Matrix  # (n_copies, n_recordings), log10
    of_windows: NDArray[np.bool_]  # (n_numbers,)
    codes: Rows
    person: Rows


class Member(NamedTuple):
    """A kernel, and what it sees; ``loud`` is loudness against all of shape, in deviations."""

    kernel: str
    windows: bool
    loud: float = 0.0


SHAPE = tuple(Member(kernel, windows) for windows, kernel in product((False, True), COSTS))
PAIR = tuple(Member("linear", windows, loud=1.0) for windows in (False, True))


@dataclass(eq=False)
class Heard:
    """Answers (n_copies, n_recordings, n_classes) about people held out, and what was chosen."""

    everything: Matrix
    free: Matrix
    chosen: list[dict[str, Any]] = field(default_factory=list)


class View:
    """What members see, scaled by the recordings of a training side.

    Numbers are measured in their deviations and cut at four of them. All rows are then turned so
    that the training rows, fewer than there are numbers, need as many coordinates as they are, and
    the rest of any other row is one coordinate more: every distance to a training row stays.
    """

    def __init__(self, measured: Measured, train: Rows, *, windows: bool) -> None:
        seen = measured.values if windows else measured.values[..., ~measured.of_windows]
        known = seen[0, train]
        varies = known.std(axis=0) > 1e-9
        scaled = (seen[..., varies] - known[:, varies].mean(axis=0)) / known[:, varies].std(axis=0)
        scaled = np.clip(scaled, -_CLIP, _CLIP) / np.sqrt(varies.sum())
        axes = np.linalg.svd(scaled[0, train], full_matrices=False)[2]
        turned = scaled @ axes.T
        rest = np.maximum((scaled**2).sum(axis=-1) - (turned**2).sum(axis=-1), 0.0)
        self.shape = np.concatenate([turned, np.sqrt(rest)[..., np.newaxis]], axis=-1)
        self.middle = _median_square(self.shape[0, train])
        level, spread = measured.loudness[0, train].mean(), measured.loudness[0, train].std()
        self.loudness = (measured.loudness - level) / spread
        self.steps = [float(np.log10(gain) / spread) for gain in GAINS]
        self.codes, self.person = measured.codes, measured.person

    def answers(self, member: Member, cost: float, train: Rows, test: Rows) -> Matrix:
        """Return what a member that learned from ``train`` says of ``test``, in every copy."""
        steps = self.steps if member.loud else [0.0]
        rows = np.concatenate([self._rows(member, 0, train, step) for step in steps])
        codes, person = (np.tile(each[train], len(steps)) for each in (self.codes, self.person))
        model: Any = build_model(
            "kernel-logistic",
            kernel=member.kernel,
            cost=cost / len(steps),
            gamma=1 / _WIDTH,
            balance="people",
        )
        model.fit(rows, codes, groups=person)
        copies = range(len(self.shape))
        return np.stack([model.predict_proba(self._rows(member, k, test, 0.0)) for k in copies])

    def _rows(self, member: Member, copy: int, rows: Rows, step: float) -> Matrix:
        shape = self.shape[copy, rows]
        if member.kernel == "rbf":
            shape = shape / np.sqrt(self.middle)
        if not member.loud:
            return shape
        return np.column_stack([shape, member.loud * (self.loudness[copy, rows] + step)])


def _median_square(rows: Matrix) -> float:
    lengths = (rows**2).sum(axis=1)
    squares = lengths[:, None] + lengths - 2 * rows @ rows.T
    return float(np.median(squares[np.triu_indices(len(rows), 1)]))


class Parts(NamedTuple):
    """What was said of recordings (n_copies, n_recordings, ...), by every price that was tried."""

    shape: list[list[Matrix]]  # of each member, by each price; three classes
    alone: Matrix  # three classes, by loudness alone
    pair: list[Matrix]  # by each price: myopathy, neuropathy


def held_out(measured: Measured, *, seed: int) -> Heard:
    """Return answers about every recording by models that never saw its person."""
    n_copies, n_recordings, _ = measured.values.shape
    heard = Heard(*(np.zeros((n_copies, n_recordings, 3)) for _ in range(2)))
    codes = measured.codes
    deal = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in deal.split(codes, codes, measured.person):
        views = _Views(measured, train)
        chosen = _chosen(measured, views, train)
        of_shape = [[cost] for cost in chosen["costs"]]
        parts = views.parts(train, test, of_shape, [chosen["pair_cost"]])
        heard.free[:, test] = shape_alone(parts, [0] * len(SHAPE))
        heard.everything[:, test] = together(
            heard.free[:, test], parts.alone, parts.pair[0], chosen
        )
        heard.chosen.append(chosen)
    return heard


def shape_alone(parts: Parts, places: list[int]) -> Matrix:
    said = [each[k] for each, k in zip(parts.shape, places, strict=True)]
    return _normal(np.mean([_log(each) for each in said], axis=0))


def together(shape: Matrix, alone: Matrix, pair: Matrix, chosen: dict[str, Any]) -> Matrix:
    """Return shape with the say of loudness; the ill share is split as the pair says."""
    proba = _normal(_log(shape) + chosen["say"] * _log(alone))
    ill = proba[..., [MYOPATHY, NEUROPATHY]].sum(axis=-1)
    return np.stack([proba[..., HEALTHY], ill * pair[..., 0], ill * pair[..., 1]], axis=-1)


class _Views:
    """Views of all training people, and of the ill among them."""

    def __init__(self, measured: Measured, train: Rows) -> None:
        self.measured = measured
        ill = train[measured.codes[train] != HEALTHY]
        self.all = {windows: View(measured, train, windows=windows) for windows in (False, True)}
        self.ill = {windows: View(measured, ill, windows=windows) for windows in (False, True)}

    def parts(
        self, train: Rows, test: Rows, costs: list[list[float]], pair_costs: list[float]
    ) -> Parts:
        """Learn from ``train`` at each price and say what it makes of ``test``."""
        shape = [
            [self.all[each.windows].answers(each, cost, train, test) for cost in tried]
            for each, tried in zip(SHAPE, costs, strict=True)
        ]
        ill = train[self.measured.codes[train] != HEALTHY]
        pair = []
        for cost in pair_costs:
            said = [self.ill[each.windows].answers(each, cost, ill, test) for each in PAIR]
            pair.append(_normal(np.mean([_log(each) for each in said], axis=0)))
        return Parts(shape, loudness_alone(self.measured, train, test), pair)


def loudness_alone(measured: Measured, train: Rows, test: Rows) -> Matrix:
    """Return what loudness alone says, learned from recordings amplified by 0.5 to 2."""

    def rows(log10: Matrix) -> Matrix:
        return np.stack([log10, log10**2], axis=-1)

    gains = np.log10(np.geomspace(GAINS[0], GAINS[-1], 5))
    known = np.concatenate([rows(measured.loudness[0, train] + gain) for gain in gains])
    codes, person = (np.tile(each[train], len(gains)) for each in (measured.codes, measured.person))
    model: Any = build_model("logistic", cost=6.0, balance="people")
    model.fit(known, codes, groups=person)
    return np.stack([model.predict_proba(rows(each[test])) for each in measured.loudness])


def _chosen(measured: Measured, views: _Views, train: Rows) -> dict[str, Any]:
    """Choose prices and the say of loudness by people left out of ``train``.

    What is least is the surprise, half over recordings as they are and half over changed ones;
    every class counts alike, and within it every person.
    """
    codes, person = measured.codes[train], measured.person[train]
    tried = [list(COSTS[each.kernel]) for each in SHAPE]
    deal = StratifiedGroupKFold(INNER, shuffle=True, random_state=0)
    found, order = [], []
    for inside, left in deal.split(codes, codes, person):
        found.append(views.parts(train[inside], train[left], tried, list(PAIR_COSTS)))
        order.append(left)
    parts, rows = _joined(found), np.concatenate(order)
    codes, weights = codes[rows], balance_weights(codes, person, by="people")[rows]

    def surprise(proba: Matrix) -> float:
        right = np.take_along_axis(proba, codes[np.newaxis, :, np.newaxis], axis=-1)[..., 0]
        lost = (-np.log(np.maximum(right, _LEAST)) * weights).mean(axis=1)
        return float((lost[0] + lost[1:].mean()) / 2)

    places = [int(np.argmin([surprise(each) for each in answers])) for answers in parts.shape]
    shape = shape_alone(parts, places)
    ways = [
        {"say": say, "pair_cost": cost, "pair": k}
        for say in SAYS
        for k, cost in enumerate(PAIR_COSTS)
    ]
    best = min(
        ways, key=lambda way: surprise(together(shape, parts.alone, parts.pair[way["pair"]], way))
    )
    costs = [each[k] for each, k in zip(tried, places, strict=True)]
    return {"say": best["say"], "pair_cost": best["pair_cost"], "costs": costs}


def _joined(found: list[Parts]) -> Parts:
    """Put what was said of the people of every inner fold one after the other."""

    def one(pieces: list[Matrix]) -> Matrix:
        return np.concatenate(pieces, axis=1)

    shape = [
        [one([each.shape[m][k] for each in found]) for k in range(len(found[0].shape[m]))]
        for m in range(len(SHAPE))
    ]
    pair = [one([each.pair[k] for each in found]) for k in range(len(PAIR_COSTS))]
    return Parts(shape, one([each.alone for each in found]), pair)


def _log(proba: Matrix) -> Matrix:
    return np.log(np.maximum(proba, _LEAST))


def _normal(logs: Matrix) -> Matrix:
    proba = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(proba / proba.sum(axis=-1, keepdims=True))
