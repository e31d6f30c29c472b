"""Drives of movements: walking, gestures of the hand through synergies, reaching.

Levels and timings are typical textbook patterns, not measurements of anyone; people differ through
seeded variation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event
from myograph.twin.drive import Drive
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = [
    "FOREARM",
    "GAIT_PATTERNS",
    "GESTURES",
    "REACHING_DIRECTIONS_DEG",
    "GaitStyle",
    "GestureStyle",
    "Synergies",
    "gait",
    "gestures",
    "reaching",
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
    _known(muscles, GAIT_PATTERNS, what="muscle in walking")
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
        sizes = _lognormal(rng, rule.burst_cv, n)
        # Every stride has its own burst size; the bursts of neighbours reach over the borders.
        for stride in range(-1, n - 1):
            distance = (phase - stride - centre / 100) / (width / 100)
            total += level * rule.intensity * sizes[stride + 1] * np.exp(-(distance**2) / 2)
    return total


#: Sixteen forearm muscles, in the order of the rows of the typical synergies.
FOREARM = (
    "FCR", "PL", "FCU", "FDS", "FDP", "FPL", "PT", "BR",
    "ECRL", "ECRB", "ECU", "ED", "EDM", "EPL", "APL", "SUP",
)  # fmt: skip

# One row per synergy over FOREARM; from functional anatomy, 1 for a prime mover.
_TYPICAL: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "wrist flexion": (1, 0.8, 0.9, 0.25, 0.15, 0.1, 0.1, 0, 0.05, 0.1, 0.1, 0.05, 0, 0, 0.2, 0),
        "wrist extension": (0, 0, 0.1, 0.1, 0.05, 0, 0, 0.1, 0.9, 1, 0.8, 0.35, 0.2, 0.1, 0, 0.1),
        "radial deviation": (0.7, 0.1, 0, 0, 0, 0.1, 0, 0.1, 0.9, 0.5, 0, 0, 0, 0.2, 0.7, 0),
        "ulnar deviation": (0, 0.1, 1, 0.1, 0.1, 0, 0, 0, 0, 0, 0.9, 0.1, 0.3, 0, 0, 0),
        "finger flexion": (0.15, 0.2, 0.15, 1, 0.9, 0.2, 0.1, 0, 0.3, 0.45, 0.3, 0.1, 0, 0, 0, 0),
        "finger extension": (0, 0.1, 0.2, 0.05, 0, 0, 0, 0, 0.1, 0.2, 0.3, 1, 0.8, 0.3, 0.1, 0),
        "thumb": (0.1, 0.1, 0, 0.1, 0.1, 1, 0.1, 0, 0.1, 0.1, 0.1, 0, 0, 0.5, 0.6, 0),
        "pronation": (0.2, 0, 0, 0, 0, 0, 1, 0.3, 0, 0, 0, 0, 0, 0, 0, 0),
        "supination": (0, 0, 0, 0, 0, 0, 0, 0.5, 0.1, 0, 0, 0, 0, 0.2, 0.1, 1),
    }
)

#: Gestures as combinations of synergies.
GESTURES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "rest": {},
        "wrist flexion": {"wrist flexion": 1.0},
        "wrist extension": {"wrist extension": 1.0},
        "radial deviation": {"radial deviation": 1.0},
        "ulnar deviation": {"ulnar deviation": 1.0},
        "hand close": {"finger flexion": 1.0, "thumb": 0.6, "wrist extension": 0.2},
        "hand open": {"finger extension": 1.0, "thumb": 0.3},
        "pinch": {"thumb": 1.0, "finger flexion": 0.35},
        "point": {"finger flexion": 0.7, "finger extension": 0.35, "thumb": 0.4},
        "pronation": {"pronation": 1.0},
        "supination": {"supination": 1.0},
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Synergies:
    """Which muscles go together.

    Parameters
    ----------
    names : tuple of str
        Synergies, one per row of ``weights``.
    muscles : tuple of str
        Muscles, one per column.
    weights : ndarray, shape (n_synergies, n_muscles)
        Excitation of each muscle at full command, 0 to 1.

    Examples
    --------
    >>> Synergies.typical(FOREARM[:8]).weights.shape
    (9, 8)
    """

    names: tuple[str, ...]
    muscles: tuple[str, ...]
    weights: Floats

    def __post_init__(self) -> None:
        weights = np.array(self.weights, float)
        if weights.shape != (len(self.names), len(self.muscles)):
            raise DataError(
                f"weights must have shape ({len(self.names)}, {len(self.muscles)}); got "
                f"{weights.shape}."
            )
        if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() > 1:
            raise DataError("weights must lie between 0 and 1.")
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @classmethod
    def typical(cls, muscles: Sequence[str] = FOREARM) -> Synergies:
        """Return the textbook synergies of some forearm muscles."""
        _known(muscles, FOREARM, what="forearm muscle")
        columns = [FOREARM.index(muscle) for muscle in muscles]
        weights = np.array(list(_TYPICAL.values()), float)[:, columns]
        return cls(tuple(_TYPICAL), tuple(muscles), weights)

    def of_person(self, *, seed: int, spread: float = 0.25) -> Synergies:
        """Return somebody's own synergies: each weight varied, a little coactivation added.

        Muscles have streams of their own: with fewer muscles the others keep their weights.
        """
        Range(0, 0.8, most=3).check(spread, name="spread")
        columns = []
        for i, muscle in enumerate(self.muscles):
            rng = stream(seed, "synergy", muscle)
            factor = _lognormal(rng, spread, len(self.names))
            columns.append(self.weights[:, i] * factor + 0.1 * spread * rng.random(len(self.names)))
        return replace(self, weights=np.clip(np.stack(columns, axis=1), 0, 1))

    def pattern(self, gesture: str) -> Floats:
        """Return the excitation of each muscle in a gesture of `GESTURES` at full command."""
        if gesture not in GESTURES:
            raise ParameterError(unknown_name(gesture, GESTURES, what="gesture"))
        command = np.array([GESTURES[gesture].get(name, 0.0) for name in self.names])
        return np.minimum(command @ self.weights, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GestureStyle:
    """How gestures are made.

    Parameters
    ----------
    repetitions : int
        Times each gesture is made.
    hold_s, ramp_s, rest_s : float
        Steady part, rise and fall, and rest before each gesture, seconds.
    level : float
        Excitation of a prime mover (0.1 to 0.4 in comfortable gestures).
    variability : float
        Coefficient of variation of each muscle's level from one repetition to the next.
    tone : float
        Excitation of every muscle at rest.
    """

    repetitions: int = 4
    hold_s: float = 3.0
    ramp_s: float = 0.4
    rest_s: float = 2.0
    level: float = 0.3
    variability: float = 0.15
    tone: float = 0.0

    def __post_init__(self) -> None:
        check_count(self.repetitions, name="repetitions")
        ranges = {
            "hold_s": Range(0.2, 30, "s", least=0.0),
            "ramp_s": Range(0.05, 3, "s", least=0.01),
            "rest_s": Range(0, 30, "s"),
            "level": Range(0.02, 1, least=0.0, most=1.5),
            "variability": Range(0, 0.5, most=2),
            "tone": Range(0, 0.1, most=1),
        }
        check_ranges(self, ranges)


def gestures(
    labels: Sequence[str],
    *,
    fs_hz: float,
    seed: int,
    style: GestureStyle | None = None,
    synergies: Synergies | None = None,
) -> Drive:
    """Return the drive of the forearm through a series of gestures.

    Parameters
    ----------
    labels : sequence of str
        Keys of `GESTURES`; the whole series is made ``style.repetitions`` times.
    fs_hz : float
        Control rate, Hz.
    seed : int
    style : GestureStyle, optional
    synergies : Synergies, optional
        A person's own; the typical ones of all sixteen muscles without it.

    Returns
    -------
    Drive
        With an event per gesture, from the start of its rise to the end of its fall.

    Examples
    --------
    >>> drive = gestures(["hand close", "rest"], fs_hz=50, seed=3)
    >>> drive.n_muscles, len(drive.events)
    (16, 8)
    """
    rule, own = style or GestureStyle(), synergies or Synergies.typical()
    rate_hz = check_positive(fs_hz, name="fs_hz")
    lead_s, move_s = rule.rest_s, rule.hold_s + 2 * rule.ramp_s
    time_s = np.arange(round((lead_s + move_s) * rate_hz)) / rate_hz
    rise = _minimum_jerk((time_s - lead_s) / rule.ramp_s)
    fall = _minimum_jerk((time_s - lead_s - rule.ramp_s - rule.hold_s) / rule.ramp_s)
    shape, length_s = rise - fall, len(time_s) / rate_hz
    parts, events = [], []
    for repetition in range(rule.repetitions):
        for k, label in enumerate(labels):
            rng = stream(seed, "gesture", repetition, k)
            level = rule.level * _lognormal(rng, rule.variability, len(own.muscles))
            parts.append(rule.tone + (own.pattern(label) * level)[:, None] * shape)
            start_s = (repetition * len(labels) + k) * length_s + lead_s
            events.append(
                Event(start_s, move_s, label, source="protocol", trial=str(repetition + 1))
            )
    if not parts:
        raise ParameterError("labels must name at least one gesture; got none.")
    return Drive(np.concatenate(parts, axis=1), rate_hz, own.muscles, tuple(events))


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
    held = _minimum_jerk(s) * 0.15
    strength = min((0.6 / movement_s) ** 2, 4.0)  # acceleration goes with 1 / duration squared
    parts, events = [], []
    for k, target in enumerate(targets_deg):
        pull = np.cos(np.deg2rad(target - np.array(list(REACHING_DIRECTIONS_DEG.values()))))
        size = 0.2 * _lognormal(stream(seed, "reach", k), 0.1, len(pull))[:, None]
        burst = strength * np.maximum(pull[:, None] * acceleration, 0.0)
        parts.append(0.01 + size * (burst + np.maximum(pull, 0.0)[:, None] * held))
        start_s = k * len(time_s) / rate_hz + rest_s
        events.append(Event(start_s, movement_s, f"reach {target:g} deg", source="protocol"))
    muscles = tuple(REACHING_DIRECTIONS_DEG)
    return Drive(np.concatenate(parts, axis=1), rate_hz, muscles, tuple(events))


def _minimum_jerk(s: Floats) -> Floats:
    x = np.clip(s, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def _lognormal(rng: np.random.Generator, cv: float, n: int) -> Floats:
    """Draw ``n`` factors of mean 1 and coefficient of variation ``cv``."""
    variance = np.log1p(cv**2)
    return np.exp(np.sqrt(variance) * rng.standard_normal(n) - variance / 2)


def _known(names: Sequence[str], known: Sequence[str] | Mapping[str, object], *, what: str) -> None:
    for name in names:
        if name not in known:
            raise ParameterError(unknown_name(name, list(known), what=what))
    if not names or len(set(names)) != len(names):
        raise ParameterError(f"Name each {what} once, and at least one; got {list(names)}.")
