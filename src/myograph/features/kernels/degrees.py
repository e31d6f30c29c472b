"""Degrees to which templates match, compiled: an exponential for every pair."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.exponential import exponentials
from myograph.features.kernels.matches import from_first, limit_of
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["match_degrees"]

_F = {"nogil": True, "fastmath": {"reassoc", "nsz"}}

Values = NDArray[np.float64]


def match_degrees(
    windows: Rows, *, m: int, tolerances: Values, r: float, margin: float, power: float
) -> Values:
    """Sum exp(-(d/r)^power) over all pairs of templates, each about its own mean.

    Parameters
    ----------
    windows, m, tolerances, r, margin
        As for `match_counts`.
    power : float

    Returns
    -------
    ndarray, shape (2, n_windows, n_channels)
        Of length m, and of length m + 1.
    """
    out = np.empty((2, *windows[1][:2]))
    _degrees(*windows, m, np.asarray(tolerances, dtype=np.float64), r, margin, power, out)
    return out


@njit(nogil=True)
def _templates(x, length, per_limit, rows):  # type: ignore[no-untyped-def]  # compiled, as all
    """Lay the templates out, one place of them to a row, about their means, in tolerances."""
    for i in range(rows.shape[1]):
        mean = 0.0
        for q in range(length):
            mean += x[i + q]
        mean /= length
        for q in range(length):
            rows[q, i] = (x[i + q] - mean) * per_limit


@njit(nogil=True)
def _distances(rows, length, lag, d):  # type: ignore[no-untyped-def]
    first, later = rows[0], rows[0, lag:]
    for i in range(len(d)):
        d[i] = abs(later[i] - first[i])
    for q in range(1, length):
        first, later = rows[q], rows[q, lag:]
        for i in range(len(d)):
            d[i] = max(d[i], abs(later[i] - first[i]))


@njit(nogil=True)
def _raise(d, power):  # type: ignore[no-untyped-def]
    if power == 2.0:
        for i in range(len(d)):
            d[i] = d[i] * d[i]
    elif power != 1.0:
        for i in range(len(d)):
            d[i] = d[i] ** power


@njit(**_F)
def _add(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


@kernel(
    MEMORY, SHAPE, types.int64, types.float64[::1], types.float64, types.float64, types.float64,
    types.float64[:, :, ::1],
)  # fmt: skip
def _degrees(memory, shape, m, tolerances, r, margin, power, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    x, rows, d = np.empty(n), np.empty((m + 1, n - m)), np.empty(n - m)
    for w in range(shape[0]):
        for c in range(shape[1]):
            from_first(row(memory, shape, w, c), x)
            limit = limit_of(x, tolerances[c], r, margin)
            for k in range(2):
                _templates(x, m + k, 1.0 / limit if limit > 0 else 0.0, rows)
                total = 0.0
                for lag in range(1, n - m):
                    pairs = d[: n - m - lag]
                    _distances(rows, m + k, lag, pairs)
                    _raise(pairs, power)
                    exponentials(pairs)
                    total += _add(pairs)
                out[k, w, c] = total
