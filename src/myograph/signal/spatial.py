"""Spatial filters over electrodes with positions: what one looks at instead of single electrodes.

A filter is a matrix: rows are the new channels, columns the electrodes. It is built from where the
electrodes are, so a missing electrode costs only the channels that need it, and electrodes that lie
on no grid are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice, check_positive
from myograph.core.errors import DataError, LayoutError, ParameterError

__all__ = ["MONTAGES", "Bridge", "Grid", "SpatialFilter", "bridges", "spatial_filter"]

# Weights by grid step (along, across) from the centre.
_SINGLE = {(0, 0): 1.0, (1, 0): -1.0}
_DOUBLE = {(-1, 0): 1.0, (0, 0): -2.0, (1, 0): 1.0}
_LAPLACE = {(0, 0): 4.0, (1, 0): -1.0, (-1, 0): -1.0, (0, 1): -1.0, (0, -1): -1.0}
_BINOMIAL = {
    (a, c): 12.0 if a == c == 0 else -2.0 if a * c == 0 else -1.0
    for a in (-1, 0, 1)
    for c in (-1, 0, 1)
}

#: Montages and their masks on the grid (disselhorst1997); those without a mask need no grid.
MONTAGES: Mapping[str, Mapping[tuple[int, int], float] | None] = MappingProxyType(
    {
        "monopolar": None,
        "common-average": None,
        "single-differential": _SINGLE,
        "double-differential": _DOUBLE,
        "laplacian": _LAPLACE,
        "inverse-binomial": _BINOMIAL,
    }
)

# An electrode may lie this share of the pitch off its place on the grid.
_OFF_GRID = 0.2
# Electrodes of one row may differ by this share of the distance to a neighbour, one to the next.
_SAME_ROW = 0.3


@dataclass(frozen=True, slots=True)
class Grid:
    """Electrodes as places on a rectangular grid, some of which may be empty.

    Parameters
    ----------
    places : ndarray of int, shape (n_electrodes, 2)
        Steps along and across, from 0.
    pitch_mm : tuple of 2 floats
        Length of a step along and across; infinite in a direction that has one row only.
    """

    places: NDArray[np.int64]
    pitch_mm: tuple[float, float]

    @classmethod
    def of(cls, positions_mm: ArrayLike) -> Grid:
        """Find the grid that electrodes lie on.

        Parameters
        ----------
        positions_mm : array, shape (n_electrodes, 3)
            x along the fibres, y across; z is not looked at.

        Raises
        ------
        LayoutError
            If they lie on no grid, or two lie on one place.

        Examples
        --------
        >>> Grid.of([(0, 0, 0), (8, 0, 0), (8, 4, 0)]).places.tolist()
        [[0, 0], [1, 0], [1, 1]]
        """
        positions = np.asarray(positions_mm, dtype=np.float64)
        if positions.ndim != 2 or positions.shape[1] != 3 or not np.isfinite(positions).all():
            raise LayoutError(
                "positions_mm must be (n_electrodes, 3) finite millimetres; "
                f"got shape {positions.shape}."
            )
        near_mm = _nearest_mm(positions)
        columns = [_steps(positions[:, axis], "xy"[axis], near_mm=near_mm) for axis in (0, 1)]
        places = np.stack([steps for steps, _ in columns], axis=1)
        if len(np.unique(places, axis=0)) < len(places):
            raise LayoutError(
                "Two electrodes lie on one place of the grid; check their positions (x along the "
                "fibres, y across, millimetres)."
            )
        return cls(places, (columns[0][1], columns[1][1]))

    def at(self) -> dict[tuple[int, int], int]:
        """Return the electrode at each place that has one."""
        return {(int(a), int(c)): i for i, (a, c) in enumerate(self.places)}


@dataclass(frozen=True, slots=True)
class SpatialFilter:
    """A spatial filter.

    Parameters
    ----------
    weights : ndarray, shape (n_out, n_electrodes)
        New channels as sums of electrodes.
    positions_mm : ndarray, shape (n_out, 3)
        Where each new channel looks: the mean of its electrodes, each by the size of its weight.
        NaN where positions were not known.
    members : tuple of tuples of int
        Electrodes of each new channel, the centre (or first) one first.
    """

    weights: NDArray[np.float64]
    positions_mm: NDArray[np.float64]
    members: tuple[tuple[int, ...], ...]

    def apply(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the new channels, shape (n_out, n_samples).

        Electrode by electrode, so that a sample comes out the same however the signal is cut.
        """
        out = np.zeros((len(self.weights), samples.shape[1]))
        for column, row in zip(self.weights.T, samples, strict=True):
            used = np.flatnonzero(column)
            out[used] += column[used, None] * row
        return out.astype(np.float32)


def spatial_filter(
    montage: str, n_electrodes: int, positions_mm: ArrayLike | None = None, *, along: str = "x"
) -> SpatialFilter:
    """Build the matrix of a montage.

    Parameters
    ----------
    montage : str
        One of `MONTAGES`. Differences are this electrode minus the next one along the fibres.
    n_electrodes : int
    positions_mm : array, shape (n_electrodes, 3), optional
        Needed by every montage with neighbours.
    along : {"x", "y"}
        Direction of the fibres, for the differential montages.

    Raises
    ------
    LayoutError
        If positions are missing or lie on no grid, or no electrode has the neighbours it takes.

    Examples
    --------
    >>> line = [(0, 0, 0), (5, 0, 0), (10, 0, 0)]
    >>> spatial_filter("single-differential", 3, line).weights.tolist()
    [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
    """
    mask = MONTAGES[check_choice(montage, MONTAGES, name="montage")]
    check_choice(along, ("x", "y"), name="along")
    if mask is None:
        return _gridless(montage, n_electrodes, positions_mm)
    if positions_mm is None:
        raise LayoutError(
            f"Montage {montage!r} needs to know where the electrodes are; give every channel its "
            "position_mm (x along the fibres, y across, millimetres)."
        )
    positions = np.asarray(positions_mm, dtype=np.float64)
    grid = Grid.of(positions)
    at = grid.at()
    rows, members = [], []
    for place in sorted(at):
        needed = {_moved(place, step, along): weight for step, weight in mask.items()}
        if all(neighbour in at for neighbour in needed):
            row = np.zeros(n_electrodes)
            for neighbour, weight in needed.items():
                row[at[neighbour]] = weight
            rows.append(row)
            members.append(tuple(at[neighbour] for neighbour in needed))
    if not rows:
        raise LayoutError(
            f"Montage {montage!r} finds no electrode with all the neighbours it takes "
            f"({len(mask) - 1} of them) among {n_electrodes} electrodes on a grid of "
            f"{grid.places[:, 0].max() + 1} x {grid.places[:, 1].max() + 1} places; choose a "
            "montage with fewer neighbours, or check the positions."
        )
    weights = np.array(rows)
    sizes = np.abs(weights)
    return SpatialFilter(weights, sizes @ positions / sizes.sum(axis=1)[:, None], tuple(members))


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two electrodes joined by gel: their difference has next to no power.

    Parameters
    ----------
    first, second : int
    share : float
        Power of their difference over the median of all neighbours' differences.
    """

    first: int
    second: int
    share: float


def bridges(
    samples: NDArray[np.floating], positions_mm: ArrayLike, *, share: float = 0.02
) -> tuple[Bridge, ...]:
    """Find neighbouring electrodes that record the same potential (tenke2001).

    Parameters
    ----------
    samples : ndarray, shape (n_electrodes, n_samples)
        Monopolar, of one reference.
    positions_mm : array, shape (n_electrodes, 3)
    share : float
        A bridge's difference has less than this share of the median power of the differences
        between neighbours.

    Notes
    -----
    The comparison is with the other neighbours, so at most half of them may be bridged; a grid
    that is bridged all over is caught by the correlation of its channels
    (`myograph.signal.defects.similar_channels`).

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((4, 1000))
    >>> x[2] = x[1]
    >>> [(b.first, b.second) for b in bridges(x, [(8 * i, 0, 0) for i in range(4)])]
    [(1, 2)]
    """
    check_positive(share, name="share")
    x = np.asarray(samples, dtype=np.float64)
    at = Grid.of(positions_mm).at()
    if x.ndim != 2 or len(x) != len(at):
        raise DataError(f"{len(at)} positions need as many channels; got shape {x.shape}.")
    pairs = [
        (i, at[neighbour])
        for place, i in at.items()
        for step in ((1, 0), (0, 1))
        if (neighbour := _moved(place, step, "x")) in at
    ]
    if len(pairs) < 2:
        raise ParameterError(
            f"Bridges are found by comparing neighbours; there are {len(pairs)} pairs of them."
        )
    power = np.array([np.var(x[i] - x[j]) for i, j in pairs])
    usual = float(np.median(power))
    if usual == 0:
        raise DataError("More than half of the neighbours record the same: no difference is usual.")
    return tuple(
        Bridge(min(i, j), max(i, j), float(p / usual))
        for (i, j), p in zip(pairs, power, strict=True)
        if p < share * usual
    )


def _gridless(montage: str, n: int, positions_mm: ArrayLike | None) -> SpatialFilter:
    """Return a montage that needs no neighbours."""
    weights = np.eye(n)
    if montage == "common-average":
        if n < 2:
            raise LayoutError("The common average needs at least 2 electrodes; got 1.")
        weights -= 1 / n
    where = np.full((n, 3), np.nan)
    if positions_mm is not None:
        where = np.asarray(positions_mm, dtype=np.float64)
    return SpatialFilter(weights, where, tuple((i,) for i in range(n)))


def _moved(place: tuple[int, int], step: tuple[int, int], along: str) -> tuple[int, int]:
    a, c = step if along == "x" else step[::-1]
    return place[0] + a, place[1] + c


def _steps(
    values: NDArray[np.float64], axis: str, *, near_mm: float
) -> tuple[NDArray[np.int64], float]:
    """Return each value as a number of steps from the first row, and the step."""
    order = np.argsort(values)
    # A wider gap than electrodes of one row show begins the next row.
    breaks = np.diff(values[order]) > _SAME_ROW * near_mm
    if not breaks.any():
        return np.zeros(len(values), dtype=np.int64), float("inf")
    rows = np.empty(len(values), dtype=np.int64)
    rows[order] = np.concatenate([[0], np.cumsum(breaks)])
    centres = np.array([values[rows == row].mean() for row in range(rows.max() + 1)])
    pitch = float(np.diff(centres).min())
    steps = np.rint((centres - centres[0]) / pitch)
    pitch, first = np.polyfit(steps, centres, 1) if len(centres) > 2 else (pitch, centres[0])
    off = np.abs(values - first - pitch * steps[rows])
    if off.max() > _OFF_GRID * pitch:
        worst = int(off.argmax())
        raise LayoutError(
            f"The electrodes lie on no grid: with a pitch of {pitch:.3g} mm along {axis}, "
            f"electrode {worst} at {values[worst]:g} mm is {off[worst]:.2g} mm off its place. "
            "Montages with neighbours need a grid; positions_mm are millimetres, x along the "
            "fibres, y across."
        )
    return steps[rows].astype(np.int64), float(pitch)


def _nearest_mm(positions: NDArray[np.float64]) -> float:
    """Return how far the nearest neighbour usually is, in the plane."""
    if len(positions) < 2:
        return 1.0
    flat = positions[:, :2]
    apart = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    np.fill_diagonal(apart, np.inf)
    return float(np.median(apart.min(axis=1)))
