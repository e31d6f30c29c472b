r"""How the detail of a window grows with magnification: fractal dimensions and DFA.

Each is the slope of a straight line, by least squares, through the logarithms of a size at a
few scales. Scales at which the size is 0 are left out; a flat window is a line, of dimension 1,
and has no fluctuations, so that its exponent is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = [
    "box_dimension",
    "box_edges",
    "box_slope",
    "curve_slope",
    "detrended_fluctuation",
    "fluctuation_sizes",
    "higuchi_dimension",
    "katz_dimension",
    "katz_of",
    "slope_of_logs",
]

#: Below this part of the power of the profile, what is left in the boxes is rounding.
NO_FLUCTUATION = 1e-20

_MAX_LAG = 64
_MOST_KATZ = 100.0

Values = NDArray[np.float64]


def slope_of_logs(scales: NDArray[Any], sizes: Values, *, otherwise: float) -> Values:
    """Return the slope of ln(size) over ln(scale) along the last axis.

    Parameters
    ----------
    scales : ndarray, shape (k,)
    sizes : ndarray, shape (..., k)
        Those that are 0 are left out.
    otherwise : float
        Where fewer than two are left.
    """
    used = sizes > 0
    weight = used.astype(np.float64)
    count = np.maximum(weight.sum(axis=-1, keepdims=True), 1.0)
    across = np.log(scales) * weight
    along = np.log(np.where(used, sizes, 1.0))
    across = (across - across.sum(axis=-1, keepdims=True) / count) * weight
    along = (along - along.sum(axis=-1, keepdims=True) / count) * weight
    power = np.square(across).sum(axis=-1)
    line = used.sum(axis=-1) > 1
    return np.where(line, (across * along).sum(axis=-1) / np.where(line, power, 1.0), otherwise)


def fluctuation_sizes(n_samples: int) -> NDArray[np.int64]:
    """Return the lengths of the boxes of DFA: from 4 to a quarter, two to each doubling."""
    steps = np.arange(2 * max(n_samples // 4, 4).bit_length())
    sizes = np.unique(np.floor(4 * 2 ** (steps / 2)).astype(np.int64))
    return sizes[sizes <= n_samples // 4]


def _at_least(name: str, least: int) -> Callable[..., None]:
    def check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        del parameters
        if n_samples < least:
            raise DataError(
                f"Feature {name!r} needs windows of at least {least} samples; these have "
                f"{n_samples} ({1000 * n_samples / fs_hz:g} ms at {fs_hz:g} Hz). Lengthen the "
                "windows or leave the feature out."
            )

    return check


@feature("dfa", unit="1", amplitude_power=0, reference="peng1994", check=_at_least("dfa", 20))
def detrended_fluctuation(windows: Windows3D, fs_hz: float) -> Values:
    r"""Exponent of detrended fluctuation analysis (peng1994): how fluctuations grow with length.

    The running sum of the window about its mean is cut into boxes of n samples from its start, a
    rest that fills no box is left out, a straight line is taken off each box, and F(n) is the
    root mean square of what remains; the exponent is the slope of ln F over ln n for n from 4 to
    a quarter of the window, two sizes to each doubling.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        0.5 for white noise, 1.5 for its running sum, 0 for a flat window. Short boxes bend the
        line: white noise in 400 samples gives about 0.57.
    """
    del fs_hz
    x = as_float64(windows)
    x = x - x[..., :1]
    profile = np.cumsum(x - x.mean(axis=-1, keepdims=True), axis=-1)
    least = NO_FLUCTUATION * np.square(profile).mean(axis=-1)
    sizes = fluctuation_sizes(x.shape[-1])
    left = np.empty((*x.shape[:2], len(sizes)))
    for k, size in enumerate(sizes):
        count = profile.shape[-1] // size
        boxes = profile[..., : count * size].reshape(*x.shape[:2], count, size)
        t = np.arange(size) - (size - 1) / 2
        boxes = boxes - boxes.mean(axis=-1, keepdims=True)
        rise = (boxes * t).sum(axis=-1, keepdims=True) / np.square(t).sum()
        power = np.square(boxes - rise * t).mean(axis=(-1, -2))
        left[..., k] = np.sqrt(np.where(power > least, power, 0.0))
    return slope_of_logs(sizes, left, otherwise=0.0)


def _check_higuchi(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del fs_hz
    most = check_count(parameters["max_lag"], name="max_lag of feature 'higuchi'", least=2)
    if most > _MAX_LAG:
        raise ParameterError(f"max_lag of feature 'higuchi' must be 2 to {_MAX_LAG}; got {most}.")
    if n_samples < 2 * most + 1:
        raise DataError(
            f"Feature 'higuchi' with max_lag={most} needs windows of at least {2 * most + 1} "
            f"samples; these have {n_samples}. Lower max_lag or lengthen the windows."
        )


@feature(
    "higuchi",
    unit="1",
    amplitude_power=0,
    reference="higuchi1988",
    parameters={"max_lag": 8},
    check=_check_higuchi,
)
def higuchi_dimension(windows: Windows3D, fs_hz: float, *, max_lag: int = 8) -> Values:
    r"""Fractal dimension by Higuchi's curve lengths (higuchi1988).

    :math:`L(k)` is the mean over the starts m = 1 to k of
    :math:`\frac{N-1}{\lfloor (N-m)/k \rfloor k^2} \sum_i |x_{m+ik} - x_{m+(i-1)k}|`, and the
    dimension is the slope of ln L over ln(1/k), k from 1 to ``max_lag``.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    max_lag : int
        The largest k, 2 to 64.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        1 for a straight line or a flat window, 2 for white noise.
    """
    del fs_hz
    x = as_float64(windows)
    n = x.shape[-1]
    lengths = np.empty((*x.shape[:2], max_lag))
    for k in range(1, max_lag + 1):
        total = np.zeros(x.shape[:2])
        for start in range(k):
            steps = np.abs(np.diff(x[..., start::k], axis=-1))
            total += steps.sum(axis=-1) * ((n - 1) / (steps.shape[-1] * k * k))
        lengths[..., k - 1] = total / k
    return curve_slope(lengths)


def curve_slope(lengths: Values) -> Values:
    """Return Higuchi's dimension from the lengths L(1), L(2), ..."""
    return slope_of_logs(1.0 / np.arange(1, lengths.shape[-1] + 1), lengths, otherwise=1.0)


@feature("katz", unit="1", amplitude_power=0, reference="katz1988", check=_at_least("katz", 3))
def katz_dimension(windows: Windows3D, fs_hz: float) -> Values:
    r"""Fractal dimension by Katz, :math:`\ln n / (\ln n + \ln(d / L))` (katz1988).

    n = N - 1 steps; L is their summed size and d the largest distance of a sample from the first.
    Distances are of amplitudes alone (esteller2001), so that the value depends neither on the
    unit of the channel nor on the sampling rate beside it.

    See `detrended_fluctuation` for the parameters.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        1 for a straight line or a flat window, and more the more often the signal turns back: a
        signal that returns at every step has no bound, so that values are cut at 100.
    """
    del fs_hz
    x = as_float64(windows)
    length = np.abs(np.diff(x, axis=-1)).sum(axis=-1)
    extent = np.abs(x - x[..., :1]).max(axis=-1)
    return katz_of(length, extent, x.shape[-1])


def katz_of(length: Values, extent: Values, n_samples: int) -> Values:
    """Return Katz's dimension from the length of the curve and its extent."""
    steps = np.log(n_samples - 1.0)
    moved = length > 0
    ratio = np.divide(extent, length, out=np.ones_like(length), where=moved)
    return steps / np.maximum(steps + np.log(ratio), steps / _MOST_KATZ)


def box_edges(n_samples: int) -> list[NDArray[np.int64]]:
    """Return where the columns of boxes begin and end, for 2, 4, 8, ... columns."""
    most = int(np.log2((n_samples - 1) / 2))
    return [
        np.rint(np.linspace(0, n_samples - 1, 2**k + 1)).astype(np.int64)
        for k in range(1, most + 1)
    ]


@feature(
    "boxdim", unit="1", amplitude_power=0, reference="liebovitch1989", check=_at_least("boxdim", 9)
)
def box_dimension(windows: Windows3D, fs_hz: float) -> Values:
    r"""Fractal dimension by counting boxes (liebovitch1989).

    The curve through the samples is stretched to the unit square, as wide as the window and as
    high as its range. :math:`N(k)` of the :math:`4^k` boxes of side :math:`2^{-k}` are needed to
    cover it; the dimension is the slope of ln N over :math:`k \ln 2`, from two columns to columns
    of two steps.

    See `detrended_fluctuation` for the parameters.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        1 for a straight line or a flat window, towards 2 for noise.
    """
    del fs_hz
    x = as_float64(windows)
    low = x.min(axis=-1, keepdims=True)
    range_ = x.max(axis=-1, keepdims=True) - low
    height = np.divide(x - low, range_, out=np.zeros_like(x), where=range_ > 0)
    edges = box_edges(x.shape[-1])
    counts = np.empty((*x.shape[:2], len(edges)))
    for k, edge in enumerate(edges):
        total = np.zeros(x.shape[:2])
        boxes = 2.0 ** (k + 1)
        for start, stop in pairwise(edge):
            part = height[..., start : stop + 1] * boxes
            rows = np.ceil(part.max(axis=-1)) - np.floor(part.min(axis=-1))
            total += np.maximum(rows, 1.0)
        counts[..., k] = total
    return box_slope(counts)


def box_slope(counts: Values) -> Values:
    """Return the dimension from the boxes in 2, 4, 8, ... columns."""
    return slope_of_logs(2.0 ** np.arange(1, counts.shape[-1] + 1), counts, otherwise=1.0)
