"""Threshold detectors of muscle action, each defined once and run offline and live alike.

A detector is a declaration; `calibrate` learns its thresholds from a stretch of rest, and what
that gives can be started any number of times and fed chunk by chunk. All of them share one
decision: a conditioned series of *points* is compared with a threshold over a trailing window. An
epoch begins, within the window that decides, where the points from there on exceed the threshold
by the most in sum, and ends by the same rule, mirrored.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.signal.chance import ExceedanceRule, count_rule
from myograph.signal.conditioning import (
    Conditioner,
    RectifiedLowpass,
    TeagerLowpass,
    WhitenedPairs,
)
from myograph.signal.filters import (
    design_bandpass,
    design_lowpass,
    group_delay_s,
    settling_samples,
)
from myograph.signal.switching import Switch
from myograph.signal.whitening import autoregression

__all__ = [
    "Calibrated",
    "Detection",
    "Detector",
    "DoubleThreshold",
    "HodgesBui",
    "Ready",
    "Running",
    "TeagerKaiser",
    "TimedEdge",
    "check_rest",
    "epochs_of",
    "hodges_bui_variants",
    "without_release",
]

#: Least rest that thresholds are learned from.
LEAST_REST_S = 0.1

# An epoch ends below this share of the way from the resting mean to the threshold.
_RELEASE = 0.75


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


@dataclass(frozen=True, kw_only=True)
class HodgesBui:
    """Mean of the envelope above rest by some standard deviations (hodges1996).

    The 27 variants of the paper are the combinations of its three low-passes (10, 50, 500 Hz),
    thresholds (1, 2, 3 SD) and window lengths (20, 50, 100 ms); `hodges_bui_variants` lists them.
    The low-pass is causal and its delay is taken off.

    Parameters
    ----------
    low_pass_hz : float
        Of the rectified signal.
    n_sd : float
        How many standard deviations above the resting mean, both of the low-passed envelope.
    window_ms : float
        The mean over this long must exceed the threshold.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000) * np.where(np.arange(2000) < 1000, 1, 20)
    >>> detector = HodgesBui().calibrate(x[:800], fs_hz=1000)
    >>> [round(edge.at_s, 1) for edge in detector.start().push(x)]
    [1.0]
    """

    name: ClassVar[str] = "hodges-bui"

    low_pass_hz: float = 50.0
    n_sd: float = 3.0
    window_ms: float = 50.0

    def __post_init__(self) -> None:
        check_positive(self.low_pass_hz, name="low_pass_hz")
        check_positive(self.n_sd, name="n_sd")
        check_positive(self.window_ms, name="window_ms")

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> Calibrated:
        """Learn mean and standard deviation of the resting envelope."""
        lowpass = design_lowpass(self.low_pass_hz, order=2, fs_hz=fs_hz)
        condition = partial(RectifiedLowpass, lowpass)
        mean, sd = _level(condition(), check_rest(rest, fs_hz=fs_hz), settling_samples(lowpass))
        return Calibrated(
            fs_hz,
            condition,
            step=1,
            threshold=mean + self.n_sd * sd,
            release=mean + _RELEASE * self.n_sd * sd,
            window=max(1, round(self.window_ms * fs_hz / 1000)),
            delay_s=float(group_delay_s(lowpass, [0.0], fs_hz=fs_hz)[0]),
        )


@dataclass(frozen=True, kw_only=True)
class TeagerKaiser:
    """Energy of Teager and Kaiser above rest by some standard deviations (solnik2010).

    Mean and standard deviation come from the conditioned rest (squared units), never from the
    signal itself. Fails below some 15 dB: choose it for clean signals.

    Parameters
    ----------
    band_hz : tuple of 2 floats
        Band-pass before the operator; its upper edge gives way to a low sampling rate.
    low_pass_hz : float
        After it.
    n_sd : float
        How many standard deviations above the resting mean.
    """

    name: ClassVar[str] = "tkeo"

    band_hz: tuple[float, float] = (30.0, 300.0)
    low_pass_hz: float = 50.0
    n_sd: float = 15.0

    def __post_init__(self) -> None:
        check_positive(self.low_pass_hz, name="low_pass_hz")
        check_positive(self.n_sd, name="n_sd")

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> Calibrated:
        """Learn mean and standard deviation of the resting energy."""
        low_hz, high_hz = self.band_hz
        high_hz = min(high_hz, 0.45 * fs_hz)
        band = design_bandpass(low_hz, high_hz, order=2, fs_hz=fs_hz)
        lowpass = design_lowpass(self.low_pass_hz, order=2, fs_hz=fs_hz)
        condition = partial(TeagerLowpass, band, lowpass)
        settled = settling_samples(band) + settling_samples(lowpass)
        mean, sd = _level(condition(), check_rest(rest, fs_hz=fs_hz), settled)
        centre_hz = [(low_hz * high_hz) ** 0.5]
        delay_s = group_delay_s(band, centre_hz, fs_hz=fs_hz) + group_delay_s(
            lowpass, [0.0], fs_hz=fs_hz
        )
        return Calibrated(
            fs_hz,
            condition,
            step=1,
            threshold=mean + self.n_sd * sd,
            release=mean + _RELEASE * self.n_sd * sd,
            window=1,
            delay_s=float(delay_s[0]),
        )


@dataclass(frozen=True, kw_only=True)
class DoubleThreshold:
    r"""Enough pairs of whitened samples with enough energy (bonato1998).

    In rest, a pair exceeds :math:`\zeta = -2\sigma^2\ln P_\zeta` with probability
    :math:`P_\zeta`, and at least ``needed`` of ``window`` pairs do with the binomial probability
    ``false_alarm``: so the number of false alarms is chosen, not the threshold.

    Parameters
    ----------
    window : int
        m: pairs that decide together.
    needed : int
        r0: how many of them must exceed; 0 takes the number that detects best at ``snr_db``.
    false_alarm : float
        Probability that a window of rest passes for action.
    snr_db : float
        Action over noise that ``needed=0`` prepares for.
    order : int
        Of the autoregression that whitens, learned from rest.
    """

    name: ClassVar[str] = "double-threshold"

    window: int = 5
    needed: int = 1
    false_alarm: float = 0.05
    snr_db: float = 8.0
    order: int = 12

    def __post_init__(self) -> None:
        check_count(self.window, name="window")
        check_count(self.needed, name="needed", least=0)
        check_count(self.order, name="order")
        if self.needed > self.window:
            raise ParameterError(
                f"needed must be at most window={self.window}; got {self.needed}: not more pairs "
                "can exceed than there are."
            )
        if not 0 < check_positive(self.false_alarm, name="false_alarm") < 1:
            raise ParameterError(
                f"false_alarm must be above 0 and below 1; got {self.false_alarm}."
            )

    def rule(self, *, snr_db: float | None = None) -> ExceedanceRule:
        """Return how many pairs must exceed, and how far."""
        return count_rule(
            self.window,
            false_alarm=self.false_alarm,
            snr_db=self.snr_db if snr_db is None else snr_db,
            needed=self.needed,
        )

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> Calibrated:
        """Learn the whitening and the noise from rest."""
        x = check_rest(rest, fs_hz=fs_hz)
        coefficients, _ = autoregression(x, order=min(self.order, len(x) // 8))
        condition = partial(WhitenedPairs, coefficients)
        energy = float(condition().push(x - x.mean()).mean())  # twice the noise variance
        rule = self.rule()
        return Calibrated(
            fs_hz,
            condition,
            step=2,
            threshold=energy * rule.excess,
            release=energy * rule.excess * _RELEASE,
            window=self.window,
            needed=rule.needed,
        )


def hodges_bui_variants() -> tuple[HodgesBui, ...]:
    """Return the 27 variants that Hodges and Bui compared.

    Examples
    --------
    >>> len(set(hodges_bui_variants()))
    27
    """
    grid = itertools.product((10.0, 50.0, 500.0), (1.0, 2.0, 3.0), (20.0, 50.0, 100.0))
    return tuple(HodgesBui(low_pass_hz=f, n_sd=h, window_ms=w) for f, h, w in grid)


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


def _level(state: Conditioner, rest: NDArray[np.float64], settled: int) -> tuple[float, float]:
    """Return mean and standard deviation of the conditioned rest, once the filters have settled."""
    points = state.push(rest)
    points = points[min(settled, len(points) // 2) :]
    return float(points.mean()), float(points.std())
