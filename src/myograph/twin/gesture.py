"""Gestures of the hand: synergies over the muscles of the forearm.

The synergies are textbook anatomy, not measurements of anyone; people differ through seeded
variation.
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
from myograph.twin.anatomy import FOREARM_SET
from myograph.twin.drive import Drive
from myograph.twin.movement import check_names, minimum_jerk, scatter
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = ["GESTURES", "GestureStyle", "Synergies", "gestures"]

Floats = NDArray[np.float64]

# One row per synergy over FOREARM_SET; from functional anatomy, 1 for a prime mover.
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
    >>> Synergies.typical(FOREARM_SET[:8]).weights.shape
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
    def typical(cls, muscles: Sequence[str] = FOREARM_SET) -> Synergies:
        """Return the textbook synergies of some forearm muscles."""
        check_names(muscles, FOREARM_SET, what="forearm muscle")
        columns = [FOREARM_SET.index(muscle) for muscle in muscles]
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
            factor = scatter(rng, spread, len(self.names))
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
    rise = minimum_jerk((time_s - lead_s) / rule.ramp_s)
    fall = minimum_jerk((time_s - lead_s - rule.ramp_s - rule.hold_s) / rule.ramp_s)
    shape, length_s = rise - fall, len(time_s) / rate_hz
    parts, events = [], []
    for repetition in range(rule.repetitions):
        for k, label in enumerate(labels):
            rng = stream(seed, "gesture", repetition, k)
            level = rule.level * scatter(rng, rule.variability, len(own.muscles))
            parts.append(rule.tone + (own.pattern(label) * level)[:, None] * shape)
            start_s = (repetition * len(labels) + k) * length_s + lead_s
            events.append(
                Event(start_s, move_s, label, source="protocol", trial=str(repetition + 1))
            )
    if not parts:
        raise ParameterError("labels must name at least one gesture; got none.")
    return Drive(np.concatenate(parts, axis=1), rate_hz, own.muscles, tuple(events))
