"""How large the signal is: MAV, IEMG, RMS, VAR.

Every sum runs in float64, whatever the windows are. Silence gives 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.features.base import feature

__all__ = ["integrated_emg", "mean_absolute_value", "root_mean_square", "variance"]

Windows3D = NDArray[np.floating]


def as_float64(windows: Windows3D) -> NDArray[np.float64]:
    """Return the windows as C-ordered float64: one order of summation for every layout."""
    return np.ascontiguousarray(windows, dtype=np.float64)


@feature("mav", unit="signal", amplitude_power=1, reference="hudgins1993")
def mean_absolute_value(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Mean absolute value, :math:`\frac{1}{N}\sum_n |x_n|` (hudgins1993).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        In the unit of the channel.
    """
    del fs_hz
    return np.abs(as_float64(windows)).mean(axis=-1)


@feature("iemg", unit="signal", amplitude_power=1, reference="phinyomark2012")
def integrated_emg(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Integrated EMG, :math:`\sum_n |x_n|` (phinyomark2012): a sum, it grows with the window.

    See `mean_absolute_value` for the parameters and the result.
    """
    del fs_hz
    return np.abs(as_float64(windows)).sum(axis=-1)


@feature("rms", unit="signal", amplitude_power=1, reference="phinyomark2012")
def root_mean_square(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Root mean square, :math:`\sqrt{\frac{1}{N}\sum_n x_n^2}` (phinyomark2012).

    See `mean_absolute_value` for the parameters and the result.
    """
    del fs_hz
    return np.sqrt(np.square(as_float64(windows)).mean(axis=-1))


@feature("var", unit="signal^2", amplitude_power=2, reference="phinyomark2012")
def variance(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Variance of a zero-mean signal, :math:`\frac{1}{N-1}\sum_n x_n^2` (phinyomark2012).

    The mean is taken to be 0, as it is after a high-pass; it is not subtracted.

    See `mean_absolute_value` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    x = as_float64(windows)
    return np.square(x).sum(axis=-1) / (x.shape[-1] - 1)
