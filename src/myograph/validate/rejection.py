"""Rejection: not to answer where an answer would too often be wrong, and to count every refusal.

Nothing that was refused leaves a figure unseen: answered right, answered wrong and refused always
sum to everything that was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.models.rejection import Rejection, class_thresholds
from myograph.validate.answers import Answers
from myograph.validate.stats import mean_estimate, resample

__all__ = [
    "COVERAGES",
    "Outcome",
    "Rejection",
    "coverage_curve",
    "fit_rejection",
    "outcome_of",
]

Array = NDArray[np.float64]

#: Shares of windows at which curves are told.
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of everything that was asked; shares are means over people.

    Parameters
    ----------
    coverage : Estimate
        Share that was answered.
    accuracy : Estimate or None
        Share of right answers among those given, over people who got one; None when nobody did.
    right, wrong, refused : float
        Shares of everything; they sum to 1.
    unanswered_people : int
        People who got no answer at all. They have no accuracy, and are not forgotten.
    threshold : float or None
        Confidence asked for, where there is one for all classes.
    """

    coverage: Estimate
    accuracy: Estimate | None
    right: float
    wrong: float
    refused: float
    unanswered_people: int
    threshold: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """Rebuild it from what `to_dict` gave."""
        accuracy = data["accuracy"]
        whole = {
            **data,
            "coverage": Estimate(**data["coverage"]),
            "accuracy": None if accuracy is None else Estimate(**accuracy),
        }
        return cls(**whole)


def fit_rejection(
    answers: Answers, *, accuracy: float | None = None, coverage: float | None = None
) -> Rejection:
    """Find, class by class, the lowest confidence from which answers are right often enough.

    Parameters
    ----------
    answers : Answers
        Held-out answers of people on whom the thresholds will not be judged.
    accuracy : float, optional
        Share of right answers wanted among the answers of each class, people counting alike.
    coverage : float, optional
        Or: share of each class's answers to be given, the surest first.

    Returns
    -------
    Rejection
        A class whose surest answers do not reach it is always refused. The promise is about the
        people given: how it holds on others is measured by `outcome_of`.

    Examples
    --------
    >>> proba = [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]]
    >>> said = Answers.of(proba, list("aaba"), list("pqrs"), classes=("a", "b"))
    >>> rule = fit_rejection(said, accuracy=0.9)
    >>> rule.thresholds.tolist(), rule.silent
    ([0.8, inf], ('b',))
    """
    thresholds = class_thresholds(
        answers.proba, answers.truth, answers.people.codes, accuracy=accuracy, coverage=coverage
    )
    return Rejection(answers.classes, thresholds, accuracy, coverage)


def outcome_of(
    answers: Answers, refused: ArrayLike, *, seed: int = 0, n_resamples: int = 1000
) -> Outcome:
    """Count right, wrong and refused, with intervals over people.

    Parameters
    ----------
    answers : Answers
    refused : array of bool, shape (n_windows,)
    seed, n_resamples : int
        Of the bootstrap over people.
    """
    silent = np.asarray(refused, dtype=bool)
    if silent.shape != answers.truth.shape:
        raise DataError(
            f"refused needs one value per window ({len(answers.truth)}); got shape {silent.shape}."
        )
    counts = resample(answers.n_people, seed=seed, n_resamples=n_resamples)
    return _outcome(answers, silent, counts)


def coverage_curve(
    answers: Answers,
    *,
    coverages: Sequence[float] = COVERAGES,
    seed: int = 0,
    n_resamples: int = 1000,
) -> tuple[Outcome, ...]:
    """Refuse the least sure answers, more and more of them.

    Parameters
    ----------
    answers : Answers
    coverages : sequence of float
        Shares to answer, in (0, 1], people counting alike. Answers of equal confidence are given
        or refused together, so what is reached may be a little more.
    seed, n_resamples : int

    Returns
    -------
    tuple of Outcome
        One per coverage, with the confidence asked for.
    """
    for coverage in coverages:
        if not 0 < coverage <= 1:
            raise ParameterError(f"A coverage must lie in (0, 1]; got {coverage!r}.")
    counts = resample(answers.n_people, seed=seed, n_resamples=n_resamples)
    confidence = np.sort(answers.confidence)[::-1]
    order = np.argsort(-answers.confidence, kind="stable")
    share = np.cumsum(answers.weights[order]) / answers.n_people
    curve = []
    for coverage in coverages:
        place = min(int(np.searchsorted(share, coverage - 1e-9)), len(confidence) - 1)
        threshold = float(confidence[place])
        refused = answers.confidence < threshold
        curve.append(_outcome(answers, refused, counts, threshold=threshold))
    return tuple(curve)


def _outcome(
    answers: Answers, refused: NDArray[np.bool_], counts: Array, *, threshold: float | None = None
) -> Outcome:
    given = answers.by_person(~refused)
    among = answers.by_person(np.where(refused, np.nan, answers.right))
    right = answers.by_person(answers.right & ~refused)
    bounds = (0.0, 1.0)
    coverage = mean_estimate(given, counts, evidence="person", bounds=bounds)
    if coverage is None:
        raise DataError("No person was asked anything; there is no coverage.")
    return Outcome(
        coverage,
        mean_estimate(among, counts, evidence="person", bounds=bounds),
        float(right.mean()),
        float((given - right).mean()),
        float((1 - given).mean()),
        int((given == 0).sum()),
        threshold,
    )
