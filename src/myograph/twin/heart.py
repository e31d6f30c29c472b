"""The heart of the person who works: its rate rises with effort, its variability falls.

Beats come from an integral of the rate (one beat each time it passes a whole number), so that rate
and variability are what was asked for. Effort is relative: what share of their own maximum somebody
gives, over how much muscle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.contamination import heart_wave
from myograph.twin.drive import band_noise
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["Beats", "Heart", "beat", "ecg_uv", "effort_of", "variability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """One person's heart.

    Parameters
    ----------
    rest_bpm, most_bpm : float
        Rate at rest and at the greatest effort.
    rise_s, recovery_s : float
        Time constants with which the rate follows effort up and down (assumed).
    variability_ms : float
        Standard deviation of the intervals at rest from breathing and from the 0.1 Hz waves of the
        blood pressure (taskforce1996: bands of 0.15 to 0.4 and 0.04 to 0.15 Hz).
    breathing_hz : float
        At rest.
    fading : float
        The variability falls as exp(-fading x) with the share x of the heart rate reserve in use
        (assumed).
    """

    rest_bpm: float = 65.0
    most_bpm: float = 185.0
    rise_s: float = 12.0
    recovery_s: float = 30.0
    variability_ms: float = 45.0
    breathing_hz: float = 0.25
    fading: float = 3.0

    def __post_init__(self) -> None:
        ranges = {
            "rest_bpm": Range(40, 110, "per minute", least=20, most=250),
            "most_bpm": Range(110, 220, "per minute", least=30, most=300),
            "rise_s": Range(3, 60, "s", least=0.1),
            "recovery_s": Range(5, 180, "s", least=0.1),
            "variability_ms": Range(5, 120, "ms", most=300),
            "breathing_hz": Range(0.15, 0.5, "Hz", least=0.05, most=1.5),
            "fading": Range(0, 8),
        }
        check_ranges(self, ranges)
        if self.most_bpm <= self.rest_bpm:
            raise ParameterError(
                f"most_bpm={self.most_bpm:g} must lie above rest_bpm={self.rest_bpm:g}."
            )

    @classmethod
    def of_person(cls, *, age_years: float, seed: int) -> Heart:
        """Draw a person's heart: 220 less the age at most, less variable with age (assumed)."""
        age = Range(15, 95, "years", least=1, most=120).check(age_years, name="age_years")
        z = np.clip(stream(seed, "heart").standard_normal(3), -2, 2)
        return cls(
            rest_bpm=float(67 + 8 * z[0]),
            most_bpm=float(220 - age + 8 * z[1]),
            variability_ms=float(45 * np.exp(-0.012 * (age - 40) + 0.3 * z[2])),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Heart beats.

    Parameters
    ----------
    times_s : ndarray, shape (n_beats,)
        Of the R waves.
    fs_hz : float
        Rate of the arrays below.
    rate_bpm : ndarray, shape (n_t,)
        Without variability.
    phase : ndarray, shape (n_t,)
        Beats since the start, fractions included.
    """

    times_s: Floats
    fs_hz: float
    rate_bpm: Floats
    phase: Floats


def beat(heart: Heart, effort: ArrayLike, *, fs_hz: float, seed: int) -> Beats:
    """Return the beats of a heart while the person works.

    Parameters
    ----------
    heart : Heart
    effort : array_like, shape (n_t,)
        Share of the heart rate reserve that the work asks for in the long run, 0 to 1.
    fs_hz : float
        Rate of ``effort``; 10 Hz or more.
    seed : int
        Breathing and pressure waves have streams of their own: effort leaves them as they are.

    Examples
    --------
    >>> rest = beat(Heart(), np.zeros(12_000), fs_hz=100.0, seed=1)
    >>> bool(63 < 60 / np.diff(rest.times_s).mean() < 67)
    True
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    work = np.asarray(effort, float)
    if work.ndim != 1 or not work.size or not np.isfinite(work).all():
        raise DataError("effort must be 1-D, finite and not empty.")
    if work.min() < 0 or work.max() > 1:
        raise DataError(
            f"effort is a share of the heart rate reserve, 0 to 1; got {work.min():g} to "
            f"{work.max():g}."
        )
    if rate_hz < 10:
        raise ParameterError(f"fs_hz must be 10 Hz or more to place beats; got {fs_hz:g}.")
    used = _followed(work, heart, rate_hz)
    rate = heart.rest_bpm + (heart.most_bpm - heart.rest_bpm) * used
    waves = _waves(len(work), heart, rate_hz, seed)
    # A change dI of the interval I is a change -dI/I of the rate.
    size = heart.variability_ms / 1000 * np.exp(-heart.fading * used) * (heart.rest_bpm / rate)
    modulated = rate / 60 * np.clip(1 - size * rate / 60 * waves, 0.3, 3.0)
    phase = stream(seed, "heart", "phase").random() + np.cumsum(modulated) / rate_hz
    whole = np.arange(np.ceil(phase[0]), np.floor(phase[-1]) + 1)
    times = np.interp(whole, phase, np.arange(len(phase)) / rate_hz)
    return Beats(times, rate_hz, rate, phase)


def ecg_uv(beats: Beats, *, fs_hz: float, seed: int, peak_uv: float = 1000.0) -> Floats:
    """Return an electrocardiogram of some beats, shape (n_samples,), µV (mcsharry2003).

    Parameters
    ----------
    beats : Beats
    fs_hz : float
    seed : int
    peak_uv : float
        Height of the R wave.
    """
    rate_hz = check_positive(fs_hz, name="fs_hz")
    Range(100, 4000, "uV").check(peak_uv, name="peak_uv")
    n = round(len(beats.phase) / beats.fs_hz * rate_hz)
    phase = np.interp(
        np.arange(n) / rate_hz, np.arange(len(beats.phase)) / beats.fs_hz, beats.phase
    )
    noise = 10.0 * stream(seed, "heart", "noise").standard_normal(n)
    return peak_uv * heart_wave(2 * np.pi * phase) + noise


def variability(times_s: ArrayLike) -> tuple[float, float, float]:
    """Return mean rate (per minute), SDNN and RMSSD (ms) of some beats (taskforce1996).

    Parameters
    ----------
    times_s : array_like, shape (n_beats,)
        Three or more.
    """
    intervals = np.diff(np.asarray(times_s, float))
    if len(intervals) < 2 or (intervals <= 0).any():
        raise DataError("Variability needs three or more beats in ascending order.")
    steps = np.diff(intervals)
    return (
        float(60 / intervals.mean()),
        float(1000 * intervals.std(ddof=1)),
        float(1000 * np.sqrt(np.mean(steps**2))),
    )


def effort_of(force_n: ArrayLike, mvc_n: float, *, mass_share: float = 0.1) -> Floats:
    """Return the effort that a force asks of the heart.

    Parameters
    ----------
    force_n : array_like, shape (n_t,)
    mvc_n : float
        The person's maximum now: for the weak the same force is more effort.
    mass_share : float
        Share of the body's muscle that works; a hand asks little even at its maximum (assumed: the
        effort is the share of the maximum times ``mass_share ** 0.5``).
    """
    Range(0.01, 1, least=0, most=1).check(mass_share, name="mass_share")
    share = np.asarray(force_n, float) / check_positive(mvc_n, name="mvc_n")
    if not np.isfinite(share).all() or (share < 0).any():
        raise DataError("force_n must be finite and 0 or more.")
    return np.asarray(np.clip(share, 0, 1) * np.sqrt(mass_share), np.float64)


def _followed(work: Floats, heart: Heart, fs_hz: float) -> Floats:
    up, down = (-np.expm1(-1 / (s * fs_hz)) for s in (heart.rise_s, heart.recovery_s))
    out = np.empty(len(work))
    value = 0.0
    for i, asked in enumerate(work):
        value += (up if asked > value else down) * (asked - value)
        out[i] = value
    return out


def _waves(n: int, heart: Heart, fs_hz: float, seed: int) -> Floats:
    """Return breathing and pressure waves, of unit variance together."""
    slow = band_noise(n, (0.06, 0.13), fs_hz=fs_hz, rng=stream(seed, "heart", "pressure"))
    wander = band_noise(n, (0.0, 0.05), fs_hz=fs_hz, rng=stream(seed, "heart", "breath"))
    frequency = heart.breathing_hz * (1 + 0.05 * wander)
    breath = np.sqrt(2) * np.sin(2 * np.pi * np.cumsum(frequency) / fs_hz)
    return np.asarray(np.sqrt(0.5) * slow + np.sqrt(0.5) * breath, np.float64)
