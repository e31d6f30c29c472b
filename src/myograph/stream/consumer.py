"""Consumer: who is told what the engine decides. Any number of them listen to one engine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Layout
from myograph.stream.answer import Answer, Notice

__all__ = ["Callback", "Consumer", "Stage"]

#: Done to every answer before the consumers get it, in order: smoothing, rejection, control.
Stage = Callable[[Answer], Answer]


class Consumer:
    """Somebody who listens; subclasses override what they need.

    `take`, `hear` and `samples` are called in the event loop and must return at once: a consumer
    that sends over a network keeps a short queue of its own, drops the oldest when it is full and
    counts what it dropped in `dropped`.
    """

    #: What a person calls it, for example ``"udp:127.0.0.1:9000"``.
    name: str = ""
    #: Answers that this consumer could not pass on, and the reason when there is one to tell.
    dropped: int = 0
    trouble: str = ""

    async def start(self, layout: Layout, classes: tuple[str, ...]) -> None:
        """Get ready: the stream's layout and the classes of the decisions."""

    def take(self, answer: Answer) -> None:
        """Take one answer."""

    def hear(self, notice: Notice) -> None:
        """Take notice of something that happened to the stream."""

    def samples(self, first: int, samples: NDArray[np.float32]) -> None:
        """Take samples as they came, shape (n_channels, n_new).

        ``first`` is the number of the first of them on the stream's grid; numbers that are never
        given are a gap. NaN stands where a channel was not measured. The array must not be kept.
        """

    async def stop(self) -> None:
        """Finish what was begun; called once, also after an error."""


class Callback(Consumer):
    """Calls a function with every answer.

    Parameters
    ----------
    function : callable
        Takes an `Answer`.
    notices : callable, optional
        Takes a `Notice`.
    """

    def __init__(
        self,
        function: Callable[[Answer], object],
        *,
        notices: Callable[[Notice], object] | None = None,
    ) -> None:
        self._function, self._notices = function, notices

    def take(self, answer: Answer) -> None:
        """Call the function."""
        self._function(answer)

    def hear(self, notice: Notice) -> None:
        """Call the other function, if there is one."""
        if self._notices is not None:
            self._notices(notice)
