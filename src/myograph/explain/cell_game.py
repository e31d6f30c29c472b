"""Cell games: muscles and bands that fall quiet for a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from myograph.explain.game import AskedGame
from myograph.explain.parts import band_name
from myograph.explain.question import Question
from myograph.explain.rest import Rest
from myograph.explain.signal_game import AT_REST, QUIET, gone, resting

__all__ = ["BandCellGame", "CellGame"]

Array = NDArray[np.float64]


class CellGame(AskedGame):
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
            self._quiet = resting(question, rest)
        fs_hz = question.layout.fs_hz
        times = question.windows.index.start_s[:, None] + np.arange(values.shape[2]) / fs_hz
        #: Span of every sample of every window.
        self._span = np.clip(
            np.searchsorted(self.edges_s, times + 0.25 / fs_hz, side="right") - 1,
            0,
            self.n_spans - 1,
        )

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


class BandCellGame(AskedGame):
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
        self._gone = gone(question, self.bands, rest)

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
            quieted = np.where(inside[touched][:, None], self._gone[:, touched], 0)
            changed = (values[touched][None] - quieted).astype(np.float32)
            evidence = self.question.evidence_in(changed.reshape(-1, *values.shape[1:]))
            change = whole[touched] - evidence.reshape(n_bands, -1)
            lost[:, span] = change.sum(axis=1) / len(values)
        return lost

    def _taken(self, mask: NDArray[np.bool_]) -> Array:
        there = mask.reshape(-1, self.n_spans)[:, self._span]
        quieted = np.where(there[:, :, None], 0, self._gone).sum(axis=0)
        return self.question.taken((self.question.windows.values - quieted).astype(np.float32))
