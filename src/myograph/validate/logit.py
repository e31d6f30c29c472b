"""A weighted logistic line: intercept and slope, by Newton's method, and its share per person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["curvature", "fit_logit", "gradient"]

Array = NDArray[np.float64]

_STEPS = 100
_PRECISION = 1e-10
#: A trace of a ridge: classes that are told apart without error have no finite slope.
_RIDGE = 1e-6


def fit_logit(x: Array, target: Array, weights: Array, *, slope: float | None = None) -> Array:
    """Return the intercept and slope with the greatest likelihood.

    Parameters
    ----------
    x : ndarray, shape (n,)
    target : ndarray, shape (n,)
        In [0, 1].
    weights : ndarray, shape (n,)
    slope : float, optional
        Held at this value.

    Returns
    -------
    ndarray, shape (2,)
        Steps are halved until the likelihood rises; a slope that would grow without end stays
        finite through a ridge of a millionth of the weight.

    Examples
    --------
    >>> x = np.linspace(-2, 2, 9)
    >>> fit_logit(x, expit(0.5 + 2 * x), np.ones(9)).round(4).tolist()
    [0.5, 2.0]
    """
    total = float(weights.sum())
    found = np.array([0.0, 1.0 if slope is None else slope])
    free = np.array([True, slope is None])
    ridge = _RIDGE * total * np.diag([1.0, 1.0])
    best = _loss(found, x, target, weights, total)
    for _ in range(_STEPS):
        uphill = gradient(found, x, target, weights).sum(axis=0) - ridge @ found
        bent = curvature(found, x, weights).sum(axis=0) + ridge
        step = np.zeros(2)
        step[free] = np.linalg.solve(bent[np.ix_(free, free)], uphill[free])
        size = 1.0
        while size > _PRECISION:
            loss = _loss(found + size * step, x, target, weights, total)
            if loss <= best:
                break
            size /= 2
        else:
            return found
        found, best = found + size * step, loss
        if float(np.abs(size * step).max()) < _PRECISION:
            break
    return found


def gradient(line: Array, x: Array, target: Array, weights: Array) -> Array:
    """Return how each row pulls at intercept and slope, shape (n, 2)."""
    off = weights * (target - expit(line[0] + line[1] * x))
    return np.column_stack([off, off * x])


def curvature(line: Array, x: Array, weights: Array) -> Array:
    """Return each row's share of the negative second derivative, shape (n, 2, 2)."""
    said = expit(line[0] + line[1] * x)
    w = weights * said * (1 - said)
    return np.stack([np.stack([w, w * x], axis=-1), np.stack([w * x, w * x**2], axis=-1)], axis=-2)


def _loss(line: Array, x: Array, target: Array, weights: Array, total: float) -> float:
    z = line[0] + line[1] * x
    fit = float(weights @ (np.logaddexp(0, z) - target * z))
    return fit + 0.5 * _RIDGE * total * float(line @ line)
