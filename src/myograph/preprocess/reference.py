"""Reference contractions: where they are in calibration recordings, and how strong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, LayoutError
from myograph.core.recording import Event, Recording
from myograph.preprocess.rest import gap_mask
from myograph.signal.envelope import moving_rms

__all__ = ["Trial", "level_of", "trials_of"]

# A signal with both signs whose mean is this share of its size has an offset.
_OFFSET = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """One reference contraction: samples of every channel, by name."""

    person: str
    where: str
    fs_hz: float
    samples: dict[str, NDArray[np.float64]]


def trials_of(
    recordings: Sequence[Recording],
    *,
    labels: tuple[str, ...],
    kinds: tuple[str, ...],
    whole: bool = False,
) -> Iterator[Trial]:
    """Yield the reference contractions.

    Parameters
    ----------
    recordings : sequence of Recording
    labels : tuple of str
        Events that are trials; without any, every recording is one.
    kinds : tuple of str
        Kinds of the channels that count.
    whole : bool
        Leave the samples of gaps out, instead of refusing a trial that touches one.
    """
    for recording in recordings:
        rows = recording.layout.rows(kinds=kinds)
        if not rows:
            raise LayoutError(f"{recording!r} has no channel of kinds {list(kinds)}.")
        usable = ~gap_mask(recording)
        person = recording.subject.pseudonym if recording.subject else ""
        for begin, end, where in _stretches(recording, labels):
            inside = usable[begin:end]
            if not whole and not inside.all():
                raise DataError(
                    f"The reference contraction at {where} of {recording!r} touches a gap; leave "
                    "it out."
                )
            samples = {
                recording.layout.names[row]: recording.samples[row, begin:end].astype(np.float64)[
                    inside
                ]
                for row in rows
            }
            yield Trial(person, where, recording.fs_hz, samples)


def level_of(trial: Trial, *, how: str, window_ms: float) -> dict[str, float]:
    """Return the level of every channel.

    Parameters
    ----------
    trial : Trial
    how : {"peak", "mean", "peak-to-peak"}
        Highest or mean moving root mean square, or the range of the samples.
    window_ms : float
        Of the moving root mean square.
    """
    return {
        channel: _level(samples, trial, channel, how, window_ms)
        for channel, samples in trial.samples.items()
    }


def _level(
    samples: NDArray[np.float64], trial: Trial, channel: str, how: str, window_ms: float
) -> float:
    if how == "peak-to-peak":
        level = float(np.ptp(samples))
    else:
        n_window = max(1, round(window_ms * trial.fs_hz / 1000))
        if len(samples) < n_window:
            raise DataError(
                f"The reference contraction of {trial.person!r} at {trial.where} lasts "
                f"{len(samples) / trial.fs_hz:.3g} s, less than window_ms={window_ms:g}."
            )
        size = float(np.abs(samples).mean())
        if samples.min() < 0 and abs(samples.mean()) > _OFFSET * size:
            raise DataError(
                f"Channel {channel!r} of {trial.person!r} has an offset of {samples.mean():.3g} "
                "under its reference contraction, which is no amplitude; high-pass first."
            )
        envelope = moving_rms(samples, n_window=n_window)
        level = float(envelope.max() if how == "peak" else envelope.mean())
    if level <= 0:
        raise DataError(
            f"Channel {channel!r} of {trial.person!r} is silent under the reference contraction at "
            f"{trial.where}; nothing can be a share of it."
        )
    return level


def _stretches(recording: Recording, labels: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    if not labels:
        yield 0, recording.n_samples, "its whole length"
        return
    for event in recording.events:
        if event.label in labels and event.duration_s > 0:
            first, stop = _samples(recording, event)
            yield first, stop, f"{event.onset_s:g}-{event.end_s:g} s ({event.label!r})"


def _samples(recording: Recording, event: Event) -> tuple[int, int]:
    first = round((event.onset_s - recording.start_s) * recording.fs_hz)
    stop = round((event.end_s - recording.start_s) * recording.fs_hz)
    return max(0, first), min(stop, recording.n_samples)
