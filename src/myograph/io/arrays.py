"""Bare arrays in files of named variables (MAT, NPZ): which one, which way round, at what rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError
from myograph.core.recording import Recording, RecordingSet
from myograph.io.header import Header, headers_from_text, headers_to_text, members_of
from myograph.io.hints import Hints
from myograph.io.track import Fetch, Signal, Track, rate_of

__all__ = ["HEADER_KEY", "Variable", "arrays_of", "tracks_in", "whole"]

#: Name of the variable that holds Myograph's header.
HEADER_KEY = "myograph_header"

# Names under which files keep their sampling rate, compared without case and underscores.
_RATE_NAMES = frozenset(
    {"fs", "fshz", "fsamp", "srate", "samplingrate", "samplingfrequency", "samplerate", "freq"}
)

#: A variable's shape, and how to load it.
Variable = tuple[tuple[int, ...], Callable[[], NDArray[Any]]]


def arrays_of(recording: Recording | RecordingSet) -> dict[str, NDArray[Any]]:
    """Return a recording as named arrays: the header's text and one array of samples a member.

    Samples are (n_channels, n_samples), float32; a lone recording's variable is ``samples``.
    """
    members = members_of(recording)
    text = headers_to_text(
        {name: Header.of(member, exact=True) for name, member in members.items()}
    )
    arrays: dict[str, NDArray[Any]] = {HEADER_KEY: np.array(text)}
    for number, member in enumerate(members.values()):
        arrays[_key(number)] = member.samples
    return arrays


def tracks_in(
    variables: Mapping[str, Variable], header: str | None, hints: Hints, *, path: Path
) -> tuple[Track, ...]:
    """Describe the recording in a file of named arrays.

    Parameters
    ----------
    variables : mapping of str to Variable
        Numeric arrays by name; dots reach into structures.
    header : str, optional
        Text of `HEADER_KEY` when the file has one.
    hints : Hints
        ``variable``, ``fs_hz`` and ``time_axis`` answer what bare arrays leave open.
    path : Path
        For messages.
    """
    if header is not None and hints.variable is None:
        return tuple(
            Track.of(member, _own(variables, _key(number), member, path), path=path, name=name)
            for number, (name, member) in enumerate(
                headers_from_text(header, where=str(path)).items()
            )
        )
    fs_hz = rate_of(hints, _stated_rate(variables), path=path)
    fields = _fields(variables, hints.variable)
    if fields:
        return (_by_field(fields, fs_hz, where=f"{path}, structure {hints.variable!r}", path=path),)
    name, (shape, load) = _choose(variables, hints, path=path)
    axis = _time_axis(shape, hints, where=f"{path}, variable {name!r}")
    n_samples = shape[axis]
    n_channels = 1 if len(shape) == 1 else shape[1 - axis]
    signals = tuple(
        Signal(f"{name.rpartition('.')[2]}_{i + 1}", text=name) for i in range(n_channels)
    )

    def matrix() -> NDArray[Any]:
        array = _numbers(load(), where=f"{path}, variable {name!r}")
        if array.ndim == 1:
            return array[None]
        return array if axis == 1 else array.T

    return (Track(path, fs_hz, n_samples, signals, whole(matrix)),)


def whole(load: Callable[[], NDArray[Any]]) -> Fetch:
    """Make a `Fetch` of a format that can only be read as a whole."""
    return lambda rows, first, last: load()[list(rows), first:last]


def _key(number: int) -> str:
    return "samples" if number == 0 else f"samples_{number}"


def _own(variables: Mapping[str, Variable], key: str, header: Header, path: Path) -> Fetch:
    """Fetch a member that Myograph wrote, if it still has the shape its header says."""
    expected = (header.layout.n_channels, header.n_samples)
    shape = variables[key][0] if key in variables else None
    if shape != expected:
        raise FormatError(
            f"{path}: the Myograph header describes {expected[0]} channels x {expected[1]} samples "
            f"in {key!r}, the file has shape {shape}; it was altered. Name a variable with the "
            "option variable= to read it as a bare array."
        )
    load = variables[key][1]
    return whole(lambda: _numbers(load(), where=f"{path}, variable {key!r}"))


def _choose(variables: Mapping[str, Variable], hints: Hints, *, path: Path) -> tuple[str, Variable]:
    """Return the variable asked for, or the only one that can be a recording."""
    listing = ", ".join(f"{name} {'x'.join(map(str, v[0]))}" for name, v in variables.items())
    listing = listing or "no numeric array"
    if hints.variable is not None:
        if hints.variable not in variables:
            raise DataError(f"{path} has no variable {hints.variable!r}; it holds: {listing}.")
        return hints.variable, variables[hints.variable]
    fitting = {
        name: v for name, v in variables.items() if 1 <= len(v[0]) <= 2 and np.prod(v[0]) > 1
    }
    if len(fitting) != 1:
        raise DataError(
            f"{path} does not say which of its variables is the recording; name one with the "
            f"option variable=. It holds: {listing}."
        )
    return next(iter(fitting.items()))


def _fields(variables: Mapping[str, Variable], name: str | None) -> dict[str, Variable]:
    """Return the vectors of the structure called ``name``: one channel in each field."""
    if name is None or name in variables:
        return {}
    prefix = f"{name}."
    return {k.removeprefix(prefix): v for k, v in variables.items() if k.startswith(prefix)}


def _by_field(fields: dict[str, Variable], fs_hz: float, *, where: str, path: Path) -> Track:
    """Describe a structure whose fields are the channels: equally long vectors."""
    lengths = {name: int(np.prod(shape)) for name, (shape, _) in fields.items()}
    vectors = all(max(shape, default=0) == np.prod(shape) for shape, _ in fields.values())
    if not vectors or len(set(lengths.values())) != 1:
        raise DataError(
            f"{where} is a recording only if its fields are equally long vectors; it holds "
            f"{ {name: shape for name, (shape, _) in fields.items()} }. Name one field: "
            f"variable='STRUCTURE.FIELD'."
        )

    def matrix() -> NDArray[Any]:
        loaded = [np.ravel(_numbers(load(), where=where)) for _, load in fields.values()]
        return np.stack(loaded)

    signals = tuple(Signal(name) for name in fields)
    return Track(path, fs_hz, next(iter(lengths.values())), signals, whole(matrix))


def _stated_rate(variables: Mapping[str, Variable]) -> float | None:
    """Return the value of a scalar that is named like a sampling rate."""
    for name, (shape, load) in variables.items():
        plain = name.rpartition(".")[2].replace("_", "").lower()
        if plain in _RATE_NAMES and np.prod(shape) == 1:
            return float(np.asarray(load(), dtype=np.float64).reshape(()))
    return None


def _time_axis(shape: tuple[int, ...], hints: Hints, *, where: str) -> int:
    """Return the axis along which time runs: the longer one, unless the caller says."""
    if not 1 <= len(shape) <= 2 or 0 in shape:
        raise DataError(
            f"{where} has shape {shape}; a recording is a non-empty vector or matrix, time along "
            "one axis and channels along the other."
        )
    if len(shape) == 1:
        return 0
    if hints.time_axis is not None:
        return hints.time_axis
    if shape[0] == shape[1]:
        raise DataError(
            f"{where} is square ({shape[0]} x {shape[1]}), so its shape does not tell which axis "
            "is time; state it with the option time_axis=0 (rows are moments) or time_axis=1."
        )
    return int(shape[1] > shape[0])


def _numbers(array: NDArray[Any], *, where: str) -> NDArray[Any]:
    if array.dtype.kind not in "iufb":
        raise DataError(f"{where} holds {array.dtype}, not real numbers; name another variable.")
    return array
