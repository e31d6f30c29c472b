"""Cell games: muscles, bands or everything that falls quiet for a moment."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.explain.game import AskedGame
from myograph.explain.parts import band_name
from myograph.explain.question import Question
from myograph.explain.rest import Rest
from myograph.explain.signal_game import AT_REST, QUIET, gone, resting

__all__ = ["BandCellGame", "CellGame", "SpanGame"]

Array = NDArray[np.float64]
Some = NDArray[np.intp]
Inside = NDArray[np.bool_]


class _OverSpans(AskedGame):
    """Rows (muscles, bands) that fall quiet during spans: one part is one row in one span.

    Parameters
    ----------
    question : Question
    rows : sequence of str
    edges_s : ndarray, shape (n_spans + 1,)
        Limits of the spans, on the clock of the recording.
    rest : Rest, optional
        Of training people.
    """

    away = "a cell that is away has a hundredth of its amplitude for that time"

    def __init__(
        self, question: Question, rows: Sequence[str], edges_s: Array, rest: Rest | None
    ) -> None:
        self.edges_s = np.asarray(edges_s, dtype=np.float64)
        spans = zip(self.edges_s[:-1], self.edges_s[1:], strict=True)
        told = [f"{start:.3g}–{stop:.3g} s" for start, stop in spans]
        super().__init__(question, [f"{row} {when}" for row in rows for when in told])
        self.n_spans = len(told)
        if rest is not None:
            self.away = AT_REST.format("cell")
        fs_hz = question.layout.fs_hz
        n_samples = question.windows.values.shape[2]
        times = question.windows.index.start_s[:, None] + np.arange(n_samples) / fs_hz
        #: Span of every sample of every window.
        self._span = np.clip(
            np.searchsorted(self.edges_s, times + 0.25 / fs_hz, side="right") - 1,
            0,
            self.n_spans - 1,
        )

    def alone(self) -> Array:
        """Return what quieting each cell alone takes from the evidence, (n_rows, n_spans).

        Only windows that overlap a span are asked again.
        """
        n_windows, whole = len(self.question.windows), self.question.evidence
        lost = np.zeros((len(self) // self.n_spans, self.n_spans))
        for span in range(self.n_spans):
            inside = self._span == span
            touched = np.flatnonzero(inside.any(axis=1))
            if not len(touched):
                continue
            changed = self._each_quiet(touched, inside[touched])
            evidence = self.question.evidence_in(changed.reshape(-1, *changed.shape[2:]))
            change = whole[touched] - evidence.reshape(len(lost), -1)
            lost[:, span] = change.sum(axis=1) / n_windows
        return lost

    @abstractmethod
    def _each_quiet(self, touched: Some, inside: Inside) -> NDArray[np.float32]:
        """Return ``touched`` windows once for each row that is quiet where they are ``inside``.

        Shape (n_rows, n_touched, n_channels, n_samples).
        """


class CellGame(_OverSpans):
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

    def __init__(self, question: Question, edges_s: Array, rest: Rest | None = None) -> None:
        super().__init__(question, question.layout.names, edges_s, rest)
        self._quiet = _quiet(question, rest)

    def _each_quiet(self, touched: Some, inside: Inside) -> NDArray[np.float32]:
        values, quiet = self.question.windows.values[touched], self._quiet[touched]
        changed = np.repeat(values[None], values.shape[1], axis=0)
        for channel in range(values.shape[1]):
            changed[channel, :, channel][inside] = quiet[:, channel][inside]
        return changed

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask.reshape(-1, self.n_spans)[:, self._span].transpose(1, 0, 2)
        values = self.question.windows.values
        return self.question.taken(np.where(there, values, self._quiet))


class SpanGame(_OverSpans):
    """Moments at which every muscle falls quiet: one part is one span.

    For explanations that say when, and not in which channel.

    Parameters
    ----------
    question : Question
    edges_s : ndarray, shape (n_spans + 1,)
        Limits of the spans, on the clock of the recording.
    rest : Rest, optional
        Of training people.
    """

    about = "moment"

    def __init__(self, question: Question, edges_s: Array, rest: Rest | None = None) -> None:
        super().__init__(question, ("all muscles",), edges_s, rest)
        self._quiet = _quiet(question, rest)

    def _each_quiet(self, touched: Some, inside: Inside) -> NDArray[np.float32]:
        values, quiet = self.question.windows.values[touched], self._quiet[touched]
        return np.where(inside[:, None], quiet, values)[None]

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask[self._span][:, None]
        return self.question.taken(np.where(there, self.question.windows.values, self._quiet))


class BandCellGame(_OverSpans):
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

    def __init__(
        self,
        question: Question,
        edges_s: Array,
        bands: Sequence[tuple[float, float]],
        rest: Rest | None = None,
    ) -> None:
        self.bands = tuple(bands)
        super().__init__(question, [band_name(*band) for band in self.bands], edges_s, rest)
        self._gone = gone(question, self.bands, rest)

    def _each_quiet(self, touched: Some, inside: Inside) -> NDArray[np.float32]:
        quieted = np.where(inside[:, None], self._gone[:, touched], 0)
        return (self.question.windows.values[touched][None] - quieted).astype(np.float32)

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask.reshape(-1, self.n_spans)[:, self._span]
        quieted = np.where(there[:, :, None], 0, self._gone).sum(axis=0)
        return self.question.taken((self.question.windows.values - quieted).astype(np.float32))


def _quiet(question: Question, rest: Rest | None) -> NDArray[np.float32]:
    """Return the windows with every channel quiet: a hundredth of itself, or as people rest."""
    if rest is not None:
        return resting(question, rest)
    values = question.windows.values
    level = np.median(values, axis=(0, 2))[:, None]
    return np.asarray(level + QUIET * (values - level), dtype=np.float32)
