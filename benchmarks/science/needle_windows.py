"""Numbers that say how the moments of one needle recording differ from each other.

A recording is cut into windows of one length. Each is described after it was divided by its own
loudness, so that a loud moment and a quiet one can be compared; what is kept is where those numbers
lie over the windows, how far they spread, and how they go along with loudness: in health and in
myopathy more force brings more potentials, in neuropathy larger ones. Nothing follows the gain.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from needle_features import BAND_HZ, Floats, Named
from numpy.typing import NDArray

WINDOW_S = 0.25
LENGTHS_S = (0.03, 0.1, 0.25, 0.5, 1.0)
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
_CENTILES = (25, 50, 75, 90, 99)
_UPPER = (50, 75, 90, 99)
_EDGES_HZ = np.geomspace(*BAND_HZ, 13)
_PLACES = (10, 50, 90)
#: Windows whose log loudness varies by less than this have no slope.
_STEADY = 0.02


def described(samples: Floats, fs_hz: float) -> Floats:
    """Return the numbers of each window of a band-passed recording, (n_windows, 27)."""
    length = round(WINDOW_S * fs_hz)
    x = samples[: len(samples) // length * length].reshape(-1, length)
    rms = np.sqrt((x**2).mean(axis=1)) + 1e-3
    size = np.abs(x) / rms[:, None]
    steps = np.diff(x, axis=1) / rms[:, None]
    power = np.abs(np.fft.rfft(x * np.hanning(length), axis=1)) ** 2
    frequencies = np.fft.rfftfreq(length, 1 / fs_hz)
    whole = power.sum(axis=1) + 1e-12
    told = [np.log10(rms), np.log10((size**4).mean(axis=1)), (x**3).mean(axis=1) / rms**3]
    told += [np.log10(np.percentile(size, q, axis=1) + 1e-3) for q in _UPPER]
    told += [np.log10(np.percentile(np.abs(steps), q, axis=1) + 1e-4) for q in _UPPER]
    for low, high in pairwise(_EDGES_HZ):
        inside = (frequencies >= low) & (frequencies < high)
        told.append(np.log10(power[:, inside].sum(axis=1) / whole + 1e-6))
    reached = np.cumsum(power, axis=1) / whole[:, None]
    told += [np.log10(frequencies[(reached < s).sum(axis=1)]) for s in (0.25, 0.5, 0.75)]
    turning = np.diff(np.sign(np.diff(x, axis=1)), axis=1) != 0
    told.append(np.log10(turning.mean(axis=1) + 1e-3))
    return np.stack(told, axis=1)


def of_quarter_seconds(x: Floats, fs_hz: float) -> Named:
    """Summarise the 27 numbers that attention pooling is given, of ``x`` with a deviation of 1."""
    rows = described(x, fs_hz)
    told = {}
    for k, column in enumerate(rows.T):
        told[f"win{k}.mean"] = column.mean()
        told[f"win{k}.std"] = np.log10(column.std() + 1e-3)
        told |= {f"win{k}.q{q}": np.percentile(column, q) for q in _PLACES}
    spread = np.random.default_rng(0).standard_normal(rows.T.shape)  # where a number is constant
    together = np.corrcoef(rows.T + 1e-9 * spread)
    return told | {f"win0x{k}": together[0, k] for k in range(1, rows.shape[1])}


def of_lengths(x: Floats, fs_hz: float) -> Named:
    """Summarise windows of 30 ms to 1 s of ``x``, whose deviation is 1."""
    told: Named = {}
    for length_s in LENGTHS_S:
        rows = _described(x, fs_hz, length_s)
        loud = rows[:, 0] - rows[:, 0].mean()
        power = 10 ** (2 * rows[:, 0])
        for k, column in enumerate(rows.T):
            summary = _summary(column, loud, power, alone=k > 0)
            told |= {f"windows {length_s:g} s: {k}.{name}": value for name, value in summary}
    return told


def _summary(
    column: Floats, loud: Floats, power: Floats, *, alone: bool
) -> Iterator[tuple[str, float]]:
    yield "mean", column.mean()
    yield "std", np.log10(column.std() + 1e-3)
    for q in _PLACES:
        yield f"q{q}", float(np.percentile(column, q))
    if alone:  # of loudness itself there is nothing to say here
        centred = column - column.mean()
        slope = (loud * centred).mean() / ((loud * loud).mean() + _STEADY**2)
        yield "slope", slope
        yield "rest", np.log10((centred - slope * loud).std() + 1e-3)
    yield "loud", (column * power).sum() / power.sum()


def _described(samples: Floats, fs_hz: float, length_s: float) -> Floats:
    """Return the numbers of each window, (n_windows, n_numbers); the first is log loudness."""
    length = round(length_s * fs_hz)
    x = samples[: len(samples) // length * length].reshape(-1, length)
    rms = np.sqrt((x**2).mean(axis=1)) + 1e-3
    size = np.abs(x) / rms[:, None]
    steps = np.diff(x, axis=1) / rms[:, None]
    told = [np.log10(rms), np.log10((size**4).mean(axis=1)), (x**3).mean(axis=1) / rms**3]
    told += list(np.log10(np.percentile(size, _CENTILES, axis=1) + 1e-3))
    told += list(np.log10(np.percentile(np.abs(steps), _CENTILES, axis=1) + 1e-4))
    told += _spectrum(x, fs_hz, n_bands=12 if length_s < 0.05 else 18)
    turning = np.diff(np.sign(np.diff(x, axis=1)), axis=1) != 0
    crossing = np.diff(np.sign(x), axis=1) != 0
    told += [np.log10(each.mean(axis=1) + 1e-3) for each in (turning, crossing)]
    squares = (steps**2).mean(axis=1)
    told.append((steps**3).mean(axis=1) / (squares**1.5 + 1e-12))
    told.append(np.log10((steps**4).mean(axis=1) / (squares**2 + 1e-12)))
    return np.stack(told, axis=1)


def _spectrum(x: Floats, fs_hz: float, *, n_bands: int) -> list[Floats]:
    """Return the share of each band, and where shares of the power are reached."""
    length = x.shape[1]
    power = np.abs(np.fft.rfft(x * np.hanning(length), axis=1)) ** 2
    at, whole = np.fft.rfftfreq(length, 1 / fs_hz), power.sum(axis=1) + 1e-12
    told = []
    for low, high in pairwise(np.geomspace(*BAND_HZ, n_bands + 1)):
        inside: NDArray[np.bool_] = (at >= low) & (at < high)
        if not inside.any():
            inside = np.arange(len(at)) == np.abs(at - low).argmin()
        told.append(np.log10(power[:, inside].sum(axis=1) / whole + 1e-6))
    reached = np.cumsum(power, axis=1) / whole[:, None]
    for share in _SHARES:
        place = np.minimum((reached < share).sum(axis=1), len(at) - 1)
        told.append(np.log10(at[place] + 1))
    return told
