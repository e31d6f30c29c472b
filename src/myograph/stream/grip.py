"""Grip: how hard a hand closes, from what the person wants and what the fingers feel.

`ClosedLoopGrip` closes gently until it touches, holds a force instead of a position, and grips
harder the moment something slides, as fingers do [johansson1984]_. `OpenLoopGrip` is the
conventional hand: the command is the speed of closing, and without one the fingers stay where they
are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.stream.hand import HandReading

__all__ = ["ClosedLoopGrip", "Grip", "GripSettings", "OpenLoopGrip"]


class Grip(Protocol):
    """What turns a command and the sensors into a speed of closing."""

    def push(self, command: float, reading: HandReading, step_s: float) -> float:
        """Return the speed of closing, m/s, for a command from -1 (open) to 1 (close)."""
        ...

    def reset(self) -> None:
        """Start anew with an empty hand."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GripSettings:
    """How the closed loop behaves.

    Parameters
    ----------
    approach_m_s : float
        Speed of closing and opening at full command.
    touch_m_s : float
        Fastest closing allowed at a touch, however strong the command.
    rise_n_s : float
        Fastest rise of force on something soft, which needs more speed than a touch.
    touch_n : float
        Force that means contact, and that is held at first.
    squeeze_n_s : float
        How fast a full command raises the held force.
    gentle_n : float
        A command raises the held force no further, until something slid: the eye misjudges.
    reflex_ratio, reflex_n : float
        A slide raises the aim by this factor and this force.
    reflex_s : float
        Time between two rises.
    rate_per_s : float
        How fast the loop closes a difference of force.
    most_n : float
        Never gripped harder.
    """

    approach_m_s: float = 0.05
    touch_m_s: float = 0.03
    rise_n_s: float = 30.0
    touch_n: float = 0.5
    squeeze_n_s: float = 3.0
    gentle_n: float = 4.0
    reflex_ratio: float = 1.15
    reflex_n: float = 0.2
    reflex_s: float = 0.03
    rate_per_s: float = 20.0
    most_n: float = 40.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_positive(getattr(self, name), name=name)


class ClosedLoopGrip:
    """Force control with a slip reflex.

    The stiffness of what is held is learned from how force rises while the fingers close, so that
    a stiff object is not squeezed by the speed that a soft one needs.

    Parameters
    ----------
    settings : GripSettings, optional
    """

    def __init__(self, settings: GripSettings | None = None) -> None:
        self.settings = settings or GripSettings()
        self.reset()

    def reset(self) -> None:
        """Start anew with an empty hand."""
        self.target_n: float | None = None
        self._stiffness_n_m = _STIFF_N_M
        self._since_reflex_s = 0.0
        self._slid = False
        self._touched: tuple[float, float] | None = None

    def push(self, command: float, reading: HandReading, step_s: float) -> float:
        """Return the speed of closing, m/s.

        Parameters
        ----------
        command : float
            -1 (open) to 1 (close).
        reading : HandReading
        step_s : float
            Since the last reading.

        Raises
        ------
        DataError
            If the command is outside its range.
        """
        if not -1 <= command <= 1:
            raise DataError(f"A grip command must be from -1 to 1; got {command!r}.")
        settings = self.settings
        if command < 0:  # opening is never argued with
            self.reset()
            return settings.approach_m_s * command * _OPENING
        if self.target_n is None:
            if reading.force_n < settings.touch_n:
                return min(settings.approach_m_s * command, settings.touch_m_s)
            self.target_n = settings.touch_n
            self._touched = (reading.aperture_m, reading.force_n)
        self._learn(reading)
        self._aim(command, reading, step_s)
        missing = self.target_n - reading.force_n
        speed = settings.rate_per_s * missing / self._stiffness_n_m
        most = max(settings.touch_m_s, settings.rise_n_s / self._stiffness_n_m)
        return min(max(speed, -most), most)

    def _aim(self, command: float, reading: HandReading, step_s: float) -> None:
        settings = self.settings
        target = self.target_n or 0.0
        if self._slid or target < settings.gentle_n:
            target += settings.squeeze_n_s * command * step_s
        self._slid |= reading.slipping
        self._since_reflex_s += step_s
        if reading.slipping and self._since_reflex_s >= settings.reflex_s:
            raised = max(target, reading.force_n) * settings.reflex_ratio + settings.reflex_n
            # Not far beyond the force that is there: an aim that runs ahead crushes.
            target = max(target, min(raised, reading.force_n * _LEAD + _LEAD_N))
            self._since_reflex_s = 0.0
        self.target_n = min(target, settings.most_n)

    def _learn(self, reading: HandReading) -> None:
        if self._touched is None:
            return
        aperture_m, force_n = self._touched
        closed_m = aperture_m - reading.aperture_m
        if abs(closed_m) >= _ENOUGH_M:
            seen = (reading.force_n - force_n) / closed_m
            self._stiffness_n_m = min(max(seen, _SOFT_N_M), _STIFF_N_M)


class OpenLoopGrip:
    """The conventional hand: a command is a speed, no command keeps the fingers where they are.

    Parameters
    ----------
    top_m_s : float
        Speed at full command.
    """

    def __init__(self, *, top_m_s: float = 0.05) -> None:
        self.top_m_s = check_positive(top_m_s, name="top_m_s")

    def push(self, command: float, reading: HandReading, step_s: float) -> float:
        """Return the speed of closing, m/s; what the sensors say is not used."""
        del reading, step_s
        return self.top_m_s * command

    def reset(self) -> None:
        """Nothing is remembered."""


# Between these the stiffness is believed; the stiffest is assumed until something was learned.
_SOFT_N_M, _STIFF_N_M = 100.0, 4000.0

# How far the aim may lead the force that is there.
_LEAD, _LEAD_N = 1.3, 0.6

# Compression from which force over way is more than the sensor's noise.
_ENOUGH_M = 0.0005

# The hand opens faster than it closes: letting go must be quick.
_OPENING = 1.6
