r"""Covariance matrices as points of a curved space: distance, mean, and the flat space at a point.

How strongly channels act together is a symmetric positive definite matrix. Its natural distance
does not change when the channels are mixed by any invertible matrix (another gain, another
montage), and mapped into the tangent space at a reference the matrices become vectors that any
linear method may use (barachant2012). Functions take stacks, shape (..., n, n).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError, ParameterError

__all__ = [
    "SHRINKAGES",
    "covariances",
    "distance",
    "expm",
    "from_tangent",
    "inverse_sqrtm",
    "logm",
    "mean",
    "sqrtm",
    "tangent",
]

Matrices = NDArray[np.float64]

SHRINKAGES = ("ledoit-wolf", "oas", "none")


def covariances(windows: ArrayLike, *, shrinkage: str | float = "ledoit-wolf") -> Matrices:
    """Estimate the covariance of the channels in every window.

    Parameters
    ----------
    windows : array, shape (..., n_channels, n_samples)
        The mean of each channel in each window is taken off.
    shrinkage : {"ledoit-wolf", "oas", "none"} or float
        How far to move towards a multiple of the identity: by the share that is best on average
        (ledoit2004), by the one for Gaussian data (chen2010), not at all, or by this share, from 0
        to 1. Without it a short window of many channels gives a matrix that cannot be inverted.

    Returns
    -------
    ndarray, shape (..., n_channels, n_channels)
        Squared unit of the samples.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((10, 4, 200))
    >>> covariances(x).shape
    (10, 4, 4)
    """
    x = np.asarray(windows, dtype=np.float64)
    if x.ndim < 2 or x.shape[-1] < 2:
        raise DataError(f"windows must be (..., n_channels, n_samples >= 2); got shape {x.shape}.")
    x = x - x.mean(axis=-1, keepdims=True)
    n_channels, n_samples = x.shape[-2:]
    sample = x @ np.swapaxes(x, -1, -2) / n_samples
    level = np.trace(sample, axis1=-2, axis2=-1) / n_channels
    share = _share(shrinkage, x, sample, level)[..., None, None]
    shrunk: Matrices = (1 - share) * sample + share * level[..., None, None] * np.eye(n_channels)
    return shrunk


def sqrtm(matrices: ArrayLike) -> Matrices:
    """Return the symmetric square root."""
    return _by_eigenvalues(matrices, np.sqrt)


def inverse_sqrtm(matrices: ArrayLike) -> Matrices:
    """Return the symmetric inverse square root."""
    return _by_eigenvalues(matrices, lambda values: 1 / np.sqrt(values))


def logm(matrices: ArrayLike) -> Matrices:
    """Return the symmetric logarithm of positive definite matrices."""
    return _by_eigenvalues(matrices, np.log)


def expm(matrices: ArrayLike) -> Matrices:
    """Return the exponential of symmetric matrices."""
    return _by_eigenvalues(matrices, np.exp, positive=False)


def distance(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    r"""Return the affine-invariant distance, :math:`\|\log(A^{-1/2} B A^{-1/2})\|_F`.

    Parameters
    ----------
    first, second : array, shape (..., n, n)
        Positive definite; stacks are broadcast.

    Examples
    --------
    >>> float(distance(np.eye(2), np.diag([np.e, 1.0])).round(6))
    1.0
    """
    whitener = inverse_sqrtm(first)
    middle = whitener @ np.asarray(second, dtype=np.float64) @ whitener
    values = np.linalg.eigvalsh(_symmetric(middle))
    if (values <= 0).any():
        raise _not_definite(float(values.min()))
    return np.sqrt(np.square(np.log(values)).sum(axis=-1))


def mean(
    matrices: ArrayLike, *, metric: str = "riemann", tolerance: float = 1e-9, most: int = 100
) -> Matrices:
    """Return the mean of a stack.

    Parameters
    ----------
    matrices : array, shape (n_matrices, n, n)
    metric : {"riemann", "log-euclid"}
        The matrix with the smallest sum of squared `distance` (moakher2005), by iteration, or the
        exponential of the mean logarithm, in one step and close to it.
    tolerance : float
        The iteration ends when the mean tangent vector is shorter than this.
    most : int
        Iterations before it is given up.

    Raises
    ------
    DataError
        If there is no matrix, one is not positive definite, or the iteration does not settle.
    """
    stack = np.asarray(matrices, dtype=np.float64)
    if stack.ndim != 3 or len(stack) == 0:
        raise DataError(f"A mean needs matrices (n_matrices, n, n); got shape {stack.shape}.")
    centre = expm(logm(stack).mean(axis=0))
    if metric == "log-euclid":
        return centre
    if metric != "riemann":
        raise ParameterError(f"metric must be 'riemann' or 'log-euclid'; got {metric!r}.")
    for _ in range(most):
        root, whitener = sqrtm(centre), inverse_sqrtm(centre)
        step = logm(_symmetric(whitener @ stack @ whitener)).mean(axis=0)
        centre = _symmetric(root @ expm(step) @ root)
        if np.linalg.norm(step) < tolerance * np.sqrt(stack.shape[-1]):
            return centre
    raise DataError(
        f"The mean of {len(stack)} matrices did not settle in {most} iterations; they are too ill "
        "conditioned: shrink the covariances more."
    )


def tangent(matrices: ArrayLike, reference: ArrayLike) -> NDArray[np.float64]:
    r"""Map matrices to vectors in the tangent space at ``reference``.

    The upper triangle of :math:`\log(R^{-1/2} C R^{-1/2})`, what lies off the diagonal times
    :math:`\sqrt 2`, so that the length of the vector is the distance to the reference.

    Parameters
    ----------
    matrices : array, shape (..., n, n)
    reference : array, shape (n, n)
        Fit it on training data only: the `mean` of its matrices, usually.

    Returns
    -------
    ndarray, shape (..., n * (n + 1) / 2)

    Examples
    --------
    >>> tangent(np.diag([np.e, 1.0]), np.eye(2)).round(6).tolist()
    [1.0, 0.0, 0.0]
    """
    whitener = inverse_sqrtm(reference)
    logs = logm(_symmetric(whitener @ np.asarray(matrices, dtype=np.float64) @ whitener))
    rows, columns, weights = _triangle(logs.shape[-1])
    vectors: NDArray[np.float64] = logs[..., rows, columns] * weights
    return vectors


def from_tangent(vectors: ArrayLike, reference: ArrayLike) -> Matrices:
    """Map vectors of the tangent space at ``reference`` back to matrices: undo `tangent`."""
    v = np.asarray(vectors, dtype=np.float64)
    root = sqrtm(reference)
    n = root.shape[-1]
    if v.shape[-1] != n * (n + 1) // 2:
        raise DataError(
            f"Vectors at a {n} x {n} reference have {n * (n + 1) // 2} parts; got {v.shape[-1]}."
        )
    rows, columns, weights = _triangle(n)
    logs = np.zeros((*v.shape[:-1], n, n))
    logs[..., rows, columns] = v / weights
    logs[..., columns, rows] = v / weights
    return _symmetric(root @ expm(logs) @ root)


def _triangle(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    rows, columns = np.triu_indices(n)
    return rows, columns, np.where(rows == columns, 1.0, np.sqrt(2))


def _share(
    shrinkage: str | float, x: Matrices, sample: Matrices, level: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of the identity in every window."""
    n_channels, n_samples = x.shape[-2:]
    if not isinstance(shrinkage, str):
        if not 0 <= shrinkage <= 1:
            raise ParameterError(f"shrinkage must be from 0 to 1; got {shrinkage!r}.")
        return np.full(level.shape, float(shrinkage))
    if shrinkage not in SHRINKAGES:
        raise ParameterError(
            f"shrinkage must be one of {list(SHRINKAGES)} or a number; got {shrinkage!r}."
        )
    if shrinkage == "none":
        return np.zeros(level.shape)
    square = np.square(sample).sum(axis=(-2, -1))
    spread = square - n_channels * level**2  # how far the sample is from a multiple of identity
    if shrinkage == "oas":
        p = n_channels
        above = (1 - 2 / p) * square + (p * level) ** 2
        return _clipped(above, (n_samples + 1 - 2 / p) * spread)
    fourth = np.square(np.square(x).sum(axis=-2)).mean(axis=-1)
    return _clipped((fourth - square) / n_samples, spread)


def _clipped(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quotient, at most 1, and 1 where there is nothing to tell apart."""
    share = np.divide(above, below, out=np.ones_like(below), where=below > 0)
    return np.clip(share, 0.0, 1.0)


def _by_eigenvalues(
    matrices: ArrayLike,
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    positive: bool = True,
) -> Matrices:
    m = np.asarray(matrices, dtype=np.float64)
    if m.ndim < 2 or m.shape[-1] != m.shape[-2]:
        raise DataError(f"Matrices must be square, (..., n, n); got shape {m.shape}.")
    values, vectors = np.linalg.eigh(m)
    if positive and (values <= 0).any():
        raise _not_definite(float(values.min()))
    result: Matrices = (vectors * function(values)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    return result


def _symmetric(matrices: Matrices) -> Matrices:
    return (matrices + np.swapaxes(matrices, -1, -2)) / 2


def _not_definite(least: float) -> DataError:
    return DataError(
        f"A matrix is not positive definite (its least eigenvalue is {least:.3g}): a channel is "
        "flat, repeats another, or the window is shorter than the channels are many. Drop the "
        "channel, or shrink the covariance (covariances(..., shrinkage='ledoit-wolf'))."
    )
