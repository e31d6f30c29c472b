"""Hints: what the caller of `read` states about a file that the file may leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from numbers import Real
from typing import TypedDict

from myograph.core.checks import check_choice, check_positive, unknown_name
from myograph.core.errors import ParameterError
from myograph.core.layout import KIND_UNITS

__all__ = ["Hints", "ReadOptions"]


class ReadOptions(TypedDict, total=False):
    """The options of `myograph.io.read.read`; see `Hints` for what each means."""

    fs_hz: float
    unit: str | Mapping[str, str]
    kinds: str | Sequence[str] | Mapping[str, str]
    channels: Sequence[str]
    start_s: float
    stop_s: float
    variable: str
    time_axis: int
    non_finite: str
    stray_events: str


@dataclass(frozen=True, slots=True)
class Hints:
    """Options of `read`. What the caller states wins over what the file says.

    Parameters
    ----------
    fs_hz : float, optional
        Sampling rate, for files that do not state one.
    unit : str or mapping, optional
        Unit of the samples as stored (``"mV"``, ``"count"``): of all channels, or by name or
        pattern: ``{"emg*": "mV", "force": "kgf"}``.
    kinds : str, sequence or mapping, optional
        Kind of all channels, one for each in the file's order, or by name or pattern.
    channels : sequence of str, optional
        Names of the channels to read, in the order wanted.
    start_s, stop_s : float, optional
        Read this stretch of the recording's clock only.
    variable : str, optional
        Which array of a MAT, NPZ or similar file; dots reach into structures.
    time_axis : int, optional
        0 or 1: the axis of a bare array along which time runs, where its shape does not tell.
    non_finite : str
        ``"refuse"`` a file with NaN or infinite samples, or hold the last value and declare the
        stretch a ``"gap"``.
    stray_events : str
        ``"refuse"`` a file with events outside its samples, or ``"drop"`` those events.
    """

    fs_hz: float | None = None
    unit: str | Mapping[str, str] | None = None
    kinds: str | Sequence[str] | Mapping[str, str] | None = None
    channels: Sequence[str] | None = None
    start_s: float | None = None
    stop_s: float | None = None
    variable: str | None = None
    time_axis: int | None = None
    non_finite: str = "refuse"
    stray_events: str = "refuse"

    def __post_init__(self) -> None:
        if self.fs_hz is not None:
            check_positive(self.fs_hz, name="fs_hz")
        for name in ("start_s", "stop_s"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and math.isfinite(value)):
                raise ParameterError(f"{name} must be a number of seconds; got {value!r}.")
        if isinstance(self.channels, str):
            raise ParameterError(
                f"channels must be a list of names; got the text {self.channels!r}."
            )
        check_choice(self.non_finite, ("refuse", "gap"), name="non_finite")
        check_choice(self.stray_events, ("refuse", "drop"), name="stray_events")
        if self.time_axis not in (None, 0, 1):
            raise ParameterError(f"time_axis must be 0 or 1; got {self.time_axis!r}.")
        for kind in _values(self.kinds):
            check_choice(kind, KIND_UNITS, name="kinds")

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Hints:
        """Build hints from keyword options; an unknown one lists the known."""
        known = [f.name for f in fields(cls)]
        for name in options:
            if name not in known:
                raise ParameterError(unknown_name(name, known, what="option of read"))
        return cls(**options)  # type: ignore[arg-type]

    def given(self) -> frozenset[str]:
        """Return the names of the options that differ from their default."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name) != f.default)

    def only(self, channels: Sequence[str]) -> Hints:
        """Return the same hints for these channels only."""
        return replace(self, channels=channels)

    def unit_of(self, name: str) -> str | None:
        """Return the unit stated for the channel ``name``, if any."""
        return _look_up(self.unit, name)

    def kind_of(self, name: str, *, index: int, n_channels: int) -> str | None:
        """Return the kind stated for the channel ``name``, number ``index`` of the file."""
        if self.kinds is None or isinstance(self.kinds, str | Mapping):
            return _look_up(self.kinds, name)
        if len(self.kinds) != n_channels:
            raise ParameterError(
                f"kinds lists {len(self.kinds)} kinds, the file has {n_channels} channels; give "
                "one for each, one for all, or a mapping from names to kinds."
            )
        return self.kinds[index]


def _look_up(stated: str | Mapping[str, str] | None, name: str) -> str | None:
    if stated is None or isinstance(stated, str):
        return stated
    if name in stated:
        return stated[name]
    return next((value for key, value in stated.items() if fnmatchcase(name, key)), None)


def _values(stated: str | Sequence[str] | Mapping[str, str] | None) -> Sequence[str]:
    if stated is None:
        return ()
    if isinstance(stated, str):
        return (stated,)
    return list(stated.values()) if isinstance(stated, Mapping) else list(stated)
