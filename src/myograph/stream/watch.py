"""Watch: what is wrong with samples as they come, channel by channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Layout

__all__ = ["Watch", "hold"]


class Watch:
    """Tells when a channel stops varying, and when it varies again.

    Parameters
    ----------
    layout : Layout
    constant_s : float
        A channel that keeps one value for longer is constant.

    Examples
    --------
    >>> from myograph.core.layout import Channel
    >>> watch = Watch(Layout(100.0, (Channel("TA", kind="semg"),)), constant_s=0.05)
    >>> watch.look(np.zeros((1, 10), dtype=np.float32)), watch.constant.tolist()
    (True, [True])
    """

    def __init__(self, layout: Layout, *, constant_s: float) -> None:
        self._most = max(2, round(constant_s * layout.fs_hz))
        # Imported when used: the compiler takes longer to load than most commands take.
        from myograph.stream.hops import look

        self._look = look
        self._last = np.full(layout.n_channels, np.nan, dtype=np.float32)
        self._run = np.zeros(layout.n_channels, dtype=np.int64)
        self._found = np.zeros(2, dtype=np.int64)
        #: Which channels are constant now.
        self.constant = np.zeros(layout.n_channels, dtype=np.bool_)
        self.any_constant = False
        #: Whether all of the newest samples are numbers.
        self.finite = True

    def look(self, samples: NDArray[np.float32]) -> bool:
        """Take samples (n_channels, n_new); True when a channel became constant or varies again."""
        if samples.shape[1] == 0:
            return False
        self._look(samples, self._last, self._run, self._found)
        bad, longest = self._found.tolist()
        self.finite = not bad
        if longest < self._most and not self.any_constant:
            return False
        constant = self._run >= self._most
        if np.array_equal(constant, self.constant):
            return False
        self.constant = constant
        self.any_constant = bool(constant.any())
        return True


def hold(samples: NDArray[np.float32], last: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the samples with each non-finite one replaced by the last finite one of its channel.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_new)
    last : ndarray, shape (n_channels,)
        What to hold at the start.

    Examples
    --------
    >>> bad = np.array([[np.nan, 2.0, np.nan]], dtype=np.float32)
    >>> hold(bad, np.array([1.0], dtype=np.float32)).tolist()
    [[1.0, 2.0, 2.0]]
    """
    padded = np.concatenate([last[:, None], samples], axis=1)
    finite = np.isfinite(padded)
    finite[:, 0] = True
    place = np.maximum.accumulate(np.where(finite, np.arange(padded.shape[1]), 0), axis=1)
    return np.take_along_axis(padded, place, axis=1)[:, 1:].astype(np.float32)
