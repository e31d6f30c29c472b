"""Repair where it is honest, and abstain where it is not.

A spike or a clipped peak of a few milliseconds is restored from both sides; the heart is taken out
by its own template. Both are declared: every restored stretch becomes an event ``repaired``. What
nobody can know again (an electrode that was off, lost samples, muscle under a large movement) is
not invented: it becomes a gap, and no window touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recording import GAP, Event, Recording
from myograph.core.step import OfflineStep, register_step
from myograph.preprocess.artifacts import Artifact, ArtifactLimits, find_artifacts
from myograph.preprocess.line_noise import OnKinds
from myograph.signal.heartbeat import find_heart, subtract_heart
from myograph.signal.prediction import restore

__all__ = ["REPAIRED", "Repair", "SubtractHeart"]

#: Label of an event over samples that were restored.
REPAIRED = "repaired"

# What short stretches of are restored from both sides.
_RESTORABLE = ("spike", "clipping")

# What makes samples worthless.
_LOST = ("lead-off", "dropped", "clipping")


@register_step("repair")
@dataclass(frozen=True)
class Repair(OfflineStep):
    """Restore short spikes and clipped peaks, and declare a gap over what cannot be restored.

    Restoring is autoregressive interpolation (janssen1986). On band-limited noise like surface EMG
    at 1000 Hz it is wrong by a quarter of the signal's spread for 2 ms and by 0.6 of it for 4 ms;
    beyond, it is hardly better than nothing, and that is why ``longest_ms`` is small.

    Movement is left alone by default: a high-pass takes most of it out. Give ``motion_peak`` to
    declare a gap under movement from that size on.

    Parameters
    ----------
    longest_ms : float
        Longest stretch to restore. A longer clipped one becomes a gap.
    motion_peak : float
        Size of movement, in root mean squares of the active muscle, from which on it is a gap;
        0 for never.
    most_bad : float
        Share of the recording, 0 to 1, that a channel may lose. A channel that loses more is no
        reason to throw away the others: it is refused, for you to leave it out.

    Raises
    ------
    DataError
        If a channel loses more than ``most_bad``.

    Examples
    --------
    >>> Repair().to_dict()["longest_ms"]
    4.0
    """

    longest_ms: float = 4.0
    motion_peak: float = 0.0
    most_bad: float = 0.5

    def __post_init__(self) -> None:
        check_positive(self.longest_ms, name="longest_ms")
        check_non_negative(self.motion_peak, name="motion_peak")
        if not 0 < self.most_bad <= 1:
            raise ParameterError(
                f"most_bad is a share of the recording, above 0 and up to 1; got {self.most_bad!r}."
            )

    def apply(self, recording: Recording) -> Recording:
        """Return the repaired recording, its repaired stretches and gaps as events."""
        limits = ArtifactLimits()
        if self.motion_peak:
            limits = replace(limits, motion_peak=self.motion_peak)
        found = find_artifacts(recording, limits=limits, join_ms=0.0)
        mend = [a for a in found if a.kind in _RESTORABLE and self._short(a)]
        lost = [a for a in found if self._is_lost(a)]
        self._check_losses(recording, lost)
        samples = self._mended(recording, mend)
        events = [
            Event(a.onset_s, a.duration_s, REPAIRED, f"repair:{a.channel}: {a.kind}") for a in mend
        ]
        events += [
            Event(a.onset_s, a.duration_s, GAP, f"repair:{a.channel}: {a.kind}") for a in lost
        ]
        out = self._derived(recording, samples)
        return out.with_events((*recording.events, *events)) if events else out

    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return the samples of a recording without events, repaired."""
        return self.apply(Recording(samples, layout)).samples

    def _short(self, artifact: Artifact) -> bool:
        return artifact.duration_s * 1000 <= self.longest_ms

    def _is_lost(self, artifact: Artifact) -> bool:
        if artifact.kind == "motion":
            return self.motion_peak > 0
        return artifact.kind in _LOST and not (
            artifact.kind in _RESTORABLE and self._short(artifact)
        )

    def _check_losses(self, recording: Recording, lost: list[Artifact]) -> None:
        for name in sorted({a.channel for a in lost}):
            gone_s = sum(a.duration_s for a in lost if a.channel == name)
            if gone_s > self.most_bad * recording.duration_s:
                kinds = sorted({a.kind for a in lost if a.channel == name})
                raise DataError(
                    f"Channel {name!r} is lost in {gone_s:.3g} of {recording.duration_s:.3g} s "
                    f"({', '.join(kinds)}); that would make most of the recording a gap. Leave "
                    "the channel out with the step 'select', or raise most_bad."
                )

    def _mended(self, recording: Recording, mend: list[Artifact]) -> NDArray[np.float32]:
        if not mend:
            return recording.samples
        samples = recording.samples.copy()
        holes = np.zeros(samples.shape, dtype=np.bool_)
        for artifact in mend:
            first = round((artifact.onset_s - recording.start_s) * recording.fs_hz)
            last = first + max(1, round(artifact.duration_s * recording.fs_hz))
            holes[recording.layout.names.index(artifact.channel), first:last] = True
        for row in np.flatnonzero(holes.any(axis=1)):
            samples[row] = restore(samples[row], holes[row])
        return samples


@register_step("subtract-heart")
@dataclass(frozen=True)
class SubtractHeart(OnKinds, OfflineStep):
    """Take the heart out of trunk EMG by template subtraction: offline.

    Each beat loses the mean of the eight beats nearest to it. Beats come from an ECG channel when
    one is named, and else from each muscle channel itself, where a heart is clearly there; other
    channels stay as they are. Live, or when the beats are too few, the band ``surface-trunk``
    (high-pass at 30 Hz) is the other good way (drake2006 found these two best of 23).

    Parameters
    ----------
    ecg : str
        Name of the channel to find the beats in; empty to look in each muscle channel.
    kinds : tuple of str
        Kinds of the channels to clean.
    """

    ecg: str = ""
    kinds: tuple[str, ...] = MUSCLE_KINDS

    def __post_init__(self) -> None:
        self._check_kinds()

    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return the samples without the heart; channels of other kinds pass unchanged."""
        rows = self._rows(layout)
        shared = self._shared_beats(samples, layout)
        out = samples.copy()
        for row in rows:
            beats = shared
            if beats is None:
                heart = find_heart(samples[row], fs_hz=layout.fs_hz)
                beats = heart.beats if heart.present else None
            if beats is not None and layout.names[row] != self.ecg:
                out[row] = subtract_heart(samples[row], beats, fs_hz=layout.fs_hz)
        return out

    def _shared_beats(
        self, samples: NDArray[np.float32], layout: Layout
    ) -> NDArray[np.intp] | None:
        if not self.ecg:
            return None
        (row,) = layout.rows(names=(self.ecg,))
        heart = find_heart(samples[row], fs_hz=layout.fs_hz)
        if not heart.present:
            raise LayoutError(
                f"Channel {self.ecg!r} shows no heartbeat (score {heart.score:.2f}, at least 1 is "
                "needed); name another channel, or leave ecg empty."
            )
        return heart.beats
