"""After a stroke: weakness, compensation by other muscles, coactivation and spasticity.

These change the drive, never the signal. Sizes are parameters; what a given person has, a fit says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.errors import DataError
from myograph.twin.discharge import Pic
from myograph.twin.drive import Drive
from myograph.twin.physiology import Range, check_ranges

__all__ = ["SPASTIC_PIC", "Spasticity", "compensated", "stretch_reflex", "weakened"]

Floats = NDArray[np.float64]

#: A persistent inward current larger than the threshold of the early units: once recruited they
#: may keep firing without drive, as in spasms.
SPASTIC_PIC = Pic(excitation=0.15, below=1.0, rise_s=0.2, decay_s=1.5)


def weakened(drive: Drive, strength: Mapping[str, float]) -> Drive:
    """Return the drive of someone whose descending command is reduced.

    Parameters
    ----------
    drive : Drive
        What a healthy person would do.
    strength : mapping of muscle to float
        Share of the command that arrives (0 to 1); muscles not named are spared.

    Examples
    --------
    >>> healthy = Drive(np.full((2, 3), 0.4), 10.0, ("FCR", "ECRB"))
    >>> weakened(healthy, {"ECRB": 0.5}).excitation[:, 0].tolist()
    [0.4, 0.2]
    """
    for muscle, share in strength.items():
        Range(0, 1, most=1).check(share, name=f"strength of {muscle}")
    return drive.scaled(dict(strength))


def compensated(
    drive: Drive,
    healthy: Drive,
    *,
    synergists: Mapping[str, Sequence[str]],
    antagonists: Mapping[str, Sequence[str]] | None = None,
    effort: float = 0.6,
    coactivation: float = 0.2,
) -> Drive:
    """Return a weakened drive with what the person does about it.

    Parameters
    ----------
    drive, healthy : Drive
        The weakened drive and the one it should have been; what is missing between them is
        compensated.
    synergists : mapping of muscle to muscles
        Who takes over the missing command of a muscle, in equal parts.
    antagonists : mapping of muscle to muscles, optional
        Who is driven along with a muscle's own command (abnormal coactivation).
    effort : float
        Share of the missing command that synergists take over.
    coactivation : float
        Share of a muscle's healthy command that spills to its antagonists, per full weakness.
    """
    if (drive.muscles, drive.excitation.shape) != (healthy.muscles, healthy.excitation.shape):
        raise DataError("The weakened and the healthy drive must have the same muscles and length.")
    Range(0, 1, most=2).check(effort, name="effort")
    Range(0, 0.6, most=2).check(coactivation, name="coactivation")
    missing = np.maximum(healthy.excitation - drive.excitation, 0.0)
    excitation = drive.excitation.copy()
    for share, others in ((effort, synergists), (coactivation, antagonists or {})):
        for muscle, helpers in others.items():
            for helper in helpers:
                extra = share * missing[drive.row(muscle)] / len(helpers)
                excitation[drive.row(helper)] += extra
    return drive.changed(np.minimum(excitation, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spasticity:
    """A velocity-dependent stretch reflex and background activity.

    Parameters
    ----------
    threshold_deg_s : float
        Stretch velocity above which the reflex answers.
    gain : float
        Excitation per 100 deg/s above the threshold.
    delay_ms : float
        From stretch to drive.
    background : float
        Excitation at rest (spastic dystonia).
    decay_s : float
        Time constant with which the answer outlasts the stretch.
    """

    threshold_deg_s: float = 30.0
    gain: float = 0.15
    delay_ms: float = 40.0
    background: float = 0.0
    decay_s: float = 0.1

    def __post_init__(self) -> None:
        ranges = {
            "threshold_deg_s": Range(0, 300, "deg/s"),
            "gain": Range(0, 1, "per 100 deg/s", most=20),
            "delay_ms": Range(20, 120, "ms", most=500),
            "background": Range(0, 0.2, most=1),
            "decay_s": Range(0.02, 1, "s", least=1e-3),
        }
        check_ranges(self, ranges)


def stretch_reflex(
    drive: Drive, spasticity: Spasticity, *, muscle: str, stretch_deg_s: ArrayLike
) -> Drive:
    """Return the drive with the answer of a spastic muscle to being stretched.

    Parameters
    ----------
    drive : Drive
    spasticity : Spasticity
    muscle : str
    stretch_deg_s : array_like, shape (n_t,)
        Velocity of the joint in the direction that lengthens the muscle, at the drive's rate.
    """
    velocity = np.asarray(stretch_deg_s, float)
    n = drive.excitation.shape[1]
    if velocity.shape != (n,) or not np.isfinite(velocity).all():
        raise DataError(f"stretch_deg_s must be {n} finite values; got shape {velocity.shape}.")
    above = np.maximum(velocity - spasticity.threshold_deg_s, 0.0) / 100 * spasticity.gain
    late = min(round(spasticity.delay_ms / 1000 * drive.fs_hz), n)
    answer = np.concatenate([np.zeros(late), above[: n - late]])
    keep = np.exp(-1 / (spasticity.decay_s * drive.fs_hz))
    for j in range(1, n):
        answer[j] = max(answer[j], keep * answer[j - 1])
    excitation = drive.excitation.copy()
    excitation[drive.row(muscle)] += spasticity.background + answer
    return drive.changed(np.minimum(excitation, 1.0))
