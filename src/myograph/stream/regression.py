"""Regression: several degrees of freedom at once, each in proportion, from one linear map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.errors import ArtifactError, DataError
from myograph.stream.control import DOFS, MOVEMENTS, Command, movement_vector

__all__ = ["SimultaneousControl", "movement_targets"]

Floats = NDArray[np.float64]


def movement_targets(labels: Sequence[str], efforts: ArrayLike) -> Floats:
    """Return what each labelled moment of single movements asks of every degree of freedom.

    Parameters
    ----------
    labels : sequence of str
        Of `myograph.stream.control.MOVEMENTS`.
    efforts : array, shape (n_moments,)
        0 to 1.

    Returns
    -------
    ndarray, shape (n_moments, 5)
    """
    directions = np.array([movement_vector(label, MOVEMENTS) for label in labels])
    return np.asarray(directions * np.asarray(efforts, dtype=np.float64)[:, np.newaxis])


class SimultaneousControl:
    """Ridge regression from levels of channels to velocities [hahne2014]_.

    Levels enter as they are and as square roots, scaled by the training moments; the map is
    linear in these. Trained on single movements, it adds them up when they are made together.

    Parameters
    ----------
    alpha : float
        Ridge penalty, per moment.
    dead_band : float
        Values below it are nothing.

    Examples
    --------
    >>> import numpy as np
    >>> levels = np.abs(np.random.default_rng(0).normal(size=(200, 4)))
    >>> control = SimultaneousControl(alpha=1e-6).fit(levels, levels @ np.ones((4, 5)) / 10)
    >>> abs(control.push(levels[0], 0.0).velocity - levels[0].sum() / 10).max() < 0.05
    np.True_
    """

    def __init__(self, *, alpha: float = 0.01, dead_band: float = 0.05) -> None:
        self.alpha = check_positive(alpha, name="alpha")
        self.dead_band = float(dead_band)
        self._weights: Floats | None = None

    def fit(self, levels: ArrayLike, targets: ArrayLike) -> Self:
        """Learn from levels (n_moments, n_channels) and targets (n_moments, 5)."""
        given, wanted = _pair(levels, targets)
        expanded = _expand(given)
        self._centre = expanded.mean(axis=0)
        spread = expanded.std(axis=0)
        self._spread = np.where(spread > 1e-12, spread, 1.0)
        scaled = (expanded - self._centre) / self._spread
        self._offset = wanted.mean(axis=0)
        gram = scaled.T @ scaled / len(scaled) + self.alpha * np.eye(scaled.shape[1])
        cross = scaled.T @ (wanted - self._offset) / len(scaled)
        self._weights = np.linalg.solve(gram, cross)
        return self

    def estimate(self, levels: ArrayLike) -> Floats:
        """Return velocities (n_moments, 5) before dead band and limits."""
        if self._weights is None:
            raise DataError("This controller has not learned anything yet; call fit first.")
        expanded = _expand(np.atleast_2d(np.asarray(levels, dtype=np.float64)))
        if expanded.shape[1] != len(self._centre):
            raise DataError(
                f"It learned from {len(self._centre) // 2} channels; got {expanded.shape[1] // 2}."
            )
        values: Floats = (expanded - self._centre) / self._spread @ self._weights + self._offset
        return values

    def push(self, levels: ArrayLike, time_s: float) -> Command:
        """Take the newest level of every channel and return what moves, and how fast."""
        values = np.clip(self.estimate(levels)[0], -1.0, 1.0)
        values[np.abs(values) < self.dead_band] = 0.0
        return Command(time_s, values)

    def reset(self) -> None:
        """Nothing is remembered."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned."""
        if self._weights is None:
            raise DataError("This controller has not learned anything yet; call fit first.")
        return {
            "weights": self._weights,
            "centre": self._centre,
            "spread": self._spread,
            "offset": self._offset,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, dead_band: float = 0.05) -> Self:
        """Rebuild from what `to_arrays` gave."""
        rebuilt = cls(dead_band=dead_band)
        names = {"weights", "centre", "spread", "offset"}
        if set(arrays) != names:
            raise ArtifactError(f"It is rebuilt from {sorted(names)}; got {sorted(arrays)}.")
        rebuilt._weights = np.asarray(arrays["weights"], dtype=np.float64)
        rebuilt._centre, rebuilt._spread, rebuilt._offset = (
            np.asarray(arrays[name], dtype=np.float64) for name in ("centre", "spread", "offset")
        )
        shape = (len(rebuilt._centre), len(DOFS))
        if rebuilt._weights.shape != shape:
            raise ArtifactError(f"weights must have shape {shape}; got {rebuilt._weights.shape}.")
        return rebuilt


def _expand(levels: Floats) -> Floats:
    return np.concatenate([levels, np.sqrt(np.abs(levels))], axis=1)


def _pair(levels: ArrayLike, targets: ArrayLike) -> tuple[Floats, Floats]:
    given = np.asarray(levels, dtype=np.float64)
    wanted = np.asarray(targets, dtype=np.float64)
    if given.ndim != 2 or wanted.shape != (len(given), len(DOFS)):
        raise DataError(
            f"Levels (n_moments, n_channels) need targets (n_moments, {len(DOFS)}); got "
            f"{given.shape} and {wanted.shape}."
        )
    if not (np.isfinite(given).all() and np.isfinite(wanted).all()):
        raise DataError("Levels and targets must be finite.")
    return given, wanted
