"""Replay: a recording as a stream, at its true speed, at another, or as fast as it can be taken."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.layout import Layout
from myograph.core.recording import GAP, Recording
from myograph.stream.source import Chunk, Source, now

__all__ = ["Replay"]

# Samples come together that are measured within so long, on the clock of whoever waits for them;
# and never more signal than this.
_TOGETHER_MS, _MOST_TOGETHER_MS = 20.0, 500.0


class Replay(Source):
    """Gives the samples of a recording as if they were measured now.

    Stretches under gap events are left out, so that they are gaps again.

    Parameters
    ----------
    recording : Recording
    speed : float
        1 is true time, 50 fifty times faster; infinity waits for nobody but the reader.
    chunk_ms : float, optional
        Signal that comes together: by default what is due within 20 ms, up to 500 ms of it, so
        that a quick replay need not ask for every hop by itself.
    sizes : sequence of int, optional
        Sizes of the chunks instead, in samples, taken in turn.
    loops : int
        How often the recording is given.

    Examples
    --------
    >>> from myograph.core.layout import Channel
    >>> layout = Layout(100.0, (Channel("TA", kind="semg"),))
    >>> source = Replay(Recording(np.ones((1, 50)), layout), speed=math.inf, chunk_ms=200)
    >>> asyncio.run(source.open(timeout_s=1.0)) == layout
    True
    >>> asyncio.run(source.read()).samples.shape
    (1, 20)
    """

    timing = "counted"
    patient = True
    scheme = "replay"

    def __init__(
        self,
        recording: Recording,
        *,
        speed: float = 1.0,
        chunk_ms: float | None = None,
        sizes: Sequence[int] = (),
        loops: int = 1,
    ) -> None:
        super().__init__("replay")
        if not math.isinf(speed):
            check_positive(speed, name="speed")
        if chunk_ms is None:
            chunk_ms = min(_TOGETHER_MS * max(speed, 1.0), _MOST_TOGETHER_MS)
        check_positive(chunk_ms, name="chunk_ms")
        self._recording = recording
        self._speed = speed
        self._sizes = [check_count(size, name="sizes", least=0) for size in sizes] or [
            max(1, round(chunk_ms * recording.fs_hz / 1000))
        ]
        self._loops = check_count(loops, name="loops")
        self._missing = _missing(recording)
        self._gaps = bool(self._missing.any())
        self._place = self._turn = self._round = 0
        self._begin_s = 0.0
        # At a finite speed the clock drives: what is not taken in time is late.
        self.patient = math.isinf(speed) or speed != 1.0

    async def open(self, *, timeout_s: float) -> Layout:
        """Return the recording's layout; nothing has to be waited for."""
        del timeout_s
        self._begin_s = now() - self._given / self._recording.fs_hz / self._speed
        return self._recording.layout

    @property
    def _given(self) -> int:
        return self._round * self._recording.n_samples + self._place

    async def read(self) -> Chunk | None:
        """Return the next samples when their time has come."""
        while True:
            if self._place >= self._recording.n_samples:
                self._round += 1
                if self._round >= self._loops:
                    return None
                self._place = 0
            size = self._sizes[self._turn % len(self._sizes)]
            self._turn += 1
            if size == 0:
                continue
            first, number = self._place, self._given
            stop = min(first + size, self._recording.n_samples)
            self._place = stop
            await self._wait()
            missing = self._missing[first:stop]
            if self._gaps:
                self._place = first + _run(missing)
                if missing[0]:
                    continue
            return Chunk(self._recording.samples[:, first : self._place], None, now(), number)

    async def close(self) -> None:
        """Nothing is held."""

    async def _wait(self) -> None:
        if math.isinf(self._speed):
            await asyncio.sleep(0)
            return
        due_s = self._begin_s + self._given / self._recording.fs_hz / self._speed
        # A wait of 0 still lets the others have their turn.
        await asyncio.sleep(max(0.0, due_s - now()))


def _run(missing: NDArray[np.bool_]) -> int:
    """Return how many samples are like the first one."""
    other = np.flatnonzero(missing != missing[0])
    return int(other[0]) if other.size else len(missing)


def _missing(recording: Recording) -> NDArray[np.bool_]:
    missing = np.zeros(recording.n_samples, dtype=np.bool_)
    for event in recording.events:
        if event.label == GAP:
            first = math.floor((event.onset_s - recording.start_s) * recording.fs_hz + 1e-6)
            stop = math.ceil((event.end_s - recording.start_s) * recording.fs_hz - 1e-6)
            missing[max(first, 0) : stop] = True
    return missing
