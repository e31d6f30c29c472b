"""Turns of the needle interference pattern, compiled: extremes that tower above a threshold."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["find_turns"]


def find_turns(
    windows: Rows, thresholds: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the turns of every window.

    Parameters
    ----------
    windows : Rows
    thresholds : ndarray, shape (n_channels,)

    Returns
    -------
    places : ndarray of int64, shape (n_windows, n_channels, n_samples)
        Sample numbers of the turns, oldest first; the rest is not set.
    counts : ndarray of int64, shape (n_windows, n_channels)
        How many there are.
    """
    n_windows, n_channels, n = windows[1][:3].tolist()
    places = np.empty((n_windows, n_channels, n), dtype=np.int64)
    counts = np.empty((n_windows, n_channels), dtype=np.int64)
    _find(*windows, thresholds, places, counts)
    return places, counts


@njit(nogil=True)
def _turns(x, threshold, places):  # type: ignore[no-untyped-def]  # compiled
    low, high, direction, count = 0, 0, 0, 0
    for i in range(len(x)):
        here = np.float64(x[i])
        if x[i] < x[low]:
            low = i
        if x[i] > x[high]:
            high = i
        if direction >= 0 and i > high and x[high] - here >= threshold:
            if direction > 0:  # the signal rose to it by as much before
                places[count] = high
                count += 1
            direction, low = -1, i
        elif direction <= 0 and i > low and here - x[low] >= threshold:
            if direction < 0:
                places[count] = low
                count += 1
            direction, high = 1, i
    return count


@kernel(MEMORY, SHAPE, types.float64[::1], types.int64[:, :, ::1], types.int64[:, ::1])
def _find(memory, shape, thresholds, places, counts):  # type: ignore[no-untyped-def]
    for w in range(shape[0]):
        for c in range(shape[1]):
            counts[w, c] = _turns(row(memory, shape, w, c), thresholds[c], places[w, c])
