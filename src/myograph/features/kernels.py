"""Fused passes, compiled: every time-domain feature of a window while it is at hand.

Every sum runs in one fixed order in float64, without reordering, so that a window alone and in a
batch, here and on another machine, give the same bits. Windows are read where they lie:
overlapping views are not copied.

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


@njit(inline="always")
def _opposite(a, b):  # type: ignore[no-untyped-def]  # compiled, as all below: types come from above
    return ((a > 0) & (b < 0)) | ((a < 0) & (b > 0))


# One short loop per kind of result: the counts do not wait for the sums, and the processor takes
# several samples at once.
@njit(_SIGNATURE, cache=True, nogil=True)
def _walk(windows, zc, ssc, wamp, out):  # type: ignore[no-untyped-def]
    n_windows, n_channels, n = windows.shape
    x, steps = np.empty(n), np.empty(n - 1)
    for w in range(n_windows):
        for c in range(n_channels):
            for i in range(n):
                x[i] = windows[w, c, i]
            for i in range(n - 1):
                steps[i] = x[i + 1] - x[i]
            size, power, length = abs(x[n - 1]), x[n - 1] * x[n - 1], 0.0
            for i in range(n - 1):
                size += abs(x[i])
                power += x[i] * x[i]
                length += abs(steps[i])
            crossings, turns, jumps = 0, 0, 0
            for i in range(n - 1):
                crossings += _opposite(x[i], x[i + 1]) & (abs(steps[i]) >= zc)
                jumps += abs(steps[i]) > wamp
            for i in range(n - 2):
                large = (abs(steps[i]) >= ssc) | (abs(steps[i + 1]) >= ssc)
                turns += _opposite(steps[i], steps[i + 1]) & large
            out[w, c, 0] = size / n
            out[w, c, 1] = size
            out[w, c, 2] = math.sqrt(power / n)
            out[w, c, 3] = power / (n - 1)
            out[w, c, 4] = length
            out[w, c, 5] = crossings
            out[w, c, 6] = turns
            out[w, c, 7] = jumps
