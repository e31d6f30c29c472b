"""Filters as steps: causal ones that also run live, and zero-phase ones for offline use."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, MUSCLE_KINDS, Layout
from myograph.core.step import OfflineStep, Step, register_step
from myograph.signal.filters import (
    CausalFilter,
    Sections,
    design_bandpass,
    design_highpass,
    design_lowpass,
    design_notch,
    zero_phase,
)

__all__ = [
    "Bandpass",
    "Highpass",
    "Lowpass",
    "Notch",
    "ZeroPhaseBandpass",
    "ZeroPhaseHighpass",
    "ZeroPhaseLowpass",
    "ZeroPhaseNotch",
]


@dataclass(frozen=True, kw_only=True)
class _Filter(Step):
    """What all filters share: which channels they touch, and how they are designed."""

    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        if isinstance(self.kinds, str) or not self.kinds:
            raise ParameterError(
                f"kinds of step {self.name!r} must list at least one channel kind, "
                f"for example ('semg',); got {self.kinds!r}."
            )
        object.__setattr__(self, "kinds", tuple(self.kinds))
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name=f"kinds of step {self.name!r}")
        self._check()

    @abstractmethod
    def _check(self) -> None:
        """Check the parameters that need no sampling rate."""

    @abstractmethod
    def design(self, fs_hz: float) -> Sections:
        """Return the filter's second-order sections at this sampling rate."""

    def _rows(self, layout: Layout) -> list[int]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step {self.name!r} filters channels of kinds {list(self.kinds)}; there are only "
                f"{present}. Name the kinds to filter, for example kinds={tuple(present)!r}."
            )
        return list(rows)


class _Causal(_Filter):
    """A filter that runs live."""

    def start(self, layout: Layout) -> _FilterState:
        """Design the filter for ``layout`` and return its fresh state."""
        return _FilterState(self._rows(layout), layout.n_channels, self.design(layout.fs_hz))


class _ZeroPhase(_Filter, OfflineStep):
    """A filter that runs forwards and backwards."""

    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Filter forwards and backwards; channels of other kinds pass unchanged."""
        rows = self._rows(layout)
        sections = self.design(layout.fs_hz)
        if len(rows) == len(samples):
            return zero_phase(sections, samples)
        out = samples.copy()
        out[rows] = zero_phase(sections, samples[rows])
        return out


class _FilterState:
    """Filters some rows of each chunk and passes the others on."""

    __slots__ = ("_filter", "_n_channels", "_rows")

    def __init__(self, rows: list[int], n_channels: int, sections: Sections) -> None:
        self._rows = rows
        self._n_channels = n_channels
        self._filter = CausalFilter(sections, n_channels=len(rows))

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the filtered chunk, shape (n_channels, n_new)."""
        if len(self._rows) == self._n_channels:
            return self._filter.push(chunk)
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = chunk.astype(np.float32)
        out[self._rows] = self._filter.push(chunk[self._rows])
        return out


@dataclass(frozen=True)
class _BandpassDesign(_Filter):
    low_hz: float
    high_hz: float
    order: int = 4

    def _check(self) -> None:
        check_positive(self.low_hz, name="low_hz")
        check_positive(self.high_hz, name="high_hz")
        check_count(self.order, name="order")
        if self.low_hz >= self.high_hz:
            raise ParameterError(
                f"low_hz must be below high_hz; got low_hz={self.low_hz:g} and "
                f"high_hz={self.high_hz:g}."
            )

    def design(self, fs_hz: float) -> Sections:
        """Return the filter's second-order sections at this sampling rate."""
        return design_bandpass(self.low_hz, self.high_hz, order=self.order, fs_hz=fs_hz)


@dataclass(frozen=True)
class _HighpassDesign(_Filter):
    low_hz: float
    order: int = 4

    def _check(self) -> None:
        check_positive(self.low_hz, name="low_hz")
        check_count(self.order, name="order")

    def design(self, fs_hz: float) -> Sections:
        """Return the filter's second-order sections at this sampling rate."""
        return design_highpass(self.low_hz, order=self.order, fs_hz=fs_hz)


@dataclass(frozen=True)
class _LowpassDesign(_Filter):
    high_hz: float
    order: int = 4

    def _check(self) -> None:
        check_positive(self.high_hz, name="high_hz")
        check_count(self.order, name="order")

    def design(self, fs_hz: float) -> Sections:
        """Return the filter's second-order sections at this sampling rate."""
        return design_lowpass(self.high_hz, order=self.order, fs_hz=fs_hz)


@dataclass(frozen=True)
class _NotchDesign(_Filter):
    frequency_hz: float
    quality: float = 30.0
    harmonics: int = 1

    def _check(self) -> None:
        check_positive(self.frequency_hz, name="frequency_hz")
        check_positive(self.quality, name="quality")
        check_count(self.harmonics, name="harmonics")

    def design(self, fs_hz: float) -> Sections:
        """Return the filter's second-order sections at this sampling rate."""
        return design_notch(
            self.frequency_hz, quality=self.quality, harmonics=self.harmonics, fs_hz=fs_hz
        )


@register_step("bandpass")
class Bandpass(_BandpassDesign, _Causal):
    """Keep ``low_hz`` to ``high_hz``: a causal Butterworth band-pass.

    Parameters
    ----------
    low_hz, high_hz : float
        Edges, where the gain is -3 dB.
    order : int
        Order at each edge: the slope on either side is 6 dB per octave times ``order``.
    kinds : tuple of str
        Kinds of the channels to filter; channels of other kinds (force, triggers) pass unchanged.

    Examples
    --------
    >>> Bandpass(20, 450).to_dict()["step"]
    'bandpass'
    """


@register_step("highpass")
class Highpass(_HighpassDesign, _Causal):
    """Keep what lies above ``low_hz`` (-3 dB there): a causal Butterworth high-pass.

    Parameters are those of `Bandpass`, without ``high_hz``.
    """


@register_step("lowpass")
class Lowpass(_LowpassDesign, _Causal):
    """Keep what lies below ``high_hz`` (-3 dB there): a causal Butterworth low-pass.

    Parameters are those of `Bandpass`, without ``low_hz``.
    """


@register_step("notch")
class Notch(_NotchDesign, _Causal):
    """Remove ``frequency_hz`` and, if asked, its multiples: causal notches.

    No pipeline uses it unasked: a notch also removes muscle activity. See
    `myograph.preprocess.quality` for the measure that says whether a channel needs one.

    Parameters
    ----------
    frequency_hz : float
        Mains frequency, 50 or 60 Hz.
    quality : float
        Centre over -3 dB width of each notch; 30 at 50 Hz is 1.7 Hz wide.
    harmonics : int
        How many notches: 1 is the fundamental alone.
    kinds : tuple of str
        Kinds of the channels to filter.
    """


@register_step("zero-phase-bandpass")
class ZeroPhaseBandpass(_BandpassDesign, _ZeroPhase):
    """`Bandpass` run forwards and backwards: no delay, -6 dB at the edges, offline only."""


@register_step("zero-phase-highpass")
class ZeroPhaseHighpass(_HighpassDesign, _ZeroPhase):
    """`Highpass` run forwards and backwards: no delay, -6 dB at the edge, offline only."""


@register_step("zero-phase-lowpass")
class ZeroPhaseLowpass(_LowpassDesign, _ZeroPhase):
    """`Lowpass` run forwards and backwards: no delay, -6 dB at the edge, offline only."""


@register_step("zero-phase-notch")
class ZeroPhaseNotch(_NotchDesign, _ZeroPhase):
    """`Notch` run forwards and backwards: no delay, twice the depth, offline only."""
