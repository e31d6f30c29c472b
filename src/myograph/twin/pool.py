"""The motor-unit pool: who is recruited when, how fast it fires, how strong it is.

Excitation is a fraction of the maximum throughout: 0 is silence, 1 drives the last unit of a
healthy pool to its peak rate. Newtons, hertz and milliseconds elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.registry import Registry
from myograph.twin.physiology import Range, check_ranges

__all__ = ["RATE_LAWS", "TETANUS_PER_TWITCH", "Pool", "PoolParameters", "fusion"]

Floats = NDArray[np.float64]

#: Below this rate relative to the contraction time, twitches simply add (Fuglevand 1993).
LINEAR_FUSION = 0.4

#: Tetanic force over twitch force that the Fuglevand gain implies: the area of a twitch, e P T,
#: times its gain where fusion is complete.
TETANUS_PER_TWITCH = float(np.e * LINEAR_FUSION / (1 - np.exp(-2 * LINEAR_FUSION**3)))

_RANGES = {
    "recruitment_range": Range(5, 200, least=1.0001),
    "min_rate_hz": Range(4, 15, "Hz", least=0.1, most=200),
    "peak_rate_hz": Range(8, 80, "Hz", least=0.1, most=500),
    "peak_rate_drop_hz": Range(-20, 30, "Hz", least=-400, most=400),
    "rate_gain": Range(0.3, 4, "Hz per threshold unit", least=1e-3),
    "twitch_range": Range(5, 250, least=1.0),
    "contraction_range": Range(1, 6, least=1.0),
    "longest_contraction_ms": Range(40, 220, "ms", least=1, most=2000),
    "mvc_n": Range(1, 8000, "N", least=1e-9),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolParameters:
    """What a healthy pool is made from.

    The defaults are those of the first dorsal interosseous in the source model.

    Parameters
    ----------
    n_units : int
        Motor units (fuglevand1993: 120; limb muscles 100 to 800).
    recruitment_range : float
        Threshold of the last unit over that of the first (fuglevand1993: 30 narrow, 50 broad).
    min_rate_hz : float
        Rate at recruitment, Hz (fuglevand1993: 8).
    peak_rate_hz : float
        Peak rate of the first unit, Hz (fuglevand1993: 35).
    peak_rate_drop_hz : float
        Peak rate of the first unit minus that of the last, Hz (fuglevand1993: 10).
    rate_gain : float
        Hz per unit of excitation, in units of the first unit's threshold (fuglevand1993: 1).
    twitch_range : float
        Twitch force of the last unit over that of the first (fuglevand1993: 100).
    contraction_range : float
        Contraction time of the slowest over the fastest unit (fuglevand1993: 3).
    longest_contraction_ms : float
        Contraction time of the first unit, ms (fuglevand1993: 90).
    n_fibres : int
        Muscle fibres of the whole muscle (feinstein1955: 40 500 in the first dorsal interosseous).
    innervation_range : float
        Fibres of the largest over the smallest unit (fuglevand1993: equal to ``twitch_range``).
    mvc_n : float
        Force of the whole pool at excitation 1, newtons.
    rate_law : str
        One of `RATE_LAWS`. Laws other than ``"fuglevand"`` bring their own rates.
    """

    n_units: int = 120
    recruitment_range: float = 30.0
    min_rate_hz: float = 8.0
    peak_rate_hz: float = 35.0
    peak_rate_drop_hz: float = 10.0
    rate_gain: float = 1.0
    twitch_range: float = 100.0
    contraction_range: float = 3.0
    longest_contraction_ms: float = 90.0
    n_fibres: int = 40_500
    innervation_range: float = 100.0
    mvc_n: float = 40.0
    rate_law: str = "fuglevand"

    def __post_init__(self) -> None:
        check_count(self.n_units, name="n_units")
        check_count(self.n_fibres, name="n_fibres")
        check_choice(self.rate_law, RATE_LAWS, name="rate_law")
        check_ranges(self, {**_RANGES, "innervation_range": Range(3, 300, least=1.0)})
        if self.n_fibres < self.n_units:
            raise ParameterError(
                f"n_fibres={self.n_fibres} cannot give each of n_units={self.n_units} a fibre."
            )
        if min(self.peak_rate_hz, self.peak_rate_hz - self.peak_rate_drop_hz) < self.min_rate_hz:
            raise ParameterError(
                f"Peak rates ({self.peak_rate_hz:g} to "
                f"{self.peak_rate_hz - self.peak_rate_drop_hz:g} Hz) must not lie below "
                f"min_rate_hz={self.min_rate_hz:g}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A motor-unit pool: parallel arrays over units, smallest first. Arrays are read-only.

    Parameters
    ----------
    threshold : ndarray, shape (n_units,)
        Excitation at recruitment, fraction of the healthy maximum (0 to 1).
    min_rate_hz, peak_rate_hz : ndarray, shape (n_units,)
        Rate at recruitment and the ceiling, Hz.
    rate_gain : ndarray, shape (n_units,)
        Hz per unit of excitation (excitation as fraction of the maximum).
    twitch_n : ndarray, shape (n_units,)
        Peak force of one twitch, newtons. Tetanus is `TETANUS_PER_TWITCH` times it.
    contraction_ms : ndarray, shape (n_units,)
        Time to the peak of a twitch, ms.
    n_fibres : ndarray of int, shape (n_units,)
        Muscle fibres of each unit at birth.
    alive : ndarray of bool, shape (n_units,)
        Dead units keep their row, so that units keep their numbers through a disease; they never
        discharge.
    law : str
        Name of the rate law in `RATE_LAWS`.

    Examples
    --------
    >>> pool = Pool.fuglevand()
    >>> pool.n_units, round(float(pool.threshold[-1]), 3)
    (120, 0.638)
    """

    threshold: Floats
    min_rate_hz: Floats
    peak_rate_hz: Floats
    rate_gain: Floats
    twitch_n: Floats
    contraction_ms: Floats
    n_fibres: NDArray[np.int64]
    alive: NDArray[np.bool_] = field(default_factory=lambda: np.ones(0, bool))
    law: str = "fuglevand"

    def __post_init__(self) -> None:
        check_choice(self.law, RATE_LAWS, name="law")
        n_units = np.size(self.threshold)
        if np.size(self.alive) == 0:
            object.__setattr__(self, "alive", np.ones(n_units, bool))
        for name in _ARRAYS:
            array = frozen_array(getattr(self, name), _DTYPES.get(name, np.float64))
            if array.shape != (n_units,):
                raise DataError(f"Pool.{name} must have shape ({n_units},); got {array.shape}.")
            object.__setattr__(self, name, array)

    @classmethod
    def fuglevand(cls, parameters: PoolParameters | None = None) -> Pool:
        """Build the exponential pool of fuglevand1993 (exact-range form of potvin2017)."""
        p = parameters or PoolParameters()
        step = np.linspace(0.0, 1.0, p.n_units) if p.n_units > 1 else np.zeros(1)
        raw = np.exp(step * np.log(p.recruitment_range))  # 1 .. recruitment_range
        top = raw[-1] - raw[0] or 1.0
        peak = p.peak_rate_hz - p.peak_rate_drop_hz * (raw - raw[0]) / top
        maximum = raw[-1] + (peak[-1] - p.min_rate_hz) / p.rate_gain
        twitch = np.exp(step * np.log(p.twitch_range))
        contraction = p.longest_contraction_ms * np.exp(-step * np.log(p.contraction_range))
        pool = cls(
            threshold=raw / maximum,
            min_rate_hz=np.full(p.n_units, p.min_rate_hz),
            peak_rate_hz=peak,
            rate_gain=np.full(p.n_units, p.rate_gain * maximum),
            twitch_n=twitch,
            contraction_ms=contraction,
            n_fibres=innervation(step, p),
            law=p.rate_law,
        )
        if p.rate_law != "fuglevand":
            pool = _law_limits(pool)
        return replace(pool, twitch_n=twitch * p.mvc_n / pool.steady_force_n(1.0))

    @property
    def n_units(self) -> int:
        """Number of units, dead ones included."""
        return len(self.threshold)

    @property
    def n_alive(self) -> int:
        """Number of living units."""
        return int(self.alive.sum())

    def rates_hz(self, excitation: ArrayLike) -> Floats:
        """Return the rate of each unit at each excitation, shape (n_units, n_t), Hz."""
        drive = np.atleast_1d(np.asarray(excitation, float))
        if drive.ndim != 1 or not np.isfinite(drive).all():
            raise DataError(f"excitation must be 1-D and finite; got shape {drive.shape}.")
        rates = np.clip(RATE_LAWS[self.law](self, drive), 0.0, self.peak_rate_hz[:, None])
        silent = (drive[None, :] < self.threshold[:, None]) | ~self.alive[:, None]
        return np.where(silent, 0.0, rates)

    def unit_forces_n(self, excitation: ArrayLike) -> Floats:
        """Return the mean force of each unit in a steady contraction, (n_units, n_t), newtons."""
        x = self.rates_hz(excitation) * self.contraction_ms[:, None] / 1000
        return TETANUS_PER_TWITCH * self.twitch_n[:, None] * fusion(x)

    def steady_force_n(self, excitation: float) -> float:
        """Return the mean force of the pool in a steady contraction, newtons."""
        return float(self.unit_forces_n([excitation]).sum())

    def keep(self, mask: ArrayLike) -> Pool:
        """Return the pool of the units in ``mask`` (renumbered). To kill units use `kill`."""
        chosen = np.asarray(mask, bool)
        if chosen.shape != (self.n_units,):
            raise DataError(f"mask must have shape ({self.n_units},); got {chosen.shape}.")
        return replace(self, **{name: getattr(self, name)[chosen] for name in _ARRAYS})

    def kill(self, units: ArrayLike) -> Pool:
        """Return the pool with these units dead, their rows kept."""
        alive = self.alive.copy()
        alive[np.asarray(units)] = False
        return replace(self, alive=alive)


def fusion(x: Floats) -> Floats:
    """Return the share of tetanic force at ``x`` = rate times contraction time (potvin2017).

    Examples
    --------
    >>> fusion(np.array([0.0, 0.4, 10.0])).round(3).tolist()
    [0.0, 0.12, 1.0]
    """
    linear = x / LINEAR_FUSION * -np.expm1(-2 * LINEAR_FUSION**3)
    return np.where(x <= LINEAR_FUSION, linear, -np.expm1(-2 * np.asarray(x) ** 3))


def innervation(step: Floats, parameters: PoolParameters) -> NDArray[np.int64]:
    """Share the fibres among the units, exponentially, exact in total, at least one each."""
    weight = np.exp(step * np.log(parameters.innervation_range))
    spare = parameters.n_fibres - parameters.n_units
    share = weight / weight.sum() * spare
    count = np.floor(share).astype(np.int64)
    rest = np.argsort(count - share)[: spare - int(count.sum())]
    count[rest] += 1
    return count + 1


RateLaw = Callable[[Pool, Floats], Floats]
RATE_LAWS: Registry[RateLaw] = Registry("rate law")


@RATE_LAWS.register("fuglevand")
def _fuglevand(pool: Pool, drive: Floats) -> Floats:
    """Linear above threshold with one slope for all units (fuglevand1993)."""
    above = drive[None, :] - pool.threshold[:, None]
    return pool.min_rate_hz[:, None] + pool.rate_gain[:, None] * above


@RATE_LAWS.register("de-luca")
def _de_luca(pool: Pool, drive: Floats) -> Floats:
    """Onion skin: early units fire faster at any drive (deluca2010)."""
    a, b, c, d, e = 100.0, 0.2, -25.0, 7.0, 20.0
    x, threshold = drive[None, :], pool.threshold[:, None]
    return d * x + (c - a * np.exp(-x / b)) * threshold + e


@RATE_LAWS.register("petersen-rostalski")
def _petersen_rostalski(pool: Pool, drive: Floats) -> Floats:
    """Onion skin with a steep start of each unit (petersen2019)."""
    a, b, c, d, e, f, g = 20.0, 1.5, 30.0, 13.0, 8.0, 8.0, 0.05
    x, threshold = drive[None, :], pool.threshold[:, None]
    start = (e - f * threshold) * np.exp(-np.maximum(x - threshold, 0.0) / g)
    return -a * (b - x) * threshold + c * x + d - start


def _law_limits(pool: Pool) -> Pool:
    """Take the lowest and highest rate of each unit from its law, over excitations up to 1."""
    law = RATE_LAWS[pool.law]
    peak = law(pool, np.ones(1))[:, 0]
    lowest = np.diagonal(law(pool, pool.threshold)).copy()
    return replace(pool, peak_rate_hz=peak, min_rate_hz=lowest)


def frozen_array(values: ArrayLike, dtype: type) -> NDArray[np.generic]:
    """Return a read-only copy as ``dtype`` (an array already frozen is taken as it is)."""
    given = np.asarray(values)
    array = given if not given.flags.writeable and given.dtype == dtype else given.astype(dtype)
    array.flags.writeable = False
    return array


_DTYPES: dict[str, type] = {"n_fibres": np.int64, "alive": np.bool_}
_ARRAYS = tuple(item.name for item in fields(Pool) if item.name != "law")
