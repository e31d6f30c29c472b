"""Generated: the simulator as a source, piece after piece, without an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from myograph.core.checks import check_count
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.datasets.simulated import COHORT, SimulatedCohort, simulate
from myograph.stream.replay import Replay
from myograph.stream.source import Chunk, Source

__all__ = ["Generated", "simulated_person"]


def simulated_person(
    number: int, *, cohort: SimulatedCohort = COHORT
) -> Callable[[int], Recording]:
    """Return what makes recordings of one simulated person, repetition after repetition.

    Parameters
    ----------
    number : int
        Of the person, from 1. Numbers beyond the cohort are people nobody trained on.
    cohort : SimulatedCohort
    """
    check_count(number, name="number")
    per_person = cohort.n_sessions * cohort.n_repetitions
    people = simulate(
        SimulatedCohort(
            fs_hz=cohort.fs_hz,
            n_people=max(number, cohort.n_people),
            n_sessions=cohort.n_sessions,
            n_repetitions=cohort.n_repetitions,
            n_channels=cohort.n_channels,
            hold_s=cohort.hold_s,
            move_s=cohort.move_s,
            amplitude_uv=cohort.amplitude_uv,
            noise_uv=cohort.noise_uv,
            variability=cohort.variability,
            seed=cohort.seed,
        )
    ).recordings

    def make(piece: int) -> Recording:
        return people[(number - 1) * per_person + piece % per_person]

    return make


class Generated(Source):
    """Gives recordings that are made while it runs.

    Parameters
    ----------
    make : callable
        ``make(number)`` gives the recording of piece ``number``, from 0; all of one layout.
    speed, chunk_ms : float
        See `Replay`.
    pieces : int, optional
        How many are given; endless when not given.
    """

    timing = "counted"
    scheme = "twin"

    def __init__(
        self,
        make: Callable[[int], Recording],
        *,
        speed: float = 1.0,
        chunk_ms: float | None = None,
        pieces: int | None = None,
    ) -> None:
        super().__init__("twin")
        self._make, self._speed, self._chunk_ms = make, speed, chunk_ms
        self._pieces = pieces
        self._number = 0
        self._offset = 0
        self._now: Replay | None = None
        self._length = 0
        self._next: asyncio.Future[Recording] | None = None
        self.patient = speed != 1.0

    async def open(self, *, timeout_s: float) -> Layout:
        """Make the first piece."""
        self._next = self._begin(0)
        recording = await self._turn_to(timeout_s)
        return recording.layout

    async def read(self) -> Chunk | None:
        """Return the next samples when their time has come."""
        while self._now is not None:
            chunk = await self._now.read()
            if chunk is not None:
                return chunk._replace(first=chunk.first + self._offset)
            self._offset += self._length
            if self._pieces is not None and self._number >= self._pieces:
                return None
            await self._turn_to(60.0)
        return None

    async def close(self) -> None:
        """Stop making."""
        self._now = None
        if self._next is not None:
            self._next.cancel()

    def _begin(self, number: int) -> asyncio.Future[Recording]:
        return asyncio.get_running_loop().run_in_executor(None, self._make, number)

    async def _turn_to(self, timeout_s: float) -> Recording:
        """Take the piece that was made meanwhile, and have the next one made."""
        if self._next is None:
            self._next = self._begin(self._number)
        recording = await self._next
        self._number += 1
        last = self._pieces is not None and self._number >= self._pieces
        self._next = None if last else self._begin(self._number)
        self._now = Replay(recording, speed=self._speed, chunk_ms=self._chunk_ms)
        self._length = recording.n_samples
        await self._now.open(timeout_s=timeout_s)
        return recording
