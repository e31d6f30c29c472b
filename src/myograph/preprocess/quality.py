"""How good a recording is: measured parts per channel and second, and a grade with its reasons.

The parts are facts. The thresholds that turn them into grades are calibration constants of a
device and a place: the defaults are stated here and in every report, and can be replaced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ParameterError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import GAP, Event, Recording
from myograph.signal import quality
from myograph.signal.defects import Hold, clipped, hold, quantum, similar_channels
from myograph.signal.spectrum import periodogram

__all__ = ["GRADES", "PARTS", "ChannelQuality", "QualityReport", "QualityThresholds", "assess"]

#: Best first.
GRADES = ("A", "B", "C", "reject")

#: What is measured every second, with its unit.
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "rms": "signal",
        "mains_ratio": "1",
        "motion_ratio": "1",
        "high_frequency_ratio": "1",
        "clip_percent": "%",
        "flat_percent": "%",
        "kurtosis": "1",
        "omega": "1",
        "dp_ratio": "1",
        "gap_percent": "%",
    }
)

_SECOND_S = 1.0
_FRAME_S = 0.25
_MAINS_HZ = (50.0, 60.0)

# Spread below which a second counts as without signal. Not a whole LSB: the healthy rest of a
# coarse converter (Myo armband: 8 bits) toggles between two values.
_FLAT_LSB = 0.1

SNR_FROM_EVENTS = "events"
SNR_FROM_QUANTILES = "the quietest and loudest tenth of quarter seconds"


@dataclass(frozen=True)
class QualityThresholds:
    """Limits of the grades A, B and C of each part; beyond the last one a channel is rejected.

    Each is ``(A, B, C)``: a value up to the first is A, up to the second B, up to the third C.
    For ``snr_db`` it is the other way round: at least.

    Parameters
    ----------
    snr_db : tuple of 3 floats
        Active over resting power.
    mains_ratio, motion_ratio, high_frequency_ratio : tuple of 3 floats
        Power near the mains frequency and its multiples over all; below 20 Hz over 20-500 Hz;
        above 400 Hz over all.
    clip_percent, flat_percent, gap_percent : tuple of 3 floats
        Share of samples at the rail; of seconds without signal; of samples never measured.
    kurtosis : tuple of 3 floats
        Fourth standardised moment; 3 for noise, large for isolated spikes.
    """

    snr_db: tuple[float, float, float] = (12.0, 8.0, 3.0)
    mains_ratio: tuple[float, float, float] = (0.10, 0.30, 0.60)
    motion_ratio: tuple[float, float, float] = (0.30, 1.0, 4.0)
    high_frequency_ratio: tuple[float, float, float] = (0.20, 0.40, 0.70)
    clip_percent: tuple[float, float, float] = (0.0, 0.1, 1.0)
    flat_percent: tuple[float, float, float] = (0.0, 5.0, 20.0)
    gap_percent: tuple[float, float, float] = (0.0, 2.0, 20.0)
    kurtosis: tuple[float, float, float] = (20.0, 100.0, 1000.0)

    def __post_init__(self) -> None:
        for f in fields(self):
            limits = tuple(float(v) for v in getattr(self, f.name))
            ordered = sorted(limits, reverse=f.name == "snr_db")
            if len(limits) != 3 or list(limits) != ordered:
                raise ParameterError(
                    f"{f.name} must be three limits for A, B and C, from strict to lax; "
                    f"got {getattr(self, f.name)!r}."
                )
            object.__setattr__(self, f.name, limits)

    def grade(self, part: str, value: float) -> int:
        """Return the position in `GRADES` of a part's value; 0 when it could not be measured."""
        limits = getattr(self, part)
        if math.isnan(value):
            return 0
        if part == "snr_db":
            return sum(value < limit for limit in limits)
        return sum(value > limit for limit in limits)

    def to_dict(self) -> dict[str, list[float]]:
        """Return the thresholds as plain data."""
        return {f.name: list(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True)
class ChannelQuality:
    """The quality of one channel.

    Parameters
    ----------
    name, unit : str
    parts : mapping of str to float
        Over the whole recording: medians over seconds, shares in percent, SNR and baseline. NaN
        where a part cannot be measured (for example a band above the Nyquist frequency).
    grade : str
        The worst that any graded part gives; one of `GRADES`.
    reasons : tuple of str
        Why it is not better.
    """

    name: str
    unit: str
    parts: Mapping[str, float]
    grade: str
    reasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the quality as plain JSON-able data; what was not measured is None."""
        return {
            "name": self.name,
            "unit": self.unit,
            "grade": self.grade,
            "reasons": list(self.reasons),
            "parts": {k: _plain(v) for k, v in self.parts.items()},
        }


@dataclass(frozen=True, eq=False)
class QualityReport:
    """The quality of a recording.

    Parameters
    ----------
    channels : tuple of ChannelQuality
        Muscle channels, in the order of the layout.
    per_second : mapping of str to ndarray, shape (n_channels, n_seconds)
        Every part of `PARTS`, and ``grade`` (position in `GRADES`). NaN where not measured.
    seconds_s : ndarray, shape (n_seconds,)
        Start of each second on the recording's clock.
    bridged : tuple of (str, str, float)
        Channels that carry the same signal, with their correlation.
    hold : Hold
        Whether the signal was stored faster than it was measured.
    mains_hz : float
        The mains frequency that the mains ratio refers to.
    snr_from : str
        ``"events"`` when rest was labelled. Otherwise it compares the quietest and the loudest
        tenth of quarter seconds, and is shown but not graded.
    thresholds : QualityThresholds
    """

    channels: tuple[ChannelQuality, ...]
    per_second: Mapping[str, NDArray[np.float64]]
    seconds_s: NDArray[np.float64]
    bridged: tuple[tuple[str, str, float], ...]
    hold: Hold
    mains_hz: float
    snr_from: str
    thresholds: QualityThresholds = field(default_factory=QualityThresholds)

    @property
    def grade(self) -> str:
        """The grade of the worst channel."""
        return GRADES[max(GRADES.index(channel.grade) for channel in self.channels)]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON-able data; what was not measured is None."""
        return {
            "grade": self.grade,
            "channels": [channel.to_dict() for channel in self.channels],
            "bridged": [list(pair) for pair in self.bridged],
            "hold": {
                "repeated": self.hold.repeated,
                "factor": self.hold.factor,
                "held": self.hold.held,
            },
            "mains_hz": self.mains_hz,
            "snr_from": self.snr_from,
            "thresholds": self.thresholds.to_dict(),
            "seconds_s": self.seconds_s.tolist(),
            "per_second": {
                part: [[_plain(v) for v in row] for row in values]
                for part, values in self.per_second.items()
            },
        }


def assess(
    recording: Recording,
    *,
    thresholds: QualityThresholds | None = None,
    mains_hz: float | None = None,
    rest_labels: Sequence[str] = ("rest",),
) -> QualityReport:
    """Measure the quality of the muscle channels of ``recording``.

    Parameters
    ----------
    recording : Recording
        As recorded: filtering hides what is measured here.
    thresholds : QualityThresholds, optional
    mains_hz : float, optional
        Without it 50 and 60 Hz are both tried, and the one with more power in all channels is
        taken and stated.
    rest_labels : sequence of str
        Events that mark rest, for the SNR and the baseline.

    Returns
    -------
    QualityReport

    Raises
    ------
    LayoutError
        If no channel records muscle.
    """
    thresholds = thresholds or QualityThresholds()
    muscle = recording.select(kinds=MUSCLE_KINDS)
    lsb = quantum(muscle.samples)
    candidates = _MAINS_HZ if mains_hz is None else (check_positive(mains_hz, name="mains_hz"),)
    held = hold(muscle.samples, lsb=lsb)
    per_second = _measure(muscle, lsb, held, candidates)
    mains = max(candidates, key=lambda hz: float(np.nansum(per_second[_mains_key(hz)])))
    per_second["mains_ratio"] = per_second[_mains_key(mains)]
    per_second = {part: per_second[part] for part in PARTS}
    per_second["grade"] = _grade_seconds(per_second, thresholds)
    snr, baseline, snr_from = _snr(muscle, lsb, tuple(rest_labels))
    whole = _over_seconds(per_second) | {"snr_db": snr, "baseline_rms": baseline}
    names = muscle.layout.names
    return QualityReport(
        _channels(muscle, whole, thresholds, grade_snr=snr_from == SNR_FROM_EVENTS),
        per_second,
        muscle.start_s + np.arange(per_second["rms"].shape[1], dtype=np.float64) * _SECOND_S,
        tuple((names[i], names[j], r) for i, j, r in similar_channels(muscle.samples)),
        held,
        mains,
        snr_from,
        thresholds,
    )


def _measure(
    muscle: Recording, lsb: NDArray[np.float64], held: Hold, mains_hz: Sequence[float]
) -> dict[str, NDArray[np.float64]]:
    """Measure every part of every channel and second, one channel at a time."""
    gap = 100 * _by_second(_gap_mask(muscle), muscle).mean(axis=-1)
    min_run = math.ceil(3 * held.factor)  # a value held nine times is one value
    rows = []
    for row in range(muscle.n_channels):
        signal = muscle.samples[row]
        stuck = clipped(signal[None], lsb=lsb[row : row + 1], min_run=min_run)[0]
        parts = _parts(_by_second(signal, muscle), lsb[row], muscle.fs_hz, mains_hz)
        parts["clip_percent"] = 100 * _by_second(stuck, muscle).mean(axis=-1)
        parts["gap_percent"] = gap
        rows.append(parts)
    return {part: np.array([parts[part] for parts in rows]) for part in rows[0]}


def _parts(
    seconds: NDArray[np.float32], lsb: float, fs_hz: float, mains_hz: Sequence[float]
) -> dict[str, NDArray[np.float64]]:
    """Measure the seconds of one channel, shape (n_seconds, n_samples)."""
    spread = seconds.std(axis=-1, dtype=np.float64)
    flat = (spread < _FLAT_LSB * lsb) | (spread == 0)
    frequencies_hz, density = periodogram(seconds, fs_hz=fs_hz)
    density[flat] = 0  # rounding noise has no spectrum
    parts = {
        "rms": spread,
        "flat_percent": 100.0 * flat,
        "kurtosis": np.where(flat, np.nan, quality.kurtosis(seconds)),
        "motion_ratio": quality.motion_ratio(frequencies_hz, density),
        "high_frequency_ratio": quality.high_frequency_ratio(frequencies_hz, density),
        "omega": quality.spectral_deformation(frequencies_hz, density),
        "dp_ratio": quality.dp_ratio(frequencies_hz, density),
    }
    for hz in mains_hz:
        parts[_mains_key(hz)] = quality.mains_ratio(frequencies_hz, density, mains_hz=hz)
    return parts


def _mains_key(hz: float) -> str:
    return f"mains_ratio {hz:g} Hz"


def _by_second(signal: NDArray[Any], recording: Recording) -> NDArray[Any]:
    """View a signal (n_samples,) as whole seconds (n_seconds, n), or as one shorter stretch."""
    length = min(max(2, round(_SECOND_S * recording.fs_hz)), len(signal))
    count = len(signal) // length
    return signal[: count * length].reshape(count, length)


def _gap_mask(recording: Recording) -> NDArray[np.bool_]:
    mask = np.zeros(recording.n_samples, dtype=np.bool_)
    for event in recording.events:
        if event.label == GAP:
            mask[_samples(recording, event)] = True
    return mask


def _samples(recording: Recording, event: Event) -> slice:
    first = round((event.onset_s - recording.start_s) * recording.fs_hz)
    last = round((event.end_s - recording.start_s) * recording.fs_hz)
    return slice(max(first, 0), last)


def _snr(
    muscle: Recording, lsb: NDArray[np.float64], rest_labels: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    """Return SNR in dB and baseline RMS of each channel, and what they come from."""
    length = min(max(2, round(_FRAME_S * muscle.fs_hz)), muscle.n_samples)
    count = muscle.n_samples // length
    frames = muscle.samples[:, : count * length].reshape(muscle.n_channels, count, length)
    power = frames.var(axis=-1, dtype=np.float64)
    usable = ~_gap_mask(muscle)[: count * length].reshape(count, length).any(axis=1)
    rest, active = (
        usable & _frames_inside(muscle, length, count, rest_labels, rest=kind)
        for kind in (True, False)
    )
    if rest.any() and active.any():
        resting, acting = power[:, rest].mean(axis=1), power[:, active].mean(axis=1)
        source = SNR_FROM_EVENTS
    else:
        seen = power[:, usable] if usable.any() else power
        resting, acting = np.quantile(seen, [0.1, 0.9], axis=1)
        source = SNR_FROM_QUANTILES
    # No rest is quieter than the converter's own rounding.
    resting = np.maximum(resting, lsb**2 / 12)
    return quality.snr_db(acting, resting), np.sqrt(resting), source


def _frames_inside(
    recording: Recording, length: int, count: int, rest_labels: tuple[str, ...], *, rest: bool
) -> NDArray[np.bool_]:
    """Mark frames that lie wholly in labelled rest, or in what the same source calls otherwise."""
    sources = {event.source for event in recording.events if event.label in rest_labels}
    mask = np.zeros(recording.n_samples, dtype=np.bool_)
    for event in recording.events:
        if event.source in sources and event.label != GAP and (event.label in rest_labels) == rest:
            mask[_samples(recording, event)] = True
    return np.asarray(mask[: count * length].reshape(count, length).all(axis=1))


def _over_seconds(per_second: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Summarise the seconds without gaps: medians, and shares in percent."""
    clean = per_second["gap_percent"][0] == 0
    if not clean.any():
        clean[:] = True
    whole = {}
    for part in PARTS:
        values = per_second[part] if part == "gap_percent" else per_second[part][:, clean]
        summary = np.mean if part.endswith("_percent") else _median
        whole[part] = np.array([summary(row) for row in values], dtype=np.float64)
    return whole


def _median(values: NDArray[np.float64]) -> float:
    measured = values[~np.isnan(values)]
    return float(np.median(measured)) if len(measured) else math.nan


def _grade_seconds(
    per_second: Mapping[str, NDArray[np.float64]], thresholds: QualityThresholds
) -> NDArray[np.float64]:
    worst = np.zeros(per_second["rms"].shape)
    for part, limits in thresholds.to_dict().items():
        for position, limit in enumerate(limits if part in per_second else (), start=1):
            # NaN compares false: what was not measured costs nothing.
            beyond = per_second[part] > limit
            worst[beyond] = np.maximum(worst[beyond], position)
    return worst


def _channels(
    muscle: Recording,
    whole: Mapping[str, NDArray[np.float64]],
    thresholds: QualityThresholds,
    *,
    grade_snr: bool,
) -> tuple[ChannelQuality, ...]:
    found = []
    for row, channel in enumerate(muscle.layout.channels):
        parts = {part: float(values[row]) for part, values in whole.items()}
        worst, reasons = 0, []
        for f in fields(thresholds):
            if f.name == "snr_db" and not grade_snr:
                continue  # loud and quiet moments are not activity and rest
            position = thresholds.grade(f.name, parts[f.name])
            worst = max(worst, position)
            if position:
                limit = getattr(thresholds, f.name)[0]
                relation = "below" if f.name == "snr_db" else "above"
                reasons.append(
                    f"{f.name} {parts[f.name]:.3g} is {relation} {limit:g}: {GRADES[position]}"
                )
        grade = GRADES[worst]
        found.append(ChannelQuality(channel.name, channel.unit, parts, grade, tuple(reasons)))
    return tuple(found)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
