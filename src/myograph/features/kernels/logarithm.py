"""Natural logarithms of many numbers at once, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from myograph.features.kernels.compiling import from_bits, to_bits

__all__ = ["logarithms"]

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ONE = 0x3FF0000000000000
_FRACTION, _EXPONENT = 0x000FFFFFFFFFFFFF, 0x7FF0000000000000
# 1.5 * 2^52 as bits and as a number: a small integer added to the one is added to the other,
# where processors have no instruction to convert several integers at once.
_SHIFT_BITS, _SHIFT = 0x4338000000000000, 1.5 * 2.0**52
# The fraction from which on the exponent is taken one higher: m lies between 1/sqrt(2) and sqrt(2).
_ROOT = 0x0006A09E667F3BCD


@njit(nogil=True, error_model="numpy")
def logarithms(x):  # type: ignore[no-untyped-def]  # compiled
    """Replace every x >= 0 of an array by ln x, to an ulp or two; the logarithm of 0 is -inf.

    x = 2^k m, and ln m = 2 artanh(s) with s = (m - 1) / (m + 1), as a series in s^2 of which
    |s| <= 0.172 needs ten terms. It has no branches, so that the processor takes several at once.
    """
    for i in range(len(x)):
        bits = to_bits(x[i])
        fraction = bits & _FRACTION
        up = np.int64(fraction >= _ROOT)
        # Without the sign, the shift needs no care for it.
        k = from_bits(((bits & _EXPONENT) >> 52) - 1023 + up + _SHIFT_BITS) - _SHIFT
        m = from_bits(fraction | (_ONE - (up << 52)))
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        series = 1.0 / 21.0
        series = series * z + 1.0 / 19.0
        series = series * z + 1.0 / 17.0
        series = series * z + 1.0 / 15.0
        series = series * z + 1.0 / 13.0
        series = series * z + 1.0 / 11.0
        series = series * z + 1.0 / 9.0
        series = series * z + 1.0 / 7.0
        series = series * z + 1.0 / 5.0
        series = series * z + 1.0 / 3.0
        value = 2.0 * s + (2.0 * s * z * series + k * _LN2_LOW) + k * _LN2_HIGH
        x[i] = -np.inf if x[i] == 0.0 else value
