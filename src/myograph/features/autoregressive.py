r"""Autoregressive models of a window: Burg, Yule-Walker, and the cepstrum of the model.

The sign convention is :math:`x_n = -\sum_{p=1}^{P} a_p x_{n-p} + w_n`, so that the prediction
error filter is :math:`1, a_1, \ldots, a_P`; other software returns the coefficients negated. The
mean of the window is taken off. A flat window gives 0. Once less than 1e-14 of the power is left
unexplained (a tone and order 2 do that), further reflection coefficients are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = ["burg_coefficients", "cepstrum", "cepstrum_of", "yule_walker_coefficients"]

#: The highest order: beyond it a window of EMG has no samples to tell the coefficients apart.
MAX_ORDER = 11

# As in the compiled form.
_NOTHING = 1e-14

Values = NDArray[np.float64]


def _check(name: str) -> Callable[..., None]:
    def check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        del fs_hz
        order = check_count(parameters["order"], name=f"order of feature {name!r}")
        if order > MAX_ORDER:
            raise ParameterError(
                f"order of feature {name!r} must be 1 to {MAX_ORDER}; got {order}."
            )
        if n_samples < 2 * order + 1:
            raise DataError(
                f"Feature {name!r} of order {order} needs windows of at least {2 * order + 1} "
                f"samples; these have {n_samples}. Lower the order or lengthen the windows."
            )

    return check


@feature(
    "ar",
    unit="1",
    amplitude_power=0,
    reference="burg1975",
    parameters={"order": 6},
    check=_check("ar"),
)
def burg_coefficients(windows: Windows3D, fs_hz: float, *, order: int = 6) -> Values:
    """Autoregressive coefficients by Burg's lattice (burg1975).

    Every reflection coefficient minimises the power of the forward and backward errors, which is
    summed afresh each time: its recursion (andersen1978) loses digits on oversampled signals. The
    model is always stable.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    order : int
        P, from 1 to 11.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, order)
        a_1 to a_P in the sign convention of `myograph.features.autoregressive`.
    """
    del fs_hz
    x = centred(windows)
    forward, backward = x[..., 1:], x[..., :-1]
    least = 2 * _NOTHING * np.square(x).sum(axis=-1)
    coefficients = np.empty((*x.shape[:2], 0))
    for _ in range(order):
        power = (np.square(forward) + np.square(backward)).sum(axis=-1)
        k = _reflection(-2 * (forward * backward).sum(axis=-1), power, least)
        forward, backward = forward + k[..., None] * backward, backward + k[..., None] * forward
        forward, backward = forward[..., 1:], backward[..., :-1]
        coefficients = _extended(coefficients, k)
    return coefficients


@feature(
    "ar-yw",
    unit="1",
    amplitude_power=0,
    reference="kay1988",
    parameters={"order": 6},
    check=_check("ar-yw"),
)
def yule_walker_coefficients(windows: Windows3D, fs_hz: float, *, order: int = 6) -> Values:
    """Autoregressive coefficients from the biased autocorrelation, by Levinson (kay1988).

    See `burg_coefficients` for the parameters and the result. Burg's are sharper on windows this
    short: the biased autocorrelation tapers the window.
    """
    del fs_hz
    x = centred(windows)
    n = x.shape[-1]
    lags = np.stack([(x[..., k:] * x[..., : n - k]).sum(axis=-1) for k in range(order + 1)], -1)
    power, least = lags[..., 0], _NOTHING * lags[..., 0]
    coefficients = np.empty((*x.shape[:2], 0))
    for m in range(order):
        error = lags[..., m + 1] + (coefficients * lags[..., m:0:-1]).sum(axis=-1)
        k = _reflection(-error, power, least)
        power = power * (1 - k * k)
        coefficients = _extended(coefficients, k)
    return coefficients


@feature(
    "cepstrum",
    unit="1",
    amplitude_power=0,
    reference="markel1976",
    parameters={"order": 6},
    check=_check("cepstrum"),
)
def cepstrum(windows: Windows3D, fs_hz: float, *, order: int = 6) -> Values:
    r"""Cepstral coefficients of Burg's model (markel1976).

    :math:`c_1 = -a_1` and :math:`c_p = -a_p - \sum_{l=1}^{p-1} (1 - l/p)\, a_l c_{p-l}`; the
    zeroth, the logarithm of the gain, is left out, so amplitude has no say.

    See `burg_coefficients` for the parameters; the result has c_1 to c_P.
    """
    return cepstrum_of(burg_coefficients(windows, fs_hz, order=order))


def cepstrum_of(coefficients: Values) -> Values:
    """Return the cepstral coefficients of models, shape (..., order)."""
    found = -coefficients
    for p in range(2, coefficients.shape[-1] + 1):
        for k in range(1, p):
            found[..., p - 1] -= (1 - k / p) * coefficients[..., k - 1] * found[..., p - k - 1]
    return found


def centred(windows: Windows3D) -> Values:
    """Return windows without their mean; a flat one becomes exactly 0."""
    x = as_float64(windows)
    x = x - x[..., :1]
    return x - x.mean(axis=-1, keepdims=True)


def _reflection(above: Values, power: Values, least: Values) -> Values:
    k = np.divide(above, power, out=np.zeros_like(power), where=power > least)
    return np.clip(k, -1.0, 1.0)


def _extended(coefficients: Values, k: Values) -> Values:
    """Take coefficients one order higher by the Levinson recursion."""
    longer = coefficients + k[..., None] * coefficients[..., ::-1]
    return np.concatenate([longer, k[..., None]], axis=-1)
