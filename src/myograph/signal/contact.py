"""Whether an electrode is on: frames in which a channel shows no muscle and something strange.

Silence alone is rest. An electrode that came off is silent and, at the same time, dead flat, or far
from the level that it had while it recorded muscle, or full of mains that was not there before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myograph.signal.runs import join_runs, long_runs
from myograph.signal.spectrum import periodogram

__all__ = ["FRAME_S", "active_level", "fast_power", "lead_off", "muscle_power"]

#: Length of a frame.
FRAME_S = 0.25

_MUSCLE_HZ = (25.0, 350.0)

# Muscle power, over that of an active moment, below which a frame is silent.
_SILENT = 0.02

# Rounding by the converter leaves noise of a twelfth of its step squared; so many times that is
# silence too.
_ROUNDING = 4.0

# How far, in active root mean squares, the level moves when an electrode leaves.
_SHIFT = 3.0

# How much more power than the loudest muscle has, a frame without muscle must have to be full of
# mains: steady mains is in both and cancels out.
_LOUDER = 1.3

# Shorter than this, in frames, it may be a bump of the cable; dead flat it is not.
_LEAST_FRAMES = 5
_LEAST_FLAT_FRAMES = 2

# The share of frames whose muscle power counts as active, and as the level of the electrode.
_ACTIVE = 0.9


def muscle_power(frames: NDArray[np.floating], *, fs_hz: float) -> NDArray[np.float64]:
    """Return the power of muscle in each frame, whatever lines the mains draws through it.

    It is the middle density between 25 and 350 Hz, times the width of that band: a few strong
    lines do not move it.

    Parameters
    ----------
    frames : ndarray, shape (..., n_samples)
    fs_hz : float

    Returns
    -------
    ndarray, shape (...,)
    """
    frequencies_hz, density = periodogram(frames, fs_hz=fs_hz)
    high_hz = min(_MUSCLE_HZ[1], 0.9 * fs_hz / 2)
    inside = (frequencies_hz >= _MUSCLE_HZ[0]) & (frequencies_hz <= high_hz)
    if not inside.any():
        inside[1:] = True
    # The middle of an exponential distribution is its mean times ln 2.
    middle = np.median(density[..., inside], axis=-1) / np.log(2)
    power: NDArray[np.float64] = middle * (high_hz - _MUSCLE_HZ[0])
    return power


def active_level(power: NDArray[np.float64]) -> float:
    """Return the muscle power of an active moment: that of the loudest tenth of the frames."""
    return float(np.quantile(power, _ACTIVE)) if len(power) else 0.0


def lead_off(
    signal: NDArray[np.floating], *, fs_hz: float, lsb: float
) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Mark the frames of one channel in which its electrode is off.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
    fs_hz : float
    lsb : float
        The converter's step (`myograph.signal.defects.quantum`).

    Returns
    -------
    off : ndarray of bool, shape (n_frames,)
        Frames of `FRAME_S`; what does not fill a last one is left out.
    reasons : tuple of str
        Of ``"flat"``, ``"level"`` and ``"mains"`` those that occurred.
    """
    length = min(max(4, round(FRAME_S * fs_hz)), len(signal))
    count = len(signal) // length
    frames = np.asarray(signal[: count * length], dtype=np.float64).reshape(count, length)
    spread = frames.std(axis=1)
    flat = (spread == 0) | (spread < 0.1 * lsb)
    power = np.where(flat, 0.0, muscle_power(frames, fs_hz=fs_hz))
    active = active_level(power)
    if active == 0:  # nothing but flat
        found = long_runs(flat, 1)
        return found, ("flat",) if found.any() else ()
    level = np.median(frames, axis=1)
    fast = fast_power(frames)
    loud = power >= np.quantile(power, 0.7)
    home, usual = float(np.median(level[loud])), float(np.median(fast[loud]))
    silent = power < max(_SILENT * active, _ROUNDING * lsb**2 / 12)
    signs = {
        "flat": flat,
        "level": silent & (np.abs(level - home) > _SHIFT * np.sqrt(active)),
        "mains": silent & (fast > _LOUDER * usual),
    }
    off = join_runs(signs["flat"] | signs["level"] | signs["mains"], 1)
    off = long_runs(off, _LEAST_FRAMES) | long_runs(flat, _LEAST_FLAT_FRAMES)
    return off, tuple(name for name, sign in signs.items() if (sign & off).any())


def fast_power(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power of each frame without its slow part: a parabola is taken out first."""
    t = np.linspace(-1, 1, frames.shape[1])
    basis = np.linalg.qr(np.stack([np.ones_like(t), t, t**2], axis=1))[0]
    rest = frames - (frames @ basis) @ basis.T
    power: NDArray[np.float64] = np.square(rest).mean(axis=1)
    return power
