"""Sites and their devices: what an amplifier does to a signal, and what it adds.

Nobody's amplifier is meant. The ranges are plausible for clinical and research equipment and are
assumed; they exist so that a method can be asked whether it stands a change of device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt

from myograph.core.checks import check_choice, check_count, check_positive, check_samples
from myograph.core.errors import ParameterError
from myograph.twin.contamination import (
    AmplifierNoise,
    Contaminated,
    Contamination,
    Converter,
    Mains,
    contaminate,
)
from myograph.twin.seeds import stream

__all__ = ["Device", "Site", "sites"]

# The upper edge of a band lies at most here, as a share of the sampling rate.
_HIGHEST = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An amplifier with its converter, in its room.

    Parameters
    ----------
    name : str
    fs_hz : float
    band_hz : tuple of 2 floats
        Edges of a causal second-order Butterworth band-pass, Hz.
    gain : float
        Recorded over true microvolts: the error of its calibration, which nobody knows.
    noise_uv : float
        Root mean square of electrodes and amplifier, µV.
    mains_hz, mains_uv : float
        Frequency of the power line, and the root mean square of what of it is recorded.
    range_uv : float
        Rails of the converter, plus and minus.
    bits : int

    Examples
    --------
    >>> device = Device(name="A", fs_hz=2000.0, band_hz=(20.0, 450.0), gain=1.1)
    >>> device.record(np.zeros((2, 500)), seed=1).samples.shape
    (2, 500)
    """

    name: str
    fs_hz: float
    band_hz: tuple[float, float]
    gain: float = 1.0
    noise_uv: float = 2.0
    mains_hz: float = 50.0
    mains_uv: float = 2.0
    range_uv: float = 6000.0
    bits: int = 16

    def __post_init__(self) -> None:
        for name in ("fs_hz", "gain", "range_uv"):
            check_positive(getattr(self, name), name=name)
        low, high = self.band_hz
        if not 0 < low < high < self.fs_hz / 2:
            raise ParameterError(
                f"band_hz must be (low, high) within 0 and half of fs_hz={self.fs_hz:g}; "
                f"got {self.band_hz}."
            )

    def passed(self, samples: ArrayLike) -> NDArray[np.float64]:
        """Return what the amplifier makes of a signal: band and gain, along the last axis."""
        sos = butter(2, self.band_hz, "bandpass", fs=self.fs_hz, output="sos")
        return np.asarray(self.gain * sosfilt(sos, np.asarray(samples, float), axis=-1), float)

    def record(
        self, samples: ArrayLike, *, seed: int, also: Sequence[Contamination] = ()
    ) -> Contaminated:
        """Return what the device records of a signal.

        Parameters
        ----------
        samples : array_like, shape (n_channels, n_samples)
            True microvolts at the electrodes, at ``fs_hz``.
        seed : int
        also : sequence of Contamination
            What else reaches the electrodes.
        """
        added: list[Contamination] = [*also, AmplifierNoise(rms_uv=self.noise_uv)]
        if self.mains_uv > 0:
            added.append(Mains(rms_uv=self.mains_uv, frequency_hz=self.mains_hz))
        clean = self.passed(check_samples(samples))
        converter = Converter(range_uv=self.range_uv, bits=self.bits)
        return contaminate(clean, added, fs_hz=self.fs_hz, seed=seed, converter=converter)

    def at(self, fs_hz: float) -> Device:
        """Return the device with another sampling rate, its band narrowed to what that can hold."""
        low, high = self.band_hz
        return replace(self, fs_hz=fs_hz, band_hz=(low, min(high, _HIGHEST * fs_hz)))

    def to_dict(self) -> dict[str, Any]:
        """Return the device as plain JSON-able data."""
        return {**asdict(self), "band_hz": list(self.band_hz)}


@dataclass(frozen=True, slots=True)
class Site:
    """A place where people are examined, with the device it has."""

    name: str
    device: Device


@dataclass(frozen=True, slots=True)
class _Choice:
    """From what a device is drawn: rates, edges, noise, typical mains and rails."""

    fs_hz: tuple[float, ...]
    low_hz: tuple[float, float]
    high_hz: tuple[float, float]
    noise_uv: tuple[float, float]
    mains_uv: float
    range_uv: float


_CHOICES: Mapping[str, _Choice] = MappingProxyType(
    {
        "surface": _Choice(
            (1000.0, 2000.0, 2048.0), (8.0, 20.0), (400.0, 500.0), (1.0, 5.0), 2.0, 6000.0
        ),
        "needle": _Choice(
            (20_000.0, 24_000.0, 32_768.0, 48_000.0),
            (2.0, 20.0),
            (5000.0, 9000.0),
            (1.5, 6.0),
            2.0,
            10_000.0,
        ),
    }
)


def sites(kind: str, n: int, *, seed: int) -> tuple[Site, ...]:
    """Draw sites, each with a device of its own.

    Parameters
    ----------
    kind : str
        ``"surface"`` or ``"needle"``.
    n : int
    seed : int
        Every site has streams of its own: more sites leave the first ones as they are.

    Examples
    --------
    >>> [site.name for site in sites("surface", 2, seed=1)]
    ['site-1', 'site-2']
    """
    check_choice(kind, _CHOICES, name="kind")
    return tuple(_site(_CHOICES[kind], i, seed) for i in range(check_count(n, name="n")))


def _site(choice: _Choice, number: int, seed: int) -> Site:
    rng = stream(seed, "site", number)
    fs_hz = float(rng.choice(choice.fs_hz))
    high_hz = min(float(rng.uniform(*choice.high_hz)), _HIGHEST * fs_hz)
    device = Device(
        name=f"simulated amplifier {number + 1}",
        fs_hz=fs_hz,
        band_hz=(float(rng.uniform(*choice.low_hz)), high_hz),
        gain=float(np.exp(0.15 * rng.standard_normal())),
        noise_uv=float(np.exp(rng.uniform(*np.log(choice.noise_uv)))),
        mains_hz=float(rng.choice([50.0, 60.0])),
        mains_uv=float(choice.mains_uv * np.exp(0.6 * rng.standard_normal())),
        range_uv=choice.range_uv,
    )
    return Site(f"site-{number + 1}", device)
