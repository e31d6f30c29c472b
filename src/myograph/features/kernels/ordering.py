"""Put the samples of one window in order, compiled: buckets first, then neighbours.

Samples are spread over as many buckets as there are samples by their place between the smallest
and the largest, which takes two passes; what one bucket holds is then put in order by insertion.
"""

from __future__ import annotations

from numba import njit

__all__ = ["put_in_order"]


@njit(nogil=True)
def put_in_order(x, order, placed, start):  # type: ignore[no-untyped-def]  # compiled
    """Sort ``x`` into ``placed`` and say in ``order`` where each of them was.

    ``order`` and ``placed`` have the length of x, ``start`` has one more. Equal samples may come
    in any order.
    """
    n = len(x)
    low, high = x[0], x[0]
    for i in range(n):
        low, high = min(low, x[i]), max(high, x[i])
    per_bucket = 0.0
    if high > low:
        per_bucket = (n - 1) / (high - low)
    for k in range(n + 1):
        start[k] = 0
    for i in range(n):
        start[int((x[i] - low) * per_bucket) + 1] += 1
    for k in range(n):
        start[k + 1] += start[k]
    for i in range(n):
        k = int((x[i] - low) * per_bucket)
        order[start[k]] = i
        placed[start[k]] = x[i]
        start[k] += 1
    for k in range(1, n):
        value, place, i = placed[k], order[k], k
        while i > 0 and placed[i - 1] > value:
            placed[i], order[i] = placed[i - 1], order[i - 1]
            i -= 1
        placed[i], order[i] = value, place
