"""Extraction from a stream: every hop the features of the newest window, the same as offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.features.base import FeatureSpec
from myograph.features.extract import columns
from myograph.features.plan import Plan, flat_windows

__all__ = ["Extraction", "ExtractionState", "Measured"]


class Measured(NamedTuple):
    """What a chunk completed.

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_columns)
        Features of the completed windows, oldest first.
    stop_sample : ndarray of int64, shape (n_windows,)
        How many samples of the stream had passed when each window was complete.
    flat : ndarray of bool, shape (n_windows, n_channels)
        Where all samples of a window are equal: the values are defined, and mean nothing.
    """

    values: NDArray[np.float64]
    stop_sample: NDArray[np.int64]
    flat: NDArray[np.bool_]


@dataclass(frozen=True)
class Extraction:
    """What is measured on which windows of a stream.

    Parameters
    ----------
    features : tuple of FeatureSpec
        See `parse_features`.
    length_ms, step_ms : float
        Length of a window and distance between the starts of two, rounded to whole samples.
    threads : int

    Examples
    --------
    >>> from myograph.core.layout import Channel
    >>> from myograph.features import parse_features
    >>> extraction = Extraction(parse_features("hudgins"), length_ms=200, step_ms=50)
    >>> state = extraction.start(Layout(1000.0, (Channel("TA", kind="semg"),)))
    >>> state.names
    ('TA.mav', 'TA.zc', 'TA.ssc', 'TA.wl')
    >>> state.push(np.zeros((1, 260), dtype=np.float32)).stop_sample.tolist()
    [200, 250]
    """

    features: tuple[FeatureSpec, ...]
    length_ms: float
    step_ms: float
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        check_positive(self.length_ms, name="length_ms")
        check_positive(self.step_ms, name="step_ms")
        check_count(self.threads, name="threads")

    def start(self, layout: Layout) -> ExtractionState:
        """Refuse what cannot be measured on this layout, and return a fresh state."""
        length = round(self.length_ms * layout.fs_hz / 1000)
        step = round(self.step_ms * layout.fs_hz / 1000)
        if length < 2 or step < 1:
            raise ParameterError(
                f"Windows of {self.length_ms:g} ms every {self.step_ms:g} ms have {length} samples "
                f"every {step} at {layout.fs_hz:g} Hz; at least 2 every 1 are needed."
            )
        plan = Plan(self.features, fs_hz=layout.fs_hz, n_samples=length, layout=layout)
        return ExtractionState(plan, layout, step=step, threads=self.threads)


class ExtractionState:
    """Measures a stream as it comes; what it gives equals `extract` on the whole, bit for bit.

    Attributes
    ----------
    names, units : tuple of str
        Of the columns.
    """

    def __init__(self, plan: Plan, layout: Layout, *, step: int, threads: int) -> None:
        self._plan, self._step, self._threads = plan, step, threads
        self._n_channels = layout.n_channels
        empty = np.empty((0, layout.n_channels, plan.n_samples), dtype=np.float32)
        widths = [block.shape[2] for block in plan.blocks(empty)]
        self.names, self.units = columns(layout, plan.features, widths)
        # Room for several hops, so that samples are moved only now and then.
        self._buffer = np.empty((layout.n_channels, 4 * (plan.n_samples + step)), dtype=np.float32)
        self._first = 0  # of the next window, in the buffer; beyond the end when hops leave holes
        self._stop = 0
        self._seen = 0

    def push(self, chunk: NDArray[np.float32]) -> Measured:
        """Take the newest samples, shape (n_channels, n_new), and measure what they complete.

        ``n_new`` may be 0. The samples must be finite.
        """
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        self._append(chunk)
        length, step = self._plan.n_samples, self._step
        ready = self._stop - self._first - length
        count = ready // step + 1 if ready >= 0 else 0
        windows = self._windows(count)
        first = self._seen - self._stop + self._first
        stops = first + length + np.arange(count, dtype=np.int64) * step
        self._first += count * step
        values = self._plan.table(windows, threads=self._threads)
        return Measured(values, stops, flat_windows(windows))

    def _append(self, chunk: NDArray[np.float32]) -> None:
        n_new = chunk.shape[1]
        self._seen += n_new
        if self._stop + n_new > self._buffer.shape[1]:
            kept = self._buffer[:, min(self._first, self._stop) : self._stop]
            room = max(self._buffer.shape[1], kept.shape[1] + n_new)
            buffer = np.empty((self._n_channels, room), dtype=np.float32)
            buffer[:, : kept.shape[1]] = kept
            self._first -= min(self._first, self._stop)
            self._buffer, self._stop = buffer, kept.shape[1]
        self._buffer[:, self._stop : self._stop + n_new] = chunk
        self._stop += n_new

    def _windows(self, count: int) -> NDArray[np.float32]:
        """View the next windows; nothing is copied."""
        if count == 0:
            return np.empty((0, self._n_channels, self._plan.n_samples), dtype=np.float32)
        samples = self._buffer[:, self._first :]
        per_channel, size = samples.strides
        return as_strided(
            samples,
            (count, self._n_channels, self._plan.n_samples),
            (self._step * size, per_channel, size),
            writeable=False,
        )
