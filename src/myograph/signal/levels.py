"""Epochs of action from change points: stretches whose level is clearly above that of rest."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.signal.changepoint import BayesianChange, pelt
from myograph.signal.conditioning import WhitenedPairs
from myograph.signal.detection import TimedEdge, check_rest
from myograph.signal.switching import Switch
from myograph.signal.whitening import autoregression

__all__ = ["BayesianLevels", "LevelDetection", "PeltLevels", "RestModel"]

_STEP = 2  # samples per point: pairs


@dataclass(frozen=True, slots=True)
class RestModel:
    """What rest of one channel taught: how to whiten, and the energy of a resting pair."""

    fs_hz: float
    coefficients: NDArray[np.float64]
    energy: float

    @classmethod
    def of(cls, rest: ArrayLike, *, fs_hz: float, order: int = 12) -> RestModel:
        """Learn from a stretch of rest, shape (n_samples,)."""
        x = check_rest(rest, fs_hz=fs_hz)
        coefficients, _ = autoregression(x, order=min(order, len(x) // 8))
        points = WhitenedPairs(coefficients).push(x - x.mean())
        return cls(fs_hz, coefficients, float(points.mean()))


@dataclass(frozen=True, kw_only=True)
class _Levels:
    excess_db: float = 3.0

    def __post_init__(self) -> None:
        check_positive(self.excess_db, name="excess_db")

    @property
    def ratio(self) -> float:
        """Energy of action over that of rest, at least."""
        return float(10 ** (self.excess_db / 10))


@dataclass(frozen=True, kw_only=True)
class BayesianLevels(_Levels):
    """Bayesian online change points; a stretch well above rest is action (adams2007).

    Parameters
    ----------
    excess_db : float
        By how much the mean energy of a stretch must exceed that of rest.
    expected_s : float
        Time between changes, on average.
    """

    name: ClassVar[str] = "bayesian"

    expected_s: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.expected_s, name="expected_s")

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> _Bayesian:
        """Learn whitening and level from rest."""
        return _Bayesian(self, RestModel.of(rest, fs_hz=fs_hz))


@dataclass(frozen=True, slots=True)
class _Bayesian:
    spec: BayesianLevels
    rest: RestModel

    def start(self, *, least_on_s: float = 0.03, least_off_s: float = 0.03) -> LevelDetection:
        """Return a fresh state to push samples through."""
        return LevelDetection(self.spec, self.rest, least_on_s=least_on_s, least_off_s=least_off_s)


class LevelDetection:
    """Bayesian change points that run on one channel, with epochs placed at the changes."""

    __slots__ = ("_change", "_level", "_rest", "_runs", "_seen", "_source", "_switch")

    def __init__(
        self, spec: BayesianLevels, rest: RestModel, *, least_on_s: float, least_off_s: float
    ) -> None:
        rate_hz = rest.fs_hz / _STEP
        self._rest, self._level = rest, spec.ratio * rest.energy
        self._source = WhitenedPairs(rest.coefficients)
        self._change = BayesianChange(expected=spec.expected_s * rate_hz, level=rest.energy)
        self._switch = Switch(
            least_on=max(1, round(least_on_s * rate_hz)),
            least_off=max(1, round(least_off_s * rate_hz)),
        )
        self._runs = np.empty(0, dtype=np.int64)  # likeliest run length after each recent point
        self._seen = 0

    def push(self, chunk: NDArray[np.floating]) -> list[TimedEdge]:
        """Take the newest samples, shape (n_new,), and return the edges that are now certain."""
        points = self._source.push(chunk)
        if len(points) == 0:
            return []
        runs, levels = self._change.push(points)
        first = self._seen - len(self._runs)
        held = np.concatenate([self._runs, runs])
        self._seen += len(points)
        active = levels > self._level
        edges = [
            # The decision falls some points into the run: the change is where the run began.
            TimedEdge(
                edge.rising,
                self._seconds(max(0, edge.at - max(int(held[edge.at - first]) - 1, 0))),
                self._seconds(edge.known),
            )
            for edge in self._switch.push(active, active)
        ]
        self._runs = held[max(0, len(held) - self._switch.reach - 1) :].copy()
        return edges

    def _seconds(self, point: int) -> float:
        return point * _STEP / self._rest.fs_hz


@dataclass(frozen=True, kw_only=True)
class PeltLevels(_Levels):
    """Exact change points of the whole recording (killick2012); offline only.

    Parameters
    ----------
    excess_db : float
        By how much the mean energy of a stretch must exceed that of rest to be action.
    """

    name: ClassVar[str] = "pelt"

    def epochs(
        self, samples: ArrayLike, rest: RestModel, *, least_on_s: float, least_off_s: float
    ) -> list[tuple[float, float]]:
        """Return (onset, end) of the action in one channel, seconds from its first sample."""
        if least_on_s <= 0 or least_off_s <= 0:
            raise ParameterError("least_on_s and least_off_s must be above 0.")
        points = WhitenedPairs(rest.coefficients).push(np.asarray(samples))
        rate_hz = rest.fs_hz / _STEP
        least = max(2, round(min(least_on_s, least_off_s) * rate_hz / 2))
        bounds = [0, *pelt(points, least=least), len(points)]
        active = np.zeros(len(points), dtype=np.bool_)
        for begin, end in itertools.pairwise(bounds):
            if end > begin:
                active[begin:end] = points[begin:end].mean() > self.ratio * rest.energy
        switch = Switch(
            least_on=max(1, round(least_on_s * rate_hz)),
            least_off=max(1, round(least_off_s * rate_hz)),
        )
        edges = switch.push(active, active)
        begins = [edge.at / rate_hz for edge in edges if edge.rising]
        ends = [edge.at / rate_hz for edge in edges if not edge.rising]
        return list(zip(begins, [*ends, len(points) / rate_hz], strict=False))
