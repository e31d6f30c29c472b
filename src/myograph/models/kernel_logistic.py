"""Logistic regression with a kernel: curved borders, and probabilities that need no calibration."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from myograph.core.checks import check_choice, check_count, check_positive
from myograph.core.dial import choice, real
from myograph.core.errors import ArtifactError
from myograph.models.base import MODELS, Classifier, softmax
from myograph.models.budget import spread_rows
from myograph.models.logistic import balance_weights
from myograph.models.svm import rbf

__all__ = ["KernelLogistic", "median_width"]

# Directions in which the centres differ by less than this share of the largest are rounding.
_LEAST = 1e-7
# Pairs of rows that a median distance is taken over.
_PAIRS = 200_000


@MODELS.register("kernel-logistic")
class KernelLogistic(Classifier):
    r"""Logistic regression, multinomial, on a kernel, with a price on the length of its functions.

    The score of class :math:`k` is :math:`f_k(x) + b_k` with
    :math:`f_k(x) = \sum_j a_{kj} \kappa(x, c_j)`. What is minimised is
    :math:`C \sum_i w_i \, (-\ln p_{y_i}(x_i)) + \frac12 \sum_k |f_k|^2`, the length taken in the
    space of the kernel. Where there are more rows than ``max_centres``, the functions of the RBF
    kernel are built on so many of them, spread evenly over classes and people; all rows are still
    learned from.

    Parameters
    ----------
    kernel : str
        ``"rbf"`` or ``"linear"``. Scale the features first: both go by distances.
    cost : float
        :math:`C`, the price of a row called wrong against the length of the functions.
    gamma : "median" or float
        Width of the RBF kernel :math:`\exp(-\gamma |x - z|^2)`; ``"median"`` is 1 over the median
        squared distance between training rows.
    balance : str
        As in `Logistic`.
    max_centres : int, optional
        None takes all rows.
    most : int
        Steps before it is given up, which the notes then say.

    References
    ----------
    zhu2005, williams2001

    Examples
    --------
    >>> inside, outside = [[0.0], [0.2], [-0.2]], [[-2.0], [2.0], [2.2]]
    >>> model = KernelLogistic(cost=10.0).fit(inside + outside, list("iiiooo"))
    >>> model.predict([[-1.9], [0.1], [1.9]]).tolist()
    ['o', 'i', 'o']
    """

    space = (
        choice("kernel", "rbf", "linear"),
        real("cost", 0.01, 1000.0, log=True),
        choice("balance", "none", "classes", "people"),
    )
    state = ("centres_", "weights_", "intercept_", "gamma_")
    uses_groups = True

    centres_: NDArray[np.float64]
    weights_: NDArray[np.float64]
    intercept_: NDArray[np.float64]
    gamma_: NDArray[np.float64]

    def __init__(
        self,
        *,
        kernel: Literal["rbf", "linear"] = "rbf",
        cost: float = 1.0,
        gamma: float | Literal["median"] = "median",
        balance: Literal["none", "classes", "people"] = "none",
        max_centres: int | None = 1000,
        most: int = 1000,
    ) -> None:
        self.kernel = kernel
        self.cost = cost
        self.gamma = gamma
        self.balance = balance
        self.max_centres = max_centres
        self.most = most

    def _learn(
        self, X: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> None:
        check_choice(self.kernel, ("rbf", "linear"), name="kernel")
        check_choice(self.balance, ("none", "classes", "people"), name="balance")
        given = self.gamma
        gamma = median_width(X) if given == "median" else check_positive(given, name="gamma")
        self.gamma_ = np.asarray(gamma)
        if self.kernel == "linear":  # weights of features are functions of every row
            self.centres_, turn, seen = np.empty((0, X.shape[1])), np.eye(X.shape[1]), X
        else:
            rows, _ = spread_rows(codes, people, most=self.max_centres, name="max_centres")
            self.centres_ = X[rows]
            turn, seen = self._axes(), self._seen(X)
        level = seen.mean(axis=0)
        coef, intercept = self._fitted((seen - level) @ turn, codes, people)
        self.weights_ = coef @ turn.T
        self.intercept_ = intercept - self.weights_ @ level

    def _axes(self) -> NDArray[np.float64]:
        """Return what turns a kernel into coordinates: a function is as long as its weights."""
        values, axes = np.linalg.eigh(self._seen(self.centres_))
        kept = values > _LEAST * values[-1]
        turn: NDArray[np.float64] = axes[:, kept] / np.sqrt(values[kept])
        return turn

    def _fitted(
        self, Z: NDArray[np.float64], codes: NDArray[np.intp], people: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights (n_classes, n_axes) and levels (n_classes,) of a logistic regression."""
        cost = check_positive(self.cost, name="cost")
        machine = LogisticRegression(C=cost, max_iter=check_count(self.most, name="most"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told in the notes
            machine.fit(Z, codes, sample_weight=balance_weights(codes, people, by=self.balance))
        if int(np.max(machine.n_iter_)) >= self.most:
            self.notes_ = (
                f"Kernel logistic regression had not settled after {self.most} steps (most).",
            )
        coef, intercept = machine.coef_, machine.intercept_
        if len(self.classes_) == 2:  # the library keeps the later class alone
            coef = np.concatenate([np.zeros_like(coef), coef])
            intercept = np.concatenate([[0.0], intercept])
        return coef, intercept

    def _seen(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what weights are for: features, or the kernel against every centre."""
        return X if self.kernel == "linear" else rbf(X, self.centres_, self.gamma_)

    def _proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return softmax(self._seen(X) @ self.weights_.T + self.intercept_)

    def _check_state(self) -> None:
        n_classes, n_features = len(self.classes_), self.n_features_in_
        self._expect("centres_", len(self.centres_), n_features)
        width = n_features if self.kernel == "linear" else len(self.centres_)
        self._expect("weights_", n_classes, width)
        self._expect("intercept_", n_classes)
        self._expect("gamma_")
        if not self.gamma_ > 0:
            raise ArtifactError("gamma of a kernel logistic regression must be above 0.")


def median_width(X: NDArray[np.float64]) -> float:
    """Return 1 over the median squared distance between rows; 1 where all are alike.

    Of many rows, every so-manieth is taken, so that at most some 200 000 pairs are measured.

    Examples
    --------
    >>> median_width(np.array([[0.0], [1.0], [3.0]]))
    0.25
    """
    step = max(1, int(np.ceil(len(X) / np.sqrt(2 * _PAIRS))))
    rows = X[::step]
    lengths = (rows**2).sum(axis=1)
    squares = lengths[:, np.newaxis] + lengths - 2 * rows @ rows.T
    middle = float(np.median(squares[np.triu_indices(len(rows), 1)])) if len(rows) > 1 else 0.0
    return 1 / middle if middle > np.finfo(np.float64).eps * lengths.max(initial=1.0) else 1.0
