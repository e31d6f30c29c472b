"""Laws of loss: the share of something that is gone some months after the onset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import ParameterError
from myograph.twin.physiology import Range, check_ranges

__all__ = [
    "Exponential",
    "Linear",
    "Loss",
    "Plateau",
    "Sigmoid",
    "Stable",
    "check_months",
    "own_share",
]

Floats = NDArray[np.float64]

_RATE = Range(0, 0.5, "per month", most=5)


class Loss(Protocol):
    """A law of loss: 0 at the onset, never falling, at most 1."""

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        ...


@dataclass(frozen=True, slots=True)
class Stable:
    """Nothing is lost."""

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        return np.zeros(check_months(months).shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """A constant share of what is left goes each month.

    Parameters
    ----------
    rate_per_month : float

    Examples
    --------
    >>> float(Exponential(rate_per_month=0.1).lost(12.0).round(3))
    0.699
    """

    rate_per_month: float

    def __post_init__(self) -> None:
        check_ranges(self, {"rate_per_month": _RATE})

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        return np.asarray(-np.expm1(-self.rate_per_month * check_months(months)), np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """The same amount goes each month, until nothing is left.

    Parameters
    ----------
    rate_per_month : float
        Share of what was there at the onset.
    most : float
        The loss stops there.
    """

    rate_per_month: float
    most: float = 1.0

    def __post_init__(self) -> None:
        check_ranges(self, {"rate_per_month": _RATE, "most": Range(0, 1, most=1)})

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        return np.minimum(self.rate_per_month * check_months(months), self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sigmoid:
    """Slow, then fast, then slow again: the form of the D50 model (meyer2017).

    Parameters
    ----------
    half_months : float
        When half of what was there in health is lost.
    width_months : float
        Time scale of the fall; its steepest part lasts about four of them.
    """

    half_months: float
    width_months: float

    def __post_init__(self) -> None:
        ranges = {
            "half_months": Range(3, 240, "months", least=0.01),
            "width_months": Range(0.5, 60, "months", least=0.01),
        }
        check_ranges(self, ranges)

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        past = (check_months(months) - self.half_months) / self.width_months
        # What the logistic has lost before the onset is not counted: the law starts at 0.
        left = 1 / (1 + np.exp(np.clip(past, -500, 500)))
        start = 1 / (1 + np.exp(-min(self.half_months / self.width_months, 500)))
        return np.maximum(1 - left / start, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """A fast loss that comes to rest, and a slow one that goes on (spinal muscular atrophy).

    Parameters
    ----------
    share : float
        What the fast loss takes in the end.
    time_months : float
        Its time constant.
    later_per_month : float
        Share of what is left that goes each month thereafter.
    """

    share: float
    time_months: float
    later_per_month: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "share": Range(0, 1, most=1),
            "time_months": Range(0.5, 120, "months", least=0.01),
            "later_per_month": Range(0, 0.02, "per month", most=5),
        }
        check_ranges(self, ranges)

    def lost(self, months: ArrayLike) -> Floats:
        """Return the share that is lost, in the shape of ``months``."""
        t = check_months(months)
        left = 1 + self.share * np.expm1(-t / self.time_months)
        return np.asarray(1 - left * np.exp(-self.later_per_month * t), np.float64)


def check_months(months: ArrayLike) -> Floats:
    """Return months as floats; refuse what is not finite or lies before the onset."""
    values = np.asarray(months, float)
    if not np.isfinite(values).all() or (values < 0).any():
        raise ParameterError(
            f"months count from the onset and must be finite and 0 or more; got {months!r}."
        )
    return values


def own_share(units: ArrayLike, bias: float) -> Floats:
    """Return the share of the fibres that was the living units' own, given the share that lives.

    Units die in an exponential race whose rates grow with their size, as in
    `myograph.twin.reinnervation.lose_units`; the largest has a hundred times the smallest one's
    fibres.

    Parameters
    ----------
    units : array_like
        Shares, 0 to 1.
    bias : float

    Examples
    --------
    >>> own_share([1.0, 0.5, 0.0], 1.5).round(2).tolist()
    [1.0, 0.35, 0.0]
    """
    left = np.asarray(units, float)
    if bias == 0:
        return left
    alive, own = _race(float(bias))
    return np.asarray(np.interp(left, alive, own), np.float64)


@lru_cache(maxsize=64)
def _race(bias: float) -> tuple[Floats, Floats]:
    rank = (np.arange(200) + 0.5) / 200
    fibres = 100.0**rank / np.sum(100.0**rank)
    time = np.concatenate([[0.0], np.geomspace(1e-4, 60.0, 600)])
    survives = np.exp(-time[:, None] * np.exp(bias * (rank - 0.5)))
    alive, own = survives.mean(axis=1), survives @ fibres
    return np.append(alive, 0.0)[::-1].copy(), np.append(own, 0.0)[::-1].copy()
