"""Muscles (or bands) window by window: the evidence shared out in time as well, exactly.

The evidence of a stretch is the mean of that of its windows, so the shares of the muscles in each
window sum to it. Taking a muscle out of a single moment, as occlusion does, misses what the windows
around still hold: a decision that is certain does not move. Sharing out each window does not.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import ParameterError
from myograph.explain.explanation import Heat
from myograph.explain.game import Game, every_mask
from myograph.explain.question import Question
from myograph.explain.shapley import MOST_EXACT
from myograph.explain.signal_game import BandGame, MuscleGame

__all__ = ["MomentGame", "window_edges"]

Array = NDArray[np.float64]


class MomentGame(Game):
    """Muscles or bands in single windows: one part is one of them in one window.

    Parameters
    ----------
    inner : MuscleGame or BandGame
        With few enough parts to ask about all ways of taking some away.

    Raises
    ------
    ParameterError
        If there are too many parts.
    """

    def __init__(self, inner: MuscleGame | BandGame) -> None:
        if len(inner) > MOST_EXACT:
            raise ParameterError(
                f"{len(inner)} parts are too many to share out every window exactly (at most "
                f"{MOST_EXACT}); take cells away instead (CellGame)."
            )
        self.about = f"{inner.about} and moment"
        self.away = inner.away
        self.inner = inner
        self.n_windows = len(inner.question.windows)
        names = [f"{name} {k}" for name in inner.names for k in range(self.n_windows)]
        super().__init__(inner.question, names)
        #: Evidence of every window for every way of keeping parts, (2**n_parts, n_windows).
        self.table = inner.worth(every_mask(len(inner)))

    def with_question(self, question: Question) -> MomentGame:
        """Return the same game about the same signal, asked of another model."""
        return MomentGame(self.inner.with_question(question))

    def worth(self, keep: NDArray[np.bool_]) -> Array:
        """Return the evidence of each window with only some parts there; see `Game.worth`."""
        masks = self._checked(keep).reshape(len(keep), len(self.inner), self.n_windows)
        row = (masks * (1 << np.arange(len(self.inner)))[:, None]).sum(axis=1)
        return np.asarray(self.table[row, np.arange(self.n_windows)])

    def shared(self) -> Heat:
        """Share out the evidence of every window among the parts, exactly.

        References
        ----------
        shapley1953
        """
        n = len(self.inner)
        masks = every_mask(n)
        sizes = masks.sum(axis=1)
        weights = np.array([1 / (n * comb(n - 1, size)) for size in range(n)])
        values = np.empty((n, self.n_windows))
        for part in range(n):
            without = np.flatnonzero(~masks[:, part])
            gains = self.table[without + (1 << part)] - self.table[without]
            values[part] = weights[sizes[without]] @ gains
        plain = self.inner.names
        if self.inner.about == "muscle":
            plain = self.question.layout.names
        return Heat(
            "shap",
            plain,
            window_edges(self.question),
            values / self.n_windows,
            self.unit,
            base=float(self.table[0].mean()),
            total=float(self.table[-1].mean()),
            note=(
                f"Every window shared out exactly among its {self.inner.about}s; {self.away}. All "
                "cells sum to the evidence."
            ),
        )


def window_edges(question: Question) -> Array:
    """Return limits between windows: half way between their middles.

    Parameters
    ----------
    question : Question
    """
    index = question.windows.index
    middle = (index.start_s + index.stop_s) / 2
    if len(middle) == 1:
        return np.array([index.start_s[0], index.stop_s[0]])
    between = (middle[1:] + middle[:-1]) / 2
    first, last = middle[0] - (between[0] - middle[0]), middle[-1] + (middle[-1] - between[-1])
    return np.concatenate([[first], between, [last]])
