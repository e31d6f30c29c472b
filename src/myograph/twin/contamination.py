"""What else reaches the amplifier, and what the amplifier does: each switchable, each in the truth.

Everything that adds is a `Contamination`; the converter comes last, since it cuts what it gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import butter, sosfilt

from myograph.core.checks import check_below_nyquist, check_count, check_positive, check_samples
from myograph.core.errors import DataError, ParameterError
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.seeds import stream

__all__ = [
    "AmplifierNoise",
    "Contaminated",
    "Contamination",
    "Converter",
    "Crosstalk",
    "Ecg",
    "Mains",
    "Motion",
    "contaminate",
    "heart_wave",
]

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]


class Contamination(Protocol):
    """Something that is added to every channel."""

    @property
    def name(self) -> str:
        """Label in the truth."""
        ...

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Contaminated:
    """A signal with what was added to it.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_channels, n_samples)
        As recorded, µV.
    parts : mapping of str to ndarray, shape (n_channels, n_samples)
        What was added, each on its own; ``"converter"`` is what quantisation and clipping changed.
    """

    samples: Signal
    parts: Mapping[str, Signal]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", MappingProxyType(dict(self.parts)))


def contaminate(
    samples: ArrayLike,
    contaminations: Sequence[Contamination],
    *,
    fs_hz: float,
    seed: int,
    converter: Converter | None = None,
) -> Contaminated:
    """Add contaminations to a signal, and convert it.

    Every contamination has a random stream of its own: leaving one out does not change another.

    Parameters
    ----------
    samples : array_like, shape (n_channels, n_samples)
        µV.
    contaminations : sequence of Contamination
        Their names must differ.
    fs_hz : float
    seed : int
    converter : Converter, optional

    Examples
    --------
    >>> quiet = np.zeros((2, 2048))
    >>> noisy = contaminate(quiet, [Mains(rms_uv=10.0), Motion()], fs_hz=2048.0, seed=1)
    >>> sorted(noisy.parts), noisy.samples.shape
    (['mains', 'motion'], (2, 2048))
    """
    clean = check_samples(samples)
    names = [item.name for item in contaminations]
    if len(set(names)) != len(names):
        raise ParameterError(f"Contaminations need different names; got {names}.")
    total, parts = clean.astype(np.float64), {}
    for item in contaminations:
        added = item.waveform(clean.shape, fs_hz=check_positive(fs_hz, name="fs_hz"), seed=seed)
        total += added
        parts[item.name] = added.astype(np.float32)
    if converter is not None:
        converted = converter.apply(total)
        parts["converter"] = (converted - total).astype(np.float32)
        total = converted
    return Contaminated(total.astype(np.float32), parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmplifierNoise:
    """Noise of electrodes and amplifier: white above a corner, 1/f below it (merletti2019).

    Parameters
    ----------
    rms_uv : float
        Of the white part, over the whole band of the recording.
    corner_hz : float
        Where the 1/f part is as strong as the white one; 0 for none.
    """

    rms_uv: float = 2.0
    corner_hz: float = 5.0
    name: str = field(default="amplifier", init=False)

    def __post_init__(self) -> None:
        ranges = {"rms_uv": Range(0.2, 20, "uV"), "corner_hz": Range(0, 50, "Hz")}
        check_ranges(self, ranges)

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        white = stream(seed, self.name).standard_normal(shape) * self.rms_uv
        frequency = np.fft.rfftfreq(shape[1], 1 / fs_hz)
        frequency[0] = frequency[1] if len(frequency) > 1 else 1.0
        spectrum = np.fft.rfft(white, axis=1) * np.sqrt(1 + self.corner_hz / frequency)
        return np.fft.irfft(spectrum, shape[1], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mains:
    """The power line and its harmonics, with a slowly wandering frequency.

    Parameters
    ----------
    rms_uv : float
        Of the fundamental, on average over channels.
    frequency_hz : float
        50 or 60.
    harmonics : mapping of int to float
        Strength of each harmonic relative to the fundamental; those beyond the recording's band
        are left out.
    drift_hz : float
        Standard deviation of the frequency, wandering over ten seconds.
    spread : float
        Coefficient of variation of the strength between channels.
    """

    rms_uv: float = 5.0
    frequency_hz: float = 50.0
    harmonics: Mapping[int, float] = field(default_factory=lambda: {3: 0.3, 5: 0.15})
    drift_hz: float = 0.02
    spread: float = 0.3
    name: str = field(default="mains", init=False)

    def __post_init__(self) -> None:
        ranges = {
            "rms_uv": Range(0, 1000, "uV"),
            "frequency_hz": Range(49, 61, "Hz", least=1.0),
            "drift_hz": Range(0, 0.2, "Hz", most=5.0),
            "spread": Range(0, 1),
        }
        check_ranges(self, ranges)

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        check_below_nyquist(self.frequency_hz, fs_hz=fs_hz, name="frequency_hz")
        rng = stream(seed, self.name)
        strength = self.rms_uv * np.abs(1 + self.spread * rng.standard_normal((shape[0], 1)))
        drift = self.drift_hz * _wander(rng, shape[1], fs_hz, cut_hz=0.1)
        phase = 2 * np.pi * np.cumsum(self.frequency_hz + drift) / fs_hz
        total = np.zeros(shape[1])
        for order, share in {1: 1.0, **self.harmonics}.items():
            shift = 2 * np.pi * rng.random()
            if order * self.frequency_hz < fs_hz / 2:
                total += share * np.sqrt(2) * np.sin(order * phase + shift)
        return np.asarray(strength * total, float)


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Movement of electrodes and cable: slow wandering and single knocks, below 20 Hz (deluca2010).

    Parameters
    ----------
    rms_uv : float
        Of the wandering.
    cut_hz : float
        Upper edge of its band.
    knocks_per_min, knock_uv : float
        How often the electrodes are knocked, and the typical height.
    """

    rms_uv: float = 10.0
    cut_hz: float = 10.0
    knocks_per_min: float = 6.0
    knock_uv: float = 100.0
    name: str = field(default="motion", init=False)

    def __post_init__(self) -> None:
        ranges = {
            "rms_uv": Range(0, 500, "uV"),
            "cut_hz": Range(1, 20, "Hz", least=0.01),
            "knocks_per_min": Range(0, 120, "per minute"),
            "knock_uv": Range(0, 5000, "uV"),
        }
        check_ranges(self, ranges)

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        check_below_nyquist(self.cut_hz, fs_hz=fs_hz, name="cut_hz")
        rows = []
        times = self._knock_times(shape[1] / fs_hz, stream(seed, self.name, "times"))
        for channel in range(shape[0]):
            rng = stream(seed, self.name, channel)
            row = self.rms_uv * _wander(rng, shape[1], fs_hz, cut_hz=self.cut_hz)
            row += self._knocks(times, np.arange(shape[1]) / fs_hz, rng)
            rows.append(row)
        return np.stack(rows)

    def _knock_times(self, duration_s: float, rng: np.random.Generator) -> Floats:
        return duration_s * rng.random(rng.poisson(self.knocks_per_min * duration_s / 60))

    def _knocks(self, times: Floats, time_s: Floats, rng: np.random.Generator) -> Floats:
        # A damped swing after each knock, at half the band's edge.
        total = np.zeros(len(time_s))
        omega = np.pi * self.cut_hz
        for at in times:
            height = self.knock_uv * rng.standard_normal()
            # After exp(-40) nothing is left of it in double precision.
            first, last = np.searchsorted(time_s, (at, at + 80 / omega))
            after = time_s[first:last] - at
            total[first:last] += height * np.exp(-omega * after / 2) * np.sin(omega * after)
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Ecg:
    """The heart over the trunk: five waves on the heart's cycle (mcsharry2003).

    Parameters
    ----------
    peak_uv : float
        Height of the R wave, on average over channels.
    rate_bpm, rate_sd_bpm : float
        Mean heart rate, and its slow variation with breathing.
    spread : float
        Coefficient of variation of the height between channels.
    """

    peak_uv: float = 200.0
    rate_bpm: float = 65.0
    rate_sd_bpm: float = 3.0
    spread: float = 0.2
    name: str = field(default="ecg", init=False)

    def __post_init__(self) -> None:
        ranges = {
            "peak_uv": Range(0, 2000, "uV"),
            "rate_bpm": Range(40, 200, "per minute", least=1.0),
            "rate_sd_bpm": Range(0, 15, "per minute"),
            "spread": Range(0, 1),
        }
        check_ranges(self, ranges)

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        rng = stream(seed, self.name)
        rate = self.rate_bpm + self.rate_sd_bpm * _wander(rng, shape[1], fs_hz, cut_hz=0.25)
        cycles = rng.random() + np.cumsum(np.maximum(rate, 1.0)) / 60 / fs_hz
        strength = self.peak_uv * (1 + self.spread * rng.standard_normal((shape[0], 1)))
        return np.asarray(strength * heart_wave(2 * np.pi * cycles), float)


# Angle, height and width of P, Q, R, S and T (mcsharry2003, table 1); a wave of the model's slope
# a d exp(-d2 / 2b2) has the height a b2.
_ANGLE = np.deg2rad([-70.0, -15.0, 0.0, 15.0, 100.0])
_WIDTH = np.array([0.25, 0.1, 0.1, 0.1, 0.4])
_HEIGHT = np.array([1.2, -5.0, 30.0, -7.5, 0.75]) * _WIDTH**2


def heart_wave(angle: Floats) -> Floats:
    """Return the ECG over the heart's cycle (mcsharry2003), with an R wave of about 1.

    Parameters
    ----------
    angle : ndarray, shape (n,)
        Radians; the R wave is at 0.
    """
    away = np.mod(angle[:, None] - _ANGLE + np.pi, 2 * np.pi) - np.pi
    return np.asarray(np.exp(-((away / _WIDTH) ** 2) / 2) @ (_HEIGHT / _HEIGHT[2]), float)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crosstalk:
    """What other muscles give at these electrodes.

    Compute it as their own signal: a library of the neighbour at these electrodes, shifted into its
    frame (``electrodes.shifted(x_mm=-distance)``), and `synthesise`.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
        µV.
    """

    samples: Signal
    name: str = field(default="crosstalk", init=False)

    def waveform(self, shape: tuple[int, int], *, fs_hz: float, seed: int) -> Floats:
        """Return what is added, shape (n_channels, n_samples), µV."""
        found = check_samples(self.samples, name=self.name)
        if found.shape != shape:
            raise DataError(f"{self.name} has shape {found.shape}; the signal has {shape}.")
        return found.astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """The analogue-to-digital converter: steps of one size, and rails.

    Parameters
    ----------
    range_uv : float
        Rails at plus and minus this.
    bits : int

    Examples
    --------
    >>> Converter(range_uv=4.0, bits=2).apply([[0.4, 1.1, 3.0, -9.0]]).tolist()
    [[0.0, 2.0, 2.0, -4.0]]
    """

    range_uv: float
    bits: int = 16

    def __post_init__(self) -> None:
        check_positive(self.range_uv, name="range_uv")
        if check_count(self.bits, name="bits") > 32:
            raise ParameterError(f"bits must be at most 32; got {self.bits}.")

    @property
    def step_uv(self) -> float:
        """The size of one step."""
        return float(self.range_uv / 2 ** (self.bits - 1))

    def apply(self, samples: ArrayLike) -> Floats:
        """Round to steps and clip at the rails."""
        counts = np.round(np.asarray(samples, float) / self.step_uv)
        half = 2 ** (self.bits - 1)
        return np.asarray(np.clip(counts, -half, half - 1) * self.step_uv, float)


def _wander(rng: np.random.Generator, n: int, fs_hz: float, *, cut_hz: float) -> Floats:
    """Return smooth noise of unit standard deviation below ``cut_hz``."""
    sos = butter(2, cut_hz, fs=fs_hz, output="sos")
    # The filter starts long before the record, and its gain is known in closed form: the variance
    # of white noise behind a second-order Butterworth filter.
    settle = int(2 * fs_hz / cut_hz)
    values = sosfilt(sos, rng.standard_normal(n + settle))[settle:]
    impulse = sosfilt(sos, np.r_[1.0, np.zeros(max(10 * settle, 100))])
    return np.asarray(values / np.sqrt(np.sum(impulse**2)), float)
