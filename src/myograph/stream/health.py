"""Health: what an engine counted while it ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from myograph.stream.histogram import Stopwatch

__all__ = ["Health"]


@dataclass(slots=True)
class Health:
    """Counts and latencies of a stream.

    Parameters
    ----------
    fs_hz : float
    samples : int
        Samples of the grid that were measured.
    gap_samples, gaps : int
        Samples that were never measured, and in how many stretches.
    decided, abstained, dropped : int
        Windows that got a decision, that touch a gap, that came too late to be looked at.
    silent : int
        Abstentions while the source said nothing.
    non_finite : int
        Samples in which at least one channel was NaN or infinite.
    reconnections : int
    overrun : int
        Samples dropped because they came faster than they could be taken.
    withheld : dict
        Notices of each kind that were too many to be told.
    untold : dict
        Of each consumer that could not pass on everything, how much, and why if it is known.
    timing : dict
        What was measured of the source's timing, see `Timeline.to_dict`.
    stopwatch : Stopwatch
    window_ms, hop_ms : float
    """

    fs_hz: float = 0.0
    samples: int = 0
    gap_samples: int = 0
    gaps: int = 0
    decided: int = 0
    abstained: int = 0
    dropped: int = 0
    silent: int = 0
    non_finite: int = 0
    reconnections: int = 0
    overrun: int = 0
    withheld: dict[str, int] = field(default_factory=dict)
    untold: dict[str, str] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    window_ms: float = 0.0
    hop_ms: float = 0.0

    @property
    def controller_delay_ms(self) -> float:
        """Mean delay from a change in the muscle to the decision that shows it.

        Half a window, half a hop and the mean time to a decision (englehart2003).
        """
        total = self.stopwatch.stages["total"]
        compute_ms = 1e3 * total.mean_s if total.count else 0.0
        return self.window_ms / 2 + self.hop_ms / 2 + compute_ms

    @property
    def loss(self) -> float:
        """Share of the grid's samples that were never measured."""
        whole = self.samples + self.gap_samples
        return self.gap_samples / whole if whole else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "samples": self.samples,
            "gap_samples": self.gap_samples,
            "gaps": self.gaps,
            "loss": self.loss,
            "decided": self.decided,
            "abstained": self.abstained,
            "dropped": self.dropped,
            "silent": self.silent,
            "non_finite": self.non_finite,
            "reconnections": self.reconnections,
            "overrun": self.overrun,
            "withheld": dict(self.withheld),
            "untold": dict(self.untold),
            "timing": dict(self.timing),
            "latency": self.stopwatch.to_dict(),
            "window_ms": self.window_ms,
            "hop_ms": self.hop_ms,
            "controller_delay_ms": self.controller_delay_ms,
        }
