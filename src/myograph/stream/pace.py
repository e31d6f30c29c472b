"""Pace: whether samples come at the rate that their source says."""

from __future__ import annotations

from myograph.core.checks import check_positive

__all__ = ["Pace"]

# Off by this share, in so many looks one after the other. No clock drifts so far; what was held up
# for a while comes in a burst, once.
_OFF, _LOOKS = 0.1, 5


class Pace:
    """Compares what came between two looks with what should have.

    Parameters
    ----------
    fs_hz : float
        What the source says.

    Examples
    --------
    >>> pace = Pace(1000.0)
    >>> [pace.look(2000 * second, float(second)) for second in range(8)]
    [False, False, False, False, False, True, False, False]
    >>> pace.rate_hz
    2000.0
    """

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = check_positive(fs_hz, name="fs_hz")
        self._last: tuple[int, float] | None = None
        self._side = self._count = 0
        #: Samples a second between the two newest looks.
        self.rate_hz = fs_hz

    def look(self, samples: int, moment_s: float) -> bool:
        """Take how many samples of the grid have passed; True once when their rate is another."""
        last, self._last = self._last, (samples, moment_s)
        if last is None or moment_s <= last[1]:
            return False
        self.rate_hz = (samples - last[0]) / (moment_s - last[1])
        share = self.rate_hz / self._fs_hz - 1
        side = 0 if abs(share) < _OFF else 1 if share > 0 else -1
        self._count = self._count + 1 if side == self._side else 1
        self._side = side
        return side != 0 and self._count == _LOOKS
