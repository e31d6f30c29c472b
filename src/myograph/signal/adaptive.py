"""The double threshold that follows noise and effort as they change (demarchis2012)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.signal.chance import ExceedanceRule, count_rule
from myograph.signal.detection import Calibrated, Detection, TimedEdge
from myograph.signal.onset import DoubleThreshold

__all__ = ["AdaptiveDoubleThreshold"]

# Beyond these the best rule no longer changes.
_SNR_RANGE_DB = (0, 30)


@dataclass(frozen=True, kw_only=True)
class AdaptiveDoubleThreshold(DoubleThreshold):
    """`DoubleThreshold` whose noise and rule are learned anew as the signal comes in.

    After every block, the noise follows the energy of the pairs outside action, the effort that
    of the pairs inside, and the rule (how many pairs, how far) becomes the one that detects best
    at this ratio with the wanted false alarms.

    Parameters
    ----------
    window_ms : float
        What decides together; at least ``window`` pairs, however slow the sampling.
    update_ms : float
        Length of a block.
    memory : float
        Share of what was known that a block's own value replaces, above 0 and at most 1.
    window, needed, false_alarm, snr_db, order
        As in `DoubleThreshold`; ``needed`` is chosen anew with the ratio while it is 0.
    """

    name: ClassVar[str] = "adaptive-double-threshold"

    needed: int = 0
    false_alarm: float = 0.001
    window_ms: float = 50.0
    update_ms: float = 250.0
    memory: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.window_ms, name="window_ms")
        check_positive(self.update_ms, name="update_ms")
        if check_positive(self.memory, name="memory") > 1:
            raise ParameterError(f"memory must be above 0 and at most 1; got {self.memory!r}.")

    def calibrate(self, rest: ArrayLike, *, fs_hz: float) -> Calibrated:
        """Learn the whitening and the first noise level from rest."""
        pairs_per_ms = fs_hz / 2000
        spec = replace(self, window=max(self.window, round(self.window_ms * pairs_per_ms)))
        fixed = super(AdaptiveDoubleThreshold, spec).calibrate(rest, fs_hz=fs_hz)
        given = {name: getattr(fixed, name) for name in Calibrated.__slots__}
        block = max(spec.window, round(self.update_ms * pairs_per_ms))
        return _Adaptive(**given, rule_of=spec, block=block)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adaptive(Calibrated):
    rule_of: AdaptiveDoubleThreshold
    block: int

    def start(self, *, least_on_s: float = 0.03, least_off_s: float = 0.03) -> Detection:
        return _AdaptiveDetection(self, least_on_s=least_on_s, least_off_s=least_off_s)


class _AdaptiveDetection(Detection):
    """Advances block by block, on a grid that starts with the first sample."""

    __slots__ = ("_above", "_block", "_effort", "_noise", "_points", "_spec")

    def __init__(self, by: _Adaptive, *, least_on_s: float, least_off_s: float) -> None:
        super().__init__(by, least_on_s=least_on_s, least_off_s=least_off_s)
        self._spec, self._block = by.rule_of, by.block
        self._noise = by.threshold / self._spec.rule().excess
        self._effort = self._noise * (1 + 10 ** (self._spec.snr_db / 10))
        self._points = np.empty(0)  # of the present block
        self._above = np.empty(0, dtype=np.bool_)  # whether each ended a window above

    def _advance(self, points: NDArray[np.float64]) -> list[TimedEdge]:
        edges: list[TimedEdge] = []
        while len(points):
            piece = points[: self._block - len(self._points)]
            points = points[len(piece) :]
            held = np.concatenate([self._recent, piece])
            above = self._by.decide(held, self._by.threshold)[len(self._recent) :]
            edges += super()._advance(piece)
            self._points = np.concatenate([self._points, piece])
            self._above = np.concatenate([self._above, above])
            if len(self._points) == self._block:
                self._update()
        return edges

    def _update(self) -> None:
        """Follow the block that is complete, and start the next with the rule that fits it."""
        memory, spec = self._spec.memory, self._spec
        inside, outside = self._points[self._above], self._points[~self._above]
        self._points, self._above = self._points[:0], self._above[:0]
        if len(inside):
            self._effort += memory * (float(inside.mean()) - self._effort)
        # Within an epoch the pairs below the threshold are weak action, not noise.
        if len(outside) and not self._switch.on:
            self._noise += memory * (float(outside.mean()) - self._noise)
        ratio = max(self._effort / self._noise - 1, 1e-3)
        low, high = _SNR_RANGE_DB
        snr_db = min(max(round(10 * math.log10(ratio)), low), high)
        rule = _rule(spec.window, spec.false_alarm, snr_db, spec.needed)
        share = self._by.release / self._by.threshold
        level = self._noise * rule.excess
        self._by = replace(self._by, threshold=level, release=share * level, needed=rule.needed)


@lru_cache(maxsize=256)
def _rule(window: int, false_alarm: float, snr_db: int, needed: int) -> ExceedanceRule:
    return count_rule(window, false_alarm=false_alarm, snr_db=snr_db, needed=needed)
