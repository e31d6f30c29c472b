"""Motion test and false activations: what a controller does when asked, and when not asked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from myograph.core.checks import check_positive
from myograph.core.decision import Decision
from myograph.core.errors import DataError

__all__ = ["FalseActivations", "Motion", "false_activations", "motion"]


@dataclass(frozen=True, slots=True)
class Motion:
    """One prompted movement [kuiken2009]_.

    Parameters
    ----------
    asked : str
    selection_s : float, optional
        From the prompt to the first right decision.
    completion_s : float, optional
        From the prompt until right decisions add up to the whole movement; None when they did not
        in time.
    """

    asked: str
    selection_s: float | None
    completion_s: float | None

    @property
    def completed(self) -> bool:
        """Whether the movement was completed in time."""
        return self.completion_s is not None


@dataclass(frozen=True, slots=True)
class FalseActivations:
    """Movements that nobody asked for.

    Parameters
    ----------
    count : int
        Onsets.
    hours : float
        Time in which rest was meant.
    moving_share : float
        Share of that time in which something moved.
    """

    count: int
    hours: float
    moving_share: float

    @property
    def per_hour(self) -> float:
        """Onsets per hour of rest."""
        return self.count / self.hours

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "count": self.count,
            "hours": self.hours,
            "per_hour": self.per_hour,
            "moving_share": self.moving_share,
        }


def motion(
    decisions: Sequence[Decision],
    asked: str,
    *,
    start_s: float,
    whole_s: float = 1.25,
    limit_s: float = 5.0,
) -> Motion:
    """Judge the decisions after one prompt.

    Parameters
    ----------
    decisions : sequence of Decision
        In the order of time.
    asked : str
    start_s : float
        Moment of the prompt.
    whole_s : float
        Right decisions, in seconds, that make the whole movement.
    limit_s : float
        After this it is not completed.

    Examples
    --------
    >>> said = [Decision("b", np.array([0.0, 1.0]), ("a", "b"), 0.1 * k) for k in range(1, 21)]
    >>> motion(said, "b", start_s=0.0, whole_s=1.0).completion_s
    1.0
    """
    check_positive(whole_s, name="whole_s")
    first: float | None = None
    done_s, before_s = 0.0, start_s
    for decision in decisions:
        if decision.time_s <= start_s:
            continue
        since_s = decision.time_s - start_s
        if since_s > limit_s + 1e-9:
            break
        if decision.label == asked and not decision.rejected:
            first = since_s if first is None else first
            done_s += decision.time_s - before_s
            if done_s >= whole_s - 1e-9:
                return Motion(asked, first, round(since_s, 9))
        before_s = decision.time_s
    return Motion(asked, first, None)


def false_activations(
    time_s: ArrayLike, moving: ArrayLike, meant: ArrayLike, *, apart_s: float = 0.5
) -> FalseActivations:
    """Count movements while rest was meant.

    Parameters
    ----------
    time_s : array, shape (n,)
        Of commands, evenly spaced within a stretch.
    moving, meant : array of bool, shape (n,)
        Whether something moved, and whether a movement was meant.
    apart_s : float
        Two onsets closer than this are one.

    Raises
    ------
    DataError
        If rest was never meant, or times do not rise.
    """
    times = np.asarray(time_s, dtype=np.float64)
    moved, wanted = np.asarray(moving, dtype=bool), np.asarray(meant, dtype=bool)
    if not len(times) == len(moved) == len(wanted) or len(times) < 2:
        raise DataError("Times, moving and meant must be equally long, at least 2.")
    steps = np.diff(times)
    if (steps <= 0).any():
        raise DataError("Times must rise.")
    if wanted.all():
        raise DataError("Rest was never meant, so nothing can be false; give minutes of rest.")
    step_s = float(np.median(steps))
    false = moved & ~wanted
    count, ended_s = 0, -math.inf
    for moment, wrong in zip(times, false, strict=True):
        if not wrong:
            continue
        count += moment - ended_s > max(apart_s, 1.5 * step_s)
        ended_s = moment
    resting_s = step_s * int((~wanted).sum())
    return FalseActivations(int(count), resting_s / 3600, float(false.sum() / (~wanted).sum()))
