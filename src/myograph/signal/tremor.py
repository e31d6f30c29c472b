"""Tremor: how fast, how pure, how steady, and whether antagonists take turns.

Frequency bands of the tremors overlap: none of these numbers names a disease, alone or together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_below_nyquist, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.signal.filters import design_bandpass, design_lowpass, zero_phase
from myograph.signal.switching import Switch

__all__ = [
    "Bursts",
    "Phase",
    "Tremor",
    "antagonist_phase",
    "bursts",
    "load_shift",
    "measure",
    "stability_index",
    "tremor_spectrum",
]

#: Where the tremor is looked for, and what its share is a share of.
BAND_HZ = (2.0, 15.0)

# A peak and its multiples are this wide on either side.
_HALF_BAND_HZ = 1.0

_SEGMENT_S = 4.0
_BIN_HZ = 0.02
_LEAST_S = 3.0


@dataclass(frozen=True, slots=True)
class Tremor:
    """What a stretch of tremor measures.

    Parameters
    ----------
    peak_hz : float
        Frequency of the highest peak in the band, by a parabola through its three bins.
    power_ratio : float
        Power within 1 Hz of the peak over that of the band.
    half_width_hz : float
        Width of the peak at half its height. The segments allow nothing narrower than their own
        resolution (0.36 Hz for 4 s).
    harmonic_ratio : float
        Power within 1 Hz of twice the peak over that around the peak.
    stability_hz : float
        Interquartile range of the change of frequency from cycle to cycle; NaN with too few.
    """

    peak_hz: float
    power_ratio: float
    half_width_hz: float
    harmonic_ratio: float
    stability_hz: float


@dataclass(frozen=True, slots=True)
class Bursts:
    """Bursts of EMG within tremor.

    Parameters
    ----------
    duration_ms : float
        Median of the bursts.
    rate_hz : float
        Bursts per second, from first onset to last.
    n_bursts : int
    """

    duration_ms: float
    rate_hz: float
    n_bursts: int


@dataclass(frozen=True, slots=True)
class Phase:
    """Phase between two muscles (or axes) at the tremor's frequency.

    Parameters
    ----------
    degrees : float
        0 is synchronous, 180 alternating; positive when the second comes later. -180 to 180.
    half_width_deg : float
        Half of the 95 % interval; 180 when nothing is known.
    coherence : float
    least_coherence : float
        What coherence of unrelated signals stays below in 95 of 100 cases.
    """

    degrees: float
    half_width_deg: float
    coherence: float
    least_coherence: float

    @property
    def pattern(self) -> str:
        """``"synchronous"``, ``"alternating"``, ``"in between"`` or ``"undecided"``.

        Synchronous lies within 60 degrees of 0, alternating within 60 of 180. Undecided: the
        signals are not coherent, or the interval reaches from one to the other.
        """
        away = abs(self.degrees)
        low, high = max(0.0, away - self.half_width_deg), min(180.0, away + self.half_width_deg)
        if self.coherence <= self.least_coherence or (low < 60 and high > 120):
            return "undecided"
        if away <= 60:
            return "synchronous"
        return "alternating" if away >= 120 else "in between"


def tremor_spectrum(
    samples: ArrayLike, *, fs_hz: float, segment_s: float = _SEGMENT_S
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the spectrum of tremor on a fine grid: Hann segments, half overlapped, zero-padded.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Acceleration, angle, or an EMG envelope; at least 3 s.
    fs_hz : float
        Sampling rate.
    segment_s : float
        Length of a segment; a shorter recording is one segment.

    Returns
    -------
    frequencies_hz, density : ndarray, shape (n_bins,)
        Bins of at most 0.02 Hz; squared unit per Hz.
    """
    x = _checked(samples, fs_hz)
    segments = _segments(x, fs_hz, segment_s, overlap=0.5)
    length = segments.shape[1]
    weights = np.hanning(length + 2)[1:-1]
    n_fft = 1 << math.ceil(math.log2(max(length, fs_hz / _BIN_HZ)))
    spectra = np.fft.rfft((segments - segments.mean(axis=1, keepdims=True)) * weights, n_fft)
    density = 2 * np.square(np.abs(spectra)).mean(axis=0) / (fs_hz * np.square(weights).sum())
    frequencies: NDArray[np.float64] = np.arange(float(len(density))) * (fs_hz / n_fft)
    return frequencies, density


def measure(samples: ArrayLike, *, fs_hz: float, band_hz: tuple[float, float] = BAND_HZ) -> Tremor:
    """Measure a stretch of tremor.

    Parameters
    ----------
    samples : array, shape (n_samples,)
        Acceleration, angle, or an EMG envelope; at least 3 s, steady posture.
    fs_hz : float
        Sampling rate.
    band_hz : tuple of 2 floats
        Where the peak is looked for; orthostatic tremor needs up to 18 Hz.

    Returns
    -------
    Tremor

    Raises
    ------
    DataError
        If the stretch is too short or does not vary, or no peak stands in the band.

    Examples
    --------
    >>> t = np.arange(1000) / 100
    >>> noise = np.random.default_rng(0).standard_normal(1000)
    >>> found = measure(np.sin(2 * np.pi * 5.3 * t) + 0.3 * noise, fs_hz=100)
    >>> round(found.peak_hz, 1), found.power_ratio > 0.8
    (5.3, True)
    """
    low_hz, high_hz = _band(band_hz, fs_hz)
    f, density = tremor_spectrum(samples, fs_hz=fs_hz)
    inside = np.flatnonzero((f >= low_hz) & (f <= high_hz))
    top = int(inside[density[inside].argmax()])
    if top in (inside[0], inside[-1]):
        raise DataError(
            f"No peak stands between {low_hz:g} and {high_hz:g} Hz: the spectrum is highest at the "
            "edge of the band. Take off drift (high-pass), or widen band_hz."
        )
    peak_hz = _parabola(f, density, top)
    around = _power(f, density, peak_hz - _HALF_BAND_HZ, peak_hz + _HALF_BAND_HZ)
    harmonic = _power(f, density, 2 * peak_hz - _HALF_BAND_HZ, 2 * peak_hz + _HALF_BAND_HZ)
    return Tremor(
        peak_hz,
        min(1.0, around / _power(f, density, low_hz, high_hz)),
        _half_width(f, density, top),
        harmonic / around,
        stability_index(samples, fs_hz=fs_hz, peak_hz=peak_hz),
    )


def stability_index(samples: ArrayLike, *, fs_hz: float, peak_hz: float) -> float:
    """Return the tremor stability index, Hz (dibiase2017).

    Band-pass the peak plus and minus 2 Hz, take each cycle's frequency from its rising zero
    crossings, and the interquartile range of the change from one cycle to the next. NaN with fewer
    than 4 cycles.
    """
    x = _checked(samples, fs_hz)
    low_hz = max(0.5, peak_hz - 2.0)
    high_hz = min(peak_hz + 2.0, 0.45 * fs_hz)
    band = design_bandpass(low_hz, high_hz, order=2, fs_hz=fs_hz)
    y = zero_phase(band, (x - x.mean())[None])[0].astype(np.float64)
    rising = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    crossings = rising + y[rising] / (y[rising] - y[rising + 1])
    if len(crossings) < 5:
        return float("nan")
    changes = np.diff(fs_hz / np.diff(crossings))
    low, high = np.quantile(changes, [0.25, 0.75])
    return float(high - low)


def bursts(emg: ArrayLike, *, fs_hz: float, least_ms: float = 20.0) -> Bursts:
    """Measure the bursts of a muscle that trembles.

    The envelope (rectified, low-passed at 20 Hz without delay) has to exceed the middle between
    its quiet and its loud level (10th and 90th percentile), and both bursts and pauses to last:
    the double threshold of amplitude and duration.

    Parameters
    ----------
    emg : array, shape (n_samples,)
        Band-passed EMG, at least 3 s.
    fs_hz : float
        Sampling rate.
    least_ms : float
        Bursts and pauses shorter than this are not counted.

    Returns
    -------
    Bursts
        Bursts that the stretch cuts at its ends do not count.
    """
    x = _checked(emg, fs_hz)
    lowpass = design_lowpass(20.0, order=2, fs_hz=fs_hz)
    envelope = zero_phase(lowpass, np.abs(x - x.mean())[None])[0]
    quiet, loud = np.quantile(envelope, [0.1, 0.9])
    least = max(1, round(check_positive(least_ms, name="least_ms") * fs_hz / 1000))
    switch = Switch(least_on=least, least_off=least)
    above = envelope > (quiet + loud) / 2
    edges = switch.push(above, above)
    begins = [edge.at for edge in edges if edge.rising]
    ends = [edge.at for edge in edges if not edge.rising]
    whole = [(b, e) for b, e in zip(begins, ends, strict=False) if b > 0]
    if len(whole) < 2:
        raise DataError(
            f"{len(whole)} whole bursts were found and 2 are needed; the muscle does not burst, or "
            "the stretch is too short."
        )
    durations = np.array([e - b for b, e in whole])
    cycles = (whole[-1][0] - whole[0][0]) / (len(whole) - 1)
    return Bursts(float(np.median(durations)) * 1000 / fs_hz, float(fs_hz / cycles), len(whole))


def antagonist_phase(
    first: ArrayLike, second: ArrayLike, *, fs_hz: float, peak_hz: float, segment_s: float = 2.0
) -> Phase:
    r"""Measure the phase between two envelopes at the tremor's frequency.

    From the cross-spectrum of segments that do not overlap, summed within 1 Hz of the peak. The
    interval is :math:`1.96\sqrt{(1/C - 1)/(2L)}` for coherence C and L segments, and unrelated
    signals stay below :math:`1 - 0.05^{1/(L-1)}` (halliday1995).

    Parameters
    ----------
    first, second : array, shape (n_samples,)
        Rectified EMG or its envelope, of a muscle and its antagonist.
    fs_hz : float
        Sampling rate.
    peak_hz : float
        The tremor's frequency, from `measure`.
    segment_s : float
        Length of a segment.

    Returns
    -------
    Phase

    Raises
    ------
    DataError
        If there are fewer than 2 segments.
    """
    x, y = _checked(first, fs_hz), _checked(second, fs_hz)
    if len(x) != len(y):
        raise DataError(f"Both signals must be equally long; got {len(x)} and {len(y)} samples.")
    check_below_nyquist(peak_hz, fs_hz=fs_hz, name="peak_hz")
    spectra = []
    for signal in (x, y):
        segments = _segments(signal, fs_hz, segment_s, overlap=0.0)
        weights = np.hanning(segments.shape[1] + 2)[1:-1]
        spectra.append(np.fft.rfft((segments - segments.mean(axis=1, keepdims=True)) * weights))
    count = len(spectra[0])
    if count < 2:
        raise DataError(
            f"A phase with an interval needs at least 2 segments of {segment_s:g} s; got {count}."
        )
    f = np.fft.rfftfreq(round(segment_s * fs_hz), 1 / fs_hz)
    near = np.abs(f - peak_hz) <= _HALF_BAND_HZ
    cross = (spectra[0][:, near] * spectra[1][:, near].conj()).sum()
    powers = [float(np.square(np.abs(s[:, near])).sum()) for s in spectra]
    coherence = min(1.0, float(np.abs(cross) ** 2 / (powers[0] * powers[1])))
    half = 180.0
    if coherence > 0:
        half = min(180.0, math.degrees(1.96 * math.sqrt((1 / coherence - 1) / (2 * count))))
    least = 1 - 0.05 ** (1 / (count - 1))
    return Phase(math.degrees(float(np.angle(cross))), half, coherence, least)


def load_shift(unloaded_hz: float, loaded_hz: float) -> str:
    """Say what a weight on the limb did to the tremor's frequency.

    ``"mechanical"`` when it fell by more than 1 Hz (the limb's own resonance takes part, as in
    physiological tremor), ``"central"`` when it stayed within 1 Hz.

    Examples
    --------
    >>> load_shift(9.0, 7.2), load_shift(5.0, 4.9)
    ('mechanical', 'central')
    """
    check_positive(unloaded_hz, name="unloaded_hz")
    check_positive(loaded_hz, name="loaded_hz")
    return "mechanical" if unloaded_hz - loaded_hz > 1.0 else "central"


def _checked(samples: ArrayLike, fs_hz: float) -> NDArray[np.float64]:
    check_positive(fs_hz, name="fs_hz")
    x = np.asarray(samples, dtype=np.float64)
    if x.ndim != 1 or len(x) < _LEAST_S * fs_hz:
        raise DataError(
            f"Tremor is measured in at least {_LEAST_S:g} s of one channel "
            f"({math.ceil(_LEAST_S * fs_hz)} samples); got shape {x.shape}."
        )
    if not np.isfinite(x).all():
        raise DataError("The samples hold NaN or infinity; leave gaps out.")
    if np.ptp(x) == 0:
        raise DataError("The samples do not vary: there is no tremor to measure, check the sensor.")
    return x


def _band(band_hz: tuple[float, float], fs_hz: float) -> tuple[float, float]:
    low_hz, high_hz = band_hz
    check_positive(low_hz, name="band_hz")
    check_below_nyquist(high_hz, fs_hz=fs_hz, name="band_hz")
    if low_hz >= high_hz:
        raise ParameterError(f"band_hz must rise; got {band_hz!r}.")
    return low_hz, high_hz


def _segments(
    x: NDArray[np.float64], fs_hz: float, segment_s: float, *, overlap: float
) -> NDArray[np.float64]:
    length = min(len(x), max(2, round(check_positive(segment_s, name="segment_s") * fs_hz)))
    step = max(1, round(length * (1 - overlap)))
    return np.asarray(sliding_window_view(x, length)[::step])


def _parabola(f: NDArray[np.float64], density: NDArray[np.float64], top: int) -> float:
    left, middle, right = density[top - 1 : top + 2]
    bend = left - 2 * middle + right
    shift = 0.0 if bend == 0 else 0.5 * (left - right) / bend
    return float(f[top] + shift * (f[1] - f[0]))


def _power(
    f: NDArray[np.float64], density: NDArray[np.float64], low_hz: float, high_hz: float
) -> float:
    inside = (f >= low_hz) & (f <= high_hz)
    return float(density[inside].sum() * (f[1] - f[0]))


def _half_width(f: NDArray[np.float64], density: NDArray[np.float64], top: int) -> float:
    below = density < density[top] / 2
    left = np.flatnonzero(below[:top])
    right = np.flatnonzero(below[top:])
    first = left[-1] if len(left) else 0
    last = top + right[0] if len(right) else len(f) - 1
    return float(f[last] - f[first])
