"""Exponentials of many negative numbers at once, compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from myograph.features.kernels.compiling import from_bits, to_bits

__all__ = ["exponentials"]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_PER_LN2 = 1.0 / math.log(2.0)
# Added to a small number, this leaves its nearest integer in the lowest bits.
_ROUND = 1.5 * 2.0**52
# Beyond this the exponential is not a normal number any more, and 0 is returned.
_MOST = 708.0


@njit(nogil=True, error_model="numpy")
def exponentials(x):  # type: ignore[no-untyped-def]  # compiled
    """Replace every x >= 0 of an array by exp(-x), to an ulp or two.

    exp(-x) = 2^k exp(f) with |f| <= ln(2) / 2, of which the series needs thirteen terms. It has
    no branches, so that the processor takes several at once.
    """
    for i in range(len(x)):
        y = min(x[i], _MOST)
        rounded = _ROUND - y * _PER_LN2
        k = rounded - _ROUND
        f = (-y - k * _LN2_HIGH) - k * _LN2_LOW
        series = 1.0 / 6227020800.0
        series = series * f + 1.0 / 479001600.0
        series = series * f + 1.0 / 39916800.0
        series = series * f + 1.0 / 3628800.0
        series = series * f + 1.0 / 362880.0
        series = series * f + 1.0 / 40320.0
        series = series * f + 1.0 / 5040.0
        series = series * f + 1.0 / 720.0
        series = series * f + 1.0 / 120.0
        series = series * f + 1.0 / 24.0
        series = series * f + 1.0 / 6.0
        series = series * f + 0.5
        series = series * f + 1.0
        series = series * f + 1.0
        power = from_bits((to_bits(rounded) + np.int64(1023)) << 52)
        x[i] = series * power if x[i] <= _MOST else 0.0
