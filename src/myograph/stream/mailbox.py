"""Mailbox: between whoever delivers samples (a thread, a callback) and the one who reads them."""

from __future__ import annotations

import asyncio
from collections import deque

from myograph.core.errors import DataError
from myograph.stream.source import Chunk, SourceLostError

__all__ = ["Mailbox"]


class Mailbox:
    """A short queue of chunks; when it is full the oldest goes, and is counted.

    Parameters
    ----------
    most : int
        Chunks that wait at most.
    """

    def __init__(self, *, most: int = 1024) -> None:
        self._chunks: deque[Chunk] = deque(maxlen=most)
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._failure: DataError | None = None
        self.dropped = 0

    def put(self, chunk: Chunk) -> None:
        """Deliver a chunk, from inside the event loop."""
        if len(self._chunks) == self._chunks.maxlen:
            self.dropped += 1
        self._chunks.append(chunk)
        self._ready.set()

    def put_from_thread(self, chunk: Chunk) -> None:
        """Deliver a chunk from another thread."""
        self._call(self.put, chunk)

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
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return None
            self._ready.clear()
            try:
                async with asyncio.timeout(silence_s):
                    await self._ready.wait()
            except TimeoutError:
                raise SourceLostError(f"{name} has said nothing for {silence_s:g} s.") from None
        return self._chunks.popleft()
