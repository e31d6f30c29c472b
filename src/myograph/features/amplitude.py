"""How large the signal is: MAV, IEMG, RMS and their kin.

Every sum runs in float64, whatever the windows are. Silence gives 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import ParameterError
from myograph.features.base import feature
from myograph.features.thresholds import amplitudes

__all__ = [
    "absolute_temporal_moment_3",
    "absolute_temporal_moment_4",
    "absolute_temporal_moment_5",
    "integrated_emg",
    "log_detector",
    "mean_absolute_slope",
    "mean_absolute_value",
    "mean_square_root",
    "modified_mav_1",
    "modified_mav_2",
    "myopulse_rate",
    "offset_log_detector",
    "root_mean_square",
    "simple_square_integral",
    "variance",
]

Windows3D = NDArray[np.floating]
Values = NDArray[np.float64]


def as_float64(windows: Windows3D) -> Values:
    """Return the windows as C-ordered float64: one order of summation for every layout."""
    return np.ascontiguousarray(windows, dtype=np.float64)


@feature("mav", unit="signal", amplitude_power=1, reference="hudgins1993")
def mean_absolute_value(windows: Windows3D, fs_hz: float) -> Values:
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
def integrated_emg(windows: Windows3D, fs_hz: float) -> Values:
    r"""Integrated EMG, :math:`\sum_n |x_n|` (phinyomark2012): a sum, it grows with the window.

    See `mean_absolute_value` for the parameters and the result.
    """
    del fs_hz
    return np.abs(as_float64(windows)).sum(axis=-1)


@feature("rms", unit="signal", amplitude_power=1, reference="phinyomark2012")
def root_mean_square(windows: Windows3D, fs_hz: float) -> Values:
    r"""Root mean square, :math:`\sqrt{\frac{1}{N}\sum_n x_n^2}` (phinyomark2012).

    See `mean_absolute_value` for the parameters and the result.
    """
    del fs_hz
    return np.sqrt(np.square(as_float64(windows)).mean(axis=-1))


@feature("var", unit="signal^2", amplitude_power=2, reference="phinyomark2012")
def variance(windows: Windows3D, fs_hz: float) -> Values:
    r"""Variance of a zero-mean signal, :math:`\frac{1}{N-1}\sum_n x_n^2` (phinyomark2012).

    The mean is taken to be 0, as it is after a high-pass; it is not subtracted.

    See `mean_absolute_value` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    x = as_float64(windows)
    return np.square(x).sum(axis=-1) / (x.shape[-1] - 1)


@feature("ssi", unit="signal^2", amplitude_power=2, reference="phinyomark2012")
def simple_square_integral(windows: Windows3D, fs_hz: float) -> Values:
    r"""Square integral, :math:`\sum_n x_n^2` (phinyomark2012): it grows with the window.

    See `mean_absolute_value` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    return np.square(as_float64(windows)).sum(axis=-1)


@feature("mav1", unit="signal", amplitude_power=1, reference="phinyomark2012")
def modified_mav_1(windows: Windows3D, fs_hz: float) -> Values:
    r"""Weighted mean absolute value: the middle half counts fully, the quarters beside it half.

    :math:`\frac{1}{N}\sum_n w_n |x_n|`, w = 1 for :math:`N/4 \le n \le 3N/4`, n from 1
    (phinyomark2012). See `mean_absolute_value` for the parameters and the result.
    """
    del fs_hz
    return (np.abs(as_float64(windows)) * mav_weights(windows.shape[-1])[0]).sum(axis=-1)


@feature("mav2", unit="signal", amplitude_power=1, reference="phinyomark2012")
def modified_mav_2(windows: Windows3D, fs_hz: float) -> Values:
    r"""Weighted mean absolute value: the weight rises and falls over the quarters at the ends.

    :math:`\frac{1}{N}\sum_n w_n |x_n|`, w = 1 for :math:`N/4 \le n \le 3N/4`, :math:`4n/N` before
    and :math:`4(N-n)/N` after, n from 1 (phinyomark2012; the weight after the middle is written
    there as 4(n-N)/N, which would be negative). See `mean_absolute_value` for the parameters and
    the result.
    """
    del fs_hz
    return (np.abs(as_float64(windows)) * mav_weights(windows.shape[-1])[1]).sum(axis=-1)


def mav_weights(n_samples: int) -> Values:
    """Return the weights of `modified_mav_1` and `modified_mav_2`, shape (2, n_samples)."""
    place = np.arange(1, n_samples + 1) / n_samples
    middle = (place >= 0.25) & (place <= 0.75)
    slopes = np.where(place < 0.25, 4 * place, 4 * (1 - place))
    return np.stack([np.where(middle, 1.0, 0.5), np.where(middle, 1.0, slopes)]) / n_samples


def _check_segments(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del fs_hz
    segments = check_count(parameters["segments"], name="segments of 'mavslp'", least=2)
    if segments > n_samples:
        raise ParameterError(
            f"Feature 'mavslp' cuts windows of {n_samples} samples into {segments} segments; "
            "give fewer segments or longer windows."
        )


@feature(
    "mavslp",
    unit="signal",
    amplitude_power=1,
    reference="phinyomark2012",
    parameters={"segments": 2},
    check=_check_segments,
)
def mean_absolute_slope(windows: Windows3D, fs_hz: float, *, segments: int = 2) -> Values:
    """Mean absolute value of a segment of the window less that of the segment before it.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    segments : int
        How many segments of equal length, to a sample, the window is cut into.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, segments - 1)
        In the unit of the channel (phinyomark2012).
    """
    del fs_hz
    x = np.abs(as_float64(windows))
    parts = [(x * weights).sum(axis=-1) for weights in segment_weights(x.shape[-1], segments)]
    return np.diff(np.stack(parts, axis=-1), axis=-1)


def segment_weights(n_samples: int, segments: int) -> Values:
    """Return weights that take the mean of each segment, shape (segments, n_samples)."""
    edges = np.round(np.linspace(0, n_samples, segments + 1)).astype(int)
    weights = np.zeros((segments, n_samples))
    for row, first, stop in zip(weights, edges[:-1], edges[1:], strict=True):
        row[first:stop] = 1 / (stop - first)
    return weights


@feature(
    "log",
    unit="signal",
    amplitude_power=1,
    reference="phinyomark2012",
    parameters={"floor": 0.0},
    in_signal_units=("floor",),
)
def log_detector(windows: Windows3D, fs_hz: float, *, floor: float = 0.0) -> Values:
    r"""Log detector, :math:`\exp(\frac{1}{N}\sum_n \ln |x_n|)` (phinyomark2012).

    The geometric mean of the sizes: it is 0 as soon as one sample is.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    floor : float or sequence of float
        Sizes below it, in the unit of the channel, count as this; for signals in steps of a
        converter, whose samples may be exactly 0.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        In the unit of the channel.
    """
    del fs_hz
    x = as_float64(windows)
    least = amplitudes(floor, n_channels=x.shape[1], name="floor of feature 'log'")
    with np.errstate(divide="ignore"):
        return np.exp(np.log(np.maximum(np.abs(x), least[:, None])).mean(axis=-1))


@feature(
    "ld",
    unit="signal",
    amplitude_power=1,
    reference="phinyomark2018",
    parameters={"offset": 1.0},
    in_signal_units=("offset",),
)
def offset_log_detector(windows: Windows3D, fs_hz: float, *, offset: float = 1.0) -> Values:
    r"""Log detector with an offset, :math:`\exp(\frac{1}{N}\sum_n \ln(|x_n| + o))`.

    The form that toolboxes compute (phinyomark2018): samples of 0 do no harm, but silence gives
    the offset, and the value means something only with the offset stated.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    offset : float or sequence of float
        In the unit of the channel.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        In the unit of the channel.
    """
    del fs_hz
    x = as_float64(windows)
    added = amplitudes(offset, n_channels=x.shape[1], name="offset of feature 'ld'")
    with np.errstate(divide="ignore"):
        return np.exp(np.log(np.abs(x) + added[:, None]).mean(axis=-1))


@feature("msr", unit="signal^0.5", amplitude_power=0.5, reference="phinyomark2018")
def mean_square_root(windows: Windows3D, fs_hz: float) -> Values:
    r"""Mean square root, :math:`|\frac{1}{N}\sum_n \sqrt{x_n}|` (phinyomark2018).

    Roots of negative samples are imaginary, so the value is the length of the vector of the mean
    root of the positive and that of the negative samples.

    See `mean_absolute_value` for the parameters; the result is in the root of the unit.
    """
    del fs_hz
    x = as_float64(windows)
    positive, negative = (np.sqrt(np.maximum(y, 0)).mean(axis=-1) for y in (x, -x))
    return np.hypot(positive, negative)


def _temporal_moment(windows: Windows3D, order: int) -> Values:
    return np.abs((as_float64(windows) ** order).mean(axis=-1))


@feature("tm3", unit="signal^3", amplitude_power=3, reference="phinyomark2012")
def absolute_temporal_moment_3(windows: Windows3D, fs_hz: float) -> Values:
    r"""Absolute temporal moment, :math:`|\frac{1}{N}\sum_n x_n^3|` (phinyomark2012).

    See `mean_absolute_value` for the parameters; the result is in the third power of the unit.
    """
    del fs_hz
    return _temporal_moment(windows, 3)


@feature("tm4", unit="signal^4", amplitude_power=4, reference="phinyomark2012")
def absolute_temporal_moment_4(windows: Windows3D, fs_hz: float) -> Values:
    r"""Absolute temporal moment, :math:`\frac{1}{N}\sum_n x_n^4` (phinyomark2012).

    See `mean_absolute_value` for the parameters; the result is in the fourth power of the unit.
    """
    del fs_hz
    return _temporal_moment(windows, 4)


@feature("tm5", unit="signal^5", amplitude_power=5, reference="phinyomark2012")
def absolute_temporal_moment_5(windows: Windows3D, fs_hz: float) -> Values:
    r"""Absolute temporal moment, :math:`|\frac{1}{N}\sum_n x_n^5|` (phinyomark2012).

    See `mean_absolute_value` for the parameters; the result is in the fifth power of the unit.
    """
    del fs_hz
    return _temporal_moment(windows, 5)


@feature(
    "myop",
    unit="1",
    amplitude_power=0,
    reference="phinyomark2012",
    parameters={"threshold": 0.0},
    in_signal_units=("threshold",),
)
def myopulse_rate(windows: Windows3D, fs_hz: float, *, threshold: float = 0.0) -> Values:
    r"""Share of samples with :math:`|x_n| >` ``threshold`` (phinyomark2012).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    threshold : float or sequence of float
        One for all channels or one for each, in their unit.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        From 0 to 1.
    """
    del fs_hz
    x = as_float64(windows)
    above = amplitudes(threshold, n_channels=x.shape[1], name="threshold of feature 'myop'")
    return (np.abs(x) > above[:, None]).mean(axis=-1)
