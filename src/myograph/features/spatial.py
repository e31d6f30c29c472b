"""What channels have in common: correlation, phasors, and covariance in its tangent space.

Each is measured on every two channels (``channelA~channelB.name``), the covariances on each channel
with itself too (``channelA.name``). When channels change places, so do the values; nothing else
changes, because each is the same for (A, B) and (B, A). Silence and flat channels give 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.features.amplitude import Windows3D, as_float64, root_mean_square
from myograph.features.base import feature
from myograph.features.waveform import waveform_length
from myograph.signal.riemann import covariances, logm

__all__ = [
    "angles",
    "channel_correlation",
    "channel_covariance",
    "log_covariance",
    "phasor_length",
    "phasor_size",
]

Values = NDArray[np.float64]

# Added to every variance, as a share of their mean: a flat channel has a logarithm.
_LEAST = 1e-9
_PHASORS: Mapping[str, Any] = {"angles_deg": ()}


def _pairs(matrices: Values, *, diagonal: bool) -> Values:
    """Return the upper triangles of (..., n_channels, n_channels)."""
    rows, columns = np.triu_indices(matrices.shape[-1], k=0 if diagonal else 1)
    return np.ascontiguousarray(matrices[..., rows, columns])


def _centred(windows: Windows3D) -> Values:
    x = as_float64(windows)
    x = x - x[..., :1]
    return x - x.mean(axis=-1, keepdims=True)


def _products(x: Values) -> Values:
    return x @ np.swapaxes(x, -1, -2)


@feature("correlation", unit="1", amplitude_power=0, reference="pearson1895", across="pairs")
def channel_correlation(windows: Windows3D, fs_hz: float) -> Values:
    """Correlation of every two channels, from -1 to 1 (pearson1895).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.

    Returns
    -------
    ndarray, shape (n_windows, n_channels * (n_channels - 1) / 2)
        0 where a channel is flat.
    """
    del fs_hz
    x = _centred(windows)
    spread = np.sqrt(np.square(x).sum(axis=-1))
    unit = np.divide(x, spread[..., None], out=np.zeros_like(x), where=spread[..., None] > 0)
    return np.clip(_pairs(_products(unit), diagonal=False), -1.0, 1.0)


def angles(angles_deg: Sequence[float], n_channels: int) -> Values:
    """Return where the electrodes are around the limb, radians; evenly spaced without saying.

    Raises
    ------
    ParameterError
        If there is not one angle for each channel.
    """
    if not len(angles_deg):
        return 2 * np.pi * np.arange(n_channels) / max(n_channels, 1)
    if len(angles_deg) != n_channels:
        raise ParameterError(
            f"angles_deg needs one angle for each of the {n_channels} channels; got "
            f"{len(angles_deg)}."
        )
    return np.radians(np.asarray(angles_deg, dtype=np.float64))


def _apart(size: Values, angles_deg: Sequence[float]) -> Values:
    """Return the distances of phasors, shape (n_windows, n_pairs).

    By the law of cosines in a form that loses no digits: (a - b)^2 + 4 a b sin^2(angle / 2).
    """
    theta = angles(angles_deg, size.shape[1])
    rows, columns = np.triu_indices(size.shape[1], k=1)
    a, b = size[:, rows], size[:, columns]
    turn = np.sin((theta[rows] - theta[columns]) / 2)
    return np.sqrt(np.square(a - b) + 4 * a * b * np.square(turn))


@feature(
    "phasor-rms",
    unit="signal",
    amplitude_power=1,
    reference="onay2020",
    parameters=_PHASORS,
    across="pairs",
    per_channel=("angles_deg",),
)
def phasor_size(windows: Windows3D, fs_hz: float, *, angles_deg: tuple[float, ...] = ()) -> Values:
    """Distance of the phasors of two channels, whose length is the root mean square (onay2020).

    A channel's phasor points from the middle of the limb to its electrode. The distance tells two
    channels apart that are equally strong and look at different muscles.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    angles_deg : tuple of float
        Where each electrode is around the limb; evenly spaced in the order of the channels when
        left out.

    Returns
    -------
    ndarray, shape (n_windows, n_channels * (n_channels - 1) / 2)
        In the unit of the channels.
    """
    return _apart(root_mean_square(windows, fs_hz), angles_deg)


@feature(
    "phasor-wl",
    unit="signal",
    amplitude_power=1,
    reference="onay2020",
    parameters=_PHASORS,
    across="pairs",
    per_channel=("angles_deg",),
)
def phasor_length(
    windows: Windows3D, fs_hz: float, *, angles_deg: tuple[float, ...] = ()
) -> Values:
    """Distance of the phasors of two channels, whose length is the waveform length (onay2020).

    See `phasor_size` for the parameters and the result.
    """
    return _apart(waveform_length(windows, fs_hz), angles_deg)


@feature(
    "covariance", unit="signal^2", amplitude_power=2, reference="barachant2012", across="matrix"
)
def channel_covariance(windows: Windows3D, fs_hz: float) -> Values:
    """Covariance of every two channels, and the variance of each (barachant2012).

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.

    Returns
    -------
    ndarray, shape (n_windows, n_channels * (n_channels + 1) / 2)
        Over the number of samples, in the squared unit of the channels.
    """
    del fs_hz
    x = _centred(windows)
    return _pairs(_products(x) / x.shape[-1], diagonal=True)


def _check_shrinkage(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
    del n_samples, fs_hz
    covariances(np.eye(2), shrinkage=parameters["shrinkage"])


@feature(
    "log-covariance",
    unit="ln(signal^2)",
    amplitude_power=None,
    reference="barachant2012",
    parameters={"shrinkage": "ledoit-wolf"},
    across="matrix",
    check=_check_shrinkage,
)
def log_covariance(
    windows: Windows3D, fs_hz: float, *, shrinkage: str | float = "ledoit-wolf"
) -> Values:
    """Coordinates of the covariance in the tangent space at the identity (barachant2012).

    The logarithm of the matrix, what lies off its diagonal times the root of 2, so that plain
    distances are distances of covariances. Behind the step ``whiten-channels``, which learns the
    mean covariance of the training recordings, it is the tangent space at that mean. A gain c
    common to all channels adds 2 ln c to the diagonal and nothing else.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    shrinkage : {"ledoit-wolf", "oas", "none"} or float
        See `myograph.signal.riemann.covariances`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels * (n_channels + 1) / 2)
        0 when all channels are flat.
    """
    del fs_hz
    matrices = covariances(_centred(windows), shrinkage=shrinkage)
    n = matrices.shape[-1]
    level = np.trace(matrices, axis1=-2, axis2=-1)[..., None, None] / max(n, 1)
    identity = np.eye(n)
    safe = np.where(level > 0, matrices + _LEAST * level * identity, identity)
    weights = np.where(identity > 0, 1.0, np.sqrt(2))
    return _pairs(logm(safe) * weights, diagonal=True)
