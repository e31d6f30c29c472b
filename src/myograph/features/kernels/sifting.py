"""Empirical mode decomposition of one signal, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel

__all__ = ["sift"]

# What is left counts as nothing below this share of the energy.
_NOTHING = 1e-12


def sift(
    x: NDArray[np.float64], modes: int, rounds: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Decompose signals into intrinsic modes.

    Parameters
    ----------
    x : ndarray, shape (n_signals, n_samples)
        Freed of their means.
    modes : int
        The most there may be of one signal.
    rounds : int
        How often each is sifted.

    Returns
    -------
    modes : ndarray, shape (n_signals, modes + 1, n_samples)
        From the fastest to the slowest; unused ones are 0. The last row is what is left, so that
        the rows add up to the signal.
    counts : ndarray, shape (n_signals,)
        How many modes each signal has.
    """
    out = np.zeros((len(x), modes + 1, x.shape[1]))
    counts = np.zeros(len(x), dtype=np.int64)
    _decompose(np.ascontiguousarray(x), rounds, out, counts)
    return out, counts


@njit(nogil=True)
def _extrema(x, sign, places):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Find maxima of sign * x strictly inside; the middle of a plateau stands for it."""
    n, count, rose = len(x), 0, -1
    for i in range(1, n):
        step = sign * (x[i] - x[i - 1])
        if step > 0.0:
            rose = i
        elif step < 0.0:
            if rose >= 0:
                places[count] = 0.5 * (rose + i - 1)
                count += 1
            rose = -1
    return count


@njit(nogil=True)
def _mirror(x, sign, places, count, n, t, y):  # type: ignore[no-untyped-def]
    """Lay out knots: the extrema, two more mirrored at the outermost ones of each end."""
    reflected = min(2, count)
    total = count + 2 * reflected
    for k in range(count):
        place = places[k]
        t[reflected + k] = place
        y[reflected + k] = x[int(place)]
    for k in range(reflected):
        # Mirrored at the ends of the signal, so that no envelope has to be guessed beyond them.
        t[reflected - 1 - k] = -places[k]
        y[reflected - 1 - k] = x[int(places[k])]
        other = places[count - 1 - k]
        t[reflected + count + k] = 2.0 * (n - 1) - other
        y[reflected + count + k] = x[int(other)]
    return total


@njit(nogil=True)
def _add_spline(t, y, m, scratch, share, out):  # type: ignore[no-untyped-def]
    """Add ``share`` times the natural cubic spline through m knots to ``out``."""
    bend, factor = scratch[0], scratch[1]
    bend[0] = factor[0] = 0.0
    for i in range(1, m - 1):
        before, after = t[i] - t[i - 1], t[i + 1] - t[i]
        right = 6.0 * ((y[i + 1] - y[i]) / after - (y[i] - y[i - 1]) / before)
        pivot = 2.0 * (before + after) - before * factor[i - 1]
        factor[i] = after / pivot
        bend[i] = (right - before * bend[i - 1]) / pivot
    bend[m - 1] = 0.0
    for i in range(m - 2, 0, -1):
        bend[i] -= factor[i] * bend[i + 1]
    first = 0
    for i in range(m - 1):
        stop = min(int(np.floor(t[i + 1])) + 1, len(out))
        h = t[i + 1] - t[i]
        slope = (y[i + 1] - y[i]) / h - h * (2.0 * bend[i] + bend[i + 1]) / 6.0
        half, sixth = 0.5 * bend[i], (bend[i + 1] - bend[i]) / (6.0 * h)
        for k in range(first, stop):
            u = k - t[i]
            out[k] += share * (y[i] + u * (slope + u * (half + u * sixth)))
        first = max(first, stop)


@njit(nogil=True)
def _middle(x, places, t, y, scratch, middle):  # type: ignore[no-untyped-def]
    """Return the mean of the envelopes, and whether there are enough extrema for them."""
    n = len(x)
    for k in range(n):
        middle[k] = 0.0
    for sign in (1.0, -1.0):
        count = _extrema(x, sign, places)
        if count < 2:
            return False
        m = _mirror(x, sign, places, count, n, t, y)
        _add_spline(t, y, m, scratch, 0.5, middle)
    return True


@njit(nogil=True)
def _copy(x, goal):  # type: ignore[no-untyped-def]
    # Written out: assigning an array compiles the message of a mismatch, and texts with it.
    for i in range(len(x)):
        goal[i] = x[i]


@njit(nogil=True)
def _energy(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for value in x:
        total += value * value
    return total


@kernel(types.float64[:, ::1], types.int64, types.float64[:, :, ::1], types.int64[::1])
def _decompose(signals, rounds, out, counts):  # type: ignore[no-untyped-def]
    n, modes = signals.shape[1], out.shape[1] - 1
    places, t, y = np.empty(n), np.empty(n + 4), np.empty(n + 4)
    scratch, middle, mode = np.empty((2, n + 4)), np.empty(n), np.empty(n)
    for s in range(len(signals)):
        rest = out[s, modes]
        _copy(signals[s], rest)
        least = _NOTHING * _energy(rest)
        for m in range(modes):
            if _energy(rest) <= least:
                break
            _copy(rest, mode)
            enough = _middle(mode, places, t, y, scratch, middle)
            if not enough:
                break
            for turn in range(rounds):
                for k in range(n):
                    mode[k] -= middle[k]
                if turn + 1 < rounds and not _middle(mode, places, t, y, scratch, middle):
                    break
            _copy(mode, out[s, m])
            for k in range(n):
                rest[k] -= mode[k]
            counts[s] = m + 1
