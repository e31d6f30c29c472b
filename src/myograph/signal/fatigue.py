"""Fatigue from how amplitude and frequency change: robust slopes, and tests that hold their level.

Epochs of one contraction resemble their neighbours, so a test that takes them for independent finds
trends in nothing. The test here compares with series that resemble themselves as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError

__all__ = ["Trend", "index_ratio", "jasa", "theil_sen", "trend"]

_LEAST = 8  # values below which no test can say anything
_WARM_UP = 60  # values of a surrogate before those that count: it forgets how it began
_MOST_ALIKE = 0.97
# How far beyond its standard error the unknown autocorrelation is let vary: chosen so that the
# test keeps 5 % on autocorrelated values too (0.3 to 0.6, seen through independent errors).
_DOUBT = 2.0
# Lags that tell how alike neighbours are: independent errors hide it at the first more than later.
_LAGS = 3
_MOST_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through values over time.

    Parameters
    ----------
    slope_percent_per_min : float
        Change per minute, as a percentage of ``start``.
    low, high : float
        95 % interval of the slope.
    p_value : float
        Probability of a trend at least as clear in a series without one.
    start : float
        The line at the first moment, in the unit of the values.
    autocorrelation : float
        Of neighbouring values about the line, the bias of short series taken off.
    n_values : int
    """

    slope_percent_per_min: float
    low: float
    high: float
    p_value: float
    start: float
    autocorrelation: float
    n_values: int

    @property
    def direction(self) -> str:
        """``"rising"``, ``"falling"``, or ``"undecided"`` when the test does not tell (5 %)."""
        if self.p_value > 0.05:
            return "undecided"
        return "rising" if self.slope_percent_per_min > 0 else "falling"


def theil_sen(times: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """Return slope and level at time 0 of the line that outliers do not move (sen1968).

    The slope is the median of the slopes between all pairs; up to 29 % of the values may be wrong
    before it breaks.

    Examples
    --------
    >>> theil_sen([0, 1, 2, 3, 4], [1.0, 3.0, 5.0, 700.0, 9.0])
    (2.0, 1.0)
    """
    t, y = _series(times, values, least=2)
    i, j = _pairs(len(t))
    slope = float(np.median((y[j] - y[i]) / (t[j] - t[i])))
    return slope, float(np.median(y - slope * t))


def trend(
    times_s: ArrayLike, values: ArrayLike, *, n_surrogates: int = 999, seed: int = 0
) -> Trend:
    """Measure how values change over time, and whether they do.

    The slope is that of `theil_sen`. The test asks how often series without a trend, with the same
    scatter and autocorrelation (an autoregression of order 1 whose coefficient is drawn anew for
    each, as it is known only roughly), rank as clearly with time (noguchi2011).

    Parameters
    ----------
    times_s : array, shape (n_values,)
        Seconds, rising.
    values : array, shape (n_values,)
        Median or mean frequency, amplitude, an index; at least 8, positive on average.
    n_surrogates : int
        Series to compare with.
    seed : int

    Returns
    -------
    Trend

    Raises
    ------
    DataError
        If there are too few values, or the line starts at or below 0: a percentage of it would
        mean nothing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> falling = trend(np.arange(60.0), 80 * (1 - 0.2 * np.arange(60) / 60) + rng.normal(0, 2, 60))
    >>> falling.direction, falling.low < -20 < falling.high
    ('falling', True)
    """
    check_count(n_surrogates, name="n_surrogates", least=99)
    t, y = _series(times_s, values, least=_LEAST)
    slope, level = theil_sen(t, y)
    start = level + slope * float(t[0])
    if start <= 0:
        raise DataError(
            f"The line through the values starts at {start:.3g}; a change in percent needs a start "
            "above 0. Give frequencies, amplitudes or indices, not their logarithms."
        )
    scatter = y - level - slope * t
    alike = _autocorrelation(scatter)
    surrogates = _surrogates(scatter, alike, n_surrogates, np.random.default_rng(seed))
    clock = t - t.mean()
    p_value = _rank_test(clock, y, surrogates)
    spread = float(np.quantile(np.abs(surrogates @ clock) / (clock @ clock), 0.95))
    to_percent = 6000.0 / start
    return Trend(
        slope * to_percent,
        (slope - spread) * to_percent,
        (slope + spread) * to_percent,
        p_value,
        start,
        alike,
        len(y),
    )


def jasa(amplitude: Trend, frequency: Trend) -> str:
    """Name what amplitude and frequency say together (luttmann1996).

    Only for a load that stays about the same, or with the load's part regressed out.

    Parameters
    ----------
    amplitude, frequency : Trend
        Of the same epochs.

    Returns
    -------
    str
        ``"fatigue"`` (amplitude up, frequency down), ``"force increase"`` (both up), ``"force
        decrease"`` (both down), ``"recovery"`` (amplitude down, frequency up), or ``"undecided"``
        when either trend is.
    """
    names = {
        ("rising", "falling"): "fatigue",
        ("rising", "rising"): "force increase",
        ("falling", "falling"): "force decrease",
        ("falling", "rising"): "recovery",
    }
    return names.get((amplitude.direction, frequency.direction), "undecided")


def index_ratio(values: ArrayLike, *, n_reference: int = 1) -> NDArray[np.float64]:
    """Return a spectral index over its first values, as Dimitrov's FInsm is told (dimitrov2006).

    Parameters
    ----------
    values : array, shape (n_values,)
        The index of each contraction or epoch, positive, oldest first.
    n_reference : int
        How many of the first make the reference: their median.

    Examples
    --------
    >>> index_ratio([2.0, 3.0, 8.0]).tolist()
    [1.0, 1.5, 4.0]
    """
    x = np.asarray(values, dtype=np.float64)
    check_count(n_reference, name="n_reference")
    if x.ndim != 1 or n_reference > len(x):
        raise ParameterError(
            f"n_reference={n_reference} values make the reference; got values of shape {x.shape}."
        )
    if not (np.isfinite(x).all() and (x > 0).all()):
        raise DataError("A ratio needs finite values above 0; leave silent epochs out.")
    return x / float(np.median(x[:n_reference]))


def _series(
    times: ArrayLike, values: ArrayLike, *, least: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    t, y = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if t.ndim != 1 or t.shape != y.shape:
        raise DataError(f"Times and values must be equally long; got {t.shape} and {y.shape}.")
    if len(t) < least:
        raise DataError(f"A trend needs at least {least} values; got {len(t)}.")
    if not (np.isfinite(t).all() and np.isfinite(y).all()):
        raise DataError("Times and values must be finite; leave silent epochs out.")
    if (np.diff(t) <= 0).any():
        raise DataError("Times must rise from value to value.")
    return t, y


def _pairs(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all pairs, or, of long series, those of evenly chosen distances."""
    if n * (n - 1) // 2 <= _MOST_PAIRS:
        first, second = np.triu_indices(n, 1)
        return first, second
    # Long distances say most about the slope; every start with evenly spread distances.
    distances = np.unique(np.linspace(n // 4, n - 1, _MOST_PAIRS // n).astype(np.int64))
    starts = np.arange(n)
    first = np.repeat(starts, len(distances))
    second = first + np.tile(distances, n)
    inside = second < n
    return first[inside], second[inside]


def _autocorrelation(scatter: NDArray[np.float64]) -> float:
    """Return how alike neighbours about a line are, as the coefficient of an autoregression.

    The larger of what the first lag says, and of the coefficient whose powers sum to the first
    lags; the bias of short series is taken off each.
    """
    n = len(scatter)
    r = scatter - scatter.mean()
    power = float(r @ r)
    if power == 0:
        return 0.0
    # A fitted line takes slow movement away with it: by about (2 + 4 rho) / n.
    lags = [(n * float(r[k:] @ r[:-k]) / power + 2) / (n - 4) for k in range(1, _LAGS + 1)]
    tried = np.linspace(0.0, _MOST_ALIKE, 195)
    sums = np.sum([tried**k for k in range(1, _LAGS + 1)], axis=0)
    together = float(np.interp(sum(lags), sums, tried)) if sum(lags) > 0 else -1.0
    return float(np.clip(max(lags[0], together), -0.5, _MOST_ALIKE))


def _surrogates(
    scatter: NDArray[np.float64], alike: float, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return series without a trend, shape (count, n), that scatter as the values do."""
    n = len(scatter)
    r = scatter - scatter.mean()
    known = max(alike, 0.0)
    news = r[1:] - known * r[:-1]
    news -= news.mean()
    # The line has taken some of the scatter with it.
    news *= math.sqrt(n / (n - 3))
    error = math.sqrt(max(1 - known**2, 0.05) / n)
    coefficients = np.clip(alike + _DOUBT * error * rng.standard_normal(count), 0.0, _MOST_ALIKE)
    drawn = rng.choice(news, (n + _WARM_UP, count))
    series = np.empty((n + _WARM_UP, count))
    series[0] = drawn[0] / np.sqrt(1 - coefficients**2)
    for k in range(1, len(series)):
        series[k] = coefficients * series[k - 1] + drawn[k]
    return series[_WARM_UP:].T


def _rank_test(
    clock: NDArray[np.float64], values: NDArray[np.float64], surrogates: NDArray[np.float64]
) -> float:
    """Return how often surrogates rank with time as clearly as the values do."""
    seen = abs(float(clock @ _ranks(values[None])[0]))
    by_chance = np.abs(_ranks(surrogates) @ clock)
    clearer = np.count_nonzero(by_chance >= seen * (1 - 1e-12))
    return (1 + clearer) / (1 + len(surrogates))


def _ranks(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks along the last axis; equal values share theirs."""
    order = np.argsort(rows, axis=-1, kind="stable")
    ranks = np.empty(rows.shape)
    np.put_along_axis(ranks, order, np.arange(rows.shape[-1], dtype=np.float64)[None], axis=-1)
    if len(rows) == 1 and len(np.unique(rows)) < rows.shape[-1]:
        _, where, counts = np.unique(rows[0], return_inverse=True, return_counts=True)
        means = np.bincount(where, weights=ranks[0]) / counts
        ranks[0] = means[where]
    return ranks
