"""Descending drive: the excitation of each muscle's pool in time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt, sosfreqz

from myograph.core.checks import (
    check_below_nyquist,
    check_count,
    check_non_negative,
    check_positive,
    unknown_name,
)
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = [
    "CommonNoise",
    "Drive",
    "band_noise",
    "beta_rhythm",
    "repeated",
    "steps",
    "trapezoid",
    "with_noise",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """Excitation of one or more muscles.

    Parameters
    ----------
    excitation : ndarray, shape (n_muscles, n_t)
        Fraction of the healthy maximum; 0 or more.
    fs_hz : float
        Rate of the excitation, Hz (the control rate).
    muscles : tuple of str
        Names, one per row.
    events : tuple of Event
        What the person was doing: contractions, gestures, steps.
    """

    excitation: Floats
    fs_hz: float
    muscles: tuple[str, ...] = ("muscle",)
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        excitation = np.atleast_2d(np.array(self.excitation, float))
        if excitation.ndim != 2 or excitation.size == 0 or not np.isfinite(excitation).all():
            raise DataError(
                "excitation must be finite, of shape (n_muscles, n_t) and not empty; got shape "
                f"{excitation.shape}."
            )
        if excitation.min() < 0:
            raise DataError(f"excitation must be 0 or more; the lowest is {excitation.min():g}.")
        excitation.flags.writeable = False
        object.__setattr__(self, "excitation", excitation)
        object.__setattr__(self, "fs_hz", check_positive(self.fs_hz, name="fs_hz"))
        object.__setattr__(self, "muscles", tuple(self.muscles))
        object.__setattr__(self, "events", tuple(sorted(self.events)))
        if len(self.muscles) != len(excitation) or len(set(self.muscles)) != len(self.muscles):
            raise DataError(
                f"{len(excitation)} rows of excitation need as many different muscle names; "
                f"got {list(self.muscles)}."
            )

    @property
    def n_muscles(self) -> int:
        """Number of muscles."""
        return len(self.excitation)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.excitation.shape[1] / self.fs_hz

    @property
    def time_s(self) -> Floats:
        """Time of each sample, shape (n_t,), seconds."""
        return np.arange(self.excitation.shape[1]) / self.fs_hz

    def of(self, muscle: str | int) -> Floats:
        """Return the excitation of a muscle, by name or row, shape (n_t,)."""
        return self.excitation[self.row(muscle)]

    def row(self, muscle: str | int) -> int:
        """Return the row of a muscle, by name or row."""
        if isinstance(muscle, str):
            if muscle not in self.muscles:
                raise ParameterError(unknown_name(muscle, self.muscles, what="muscle"))
            return self.muscles.index(muscle)
        if not -self.n_muscles <= muscle < self.n_muscles:
            raise ParameterError(f"muscle row must be below {self.n_muscles}; got {muscle}.")
        return muscle % self.n_muscles

    def changed(self, excitation: ArrayLike) -> Drive:
        """Return the drive with other values, never below 0 (a muscle cannot be less than off)."""
        return replace(self, excitation=np.maximum(np.asarray(excitation, float), 0.0))

    def scaled(self, factors: dict[str, float]) -> Drive:
        """Return the drive with the rows of some muscles multiplied, others as they are."""
        excitation = self.excitation.copy()
        for muscle, factor in factors.items():
            excitation[self.row(muscle)] *= check_non_negative(factor, name=f"factor of {muscle}")
        return self.changed(excitation)

    def then(self, other: Drive) -> Drive:
        """Return this drive followed by another of the same muscles and rate."""
        if (self.muscles, self.fs_hz) != (other.muscles, other.fs_hz):
            raise DataError(
                "Drives that follow each other need the same muscles and rate; got "
                f"{self.muscles} at {self.fs_hz:g} Hz and {other.muscles} at {other.fs_hz:g} Hz."
            )
        later = tuple(replace(e, onset_s=e.onset_s + self.duration_s) for e in other.events)
        both = np.concatenate([self.excitation, other.excitation], axis=1)
        return replace(self, excitation=both, events=self.events + later)


def trapezoid(
    level: float,
    *,
    ramp_s: float,
    hold_s: float,
    fs_hz: float,
    rest_s: float = 1.0,
    muscle: str = "muscle",
) -> Drive:
    """Return one isometric contraction: rest, ramp up, hold, ramp down, rest.

    Parameters
    ----------
    level : float
        Excitation of the plateau, 0 to 1. To reach a force instead, ask
        `myograph.twin.contraction.excitation_for_force`.
    ramp_s, hold_s, rest_s : float
        Durations, seconds; the rest lies before and after.
    fs_hz : float
        Control rate, Hz.
    muscle : str

    Examples
    --------
    >>> drive = trapezoid(0.3, ramp_s=2, hold_s=5, rest_s=1, fs_hz=100)
    >>> drive.duration_s, round(float(drive.excitation.max()), 3)
    (11.0, 0.3)
    """
    top = Range(0, 1, "of the maximum", most=1.5).check(level, name="level")
    check_non_negative(ramp_s, name="ramp_s")
    check_positive(hold_s, name="hold_s")
    check_non_negative(rest_s, name="rest_s")
    rate_hz = check_positive(fs_hz, name="fs_hz")
    ends = rest_s + ramp_s, rest_s + ramp_s + hold_s
    time_s = np.arange(round((ends[1] + ramp_s + rest_s) * rate_hz)) / rate_hz
    corners = [rest_s, ends[0], ends[1], ends[1] + ramp_s]
    if ramp_s == 0:
        excitation = np.where((time_s >= rest_s) & (time_s < ends[1]), top, 0.0)
    else:
        excitation = np.interp(time_s, corners, [0, top, top, 0])
    events = (
        Event(rest_s, ends[1] + ramp_s - rest_s, "contraction", source="protocol"),
        Event(ends[0], hold_s, "hold", source="protocol"),
    )
    return Drive(excitation[None], rate_hz, (muscle,), events)


def repeated(contraction: Drive, n: int) -> Drive:
    """Return ``n`` contractions one after another; the events carry the trial number."""
    check_count(n, name="n")
    whole = None
    for trial in range(n):
        events = tuple(replace(e, trial=str(trial + 1)) for e in contraction.events)
        part = replace(contraction, events=events)
        whole = part if whole is None else whole.then(part)
    return whole or contraction


def steps(levels: ArrayLike, *, hold_s: float, fs_hz: float, muscle: str = "muscle") -> Drive:
    """Return a staircase: each level held for ``hold_s``.

    Examples
    --------
    >>> steps([0.1, 0.2], hold_s=1, fs_hz=10).excitation.shape
    (1, 20)
    """
    values = np.atleast_1d(np.asarray(levels, float))
    samples = round(check_positive(hold_s, name="hold_s") * check_positive(fs_hz, name="fs_hz"))
    events = tuple(
        Event(i * samples / fs_hz, samples / fs_hz, f"level {level:g}", source="protocol")
        for i, level in enumerate(values)
    )
    return Drive(np.repeat(values, samples)[None], fs_hz, (muscle,), events)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonNoise:
    """Fluctuation of the drive that the units of a muscle share (deluca1994, farmer1993).

    Parameters
    ----------
    common : float
        Standard deviation below ``common_hz``, as a share of the excitation (0.03 to 0.05).
    common_hz : float
        Bandwidth of the common drive, Hz.
    beta : float
        Standard deviation within ``beta_hz``, as a share of the excitation: the corticospinal
        drive that makes motor units coherent with each other and with the cortex.
    beta_hz : tuple of 2 floats
    between_muscles : float
        Share of the variance that the muscles have in common (0 to 1).
    """

    common: float = 0.04
    common_hz: float = 5.0
    beta: float = 0.0
    beta_hz: tuple[float, float] = (15.0, 30.0)
    between_muscles: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "common": Range(0, 0.15, most=1),
            "common_hz": Range(1, 10, "Hz", least=0.01),
            "beta": Range(0, 0.3, most=1),
            "between_muscles": Range(0, 1, most=1),
        }
        check_ranges(self, ranges)
        low, high = self.beta_hz
        if not 0 < low < high:
            raise ParameterError(f"beta_hz must be (low, high) above 0; got {self.beta_hz}.")


def with_noise(drive: Drive, *, seed: int, noise: CommonNoise | None = None) -> Drive:
    """Return the drive with common fluctuations, in proportion to the excitation.

    Muscles and bands have random streams of their own: adding beta leaves the slow common drive
    as it was.
    """
    rule = noise or CommonNoise()
    total = np.zeros_like(drive.excitation)
    bands = {"common": (rule.common, (0.0, rule.common_hz)), "beta": (rule.beta, rule.beta_hz)}
    shared, own = np.sqrt(rule.between_muscles), np.sqrt(1 - rule.between_muscles)
    n = drive.excitation.shape[1]
    for name, (size, band_hz) in bands.items():
        if size == 0:
            continue
        everywhere = band_noise(n, band_hz, fs_hz=drive.fs_hz, rng=stream(seed, "drive", name))
        for i, muscle in enumerate(drive.muscles):
            rng = stream(seed, "drive", name, muscle)
            local = band_noise(n, band_hz, fs_hz=drive.fs_hz, rng=rng) if own else 0.0
            total[i] += size * (shared * everywhere + own * local)
    return drive.changed(drive.excitation * (1 + total))


def beta_rhythm(
    drive: Drive, muscle: str | int, *, lead_s: float, seed: int, noise: CommonNoise
) -> Floats:
    """Return the beta rhythm of a muscle's drive as it was some time upstream, of unit variance.

    It is the very rhythm that `with_noise` puts into the drive, seen ``lead_s`` earlier: as in the
    cortex, from which it comes.

    Parameters
    ----------
    drive : Drive
        Before the noise.
    muscle : str or int
    lead_s : float
        0 gives the rhythm at the muscle.
    seed : int
        That of `with_noise`.
    noise : CommonNoise

    Returns
    -------
    ndarray, shape (n_t,)
    """
    ahead = round(check_non_negative(lead_s, name="lead_s") * drive.fs_hz)
    n = drive.excitation.shape[1] + ahead
    name = drive.muscles[drive.row(muscle)]
    shared, own = np.sqrt(noise.between_muscles), np.sqrt(1 - noise.between_muscles)
    rows = ((shared, stream(seed, "drive", "beta")), (own, stream(seed, "drive", "beta", name)))
    total = np.zeros(n)
    for weight, rng in rows:
        if weight:
            total += weight * band_noise(n, noise.beta_hz, fs_hz=drive.fs_hz, rng=rng)
    return total[ahead:]


def band_noise(
    n: int, band_hz: tuple[float, float], *, fs_hz: float, rng: np.random.Generator
) -> Floats:
    """Return ``n`` samples of Gaussian noise of unit variance within a band.

    Parameters
    ----------
    n : int
    band_hz : tuple of 2 floats
        Edges (-3 dB), Hz; a low edge of 0 makes it low-pass.
    fs_hz : float
    rng : numpy.random.Generator
    """
    low, high = band_hz
    check_below_nyquist(high, fs_hz=fs_hz, name="the upper edge of the noise")
    if low == 0:
        sos = butter(2, high, "lowpass", fs=fs_hz, output="sos")
    else:
        sos = butter(2, (low, high), "bandpass", fs=fs_hz, output="sos")
    _, response = sosfreqz(sos, worN=1 << 16, whole=True)
    gain = np.sqrt(np.mean(np.abs(response) ** 2))  # of white noise through the filter
    settle = int(np.ceil(3 * fs_hz / (high - low)))
    return np.asarray(sosfilt(sos, rng.standard_normal(n + settle))[settle:] / gain, np.float64)
