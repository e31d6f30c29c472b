"""Clock: where in time the samples of a source lie, and which of them never came.

A source counts its samples, stamps them, or says nothing but that they are here. A `Timeline`
places them on a grid of sample numbers all the same, follows the drift of the source's clock, and
tells lost samples from late and doubled ones.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Literal, NamedTuple

from myograph.core.checks import check_positive
from myograph.stream.source import Chunk

__all__ = ["ClockFit", "Placed", "Timeline"]

# Time in which what was seen of a clock is half forgotten.
_MEMORY_S = 120.0
# Until a clock was watched for about so long, its rate is believed to be the nominal one.
_PRIOR_S = 20.0
# A counter that jumps by more than this began anew.
_RESTART_S = 60.0
# So many moments off the fit, one after the other, and the fit was wrong.
_STRANGE = 100
# Lost stretches that are remembered, to know a late packet from a doubled one.
_REMEMBERED = 256


class Placed(NamedTuple):
    """Where a chunk belongs.

    Parameters
    ----------
    first : int
        Number on the grid of the first new sample.
    skip : int
        Samples at the front of the chunk that are not new.
    lost : int
        Samples before it that never came.
    late : int
        How many of the skipped ones had been given up as lost; the others came twice.
    """

    first: int
    skip: int
    lost: int
    late: int


class ClockFit:
    """Follows a clock: its offset and its rate, by least squares with a fading memory.

    Parameters
    ----------
    memory_s : float
        Time constant of the memory.

    Examples
    --------
    >>> fit = ClockFit()
    >>> for second in range(600):
    ...     fit.add(float(second), 5.0 + second * 1.0001)
    >>> round(fit.drift_ppm), round(fit.at(600.0), 3)
    (99, 605.06)
    """

    def __init__(self, *, memory_s: float = _MEMORY_S) -> None:
        self._memory_s = check_positive(memory_s, name="memory_s")
        self._weight = self._slope = self._level = 0.0
        self._mean_x = self._mean_y = self._xx = self._xy = 0.0
        self._x = 0.0
        self._first_y = 0.0
        self.seen = 0

    def add(self, x_s: float, t_s: float) -> None:
        """Take it that the clock said ``t_s`` when ``x_s`` had passed."""
        if self.seen == 0:
            self._first_y = t_s - x_s
        fade = math.exp(-max(x_s - self._x, 0.0) / self._memory_s)
        y = t_s - x_s - self._first_y  # small numbers keep their digits
        self._xx *= fade
        self._xy *= fade
        kept = self._weight * fade
        self._weight = kept + 1.0
        dx, dy = x_s - self._mean_x, y - self._mean_y
        self._mean_x += dx / self._weight
        self._mean_y += dy / self._weight
        share = kept / self._weight
        self._xx += share * dx * dx
        self._xy += share * dx * dy
        self._x = x_s
        self.seen += 1

    def shift(self, seconds: float) -> None:
        """Take it that the clock was set forward by ``seconds``."""
        self._first_y += seconds

    @property
    def drift_ppm(self) -> float:
        """How much faster than nominal time passes on this clock, in parts per million."""
        return 1e6 * self._rate()

    def at(self, x_s: float) -> float:
        """Return what the clock says when ``x_s`` have passed."""
        return x_s + self._first_y + self._mean_y + self._rate() * (x_s - self._mean_x)

    def _rate(self) -> float:
        prior = _PRIOR_S**2 * min(self._weight, 50.0)
        return self._xy / (self._xx + prior) if self.seen > 1 else 0.0


class Timeline:
    """Places the chunks of one source on its grid of samples.

    Parameters
    ----------
    fs_hz : float
        Nominal sampling rate.
    timing : {"counted", "stamped", "arrival"}
        See `Source`.
    tolerance_s : float
        A deviation in time beyond this is lost samples, not jitter.

    Attributes
    ----------
    next : int
        Number of the next sample on the grid.
    lost, late, doubled : int
        Samples, in all.
    """

    def __init__(
        self,
        *,
        fs_hz: float,
        timing: Literal["counted", "stamped", "arrival"],
        tolerance_s: float,
    ) -> None:
        self._fs_hz = fs_hz
        self._timing = timing
        self._tolerance_s = check_positive(tolerance_s, name="tolerance_s")
        self._base: int | None = None  # of the device's counter, on the grid
        self._holes: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED)
        self._arrivals = ClockFit()
        self._stamps = ClockFit()
        self._latest_s = -math.inf
        self._last_arrival_s = 0.0
        self._resumed = False
        self.next = 0
        self.lost = self.late = self.doubled = 0
        self._jitter_s = 0.0
        self._strange = 0
        self.worst_jitter_s = 0.0

    def resume(self) -> None:
        """Take it that the connection was made anew: a counter may have begun anew, too."""
        self._resumed = True

    def place(self, chunk: Chunk) -> Placed:
        """Return where a chunk belongs, and move on behind it."""
        size = chunk.samples.shape[1]
        ahead = self._ahead(chunk, size)
        if self.next == 0:
            ahead = 0  # the grid begins with the first sample that comes
        lost, skip, late = max(ahead, 0), min(max(-ahead, 0), size), 0
        if skip:
            late = self._given_up(self.next + ahead, self.next + ahead + skip)
            self.late += late
            self.doubled += skip - late
        if lost:
            self._holes.append((self.next, self.next + lost))
            self.lost += lost
        first = self.next + lost
        self.next = first + size - skip
        if skip < size:
            self._learn(chunk)
        self._resumed = False
        return Placed(first, skip, lost, late)

    def due(self, now_s: float) -> int:
        """Return how many samples the grid should have by now, by the clock of arrivals."""
        if self._arrivals.seen == 0:
            return 0
        elapsed = now_s - self._last_arrival_s
        return self.next + max(0, int(elapsed * self._fs_hz))

    def local_s(self, number: int) -> float:
        """Return when sample ``number`` came or should come, on the clock of arrivals."""
        return self._arrivals.at(number / self._fs_hz)

    def to_dict(self) -> dict[str, Any]:
        """Return what was measured of the source's timing."""
        fit = self._stamps if self._stamps.seen else self._arrivals
        return {
            "samples": self.next,
            "lost": self.lost,
            "late": self.late,
            "doubled": self.doubled,
            "drift_ppm": round(fit.drift_ppm, 1),
            "jitter_ms": round(1e3 * self._jitter_s, 3),
            "worst_jitter_ms": round(1e3 * self.worst_jitter_s, 3),
        }

    def _ahead(self, chunk: Chunk, size: int) -> int:
        """Return how many samples are missing before the chunk; negative when it goes back."""
        if self._timing == "counted" and chunk.first >= 0:
            return self._ahead_by_count(chunk)
        return self._ahead_by_time(chunk, size)

    def _ahead_by_count(self, chunk: Chunk) -> int:
        if self._base is None:
            self._base = self.next - chunk.first
        ahead = chunk.first + self._base - self.next
        quiet_s = max(chunk.arrived_s - self._last_arrival_s, 0.0) if self._arrivals.seen else 0.0
        backwards = self._resumed and ahead < 0
        if backwards or abs(ahead) > (_RESTART_S + quiet_s) * self._fs_hz:
            missing = max(0, round(quiet_s * self._fs_hz) - chunk.samples.shape[1])
            self._base = self.next + missing - chunk.first
            return missing
        return ahead

    def _ahead_by_time(self, chunk: Chunk, size: int) -> int:
        fit, moment_s = self._clock(chunk)
        stamped = chunk.times_s is not None and self._timing != "arrival"
        if stamped and size and moment_s <= self._latest_s:
            times = chunk.times_s
            return -size if times is not None and times[-1] <= self._latest_s else 0
        if fit.seen == 0:
            return 0
        deviation_s = moment_s - fit.at((self.next + size - 1) / self._fs_hz)
        if deviation_s > self._tolerance_s:
            return round(deviation_s * self._fs_hz)
        if deviation_s < -self._tolerance_s:
            fit.shift(deviation_s)  # a stretch was given up that was only held up
        return 0

    def _clock(self, chunk: Chunk) -> tuple[ClockFit, float]:
        if self._timing == "arrival" or chunk.times_s is None:
            return self._arrivals, chunk.arrived_s
        return self._stamps, float(chunk.times_s[-1])

    def _learn(self, chunk: Chunk) -> None:
        last_s = (self.next - 1) / self._fs_hz
        fit, moment_s = self._clock(chunk)
        if fit.seen:
            off_s = abs(moment_s - fit.at(last_s))
            self._jitter_s += (off_s - self._jitter_s) / min(fit.seen, 200)
            self.worst_jitter_s = max(self.worst_jitter_s, off_s)
            # What was held up for long says nothing of the clock, unless it stays that way.
            self._strange = self._strange + 1 if off_s > self._tolerance_s else 0
        if not 0 < self._strange < _STRANGE:
            fit.add(last_s, moment_s)
        if fit is not self._arrivals:
            self._arrivals.add(last_s, chunk.arrived_s)
            self._latest_s = moment_s
        self._last_arrival_s = chunk.arrived_s

    def _given_up(self, start: int, stop: int) -> int:
        return sum(max(0, min(stop, b) - max(start, a)) for a, b in self._holes)
