"""Monitor: days of signal in bounded memory: measures, summaries of days, a trend of quality.

Samples are pushed with their time; epochs of some seconds are measured and thrown away. Kept are
running sums of the day and one small file per day. Nothing here reads a clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.preprocess.grades import GRADES
from myograph.preprocess.quality import assess
from myograph.signal.fatigue import theil_sen
from myograph.signal.spectrum import periodogram
from myograph.stream.alert import Alert, Alerts

__all__ = ["DAY_S", "Measures", "Monitor", "MonitorSettings", "load_days", "quality_trend"]

DAY_S = 86400.0
_HOUR_S = 3600.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """How days are watched.

    Parameters
    ----------
    epoch_s : float
        Signal that is measured together.
    reference_epochs : int
        Active epochs that say what is usual at first: the yardstick of fatigue, compensation and
        drift. They begin anew with `Monitor.calibrated`.
    active_ratio : float
        A channel is active when louder than this many times its quietest epoch so far.
    helpers : tuple of str
        Channels of muscles that help out; the others are the movers.
    memory_epochs : float
        Epochs over which measures are smoothed.
    keep_days : int
        Days on disk; older ones are removed.
    """

    epoch_s: float = 10.0
    reference_epochs: int = 12
    active_ratio: float = 3.0
    helpers: tuple[str, ...] = ()
    memory_epochs: float = 3.0
    keep_days: int = 30

    def __post_init__(self) -> None:
        for name in ("epoch_s", "active_ratio", "memory_epochs"):
            check_positive(getattr(self, name), name=name)
        check_count(self.reference_epochs, name="reference_epochs")
        check_count(self.keep_days, name="keep_days")


@dataclass(frozen=True, eq=False)
class Measures:
    """What one epoch says.

    Parameters
    ----------
    time_s : float
        Its end.
    values : dict of str to float
        ``fatigue``: relative fall of the mean frequency of active channels; ``compensation``: rise
        of the helpers' share of activity; ``lead_off``: largest share of an epoch in which an
        electrode was off; ``drift``: absolute log2 ratio of levels, of the channel that changed
        most. NaN: not to be said from this epoch.
    good : float
        Share of channel seconds that are not rejected.
    alerts : tuple of Alert
    """

    time_s: float
    values: dict[str, float]
    good: float
    alerts: tuple[Alert, ...]


@dataclass(slots=True)
class _Day:
    number: int
    epochs: int = 0
    measured_s: float = 0.0
    lost_s: float = 0.0
    good: float = 0.0
    level: Floats | None = None
    hours: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0] for _ in range(24)])
    worst: dict[str, float] = field(default_factory=dict)
    alerts: dict[str, int] = field(default_factory=dict)

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        level = np.zeros(len(names)) if self.level is None else self.level / max(self.epochs, 1)
        return {
            "day": self.number,
            "epochs": self.epochs,
            "measured_s": self.measured_s,
            "lost_s": self.lost_s,
            "good": self.good / self.epochs if self.epochs else None,
            "good_by_hour": [good / n if n else None for good, n in self.hours],
            "level": dict(zip(names, level.tolist(), strict=True)),
            "largest": dict(self.worst),
            "alerts": dict(self.alerts),
        }


class Monitor:
    """One person's stream over days.

    Parameters
    ----------
    layout : Layout
        Of muscle channels.
    folder : path, optional
        Where summaries of days go; without it they are only returned.
    settings : MonitorSettings, optional
    alerts : Alerts, optional
    """

    def __init__(
        self,
        layout: Layout,
        *,
        folder: str | PathLike[str] | None = None,
        settings: MonitorSettings | None = None,
        alerts: Alerts | None = None,
    ) -> None:
        self.settings = settings or MonitorSettings()
        unknown = set(self.settings.helpers) - set(layout.names)
        if unknown:
            raise ParameterError(f"Helpers {sorted(unknown)} are not channels of {layout.names}.")
        self.layout, self.alerts = layout, alerts or Alerts()
        self._folder = None if folder is None else Path(folder)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        self._size = max(1, round(self.settings.epoch_s * layout.fs_hz))
        self._buffer = np.zeros((layout.n_channels, self._size), dtype=np.float32)
        self._filled = 0
        self._end_s = -math.inf
        self._helper = np.array([name in self.settings.helpers for name in layout.names])
        self._day: _Day | None = None
        self.calibrated()

    def calibrated(self) -> None:
        """Begin the references anew: what comes now is what is usual."""
        self._floor = np.full(self.layout.n_channels, np.inf)
        self._frequencies: list[Floats] = []
        self._shares: list[float] = []
        self._levels: list[Floats] = []
        self._smooth: dict[str, float] = {}

    def push(self, chunk: ArrayLike, time_s: float) -> tuple[Measures, ...]:
        """Take samples (n_channels, n_new) of which the first was measured at ``time_s``.

        A jump in time is a pause or a loss: the epoch that was under way is dropped, not mixed
        with what comes after. An epoch with NaN or infinite samples counts as lost.

        Raises
        ------
        LayoutError
            If the chunk has another number of channels.
        DataError
            If time goes back.
        """
        samples = np.asarray(chunk, dtype=np.float32)
        if samples.ndim != 2 or len(samples) != self.layout.n_channels:
            raise LayoutError(
                f"A chunk must be ({self.layout.n_channels} channels, n_new); got {samples.shape}."
            )
        fs_hz = self.layout.fs_hz
        if time_s < self._end_s - 1 / fs_hz:
            raise DataError(f"Samples of {time_s:g} s came after {self._end_s:g} s.")
        if time_s > self._end_s + 1.5 / fs_hz:
            self._filled = 0
        found, place = [], 0
        while place < samples.shape[1]:
            take = min(self._size - self._filled, samples.shape[1] - place)
            self._buffer[:, self._filled : self._filled + take] = samples[:, place : place + take]
            self._filled += take
            place += take
            if self._filled == self._size:
                self._filled = 0
                found += self._epoch(time_s + place / fs_hz)
        self._end_s = time_s + samples.shape[1] / fs_hz
        return tuple(found)

    def summary(self) -> dict[str, Any] | None:
        """Return the day so far as plain JSON-able data; None before the first epoch."""
        return None if self._day is None else self._day.to_dict(self.layout.names)

    def close(self) -> None:
        """Write the day that is under way."""
        self._write()

    # --- inside ----------------------------------------------------------------------------------

    def _epoch(self, end_s: float) -> list[Measures]:
        day = self._day_of(end_s - self.settings.epoch_s)
        if not np.isfinite(self._buffer).all():
            day.lost_s += self.settings.epoch_s
            return []
        report = assess(Recording(self._buffer.copy(), self.layout))
        grades = report.per_second["grade"]
        good = float((grades < GRADES.index("reject")).mean())
        values = self._measure(report.per_second["off_percent"] / 100)
        alerts = self.alerts.push(values, end_s)
        self._count(day, end_s, good, values, alerts)
        return [Measures(end_s, values, good, alerts)]

    def _measure(self, off: Floats) -> dict[str, float]:
        level = np.abs(self._buffer - self._buffer.mean(axis=1, keepdims=True)).mean(axis=1)
        level = level.astype(np.float64)
        worn = off.mean(axis=1) < 0.5
        self._floor = np.where(worn, np.minimum(self._floor, level + 1e-9), self._floor)
        active = worn & (level > self.settings.active_ratio * self._floor)
        measured = {
            "lead_off": float(off.mean(axis=1).max()),
            "fatigue": math.nan,
            "compensation": math.nan,
            "drift": math.nan,
        }
        if active.any():
            measured |= self._active(level, active)
        for name, value in measured.items():
            measured[name] = self._smoothed(name, value)
        return measured

    def _active(self, level: Floats, active: NDArray[np.bool_]) -> dict[str, float]:
        frequency = np.where(active, self._mean_frequency(), np.nan)
        levels = np.where(active, level, np.nan)
        share = float(level[self._helper].sum() / level.sum()) if self._helper.any() else math.nan
        if len(self._levels) < self.settings.reference_epochs:
            self._frequencies.append(frequency)
            self._shares.append(share)
            self._levels.append(levels)
            return {}
        usual_hz, usual = _usual(self._frequencies), _usual(self._levels)
        fall = _largest(1 - frequency / usual_hz, np.nanmean)
        drift = _largest(np.abs(np.log2(levels / usual)), np.nanmax)
        shares = [value for value in self._shares if not math.isnan(value)]
        rise = share - float(np.median(shares)) if shares else math.nan
        return {"fatigue": fall, "compensation": rise, "drift": drift}

    def _mean_frequency(self) -> Floats:
        length = min(round(self.layout.fs_hz), self._size)
        seconds = self._buffer[:, : self._size // length * length]
        seconds = seconds.reshape(len(self._buffer), -1, length)
        frequencies_hz, density = periodogram(seconds, fs_hz=self.layout.fs_hz)
        power = density.mean(axis=1) * (frequencies_hz >= _LOW_HZ)
        return np.asarray((power @ frequencies_hz) / np.maximum(power.sum(axis=1), 1e-30))

    def _smoothed(self, name: str, value: float) -> float:
        if math.isnan(value) or name == "lead_off":
            return value
        before = self._smooth.get(name, value)
        self._smooth[name] = before + (value - before) / self.settings.memory_epochs
        return self._smooth[name]

    def _count(
        self,
        day: _Day,
        end_s: float,
        good: float,
        values: Mapping[str, float],
        alerts: Sequence[Alert],
    ) -> None:
        day.epochs += 1
        day.measured_s += self.settings.epoch_s
        day.good += good
        hour = day.hours[int((end_s - self.settings.epoch_s) % DAY_S // _HOUR_S)]
        hour[0] += good
        hour[1] += 1
        level = np.abs(self._buffer).mean(axis=1, dtype=np.float64)
        day.level = level if day.level is None else day.level + level
        for name, value in values.items():
            if not math.isnan(value):
                day.worst[name] = max(day.worst.get(name, value), value)
        for alert in alerts:
            key = f"{alert.name} {alert.event}"
            day.alerts[key] = day.alerts.get(key, 0) + 1

    def _day_of(self, time_s: float) -> _Day:
        number = int(time_s // DAY_S)
        if self._day is None or number != self._day.number:
            self._write()
            self._day = _Day(number)
        return self._day

    def _write(self) -> None:
        if self._day is None or self._folder is None:
            return
        path = self._folder / f"day-{self._day.number:06d}.json"
        beside = path.with_suffix(".part")
        text = json.dumps(self._day.to_dict(self.layout.names), indent=1, sort_keys=True)
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(path)
        for old in sorted(self._folder.glob("day-*.json"))[: -self.settings.keep_days]:
            old.unlink()


def load_days(folder: str | PathLike[str]) -> tuple[dict[str, Any], ...]:
    """Return the summaries in a folder, oldest first.

    Raises
    ------
    DataError
        If there is none, or one is damaged.
    """
    paths = sorted(Path(folder).glob("day-*.json"))
    if not paths:
        raise DataError(f"{folder} holds no summary of a day (day-*.json).")
    try:
        return tuple(json.loads(path.read_text(encoding="utf-8")) for path in paths)
    except ValueError as error:
        raise DataError(f"A summary in {folder} is damaged: {error}.") from error


def quality_trend(days: Sequence[Mapping[str, Any]]) -> float | None:
    """Return how the share of good seconds changes per day; None with fewer than two hours.

    The slope is robust (sen1968), over the hours in which something was measured.

    Examples
    --------
    >>> hours = [[1 - 0.1 * (day + hour / 24) for hour in range(24)] for day in range(3)]
    >>> falling = [{"day": day, "good_by_hour": good} for day, good in enumerate(hours)]
    >>> round(quality_trend(falling), 3)
    -0.1
    """
    points = [
        (float(day["day"]) + hour / 24, float(good))
        for day in days
        for hour, good in enumerate(day["good_by_hour"])
        if good is not None
    ]
    if len(points) < 2:
        return None
    times, values = zip(*points, strict=True)
    return float(theil_sen(times, values)[0])


# Below it there is movement of cables, not muscle.
_LOW_HZ = 15.0


def _usual(rows: Sequence[Floats]) -> Floats:
    """Return the median of each channel over the epochs in which it was active."""
    stacked = np.array(rows)
    out = np.full(stacked.shape[1], np.nan)
    seen = ~np.isnan(stacked).all(axis=0)
    out[seen] = np.nanmedian(stacked[:, seen], axis=0)
    return out


def _largest(values: Floats, how: Any) -> float:
    known = values[~np.isnan(values)]
    return float(how(known)) if len(known) else math.nan
