"""Dial: one thing that may be tuned, and between which values. A search space is some of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from myograph.core.errors import ParameterError

__all__ = ["Dial", "choice", "parse_dial", "real", "whole"]

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Dial:
    """A parameter with the values it may take.

    Parameters
    ----------
    name : str
        The parameter; in a pipeline its key path, ``model.params.cost``.
    kind : str
        ``"real"``, ``"whole"`` or ``"choice"``.
    low, high : float or int, optional
        Both ends belong to the range.
    log : bool
        Search the logarithm: for parameters that matter by factors.
    choices : tuple
        Of a choice.
    when : str
        Name of the model that has this parameter, where several models are searched.

    Examples
    --------
    >>> real("cost", 0.01, 100.0, log=True)
    Dial(name='cost', kind='real', low=0.01, high=100.0, log=True, choices=(), when='')
    """

    name: str
    kind: Literal["real", "whole", "choice"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[Value, ...] = ()
    when: str = ""

    def __post_init__(self) -> None:
        if self.kind == "choice":
            if len(set(self.choices)) < 2:
                raise ParameterError(
                    f"A choice needs two different values or more; {self.name!r} has "
                    f"{list(self.choices)}."
                )
            return
        low, high = self.low, self.high
        if low is None or high is None or not (math.isfinite(low) and low < high < math.inf):
            raise ParameterError(
                f"The range of {self.name!r} must go from a lower to a higher number; got "
                f"{low!r} to {high!r}."
            )
        if self.log and low <= 0:
            raise ParameterError(
                f"The range of {self.name!r} is searched by factors (log), so it must begin above "
                f"0; got {low!r}."
            )

    @property
    def first(self) -> Value:
        """A value that lies in the space."""
        if self.kind == "choice":
            return self.choices[0]
        return int(self.low or 0) if self.kind == "whole" else float(self.low or 0.0)

    def __contains__(self, value: object) -> bool:
        """Say whether the dial can be set to ``value``."""
        if self.kind == "choice":
            return value in self.choices
        number = isinstance(value, int if self.kind == "whole" else int | float)
        return number and float(self.low or 0) <= float(value) <= float(self.high or 0)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """Return the dial as plain JSON-able data."""
        return {**asdict(self), "choices": list(self.choices)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Dial:
        """Rebuild a dial from what `to_dict` gave."""
        return cls(**{**data, "choices": tuple(data["choices"])})

    def __str__(self) -> str:
        """Read as it is written on a command line."""
        where = f"[{self.when}] " if self.when else ""
        if self.kind == "choice":
            return f"{where}{self.name}={','.join(map(_said, self.choices))}"
        return f"{where}{self.name}={self.low:g}..{self.high:g}{':log' if self.log else ''}"


def real(name: str, low: float, high: float, *, log: bool = False) -> Dial:
    """Return a dial for a real number from ``low`` to ``high``."""
    return Dial(name, "real", float(low), float(high), log)


def whole(name: str, low: int, high: int, *, log: bool = False) -> Dial:
    """Return a dial for a whole number from ``low`` to ``high``."""
    return Dial(name, "whole", int(low), int(high), log)


def choice(name: str, *choices: Value) -> Dial:
    """Return a dial for one of ``choices``."""
    return Dial(name, "choice", choices=choices)


def parse_dial(text: str) -> Dial:
    """Read a dial as people type it: ``name=0.01..100:log``, ``name=1..20`` or ``name=a,b,c``.

    Raises
    ------
    ParameterError
        If it cannot be read.

    Examples
    --------
    >>> str(parse_dial("model.params.cost=0.01..100:log"))
    'model.params.cost=0.01..100:log'
    >>> parse_dial("scaling=none,standard").choices
    ('none', 'standard')
    """
    name, equals, told = text.partition("=")
    name, told = name.strip(), told.strip()
    if not equals or not name or not told:
        raise ParameterError(
            f"{text!r} is not something to search; write NAME=LOW..HIGH, NAME=LOW..HIGH:log or "
            "NAME=ONE,TWO,..."
        )
    span, _, how = told.partition(":")
    ends = span.split("..")
    if len(ends) == 2 and how in ("", "log"):
        low, high = (_number(end) for end in ends)
        if isinstance(low, str) or isinstance(high, str):
            raise ParameterError(f"The range of {name!r} must be two numbers; got {span!r}.")
        both_whole = isinstance(low, int) and isinstance(high, int)
        return Dial(name, "whole" if both_whole else "real", low, high, how == "log")
    return Dial(name, "choice", choices=tuple(_value(each.strip()) for each in told.split(",")))


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _value(text: str) -> Value:
    return {"true": True, "false": False}.get(text.lower(), _number(text))


def _said(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
