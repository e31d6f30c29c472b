"""Drives of movements: walking and reaching.

Levels and timings are typical textbook patterns, not measurements of anyone; people differ through
seeded variation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive, unknown_name
from myograph.core.errors import ParameterError
from myograph.core.recording import Event
from myograph.twin.drive import Drive
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = [
    "GAIT_PATTERNS",
    "REACHING_DIRECTIONS_DEG",
    "GaitStyle",
    "check_names",
    "gait",
    "minimum_jerk",
    "reaching",
    "scatter",
]

Floats = NDArray[np.float64]

#: Bursts of each muscle in walking: (centre in % of the cycle from heel strike, standard deviation
#: in %, excitation). After the phases of perry2010, levels for comfortable speed.
GAIT_PATTERNS: Mapping[str, tuple[tuple[float, float, float], ...]] = MappingProxyType(
    {
        "TA": ((2.0, 4.0, 0.20), (68.0, 7.0, 0.12), (92.0, 6.0, 0.12)),
        "SOL": ((42.0, 10.0, 0.30),),
        "MG": ((40.0, 9.0, 0.28),),
        "LG": ((40.0, 9.0, 0.22),),
        "VL": ((5.0, 7.0, 0.18), (97.0, 3.0, 0.08)),
        "RF": ((5.0, 6.0, 0.10), (62.0, 5.0, 0.08)),
        "BF": ((92.0, 6.0, 0.16), (3.0, 5.0, 0.10)),
        "GMAX": ((5.0, 7.0, 0.15),),
        "GMED": ((14.0, 12.0, 0.20),),
    }
)

TOE_OFF = 0.6  # share of the cycle


@dataclass(frozen=True, slots=True, kw_only=True)
class GaitStyle:
    """How somebody walks.

    Parameters
    ----------
    stride_s : float
        Mean time from heel strike to heel strike of one leg.
    stride_cv : float
        Coefficient of variation of the stride time (0.02 to 0.04 in health).
    burst_cv : float
        Variation of a burst's size from stride to stride.
    intensity : float
        Factor on all levels; 1 is comfortable walking.
    """

    stride_s: float = 1.1
    stride_cv: float = 0.025
    burst_cv: float = 0.15
    intensity: float = 1.0

    def __post_init__(self) -> None:
        ranges = {
            "stride_s": Range(0.8, 2.5, "s", least=0.2),
            "stride_cv": Range(0, 0.1, most=0.3),
            "burst_cv": Range(0, 0.6, most=2),
            "intensity": Range(0.3, 3, most=20),
        }
        check_ranges(self, ranges)


def gait(
    muscles: Sequence[str],
    *,
    n_strides: int,
    fs_hz: float,
    seed: int,
    style: GaitStyle | None = None,
) -> Drive:
    """Return the drive of one leg's muscles in walking.

    Parameters
    ----------
    muscles : sequence of str
        Keys of `GAIT_PATTERNS`.
    n_strides : int
    fs_hz : float
        Control rate, Hz.
    seed : int
    style : GaitStyle, optional

    Returns
    -------
    Drive
        With events ``"heel strike"`` and ``"toe off"``.

    Examples
    --------
    >>> drive = gait(["TA", "SOL"], n_strides=3, fs_hz=100, seed=1)
    >>> drive.muscles, sum(e.label == "heel strike" for e in drive.events)
    (('TA', 'SOL'), 4)
    """
    rule = style or GaitStyle()
    check_count(n_strides, name="n_strides")
    rate_hz = check_positive(fs_hz, name="fs_hz")
    check_names(muscles, GAIT_PATTERNS, what="muscle in walking")
    z = stream(seed, "gait", "stride").standard_normal(n_strides).clip(-3, 3)
    strikes_s = np.concatenate([[0], np.cumsum(rule.stride_s * (1 + rule.stride_cv * z))])
    time_s = np.arange(int(strikes_s[-1] * rate_hz)) / rate_hz
    phase = np.interp(time_s, strikes_s, np.arange(n_strides + 1))
    rows = [_bursts(phase, muscle, rule, seed) for muscle in muscles]
    off_s = strikes_s[:-1] + TOE_OFF * np.diff(strikes_s)
    events = [Event(float(t), 0.0, "heel strike", source="protocol") for t in strikes_s]
    events += [Event(float(t), 0.0, "toe off", source="protocol") for t in off_s]
    return Drive(np.array(rows), rate_hz, tuple(muscles), tuple(events))


def _bursts(phase: Floats, muscle: str, rule: GaitStyle, seed: int) -> Floats:
    """Add a muscle's bursts over all strides; ``phase`` counts strides."""
    total = np.zeros_like(phase)
    n = int(np.ceil(phase[-1])) + 2
    for k, (centre, width, level) in enumerate(GAIT_PATTERNS[muscle]):
        rng = stream(seed, "gait", muscle, k)
        sizes = scatter(rng, rule.burst_cv, n)
        # Every stride has its own burst size; the bursts of neighbours reach over the borders.
        for stride in range(-1, n - 1):
            distance = (phase - stride - centre / 100) / (width / 100)
            total += level * rule.intensity * sizes[stride + 1] * np.exp(-(distance**2) / 2)
    return total


#: Directions in which shoulder and elbow muscles pull the hand in the horizontal plane, degrees
#: from the right, for a right arm.
REACHING_DIRECTIONS_DEG: Mapping[str, float] = MappingProxyType(
    {"PEC": 150.0, "ADELT": 110.0, "PDELT": 330.0, "BB": 235.0, "TB": 60.0, "BR": 220.0}
)


def reaching(
    targets_deg: Sequence[float],
    *,
    fs_hz: float,
    seed: int,
    movement_s: float = 0.6,
    rest_s: float = 1.0,
) -> Drive:
    """Return the drive of straight reaches from the centre, one per target.

    The hand follows a minimum-jerk path (flash1985). A muscle is excited as the acceleration, and
    weakly as the hold, points along its pull: agonists first, antagonists to brake, agonists again.

    Parameters
    ----------
    targets_deg : sequence of float
        Directions of the targets, degrees from the right.
    fs_hz : float
        Control rate, Hz.
    seed : int
        Sizes vary by a tenth from reach to reach.
    movement_s, rest_s : float
        Duration of a reach and of the rest before each, seconds.

    Examples
    --------
    >>> reaching([0, 90], fs_hz=100, seed=1).excitation.shape
    (6, 420)
    """
    Range(0.2, 2.0, "s", least=0.05).check(movement_s, name="movement_s")
    rate_hz = check_positive(fs_hz, name="fs_hz")
    if not len(targets_deg):
        raise ParameterError("targets_deg must name at least one target; got none.")
    hold_s = 0.5
    time_s = np.arange(round((rest_s + movement_s + hold_s) * rate_hz)) / rate_hz
    s = (time_s - rest_s) / movement_s
    moving = (s >= 0) & (s <= 1)
    # Second derivative of the minimum-jerk polynomial over its own maximum.
    acceleration = np.where(moving, (60 * s - 180 * s**2 + 120 * s**3) / 5.7735, 0.0)
    held = minimum_jerk(s) * 0.15
    strength = min((0.6 / movement_s) ** 2, 4.0)  # acceleration goes with 1 / duration squared
    parts, events = [], []
    for k, target in enumerate(targets_deg):
        pull = np.cos(np.deg2rad(target - np.array(list(REACHING_DIRECTIONS_DEG.values()))))
        size = 0.2 * scatter(stream(seed, "reach", k), 0.1, len(pull))[:, None]
        burst = strength * np.maximum(pull[:, None] * acceleration, 0.0)
        parts.append(0.01 + size * (burst + np.maximum(pull, 0.0)[:, None] * held))
        start_s = k * len(time_s) / rate_hz + rest_s
        events.append(Event(start_s, movement_s, f"reach {target:g} deg", source="protocol"))
    muscles = tuple(REACHING_DIRECTIONS_DEG)
    return Drive(np.concatenate(parts, axis=1), rate_hz, muscles, tuple(events))


def minimum_jerk(s: Floats) -> Floats:
    """Return the minimum-jerk path from 0 to 1 over ``s`` from 0 to 1 (flash1985)."""
    x = np.clip(s, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def scatter(rng: np.random.Generator, cv: float, n: int) -> Floats:
    """Draw ``n`` factors of mean 1 and coefficient of variation ``cv``."""
    variance = np.log1p(cv**2)
    return np.exp(np.sqrt(variance) * rng.standard_normal(n) - variance / 2)


def check_names(
    names: Sequence[str], known: Sequence[str] | Mapping[str, object], *, what: str
) -> None:
    """Refuse unknown or repeated names, and none at all."""
    for name in names:
        if name not in known:
            raise ParameterError(unknown_name(name, list(known), what=what))
    if not names or len(set(names)) != len(names):
        raise ParameterError(f"Name each {what} once, and at least one; got {list(names)}.")
