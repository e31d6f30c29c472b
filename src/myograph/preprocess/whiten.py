"""Channels mixed so that, over the training recordings, they are alike and uncorrelated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recording import Recording
from myograph.core.step import Step, register_step
from myograph.preprocess.rest import gap_mask
from myograph.signal.riemann import covariances, inverse_sqrtm, mean

__all__ = ["WhitenChannels"]

# Epochs of each recording that the mean is made of, evenly spread.
_MOST_EPOCHS = 500


@register_step("whiten-channels")
@dataclass(frozen=True, kw_only=True)
class WhitenChannels(Step):
    r"""Multiply the channels by :math:`R^{-1/2}`, R the mean covariance of training recordings.

    Behind it the feature ``log-covariance`` is the tangent space at R (barachant2012): the
    reference point is learned inside each fold, and a stream needs one small matrix product.

    Parameters
    ----------
    kinds : tuple of str
        Kinds of the channels that are mixed; others pass.
    window_ms : float
        Length of the epochs whose covariances are averaged: that of the windows, about.
    shrinkage : {"ledoit-wolf", "oas", "none"} or float
        See `myograph.signal.riemann.covariances`.
    metric : {"riemann", "log-euclid"}
        Which mean, see `myograph.signal.riemann.mean`.
    channels : tuple of str
    learned : tuple of float
        R, row after row, for these channels; `fit` fills both.

    Examples
    --------
    >>> WhitenChannels(channels=("a", "b"), learned=(4.0, 0.0, 0.0, 1.0)).matrix().tolist()
    [[0.5, 0.0], [0.0, 1.0]]
    """

    learns: ClassVar[bool] = True

    kinds: tuple[str, ...] = MUSCLE_KINDS
    window_ms: float = 200.0
    shrinkage: str | float = "ledoit-wolf"
    metric: str = "riemann"
    channels: tuple[str, ...] = ()
    learned: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("kinds", "channels", "learned"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_positive(self.window_ms, name="window_ms")
        check_choice(self.metric, ("riemann", "log-euclid"), name="metric")
        covariances(np.eye(2), shrinkage=self.shrinkage)
        if len(self.learned) != len(self.channels) ** 2:
            raise ParameterError(
                f"learned of step {self.name!r} is a covariance of {len(self.channels)} channels, "
                f"{len(self.channels) ** 2} numbers; got {len(self.learned)}."
            )

    def matrix(self) -> NDArray[np.float64]:
        """Return what the channels are multiplied by."""
        n = len(self.channels)
        return inverse_sqrtm(np.array(self.learned, dtype=np.float64).reshape(n, n))

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout with the mixed channels' scale."""
        rows = set(self._rows(layout))
        channels = tuple(
            replace(channel, scale="normalised") if row in rows else channel
            for row, channel in enumerate(layout.channels)
        )
        return replace(layout, channels=channels)

    def start(self, layout: Layout) -> _Mixing:
        """Find the channels that R was learned on."""
        if not self.learned:
            raise ParameterError(
                f"Step {self.name!r} has not learned a covariance; fit it on training recordings."
            )
        rows = self._rows(layout)
        names = tuple(layout.names[row] for row in rows)
        if names != self.channels:
            raise LayoutError(
                f"Step {self.name!r} was fitted on channels {list(self.channels)}; these are "
                f"{list(names)}. Select the same channels in the same order."
            )
        return _Mixing(layout.n_channels, rows, self.matrix())

    def fit(self, recordings: Sequence[Recording]) -> Self:
        """Learn the mean covariance of training recordings.

        Raises
        ------
        DataError
            If no epoch holds signal.
        """
        found: list[NDArray[np.float64]] = []
        names: tuple[str, ...] = ()
        for recording in recordings:
            rows = self._rows(recording.layout)
            mine = tuple(recording.layout.names[row] for row in rows)
            if names and mine != names:
                raise LayoutError(
                    f"Step {self.name!r} needs the same channels in every training recording; "
                    f"one has {list(names)}, another {list(mine)}."
                )
            names = mine
            found.append(self._of(recording, rows))
        matrices = np.concatenate(found) if found else np.empty((0, 1, 1))
        if not len(matrices):
            raise DataError(
                f"There is no epoch of {self.window_ms:g} ms with signal in {len(recordings)} "
                "training recordings to learn a covariance from."
            )
        centre = mean(matrices, metric=self.metric)
        return replace(self, channels=names, learned=tuple(centre.ravel().tolist()))

    def _of(self, recording: Recording, rows: Sequence[int]) -> NDArray[np.float64]:
        """Return the covariances of epochs that touch no gap and are not silent."""
        length = max(2, round(self.window_ms * recording.fs_hz / 1000))
        count = recording.samples.shape[1] // length
        usable = ~gap_mask(recording)[: count * length].reshape(count, length).any(axis=1)
        chosen = np.flatnonzero(usable)
        if len(chosen) > _MOST_EPOCHS:
            chosen = chosen[np.arange(_MOST_EPOCHS) * len(chosen) // _MOST_EPOCHS]
        samples = recording.samples[list(rows), : count * length]
        epochs = samples.reshape(len(rows), count, length)[:, chosen].transpose(1, 0, 2)
        matrices = covariances(epochs, shrinkage=self.shrinkage)
        return matrices[(np.linalg.eigvalsh(matrices) > 0).all(axis=1)]

    def _rows(self, layout: Layout) -> tuple[int, ...]:
        rows = layout.rows(kinds=self.kinds)
        if len(rows) < 2:
            raise LayoutError(
                f"Step {self.name!r} mixes at least 2 channels of kinds {list(self.kinds)}; "
                f"there are {len(rows)}."
            )
        return rows


class _Mixing:
    """Multiplies some rows of each chunk by a matrix, and passes the others on."""

    __slots__ = ("_matrix", "_n_channels", "_rows")

    def __init__(self, n_channels: int, rows: Sequence[int], matrix: NDArray[np.float64]) -> None:
        self._n_channels, self._rows, self._matrix = n_channels, list(rows), matrix

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chunk, mixed."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = chunk.astype(np.float32)
        # One sample at a time in the same order, whatever the chunk: a product of matrices is not.
        samples = chunk[self._rows].astype(np.float64)
        mixed = np.zeros_like(samples)
        for k, row in enumerate(samples):
            mixed += self._matrix[:, k : k + 1] * row
        out[self._rows] = mixed
        return out
