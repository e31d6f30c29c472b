"""The passes of a transform of eight complex signals at once, compiled.

Each pass reads one half of the buffer and writes the other (stockham1966), so the result comes
out in order.
"""

from __future__ import annotations

import math

from numba import njit

from myograph.features.kernels.lanes import LANES, load, scale, store, turn, twist

__all__ = ["transform"]

_SIN3 = math.sin(2 * math.pi / 3)
_COS5, _SIN5 = math.cos(2 * math.pi / 5), math.sin(2 * math.pi / 5)
_COS5_2, _SIN5_2 = math.cos(4 * math.pi / 5), math.sin(4 * math.pi / 5)


@njit(nogil=True)
def transform(work, size, radices, twiddles):  # type: ignore[no-untyped-def]  # compiled, as all
    """Transform the first ``size`` numbers of ``work`` and return where in it the result starts.

    ``work`` has room for twice the size; a complex sample takes 16 numbers, eight real parts and
    eight imaginary ones.
    """
    rest, done, at, to, used = size // LANES, 1, 0, size, 0
    for radix in radices:
        rest //= radix
        for p in range(rest):
            w = twiddles[used + p * radix : used + (p + 1) * radix]
            for q in range(done):
                x, h = at + (p * done + q) * LANES, rest * done * LANES
                y, g = to + (p * radix * done + q) * LANES, done * LANES
                if radix == 4:
                    _four(work, x, h, y, g, w)
                elif radix == 5:
                    _five(work, x, h, y, g, w)
                elif radix == 2:
                    _two(work, x, h, y, g, w)
                else:
                    _three(work, x, h, y, g, w)
        used += rest * radix
        done *= radix
        at, to = to, at
    return at


@njit(nogil=True)
def _two(work, x, h, y, g, w):  # type: ignore[no-untyped-def]
    a, b = load(work, x), load(work, x + h)
    store(work, y, a + b)
    store(work, y + g, twist(a - b, w[1, 0], w[1, 1]))


@njit(nogil=True)
def _three(work, x, h, y, g, w):  # type: ignore[no-untyped-def]
    a, b, c = load(work, x), load(work, x + h), load(work, x + 2 * h)
    s, d = b + c, turn(scale(b - c, _SIN3))
    m = a - scale(s, 0.5)
    store(work, y, a + s)
    store(work, y + g, twist(m + d, w[1, 0], w[1, 1]))
    store(work, y + 2 * g, twist(m - d, w[2, 0], w[2, 1]))


@njit(nogil=True)
def _four(work, x, h, y, g, w):  # type: ignore[no-untyped-def]
    a, b, c, d = load(work, x), load(work, x + h), load(work, x + 2 * h), load(work, x + 3 * h)
    s, t, u, v = a + c, a - c, b + d, turn(b - d)
    store(work, y, s + u)
    store(work, y + g, twist(t + v, w[1, 0], w[1, 1]))
    store(work, y + 2 * g, twist(s - u, w[2, 0], w[2, 1]))
    store(work, y + 3 * g, twist(t - v, w[3, 0], w[3, 1]))


@njit(nogil=True)
def _five(work, x, h, y, g, w):  # type: ignore[no-untyped-def]
    a, b, c = load(work, x), load(work, x + h), load(work, x + 2 * h)
    d, e = load(work, x + 3 * h), load(work, x + 4 * h)
    s, t, u, v = b + e, c + d, b - e, c - d
    store(work, y, a + s + t)
    m = a + scale(s, _COS5) + scale(t, _COS5_2)
    n = turn(scale(u, _SIN5) + scale(v, _SIN5_2))
    store(work, y + g, twist(m + n, w[1, 0], w[1, 1]))
    store(work, y + 4 * g, twist(m - n, w[4, 0], w[4, 1]))
    m = a + scale(s, _COS5_2) + scale(t, _COS5)
    n = turn(scale(u, _SIN5_2) - scale(v, _SIN5))
    store(work, y + 2 * g, twist(m + n, w[2, 0], w[2, 1]))
    store(work, y + 3 * g, twist(m - n, w[3, 0], w[3, 1]))
