"""What detectors look at instead of the raw samples: causal, pushed in chunks, one channel.

Each conditioner turns samples into points: one per sample, or one per pair of samples.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from myograph.signal.filters import CausalFilter, Sections
from myograph.signal.whitening import Whitener

__all__ = [
    "Conditioner",
    "RectifiedLowpass",
    "TeagerLowpass",
    "WhitenedPairs",
    "pair_energy",
    "teager_kaiser",
]


class Conditioner(Protocol):
    """A running conversion of one channel."""

    def push(self, chunk: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take the newest samples, shape (n_new,), and return the points they complete."""
        ...


class RectifiedLowpass:
    """The envelope: absolute value, then a causal low-pass."""

    __slots__ = ("_lowpass",)

    def __init__(self, lowpass: Sections) -> None:
        self._lowpass = CausalFilter(lowpass, n_channels=1)

    def push(self, chunk: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take the newest samples and return one point for each."""
        return self._lowpass.push(np.abs(_row(chunk)))[0].astype(np.float64)


class TeagerLowpass:
    """Teager and Kaiser's energy (solnik2010): band-pass, operator, rectify, low-pass.

    The operator needs the sample after the one it describes, so the points lag by one sample.
    """

    __slots__ = ("_band", "_lowpass", "_past")

    def __init__(self, band: Sections, lowpass: Sections) -> None:
        self._band = CausalFilter(band, n_channels=1)
        self._lowpass = CausalFilter(lowpass, n_channels=1)
        self._past = np.empty(0, dtype=np.float32)

    def push(self, chunk: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take the newest samples and return the points they complete."""
        new = self._band.push(_row(chunk))[0]
        if len(new) and len(self._past) == 0:
            self._past = new[:1]  # before the first sample: more of the same
        held = np.concatenate([self._past, new])
        if len(held) < 3:
            self._past = held
            return np.empty(0)
        self._past = held[-2:].copy()
        energy = np.abs(teager_kaiser(held)).astype(np.float32)
        return self._lowpass.push(energy[None])[0].astype(np.float64)


class WhitenedPairs:
    """Energy of pairs of whitened samples that do not overlap (bonato1998).

    In rest a pair's energy over the noise variance has a chi-square distribution with two degrees
    of freedom, and the pairs are independent. Pairs that share a sample are not.
    """

    __slots__ = ("_odd", "_whitener")

    def __init__(self, coefficients: NDArray[np.float64]) -> None:
        self._whitener = Whitener(coefficients)
        self._odd = np.empty(0)

    def push(self, chunk: NDArray[np.floating]) -> NDArray[np.float64]:
        """Take the newest samples and return the energies of the pairs they complete."""
        held = np.concatenate([self._odd, self._whitener.push(chunk)])
        whole = len(held) // 2 * 2
        self._odd = held[whole:].copy()
        return pair_energy(held[:whole])


def teager_kaiser(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""Return :math:`\psi_n = x_n^2 - x_{n-1} x_{n+1}` of all samples but the first and the last.

    For a sine of amplitude A it is :math:`A^2 \sin^2 \omega` everywhere.

    Examples
    --------
    >>> teager_kaiser(np.array([0.0, 1.0, 0.0, -1.0, 0.0])).tolist()
    [1.0, 1.0, 1.0]
    """
    x = np.asarray(samples, dtype=np.float64)
    return x[1:-1] ** 2 - x[:-2] * x[2:]


def pair_energy(whitened: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of squares of each pair of samples: (0, 1), (2, 3), ..."""
    return whitened[0::2] ** 2 + whitened[1::2] ** 2


def _row(chunk: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(chunk, dtype=np.float32)[None]
