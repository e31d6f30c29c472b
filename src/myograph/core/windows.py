"""Windows: stretches of a recording, and the one index that says whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recipe import Recipe

__all__ = ["WindowIndex", "Windows"]

_NAMES = ("subject", "session", "trial", "site", "recording")


@dataclass(frozen=True, eq=False)
class WindowIndex:
    """Whose window, from where and when, and what it shows. The only home of groups.

    Parameters
    ----------
    subject, session, trial, site : array of str, shape (n_windows,)
        The person, visit, repetition and place; empty text when unknown.
    recording : array of str, shape (n_windows,)
        Digest of the source samples: windows of equal bytes share it, whatever their file's name.
    start_s, stop_s : array of float, shape (n_windows,)
        First moment and the moment just after, on the clock of the recording.
    label : array of str or float, shape (n_windows,)
        Class, or the value to estimate.

    Examples
    --------
    >>> index = WindowIndex.of(2, subject=["a", "b"], start_s=[0.0, 0.0], stop_s=[0.2, 0.2])
    >>> index.groups("subject").tolist()
    ['a', 'b']
    """

    subject: NDArray[np.str_]
    session: NDArray[np.str_]
    trial: NDArray[np.str_]
    site: NDArray[np.str_]
    recording: NDArray[np.str_]
    start_s: NDArray[np.float64]
    stop_s: NDArray[np.float64]
    label: NDArray[Any]

    def __post_init__(self) -> None:
        for name in _NAMES:
            _freeze(self, name, np.asarray(getattr(self, name), dtype=np.str_))
        for name in ("start_s", "stop_s"):
            _freeze(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        _freeze(self, "label", _labels(self.label))
        lengths = {f.name: getattr(self, f.name).shape for f in fields(self)}
        if len(set(lengths.values())) != 1 or len(self.subject.shape) != 1:
            raise DataError(f"The columns of a WindowIndex must be equally long; got {lengths}.")
        if (self.stop_s <= self.start_s).any():
            raise DataError("Every window must end after it starts (stop_s > start_s).")

    @classmethod
    def of(cls, n_windows: int, **columns: ArrayLike) -> WindowIndex:
        """Build an index; a scalar is repeated, a column left out is empty text."""
        known = [f.name for f in fields(cls)]
        for name in columns:
            if name not in known:
                raise ParameterError(unknown_name(name, known, what="column"))
        full = {name: np.broadcast_to(columns.get(name, ""), n_windows) for name in known}
        return cls(**full)

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.start_s)

    def take(self, rows: NDArray[Any]) -> WindowIndex:
        """Return these rows (positions or a mask)."""
        return WindowIndex(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def groups(self, *by: str) -> NDArray[np.str_]:
        """Return one group name per window, joined from the columns ``by``."""
        for name in by:
            if name not in _NAMES:
                raise ParameterError(unknown_name(name, _NAMES, what="grouping column"))
        if not by:
            raise ParameterError(f"groups needs at least one of {list(_NAMES)}.")
        joined: NDArray[np.str_] = getattr(self, by[0])
        for name in by[1:]:
            joined = np.char.add(np.char.add(joined, "/"), getattr(self, name))
        return joined

    @classmethod
    def concatenate(cls, parts: Sequence[WindowIndex]) -> WindowIndex:
        """Join indices end to end."""
        if not parts:
            raise DataError("There is nothing to join: no windows were cut.")
        if len({part.label.dtype.kind for part in parts}) > 1:
            raise DataError("Windows with class labels and with numeric targets cannot be joined.")
        joined = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)
        }
        return cls(**joined)


@dataclass(frozen=True, eq=False)
class Windows:
    """Equally long stretches of signal, a view of the recording where possible.

    Parameters
    ----------
    values : ndarray of float32, shape (n_windows, n_channels, n_samples)
        In each channel's unit, held read-only.
    index : WindowIndex
        One row per window.
    layout : Layout
        Rate and channels.
    recipe : Recipe
        What was done to reach these windows.
    target_unit : str
        Unit of the values to estimate; empty for class labels.
    """

    values: NDArray[np.float32]
    index: WindowIndex
    layout: Layout
    recipe: Recipe = field(default_factory=Recipe)
    target_unit: str = ""

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.shape[1] != self.layout.n_channels:
            raise DataError(
                f"values must be (n_windows, {self.layout.n_channels} channels, n_samples); "
                f"got shape {self.values.shape}."
            )
        if len(self.values) != len(self.index):
            raise DataError(f"{len(self.values)} windows have {len(self.index)} index rows.")
        _freeze(self, "values", self.values.view())

    @property
    def fs_hz(self) -> float:
        """Samples per second."""
        return self.layout.fs_hz

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> Windows:
        """Return these rows (positions or a mask)."""
        return replace(self, values=self.values[rows], index=self.index.take(rows))

    @classmethod
    def concatenate(cls, parts: Iterable[Windows]) -> Windows:
        """Join windows of one layout and length end to end; this copies."""
        parts = list(parts)
        index = WindowIndex.concatenate([part.index for part in parts])
        for part in parts[1:]:
            wrong = part.layout.differences(parts[0].layout)
            if wrong:
                raise DataError("Windows of different layouts cannot be joined: " + wrong[0])
        values = np.concatenate([part.values for part in parts])
        return cls(values, index, parts[0].layout, parts[0].recipe)


def _labels(values: ArrayLike) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind in "iufb":
        return array.astype(np.float64)
    return array.astype(np.str_)


def _freeze(owner: object, name: str, array: NDArray[Any]) -> None:
    view = array.view()
    view.flags.writeable = False
    object.__setattr__(owner, name, view)
