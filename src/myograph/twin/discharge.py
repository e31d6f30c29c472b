"""Discharge times of motor units under a drive."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv, ndtr

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Event
from myograph.twin.drive import Drive
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.pool import RATE_LAWS, Pool
from myograph.twin.seeds import stream

__all__ = ["Discharges", "Doublets", "Firing", "Pic", "discharges", "discharges_at"]

Floats = NDArray[np.float64]

ISI_LAWS = ("lognormal", "gamma", "gaussian")

#: A unit recruited by a step fires within this time, not on one sample with all others, seconds.
ONSET_JITTER_S = 0.01

# Rate tables reach this excitation: full drive and any persistent inward current on top.
_TABLE_TOP = 2.0
_TABLE_SIZE = 4097


@dataclass(frozen=True, slots=True, eq=False)
class Discharges:
    """When each unit discharged.

    Parameters
    ----------
    times_s : tuple of ndarray
        Discharge times of each unit, ascending, seconds; one array per row of the pool.
    duration_s : float
        Length of the simulation.

    Examples
    --------
    >>> trains = Discharges(times_s=([0.1, 0.2], []), duration_s=1.0)
    >>> trains.counts.tolist()
    [2, 0]
    """

    times_s: tuple[Floats, ...]
    duration_s: float

    def __post_init__(self) -> None:
        check_positive(self.duration_s, name="duration_s")
        trains = tuple(_train(i, times, self.duration_s) for i, times in enumerate(self.times_s))
        object.__setattr__(self, "times_s", trains)

    @classmethod
    def from_flat(
        cls, unit: ArrayLike, time_s: ArrayLike, *, n_units: int, duration_s: float
    ) -> Discharges:
        """Build from one pair of arrays (unit, time) in any order."""
        units, times = np.asarray(unit, np.int64), np.asarray(time_s, float)
        order = np.lexsort((times, units))
        bounds = np.searchsorted(units[order], np.arange(n_units + 1))
        sorted_s = times[order]
        trains = tuple(sorted_s[a:b] for a, b in pairwise(bounds))
        return cls(trains, duration_s)

    @property
    def n_units(self) -> int:
        """Number of units, silent ones included."""
        return len(self.times_s)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Discharges of each unit, shape (n_units,)."""
        return np.array([len(times) for times in self.times_s], np.int64)

    @property
    def flat(self) -> tuple[NDArray[np.int64], Floats]:
        """Unit and time of every discharge, unit by unit, two arrays of one length."""
        unit = np.repeat(np.arange(self.n_units, dtype=np.int64), self.counts)
        return unit, np.concatenate([*self.times_s, np.empty(0)])

    @property
    def rates_hz(self) -> Floats:
        """Rate of each unit while it fires: one over its mean interval; 0 below 2."""
        return np.array([1 / np.diff(t).mean() if len(t) > 1 else 0.0 for t in self.times_s])

    def keep(self, mask: ArrayLike) -> Discharges:
        """Return the trains of some units."""
        rows = np.arange(self.n_units)[np.asarray(mask)]
        return Discharges(tuple(self.times_s[row] for row in rows), self.duration_s)

    def merged(self, other: Discharges) -> Discharges:
        """Return the union of two simulations of the same units."""
        if other.n_units != self.n_units:
            raise DataError(f"Cannot merge trains of {self.n_units} and {other.n_units} units.")
        pairs = zip(self.times_s, other.times_s, strict=True)
        trains = tuple(np.sort(np.concatenate(pair)) for pair in pairs)
        return Discharges(trains, max(self.duration_s, other.duration_s))

    def to_events(self, *, prefix: str = "unit ") -> tuple[Event, ...]:
        """Return every discharge as an event labelled with its unit, in order of time."""
        unit, time_s = self.flat
        return tuple(
            Event(float(time_s[k]), 0.0, f"{prefix}{int(unit[k])}", source="twin")
            for k in np.argsort(time_s, kind="stable")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Doublets:
    """Extra discharges close after another.

    Parameters
    ----------
    first : float
        Probability that a unit's first discharge after a silence is a doublet (0 to 1).
    later : float
        Probability that any other discharge is one.
    interval_ms : float
        Interval within the doublet, ms (about 5 in rapid contractions; about 50 and fixed in
        parkinsonian tremor, christakos2009).
    """

    first: float = 0.1
    later: float = 0.0
    interval_ms: float = 5.0

    def __post_init__(self) -> None:
        ranges = {
            "first": Range(0, 1, most=1),
            "later": Range(0, 0.5, most=1),
            "interval_ms": Range(2, 80, "ms", least=0.5, most=200),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pic:
    """Persistent inward current: once a unit fires it needs less excitation to go on.

    Between the excitation that recruits a unit and the lower one that silences it, it is bistable.
    Once the current has built up, the rate is that of the rate law.

    Parameters
    ----------
    excitation : float
        Width of the bistable window, fraction of the maximal excitation. Times the pool's
        ``rate_gain`` it is the ΔF to expect, in Hz.
    below : float
        Share of the window that lies below the unit's threshold, the rest lies above. 0 in health:
        units stop at their threshold and start later. 1: units start at their threshold and may
        keep firing without any drive, as in spasms.
    rise_s, decay_s : float
        Time constants while the unit fires and after it fell silent.
    """

    excitation: float = 0.08
    below: float = 0.0
    rise_s: float = 0.3
    decay_s: float = 0.5

    def __post_init__(self) -> None:
        ranges = {
            "excitation": Range(0, 0.3, most=1),
            "below": Range(0, 1, most=1),
            "rise_s": Range(0.05, 2, "s", least=1e-3),
            "decay_s": Range(0.05, 5, "s", least=1e-3),
        }
        check_ranges(self, ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """How a rate becomes discharges.

    Parameters
    ----------
    cv : float
        Coefficient of variation of the intervals at a constant rate, exact (0.1 to 0.25).
    law : str
        Distribution of the intervals, one of ``"lognormal"``, ``"gamma"``, ``"gaussian"``.
    min_isi_ms : float
        Shortest interval (doublets apart), ms. The distributions start there, so that mean and
        coefficient of variation stay exact.
    doublets : Doublets, optional
    pic : Pic, optional
    """

    cv: float = 0.15
    law: str = "lognormal"
    min_isi_ms: float = 10.0
    doublets: Doublets | None = None
    pic: Pic | None = None

    def __post_init__(self) -> None:
        check_choice(self.law, ISI_LAWS, name="law")
        ranges = {
            "cv": Range(0.05, 0.4, most=1.5),
            "min_isi_ms": Range(3, 25, "ms", most=100),
        }
        check_ranges(self, ranges)


def discharges(
    pool: Pool,
    drive: Drive,
    *,
    seed: int,
    muscle: str | int = 0,
    firing: Firing | None = None,
) -> Discharges:
    """Return the discharges of a pool under a drive.

    The rate law gives each unit's rate; intervals are drawn in operational time (rate integrated
    over time), so that they follow a changing drive without bias. A silent unit fires as soon as
    it is recruited.

    Parameters
    ----------
    pool : Pool
    drive : Drive
    seed : int
        Every unit has random streams of its own: what one unit does never changes another.
    muscle : str or int
        Which row of the drive.
    firing : Firing, optional
        Interval statistics, doublets, persistent inward current.

    Examples
    --------
    >>> drive = Drive(np.full((1, 1000), 0.2), fs_hz=100.0)
    >>> trains = discharges(Pool.fuglevand(), drive, seed=1)
    >>> int((trains.counts > 0).sum()), round(float(trains.rates_hz[0]), 1)
    (79, 16.5)
    """
    rule = firing or Firing()
    grid = np.linspace(0.0, _TABLE_TOP, _TABLE_SIZE)
    # Without the step at threshold, which the kernel takes care of.
    tables = np.clip(RATE_LAWS[pool.law](pool, grid), 0.0, pool.peak_rate_hz[:, None])
    threshold = np.where(pool.alive, pool.threshold, np.inf)
    cells = _Cells(tables, grid[1], threshold, pool.min_rate_hz)
    excitation = np.broadcast_to(drive.of(muscle), (pool.n_units, drive.excitation.shape[1]))
    return _fire_all(excitation, drive.fs_hz, cells, rule, seed)


def discharges_at(
    rates_hz: ArrayLike, *, fs_hz: float, seed: int, firing: Firing | None = None
) -> Discharges:
    """Return discharges at given rates, for example those of a fatiguing contraction.

    Parameters
    ----------
    rates_hz : array_like, shape (n_units, n_t)
        Rate of each unit in time, Hz; 0 is silence.
    fs_hz : float
        Rate of that array.
    seed : int
    firing : Firing, optional
        A persistent inward current is refused: it acts on an excitation, not on a rate.
    """
    rule = firing or Firing()
    if rule.pic is not None:
        raise ParameterError("A persistent inward current needs a drive; use discharges().")
    rates = np.atleast_2d(np.asarray(rates_hz, float))
    if rates.ndim != 2 or not np.isfinite(rates).all() or rates.min() < 0:
        raise DataError("rates_hz must be finite, 0 or more, of shape (n_units, n_t).")
    top = max(float(rates.max()), 1.0)
    tables = np.tile([0.0, top], (len(rates), 1))
    lowest = np.full(len(rates), 5.0)
    cells = _Cells(tables, top, np.full(len(rates), 1e-9), lowest)
    return _fire_all(rates, check_positive(fs_hz, name="fs_hz"), cells, rule, seed)


class _Cells(NamedTuple):
    """Rate tables (n_units, n_grid) over excitation in steps of ``step``, and what silences."""

    tables: Floats
    step: float
    threshold: Floats
    min_rate_hz: Floats


def _fire_all(
    excitation: Floats, fs_hz: float, cells: _Cells, rule: Firing, seed: int
) -> Discharges:
    duration_s = excitation.shape[1] / fs_hz
    fastest_hz = float(min(cells.tables.max(), 1 / _shortest_s(rule)))
    most = duration_s * fastest_hz
    n_draws = int(1.5 * most + 20 * np.sqrt(most)) + 16
    pic = rule.pic or Pic(excitation=0.0)
    doublets = rule.doublets or Doublets(first=0.0)
    # What `_fire` unpacks; a negative cv says that the draws are intervals already.
    cv = rule.cv if rule.law == "lognormal" else -1.0
    minimum, gap_s = rule.min_isi_ms / 1000, doublets.interval_ms / 1000
    off, on = -(1 - pic.below) * pic.excitation, pic.below * pic.excitation
    common = [1 / fs_hz, cells.step, cv, minimum, off, on, pic.rise_s, pic.decay_s]
    common += [doublets.first, doublets.later, gap_s]
    trains = []
    for i, row in enumerate(excitation):
        draws = _draws(rule, stream(seed, "interval", i).standard_normal(n_draws))
        chances = stream(seed, "doublet", i).random(n_draws + 1)
        settings = np.array([cells.threshold[i], cells.min_rate_hz[i], *common])
        trains.append(_fire(np.ascontiguousarray(row), cells.tables[i], settings, draws, chances))
    return Discharges(tuple(trains), duration_s)


def _shortest_s(rule: Firing) -> float:
    return max(rule.min_isi_ms, 1.0) / 1000


def _draws(rule: Firing, z: Floats) -> Floats:
    """Turn normals into unit-mean intervals; the lognormal ones are made in the kernel."""
    if rule.law == "gaussian":
        return 1 + rule.cv * np.clip(z, -3.9, 3.9)
    if rule.law == "gamma" and rule.cv > 0:
        shape = 1 / rule.cv**2
        return np.asarray(gammaincinv(shape, ndtr(z)) / shape, np.float64)
    return z if rule.law == "lognormal" else np.ones_like(z)


@njit(cache=True)
def _interval(z: float, cv: float, floor: float) -> float:
    """Draw a unit-mean lognormal that starts at ``floor`` (below 1) with the coefficient ``cv``."""
    room = 1.0 - floor
    variance = np.log1p((cv / room) ** 2)
    return floor + room * np.exp(np.sqrt(variance) * z - variance / 2)


@njit(cache=True)
def _rate(excitation: float, table: Floats, step: float, min_s: float) -> float:
    place = min(excitation / step, len(table) - 1.001)
    cell = int(place)
    rate = table[cell] + (place - cell) * (table[cell + 1] - table[cell])
    return min(rate, 0.95 / min_s) if min_s > 0 else rate


@njit(cache=True)
def _fire(drive: Floats, table: Floats, rule: Floats, draws: Floats, chances: Floats) -> Floats:
    """Return the discharge times of one unit; ``rule`` is laid out in `_fire_all`."""
    threshold, min_rate, dt, step, cv, min_s, off, on, rise_s, decay_s = rule[:10]
    first, later, gap_s = rule[10:]
    end_s = len(drive) * dt
    times = np.empty(2 * len(draws))
    n = k = 0
    last, extra, fresh = -1e9, off, False
    # Phase counts towards the next interval; a unit long silent is ready at once, one that is
    # already on at the start is somewhere within an interval.
    silent = drive[0] + off < threshold
    target, phase = 1.0, 1e9 if silent else chances[len(draws)]
    for j in range(len(drive)):
        excitation = drive[j] + extra
        if excitation < threshold:
            extra += (off - extra) * min(dt / decay_s, 1.0)
            silent = True
            phase += min_rate * dt  # recovery, not discharge
            continue
        extra += (on - extra) * min(dt / rise_s, 1.0)
        rate = _rate(excitation, table, step, min_s)
        if rate <= 0:
            continue
        if silent and phase > target:
            fresh = True
            phase = target - chances[len(draws) - k] * ONSET_JITTER_S * rate
        silent = False
        while phase + rate * dt >= target and k < len(draws):
            at = max(j * dt + max(target - phase, 0.0) / rate, last + min_s)
            if at >= end_s:
                break
            times[n], n, last = at, n + 1, at
            phase -= target
            target = draws[k] if cv < 0 else _interval(draws[k], cv, min_s * rate)
            if chances[k] < (first if fresh else later) and at + gap_s < end_s:
                last = at + gap_s
                times[n], n = last, n + 1
                phase -= gap_s * rate
            fresh = False
            k += 1
        phase += rate * dt
    return times[:n].copy()


def _train(unit: int, times: ArrayLike, duration_s: float) -> Floats:
    train = np.array(times, float).ravel()
    if train.size and not (np.diff(train) >= 0).all():
        raise DataError(f"Discharge times of unit {unit} must ascend.")
    if train.size and not 0 <= train[0] <= train[-1] <= duration_s:
        raise DataError(
            f"Discharge times of unit {unit} must lie within 0 and duration_s={duration_s:g}; "
            f"got {train[0]:g} to {train[-1]:g}."
        )
    train.flags.writeable = False
    return train
