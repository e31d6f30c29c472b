"""Scaling features to mean 0 and deviation 1, over training windows or over one person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError

__all__ = ["Scaler", "scale_people"]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and standard deviation of each feature.

    Parameters
    ----------
    centre, spread : ndarray, shape (n_features,)
        In the units of the features; a feature that never varied has a spread of 1.

    Examples
    --------
    >>> import numpy as np
    >>> Scaler.of(np.array([[1.0, 5.0], [3.0, 5.0]])).apply(np.array([[2.0, 6.0]])).tolist()
    [[0.0, 1.0]]
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Self:
        """Measure ``values`` (n_windows, n_features)."""
        centre, spread = values.mean(axis=0), values.std(axis=0)
        # Rounding alone gives a constant feature a tiny deviation; dividing by it would shout. The
        # range tells, for the deviation holds the rounding of a long sum.
        tolerance = 10 * np.finfo(np.float64).eps * np.abs(values).max(axis=0)
        constant = np.ptp(values, axis=0) <= tolerance
        return cls(centre, np.where(constant, 1.0, spread))

    def apply(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scaled ``values``."""
        return (values - self.centre) / self.spread


def scale_people(values: NDArray[np.float64], people: NDArray[np.str_]) -> NDArray[np.float64]:
    """Scale each person's windows by that person's own mean and deviation; no label is used.

    Parameters
    ----------
    values : ndarray, shape (n_windows, n_features)
    people : ndarray of str, shape (n_windows,)

    Raises
    ------
    DataError
        If a window's person is unknown.
    """
    if (people == "").any():
        raise DataError(
            f"scaling='person' needs to know whose each window is; {int((people == '').sum())} "
            "windows have no subject. Name the subjects, or use scaling='standard'."
        )
    scaled = np.empty_like(values)
    names, owner = np.unique(people, return_inverse=True)
    for number in range(len(names)):
        rows = owner == number
        scaled[rows] = Scaler.of(values[rows]).apply(values[rows])
    return scaled
