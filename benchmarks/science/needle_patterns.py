"""Numbers that describe one needle recording beyond those of ``needle_features``.

The cloud of turns, the strength of bands and how they go together, how alike the largest potentials
are to each other, what they look like on average, and how steps over longer times are distributed.
Input is band-passed and has a deviation of 1, so nothing follows the gain.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from needle_features import _CENTRES_HZ, Floats, Named, _fast_turns, _strength
from numpy.fft import rfft, rfftfreq
from numpy.typing import NDArray

from myograph.motorunits.potentials import PotentialRules, find_potentials, noise_uv

_SIZES = (0.25, 0.5, 1, 2, 4, 8)
_DURATIONS_MS = (0.3, 0.6, 1.2, 2.4, 4.8)
_LAGS = (("4", 1), ("16", 4), ("64", 16))
_INTERVALS_S = (0.004, 0.02, 0.04, 0.06, 0.08, 0.11, 0.16, 0.25)
_FRAMES = 1250
_LARGEST = 200
_STEP = 4


def cloud(x: Floats, fs_hz: float) -> Named:
    """Return how many turns have which amplitude and duration, and how these follow each other."""
    told: Named = {}
    for share in (0.1, 0.5):
        places = _fast_turns(1000 * x, 1000 * share)
        values = x[places]
        size, duration = np.abs(np.diff(values)), np.diff(places) / fs_hz * 1000
        cells = np.zeros((len(_SIZES) + 1, len(_DURATIONS_MS) + 1))
        rows = np.digitize(np.log10(size), np.log10(_SIZES))
        columns = np.digitize(np.log10(duration), np.log10(_DURATIONS_MS))
        np.add.at(cells, (rows, columns), 1)
        rates = np.log10(cells / (len(x) / fs_hz) + 1)
        told |= {f"cloud{share}[{i},{j}]": rate for (i, j), rate in np.ndenumerate(rates)}
        told |= {f"cloud{share}.{k}": v for k, v in _turns_together(values, size, duration).items()}
    return told


def _turns_together(values: Floats, size: Floats, duration: Floats) -> Named:
    steepness = (10, 50, 90, 99)
    if len(size) <= 20:
        return dict.fromkeys(("corr", "serial", "updown", *(f"slope{q}" for q in steepness)), 0.0)
    up, slope = np.diff(values) > 0, np.log(size / duration)
    told = {
        "corr": np.corrcoef(np.log(size), np.log(duration))[0, 1],
        "serial": np.corrcoef(np.log(size[1:]), np.log(size[:-1]))[0, 1],
        "updown": slope[up].mean() - slope[~up].mean(),
    }
    return told | {f"slope{q}": np.percentile(slope, q) for q in steepness}


def envelopes(x: Floats, fs_hz: float) -> Named:
    """Return how the strength of each band is distributed, and how bands go together."""
    spectrum, at = rfft(x), rfftfreq(len(x), 1 / fs_hz)
    told: Named = {}
    logs = []
    for i, centre in enumerate(_CENTRES_HZ):
        strength = _strength(spectrum, at, centre, centre / 3, len(x))
        shares = np.percentile(strength, (10, 25, 50, 75, 90, 99, 99.9)) / strength.mean()
        told |= {f"env{i}.q{j}": np.log10(v + 1e-4) for j, v in enumerate(shares)}
        width = max(1, len(strength) // _FRAMES)
        smooth = np.convolve(strength, np.ones(width) / width, "same")
        middle = (np.arange(_FRAMES) + 0.5) / _FRAMES
        frames = np.interp(middle, (np.arange(len(smooth)) + 0.5) / len(smooth), smooth)
        logs.append(np.log(frames + 1e-4 * strength.mean()))
    return told | _bands_together(np.stack(logs))


def _bands_together(logs: Floats) -> Named:
    logs = logs - logs.mean(axis=1, keepdims=True)
    n_bands, n_frames = logs.shape
    covariance = logs @ logs.T / n_frames
    size, axes = np.linalg.eigh(covariance + 1e-3 * np.eye(n_bands))
    flat = (axes * np.log(size)) @ axes.T
    told: Named = {}
    for a, b in zip(*np.triu_indices(n_bands), strict=True):
        told[f"logcov[{a},{b}]"] = flat[a, b] * (1 if a == b else np.sqrt(2))
    spread = np.sqrt(np.diag(covariance))
    told |= {f"auto0[{a}]": np.log(spread[a]) for a in range(n_bands)}
    for name, lag in _LAGS:
        later = logs[:, lag:] @ logs[:, : n_frames - lag].T / (n_frames - lag)
        later = later / np.outer(spread, spread)
        told |= {f"auto{name}[{a}]": later[a, a] for a in range(n_bands)}
        some = range(0, n_bands, 3)
        told |= {f"cross{name}[{a},{b}]": later[a, b] for a in some for b in some if a != b}
    return told


def potentials(x: Floats, fs_hz: float) -> Named:
    """Return how alike the largest potentials are, and what they look like on average.

    Few units that discharge again and again give potentials that resemble each other at the
    intervals of a discharge rate; many small ones that overlap do not.
    """
    half = round(0.006 * fs_hz)
    peaks = _largest(x, fs_hz, half)
    alike, axes = _likeness(x, peaks, half)
    told = _nearest(alike) | _intervals(alike, peaks / fs_hz)
    told["rank"] = -np.sum(axes * np.log(axes + 1e-12))
    told |= {f"share{k}": np.log(axes[k] + 1e-4) for k in range(5)}
    told["spread-size"] = np.std(np.log(np.abs(x[peaks])))
    return told | _average_shape(x, peaks, 2 * half)


def _largest(x: Floats, fs_hz: float, half: int) -> NDArray[np.intp]:
    rules = PotentialRules(above_noise=2 / max(noise_uv(x), 1e-3), apart_ms=4.0)
    peaks = find_potentials(x, fs_hz=fs_hz, rules=rules)
    peaks = peaks[(peaks > 2 * half) & (peaks < len(x) - 2 * half)]
    peaks = peaks[np.argsort(-np.abs(x[peaks]), kind="stable")[:_LARGEST]]
    if len(peaks) >= 8:
        return peaks
    more = np.argsort(-np.abs(x[2 * half : -2 * half]))[:8] + 2 * half
    return np.unique(np.concatenate([peaks, more]))


def _likeness(x: Floats, peaks: NDArray[np.intp], half: int) -> tuple[Floats, Floats]:
    """Return the best correlation of every two potentials, and the shares of their axes."""
    slack = 8 * _STEP
    waves = np.stack([x[peak - half : peak + half : _STEP] for peak in peaks])
    wider = np.stack([x[peak - half - slack : peak + half + slack : _STEP] for peak in peaks])
    n = waves.shape[1]
    taper = np.exp(-0.5 * (np.linspace(-1, 1, n) / 0.5) ** 2)
    waves = waves * taper
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    alike = np.full((len(peaks), len(peaks)), -1.0)
    for shift in range(2 * slack // _STEP + 1):
        moved = wider[:, shift : shift + n] * taper
        alike = np.maximum(alike, waves @ (moved / np.linalg.norm(moved, axis=1, keepdims=True)).T)
    alike = np.maximum(alike, alike.T)
    np.fill_diagonal(alike, -1)
    axes = np.linalg.svd(waves, compute_uv=False) ** 2
    return alike, axes / axes.sum()


def _nearest(alike: Floats) -> Named:
    nearest = np.sort(alike, axis=1)[:, ::-1]
    told = {}
    for k in (0, 2, 5):
        column = nearest[:, min(k, nearest.shape[1] - 1)]
        told |= {f"repeat{k}.q{q}": np.percentile(column, q) for q in (10, 50, 90)}
    pairs = alike[np.triu_indices(len(alike), 1)]
    return told | {f"alike{q}": np.percentile(pairs, q) for q in (5, 25, 50, 75, 95, 99)}


def _intervals(alike: Floats, times_s: Floats) -> Named:
    """Return the intervals between potentials that resemble each other."""
    closest = np.argsort(-alike, axis=1)[:, :3]
    gaps = np.abs(times_s[closest] - times_s[:, np.newaxis]).ravel()
    told = {
        "alike-gap": np.log10(np.percentile(gaps, 10)),
        "alike-gap50": np.log10(np.median(gaps)),
    }
    one, other = np.where(np.triu(alike > 0.9, 1))
    between = np.abs(times_s[one] - times_s[other])
    for k, count in enumerate(np.histogram(between, _INTERVALS_S)[0]):
        told[f"interval[{k}]"] = np.log10(count / len(times_s) + 0.01)
    told["n-alike"] = np.log10(len(between) / len(times_s) + 0.01)
    return told


def _average_shape(x: Floats, peaks: NDArray[np.intp], reach: int) -> Named:
    waves: Any = np.stack([x[peak - reach : peak + reach] for peak in peaks])
    waves = waves * np.sign(waves[:, reach])[:, None] / np.abs(waves[:, reach])[:, None]
    edges = np.round(np.geomspace(3, reach - 1, 13)).astype(int)
    told: Named = {}
    for k, (near, far) in enumerate(pairwise(edges)):
        sides = {
            "after": waves[:, reach + near : reach + far],
            "before": waves[:, reach - far : reach - near],
        }
        for side, part in sides.items():
            told[f"wave.{side}{k}.mean"] = part.mean()
            told[f"wave.{side}{k}.abs"] = np.log10(np.abs(part).mean() + 1e-3)
            told[f"wave.{side}{k}.min"] = np.median(part.min(axis=1))
    around = np.concatenate(
        [waves[:, reach - edges[8] : reach], waves[:, reach + 1 : reach + edges[8]]], axis=1
    )
    second = waves[:, reach + edges[5] : reach + edges[10]].max(axis=1)
    for q in (10, 50, 90):
        told[f"trough.q{q}"] = np.percentile(around.min(axis=1), q)
        told[f"second-peak.q{q}"] = np.percentile(second, q)
    return told


def steps(x: Floats, fs_hz: float) -> Named:
    """Return how the signal changes from 1 to 256 samples later."""
    del fs_hz
    told: Named = {}
    for lag in (2**k for k in range(9)):
        later, earlier = x[lag:], x[:-lag]
        step = later - earlier
        size, square = np.abs(step), (step * step).mean()
        third = (step**3).mean()
        told[f"inc{lag}.1"] = np.log(size.mean() / np.sqrt(square))
        told[f"inc{lag}.4"] = np.log((step**4).mean() / square**2)
        told[f"inc{lag}.2"] = np.log(square)
        told[f"inc{lag}.3"] = np.sign(third) * np.log1p(abs(third / square**1.5))
        told[f"inc{lag}.q"] = np.log(np.percentile(size, 99.9) / np.sqrt(square))
        told[f"asym{lag}"] = (later * later * earlier - earlier * earlier * later).mean()
        power = [np.minimum(each * each, 25) for each in (later, earlier)]
        told[f"vol{lag}"] = np.corrcoef(*power)[0, 1]
    return told
