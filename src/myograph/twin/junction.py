"""Diseases of the neuromuscular junction: fewer receptors, or less release."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myograph.twin.muscle import Muscle
from myograph.twin.physiology import Range
from myograph.twin.seeds import stream
from myograph.twin.transmission import Endplates, equipped, with_endplates

__all__ = ["lambert_eaton", "myasthenia", "weak_junctions"]

_SHARE = Range(0, 1, most=1)
# A disease of junctions is there in full within months.
_ONSET_MONTHS = 2.0


def myasthenia(muscle: Muscle, severity: float, *, months: float = 24.0, seed: int) -> Muscle:
    """Return a muscle with myasthenia gravis: each quantum depolarises less (albuquerque1976).

    Receptors are lost unevenly, so that some end-plates fail while others still fire; one muscle
    has many safety factors.

    Parameters
    ----------
    muscle : Muscle
        Gets healthy end-plates first when it has none.
    severity : float
        Mean share of the receptors lost, 1 standing for 80 %.
    months : float
        Since the onset.
    seed : int

    Examples
    --------
    >>> from myograph.twin.pool import PoolParameters
    >>> muscle = Muscle.healthy("ADM", PoolParameters(n_fibres=4000), seed=1)
    >>> sick = myasthenia(muscle, 0.8, seed=1)
    >>> bool(Endplates.of(sick.fibres).safety_factor.mean() < 2.5)
    True
    """
    return weak_junctions(muscle, "quantum_mv", 0.8 * _now(severity, months), seed=seed)


def lambert_eaton(muscle: Muscle, severity: float, *, months: float = 24.0, seed: int) -> Muscle:
    """Return a muscle with the Lambert-Eaton syndrome: fewer quanta per impulse.

    Release is less probable; what activity adds to it then counts for more. Arguments as in
    `myasthenia`; severity 1 stands for 90 % of the release.
    """
    return weak_junctions(muscle, "release", 0.9 * _now(severity, months), seed=seed)


def weak_junctions(
    muscle: Muscle, what: str, lost: float, *, seed: int, spread: float = 0.35
) -> Muscle:
    """Return the muscle with one property of its end-plates reduced, unevenly.

    Parameters
    ----------
    muscle : Muscle
    what : str
        ``"quantum_mv"``, ``"release"`` or ``"store"``.
    lost : float
        Mean share that is lost, 0 to 1.
    seed : int
    spread : float
        Standard deviation of the logarithm of what remains, at a loss of one half and more.
    """
    _SHARE.check(lost, name="lost")
    whole = equipped(muscle, seed=seed)
    if lost == 0:
        return whole
    sigma = spread * min(2 * lost, 1.0)
    z = stream(seed, "junction", what).standard_normal(len(whole.fibres))
    left = np.minimum((1 - lost) * np.exp(sigma * z - sigma**2 / 2), 1.0)
    ends = Endplates.of(whole.fibres)
    return with_endplates(whole, replace(ends, **{what: getattr(ends, what) * left}))


def _now(severity: float, months: float) -> float:
    _SHARE.check(severity, name="severity")
    Range(0, 1200, "months").check(months, name="months")
    return float(severity * -np.expm1(-months / _ONSET_MONTHS))
