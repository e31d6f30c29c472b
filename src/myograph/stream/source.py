"""Source: where samples come from. LSL, boards, files and simulators all look the same."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Layout
from myograph.stream.answer import Notice

__all__ = ["Chunk", "Source", "SourceLostError", "SourceMissingError", "now"]

#: The clock of arrivals and latencies, in seconds: it never jumps.
now = time.monotonic


class SourceMissingError(DataError):
    """A source never appeared; the message lists what was seen instead."""


class SourceLostError(DataError):
    """A source that was there is gone: unplugged, out of reach, closed."""


class Chunk(NamedTuple):
    """Samples that came together.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_channels, n_new)
        In each channel's unit; NaN where nothing was measured.
    times_s : ndarray of float64, shape (n_new,), or None
        When each sample was measured, on the source's clock; None when only the arrival is known.
    arrived_s : float
        When the newest sample reached this program, on the clock `now`.
    first : int
        Number of the first sample by the device's own counter, -1 when it does not count.
    """

    samples: NDArray[np.float32]
    times_s: NDArray[np.float64] | None
    arrived_s: float
    first: int = -1


class Source(ABC):
    """A stream of samples with a known layout.

    A source is opened, read until it has no more, and closed. It can be opened again after it was
    lost: `myograph.stream.link.Link` does so. Everything runs in one event loop; a source that has
    to wait for a driver waits in a thread of its own.

    Parameters
    ----------
    name : str
        As a person names it, for example ``"lsl:Forearm"``.
    """

    #: How samples are placed in time: ``counted`` by the device's counter, ``stamped`` by its
    #: clock, ``arrival`` by when they came.
    timing: Literal["counted", "stamped", "arrival"] = "arrival"
    #: A deviation in time beyond this is lost samples, not jitter.
    tolerance_s: float = 0.2
    #: True when the source waits for its reader (a file): nothing is ever dropped.
    patient: bool = False
    #: Set by whoever reads the source. A source that is called with samples, inside the event loop,
    #: offers them here first; what is not taken at once (False) it keeps for `read`.
    deliver: Callable[[Chunk], bool] | None = None
    #: Set by whoever reads the source: is told what happens inside it, to one of several sources.
    tell: Callable[[Notice], None] | None = None
    #: What the word before the colon is on the command line.
    scheme: ClassVar[str] = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    async def open(self, *, timeout_s: float) -> Layout:
        """Connect and return what comes: rate, channels, units.

        Raises
        ------
        SourceMissingError
            If it does not appear in time, with the list of what was seen.
        """

    @abstractmethod
    async def read(self) -> Chunk | None:
        """Wait for the next samples; None when the stream has ended and will not go on.

        Raises
        ------
        SourceLostError
            If the device is gone.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of the device; may be called twice."""
