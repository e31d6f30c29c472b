"""Rest: how quiet muscles and bands of this person are when they do least.

A part of a signal that is taken away should leave something that the model has met, and nothing of
complete silence. People rest at different levels, by their skin and their electrodes: let a muscle
fall to the level of somebody quieter, and every window of a recording seems to hold activity that
is only this person's noise. So rest is looked for in the recording itself. Training people say
whether it can be found there (a recording of one grasp may hold none) and what rest is like
otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.recording import Recording
from myograph.explain.question import Question
from myograph.pipeline.pipeline import Pipeline

__all__ = ["QUANTILE", "Rest", "band_levels", "factors", "quietest"]

Array = NDArray[np.float64]

#: This share of the windows are taken to be at rest, at least.
QUANTILE = 0.05
# That share of a normal distribution lies so many deviations below its middle.
_BELOW = 1.645
# Quiet moments that are louder than this many times the loudest rest of training people are none.
_LOUDER = 2.0
# Windows of a recording that are measured, evenly spread.
_MOST_WINDOWS = 600
_LEAST = 1e-12


@dataclass(frozen=True, eq=False)
class Rest:
    """What training people say of rest, in the units of the channels after the pipeline's steps.

    First along the first axis is the whole of a channel, then each of its bands.

    Parameters
    ----------
    bands : tuple of (low_hz, high_hz)
    typical : ndarray, shape (1 + n_bands, n_channels)
        Deviation within a window; geometric mean over people.
    loudest : ndarray, shape (1 + n_bands, n_channels)
        That of the loudest of them.
    trust : ndarray, shape (1 + n_bands, n_channels)
        How far the quietest moments of one recording count against the typical level: by how well
        they told training people's rest, and by how unlike that is.
    """

    bands: tuple[tuple[float, float], ...]
    typical: Array
    loudest: Array
    trust: Array

    @classmethod
    def of(
        cls,
        pipeline: Pipeline,
        recordings: Sequence[Recording],
        bands: Sequence[tuple[float, float]],
    ) -> Self:
        """Measure rest on recordings of training people.

        Raises
        ------
        DataError
            If they give no window.
        """
        found: dict[str, list[Array]] = {}
        apart = 1
        for number, recording in enumerate(recordings):
            levels, apart = _levels(pipeline, pipeline.front.process(recording), bands)
            if len(levels):
                name = recording.subject.pseudonym if recording.subject else str(number)
                found.setdefault(name, []).append(levels)
        if not found:
            raise DataError("The recordings of training people give no window.")
        rest, missed = [], []
        for each in found.values():
            own = np.log(quietest(np.concatenate(each), apart=apart))
            rest.append(own)
            missed += [(np.log(quietest(levels, apart=apart)) - own) ** 2 for levels in each]
        people = np.stack(rest)
        wrong, n = np.mean(missed, axis=0), len(people)
        unlike = people.var(axis=0, ddof=1) * (1 + 1 / n) if n > 1 else np.zeros_like(wrong)
        both = wrong + unlike
        trust = np.divide(unlike, both, out=np.ones_like(both), where=both > 0)
        return cls(tuple(bands), np.exp(people.mean(axis=0)), np.exp(people.max(axis=0)), trust)

    def here(self, question: Question) -> Array:
        """Return this person's levels of rest, (1 + n_bands, n_channels).

        The quietest moments of the recording and the typical rest of training people, each
        weighed by how wrong it was for training people; nothing is louder than it is at its
        quietest.
        """
        levels, apart = _levels(question.pipeline, question.processed, self.bands)
        own = quietest(levels, apart=apart)
        typical = np.maximum(self.typical, _LEAST)
        mixed = own**self.trust * typical ** (1 - self.trust)
        believed = np.where(own <= _LOUDER * self.loudest, mixed, typical)
        return np.asarray(np.minimum(believed, own))


def quietest(levels: Array, *, apart: int = 1) -> Array:
    """Return the level around which the quietest windows lie.

    The lowest of many short windows lie below rest by chance. How far chance reaches is taken from
    windows that follow each other: their logarithms differ by it, unless something happens.

    Parameters
    ----------
    levels : ndarray, shape (n_windows, ...)
    apart : int
        How many windows on the next one is that does not overlap.

    Examples
    --------
    >>> float(quietest(np.array([2.0, 2.0, 2.0, 9.0, 9.0, 2.0])).round(6))
    2.0
    """
    given = np.maximum(levels, _LEAST)
    low = np.quantile(given, QUANTILE, axis=0)
    if len(given) <= apart + 1:
        return np.asarray(low)
    said = np.log(given)
    steps = said[apart:] - said[:-apart]
    chance = 1.4826 * np.median(np.abs(steps), axis=0) / np.sqrt(2)
    return np.asarray(np.minimum(low * np.exp(_BELOW * chance), np.median(given, axis=0)))


def _levels(
    pipeline: Pipeline, recording: Recording, bands: Sequence[tuple[float, float]]
) -> tuple[Array, int]:
    """Return the levels of windows, (n_windows, 1 + n_bands, n_channels), and how far is apart."""
    windows = pipeline.front.windowing.cut(recording, labelled=False)
    if not len(windows):
        return np.empty((0, 1 + len(bands), windows.layout.n_channels)), 1
    rows = np.linspace(0, len(windows) - 1, min(_MOST_WINDOWS, len(windows))).round()
    windows = windows.take(rows.astype(np.intp))
    values = windows.values.astype(np.float64)
    index = windows.index
    step_s = float(np.median(np.diff(index.start_s))) if len(windows) > 1 else 0.0
    length_s = float(index.stop_s[0] - index.start_s[0])
    apart = max(1, int(np.ceil(length_s / step_s - 1e-6))) if step_s > 0 else 1
    whole = values.std(axis=2)[:, None]
    parts = band_levels(values, windows.fs_hz, bands).transpose(1, 0, 2)
    return np.concatenate([whole, parts], axis=1), apart


def band_levels(values: Array, fs_hz: float, bands: Sequence[tuple[float, float]]) -> Array:
    """Return the deviation of each band of windows, shape (n_bands, n_windows, n_channels).

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_channels, n_samples)
    fs_hz : float
    bands : sequence of (low_hz, high_hz)

    Examples
    --------
    >>> x = np.sqrt(2) * np.sin(2 * np.pi * 10 * np.arange(100) / 100)[None, None]
    >>> band_levels(x, 100.0, [(0.0, 5.0), (5.0, 50.0)]).round(6).ravel().tolist()
    [0.0, 1.0]
    """
    n_samples = values.shape[2]
    power = np.abs(np.fft.rfft(values, axis=2)) ** 2
    power[:, :, 1:] *= 2
    if n_samples % 2 == 0:
        power[:, :, -1] /= 2
    power[:, :, 0] = 0  # the mean is not part of a deviation
    frequency_hz = np.fft.rfftfreq(n_samples, 1 / fs_hz)
    lows = np.array([low for low, _ in bands])
    owner = np.searchsorted(lows, frequency_hz, side="right") - 1
    sums = [power[:, :, owner == k].sum(axis=2) for k in range(len(lows))]
    return np.sqrt(np.stack(sums)) / n_samples


def factors(levels: Array, now: Array, *, quiet: float) -> Array:
    """Return what is left of the amplitude when something falls to its level of rest.

    Nothing grows louder, and nothing falls below ``quiet``.

    Parameters
    ----------
    levels, now : ndarray
        Of shapes that go together.
    quiet : float
    """
    shares = np.divide(levels, now, out=np.ones_like(now), where=now > 0)
    return np.clip(shares, quiet, 1.0)
