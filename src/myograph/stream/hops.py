"""Hops: compiled passes over the few samples of one hop, where calling costs more than counting."""

from __future__ import annotations

import math

from numba import types

from myograph.features.kernels.compiling import kernel

__all__ = ["linear_shares", "look", "mean_sizes"]

_ROWS = types.Array(types.float64, 2, "A", readonly=True)
_NUMBERS = types.Array(types.float64, 1, "A", readonly=True)
_SINGLES = types.Array(types.float32, 2, "A", readonly=True)


@kernel(_SINGLES, types.float32[::1], types.int64[::1], types.int64[::1])
def look(samples, last, run, found):  # type: ignore[no-untyped-def]  # compiled
    """Count how long each channel has kept one value, and samples that are no numbers.

    Parameters
    ----------
    samples : array of float32, shape (n_channels, n_new)
    last : array of float32, shape (n_channels,)
        The newest value of each channel; is set to that of these samples.
    run : array of int64, shape (n_channels,)
        For how many samples each has had it; goes on counting.
    found : array of int64, shape (2,)
        Is set to how many samples are not finite, and to the longest run.
    """
    n_channels, n = samples.shape
    bad, longest = 0, 0
    for row in range(n_channels):
        newest = samples[row, n - 1]
        same = 0
        for k in range(n - 1, -1, -1):
            if samples[row, k] != newest:
                break
            same += 1
        run[row] = run[row] + n if same == n and last[row] == newest else same
        last[row] = newest
        longest = max(longest, run[row])
        for k in range(n):
            if not math.isfinite(samples[row, k]):
                bad += 1
    found[0], found[1] = bad, longest


@kernel(types.Array(types.float32, 3, "A", readonly=True), types.float64[:, ::1], freely=True)
def mean_sizes(windows, means):  # type: ignore[no-untyped-def]  # compiled
    """Set ``means`` (n_windows, n_channels) to the mean absolute value over each window."""
    n_windows, n_channels, n = windows.shape
    for w in range(n_windows):
        for row in range(n_channels):
            total = 0.0
            for k in range(n):
                total += abs(float(windows[w, row, k]))
            means[w, row] = total / n


@kernel(_ROWS, types.UniTuple(_NUMBERS, 2), _ROWS, _NUMBERS, types.float64[:, ::1], freely=True)
def linear_shares(values, scale, weights, offsets, shares):  # type: ignore[no-untyped-def]
    """Set ``shares`` (n_rows, n_classes) to the softmax of a linear map of scaled ``values``.

    Parameters
    ----------
    values : array, shape (n_rows, n_features)
    scale : two arrays, shape (n_features,)
        What is taken off each feature, and what the rest is divided by.
    weights : array, shape (n_classes, n_features)
    offsets : array, shape (n_classes,)
    shares : array, shape (n_rows, n_classes)
    """
    centre, spread = scale
    n_classes = len(offsets)
    for row in range(len(values)):
        most = -math.inf
        for k in range(n_classes):
            total = 0.0
            for j in range(values.shape[1]):
                total += (values[row, j] - centre[j]) / spread[j] * weights[k, j]
            shares[row, k] = total + offsets[k]
            most = max(most, shares[row, k])
        whole = 0.0
        for k in range(n_classes):
            shares[row, k] = math.exp(shares[row, k] - most)
            whole += shares[row, k]
        for k in range(n_classes):
            shares[row, k] /= whole
