"""What every detector of muscle action shares: calibrated on rest, then fed chunk by chunk.

A conditioned series of *points* is compared with a threshold over a trailing window. An epoch
begins, within the window that decides, where the points from there on exceed the threshold by the
most in sum, and ends by the same rule, mirrored. Offline is one push of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.signal.conditioning import Conditioner
from myograph.signal.switching import Switch

__all__ = [
    "Calibrated",
    "Detection",
    "Detector",
    "Ready",
    "Running",
    "TimedEdge",
    "check_rest",
    "epochs_of",
    "without_release",
]

#: Least rest that thresholds are learned from.
LEAST_REST_S = 0.1


@dataclass(frozen=True, slots=True)
class TimedEdge:
    """Activity begins (``rising``) or has ended at ``at_s``, certain since ``known_s``.

    Both count from the first sample that was pushed.
    """

    rising: bool
    at_s: float
    known_s: float


class Detector(Protocol):
    """A way to tell action from rest."""

    name: ClassVar[str]

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> Ready:
        """Learn what rest is from a stretch of it, shape (n_samples,)."""
        ...


class Ready(Protocol):
    """A detector that knows rest, for one channel."""

    def start(self, *, least_on_s: float = ..., least_off_s: float = ...) -> Running:
        """Return a fresh state to push samples through."""
        ...


class Running(Protocol):
    """A detector on a stream of one channel."""

    def push(self, chunk: NDArray[np.floating]) -> list[TimedEdge]:
        """Take the newest samples, shape (n_new,), and return the edges that are now certain."""
        ...


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A detector with its thresholds, for one channel.

    Parameters
    ----------
    fs_hz : float
        Sampling rate.
    condition : callable
        Makes a fresh conditioner, which turns samples into points.
    step : int
        Samples per point.
    threshold, release : float
        Of a point: activity begins above the first and goes on above the second.
    window : int
        Points that decide together.
    needed : int
        How many of them must be above; 0 asks that their mean is.
    delay_s : float
        By how much the conditioning delays; edges are placed that much earlier.
    """

    fs_hz: float
    condition: Callable[[], Conditioner]
    step: int
    threshold: float
    release: float
    window: int
    needed: int = 0
    delay_s: float = 0.0

    def start(self, *, least_on_s: float = 0.03, least_off_s: float = 0.03) -> Detection:
        """Return a fresh state to push samples through; see `Detection`."""
        return Detection(self, least_on_s=least_on_s, least_off_s=least_off_s)

    def decide(self, points: NDArray[np.float64], level: float) -> NDArray[np.bool_]:
        """Say for each point whether the window that ends with it is above ``level``."""
        out = np.zeros(len(points), dtype=np.bool_)
        if len(points) >= self.window:
            weights = np.ones(self.window)
            if self.needed:
                counts = np.convolve((points > level).astype(np.float64), weights, "valid")
                out[self.window - 1 :] = counts >= self.needed - 0.5
            else:
                sums = np.convolve(points, weights, "valid")
                out[self.window - 1 :] = sums > level * self.window
        return out


class Detection:
    """A calibrated detector that runs on one channel: it remembers where it stopped.

    Parameters
    ----------
    by : Calibrated
    least_on_s, least_off_s : float
        Epochs, and pauses between them, that do not last this long change nothing.
    """

    __slots__ = ("_by", "_recent", "_seen", "_source", "_switch")

    def __init__(self, by: Calibrated, *, least_on_s: float, least_off_s: float) -> None:
        self._by = by
        self._source = by.condition()
        rate_hz = by.fs_hz / by.step
        # A trailing window goes on deciding after the action is over: what lasts only because of
        # that is not counted.
        trailing = max(0, by.window - 2 * max(by.needed, 1) + 1)
        self._switch = Switch(
            least_on=max(1, round(least_on_s * rate_hz)) + trailing,
            least_off=max(1, round(least_off_s * rate_hz)),
        )
        self._recent = np.empty(0)  # points that the next windows and edges reach back to
        self._seen = 0

    def push(self, chunk: NDArray[np.floating]) -> list[TimedEdge]:
        """Take the newest samples, shape (n_new,), and return the edges that are now certain."""
        return self._advance(self._source.push(chunk))

    def _advance(self, points: NDArray[np.float64]) -> list[TimedEdge]:
        if len(points) == 0:
            return []
        by, old = self._by, len(self._recent)
        held = np.concatenate([self._recent, points])
        first = self._seen - old
        self._seen += len(points)
        edges = self._switch.push(
            by.decide(held, by.threshold)[old:], by.decide(held, by.release)[old:]
        )
        timed = [
            TimedEdge(
                edge.rising,
                self._seconds(self._place(edge.at - first, held, rising=edge.rising) + first),
                edge.known * by.step / by.fs_hz,
            )
            for edge in edges
        ]
        self._recent = held[max(0, len(held) - by.window - self._switch.reach) :].copy()
        return timed

    def _place(self, at: int, held: NDArray[np.float64], *, rising: bool) -> int:
        """Return the likeliest place of an edge in the window that decided at ``at``.

        It parts the window so that the points on the side of action exceed the level by the most
        in sum: what a change point in the window would be.
        """
        by = self._by
        window = range(max(0, at - by.window + rising), at + rising)
        level = by.threshold if rising else by.release
        points = held[window.start : window.stop]
        excess = (points > level) - by.needed / by.window if by.needed else points - level
        if rising:
            return window.stop - 1 - int(np.cumsum(excess[::-1]).argmax())
        return window.start + 1 + int(np.cumsum(excess).argmax())

    def _seconds(self, point: int) -> float:
        return max(0.0, point * self._by.step / self._by.fs_hz - self._by.delay_s)


def epochs_of(edges: Iterable[TimedEdge], *, duration_s: float) -> list[tuple[float, float]]:
    """Pair edges as (onset_s, end_s); what still goes on ends with the recording."""
    edges = list(edges)
    onsets = [edge.at_s for edge in edges if edge.rising]
    ends = [edge.at_s for edge in edges if not edge.rising]
    return list(zip(onsets, [*ends, duration_s], strict=False))


def without_release(by: Calibrated) -> Calibrated:
    """Return the detector with one threshold for both edges, as the papers have it."""
    return replace(by, release=by.threshold)


def check_rest(rest: ArrayLike, *, fs_hz: float) -> NDArray[np.float64]:
    """Return the resting samples of one channel, shape (n_samples,), if they can teach a level."""
    x = np.asarray(rest, dtype=np.float64)
    check_positive(fs_hz, name="fs_hz")
    if x.ndim != 1 or len(x) < LEAST_REST_S * fs_hz:
        raise DataError(
            f"Thresholds are learned from at least {LEAST_REST_S:g} s of rest of one channel "
            f"({round(LEAST_REST_S * fs_hz)} samples); got shape {x.shape}. Mark a longer rest."
        )
    if not np.isfinite(x).all():
        raise DataError("The resting samples hold NaN or infinity; leave gaps out of the rest.")
    if np.ptp(x) == 0:
        raise DataError(
            "The resting samples do not vary (a dead channel, or a gap filled with a constant), "
            "so any noise would pass for action; choose another stretch or drop the channel."
        )
    return x
