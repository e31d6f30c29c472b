"""The shape of windows, which networks are built for."""

from __future__ import annotations

from dataclasses import dataclass

from myograph.core.errors import DataError

__all__ = ["Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a network is built for.

    Parameters
    ----------
    n_channels, n_samples : int
        Of a window.
    fs_hz : float
        Samples per second.
    n_outputs : int
        Classes, or 1 for a value.

    Examples
    --------
    >>> Shape(8, 60, 200.0, 7).samples(25.0)
    5
    """

    n_channels: int
    n_samples: int
    fs_hz: float
    n_outputs: int

    def samples(self, length_ms: float) -> int:
        """Return how many samples a length is, at least 1."""
        return max(1, round(length_ms * self.fs_hz / 1000))

    def require(self, least: int, *, by: str) -> None:
        """Refuse windows of fewer than ``least`` samples.

        Raises
        ------
        DataError
        """
        if self.n_samples < least:
            ms = 1000 / self.fs_hz
            raise DataError(
                f"Windows of {self.n_samples} samples ({self.n_samples * ms:g} ms at "
                f"{self.fs_hz:g} Hz) are too short for {by}, which needs {least} "
                f"({least * ms:g} ms). Lengthen the windows (windowing.length_ms), or take a "
                "smaller depth."
            )
