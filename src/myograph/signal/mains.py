"""The mains in a recording: whether it is there, at which frequency, and how to take it out.

What tells the mains from muscle is that it is a line: much power within a hertz, little beside it.
So every measure here compares the bins at the mains frequency and its multiples with the bins
around them, and muscle activity at 50 Hz does not count as mains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.signal.spectrum import psd

__all__ = ["MAINS_HZ", "Mains", "detect_mains", "interpolate_lines", "line_excess"]

#: The mains frequencies of the world.
MAINS_HZ = (50.0, 60.0)

# A line lies within 1 Hz of a multiple; what belongs there without it is read 3 to 8 Hz away.
_LINE_HZ = 1.0
_BESIDE_HZ = (3.0, 8.0)
_HARMONICS = 5

# Chance that a recording without mains is said to have it.
_CHANCE = 1e-4

# A grid stays this close to its nominal frequency.
_DRIFT_HZ = 0.5
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Mains:
    """What was found of the mains.

    Parameters
    ----------
    nominal_hz : float
        50 or 60: the candidate with more power in its lines.
    frequency_hz : float
        Where the line really is; the nominal one when no line stands out.
    excess : ndarray, shape (n_channels,)
        Share of each channel's power that lies in the lines above what belongs there.
    present : ndarray of bool, shape (n_channels,)
        Whether a line stands out from its surroundings beyond chance (1 in 10 000).
    """

    nominal_hz: float
    frequency_hz: float
    excess: NDArray[np.float64]
    present: NDArray[np.bool_]


def line_excess(
    frequencies_hz: NDArray[np.float64], density: NDArray[np.float64], *, mains_hz: float
) -> NDArray[np.float64]:
    """Return the share of power in the mains lines above what the bins around them predict.

    Parameters
    ----------
    frequencies_hz : ndarray, shape (n_bins,)
    density : ndarray, shape (..., n_bins)
        As `myograph.signal.spectrum.periodogram` gives, with bins at most 1 Hz apart.
    mains_hz : float

    Returns
    -------
    ndarray, shape (...,)
        From 0 to 1; NaN without power or when the mains lies beyond the Nyquist frequency.

    Examples
    --------
    >>> import numpy as np
    >>> flat = np.ones(501)
    >>> float(line_excess(np.arange(501.0), flat, mains_hz=50))
    0.0
    """
    total = density[..., 1:].sum(axis=-1)
    excess = np.zeros(density.shape[:-1])
    count = 0
    for line, beside in _lines(frequencies_hz, mains_hz):
        level = density[..., beside].mean(axis=-1) * line.sum()
        excess += np.maximum(density[..., line].sum(axis=-1) - level, 0)
        count += 1
    empty = np.full(total.shape, np.nan)
    return np.divide(excess, total, out=empty, where=(total > 0) & (count > 0))


def detect_mains(
    samples: NDArray[np.floating], *, fs_hz: float, candidates_hz: Sequence[float] = MAINS_HZ
) -> Mains:
    """Find the mains in a recording: which one, where exactly, and in which channels.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
        At least two seconds.
    fs_hz : float
        Sampling rate; above twice the lowest candidate.
    candidates_hz : sequence of float

    Raises
    ------
    DataError
        If the recording is too short or too slow to tell.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(8000) / 1000
    >>> noise = np.random.default_rng(0).normal(size=t.size)
    >>> found = detect_mains((noise + np.sin(2 * np.pi * 59.9 * t))[None], fs_hz=1000)
    >>> found.nominal_hz, round(found.frequency_hz, 1), bool(found.present[0])
    (60.0, 59.9, True)
    """
    check_positive(fs_hz, name="fs_hz")
    usable = [hz for hz in candidates_hz if hz + _LINE_HZ < fs_hz / 2]
    if not usable or samples.shape[1] < 2 * fs_hz:
        raise DataError(
            f"Mains cannot be told in {samples.shape[1] / fs_hz:g} s at {fs_hz:g} Hz; at least "
            f"2 s at more than {2 * min(candidates_hz) + 2:g} Hz are needed."
        )
    frequencies_hz, density = psd(samples, fs_hz=fs_hz, segment_s=1.0)
    excess = {hz: line_excess(frequencies_hz, density, mains_hz=hz) for hz in usable}
    moving = ~np.isnan(excess[usable[0]])
    nominal = max(usable, key=lambda hz: float(np.nansum(excess[hz])))
    chance = _chance(frequencies_hz, density, nominal, n_seconds=samples.shape[1] / fs_hz)
    present = moving & (chance < _CHANCE)
    where = _refined_hz(samples[present], fs_hz, nominal) if present.any() else nominal
    return Mains(nominal, where, np.where(moving, excess[nominal], 0.0), present)


def interpolate_lines(
    samples: NDArray[np.floating],
    *,
    fs_hz: float,
    mains_hz: float,
    harmonics: int,
    half_width_hz: float = 0.6,
    segment_s: float = 5.0,
) -> NDArray[np.float32]:
    """Take the mains lines out of the spectrum, down to what the spectrum beside them predicts.

    Spectrum interpolation (mewett2004): in overlapping segments the magnitude of the bins near a
    multiple of the mains is lowered to the root mean square of those 1 to 3 Hz away; the phase
    stays. Unlike a notch it leaves no hole, and where there is no line it changes next to nothing:
    magnitudes are lowered, never raised.

    Parameters
    ----------
    samples : ndarray, shape (n_channels, n_samples)
    fs_hz, mains_hz : float
    harmonics : int
        How many multiples, as far as the sampling rate holds them.
    half_width_hz : float
        How far from a multiple the line may reach.
    segment_s : float
        Length of a segment: its inverse is the resolution.

    Returns
    -------
    ndarray of float32, shape (n_channels, n_samples)
    """
    length = 2 * max(8, round(segment_s * fs_hz / 2))
    if samples.shape[1] < length:
        length = max(16, 2 * (samples.shape[1] // 2))
    hop = length // 2
    window = np.sin(np.pi * (np.arange(length) + 0.5) / length)
    frequencies_hz = np.arange(hop + 1, dtype=np.float64) * (fs_hz / length)
    lines = _line_bins(frequencies_hz, mains_hz, harmonics, half_width_hz)
    n_samples = samples.shape[1]
    n_segments = -(-(n_samples + hop) // hop)
    out = np.empty(samples.shape, dtype=np.float32)
    for row, signal in enumerate(samples):
        padded = _continued(signal, hop, n_segments * hop + hop, fs_hz / mains_hz)
        clean = np.zeros(len(padded))
        for first in range(0, n_segments * hop, hop):
            part = slice(first, first + length)
            spectrum = np.fft.rfft(padded[part] * window)
            _lower(spectrum, lines)
            clean[part] += np.fft.irfft(spectrum, length) * window
        out[row] = clean[hop : hop + n_samples]
    return out


def _lines(
    frequencies_hz: NDArray[np.float64], mains_hz: float
) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Return, per multiple, which bins are the line and which lie beside it."""
    found = []
    for k in range(1, _HARMONICS + 1):
        distance = np.abs(frequencies_hz - k * mains_hz)
        line = distance <= _LINE_HZ
        beside = (distance >= _BESIDE_HZ[0]) & (distance <= _BESIDE_HZ[1])
        if k * mains_hz + _LINE_HZ > frequencies_hz[-1] or not line.any() or not beside.any():
            break
        found.append((line, beside))
    return found


def _chance(
    frequencies_hz: NDArray[np.float64],
    density: NDArray[np.float64],
    mains_hz: float,
    *,
    n_seconds: float,
) -> NDArray[np.float64]:
    """Return the chance of the strongest line under the hypothesis that there is none."""
    best = np.ones(density.shape[:-1])
    lines = _lines(frequencies_hz, mains_hz)
    # Half-overlapping Hann segments are worth about 0.95 independent ones per second and give two
    # degrees of freedom each; neighbouring bins share, so a line counts as one bin.
    freedom = 2 * 0.95 * n_seconds
    for line, beside in lines:
        peak = density[..., line].max(axis=-1)
        level = density[..., beside].mean(axis=-1)
        ratio = np.divide(peak, level, out=np.ones(peak.shape), where=level > 0)
        tail = fdtrc(freedom, freedom * beside.sum() / 1.5, ratio) * line.sum() * len(lines)
        best = np.minimum(best, tail)
    return best


def _refined_hz(samples: NDArray[np.floating], fs_hz: float, nominal_hz: float) -> float:
    """Place the fundamental between the bins of a long spectrum, over all channels together."""
    n = min(samples.shape[1], round(_LONGEST_S * fs_hz))
    window = np.hanning(n)
    x = samples[:, :n] - samples[:, :n].mean(axis=1, keepdims=True, dtype=np.float64)
    size = 1 << math.ceil(math.log2(4 * n))
    spectrum = np.abs(np.fft.rfft(x * window, size, axis=1)) ** 2
    power = (spectrum / spectrum.sum(axis=1, keepdims=True)).sum(axis=0)
    width_hz = fs_hz / size
    near = slice(
        math.ceil((nominal_hz - _DRIFT_HZ) / width_hz),
        math.floor((nominal_hz + _DRIFT_HZ) / width_hz) + 1,
    )
    top = near.start + int(np.argmax(power[near]))
    a, b, c = np.log(power[top - 1 : top + 2] + np.finfo(np.float64).tiny)
    bend = a - 2 * b + c
    offset = 0.5 * (a - c) / bend if bend < 0 else 0.0
    return float((top + np.clip(offset, -0.5, 0.5)) * width_hz)


def _line_bins(
    frequencies_hz: NDArray[np.float64], mains_hz: float, harmonics: int, half_width_hz: float
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    found = []
    for k in range(1, harmonics + 1):
        distance = np.abs(frequencies_hz - k * mains_hz)
        line = np.flatnonzero(distance <= half_width_hz)
        beside = np.flatnonzero((distance >= half_width_hz + 0.6) & (distance <= 3.0))
        if k * mains_hz + half_width_hz < frequencies_hz[-1] and len(line) and len(beside):
            found.append((line, beside))
    return found


def _lower(
    spectrum: NDArray[np.complex128], lines: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
) -> None:
    for line, beside in lines:
        level = math.sqrt(float(np.mean(np.abs(spectrum[beside]) ** 2)))
        size = np.abs(spectrum[line])
        gain = np.divide(level, size, out=np.ones(len(line)), where=size > level)
        spectrum[line] *= gain


def _continued(
    signal: NDArray[np.floating], before: int, length: int, period: float
) -> NDArray[np.float64]:
    """Continue a signal beyond both ends with itself, some whole periods of the mains away.

    A mirrored end would turn the phase of the mains over, and smear its line.
    """
    x = np.asarray(signal, dtype=np.float64)
    shifts = np.arange(max(1, len(x) // 2), len(x) + 1)
    turns = shifts / period
    shift = int(shifts[np.argmin(np.abs(turns - np.round(turns)))])
    places = np.arange(-before, length - before)
    places = np.where(places < 0, places + shift * -(places // shift), places)
    beyond = np.maximum(places - len(x) + 1, 0)
    return x[np.clip(places - shift * -(-beyond // shift), 0, len(x) - 1)]
