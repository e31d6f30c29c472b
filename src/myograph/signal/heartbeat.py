"""The heart in an electromyogram: its beats found, how much of the signal they are, taken out.

What tells a heart from bursts of muscle is that every beat has the same shape. So beats are looked
for as peaks in the band where the QRS complex is strong and muscle is weak, and they count as a
heart only when their shapes agree, their intervals are those of a heart, and they stand out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from myograph.core.errors import DataError
from myograph.signal.filters import design_bandpass, design_lowpass, zero_phase

__all__ = ["Heart", "find_heart", "subtract_heart"]

# Where the QRS complex is strong and surface EMG is weak.
_QRS_HZ = (6.0, 35.0)

# What the template may hold: ECG has little above this, and EMG much.
_TEMPLATE_HZ = 60.0

# A beat from the start of its P wave to the end of its T wave, around the R peak.
_BEFORE_S, _AFTER_S = 0.22, 0.40
_QRS_S = 0.06

_SHORTEST_S, _LONGEST_S = 0.3, 1.6
_FEWEST = 5

# How far an interval may be from the middle one, in shares of it.
_STEADY = 0.25

# Beats averaged around each one: a heart changes its shape with breathing and posture.
_NEIGHBOURS = 8


@dataclass(frozen=True, eq=False)
class Heart:
    """Beats found in a signal, and how sure it is that they are a heart's.

    Parameters
    ----------
    beats : ndarray of int, shape (n_beats,)
        Sample numbers of the R peaks.
    agreement : float
        Mean correlation of each beat's QRS complex with the mean of the others, -1 to 1.
    regularity : float
        Share of intervals within a quarter of the middle one, missed beats allowed for.
    prominence : float
        Height of the beats over the peaks between them.
    power_share : float
        Power that repeats with the beats, over all of the signal's.
    """

    beats: NDArray[np.intp]
    agreement: float
    regularity: float
    prominence: float
    power_share: float

    @classmethod
    def none(cls) -> Heart:
        """Return what is found where there is none."""
        return cls(np.zeros(0, dtype=np.intp), 0.0, 0.0, 0.0, 0.0)

    @property
    def score(self) -> float:
        """How much it looks like a heart; from 1 on it is taken for one."""
        return self.agreement**2 * self.regularity**2 * min(self.prominence, 3.0) / 1.6

    @property
    def present(self) -> bool:
        """Whether the beats are taken for a heart's."""
        return self.score >= 1.0


def find_heart(signal: NDArray[np.floating], *, fs_hz: float) -> Heart:
    """Look for heartbeats in one channel, of EMG or of an ECG.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
        At least five beats long to find any.
    fs_hz : float
        Sampling rate, above 80 Hz.

    Returns
    -------
    Heart
        ``present`` says whether to believe it.
    """
    if fs_hz < 2.2 * _QRS_HZ[1] or len(signal) < _FEWEST * _SHORTEST_S * fs_hz:
        return Heart.none()
    x = np.asarray(signal, dtype=np.float64)
    band = design_bandpass(*_QRS_HZ, order=2, fs_hz=fs_hz)
    qrs = zero_phase(band, (x - np.median(x))[None])[0].astype(np.float64)
    candidates = [_heart(qrs, sign, fs_hz) for sign in (1.0, -1.0)]
    # The lobes beside an R peak repeat as well as it does, but are lower.
    best = max(candidates, key=_likeness)
    if len(best.beats) < _FEWEST:
        return Heart.none()
    beats = _filled(qrs, best.beats, fs_hz) if best.present else best.beats
    share = _locked_power(x, beats, fs_hz)
    return Heart(beats, best.agreement, best.regularity, best.prominence, share)


def subtract_heart(
    signal: NDArray[np.floating], beats: NDArray[np.intp], *, fs_hz: float
) -> NDArray[np.float32]:
    """Take the heart out of one channel: subtract from each beat the mean of its neighbours.

    Template subtraction with a moving average (drake2006 compares; about 1/8 of the muscle's power
    below 60 Hz under the beats is the price). The template is low-passed at 60 Hz, fitted to each
    beat's height and faded out at its ends.

    Parameters
    ----------
    signal : ndarray, shape (n_samples,)
    beats : ndarray of int, shape (n_beats,)
        Sample numbers of the R peaks, from `find_heart` here or in an ECG channel.
    fs_hz : float

    Returns
    -------
    ndarray of float32, shape (n_samples,)

    Raises
    ------
    DataError
        If there are fewer than five beats to average.
    """
    if len(beats) < _FEWEST:
        raise DataError(
            f"A heart is taken out by averaging at least {_FEWEST} beats; got {len(beats)}. Use "
            "a longer recording, or a high-pass at 30 Hz."
        )
    x = np.asarray(signal, dtype=np.float64)
    cuts, places = _beats_of(_slow(x, fs_hz), beats, fs_hz)
    before, length = round(_BEFORE_S * fs_hz), cuts.shape[1]
    fade = _fade(length)
    out = x.copy()
    for row, beat in enumerate(places):
        near = np.argsort(np.abs(np.arange(len(places)) - row), kind="stable")
        near = near[1 : _NEIGHBOURS + 1]
        template = cuts[near].mean(axis=0)
        template -= np.linspace(template[0], template[-1], length)
        power = float(template @ template)
        height = float(cuts[row] @ template) / power if power > 0 else 0.0
        first = beat - before
        inside = slice(max(first, 0), min(first + length, len(x)))
        wave = np.clip(height, 0.5, 1.5) * template * fade
        out[inside] -= wave[inside.start - first : inside.stop - first]
    return out.astype(np.float32)


def _likeness(heart: Heart) -> tuple[bool, float]:
    return heart.present, heart.prominence if heart.present else heart.score


def _heart(qrs: NDArray[np.float64], sign: float, fs_hz: float) -> Heart:
    """Choose the peaks of one polarity that agree best with one shape, and judge them."""
    apart = round(_SHORTEST_S * fs_hz)
    peaks, _ = find_peaks(sign * qrs, height=0.0, distance=apart)
    reach = max(2, round(_QRS_S * fs_hz))
    peaks = peaks[(peaks >= reach) & (peaks < len(qrs) - reach)]
    if len(peaks) < _FEWEST:
        return Heart.none()
    heights = sign * qrs[peaks]
    expected = max(_FEWEST, round(len(qrs) / fs_hz / _LONGEST_S))
    top = np.sort(heights)[::-1][:expected]
    beats = peaks[heights > 0.5 * np.median(top)]
    around = np.arange(-reach, reach + 1)
    shapes = qrs[beats[:, None] + around]
    agreement = _agreement(shapes)
    good = agreement > 0.7
    if good.sum() < _FEWEST:
        return Heart.none()
    beats, mean = beats[good], float(np.mean(agreement))
    level = float(np.median(sign * qrs[beats]))
    between = np.ones(len(qrs), dtype=np.bool_)
    for beat in beats:
        between[max(0, beat - round(0.15 * fs_hz)) : beat + round(0.15 * fs_hz)] = False
    others, _ = find_peaks(np.abs(qrs) * between, height=0.0)
    rest = float(np.quantile(np.abs(qrs[others]), 0.9)) if len(others) else 0.0
    prominence = level / rest if rest > 0 else math.inf
    return Heart(beats, max(mean, 0.0), _regularity(beats, fs_hz), prominence, 0.0)


def _filled(qrs: NDArray[np.float64], beats: NDArray[np.intp], fs_hz: float) -> NDArray[np.intp]:
    """Add the beats that a burst of muscle or an end of the recording hides.

    Where a whole number of intervals fits between two beats, or before the first and after the
    last, a beat is looked for near the expected place, where the mean shape fits best.
    """
    middle = float(np.median(np.diff(beats)))
    reach = max(2, round(_QRS_S * fs_hz))
    around = np.arange(-reach, reach + 1)
    inner = beats[(beats >= reach) & (beats < len(qrs) - reach)]
    shape = qrs[inner[:, None] + around].mean(axis=0)
    expected = []
    for first, last in pairwise(beats):
        count = max(1, round((last - first) / middle))
        expected += [first + k * (last - first) / count for k in range(1, count)]
    expected += list(np.arange(beats[0] - middle, -reach, -middle))
    expected += list(np.arange(beats[-1] + middle, len(qrs) + reach, middle))
    slack = max(1, round(0.1 * middle))
    found = list(beats)
    for place in np.round(expected).astype(int):
        first = max(0, place - reach - slack)
        piece = qrs[first : max(0, place + reach + slack + 1)]
        if len(piece) < len(shape):
            continue
        fit = np.correlate(piece, shape, mode="valid")
        best = int(np.argmax(fit))
        size = np.linalg.norm(piece[best : best + len(shape)]) * np.linalg.norm(shape)
        # Within the recording a beat is known to be there; beyond its ends it has to show.
        if beats[0] < place < beats[-1] or fit[best] > 0.6 * size:
            found.append(first + best + reach)
    return np.unique(np.array(found, dtype=np.intp))


def _agreement(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each shape's correlation with the mean of the others."""
    x = shapes - shapes.mean(axis=1, keepdims=True)
    others = x.sum(axis=0) - x
    size = np.linalg.norm(x, axis=1) * np.linalg.norm(others, axis=1)
    dot = np.einsum("ij,ij->i", x, others)
    return np.divide(dot, size, out=np.zeros(len(x)), where=size > 0)


def _regularity(beats: NDArray[np.intp], fs_hz: float) -> float:
    """Return the share of intervals that one beating heart explains."""
    intervals = np.diff(beats) / fs_hz
    if len(intervals) == 0:
        return 0.0
    middle = float(np.median(intervals))
    if not _SHORTEST_S <= middle <= _LONGEST_S:
        return 0.0
    missed = np.clip(np.round(intervals / middle), 1, 3)
    near = np.abs(intervals / missed / middle - 1) < _STEADY
    # An interval with a missed beat inside is worth less than one without.
    return float((near / missed).sum() / len(intervals))


def _locked_power(x: NDArray[np.float64], beats: NDArray[np.intp], fs_hz: float) -> float:
    """Return the power of the mean beat over the power of the signal, free of chance."""
    cuts, _ = _beats_of(_slow(x, fs_hz), beats, fs_hz)
    cuts = cuts - cuts.mean(axis=1, keepdims=True)
    n = len(cuts)
    both = np.square(cuts.sum(axis=0)).sum() - np.square(cuts).sum()
    locked = both / (n * (n - 1)) if n > 1 else 0.0  # mean product of two different beats
    total = np.square(x - x.mean()).sum()
    return float(np.clip(locked * n / total, 0, 1)) if total > 0 else 0.0


def _slow(x: NDArray[np.float64], fs_hz: float) -> NDArray[np.float64]:
    if fs_hz <= 2.2 * _TEMPLATE_HZ:
        return x
    low = design_lowpass(_TEMPLATE_HZ, order=2, fs_hz=fs_hz)
    centre = float(np.median(x))
    return zero_phase(low, (x - centre)[None])[0].astype(np.float64) + centre


def _beats_of(
    x: NDArray[np.float64], beats: NDArray[np.intp], fs_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the stretch around each beat, shape (n_beats, n), beyond the ends held constant."""
    around = np.arange(-round(_BEFORE_S * fs_hz), round(_AFTER_S * fs_hz) + 1)
    return x[np.clip(beats[:, None] + around, 0, len(x) - 1)], beats


def _fade(length: int) -> NDArray[np.float64]:
    edge = max(1, length // 10)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    return np.concatenate([ramp, np.ones(length - 2 * edge), ramp[::-1]])
