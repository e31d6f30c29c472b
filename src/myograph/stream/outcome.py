"""Outcome: what a controller lets somebody do, measured by tasks and not by accuracy.

Fitts's law: reach targets of several distances and widths and stay on them [scheme2013fitts]_.
Target Achievement Control: bring a hand into a posture and hold it [simon2011tac]_. With a
simulated user and forearm both run by machine; with a person the same numbers come from what was
recorded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.stream.control import DOFS
from myograph.stream.controller import Controller, EnvelopeController
from myograph.stream.forearm import Forearm
from myograph.stream.threshold import TwoSiteControl
from myograph.stream.user import Sight, SimulatedUser

__all__ = [
    "Summary",
    "Target",
    "Task",
    "Trial",
    "fitts_targets",
    "posture_targets",
    "run_trials",
    "summarise",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go, and how near is there.

    Parameters
    ----------
    position : mapping of str to float
        Of some of `DOFS`, in full ranges from the middle; the others are free.
    width : float
        Of the target: within half of it, in every named degree of freedom, is there.

    Examples
    --------
    >>> round(Target({"flexion": 0.3, "power": 0.4}, 0.1).difficulty_bits, 3)
    2.585
    """

    position: Mapping[str, float]
    width: float

    def __post_init__(self) -> None:
        for dof in self.position:
            if dof not in DOFS:
                raise ParameterError(unknown_name(dof, DOFS, what="degree of freedom"))
        check_positive(self.width, name="width")
        if not self.distance > self.width / 2:
            raise ParameterError(
                f"A target {self.distance:g} away and {self.width:g} wide is reached before it "
                "begins; make it farther or narrower."
            )

    @property
    def distance(self) -> float:
        """From the middle, in full ranges."""
        return math.hypot(*self.position.values())

    @property
    def difficulty_bits(self) -> float:
        """Index of difficulty in Shannon's form, log2(distance / width + 1) [mackenzie1992]_."""
        return math.log2(self.distance / self.width + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """How a trial goes.

    Parameters
    ----------
    dwell_s : float
        How long the target must be held.
    limit_s : float
        The trial ends after this long.
    full_speed : float
        Ranges per second at velocity 1.
    hop_ms : float
        Time from one look to the next.
    """

    dwell_s: float = 1.0
    limit_s: float = 15.0
    full_speed: float = 0.8
    hop_ms: float = 50.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            check_positive(getattr(self, name), name=name)


@dataclass(frozen=True, eq=False)
class Trial:
    """What happened on the way to one target.

    Parameters
    ----------
    target : Target
    time_s : ndarray, shape (n,)
    path : ndarray, shape (n, 5)
        Positions over `DOFS`.
    reached_s : float, optional
        When it was entered for the dwell that counted; None when it never was held long enough.
    """

    target: Target
    time_s: Floats
    path: Floats
    reached_s: float | None

    @property
    def completed(self) -> bool:
        """Whether the target was held."""
        return self.reached_s is not None

    @property
    def throughput_bits_s(self) -> float:
        """Difficulty over the time to reach, without the dwell; 0 when it was not held."""
        return 0.0 if self.reached_s is None else self.target.difficulty_bits / self.reached_s

    @property
    def path_efficiency(self) -> float:
        """Straight way over the way gone until reached, over the target's degrees of freedom."""
        rows = [DOFS.index(dof) for dof in self.target.position]
        stop = len(self.time_s)
        if self.reached_s is not None:
            stop = int(np.searchsorted(self.time_s, self.reached_s, side="right"))
        path = self.path[:stop, rows]
        gone = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
        straight = float(np.linalg.norm(path[-1] - path[0]))
        return straight / gone if gone > 0 else 0.0

    @property
    def overshoots(self) -> int:
        """How often the target was entered and left again."""
        inside = _inside(self.path, self.target)
        return int(np.sum(inside[:-1] & ~inside[1:]))


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over the trials of one person.

    Parameters
    ----------
    trials : int
    completion : float
        Share of targets that were held.
    throughput_bits_s : float
        Mean over all trials, 0 for the failed: nobody gains by giving up on hard targets.
    throughput_completed_bits_s : float
        Mean over completed trials, as it is mostly reported; NaN when there is none.
    path_efficiency : float
        Mean over completed trials; NaN when there is none.
    overshoots : float
        Per trial.
    time_s : float
        Mean time to reach, of completed trials; NaN when there is none.
    """

    trials: int
    completion: float
    throughput_bits_s: float
    throughput_completed_bits_s: float
    path_efficiency: float
    overshoots: float
    time_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; what does not exist is None."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


def fitts_targets(
    axes: tuple[str, str] = ("flexion", "power"),
    *,
    distances: Sequence[float] = (0.4, 0.7),
    widths: Sequence[float] = (0.15, 0.25),
    directions: int = 8,
    seed: int = 0,
) -> tuple[Target, ...]:
    """Return targets around the middle of a plane, in a seeded order.

    Examples
    --------
    >>> len(fitts_targets(directions=4))
    16
    """
    angles = np.arange(directions) * 2 * np.pi / directions
    made = [
        Target({axes[0]: far * math.cos(angle), axes[1]: far * math.sin(angle)}, wide)
        for far in distances
        for wide in widths
        for angle in angles
    ]
    order = np.random.default_rng([seed, 21]).permutation(len(made))
    return tuple(made[k] for k in order)


def posture_targets(
    axes: Sequence[str] = ("power", "rotation", "flexion"),
    *,
    number: int = 12,
    far: float = 0.5,
    width: float = 0.3,
    seed: int = 0,
) -> tuple[Target, ...]:
    """Return postures that move one, two and three degrees of freedom in turn; all are named.

    A degree of freedom that the posture leaves alone must stay where it is.
    """
    rng = np.random.default_rng([seed, 22])
    made = []
    for k in range(number):
        moved = rng.choice(len(axes), size=1 + k % len(axes), replace=False)
        signs = rng.choice([-1.0, 1.0], size=len(axes))
        made.append(
            Target(
                {dof: float(far * signs[i]) if i in moved else 0.0 for i, dof in enumerate(axes)},
                width,
            )
        )
    return tuple(made)


def run_trials(
    controller: Controller,
    user: SimulatedUser,
    arm: Forearm,
    targets: Sequence[Target],
    *,
    task: Task | None = None,
) -> tuple[Trial, ...]:
    """Let a simulated user reach targets, one after the other, through EMG and controller.

    Parameters
    ----------
    controller : Controller
        Made for this user.
    user : SimulatedUser
    arm : Forearm
    targets : sequence of Target
    task : Task, optional
    """
    task = task or Task()
    return tuple(_trial(controller, user, arm, target, task) for target in targets)


def summarise(trials: Sequence[Trial]) -> Summary:
    """Summarise the trials of one person.

    Raises
    ------
    DataError
        If there is no trial.
    """
    if not trials:
        raise DataError("There is nothing to summarise: no trial was made.")
    done = [trial for trial in trials if trial.completed]

    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values)) if len(values) else math.nan

    return Summary(
        trials=len(trials),
        completion=len(done) / len(trials),
        throughput_bits_s=mean([trial.throughput_bits_s for trial in trials]),
        throughput_completed_bits_s=mean([trial.throughput_bits_s for trial in done]),
        path_efficiency=mean([trial.path_efficiency for trial in done]),
        overshoots=mean([trial.overshoots for trial in trials]),
        time_s=mean([trial.reached_s for trial in done if trial.reached_s is not None]),
    )


def _trial(
    controller: Controller, user: SimulatedUser, arm: Forearm, target: Target, task: Task
) -> Trial:
    controller.reset()
    user.begin()
    hop_s = task.hop_ms / 1e3
    n_samples = max(1, round(hop_s * arm.fs_hz))
    where = np.array([target.position.get(dof, 0.0) for dof in DOFS])
    near = np.array([target.width / 2 if dof in target.position else math.inf for dof in DOFS])
    position, velocity = np.zeros(len(DOFS)), np.zeros(len(DOFS))
    times, path = [0.0], [position]
    began: float | None = None
    arm.push({}, round(0.5 * arm.fs_hz))  # the trial begins from rest
    while times[-1] < task.limit_s:
        now_s = times[-1]
        missing = np.where(np.isfinite(near), where - position, 0.0)
        drive = user.act(Sight(missing, near), now_s, function=_function(controller))
        for command in controller.push(arm.push(drive, n_samples)):
            velocity = command.velocity
        position = np.clip(position + velocity * task.full_speed * hop_s, -1.5, 1.5)
        times.append(now_s + hop_s)
        path.append(position)
        within = bool((np.abs(where - position) <= near).all())
        began = (times[-1] if began is None else began) if within else None
        if began is not None and times[-1] - began >= task.dwell_s - 1e-9:
            break
    held = began is not None and times[-1] - began >= task.dwell_s - 1e-9
    return Trial(target, np.array(times), np.array(path), began if held else None)


def _function(controller: Controller) -> str:
    inner = controller.control if isinstance(controller, EnvelopeController) else None
    return inner.function if isinstance(inner, TwoSiteControl) else ""


def _inside(path: Floats, target: Target) -> NDArray[np.bool_]:
    rows = [DOFS.index(dof) for dof in target.position]
    where = np.array(list(target.position.values()))
    return np.asarray((np.abs(path[:, rows] - where) <= target.width / 2).all(axis=1))
