"""The ring gives back the newest samples, however they were written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myograph.core.errors import ParameterError
from myograph.stream.ring import Ring


@given(st.integers(1, 20), st.lists(st.integers(0, 20), max_size=30))
def test_the_newest_samples_are_one_view_of_what_was_written(capacity, sizes):
    ring, written = Ring(2, capacity), np.zeros((2, capacity), dtype=np.float32)
    number = 0
    for size in (min(size, capacity) for size in sizes):
        new = np.arange(number, number + size, dtype=np.float32) + np.array([[0], [1000]], "f4")
        ring.write(new)
        written = np.concatenate([written, new], axis=1)
        number += size
    assert ring.written == number
    np.testing.assert_array_equal(ring.newest(capacity), written[:, -capacity:])
    assert ring.newest(capacity).base is not None


def test_windows_are_those_of_the_whole():
    ring, whole = Ring(1, 20), np.arange(35, dtype=np.float32)[None]
    for first in range(0, 35, 5):
        ring.write(whole[:, first : first + 5])
    windows = ring.windows(34, count=3, length=6, step=4)
    np.testing.assert_array_equal(windows[:, 0, 0], [20, 24, 28])
    np.testing.assert_array_equal(windows[:, 0, -1], [25, 29, 33])
    assert not windows.flags.writeable


def test_more_than_it_holds_is_refused():
    with pytest.raises(ParameterError, match="ring of 4 samples cannot take 5"):
        Ring(1, 4).write(np.zeros((1, 5), dtype=np.float32))
