"""Autoregressive models of windows, compiled: Burg's lattice and the Yule-Walker equations."""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from myograph.features.kernels.compiling import kernel
from myograph.features.kernels.rows import MEMORY, SHAPE, Rows, row

__all__ = ["burg", "yule_walker"]

_F = {"nogil": True, "fastmath": {"reassoc", "nsz"}}

# Once this little of the power is left unexplained, what is left is rounding: the model is
# complete, and further reflections are 0.
_NOTHING = 1e-14


def burg(windows: Rows, order: int) -> NDArray[np.float64]:
    """Return Burg's coefficients a_1 .. a_order, shape (n_windows, n_channels, order)."""
    out = np.empty((*windows[1][:2], order))
    _burg(*windows, out)
    return out


def yule_walker(windows: Rows, order: int) -> NDArray[np.float64]:
    """Return the Yule-Walker coefficients, shape (n_windows, n_channels, order)."""
    out = np.empty((*windows[1][:2], order))
    _yule_walker(*windows, out)
    return out


@njit(nogil=True)
def _centre(window, x):  # type: ignore[no-untyped-def]  # compiled, as all below
    """Copy a window without its mean; a flat one becomes exactly 0."""
    origin = np.float64(window[0])
    for i in range(len(x)):
        x[i] = np.float64(window[i]) - origin
    mean = _add(x) / len(x)
    for i in range(len(x)):
        x[i] -= mean


@njit(**_F)
def _add(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        total += x[i]
    return total


@njit(**_F)
def _dot(x, y):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(y)):
        total += x[i] * y[i]
    return total


@njit(**_F)
def _errors(f, b):  # type: ignore[no-untyped-def]
    """Return the product of the forward and backward errors, and their power."""
    product, power = 0.0, 0.0
    for i in range(len(f)):
        product += f[i] * b[i]
        power += f[i] * f[i] + b[i] * b[i]
    return product, power


@njit(nogil=True)
def _reflect(f, b, k):  # type: ignore[no-untyped-def]
    for i in range(len(f)):
        forward = f[i]
        f[i] = forward + k * b[i]
        b[i] = b[i] + k * forward


@njit(nogil=True)
def _extend(a, m, k):  # type: ignore[no-untyped-def]
    """Take the coefficients a[0:m] to order m + 1 by the Levinson recursion."""
    for i in range((m + 1) // 2):
        j = m - 1 - i
        left, right = a[i], a[j]
        a[i] = left + k * right
        a[j] = right + k * left
    a[m] = k


@kernel(MEMORY, SHAPE, types.float64[:, :, ::1])
def _burg(memory, shape, out):  # type: ignore[no-untyped-def]
    n = shape[2]
    forward, backward = np.empty(n), np.empty(n)
    for w in range(shape[0]):
        for c in range(shape[1]):
            _centre(row(memory, shape, w, c), forward)
            for i in range(n):
                backward[i] = forward[i]
            least = 2.0 * _NOTHING * _dot(forward, forward)
            for m in range(out.shape[2]):
                f, b = forward[m + 1 :], backward[: n - m - 1]
                product, power = _errors(f, b)
                k = 0.0
                if power > least:
                    k = min(max(-2.0 * product / power, -1.0), 1.0)
                    _reflect(f, b, k)
                _extend(out[w, c], m, k)


@kernel(MEMORY, SHAPE, types.float64[:, :, ::1])
def _yule_walker(memory, shape, out):  # type: ignore[no-untyped-def]
    n, order = shape[2], out.shape[2]
    x, lags = np.empty(n), np.empty(order + 1)
    for w in range(shape[0]):
        for c in range(shape[1]):
            _centre(row(memory, shape, w, c), x)
            for lag in range(order + 1):
                lags[lag] = _dot(x[lag:], x[: n - lag])
            power = lags[0]
            least = _NOTHING * power
            for m in range(order):
                k = 0.0
                if power > least:
                    k = -lags[m + 1]
                    for i in range(m):
                        k -= out[w, c, i] * lags[m - i]
                    k /= power
                    power *= 1.0 - k * k
                _extend(out[w, c], m, k)
