"""From predictions to figures: scores of each person first, then what they say about people.

The piece of evidence is the person. Where a person has windows of several classes, each person is
scored and the scores are averaged. Where a person is one case (a diagnosis), their windows become
one answer and the answers are counted. Only where a single person was tested do intervals run
over repetitions, and the estimate says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from myograph.core.decision import Estimate
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import aggregate_people
from myograph.validate.fold import Groups
from myograph.validate.metrics import (
    CLASSIFICATION,
    METRICS,
    REGRESSION,
    average_precision,
    class_scores,
    confusion_counts,
    error_sums,
    nan_mean,
    regression_scores,
    roc_auc,
    scores_of_sums,
)
from myograph.validate.stats import (
    mean_estimate,
    proportion_estimate,
    resample,
    resampled_estimate,
)

__all__ = ["Figure", "Scorer", "Scores"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
_PER_CLASS = ("precision", "recall", "f1")


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A figure before its interval is drawn.

    Parameters
    ----------
    value : float
    people : ndarray, shape (n_people,), optional
        The scores it is the mean of.
    resampled : ndarray, shape (n_resamples,), optional
        The figure on each resample, where it is not a mean of scores.
    counted : bool
        True when ``people`` are right-or-wrong answers: the interval is then exact.
    """

    value: float
    people: Array | None = None
    resampled: Array | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Everything that one set of predictions says."""

    figures: dict[str, Figure]
    per_person: dict[str, Array]
    per_class: dict[str, dict[str, Figure]] = field(default_factory=dict)
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))


class Scorer:
    """Scores outputs for one set of tested windows; all intervals share one set of resamples.

    Parameters
    ----------
    index : WindowIndex
        Of the tested windows, with true labels.
    classes : tuple of str
        Empty for a numeric target.
    method : str
        How a person's windows become one answer; see `myograph.models.aggregate.METHODS`.
    seed, n_resamples : int
        Of the bootstrap.
    """

    def __init__(
        self,
        index: WindowIndex,
        classes: tuple[str, ...],
        *,
        method: str,
        seed: int,
        n_resamples: int,
    ) -> None:
        self.index, self.classes, self.method, self.seed = index, classes, method, seed
        self.people = Groups.of(index.subject)
        n_people = len(self.people.names)
        self.single = n_people == 1
        #: A single person's evidence is their repetitions.
        self.units = (
            Groups.of(index.groups("subject", "session", "trial")) if self.single else self.people
        )
        self.evidence = "repetition" if self.single else "person"
        self.counts = resample(len(self.units.names), seed=seed, n_resamples=n_resamples)
        self.rows = [np.flatnonzero(self.people.codes == p) for p in range(n_people)]
        self.truth = (
            np.searchsorted(np.array(classes), index.label) if classes else np.zeros(0, int)
        )
        self.cases = bool(classes) and not self.single and self._one_label_each()

    @property
    def headline(self) -> str:
        """The metric that a run is summarised by."""
        if not self.classes:
            return "r2"
        return "person_accuracy" if self.cases else "accuracy"

    @property
    def chance(self) -> float | None:
        """The headline figure of a guess; of always guessing the mean, for a number."""
        return 1 / len(self.classes) if self.classes else 0.0

    def score(self, output: Array) -> Scores:
        """Score ``output``: probabilities (n_windows, n_classes), or estimates (n_windows,)."""
        if not self.classes:
            return self._regression(output)
        return self._cases(output) if self.cases else self._windows(output)

    def estimate(self, name: str, figure: Figure) -> Estimate | None:
        """Put an interval around ``figure``, a value of metric ``name``."""
        if figure.counted and figure.people is not None:
            answers = figure.people[np.isfinite(figure.people)]
            return proportion_estimate(int(answers.sum()), len(answers)) if len(answers) else None
        bounds = METRICS[name].bounds
        if figure.people is not None and not self.single:
            return mean_estimate(figure.people, self.counts, evidence=self.evidence, bounds=bounds)
        if figure.resampled is None:
            return resampled_estimate(figure.value, [], evidence="person", n=1, bounds=bounds)
        n = len(self.units.names)
        return resampled_estimate(
            figure.value, figure.resampled, evidence=self.evidence, n=n, bounds=bounds
        )

    def gain(self, figure: Figure, baseline: Figure) -> Estimate | None:
        """Return ``figure`` minus ``baseline``, person by person, with its interval."""
        bounds = (-math.inf, math.inf)
        if figure.people is not None and baseline.people is not None and not self.single:
            difference = figure.people - baseline.people
            return mean_estimate(difference, self.counts, evidence=self.evidence, bounds=bounds)
        if figure.resampled is None or baseline.resampled is None:
            return None
        return resampled_estimate(
            figure.value - baseline.value,
            figure.resampled - baseline.resampled,
            evidence=self.evidence,
            n=len(self.units.names),
            bounds=bounds,
        )

    def estimates(self, figures: Mapping[str, Figure]) -> dict[str, Estimate]:
        """Put intervals around all figures that are defined."""
        drawn = {name: self.estimate(name, figure) for name, figure in figures.items()}
        return {name: estimate for name, estimate in drawn.items() if estimate is not None}

    def _one_label_each(self) -> bool:
        return all(len(np.unique(self.truth[rows])) == 1 for rows in self.rows)

    def _windows(self, output: Array) -> Scores:
        """Score each person's windows; the figure is the mean over people."""
        predicted = output.argmax(axis=1)
        by_person = self._confusions(self.truth, predicted, self.people)
        scored = class_scores(by_person)
        per_person = scored.macro()
        areas = {"roc_auc": roc_auc, "pr_auc": average_precision}
        for name, area in areas.items():
            per_person[name] = nan_mean(
                np.array([area(self.truth[rows], output[rows]) for rows in self.rows])
            )
        per_person = {name: per_person[name] for name in CLASSIFICATION}
        confusion = confusion_counts(self.truth, predicted, len(self.classes))
        figures = {name: _mean_figure(values) for name, values in per_person.items()}
        per_class = {
            label: {name: _mean_figure(getattr(scored, name)[:, k]) for name in _PER_CLASS}
            for k, label in enumerate(self.classes)
        }
        if self.single:
            units = self._confusions(self.truth, predicted, self.units)
            pooled, pooled_classes = self._pooled(units)
            figures, per_class = {**figures, **pooled}, pooled_classes
        return Scores(figures, per_person, per_class, confusion)

    def _cases(self, output: Array) -> Scores:
        """Turn each person's windows into one answer, and score the answers."""
        truth = np.array([self.truth[rows[0]] for rows in self.rows])
        combined = aggregate_people(output, self.index, method=self.method)[1]
        answers = combined.argmax(axis=1)
        people = Groups(np.arange(len(truth)), self.people.names)
        units = self._confusions(truth, answers, people)
        pooled, per_class = self._pooled(units)
        right = (answers == truth).astype(np.float64)
        in_windows = class_scores(
            self._confusions(self.truth, output.argmax(axis=1), self.people)
        ).accuracy
        figures = {
            "person_accuracy": Figure(float(right.mean()), people=right, counted=True),
            **{f"person_{name}": figure for name, figure in pooled.items() if name != "accuracy"},
            **self._case_areas(truth, combined),
            "accuracy": _mean_figure(in_windows),
        }
        per_person = {"person_accuracy": right, "accuracy": in_windows}
        self._count_classes(per_class, truth, answers)
        return Scores(figures, per_person, per_class, units.sum(axis=0).astype(np.int64))

    def _regression(self, output: Array) -> Scores:
        truth = self.index.label
        scored = [regression_scores(truth[rows], output[rows]) for rows in self.rows]
        per_person = {name: np.array([each[name] for each in scored]) for name in REGRESSION}
        figures = {name: _mean_figure(values) for name, values in per_person.items()}
        if self.single:
            units = range(len(self.units.names))
            rows = [np.flatnonzero(self.units.codes == u) for u in units]
            sums = np.array([error_sums(truth[each], output[each]) for each in rows])
            drawn = scores_of_sums(self.counts @ sums)
            figures = {
                name: Figure(figure.value, resampled=drawn[name])
                for name, figure in figures.items()
            }
        return Scores(figures, per_person)

    def _confusions(self, truth: Codes, predicted: Codes, groups: Groups) -> NDArray[np.int64]:
        """Return one confusion matrix per group."""
        n = len(self.classes)
        cells = (groups.codes * n + truth) * n + predicted
        counts = np.bincount(cells, minlength=len(groups.names) * n * n)
        return counts.reshape(len(groups.names), n, n)

    def _pooled(
        self, units: NDArray[np.int64]
    ) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
        """Score the confusion of all units together, and of every resample of units."""
        n = len(self.classes)
        whole = class_scores(units.sum(axis=0))
        drawn = class_scores((self.counts @ units.reshape(len(units), -1)).reshape(-1, n, n))
        macro, drawn_macro = whole.macro(), drawn.macro()
        figures = {
            name: Figure(float(value), resampled=drawn_macro[name]) for name, value in macro.items()
        }
        per_class = {
            label: {
                name: Figure(float(getattr(whole, name)[k]), resampled=getattr(drawn, name)[:, k])
                for name in _PER_CLASS
            }
            for k, label in enumerate(self.classes)
        }
        return figures, per_class

    def _case_areas(self, truth: Codes, combined: Array) -> dict[str, Figure]:
        """Areas under the curves of people, macro over classes, with resamples of people."""
        shares = _resampled_areas(truth, combined, self.counts)
        return {
            "person_roc_auc": Figure(
                float(nan_mean(roc_auc(truth, combined))), resampled=nan_mean(shares[0])
            ),
            "person_pr_auc": Figure(
                float(nan_mean(average_precision(truth, combined))), resampled=nan_mean(shares[1])
            ),
        }

    def _count_classes(
        self, per_class: dict[str, dict[str, Figure]], truth: Codes, answers: Codes
    ) -> None:
        """Recall and precision of cases are counts of people: replace them by exact ones."""
        for k, label in enumerate(self.classes):
            for name, among in (("recall", truth == k), ("precision", answers == k)):
                if among.any():
                    right = ((truth == k) & (answers == k))[among].astype(np.float64)
                    per_class[label][name] = Figure(float(right.mean()), people=right, counted=True)


def _mean_figure(people: Array) -> Figure:
    return Figure(float(nan_mean(people)), people=people)


def _resampled_areas(truth: Codes, scores: Array, counts: Array) -> tuple[Array, Array]:
    """Return ROC AUC and average precision of each class on each resample of people.

    Both follow from weighted counts of people who score above each person, ties included.
    """
    n_classes = scores.shape[1]
    roc = np.full((len(counts), n_classes), np.nan)
    precision = np.full((len(counts), n_classes), np.nan)
    for k in range(n_classes):
        mine = counts * (truth == k)
        others = counts - mine
        score = scores[:, k]
        above = (score[:, None] < score) + 0.5 * (score[:, None] == score)
        at_least = (score[:, None] >= score).astype(np.float64)
        n_mine, n_others = mine.sum(axis=1), others.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            # Undefined (0 / 0) where a resample holds nobody of a side.
            roc[:, k] = ((others @ above) * mine).sum(axis=1) / (n_mine * n_others)
            share = np.where(mine > 0, (mine @ at_least) / (counts @ at_least), 0.0)
            precision[:, k] = (share * mine).sum(axis=1) / n_mine
        precision[n_others == 0, k] = np.nan
    return roc, precision
