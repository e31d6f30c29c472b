"""Measures of a window about its own mean, compiled: what running sums would lose to rounding."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["MOMENTS", "histograms", "moments", "weighted_sizes"]

#: Columns of `moments`, each a mean over the window: powers of x - mean(x), the variances of the
#: first and the second difference; then the largest and the smallest sample.
MOMENTS = ("m2", "m3", "m4", "step-variance", "bend-variance", "largest", "smallest")

_F = {"nogil": True, "fastmath": {"reassoc", "nsz"}}


def moments(windows: Rows) -> dict[str, NDArray[np.float64]]:
    """Return `MOMENTS` of windows, each of shape (n_windows, n_channels)."""
    out = np.empty((len(MOMENTS), *windows[1][:2]))
    _moments(*windows, out)
    return dict(zip(MOMENTS, out, strict=True))


def weighted_sizes(windows: Rows, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of |x| times each row of ``weights``, (n_windows, n_channels, n_weights)."""
    out = np.empty((*windows[1][:2], len(weights)))
    _weighted_sizes(*windows, np.ascontiguousarray(weights, dtype=np.float64), out)
    return out


def histograms(windows: Rows, limits: NDArray[np.float64], n_bins: int) -> NDArray[np.float64]:
    """Return the shares of samples in equal bins from -limit to limit; the rest is in the outer.

    Parameters
    ----------
    windows : Rows
    limits : ndarray, shape (n_windows, n_channels)
        Where a limit is 0, every sample is in the middle bin.
    n_bins : int

    Returns
    -------
    ndarray, shape (n_windows, n_channels, n_bins)
    """
    out = np.zeros((*windows[1][:2], n_bins))
    _histograms(*windows, np.ascontiguousarray(limits), out)
    return out


@njit(**_F)
def _mean(x):  # type: ignore[no-untyped-def]  # compiled, as all below
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total / len(x)


@njit(**_F)
def _centred(x, mean):  # type: ignore[no-untyped-def]
    second, third, fourth = 0.0, 0.0, 0.0
    for i in range(len(x)):
        y = x[i] - mean
        square = y * y
        second += square
        third += square * y
        fourth += square * square
    return second / len(x), third / len(x), fourth / len(x)


@njit(**_F)
def _difference_variances(x):  # type: ignore[no-untyped-def]
    n = len(x)
    step, bend = 0.0, 0.0
    # The mean of a difference is known from the ends alone.
    mean_step = (x[n - 1] - x[0]) / (n - 1)
    for i in range(n - 1):
        d = x[i + 1] - x[i] - mean_step
        step += d * d
    if n < 3:
        return step / (n - 1), 0.0
    mean_bend = (x[n - 1] - x[n - 2] - (x[1] - x[0])) / (n - 2)
    for i in range(n - 2):
        e = (x[i + 2] - x[i + 1]) - (x[i + 1] - x[i]) - mean_bend
        bend += e * e
    return step / (n - 1), bend / (n - 2)


@njit(nogil=True, fastmath={"nnan", "nsz", "reassoc"})
def _ends(x):  # type: ignore[no-untyped-def]
    largest, smallest = x[0], x[0]
    for i in range(len(x)):
        largest = max(largest, x[i])
        smallest = min(smallest, x[i])
    return largest, smallest


@kernel(MEMORY, SHAPE, types.float64[:, :, ::1])
def _moments(memory, shape, out):  # type: ignore[no-untyped-def]
    n_windows, n_channels, n = shape[0], shape[1], shape[2]
    x = np.empty(n)
    for w in range(n_windows):
        for c in range(n_channels):
            window = row(memory, shape, w, c)
            origin = np.float64(window[0])  # so that a flat window becomes exactly 0
            for i in range(n):
                x[i] = np.float64(window[i]) - origin
            out[0, w, c], out[1, w, c], out[2, w, c] = _centred(x, _mean(x))
            out[3, w, c], out[4, w, c] = _difference_variances(x)
            largest, smallest = _ends(x)
            out[5, w, c], out[6, w, c] = largest + origin, smallest + origin


@njit(**_F)
def _dot_sizes(x, weights):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        total += abs(x[i]) * weights[i]
    return total


@kernel(MEMORY, SHAPE, types.float64[:, ::1], types.float64[:, :, ::1])
def _weighted_sizes(memory, shape, weights, out):  # type: ignore[no-untyped-def]
    x = np.empty(shape[2])
    for w in range(shape[0]):
        for c in range(shape[1]):
            window = row(memory, shape, w, c)
            for i in range(len(x)):
                x[i] = window[i]
            for k in range(weights.shape[0]):
                out[w, c, k] = _dot_sizes(x, weights[k])


@kernel(MEMORY, SHAPE, types.float64[:, ::1], types.float64[:, :, ::1])
def _histograms(memory, shape, limits, out):  # type: ignore[no-untyped-def]
    n_windows, n_channels, n = shape[0], shape[1], shape[2]
    n_bins = out.shape[2]
    for w in range(n_windows):
        for c in range(n_channels):
            limit, window = limits[w, c], row(memory, shape, w, c)
            for i in range(n):
                k = n_bins // 2
                if limit > 0:
                    place = (np.float64(window[i]) + limit) / (2 * limit) * n_bins
                    k = int(min(max(place, 0.0), n_bins - 1.0))
                out[w, c, k] += 1.0 / n
