"""Answer: one decision of a running stream, with what its consumers need to know about it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import lru_cache
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.decision import Decision

__all__ = ["ABSTENTIONS", "Answer", "Notice", "Value"]

#: Why a decision is none. ``gap``: its window touches samples that were never measured.
#: ``constant``: a channel does not vary. ``unsure``: the model's own confidence is too low.
#: ``strange``: the novelty gate knows no window like it.
ABSTENTIONS = ("", "gap", "constant", "unsure", "strange")


@dataclass(frozen=True, slots=True)
class Value:
    """A number that a regression estimates.

    Parameters
    ----------
    name : str
        What it is: ``"force"``, ``"angle"``, ...
    unit : str
        Empty when the recordings learned from differed in it.
    value : float
        NaN in a gap.
    """

    name: str
    unit: str
    value: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        value = self.value if np.isfinite(self.value) else None
        return {"name": self.name, "unit": self.unit, "value": value}

    def __str__(self) -> str:
        """Name, value, unit."""
        return f"{self.name} {self.value:.4g} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the engine says about one window.

    Parameters
    ----------
    number : int
        Of the window on the stream's grid, from 0: window ``number`` begins ``number`` steps after
        the first sample. While a source is silent a window may be answered by an abstention, and
        once more when its samples come late after all.
    decision : Decision
        ``time_s`` is the moment of the newest sample of the window, seconds since the first sample
        of the stream. ``rejected`` is True whenever ``abstains`` is not empty. A regression
        decides nothing: its only class is the name of what it estimates.
    abstains : str
        Empty, or one of `ABSTENTIONS`.
    level : ndarray of float64, shape (n_channels,)
        Mean absolute value of each channel over the window, behind the pipeline's steps and in
        their unit: how strong the contraction is. NaN in a gap.
    arrived_s, decided_s : float
        When the newest sample of the window reached the program and when the decision was made,
        on the clock `myograph.stream.source.now`.
    values : tuple of Value
        What a regression estimates; empty for classification.
    """

    number: int
    decision: Decision
    abstains: str
    level: NDArray[np.float64]
    arrived_s: float
    decided_s: float
    values: tuple[Value, ...] = ()
    _text: str = field(default="", init=False, repr=False)

    @property
    def latency_s(self) -> float:
        """Seconds from the newest sample's arrival to the decision."""
        return self.decided_s - self.arrived_s

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data: a decision's classes, or a regression's values."""
        told = self.decision.to_dict()
        if self.values:
            told = {name: told[name] for name in ("rejected", "time_s")}
            told["values"] = [value.to_dict() for value in self.values]
        level = [None if np.isnan(value) else float(value) for value in self.level]
        return {
            "number": self.number,
            **told,
            "abstains": self.abstains,
            "level": level,
            "latency_ms": 1e3 * self.latency_s,
        }

    def to_json(self, *, level: bool = True) -> str:
        """Return `to_dict` as JSON, with or without the levels.

        Written out here, and its longest part only once, because every consumer of every decision
        waits for it.
        """
        if not self._text:
            object.__setattr__(self, "_text", self._told())
        levels = ""
        if level:
            levels = f', "level": {_numbers(self.level)}'
        return f'{{"number": {self.number}, {self._text}{levels}, "latency_ms": {_latency(self)}}}'

    def _told(self) -> str:
        one = self.decision
        time = f'"rejected": {"true" if one.rejected else "false"}, "time_s": {float(one.time_s)!r}'
        abstains = f'"abstains": {_quoted(self.abstains)}'
        if self.values:
            values = json.dumps([value.to_dict() for value in self.values])
            return f'{time}, "values": {values}, {abstains}'
        numbers = one.probabilities.tolist()
        shares = ", ".join(map(add, _keys(one.classes), map(repr, numbers)))
        confidence = numbers[one.classes.index(one.label)]
        return (
            f'"label": {_quoted(one.label)}, "confidence": {confidence!r}, {time}, '
            f'"probabilities": {{{shares}}}, {abstains}'
        )


def _latency(answer: Answer) -> str:
    return _number(1e3 * float(answer.latency_s))


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else "null"


def _numbers(values: NDArray[np.float64]) -> str:
    numbers = values.tolist()
    if math.isfinite(sum(numbers)):
        return repr(numbers)  # Python writes a list of plain numbers as JSON does
    return f"[{', '.join(map(_number, numbers))}]"


@lru_cache(maxsize=64)
def _keys(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{json.dumps(name)}: " for name in names)


@lru_cache(maxsize=1024)
def _quoted(text: str) -> str:
    return json.dumps(text)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a stream.

    Parameters
    ----------
    kind : str
        ``connected``, ``lost``, ``reconnected``, ``ended``; ``gap``, ``duplicate``, ``late``,
        ``non-finite``, ``constant``, ``varies``, ``dropped``; ``rate``: samples come at another
        rate than the source says; ``withheld``: others were too many to be told.
    time_s : float
        Seconds since the first sample of the stream.
    text : str
        A sentence for people.
    duration_s : float
        Length of a gap or an outage.
    samples : int
        How many samples (windows for ``dropped``, notices for ``withheld``) it is about.
    """

    kind: str
    time_s: float
    text: str
    duration_s: float = 0.0
    samples: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}
