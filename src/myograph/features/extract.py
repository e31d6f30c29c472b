"""Measure many features on windows in as few passes as possible.

The plan: the time-domain family in one compiled walk, the spectral family from one transform, and
whatever else by its own function. The numbers are those of the pure functions, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.table import FeatureTable
from myograph.core.windows import Windows
from myograph.features.base import FEATURES, FeatureSpec
from myograph.features.spectral import OF_SPECTRUM
from myograph.signal.spectrum import periodogram

__all__ = ["extract", "measure"]

# Samples turned into float64 at once, to bound memory on wide and long recordings.
_BLOCK = 1 << 19

_FUSED = ("mav", "iemg", "rms", "var", "wl", "zc", "ssc", "wamp")

Values = NDArray[np.float64]


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
    DataError
        If the windows have fewer than 2 samples, or a feature is not finite.
    """
    specs = tuple(features)
    blocks = _measured(windows.values, windows.fs_hz, specs)
    names, units = _columns(windows, specs, [block.shape[2] for block in blocks])
    recipe = windows.recipe.then("features", {"features": [spec.to_dict() for spec in specs]})
    return FeatureTable(_joined(blocks), names, units, windows.index, windows.layout, recipe)


def measure(
    values: NDArray[np.float32], *, fs_hz: float, features: Sequence[FeatureSpec]
) -> Values:
    """Measure ``features`` on bare windows: the numbers of `extract`, for a live stream.

    Parameters
    ----------
    values : ndarray of float32, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    features : sequence of FeatureSpec

    Returns
    -------
    ndarray, shape (n_windows, n_columns)
        Columns in the order of `extract`, bit for bit the same values.
    """
    return _joined(_measured(values, check_positive(fs_hz, name="fs_hz"), tuple(features)))


def _measured(
    values: NDArray[np.float32], fs_hz: float, specs: tuple[FeatureSpec, ...]
) -> list[Values]:
    """Return one block (n_windows, n_channels, k) per feature."""
    if not specs:
        raise ParameterError("At least one feature is needed; see myograph.features.SETS.")
    if values.ndim != 3 or values.shape[2] < 2:
        raise DataError(
            "Windows must be 3-D (n_windows, n_channels, n_samples) with at least 2 samples; "
            f"got shape {values.shape}."
        )
    blocks: dict[FeatureSpec, Values] = {}
    # The compiled walk reads float32; windows of another type take the pure functions.
    fused = [s for s in specs if s.name in _FUSED and values.dtype == np.float32]
    if fused:
        blocks |= _time_domain(values, fused)
    spectral = [s for s in specs if s.name in OF_SPECTRUM]
    if spectral:
        blocks |= _by_parts(values, lambda part: _spectral(part, fs_hz, spectral))
    rest = [s for s in specs if s not in blocks]
    if rest:
        blocks |= _by_parts(values, lambda part: _one_by_one(part, fs_hz, rest))
    return [blocks[spec] for spec in specs]


def _time_domain(
    values: NDArray[np.float32], specs: Sequence[FeatureSpec]
) -> dict[FeatureSpec, Values]:
    # Imported when first used: numba takes longer to load than most commands take to run.
    from myograph.features import kernels

    thresholds = {"zc": 0.0, "ssc": 0.0, "wamp": 0.0}
    for spec in specs:
        if spec.name in thresholds:
            thresholds[spec.name] = check_non_negative(
                spec.parameters["threshold"], name=f"threshold of feature {spec.name!r}"
            )
    measured = kernels.time_domain(values, **thresholds)
    columns = {spec: kernels.TIME_DOMAIN.index(spec.name) for spec in specs}
    return {spec: measured[:, :, k : k + 1] for spec, k in columns.items()}


def _spectral(
    values: NDArray[np.float32], fs_hz: float, specs: Sequence[FeatureSpec]
) -> dict[FeatureSpec, Values]:
    frequencies_hz, power = periodogram(values, fs_hz=fs_hz)
    return {
        spec: OF_SPECTRUM[spec.name](frequencies_hz, power, **spec.parameters)[..., None]
        for spec in specs
    }


def _one_by_one(
    values: NDArray[np.float32], fs_hz: float, specs: Sequence[FeatureSpec]
) -> dict[FeatureSpec, Values]:
    blocks = {}
    for spec in specs:
        block = FEATURES[spec.name].function(values, fs_hz, **spec.parameters)
        blocks[spec] = block if block.ndim == 3 else block[..., None]
    return blocks


def _by_parts(
    values: NDArray[np.float32],
    of_part: Callable[[NDArray[np.float32]], dict[FeatureSpec, Values]],
) -> dict[FeatureSpec, Values]:
    """Measure a few windows at a time and join the results."""
    parts = [of_part(part) for part in _parts(values)]
    return {spec: np.concatenate([part[spec] for part in parts]) for spec in parts[0]}


def _parts(values: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    step = max(1, _BLOCK // (values.shape[1] * values.shape[2]))
    for first in range(0, max(len(values), 1), step):
        yield values[first : first + step]


def _joined(blocks: Sequence[Values]) -> Values:
    joined = np.concatenate(blocks, axis=2)
    return joined.reshape(len(joined), joined.shape[1] * joined.shape[2])


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
