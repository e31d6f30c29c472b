"""Descending drive: the excitation of each muscle's pool in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event

__all__ = ["Drive"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """Excitation of one or more muscles.

    Parameters
    ----------
    excitation : ndarray, shape (n_muscles, n_t)
        Fraction of the healthy maximum; 0 or more.
    fs_hz : float
        Rate of the excitation, Hz (the control rate).
    muscles : tuple of str
        Names, one per row.
    events : tuple of Event
        What the person was doing: contractions, gestures, steps.
    """

    excitation: Floats
    fs_hz: float
    muscles: tuple[str, ...] = ("muscle",)
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        excitation = np.atleast_2d(np.array(self.excitation, float))
        if excitation.ndim != 2 or excitation.size == 0 or not np.isfinite(excitation).all():
            raise DataError(
                "excitation must be finite, of shape (n_muscles, n_t) and not empty; got shape "
                f"{excitation.shape}."
            )
        if excitation.min() < 0:
            raise DataError(f"excitation must be 0 or more; the lowest is {excitation.min():g}.")
        excitation.flags.writeable = False
        object.__setattr__(self, "excitation", excitation)
        object.__setattr__(self, "fs_hz", check_positive(self.fs_hz, name="fs_hz"))
        object.__setattr__(self, "muscles", tuple(self.muscles))
        object.__setattr__(self, "events", tuple(sorted(self.events)))
        if len(self.muscles) != len(excitation) or len(set(self.muscles)) != len(self.muscles):
            raise DataError(
                f"{len(excitation)} rows of excitation need as many different muscle names; "
                f"got {list(self.muscles)}."
            )

    @property
    def n_muscles(self) -> int:
        """Number of muscles."""
        return len(self.excitation)

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.excitation.shape[1] / self.fs_hz

    @property
    def time_s(self) -> Floats:
        """Time of each sample, shape (n_t,), seconds."""
        return np.arange(self.excitation.shape[1]) / self.fs_hz

    def of(self, muscle: str | int) -> Floats:
        """Return the excitation of a muscle, by name or row, shape (n_t,)."""
        if isinstance(muscle, str):
            if muscle not in self.muscles:
                raise ParameterError(unknown_name(muscle, self.muscles, what="muscle"))
            return self.excitation[self.muscles.index(muscle)]
        return self.excitation[muscle]
