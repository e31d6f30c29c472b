"""What an explanation is made of: parts with what each contributed, and heat on a signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError

__all__ = ["Attribution", "Groups", "Heat", "gathered", "ranked"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each part contributed to a decision.

    Parameters
    ----------
    method : str
        How it was found.
    about : str
        What a part is: ``"muscle"``, ``"band"``, ``"feature"``, ``"feature family"``.
    names : tuple of str
    values : ndarray, shape (n_parts,)
        Above 0: it spoke for the class that is explained, or raised the estimate.
    unit : str
    error : ndarray, shape (n_parts,), optional
        Standard error, where values were sampled.
    base, total : float, optional
        The evidence with nothing and with everything there: the values of an additive method sum
        to their difference.
    note : str
        How to read it.

    Examples
    --------
    >>> found = Attribution(
    ...     "shap", "muscle", ("a", "b"), np.array([1.0, 2.0]), "log-odds", base=0.5, total=3.5
    ... )
    >>> found.gap
    0.0
    """

    method: str
    about: str
    names: tuple[str, ...]
    values: Array
    unit: str
    error: Array | None = None
    base: float | None = None
    total: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.names),):
            raise DataError(
                f"An attribution needs one value per part ({len(self.names)}); "
                f"got shape {self.values.shape}."
            )

    @property
    def gap(self) -> float | None:
        """How far the values miss the sum they should have; None if the method promises none."""
        if self.base is None or self.total is None:
            return None
        return float(self.values.sum() - (self.total - self.base))

    def strongest(self, n: int) -> list[tuple[str, float]]:
        """Return the parts with the largest values, whatever their sign."""
        order = np.argsort(-np.abs(self.values), kind="stable")[:n]
        return [(self.names[k], float(self.values[k])) for k in order]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "method": self.method,
            "about": self.about,
            "unit": self.unit,
            "values": dict(zip(self.names, self.values.tolist(), strict=True)),
            "standard_error": None
            if self.error is None
            else dict(zip(self.names, self.error.tolist(), strict=True)),
            "base": self.base,
            "total": self.total,
            "additivity_gap": self.gap,
            "note": self.note,
        }


@dataclass(frozen=True, eq=False)
class Heat:
    """What mattered, muscle by muscle and moment by moment.

    Parameters
    ----------
    method : str
    names : tuple of str
        Channels.
    edges_s : ndarray, shape (n_spans + 1,)
        Limits of the spans, on the clock of the recording.
    values : ndarray, shape (n_channels, n_spans)
    unit : str
    base, total : float, optional
        As in `Attribution`.
    note : str
    where : bool
        False where the method says when and not in which channel: all channels then have the same
        values.
    """

    method: str
    names: tuple[str, ...]
    edges_s: Array
    values: Array
    unit: str
    base: float | None = None
    total: float | None = None
    note: str = ""
    where: bool = True

    def __post_init__(self) -> None:
        expected = (len(self.names), len(self.edges_s) - 1)
        if self.values.shape != expected:
            raise DataError(f"Heat must have shape {expected}; got {self.values.shape}.")

    @property
    def gap(self) -> float | None:
        """How far the values miss the sum they should have; None if the method promises none."""
        if self.base is None or self.total is None:
            return None
        return float(self.values.sum() - (self.total - self.base))

    def strongest(self) -> tuple[str, float, float, float]:
        """Return channel, start, end and value of the cell that speaks loudest.

        The channel is empty where the method does not say in which.
        """
        row, column = np.unravel_index(np.abs(self.values).argmax(), self.values.shape)
        start_s, stop_s = self.edges_s[column : column + 2]
        value = float(self.values[row, column])
        name = self.names[int(row)] if self.where else ""
        return name, float(start_s), float(stop_s), value

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "method": self.method,
            "unit": self.unit,
            "channels": list(self.names),
            "says_where": self.where,
            "edges_s": self.edges_s.tolist(),
            "values": self.values.tolist(),
            "base": self.base,
            "total": self.total,
            "additivity_gap": self.gap,
            "note": self.note,
        }


@dataclass(frozen=True)
class Groups:
    """Columns that belong together; see `myograph.explain.parts`.

    Parameters
    ----------
    about : str
        What a group is.
    names : tuple of str
    owner : tuple of int
        The group of each column.
    """

    about: str
    names: tuple[str, ...]
    owner: tuple[int, ...]
    columns: tuple[tuple[int, ...], ...] = field(init=False)

    def __post_init__(self) -> None:
        owner = np.asarray(self.owner)
        found = tuple(
            tuple(int(c) for c in np.flatnonzero(owner == k)) for k in range(len(self.names))
        )
        object.__setattr__(self, "columns", found)


def gathered(found: Attribution, groups: Groups) -> Attribution:
    """Sum what the members of each group contributed; an additive method stays additive."""
    sums = np.array([found.values[list(members)].sum() for members in groups.columns])
    return Attribution(
        found.method,
        groups.about,
        groups.names,
        sums,
        found.unit,
        base=found.base,
        total=found.total,
        note=found.note,
    )


def ranked(values: Sequence[float] | Array) -> NDArray[np.intp]:
    """Return positions from the largest value to the smallest."""
    return np.argsort(-np.asarray(values, dtype=np.float64), kind="stable")
