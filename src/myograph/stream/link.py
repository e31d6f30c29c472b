"""Link: a source that is kept alive, its samples placed in time, waiting in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import Layout
from myograph.stream.answer import Notice
from myograph.stream.clock import Timeline
from myograph.stream.source import (
    Chunk,
    Source,
    SourceLostError,
    SourceMissingError,
    now,
)

__all__ = ["Link", "Patience", "Stretch"]

# Notices beyond so many waiting items are not kept.
_MOST_ITEMS = 10_000


class Stretch(NamedTuple):
    """Samples with their place on the grid of the stream.

    Parameters
    ----------
    first : int
        Number of the first sample.
    samples : ndarray of float32, shape (n_channels, n_new)
        NaN where a channel was not measured.
    arrived_s : float
    """

    first: int
    samples: NDArray[np.float32]
    arrived_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a link waits, and for what.

    Parameters
    ----------
    open_s : float
        For a source to appear at first.
    backoff_s, longest_backoff_s : float
        Before the first attempt to find a lost source again; doubled after each, up to the longest.
    give_up_s : float, optional
        A source that stays lost so long ends the stream; never, when not given.
    waiting_s : float
        Signal that may wait to be worked on; when more does, the oldest is dropped and counted.
    """

    open_s: float = 10.0
    backoff_s: float = 0.25
    longest_backoff_s: float = 5.0
    give_up_s: float | None = None
    waiting_s: float = 5.0

    def __post_init__(self) -> None:
        for name in ("open_s", "backoff_s", "longest_backoff_s", "waiting_s"):
            check_positive(getattr(self, name), name=name)
        if self.give_up_s is not None:
            check_positive(self.give_up_s, name="give_up_s")


class Link:
    """Reads a source, finds it again when it is lost, and places what comes.

    Parameters
    ----------
    source : Source
    patience : Patience, optional
    """

    def __init__(self, source: Source, *, patience: Patience | None = None) -> None:
        self.source = source
        self._patience = patience or Patience()
        self._queue: deque[Stretch | Notice] = deque()
        self._waiting = 0  # samples
        self._most = 1
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._task: asyncio.Task[None] | None = None
        self._now: Callable[[Stretch], None] | None = None
        self._idle = False  # the reader waits, and nothing is there
        self._failure: BaseException | None = None
        self._layout: Layout | None = None
        self._timeline: Timeline | None = None
        self.ended = False
        self.connected = False
        #: Samples that were dropped because they had waited too long.
        self.overrun = 0

    @property
    def timeline(self) -> Timeline:
        """Where the samples lie; there is one once the source is open."""
        if self._timeline is None:
            raise DataError(f"Source {self.source.name!r} is not open yet.")
        return self._timeline

    @property
    def backlog(self) -> bool:
        """Whether something waits."""
        return bool(self._queue)

    @property
    def waiting_s(self) -> float:
        """How much signal waits."""
        return self._waiting / self._layout.fs_hz if self._layout else 0.0

    async def open(self, *, within_s: float | None = None) -> Layout:
        """Open the source and begin to read it.

        Parameters
        ----------
        within_s : float, optional
            Instead of the patience's ``open_s``.

        Raises
        ------
        SourceMissingError
            If it does not appear in time.
        """
        self.source.deliver, self.source.tell = self._deliver, self._hear
        layout = await self.source.open(timeout_s=within_s or self._patience.open_s)
        self._layout = layout
        self._most = max(1, round(self._patience.waiting_s * layout.fs_hz))
        self._timeline = Timeline(
            fs_hz=layout.fs_hz,
            timing=self.source.timing,
            tolerance_s=self.source.tolerance_s,
        )
        self.connected = True
        return layout

    def start(self, at_once: Callable[[Stretch], None] | None = None) -> None:
        """Begin to read what was opened.

        Parameters
        ----------
        at_once : callable, optional
            Takes what comes while the reader waits in `get` and nothing else does, in the very
            callback that brought it. What it raises, `get` raises.
        """
        self._now = at_once
        self._task = asyncio.create_task(self._run(), name=f"reads {self.source.name}")

    async def get(self, *, timeout_s: float | None = None) -> Stretch | Notice | None:
        """Return what waits longest; None when nothing came in time, or the stream has ended."""
        if not self._queue:
            if self.ended:
                self._raise_failure()
                return None
            self._ready.clear()
            self._idle = True
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return None
            finally:
                self._idle = False
            if not self._queue:
                self._raise_failure()
                return None
        item = self._queue.popleft()
        if isinstance(item, Stretch):
            self._waiting -= item.samples.shape[1]
            if self._waiting < self._most:
                self._room.set()
        return item

    def wake(self) -> None:
        """Let `get` return at once."""
        self._ready.set()

    async def close(self) -> None:
        """Stop reading and let go of the source."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.source.close()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            error = task.exception()
            if error is not None:
                raise error

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._read_on()
                    self._tell("ended", f"{self.source.name} has ended.")
                    return
                except SourceLostError as error:
                    self.connected = False
                    self._tell("lost", f"{error} Looking for it again.")
                if not await self._again():
                    return
        finally:
            self.ended = True
            self.connected = False
            self._ready.set()

    async def _read_on(self) -> None:
        while True:
            chunk = await self.source.read()
            if chunk is None:
                return
            # What never drops anything need not know what waits behind.
            if self.source.patient and self._deliver(chunk):
                continue
            self._take(chunk)
            if self.source.patient and not self._room.is_set():
                await self._room.wait()

    async def _again(self) -> bool:
        """Find the source again; False when it is given up."""
        begin, backoff_s = now(), self._patience.backoff_s
        await self.source.close()
        while True:
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, self._patience.longest_backoff_s)
            try:
                layout = await self.source.open(timeout_s=self._patience.longest_backoff_s)
            except (SourceMissingError, SourceLostError, OSError):
                gone_s = now() - begin
                if self._patience.give_up_s is not None and gone_s > self._patience.give_up_s:
                    self._tell("ended", f"{self.source.name} stayed away for {gone_s:.0f} s.")
                    return False
                continue
            wrong = layout.differences(self._layout) if self._layout else ()
            if wrong:
                await self.source.close()
                raise LayoutError(
                    f"{self.source.name} came back as another source. " + " ".join(wrong)
                )
            self.connected = True
            self.timeline.resume()
            self._tell(
                "reconnected",
                f"{self.source.name} is back after {now() - begin:.1f} s.",
                duration_s=now() - begin,
            )
            return True

    def _deliver(self, chunk: Chunk) -> bool:
        """Hand a chunk over at once, if whoever reads waits for it."""
        if not self._idle or self._queue or self._now is None or self._failure is not None:
            return False
        stretch = self._placed(chunk)
        if stretch is None:
            return True
        if self._queue:  # something has to be told first
            self._keep(stretch)
            return True
        try:
            self._now(stretch)
        except BaseException as error:  # noqa: BLE001 - `get` raises it, where somebody waits
            self._failure = error
            self._ready.set()
        return True

    def _take(self, chunk: Chunk) -> None:
        stretch = self._placed(chunk)
        if stretch is not None:
            self._keep(stretch)

    def _placed(self, chunk: Chunk) -> Stretch | None:
        """Return the new samples of a chunk with their place; None when none are new."""
        if not chunk.samples.shape[1]:
            return None
        place = self.timeline.place(chunk)
        if place.skip:
            self._tell_again(place.skip, place.late)
        samples = chunk.samples[:, place.skip :] if place.skip else chunk.samples
        if not samples.shape[1]:
            return None
        return Stretch(place.first, samples, chunk.arrived_s)

    def _keep(self, stretch: Stretch) -> None:
        if self._waiting >= self._most:
            self._room.clear()
            if not self.source.patient:
                self._drop_oldest()
        self._queue.append(stretch)
        self._waiting += stretch.samples.shape[1]
        self._ready.set()

    def _drop_oldest(self) -> None:
        """Forget the oldest stretch that waits; the engine sees a gap in its place."""
        for number, item in enumerate(self._queue):
            if isinstance(item, Stretch):
                del self._queue[number]
                size = item.samples.shape[1]
                self._waiting -= size
                self.overrun += size
                return

    def _tell_again(self, skip: int, late: int) -> None:
        if late:
            self._tell("late", f"{late} samples came after they were given up.", samples=late)
        if skip > late:
            text = f"{skip - late} samples came twice; they count once."
            self._tell("duplicate", text, samples=skip - late)

    def _tell(self, kind: str, text: str, *, duration_s: float = 0.0, samples: int = 0) -> None:
        layout = self._layout
        time_s = self.timeline.next / layout.fs_hz if layout else 0.0
        self._hear(Notice(kind, time_s, text, duration_s, samples))

    def _hear(self, notice: Notice) -> None:
        if len(self._queue) > _MOST_ITEMS:  # nobody listens: the counts of the timeline remain
            return
        self._queue.append(notice)
        self._ready.set()
