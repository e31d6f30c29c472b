"""How the signal moves from sample to sample: WL, ZC, SSC, WAMP.

Thresholds are amplitudes in the unit of the channel. Their default is 0, the definition without a
noise threshold; any other value depends on the amplifier and the skin, so it is stated, never
guessed, and fixed on training data only. Silence and flat windows give 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = ["slope_sign_changes", "waveform_length", "willison_amplitude", "zero_crossings"]


@feature("wl", unit="signal", amplitude_power=1, reference="hudgins1993")
def waveform_length(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Waveform length, :math:`\sum_n |x_{n+1} - x_n|` (hudgins1993).

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
    return np.abs(np.diff(as_float64(windows), axis=-1)).sum(axis=-1)


@feature(
    "zc",
    unit="1",
    amplitude_power=0,
    reference="hudgins1993",
    parameters={"threshold": 0.0},
    in_signal_units=("threshold",),
)
def zero_crossings(
    windows: Windows3D, fs_hz: float, *, threshold: float = 0.0
) -> NDArray[np.float64]:
    r"""Count zero crossings (hudgins1993).

    Counted are the n where :math:`x_n` and :math:`x_{n+1}` have opposite signs and
    :math:`|x_{n+1} - x_n| \ge` ``threshold``. A sample of exactly zero has no sign.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    threshold : float
        Smallest step that counts, in the unit of the channel.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        A count per window.
    """
    del fs_hz
    check_non_negative(threshold, name="threshold")
    x = as_float64(windows)
    before, after = np.sign(x[..., :-1]), np.sign(x[..., 1:])
    counted = (before * after < 0) & (np.abs(np.diff(x, axis=-1)) >= threshold)
    return counted.sum(axis=-1).astype(np.float64)


@feature(
    "ssc",
    unit="1",
    amplitude_power=0,
    reference="hudgins1993",
    parameters={"threshold": 0.0},
    in_signal_units=("threshold",),
)
def slope_sign_changes(
    windows: Windows3D, fs_hz: float, *, threshold: float = 0.0
) -> NDArray[np.float64]:
    r"""Count slope sign changes (hudgins1993).

    Counted are the n where :math:`(x_n - x_{n-1})(x_n - x_{n+1}) > 0` and at least one of the two
    steps is ``threshold`` or more. The threshold is an amplitude; the variant that compares the
    product with a threshold needs a squared one and counts otherwise.

    See `zero_crossings` for the parameters and the result.
    """
    del fs_hz
    check_non_negative(threshold, name="threshold")
    steps = np.diff(as_float64(windows), axis=-1)
    turns = np.sign(steps[..., :-1]) * np.sign(steps[..., 1:]) < 0
    large = np.abs(steps) >= threshold
    counted = turns & (large[..., :-1] | large[..., 1:])
    return counted.sum(axis=-1).astype(np.float64)


@feature(
    "wamp",
    unit="1",
    amplitude_power=0,
    reference="phinyomark2012",
    parameters={"threshold": 0.0},
    in_signal_units=("threshold",),
)
def willison_amplitude(
    windows: Windows3D, fs_hz: float, *, threshold: float = 0.0
) -> NDArray[np.float64]:
    r"""Count steps :math:`|x_{n+1} - x_n| >` ``threshold`` (phinyomark2012).

    Not Willison's clinical turns. See `zero_crossings` for the parameters and the result.
    """
    del fs_hz
    check_non_negative(threshold, name="threshold")
    counted = np.abs(np.diff(as_float64(windows), axis=-1)) > threshold
    return counted.sum(axis=-1).astype(np.float64)
