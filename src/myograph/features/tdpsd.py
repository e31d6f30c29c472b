r"""The six time-domain power spectral descriptors (altimemy2016).

Root moments of the spectrum are taken from the samples and their differences, by Parseval:
:math:`m_0 = \sqrt{\sum x^2}`, :math:`m_2 = \sqrt{\frac{1}{N}\sum (\Delta x)^2}`,
:math:`m_4 = \sqrt{\frac{1}{N}\sum (\Delta^2 x)^2}`, each then :math:`m^\lambda / \lambda` with
:math:`\lambda = 0.1`. A descriptor is :math:`-2ab / (a^2 + b^2)`, a of the signal and b of
:math:`\ln(x^2 + 2^{-52})`, where both are the logarithm of the size of

====================  ===========================================
``tdpsd-m0``          :math:`m_0`
``tdpsd-m2``          :math:`m_0 - m_2`
``tdpsd-m4``          :math:`m_0 - m_4`
``tdpsd-sparsity``    :math:`m_0 / \sqrt{|(m_0 - m_2)(m_0 - m_4)|}`
``tdpsd-irf``         :math:`m_2 / \sqrt{m_0 m_4}`
``tdpsd-wlf``         :math:`\sum |\Delta x| / \sum |\Delta^2 x|`
====================  ===========================================

There is no scaling law: the logarithm is of an amplitude in the unit of the channel, so a model
trained on microvolts cannot read millivolts. Where a logarithm is not finite (silence, a flat
window) the descriptor is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = ["DESCRIPTORS", "TINY", "descriptors"]

#: Added to the square before the logarithm, in the unit of the channel squared.
TINY = 2.0**-52

DESCRIPTORS = (
    "tdpsd-m0",
    "tdpsd-m2",
    "tdpsd-m4",
    "tdpsd-sparsity",
    "tdpsd-irf",
    "tdpsd-wlf",
)

_LAMBDA = 0.1

Values = NDArray[np.float64]


def log_sizes(
    n_samples: int, *, square: Values, step2: Values, bend2: Values, step: Values, bend: Values
) -> Values:
    """Return the six logarithms from the sums of a signal, shape (6, ...).

    Parameters
    ----------
    n_samples : int
    square, step2, bend2 : ndarray
        Sums of the squares of the samples, of their first and of their second differences.
    step, bend : ndarray
        Sums of the sizes of the differences.
    """
    found = np.empty((6, *np.shape(square)))
    with np.errstate(divide="ignore", invalid="ignore"):
        found[0] = square
        np.divide(step2, n_samples, out=found[1])
        np.divide(bend2, n_samples, out=found[2])
        # Of m^lambda / lambda, with m the square root of a sum.
        logs = np.log(found[:3])
        logs *= 0.5 * _LAMBDA
        m0, m2, m4 = np.exp(logs) / _LAMBDA
        logs -= math.log(_LAMBDA)
        log_0, own_2, own_4 = logs
        found[0] = log_0
        np.abs(m0 - m2, out=found[1])
        np.abs(m0 - m4, out=found[2])
        np.log(found[1:3], out=found[1:3])
        found[3] = log_0 - 0.5 * (found[1] + found[2])
        found[4] = own_2 - 0.5 * (log_0 + own_4)
        found[5] = np.log(step / bend)
    return found


def compare(signal: Values, logarithm: Values) -> Values:
    """Return -2ab / (a^2 + b^2), and 0 where that is not defined."""
    with np.errstate(all="ignore"):
        below = signal * signal + logarithm * logarithm
        if np.isfinite(below).all() and below.all():  # as nearly always
            usual: Values = -2 * signal * logarithm / below
            return usual
    finite = np.isfinite(signal) & np.isfinite(logarithm)
    a, b = np.where(finite, signal, 0.0), np.where(finite, logarithm, 0.0)
    below = a * a + b * b
    found: Values = np.divide(-2 * a * b, below, out=np.zeros_like(below), where=below > 0)
    return found


def descriptors(windows: Windows3D) -> Values:
    """Return all six descriptors, shape (6, n_windows, n_channels)."""
    x = as_float64(windows)
    return compare(_log_sizes(x), _log_sizes(np.log(np.square(x) + TINY)))


def _log_sizes(x: Values) -> Values:
    d = np.diff(x, axis=-1)
    e = np.diff(d, axis=-1)
    return log_sizes(
        x.shape[-1],
        square=np.square(x).sum(axis=-1),
        step2=np.square(d).sum(axis=-1),
        bend2=np.square(e).sum(axis=-1),
        step=np.abs(d).sum(axis=-1),
        bend=np.abs(e).sum(axis=-1),
    )


def _descriptor(k: int) -> Callable[[Windows3D, float], Values]:
    def descriptor(windows: Windows3D, fs_hz: float) -> Values:
        """One of the time-domain power spectral descriptors; see `myograph.features.tdpsd`.

        Parameters
        ----------
        windows : ndarray, shape (n_windows, n_channels, n_samples)
        fs_hz : float
            Not used; every feature takes it.

        Returns
        -------
        ndarray, shape (n_windows, n_channels)
            From -1 to 1.
        """
        del fs_hz
        return descriptors(windows)[k]

    return descriptor


for _k, _name in enumerate(DESCRIPTORS):
    feature(_name, unit="1", amplitude_power=None, reference="altimemy2016", min_samples=3)(
        _descriptor(_k)
    )
