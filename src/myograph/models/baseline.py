"""The lowest rung of the ladder: what one reaches without looking at the signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.models.base import MODELS, Classifier, Regressor

__all__ = ["Majority", "Mean"]


@MODELS.register("majority")
class Majority(Classifier):
    """Always the most frequent class, with the frequencies as probabilities.

    Examples
    --------
    >>> Majority().fit([[0.0], [1.0], [2.0]], ["fist", "fist", "rest"]).predict([[9.0]]).tolist()
    ['fist']
    """

    state = ("frequency_",)
    least_classes = 1

    frequency_: NDArray[np.float64]

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        del X, people
        self.frequency_ = np.bincount(codes, minlength=len(self.classes_)) / len(codes)

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.tile(self.frequency_, (len(X), 1))

    def _check_state(self) -> None:
        self._expect("frequency_", len(self.classes_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


@MODELS.register("mean")
class Mean(Regressor):
    """Always the mean of the training values.

    Examples
    --------
    >>> Mean().fit([[0.0], [1.0]], [2.0, 4.0]).predict([[9.0]]).tolist()
    [3.0]
    """

    state = ("level_",)

    level_: NDArray[np.float64]

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        del X, people
        self.level_ = np.asarray(y.mean())

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(X), float(self.level_))

    def _check_state(self) -> None:
        self._expect("level_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags
