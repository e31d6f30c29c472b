"""Reliability: how far a model's probabilities are from how often it is right.

Every person counts alike, and every interval comes from drawing people with replacement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.validate.answers import Answers
from myograph.validate.logit import curvature, fit_logit, gradient
from myograph.validate.stats import mean_estimate, resample, resampled_estimate

__all__ = ["BINNINGS", "Bin", "Reliability", "bins_of", "measure_reliability"]

Array = NDArray[np.float64]

BINNINGS = ("equal-mass", "equal-width")
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence.

    Parameters
    ----------
    low, high : float
        Least and greatest confidence in it.
    confidence, accuracy : float
        How sure the model is, and how often it is right, on average; people count alike.
    windows, people : int
    """

    low: float
    high: float
    confidence: float
    accuracy: float
    windows: int
    people: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Reliability:
    """How much a model's probabilities can be taken at their word.

    Parameters
    ----------
    ece : Estimate
        Expected calibration error (naeini2015): mean distance of confidence and accuracy over the
        bins of the most probable class. It is never below 0, so chance alone makes it positive:
        with few people, and in resamples of them, it leans upwards.
    brier : Estimate
        Squared distance of the probabilities from the truth, summed over classes (brier1950):
        0 at best, 2 at worst.
    intercept, slope : dict of str to Estimate
        Of each class (vancalster2019): the intercept that the log odds need at slope 1 (above 0:
        said too rarely), and the slope they need (below 1: too bold).
    table : tuple of Bin
    """

    ece: Estimate
    brier: Estimate
    intercept: dict[str, Estimate]
    slope: dict[str, Estimate]
    table: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "ece": self.ece.to_dict(),
            "brier": self.brier.to_dict(),
            "intercept": {name: each.to_dict() for name, each in self.intercept.items()},
            "slope": {name: each.to_dict() for name, each in self.slope.items()},
            "table": [each.to_dict() for each in self.table],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Reliability:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            Estimate(**data["ece"]),
            Estimate(**data["brier"]),
            {name: Estimate(**each) for name, each in data["intercept"].items()},
            {name: Estimate(**each) for name, each in data["slope"].items()},
            tuple(Bin(**each) for each in data["table"]),
        )


def measure_reliability(
    answers: Answers,
    *,
    n_bins: int = 10,
    binning: str = "equal-mass",
    seed: int = 0,
    n_resamples: int = 1000,
) -> Reliability:
    """Compare what a model says with what is so.

    Parameters
    ----------
    answers : Answers
    n_bins : int
    binning : str
        ``"equal-mass"``: bins that hold as much of the people's weight each, so that they adapt to
        where the answers are (nixon2019); ``"equal-width"``: bins of equal confidence range.
    seed, n_resamples : int
        Of the bootstrap over people. Bins stay as they are in every resample; intercepts and
        slopes take one Newton step from the whole to each resample.

    Returns
    -------
    Reliability

    Examples
    --------
    >>> said = Answers.of([[0.8, 0.2]] * 5, list("aaaab"), list("pqrst"), classes=("a", "b"))
    >>> round(measure_reliability(said).ece.value, 6)  # right as often as it says
    0.0
    """
    place = bins_of(answers, n_bins=n_bins, binning=binning)
    counts = resample(answers.n_people, seed=seed, n_resamples=n_resamples)
    sums = _person_sums(answers, place)
    whole = float(_ece(sums.sum(axis=0)[None])[0])
    drawn = _ece((counts @ sums.reshape(len(sums), -1)).reshape(len(counts), -1, 3))
    n = answers.n_people
    ece = resampled_estimate(whole, drawn, evidence="person", n=n, bounds=(0.0, 1.0))
    hot = np.eye(len(answers.classes))[answers.truth]
    squared = answers.by_person(((answers.proba - hot) ** 2).sum(axis=1))
    brier = mean_estimate(squared, counts, evidence="person", bounds=(0.0, 2.0))
    lines = {name: _lines(answers, k, counts) for k, name in enumerate(answers.classes)}
    if ece is None or brier is None:
        raise DataError("No person has a finite score; check the probabilities.")
    return Reliability(
        ece,
        brier,
        {name: pair[0] for name, pair in lines.items() if pair is not None},
        {name: pair[1] for name, pair in lines.items() if pair is not None},
        _table(answers, place),
    )


def bins_of(answers: Answers, *, n_bins: int, binning: str) -> NDArray[np.intp]:
    """Return the number of each window's bin of confidence.

    Equal confidences share a bin, so there may be fewer bins than asked for.
    """
    check_choice(binning, BINNINGS, name="binning")
    check_count(n_bins, name="n_bins")
    confidence = answers.confidence
    if binning == "equal-width":
        raw = np.minimum((confidence * n_bins).astype(np.intp), n_bins - 1)
    else:
        owner = np.unique(confidence, return_inverse=True)[1]
        mass = np.cumsum(np.bincount(owner, answers.weights))
        middle = mass - 0.5 * np.diff(mass, prepend=0.0)
        raw = np.minimum((middle / mass[-1] * n_bins).astype(np.intp), n_bins - 1)[owner]
    return np.unique(raw, return_inverse=True)[1]


def _person_sums(answers: Answers, place: NDArray[np.intp]) -> Array:
    """Return weight, confidence and accuracy of each person in each bin, (n_people, n_bins, 3)."""
    n_bins = int(place.max()) + 1
    cells = answers.people.codes * n_bins + place
    columns = (np.ones(len(cells)), answers.confidence, answers.right)
    size = answers.n_people * n_bins
    sums = [np.bincount(cells, answers.weights * each, minlength=size) for each in columns]
    whole = np.stack(sums, axis=-1).astype(np.float64)
    return whole.reshape(answers.n_people, n_bins, 3)


def _ece(sums: Array) -> Array:
    gaps = np.abs(sums[..., 1] - sums[..., 2]).sum(axis=-1)
    return np.asarray(gaps / sums[..., 0].sum(axis=-1))


def _table(answers: Answers, place: NDArray[np.intp]) -> tuple[Bin, ...]:
    rows = []
    for number in range(int(place.max()) + 1):
        inside = place == number
        weight = answers.weights[inside]
        confidence = answers.confidence[inside]
        rows.append(
            Bin(
                float(confidence.min()),
                float(confidence.max()),
                float(weight @ confidence / weight.sum()),
                float(weight @ answers.right[inside] / weight.sum()),
                int(inside.sum()),
                len(np.unique(answers.people.codes[inside])),
            )
        )
    return tuple(rows)


def _lines(answers: Answers, k: int, counts: Array) -> tuple[Estimate, Estimate] | None:
    """Return intercept (at slope 1) and slope of class ``k``; None where it is never or always."""
    target = (answers.truth == k).astype(np.float64)
    if not 0 < target.mean() < 1:
        return None
    inside = np.clip(answers.proba[:, k], _LEAST, 1 - _LEAST)
    x = np.log(inside) - np.log1p(-inside)
    shifted = fit_logit(x, target, answers.weights, slope=1.0)
    fitted = fit_logit(x, target, answers.weights)
    intercepts = shifted[0] + _one_step(answers, shifted, x, target, counts, free=1)[:, 0]
    slopes = fitted[1] + _one_step(answers, fitted, x, target, counts, free=2)[:, 1]
    everything = (-math.inf, math.inf)
    n = answers.n_people
    first = resampled_estimate(
        float(shifted[0]), intercepts, evidence="person", n=n, bounds=everything
    )
    second = resampled_estimate(float(fitted[1]), slopes, evidence="person", n=n, bounds=everything)
    return None if first is None or second is None else (first, second)


def _one_step(
    answers: Answers, line: Array, x: Array, target: Array, counts: Array, *, free: int
) -> Array:
    """Return the Newton step from the fit on everybody to the fit on each resample."""
    n = answers.n_people
    pull = np.zeros((n, 2))
    bend = np.zeros((n, 2, 2))
    np.add.at(pull, answers.people.codes, gradient(line, x, target, answers.weights))
    np.add.at(bend, answers.people.codes, curvature(line, x, answers.weights))
    pulls = (counts @ pull)[:, :free]
    bends = np.einsum("rp,pij->rij", counts, bend)[:, :free, :free]
    bends = bends + 1e-9 * n * np.eye(free)
    return np.asarray(np.linalg.solve(bends, pulls[..., None])[..., 0])
