"""Measure many features on windows in as few passes as possible; see `myograph.features.plan`.

The numbers are those of the pure functions, to rounding, and the same bits for windows in a
batch, alone, in a stream, and shared out among threads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.layout import Layout
from myograph.core.table import FeatureTable
from myograph.core.windows import Windows
from myograph.features.base import FEATURES, FeatureSpec
from myograph.features.plan import Plan, flat_windows, joined

__all__ = ["columns", "extract", "measure"]

Values = NDArray[np.float64]


def extract(windows: Windows, features: Sequence[FeatureSpec], *, threads: int = 1) -> FeatureTable:
    """Measure ``features`` on ``windows``.

    Parameters
    ----------
    windows : Windows
    features : sequence of FeatureSpec
        See `parse_features`.
    threads : int
        How many work at once, on windows or channels of their own.

    Returns
    -------
    FeatureTable
        Columns ``channel.feature``, one channel after the other; features with several values
        have columns ``channel.feature[k]``. Features across channels come last, as
        ``channelA~channelB.feature``, one feature after the other. Its ``flat`` says which windows
        of which channels are flat.

    Raises
    ------
    ParameterError
        If no feature is given or a parameter does not suit the windows.
    DataError
        If the windows are too short for a feature, or a feature is not finite.
    LayoutError
        If a feature means nothing in the unit of a channel.
    """
    specs = tuple(features)
    plan = Plan(
        specs,
        fs_hz=windows.fs_hz,
        n_samples=windows.values.shape[2],
        layout=windows.layout,
    )
    blocks = plan.blocks(windows.values, threads=threads)
    names, units = columns(windows.layout, specs, [block.shape[2] for block in blocks])
    recipe = windows.recipe.then("features", {"features": [spec.to_dict() for spec in specs]})
    values, flat = joined(blocks, specs), flat_windows(windows.values)
    return FeatureTable(
        values,
        names,
        units,
        windows.index,
        windows.layout,
        recipe,
        flat,
        windows.target_unit,
    )


def measure(
    values: NDArray[np.float32],
    *,
    fs_hz: float,
    features: Sequence[FeatureSpec],
    threads: int = 1,
) -> Values:
    """Measure ``features`` on bare windows: the numbers of `extract`.

    Parameters
    ----------
    values : ndarray of float32, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    features : sequence of FeatureSpec
    threads : int

    Returns
    -------
    ndarray, shape (n_windows, n_columns)
        Columns in the order of `extract`, bit for bit the same values.
    """
    if values.ndim != 3 or values.shape[2] < 2:
        raise DataError(
            "Windows must be 3-D (n_windows, n_channels, n_samples) with at least 2 samples; "
            f"got shape {values.shape}."
        )
    plan = Plan(features, fs_hz=fs_hz, n_samples=values.shape[2])
    return plan.table(values, threads=threads)


def columns(
    layout: Layout, specs: Sequence[FeatureSpec], widths: Sequence[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and units of the columns of features of these widths."""
    names, units = [], []

    def add(at: Sequence[int], spec: FeatureSpec, width: int) -> None:
        channels = [layout.channels[k] for k in at]
        where = "~".join(channel.name for channel in channels)
        unit = FEATURES[spec.name].unit_for(channels[0].unit)
        for k in range(width):
            names.append(f"{where}.{spec.name}" + (f"[{k}]" if width > 1 else ""))
            units.append(unit)

    asked = list(zip(specs, widths, strict=True))
    for channel in range(layout.n_channels):
        for spec, width in asked:
            if not FEATURES[spec.name].across:
                add((channel,), spec, width)
    for spec, width in asked:
        if FEATURES[spec.name].across:
            for at in FEATURES[spec.name].places(layout.n_channels):
                add(at, spec, width)
    return tuple(names), tuple(units)
