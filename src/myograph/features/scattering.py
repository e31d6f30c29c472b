"""Wavelet scattering of a window, averaged over all of it; see `myograph.signal.scattering`.

The band of the first order is stated, and ends at half the sampling rate when that is lower; the
second order reaches down to one period a window. The window is mirrored at its ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.signal.scattering import Scattered, Scattering
from myograph.signal.scattering import scattering as filters

__all__ = ["PATHS", "filters_for", "scattering_averages", "scattering_shape"]

Values = NDArray[np.float64]

#: Parameters of both features.
PATHS: Mapping[str, Any] = {"low_hz": 20.0, "high_hz": 500.0, "per_octave": 4}

# Samples scattered at once, to bound memory.
_BLOCK = 1 << 15


def filters_for(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> Scattering:
    """Return the filters that the parameters of a feature ask for."""
    return filters(
        n_samples,
        fs_hz=fs_hz,
        band_hz=(parameters["low_hz"], min(parameters["high_hz"], fs_hz / 2)),
        per_octave=parameters["per_octave"],
    )


def _check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    filters_for(parameters, n_samples=n_samples, fs_hz=fs_hz)


def _paths(
    windows: Windows3D,
    fs_hz: float,
    given: Mapping[str, Any],
    values_of: Callable[[Scattered], tuple[Values, Values]],
) -> Values:
    x = as_float64(windows)
    bank = filters_for({**PATHS, **given}, n_samples=x.shape[-1], fs_hz=fs_hz)
    step = max(1, _BLOCK // max(x.shape[1] * x.shape[2], 1))
    parts = []
    for first in range(0, max(len(x), 1), step):
        both = values_of(bank.transform(x[first : first + step]))
        parts.append(np.concatenate(both, axis=-2)[..., 0])
    return np.concatenate(parts)


@feature(
    "scattering",
    unit="signal",
    amplitude_power=1,
    reference="anden2014",
    parameters=PATHS,
    min_samples=8,
    check=_check,
)
def scattering_averages(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Scattering coefficients of both orders, averaged over the window (anden2014).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Sampling rate.
    **given
        ``low_hz`` and ``high_hz``, the band of the first order, and ``per_octave``, how many of
        its wavelets lie in an octave.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, n_first + n_second)
        The first order from the highest frequency to the lowest, then the second in the order of
        `Scattered.second_hz <myograph.signal.scattering.Scattered>`, in the unit of the channel.
    """
    return _paths(windows, fs_hz, given, lambda found: (found.first, found.second))


@feature(
    "scattering-shape",
    unit="1",
    amplitude_power=0,
    reference="anden2014",
    parameters=PATHS,
    min_samples=8,
    check=_check,
)
def scattering_shape(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Gain-free scattering: logarithms of shares of each order in what it comes from (anden2014).

    See `scattering_averages` for the parameters, and
    `myograph.signal.scattering.Scattered.gain_free` for the shares.
    """
    return _paths(windows, fs_hz, given, Scattered.gain_free)
