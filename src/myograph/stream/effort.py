"""Effort: how strongly somebody contracts, between that person's rest and full contraction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Layout

__all__ = ["EffortScale", "Envelope"]

Floats = NDArray[np.float64]


class Envelope:
    """The mean absolute value of every channel, as an exponential average of the newest samples.

    Channels must be free of offset (a high-pass comes before). However the samples are chunked,
    the values are the same.

    Parameters
    ----------
    layout : Layout
    average_ms : float
        Time constant.
    """

    def __init__(self, layout: Layout, *, average_ms: float = 120.0) -> None:
        self._weight = -math.expm1(
            -1e3 / (check_positive(average_ms, name="average_ms") * layout.fs_hz)
        )
        self._n = layout.n_channels
        self._state = np.zeros((self._n, 1))
        self._level = np.zeros(self._n)

    def push(self, chunk: ArrayLike) -> Floats:
        """Take samples (n_channels, n_new) and return the level of each channel after them."""
        samples = np.abs(np.asarray(chunk, dtype=np.float64))
        if samples.ndim != 2 or len(samples) != self._n:
            raise LayoutError(f"A chunk must be ({self._n} channels, n_new); got {samples.shape}.")
        if not np.isfinite(samples).all():
            raise DataError("The chunk holds NaN or infinite samples; leave out what was lost.")
        if samples.shape[1]:
            coefficients = [self._weight], [1.0, self._weight - 1.0]
            out, self._state = lfilter(*coefficients, samples, axis=1, zi=self._state)
            self._level = out[:, -1]
        return self._level.copy()

    def reset(self) -> None:
        """Start a new stream."""
        self._state[:] = 0
        self._level = np.zeros(self._n)


@dataclass(frozen=True, eq=False)
class EffortScale:
    """What rest and a full contraction of each class look like in one person [scheme2014]_.

    Parameters
    ----------
    rest : float
        Mean level over channels at rest, in the unit of the signal.
    full : mapping of str to float
        The same for each class at the effort that is to be full speed.

    Examples
    --------
    >>> scale = EffortScale(5.0, {"pinch": 45.0})
    >>> scale.effort("pinch", 25.0), scale.effort("pinch", 90.0), scale.effort("rest", 25.0)
    (0.5, 1.0, 0.0)
    """

    rest: float
    full: Mapping[str, float]

    def __post_init__(self) -> None:
        wrong = {name: level for name, level in self.full.items() if not level > self.rest}
        if wrong or not self.rest >= 0:
            raise ParameterError(
                f"Full contractions must be louder than rest ({self.rest:g}); got {wrong}. "
                "Repeat the calibration of these classes with more effort."
            )

    @classmethod
    def of(
        cls,
        levels: ArrayLike,
        labels: Sequence[str],
        *,
        rest_label: str = "rest",
        quantile: float = 0.8,
    ) -> EffortScale:
        """Measure levels (n_moments, n_channels) that were labelled at calibration.

        Parameters
        ----------
        levels : array, shape (n_moments, n_channels)
        labels : sequence of str
        rest_label : str
        quantile : float
            Of the moments of a class: what counts as full.
        """
        mean = np.asarray(levels, dtype=np.float64).mean(axis=1)
        names = np.asarray(labels)
        if len(names) != len(mean) or not (names == rest_label).any():
            raise DataError(
                f"Every one of {len(mean)} moments needs a label, and some must be "
                f"{rest_label!r}; got {sorted(set(labels))}."
            )
        full = {
            str(name): float(np.quantile(mean[names == name], quantile))
            for name in np.unique(names)
            if name != rest_label
        }
        return cls(float(np.median(mean[names == rest_label])), full)

    def effort(self, label: str, level: float) -> float:
        """Return effort from 0 to 1; a class without a full contraction (rest) has none."""
        if label not in self.full:
            return 0.0
        return float(np.clip((level - self.rest) / (self.full[label] - self.rest), 0.0, 1.0))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {"rest": self.rest, "full": dict(self.full)}
