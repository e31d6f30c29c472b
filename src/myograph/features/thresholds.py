"""Thresholds as amplitudes: one for all channels, one per channel, or multiples of their noise.

A threshold is in the unit of the channel. What suits depends on amplifier and skin, so it may be
given as a multiple of the noise at rest, ``{"noise": 3.0}``; `fix_thresholds` turns that into one
amplitude per channel, measured on rest from the training data, before anything is extracted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.windows import Windows
from myograph.features.base import FEATURES, FeatureSpec, check_windows

__all__ = ["amplitudes", "fix_thresholds", "fix_to_noise", "of_noise"]


def amplitudes(value: Any, *, n_channels: int, name: str) -> NDArray[np.float64]:
    """Return a threshold as one amplitude per channel.

    Parameters
    ----------
    value : float or sequence of float
        One for all channels, or one for each.
    n_channels : int
    name : str
        For messages.

    Returns
    -------
    ndarray, shape (n_channels,)

    Raises
    ------
    ParameterError
        If an amplitude is negative or not finite, there are not as many as channels, or they are
        still multiples of a noise that was not measured.

    Examples
    --------
    >>> amplitudes(5.0, n_channels=2, name="threshold")
    array([5., 5.])
    """
    if isinstance(value, Mapping):
        raise ParameterError(
            f"{name} is a multiple of the noise, {dict(value)}, and the noise was not measured; "
            "put it into a pipeline, which measures it on its training recordings, or call "
            "myograph.features.fix_thresholds(features, rest) with windows of rest from the "
            "training data first."
        )
    if isinstance(value, str) or np.ndim(value) == 0:
        return np.full(n_channels, check_non_negative(value, name=name))
    if len(value) != n_channels:
        raise ParameterError(
            f"{name} must be one number, or one per channel; got {len(value)} for {n_channels} "
            "channels."
        )
    return np.array(
        [check_non_negative(v, name=f"{name} of channel {i}") for i, v in enumerate(value)]
    )


def fix_thresholds(
    features: Sequence[FeatureSpec], rest: Windows | NDArray[np.floating]
) -> tuple[FeatureSpec, ...]:
    """Turn thresholds that are multiples of the noise into amplitudes.

    Parameters
    ----------
    features : sequence of FeatureSpec
        Those with a parameter such as ``{"noise": 3.0}`` change, the others stay.
    rest : Windows, or ndarray of shape (n_windows, n_channels, n_samples)
        Rest, from the training data alone. Its root mean square is the noise of a channel.

    Returns
    -------
    tuple of FeatureSpec

    Examples
    --------
    >>> rest = np.array([[[1.0, -1.0, 1.0, -1.0]]])
    >>> fixed = fix_thresholds([FeatureSpec("zc", {"threshold": {"noise": 3.0}})], rest)
    >>> dict(fixed[0].parameters)
    {'threshold': (3.0,)}
    """
    values = check_windows(rest.values if isinstance(rest, Windows) else rest)
    if values.shape[0] == 0:
        raise DataError("The noise is measured on windows of rest; there are none.")
    noise = np.sqrt(np.square(values.astype(np.float64)).mean(axis=(0, 2)))
    return fix_to_noise(features, noise)


def of_noise(spec: FeatureSpec) -> bool:
    """Say whether a threshold of the feature is still a multiple of the noise.

    Examples
    --------
    >>> of_noise(FeatureSpec("zc", {"threshold": {"noise": 3.0}})), of_noise(FeatureSpec("zc"))
    (True, False)
    """
    given = (spec.parameters[name] for name in FEATURES[spec.name].in_signal_units)
    return any(isinstance(value, Mapping) for value in given)


def fix_to_noise(
    features: Sequence[FeatureSpec], noise: NDArray[np.float64]
) -> tuple[FeatureSpec, ...]:
    """Turn multiples of the noise into amplitudes, given the noise of each channel (n_channels,).

    Raises
    ------
    ParameterError
        If a threshold is neither an amplitude nor a multiple of the noise.
    """
    return tuple(_fixed(spec, noise) for spec in features)


def _fixed(spec: FeatureSpec, noise: NDArray[np.float64]) -> FeatureSpec:
    changed = dict(spec.parameters)
    for name in FEATURES[spec.name].in_signal_units:
        value = changed[name]
        if not isinstance(value, Mapping):
            continue
        if set(value) != {"noise"}:
            raise ParameterError(
                f"{name} of feature {spec.name!r} must be an amplitude or {{'noise': multiple}}; "
                f"got {dict(value)}."
            )
        multiple = check_positive(value["noise"], name=f"noise multiple of {name}")
        changed[name] = tuple((multiple * noise).tolist())
    return FeatureSpec(spec.name, changed)
