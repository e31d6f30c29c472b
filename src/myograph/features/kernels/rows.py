"""How kernels see windows: one stretch of memory, and where each row of samples starts in it.

Compiled code is fast where it knows that samples lie side by side; a view of overlapping windows
does not say so by itself. Nothing is copied, unless the samples of a window are not neighbours.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

__all__ = ["MEMORY", "SHAPE", "Rows", "overlap", "row", "rows", "starts_of"]

#: Types of the two arguments that stand for windows in the signature of a kernel.
MEMORY = types.Array(types.float32, 1, "C", readonly=True)
SHAPE = types.int64[::1]

_SIZE = 4  # bytes of a sample

Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


def rows(values: NDArray[np.float32]) -> Rows:
    """Return the memory of windows and their shape in it.

    Parameters
    ----------
    values : ndarray of float32, shape (n_windows, n_channels, n_samples)

    Returns
    -------
    memory : ndarray of float32, shape (n,)
        Read-only; holds every sample.
    shape : ndarray of int64, shape (5,)
        ``n_windows, n_channels, n_samples``, then the samples from one window, and from one
        channel, to the next.
    """
    shape, length = _layout(values.shape, values.strides)
    if length < 0:
        values = np.ascontiguousarray(values)
        _, n_channels, n = values.shape
        # Stated, since an axis of one may have any stride.
        shape, length = _layout(values.shape, (_SIZE * n_channels * n, _SIZE * n, _SIZE))
    if length == 0:
        return np.empty(0, dtype=np.float32), shape
    return np.asarray(_Stretch(values, length)), shape


@lru_cache(maxsize=256)
def _layout(shape: tuple[int, int, int], strides: tuple[int, ...]) -> tuple[NDArray[np.int64], int]:
    """Return what `rows` says of windows, the same on every hop, and how many samples they span.

    The span is -1 when the samples of a window are not neighbours.
    """
    n_windows, n_channels, n = shape
    if 0 in shape:
        return np.array([n_windows, n_channels, n, 0, 0]), 0
    whole = strides[0] % _SIZE == 0 and strides[1] % _SIZE == 0
    if not whole or min(strides) < 0 or (strides[2] != _SIZE and n > 1):
        return np.empty(0, dtype=np.int64), -1
    per_window, per_channel = strides[0] // _SIZE, strides[1] // _SIZE
    told = np.array([n_windows, n_channels, n, per_window, per_channel])
    return told, (n_windows - 1) * per_window + (n_channels - 1) * per_channel + n


class _Stretch:
    """All memory of some windows, as one row; much sooner made than by ``as_strided``."""

    __slots__ = ("__array_interface__", "windows")

    def __init__(self, windows: NDArray[np.float32], length: int) -> None:
        self.windows = windows  # keeps the memory
        told = windows.__array_interface__
        self.__array_interface__ = {
            "version": 3,
            "typestr": told["typestr"],
            "shape": (length,),
            "data": (told["data"][0], True),
        }


def overlap(windows: Rows, *, multiple_of: int = 1) -> tuple[Rows, int, int]:
    """View windows as the stretches of signal that they overlap in.

    Parameters
    ----------
    windows : Rows
    multiple_of : int
        Only a step that is a multiple of this counts as overlap.

    Returns
    -------
    stretches : Rows
        Of longer, fewer rows.
    n_each : int
        Windows in each stretch.
    step : int
        Samples from one window to the next.
    """
    memory, shape = windows
    n_windows, n_channels, n, step, per_channel = shape.tolist()
    if n_windows < 2 or not 0 < step < n or step % multiple_of:
        return windows, 1, n
    length = (n_windows - 1) * step + n
    return (memory, np.array([1, n_channels, length, 0, per_channel])), n_windows, step


@njit(nogil=True)
def row(memory, shape, w, c):  # type: ignore[no-untyped-def]  # compiled
    """Return the samples of one channel of one window."""
    start = w * shape[3] + c * shape[4]
    return memory[start : start + shape[2]]


@njit(nogil=True)
def starts_of(shape, first, starts):  # type: ignore[no-untyped-def]
    """Set where rows of samples start, from row ``first`` on, and return how many there are left.

    A row is one channel of one window. The places that are left over take the first of them again.
    """
    n_channels = shape[1]
    left = shape[0] * n_channels - first
    for lane in range(len(starts)):
        w, c = divmod(first + (lane if lane < left else 0), n_channels)
        starts[lane] = w * shape[3] + c * shape[4]
    return left if left < len(starts) else len(starts)
