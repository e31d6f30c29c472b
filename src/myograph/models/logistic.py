"""Logistic regression, and its cousin for numbers that leaves features out: the lasso."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.dial import choice, real
from myograph.core.errors import ArtifactError, ParameterError
from myograph.models.base import MODELS, Classifier, Regressor, softmax

__all__ = ["Lasso", "Logistic"]


@MODELS.register("logistic")
class Logistic(Classifier):
    """Logistic regression, multinomial, with a price on the squares of the weights.

    Features are measured in units of their own deviation over the training windows, so that the
    price is the same for all.

    Parameters
    ----------
    cost : float
        Price of a training window called wrong, against the price of weights.
    balance : str
        ``"none"``: windows count alike; ``"classes"``: every class counts alike; ``"people"``:
        every class counts alike, and within it every person, however many windows there are.
    most : int
        Steps before it is given up, which the notes then say.

    References
    ----------
    cox1958

    Examples
    --------
    >>> model = Logistic().fit([[0.0], [1.0], [4.0], [5.0]], list("aabb"))
    >>> model.predict([[1.2], [3.9]]).tolist()
    ['a', 'b']
    """

    space = (
        real("cost", 1e-3, 100.0, log=True),
        choice("balance", "none", "classes", "people"),
    )
    state = ("coef_", "intercept_")
    uses_groups = True

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(
        self,
        *,
        cost: float = 1.0,
        balance: Literal["none", "classes", "people"] = "none",
        most: int = 1000,
    ) -> None:
        self.cost = cost
        self.balance = balance
        self.most = most

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        cost = check_positive(self.cost, name="cost")
        check_choice(self.balance, ("none", "classes", "people"), name="balance")
        weights = balance_weights(codes, people, by=self.balance)
        centre, scale = _standard(X)
        machine = LogisticRegression(C=cost, max_iter=check_count(self.most, name="most"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told in the notes
            machine.fit((X - centre) / scale, codes, sample_weight=weights)
        if int(np.max(machine.n_iter_)) >= self.most:
            self.notes_ = (f"Logistic regression had not settled after {self.most} steps (most).",)
        coef, intercept = machine.coef_, machine.intercept_
        if len(self.classes_) == 2:  # the library keeps the later class alone
            coef = np.concatenate([np.zeros_like(coef), coef])
            intercept = np.concatenate([[0.0], intercept])
        self.coef_ = coef / scale
        self.intercept_ = intercept - self.coef_ @ centre

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(X @ self.coef_.T + self.intercept_)

    def _check_state(self) -> None:
        self._expect("coef_", len(self.classes_), self.n_features_in_)
        self._expect("intercept_", len(self.classes_))


@MODELS.register("lasso")
class Lasso(Regressor):
    r"""Least squares with a price on the size of weights, which leaves features out.

    Minimises :math:`\frac{1}{2n} |y - Xw - b|^2 + \alpha (s |w|_1 + \frac{1-s}{2} |w|_2^2)` with
    features in units of their own deviation over the training windows, and :math:`y` in its own.

    Parameters
    ----------
    alpha : float
        The price.
    sharpness : float
        :math:`s`, above 0: 1 is the lasso; below it, features that say the same stay together
        (elastic net).
    most : int
        Rounds before it is given up, which the notes then say.

    References
    ----------
    tibshirani1996, zou2005
    """

    space = (
        real("alpha", 1e-4, 1.0, log=True),
        real("sharpness", 0.1, 1.0),
    )
    state = ("coef_", "intercept_")

    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def __init__(self, *, alpha: float = 0.01, sharpness: float = 1.0, most: int = 5000) -> None:
        self.alpha = alpha
        self.sharpness = sharpness
        self.most = most

    def _learn(
        self, X: NDArray[np.float64], y: NDArray[np.float64], people: NDArray[np.intp]
    ) -> None:
        del people
        alpha = check_positive(self.alpha, name="alpha")
        sharpness = check_positive(self.sharpness, name="sharpness")
        if sharpness > 1:
            raise ParameterError(f"sharpness must be above 0 and at most 1; got {sharpness:g}.")
        centre, scale = _standard(X)
        level, spread = y.mean(), y.std() or 1.0
        most = check_count(self.most, name="most")
        machine = ElasticNet(alpha=alpha, l1_ratio=sharpness, max_iter=most)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told in the notes
            machine.fit((X - centre) / scale, (y - level) / spread)
        if int(np.max(machine.n_iter_)) >= most:
            self.notes_ = (f"The lasso had not settled after {most} rounds (most).",)
        self.coef_ = machine.coef_ * spread / scale
        offset = float(machine.intercept_) * spread + level - self.coef_ @ centre
        self.intercept_ = np.asarray(offset)

    def _estimate(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return X @ self.coef_ + self.intercept_

    def _check_state(self) -> None:
        self._expect("coef_", self.n_features_in_)
        self._expect("intercept_")
        if not np.isfinite(self.coef_).all():
            raise ArtifactError("Weights of a lasso must be finite.")


def balance_weights(
    codes: NDArray[np.intp], people: NDArray[np.intp], *, by: str
) -> NDArray[np.float64]:
    """Return the weight of each row, with mean 1; ``by`` as in `Logistic`.

    Examples
    --------
    >>> balance_weights(np.array([0, 0, 0, 1]), np.zeros(4, int), by="classes").round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    if by == "none":
        return np.ones(len(codes))
    weights = 1.0 / np.bincount(codes)[codes]
    if by == "people":
        cells, owner = np.unique(np.stack([codes, people]), axis=1, return_inverse=True)
        n_people = np.bincount(cells[0])
        weights = 1.0 / (n_people[codes] * np.bincount(np.ravel(owner))[np.ravel(owner)])
    return np.asarray(weights * len(codes) / weights.sum())


def _standard(X: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation of each feature; 1 where one varies by rounding alone."""
    centre, scale = X.mean(axis=0), X.std(axis=0)
    constant = np.ptp(X, axis=0) <= 10 * np.finfo(np.float64).eps * np.abs(X).max(axis=0)
    return centre, np.where(constant, 1.0, scale)
