"""Shapes of spontaneous potentials where no needle model gives them, µV.

Positive values are positive potentials, which clinicians draw downwards. A shape begins at time 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from myograph.core.registry import Registry
from myograph.twin.source import ActionPotential, fibre_response

__all__ = ["WAVES"]

Floats = NDArray[np.float64]
Wave = Callable[[float, np.random.Generator], Floats]

#: Shapes by name: sampling rate in Hz and a random generator give one source's potential.
WAVES: Registry[Wave] = Registry("wave")


@WAVES.register("fibre")
def fibre(fs_hz: float, rng: np.random.Generator) -> Floats:
    """See one fibre in passing: positive, negative, positive, 1 to 5 ms, 20 to 300 µV."""
    velocity = float(rng.uniform(2.6, 3.8))
    before_mm, radius_mm = float(rng.uniform(3, 8)), float(rng.uniform(0.05, 0.25))
    step_mm = velocity * 1000 / fs_hz
    u = np.arange(0, before_mm + 25.0, step_mm)
    # A unit current at a distance: the potential's course along the fibre.
    potential = 1 / np.sqrt(5 * radius_mm**2 + (u - before_mm) ** 2)
    shape = fibre_response(potential, step_mm=step_mm, action=ActionPotential())
    return _scaled(shape, float(np.exp(rng.normal(np.log(80.0), 0.6))))


@WAVES.register("positive sharp")
def positive_sharp(fs_hz: float, rng: np.random.Generator) -> Floats:
    """Make a sharp positive deflection and a long low negative tail, 10 to 30 ms in all."""
    rise_ms, tail_ms = float(rng.uniform(0.4, 0.8)), float(rng.uniform(3.0, 6.0))
    time_ms = np.arange(0, 5 * tail_ms, 1000 / fs_hz)
    peak = (time_ms / rise_ms) ** 2 * np.exp(-2 * (time_ms / rise_ms - 1))
    slow = (time_ms / tail_ms) * np.exp(1 - time_ms / tail_ms)
    amplitude = float(np.exp(rng.normal(np.log(120.0), 0.6)))
    shape = peak - float(rng.uniform(0.12, 0.25)) * slow
    return _scaled(shape * _fading(len(shape)), amplitude)


@WAVES.register("end-plate noise")
def endplate_noise(fs_hz: float, rng: np.random.Generator) -> Floats:
    """Make one miniature end-plate potential: monophasic negative, 0.5 to 3 ms, below 100 µV."""
    rise_ms = float(rng.uniform(0.2, 0.4))
    time_ms = np.arange(0, 8 * rise_ms, 1000 / fs_hz)
    shape = -(time_ms / rise_ms) * np.exp(1 - time_ms / rise_ms)
    return _scaled(shape * _fading(len(shape)), float(rng.uniform(8.0, 30.0)))


@WAVES.register("end-plate spike")
def endplate_spike(fs_hz: float, rng: np.random.Generator) -> Floats:
    """See a fibre where it is excited: biphasic, negative first, 3 to 5 ms, 100 to 200 µV."""
    velocity, radius_mm = float(rng.uniform(2.5, 3.5)), float(rng.uniform(0.15, 0.35))
    step_mm = velocity * 1000 / fs_hz
    u = np.arange(0, 18.0, step_mm)
    shape = fibre_response(2 / np.sqrt(5 * radius_mm**2 + u**2), step_mm=step_mm)
    return _scaled(shape, float(rng.uniform(100.0, 200.0)))


@WAVES.register("complex")
def several_fibres(fs_hz: float, rng: np.random.Generator) -> Floats:
    """Add several fibres that fire one after another, as in a complex repetitive discharge."""
    parts = [fibre(fs_hz, rng) for _ in range(int(rng.integers(3, 10)))]
    starts = np.cumsum(rng.uniform(0.3, 1.5, len(parts))) * fs_hz / 1000
    total = np.zeros(int(starts[-1]) + max(len(part) for part in parts) + 1)
    for start, part in zip(starts.astype(int), parts, strict=True):
        total[start : start + len(part)] += part
    return total


@WAVES.register("unit")
def whole_unit(fs_hz: float, rng: np.random.Generator) -> Floats:
    """Add many fibres to a motor unit of about 10 ms and 500 µV."""
    parts = [fibre(fs_hz, rng) for _ in range(25)]
    starts = np.maximum(3.0 + rng.normal(0, 0.6, len(parts)), 0.0) * fs_hz / 1000
    size = int(starts.max()) + max(len(part) for part in parts) + 1
    total = np.zeros(size)
    for start, part in zip(starts.astype(int), parts, strict=True):
        total[start : start + len(part)] += part
    return _scaled(total, float(np.exp(rng.normal(np.log(500.0), 0.5))))


def _scaled(shape: Floats, peak_to_peak_uv: float) -> Floats:
    return np.asarray(shape / np.ptp(shape) * peak_to_peak_uv, np.float64)


def _fading(n: int) -> Floats:
    """Bring the last fifth down to zero."""
    fade = np.ones(n)
    tail = max(n // 5, 1)
    fade[-tail:] = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, tail))
    return fade
