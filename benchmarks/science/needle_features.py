"""Numbers that describe one needle recording: turns, potentials, spectrum, scattering.

Input is band-passed from 100 Hz to 5 kHz first. Names that begin with ``free.`` do not change when
the recording is amplified; the others follow the gain and can be recomputed for another one from
what is kept (`with_gain`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import butter, sosfiltfilt
from scipy.stats import kurtosis, skew

from myograph.features.interference import segments_of
from myograph.features.kernels.rows import rows
from myograph.features.kernels.turning import find_turns
from myograph.motorunits.potentials import (
    PotentialRules,
    Shapes,
    find_potentials,
    noise_uv,
    shapes_of,
)
from myograph.signal.spectrum import psd

BAND_HZ = (100.0, 5000.0)
_CENTRES_HZ = np.geomspace(120, 4500, 18)
_RHYTHMS_HZ = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
_THRESHOLDS_UV = (50.0, 100.0, 200.0)
_RELATIVE = (0.25, 0.5, 1.0, 2.0, 4.0)

Floats = NDArray[np.float64]
Named = dict[str, float]


def band_passed(samples: Floats, fs_hz: float) -> Floats:
    sections = butter(4, BAND_HZ, "bandpass", fs=fs_hz, output="sos")
    return np.asarray(sosfiltfilt(sections, samples), dtype=np.float64)


def measure(samples_uv: Floats, fs_hz: float, *, gains: tuple[float, ...] = (1.0,)) -> list[Named]:
    """Return one set of numbers per gain; what is free of gain is measured once."""
    x = band_passed(np.asarray(samples_uv, dtype=np.float64), fs_hz)
    rms = float(x.std())
    free = {f"free.{k}": v for k, v in free_of_gain(x / rms, fs_hz).items()}
    found = []
    for gain in gains:
        loud = {"rms": np.log10(gain * rms)}
        for threshold in _THRESHOLDS_UV:
            for k, value in enumerate(_turns(x * gain, threshold, fs_hz)):
                loud[f"turns{threshold:g}[{k}]"] = value
        for name, value in free.items():
            if name.startswith(("free.first[", "free.size", "free.quiet", "free.steep")):
                loud[name.replace("free.", "loud.")] = value + np.log10(gain * rms)
        found.append({**free, **loud})
    return found


def free_of_gain(x: Floats, fs_hz: float) -> Named:
    told: Named = {}
    for part in (
        _amplitudes,
        _spectrum,
        _relative_turns,
        _scattering,
        _bands,
        _potentials,
        _rhythm,
    ):
        told |= part(x, fs_hz)
    return told


def _amplitudes(x: Floats, fs_hz: float) -> Named:
    steps = np.diff(x)
    told = {
        "crest": -np.log10(np.abs(x).mean()),
        "flat": np.log10(np.abs(x).mean() / np.median(np.abs(x))),
        "kurtosis": np.log(kurtosis(x) + 3),
        "skew": skew(x),
        "step-skew": skew(steps),
        "step-kurtosis": np.log(kurtosis(steps) + 3),
        "steep": np.log10(np.percentile(np.abs(steps), 99.9) * fs_hz / 1000),
    }
    centiles = (50, 75, 90, 95, 99, 99.5, 99.9)
    sizes = np.log10(np.percentile(np.abs(x), centiles) + 1e-9)
    return told | {f"centile{q:g}": v for q, v in zip(centiles, sizes, strict=True)}


def _spectrum(x: Floats, fs_hz: float) -> Named:
    frequencies, density = psd(x, fs_hz=fs_hz, segment_s=0.125)
    edges = np.geomspace(*BAND_HZ, 19)
    told = {}
    for k, (low, high) in enumerate(pairwise(edges)):
        inside = (frequencies >= low) & (frequencies < high)
        told[f"band[{k}]"] = np.log10(density[inside].mean() / density.sum())
    reached = np.cumsum(density) / density.sum()
    for share in (0.25, 0.5, 0.75, 0.9):
        told[f"edge{share:g}"] = np.log10(frequencies[np.searchsorted(reached, share)])
    return told


def _turns(x: Floats, threshold: float, fs_hz: float) -> list[float]:
    found = segments_of(x, _fast_turns(x, threshold), fs_hz)
    if found.n_turns < 10:
        return [np.log10(found.n_turns + 1.0), *[0.0] * 7]
    a, d = found.amplitudes_uv, 1000 * found.durations_s
    rate = found.n_turns / found.window_s
    return [
        np.log10(rate + 1),
        np.log10(a.mean()),
        np.log10(np.median(a)),
        np.log10(np.percentile(a, 90)),
        np.log10(rate / a.mean() + 1e-6),
        d[d < 5].sum() / (1000 * found.window_s),
        np.log10(np.median(d)),
        np.log10(((a < 2000) & (d < 3)).sum() / found.window_s + 1),
    ]


def _fast_turns(x: Floats, threshold: float) -> NDArray[np.int64]:
    places, counts = find_turns(
        rows(x[np.newaxis, np.newaxis].astype(np.float32)), np.array([threshold])
    )
    return places[0, 0, : counts[0, 0]]


def _relative_turns(x: Floats, fs_hz: float) -> Named:
    told = {}
    for share in _RELATIVE:
        values = _turns(1000 * x, 1000 * share, fs_hz)
        told |= {f"turns{share:g}[{k}]": values[k] for k in (0, 1, 2, 3, 5, 6)}
    return told


def _scattering(x: Floats, fs_hz: float) -> Named:
    """First and second order: how strong each band is, and how its strength varies."""
    spectrum, at = rfft(x), rfftfreq(len(x), 1 / fs_hz)
    told, first = {}, []
    for i, centre in enumerate(_CENTRES_HZ):
        strength = _strength(spectrum, at, centre, centre / 3, len(x))
        mean = float(strength.mean())
        first.append(mean)
        told[f"sparse[{i}]"] = np.log10(np.sqrt((strength**2).mean()) / mean)
        rate_hz = fs_hz * len(strength) / len(x)
        told |= _second(strength, mean, rate_hz, centre, i)
    return told | {f"first[{i}]": np.log10(v) for i, v in enumerate(first)}


def _second(strength: Floats, mean: float, rate_hz: float, centre: float, i: int) -> Named:
    n = len(strength)
    spectrum, at = rfft(strength - strength.mean()), rfftfreq(n, 1 / rate_hz)
    told = {}
    for j, rhythm in enumerate(_RHYTHMS_HZ):
        if rhythm < centre / 2.5:
            varies = _strength(spectrum, at, rhythm, rhythm / 2, n)
            told[f"second[{i},{j}]"] = np.log10(varies.mean() / mean)
    return told


def _strength(spectrum: NDArray[Any], at: Floats, centre: float, width: float, n: int) -> Floats:
    """Return the envelope in a band, at as low a rate as the band allows.

    The magnitude does not change when the band is moved to 0 Hz, so only its bins are transformed.
    """
    first, last = np.searchsorted(at, (centre - 4 * width, centre + 4 * width))
    part = spectrum[first:last] * np.exp(-0.5 * ((at[first:last] - centre) / width) ** 2)
    size = min(next_fast_len(2 * len(part)), n)
    return np.asarray(2 * np.abs(ifft(part, size)) * size / n)


def _bands(x: Floats, fs_hz: float) -> Named:
    """Shape of the distribution in six octaves, and how their envelopes go together."""
    spectrum, at = rfft(x), rfftfreq(len(x), 1 / fs_hz)
    told, envelopes = {}, []
    for k in range(6):
        centre = 150 * 2.0**k
        band = irfft(spectrum * np.exp(-0.5 * ((at - centre) / (centre / 2.5)) ** 2), len(x))
        told |= {f"octave{k}.skew": skew(band), f"octave{k}.kurtosis": np.log(kurtosis(band) + 3)}
        size = np.abs(band)
        sizes = np.percentile(size[::4], (50, 75, 90, 99, 99.9)) / band.std()
        told |= {f"octave{k}.centile[{j}]": np.log10(v + 1e-3) for j, v in enumerate(sizes)}
        envelopes.append(size[: len(size) // 32 * 32].reshape(-1, 32).mean(axis=1))
    together = np.corrcoef(np.log(np.stack(envelopes) + 1e-6))[np.triu_indices(6, 1)]
    return told | {f"together[{j}]": v for j, v in enumerate(together)}


def _potentials(x: Floats, fs_hz: float) -> Named:
    peaks = find_potentials(x, fs_hz=fs_hz)
    shapes = shapes_of(x, peaks, fs_hz=fs_hz)
    told = {"potentials": np.log10(len(peaks) / (len(x) / fs_hz) + 1)}
    if len(shapes) < 5:
        shapes = Shapes(*(np.ones(5) for _ in range(5)))
    for name in ("thickness_ms", "width_ms", "rise_ms", "turns"):
        for q in (10, 25, 50, 75, 90):
            told[f"{name}{q}"] = np.log10(np.percentile(getattr(shapes, name), q) + 0.05)
    for q in (10, 50, 90):
        told[f"size{q}"] = np.log10(np.percentile(shapes.amplitude_uv, q))
    gaps = np.diff(peaks) / fs_hz if len(peaks) > 5 else np.array([1.0, 1.0])
    told |= {"gap": np.log10(np.median(gaps)), "gap-spread": gaps.std() / gaps.mean()}
    return told | _spikes(x, fs_hz)


def _spikes(x: Floats, fs_hz: float) -> Named:
    """Spectrum of the largest potentials, and how many of them are positive."""
    rules = PotentialRules(above_noise=2 / max(noise_uv(x), 1e-3), apart_ms=4.0)
    peaks, half = find_potentials(x, fs_hz=fs_hz, rules=rules), 256
    peaks = peaks[(peaks > half) & (peaks < len(x) - half)]
    largest = peaks[np.argsort(-np.abs(x[peaks]), kind="stable")[:300]]
    if len(largest) < 5:
        largest = np.array([np.abs(x[half:-half]).argmax() + half])
    waves = np.stack([x[peak - half : peak + half] for peak in largest])
    told = {"spikes": np.log10(len(peaks) / (len(x) / fs_hz) + 1)}
    told["positive"] = float((waves[:, half] > 0).mean())
    waves = waves / np.abs(waves[:, half])[:, np.newaxis]
    power = (np.abs(rfft(waves * np.hanning(2 * half))) ** 2).mean(axis=0)
    at, edges = rfftfreq(2 * half, 1 / fs_hz), np.geomspace(*BAND_HZ, 13)
    for k, (low, high) in enumerate(pairwise(edges)):
        inside = (at >= low) & (at <= high)
        level = power[inside].mean() if inside.any() else power[np.abs(at - low).argmin()]
        told[f"spike-band[{k}]"] = np.log10(level)
    return told


def _rhythm(x: Floats, fs_hz: float) -> Named:
    told = {}
    for length_s in (0.05, 0.2, 0.5):
        width = int(length_s * fs_hz)
        frames = x[: len(x) // width * width].reshape(-1, width).std(axis=1)
        told[f"unsteady{length_s:g}"] = np.log10(frames.std() / frames.mean())
        told[f"quiet{length_s:g}"] = np.log10(frames.min())
    return told


def table_of(sets: list[Named]) -> tuple[list[str], NDArray[Any]]:
    names = sorted(sets[0])
    return names, np.array([[each[name] for name in names] for each in sets], dtype=np.float64)
