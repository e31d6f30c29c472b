"""Take the mains out of a recording: three ways, each honest about what it costs.

``subtract-mains`` follows the mains and subtracts it (causal; the first choice),
``interpolate-mains`` lowers its lines in the spectrum (offline), and ``conditional-notch`` notches
only the channels and only the times in which the mains stands out (causal). None of them touches a
recording that has no mains. The plain ``notch`` always cuts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import BIOPOTENTIALS, KIND_UNITS, MUSCLE_KINDS, Layout
from myograph.core.recording import Recording
from myograph.core.step import OfflineStep, Step, register_step
from myograph.signal.filters import CausalFilter, design_notch
from myograph.signal.mains import MAINS_HZ, Mains, detect_mains, interpolate_lines, line_excess
from myograph.signal.sine_tracker import SineTracker
from myograph.signal.spectrum import periodogram

__all__ = ["ConditionalNotch", "InterpolateMains", "OnKinds", "SubtractMains", "find_mains"]

# Over how many seconds the share of mains is averaged before a notch is switched, and how long
# the switching takes.
_MEMORY_S = 4
_FADE_S = 0.25


def find_mains(recording: Recording, *, candidates_hz: Sequence[float] = MAINS_HZ) -> Mains:
    """Find the mains in the voltages of a recording; see `myograph.signal.mains.detect_mains`.

    Raises
    ------
    LayoutError
        If no channel is a voltage on the body.
    DataError
        If the recording is too short or too slow to tell.
    """
    voltages = recording.select(kinds=BIOPOTENTIALS)
    return detect_mains(voltages.samples, fs_hz=recording.fs_hz, candidates_hz=candidates_hz)


class OnKinds:
    """What steps share that clean some kinds of channel: which ones they touch."""

    name: str
    kinds: tuple[str, ...]

    def _check_kinds(self) -> None:
        if isinstance(self.kinds, str) or not self.kinds:
            raise ParameterError(
                f"kinds of step {self.name!r} must list at least one channel kind, "
                f"for example ('semg',); got {self.kinds!r}."
            )
        object.__setattr__(self, "kinds", tuple(self.kinds))
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name=f"kinds of step {self.name!r}")

    def _rows(self, layout: Layout) -> list[int]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step {self.name!r} works on channels of kinds {list(self.kinds)}; there are "
                f"only {present}."
            )
        return list(rows)


@register_step("subtract-mains")
@dataclass(frozen=True)
class SubtractMains(OnKinds, Step):
    """Follow the mains and subtract it: causal, and the muscle activity at 50 Hz stays.

    Frequency (shared by all channels), amplitudes and phases are learned from the stream, mostly
    while the muscle is quiet; the first second passes as it is, and after about four the mains is
    down by 30 dB or more. Where there is no mains nothing is subtracted. It cannot follow mains
    whose amplitude changes within a second, as with a moving cable.

    Parameters
    ----------
    frequency_hz : float
        Nominal mains frequency, 50 or 60 (`find_mains` tells); the real one may be 0.45 Hz away.
    harmonics : int
        How many multiples, the fundamental included, as far as the sampling rate holds them.
    learn_s : float
        Time constant of the amplitudes, in seconds of rest.
    kinds : tuple of str
        Kinds of the channels to clean.

    Examples
    --------
    >>> SubtractMains(50.0).to_dict()["harmonics"]
    5
    """

    frequency_hz: float
    harmonics: int = 5
    learn_s: float = 4.0
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        check_positive(self.frequency_hz, name="frequency_hz")
        check_positive(self.learn_s, name="learn_s")
        check_count(self.harmonics, name="harmonics")
        self._check_kinds()

    def start(self, layout: Layout) -> _OnRows:
        """Return a fresh state for streams of this layout."""
        rows = self._rows(layout)
        tracker = SineTracker(
            self.frequency_hz,
            harmonics=self.harmonics,
            learn_s=self.learn_s,
            fs_hz=layout.fs_hz,
            n_channels=len(rows),
        )
        return _OnRows(tracker, rows, layout.n_channels)


@register_step("conditional-notch")
@dataclass(frozen=True)
class ConditionalNotch(OnKinds, Step):
    """Notch a channel while, and only while, the mains stands out in it: causal.

    Every second the share of power in the mains lines, above what the spectrum around them
    predicts, is averaged over the last four. Beyond ``threshold`` the notches fade in within a
    quarter of a second; below half of it they fade out.

    Parameters
    ----------
    frequency_hz : float
        Nominal mains frequency.
    harmonics : int
        How many notches, as far as the sampling rate holds them.
    quality : float
        Centre over -3 dB width of each notch.
    threshold : float
        Share of power, 0 to 1, from which on a channel is notched.
    kinds : tuple of str
        Kinds of the channels to clean.
    """

    frequency_hz: float
    harmonics: int = 5
    quality: float = 30.0
    threshold: float = 0.05
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        for name in ("frequency_hz", "quality", "threshold"):
            check_positive(getattr(self, name), name=name)
        if self.threshold >= 1:
            raise ParameterError(
                f"threshold is a share of the power and must be below 1; got {self.threshold:g}."
            )
        check_count(self.harmonics, name="harmonics")
        self._check_kinds()

    def start(self, layout: Layout) -> _OnRows:
        """Design the notches for ``layout`` and return a fresh state."""
        rows = self._rows(layout)
        fits = min(self.harmonics, max(1, int(0.49 * layout.fs_hz / self.frequency_hz)))
        sections = design_notch(
            self.frequency_hz, quality=self.quality, harmonics=fits, fs_hz=layout.fs_hz
        )
        switch = _Switch(self.frequency_hz, self.threshold, layout.fs_hz, len(rows))
        state = _SwitchedNotch(CausalFilter(sections, n_channels=len(rows)), switch)
        return _OnRows(state, rows, layout.n_channels)


@register_step("interpolate-mains")
@dataclass(frozen=True)
class InterpolateMains(OnKinds, OfflineStep):
    """Lower the mains lines to what the spectrum beside them predicts: offline.

    Spectrum interpolation (mewett2004); see `myograph.signal.mains.interpolate_lines`.

    Parameters
    ----------
    frequency_hz : float
        Nominal mains frequency. The line's own frequency is found first, where it stands out.
    harmonics : int
        How many multiples, as far as the sampling rate holds them.
    half_width_hz : float
        How far from a multiple the line may reach.
    kinds : tuple of str
        Kinds of the channels to clean.
    """

    frequency_hz: float
    harmonics: int = 5
    half_width_hz: float = 0.6
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        check_positive(self.frequency_hz, name="frequency_hz")
        check_positive(self.half_width_hz, name="half_width_hz")
        check_count(self.harmonics, name="harmonics")
        self._check_kinds()

    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return the samples without the lines; channels of other kinds pass unchanged."""
        rows = self._rows(layout)
        where_hz = self.frequency_hz
        if samples.shape[1] >= 2 * layout.fs_hz and where_hz + 1 < layout.fs_hz / 2:
            found = detect_mains(samples[rows], fs_hz=layout.fs_hz, candidates_hz=(where_hz,))
            where_hz = found.frequency_hz
        out = samples.copy()
        out[rows] = interpolate_lines(
            samples[rows],
            fs_hz=layout.fs_hz,
            mains_hz=where_hz,
            harmonics=self.harmonics,
            half_width_hz=self.half_width_hz,
        )
        return out


class _OnRows:
    """Runs a state on some rows of each chunk and passes the others on."""

    __slots__ = ("_n_channels", "_rows", "_state")

    def __init__(
        self, state: SineTracker | _SwitchedNotch, rows: list[int], n_channels: int
    ) -> None:
        self._state = state
        self._rows = rows
        self._n_channels = n_channels

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the cleaned chunk, shape (n_channels, n_new)."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        out = chunk.astype(np.float32)
        out[self._rows] = self._state.push(chunk[self._rows])
        return out


class _SwitchedNotch:
    """A notch that is mixed in per channel, as the switch says."""

    __slots__ = ("_notch", "_switch")

    def __init__(self, notch: CausalFilter, switch: _Switch) -> None:
        self._notch = notch
        self._switch = switch

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        notched = self._notch.push(chunk)
        share = self._switch.push(chunk)
        mixed: NDArray[np.float32] = chunk + share * (notched - chunk)
        return mixed


class _Switch:
    """Says for every sample how much of the notch to use, 0 to 1, from the seconds before it."""

    __slots__ = (
        "_excess",
        "_fade",
        "_filled",
        "_fs_hz",
        "_mains_hz",
        "_on",
        "_second",
        "_share",
        "_threshold",
    )

    def __init__(self, mains_hz: float, threshold: float, fs_hz: float, n_channels: int) -> None:
        self._mains_hz, self._threshold, self._fs_hz = mains_hz, threshold, fs_hz
        self._second = np.zeros((n_channels, max(2, round(fs_hz))), dtype=np.float32)
        self._filled = 0
        self._excess: list[NDArray[np.float64]] = []
        self._on = np.zeros(n_channels, dtype=np.bool_)
        self._share = np.zeros(n_channels)
        self._fade = 1 / max(1, round(_FADE_S * fs_hz))

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the shares, shape (n_channels, n_new)."""
        shares = np.empty(chunk.shape, dtype=np.float32)
        done, length = 0, self._second.shape[1]
        while done < chunk.shape[1]:
            count = min(length - self._filled, chunk.shape[1] - done)
            part = slice(done, done + count)
            self._second[:, self._filled : self._filled + count] = chunk[:, part]
            shares[:, part] = self._ramp(count)
            self._filled += count
            done += count
            if self._filled == length:
                self._decide()
        return shares

    def _ramp(self, count: int) -> NDArray[np.float64]:
        # Counted from the start of the second, so that chunks do not matter.
        steps = self._fade * np.arange(self._filled + 1, self._filled + count + 1)
        wanted = self._on.astype(np.float64)[:, None]
        way = wanted - self._share[:, None]
        ramp: NDArray[np.float64] = self._share[:, None] + way * np.minimum(steps, 1.0)
        return ramp

    def _decide(self) -> None:
        self._share = self._on.astype(np.float64)
        self._filled = 0
        frequencies_hz, density = periodogram(self._second, fs_hz=self._fs_hz)
        now = np.nan_to_num(line_excess(frequencies_hz, density, mains_hz=self._mains_hz))
        self._excess = [now, *self._excess][:_MEMORY_S]
        mean = np.mean(self._excess, axis=0)
        self._on = mean > np.where(self._on, 0.5, 1.0) * self._threshold
