"""Single-fibre jitter: how the time between two fibres of one unit varies from one discharge on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.discharge import discharges_at
from myograph.twin.fibre import Fibres
from myograph.twin.muscle import Muscle
from myograph.twin.seeds import stream
from myograph.twin.transmission import Endplates, Release, Transmission, transmit

__all__ = ["JitterStudy", "mcd_us", "stimulated_jitter", "voluntary_jitter"]

Floats = NDArray[np.float64]

# Discharges before those that are measured: a recording starts when the store has settled.
_SETTLE = 20
# Fewer intervals than this make no jitter (ekstedt1974 asks for 50).
_LEAST = 20


@dataclass(frozen=True, slots=True, eq=False)
class JitterStudy:
    """Jitter of several fibre pairs (voluntary) or end-plates (stimulated).

    Parameters
    ----------
    mcd_us : ndarray, shape (n_pairs,)
        Mean consecutive difference, µs; NaN where too many discharges were blocked to tell.
    blocking : ndarray, shape (n_pairs,)
        Share of the discharges with a block.
    rows : ndarray of int, shape (n_pairs, 1 or 2)
        Which fibres.
    """

    mcd_us: Floats
    blocking: Floats
    rows: NDArray[np.int64]


def mcd_us(intervals_ms: ArrayLike) -> Floats:
    """Return the mean consecutive difference of intervals, µs (ekstedt1974).

    ``sum |D_i - D_(i+1)| / (n - 1)`` over the intervals that are there: NaN marks a block and is
    passed over. For independent normal intervals it is ``2 / sqrt(pi)`` = 1.128 times their
    standard deviation.

    Parameters
    ----------
    intervals_ms : array_like, shape (..., n)

    Returns
    -------
    ndarray, shape (...)
        NaN where fewer than two intervals are there.

    Examples
    --------
    >>> mcd_us([[1.00, 1.02, 0.99]]).round(1).tolist()
    [25.0]
    """
    values = np.asarray(intervals_ms, float)
    if values.ndim == 0:
        raise DataError("intervals_ms must have at least one axis.")
    flat = values.reshape(-1, values.shape[-1])
    found = np.full(len(flat), np.nan)
    for i, row in enumerate(flat):
        present = row[np.isfinite(row)]
        if len(present) > 1:
            found[i] = 1000 * np.abs(np.diff(present)).mean()
    return found.reshape(values.shape[:-1])


def stimulated_jitter(
    muscle: Muscle,
    *,
    n: int = 20,
    rate_hz: float = 10.0,
    n_discharges: int = 50,
    seed: int,
    rule: Release | None = None,
) -> JitterStudy:
    """Return the jitter of single end-plates under regular stimulation.

    Parameters
    ----------
    muscle : Muscle
        With end-plates (`myograph.twin.transmission.equipped`).
    n : int
        Number of end-plates.
    rate_hz : float
        Rate of the stimuli.
    n_discharges : int
        Measured ones; 20 more go before.
    seed : int
    rule : Release, optional
    """
    _check(n, rate_hz, n_discharges)
    candidates = np.flatnonzero(_followers(muscle.fibres))
    if len(candidates) < n:
        raise DataError(f"{muscle.name!r} has {len(candidates)} innervated fibres; {n} are asked.")
    rows = stream(seed, "jitter-fibres").choice(candidates, n, replace=False)
    times_s = np.arange(n_discharges + _SETTLE) / rate_hz
    passed = _pass(muscle.fibres, rows, times_s, seed, rule)
    delay = passed.delay_ms[:, _SETTLE:]
    return _study(delay, rows[:, None])


def voluntary_jitter(
    muscle: Muscle,
    *,
    n: int = 20,
    rate_hz: float = 10.0,
    n_discharges: int = 50,
    seed: int,
    rule: Release | None = None,
) -> JitterStudy:
    """Return the jitter of pairs of fibres of one unit in a slight voluntary contraction.

    Pairs lie within 0.3 mm of each other, as a single-fibre electrode would find them; a unit in
    which no fibre has such a neighbour takes no part. The discharges vary as in a steady
    contraction. Arguments as in `stimulated_jitter`.
    """
    _check(n, rate_hz, n_discharges)
    pairs = _pairs(muscle.fibres, n, seed)
    length = n_discharges + _SETTLE
    delay = np.empty((n, 2, n_discharges))
    for i, rows in enumerate(pairs):
        rates = np.full((1, int(100 * (length + 10) / rate_hz)), rate_hz)
        own = int(stream(seed, "jitter-pair", i).integers(1 << 31))
        train = discharges_at(rates, fs_hz=100.0, seed=own).times_s[0][:length]
        passed = _pass(muscle.fibres, rows, train, own, rule)
        delay[i] = passed.delay_ms[:, _SETTLE:]
    return _study(delay[:, 1] - delay[:, 0], pairs)


def _check(n: int, rate_hz: float, n_discharges: int) -> None:
    check_count(n, name="n")
    check_positive(rate_hz, name="rate_hz")
    check_count(n_discharges, name="n_discharges", least=_LEAST)
    if rate_hz > 100:
        raise ParameterError(f"rate_hz must be at most 100 to measure jitter; got {rate_hz:g}.")


def _followers(fibres: Fibres) -> NDArray[np.bool_]:
    return fibres.innervated & (fibres.unit >= 0)


def _pass(
    fibres: Fibres,
    rows: NDArray[np.int64],
    times_s: Floats,
    seed: int,
    rule: Release | None,
) -> Transmission:
    ends = Endplates.of(fibres).keep(rows)
    return transmit(ends, times_s, seed=seed, maturity=fibres.maturity[rows], rule=rule)


def _study(intervals: Floats, rows: NDArray[np.int64]) -> JitterStudy:
    enough = np.isfinite(intervals).sum(axis=1) >= _LEAST
    found = np.where(enough, mcd_us(intervals), np.nan)
    return JitterStudy(found, np.isnan(intervals).mean(axis=1), rows)


def _pairs(fibres: Fibres, n: int, seed: int) -> NDArray[np.int64]:
    rng = stream(seed, "jitter-pairs")
    candidates = rng.permutation(np.flatnonzero(_followers(fibres)))
    found: list[tuple[int, int]] = []
    taken: set[int] = set()
    for first in candidates.tolist():
        if first in taken:
            continue
        mates = fibres.of_unit(int(fibres.unit[first]))
        distance = np.hypot(
            fibres.x_mm[mates] - fibres.x_mm[first], fibres.y_mm[mates] - fibres.y_mm[first]
        )
        distance[mates == first] = np.inf
        if distance.min() <= 0.3:
            second = int(mates[distance.argmin()])
            found.append((first, second))
            taken |= {first, second}
        if len(found) == n:
            return np.array(found, np.int64)
    raise DataError(f"Only {len(found)} fibre pairs lie within 0.3 mm; {n} are asked for.")
