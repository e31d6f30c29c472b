"""Whiten a signal with the autoregression of its resting part.

Detectors of muscle action reckon with independent noise samples. Amplifier noise is band-limited,
so neighbouring samples are alike; the prediction error of an autoregression is not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_toeplitz

from myograph.core.checks import check_count
from myograph.core.errors import DataError

__all__ = ["Whitener", "autoregression", "power_response", "whiten"]

# Share of the power added to it, so that a signal without noise beyond its band (a pure tone,
# ideal filters) still has a stable model.
_RIDGE = 1e-6


def autoregression(samples: ArrayLike, *, order: int) -> tuple[NDArray[np.float64], float]:
    r"""Fit :math:`x_n = -\sum_{p=1}^{P} a_p x_{n-p} + w_n` by Yule and Walker's equations.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        One channel; its mean is taken off.
    order : int
        P.

    Returns
    -------
    coefficients : ndarray, shape (order + 1,)
        1, a_1, ..., a_P: convolving the samples with them gives the prediction error w.
    variance : float
        Of the prediction error, squared unit of the samples.

    Raises
    ------
    DataError
        If there are too few samples, or they do not vary.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(5000)
    >>> x = np.convolve(noise, 0.5 ** np.arange(30))
    >>> autoregression(x, order=1)[0].round(1).tolist()
    [1.0, -0.5]
    """
    check_count(order, name="order")
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 1 or len(x) < 4 * (order + 1):
        raise DataError(
            f"An autoregression of order {order} needs one channel of at least "
            f"{4 * (order + 1)} samples; got shape {x.shape}."
        )
    x = x - x.mean()
    n = len(x)
    lags = np.array([x[: n - k] @ x[k:] for k in range(order + 1)]) / n
    if lags[0] <= 0:
        raise DataError(
            "The samples do not vary, so there is nothing to model; check the electrode, or choose "
            "another stretch."
        )
    lags[0] *= 1 + _RIDGE
    forward = solve_toeplitz(lags[:order], lags[1:])
    return np.concatenate([[1.0], -forward]), float(lags[0] - forward @ lags[1:])


def power_response(
    coefficients: NDArray[np.float64], variance: float, *, n_bins: int
) -> NDArray[np.float64]:
    """Return the model's power at ``n_bins`` frequencies from 0 to the Nyquist frequency.

    In squared units per sample: the mean over all (two-sided) frequencies is the signal's power.
    """
    response = np.fft.rfft(coefficients, 2 * (n_bins - 1))
    power: NDArray[np.float64] = variance / (response.real**2 + response.imag**2)
    return power


def whiten(samples: ArrayLike, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the prediction error of one channel, as long as the channel.

    What lies before the first sample is taken to be like the first sample: an offset of the
    electrode does not ring.
    """
    return Whitener(coefficients).push(np.asarray(samples))


class Whitener:
    """Whitens one channel, chunk by chunk: a causal filter without feedback.

    Parameters
    ----------
    coefficients : ndarray, shape (order + 1,)
        From `autoregression`.

    Examples
    --------
    >>> state = Whitener(np.array([1.0, -1.0]))
    >>> state.push(np.array([2.0, 5.0])).tolist(), state.push(np.array([4.0])).tolist()
    ([0.0, 3.0], [-1.0])
    """

    __slots__ = ("_coefficients", "_past")

    def __init__(self, coefficients: NDArray[np.float64]) -> None:
        self._coefficients = coefficients
        self._past: NDArray[np.float64] | None = None

    def push(self, chunk: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take the newest samples, shape (n_new,), and return as many."""
        new = np.asarray(chunk, dtype=np.float64)
        if len(new) == 0:
            return new
        order = len(self._coefficients) - 1
        if self._past is None:
            self._past = np.full(order, new[0])
        held = np.concatenate([self._past, new])
        self._past = held[len(held) - order :]
        # Term by term, so that every output is the same sum in the same order, however it is cut.
        out = np.zeros(len(new))
        for p, a in enumerate(self._coefficients):
            out += a * held[order - p : order - p + len(new)]
        return out
