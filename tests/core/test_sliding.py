import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from myograph.core.errors import LayoutError
from myograph.core.sliding import SlidingWindows


@pytest.mark.parametrize(("length", "step"), [(7, 3), (5, 5), (4, 9), (1, 1)])
def test_windows_are_those_of_the_whole(rng, length, step):
    signal = rng.standard_normal((3, 400)).astype("f4")
    sliding = SlidingWindows(3, length=length, step=step, inputs=[2, 0])
    found, stops, done = [], [], 0
    while done < 400:
        size = int(rng.integers(0, 23))
        windows, stop_sample = sliding.push(signal[:, done : done + size])
        assert sliding.count == len(windows) == len(stop_sample)
        if sliding.count:  # the memory begins with the first window, one channel after the other
            assert sliding.stop_sample == stop_sample[0]
            np.testing.assert_array_equal(sliding.memory[:length], windows[0, 0])
            at = sliding.per_channel
            np.testing.assert_array_equal(sliding.memory[at : at + length], windows[0, 1])
        found.append(windows)
        stops += stop_sample.tolist()
        done += size
    expected = sliding_window_view(signal[[2, 0]], length, axis=1)[:, ::step].transpose(1, 0, 2)
    # Windows that were given out stay as they were.
    np.testing.assert_array_equal(np.concatenate(found), expected)
    assert stops == [length + k * step for k in range(len(expected))]


def test_windows_cannot_be_written():
    windows, _ = SlidingWindows(1, length=2, step=1).push(np.zeros((1, 5), dtype="f4"))
    with pytest.raises(ValueError, match="read-only"):
        windows[0, 0, 0] = 1.0


def test_other_channels_are_refused():
    with pytest.raises(LayoutError, match=r"must be \(2 channels, n_new\); got shape \(3, 4\)"):
        SlidingWindows(2, length=2, step=1).take(np.zeros((3, 4), dtype="f4"))
