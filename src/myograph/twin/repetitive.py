"""Repetitive nerve stimulation: decrement, and facilitation after effort or at high rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_count, check_positive
from myograph.core.errors import DataError, ParameterError
from myograph.twin.cmap import Responses, cmap
from myograph.twin.discharge import Discharges
from myograph.twin.muap import MuapLibrary
from myograph.twin.muscle import Muscle
from myograph.twin.needle import NeedleLibrary
from myograph.twin.nerve import Nerve
from myograph.twin.seeds import stream
from myograph.twin.transmission import Endplates, Release, transmit

__all__ = [
    "Effort",
    "decrement",
    "increment",
    "needle_delays",
    "repetitive_stimulation",
    "unit_output",
]

Floats = NDArray[np.float64]

# In the midst of a long effort some impulses are as good as all; end-plates are simulated for it.
_EFFORT_HZ = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """A maximal voluntary effort before the stimuli.

    Parameters
    ----------
    duration_s : float
        10 s to look for facilitation.
    pause_s : float
        Between its end and the first stimulus after it.
    """

    duration_s: float = 10.0
    pause_s: float = 2.0

    def __post_init__(self) -> None:
        check_positive(self.duration_s, name="duration_s")
        check_positive(self.pause_s, name="pause_s")

    def times_s(self) -> Floats:
        """Return the times of its impulses, seconds before the first stimulus (negative)."""
        n = round(self.duration_s * _EFFORT_HZ)
        return np.arange(n) / _EFFORT_HZ - (n - 1) / _EFFORT_HZ - self.pause_s


def repetitive_stimulation(
    muscle: Muscle,
    nerve: Nerve,
    library: MuapLibrary,
    *,
    site: str,
    times_s: ArrayLike,
    seed: int,
) -> Responses:
    """Return the motor responses to a train of supramaximal stimuli.

    Parameters
    ----------
    muscle : Muscle
        With end-plates (`myograph.twin.transmission.equipped`).
    nerve : Nerve
    library : MuapLibrary
        Of that muscle.
    site : str
    times_s : array_like, shape (n_stimuli,)
        Of the stimuli; ``np.arange(10) / 3`` for 3 Hz.
    seed : int
    """
    return cmap(nerve, library, site=site, output=unit_output(muscle, times_s, seed=seed))


def unit_output(
    muscle: Muscle,
    times_s: ArrayLike,
    *,
    seed: int,
    effort: Effort | None = None,
    rule: Release | None = None,
) -> Floats:
    """Return the share of each unit's fibres, by area, that follow each stimulus.

    A unit's potential on the skin shrinks as its fibres drop out; their shape hardly matters there.

    Parameters
    ----------
    muscle : Muscle
        With end-plates.
    times_s : array_like, shape (n_stimuli,)
        From 0 on, ascending.
    seed : int
    effort : Effort, optional
        Before the first stimulus.
    rule : Release, optional

    Returns
    -------
    ndarray, shape (n_stimuli, n_units)
    """
    times = np.atleast_1d(np.asarray(times_s, float))
    check_count(len(times), name="number of stimuli")
    if times[0] < 0:
        raise ParameterError("times_s must be 0 or more; an effort goes before.")
    before = effort.times_s() if effort is not None else np.empty(0)
    fibres = muscle.fibres.keep(muscle.fibres.innervated & (muscle.fibres.unit >= 0))
    passed = transmit(
        Endplates.of(fibres),
        np.concatenate([before, times]),
        seed=seed,
        maturity=fibres.maturity,
        rule=rule,
    )
    fired = passed.fired[:, len(before) :]
    total = fibres.unit_area_mm2(muscle.pool.n_units)
    active = np.zeros((muscle.pool.n_units, len(times)))
    np.add.at(active, fibres.unit, fired * fibres.area_mm2[:, None])
    return np.divide(active, total[:, None], out=np.zeros_like(active), where=total[:, None] > 0).T


def decrement(responses: Responses, *, at: int = 4) -> float:
    """Return the fall of the amplitude from the first to the ``at``-th response, percent.

    Examples
    --------
    >>> falling = Responses(-np.array([[10.0], [9], [8.5], [8]], np.float32), 1000.0)
    >>> round(decrement(falling), 1)
    20.0
    """
    amplitudes = responses.amplitudes_mv
    if len(amplitudes) < check_count(at, name="at", least=2):
        raise DataError(f"The decrement needs {at} responses; got {len(amplitudes)}.")
    if amplitudes[0] <= 0:
        raise DataError("There is no first response to compare with.")
    return float(100 * (1 - amplitudes[at - 1] / amplitudes[0]))


def increment(before_mv: float, after_mv: float) -> float:
    """Return the rise of an amplitude, percent: 100 is a doubling."""
    return 100 * (after_mv / check_positive(before_mv, name="before_mv") - 1)


def needle_delays(
    muscle: Muscle,
    library: NeedleLibrary,
    trains: Discharges,
    *,
    seed: int,
    rule: Release | None = None,
) -> tuple[Floats, ...]:
    """Return the delay of every discharge at the fibres near a needle: jitter and blocking.

    Parameters
    ----------
    muscle : Muscle
        With end-plates.
    library : NeedleLibrary
        Of that muscle.
    trains : Discharges
    seed : int
        Each unit has a stream of its own.
    rule : Release, optional

    Returns
    -------
    tuple of ndarray, shape (n_near, n_discharges)
        One array per unit, ms, NaN where blocked: the ``delays_ms`` of `needle_signal`.
    """
    ends, found = Endplates.of(muscle.fibres), []
    for unit, times in enumerate(trains.times_s):
        rows = library.fibre[library.near(unit)]
        if not len(times) or not len(rows):
            found.append(np.zeros((len(rows), len(times))))
            continue
        own = int(stream(seed, "needle-delays", unit).integers(1 << 31))
        maturity = muscle.fibres.maturity[rows]
        passed = transmit(ends.keep(rows), times, seed=own, maturity=maturity, rule=rule)
        found.append(passed.delay_ms)
    return tuple(found)
