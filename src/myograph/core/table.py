"""FeatureTable: numbers measured on windows, with names, units and the index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Layout
from myograph.core.recipe import Recipe
from myograph.core.windows import WindowIndex

__all__ = ["FeatureTable"]


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of windows.

    Parameters
    ----------
    values : ndarray of float64, shape (n_windows, n_features)
        Finite, held read-only.
    names : tuple of str
        ``channel.feature``, unique, one per column.
    units : tuple of str
        One per column.
    index : WindowIndex
        One row per window.
    layout : Layout
        Rate and channels of the windows the features were measured on.
    recipe : Recipe
        What was done to reach these numbers.
    flat : ndarray of bool, shape (n_windows, n_channels)
        Where all samples of a window of a channel are equal: its features have defined values,
        which mean nothing. Without it nothing is known, and no window counts as flat.
    target_unit : str
        Unit of the values to estimate; empty for class labels, or when recordings differ in it.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    units: tuple[str, ...]
    index: WindowIndex
    layout: Layout
    recipe: Recipe = field(default_factory=Recipe)
    flat: NDArray[np.bool_] | None = None
    target_unit: str = ""

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64).view()
        if values.shape != (len(self.index), len(self.names)):
            raise DataError(
                f"values must be {len(self.index)} windows x {len(self.names)} features; "
                f"got shape {values.shape}."
            )
        if len(self.units) != len(self.names) or len(set(self.names)) != len(self.names):
            raise DataError("Every feature needs one unit and a name of its own.")
        bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
        if bad.size:
            raise DataError(
                f"Features {[self.names[i] for i in bad[:5]]} are not finite in some windows; "
                "a feature must define its value for silence and for flat windows."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        shape = (len(values), self.layout.n_channels)
        given = np.zeros(shape, dtype=np.bool_) if self.flat is None else self.flat
        flat = np.asarray(given, dtype=np.bool_).view()
        if flat.shape != shape:
            raise DataError(
                f"flat must be {shape[0]} windows x {shape[1]} channels; got shape {flat.shape}."
            )
        flat.flags.writeable = False
        object.__setattr__(self, "flat", flat)

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.values)

    def take(self, rows: NDArray[Any]) -> FeatureTable:
        """Return these rows (positions or a mask)."""
        return FeatureTable(
            self.values[rows],
            self.names,
            self.units,
            self.index.take(rows),
            self.layout,
            self.recipe,
            self.flagged[rows],
            self.target_unit,
        )

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """The flag of flat windows, which is there once the table is made."""
        return np.zeros((0, 0), dtype=np.bool_) if self.flat is None else self.flat

    @classmethod
    def concatenate(cls, parts: Iterable[FeatureTable]) -> FeatureTable:
        """Join tables with the same columns end to end."""
        parts = list(parts)
        index = WindowIndex.concatenate([part.index for part in parts])
        for part in parts[1:]:
            if (part.names, part.units) != (parts[0].names, parts[0].units):
                raise DataError(
                    "Tables with different features cannot be joined: "
                    f"{sorted(set(part.names) ^ set(parts[0].names)) or 'units differ'}."
                )
        values = np.concatenate([part.values for part in parts])
        first = parts[0]
        flat = np.concatenate([part.flagged for part in parts])
        units = {part.target_unit for part in parts}
        return cls(
            values,
            first.names,
            first.units,
            index,
            first.layout,
            first.recipe,
            flat,
            first.target_unit if len(units) == 1 else "",
        )
