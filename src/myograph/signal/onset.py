"""Threshold detectors of muscle action: envelope, Teager-Kaiser energy, double threshold.

Each is a declaration; `calibrate` learns its thresholds from a stretch of rest, and what that
gives (`myograph.signal.detection`) runs offline and live alike.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.signal.chance import ExceedanceRule, count_rule
from myograph.signal.conditioning import (
    Conditioner,
    RectifiedLowpass,
    TeagerLowpass,
    WhitenedPairs,
)
from myograph.signal.detection import Calibrated, check_rest
from myograph.signal.filters import (
    design_bandpass,
    design_lowpass,
    group_delay_s,
    settling_samples,
)
from myograph.signal.whitening import autoregression

__all__ = ["DoubleThreshold", "HodgesBui", "TeagerKaiser", "hodges_bui_variants"]

# An epoch ends below this share of the way from the resting mean to the threshold.
_RELEASE = 0.75


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


def _level(state: Conditioner, rest: NDArray[np.float64], settled: int) -> tuple[float, float]:
    """Return mean and standard deviation of the conditioned rest, once the filters have settled."""
    points = state.push(rest)
    points = points[min(settled, len(points) // 2) :]
    return float(points.mean()), float(points.std())
