"""Signature: what a person's movements look like, kept from one day to the next and compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, FormatError, LayoutError
from myograph.core.layout import Layout
from myograph.core.table import FeatureTable
from myograph.stream.separability import pooled, spread_out

__all__ = ["Comparison", "Signature"]

Floats = NDArray[np.float64]
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one signature differs from an earlier one of the same person.

    Parameters
    ----------
    moved : dict of str to float
        For each movement, the distance from its earlier mean, in standard deviations (Mahalanobis,
        per feature).
    nearest : dict of str to str
        Which earlier movement each one looks most like now.
    turned_channels : int
        Turning the band by so many electrodes makes the two most alike; positive when what was
        under electrode 1 is now under electrode 2.
    louder : float
        Ratio of levels, new to earlier.
    """

    moved: dict[str, float]
    nearest: dict[str, str]
    turned_channels: int
    louder: float

    @property
    def confused(self) -> tuple[str, ...]:
        """Movements that now look more like another one did."""
        return tuple(name for name, near in self.nearest.items() if near != name)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "moved": dict(self.moved),
            "nearest": dict(self.nearest),
            "turned_channels": self.turned_channels,
            "louder": self.louder,
        }


@dataclass(frozen=True, eq=False)
class Signature:
    """Means and spread of a person's movements, over features; no samples are kept.

    Parameters
    ----------
    subject : str
        Pseudonym.
    made : str
        When, as the caller words it (an ISO date); nothing here reads a clock.
    movements, features : tuple of str
    means : ndarray, shape (n_movements, n_features)
        Of logarithms of amplitudes, else of the features themselves.
    spread : ndarray, shape (n_features, n_features)
        Covariance around the means.
    levels : ndarray, shape (n_movements, n_channels)
        Mean absolute value under each electrode, in the unit of the signal.
    layout : Layout
    """

    subject: str
    made: str
    movements: tuple[str, ...]
    features: tuple[str, ...]
    means: Floats
    spread: Floats
    levels: Floats
    layout: Layout

    @classmethod
    def of(
        cls, table: FeatureTable, levels: Mapping[str, Floats], *, subject: str, made: str
    ) -> Self:
        """Measure a calibration.

        Parameters
        ----------
        table : FeatureTable
            Of all movements.
        levels : mapping of str to ndarray, shape (n_channels,)
            Mean absolute value in each movement.
        subject, made : str
        """
        label = table.index.label.astype(str)
        movements = tuple(sorted(set(label)))
        missing = set(movements) - set(levels)
        if missing:
            raise DataError(f"The levels of {sorted(missing)} are missing.")
        values = spread_out(table.values)
        means = np.array([values[label == name].mean(axis=0) for name in movements])
        centred = values - means[np.searchsorted(movements, label)]
        return cls(
            subject,
            made,
            movements,
            table.names,
            means,
            pooled(centred),
            np.array([levels[name] for name in movements]),
            table.layout,
        )

    def compare(self, earlier: Signature) -> Comparison:
        """Say how this one differs from an ``earlier`` one.

        Raises
        ------
        LayoutError
            If they were not recorded alike, or not measured alike.
        """
        wrong = self.layout.differences(earlier.layout)
        if not wrong and self.features != earlier.features:
            wrong = ("Their features are not the same.",)
        if wrong:
            raise LayoutError("These signatures cannot be compared. " + " ".join(wrong))
        shared = [name for name in self.movements if name in earlier.movements]
        if not shared:
            raise DataError(
                f"They share no movement: {list(self.movements)} and {list(earlier.movements)}."
            )
        inverse = np.linalg.inv(earlier.spread)
        moved, nearest = {}, {}
        for name in shared:
            apart = earlier.means - self.means[self.movements.index(name)]
            far = np.sqrt(np.maximum(np.einsum("ai,ij,aj->a", apart, inverse, apart), 0))
            far = far / np.sqrt(len(self.features))
            moved[name] = float(far[earlier.movements.index(name)])
            nearest[name] = earlier.movements[int(far.argmin())]
        mine = np.array([self.levels[self.movements.index(name)] for name in shared])
        theirs = np.array([earlier.levels[earlier.movements.index(name)] for name in shared])
        return Comparison(moved, nearest, _turn(mine, theirs), float(mine.mean() / theirs.mean()))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "format": _FORMAT,
            "subject": self.subject,
            "made": self.made,
            "movements": list(self.movements),
            "features": list(self.features),
            "means": self.means.tolist(),
            "spread": self.spread.tolist(),
            "levels": self.levels.tolist(),
            "layout": self.layout.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a signature from what `to_dict` gave.

        Raises
        ------
        FormatError
            If something is missing or does not fit together.
        """
        try:
            if data["format"] != _FORMAT:
                raise FormatError(f"A signature of format {data['format']!r} is not known here.")
            made = cls(
                str(data["subject"]),
                str(data["made"]),
                tuple(data["movements"]),
                tuple(data["features"]),
                np.array(data["means"], dtype=np.float64),
                np.array(data["spread"], dtype=np.float64),
                np.array(data["levels"], dtype=np.float64),
                Layout.from_dict(data["layout"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"This is not a signature: {error!r}.") from error
        size = len(made.movements), len(made.features)
        fits = made.means.shape == size and made.spread.shape == (size[1], size[1])
        if not fits or made.levels.shape != (size[0], made.layout.n_channels):
            raise FormatError("The parts of this signature do not fit together; it is damaged.")
        return made

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a signature from a JSON file."""
        try:
            return cls.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from error
        except json.JSONDecodeError as error:
            raise FormatError(f"{path} is damaged: it is not JSON ({error}).") from error


def _turn(mine: Floats, theirs: Floats) -> int:
    """Return by how many electrodes the pattern of levels was turned around the arm."""
    number = mine.shape[1]

    def alike(shift: int) -> float:
        turned = np.log(np.roll(theirs, shift, axis=1) + 1e-9).ravel()
        return float(np.corrcoef(np.log(mine + 1e-9).ravel(), turned)[0, 1])

    half = number // 2
    shifts = sorted(range(-half + (number % 2 == 0), half + 1), key=abs)
    return max(shifts, key=alike) if number > 2 else 0
