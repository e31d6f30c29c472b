"""Changes to recordings that leave muscle as it is: a model should answer as before.

Every change is drawn per recording from a seed and the recording's own digest, so that it does not
depend on order. The changed recording says that it is the same one, and its windows are those of
the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.core.registry import Registry

__all__ = ["PERTURBATIONS", "Change", "Perturbation", "Perturbed", "changed", "perturb"]

Samples = NDArray[np.float64]
Change = Callable[[Samples, float, np.random.Generator], Samples]


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One change: a function of samples (n_channels, n_samples), rate and random numbers."""

    what: str
    change: Change


#: Every change by name.
PERTURBATIONS: Registry[Perturbation] = Registry("perturbation")


class Perturbed(Sequence[Recording]):
    """Recordings, each changed when it is read.

    Parameters
    ----------
    recordings : sequence of Recording
    name : str
        One of `PERTURBATIONS`.
    seed : int
    """

    def __init__(self, recordings: Sequence[Recording], name: str, *, seed: int = 0) -> None:
        self.recordings, self.name, self.seed = recordings, name, seed
        _ = PERTURBATIONS[name]

    def __len__(self) -> int:
        """Count the recordings."""
        return len(self.recordings)

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        """Return a changed recording, or a part of the sequence."""
        if isinstance(number, slice):
            return Perturbed(self.recordings[number], self.name, seed=self.seed)
        return perturb(self.recordings[number], self.name, seed=self.seed)

    def __iter__(self) -> Iterator[Recording]:
        """Read and change one recording after the other."""
        for recording in self.recordings:
            yield perturb(recording, self.name, seed=self.seed)


def perturb(recording: Recording, name: str, *, seed: int = 0) -> Recording:
    """Return ``recording`` with its muscle channels changed.

    Parameters
    ----------
    recording : Recording
    name : str
        One of `PERTURBATIONS`.
    seed : int

    Raises
    ------
    ParameterError
        If the name is unknown.
    """
    return changed(recording, PERTURBATIONS[name].change, seed=seed)


def changed(recording: Recording, change: Change, *, seed: int = 0) -> Recording:
    """Return ``recording`` with ``change`` made to its muscle channels, still the same recording.

    Parameters
    ----------
    recording : Recording
    change : callable
        From samples (n_channels, n_samples), sampling rate and random numbers to samples.
    seed : int
        The random numbers follow from it and from the recording's own digest.
    """
    digest = recording.source_digest
    words = [int(digest[k : k + 8], 16) for k in range(0, 32, 8)]
    random = np.random.default_rng([seed, *words])
    rows = list(recording.layout.rows(kinds=MUSCLE_KINDS))
    samples = np.array(recording.samples, dtype=np.float32)
    muscle = samples[rows].astype(np.float64)
    samples[rows] = change(muscle, recording.fs_hz, random).astype(np.float32)
    return replace(recording, samples=samples, recipe=replace(recording.recipe, source=digest))


def _register(name: str, what: str) -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        PERTURBATIONS.add(name, Perturbation(what, change))
        return change

    return add


@_register("gain", "every recording amplified by its own factor from 0.5 to 2")
def _gain(samples: Samples, fs_hz: float, random: np.random.Generator) -> Samples:
    del fs_hz
    return samples * 2.0 ** random.uniform(-1, 1)


@_register("drift", "an offset and a wander below 2 Hz added, as large as the signal")
def _drift(samples: Samples, fs_hz: float, random: np.random.Generator) -> Samples:
    t = np.arange(samples.shape[1]) / fs_hz
    size = samples.std(axis=1, keepdims=True)
    wander = np.zeros_like(samples)
    for _ in range(3):
        phase = random.uniform(0, 2 * np.pi, (len(samples), 1))
        wander += np.sin(2 * np.pi * random.uniform(0.05, 2.0) * t + phase) / np.sqrt(1.5)
    return samples + size * (random.standard_normal((len(samples), 1)) + wander)


@_register("hum", "50 Hz hum and its third harmonic added, at a tenth of the signal")
def _hum(samples: Samples, fs_hz: float, random: np.random.Generator) -> Samples:
    t = np.arange(samples.shape[1]) / fs_hz
    size = 0.1 * np.sqrt(2) * samples.std(axis=1, keepdims=True)
    first, third = random.uniform(0, 2 * np.pi, 2)
    hum = np.sin(2 * np.pi * 50.0 * t + first)
    if fs_hz > 300.0:
        hum = hum + 0.3 * np.sin(2 * np.pi * 150.0 * t + third)
    return samples + size * hum


@_register("high-pass", "a high-pass of first order at 10 to 20 Hz before everything else")
def _high_pass(samples: Samples, fs_hz: float, random: np.random.Generator) -> Samples:
    edge_hz = min(random.uniform(10.0, 20.0), 0.4 * fs_hz)
    sections = butter(1, edge_hz, "highpass", fs=fs_hz, output="sos")
    return np.asarray(sosfilt(sections, samples, axis=1), dtype=np.float64)
