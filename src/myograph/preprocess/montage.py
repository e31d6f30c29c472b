"""Which channels go on, and in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import KIND_UNITS, Layout
from myograph.core.step import Step, register_step

__all__ = ["Select"]


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
        self._rows = rows
        self._n_channels = n_channels

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the chosen rows of the chunk."""
        if chunk.ndim != 2 or len(chunk) != self._n_channels:
            raise LayoutError(
                f"A chunk must be ({self._n_channels} channels, n_new); got shape {chunk.shape}."
            )
        return chunk[self._rows]
