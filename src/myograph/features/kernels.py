"""Fused passes, compiled: every time-domain feature of a window in one walk over its samples.

Each window is summed from its first sample to its last in float64, without reordering, so that a
window alone and in a batch, here and on another machine, give the same bits. Windows are read
where they lie: overlapping views are not copied.

Compiling takes seconds once; the result is kept beside this file or in the user's cache.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

__all__ = ["TIME_DOMAIN", "time_domain"]

#: Order of the columns that `time_domain` fills.
TIME_DOMAIN = ("mav", "iemg", "rms", "var", "wl", "zc", "ssc", "wamp")

# Any strides, read-only: one compiled form serves views and copies alike.
_WINDOWS = types.Array(types.float32, 3, "A", readonly=True)
_SIGNATURE = types.void(
    _WINDOWS, types.float64, types.float64, types.float64, types.float64[:, :, ::1]
)


def time_domain(
    windows: NDArray[np.float32], *, zc: float, ssc: float, wamp: float
) -> NDArray[np.float64]:
    """Measure all of `TIME_DOMAIN` in one pass.

    Parameters
    ----------
    windows : ndarray of float32, shape (n_windows, n_channels, n_samples >= 2)
    zc, ssc, wamp : float
        Thresholds of the three counts, in the unit of the channel.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, 8)
        Columns as in `TIME_DOMAIN`.
    """
    out = np.empty((*windows.shape[:2], len(TIME_DOMAIN)))
    _walk(windows, zc, ssc, wamp, out)
    return out


@njit(_SIGNATURE, cache=True, nogil=True)
def _walk(windows, zc, ssc, wamp, out):  # type: ignore[no-untyped-def]  # compiled: types above
    n_windows, n_channels, n_samples = windows.shape
    for w in range(n_windows):
        for c in range(n_channels):
            before = np.float64(windows[w, c, 0])
            size, power, length = abs(before), before * before, 0.0
            crossings, turns, jumps = 0, 0, 0
            last_step = 0.0
            for i in range(1, n_samples):
                x = np.float64(windows[w, c, i])
                step = x - before
                large = abs(step)
                size += abs(x)
                power += x * x
                length += large
                opposite = ((before > 0) & (x < 0)) | ((before < 0) & (x > 0))
                turned = ((last_step > 0) & (step < 0)) | ((last_step < 0) & (step > 0))
                crossings += opposite & (large >= zc)
                turns += turned & ((large >= ssc) | (abs(last_step) >= ssc))
                jumps += large > wamp
                before, last_step = x, step
            out[w, c, 0] = size / n_samples
            out[w, c, 1] = size
            out[w, c, 2] = math.sqrt(power / n_samples)
            out[w, c, 3] = power / (n_samples - 1)
            out[w, c, 4] = length
            out[w, c, 5] = crossings
            out[w, c, 6] = turns
            out[w, c, 7] = jumps
