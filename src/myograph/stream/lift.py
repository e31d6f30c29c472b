"""Lift: the grip task, done by a simulated user through EMG: close, lift, carry, let go."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from myograph.stream.control import DOFS
from myograph.stream.controller import Controller
from myograph.stream.forearm import Forearm
from myograph.stream.grip import Grip
from myograph.stream.hand import GRAVITY_M_S2, GraspedObject, Hand, HandReading

__all__ = ["Lift", "LiftUser", "lift_objects"]

_HOP_S = 0.05
_STEPS = 10
_LIFT_S, _CARRY_S = 0.6, 5.0
_CLOSE_LIMIT_S, _RELEASE_LIMIT_S = 10.0, 3.0


@dataclass(frozen=True, slots=True)
class Lift:
    """What became of one object.

    Parameters
    ----------
    held : bool
        Lifted and carried, neither crushed nor dropped, and let go when asked.
    crushed, dropped : bool
    peak_n : float
        Strongest grip.
    slip_mm : float
        How far it slid.
    released_s : float, optional
        From the wish to let go to an open hand; None when it never came to that.
    """

    held: bool
    crushed: bool
    dropped: bool
    peak_n: float
    slip_mm: float
    released_s: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


class LiftUser:
    """Somebody who sees the hand and the object, late, and feels nothing.

    The user judges by eye how far the fingers should press the object, off by a factor that
    differs from object to object; squeezes more when the object is seen to slide; and does the
    same whatever grip controller is behind.

    Parameters
    ----------
    seed : int
    reaction_s : float
    misjudged : float
        Deviation, in logarithms, of the judged compression.
    noise : float
        Deviation of effort relative to itself.
    """

    def __init__(
        self, *, seed: int, reaction_s: float = 0.25, misjudged: float = 0.5, noise: float = 0.2
    ) -> None:
        self._rng = np.random.default_rng([seed, 41])
        self.reaction_s, self.misjudged, self.noise = reaction_s, misjudged, noise

    def begin(self, held: GraspedObject) -> None:
        """Look at an object, and judge how it wants to be pressed."""
        judged = np.exp(self.misjudged * self._rng.standard_normal())
        self._press_m = float(1.3 * held.needed_n / held.stiffness_n_m * judged)
        self._width_m = held.width_m
        self._seen: deque[tuple[float, float, float]] = deque()
        self._known: tuple[float, float, float] | None = None
        self._slid_m = 0.0
        self.pressed_s: float | None = None

    def act(self, hand: Hand, time_s: float, *, carrying: bool) -> dict[str, float]:
        """Return efforts now, from what was seen a reaction time ago."""
        self._seen.append((time_s, hand.aperture_m, hand.slip_m))
        while self._seen and self._seen[0][0] <= time_s - self.reaction_s:
            self._known = self._seen.popleft()
        if self._known is None:
            return {}
        _, aperture_m, slip_m = self._known
        factor = float(np.exp(self.noise * self._rng.standard_normal()))
        if carrying:
            if slip_m - self._slid_m > 0.003:  # a slide that the eye can see
                self._slid_m = slip_m
                return {"wrist flexion": min(0.4 * factor, 1.0)}
            return {}
        missing_m = aperture_m - (self._width_m - self._press_m)
        if missing_m <= 0.001:  # as near as the eye can tell
            self.pressed_s = time_s if self.pressed_s is None else self.pressed_s
            return {}
        self.pressed_s = None
        wanted = np.clip(missing_m / 0.04, 0.25, 0.8)
        return {"wrist flexion": float(min(wanted * factor, 1.0))}


def lift_objects(
    controller: Controller,
    grip: Grip,
    user: LiftUser,
    arm: Forearm,
    objects: Sequence[GraspedObject],
    *,
    seed: int,
) -> tuple[Lift, ...]:
    """Let a user close on objects, lift them, carry them for five seconds, and let go.

    While it is carried the object is accelerated up to 2 m/s², and somebody tugs at it once with
    up to half its weight.

    Parameters
    ----------
    controller : Controller
        EMG to commands; closing and opening is the degree of freedom ``power``.
    grip : Grip
    user : LiftUser
    arm : Forearm
    objects : sequence of GraspedObject
    seed : int
        Of disturbances and sensors: the same for every controller compared.
    """
    return tuple(
        _Attempt(controller, grip, user, arm, Hand(held, seed=seed + k)).run(seed + k)
        for k, held in enumerate(objects)
    )


class _Attempt:
    """One object, from the open hand to the open hand."""

    def __init__(
        self, controller: Controller, grip: Grip, user: LiftUser, arm: Forearm, hand: Hand
    ) -> None:
        self.controller, self.grip, self.user, self.arm, self.hand = (
            controller,
            grip,
            user,
            arm,
            hand,
        )
        self.time_s, self.command = 0.0, 0.0
        self.reading = HandReading(hand.aperture_m, 0.0, slipping=False)

    def run(self, seed: int) -> Lift:
        """Do it all."""
        rng = np.random.default_rng([seed, 42])
        self.controller.reset()
        self.grip.reset()
        self.user.begin(self.hand.held)
        self.arm.push({}, round(0.5 * self.arm.fs_hz))
        self._close()
        begun_s = self.time_s
        tug_s, tug = rng.uniform(1.5, 4.0), rng.uniform(0.2, 0.5)
        phase = rng.uniform(0, 2 * np.pi)
        while self.time_s - begun_s < _LIFT_S + _CARRY_S and not self._lost:
            after_s = self.time_s - begun_s
            up = min(after_s / _LIFT_S, 1.0)
            moving = 2.0 * np.sin(2 * np.pi * 0.7 * after_s + phase) * (up >= 1)
            pulled = tug * GRAVITY_M_S2 * (tug_s <= after_s - _LIFT_S < tug_s + 0.2)
            load_n = self.hand.held.mass_kg * (up * GRAVITY_M_S2 + moving + pulled)
            self._hop(self.user.act(self.hand, self.time_s, carrying=True), load_n)
        lost = self._lost
        crushed, dropped = self.hand.crushed, self.hand.dropped
        released_s = None if lost else self._release()
        return Lift(
            not lost and released_s is not None,
            crushed,
            dropped,
            self.hand.peak_n,
            1e3 * self.hand.slip_m,
            released_s,
        )

    @property
    def _lost(self) -> bool:
        return self.hand.crushed or self.hand.dropped

    def _close(self) -> None:
        while self.time_s < _CLOSE_LIMIT_S and not self._lost:
            self._hop(self.user.act(self.hand, self.time_s, carrying=False), 0.0)
            pressed = self.user.pressed_s
            if pressed is not None and self.time_s - pressed >= 0.4:
                return

    def _release(self) -> float | None:
        # The object is set down first: nothing pulls at it while the hand opens.
        wished_s = self.time_s
        while self.time_s - wished_s < _RELEASE_LIMIT_S:
            self._hop({"wrist extension": 0.7}, 0.0)
            if self.hand.aperture_m > self.hand.held.width_m + 0.005:
                return self.time_s - wished_s
        return None

    def _hop(self, drive: dict[str, float], load_n: float) -> None:
        samples = self.arm.push(drive, round(_HOP_S * self.arm.fs_hz))
        for command in self.controller.push(samples):
            self.command = float(command.velocity[DOFS.index("power")])
        for _ in range(_STEPS):
            speed = self.grip.push(self.command, self.reading, _HOP_S / _STEPS)
            self.reading = self.hand.step(speed, _HOP_S / _STEPS, load_n=load_n)
        self.time_s += _HOP_S
