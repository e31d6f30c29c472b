"""Second-order sections over a short chunk, compiled: the filter of a stream that comes in pieces.

The arithmetic, operation by operation, is that of `scipy.signal.sosfilt`, which spends far longer
on looking at its arguments than on forty samples. Imported when first used: the compiler takes
longer to load than most commands take to run.
"""

from __future__ import annotations

import platform

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

__all__ = ["SAME_BITS", "advance"]

#: Where both give the same bits: elsewhere a compiler may fuse a product and a sum.
SAME_BITS = platform.machine() in ("x86_64", "AMD64")


# Read-only arrays, for the samples of a recording are.
_SECTIONS = types.Array(types.float64, 2, "A", readonly=True)
_CHUNK = types.Array(types.float32, 2, "A", readonly=True)


@numba.njit(
    types.void(_SECTIONS, _CHUNK, types.float64[:, :, ::1], types.float32[:, ::1]),
    cache=True,
    nogil=True,
)
def advance(  # pragma: no cover - compiled
    sections: NDArray[np.float64],
    chunk: NDArray[np.float32],
    state: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Filter ``chunk`` (n_channels, n_new) into ``out`` and move ``state`` on, in place.

    ``state`` has shape (n_sections, n_channels, 2), as `sosfilt` keeps it.
    """
    n_channels, n_new = chunk.shape
    n_sections = sections.shape[0]
    for channel in range(n_channels):
        for k in range(n_new):
            value = np.float64(chunk[channel, k])
            for s in range(n_sections):
                given = value
                value = sections[s, 0] * given + state[s, channel, 0]
                state[s, channel, 0] = (
                    sections[s, 1] * given - sections[s, 4] * value + state[s, channel, 1]
                )
                state[s, channel, 1] = sections[s, 2] * given - sections[s, 5] * value
            out[channel, k] = value
