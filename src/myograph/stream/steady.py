"""Steady: smoothing of continuous commands, sample by sample and without looking ahead."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError

__all__ = ["DeadBand", "KalmanSmoother", "OneEuro", "RateLimit", "Steady"]

Floats = NDArray[np.float64]


class Steady:
    """What every smoother does: values of all degrees of freedom in, the same number out.

    Parameters
    ----------
    size : int
        Values per push.
    """

    def __init__(self, size: int) -> None:
        self.size = check_count(size, name="size")
        self._last_s: float | None = None

    def push(self, values: ArrayLike, time_s: float) -> Floats:
        """Take the newest values (size,) measured at ``time_s``.

        Raises
        ------
        DataError
            If values are not finite or of another number, or time does not go on.
        """
        array = np.asarray(values, dtype=np.float64)
        if array.shape != (self.size,) or not np.isfinite(array).all():
            raise DataError(f"A smoother of {self.size} takes as many finite values; got {array}.")
        if self._last_s is None:
            self._last_s = time_s
            return self._first(array)
        step_s = time_s - self._last_s
        if not step_s > 0:
            raise DataError(
                f"Values at {time_s:g} s came after those at {self._last_s:g} s; time goes on "
                "(reset() starts a new stream)."
            )
        self._last_s = time_s
        return self._next(array, step_s)

    def reset(self) -> None:
        """Start a new stream."""
        self._last_s = None

    def _first(self, values: Floats) -> Floats:
        raise NotImplementedError

    def _next(self, values: Floats, step_s: float) -> Floats:
        raise NotImplementedError


class OneEuro(Steady):
    """A low-pass whose cut-off rises with speed: steady at rest, quick in motion [casiez2012]_.

    Parameters
    ----------
    size : int
    least_hz : float
        Cut-off at rest: lower is steadier.
    speed_gain : float
        Hertz of cut-off per unit of speed: higher lags less.
    derivative_hz : float
        Cut-off of the speed's own low-pass.

    Examples
    --------
    >>> euro = OneEuro(1, least_hz=1.0, speed_gain=0.0)
    >>> [round(float(euro.push([v], t / 10)[0]), 3) for t, v in enumerate([0, 1, 1])]
    [0.0, 0.386, 0.623]
    """

    def __init__(
        self,
        size: int,
        *,
        least_hz: float = 1.0,
        speed_gain: float = 0.5,
        derivative_hz: float = 1.0,
    ) -> None:
        super().__init__(size)
        self.least_hz = check_positive(least_hz, name="least_hz")
        self.speed_gain = check_non_negative(speed_gain, name="speed_gain")
        self.derivative_hz = check_positive(derivative_hz, name="derivative_hz")
        self._value = self._speed = np.zeros(size)

    def _first(self, values: Floats) -> Floats:
        self._value, self._speed = values.copy(), np.zeros(self.size)
        return values.copy()

    def _next(self, values: Floats, step_s: float) -> Floats:
        speed = (values - self._value) / step_s
        self._speed = self._speed + _weight(self.derivative_hz, step_s) * (speed - self._speed)
        cutoff_hz = self.least_hz + self.speed_gain * np.abs(self._speed)
        self._value = self._value + _weight(cutoff_hz, step_s) * (values - self._value)
        return self._value.copy()


class KalmanSmoother(Steady):
    """Value and speed of each degree of freedom from noisy values [kalman1960]_.

    The model: speed changes by white acceleration. For regular steps its gain settles, so that it
    is a fixed filter with a stated trade between noise and lag.

    Parameters
    ----------
    size : int
    acceleration : float
        Standard deviation of the acceleration, units / s² per root hertz.
    noise : float
        Standard deviation of one value.
    """

    def __init__(self, size: int, *, acceleration: float = 5.0, noise: float = 0.1) -> None:
        super().__init__(size)
        self.acceleration = check_positive(acceleration, name="acceleration")
        self.noise = check_positive(noise, name="noise")
        self._state = np.zeros((2, size))
        self._spread = np.zeros((2, 2))

    def _first(self, values: Floats) -> Floats:
        self._state = np.stack([values, np.zeros(self.size)])
        # One value says where, and nothing about how fast.
        self._spread = np.diag([self.noise**2, (100 * self.noise) ** 2])
        return values.copy()

    def _next(self, values: Floats, step_s: float) -> Floats:
        move = np.array([[1.0, step_s], [0.0, 1.0]])
        drift = np.array([[step_s**3 / 3, step_s**2 / 2], [step_s**2 / 2, step_s]])
        state = move @ self._state
        spread = move @ self._spread @ move.T + self.acceleration**2 * drift
        gain = spread[:, 0] / (spread[0, 0] + self.noise**2)
        self._state = state + np.outer(gain, values - state[0])
        self._spread = spread - np.outer(gain, spread[0])
        return np.array(self._state[0])


class DeadBand(Steady):
    """Small values are nothing, and what is beyond starts from nothing: no step at the edge.

    Parameters
    ----------
    size : int
    width : float
        From 0 to below 1: values are fractions of full speed.
    """

    def __init__(self, size: int, *, width: float) -> None:
        super().__init__(size)
        if not 0 <= width < 1:
            raise ParameterError(f"width must be from 0 to below 1; got {width!r}.")
        self.width = float(width)

    def _first(self, values: Floats) -> Floats:
        beyond = np.maximum(np.abs(values) - self.width, 0) / (1 - self.width)
        return np.asarray(np.copysign(beyond, values))

    def _next(self, values: Floats, step_s: float) -> Floats:
        return self._first(values)


class RateLimit(Steady):
    """Values change no faster than this; falling to zero may be quicker than rising.

    Parameters
    ----------
    size : int
    rise_per_s, fall_per_s : float
        Units per second away from zero, and towards it.
    """

    def __init__(self, size: int, *, rise_per_s: float, fall_per_s: float) -> None:
        super().__init__(size)
        self.rise_per_s = check_positive(rise_per_s, name="rise_per_s")
        self.fall_per_s = check_positive(fall_per_s, name="fall_per_s")
        self._value = np.zeros(size)

    def _first(self, values: Floats) -> Floats:
        self._value = np.zeros(self.size)  # what moves starts from rest
        return self._value.copy()

    def _next(self, values: Floats, step_s: float) -> Floats:
        for k, (now, wanted) in enumerate(zip(self._value, values, strict=True)):
            self._value[k] = self._one(float(now), float(wanted), step_s)
        return self._value.copy()

    def _one(self, now: float, wanted: float, left_s: float) -> float:
        # A reversal falls to zero first, and rises in the time that is left.
        floor = wanted if now * wanted > 0 and abs(wanted) < abs(now) else 0.0
        falls = now * wanted < 0 or abs(wanted) < abs(now)
        if falls:
            needed_s = abs(now - floor) / self.fall_per_s
            if needed_s >= left_s:
                return now - math.copysign(self.fall_per_s * left_s, now)
            now, left_s = floor, left_s - needed_s
        change = min(abs(wanted - now), self.rise_per_s * left_s)
        return now + math.copysign(change, wanted - now)


def _weight(cutoff_hz: Floats | float, step_s: float) -> Floats:
    """Return the weight of the newest value in a first-order low-pass."""
    turn = 2 * np.pi * np.asarray(cutoff_hz) * step_s
    return turn / (turn + 1)
