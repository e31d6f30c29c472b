"""Faults: a source that loses, delays, doubles and drifts, to see what the others make of it."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from dataclasses import dataclass

import numpy as np

from myograph.core.checks import check_non_negative
from myograph.core.errors import ParameterError
from myograph.core.layout import Layout
from myograph.stream.source import Chunk, Source, SourceLostError, SourceMissingError, now

__all__ = ["Faults", "Faulty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong.

    Parameters
    ----------
    loss, doubled : float
        Share of the chunks that are lost, and that come twice.
    jitter_s : float
        Chunks are late by up to this much, evenly spread, and may overtake each other only when
        ``reorder`` is set.
    reorder : bool
    outage_after_s, outage_s : float
        After so long the source is unplugged, and for so long it cannot be found.
    drift_ppm : float
        How much too slow its clock is.
    counter : bool
        Whether its samples stay numbered.
    seed : int
    """

    loss: float = 0.0
    doubled: float = 0.0
    jitter_s: float = 0.0
    reorder: bool = False
    outage_after_s: float = 0.0
    outage_s: float = 0.0
    drift_ppm: float = 0.0
    counter: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("loss", "doubled"):
            if check_non_negative(getattr(self, name), name=name) > 1:
                raise ParameterError(f"{name} is a share, at most 1; got {getattr(self, name)!r}.")
        for name in ("jitter_s", "outage_after_s", "outage_s"):
            check_non_negative(getattr(self, name), name=name)


class Faulty(Source):
    """Another source, with faults.

    Parameters
    ----------
    source : Source
    faults : Faults
    """

    def __init__(self, source: Source, faults: Faults) -> None:
        super().__init__(source.name)
        self._source, self._faults = source, faults
        self.timing = source.timing if faults.counter else "arrival"
        self._rng = np.random.default_rng(faults.seed)
        self._held: list[tuple[float, int, Chunk]] = []
        self._serial = 0
        self._begin_s = 0.0
        self._latest_s = 0.0
        self._unplugged_s: float | None = None
        self._pump: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._layout: Layout | None = None
        self._over = False
        #: Chunks that were lost on purpose, by chance and during the outage.
        self.lost = 0

    @property
    def _away(self) -> bool:
        """Whether the source is unplugged now."""
        since_s = self._unplugged_s
        return since_s is not None and now() - since_s < self._faults.outage_s

    async def open(self, *, timeout_s: float) -> Layout:
        """Open the other source, unless it is unplugged."""
        if self._away:
            await asyncio.sleep(min(timeout_s, 0.05))
            raise SourceMissingError(f"{self.name} is unplugged.")
        if self._layout is None:
            self._layout = await self._source.open(timeout_s=timeout_s)
            self._begin_s = now()
            self._pump = asyncio.create_task(self._fetch(), name=f"pumps {self.name}")
        return self._layout

    async def read(self) -> Chunk | None:
        """Return what the other source gives, if it is not lost, when it is due."""
        while True:
            self._unplug()
            due_s = self._held[0][0] if self._held else None
            if due_s is not None and due_s <= now():
                chunk = heapq.heappop(self._held)[2]
                return chunk._replace(arrived_s=now())
            if self._over and not self._held:
                return None
            self._news.clear()
            wait_s = None if due_s is None else max(due_s - now(), 0.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()

    async def close(self) -> None:
        """Close the other source; during an outage it goes on, and nobody hears it."""
        if self._away:
            return
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        await self._source.close()

    async def _fetch(self) -> None:
        while (chunk := await self._source.read()) is not None:
            if self._away or self._rng.random() < self._faults.loss:
                self.lost += 1
                self._held = [] if self._away else self._held
            else:
                self._treat(chunk)
            self._news.set()
        self._over = True
        self._news.set()

    def _unplug(self) -> None:
        faults = self._faults
        if (
            faults.outage_s > 0
            and self._unplugged_s is None
            and now() - self._begin_s > faults.outage_after_s
        ):
            self._unplugged_s = now()
            raise SourceLostError(f"{self.name} was unplugged.")

    def _treat(self, chunk: Chunk) -> None:
        faults = self._faults
        copies = 2 if self._rng.random() < faults.doubled else 1
        first = chunk.first if faults.counter else -1
        for _ in range(copies):
            elapsed_s = chunk.arrived_s - self._begin_s
            due_s = chunk.arrived_s + elapsed_s * faults.drift_ppm * 1e-6
            due_s += self._rng.random() * faults.jitter_s
            if not faults.reorder:
                due_s = max(due_s, self._latest_s)
            self._latest_s = due_s
            self._serial += 1
            entry = (due_s, self._serial, chunk._replace(first=first))
            heapq.heappush(self._held, entry)
