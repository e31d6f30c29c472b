"""Training and rehabilitation: the command learns, fibres grow; after a stroke, recovery.

Neural gains show as higher rates and earlier recruitment within weeks, hypertrophy as thicker
fibres over months. Both fade when training stops. People respond differently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_non_negative
from myograph.core.errors import ParameterError
from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["StrokeRecovery", "Training", "TrainingGain", "trained", "training_gain"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A programme of strength training.

    Parameters
    ----------
    weeks : float
        How long it is kept up.
    sessions_per_week : float
    intensity : float
        Share of the maximal force that is trained at.
    """

    weeks: float
    sessions_per_week: float = 3.0
    intensity: float = 0.75

    def __post_init__(self) -> None:
        ranges = {
            "weeks": Range(0, 104, "weeks"),
            "sessions_per_week": Range(0, 7, "per week", most=21),
            "intensity": Range(0, 1, "of the maximum", most=1.2),
        }
        check_ranges(self, ranges)
        if self.weeks > 0 and self.sessions_per_week == 0:
            raise ParameterError(
                f"A training of {self.weeks:g} weeks with 0 sessions a week contradicts itself; "
                "give sessions_per_week above 0, or weeks=0."
            )

    @property
    def dose(self) -> float:
        """Stimulus relative to three sessions a week at 75 %: saturating, nothing below 20 %."""
        often = 1.6 * self.sessions_per_week / (self.sessions_per_week + 1.8)
        hard = np.clip((self.intensity - 0.2) / 0.55, 0.0, 1.25)
        return float(often * hard)


@dataclass(frozen=True, slots=True)
class TrainingGain:
    """What training has changed.

    Parameters
    ----------
    neural : float
        1 is the full effect of the usual dose on force, rates, thresholds and contraction times.
    hypertrophy : float
        Added to the fibres' area, as a share.
    """

    neural: float
    hypertrophy: float


#: Full effect of the usual dose: force gained per excitation, share; rate added at recruitment and
#: at the peak, Hz; share taken off the thresholds and off the contraction times (delvecchio2019 and
#: wilson2023 for force and rates, the rest assumed); area added to the fibres, share (assumed).
FORCE_SHARE, RATE_HZ, THRESHOLD_SHARE, TWITCH_SHARE, AREA_SHARE = 0.2, 3.0, 0.15, 0.25, 0.16
#: Time constants of gaining and of losing, weeks (assumed within 4 and 8 to 12).
NEURAL_WEEKS, GROWTH_WEEKS, FORGET_WEEKS, SHRINK_WEEKS = 4.0, 10.0, 16.0, 12.0
# Hypertrophy cannot be measured in the first weeks.
_GROWTH_DELAY_WEEKS = 3.0


def training_gain(training: Training, *, seed: int, weeks_since: float = 0.0) -> TrainingGain:
    """Return a person's gains at the end of a programme, or some weeks after it.

    Parameters
    ----------
    training : Training
    seed : int
        The person; people respond differently (lognormal, 35 %, assumed).
    weeks_since : float
        Since the programme ended.

    Examples
    --------
    >>> gain = training_gain(Training(weeks=4), seed=1)
    >>> gain.neural > 4 * gain.hypertrophy
    True
    """
    rest = check_non_negative(weeks_since, name="weeks_since")
    z = np.clip(stream(seed, "training").standard_normal(2), -2.5, 2.5)
    answer = training.dose * np.exp(0.35 * z - 0.35**2 / 2)
    learned = -np.expm1(-training.weeks / NEURAL_WEEKS) * np.exp(-rest / FORGET_WEEKS)
    grown = -np.expm1(-max(training.weeks - _GROWTH_DELAY_WEEKS, 0.0) / GROWTH_WEEKS)
    return TrainingGain(
        neural=float(answer[0] * learned),
        hypertrophy=float(answer[1] * AREA_SHARE * grown * np.exp(-rest / SHRINK_WEEKS)),
    )


def trained(muscle: Muscle, training: Training, *, seed: int, weeks_since: float = 0.0) -> Muscle:
    """Return a muscle after a programme of strength training.

    Units are recruited earlier, twitch faster and give more force for the same excitation, so that
    they fire faster at the same share of the new maximum; innervated fibres grow thicker, and force
    with them.

    Parameters
    ----------
    muscle : Muscle
        Any, a sick one included.
    training : Training
    seed : int
    weeks_since : float

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> before = Muscle.healthy("TA", PoolParameters(n_fibres=4000), seed=1)
    >>> after = trained(before, Training(weeks=4), seed=2)
    >>> bool(1.02 < after.mvc_n / before.mvc_n < 1.4)
    True
    """
    gain = training_gain(training, seed=seed, weeks_since=weeks_since)
    if gain.neural == 0 and gain.hypertrophy == 0:
        return muscle
    pool, fibres = muscle.pool, muscle.fibres
    earlier = max(1 - THRESHOLD_SHARE * gain.neural, 0.4)
    learned = replace(
        pool,
        threshold=pool.threshold * earlier,
        min_rate_hz=pool.min_rate_hz + RATE_HZ * gain.neural,
        peak_rate_hz=pool.peak_rate_hz + RATE_HZ * gain.neural,
        contraction_ms=pool.contraction_ms * max(1 - TWITCH_SHARE * gain.neural, 0.5),
    )
    # Faster twitches fuse less; what counts is the maximum that comes out.
    wanted = pool.steady_force_n(1.0) * (1 + FORCE_SHARE * gain.neural)
    reached = learned.steady_force_n(1.0)
    if reached > 0:
        learned = replace(learned, twitch_n=learned.twitch_n * wanted / reached)
    thicker = np.where(fibres.innervated, np.sqrt(1 + gain.hypertrophy), 1.0)
    grown = fibres.change(diameter_um=fibres.diameter_um * thicker)
    return replace(muscle, pool=learned).remodelled(grown)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrokeRecovery:
    """How the command returns after a stroke: most people regain about 70 % of what they can.

    Parameters
    ----------
    start : float
        Share of the command that arrives just after the stroke.
    share : float
        Of the missing that comes back in the end (prabhakaran2008: 0.7; some regain little).
    time_months : float
        Time constant (assumed: most within three months).
    rehabilitation : float
        What training adds to ``share`` at the usual dose (assumed; effects of dose are small).
    """

    start: float
    share: float = 0.7
    time_months: float = 1.5
    rehabilitation: float = 0.05

    def __post_init__(self) -> None:
        ranges = {
            "start": Range(0, 1, most=1),
            "share": Range(0, 1, most=1),
            "time_months": Range(0.3, 6, "months", least=0.01),
            "rehabilitation": Range(0, 0.3, most=1),
        }
        check_ranges(self, ranges)

    @classmethod
    def of_person(cls, *, start: float, seed: int) -> StrokeRecovery:
        """Draw a person; of those with little left, a third regain little (prabhakaran2008)."""
        rng = stream(seed, "stroke-recovery")
        share, chance, time, rehab = rng.standard_normal(), rng.random(), *rng.standard_normal(2)
        poor = start < 0.3 and chance < 1 / 3
        mean, sd = (0.15, 0.08) if poor else (0.7, 0.1)
        return cls(
            start=start,
            share=float(np.clip(mean + sd * share, 0.0, 0.95)),
            time_months=float(1.5 * np.exp(0.3 * np.clip(time, -2, 2))),
            rehabilitation=float(np.clip(0.05 + 0.05 * rehab, 0.0, 0.2)),
        )

    def arriving(self, months: ArrayLike, *, training: Training | None = None) -> Floats:
        """Return the share of the command that arrives, for `myograph.twin.stroke.weakened`.

        Parameters
        ----------
        months : array_like
            Since the stroke.
        training : Training, optional
            Rehabilitation from the beginning; after it ends, what was gained stays.

        Examples
        --------
        >>> StrokeRecovery(start=0.4).arriving([0.0, 12.0]).round(2).tolist()
        [0.4, 0.82]
        """
        time = np.asarray(months, float)
        if not np.isfinite(time).all() or (time < 0).any():
            raise ParameterError(f"months since the stroke must be 0 or more; got {months!r}.")
        back = -np.expm1(-time / self.time_months)
        share = np.full(time.shape, self.share)
        if training is not None:
            worked = np.minimum(time, training.weeks * 12 / 52.18)
            share = share + self.rehabilitation * training.dose * -np.expm1(-worked / 3.0)
        return np.asarray(self.start + (1 - self.start) * np.minimum(share, 1.0) * back, float)
