"""A stream as windows: its newest samples, cut where they complete one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import LayoutError

__all__ = ["SlidingWindows"]

_SIZE = 4  # bytes of a sample


class SlidingWindows:
    """Cuts a stream into windows of ``length`` samples whose starts are ``step`` apart.

    Parameters
    ----------
    n_channels : int
        Of the chunks.
    length, step : int
        In samples.
    inputs : sequence of int, optional
        Which channels the windows have; all of them when left out.

    Attributes
    ----------
    count : int
        How many windows the samples that came last completed.
    memory : ndarray of float32, one-dimensional, read-only
        What these windows are views of, from their first sample on.
    per_channel : int
        Samples from one channel to the next in it.
    stop_sample : int
        How many samples of the stream had passed when the first of them was complete.

    Examples
    --------
    >>> sliding = SlidingWindows(1, length=4, step=2)
    >>> windows, stop_sample = sliding.push(np.arange(7, dtype=np.float32)[None])
    >>> windows[:, 0].tolist(), stop_sample.tolist()
    ([[0.0, 1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 5.0]], [4, 6])
    """

    __slots__ = (
        "_buffer", "_first", "_flat", "_inputs", "_length", "_n_channels", "_seen", "_step",
        "_stop", "count", "memory", "per_channel", "stop_sample",
    )  # fmt: skip

    def __init__(
        self, n_channels: int, *, length: int, step: int, inputs: Sequence[int] | None = None
    ) -> None:
        every = list(range(n_channels))
        self._n_channels = n_channels
        self._inputs = None if inputs is None or list(inputs) == every else list(inputs)
        self._length, self._step = length, step
        n_rows = n_channels if self._inputs is None else len(self._inputs)
        # Room for several hops: windows are views of it, so that nothing in it is written twice.
        self._set(np.empty((n_rows, 4 * (length + step)), dtype=np.float32))
        self.memory, self.count, self.stop_sample = self._flat, 0, length
        self._first = 0  # of the next window, in the buffer; beyond the end when hops leave holes
        self._stop = 0
        self._seen = 0

    def push(self, chunk: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Take the newest samples and return the windows that they complete.

        Parameters
        ----------
        chunk : ndarray, shape (n_channels, n_new)
            ``n_new`` may be 0.

        Returns
        -------
        values : ndarray of float32, shape (n_windows, n_inputs, length)
            Oldest first, a read-only view.
        stop_sample : ndarray of int64, shape (n_windows,)
            How many samples of the stream had passed when each window was complete.

        Raises
        ------
        LayoutError
            If the chunk has another number of channels.
        """
        self.take(chunk)
        return self.windows(), self.stops()

    def take(self, chunk: NDArray[np.float32]) -> int:
        """Take the newest samples and return how many windows they complete; see `push`."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        self._append(chunk if self._inputs is None else chunk[self._inputs])
        count = max((self._stop - self._first - self._length) // self._step + 1, 0)
        self.memory = self._flat[self._first :] if count else self._flat
        self.stop_sample = self._seen - self._stop + self._first + self._length
        self._first += count * self._step
        self.count = count
        return count

    def windows(self) -> NDArray[np.float32]:
        """Return the windows that were completed last, as a read-only view."""
        n_rows, per_channel = self._buffer.shape
        return np.ndarray(
            (self.count, n_rows, self._length),
            np.float32,
            self.memory,
            strides=(self._step * _SIZE, per_channel * _SIZE, _SIZE),
        )

    def stops(self) -> NDArray[np.int64]:
        """Return `stop_sample` of each of these windows."""
        stop, step = self.stop_sample, self._step
        return np.arange(stop, stop + self.count * step, step, dtype=np.int64)

    def _append(self, chunk: NDArray[np.float32]) -> None:
        n_new = chunk.shape[1]
        self._seen += n_new
        if self._stop + n_new > self._buffer.shape[1]:
            kept = self._buffer[:, min(self._first, self._stop) : self._stop]
            room = max(self._buffer.shape[1], kept.shape[1] + n_new)
            buffer = np.empty((len(self._buffer), room), dtype=np.float32)
            buffer[:, : kept.shape[1]] = kept
            self._first -= min(self._first, self._stop)
            self._stop = kept.shape[1]
            self._set(buffer)
        self._buffer[:, self._stop : self._stop + n_new] = chunk
        self._stop += n_new

    def _set(self, buffer: NDArray[np.float32]) -> None:
        self._buffer, self.per_channel = buffer, buffer.shape[1]
        flat = buffer.reshape(-1)
        flat.flags.writeable = False
        self._flat = flat
