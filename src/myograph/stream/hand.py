"""Hand: a simulated prosthetic one with an object in it that gives way, slips and breaks.

Two fingers close on an object as on a spring; friction at both carries what is lifted. Beyond the
friction the object slides; too far is dropped, too strong a grip crushes it. Made to compare grip
controllers: engineering verification, not a model of any product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError

__all__ = ["GRAVITY_M_S2", "GraspedObject", "Hand", "HandReading", "random_objects"]

GRAVITY_M_S2 = 9.81
_OPEN_M = 0.10
_TOP_SPEED_M_S = 0.10
_LAG_S = 0.02
_DROP_M = 0.03
_FORCE_NOISE_N = 0.05
_SLIP_SEEN_M_S = 0.002
_SLIP_LATE_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GraspedObject:
    """What is to be held.

    Parameters
    ----------
    width_m, mass_kg : float
    stiffness_n_m : float
        Force per compression.
    friction : float
        Coefficient at each finger.
    breaks_n : float
        Grip force that crushes it.
    """

    width_m: float
    mass_kg: float
    stiffness_n_m: float
    friction: float
    breaks_n: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_positive(getattr(self, name), name=name)
        if self.width_m >= _OPEN_M:
            raise ParameterError(
                f"The hand opens {1e3 * _OPEN_M:g} mm; an object of {1e3 * self.width_m:g} mm "
                "does not go in."
            )
        if self.breaks_n <= self.needed_n:
            raise ParameterError(
                f"An object that breaks at {self.breaks_n:g} N and needs {self.needed_n:g} N to "
                "be held cannot be lifted by anybody."
            )

    @property
    def needed_n(self) -> float:
        """Grip force at which friction at two fingers just carries the weight."""
        return self.mass_kg * GRAVITY_M_S2 / (2 * self.friction)


@dataclass(frozen=True, slots=True)
class HandReading:
    """What the hand's sensors say.

    Parameters
    ----------
    aperture_m : float
        Between the fingers.
    force_n : float
        Grip force, with the sensor's noise.
    slipping : bool
        Whether the slip sensor feels sliding; it is a few milliseconds late.
    """

    aperture_m: float
    force_n: float
    slipping: bool


class Hand:
    """Two fingers, a motor and an object.

    Parameters
    ----------
    held : GraspedObject
    seed : int
        Of the sensors' noise.

    Examples
    --------
    >>> egg = GraspedObject(width_m=0.04, mass_kg=0.06, stiffness_n_m=2e3, friction=0.5, breaks_n=8)
    >>> hand = Hand(egg, seed=0)
    >>> for _ in range(200):
    ...     reading = hand.step(0.05, 0.005)
    >>> round(reading.aperture_m, 3), hand.crushed
    (0.051, False)
    """

    def __init__(self, held: GraspedObject, *, seed: int) -> None:
        self.held = held
        self._rng = np.random.default_rng([seed, 31])
        self.aperture_m = _OPEN_M
        self._speed_m_s = 0.0
        self.slip_m = 0.0
        self._slip_m_s = 0.0
        self._felt = [False] * _SLIP_LATE_STEPS
        self.peak_n = 0.0
        self.crushed = False

    @property
    def force_n(self) -> float:
        """Grip force now."""
        return self.held.stiffness_n_m * max(self.held.width_m - self.aperture_m, 0.0)

    @property
    def dropped(self) -> bool:
        """Whether the object has slid out of the fingers."""
        return bool(self.slip_m >= _DROP_M)

    def step(self, closing_m_s: float, step_s: float, *, load_n: float = 0.0) -> HandReading:
        """Drive the motor for a moment.

        Parameters
        ----------
        closing_m_s : float
            Wanted speed of closing; negative opens.
        step_s : float
        load_n : float
            What pulls the object out of the fingers: weight, acceleration, somebody.
        """
        wanted = min(max(closing_m_s, -_TOP_SPEED_M_S), _TOP_SPEED_M_S)
        self._speed_m_s += (wanted - self._speed_m_s) * -math.expm1(-step_s / _LAG_S)
        self.aperture_m = min(max(self.aperture_m - self._speed_m_s * step_s, 0.0), _OPEN_M)
        force = self.force_n
        self.peak_n = max(self.peak_n, force)
        self.crushed |= force > self.held.breaks_n
        self._slide(load_n, 2 * self.held.friction * force, step_s)
        self._felt = [*self._felt[1:], self._slip_m_s > _SLIP_SEEN_M_S]
        noise = _FORCE_NOISE_N * self._rng.standard_normal()
        return HandReading(self.aperture_m, max(force + noise, 0.0), self._felt[0])

    def _slide(self, load_n: float, friction_n: float, step_s: float) -> None:
        if self._slip_m_s > 0 or load_n > friction_n:
            change = (load_n - friction_n) / self.held.mass_kg * step_s
            self._slip_m_s = max(float(self._slip_m_s + change), 0.0)
            self.slip_m += self._slip_m_s * step_s


def random_objects(number: int, *, seed: int) -> tuple[GraspedObject, ...]:
    """Return objects from a paper cup to a full bottle.

    Width 20 to 80 mm, mass 50 to 500 g, friction 0.3 to 0.8, stiffness 200 to 3000 N/m (drawn
    evenly in logarithms), crushed at 2 N more than 1.5 to 5 times what holding takes.
    """
    check_count(number, name="number")
    rng = np.random.default_rng([seed, 32])
    made = []
    for _ in range(number):
        mass, friction = rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.8)
        needed = mass * GRAVITY_M_S2 / (2 * friction)
        made.append(
            GraspedObject(
                width_m=float(rng.uniform(0.02, 0.08)),
                mass_kg=float(mass),
                friction=float(friction),
                stiffness_n_m=float(np.exp(rng.uniform(np.log(200), np.log(3000)))),
                breaks_n=float(needed * rng.uniform(1.5, 5.0) + 2.0),
            )
        )
    return tuple(made)
