"""Recalibrate: bring a person's first calibration and a few new seconds together.

The new seconds say where the movements lie today; the first calibration says how much they vary,
which seconds cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, LayoutError
from myograph.core.registry import Registry
from myograph.core.table import FeatureTable

__all__ = ["METHODS", "combine"]

Floats = NDArray[np.float64]
Method = Callable[[FeatureTable, FeatureTable], FeatureTable]

#: Ways to combine an earlier table with a new one.
METHODS: Registry[Method] = Registry("recalibration method")


def combine(earlier: FeatureTable, now: FeatureTable, *, method: str = "aligned") -> FeatureTable:
    """Return the windows to learn from after the band was put on again.

    Parameters
    ----------
    earlier, now : FeatureTable
        Of the same features; ``now`` names no movement that ``earlier`` does not.
    method : str
        ``"aligned"``: earlier windows, each movement moved to where it lies now (in logarithms of
        amplitudes), beside the new ones. ``"pooled"``: both as they are. ``"new"``: the new alone.

    Raises
    ------
    LayoutError
        If they were not measured alike.
    DataError
        If their movements differ.
    """
    wrong = now.layout.differences(earlier.layout)
    if not wrong and now.names != earlier.names:
        wrong = ("Their features are not the same.",)
    if wrong:
        raise LayoutError("The new calibration does not fit the earlier one. " + " ".join(wrong))
    before, after = (set(table.index.label.astype(str)) for table in (earlier, now))
    if before != after:
        raise DataError(
            f"The earlier calibration has the movements {sorted(before)} and the new one "
            f"{sorted(after)}; recalibrate with the same movements."
        )
    return METHODS[method](earlier, now)


@METHODS.register("new")
def _new(earlier: FeatureTable, now: FeatureTable) -> FeatureTable:
    del earlier
    return now


@METHODS.register("pooled")
def _pooled(earlier: FeatureTable, now: FeatureTable) -> FeatureTable:
    return FeatureTable.concatenate([earlier, now])


@METHODS.register("aligned")
def _aligned(earlier: FeatureTable, now: FeatureTable) -> FeatureTable:
    positive = (earlier.values > 0).all(axis=0) & (now.values > 0).all(axis=0)

    def forth(values: Floats) -> Floats:
        return np.where(positive, np.log(np.where(positive, values, 1.0)), values)

    moved = forth(earlier.values)
    own, today = earlier.index.label.astype(str), now.index.label.astype(str)
    for name in np.unique(own):
        rows = own == name
        moved[rows] += forth(now.values[today == name]).mean(axis=0) - moved[rows].mean(axis=0)
    values = np.where(positive, np.exp(np.where(positive, moved, 0.0)), moved)
    return FeatureTable.concatenate([replace(earlier, values=values), now])
