"""Modified Bessel functions of large order, as logarithms: what cylinders are made of.

The functions themselves leave the range of floating-point numbers long before their ratios do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ive, kve

__all__ = ["log_first", "log_second", "slope_first", "slope_second"]

Floats = NDArray[np.float64]

# From this order on, Debye's expansion with these terms is right to ten digits.
_LARGE_ORDER = 24


def log_first(order: ArrayLike, x: ArrayLike) -> Floats:
    """Return the logarithm of I_n(x), x > 0.

    Examples
    --------
    >>> log_first([0, 100], 1.0).round(3).tolist()
    [0.236, -433.052]
    """
    n, x = np.broadcast_arrays(np.asarray(order, float), np.asarray(x, float))
    out = np.empty(n.shape)
    small = n < _LARGE_ORDER
    out[small] = np.log(ive(n[small], x[small])) + x[small]
    root, eta, p = _debye(n[~small], x[~small])
    out[~small] = n[~small] * eta - np.log(2 * np.pi * root) / 2
    out[~small] += np.log(_terms(p, n[~small]))
    return out


def log_second(order: ArrayLike, x: ArrayLike) -> Floats:
    """Return the logarithm of K_n(x), x > 0."""
    n, x = np.broadcast_arrays(np.asarray(order, float), np.asarray(x, float))
    out = np.empty(n.shape)
    small = n < _LARGE_ORDER
    out[small] = np.log(kve(n[small], x[small])) - x[small]
    root, eta, p = _debye(n[~small], x[~small])
    out[~small] = -n[~small] * eta + np.log(np.pi / (2 * root)) / 2
    out[~small] += np.log(_terms(p, -n[~small]))
    return out


def slope_first(order: ArrayLike, x: ArrayLike) -> Floats:
    """Return I_n'(x) / I_n(x)."""
    n, x = np.asarray(order, float), np.asarray(x, float)
    return np.asarray(n / x + np.exp(log_first(n + 1, x) - log_first(n, x)), float)


def slope_second(order: ArrayLike, x: ArrayLike) -> Floats:
    """Return K_n'(x) / K_n(x)."""
    n, x = np.asarray(order, float), np.asarray(x, float)
    return np.asarray(n / x - np.exp(log_second(n + 1, x) - log_second(n, x)), float)


def _debye(n: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
    root = np.hypot(n, x)
    eta = root / n + np.log(x / (n + root))
    return root, eta, n / root


def _terms(p: Floats, n: Floats) -> Floats:
    # The polynomials u_1 to u_4 of Abramowitz and Stegun, 9.3.9.
    q = p * p
    u1 = p * (3 - 5 * q) / 24
    u2 = q * (81 - 462 * q + 385 * q**2) / 1152
    u3 = p * q * (30375 - 369603 * q + 765765 * q**2 - 425425 * q**3) / 414720
    u4 = (
        q**2
        * (4465125 - 94121676 * q + 349922430 * q**2 - 446185740 * q**3 + 185910725 * q**4)
        / 39813120
    )
    return np.asarray(1 + u1 / n + u2 / n**2 + u3 / n**3 + u4 / n**4, float)
