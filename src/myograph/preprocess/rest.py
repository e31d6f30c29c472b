"""Where a channel rests: as told, as labelled, or its quietest stretch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import GAP, Recording

__all__ = ["Rest", "Span", "channel_noise", "find_rest", "gap_mask"]

#: From when to when, seconds.
Span = tuple[float, float]

# The quietest stretch of this length stands for rest; frames are compared within it.
_QUIET_S = 0.5
_FRAME_S = 0.05

# Of a labelled rest, the part clear of moving back and of moving early.
_MIDDLE = (0.25, 0.75)


@dataclass(frozen=True, slots=True)
class Rest:
    """Resting samples of one channel, shape (n_samples,), and where they come from."""

    samples: NDArray[np.float64]
    source: str

    @property
    def power(self) -> float:
        """Mean square about the mean."""
        return float(self.samples.var())

    @property
    def rms(self) -> float:
        """Root mean square about the mean, in the channel's unit."""
        return float(np.sqrt(self.power))


def find_rest(
    recording: Recording, row: int, *, given: Span | None, labels: tuple[str, ...]
) -> Rest:
    """Return rest of one channel.

    Parameters
    ----------
    recording : Recording
    row : int
        Of the channel.
    given : tuple of 2 floats, optional
        From when to when, on the clock of the recording; it decides.
    labels : tuple of str
        Labels of events that mark rest; the middle half of each counts.

    Raises
    ------
    ParameterError
        If ``given`` lies outside the recording.
    DataError
        If the recording is too short, or all gap.
    """
    samples = recording.samples[row].astype(np.float64)
    usable = ~gap_mask(recording)
    if given is not None:
        return Rest(samples[_within(recording, given) & usable], "given")
    marked = np.zeros(len(samples), dtype=np.bool_)
    for event in recording.events:
        if event.label in labels and event.duration_s > 0:
            begin, end = (event.onset_s + share * event.duration_s for share in _MIDDLE)
            marked |= _within(recording, (begin, end))
    if (marked & usable).any():
        return Rest(samples[marked & usable], "events")
    return Rest(_quietest(samples, usable, recording.fs_hz), "quietest stretch")


def channel_noise(
    recordings: Sequence[Recording], *, rest_labels: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return the noise at rest of each channel: the median of its root mean squares, (n_channels,).

    Where a recording marks no rest, the quietest stretch of each channel stands for it. The median
    over recordings, so that one bad electrode does not set the threshold of everybody.

    Raises
    ------
    DataError
        If there is no recording, or one has no rest to learn from.
    """
    if not recordings:
        raise DataError("The noise at rest is measured on recordings; there are none.")
    rms = [
        [find_rest(each, row, given=None, labels=rest_labels).rms for row in range(each.n_channels)]
        for each in recordings
    ]
    return np.asarray(np.median(rms, axis=0), dtype=np.float64)


def gap_mask(recording: Recording) -> NDArray[np.bool_]:
    """Say of each sample whether it lies in a gap."""
    mask = np.zeros(recording.n_samples, dtype=np.bool_)
    for event in recording.events:
        if event.label == GAP:
            begin = int(np.floor((event.onset_s - recording.start_s) * recording.fs_hz + 1e-6))
            end = int(np.ceil((event.end_s - recording.start_s) * recording.fs_hz - 1e-6))
            mask[max(0, begin) : end] = True
    return mask


def _within(recording: Recording, span: Span) -> NDArray[np.bool_]:
    begin_s, end_s = span
    slack_s = 1 / recording.fs_hz
    if not recording.start_s - slack_s <= begin_s < end_s <= recording.end_s + slack_s:
        raise ParameterError(
            f"rest must lie in the recording ({recording.start_s:g}-{recording.end_s:g} s) and end "
            f"after it begins; got {span!r}."
        )
    times_s = recording.start_s + np.arange(recording.n_samples) / recording.fs_hz
    return (times_s >= begin_s) & (times_s < end_s)


def _quietest(
    samples: NDArray[np.float64], usable: NDArray[np.bool_], fs_hz: float
) -> NDArray[np.float64]:
    """Return the quietest half second, the loudest 50 ms of it being what counts.

    The loudest part and not the mean: half of a stretch may be quiet and half of it action.
    """
    frame = max(2, round(_FRAME_S * fs_hz))
    count = len(samples) // frame
    whole = usable[: count * frame].reshape(count, frame).all(axis=1)
    power = samples[: count * frame].reshape(count, frame).var(axis=1)
    # A dead stretch teaches nothing about noise.
    power = np.where(whole & (power > 0), power, np.inf)
    per_stretch = min(max(1, round(_QUIET_S / _FRAME_S)), count)
    if count == 0 or not np.isfinite(power).any():
        raise DataError(
            f"There is no {_FRAME_S:g} s of samples that vary outside gaps, so no rest to learn "
            "from; check the channel, or leave it out."
        )
    loudest = sliding_window_view(power, per_stretch).max(axis=1)
    if not np.isfinite(loudest).any():
        first, stop = int(np.argmin(power)), int(np.argmin(power)) + 1
    else:
        first = int(np.argmin(loudest))
        stop = first + per_stretch
    return samples[first * frame : stop * frame]
