"""Simulated signals whose truth is known: onsets, fatigue, conduction velocity, tremor.

The specification was written before any method was tuned, and is not to be changed together with
one. All of it is idealised (Gaussian EMG, steady noise): what is reached here is an engineering
verification, never clinical performance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

EMG_FS_HZ = 2000.0
_PAD = 400


def emg_shape(f: Array, scale: float = 1.0) -> Array:
    """Amplitude spectrum of surface EMG after Shwedyk: corner frequencies 60 and 120 Hz."""
    low, high = 60.0 * scale, 120.0 * scale
    return high**2 * f / (np.sqrt(f**2 + low**2) * (f**2 + high**2))


def amplifier(f: Array) -> Array:
    """Gain of a 10-500 Hz band, fourth order, without delay."""
    with np.errstate(divide="ignore"):
        return 1 / np.sqrt((1 + (10.0 / np.maximum(f, 1e-9)) ** 8) * (1 + (f / 500.0) ** 8))


def shaped(rng: np.random.Generator, n: int, gain: Array, *, fs_hz: float) -> Array:
    """Gaussian noise with this amplitude spectrum (at the frequencies of rfftfreq)."""
    del fs_hz
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n)


@dataclass(frozen=True)
class OnsetTrial:
    samples: Array
    fs_hz: float
    onset_s: float
    rest: tuple[float, float]


def onset_trial(rng: np.random.Generator, *, snr_db: float, bursty: bool = False) -> OnsetTrial:
    """One contraction that begins 0.5 to 0.75 s into the recording and lasts to its end.

    2 kHz; EMG with Shwedyk's spectrum that rises linearly over 1 to 30 ms, in white noise, both
    through the amplifier; the ratio is that of standard deviations after the rise. Truth is the
    start of the rise. ``bursty``: the EMG's amplitude fluctuates by 60 % (log-normal, below
    15 Hz), as the action potentials of few motor units do.
    """
    onset_s, rise_s = rng.uniform(0.5, 0.75), rng.uniform(0.001, 0.030)
    n = 2 * round((onset_s + 1.0) * EMG_FS_HZ / 2)
    total = n + 2 * _PAD
    f = np.fft.rfftfreq(total, 1 / EMG_FS_HZ)
    emg = shaped(rng, total, emg_shape(f), fs_hz=EMG_FS_HZ)
    if bursty:
        slow = shaped(rng, total, np.exp(-((f / 15.0) ** 2)), fs_hz=EMG_FS_HZ)
        emg *= np.exp(0.6 * slow / slow.std())
    times_s = (np.arange(total) - _PAD) / EMG_FS_HZ
    emg *= np.clip((times_s - onset_s) / rise_s, 0, 1)
    band, inner = amplifier(f), slice(_PAD, _PAD + n)
    emg = np.fft.irfft(np.fft.rfft(emg) * band, total)[inner]
    noise = shaped(rng, total, band, fs_hz=EMG_FS_HZ)[inner]
    risen = emg[round((onset_s + rise_s) * EMG_FS_HZ) :]
    x = emg * 10 ** (snr_db / 20) / risen.std() + noise / noise.std()
    return OnsetTrial(5.0 * x, EMG_FS_HZ, onset_s, (0.0, 0.4))


def fatigue_epochs(
    rng: np.random.Generator, *, decline_percent: float, jitter: float = 0.0, alike: float = 0.0
) -> Array:
    """60 epochs of 1 s at 2 kHz whose spectrum is compressed by up to ``decline_percent``.

    White noise 20 dB below. ``jitter``: standard deviation of the spectrum's scale from epoch to
    epoch, autocorrelated by ``alike``: effort and posture drift without any fatigue.
    """
    n, count = round(EMG_FS_HZ), 60
    f = np.fft.rfftfreq(n, 1 / EMG_FS_HZ)
    drift = rng.standard_normal(count)
    for k in range(1, count):
        drift[k] = alike * drift[k - 1] + np.sqrt(1 - alike**2) * drift[k]
    scales = 1 - decline_percent / 100 * (np.arange(count) + 0.5) / count
    epochs = []
    for scale in scales * (1 + jitter * drift):
        emg = shaped(rng, n, emg_shape(f, scale) * amplifier(f), fs_hz=EMG_FS_HZ)
        noise = shaped(rng, n, amplifier(f), fs_hz=EMG_FS_HZ)
        epochs.append(emg / emg.std() + 0.1 * noise / noise.std())
    return 100.0 * np.array(epochs)


def array_signals(
    rng: np.random.Generator, *, velocity_m_s: float, n_channels: int, common: float = 0.0
) -> tuple[Array, Array, float]:
    """One second of a source that travels along an array of 5 mm pitch, noise 10 dB below.

    2048 Hz. ``common``: amplitude of a part that does not travel and is alike in all channels, as
    the ends of the fibres give, over that of the travelling part. Returns samples, positions_mm
    and the rate.
    """
    fs_hz, pad = 2048.0, 512
    n = round(fs_hz)
    f = np.fft.rfftfreq(n + 2 * pad, 1 / fs_hz)
    positions_mm = 5.0 * np.arange(n_channels)
    source = np.fft.rfft(rng.standard_normal(n + 2 * pad)) * emg_shape(f)
    delays_s = positions_mm[:, None] / 1000 / velocity_m_s
    moved = np.fft.irfft(source * np.exp(-2j * np.pi * f * delays_s), n + 2 * pad)
    x = moved[:, pad : pad + n] / moved.std()
    if common:
        still = shaped(rng, n + 2 * pad, emg_shape(f), fs_hz=fs_hz)[pad : pad + n]
        x = x + common * still / still.std()
    return x + 10**-0.5 * rng.standard_normal(x.shape), positions_mm, fs_hz


def tremor_acceleration(
    rng: np.random.Generator, *, frequency_hz: float, seconds: float
) -> tuple[Array, float]:
    """Acceleration of a trembling limb at 100 Hz: phase noise, a harmonic, drift and sensor noise.

    The phase diffuses by 0.45 radians per root second; the harmonic has 30 % of the amplitude, the
    noise 70 %.
    """
    fs_hz = 100.0
    n = round(seconds * fs_hz)
    walk = np.cumsum(rng.standard_normal(n)) * np.sqrt(0.2 / fs_hz)
    phase = 2 * np.pi * frequency_hz * np.arange(n) / fs_hz + walk + rng.uniform(0, 2 * np.pi)
    drift = np.cumsum(rng.standard_normal(n)) * 0.02
    return (
        np.sin(phase)
        + 0.3 * np.sin(2 * phase + rng.uniform(0, 2 * np.pi))
        + drift
        + 0.7 * rng.standard_normal(n),
        fs_hz,
    )


def antagonists(
    rng: np.random.Generator, *, frequency_hz: float, alternating: bool
) -> tuple[Array, Array, float]:
    """10 s of EMG of two muscles at 1 kHz that burst together or in turn.

    Bursts fill 30 to 50 % of the cycle, the phase departs by up to 20 degrees from 0 or 180, cycles
    vary by 5 %, and between bursts a third of the amplitude stays.
    """
    fs_hz = 1000.0
    n = round(10 * fs_hz)
    walk = np.cumsum(rng.standard_normal(n)) * 0.05 * np.sqrt(frequency_hz / fs_hz)
    cycles = frequency_hz * np.arange(n) / fs_hz + walk + rng.uniform()
    shift = (0.5 if alternating else 0.0) + rng.uniform(-20, 20) / 360
    muscles = []
    for phase in (cycles, cycles - shift):
        on = phase % 1 < rng.uniform(0.3, 0.5)
        f = np.fft.rfftfreq(n, 1 / fs_hz)
        emg = shaped(rng, n, emg_shape(f), fs_hz=fs_hz)
        muscles.append(emg / emg.std() * np.where(on, 1.0, 1 / 3) * rng.uniform(20, 80))
    return muscles[0], muscles[1], fs_hz
