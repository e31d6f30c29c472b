"""Which channels go on, in which order, and as differences of which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Channel, Layout
from myograph.core.recording import Recording
from myograph.core.step import Step, register_step
from myograph.signal.spatial import MONTAGES, SpatialFilter, bridges, spatial_filter

__all__ = ["Montage", "Select", "bridged_channels"]

_SHORT = {"laplacian": "lap", "inverse-binomial": "ib2", "common-average": "car"}


@register_step("select")
@dataclass(frozen=True)
class Select(Step):
    """Keep the channels with these names, in their order, or of these kinds.

    Parameters
    ----------
    names : tuple of str
        Channel names; they decide the order of the rows.
    kinds : tuple of str
        Channel kinds. Give names or kinds, not both.

    Examples
    --------
    >>> Select(kinds=("semg",)).parameters()
    {'names': (), 'kinds': ('semg',)}
    """

    names: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("names", "kinds"):
            value = getattr(self, field)
            if isinstance(value, str):
                raise ParameterError(
                    f"{field} of step 'select' must be a list of texts; got {value!r}."
                )
            object.__setattr__(self, field, tuple(value))
        if bool(self.names) == bool(self.kinds):
            raise ParameterError(
                "Step 'select' needs either names or kinds; "
                f"got names={self.names!r} and kinds={self.kinds!r}."
            )
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name="kinds of step 'select'")

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout of the chosen channels."""
        return layout.take(self._rows(layout))

    def start(self, layout: Layout) -> _Selection:
        """Find the channels in ``layout``."""
        return _Selection(list(self._rows(layout)), layout.n_channels)

    def _rows(self, layout: Layout) -> tuple[int, ...]:
        rows = layout.rows(names=self.names, kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step 'select' found no channel of kinds {list(self.kinds)}; there are {present}."
            )
        return rows


class _Selection:
    __slots__ = ("_n_channels", "_rows")

    def __init__(self, rows: list[int], n_channels: int) -> None:
        self._rows = None if rows == list(range(n_channels)) else rows
        self._n_channels = n_channels

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chosen rows of the chunk; the chunk itself where they are all of them."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        return chunk if self._rows is None else chunk[self._rows]


@register_step("montage")
@dataclass(frozen=True)
class Montage(Step):
    """Turn monopolar electrodes into the channels of a montage.

    The new channels come first, in the order of their places on the grid (across, then along, for
    ``along="y"``), and channels of other kinds after them, unchanged. Neighbours are found from
    ``Channel.position_mm``; a channel whose neighbour is missing is left out.

    Parameters
    ----------
    montage : str
        One of `myograph.signal.spatial.MONTAGES`. Differences keep the gain of their mask
        (disselhorst1997): a Laplacian is four times the centre minus its four neighbours.
    along : {"x", "y"}
        Direction of the muscle fibres in ``position_mm``.
    kinds : tuple of str
        Kinds of the channels that are electrodes of the montage.

    Examples
    --------
    >>> a, b = (Channel(n, kind="hdemg", position_mm=(x, 0, 0)) for n, x in (("a", 0), ("b", 8)))
    >>> Montage("single-differential").output_layout(Layout(2000.0, (a, b))).names
    ('a-b',)
    """

    montage: str
    along: str = "x"
    kinds: tuple[str, ...] = ("hdemg", "semg")

    def __post_init__(self) -> None:
        check_choice(self.montage, MONTAGES, name="montage")
        check_choice(self.along, ("x", "y"), name="along of step 'montage'")
        if isinstance(self.kinds, str) or not self.kinds:
            raise ParameterError(
                f"kinds of step 'montage' must list at least one channel kind; got {self.kinds!r}."
            )
        object.__setattr__(self, "kinds", tuple(self.kinds))
        for kind in self.kinds:
            check_choice(kind, KIND_UNITS, name="kinds of step 'montage'")

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout of the new channels, then of those of other kinds."""
        rows = self._rows(layout)
        electrodes = [layout.channels[row] for row in rows]
        made = self._filter(electrodes)
        channels = [
            _derived(self.montage, [electrodes[i] for i in members], position)
            for members, position in zip(made.members, made.positions_mm, strict=True)
        ]
        others = [c for i, c in enumerate(layout.channels) if i not in set(rows)]
        return replace(layout, channels=(*channels, *others))

    def start(self, layout: Layout) -> _Mixing:
        """Build the matrix for ``layout``."""
        rows = self._rows(layout)
        others = [i for i in range(layout.n_channels) if i not in set(rows)]
        made = self._filter([layout.channels[row] for row in rows])
        return _Mixing(list(rows), others, made)

    def _rows(self, layout: Layout) -> tuple[int, ...]:
        rows = layout.rows(kinds=self.kinds)
        if not rows:
            present = sorted({channel.kind for channel in layout.channels})
            raise LayoutError(
                f"Step 'montage' takes channels of kinds {list(self.kinds)}; there are only "
                f"{present}."
            )
        units = {layout.channels[row].unit for row in rows}
        if len(units) > 1:
            raise LayoutError(
                f"Step 'montage' takes differences of channels, and they are in {sorted(units)}: "
                "bring them to one unit first."
            )
        return rows

    def _filter(self, electrodes: Sequence[Channel]) -> SpatialFilter:
        unknown = [c.name for c in electrodes if c.position_mm is None]
        if unknown and MONTAGES[self.montage] is not None:
            raise LayoutError(
                f"Montage {self.montage!r} needs to know where the electrodes are, and position_mm "
                f"of {unknown} is not set; set it (x along the fibres, y across, millimetres)."
            )
        known = [c.position_mm for c in electrodes if c.position_mm is not None]
        positions = None if unknown else known
        return spatial_filter(self.montage, len(electrodes), positions, along=self.along)


def bridged_channels(
    recording: Recording, *, kinds: tuple[str, ...] = ("hdemg",)
) -> tuple[tuple[str, str], ...]:
    """Name the neighbouring electrodes that gel has joined; look before a montage is made.

    Parameters
    ----------
    recording : Recording
        Monopolar, with positions; cleaned of drift, which all electrodes may share.
    kinds : tuple of str
        Kinds of the channels that are electrodes.

    Returns
    -------
    tuple of pairs of str
        See `myograph.signal.spatial.bridges` for the rule.

    Raises
    ------
    LayoutError
        If no channel is of ``kinds``, or positions are missing or lie on no grid.
    """
    rows = recording.layout.rows(kinds=kinds)
    electrodes = [recording.layout.channels[row] for row in rows]
    known = [c.position_mm for c in electrodes if c.position_mm is not None]
    if not rows or len(known) < len(electrodes):
        raise LayoutError(
            f"Bridges are looked for between channels of kinds {list(kinds)} with position_mm; "
            f"{recording!r} has {len(electrodes)} such channels, {len(known)} with a position."
        )
    found = bridges(recording.samples[list(rows)], known)
    return tuple((electrodes[b.first].name, electrodes[b.second].name) for b in found)


class _Mixing:
    __slots__ = ("_filter", "_others", "_rows")

    def __init__(self, rows: list[int], others: list[int], made: SpatialFilter) -> None:
        self._rows, self._others, self._filter = rows, others, made

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the new channels of the chunk, then those of other kinds."""
        n_channels = len(self._rows) + len(self._others)
        if chunk.ndim != 2 or len(chunk) != n_channels:
            raise LayoutError(
                f"A chunk must be ({n_channels} channels, n_new); got shape {chunk.shape}."
            )
        mixed = self._filter.apply(chunk[self._rows])
        return np.concatenate([mixed, chunk[self._others].astype(np.float32, copy=False)])


def _derived(montage: str, electrodes: list[Channel], position: NDArray[np.float64]) -> Channel:
    """Describe a new channel: named by its electrodes, and of their muscle where they agree."""
    first = electrodes[0]
    names = [c.name for c in electrodes]
    if montage in _SHORT:
        name = f"{_SHORT[montage]}({first.name})"
    elif montage == "double-differential":
        name = f"{names[0]}-2*{names[1]}+{names[2]}"
    else:
        name = "-".join(names)
    x, y, z = (float(value) for value in position)
    return replace(
        first,
        name=name,
        muscle=first.muscle if len({c.muscle for c in electrodes}) == 1 else "",
        side=first.side if len({c.side for c in electrodes}) == 1 else "",
        position_mm=None if np.isnan(position).any() else (x, y, z),
    )
