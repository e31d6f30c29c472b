"""Force: from discharges to newtons, and from a wished force back to the excitation it needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import DataError
from myograph.twin.discharge import Discharges
from myograph.twin.drive import Drive
from myograph.twin.pool import LINEAR_FUSION, Pool

__all__ = ["excitation_for_force", "force_n", "steady_force_n", "to_excitation", "unit_forces_n"]

Floats = NDArray[np.float64]

# Excitations at which the steady force is tabulated when it is inverted.
_GRID = 4001


def force_n(pool: Pool, trains: Discharges, *, fs_hz: float) -> Floats:
    """Return the force of a muscle in time, shape (n_t,), newtons.

    Twitches of critically damped shape, each scaled by the non-linear gain that the interval
    before it implies, are added over units (fuglevand1993).

    Parameters
    ----------
    pool : Pool
    trains : Discharges
        One train per unit of the pool.
    fs_hz : float
        Rate of the force, Hz.

    Examples
    --------
    >>> from myograph.twin.discharge import discharges
    >>> pool, drive = Pool.fuglevand(), Drive(np.full((1, 500), 0.5), fs_hz=100.0)
    >>> force = force_n(pool, discharges(pool, drive, seed=1), fs_hz=100.0)
    >>> bool(abs(force[200:].mean() / pool.steady_force_n(0.5) - 1) < 0.03)
    True
    """
    return unit_forces_n(pool, trains, fs_hz=fs_hz).sum(axis=0)


def unit_forces_n(pool: Pool, trains: Discharges, *, fs_hz: float) -> Floats:
    """Return the force of each unit in time, shape (n_units, n_t), newtons."""
    rate_hz = check_positive(fs_hz, name="fs_hz")
    if trains.n_units != pool.n_units:
        raise DataError(
            f"The pool has {pool.n_units} units, the discharges {trains.n_units}; simulate them "
            "from the same pool."
        )
    n = round(trains.duration_s * rate_hz)
    forces = np.zeros((pool.n_units, n))
    for i, times in enumerate(trains.times_s):
        if len(times):
            _add_twitches(forces[i], times, pool.contraction_ms[i] / 1000, rate_hz)
    return forces * pool.twitch_n[:, None]


@njit(cache=True)
def _add_twitches(force: Floats, times: Floats, rise_s: float, fs_hz: float) -> None:
    """Fill ``force`` with unit twitches (t/T) exp(1 - t/T): a recursion with one double pole."""
    n = len(force)
    for k in range(len(times)):
        at = times[k] * fs_hz
        cell = int(at)
        if cell >= n:
            break
        gain = 1.0
        if k > 0:
            x = rise_s / max(times[k] - times[k - 1], 1e-4)
            if x > LINEAR_FUSION:
                sigmoid = (1 - np.exp(-2 * x**3)) / x
                gain = sigmoid * LINEAR_FUSION / (1 - np.exp(-2 * LINEAR_FUSION**3))
        # A discharge between two samples is shared between them.
        part = at - cell
        force[cell] += gain * (1 - part)
        if cell + 1 < n:
            force[cell + 1] += gain * part
    step = 1 / (rise_s * fs_hz)
    pole = np.exp(-step)
    one = two = before = 0.0
    for j in range(n):
        value = 2 * pole * one - pole * pole * two + step * np.e * pole * before
        before = force[j]
        two, one = one, value
        force[j] = value


def steady_force_n(pool: Pool, excitation: ArrayLike) -> Floats:
    """Return the mean force at constant excitations, in the shape of ``excitation``, newtons."""
    levels = np.asarray(excitation, float)
    return pool.unit_forces_n(levels.ravel()).sum(axis=0).reshape(levels.shape)


def excitation_for_force(pool: Pool, wanted_n: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the excitation at which the pool holds a force, and whether it can.

    Parameters
    ----------
    pool : Pool
        Any pool, a sick one included: fewer units must fire faster for the same force.
    wanted_n : array_like
        Forces, newtons, 0 or more.

    Returns
    -------
    excitation : ndarray
        In the shape of ``wanted_n``; 1 where the pool is too weak.
    reached : ndarray of bool
        Whether full excitation gives the force.

    Examples
    --------
    >>> excitation, reached = excitation_for_force(Pool.fuglevand(), [4.0, 80.0])
    >>> excitation.round(2).tolist(), reached.tolist()
    ([0.2, 1.0], [True, False])
    """
    wanted = np.asarray(wanted_n, float)
    if not np.isfinite(wanted).all() or (wanted < 0).any():
        raise DataError("wanted_n must be finite and 0 or more.")
    grid = np.linspace(0.0, 1.0, _GRID)
    forces = np.maximum.accumulate(steady_force_n(pool, grid))
    reached = wanted <= forces[-1]
    # Where the force stands still (below the first threshold) take the last excitation of it.
    cell = np.searchsorted(forces, wanted, side="left").clip(1, _GRID - 1)
    low, high = forces[cell - 1], forces[cell]
    part = np.divide(wanted - low, high - low, out=np.ones_like(wanted), where=high > low)
    excitation = grid[cell - 1] + part.clip(0, 1) * (grid[cell] - grid[cell - 1])
    return np.where(reached, np.where(wanted > 0, excitation, 0.0), 1.0), reached


def to_excitation(target: Drive, pools: dict[str, Pool], *, mvc_n: dict[str, float]) -> Drive:
    """Turn a drive whose values are fractions of a maximal force into excitations.

    Parameters
    ----------
    target : Drive
        Fractions of ``mvc_n`` instead of excitations.
    pools : dict of muscle to Pool
        The muscles as they are now.
    mvc_n : dict of muscle to float
        The force that 1 stands for; the healthy one to ask a weak muscle for the same task.
        Where the muscle is too weak, it is driven fully.
    """
    rows = [
        excitation_for_force(
            pools[m], target.of(m) * check_positive(mvc_n[m], name=f"mvc_n of {m}")
        )
        for m in target.muscles
    ]
    return replace(target, excitation=np.stack([excitation for excitation, _ in rows]))
