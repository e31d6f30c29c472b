"""What a recording's quality is said in: parts, thresholds, grades, and the report that holds them.

The parts are facts. The thresholds that turn them into grades are calibration constants of a
device and a place: the defaults are stated here and in every report, and can be replaced.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.signal.defects import Hold

__all__ = [
    "DEFECTS",
    "GRADES",
    "PARTS",
    "ChannelQuality",
    "QualityReport",
    "QualityThresholds",
]

#: Best first.
GRADES = ("A", "B", "C", "reject")

#: What is measured every second, with its unit.
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "rms": "signal",
        "mains_ratio": "1",
        "mains_excess": "1",
        "motion_ratio": "1",
        "motion_peak": "1",
        "high_frequency_ratio": "1",
        "clip_percent": "%",
        "flat_percent": "%",
        "off_percent": "%",
        "heart_share": "1",
        "spikes": "1",
        "kurtosis": "1",
        "omega": "1",
        "dp_ratio": "1",
        "gap_percent": "%",
    }
)

#: Which defect a part beyond its first limit means.
DEFECTS: Mapping[str, str] = MappingProxyType(
    {
        "mains_excess": "mains",
        "motion_peak": "motion",
        "clip_percent": "clipping",
        "off_percent": "lead-off",
        "flat_percent": "flat",
        "heart_share": "heart",
        "spikes": "spikes",
        "gap_percent": "gaps",
        "crosstalk": "crosstalk",
    }
)

# A moment of these spoils its second, not the whole channel.
_MOMENTARY = ("motion_peak",)

# What a low value of is bad.
_AT_LEAST = ("snr_db",)

Limits = tuple[float, float, float]


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
    mains_excess : tuple of 3 floats
        Share of power in mains lines above what the spectrum around them predicts.
    motion_peak : tuple of 3 floats
        Largest excursion between 0.7 and 12 Hz, in root mean squares of the active muscle. It
        grades seconds; a whole channel falls to B by it, and further by ``bad_percent``.
    off_percent : tuple of 3 floats
        Share of samples while the electrode is off.
    heart_share : tuple of 3 floats
        Share of power that repeats with the heart; 0 when there is none.
    spikes : tuple of 3 floats
        Isolated spikes a second.
    crosstalk : tuple of 3 floats
        Largest share of power that one wave with another channel explains: an upper bound, for
        electrodes over one muscle share waves rightly. So only a copy is graded by default.
    bad_percent : tuple of 3 floats
        Share of seconds that are rejected.
    """

    snr_db: Limits = (12.0, 8.0, 3.0)
    mains_ratio: Limits = (0.20, 0.40, 0.70)
    motion_ratio: Limits = (0.30, 1.0, 4.0)
    high_frequency_ratio: Limits = (0.20, 0.40, 0.70)
    clip_percent: Limits = (0.0, 0.1, 1.0)
    flat_percent: Limits = (0.0, 5.0, 20.0)
    gap_percent: Limits = (0.0, 2.0, 20.0)
    kurtosis: Limits = (20.0, 100.0, 1000.0)
    mains_excess: Limits = (0.065, 0.30, 0.60)
    motion_peak: Limits = (1.25, 4.0, 12.0)
    off_percent: Limits = (0.0, 5.0, 20.0)
    heart_share: Limits = (0.0, 0.30, 0.70)
    spikes: Limits = (0.2, 2.0, 20.0)
    crosstalk: Limits = (0.96, 0.98, 0.9999)
    bad_percent: Limits = (0.0, 10.0, 50.0)

    def __post_init__(self) -> None:
        for f in fields(self):
            limits = tuple(float(v) for v in getattr(self, f.name))
            ordered = sorted(limits, reverse=f.name in _AT_LEAST)
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
        if part in _AT_LEAST:
            return sum(value < limit for limit in limits)
        return sum(value > limit for limit in limits)

    def reason(self, part: str, value: float) -> tuple[int, str]:
        """Return the grade's position that a whole channel's part gives, and why it is not better.

        The text is empty when the position is 0.
        """
        position = self.grade(part, value)
        if position and part in _MOMENTARY:
            position = 1
        if not position:
            return 0, ""
        relation = "below" if part in _AT_LEAST else "above"
        limit = getattr(self, part)[0]
        return position, f"{part} {value:.3g} is {relation} {limit:g}: {GRADES[position]}"

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
        Over the whole recording: medians over seconds, shares in percent, the largest peak, SNR,
        baseline, crosstalk and the share of bad seconds. NaN where a part cannot be measured (for
        example a band above the Nyquist frequency).
    grade : str
        The worst that any graded part gives; one of `GRADES`.
    reasons : tuple of str
        Why it is not better.
    defects : tuple of str
        Names of `DEFECTS` that it has.
    """

    name: str
    unit: str
    parts: Mapping[str, float]
    grade: str
    reasons: tuple[str, ...]
    defects: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the quality as plain JSON-able data; what was not measured is None."""
        return {
            "name": self.name,
            "unit": self.unit,
            "grade": self.grade,
            "reasons": list(self.reasons),
            "defects": list(self.defects),
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


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
