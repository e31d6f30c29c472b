"""What the distribution of the samples looks like: moments, order, peaks, histogram, Hjorth.

Moments are about the mean of the window, which is taken off. A flat window gives 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.features.thresholds import amplitudes

__all__ = [
    "cardinality",
    "crest_factor",
    "hjorth_activity",
    "hjorth_complexity",
    "hjorth_mobility",
    "kurtosis",
    "l_scale",
    "peak",
    "peak_to_peak",
    "sample_histogram",
    "skewness",
]

Values = NDArray[np.float64]


@feature("kurt", unit="1", amplitude_power=0, reference="thongpanja2016")
def kurtosis(windows: Windows3D, fs_hz: float) -> Values:
    r"""Kurtosis, :math:`m_4 / m_2^2` (thongpanja2016): 3 for a normal distribution, not 0.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        Without a unit; 0 for a flat window.
    """
    del fs_hz
    x = _centred(windows)
    return ratio((x**4).mean(axis=-1), np.square(np.square(x).mean(axis=-1)))


@feature("skew", unit="1", amplitude_power=0, reference="thongpanja2016")
def skewness(windows: Windows3D, fs_hz: float) -> Values:
    r"""Skewness, :math:`m_3 / m_2^{3/2}` (thongpanja2016).

    See `kurtosis` for the parameters and the result.
    """
    del fs_hz
    x = _centred(windows)
    return ratio((x**3).mean(axis=-1), np.square(x).mean(axis=-1) ** 1.5)


@feature("ls", unit="signal", amplitude_power=1, reference="hosking1990")
def l_scale(windows: Windows3D, fs_hz: float) -> Values:
    r"""L-scale, the second sample L-moment: half the mean distance of two samples (hosking1990).

    :math:`\lambda_2 = \frac{1}{N(N-1)} \sum_i (2i - N - 1)\, x_{(i)}`, samples sorted, i from 1.

    See `kurtosis` for the parameters; the result is in the unit of the channel.
    """
    del fs_hz
    x = np.sort(as_float64(windows), axis=-1)
    n = x.shape[-1]
    return (x * (2.0 * np.arange(n) - n + 1)).sum(axis=-1) / (n * (n - 1))


@feature(
    "card",
    unit="1",
    amplitude_power=0,
    reference="ortizcatalan2015",
    parameters={"threshold": 0.0},
    in_signal_units=("threshold",),
)
def cardinality(windows: Windows3D, fs_hz: float, *, threshold: float = 0.0) -> Values:
    """Count the different samples of a window (ortizcatalan2015).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    threshold : float or sequence of float
        Sorted neighbours are different when they are further apart than this, in the unit of the
        channel. At 0, the count says how finely the converter resolves the signal.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        A count; 1 for a flat window.
    """
    del fs_hz
    x = np.sort(as_float64(windows), axis=-1)
    least = amplitudes(threshold, n_channels=x.shape[1], name="threshold of feature 'card'")
    return 1.0 + (np.diff(x, axis=-1) > least[:, None]).sum(axis=-1)


@feature("peak", unit="signal", amplitude_power=1, reference="phinyomark2018")
def peak(windows: Windows3D, fs_hz: float) -> Values:
    r"""Largest size, :math:`\max_n |x_n|`.

    See `kurtosis` for the parameters; the result is in the unit of the channel.
    """
    del fs_hz
    return np.abs(as_float64(windows)).max(axis=-1)


@feature("ptp", unit="signal", amplitude_power=1, reference="phinyomark2018")
def peak_to_peak(windows: Windows3D, fs_hz: float) -> Values:
    """Largest less smallest sample.

    See `kurtosis` for the parameters; the result is in the unit of the channel.
    """
    del fs_hz
    x = as_float64(windows)
    return x.max(axis=-1) - x.min(axis=-1)


@feature("crest", unit="1", amplitude_power=0, reference="phinyomark2018")
def crest_factor(windows: Windows3D, fs_hz: float) -> Values:
    r"""Crest factor, :math:`\max_n |x_n|` over the root mean square: 1.41 for a tone.

    See `kurtosis` for the parameters and the result; silence gives 0.
    """
    x = as_float64(windows)
    return ratio(peak(x, fs_hz), np.sqrt(np.square(x).mean(axis=-1)))


@feature("hjorth-activity", unit="signal^2", amplitude_power=2, reference="hjorth1970")
def hjorth_activity(windows: Windows3D, fs_hz: float) -> Values:
    """Variance about the mean, divided by N (hjorth1970).

    See `kurtosis` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    return np.square(_centred(windows)).mean(axis=-1)


@feature("hjorth-mobility", unit="1", amplitude_power=0, reference="hjorth1970")
def hjorth_mobility(windows: Windows3D, fs_hz: float) -> Values:
    r"""Mobility, :math:`\sqrt{\mathrm{var}(\Delta x)/\mathrm{var}(x)}` (hjorth1970).

    Per sample: :math:`2 \sin(\pi f / f_s)` for a tone of f.

    See `kurtosis` for the parameters and the result.
    """
    del fs_hz
    x = as_float64(windows)
    return np.sqrt(ratio(_variance(np.diff(x, axis=-1)), _variance(x)))


@feature("hjorth-complexity", unit="1", amplitude_power=0, reference="hjorth1970", min_samples=3)
def hjorth_complexity(windows: Windows3D, fs_hz: float) -> Values:
    """Complexity, the mobility of the first difference over that of the signal (hjorth1970).

    1 for a tone, and more the more bands the signal has.

    See `kurtosis` for the parameters and the result.
    """
    del fs_hz
    x = as_float64(windows)
    step, bend = np.diff(x, axis=-1), np.diff(x, n=2, axis=-1)
    step_variance = _variance(step)
    return np.sqrt(ratio(_variance(bend) * _variance(x), np.square(step_variance)))


def _check_bins(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del n_samples, fs_hz
    check_count(parameters["bins"], name="bins of feature 'hist'", least=2)


@feature(
    "hist",
    unit="1",
    amplitude_power=0,
    reference="zardoshti1995",
    parameters={"bins": 9, "limit": 0.0},
    in_signal_units=("limit",),
    check=_check_bins,
)
def sample_histogram(
    windows: Windows3D, fs_hz: float, *, bins: int = 9, limit: float = 0.0
) -> Values:
    """Share of samples in equal bins from ``-limit`` to ``limit`` (zardoshti1995).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    bins : int
    limit : float or sequence of float
        In the unit of the channel; samples beyond it count in the outermost bins. At 0 it is
        three times the root mean square of the window itself, which leaves the shape and takes
        the amplitude away.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, bins)
        They add up to 1. Silence is in the middle bin.
    """
    del fs_hz
    x = as_float64(windows)
    edge = histogram_limits(np.square(x).mean(axis=-1), limit)[..., None]
    place = (x + edge) / np.where(edge > 0, 2 * edge, 1.0) * bins
    index = np.where(edge > 0, np.clip(place, 0, bins - 1), bins // 2).astype(np.int64)
    return (index[..., None] == np.arange(bins)).mean(axis=-2)


def histogram_limits(mean_square: Values, limit: Any) -> Values:
    """Return the limit of the histogram of every window, shape (n_windows, n_channels)."""
    given = amplitudes(limit, n_channels=mean_square.shape[1], name="limit of feature 'hist'")
    return np.where(given > 0, given, 3 * np.sqrt(mean_square))


def ratio(above: Values, below: Values) -> Values:
    """Return ``above / below``, and 0 where ``below`` is 0."""
    found: Values = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return found


def _centred(windows: Windows3D) -> Values:
    x = as_float64(windows)
    x = x - x[..., :1]  # so that a flat window becomes exactly 0
    return x - x.mean(axis=-1, keepdims=True)


def _variance(x: Values) -> Values:
    return np.square(_centred(x)).mean(axis=-1)
