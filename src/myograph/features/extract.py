"""Measure many features on windows in as few passes as possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.core.table import FeatureTable
from myograph.core.windows import Windows
from myograph.features.base import FEATURES, FeatureSpec

__all__ = ["extract"]


def extract(windows: Windows, features: Sequence[FeatureSpec]) -> FeatureTable:
    """Measure ``features`` on ``windows``.

    Parameters
    ----------
    windows : Windows
    features : sequence of FeatureSpec
        See `parse_features`.

    Returns
    -------
    FeatureTable
        Columns ``channel.feature``, one channel after the other; features with several values
        have columns ``channel.feature[k]``.

    Raises
    ------
    ParameterError
        If no feature is given or a parameter does not suit the windows.
    """
    specs = tuple(features)
    if not specs:
        raise ParameterError("At least one feature is needed; see myograph.features.SETS.")
    blocks: list[NDArray[np.float64]] = []
    for spec in specs:
        entry = FEATURES[spec.name]
        block = entry.compute(windows.values, windows.fs_hz, **spec.parameters)
        blocks.append(block if block.ndim == 3 else block[..., None])
    values = np.concatenate(blocks, axis=2).reshape(len(windows), -1)
    names, units = _columns(windows, specs, [block.shape[2] for block in blocks])
    recipe = windows.recipe.then("features", {"features": [spec.to_dict() for spec in specs]})
    return FeatureTable(values, names, units, windows.index, windows.layout, recipe)


def _columns(
    windows: Windows, specs: Sequence[FeatureSpec], widths: Sequence[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names, units = [], []
    for channel in windows.layout.channels:
        for spec, width in zip(specs, widths, strict=True):
            unit = FEATURES[spec.name].unit_for(channel.unit)
            for k in range(width):
                names.append(f"{channel.name}.{spec.name}" + (f"[{k}]" if width > 1 else ""))
                units.append(unit)
    return tuple(names), tuple(units)
