"""Ring: the newest samples of a stream in memory that never grows and is never moved."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError

__all__ = ["Ring"]


class Ring:
    """The newest samples of each channel.

    Every sample is written twice, one ring length apart, so that any stretch of the newest
    ``capacity`` samples is one contiguous view.

    Parameters
    ----------
    n_channels : int
    capacity : int
        Samples per channel that are kept.

    Examples
    --------
    >>> ring = Ring(1, 4)
    >>> ring.write(np.arange(6, dtype=np.float32)[None, :4])
    >>> ring.write(np.arange(6, dtype=np.float32)[None, 4:])
    >>> ring.newest(3).tolist()
    [[3.0, 4.0, 5.0]]
    """

    __slots__ = ("_buffer", "_flat", "_place", "capacity", "memory", "n_channels", "written")

    def __init__(self, n_channels: int, capacity: int) -> None:
        self.n_channels = check_count(n_channels, name="n_channels")
        self.capacity = check_count(capacity, name="capacity")
        self._buffer = np.zeros((n_channels, 2 * capacity), dtype=np.float32)
        self._flat = self._buffer.reshape(-1)
        #: Where the windows that were viewed last lie: memory from their first sample on.
        self.memory = self._flat
        self._place = 0  # where the next sample goes, in the first half
        #: Samples written since the start.
        self.written = 0

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append samples (n_channels, n_new), at most ``capacity`` of them; the oldest go."""
        n_new = samples.shape[1]
        if n_new > self.capacity:
            raise ParameterError(
                f"A ring of {self.capacity} samples cannot take {n_new} at once; write fewer."
            )
        size, place = self.capacity, self._place
        head = min(n_new, size - place)
        for start in (place, place + size):
            self._buffer[:, start : start + head] = samples[:, :head]
        if head < n_new:
            for start in (0, size):
                self._buffer[:, start : start + n_new - head] = samples[:, head:]
        self._place = (place + n_new) % size
        self.written += n_new

    @property
    def per_channel(self) -> int:
        """Samples from one channel to the next in `memory`."""
        return 2 * self.capacity

    def newest(self, n_samples: int) -> NDArray[np.float32]:
        """View the newest samples, shape (n_channels, n_samples); valid until the next write."""
        stop = self._place + self.capacity
        return self._buffer[:, stop - n_samples : stop]

    def windows(self, stop: int, *, count: int, length: int, step: int) -> NDArray[np.float32]:
        """View ``count`` windows, shape (count, n_channels, length); valid until the next write.

        Parameters
        ----------
        stop : int
            Samples written when the last window was complete.
        count, length, step : int
        """
        back = self.written - stop
        end = self._place + self.capacity - back
        first = end - length - (count - 1) * step
        self.memory = self._flat[first:]
        if count == 1:
            return self._buffer[None, :, first : first + length]
        samples = self._buffer[:, first:]
        per_channel, size = samples.strides
        return as_strided(
            samples,
            (count, self.n_channels, length),
            (step * size, per_channel, size),
            writeable=False,
        )
