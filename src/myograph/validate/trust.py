"""Trust: what an evaluation says about its model's probabilities, sets and refusals.

Taken from the held-out answers alone. What has to be fitted (a temperature, a limit) is fitted for
each person on everybody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.validate.answers import Answers
from myograph.validate.calibration import calibrate_across
from myograph.validate.conformal import Promise, sets_across
from myograph.validate.decision_curve import NetBenefit, decision_curve
from myograph.validate.predictive import PredictiveValues, count_answers, predictive_values
from myograph.validate.rejection import Outcome, coverage_curve
from myograph.validate.reliability import Reliability, measure_reliability
from myograph.validate.stats import mean_estimate, proportion_estimate, resample

__all__ = ["PREVALENCES", "Coverage", "Trust", "coverage_of", "measure_trust"]

#: Share of sets that may lack the truth.
MISCOVERAGE = 0.1
#: Shares of cases at which answers are judged where none was stated.
PREVALENCES = (0.01, 0.05, 0.1, 0.2, 0.5)
_METHOD = "mixture"
_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often sets hold the truth, in one group of windows.

    Parameters
    ----------
    group : str
        A class, a level of a factor, or ``"all"``.
    people, windows : int
    coverage : Estimate
        Share of windows whose set holds the truth, mean over people.
    size : float
        Classes per set, mean over people.
    single, empty : float
        Shares of sets with one class and with none, means over people.
    """

    group: str
    people: int
    windows: int
    coverage: Estimate
    size: float
    single: float
    empty: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Coverage:
        """Rebuild it from what `to_dict` gave."""
        return cls(**{**data, "coverage": Estimate(**data["coverage"])})


@dataclass(frozen=True, eq=False)
class Trust:
    """How far a model's answers can be taken at their word.

    Parameters
    ----------
    unit : str
        What was judged: ``"window"``, or ``"person"`` where every person is one case.
    method : str
        Of `myograph.validate.calibration.METHODS`.
    before, after : Reliability
        As the model says it, and calibrated on other people.
    nominal : float
        Coverage that was asked of the sets.
    coverage : tuple of Coverage
        All windows, then each class.
    curve : tuple of Outcome
        Refusing more and more of the least sure answers.
    benefit : dict of str to tuple of NetBenefit
        By class, what acting on the calibrated answers is worth; only where every person is one
        case.
    worth : dict of str to tuple of PredictiveValues
        By class, what the answer "this class" and any other answer are worth at each stated
        prevalence; only where every person is one case.
    """

    unit: str
    method: str
    before: Reliability
    after: Reliability
    nominal: float
    coverage: tuple[Coverage, ...]
    curve: tuple[Outcome, ...]
    benefit: dict[str, tuple[NetBenefit, ...]] = field(default_factory=dict)
    worth: dict[str, tuple[PredictiveValues, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "unit": self.unit,
            "method": self.method,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "nominal": self.nominal,
            "coverage": [each.to_dict() for each in self.coverage],
            "curve": [each.to_dict() for each in self.curve],
            "benefit": {k: [each.to_dict() for each in v] for k, v in self.benefit.items()},
            "worth": {k: [each.to_dict() for each in v] for k, v in self.worth.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Trust:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            data["unit"],
            data["method"],
            Reliability.from_dict(data["before"]),
            Reliability.from_dict(data["after"]),
            data["nominal"],
            tuple(Coverage.from_dict(each) for each in data["coverage"]),
            tuple(Outcome.from_dict(each) for each in data["curve"]),
            {
                name: tuple(NetBenefit.from_dict(each) for each in rows)
                for name, rows in data.get("benefit", {}).items()  # results of 0.1 may lack it
            },
            {
                name: tuple(PredictiveValues.from_dict(each) for each in rows)
                for name, rows in data.get("worth", {}).items()  # results of 0.1 may lack it
            },
        )


def measure_trust(
    answers: Answers, *, unit: str, seed: int = 0, prevalences: Sequence[float] = PREVALENCES
) -> Trust | None:
    """Judge the held-out answers of an evaluation.

    Parameters
    ----------
    answers : Answers
    unit : str
        What one row is: ``"window"`` or ``"person"``.
    seed : int
        Of the bootstraps over people.
    prevalences : sequence of float
        Shares of cases where the answers may be used, each in (0, 1).

    Returns
    -------
    Trust or None
        None where it cannot be said: fewer than three people, or a class that only one of them
        shows.
    """
    if answers.n_people < 3:
        return None
    if not _known_to_others(answers):
        return None
    calibrated = calibrate_across(answers, method=_METHOD, folds=_FOLDS)
    sets = sets_across(calibrated, Promise(miscoverage=MISCOVERAGE, draw="one", seed=seed))
    return Trust(
        unit,
        _METHOD,
        measure_reliability(answers, seed=seed),
        measure_reliability(calibrated, seed=seed),
        1 - MISCOVERAGE,
        (
            *coverage_of(answers, sets, seed=seed),
            *coverage_of(answers, sets, groups=np.array(answers.classes)[answers.truth], seed=seed),
        ),
        coverage_curve(calibrated, seed=seed),
        _benefit(calibrated, seed=seed) if unit == "person" else {},
        _worth(answers, prevalences) if unit == "person" else {},
    )


def _benefit(answers: Answers, *, seed: int) -> dict[str, tuple[NetBenefit, ...]]:
    """Judge acting on each class by itself."""
    return {
        name: decision_curve(answers.proba[:, k], answers.truth == k, seed=seed)
        for k, name in enumerate(answers.classes)
    }


def _worth(
    answers: Answers, prevalences: Sequence[float]
) -> dict[str, tuple[PredictiveValues, ...]]:
    """Judge the answer "this class" against all others, class by class."""
    said = answers.proba.argmax(axis=1)
    counts = {
        name: count_answers(answers.truth == k, said == k) for k, name in enumerate(answers.classes)
    }
    return {
        name: tuple(predictive_values(each, prevalence=share) for share in prevalences)
        for name, each in counts.items()
    }


def coverage_of(
    answers: Answers,
    sets: NDArray[np.bool_],
    *,
    groups: NDArray[np.str_] | None = None,
    seed: int = 0,
    n_resamples: int = 1000,
) -> tuple[Coverage, ...]:
    """Count how often sets hold the truth, over people.

    Parameters
    ----------
    answers : Answers
    sets : ndarray of bool, shape (n_windows, n_classes)
    groups : ndarray of str, shape (n_windows,), optional
        One row per group; one row, ``"all"``, if left out.
    seed, n_resamples : int
        Of the bootstrap over people.
    """
    if sets.shape != answers.proba.shape:
        raise DataError(
            f"Sets must have the shape of the probabilities, {answers.proba.shape}; got "
            f"{sets.shape}."
        )
    names = np.full(len(answers.truth), "all") if groups is None else groups
    counts = resample(answers.n_people, seed=seed, n_resamples=n_resamples)
    held = sets[np.arange(len(sets)), answers.truth]
    sizes = sets.sum(axis=1)
    rows = []
    for name in np.unique(names).tolist():
        inside = names == name
        columns = (held, sizes, sizes == 1, sizes == 0)
        means = [answers.by_person(np.where(inside, each, np.nan)) for each in columns]
        coverage: Estimate | None
        if len(answers.truth) == answers.n_people:  # right or wrong: counted, exact
            coverage = proportion_estimate(int(held[inside].sum()), int(inside.sum()))
        else:
            coverage = mean_estimate(means[0], counts, evidence="person", bounds=(0.0, 1.0))
        if coverage is not None:
            size, single, empty = (float(np.nanmean(each)) for each in means[1:])
            rows.append(
                Coverage(name, coverage.n, int(inside.sum()), coverage, size, single, empty)
            )
    return tuple(rows)


def _known_to_others(answers: Answers) -> bool:
    """Return whether every class is shown in more than one group of people."""
    fold = answers.people.codes % _FOLDS
    classes = range(len(answers.classes))
    return all(len(np.unique(fold[answers.truth == k])) > 1 for k in classes)
