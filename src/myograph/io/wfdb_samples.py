"""How WFDB packs samples into bytes, both ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["STORAGE", "Storage"]

Decode = Callable[[NDArray[np.uint8]], NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Storage:
    """A way to store samples, in groups of a few bytes.

    Parameters
    ----------
    samples, n_bytes : int
        Samples in a group, and its bytes.
    missing : int
        The value that stands for "not measured".
    decode : callable
        uint8 of shape (n_groups, n_bytes) -> integers of shape (n_groups, samples).
    """

    samples: int
    n_bytes: int
    missing: int
    decode: Decode


def _plain(dtype: str, offset: int = 0) -> Decode:
    def decode(groups: NDArray[np.uint8]) -> NDArray[Any]:
        stored = np.ascontiguousarray(groups).view(dtype)
        return stored if not offset else stored.astype(np.int32) - offset

    return decode


def _signed(values: NDArray[np.int32], bits: int) -> NDArray[np.int32]:
    """Extend the sign of the low ``bits`` of each value."""
    shift = 32 - bits
    return (values << shift) >> shift


def _decode_24(groups: NDArray[np.uint8]) -> NDArray[np.int32]:
    g = groups.astype(np.int32)
    return _signed(g[:, :1] | g[:, 1:2] << 8 | g[:, 2:3] << 16, 24)


def _decode_212(groups: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Two 12-bit samples in three bytes; the middle one holds the high nibbles of both."""
    low, middle, high = groups.astype(np.int32).T
    return _signed(np.stack([low | (middle & 0x0F) << 8, high | (middle & 0xF0) << 4], axis=1), 12)


def _decode_310(groups: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Three 10-bit samples in two 16-bit words; the third has five bits in each."""
    first, second = np.ascontiguousarray(groups).view("<u2").astype(np.int32).T
    third = (first >> 11) & 0x1F | ((second >> 11) & 0x1F) << 5
    return _signed(np.stack([first >> 1 & 0x3FF, second >> 1 & 0x3FF, third], axis=1), 10)


def _decode_311(groups: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Three 10-bit samples in the low 30 bits of a 32-bit word."""
    word = np.ascontiguousarray(groups).view("<u4")[:, 0].astype(np.int64)
    parts = [(word >> shift & 0x3FF).astype(np.int32) for shift in (0, 10, 20)]
    return _signed(np.stack(parts, axis=1), 10)


#: The ways that are read, by their numbers in WFDB headers.
STORAGE: Mapping[int, Storage] = MappingProxyType(
    {
        16: Storage(1, 2, -(2**15), _plain("<i2")),
        24: Storage(1, 3, -(2**23), _decode_24),
        32: Storage(1, 4, -(2**31), _plain("<i4")),
        61: Storage(1, 2, -(2**15), _plain(">i2")),
        80: Storage(1, 1, -(2**7), _plain("u1", 2**7)),
        160: Storage(1, 2, -(2**15), _plain("<u2", 2**15)),
        212: Storage(2, 3, -(2**11), _decode_212),
        310: Storage(3, 4, -(2**9), _decode_310),
        311: Storage(3, 4, -(2**9), _decode_311),
    }
)
