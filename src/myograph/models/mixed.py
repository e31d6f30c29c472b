"""Mixed effects: one line for all, and a level of each person's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

from myograph.core.errors import DataError
from myograph.models.base import MODELS, Regressor

__all__ = ["MixedEffects"]

# Log of the variance between people over that within: from none to nearly all of it.
_RATIO_RANGE = (-12.0, 12.0)


@MODELS.register("mixed-effects")
class MixedEffects(Regressor):
    r"""Linear regression in which every person has a level of their own (random intercept).

    :math:`y_{ij} = b + x_{ij}^T w + u_i + e_{ij}` with :math:`u_i \sim N(0, \tau^2)` over people
    and :math:`e_{ij} \sim N(0, \sigma^2)`, by restricted maximum likelihood. Many windows of few
    people then weigh as what they are. A new person has the level of all, 0; of a person who was
    learned from, `estimate_known` also knows theirs.

    Without ``groups`` everybody is one person, and it is least squares.

    References
    ----------
    laird1982

    Examples
    --------
    >>> X, people = [[0.0], [1.0], [0.0], [1.0]], ["a", "a", "b", "b"]
    >>> model = MixedEffects().fit(X, [0.0, 1.1, 5.0, 5.9], groups=people)
    >>> model.predict([[1.0]]).round(2).tolist()
    [3.5]
    >>> model.estimate_known([[1.0]], ["b"]).round(2).tolist()
    [5.95]
    """

    state = ("coef_", "intercept_", "variances_", "people_", "level_")
    uses_groups = True

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    #: Between people, and within.
    variances_: NDArray[np.float64]
    people_: NDArray[np.str_]
    level_: NDArray[np.float64]

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> MixedEffects:
        """Learn weights, variances, and the level of every person in ``groups``."""
        names = np.unique(np.asarray(groups).astype(np.str_)) if groups is not None else [""]
        self.people_ = np.asarray(names, dtype=np.str_)
        given = None if groups is None else np.asarray(groups).astype(np.str_)
        return super().fit(X, y, given)

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        centre, scale = X.mean(axis=0), X.std(axis=0)
        scale[scale <= 10 * np.finfo(np.float64).eps * np.abs(X).max(axis=0)] = 1.0
        design = np.concatenate([np.ones((len(X), 1)), (X - centre) / scale], axis=1)
        ratio = 0.0
        if people.max() > 0:
            best = minimize_scalar(
                lambda log_ratio: _deviance(design, y, people, float(np.exp(log_ratio))),
                bounds=_RATIO_RANGE,
                method="bounded",
            )
            ratio = float(np.exp(best.x))
        weights, within = _solve(design, y, people, ratio)[:2]
        self.coef_ = weights[1:] / scale
        self.intercept_ = np.asarray(weights[0] - centre @ self.coef_)
        self.variances_ = np.array([ratio * within, within])
        left = y - X @ self.coef_ - self.intercept_
        counts = np.bincount(people, minlength=len(self.people_))
        sums = np.bincount(people, weights=left, minlength=len(self.people_))
        self.level_ = ratio * sums / (1 + ratio * counts)  # drawn towards 0: the fewer, the more

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return X @ self.coef_ + self.intercept_

    def estimate_known(self, X: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
        """Return estimates for people who were learned from, with their own level.

        Raises
        ------
        DataError
            If a person was not among them.
        """
        names = np.asarray(groups).astype(np.str_)
        unknown = sorted(set(names.tolist()) - set(self.people_.tolist()))
        if unknown:
            raise DataError(
                f"People {unknown[:3]} were not learned from, so their level is unknown; use "
                "predict, which takes the level of all."
            )
        answer: NDArray[np.float64] = self.predict(X)
        return answer + self.level_[np.searchsorted(self.people_, names)]

    def _check_state(self) -> None:
        self._expect("coef_", self.n_features_in_)
        self._expect("intercept_")
        self._expect("variances_", 2)
        self._expect("people_", len(self.people_), kind="U")
        self._expect("level_", len(self.people_))


def _solve(
    design: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp], ratio: float
) -> tuple[NDArray[np.float64], float, float]:
    """Return weights, the variance within people, and log determinants of the likelihood.

    Taking a share of their mean off each person's rows makes the errors independent.
    """
    counts = np.bincount(people)
    share = 1 - 1 / np.sqrt(1 + ratio * counts)
    means = np.zeros((len(counts), design.shape[1] + 1))
    both = np.column_stack([design, y])
    np.add.at(means, people, both)
    means /= np.maximum(counts, 1)[:, np.newaxis]
    free = both - (share[:, np.newaxis] * means)[people]
    weights, _, rank, singular = np.linalg.lstsq(free[:, :-1], free[:, -1], rcond=None)
    left = free[:, -1] - free[:, :-1] @ weights
    within = float(left @ left) / max(len(y) - int(rank), 1)
    logs = np.log1p(ratio * counts).sum() + 2 * np.log(singular[:rank]).sum()
    return weights, within, float(logs)


def _deviance(
    design: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp], ratio: float
) -> float:
    """Return minus twice the restricted log likelihood, up to a constant."""
    _, within, logs = _solve(design, y, people, ratio)
    freedom = len(y) - design.shape[1]
    return freedom * float(np.log(max(within, 1e-300))) + logs
