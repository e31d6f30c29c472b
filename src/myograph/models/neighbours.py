"""Nearest neighbours: the training windows themselves, and the distance to them."""

from __future__ import annotations

from typing import Any, Literal

import numba
import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.dial import choice, whole
from myograph.core.errors import ArtifactError, ParameterError
from myograph.models.base import MODELS, Classifier
from myograph.models.budget import spread_rows

__all__ = ["NearestNeighbours"]


@MODELS.register("knn")
class NearestNeighbours(Classifier):
    """The classes of the nearest training windows, as shares.

    Parameters
    ----------
    n_neighbours : int
        Fewer when there are fewer training windows.
    weights : str
        ``"uniform"``: every neighbour counts alike; ``"distance"``: by one over its distance.
    max_windows : int, optional
        Keep at most so many windows, spread evenly over classes and people: memory and time of
        every answer grow with them. None keeps all.

    References
    ----------
    cover1967

    Examples
    --------
    >>> model = NearestNeighbours(n_neighbours=1).fit([[0.0], [4.0]], ["rest", "fist"])
    >>> model.predict([[1.5], [2.5]]).tolist()
    ['rest', 'fist']
    """

    space = (
        whole("n_neighbours", 1, 60, log=True),
        choice("weights", "uniform", "distance"),
    )
    state = ("rows_", "code_")
    uses_groups = True

    rows_: NDArray[np.float64]
    code_: NDArray[np.intp]

    def __init__(
        self,
        *,
        n_neighbours: int = 5,
        weights: Literal["uniform", "distance"] = "uniform",
        max_windows: int | None = 5000,
    ) -> None:
        self.n_neighbours = n_neighbours
        self.weights = weights
        self.max_windows = max_windows

    @property
    def votes(self) -> int:
        """How many neighbours a fitted model asks."""
        return min(self.n_neighbours, len(self.rows_))

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        check_count(self.n_neighbours, name="n_neighbours")
        check_choice(self.weights, ("uniform", "distance"), name="weights")
        rows, self.notes_ = spread_rows(codes, people, most=self.max_windows)
        self.rows_, self.code_ = np.ascontiguousarray(X[rows]), codes[rows].astype(np.intp)

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        n = min(check_count(self.n_neighbours, name="n_neighbours"), len(self.rows_))
        out = np.zeros((len(X), len(self.classes_)))
        by_distance = self.weights == "distance"
        _count(np.ascontiguousarray(X), self.rows_, self.code_, n, by_distance, out)
        return out / out.sum(axis=1, keepdims=True)

    def _check_state(self) -> None:
        self._expect("rows_", len(self.rows_), self.n_features_in_)
        self._expect("code_", len(self.rows_), kind="i")
        if not (0 <= self.code_.min() <= self.code_.max() < len(self.classes_)):
            raise ArtifactError("A kept window of the nearest neighbours has no class.")
        try:
            check_count(self.n_neighbours, name="n_neighbours")
        except ParameterError as error:
            raise ArtifactError(str(error)) from error


@numba.njit(cache=True, nogil=True)
def _count(
    X: NDArray[np.float64],
    rows: NDArray[np.float64],
    code: NDArray[Any],
    n: int,
    by_distance: bool,  # noqa: FBT001 - compiled: by position
    out: NDArray[np.float64],
) -> None:
    """Add the classes of the ``n`` nearest rows to each row of ``out``; the earlier of equals."""
    for i in range(X.shape[0]):
        nearest = np.full(n, np.inf)
        which = np.zeros(n, dtype=np.int64)
        for j in range(rows.shape[0]):
            square = 0.0
            for k in range(X.shape[1]):
                square += (X[i, k] - rows[j, k]) ** 2
            at = n
            while at > 0 and square < nearest[at - 1]:
                at -= 1
            if at < n:
                nearest[at + 1 :] = nearest[at:-1].copy()
                which[at + 1 :] = which[at:-1].copy()
                nearest[at], which[at] = square, j
        for j in range(n):
            if not by_distance:
                out[i, code[which[j]]] += 1.0
            elif nearest[0] == 0.0:  # what lies on the row itself outweighs the rest
                out[i, code[which[j]]] += 1.0 if nearest[j] == 0.0 else 0.0
            else:
                out[i, code[which[j]]] += np.sqrt(nearest[0] / nearest[j])
