"""Mailbox: between whoever delivers samples (a thread, a callback) and the one who reads them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from myograph.core.errors import DataError
from myograph.stream.source import Chunk, SourceLostError, now

__all__ = ["Mailbox"]


class Mailbox:
    """A short queue of chunks; when it is full the oldest goes, and is counted.

    Parameters
    ----------
    most : int
        Chunks that wait at most.
    deliver : callable, optional
        Is offered each chunk that nothing waits before or behind, and returns whether it took it:
        `Source.deliver`. What it takes never waits here.
    """

    def __init__(self, *, most: int = 1024, deliver: Callable[[Chunk], bool] | None = None) -> None:
        self._chunks: deque[Chunk] = deque(maxlen=most)
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._failure: DataError | None = None
        self._deliver = deliver
        self._sent = self._came = 0  # chunks from another thread, on both sides of the way
        self._heard_s = now()
        self.dropped = 0

    def put(self, chunk: Chunk, *, more: bool = False) -> None:
        """Deliver a chunk, from inside the event loop.

        Parameters
        ----------
        chunk : Chunk
        more : bool
            Whether newer ones are known to follow at once.
        """
        self._heard_s = now()
        alone = not more and not self._chunks
        if alone and self._deliver is not None and self._deliver(chunk):
            return
        if len(self._chunks) == self._chunks.maxlen:
            self.dropped += 1
        self._chunks.append(chunk)
        self._ready.set()

    def put_from_thread(self, chunk: Chunk) -> None:
        """Deliver a chunk from another thread."""
        self._sent += 1
        self._call(self._arrive, chunk)

    def _arrive(self, chunk: Chunk) -> None:
        self._came += 1
        self.put(chunk, more=self._came < self._sent)

    def end(self) -> None:
        """Say that nothing more will come."""
        self._ended = True
        self._ready.set()

    def fail(self, failure: DataError) -> None:
        """Say that the source is gone; what was delivered before is read first."""
        self._failure = failure
        self._ready.set()

    def fail_from_thread(self, failure: DataError) -> None:
        """Say the same from another thread."""
        self._call(self.fail, failure)

    def _call(self, function: object, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type]
        except RuntimeError:  # the loop was closed: nobody reads any more
            self.dropped += 1

    async def get(self, *, silence_s: float | None = None, name: str = "") -> Chunk | None:
        """Wait for the next chunk; None at the end.

        Raises
        ------
        SourceLostError
            If the source is gone, or says nothing for ``silence_s``.
        """
        begin_s, left_s = now(), silence_s
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return None
            self._ready.clear()
            if silence_s is not None:
                left_s = max(begin_s, self._heard_s) + silence_s - now()
                if left_s <= 0:
                    raise SourceLostError(f"{name} has said nothing for {silence_s:g} s.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._ready.wait()
        return self._chunks.popleft()
