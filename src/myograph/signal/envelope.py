"""Amplitude over time: the moving root mean square that reference contractions are measured by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError

__all__ = ["moving_rms"]


def moving_rms(samples: ArrayLike, *, n_window: int) -> NDArray[np.float64]:
    """Return the root mean square of every stretch of ``n_window`` samples.

    Parameters
    ----------
    samples : array, shape (..., n_samples)
    n_window : int
        Samples in a stretch.

    Returns
    -------
    ndarray, shape (..., n_samples - n_window + 1)
        In the unit of the samples.

    Raises
    ------
    DataError
        If there are fewer samples than a stretch has.

    Examples
    --------
    >>> moving_rms([3.0, -3.0, 3.0, 4.0], n_window=2).round(2).tolist()
    [3.0, 3.0, 3.54]
    """
    x = np.asarray(samples, dtype=np.float64)
    check_count(n_window, name="n_window")
    if x.ndim == 0 or x.shape[-1] < n_window:
        raise DataError(
            f"A moving root mean square over {n_window} samples needs at least as many; got shape "
            f"{x.shape}."
        )
    # Differences of one running sum lose the quiet after the loud; sums over blocks do not.
    blocks = _block_sums(np.square(x), n_window)
    return np.sqrt(blocks / n_window)


def _block_sums(energy: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Sum every window as powers-of-two blocks: log2(n) additions for each."""
    total = np.zeros((*energy.shape[:-1], energy.shape[-1] - n + 1))
    block, size, offset = energy, 1, 0
    while size <= n:
        if n & size:
            total += block[..., offset : offset + total.shape[-1]]
            offset += size
        if 2 * size <= n:
            block = block[..., :-size] + block[..., size:]
        size *= 2
    return total
