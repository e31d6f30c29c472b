"""Muscle fibres: where each one lies, how thick, how fast, and where its nerve reaches it.

The muscle's frame, used by the whole twin: x across the muscle, y towards the skin, both from the
centre of its cross-section; z along the fibres from the proximal tendon. Millimetres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError
from myograph.twin.pool import frozen_array

__all__ = ["ORPHAN", "Fibres", "velocity_m_s"]

Floats = NDArray[np.float64]

#: The ``unit`` of a fibre that no living unit innervates and whose former unit does not matter.
ORPHAN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Fibres:
    """Parallel arrays over muscle fibres, read-only.

    Parameters
    ----------
    unit : ndarray of int, shape (n_fibres,)
        Row in the pool; `ORPHAN` when the fibre belongs to none.
    x_mm, y_mm : ndarray, shape (n_fibres,)
        Position in the cross-section, from its centre; y towards the skin.
    diameter_um : ndarray, shape (n_fibres,)
    endplate_mm : ndarray, shape (n_fibres,)
        z of the neuromuscular junction.
    left_mm, right_mm : ndarray, shape (n_fibres,)
        z of the proximal and distal ends.
    velocity_m_s : ndarray, shape (n_fibres,)
        Conduction velocity of the action potential.
    innervated : ndarray of bool, shape (n_fibres,)
        Denervated fibres keep their row and do not follow their unit.
    maturity : ndarray, shape (n_fibres,)
        0 for a junction just sprouted, 1 for a mature one.
    terminal_delay_ms : ndarray, shape (n_fibres,)
        Extra delay of the terminal branch, ms; 0 in health.
    columns : mapping of str to ndarray, shape (n_fibres, ...)
        Further properties that other modules own (transmission, pathology); they follow the fibres
        through `keep` and `concatenate`.
    """

    unit: NDArray[np.int64]
    x_mm: Floats
    y_mm: Floats
    diameter_um: Floats
    endplate_mm: Floats
    left_mm: Floats
    right_mm: Floats
    velocity_m_s: Floats
    innervated: NDArray[np.bool_]
    maturity: Floats
    terminal_delay_ms: Floats
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = np.size(self.unit)
        for name in _ARRAYS:
            array = frozen_array(getattr(self, name), _DTYPES.get(name, np.float64))
            if array.shape != (count,):
                raise DataError(f"Fibres.{name} must have shape ({count},); got {array.shape}.")
            object.__setattr__(self, name, array)
        columns = {name: _column(name, values, count) for name, values in self.columns.items()}
        object.__setattr__(self, "columns", columns)

    def __len__(self) -> int:
        """Count the fibres, denervated ones included."""
        return len(self.unit)

    @property
    def area_mm2(self) -> Floats:
        """Cross-section of each fibre, mm²."""
        return np.pi / 4 * (self.diameter_um / 1000) ** 2

    def of_unit(self, unit: int) -> NDArray[np.int64]:
        """Return the rows of a unit's innervated fibres."""
        return np.flatnonzero((self.unit == unit) & self.innervated)

    def count(self, n_units: int) -> NDArray[np.int64]:
        """Count the innervated fibres of each unit, shape (n_units,)."""
        chosen = self.unit[self.innervated & (self.unit >= 0)]
        return np.bincount(chosen, minlength=n_units).astype(np.int64)

    def unit_area_mm2(self, n_units: int) -> Floats:
        """Sum the cross-section of each unit's innervated fibres, shape (n_units,), mm²."""
        chosen = self.innervated & (self.unit >= 0)
        areas = np.bincount(self.unit[chosen], self.area_mm2[chosen], minlength=n_units)
        return np.asarray(areas, np.float64)

    def keep(self, mask: ArrayLike) -> Fibres:
        """Return the fibres in ``mask`` (bool) or of these rows (int), columns along."""
        chosen = np.asarray(mask)
        arrays = {name: getattr(self, name)[chosen] for name in _ARRAYS}
        return Fibres(**arrays, columns={k: v[chosen] for k, v in self.columns.items()})

    def change(self, **arrays: Any) -> Fibres:
        """Return the fibres with some arrays replaced; a new diameter brings its own velocity.

        A ``columns`` mapping is merged into the present one.
        """
        if "diameter_um" in arrays and "velocity_m_s" not in arrays:
            arrays["velocity_m_s"] = velocity_m_s(np.asarray(arrays["diameter_um"], float))
        if "columns" in arrays:
            arrays["columns"] = {**self.columns, **arrays["columns"]}
        return replace(self, **arrays)

    @staticmethod
    def concatenate(parts: list[Fibres]) -> Fibres:
        """Join fibres end to end; every part must have the same columns."""
        names = {tuple(sorted(part.columns)) for part in parts}
        if len(names) != 1:
            raise DataError(f"Fibres to be joined must have the same columns; got {sorted(names)}.")
        arrays = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _ARRAYS}
        columns = {k: np.concatenate([p.columns[k] for p in parts]) for k in parts[0].columns}
        return Fibres(**arrays, columns=columns)


def velocity_m_s(diameter_um: ArrayLike) -> Floats:
    """Return the conduction velocity of fibres of a diameter: 2.2 + 0.05 (d - 25) m/s.

    The line is that of hamiltonwright2005 and is held at 1 m/s below 1 µm.

    Examples
    --------
    >>> float(velocity_m_s(55.0))
    3.7
    """
    return np.maximum(2.2 + 0.05 * (np.asarray(diameter_um, float) - 25.0), 1.0)


def _column(name: str, values: ArrayLike, count: int) -> NDArray[Any]:
    array = np.array(values)
    if array.shape[:1] != (count,):
        raise DataError(f"Fibre column {name!r} must have {count} rows; got shape {array.shape}.")
    array.flags.writeable = False
    return array


_DTYPES: dict[str, type] = {"unit": np.int64, "innervated": np.bool_}
_ARRAYS = tuple(item.name for item in fields(Fibres) if item.name != "columns")
