"""Control: what a prosthesis is told to do, made from decisions, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive, unknown_name
from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.stream.onset_gate import OnsetGate

__all__ = ["DOFS", "MOVEMENTS", "Command", "VelocityControl", "VelocityRamp", "movement_vector"]

Floats = NDArray[np.float64]

#: Degrees of freedom: three grips that close (1) and open (0), and a wrist that goes both ways.
DOFS = ("power", "pinch", "key", "rotation", "flexion")

#: What each movement does, in full speeds; opening opens whatever is closed.
MOVEMENTS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "rest": {},
        "power grip": {"power": 1.0},
        "hand close": {"power": 1.0},
        "pinch": {"pinch": 1.0},
        "key grip": {"key": 1.0},
        "hand open": {"power": -1.0, "pinch": -1.0, "key": -1.0},
        "pronation": {"rotation": 1.0},
        "supination": {"rotation": -1.0},
        "wrist flexion": {"flexion": 1.0},
        "wrist extension": {"flexion": -1.0},
    }
)


def movement_vector(movement: str, movements: Mapping[str, Mapping[str, float]]) -> Floats:
    """Return the direction of a movement over `DOFS`.

    Examples
    --------
    >>> movement_vector("hand open", MOVEMENTS).tolist()
    [-1.0, -1.0, -1.0, 0.0, 0.0]
    """
    if movement not in movements:
        raise ParameterError(unknown_name(movement, movements, what="movement"))
    return np.array([movements[movement].get(dof, 0.0) for dof in DOFS])


@dataclass(frozen=True, eq=False)
class Command:
    """What the prosthesis is told at one moment.

    Parameters
    ----------
    time_s : float
    velocity : ndarray, shape (5,)
        Over `DOFS`, in full speeds: from -1 to 1.
    movement : str
        What it is called; empty for a mixture.
    reason : str
        Why it is still or limited: ``""``, ``"rejected"``, ``"idle"`` (an `OnsetGate` is
        closed), ``"late"``, ``"limited"``, ``"emergency"``.
    """

    time_s: float
    velocity: Floats
    movement: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        velocity = np.array(self.velocity, dtype=np.float64)
        if velocity.shape != (len(DOFS),) or not np.isfinite(velocity).all():
            raise DataError(f"A command has {len(DOFS)} finite velocities; got {self.velocity}.")
        velocity.flags.writeable = False
        object.__setattr__(self, "velocity", velocity)

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return not self.velocity.any()

    def to_dict(self) -> dict[str, object]:
        """Return the command as plain JSON-able data."""
        return {
            "time_s": self.time_s,
            "velocity": dict(zip(DOFS, self.velocity.tolist(), strict=True)),
            "movement": self.movement,
            "reason": self.reason,
        }


@dataclass(slots=True)
class VelocityRamp:
    """Speed grows while a class is decided again and again [simon2011ramp]_.

    Each class has a counter: up by one when it is decided, down by ``down`` when another is. The
    speed is the counter's share of ``steps``. A stray decision so moves the hand a little, and
    does not stop a movement under way for long.

    Parameters
    ----------
    steps : int
        Decisions in a row to full speed.
    down : int
        How much faster counters fall than they rise.

    Examples
    --------
    >>> ramp = VelocityRamp(steps=4, down=2)
    >>> [ramp.push(label) for label in ("close", "close", "open", "close")]
    [0.25, 0.5, 0.25, 0.25]
    """

    steps: int
    down: int = 2
    _counts: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_count(self.steps, name="steps")
        check_count(self.down, name="down")

    def push(self, label: str) -> float:
        """Count a decided class (empty when refused) and return its share of full speed."""
        for name in self._counts:
            if name != label:
                self._counts[name] = max(self._counts[name] - self.down, 0)
        if not label:
            return 0.0
        self._counts[label] = min(self._counts.get(label, 0) + 1, self.steps)
        return self._counts[label] / self.steps

    def reset(self) -> None:
        """Start a new stream."""
        self._counts.clear()


class VelocityControl:
    """Turn decisions and effort into velocities: one movement at a time, proportionally.

    Parameters
    ----------
    movements : mapping of str to mapping of str to float
        What each class moves, see `MOVEMENTS`; classes that are not in it are refused.
    ramp : VelocityRamp, optional
    dead_band : float
        Effort below which nothing moves, from 0 to below 1; what is beyond starts from nothing.
    gain : float
        Of the effort beyond the dead band.
    gate : OnsetGate, optional
        Lets nothing move until the effort is clearly there.

    Examples
    --------
    >>> import numpy as np
    >>> control = VelocityControl()
    >>> seen = Decision("pinch", np.array([0.9, 0.1]), ("pinch", "rest"), 0.2)
    >>> control.push(seen, effort=0.5).velocity.tolist()
    [0.0, 0.5, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        movements: Mapping[str, Mapping[str, float]] = MOVEMENTS,
        *,
        ramp: VelocityRamp | None = None,
        dead_band: float = 0.0,
        gain: float = 1.0,
        gate: OnsetGate | None = None,
    ) -> None:
        for name, moved in movements.items():
            for dof in moved:
                if dof not in DOFS:
                    raise ParameterError(unknown_name(dof, DOFS, what=f"what {name!r} moves"))
        if not 0 <= dead_band < 1:
            raise ParameterError(f"dead_band must be from 0 to below 1; got {dead_band!r}.")
        self._directions = {name: movement_vector(name, movements) for name in movements}
        self._ramp, self._gate = ramp, gate
        self._dead_band = float(dead_band)
        self._gain = check_positive(gain, name="gain")

    def push(self, decision: Decision, *, effort: float = 1.0) -> Command:
        """Take the newest decision with its effort, 0 to 1 of what was shown at calibration.

        Raises
        ------
        ParameterError
            If nobody said what the class moves.
        DataError
            If the effort is not a number.
        """
        if not np.isfinite(effort):
            raise DataError(f"effort must be finite; got {effort!r}.")
        if decision.label not in self._directions:
            raise ParameterError(unknown_name(decision.label, self._directions, what="movement"))
        label = "" if decision.rejected else decision.label
        passes = self._passes(label, effort)
        if not passes:
            label = ""
        share = self._ramp.push(label) if self._ramp is not None else float(bool(label))
        if decision.rejected:
            return Command(decision.time_s, np.zeros(len(DOFS)), reason="rejected")
        if not passes:
            return Command(decision.time_s, np.zeros(len(DOFS)), reason="idle")
        beyond = max(effort - self._dead_band, 0.0) / (1 - self._dead_band)
        speed = min(self._gain * beyond, 1.0) * share
        return Command(decision.time_s, speed * self._directions[label], label)

    def _passes(self, label: str, effort: float) -> bool:
        """Return whether the gate lets a decision move something; a refused one leaves it be."""
        if self._gate is None or not label:
            return True
        moves = bool(self._directions[label].any())
        return self._gate.push(effort if moves else 0.0) or not moves

    def reset(self) -> None:
        """Start a new stream."""
        if self._ramp is not None:
            self._ramp.reset()
        if self._gate is not None:
            self._gate.reset()
