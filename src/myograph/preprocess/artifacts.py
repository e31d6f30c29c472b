"""Artifacts of a recording, each with its channel, its time and the reason for saying so.

Every channel is measured against itself: against the muscle power of its own active moments. What
is found first is taken out before the next is looked for (a channel that is off has no heart, a
heart is not movement), so that one defect is not reported as three.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_non_negative, check_positive
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import GAP, Event, Recording
from myograph.signal.contact import FRAME_S, active_level, fast_power, lead_off
from myograph.signal.defects import clipped, hold, quantum
from myograph.signal.disturbance import slow_wave, spikes
from myograph.signal.heartbeat import Heart, find_heart, subtract_heart
from myograph.signal.mains import MAINS_HZ, line_excess
from myograph.signal.runs import join_runs, long_runs, runs_of, widen
from myograph.signal.spectrum import periodogram

__all__ = [
    "Artifact",
    "ArtifactLimits",
    "ChannelFindings",
    "examine",
    "find_artifacts",
]

#: How the source of an artifact's event starts; the channel's name follows.
SOURCE = "artifact:"

# A needle's potentials are isolated spikes on a wandering line: that is the signal.
_NOT_ON_NEEDLES = ("needle",)

_EVERY_CHANNEL = "all channels"


@dataclass(frozen=True, slots=True)
class ArtifactLimits:
    """From where on something is an artifact.

    Parameters
    ----------
    mains_excess : float
        Share of a channel's power in lines of the mains, above what belongs there.
    motion_peak : float
        Excursion between 0.7 and 12 Hz, in root mean squares of the active muscle.
    heart_score : float
        See `myograph.signal.heartbeat.Heart.score`.
    spike_times : float
        Error of prediction, in robust standard deviations.
    dropped_ms : float
        Shortest stretch in which no channel changes that counts as lost samples.
    """

    mains_excess: float = 0.065
    motion_peak: float = 1.25
    heart_score: float = 1.0
    spike_times: float = 10.0
    dropped_ms: float = 10.0

    def __post_init__(self) -> None:
        for f in fields(self):
            check_positive(getattr(self, f.name), name=f.name)


@dataclass(frozen=True, slots=True)
class Artifact:
    """Something in a recording that is not muscle.

    Parameters
    ----------
    kind : str
        ``"lead-off"``, ``"clipping"``, ``"motion"``, ``"spike"``, ``"heart"``, ``"mains"`` or
        ``"dropped"``.
    channel : str
        Whose; ``"all channels"`` for lost samples.
    onset_s, duration_s : float
        On the clock of the recording.
    severity : float
        How far beyond its limit: 1 is at it.
    reason : str
        Why it is said, in a sentence with numbers.
    """

    kind: str
    channel: str
    onset_s: float
    duration_s: float
    severity: float
    reason: str

    def to_event(self) -> Event:
        """Return it as an event whose source names the channel."""
        return Event(self.onset_s, self.duration_s, self.kind, SOURCE + self.channel)


@dataclass(frozen=True, eq=False)
class ChannelFindings:
    """What was found in one channel.

    Parameters
    ----------
    clean : ndarray, shape (n_samples,)
        The signal without the stretches in which the electrode is off, and without the heart; for
        measuring, not for use.
    active_rms : float
        Root mean square of active muscle; 0 when there is none.
    off, clip, spike : ndarray of bool, shape (n_samples,)
    off_reasons : tuple of str
    slow : ndarray, shape (n_samples,)
        Size of the slow wave, in active root mean squares; 0 where the electrode is off, NaN below
        400 Hz and half a second, where movement cannot be told from muscle.
    heart : Heart
    mains_excess : mapping of float to float
        By mains frequency.
    """

    clean: NDArray[np.float64]
    active_rms: float
    off: NDArray[np.bool_]
    off_reasons: tuple[str, ...]
    clip: NDArray[np.bool_]
    spike: NDArray[np.bool_]
    slow: NDArray[np.float64]
    heart: Heart
    mains_excess: dict[float, float]


def find_artifacts(
    recording: Recording,
    *,
    limits: ArtifactLimits | None = None,
    mains_hz: float | None = None,
    join_ms: float = 50.0,
) -> tuple[Artifact, ...]:
    """Find what is not muscle in the muscle channels of a recording; offline.

    Parameters
    ----------
    recording : Recording
        As recorded: filtering hides what is looked for.
    limits : ArtifactLimits, optional
    mains_hz : float, optional
        Without it 50 and 60 Hz are both tried.
    join_ms : float
        Clipped stretches no further apart than this are told as one.

    Returns
    -------
    tuple of Artifact
        By onset.

    Raises
    ------
    LayoutError
        If no channel records muscle.
    """
    limits = limits or ArtifactLimits()
    muscle = recording.select(kinds=MUSCLE_KINDS)
    candidates = MAINS_HZ if mains_hz is None else (check_positive(mains_hz, name="mains_hz"),)
    found = examine(muscle, candidates_hz=candidates, spike_times=limits.spike_times)
    mains = max(candidates, key=lambda hz: sum(f.mains_excess.get(hz, 0.0) for f in found))
    artifacts: list[Artifact] = []
    ms = muscle.fs_hz / 1000
    for channel, findings in zip(muscle.layout.channels, found, strict=True):
        clip = join_runs(findings.clip, round(check_non_negative(join_ms, name="join_ms") * ms))
        artifacts += _clipping(muscle, channel.name, clip, 100 * float(findings.clip.mean()))
        artifacts += _of_channel(muscle, channel.name, findings, limits, mains)
    artifacts += _dropped(muscle, limits)
    return tuple(sorted(artifacts, key=lambda a: (a.onset_s, a.channel, a.kind)))


def examine(
    muscle: Recording,
    *,
    candidates_hz: Sequence[float],
    spike_times: float = ArtifactLimits().spike_times,
    lsb: NDArray[np.float64] | None = None,
) -> list[ChannelFindings]:
    """Look at every channel of a recording of muscle; see `ChannelFindings`."""
    steps = quantum(muscle.samples) if lsb is None else lsb
    min_run = math.ceil(3 * hold(muscle.samples, lsb=steps).factor)
    gaps = gap_mask(muscle)
    clip = clipped(muscle.samples, lsb=steps, min_run=min_run) & ~gaps
    return [
        _examined(
            muscle.samples[row],
            muscle.fs_hz,
            float(steps[row]),
            (clip[row], gaps),
            candidates_hz,
            spike_times if channel.kind not in _NOT_ON_NEEDLES else 0.0,
        )
        for row, channel in enumerate(muscle.layout.channels)
    ]


def gap_mask(recording: Recording) -> NDArray[np.bool_]:
    """Mark the samples under gap events."""
    mask = np.zeros(recording.n_samples, dtype=np.bool_)
    for event in recording.events:
        if event.label == GAP:
            first = round((event.onset_s - recording.start_s) * recording.fs_hz)
            last = round((event.end_s - recording.start_s) * recording.fs_hz)
            mask[max(first, 0) : last] = True
    return mask


def _examined(
    signal: NDArray[np.float32],
    fs_hz: float,
    lsb: float,
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    candidates_hz: Sequence[float],
    spike_times: float,
) -> ChannelFindings:
    clip, gaps = masks
    frame = min(max(4, round(FRAME_S * fs_hz)), len(signal))
    n = len(signal)
    frames_off, reasons = lead_off(signal, fs_hz=fs_hz, lsb=lsb)
    off = np.zeros(n, dtype=np.bool_)
    off[: len(frames_off) * frame] = np.repeat(frames_off, frame)
    off[len(frames_off) * frame :] = frames_off[-1]
    off &= ~gaps
    # A frame more on both sides: the electrode left and came back somewhere inside one.
    out = widen(off | gaps, frame)
    clean = signal.astype(np.float64)
    if out.all():
        return _nothing(clean, off, reasons, clip & ~off)
    clean[out] = np.interp(np.flatnonzero(out), np.flatnonzero(~out), clean[~out])
    heart = find_heart(clean, fs_hz=fs_hz) if spike_times else Heart.none()
    if heart.present:
        clean = subtract_heart(clean, heart.beats, fs_hz=fs_hz).astype(np.float64)
    excess = _mains_excess(clean, out, fs_hz, candidates_hz)
    level = _active_rms(clean, out, frame) * math.sqrt(1 - max(excess.values(), default=0.0))
    told = fs_hz >= _LEAST_FS_HZ and n > _LEAST_S * fs_hz
    slow = np.full(n, 0.0 if told else np.nan)
    if told and level > 0:
        slow = np.abs(slow_wave(clean, fs_hz=fs_hz)) / level
        slow[out] = 0
        if heart.present:  # a beat that an end of the recording cuts through is not movement
            slow[:frame], slow[-frame:] = 0, 0
    spike = np.zeros(n, dtype=np.bool_)
    if spike_times:
        spike = spikes(clean, fs_hz=fs_hz, times=spike_times) & ~out & ~clip
    return ChannelFindings(clean, level, off, reasons, clip & ~out, spike, slow, heart, excess)


# Slower and shorter recordings cannot tell movement from muscle: at 200 Hz half of the muscle's
# power is folded onto the frequencies of movement.
_LEAST_FS_HZ, _LEAST_S = 400.0, 0.5


def _nothing(
    clean: NDArray[np.float64],
    off: NDArray[np.bool_],
    reasons: tuple[str, ...],
    clip: NDArray[np.bool_],
) -> ChannelFindings:
    none = np.zeros(len(clean), dtype=np.bool_)
    return ChannelFindings(
        clean, 0.0, off, reasons, clip, none, np.zeros(len(clean)), Heart.none(), {}
    )


def _active_rms(clean: NDArray[np.float64], out: NDArray[np.bool_], frame: int) -> float:
    """Return the root mean square, without slow parts, of the loudest tenth of the frames."""
    count = len(clean) // frame
    frames = clean[: count * frame].reshape(count, frame)
    on = ~out[: count * frame].reshape(count, frame).any(axis=1)
    return math.sqrt(active_level(fast_power(frames[on]))) if on.any() else 0.0


def _mains_excess(
    clean: NDArray[np.float64],
    out: NDArray[np.bool_],
    fs_hz: float,
    candidates_hz: Sequence[float],
) -> dict[float, float]:
    """Return the share of power in mains lines over all seconds, by mains frequency."""
    length = round(fs_hz)
    count = len(clean) // length
    if count == 0:
        return {}
    on = ~out[: count * length].reshape(count, length).any(axis=1)
    if not on.any():
        return {}
    seconds = clean[: count * length].reshape(count, length)[on]
    frequencies_hz, density = periodogram(seconds, fs_hz=fs_hz)
    together = density.sum(axis=0)[None]
    found = {hz: line_excess(frequencies_hz, together, mains_hz=hz)[0] for hz in candidates_hz}
    return {hz: float(share) for hz, share in found.items() if not math.isnan(share)}


def _of_channel(
    muscle: Recording, name: str, found: ChannelFindings, limits: ArtifactLimits, mains_hz: float
) -> list[Artifact]:
    fs_hz = muscle.fs_hz
    whole = (muscle.start_s, muscle.duration_s)
    artifacts = [
        _artifact("lead-off", name, muscle, run, 1.0, f"no muscle: {_told_off(found.off_reasons)}")
        for run in runs_of(found.off)
    ]
    artifacts += _motion(muscle, name, found, limits)
    artifacts += [
        _artifact("spike", name, muscle, run, 1.0, "a jump that its own past does not predict")
        for run in runs_of(found.spike)
    ]
    if found.heart.score >= limits.heart_score:
        heart, severity = found.heart, found.heart.score / limits.heart_score
        reason = (
            f"{len(heart.beats)} beats of one shape (agreement {heart.agreement:.2f}), at "
            f"{_rate_per_min(heart, fs_hz):.0f} a minute, {100 * heart.power_share:.0f} % of the "
            "power"
        )
        artifacts.append(Artifact("heart", name, *whole, severity, reason))
    excess = found.mains_excess.get(mains_hz, 0.0)
    if excess > limits.mains_excess:
        reason = f"{100 * excess:.0f} % of the power in lines at {mains_hz:g} Hz and its multiples"
        artifacts.append(Artifact("mains", name, *whole, excess / limits.mains_excess, reason))
    return artifacts


#: What `myograph.signal.contact.lead_off` sees of an electrode that is off.
_OFF = {
    "flat": "the signal does not move",
    "level": "its level lies elsewhere",
    "mains": "it hears its surroundings instead",
}


def _told_off(signs: Sequence[str]) -> str:
    return " and ".join(_OFF[sign] for sign in signs)


def _clipping(
    muscle: Recording, name: str, clip: NDArray[np.bool_], percent: float
) -> list[Artifact]:
    reason = f"at the rail; {percent:.2g} % of all samples"
    return [_artifact("clipping", name, muscle, run, 1.0, reason) for run in runs_of(clip)]


def _motion(
    muscle: Recording, name: str, found: ChannelFindings, limits: ArtifactLimits
) -> list[Artifact]:
    beyond = found.slow > limits.motion_peak
    # A bump swings: what lies within a tenth of a second of it belongs to it.
    around = join_runs(beyond, round(0.3 * muscle.fs_hz))
    artifacts = []
    for first, last in runs_of(widen(around, round(0.1 * muscle.fs_hz))):
        peak = float(found.slow[first:last].max())
        reason = f"a slow wave of {peak:.1f} times the active muscle's root mean square"
        severity = peak / limits.motion_peak
        artifacts.append(_artifact("motion", name, muscle, (first, last), severity, reason))
    return artifacts


def _dropped(muscle: Recording, limits: ArtifactLimits) -> list[Artifact]:
    """Find stretches in which no channel changes although they all do elsewhere."""
    still = np.asarray((np.diff(muscle.samples, axis=1) == 0).all(axis=0))
    usual = 3 * hold(muscle.samples).factor
    least = max(2, round(limits.dropped_ms * muscle.fs_hz / 1000), math.ceil(usual))
    lost = long_runs(still, least) & ~gap_mask(muscle)[1:]
    moving = np.ptp(muscle.samples, axis=1) > 0
    if not moving.any() or _is_quiet(muscle, lost):
        return []
    return [
        _artifact(
            "dropped", _EVERY_CHANNEL, muscle, (first + 1, last + 1), (last - first) / least,
            "no channel changes: samples were lost and the last ones repeated",
        )
        for first, last in runs_of(lost)
    ]  # fmt: skip


def _is_quiet(muscle: Recording, lost: NDArray[np.bool_]) -> bool:
    """Say whether a coarse converter at rest explains what stands still."""
    steps = np.abs(np.diff(muscle.samples, axis=1))
    lsb = quantum(muscle.samples)[:, None]
    small = np.asarray((steps <= 2 * lsb).all(axis=0))
    near = widen(lost, max(1, round(0.02 * muscle.fs_hz))) & ~lost
    return bool(lost.any() and small[near].mean() > 0.9)


def _artifact(
    kind: str,
    channel: str,
    muscle: Recording,
    run: Sequence[int] | NDArray[np.intp],
    severity: float,
    reason: str,
) -> Artifact:
    first, last = int(run[0]), int(run[1])
    onset_s = muscle.start_s + first / muscle.fs_hz
    return Artifact(kind, channel, onset_s, (last - first) / muscle.fs_hz, severity, reason)


def _rate_per_min(heart: Heart, fs_hz: float) -> float:
    return 60 * fs_hz / float(np.median(np.diff(heart.beats)))
