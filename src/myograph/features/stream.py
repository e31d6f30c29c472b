"""Extraction from a stream: every hop the features of the newest window, the same as offline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import ParameterError
from myograph.core.layout import Layout
from myograph.core.sliding import SlidingWindows
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
        self._plan, self._threads = plan, threads
        empty = np.empty((0, layout.n_channels, plan.n_samples), dtype=np.float32)
        widths = [block.shape[2] for block in plan.blocks(empty)]
        self.names, self.units = columns(layout, plan.features, widths)
        self._windows = SlidingWindows(layout.n_channels, length=plan.n_samples, step=step)
        self._hops = plan.start(n_channels=layout.n_channels, step=step)

    def push(self, chunk: NDArray[np.float32]) -> Measured:
        """Take the newest samples, shape (n_channels, n_new), and measure what they complete.

        ``n_new`` may be 0. The samples must be finite.
        """
        sliding = self._windows
        sliding.take(chunk)
        windows = sliding.windows()
        if self._threads == 1:
            values = self._hops.next(sliding)
        else:
            values = self._plan.table(windows, threads=self._threads)
        return Measured(values, sliding.stops(), flat_windows(windows))
