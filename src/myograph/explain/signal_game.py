"""Signal games: muscles and bands that fall quiet over a whole recording."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.core.recording import Recording
from myograph.explain.game import AskedGame
from myograph.explain.parts import band_name, muscle_name
from myograph.explain.question import Question
from myograph.explain.rest import Rest, band_levels, factors

__all__ = ["AT_REST", "QUIET", "BandGame", "MuscleGame", "gone", "resting"]

Array = NDArray[np.float64]

#: What is left at least of the amplitude of a signal that is away.
QUIET = 0.01
#: What takes the place of a part where training people are known.
AT_REST = (
    "a {} that is away is at rest, as in the quietest moments of the recording and of training "
    "people"
)

# Numbers that a game remembers.
_MOST_KNOWN = 20_000_000


class _SignalGame(AskedGame):
    """Parts of the signal: changed before the pipeline's steps where its channels still stand."""

    def __init__(self, question: Question, names: Sequence[str]) -> None:
        super().__init__(question, names)
        known = question.recording.layout.names
        #: Whether parts are taken from the recording as it was given; from what the steps made of
        #: it where those name other channels (a bipolar montage).
        self.raw = all(name in known for name in question.layout.names)
        self.source: Recording = question.recording if self.raw else question.processed
        self._rows = list(self.source.layout.rows(names=question.layout.names))
        # What was measured once is known, whichever model is asked.
        self._known: dict[bytes, Array] = {}

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        key = mask.tobytes()
        if key in self._known:
            return self._known[key]
        taken = self.question.taken(
            self.question.windows.values if mask.all() else self._values(mask)
        )
        if len(self._known) * taken.size < _MOST_KNOWN:
            self._known[key] = taken
        return taken

    def _values(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the windows with only these parts there."""
        recording = replace(self.source, samples=self._samples(mask))
        return self.question.windows_of(recording, raw=self.raw)

    @abstractmethod
    def _samples(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the samples of the source with only these parts there."""


class MuscleGame(_SignalGame):
    """Channels that fall quiet: to their level of rest, or a hundredth of their amplitude.

    Parameters
    ----------
    question : Question
    rest : Rest, optional
        Of training people; each window then falls to it, after the pipeline's steps.
    """

    about = "muscle"
    away = "a muscle that is away has a hundredth of its amplitude"

    def __init__(self, question: Question, rest: Rest | None = None) -> None:
        layout = question.layout
        super().__init__(question, [muscle_name(layout, k) for k in range(layout.n_channels)])
        samples = self.source.samples[self._rows]
        level = np.median(samples, axis=1, keepdims=True)
        self._quiet = level + np.float32(QUIET) * (samples - level)
        self._resting: NDArray[np.float32] | None = None
        if rest is not None:
            self.away = AT_REST.format("muscle")
            self._resting = resting(question, rest)

    def _values(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        if self._resting is None:
            return super()._values(mask)
        return np.where(mask[:, None], self.question.windows.values, self._resting)

    def _samples(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        samples = self.source.samples.copy()
        for row, quiet, there in zip(self._rows, self._quiet, mask, strict=True):
            if not there:
                samples[row] = quiet
        return samples


class BandGame(_SignalGame):
    """Bands of frequency that fall quiet, in all channels, over the whole recording.

    Parameters
    ----------
    question : Question
    bands : sequence of (low_hz, high_hz)
        Without holes from 0 to half of the sampling rate, as `myograph.explain.parts.bands_of`
        gives them.
    rest : Rest, optional
        Of training people; each window then falls to it, after the pipeline's steps.
    """

    about = "band"
    away = "a band that is away has a hundredth of its amplitude, in every channel"

    def __init__(
        self,
        question: Question,
        bands: Sequence[tuple[float, float]],
        rest: Rest | None = None,
    ) -> None:
        self.bands = tuple(bands)
        super().__init__(question, [band_name(*band) for band in self.bands])
        samples = self.source.samples[self._rows].astype(np.float64)
        self._spectrum = np.fft.rfft(samples, axis=1)
        frequency_hz = np.fft.rfftfreq(samples.shape[1], 1 / self.source.fs_hz)
        lows = np.array([low for low, _ in self.bands])
        if (np.diff(lows) <= 0).any() or lows[0] > 0:
            raise ParameterError(f"Bands must rise from 0 Hz without holes; got {self.bands}.")
        self._owner = np.searchsorted(lows, frequency_hz, side="right") - 1
        self._gone: NDArray[np.float32] | None = None
        if rest is not None:
            self.away = AT_REST.format("band")
            self._gone = gone(question, self.bands, rest)

    def _values(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        if self._gone is None:
            return super()._values(mask)
        values = self.question.windows.values - self._gone[~mask].sum(axis=0)
        return np.asarray(values, dtype=np.float32)

    def _samples(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        samples = self.source.samples.copy()
        kept = np.where(mask[self._owner], 1.0, QUIET) * self._spectrum
        samples[self._rows] = np.fft.irfft(kept, n=samples.shape[1], axis=1)
        return samples


def resting(question: Question, rest: Rest) -> NDArray[np.float32]:
    """Return the windows with every channel at its level of rest, around its median."""
    values = question.windows.values.astype(np.float64)
    middle = np.median(values, axis=2, keepdims=True)
    left = factors(rest.here(question)[0], values.std(axis=2), quiet=QUIET)
    return np.asarray(middle + left[:, :, None] * (values - middle), dtype=np.float32)


def gone(
    question: Question, bands: Sequence[tuple[float, float]], rest: Rest | None
) -> NDArray[np.float32]:
    """Return what goes when a band falls quiet, (n_bands, n_windows, n_channels, n_samples)."""
    recording = question.processed
    rows = list(recording.layout.rows(names=question.layout.names))
    spectrum = np.fft.rfft(recording.samples[rows].astype(np.float64), axis=1)
    frequency_hz = np.fft.rfftfreq(recording.n_samples, 1 / recording.fs_hz)
    owner = np.searchsorted([low for low, _ in bands], frequency_hz, side="right") - 1
    parts = []
    for k in range(len(bands)):
        whole = recording.samples.copy()
        kept = np.where(owner == k, spectrum, 0)
        whole[rows] = np.fft.irfft(kept, n=recording.n_samples, axis=1)
        parts.append(question.windows_of(replace(recording, samples=whole), raw=False))
    found = np.stack(parts)
    left: Array | float = QUIET
    if rest is not None:
        values = question.windows.values.astype(np.float64)
        now = band_levels(values, recording.fs_hz, bands)
        left = factors(rest.here(question)[1:, None], now, quiet=QUIET)[..., None]
    return np.asarray((1 - left) * found, dtype=np.float32)
