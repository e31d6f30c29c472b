"""Safety: the last gate before the motors, with limits, a watchdog and an emergency release."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.stream.control import DOFS, Command

__all__ = ["Safety", "SafetyLimits"]

_RELEASE = np.array([-1.0, -1.0, -1.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyLimits:
    """What no command may exceed.

    Parameters
    ----------
    most_speed : float
        Of full speed, in (0, 1].
    most_change_per_s : float
        Full speeds per second by which a command may grow; stopping is never slowed.
    longest_move_s : float
        A degree of freedom driven longer than this in one direction is stopped until it rests.
    watchdog_s : float
        Without a command for this long the hand stands still.
    release_speed, release_s : float
        How the hand opens in an emergency: fraction of full speed, seconds.
    """

    most_speed: float = 1.0
    most_change_per_s: float = 8.0
    longest_move_s: float = 10.0
    watchdog_s: float = 0.3
    release_speed: float = 0.5
    release_s: float = 2.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_positive(getattr(self, name), name=name)
        for name in ("most_speed", "release_speed"):
            if getattr(self, name) > 1:
                raise ParameterError(f"{name} is a share of full speed, at most 1; see {name}.")


class Safety:
    """Hold commands to limits; open the hand in an emergency, whatever the decisions say.

    Time comes with the commands and with `tick`: nothing here reads a clock.

    Parameters
    ----------
    limits : SafetyLimits, optional

    Examples
    --------
    >>> import numpy as np
    >>> gate = Safety(SafetyLimits(most_speed=0.5, most_change_per_s=1e3))
    >>> close = np.array([1.0, 0, 0, 0, 0])
    >>> _ = gate.push(Command(0.0, close))
    >>> gate.push(Command(0.1, close)).velocity.tolist()
    [0.5, 0.0, 0.0, 0.0, 0.0]
    >>> gate.emergency(0.2).velocity.tolist()
    [-0.5, -0.5, -0.5, 0.0, 0.0]
    """

    def __init__(self, limits: SafetyLimits | None = None) -> None:
        self.limits = limits or SafetyLimits()
        self.reset()

    def reset(self) -> None:
        """Start a new stream, with no emergency."""
        self._last: Command | None = None
        self._moved_s = np.zeros(len(DOFS))
        self._released_s: float | None = None

    @property
    def in_emergency(self) -> bool:
        """Whether an emergency was called and not cleared."""
        return self._released_s is not None

    def push(self, command: Command) -> Command:
        """Return the command that may go to the motors.

        Raises
        ------
        ParameterError
            If time goes back.
        """
        step_s = self._step(command.time_s)
        if self._released_s is not None:
            return self._keep(self._release(command.time_s))
        wanted = np.clip(command.velocity, -self.limits.most_speed, self.limits.most_speed)
        allowed = self._grow(wanted, step_s)
        self._count(allowed, step_s)
        allowed = np.where(self._moved_s > self.limits.longest_move_s, 0.0, allowed)
        reason = command.reason
        if not reason and not np.array_equal(allowed, command.velocity):
            reason = "limited"
        return self._keep(replace(command, velocity=allowed, reason=reason))

    def tick(self, time_s: float) -> Command | None:
        """Say what to do without a new command: nothing yet (None), stand still, or release."""
        if self._released_s is not None:
            return self._release(time_s)
        if self._last is None or time_s - self._last.time_s <= self.limits.watchdog_s:
            return None
        return Command(time_s, np.zeros(len(DOFS)), reason="late")

    def emergency(self, time_s: float) -> Command:
        """Open the hand now, and go on refusing commands until `clear`."""
        if self._released_s is None:
            self._released_s = time_s
        return self._keep(self._release(time_s))

    def clear(self) -> None:
        """End an emergency: somebody looked."""
        self._released_s = None
        self._last = None
        self._moved_s[:] = 0

    def _release(self, time_s: float) -> Command:
        begun_s = time_s if self._released_s is None else self._released_s
        opening = time_s - begun_s < self.limits.release_s
        speed = self.limits.release_speed if opening else 0.0
        return Command(time_s, speed * _RELEASE, "hand open" if opening else "", "emergency")

    def _step(self, time_s: float) -> float:
        if self._last is None:
            return 0.0
        step_s = time_s - self._last.time_s
        if step_s < 0:
            raise ParameterError(
                f"A command at {time_s:g} s came after one at {self._last.time_s:g} s; commands "
                "are pushed in the order of time (reset() starts a new stream)."
            )
        # After a silence the watchdog stopped the hand: it starts from rest again.
        return math.inf if step_s > self.limits.watchdog_s else step_s

    def _grow(self, wanted: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
        before = np.zeros(len(DOFS))
        if self._last is not None and math.isfinite(step_s):
            before = self._last.velocity
        else:
            step_s = 0.0
        # Against its own direction a movement stops at once; from there it grows.
        start = np.where(before * wanted > 0, before, 0.0)
        grown = np.abs(start) + self.limits.most_change_per_s * step_s
        return np.asarray(np.sign(wanted) * np.minimum(np.abs(wanted), grown))

    def _count(self, velocity: NDArray[np.float64], step_s: float) -> None:
        before = np.zeros(len(DOFS)) if self._last is None else self._last.velocity
        on = (velocity != 0) & ((before == 0) | (velocity * before > 0))
        held = self._moved_s > self.limits.longest_move_s
        # What was stopped for its length stays stopped until nobody asks for it.
        on |= held & (velocity != 0)
        self._moved_s = np.where(on, self._moved_s + min(step_s, 1e6), 0.0)

    def _keep(self, command: Command) -> Command:
        self._last = command
        return command
