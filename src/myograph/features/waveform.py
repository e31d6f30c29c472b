"""How the signal moves from sample to sample: WL, ZC, SSC, WAMP and their kin.

Thresholds are amplitudes in the unit of the channel. Their default is 0, the definition without a
noise threshold; any other value depends on the amplifier and the skin, so it is stated, never
guessed, and fixed on training data only. Silence and flat windows give 0; the feature `flat` tells
them from a quiet muscle.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature
from myograph.features.thresholds import amplitudes

__all__ = [
    "absolute_teager_kaiser_energy",
    "average_amplitude_change",
    "difference_standard_deviation",
    "flat",
    "maximum_fractal_length",
    "slope_sign_changes",
    "teager_kaiser_energy",
    "waveform_length",
    "willison_amplitude",
    "zero_crossings",
]


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
    threshold : float or sequence of float
        Smallest step that counts, one for all channels or one for each, in their unit.

    Returns
    -------
    ndarray, shape (n_windows, n_channels)
        A count per window.
    """
    del fs_hz
    x = as_float64(windows)
    least = amplitudes(threshold, n_channels=x.shape[1], name="threshold of feature 'zc'")
    before, after = np.sign(x[..., :-1]), np.sign(x[..., 1:])
    counted = (before * after < 0) & (np.abs(np.diff(x, axis=-1)) >= least[:, None])
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
    steps = np.diff(as_float64(windows), axis=-1)
    least = amplitudes(threshold, n_channels=steps.shape[1], name="threshold of feature 'ssc'")
    turns = np.sign(steps[..., :-1]) * np.sign(steps[..., 1:]) < 0
    large = np.abs(steps) >= least[:, None]
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
    x = as_float64(windows)
    most = amplitudes(threshold, n_channels=x.shape[1], name="threshold of feature 'wamp'")
    counted = np.abs(np.diff(x, axis=-1)) > most[:, None]
    return counted.sum(axis=-1).astype(np.float64)


@feature("aac", unit="signal", amplitude_power=1, reference="phinyomark2012")
def average_amplitude_change(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Average amplitude change, :math:`\frac{1}{N}\sum_n |x_{n+1} - x_n|` (phinyomark2012).

    There are N - 1 steps; the source divides by N. See `waveform_length` for the parameters and
    the result.
    """
    return waveform_length(windows, fs_hz) / windows.shape[-1]


@feature("dasdv", unit="signal", amplitude_power=1, reference="phinyomark2012")
def difference_standard_deviation(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""DASDV, :math:`\sqrt{\frac{1}{N-1}\sum_n (x_{n+1} - x_n)^2}` (phinyomark2012).

    See `waveform_length` for the parameters and the result.
    """
    del fs_hz
    return np.sqrt(np.square(np.diff(as_float64(windows), axis=-1)).mean(axis=-1))


@feature(
    "mfl",
    unit="log10(signal)",
    amplitude_power=0,
    amplitude_log=1 / np.log(10),
    reference="arjunan2010",
)
def maximum_fractal_length(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Maximum fractal length, :math:`\log_{10} \sqrt{\sum_n (x_{n+1} - x_n)^2}` (arjunan2010).

    A flat window has no length, and the value 0.

    See `waveform_length` for the parameters; the result is the decimal logarithm of a value in
    the unit of the channel.
    """
    del fs_hz
    return half_log10(np.square(np.diff(as_float64(windows), axis=-1)).sum(axis=-1))


def half_log10(square: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log10 of the root of ``square``, and 0 for 0."""
    found: NDArray[np.float64] = 0.5 * np.log10(np.where(square > 0, square, 1.0))
    return found


@feature("tkeo", unit="signal^2", amplitude_power=2, reference="kaiser1990", min_samples=3)
def teager_kaiser_energy(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Mean Teager-Kaiser energy, the mean of :math:`x_n^2 - x_{n-1} x_{n+1}` (kaiser1990).

    It weighs power with the square of frequency: :math:`A^2 \sin^2 \Omega` for a tone.

    See `waveform_length` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    return _energies(windows).mean(axis=-1)


@feature("tkeo-abs", unit="signal^2", amplitude_power=2, reference="solnik2010", min_samples=3)
def absolute_teager_kaiser_energy(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    r"""Mean size of the Teager-Kaiser energy, of :math:`|x_n^2 - x_{n-1} x_{n+1}|` (solnik2010).

    See `waveform_length` for the parameters; the result is in the unit of the channel squared.
    """
    del fs_hz
    return np.abs(_energies(windows)).mean(axis=-1)


def _energies(windows: Windows3D) -> NDArray[np.float64]:
    x = as_float64(windows)
    return np.square(x[..., 1:-1]) - x[..., :-2] * x[..., 2:]


@feature("flat", unit="1", amplitude_power=0, reference="hudgins1993")
def flat(windows: Windows3D, fs_hz: float) -> NDArray[np.float64]:
    """1 where all samples of the window are equal, else 0: an electrode that is off, not a muscle.

    Every other feature has a defined value there (0, unless it says otherwise); this one tells
    whether to believe it. See `waveform_length` for the parameters; the result has no unit.
    """
    return (waveform_length(windows, fs_hz) == 0).astype(np.float64)
