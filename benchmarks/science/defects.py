"""Clean stretches of EMG, and the defects put into them: the specification of the quality row.

Frozen before any threshold was chosen (see the history of this file). A stretch is one channel of
ten seconds. Severities are drawn log-uniformly from the ranges below, relative to the root mean
square of the stretch between 20 Hz and the Nyquist frequency. Clean real stretches are taken as
they are: whatever is wrong with them already counts against the detectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRETCH_S = 10.0
DEFECTS = ("clip", "mains", "motion", "off", "ecg")

CLIPPED_SHARE = (0.01, 0.10)  # of the samples
MAINS_DB = (-10.0, 10.0)  # power over that of the stretch
MOTION_PEAK = (3.0, 20.0)  # times the root mean square
MOTION_LASTS_S = (0.15, 1.0)
MOTION_COUNT = (1, 4)
OFF_LASTS_S = (2.0, 8.0)
R_PEAK = (3.0, 10.0)  # times the root mean square
BEATS_PER_MIN = (50.0, 110.0)

Signal = NDArray[np.float64]
Random = np.random.Generator


@dataclass(frozen=True)
class Stretch:
    """One channel, its person (for the split), and what was put in (empty: nothing)."""

    samples: NDArray[np.float32]
    fs_hz: float
    source: str
    person: str
    defect: str = ""
    severity: float = 0.0


def log_uniform(rng: Random, limits: tuple[float, float]) -> float:
    low, high = np.log(limits)
    return float(np.exp(rng.uniform(low, high)))


def strength(x: Signal, fs_hz: float) -> float:
    """Return the root mean square above 20 Hz."""
    spectrum = np.fft.rfft(x - x.mean())
    spectrum[np.fft.rfftfreq(len(x), 1 / fs_hz) < 20] = 0
    return float(np.fft.irfft(spectrum, len(x)).std())


def simulate_clean(rng: Random, person: str) -> Stretch:
    """Noise shaped like surface EMG (two corner frequencies), with the bursts of a task."""
    fs_hz = float(rng.choice([1000.0, 2000.0]))
    n = int(STRETCH_S * fs_hz)
    f = np.fft.rfftfreq(n, 1 / fs_hz)
    low_hz, high_hz = rng.uniform(40, 80), rng.uniform(90, 150)
    gain = high_hz**2 * f / np.sqrt(f**2 + low_hz**2) / (f**2 + high_hz**2)
    wave = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * gain, n)
    amplitude = log_uniform(rng, (30.0, 500.0))
    floor = rng.uniform(1.0, 4.0)
    x = amplitude * wave / wave.std() * _task(rng, n, fs_hz)
    x += floor * rng.standard_normal(n)
    corner_hz = rng.choice([5.0, 10.0, 20.0])  # the amplifier's high-pass, first order
    spectrum = np.fft.rfft(x) * (1j * f / corner_hz) / (1 + 1j * f / corner_hz)
    x = np.fft.irfft(spectrum, n) + rng.uniform(-20, 20)
    lsb = rng.choice([0.05, 0.2, 1.0])
    return Stretch((np.round(x / lsb) * lsb).astype("f4"), fs_hz, "simulated", person)


def _task(rng: Random, n: int, fs_hz: float) -> Signal:
    t = np.arange(n) / fs_hz
    kind = rng.choice(["hold", "bursts", "gait", "ramp"])
    if kind == "hold":
        return 1 + 0.15 * np.sin(2 * np.pi * rng.uniform(0.1, 1) * t)
    if kind == "ramp":
        return 0.05 + t / t[-1]
    rate_hz = rng.uniform(0.8, 1.2) if kind == "gait" else rng.uniform(0.2, 0.6)
    phase = np.cumsum(rate_hz * (1 + 0.03 * rng.standard_normal(n) * np.sqrt(fs_hz)) / fs_hz)
    duty = rng.uniform(0.25, 0.6)
    width = 0.08
    inside = np.mod(phase, 1.0)
    rise = 1 / (1 + np.exp(-(inside - 0.1) / (width / 8)))
    fall = 1 / (1 + np.exp((inside - 0.1 - duty) / (width / 8)))
    return rng.uniform(0.0, 0.05) + rise * fall


def put_clip(rng: Random, x: Signal, fs_hz: float) -> tuple[Signal, float]:
    share = log_uniform(rng, CLIPPED_SHARE)
    middle = np.median(x)
    rail = np.quantile(np.abs(x - middle), 1 - share)
    return np.clip(x, middle - rail, middle + rail), share


def put_mains(rng: Random, x: Signal, fs_hz: float) -> tuple[Signal, float]:
    t = np.arange(len(x)) / fs_hz
    base_hz = rng.choice([50.0, 60.0]) + rng.uniform(-0.1, 0.1)
    hum = np.sin(2 * np.pi * base_hz * t + rng.uniform(0, 6.3))
    for k in range(2, 6):
        if k * base_hz < fs_hz / 2:
            wave = np.sin(2 * np.pi * k * base_hz * t + rng.uniform(0, 6.3))
            hum += rng.uniform(0, 0.3) * wave
    level_db = rng.uniform(*MAINS_DB)
    hum *= strength(x, fs_hz) * 10 ** (level_db / 20) / hum.std()
    return x + hum, level_db


def put_motion(rng: Random, x: Signal, fs_hz: float) -> tuple[Signal, float]:
    """Bumps of the cable and the skin: a rise and a slower, swinging return."""
    t = np.arange(len(x)) / fs_hz
    peak = log_uniform(rng, MOTION_PEAK)
    added = np.zeros(len(x))
    for _ in range(rng.integers(MOTION_COUNT[0], MOTION_COUNT[1] + 1)):
        lasts_s = log_uniform(rng, MOTION_LASTS_S)
        s = (t - rng.uniform(0.5, STRETCH_S - 1.5)) / lasts_s
        bump = np.where(s > 0, s**2 * np.exp(-6 * s) * np.cos(2 * np.pi * rng.uniform(0, 1) * s), 0)
        added += rng.choice([-1, 1]) * bump / np.abs(bump).max()
    return x + peak * strength(x, fs_hz) * added, peak


def put_off(rng: Random, x: Signal, fs_hz: float) -> tuple[Signal, float]:
    """The electrode comes off: dead, at a rail, or floating in the mains."""
    lasts_s = log_uniform(rng, OFF_LASTS_S)
    first = int(rng.uniform(0.5, STRETCH_S - lasts_s - 0.2) * fs_hz)
    off = slice(first, first + int(lasts_s * fs_hz))
    n = off.stop - off.start
    size, t = strength(x, fs_hz), np.arange(n) / fs_hz
    kind = rng.choice(["dead", "rail", "floating"])
    noise = 0.02 * size * rng.standard_normal(n)
    level = np.median(x)
    out = x.copy()
    if kind == "dead":
        out[off] = level
    elif kind == "rail":
        out[off] = level + rng.choice([-1, 1]) * rng.uniform(10, 50) * size + noise
    else:
        hum = rng.uniform(3, 10) * size * np.sin(2 * np.pi * rng.choice([50.0, 60.0]) * t)
        out[off] = level + rng.uniform(-5, 5) * size + hum + noise
    return out, lasts_s


def put_ecg(rng: Random, x: Signal, fs_hz: float) -> tuple[Signal, float]:
    """A heart: P, Q, R, S and T waves as bells, beats with natural variability."""
    t = np.arange(len(x)) / fs_hz
    peak = log_uniform(rng, R_PEAK)
    beat_s = 60 / rng.uniform(*BEATS_PER_MIN)
    heart = np.zeros(len(x))
    at_s = rng.uniform(0, beat_s)
    breath_hz = rng.uniform(0.2, 0.3)
    # Height, place and width (s) of each wave.
    waves = [(0.12, -0.16, 0.025), (-0.12, -0.028, 0.009), (1.0, 0.0, 0.011)]
    waves += [(-0.22, 0.028, 0.010), (0.28, 0.24, 0.045)]
    waves = [(h * rng.uniform(0.7, 1.3), p, w * rng.uniform(0.85, 1.25)) for h, p, w in waves]
    while at_s < STRETCH_S + 0.3:
        for height, place_s, width_s in waves:
            heart += height * np.exp(-0.5 * ((t - at_s - place_s) / width_s) ** 2)
        sway = 0.04 * np.sin(2 * np.pi * breath_hz * at_s) + 0.015 * rng.standard_normal()
        at_s += beat_s * (1 + sway)
    sign = rng.choice([-1, 1])
    return x + sign * peak * strength(x, fs_hz) * heart / np.abs(heart).max(), peak


PUT: Mapping[str, Callable[[Random, Signal, float], tuple[Signal, float]]] = {
    "clip": put_clip,
    "mains": put_mains,
    "motion": put_motion,
    "off": put_off,
    "ecg": put_ecg,
}


def spoil(rng: Random, clean: Stretch, defect: str) -> Stretch:
    """Return the stretch with a defect in it, stored with the converter step it had."""
    x = clean.samples.astype(np.float64)
    spoiled, severity = PUT[defect](rng, x, clean.fs_hz)
    steps = np.diff(np.unique(clean.samples.astype(np.float64)))
    lsb = float(steps.min()) if len(steps) else 1.0
    stored = np.round((spoiled - x.min()) / lsb) * lsb + x.min()
    return Stretch(
        stored.astype("f4"), clean.fs_hz, clean.source, clean.person, defect, float(severity)
    )
