"""Rest: how quiet muscles and bands are in training people when they do least.

A part of a signal that is taken away should leave something that the model has met. Where training
people are at hand that is the level of rest; a model knows what rest looks like, and nothing of
complete silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.recording import Recording
from myograph.pipeline.pipeline import Pipeline

__all__ = ["QUANTILE", "Rest", "band_levels", "factors"]

Array = NDArray[np.float64]

#: Rest is the level below which this share of the training windows lie.
QUANTILE = 0.05


@dataclass(frozen=True, eq=False)
class Rest:
    """Levels of rest, in the units of the channels after the pipeline's steps.

    Parameters
    ----------
    muscles : ndarray, shape (n_channels,)
        Deviation of a channel within a window.
    bands : ndarray, shape (n_bands, n_channels)
        Deviation of one band of it.
    """

    muscles: Array
    bands: Array

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        recordings: Sequence[Recording],
        bands: Sequence[tuple[float, float]],
    ) -> Self:
        """Measure rest on recordings of training people.

        Raises
        ------
        DataError
            If they give no window.
        """
        muscles, parts = [], []
        for recording in recordings:
            windows = pipeline.front.windowing.cut(
                pipeline.front.process(recording), labelled=False
            )
            if len(windows):
                values = windows.values.astype(np.float64)
                muscles.append(values.std(axis=2))
                parts.append(band_levels(values, windows.fs_hz, bands))
        if not muscles:
            raise DataError("The recordings of training people give no window.")
        levels = np.quantile(np.concatenate(muscles), QUANTILE, axis=0)
        return cls(levels, np.quantile(np.concatenate(parts, axis=1), QUANTILE, axis=1))


def band_levels(values: Array, fs_hz: float, bands: Sequence[tuple[float, float]]) -> Array:
    """Return the deviation of each band of windows, shape (n_bands, n_windows, n_channels).

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
    bands : sequence of (low_hz, high_hz)

    Examples
    --------
    >>> x = np.sqrt(2) * np.sin(2 * np.pi * 10 * np.arange(100) / 100)[None, None]
    >>> band_levels(x, 100.0, [(0.0, 5.0), (5.0, 50.0)]).round(6).ravel().tolist()
    [0.0, 1.0]
    """
    n_samples = values.shape[2]
    power = np.abs(np.fft.rfft(values, axis=2)) ** 2
    power[:, :, 1:] *= 2
    if n_samples % 2 == 0:
        power[:, :, -1] /= 2
    power[:, :, 0] = 0  # the mean is not part of a deviation
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / fs_hz)
    lows = np.array([low for low, _ in bands])
    owner = np.searchsorted(lows, frequency_hz, side="right") - 1
    sums = [power[:, :, owner == k].sum(axis=2) for k in range(len(lows))]
    return np.sqrt(np.stack(sums)) / n_samples


def factors(levels: Array, now: Array, *, quiet: float) -> Array:
    """Return what is left of the amplitude when something falls to its level of rest.

    Nothing grows louder, and nothing falls below ``quiet``.

    Parameters
    ----------
    levels, now : ndarray
        Of shapes that go together.
    quiet : float
    """
    shares = np.divide(levels, now, out=np.ones_like(now), where=now > 0)
    return np.clip(shares, quiet, 1.0)
