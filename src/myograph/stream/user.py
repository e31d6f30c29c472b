"""User: a simulated one who looks, waits, tries and learns, so that outcome tests run by machine.

The model is plain on purpose: sight comes late, effort is in proportion to what is missing, motor
noise grows with effort, and practice makes both the noise and the misjudged gain smaller by a
power law [newell1981]_. It is a bench for controllers, not a theory of people.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive, unknown_name
from myograph.core.errors import ParameterError
from myograph.stream.control import DOFS

__all__ = ["MOVES", "Sight", "SimulatedUser", "UserStyle"]

Floats = NDArray[np.float64]

# How long both sites are contracted to switch, and let go of afterwards.
_SWITCH_S, _LET_GO_S = 0.5, 0.3

#: Which movement drives a degree of freedom up, and which down.
MOVES: Mapping[str, tuple[str, str]] = {
    "power": ("hand close", "hand open"),
    "pinch": ("pinch", "hand open"),
    "key": ("key grip", "hand open"),
    "rotation": ("pronation", "supination"),
    "flexion": ("wrist flexion", "wrist extension"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStyle:
    """How somebody acts.

    Parameters
    ----------
    reaction_s : float
        From seeing to acting.
    haste_s : float
        The time in which the user tries to close what is missing: effort = missing / haste.
    least_effort : float
        Effort of the smallest movement made on purpose.
    noise : float
        Deviation of the effort relative to itself, at the first trial.
    misjudged : float
        Deviation, in logarithms, of how strong the user takes the control to be.
    practice : float
        Exponent of learning: noise and misjudgement fall as trial to the power of minus this.
    """

    reaction_s: float = 0.25
    haste_s: float = 0.7
    least_effort: float = 0.2
    noise: float = 0.2
    misjudged: float = 0.3
    practice: float = 0.2

    def __post_init__(self) -> None:
        for name in ("reaction_s", "haste_s", "least_effort"):
            check_positive(getattr(self, name), name=name)
        for name in ("noise", "misjudged", "practice"):
            check_non_negative(getattr(self, name), name=name)


@dataclass(frozen=True, eq=False)
class Sight:
    """What there is to see at one moment.

    Parameters
    ----------
    missing : ndarray, shape (5,)
        Target minus position over `DOFS`.
    tolerance : ndarray, shape (5,)
        How near is near enough.
    """

    missing: Floats
    tolerance: Floats


class SimulatedUser:
    """Somebody who works a controller towards targets.

    Parameters
    ----------
    seed : int
        The person.
    style : UserStyle, optional
    way : str
        How the controller is worked: ``"one"`` movement at a time (pattern recognition),
        ``"together"`` (regression), or ``"switch"`` (two sites: flexing and extending drive the
        active function, contracting both goes on to the next).

    Examples
    --------
    >>> import numpy as np
    >>> user = SimulatedUser(seed=1, style=UserStyle(noise=0.0, misjudged=0.0))
    >>> near = Sight(np.array([0.5, 0, 0, 0, 0]), np.full(5, 0.05))
    >>> user.act(near, 0.0), user.act(near, 0.3)
    ({}, {'hand close': 0.714...})
    """

    def __init__(self, *, seed: int, style: UserStyle | None = None, way: str = "one") -> None:
        ways = ("one", "together", "switch")
        if way not in ways:
            raise ParameterError(unknown_name(way, ways, what="way"))
        self.style, self.way = style or UserStyle(), way
        self._rng = np.random.default_rng([seed, 11])
        self._misjudged = self.style.misjudged * float(self._rng.standard_normal())
        self.trials = -1
        self.begin()

    def begin(self) -> None:
        """Begin the next trial: nothing seen yet, a little more practised."""
        self.trials += 1
        self._seen: deque[tuple[float, Sight]] = deque()
        self._known: Sight | None = None
        self._wander = 0.0
        self._last_s: float | None = None
        self._dof = ""
        self._function = ""
        self._switch_until_s = self._rest_until_s = -1.0

    @property
    def practised(self) -> float:
        """What is left of noise and misjudgement: 1 at the first trial, falling."""
        return float((self.trials + 1.0) ** -self.style.practice)

    def act(self, sight: Sight, time_s: float, *, function: str = "") -> dict[str, float]:
        """Look, and return the effort of each movement now.

        Parameters
        ----------
        sight : Sight
            As it is now; it is acted on only after the reaction time.
        time_s : float
        function : str
            Two-site control: which function is active (it is shown).
        """
        self._seen.append((time_s, sight))
        while self._seen and self._seen[0][0] <= time_s - self.style.reaction_s:
            self._known = self._seen.popleft()[1]
        factor = self._noise(time_s)
        if self._known is None:
            return {}
        missing = self._known.missing
        open_ = np.abs(missing) > 0.6 * self._known.tolerance
        if not open_.any():
            self._dof = ""
            return {}
        if self.way == "together":
            return {
                self._move(dof, missing[k]): self._effort(missing[k], factor)
                for k, dof in enumerate(DOFS)
                if open_[k]
            }
        dof = self._choose(missing / self._known.tolerance, open_)
        value = missing[DOFS.index(dof)]
        if self.way == "one":
            return {self._move(dof, value): self._effort(value, factor)}
        return self._two_sites(dof, value, factor, (time_s, function))

    # --- inside ----------------------------------------------------------------------------------

    def _two_sites(
        self, dof: str, value: float, factor: float, now: tuple[float, str]
    ) -> dict[str, float]:
        time_s, function = now
        both = {"wrist flexion": 0.8 * factor, "wrist extension": 0.8 * factor}
        if self._function and function != self._function:
            self._rest_until_s = time_s + _LET_GO_S
        self._function = function
        if time_s < self._rest_until_s:
            return {}  # it switched: let go of both before driving it
        if dof != function:
            if time_s >= self._switch_until_s + _LET_GO_S:
                self._switch_until_s = time_s + _SWITCH_S  # try, and try again
            return both if time_s < self._switch_until_s else {}
        movement = "wrist flexion" if value > 0 else "wrist extension"
        return {movement: self._effort(value, factor)}

    def _choose(self, weights: Floats, open_: NDArray[np.bool_]) -> str:
        # One thing is finished before the next is begun.
        if self._dof and open_[DOFS.index(self._dof)]:
            return self._dof
        self._dof = DOFS[int(np.argmax(np.where(open_, np.abs(weights), -1.0)))]
        return self._dof

    def _move(self, dof: str, value: float) -> str:
        return MOVES[dof][0 if value > 0 else 1]

    def _effort(self, missing: float, factor: float) -> float:
        believed = np.exp(self._misjudged * self.practised)
        wanted = abs(missing) / (self.style.haste_s * believed)
        return float(np.clip(max(wanted, self.style.least_effort) * factor, 0.0, 1.0))

    def _noise(self, time_s: float) -> float:
        """Return the factor of the effort: it wanders around 1 with a memory of a third second."""
        step_s = 0.0 if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        keep = np.exp(-step_s / 0.33)
        fresh = np.sqrt(1 - keep**2) if step_s else 1.0
        self._wander = keep * self._wander * bool(step_s) + fresh * self._rng.standard_normal()
        return float(np.exp(self.style.noise * self.practised * self._wander))
