"""The quantile over people: a threshold for what somebody new will show."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from myograph.core.errors import ParameterError

__all__ = ["person_quantile"]

_ROUNDING = 1e-9


def person_quantile(scores: ArrayLike, people: ArrayLike, *, miscoverage: float) -> float:
    """Return the threshold that a score of a new person passes at most so often.

    Parameters
    ----------
    scores : array, shape (n,)
    people : array, shape (n,)
        Whose score each is; every person counts alike.
    miscoverage : float

    Returns
    -------
    float
        Infinite with fewer than (1 - miscoverage) / miscoverage people.

    Raises
    ------
    ParameterError
        If ``miscoverage`` is not between 0 and 1.

    Examples
    --------
    >>> person_quantile([1, 2, 3, 4], ["a", "b", "c", "d"], miscoverage=0.2)
    4.0
    >>> person_quantile([1, 2, 3, 4], ["a", "a", "b", "b"], miscoverage=0.2)
    inf
    """
    if not 0 < miscoverage < 1:
        raise ParameterError(f"miscoverage must lie in (0, 1); got {miscoverage!r}.")
    values = np.asarray(scores, dtype=np.float64)
    owner = np.unique(np.asarray(people), return_inverse=True)[1]
    counts = np.bincount(owner)
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(1.0 / counts[owner][order])
    enough = mass >= (1 - miscoverage) * (len(counts) + 1) - _ROUNDING
    return float(values[order][enough.argmax()]) if enough.any() else math.inf
