"""Generated: the simulator as a source, piece after piece, without an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from myograph.core.checks import check_count, unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.datasets.folder import open_folder
from myograph.datasets.simulated import COHORT, SimulatedCohort, simulate
from myograph.stream.replay import Replay
from myograph.stream.source import Chunk, Source
from myograph.twin.cohort import Scene, sitting
from myograph.twin.cohorts import COHORTS
from myograph.twin.cohorts.fitted import fitted_sitting
from myograph.twin.posterior import PatientTwin

__all__ = ["Generated", "fitted_twin", "kept_person", "simulated_body", "simulated_person"]


def simulated_body(kind: str, number: int, **scene: Any) -> Callable[[int], Recording]:
    """Return what makes recordings of a person with a whole simulated body, one after the other.

    Parameters
    ----------
    kind : str
        Of cohort: ``"gestures"``, ``"fatigue"``, ``"progression"``, ``"rehab"``, ``"needle"``; see
        ``myograph simulate kinds``.
    number : int
        Of the person, from 1.
    **scene
        Fields of `myograph.twin.cohort.Scene`: ``condition``, ``seconds``, ``seed``, ``fs_hz``.
        The recordings are those that the cohort would hold, in turn.

    Raises
    ------
    ParameterError
        If the kind or a field is unknown, or a value breaks its rule.
    """
    check_count(number, name="number")
    cohort = COHORTS[kind]
    record = sitting(cohort, Scene(people=number, **scene), number - 1)
    takes = cohort.takes

    def make(piece: int) -> Recording:
        return record(piece % takes + 1).recording

    return make


def kept_person(folder: str | PathLike[str], person: str = "") -> Callable[[int], Recording]:
    """Return what gives the recordings of one person of a simulated cohort that was written.

    Parameters
    ----------
    folder : path
        As ``myograph simulate cohort`` writes it.
    person : str
        Pseudonym; the first one when not given.

    Raises
    ------
    FormatError
        If the folder is no cohort.
    ParameterError
        If it has no such person.
    """
    dataset = open_folder(folder)
    people = [subject.pseudonym for subject in dataset.subjects]
    name = person or people[0]
    if name not in people:
        raise ParameterError(unknown_name(name, people, what=f"person of {folder}"))
    own = dataset.of([name]).recordings

    def make(piece: int) -> Recording:
        return own[piece % len(own)]

    return make


def fitted_twin(
    path: str | PathLike[str], *, seconds: float = 20.0, seed: int = 0
) -> Callable[[int], Recording]:
    """Return what makes recordings of a stand-in for a twin that ``myograph twin fit`` wrote.

    See `myograph.twin.cohorts.fitted` for what is the twin's and what is not.

    Raises
    ------
    ArtifactError
        If the file is no twin.
    DataError
        If it cannot be read.
    """
    try:
        said = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as a twin: {error}.") from error
    try:
        twin = PatientTwin.from_dict(said)
    except ArtifactError as error:
        raise ArtifactError(f"{path}: {error}") from error
    record = fitted_sitting(twin, seconds=seconds, seed=seed)
    return lambda piece: record(piece + 1).recording


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
