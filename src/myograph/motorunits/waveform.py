"""What a neurophysiologist measures on one motor-unit action potential.

Every measure depends on rules (where a potential begins, how large a phase must be), and published
limits hold only for theirs: two algorithms differ by 2 ms in mean duration. The rules are therefore
parameters, with the defaults declared in `MuapRules`. The potential is in µV, negative downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError

__all__ = [
    "MuapMeasures",
    "MuapRules",
    "area_uv_ms",
    "measure_muap",
    "muap_extent",
    "phases",
    "rise",
    "size_index",
    "turns",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MuapRules:
    """Where a potential begins and ends, and what counts as a phase or a turn.

    Parameters
    ----------
    quiet_uv, quiet_ms : float
        The potential has ended where it moves by less than ``quiet_uv`` within ``quiet_ms`` and
        lies within ``quiet_uv`` of the baseline (after stalberg1986: a slope threshold). What comes
        after such a stretch is a satellite and does not count towards the duration.
    phase_uv, phase_share : float
        A phase reaches beyond ``phase_uv`` and beyond this share of the amplitude.
    turn_uv, turn_share : float
        A turn is followed and preceded by a change of at least ``turn_uv`` and of at least this
        share of the amplitude.
    """

    quiet_uv: float = 10.0
    quiet_ms: float = 1.0
    phase_uv: float = 20.0
    phase_share: float = 0.0
    turn_uv: float = 25.0
    turn_share: float = 0.0

    def __post_init__(self) -> None:
        check_positive(self.quiet_uv, name="quiet_uv")
        check_positive(self.quiet_ms, name="quiet_ms")
        for name in ("phase_uv", "phase_share", "turn_uv", "turn_share"):
            check_non_negative(getattr(self, name), name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MuapMeasures:
    """One potential, measured.

    Parameters
    ----------
    amplitude_uv : float
        Peak to peak.
    onset_ms, duration_ms : float
        From the first departure from the baseline to the return; the onset counts from the first
        sample.
    area_uv_ms : float
        Of the rectified potential.
    thickness_ms : float
        Area over amplitude.
    size_index : float
        ``2 log10(amplitude in mV) + thickness`` (sonoo1993).
    phases, turns : int
    rise_time_ms, slope_uv_per_ms : float
        Of the steepest way down, peak to peak: how near the electrode is.
    """

    amplitude_uv: float
    onset_ms: float
    duration_ms: float
    area_uv_ms: float
    thickness_ms: float
    size_index: float
    phases: int
    turns: int
    rise_time_ms: float
    slope_uv_per_ms: float


def measure_muap(
    potential_uv: ArrayLike, *, fs_hz: float, rules: MuapRules | None = None
) -> MuapMeasures:
    """Measure one potential.

    Parameters
    ----------
    potential_uv : array_like, shape (n_samples,)
        One whole potential on a baseline of 0.
    fs_hz : float
    rules : MuapRules, optional

    Raises
    ------
    DataError
        If nothing in it departs from the baseline by the rules.

    Examples
    --------
    >>> t = np.arange(0, 20, 0.05)
    >>> wave = 300 * np.exp(-((t - 8) ** 2)) - 600 * np.exp(-((t - 10) ** 2) * 2)
    >>> found = measure_muap(wave, fs_hz=20_000.0)
    >>> found.phases, found.turns, round(found.amplitude_uv)
    (2, 2, 894)
    """
    values, rule = _checked(potential_uv), rules or MuapRules()
    first, last = muap_extent(values, fs_hz=fs_hz, rules=rule)
    inside = values[first : last + 1]
    amplitude, area = float(np.ptp(inside)), area_uv_ms(inside, fs_hz=fs_hz)
    rise_time_ms, slope = rise(inside, fs_hz=fs_hz)
    return MuapMeasures(
        amplitude_uv=amplitude,
        onset_ms=1000 * first / fs_hz,
        duration_ms=1000 * (last - first) / fs_hz,
        area_uv_ms=area,
        thickness_ms=area / amplitude,
        size_index=size_index(amplitude, area),
        phases=phases(inside, least_uv=max(rule.phase_uv, rule.phase_share * amplitude)),
        turns=turns(inside, least_uv=max(rule.turn_uv, rule.turn_share * amplitude)),
        rise_time_ms=rise_time_ms,
        slope_uv_per_ms=slope,
    )


def muap_extent(
    potential_uv: ArrayLike, *, fs_hz: float, rules: MuapRules | None = None
) -> tuple[int, int]:
    """Find the first and last sample of a potential, outwards from its largest peak.

    Raises
    ------
    DataError
        If nothing in it departs from the baseline by the rules.
    """
    values, rule = _checked(potential_uv), rules or MuapRules()
    width = max(round(rule.quiet_ms * check_positive(fs_hz, name="fs_hz") / 1000), 1)
    peak = int(np.argmax(np.abs(values)))
    if np.abs(values[peak]) <= rule.quiet_uv:
        raise DataError(
            f"There is no potential: nothing departs from the baseline by more than "
            f"{rule.quiet_uv:g} uV; the largest value is {abs(values[peak]):g} uV."
        )
    last = peak + _first_quiet(values[peak:], width, rule.quiet_uv)
    first = peak - _first_quiet(values[peak::-1], width, rule.quiet_uv)
    return first, last


def area_uv_ms(potential_uv: ArrayLike, *, fs_hz: float) -> float:
    """Area under the rectified potential, by the trapezoidal rule.

    Examples
    --------
    >>> area_uv_ms([0.0, 100.0, -100.0, 0.0], fs_hz=1000.0)
    200.0
    """
    return float(np.trapezoid(np.abs(_checked(potential_uv)), dx=1000.0 / fs_hz))


def size_index(amplitude_uv: float, area_uv_ms: float) -> float:
    """Return the size index of sonoo1993.

    Examples
    --------
    >>> size_index(1000.0, 1500.0)
    1.5
    """
    return float(2 * np.log10(amplitude_uv / 1000) + area_uv_ms / amplitude_uv)


def phases(potential_uv: ArrayLike, *, least_uv: float) -> int:
    """Count the phases: stretches on one side of the baseline that reach beyond ``least_uv``.

    A weaker stretch is part of its neighbours, so the count is one more than the crossings between
    stretches that count.

    Examples
    --------
    >>> phases([0, 50, -300, 100, -5, 100, 0], least_uv=20.0)
    3
    """
    values = _checked(potential_uv)
    sides = np.sign(values[np.abs(values) > least_uv])
    return int(sides.size > 0) + int(np.count_nonzero(np.diff(sides)))


def turns(potential_uv: ArrayLike, *, least_uv: float) -> int:
    """Count the peaks, up and down, with changes of at least ``least_uv`` before and after.

    Examples
    --------
    >>> turns([0, 50, -300, 100, 90, 110, 0], least_uv=25.0)
    3
    """
    values = _checked(potential_uv)
    low = high = start = values[0]
    direction, count = 0, 0
    for value in values:
        low, high = min(low, value), max(high, value)
        if direction == 0 and abs(value - start) >= least_uv:
            direction = 1 if value > start else -1
        elif direction > 0 and high - value >= least_uv:
            direction, count = -1, count + 1
        elif direction < 0 and value - low >= least_uv:
            direction, count = 1, count + 1
        else:
            continue
        low = high = value
    return count


def rise(potential_uv: ArrayLike, *, fs_hz: float) -> tuple[float, float]:
    """Time from the last positive peak to the largest negative one, ms, and the steepest fall.

    Returns
    -------
    rise_time_ms : float
        0 when the potential begins with its negative peak.
    slope_uv_per_ms : float
    """
    values = _checked(potential_uv)
    trough = int(np.argmin(values))
    falling = np.diff(values[: trough + 1])
    steepest = float(-falling.min() * fs_hz / 1000) if falling.size else 0.0
    rising = np.flatnonzero(falling > 0)
    top = int(rising[-1]) + 1 if rising.size else 0
    return 1000.0 * (trough - top) / fs_hz, steepest


def _first_quiet(outwards: Floats, width: int, quiet_uv: float) -> int:
    """Return the first sample from which on, for ``width`` samples, nothing happens."""
    # Beyond the record there is silence at its last value's distance from the baseline.
    padded = np.concatenate([outwards, np.full(width, outwards[-1])])
    start = -(width // 2)  # the filters' windows begin at each sample
    span = maximum_filter1d(padded, width, origin=start) - minimum_filter1d(
        padded, width, origin=start
    )
    level = maximum_filter1d(np.abs(padded), width, origin=start)
    quiet = (span <= quiet_uv) & (level <= quiet_uv)
    found = np.flatnonzero(quiet[: len(outwards)])
    return int(found[0]) if found.size else len(outwards) - 1


def _checked(potential_uv: ArrayLike) -> Floats:
    values = np.asarray(potential_uv, np.float64)
    if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
        raise DataError(
            f"A potential is one finite row of at least 2 samples; got shape {values.shape}."
        )
    return values
