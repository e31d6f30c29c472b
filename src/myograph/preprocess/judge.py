"""Place the edges of an epoch precisely, and say whether it may be given out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError
from myograph.core.recording import Recording
from myograph.preprocess.epochs import Epoch
from myograph.preprocess.rest import Rest, Span, gap_mask
from myograph.signal.edges import Onset, locate_onset

__all__ = ["PRECISE", "Judge", "snr_db"]

#: Name of the method whose edges come from `myograph.signal.edges.locate_onset`.
PRECISE = "profile-likelihood"

# What surrounds an edge when it is looked for closely.
_REST_S, _ACTION_S = 0.4, 0.3

# A change point agrees with a detector when it lies this near and is this much likelier than none.
_AGREE_S, _AGREE_GAIN = 0.1, 10.0

# The lowest ratio that is told: below, action and rest cannot be told apart.
_FLOOR_DB = -30.0


@dataclass(frozen=True)
class Judge:
    """Judges the epochs that ``method`` found in one channel."""

    recording: Recording
    row: int
    rest: Rest
    method: str
    least_snr_db: float
    _samples: NDArray[np.float64] = field(init=False, repr=False)
    _gaps: NDArray[np.bool_] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_samples", self.recording.samples[self.row].astype(np.float64))
        object.__setattr__(self, "_gaps", gap_mask(self.recording))

    def epoch(self, spans: list[Span], number: int) -> Epoch:
        """Return epoch ``number`` of ``spans`` (seconds from the first sample), judged."""
        begin_s, end_s = spans[number]
        rising = self._onset(spans, number)
        ratio = snr_db(self.recording, self.row, self.rest, (begin_s, end_s))
        agrees = (
            rising is not None
            and rising.gain >= _AGREE_GAIN
            and abs(rising.at_s - begin_s) <= _AGREE_S
        )
        start_s = self.recording.start_s
        epoch = Epoch(
            self.recording.layout.names[self.row],
            start_s + begin_s,
            start_s + end_s,
            self.method,
            ratio,
            *self._verdict((begin_s, end_s), ratio, agrees=agrees),
        )
        if self.method != PRECISE:
            return epoch
        return _placed(epoch, rising, self._end(spans, number), start_s)

    def _onset(self, spans: list[Span], number: int) -> Onset | None:
        begin_s, end_s = spans[number]
        before_s = spans[number - 1][1] if number else 0.0
        first_s, last_s = max(before_s, begin_s - _REST_S), min(end_s, begin_s + _ACTION_S)
        return _located(self._slice(first_s, last_s), self.recording.fs_hz, first_s)

    def _end(self, spans: list[Span], number: int) -> Onset | None:
        begin_s, end_s = spans[number]
        total_s = self.recording.duration_s
        if end_s >= total_s - 1 / self.recording.fs_hz:
            return None  # it goes on past the recording
        after_s = spans[number + 1][0] if number + 1 < len(spans) else total_s
        first_s, last_s = max(begin_s, end_s - _ACTION_S), min(after_s, end_s + _REST_S)
        backwards = _located(self._slice(first_s, last_s)[::-1], self.recording.fs_hz, 0.0)
        if backwards is None:
            return None
        return replace(
            backwards,
            at_s=last_s - backwards.at_s,
            low_s=last_s - backwards.high_s,
            high_s=last_s - backwards.low_s,
        )

    def _slice(self, first_s: float, last_s: float) -> NDArray[np.float64]:
        fs_hz = self.recording.fs_hz
        return self._samples[round(first_s * fs_hz) : round(last_s * fs_hz)]

    def _verdict(self, span: Span, ratio: float, *, agrees: bool) -> tuple[bool, str]:
        fs_hz = self.recording.fs_hz
        inside = slice(round(span[0] * fs_hz), round(span[1] * fs_hz))
        if self._gaps[inside].any():
            return False, "it touches a gap: samples that were never measured"
        if ratio >= self.least_snr_db:
            return True, f"{ratio:.1f} dB above rest"
        if agrees:
            return True, (
                f"{ratio:.1f} dB above rest, below {self.least_snr_db:g} dB, and a change point "
                "agrees"
            )
        return False, (
            f"{ratio:.1f} dB above rest, below {self.least_snr_db:g} dB, and no change point "
            f"within {1000 * _AGREE_S:g} ms agrees"
        )


def snr_db(recording: Recording, row: int, rest: Rest, span: Span) -> float:
    """Return the power of the action in ``span`` over that of rest, rest taken off, in dB."""
    first, stop = (round(t * recording.fs_hz) for t in span)
    action = recording.samples[row, first : max(stop, first + 2)].astype(np.float64)
    floor = 10 ** (_FLOOR_DB / 10)
    if rest.power == 0:
        raise DataError("Rest does not vary, so a ratio to it means nothing; choose other rest.")
    return float(10 * np.log10(max(action.var() / rest.power - 1, floor)))


def _located(samples: NDArray[np.float64], fs_hz: float, offset_s: float) -> Onset | None:
    """Return the onset in these samples, or None when they are too few or show none."""
    try:
        onset = locate_onset(samples, fs_hz=fs_hz)
    except DataError:  # stated by the absence of an agreeing change point
        return None
    return replace(
        onset,
        at_s=onset.at_s + offset_s,
        low_s=onset.low_s + offset_s,
        high_s=onset.high_s + offset_s,
    )


def _placed(epoch: Epoch, rising: Onset | None, falling: Onset | None, start_s: float) -> Epoch:
    """Move the edges to where the change points are, as long as they make an epoch."""
    onset_s = epoch.onset_s if rising is None else start_s + rising.at_s
    end_s = epoch.end_s if falling is None else start_s + falling.at_s
    if onset_s >= end_s:
        return epoch
    return replace(
        epoch,
        onset_s=onset_s,
        end_s=end_s,
        onset_interval_s=_interval(rising, start_s),
        end_interval_s=_interval(falling, start_s),
        confidence=None if rising is None else rising.certainty,
    )


def _interval(onset: Onset | None, start_s: float) -> Span | None:
    return None if onset is None else (start_s + onset.low_s, start_s + onset.high_s)
