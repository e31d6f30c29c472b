"""Predictive values: what a positive or negative answer means where so many people are ill.

Sensitivity and specificity are counted; how likely an answer is true follows from them and from a
prevalence that must be stated, since that of a study says nothing about a clinic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, ndtri

from myograph.core.decision import Estimate
from myograph.core.errors import DataError, ParameterError
from myograph.validate.stats import proportion_estimate

__all__ = ["DiagnosticCounts", "PredictiveValues", "count_answers", "predictive_values"]

Array = NDArray[np.float64]

_Z = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class DiagnosticCounts:
    """People by truth and answer.

    Parameters
    ----------
    found, missed : int
        Cases answered yes and no.
    alarmed, cleared : int
        Others answered yes and no.
    refused_cases, refused_others : int
        People who got no answer. Where there are any, `predictive_values` is about the others, and
        says how many it leaves out.
    """

    found: int
    missed: int
    alarmed: int
    cleared: int
    refused_cases: int = 0
    refused_others: int = 0


@dataclass(frozen=True, slots=True)
class PredictiveValues:
    """What an answer is worth.

    Parameters
    ----------
    prevalence : float
        As stated by the user.
    sensitivity, specificity : Estimate
        Exact intervals.
    ratio_yes, ratio_no : Estimate
        Likelihood ratios: how much a yes, or a no, multiplies the odds of being a case.
    ppv, npv : Estimate
        Probability that a yes, or a no, is true at the prevalence.
    refused : int
        People without an answer, in none of the figures.
    corrected : bool
        Whether half a person was added to every count because one of them is 0.
    """

    prevalence: float
    sensitivity: Estimate
    specificity: Estimate
    ratio_yes: Estimate
    ratio_no: Estimate
    ppv: Estimate
    npv: Estimate
    refused: int
    corrected: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PredictiveValues:
        """Rebuild it from what `to_dict` gave."""
        told: dict[str, Any] = {
            k: Estimate(**v) if isinstance(v, Mapping) else v for k, v in data.items()
        }
        return cls(**told)


def count_answers(
    case: ArrayLike, said: ArrayLike, *, refused: ArrayLike | None = None
) -> DiagnosticCounts:
    """Count people by truth and answer.

    Parameters
    ----------
    case, said : array of bool, shape (n_people,)
        Whether the person is a case, and whether the model says so.
    refused : array of bool, shape (n_people,), optional
        People whose answer was not given.

    Examples
    --------
    >>> count_answers([True, True, False], [True, False, False])
    DiagnosticCounts(found=1, missed=1, alarmed=0, cleared=1, refused_cases=0, refused_others=0)
    """
    true, yes = np.asarray(case, dtype=bool), np.asarray(said, dtype=bool)
    silent = np.zeros_like(true) if refused is None else np.asarray(refused, dtype=bool)
    if true.ndim != 1 or not true.shape == yes.shape == silent.shape:
        raise DataError(
            f"Counting needs one truth and one answer per person; got shapes {true.shape}, "
            f"{yes.shape} and {silent.shape}."
        )
    parts = (
        true & yes & ~silent,
        true & ~yes & ~silent,
        ~true & yes & ~silent,
        ~true & ~yes & ~silent,
        true & silent,
        ~true & silent,
    )
    return DiagnosticCounts(*(int(part.sum()) for part in parts))


def predictive_values(counts: DiagnosticCounts, *, prevalence: float) -> PredictiveValues:
    """Return likelihood ratios and predictive values at a prevalence.

    Parameters
    ----------
    counts : DiagnosticCounts
    prevalence : float
        Share of cases where the answers will be used, in (0, 1); taken to be known exactly.

    Returns
    -------
    PredictiveValues
        Intervals: exact for sensitivity and specificity (clopper1934), on the logarithm for
        likelihood ratios (simel1991), on the log odds for predictive values, where prevalence only
        shifts the logarithm of the ratio (mercaldo2007).

    Examples
    --------
    >>> values = predictive_values(DiagnosticCounts(231, 27, 32, 54), prevalence=0.25)
    >>> print(values.ppv)
    0.445 [0.378, 0.514] (344 persons)
    """
    if not 0 < prevalence < 1:
        raise ParameterError(f"prevalence must lie in (0, 1); got {prevalence!r}.")
    cells = [counts.found, counts.missed, counts.alarmed, counts.cleared]
    ill, well = counts.found + counts.missed, counts.alarmed + counts.cleared
    if min(cells) < 0 or not ill or not well:
        raise DataError(
            f"Predictive values need answered people of both kinds; got {ill} cases and {well} "
            "others."
        )
    corrected = min(cells) == 0
    found, missed, alarmed, cleared = (each + 0.5 * corrected for each in cells)
    n = ill + well
    yes = _ratio(found, found + missed, alarmed, alarmed + cleared)
    no = _ratio(missed, found + missed, cleared, alarmed + cleared)
    odds = math.log(prevalence / (1 - prevalence))
    return PredictiveValues(
        prevalence,
        proportion_estimate(counts.found, ill),
        proportion_estimate(counts.cleared, well),
        _estimate(np.exp(yes), n),
        _estimate(np.exp(no), n),
        _estimate(expit(odds + yes), n),
        _estimate(expit(-odds - no[[0, 2, 1]]), n),
        counts.refused_cases + counts.refused_others,
        corrected,
    )


def _ratio(a: float, n: float, b: float, m: float) -> Array:
    """Return the logarithm of (a / n) / (b / m) with its interval, shape (3,)."""
    half = _Z * math.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    return math.log(a / n) - math.log(b / m) + np.array([0.0, -half, half])


def _estimate(values: Array, n: int) -> Estimate:
    value, low, high = values.tolist()
    return Estimate(value, low, high, "person", n)
