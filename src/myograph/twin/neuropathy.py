"""Diseases of nerves: axons lost, slowed, or blocked in a segment. Each returns a changed nerve.

Lost motor axons denervate: `denervated` passes them on to the muscle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import DataError, ParameterError
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.physiology import Range, check_ranges
from myograph.twin.reinnervation import Reinnervation, kill_and_adopt
from myograph.twin.seeds import stream

__all__ = ["Lesion", "carpal_tunnel", "cidp", "cmt1", "denervated", "injured", "lose_axons"]

Floats = NDArray[np.float64]

_SHARE = Range(0, 1, most=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """What happens to the axons in one segment, or in all.

    Parameters
    ----------
    slowing : float
        Velocity that remains, as a share (1: none is lost).
    dispersion : float
        Relative spread of that share between axons (lognormal, by its logarithm).
    block : float
        Share of the axons whose impulses stop there.
    """

    slowing: float = 1.0
    dispersion: float = 0.0
    block: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "slowing": Range(0.04, 1, least=0.01, most=1),
            "dispersion": Range(0, 0.8, most=3),
            "block": Range(0, 1, most=1),
        }
        check_ranges(self, ranges)


def injured(nerve: Nerve, segment: str, lesion: Lesion, *, kind: str, seed: int) -> Nerve:
    """Return the nerve with a lesion of its motor or sensory axons in one segment.

    With one seed the axons are hit in one order: a worse block stops the same axons and more.

    Parameters
    ----------
    nerve : Nerve
    segment : str
        Name of the segment.
    lesion : Lesion
    kind : str
        ``"motor"`` or ``"sensory"``.
    seed : int

    Examples
    --------
    >>> healthy = Nerve.healthy("ulnar", n_motor=180, seed=1)
    >>> slow = injured(healthy, "elbow", Lesion(slowing=0.5), kind="motor", seed=1)
    >>> late = [nerve.motor_latency_ms("above elbow").min() for nerve in (healthy, slow)]
    >>> bool(late[1] > late[0])
    True
    """
    names = [part.name for part in nerve.segments]
    column = names.index(check_choice(segment, names, name=f"segment of {nerve.name}"))
    axons = nerve.axons(kind)
    key = (nerve.name, segment, kind)
    z = stream(seed, "slowing", *key).standard_normal(len(axons))
    kept = np.minimum(lesion.slowing * np.exp(lesion.dispersion * z), 1.0)
    velocity, blocked = axons.velocity_m_s.copy(), axons.blocked.copy()
    velocity[:, column] *= kept if lesion.slowing < 1 else 1.0
    blocked[:, column] |= stream(seed, "block", *key).random(len(axons)) < lesion.block
    return nerve.with_axons(kind, replace(axons, velocity_m_s=velocity, blocked=blocked))


def lose_axons(
    nerve: Nerve, fraction: float, *, kind: str, seed: int, fast_first: float = 0.0
) -> Nerve:
    """Return the nerve after a share of its living axons of one kind died.

    Parameters
    ----------
    nerve : Nerve
    fraction : float
        0 to 1.
    kind : str
        ``"motor"`` or ``"sensory"``.
    seed : int
        Fixes the order: a larger fraction takes the same axons and more.
    fast_first : float
        Log odds of losing the fastest over the slowest axon; 0 takes them at random.
    """
    _SHARE.check(fraction, name="fraction")
    axons = nerve.axons(kind)
    if not len(axons):
        return nerve
    speed = axons.velocity_m_s[:, -1]
    rank = np.argsort(np.argsort(speed, kind="stable"), kind="stable") / len(axons)
    clock = stream(seed, "axon-death", nerve.name, kind).standard_exponential(len(axons))
    order = np.argsort(clock * np.exp(-fast_first * rank), kind="stable")
    living = order[axons.alive[order]]
    alive = axons.alive.copy()
    alive[living[: round(fraction * len(living))]] = False
    return nerve.with_axons(kind, replace(axons, alive=alive))


def carpal_tunnel(nerve: Nerve, severity: float, *, months: float = 12.0, seed: int) -> Nerve:
    """Return a median nerve compressed in the carpal tunnel.

    Sensory axons slow first, then motor ones; with more pressure impulses stop there and axons die,
    sensory ones before motor ones. Damage comes on within half a year.

    Parameters
    ----------
    nerve : Nerve
        With a segment ``"tunnel"`` (the median nerve).
    severity : float
        0 none to 1 both responses gone.
    months : float
        Since the onset.
    seed : int
    """
    _SHARE.check(severity, name="severity")
    if "tunnel" not in [part.name for part in nerve.segments]:
        raise ParameterError(f"Nerve {nerve.name!r} does not pass the carpal tunnel; use 'median'.")
    s = severity * _onset(months, 2.0)
    for kind, offset in (("sensory", 0.0), ("motor", 0.12)):
        worse = max(s - offset, 0.0) / (1 - offset)
        lesion = Lesion(
            slowing=float(np.exp(-3.0 * worse)),
            dispersion=0.25 * min(2 * worse, 1.0),
            block=0.3 * worse**2,
        )
        nerve = injured(nerve, "tunnel", lesion, kind=kind, seed=seed)
    # The thickest, fastest axons suffer most.
    nerve = lose_axons(nerve, min((s / 0.65) ** 3, 1.0), kind="sensory", seed=seed, fast_first=1.0)
    return lose_axons(nerve, s**5, kind="motor", seed=seed, fast_first=1.0)


def cmt1(nerve: Nerve, severity: float, *, months: float = 120.0, seed: int) -> Nerve:
    """Return a nerve with hereditary demyelination: slow everywhere and alike, axons lost slowly.

    Velocities fall to 30 to 40 % at severity 1, with little dispersion and no block; every axon is
    slow from childhood, so that time only adds the loss of axons.

    Parameters
    ----------
    nerve : Nerve
    severity : float
    months : float
        Since the onset.
    seed : int
    """
    _SHARE.check(severity, name="severity")
    lesion = Lesion(slowing=1 - 0.65 * severity, dispersion=0.05 * severity)
    for kind in ("motor", "sensory"):
        for segment in nerve.segments:
            nerve = injured(nerve, segment.name, lesion, kind=kind, seed=seed)
        axons = nerve.axons(kind)
        slow = replace(axons, terminal_ms=axons.terminal_ms * (1 + 1.2 * severity))
        nerve = nerve.with_axons(kind, slow)
        lost = severity * (0.6 if kind == "motor" else 0.8) * _onset(months, 120.0)
        nerve = lose_axons(nerve, lost, kind=kind, seed=seed)
    return nerve


def cidp(nerve: Nerve, severity: float, *, months: float = 6.0, seed: int) -> Nerve:
    """Return a nerve with acquired demyelination: patchy slowing, dispersion and block.

    Each segment is hit by chance, axon by axon; some axons are lost in time.

    Parameters
    ----------
    nerve : Nerve
    severity : float
    months : float
        Since the onset; within a few months the picture is complete, axons go on being lost.
    seed : int
    """
    _SHARE.check(severity, name="severity")
    s = severity * _onset(months, 1.5)
    for segment in nerve.segments:
        hit = float(stream(seed, "cidp", nerve.name, segment.name).random())
        lesion = Lesion(
            slowing=float(np.exp(-1.6 * s * (0.4 + 0.8 * hit))),
            dispersion=0.35 * s * (0.3 + 0.7 * hit),
            block=0.35 * s * hit,
        )
        for kind in ("motor", "sensory"):
            nerve = injured(nerve, segment.name, lesion, kind=kind, seed=seed)
    for kind in ("motor", "sensory"):
        axons = nerve.axons(kind)
        z = stream(seed, "cidp-terminal", nerve.name, kind).random(len(axons))
        slow = replace(axons, terminal_ms=axons.terminal_ms * (1 + 1.5 * s * z))
        nerve = nerve.with_axons(kind, slow)
        nerve = lose_axons(nerve, 0.4 * severity * _onset(months, 36.0), kind=kind, seed=seed)
    return nerve


def denervated(
    muscle: Muscle, nerve: Nerve, *, months: float, seed: int, rule: Reinnervation | None = None
) -> Muscle:
    """Return the muscle after the motor axons that its nerve has lost; survivors adopt fibres.

    Parameters
    ----------
    muscle : Muscle
        One unit per motor axon.
    nerve : Nerve
    months : float
        Over which the axons were lost.
    seed : int
    rule : Reinnervation, optional
    """
    if len(nerve.motor) != muscle.pool.n_units:
        raise DataError(
            f"{nerve.name!r} has {len(nerve.motor)} motor axons and {muscle.name!r} "
            f"{muscle.pool.n_units} units; they must be each other's."
        )
    lost = np.flatnonzero(muscle.pool.alive & ~nerve.motor.alive)
    order = stream(seed, "denervation").permutation(lost)
    return kill_and_adopt(muscle, order, months=months, seed=seed, rule=rule)


def _onset(months: float, time_months: float) -> float:
    Range(0, 1200, "months").check(months, name="months")
    return float(-np.expm1(-months / time_months))
