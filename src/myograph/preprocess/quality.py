"""How good a recording is: measured parts per channel and second, and a grade with its reasons.

`assess` measures, `QualityReport` holds what was found, and `withheld` says which windows nobody
should predict from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import GAP, Event, Recording
from myograph.core.windows import WindowIndex
from myograph.preprocess.artifacts import ChannelFindings, examine, gap_mask
from myograph.preprocess.grades import (
    DEFECTS,
    GRADES,
    PARTS,
    ChannelQuality,
    QualityReport,
    QualityThresholds,
)
from myograph.signal import quality
from myograph.signal.defects import hold, quantum, similar_channels
from myograph.signal.mains import MAINS_HZ, line_excess
from myograph.signal.pattern import crosstalk
from myograph.signal.runs import runs_of
from myograph.signal.spectrum import periodogram

__all__ = [
    "DEFECTS",
    "GRADES",
    "PARTS",
    "ChannelQuality",
    "QualityReport",
    "QualityThresholds",
    "assess",
    "withheld",
]

_SECOND_S = 1.0
_FRAME_S = 0.25

# Spread below which a second counts as without signal. Not a whole LSB: the healthy rest of a
# coarse converter (Myo armband: 8 bits) toggles between two values.
_FLAT_LSB = 0.1

# Seconds over which lines of the mains are averaged: one alone is too noisy to grade.
_LINE_SECONDS = 5

# Shares of power are graded only in seconds this loud beside the channel's active muscle: what
# fills a silent second is small, whatever it is.
_LOUD = 0.1
_SHARES = ("mains_ratio", "mains_excess", "motion_ratio", "high_frequency_ratio", "heart_share")

SNR_FROM_EVENTS = "events"
SNR_FROM_QUANTILES = "the quietest and loudest tenth of quarter seconds"


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
    candidates = MAINS_HZ if mains_hz is None else (check_positive(mains_hz, name="mains_hz"),)
    found = examine(muscle, candidates_hz=candidates, lsb=lsb)
    mains = max(candidates, key=lambda hz: sum(f.mains_excess.get(hz, 0.0) for f in found))
    per_second = _measure(muscle, lsb, found, mains)
    per_second["grade"] = _grade_seconds(per_second, found, thresholds)
    snr, baseline, snr_from = _snr(muscle, lsb, tuple(rest_labels))
    whole = _over_seconds(per_second) | {
        "snr_db": snr,
        "baseline_rms": baseline,
        "mains_excess": np.array([f.mains_excess.get(mains, math.nan) for f in found]),
        "crosstalk": crosstalk(muscle.samples, fs_hz=muscle.fs_hz).max(axis=1),
    }
    names = muscle.layout.names
    return QualityReport(
        _channels(muscle, whole, thresholds, grade_snr=snr_from == SNR_FROM_EVENTS),
        per_second,
        muscle.start_s + np.arange(per_second["rms"].shape[1], dtype=np.float64) * _SECOND_S,
        tuple((names[i], names[j], r) for i, j, r in similar_channels(muscle.samples)),
        hold(muscle.samples, lsb=lsb),
        mains,
        snr_from,
        thresholds,
    )


def withheld(
    report: QualityReport,
    index: WindowIndex,
    *,
    worst: str = "C",
    most_channels: float = 0.0,
) -> NDArray[np.bool_]:
    """Say which windows of the assessed recording nobody should predict from.

    A model takes all its channels; so by default one rejected channel in one touched second is
    enough to withhold a window. What is withheld is answered with an abstention, not with a guess.

    Parameters
    ----------
    report : QualityReport
        Of the recording that the windows were cut from, as recorded.
    index : WindowIndex
        Its windows.
    worst : str
        Worst grade that may still be predicted from.
    most_channels : float
        Share of channels, 0 to below 1, that may be worse than that.

    Returns
    -------
    ndarray of bool, shape (n_windows,)
        True: withhold.

    Raises
    ------
    ParameterError
        If ``worst`` is no grade, or ``most_channels`` is not a share.
    DataError
        If a window lies outside the seconds that were assessed.
    """
    if worst not in GRADES:
        raise ParameterError(f"worst must be one of {list(GRADES)}; got {worst!r}.")
    if not 0 <= most_channels < 1:
        raise ParameterError(f"most_channels must be from 0 to below 1; got {most_channels!r}.")
    bad = (report.per_second["grade"] > GRADES.index(worst)).mean(axis=0) > most_channels
    first = np.floor((index.start_s - report.seconds_s[0]) / _SECOND_S + 1e-6).astype(int)
    last = np.ceil((index.stop_s - report.seconds_s[0]) / _SECOND_S - 1e-6).astype(int)
    # The end of a recording that fills no second is judged by the last one that did.
    if len(index) and (first.min() < 0 or last.max() > len(bad) + 1):
        raise DataError(
            f"The windows lie at {index.start_s.min():g}-{index.stop_s.max():g} s, and the report "
            f"is about {len(bad)} s from {report.seconds_s[0]:g} s on; assess their recording."
        )
    so_far = np.concatenate([[0], np.cumsum(bad)])
    first = np.minimum(first, len(bad) - 1)
    last = np.clip(last, first + 1, len(bad))
    return np.asarray(so_far[last] > so_far[first])


def _measure(
    muscle: Recording,
    lsb: NDArray[np.float64],
    found: Sequence[ChannelFindings],
    mains_hz: float,
) -> dict[str, NDArray[np.float64]]:
    """Measure every part of every channel and second, one channel at a time."""
    gap = 100 * _by_second(gap_mask(muscle), muscle).mean(axis=-1)
    rows = []
    for row, findings in enumerate(found):
        signal = _by_second(muscle.samples[row], muscle)
        parts = _parts(signal, lsb[row], muscle.fs_hz, mains_hz)
        parts |= _found_parts(muscle, signal, findings)
        parts["mains_excess"] = _line_share(muscle, findings, mains_hz)
        parts["gap_percent"] = gap
        rows.append(parts)
    return {part: np.array([parts[part] for parts in rows]) for part in PARTS}


def _parts(
    seconds: NDArray[np.float32], lsb: float, fs_hz: float, mains_hz: float
) -> dict[str, NDArray[np.float64]]:
    """Measure the seconds of one channel, shape (n_seconds, n_samples)."""
    spread = seconds.std(axis=-1, dtype=np.float64)
    flat = (spread < _FLAT_LSB * lsb) | (spread == 0)
    frequencies_hz, density = periodogram(seconds, fs_hz=fs_hz)
    density[flat] = 0  # rounding noise has no spectrum
    return {
        "rms": spread,
        "flat_percent": 100.0 * flat,
        "kurtosis": np.where(flat, np.nan, quality.kurtosis(seconds)),
        "mains_ratio": quality.mains_ratio(frequencies_hz, density, mains_hz=mains_hz),
        "motion_ratio": quality.motion_ratio(frequencies_hz, density),
        "high_frequency_ratio": quality.high_frequency_ratio(frequencies_hz, density),
        "omega": quality.spectral_deformation(frequencies_hz, density),
        "dp_ratio": quality.dp_ratio(frequencies_hz, density),
    }


def _found_parts(
    muscle: Recording, seconds: NDArray[np.float32], found: ChannelFindings
) -> dict[str, NDArray[np.float64]]:
    """Return by second what was found in one channel."""
    began = np.zeros(muscle.n_samples, dtype=np.bool_)
    began[runs_of(found.spike)[:, 0]] = True
    heart = np.zeros(len(seconds))
    if found.heart.present:
        before = seconds.var(axis=-1, dtype=np.float64)
        after = _by_second(found.clean, muscle).var(axis=-1)
        heart = 1 - np.divide(after, before, out=np.ones(len(before)), where=before > 0)
    return {
        "clip_percent": 100 * _by_second(found.clip, muscle).mean(axis=-1),
        "off_percent": 100 * _by_second(found.off, muscle).mean(axis=-1),
        "motion_peak": _by_second(found.slow, muscle).max(axis=-1),
        "spikes": _by_second(began, muscle).sum(axis=-1).astype(np.float64),
        "heart_share": np.clip(heart, 0, 1),
    }


def _line_share(muscle: Recording, found: ChannelFindings, mains_hz: float) -> NDArray[np.float64]:
    """Return the share of mains lines in every second and its neighbours together."""
    seconds = _by_second(found.clean, muscle)
    frequencies_hz, density = periodogram(seconds, fs_hz=muscle.fs_hz)
    reach = min(_LINE_SECONDS, len(density)) // 2
    total = np.cumsum(np.concatenate([np.zeros((1, density.shape[1])), density]), axis=0)
    last = np.minimum(np.arange(len(density)) + reach + 1, len(density))
    first = np.maximum(np.arange(len(density)) - reach, 0)
    return line_excess(frequencies_hz, total[last] - total[first], mains_hz=mains_hz)


def _by_second(signal: NDArray[Any], recording: Recording) -> NDArray[Any]:
    """View a signal (n_samples,) as whole seconds (n_seconds, n), or as one shorter stretch."""
    length = min(max(2, round(_SECOND_S * recording.fs_hz)), len(signal))
    count = len(signal) // length
    return signal[: count * length].reshape(count, length)


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
    usable = ~gap_mask(muscle)[: count * length].reshape(count, length).any(axis=1)
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
    """Summarise the seconds without gaps: medians, shares in percent, the largest peak."""
    clean = per_second["gap_percent"][0] == 0
    if not clean.any():
        clean[:] = True
    whole = {}
    for part in PARTS:
        values = per_second[part] if part == "gap_percent" else per_second[part][:, clean]
        summary = _SUMMARY.get(part, np.mean if part.endswith("_percent") else _median)
        whole[part] = np.array([summary(row) for row in values], dtype=np.float64)
    rejected = per_second["grade"][:, clean] == GRADES.index("reject")
    return whole | {"bad_percent": 100 * rejected.mean(axis=1)}


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.mean(values))


def _largest(values: NDArray[np.float64]) -> float:
    measured = values[~np.isnan(values)]
    return float(np.max(measured)) if len(measured) else math.nan


def _median(values: NDArray[np.float64]) -> float:
    measured = values[~np.isnan(values)]
    return float(np.median(measured)) if len(measured) else math.nan


_SUMMARY = {"motion_peak": _largest, "spikes": _mean, "heart_share": _mean}


def _grade_seconds(
    per_second: Mapping[str, NDArray[np.float64]],
    found: Sequence[ChannelFindings],
    thresholds: QualityThresholds,
) -> NDArray[np.float64]:
    worst = np.zeros(per_second["rms"].shape)
    active = np.array([f.active_rms for f in found])[:, None]
    silent = per_second["rms"] < _LOUD * active
    for part, limits in thresholds.to_dict().items():
        for position, limit in enumerate(limits if part in per_second else (), start=1):
            # NaN compares false: what was not measured costs nothing.
            beyond = per_second[part] > limit
            if part in _SHARES:
                beyond &= ~silent
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
        worst, reasons, defects = 0, [], []
        for f in fields(thresholds):
            if f.name == "snr_db" and not grade_snr:
                continue  # loud and quiet moments are not activity and rest
            position, why = thresholds.reason(f.name, parts[f.name])
            worst = max(worst, position)
            if position:
                reasons.append(why)
                defects += [DEFECTS[f.name]] if f.name in DEFECTS else []
        found.append(
            ChannelQuality(
                channel.name, channel.unit, parts, GRADES[worst], tuple(reasons), tuple(defects)
            )
        )
    return tuple(found)
