"""What a body can have: the implausible warns with the range, the impossible is refused."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any, NamedTuple

from myograph.core.errors import ParameterError

__all__ = ["PhysiologyWarning", "Range", "check_ranges", "outside_level"]


class PhysiologyWarning(UserWarning):
    """A simulated value lies outside what is measured in people, sick ones included."""


class Range(NamedTuple):
    """What is plausible and what is possible.

    Parameters
    ----------
    low, high : float
        Range measured in people; outside it a `PhysiologyWarning` is given.
    unit : str
        Unit, for the message.
    least, most : float
        Beyond these the model has no meaning: a `ParameterError`.

    Examples
    --------
    >>> Range(3.0, 6.0, "m/s").check(4.0, name="velocity_m_s")
    4.0
    """

    low: float
    high: float
    unit: str = ""
    least: float = 0.0
    most: float = math.inf

    def check(self, value: float, *, name: str) -> float:
        """Return ``value``; warn when implausible, refuse when impossible."""
        unit = f" {self.unit}" if self.unit else ""
        number = _number(value, name=name)
        if not self.least <= number <= self.most:
            most = "" if math.isinf(self.most) else f" and at most {self.most:g}"
            raise ParameterError(
                f"{name} must be at least {self.least:g}{most}{unit}; got {value!r}. "
                f"People have {self.low:g} to {self.high:g}{unit}."
            )
        if not self.low <= number <= self.high:
            warnings.warn(
                f"{name}={number:g}{unit} lies outside what is measured in people "
                f"({self.low:g} to {self.high:g}{unit}); the simulation goes on with it.",
                PhysiologyWarning,
                stacklevel=outside_level(),
            )
        return number


def check_ranges(owner: Any, ranges: dict[str, Range]) -> None:
    """Check the named fields of ``owner`` against their ranges."""
    for name, allowed in ranges.items():
        allowed.check(getattr(owner, name), name=name)


def outside_level() -> int:
    """Return the ``stacklevel`` at which a warning names the line that called Myograph."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("myograph."):
        level, frame = level + 1, frame.f_back
    return level


def _number(value: Any, *, name: str) -> float:
    if isinstance(value, bool | str):
        raise ParameterError(f"{name} must be a number; got {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must be a number; got {value!r}.") from error
    if not math.isfinite(number):
        raise ParameterError(f"{name} must be finite; got {value!r}.")
    return number
