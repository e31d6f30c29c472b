"""Wavelet and wavelet packet bands of a window: how much of the signal is at which scale.

The energy of a band is the sum of its squared coefficients over the length of the window, so that
with ``mode="periodization"`` and an orthogonal wavelet the bands add up to the mean square of the
window whenever its length can be halved at every level. ``mode="symmetric"`` mirrors the window at
its ends, which makes no jump there and counts its edges a little more than once.

The depth follows from the window, not from the sampling rate: beyond
``log2(n_samples / (n_taps - 1))`` every coefficient is made of what lies beyond the edges
(daubechies1992, and the rule of the toolboxes), so a deeper ``level`` is refused. ``level=0`` is
that depth, and for packets at most 4. The mean of the window stays in the lowest band.

Band k of a transform to level L, details counted from the lowest, covers about
``fs_hz / 2**(L - k + 2)`` to ``fs_hz / 2**(L - k + 1)``; the approximation, column 0, lies below.
Packets are ``fs_hz / 2**(L + 1)`` wide each, in rising order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.features.amplitude import Windows3D, as_float64
from myograph.features.base import feature

__all__ = [
    "BANK",
    "depth",
    "entropy_of",
    "filters_of",
    "packet_energy",
    "packet_entropy",
    "wavelet_energy",
    "wavelet_entropy",
]

Values = NDArray[np.float64]

#: Parameters that every feature of a filter bank has.
BANK: Mapping[str, Any] = {"wavelet": "sym5", "level": 0, "mode": "symmetric"}

MODES = ("symmetric", "periodization")

# Packets double with every level.
_DEEPEST_PACKETS, _MOST_PACKETS = 4, 8


@lru_cache(maxsize=32)
def filters_of(wavelet: str) -> Values:
    """Return the analysis filters of a discrete wavelet, shape (2, n_taps).

    Raises
    ------
    ParameterError
        If there is no such wavelet.

    Examples
    --------
    >>> filters_of("haar").round(3).tolist()
    [[0.707, 0.707], [-0.707, 0.707]]
    """
    import pywt

    known = pywt.wavelist(kind="discrete")
    if wavelet not in known:
        raise ParameterError(unknown_name(str(wavelet), known, what="wavelet"))
    chosen = pywt.Wavelet(wavelet)
    filters = np.array([chosen.dec_lo, chosen.dec_hi])
    filters.flags.writeable = False
    return filters


def depth(parameters: Mapping[str, Any], *, n_samples: int, packets: bool = False) -> int:
    """Return the level that the parameters of a feature mean for windows of ``n_samples``.

    Raises
    ------
    DataError
        If the windows are too short for the wavelet at this level.
    """
    check_choice(parameters["mode"], MODES, name="mode")
    taps = filters_of(parameters["wavelet"]).shape[1]
    level = check_count(parameters["level"], name="level", least=0)
    deepest = max(int(np.log2(n_samples / max(taps - 1, 1))), 0) if n_samples >= taps - 1 else 0
    if packets and level > _MOST_PACKETS:
        raise ParameterError(
            f"level of packets must be 0 to {_MOST_PACKETS} ({1 << _MOST_PACKETS} bands); "
            f"got {level}."
        )
    if level > deepest or deepest == 0:
        raise DataError(
            f"Windows of {n_samples} samples allow level {deepest} of wavelet "
            f"{parameters['wavelet']!r} ({taps} taps); level {level or 1} needs at least "
            f"{(1 << (level or 1)) * max(taps - 1, 1)}. Lengthen the windows, lower the level or "
            "take a shorter wavelet."
        )
    if level:
        return level
    return min(deepest, _DEEPEST_PACKETS) if packets else deepest


def entropy_of(energies: Values) -> Values:
    """Return the entropy of the shares of the bands, as a share of the largest there can be.

    Parameters
    ----------
    energies : ndarray, shape (..., n_bands)

    Returns
    -------
    ndarray, shape (...)
        0 when one band holds everything, and for silence; 1 when all are alike.
    """
    total = energies.sum(axis=-1, keepdims=True)
    if energies.all() and (share := energies / total).all():  # as nearly always
        logs = np.log(share)
    else:
        share = np.divide(energies, total, out=np.zeros_like(energies), where=total > 0)
        logs = np.log(np.where(share > 0, share, 1.0))
    entropy = -(share * logs).sum(axis=-1)
    result: Values = np.maximum(entropy, 0.0) / np.log(max(energies.shape[-1], 2))
    return result


def _check(*, packets: bool) -> Callable[..., None]:
    def check(parameters: Mapping[str, Any], *, n_samples: int, fs_hz: float) -> None:
        del fs_hz
        depth(parameters, n_samples=n_samples, packets=packets)

    return check


@feature(
    "wavelet-energy",
    unit="signal^2",
    amplitude_power=2,
    reference="mallat1989",
    parameters=BANK,
    check=_check(packets=False),
)
def wavelet_energy(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Energy of each band of a discrete wavelet transform, over the length of the window.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    **given
        ``wavelet``, ``level`` and ``mode``, see `myograph.features.wavelets`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, level + 1)
        The approximation, then the details from the lowest band to the highest (mallat1989), in
        the squared unit of the channel.
    """
    del fs_hz
    import pywt

    parameters = {**BANK, **given}
    x = as_float64(windows)
    level = depth(parameters, n_samples=x.shape[-1])
    bands = pywt.wavedec(x, parameters["wavelet"], parameters["mode"], level, axis=-1)
    return np.stack([np.square(band).sum(axis=-1) for band in bands], axis=-1) / x.shape[-1]


@feature(
    "wavelet-entropy",
    unit="1",
    amplitude_power=0,
    reference="rosso2001",
    parameters=BANK,
    check=_check(packets=False),
)
def wavelet_entropy(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Entropy of the shares of energy of the wavelet bands, from 0 to 1 (rosso2001).

    See `wavelet_energy` for the parameters.
    """
    return entropy_of(wavelet_energy(windows, fs_hz, **given))


@feature(
    "packet-energy",
    unit="signal^2",
    amplitude_power=2,
    reference="coifman1992",
    parameters=BANK,
    check=_check(packets=True),
)
def packet_energy(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Energy of each band of a wavelet packet transform, over the length of the window.

    Parameters
    ----------
    windows : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
        Not used; every feature takes it.
    **given
        ``wavelet``, ``level`` and ``mode``, see `myograph.features.wavelets`.

    Returns
    -------
    ndarray, shape (n_windows, n_channels, 2 ** level)
        In rising order of frequency (coifman1992), in the squared unit of the channel.
    """
    del fs_hz
    import pywt

    parameters = {**BANK, **given}
    x = as_float64(windows)
    nodes = [x]
    for _ in range(depth(parameters, n_samples=x.shape[-1], packets=True)):
        following = []
        for number, node in enumerate(nodes):
            halves = pywt.dwt(node, parameters["wavelet"], parameters["mode"], axis=-1)
            following += halves[::-1] if number % 2 else halves
        nodes = following
    return np.stack([np.square(node).sum(axis=-1) for node in nodes], axis=-1) / x.shape[-1]


@feature(
    "packet-entropy",
    unit="1",
    amplitude_power=0,
    reference="coifman1992",
    parameters=BANK,
    check=_check(packets=True),
)
def packet_entropy(windows: Windows3D, fs_hz: float, **given: Any) -> Values:
    """Entropy of the shares of energy of the wavelet packets, from 0 to 1 (coifman1992).

    See `packet_energy` for the parameters.
    """
    return entropy_of(packet_energy(windows, fs_hz, **given))
