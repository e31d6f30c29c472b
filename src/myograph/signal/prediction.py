"""Autoregression: what a signal's past predicts, and samples restored from both sides of a hole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_toeplitz, solveh_banded
from scipy.signal import lfilter

from myograph.core.checks import check_count
from myograph.core.errors import DataError
from myograph.signal.runs import runs_of

__all__ = ["fit_autoregression", "innovations", "restore"]

# White noise added to the autocorrelation at lag 0: keeps the fit of a pure tone solvable.
_FLOOR = 1e-7


def fit_autoregression(signal: NDArray[np.floating], *, order: int) -> NDArray[np.float64]:
    """Fit ``x[n] = sum_p a[p] x[n-1-p] + e[n]`` by Yule-Walker.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
        Longer than ``order``; its mean is taken out.
    order : int

    Returns
    -------
    ndarray, shape (order,)
        All zero for a signal that never changes.
    """
    check_count(order, name="order")
    x = np.asarray(signal, dtype=np.float64)
    if len(x) <= order:
        raise DataError(f"An autoregression of order {order} needs more than {len(x)} samples.")
    x = x - x.mean()
    lags = np.array([x[: len(x) - k] @ x[k:] for k in range(order + 1)])
    if lags[0] == 0:
        return np.zeros(order)
    lags[0] *= 1 + _FLOOR
    solved: NDArray[np.float64] = solve_toeplitz(lags[:-1], lags[1:])
    return solved


def innovations(
    signal: NDArray[np.floating], coefficients: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what the past does not predict: ``x[n] - sum_p a[p] x[n-1-p]``."""
    filtered: NDArray[np.float64] = lfilter(
        np.concatenate([[1.0], -coefficients]), [1.0], np.asarray(signal, dtype=np.float64)
    )
    return filtered


def restore(
    signal: NDArray[np.floating], missing: NDArray[np.bool_], *, order: int = 12
) -> NDArray[np.float64]:
    """Put into short holes what leaves least unexplained by an autoregression (janssen1986).

    The values that minimise the squared prediction errors in and after each hole; in the middle of
    a long hole they tend to the mean, as they should.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
        What stands in the holes is not read.
    missing : ndarray of bool, shape (n_samples,)
    order : int

    Returns
    -------
    ndarray, shape (n_samples,)

    Raises
    ------
    DataError
        If less than four times ``order`` samples are known.

    Examples
    --------
    >>> wave = np.sin(np.arange(300) / 5)
    >>> holes = np.zeros(300, dtype=bool)
    >>> holes[100:104] = True
    >>> bool(np.abs(restore(np.where(holes, 9, wave), holes) - wave).max() < 0.05)
    True
    """
    x = np.asarray(signal, dtype=np.float64).copy()
    if (~missing).sum() < 4 * order:
        raise DataError(
            f"Only {int((~missing).sum())} samples are known; {4 * order} are needed to restore "
            "the others."
        )
    centre = float(x[~missing].mean())
    x -= centre
    known = np.flatnonzero(~missing)
    x[missing] = np.interp(np.flatnonzero(missing), known, x[known])
    coefficients = fit_autoregression(x, order=order)
    taps = np.concatenate([[1.0], -coefficients])
    for first, last in runs_of(missing):
        x[first:last] = _hole(x, first, last, taps)
    return x + centre


def _hole(
    x: NDArray[np.float64], first: int, last: int, taps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve the normal equations of one hole; they are a banded Toeplitz matrix."""
    order, width = len(taps) - 1, last - first
    around = slice(max(0, first - order), min(len(x), last + order))
    known = x[around].copy()
    known[first - around.start : last - around.start] = 0.0
    # Errors that a hole takes part in, and how each missing sample enters them.
    padded = np.concatenate([np.zeros(order), known, np.zeros(order)])
    errors = np.convolve(padded, taps)
    begin = first - around.start + order
    pull = np.array([-(errors[begin + k : begin + k + order + 1] @ taps) for k in range(width)])
    lags = np.array([taps[: order + 1 - k] @ taps[k:] for k in range(min(order + 1, width))])
    banded = np.zeros((len(lags), width))
    for k, value in enumerate(lags):
        banded[k, : width - k] = value
    solved: NDArray[np.float64] = solveh_banded(banded, pull, lower=True)
    return solved
