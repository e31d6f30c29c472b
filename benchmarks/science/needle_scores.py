"""Scores of three classes of needle recordings: per recording, per person, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from myograph.validate.stats import resample

CLASSES = ("healthy", "myopathy", "neuropathy")
HEALTHY, MYOPATHY, NEUROPATHY = 0, 1, 2
#: Answers that intervals are drawn from; the others only move the middle.
_DRAWN = 4

Matrix = NDArray[np.float64]
Figure = Callable[[Matrix, Matrix], float]


@dataclass(frozen=True, eq=False)
class Whose:
    """Label and person of every recording."""

    label: NDArray[np.str_]
    person: NDArray[np.str_]

    @cached_property
    def codes(self) -> NDArray[np.intp]:
        return np.unique(self.label, return_inverse=True)[1].astype(np.intp)

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        return np.unique(self.person, return_inverse=True)[1].astype(np.intp)

    @cached_property
    def truth(self) -> NDArray[np.intp]:
        """Return the class of each person."""
        return self.codes[np.unique(self.owner, return_index=True)[1]]

    def of_people(self, proba: Matrix) -> Matrix:
        """Return the mean log probability of each person's recordings."""
        logs = np.zeros((len(self.truth), proba.shape[1]))
        np.add.at(logs, self.owner, np.log(np.maximum(proba, 1e-6)))
        return logs / np.bincount(self.owner)[:, np.newaxis]

    def figures(self) -> dict[str, Figure]:
        """Return what is scored: each from answers, and how often each person counts."""
        ill = np.isin(self.truth, (MYOPATHY, NEUROPATHY))

        def of_recordings(proba: Matrix, counts: Matrix) -> float:
            return balanced(self.codes, proba, counts[self.owner])

        def of_people(proba: Matrix, counts: Matrix) -> float:
            return balanced(self.truth, self.of_people(proba), counts)

        def area(proba: Matrix, counts: Matrix) -> float:
            logs = self.of_people(proba)[ill]
            odds = logs[:, NEUROPATHY] - logs[:, MYOPATHY]
            return float(
                roc_auc_score(self.truth[ill] == NEUROPATHY, odds, sample_weight=counts[ill])
            )

        return {
            "recording": of_recordings,
            "person": of_people,
            "myopathy_neuropathy_auc": area,
        }


def balanced(codes: NDArray[Any], proba: Matrix, weights: Matrix) -> float:
    right = proba.argmax(axis=1) == codes
    shares = [
        (weights * right)[codes == k].sum() / weights[codes == k].sum()
        for k in range(proba.shape[1])
        if weights[codes == k].sum() > 0
    ]
    return float(np.mean(shares))


def score(
    name: str,
    answers: Sequence[Matrix],
    whose: Whose,
    *,
    against: Sequence[Matrix] | None = None,
) -> dict[str, Any]:
    """Score every deal and average; intervals by drawing people, the same in every deal.

    With ``against`` the difference of two lists of answers is scored, deal by deal.
    """
    counts = resample(len(whose.truth), seed=0, n_resamples=500)
    everybody = np.ones(counts.shape[1])
    pairs = list(zip(answers, against or answers, strict=True))
    line: dict[str, Any] = {"name": name}
    for key, figure in whose.figures().items():

        def told(row: Matrix, few: int | None = None, figure: Figure = figure) -> float:
            found = [
                figure(one, row) - (figure(other, row) if against else 0.0)
                for one, other in pairs[:few]
            ]
            return float(np.mean(found))

        value, middle = told(everybody), told(everybody, _DRAWN)
        low, high = np.quantile([told(row, _DRAWN) - middle for row in counts], [0.025, 0.975])
        line[key] = {"value": value, "low": value + low, "high": min(value + high, 1.0)}
    return line


def with_goals(line: dict[str, Any], goals: dict[str, float], *, most: bool = False) -> None:
    """Say which figures are to be reached, or with ``most`` not to be exceeded either way."""
    for key, goal in goals.items():
        value = line[key]["value"]
        line[key]["goal"] = goal
        line["missed"] = line.get("missed", False) or (abs(value) > goal if most else value < goal)


def matched(
    name: str, answers: Sequence[Matrix], probe: Sequence[Matrix], whose: Whose
) -> dict[str, Any]:
    """Order pairs of people of two classes for whom the drift probe says the same."""
    line: dict[str, Any] = {"name": f"{name}, on pairs matched by drift"}
    truth = whose.truth
    for a, b in ((0, 1), (0, 2), (1, 2)):
        shares, pairs = [], 0
        for proba, seen in zip(answers, probe, strict=True):
            said, guessed = whose.of_people(proba), whose.of_people(seen)
            one, other = np.flatnonzero(truth == a), np.flatnonzero(truth == b)
            near = guessed[:, a] - guessed[:, b]
            odds = said[:, a] - said[:, b]
            close = np.abs(near[one][:, None] - near[other]) <= 0.2 * near[truth != 3 - a - b].std()
            right = odds[one][:, None] > odds[other]
            pairs = int(close.sum())
            shares.append(float(right[close].mean()))
        line[f"{CLASSES[a]}_{CLASSES[b]}_auc"] = {"value": float(np.mean(shares)), "pairs": pairs}
    return line


def show(line: dict[str, Any]) -> None:
    parts = []
    for key, value in line.items():
        if isinstance(value, dict):
            between = f" [{value['low']:.3f}, {value['high']:.3f}]" if "low" in value else ""
            goal = f" (goal {value['goal']})" if "goal" in value else ""
            parts.append(f"{key} {value['value']:.3f}{between}{goal}")
    print(f"{line['name']:45s} " + "  ".join(parts), flush=True)
