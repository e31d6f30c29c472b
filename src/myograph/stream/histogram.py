"""Histogram of latencies: fixed memory, whatever is recorded, for days."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Histogram", "Stopwatch"]

_LOWEST_S = 1e-6
_PER_DECADE = 40
_DECADES = 8  # up to 100 s
# So many durations are kept as they are before they are sorted into bins, all at once.
_FRESH = 256


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

    __slots__ = ("_count", "_counts", "_fresh", "_lock", "_longest_s", "_total_s")

    def __init__(self) -> None:
        self._counts = np.zeros(_PER_DECADE * _DECADES + 1, dtype=np.int64)
        self._fresh: list[float] = []
        self._lock = threading.Lock()  # a view may ask from a thread of its own
        self._count = 0
        self._total_s = self._longest_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self._fresh.append(seconds)
        if len(self._fresh) >= _FRESH:
            self._sort()

    @property
    def count(self) -> int:
        """How many were counted."""
        return self._count + len(self._fresh)

    @property
    def total_s(self) -> float:
        """All durations together."""
        return self._total_s + sum(self._fresh)

    @property
    def longest_s(self) -> float:
        """The longest duration; 0 when nothing was counted."""
        return max(self._longest_s, max(self._fresh, default=0.0))

    @property
    def mean_s(self) -> float:
        """Mean duration; NaN when nothing was counted."""
        return self.total_s / self.count if self.count else math.nan

    def quantile(self, share: float) -> float:
        """Return the duration that ``share`` of all do not exceed; NaN when nothing was counted."""
        if not self.count:
            return math.nan
        self._sort()
        place = int(np.searchsorted(np.cumsum(self._counts), share * self.count))
        middle = _LOWEST_S * 10 ** ((place + 0.5) / _PER_DECADE)
        return min(middle, self.longest_s)

    def _sort(self) -> None:
        with self._lock:
            fresh, self._fresh = self._fresh, []
            if fresh:
                self._bin(np.array(fresh))

    def _bin(self, seconds: NDArray[np.float64]) -> None:
        places = np.log10(np.maximum(seconds, _LOWEST_S) / _LOWEST_S) * _PER_DECADE
        last = len(self._counts) - 1
        places = np.minimum(places.astype(np.int64), last)
        self._counts += np.bincount(places, minlength=last + 1)
        self._count += len(seconds)
        self._total_s += float(seconds.sum())
        self._longest_s = max(self._longest_s, float(seconds.max()))

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
