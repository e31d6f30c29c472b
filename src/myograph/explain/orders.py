"""Orders of taking parts away: the best there is, when there are few enough parts to know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["least_area"]

Array = NDArray[np.float64]


def least_area(values: Array) -> float:
    r"""Return the mean evidence along the best of all orders of taking parts away.

    Every order is a way down from everything to nothing. The least sum on the way to a set of parts
    is that to one of the sets with one part more, so :math:`n 2^n` steps look at all :math:`n!`
    orders.

    Parameters
    ----------
    values : ndarray, shape (2**n_parts,)
        Evidence with the parts of ``k`` in binary there, as `myograph.explain.game.every_mask` has
        them.

    Examples
    --------
    Taking the second part away first: evidence 3, then 1, then 0.

    >>> least_area(np.array([0.0, 1.0, 2.0, 3.0]))
    1.25
    """
    n_parts = len(values).bit_length() - 1
    # Half of the first point and of the last: the trapezoids of a curve with equal steps.
    sums = np.full(len(values), np.inf)
    sums[-1] = values[-1] / 2
    for mask in range(len(values) - 2, -1, -1):
        more = [mask | 1 << k for k in range(n_parts) if not mask >> k & 1]
        sums[mask] = values[mask] * (1.0 if mask else 0.5) + sums[more].min()
    return float(sums[0] / n_parts)
