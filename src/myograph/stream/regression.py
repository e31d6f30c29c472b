"""Regression: several degrees of freedom at once, each in proportion, from one linear map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive, unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.stream.control import DOFS, MOVEMENTS, Command, movement_vector
from myograph.stream.onset_gate import OnsetGate

__all__ = ["SimultaneousControl", "ValueControl", "ValueMove", "movement_targets"]

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
    gate : OnsetGate, optional
        Lets nothing move until the largest value is clearly there.

    Examples
    --------
    >>> import numpy as np
    >>> levels = np.abs(np.random.default_rng(0).normal(size=(200, 4)))
    >>> control = SimultaneousControl(alpha=1e-6).fit(levels, levels @ np.ones((4, 5)) / 10)
    >>> abs(control.push(levels[0], 0.0).velocity - levels[0].sum() / 10).max() < 0.05
    np.True_
    """

    def __init__(
        self, *, alpha: float = 0.01, dead_band: float = 0.05, gate: OnsetGate | None = None
    ) -> None:
        self.alpha = check_positive(alpha, name="alpha")
        self.dead_band = float(dead_band)
        self._gate = gate
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
        if self._gate is not None and not self._gate.push(float(np.abs(values).max())):
            return Command(time_s, np.zeros(len(DOFS)), reason="idle")
        values[np.abs(values) < self.dead_band] = 0.0
        return Command(time_s, values)

    def reset(self) -> None:
        """Close the gate; nothing else is remembered."""
        if self._gate is not None:
            self._gate.reset()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMove:
    """What one estimated value moves.

    Parameters
    ----------
    dof : str
        One of `myograph.stream.control.DOFS`.
    still, full : float
        The value at which nothing moves, and the one that asks for full speed; in its unit.
    both_ways : bool
        Whether values on the other side of ``still`` move it back; a force has none.
    """

    dof: str
    still: float
    full: float
    both_ways: bool = False

    def __post_init__(self) -> None:
        if self.dof not in DOFS:
            raise ParameterError(unknown_name(self.dof, DOFS, what="degree of freedom"))
        if not (np.isfinite([self.still, self.full]).all() and self.still != self.full):
            raise ParameterError(
                f"still and full must be finite and differ; got {self.still!r} and {self.full!r}."
            )

    def speed(self, value: float) -> float:
        """Return the share of full speed that a value asks for."""
        asked = (value - self.still) / (self.full - self.still)
        return float(np.clip(asked, -1.0 if self.both_ways else 0.0, 1.0))


class ValueControl:
    """Proportional control by what a regression estimates: a grasp force, the angle of a joint.

    Parameters
    ----------
    moves : sequence of ValueMove
        One for each value of the answers, in their order.
    dead_band : float
        Speeds below it are nothing, from 0 to below 1.

    Examples
    --------
    >>> control = ValueControl([ValueMove(dof="power", still=5.0, full=85.0)])
    >>> control.push([45.0], 0.2).velocity.tolist()
    [0.5, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, moves: Sequence[ValueMove], *, dead_band: float = 0.05) -> None:
        if not 0 <= dead_band < 1:
            raise ParameterError(f"dead_band must be from 0 to below 1; got {dead_band!r}.")
        dofs = [move.dof for move in moves]
        if not dofs or len(set(dofs)) != len(dofs):
            raise ParameterError(f"Every value must move a degree of its own; got {dofs}.")
        self._moves, self._dead_band = tuple(moves), float(dead_band)

    def push(self, levels: ArrayLike, time_s: float) -> Command:
        """Take the newest values and return what moves, and how fast."""
        values = np.asarray(levels, dtype=np.float64)
        if values.shape != (len(self._moves),) or not np.isfinite(values).all():
            raise DataError(f"{len(self._moves)} finite values are needed; got {values}.")
        velocity = np.zeros(len(DOFS))
        for move, value in zip(self._moves, values, strict=True):
            velocity[DOFS.index(move.dof)] = move.speed(value)
        velocity[np.abs(velocity) < self._dead_band] = 0.0
        return Command(time_s, velocity)

    def reset(self) -> None:
        """Nothing is remembered."""


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
