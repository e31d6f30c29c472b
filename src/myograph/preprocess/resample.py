"""Change of the sampling rate as a step: causal for streams, without delay offline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.layout import Layout
from myograph.core.step import OfflineStep, Step, register_step
from myograph.signal.resample import Resampler, rate_ratio, resample_offline

__all__ = ["Resample", "ZeroPhaseResample"]


@dataclass(frozen=True)
class _NewRate(Step):
    fs_hz: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "fs_hz", check_positive(self.fs_hz, name="fs_hz"))

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout at the new rate."""
        rate_ratio(layout.fs_hz, self.fs_hz)
        return replace(layout, fs_hz=self.fs_hz)


def _held(layout: Layout) -> tuple[int, ...]:
    """Return the rows that are states, not waves."""
    return layout.rows(kinds=("trigger",))


@register_step("resample")
class Resample(_NewRate):
    """Give every channel another sampling rate, causally: the same live and offline.

    An anti-aliasing low-pass (flat to 85 % of the lower Nyquist frequency, -80 dB at it) delays
    the signal; `delay_s` says by how much. Triggers keep their values and are delayed alike.

    Parameters
    ----------
    fs_hz : float
        New rate; new over old must be a ratio of whole numbers up to 2000.

    Examples
    --------
    >>> Resample(1000.0).to_dict()
    {'step': 'resample', 'fs_hz': 1000.0}
    """

    def start(self, layout: Layout) -> Resampler:
        """Design the low-pass for ``layout`` and return a fresh state."""
        ratio = rate_ratio(layout.fs_hz, self.fs_hz)
        return Resampler(ratio, n_channels=layout.n_channels, held=_held(layout))

    def delay_s(self, layout: Layout) -> float:
        """Return by how many seconds the step delays a signal of this layout."""
        return self.start(layout).delay_s(layout.fs_hz)


@register_step("zero-phase-resample")
class ZeroPhaseResample(_NewRate, OfflineStep):
    """`Resample` without delay: it looks ahead as far as back, offline only."""

    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return the samples at the new rate, shape (n_channels, n_new)."""
        return resample_offline(samples, rate_ratio(layout.fs_hz, self.fs_hz), held=_held(layout))
