"""Intervals over people: exact for counts of people, bootstrap over people for everything else.

Windows of one person are not independent pieces of evidence, so nothing here is ever given
windows to count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import beta

from myograph.core.checks import check_choice, check_count
from myograph.core.decision import Estimate
from myograph.core.errors import ParameterError

__all__ = [
    "Interval",
    "bootstrap_interval",
    "distribution",
    "exact_interval",
    "mean_estimate",
    "proportion_estimate",
    "resample",
    "resampled_estimate",
]

Array = NDArray[np.float64]


class Interval(NamedTuple):
    """Two ends."""

    low: float
    high: float


def exact_interval(successes: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Return the Clopper-Pearson interval of a proportion.

    Exact: it holds the true proportion at least as often as ``confidence`` says, for every n.

    Parameters
    ----------
    successes, n : int
        ``successes`` of ``n`` people.
    confidence : float
        In (0, 1).

    Returns
    -------
    Interval

    References
    ----------
    clopper1934

    Examples
    --------
    >>> low, high = exact_interval(23, 25)
    >>> f"{low:.2f} to {high:.2f}"
    '0.74 to 0.99'
    """
    check_count(n, name="n", least=1)
    check_count(successes, name="successes", least=0)
    if successes > n:
        raise ParameterError(f"successes must be at most n={n}; got {successes}.")
    tail = (1 - _confidence(confidence)) / 2
    low = float(beta.ppf(tail, successes, n - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - tail, successes + 1, n - successes)) if successes < n else 1.0
    return Interval(low, high)


def resample(n: int, *, seed: int, n_resamples: int = 2000) -> Array:
    """Draw people with replacement: how often each is in each resample.

    Returns
    -------
    ndarray, shape (n_resamples, n)
        Counts; each row sums to ``n``. One draw serves every metric, so that all intervals of a
        run, and every difference, are about the same resampled people.
    """
    check_count(n, name="n", least=1)
    check_count(n_resamples, name="n_resamples", least=1)
    random = np.random.default_rng(seed)
    return random.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float64)


def bootstrap_interval(
    values: ArrayLike, counts: Array, *, method: str = "bca", confidence: float = 0.95
) -> Interval:
    """Return the bootstrap interval of the mean over people.

    Parameters
    ----------
    values : array, shape (n_people,)
        One finite score per person.
    counts : ndarray, shape (n_resamples, n_people)
        What `resample` drew.
    method : str
        ``"bca"``: corrected for bias and skewness; ``"percentile"``: as drawn. Both are too
        narrow when there are only a few people (below about ten).
    confidence : float
        In (0, 1).

    References
    ----------
    efron1987
    """
    check_choice(method, ("bca", "percentile"), name="method")
    scores = np.asarray(values, dtype=np.float64)
    means = counts @ scores / counts.sum(axis=1)
    shares = np.array([(1 - _confidence(confidence)) / 2, (1 + confidence) / 2])
    if method == "bca":
        shares = _bca_shares(shares, scores, means)
    low, high = np.quantile(means, shares)
    return Interval(float(low), float(high))


def mean_estimate(
    values: ArrayLike,
    counts: Array,
    *,
    evidence: str,
    bounds: tuple[float, float],
    method: str = "bca",
) -> Estimate | None:
    """Return the mean over the people who have a value, with its interval.

    Parameters
    ----------
    values : array, shape (n_people,)
        NaN where the score is not defined for a person.
    counts : ndarray, shape (n_resamples, n_people)
    evidence : str
        What one value stands for: ``"person"``, ``"repetition"``.
    bounds : tuple of 2 floats
        Least and greatest possible value: the interval when only one person has a value.
    method : str
        As in `bootstrap_interval`.

    Returns
    -------
    Estimate or None
        None when nobody has a value.
    """
    scores = np.asarray(values, dtype=np.float64)
    defined = np.isfinite(scores)
    n = int(defined.sum())
    if not n:
        return None
    mean = float(scores[defined].mean())
    if n == 1:
        return Estimate(mean, *_around(mean, *bounds), evidence, n)
    present = counts[:, defined]
    drawn = present[present.sum(axis=1) > 0]
    low, high = bootstrap_interval(scores[defined], drawn, method=method)
    return Estimate(mean, *_around(mean, low, high), evidence, n)


def resampled_estimate(
    value: float, resampled: ArrayLike, *, evidence: str, n: int, bounds: tuple[float, float]
) -> Estimate | None:
    """Return ``value`` with the percentile interval of what the resamples gave.

    Parameters
    ----------
    value : float
        The figure on all people; NaN when it is not defined.
    resampled : array, shape (n_resamples,)
        The same figure on each resample; NaN where not defined there.
    evidence : str
        What was resampled.
    n : int
        How many of them there are.
    bounds : tuple of 2 floats
        The interval when there is only one, or no resample has the figure.
    """
    drawn = np.asarray(resampled, dtype=np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if not math.isfinite(value):
        return None
    if n == 1 or not len(drawn):
        return Estimate(value, *_around(value, *bounds), evidence, n)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, *_around(value, float(low), float(high)), evidence, n)


def proportion_estimate(successes: int, n: int, *, evidence: str = "person") -> Estimate:
    """Return ``successes / n`` with its exact interval.

    Examples
    --------
    >>> print(proportion_estimate(25, 25))
    1.000 [0.863, 1.000] (25 persons)
    """
    low, high = exact_interval(successes, n)
    return Estimate(successes / n, low, high, evidence, n)


def distribution(values: ArrayLike) -> Mapping[str, float]:
    """Describe how a score spreads over people.

    Parameters
    ----------
    values : array, shape (n_people,)
        NaN is left out.

    Returns
    -------
    dict
        ``min``, ``q1``, ``median``, ``q3``, ``max``, and ``worst_decile``: the mean of the lowest
        tenth of the people, at least one of them. Empty when nobody has a value.
    """
    scores = np.sort(np.asarray(values, dtype=np.float64))
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return {}
    quartiles = np.quantile(scores, [0, 0.25, 0.5, 0.75, 1])
    named = dict(zip(("min", "q1", "median", "q3", "max"), quartiles.tolist(), strict=True))
    worst = scores[: math.ceil(len(scores) / 10)]
    return {**named, "worst_decile": float(worst.mean())}


def _bca_shares(shares: Array, scores: Array, means: Array) -> Array:
    """Shift the percentiles for the bias and the skewness of the resampled mean."""
    mean = scores.mean()
    apart = scores - mean
    spread = float((apart**2).sum())
    # Rounding makes resamples of equal scores differ in the last digit: no spread, no shift.
    if spread <= (1e-12 * max(1.0, abs(mean))) ** 2:
        return shares
    below = float((means < mean).mean() + 0.5 * (means == mean).mean())
    bias = ndtri(np.clip(below, 1 / (2 * len(means)), 1 - 1 / (2 * len(means))))
    acceleration = float((apart**3).sum()) / (6 * spread**1.5)
    z = bias + ndtri(shares)
    shifted: Array = ndtr(bias + z / (1 - acceleration * z))
    return shifted


def _around(value: float, low: float, high: float) -> Interval:
    """Return the interval, stretched to hold its own value (rounding, or extreme skewness)."""
    return Interval(min(low, value), max(high, value))


def _confidence(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence must lie in (0, 1); got {confidence!r}.")
    return confidence
