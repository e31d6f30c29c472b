"""Published laws of scores in time, without a body: what the twin's scores are held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError
from myograph.twin.decline import check_months
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["D50", "AlsfrsLine", "HajjarWalk", "HamuroWalk"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlsfrsLine:
    """ALSFRS-R as a straight line (proact2018).

    Parameters
    ----------
    slope_per_month : float
        Points lost each month; 0.99 on average in 3367 people.
    start : float
    """

    slope_per_month: float = 0.99
    start: float = 48.0

    def __post_init__(self) -> None:
        ranges = {
            "slope_per_month": Range(0.05, 5, "points per month", most=48),
            "start": Range(5, 48, "points", most=48),
        }
        check_ranges(self, ranges)

    def at(self, months: ArrayLike) -> Floats:
        """Return the score some months after it was ``start``."""
        return np.maximum(self.start - self.slope_per_month * check_months(months), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class D50:
    """ALSFRS-R as a sigmoid (meyer2017): 48 / (1 + exp((t - D50) / dx)).

    Parameters
    ----------
    d50_months : float
        Months from the onset until half of the points are lost.
    dx_months : float
        Time scale of the fall.

    Examples
    --------
    >>> float(D50(d50_months=30.0, dx_months=8.0).at(30.0))
    24.0
    """

    d50_months: float
    dx_months: float

    def __post_init__(self) -> None:
        ranges = {
            "d50_months": Range(3, 240, "months", least=0.01),
            "dx_months": Range(0.5, 60, "months", least=0.01),
        }
        check_ranges(self, ranges)

    def at(self, months: ArrayLike) -> Floats:
        """Return the score some months after the onset."""
        past = (check_months(months) - self.d50_months) / self.dx_months
        return np.asarray(48 / (1 + np.exp(np.clip(past, -500, 500))), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class HamuroWalk:
    """Six-minute walk in Duchenne dystrophy: up by growth, down by disease (hamuro2017), m.

    Parameters
    ----------
    rising, falling : float
        The boy's own factors of the two lines.

    Examples
    --------
    >>> HamuroWalk().at([5.0, 9.8, 14.0]).round().tolist()
    [368.0, 462.0, 109.0]
    """

    rising: float = 1.0
    falling: float = 1.0

    def __post_init__(self) -> None:
        positive = Range(0.4, 2.2, least=0.01)
        check_ranges(self, {"rising": positive, "falling": positive})

    @classmethod
    def of_person(cls, *, seed: int) -> HamuroWalk:
        """Draw a boy: 22 and 23 % between boys, lognormal."""
        z = np.clip(stream(seed, "walk", "hamuro").standard_normal(2), -2.5, 2.5)
        return cls(rising=float(np.exp(0.22 * z[0])), falling=float(np.exp(0.23 * z[1])))

    def at(self, age_years: ArrayLike) -> Floats:
        """Return the distance at some ages, m, without noise (56.9 m between walks)."""
        age = _ages(age_years)
        up, down = 270 + 19.6 * age, 1298 - 84.9 * age
        return np.maximum(np.minimum(self.rising * up, self.falling * down), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HajjarWalk:
    """Six-minute walk in Duchenne dystrophy as an indirect response (hajjar2018), m.

    The distance W follows dW/dt = 0.63 k_in - k_out W (1 + a exp(b age)) from 1.75 years on.

    Parameters
    ----------
    gain_m_per_year : float
        k_in.
    loss_per_year : float
        k_out.
    disease : float
        a.
    disease_per_year : float
        b.

    Examples
    --------
    >>> bool(380 < HajjarWalk().at(9.0) < 420)
    True
    """

    gain_m_per_year: float = 3852.0
    loss_per_year: float = 5.76
    disease: float = 9.85e-6
    disease_per_year: float = 0.995

    def __post_init__(self) -> None:
        ranges = {
            "gain_m_per_year": Range(2500, 5500, "m/year", least=1),
            "loss_per_year": Range(3, 10, "1/year", least=0.01),
            "disease": Range(1e-6, 1e-4),
            "disease_per_year": Range(0.4, 1.8, "1/year", most=5),
        }
        check_ranges(self, ranges)

    @classmethod
    def of_person(cls, *, seed: int) -> HajjarWalk:
        """Draw a boy: 2.97 % in k_in, 16.7 % in k_out, 32 % in a, 19 % in b, lognormal."""
        z = np.clip(stream(seed, "walk", "hajjar").standard_normal(4), -2.5, 2.5)
        own = np.exp(np.array([0.0297, 0.167, 0.32, 0.19]) * z)
        return cls(
            gain_m_per_year=float(3852.0 * own[0]),
            loss_per_year=float(5.76 * own[1]),
            disease=float(9.85e-6 * own[2]),
            disease_per_year=float(0.995 * own[3]),
        )

    def at(self, age_years: ArrayLike) -> Floats:
        """Return the distance at some ages, m, without noise (42 m between walks)."""
        age = _ages(age_years)
        step = 0.01
        grid = np.arange(0.0, max(float(age.max(initial=0.0)), step) + 2 * step, step)
        middle = grid + step / 2
        gain = 0.63 * self.gain_m_per_year * (middle >= 1.75)
        grown = np.minimum(self.disease_per_year * middle, 50.0)
        loss = self.loss_per_year * (1 + self.disease * np.exp(grown))
        stay = np.exp(-loss * step)
        walked = np.zeros(len(grid))
        # Exact over each step, in which gain and loss stand as in its middle.
        for i in range(len(grid) - 1):
            walked[i + 1] = walked[i] * stay[i] + gain[i] / loss[i] * (1 - stay[i])
        return np.asarray(np.interp(age, grid, walked), np.float64)


def _ages(age_years: ArrayLike) -> Floats:
    age = np.asarray(age_years, float)
    if not np.isfinite(age).all() or (age < 0).any() or (age > 60).any():
        raise DataError(f"age_years must be finite, 0 to 60; got {age_years!r}.")
    return age
