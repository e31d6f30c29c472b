"""Games: a decision as what its parts make of it, some of them kept and the others taken away.

Every way of explaining here asks the model the same thing: what would you say if only these parts
were there? What takes the place of a part that is away is stated: its level of rest where training
people are known, or else a hundredth of it (not nothing: a covariance of nothing has no logarithm);
for features, the values of training people.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Recording
from myograph.explain.explanation import Groups
from myograph.explain.parts import band_name, muscle_name
from myograph.explain.question import Question
from myograph.explain.rest import Rest, band_levels, factors

__all__ = [
    "AT_REST",
    "QUIET",
    "BandCellGame",
    "BandGame",
    "CellGame",
    "FeatureGame",
    "Game",
    "MuscleGame",
    "every_mask",
]

Array = NDArray[np.float64]
Masks = NDArray[np.bool_]

#: What is left at least of the amplitude of a signal that is away.
QUIET = 0.01
#: What takes the place of a part where training people are known.
AT_REST = "a {} that is away is at its level of rest in training people"

# Windows that are scored at once.
_BLOCK = 2048
# Numbers that a game remembers.
_MOST_KNOWN = 20_000_000


class Game(ABC):
    """Parts of a decision that can be taken away.

    Attributes
    ----------
    names : tuple of str
    about : str
        What a part is.
    unit : str
        Of the evidence.
    away : str
        What takes the place of a part that is away.
    """

    about: str
    away: str

    def __init__(self, question: Question, names: Sequence[str]) -> None:
        if not names:
            raise DataError("There is nothing to take away: the decision has no parts.")
        self.question = question
        self.names = tuple(names)
        self.unit = question.unit
        #: Rows the model is asked about for each way of keeping parts.
        self._n_rows = len(question.windows)

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.names)

    def value(self, keep: Masks) -> Array:
        """Return the evidence with only some parts there.

        Parameters
        ----------
        keep : ndarray of bool, shape (n_masks, n_parts)

        Returns
        -------
        ndarray, shape (n_masks,)
        """
        return self.worth(keep).mean(axis=1)

    def worth(self, keep: Masks) -> Array:
        """Return what `value` is the mean of: the evidence of each row, (n_masks, n_rows)."""
        masks = self._checked(keep)
        size = max(1, _BLOCK // self._n_rows)
        found = []
        for start in range(0, len(masks), size):
            taken = [self._taken(mask) for mask in masks[start : start + size]]
            evidence = self.question.evidence_of(np.concatenate(taken))
            found.append(evidence.reshape(len(taken), -1))
        return np.concatenate(found)

    @abstractmethod
    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        """Return what the model takes with only these parts there."""

    @abstractmethod
    def with_question(self, question: Question) -> Game:
        """Return the same game about the same signal, asked of another model."""

    def _checked(self, keep: Masks) -> Masks:
        masks = np.asarray(keep, dtype=np.bool_)
        if masks.ndim != 2 or masks.shape[1] != len(self.names):
            raise DataError(
                f"keep must say of each of {len(self.names)} parts whether it is there; "
                f"got shape {masks.shape}."
            )
        return masks


class _SignalGame(Game):
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

    def with_question(self, question: Question) -> Game:
        """Return the same game about the same signal, asked of another model."""
        other = copy(self)
        other.question = question
        return other

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
            self._resting = _resting(question, rest)

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
            self._gone = _gone(question, self.bands, rest)

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


class CellGame(Game):
    """Muscles that fall quiet for a moment: one part is one channel during one span.

    Parameters
    ----------
    question : Question
    edges_s : ndarray, shape (n_spans + 1,)
        Limits of the spans, on the clock of the recording.
    rest : Rest, optional
        Of training people.
    """

    about = "muscle and moment"
    away = "a cell that is away has a hundredth of its amplitude for that time"

    def __init__(self, question: Question, edges_s: Array, rest: Rest | None = None) -> None:
        self.edges_s = np.asarray(edges_s, dtype=np.float64)
        spans = zip(self.edges_s[:-1], self.edges_s[1:], strict=True)
        told = [f"{start:.3g}–{stop:.3g} s" for start, stop in spans]
        names = [f"{name} {when}" for name in question.layout.names for when in told]
        super().__init__(question, names)
        self.n_spans = len(told)
        values = question.windows.values
        level = np.median(values, axis=(0, 2))[:, None]
        self._quiet = (level + QUIET * (values - level)).astype(np.float32)
        if rest is not None:
            self.away = AT_REST.format("cell")
            self._quiet = _resting(question, rest)
        fs_hz = question.layout.fs_hz
        times = question.windows.index.start_s[:, None] + np.arange(values.shape[2]) / fs_hz
        #: Span of every sample of every window.
        self._span = np.clip(
            np.searchsorted(self.edges_s, times + 0.25 / fs_hz, side="right") - 1,
            0,
            self.n_spans - 1,
        )

    def with_question(self, question: Question) -> CellGame:
        """Return the same game about the same signal, asked of another model."""
        other = copy(self)
        other.question = question
        return other

    def alone(self) -> Array:
        """Return what quieting each cell alone takes from the evidence, shape of the cells.

        Only windows that overlap a span are asked again.
        """
        values, whole = self.question.windows.values, self.question.evidence
        n_channels = values.shape[1]
        lost = np.zeros((n_channels, self.n_spans))
        for span in range(self.n_spans):
            inside = self._span == span
            touched = np.flatnonzero(inside.any(axis=1))
            if not len(touched):
                continue
            changed = np.repeat(values[touched][None], n_channels, axis=0)
            for channel in range(n_channels):
                now, quiet = inside[touched], self._quiet[touched, channel]
                changed[channel, :, channel][now] = quiet[now]
            evidence = self.question.evidence_in(changed.reshape(-1, *values.shape[1:]))
            change = whole[touched] - evidence.reshape(n_channels, -1)
            lost[:, span] = change.sum(axis=1) / len(values)
        return lost

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask.reshape(-1, self.n_spans)[:, self._span].transpose(1, 0, 2)
        values = self.question.windows.values
        return self.question.taken(np.where(there, values, self._quiet))


class BandCellGame(Game):
    """Bands that fall quiet for a moment: one part is one band during one span, in all channels.

    Parameters
    ----------
    question : Question
    edges_s : ndarray, shape (n_spans + 1,)
        Limits of the spans, on the clock of the recording.
    bands : sequence of (low_hz, high_hz)
        Without holes from 0 to half of the sampling rate.
    rest : Rest, optional
        Of training people.
    """

    about = "band and moment"
    away = "a cell that is away has a hundredth of its amplitude for that time"

    def __init__(
        self,
        question: Question,
        edges_s: Array,
        bands: Sequence[tuple[float, float]],
        rest: Rest | None = None,
    ) -> None:
        cells = CellGame(question, edges_s)
        self.edges_s, self.n_spans, self.bands = cells.edges_s, cells.n_spans, tuple(bands)
        names = [f"{band_name(*band)} {k}" for band in self.bands for k in range(self.n_spans)]
        super().__init__(question, names)
        self._span = cells._span
        if rest is not None:
            self.away = AT_REST.format("cell")
        self._gone = _gone(question, self.bands, rest)

    def with_question(self, question: Question) -> BandCellGame:
        """Return the same game about the same signal, asked of another model."""
        other = copy(self)
        other.question = question
        return other

    def alone(self) -> Array:
        """Return what quieting each cell alone takes from the evidence, (n_bands, n_spans)."""
        values, whole = self.question.windows.values, self.question.evidence
        n_bands = len(self.bands)
        lost = np.zeros((n_bands, self.n_spans))
        for span in range(self.n_spans):
            inside = self._span == span
            touched = np.flatnonzero(inside.any(axis=1))
            if not len(touched):
                continue
            gone = np.where(inside[touched][:, None], self._gone[:, touched], 0)
            changed = (values[touched][None] - gone).astype(np.float32)
            evidence = self.question.evidence_in(changed.reshape(-1, *values.shape[1:]))
            change = whole[touched] - evidence.reshape(n_bands, -1)
            lost[:, span] = change.sum(axis=1) / len(values)
        return lost

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask.reshape(-1, self.n_spans)[:, self._span]
        gone = np.where(there[:, :, None], 0, self._gone).sum(axis=0)
        return self.question.taken((self.question.windows.values - gone).astype(np.float32))


class FeatureGame(Game):
    """Columns of what the model takes, replaced by those of training people.

    The value of a coalition is the mean over the training rows: each of them lends the columns
    that are away. This is what interventional SHAP values divide up.

    Parameters
    ----------
    question : Question
    reference : ndarray, shape (n_reference, n_columns)
        What the model takes of windows of training people.
    groups : Groups, optional
        Columns that come and go together; every column for itself without.
    most_rows : int, optional
        At most so many of the question's windows, evenly spread. None takes all.
    """

    away = "a feature that is away has the values of training people"

    def __init__(
        self,
        question: Question,
        reference: Array,
        *,
        groups: Groups | None = None,
        most_rows: int | None = None,
    ) -> None:
        rows = np.asarray(question.inputs, dtype=np.float64)
        if most_rows is not None and len(rows) > most_rows:
            rows = rows[np.linspace(0, len(rows) - 1, most_rows).round().astype(int)]
        if rows.ndim != 2:
            raise ParameterError(
                "This model takes whole windows, not features; explain it by muscles, bands and "
                "moments."
            )
        given = np.asarray(reference, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != rows.shape[1] or not len(given):
            raise DataError(
                f"reference must have {rows.shape[1]} columns and at least one row; "
                f"got shape {given.shape}."
            )
        if groups is None:
            n = rows.shape[1]
            groups = Groups("feature", question.names, tuple(range(n)))
        super().__init__(question, groups.names)
        self.about = groups.about
        self.groups, self.rows, self.reference = groups, rows, given
        self._owner = np.asarray(groups.owner)
        self._n_rows = max(1, len(rows) * len(given) // 16)

    def with_question(self, question: Question) -> FeatureGame:
        """Return the same game about the same signal, asked of another model."""
        other = copy(self)
        other.question = question
        return other

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask[self._owner]
        return np.where(there, self.rows[:, None], self.reference[None]).reshape(-1, len(there))


def every_mask(n_parts: int) -> Masks:
    """Return all ways of keeping parts, shape (2**n_parts, n_parts); row k is k in binary."""
    check_count(n_parts, name="n_parts")
    return (np.arange(2**n_parts)[:, None] >> np.arange(n_parts) & 1).astype(np.bool_)


def _resting(question: Question, rest: Rest) -> NDArray[np.float32]:
    """Return the windows with every channel at its level of rest, around its median."""
    values = question.windows.values.astype(np.float64)
    middle = np.median(values, axis=2, keepdims=True)
    left = factors(rest.muscles[None], values.std(axis=2), quiet=QUIET)
    return np.asarray(middle + left[:, :, None] * (values - middle), dtype=np.float32)


def _gone(
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
        left = factors(rest.bands[:, None], now, quiet=QUIET)[..., None]
    return np.asarray((1 - left) * found, dtype=np.float32)
