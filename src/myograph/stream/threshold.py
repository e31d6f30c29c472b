"""Threshold: conventional two-site control, the baseline that everything else must beat.

One electrode over the flexors and one over the extensors: whichever is louder beyond its threshold
drives the active function one way or the other, proportionally. Both at once, held briefly, go on
to the next function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import DataError, ParameterError
from myograph.stream.control import DOFS, Command

__all__ = ["Site", "TwoSiteControl"]


@dataclass(frozen=True, slots=True)
class Site:
    """One electrode of the two.

    Parameters
    ----------
    row : int
        Its channel.
    rest, full : float
        Its level at rest and at a full contraction.
    threshold : float
        Share of the way from rest to full from which it counts.
    """

    row: int
    rest: float
    full: float
    threshold: float = 0.15

    def __post_init__(self) -> None:
        if not self.full > self.rest or not 0 < self.threshold < 1:
            raise ParameterError(
                f"A site needs full ({self.full:g}) above rest ({self.rest:g}) and a threshold "
                f"between 0 and 1 ({self.threshold:g})."
            )

    def effort(self, level: float) -> float:
        """Return effort beyond the threshold, 0 to 1."""
        share = (level - self.rest) / (self.full - self.rest)
        return float(np.clip((share - self.threshold) / (1 - self.threshold), 0.0, 1.0))


class TwoSiteControl:
    """Two sites, one function at a time, switched by contracting both.

    Parameters
    ----------
    flexor, extensor : Site
    functions : sequence of str
        Of `DOFS`, in the order of switching.
    switch_effort : float
        Effort of both sites that means switching.
    switch_s : float
        How long it must last.

    Examples
    --------
    >>> control = TwoSiteControl(Site(0, 0, 100, 0.5), Site(1, 0, 100, 0.5), functions=("power",))
    >>> control.push([75.0, 5.0], 0.0).velocity.tolist()
    [0.5, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        flexor: Site,
        extensor: Site,
        *,
        functions: Sequence[str] = ("power", "rotation"),
        switch_effort: float = 0.3,
        switch_s: float = 0.15,
    ) -> None:
        for name in functions:
            if name not in DOFS:
                raise ParameterError(unknown_name(name, DOFS, what="function"))
        if not functions:
            raise ParameterError("Two-site control needs at least one function.")
        self.flexor, self.extensor = flexor, extensor
        self.functions = tuple(functions)
        self._switch_effort = check_positive(switch_effort, name="switch_effort")
        self._switch_s = check_positive(switch_s, name="switch_s")
        self._active = 0
        self._both_since_s: float | None = None
        self._switched = False

    @classmethod
    def calibrate(
        cls, rest: ArrayLike, flexed: ArrayLike, extended: ArrayLike, *, functions: Sequence[str]
    ) -> TwoSiteControl:
        """Choose the two channels that tell flexing from extending best, as a prosthetist would.

        Parameters
        ----------
        rest, flexed, extended : array, shape (n_moments, n_channels)
            Levels while the person rested, flexed and extended.
        functions : sequence of str
        """
        quiet, bent, straight = (
            np.median(np.asarray(levels, dtype=np.float64), axis=0)
            for levels in (rest, flexed, extended)
        )
        flexor = int(np.argmax((bent - quiet) - (straight - quiet)))
        extensor = int(np.argmax((straight - quiet) - (bent - quiet)))
        if flexor == extensor:
            raise DataError(
                "Flexing and extending look alike in every channel, so two sites cannot be "
                "chosen; move the electrodes, or repeat the contractions."
            )
        sites = []
        for row, wanted, other in ((flexor, bent, straight), (extensor, straight, bent)):
            full = float(wanted[row])
            # The other movement's crosstalk must stay below the threshold.
            leak = max(float(other[row] - quiet[row]), 0.0) / max(full - float(quiet[row]), 1e-9)
            sites.append(Site(row, float(quiet[row]), full, min(max(0.15, 1.2 * leak), 0.8)))
        return cls(sites[0], sites[1], functions=functions)

    @property
    def function(self) -> str:
        """The function that is driven now."""
        return self.functions[self._active]

    def push(self, levels: ArrayLike, time_s: float) -> Command:
        """Take the newest level of every channel."""
        values: NDArray[np.float64] = np.asarray(levels, dtype=np.float64)
        flex = self.flexor.effort(float(values[self.flexor.row]))
        extend = self.extensor.effort(float(values[self.extensor.row]))
        if min(flex, extend) >= self._switch_effort:
            return self._both(time_s)
        if self._both_since_s is not None:
            # Until both let go nothing moves: the end of a switch is not a movement.
            if max(flex, extend) > 0:
                return Command(time_s, np.zeros(len(DOFS)))
            self._both_since_s, self._switched = None, False
        velocity = np.zeros(len(DOFS))
        velocity[DOFS.index(self.function)] = flex if flex >= extend else -extend
        return Command(time_s, velocity, self.function if velocity.any() else "")

    def reset(self) -> None:
        """Start a new stream, with the first function."""
        self._active, self._both_since_s, self._switched = 0, None, False

    def _both(self, time_s: float) -> Command:
        if self._both_since_s is None:
            self._both_since_s = time_s
        elif not self._switched and time_s - self._both_since_s >= self._switch_s:
            self._active = (self._active + 1) % len(self.functions)
            self._switched = True
        return Command(time_s, np.zeros(len(DOFS)))
