"""Histogram of latencies: fixed memory, whatever is recorded, for days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["Histogram", "Stopwatch"]

_LOWEST_S = 1e-6
_PER_DECADE = 40
_DECADES = 8  # up to 100 s


class Histogram:
    """Counts of durations on a logarithmic scale, each within 6 % of its true value.

    Examples
    --------
    >>> latency = Histogram()
    >>> for ms in (1.0, 2.0, 2.0, 30.0):
    ...     latency.add(ms / 1000)
    >>> round(1e3 * latency.quantile(0.5), 1), latency.count, latency.longest_s
    (2.1, 4, 0.03)
    """

    __slots__ = ("_counts", "count", "longest_s", "total_s")

    def __init__(self) -> None:
        self._counts = [0] * (_PER_DECADE * _DECADES + 1)
        self.count = 0
        self.total_s = 0.0
        self.longest_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        place = 0
        if seconds > _LOWEST_S:
            place = min(int(math.log10(seconds / _LOWEST_S) * _PER_DECADE), len(self._counts) - 1)
        self._counts[place] += 1
        self.count += 1
        self.total_s += seconds
        if seconds > self.longest_s:
            self.longest_s = seconds

    @property
    def mean_s(self) -> float:
        """Mean duration; NaN when nothing was counted."""
        return self.total_s / self.count if self.count else math.nan

    def quantile(self, share: float) -> float:
        """Return the duration that ``share`` of all do not exceed; NaN when nothing was counted."""
        if not self.count:
            return math.nan
        place = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        middle = _LOWEST_S * 10 ** ((place + 0.5) / _PER_DECADE)
        return min(middle, self.longest_s)

    def to_dict(self) -> dict[str, Any]:
        """Return count, mean, quantiles and maximum, in milliseconds; None where nothing is."""
        if not self.count:
            return {"count": 0}
        return {
            "count": self.count,
            "mean_ms": 1e3 * self.mean_s,
            "p50_ms": 1e3 * self.quantile(0.5),
            "p95_ms": 1e3 * self.quantile(0.95),
            "p99_ms": 1e3 * self.quantile(0.99),
            "max_ms": 1e3 * self.longest_s,
        }


class Stopwatch:
    """One histogram per stage of the work, and one for the whole way.

    Attributes
    ----------
    stages : dict of str to Histogram
        ``wait`` (from arrival to the start of the work), ``steps``, ``features``, ``model``,
        ``consumers``, and ``total`` (from arrival to the decision).
    """

    NAMES = ("wait", "steps", "features", "model", "consumers", "total")

    def __init__(self) -> None:
        self.stages = {name: Histogram() for name in self.NAMES}

    def add(self, stage: str, seconds: float) -> None:
        """Count one duration of a stage."""
        self.stages[stage].add(seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return every stage's figures."""
        return {name: histogram.to_dict() for name, histogram in self.stages.items()}
