"""Wearer: who follows the prompts of a calibration when no person is there.

A recorded one gives the recorded repetitions of what is asked for; a simulated one contracts a
simulated forearm. Tests, benchmarks and a first look use them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.stream.forearm import Forearm

__all__ = ["RecordedWearer", "SimulatedWearer", "Wearer"]

Samples = NDArray[np.float32]


class Wearer(Protocol):
    """Somebody, or something, that does what is asked for."""

    @property
    def layout(self) -> Layout:
        """Layout of the samples."""
        ...

    def give(self, movement: str, n_samples: int, *, phase: str, begins: bool) -> Samples:
        """Return the next samples.

        Parameters
        ----------
        movement : str
            What is asked for.
        n_samples : int
        phase : str
            ``"ready"``, ``"go"`` or ``"hold"``, see `myograph.stream.calibrate.Situation`.
        begins : bool
            Whether the phase begins with these samples.
        """
        ...


class SimulatedWearer:
    """A simulated forearm that does what it is told, each time a little differently.

    Parameters
    ----------
    arm : Forearm
    seed : int
        Of the efforts.
    effort : float
        Typical share of full contraction.
    """

    def __init__(self, arm: Forearm, *, seed: int, effort: float = 0.5) -> None:
        self.arm, self._effort = arm, effort
        self._rng = np.random.default_rng([seed, 51])
        self._now = effort

    @property
    def layout(self) -> Layout:
        """Layout of the samples."""
        return self.arm.layout

    def give(self, movement: str, n_samples: int, *, phase: str, begins: bool) -> Samples:
        """Return the next samples; the movement begins with ``"go"``."""
        if phase == "ready" or movement == "rest":
            return self.arm.push({}, n_samples)
        if begins and phase == "go":
            tried = self._effort * np.exp(0.2 * self._rng.standard_normal())
            self._now = float(np.clip(tried, 0, 1))
        return self.arm.push({movement: self._now}, n_samples)


class RecordedWearer:
    """Recordings of single movements, given in their order as they are asked for.

    Each hold takes the next recorded stretch of its movement, from its beginning. Between holds
    the first stretch of rest is given, again and again.

    Parameters
    ----------
    recordings : sequence of Recording
        With events from ``protocol`` that name movements.
    rest : str
        What is given while nothing is asked for; without it, zeros.
    """

    def __init__(self, recordings: Sequence[Recording], *, rest: str = "rest") -> None:
        if not len(recordings):
            raise DataError("A recorded wearer needs at least one recording; got none.")
        self._layout = recordings[0].layout
        self._rest = rest
        self._stretches: dict[str, list[Samples]] = {}
        for recording in recordings:
            wrong = recording.layout.differences(self._layout)
            if wrong:
                raise DataError("The recordings differ. " + " ".join(wrong))
            for event in recording.events:
                if event.source == "protocol":
                    part = recording.crop(event.onset_s, event.end_s)
                    self._stretches.setdefault(event.label, []).append(part.samples)
        if not self._stretches:
            raise DataError(
                "The recordings name no movement: a recorded wearer needs events whose source is "
                "'protocol'."
            )
        self._taken: dict[str, int] = {}
        self._place = self._idle = 0

    @property
    def layout(self) -> Layout:
        """Layout of the samples."""
        return self._layout

    @property
    def movements(self) -> tuple[str, ...]:
        """What was recorded, by name."""
        return tuple(sorted(self._stretches))

    @property
    def repetitions(self) -> int:
        """How often every movement was recorded, at least."""
        return min(len(stretches) for stretches in self._stretches.values())

    @property
    def shortest_s(self) -> float:
        """Length of the shortest repetition."""
        lengths = [part.shape[1] for parts in self._stretches.values() for part in parts]
        return min(lengths) / self._layout.fs_hz

    def give(self, movement: str, n_samples: int, *, phase: str, begins: bool) -> Samples:
        """Return the next samples.

        Raises
        ------
        DataError
            If the movement was not recorded as often, or as long, as it is asked for.
        """
        if phase != "hold":
            return self._waiting(n_samples)
        if begins:
            self._taken[movement] = self._taken.get(movement, 0) + 1
            self._place = 0
        number = self._taken.get(movement, 0)
        stretches = self._stretches.get(movement, [])
        if number > len(stretches):
            raise DataError(
                f"Repetition {number} of {movement!r} was asked for, and {len(stretches)} were "
                f"recorded (movements: {list(self.movements)})."
            )
        samples = stretches[number - 1]
        if self._place + n_samples > samples.shape[1]:
            raise DataError(
                f"Repetition {number} of {movement!r} lasts "
                f"{samples.shape[1] / self._layout.fs_hz:.2f} s, which is shorter than the hold; "
                "ask for shorter holds (hold_s)."
            )
        self._place += n_samples
        return samples[:, self._place - n_samples : self._place]

    def _waiting(self, n_samples: int) -> Samples:
        stretches = self._stretches.get(self._rest)
        if not stretches:
            return np.zeros((self._layout.n_channels, n_samples), dtype=np.float32)
        take = (self._idle + np.arange(n_samples)) % stretches[0].shape[1]
        self._idle += n_samples
        return stretches[0][:, take]
