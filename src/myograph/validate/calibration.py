"""Calibration: bend a model's probabilities until they are as often right as they say.

A map is fitted on scores of people who did not train the model, each person counting alike, and
applied to other people. It never looks at the windows it is applied to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression, minimize, minimize_scalar
from scipy.special import expit, log_softmax, softmax

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError, FormatError
from myograph.validate.answers import Answers
from myograph.validate.logit import fit_logit

__all__ = ["METHODS", "Calibration", "calibrate_across", "fit_calibration"]

Array = NDArray[np.float64]

#: What each map may do to the probabilities.
METHODS = {
    "temperature": "one number makes all answers bolder or shyer; the order of classes stays",
    "mixture": "a share of the heated answers, of the answers as they are, and of a plain guess",
    "platt": "each class against the rest: a line on the log odds, then made to sum to 1",
    "isotonic": "each class against the rest: any rising steps, then made to sum to 1",
}

#: Probability below which a logarithm is cut off.
_LEAST = 1e-6
#: Logarithms of shares stay within this.
_FLAT = 10.0
#: Temperatures looked at, as logarithms.
_RANGE = (-5.0, 5.0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A fitted map of probabilities.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    classes : tuple of str
    parameters : dict of str to list
        ``temperature``, and for a mixture three ``shares``; or ``intercept`` and ``slope`` per
        class; or the steps ``x`` and ``y`` per class.
    people : int
        How many people it was fitted on.
    """

    method: str
    classes: tuple[str, ...]
    parameters: dict[str, list[Any]]
    people: int

    def apply(self, proba: ArrayLike) -> Array:
        """Return calibrated probabilities.

        Parameters
        ----------
        proba : array, shape (n_windows, n_classes)

        Returns
        -------
        ndarray, shape (n_windows, n_classes)
            Rows sum to 1. A row for which every class comes out at 0 is given back as it was.
        """
        given = np.asarray(proba, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.classes):
            raise DataError(
                f"This calibration is about {len(self.classes)} classes; got probabilities of "
                f"shape {given.shape}."
            )
        if "temperature" in self.parameters:
            heated = _heated(given, self.parameters["temperature"][0])
            if self.method == "temperature":
                return heated
            first, second, third = self.parameters["shares"]
            return first * heated + second * given + third / len(self.classes)
        rated = np.column_stack([self._rate(k, column) for k, column in enumerate(given.T)])
        sums = rated.sum(axis=1, keepdims=True)
        return np.where(sums > 0, rated / np.where(sums > 0, sums, 1.0), given)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "method": self.method,
            "classes": list(self.classes),
            "parameters": self.parameters,
            "people": self.people,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Calibration:
        """Rebuild it from what `to_dict` gave."""
        try:
            check_choice(data["method"], METHODS, name="calibration method")
            classes = tuple(data["classes"])
            return cls(data["method"], classes, dict(data["parameters"]), data["people"])
        except KeyError as error:
            raise FormatError(f"This is not a whole calibration: it lacks {error}.") from error

    def _rate(self, k: int, column: Array) -> Array:
        if self.method == "platt":
            slope, intercept = self.parameters["slope"][k], self.parameters["intercept"][k]
            return np.asarray(expit(intercept + slope * _logit(column)))
        return np.interp(column, self.parameters["x"][k], self.parameters["y"][k])


def fit_calibration(answers: Answers, *, method: str) -> Calibration:
    """Fit a map on held-out answers.

    Parameters
    ----------
    answers : Answers
        Of people who trained neither the model nor will be judged by the map.
    method : str
        ``"temperature"`` (guo2017): the temperature with the greatest likelihood. ``"mixture"``
        (zhang2020): temperature and shares together, for models that are sometimes sure and quite
        wrong. ``"platt"`` (platt1999): logistic regression of each class on its log odds, with
        Platt's targets a little inside 0 and 1, counted in people; poor where the log odds run far
        out, as with many classes. ``"isotonic"`` (zadrozny2002): the rising steps with the least
        squared error; needs more people than the others.

    Raises
    ------
    DataError
        If a class is never true, so nothing can be said of its probability.

    Examples
    --------
    >>> said = Answers.of([[0.99, 0.01]] * 4, list("aaab"), list("pqrs"), classes=("a", "b"))
    >>> heated = fit_calibration(said, method="temperature").apply([[0.99, 0.01]])
    >>> heated.round(2).tolist()  # right three times of four, and now it says so
    [[0.75, 0.25]]
    """
    check_choice(method, METHODS, name="calibration method")
    missing = [name for k, name in enumerate(answers.classes) if not (answers.truth == k).any()]
    if missing:
        raise DataError(
            f"The people to calibrate on show no window of {missing}; a probability of a class "
            "cannot be calibrated without it. Calibrate on more people, or leave the class out."
        )
    fit = {
        "temperature": _temperature,
        "mixture": _mixture,
        "platt": _platt,
        "isotonic": _isotonic,
    }[method]
    return Calibration(method, answers.classes, fit(answers), answers.n_people)


def calibrate_across(answers: Answers, *, method: str, folds: int = 10) -> Answers:
    """Calibrate each person's answers with a map fitted on other people's.

    The answers must be held-out ones. Nothing of a person enters their own map; but the models
    whose scores the map is fitted on may have trained on that person, as in any cross-validation.

    Parameters
    ----------
    answers : Answers
    method : str
        As in `fit_calibration`.
    folds : int
        The people are dealt into so many groups, and each group is calibrated on the others; one
        person at a time where there are not more people than that.

    Raises
    ------
    DataError
        If there is one person only, or a class is shown in one group only.
    """
    check_count(folds, name="folds", least=2)
    if answers.n_people < 2:
        raise DataError("Calibrating on other people needs at least 2 people; got 1.")
    proba = np.empty_like(answers.proba)
    fold = answers.people.codes % folds
    for number in np.unique(fold):
        mine = fold == number
        fitted = fit_calibration(answers.take(~mine), method=method)
        proba[mine] = fitted.apply(answers.proba[mine])
    return answers.replaced(proba)


def _temperature(answers: Answers) -> dict[str, list[Any]]:
    logs = np.log(np.maximum(answers.proba, _LEAST))
    rows = np.arange(len(logs))

    def loss(log_temperature: float) -> float:
        said = log_softmax(logs / np.exp(log_temperature), axis=1)
        return -float(answers.weights @ said[rows, answers.truth])

    found = minimize_scalar(loss, bounds=_RANGE, method="bounded", options={"xatol": 1e-6})
    return {"temperature": [float(np.exp(found.x))]}


def _mixture(answers: Answers) -> dict[str, list[Any]]:
    logs = np.log(np.maximum(answers.proba, _LEAST))
    rows = np.arange(len(logs))
    plain, guess = answers.proba[rows, answers.truth], 1 / len(answers.classes)
    weights = answers.weights / answers.n_people

    def loss(at: Array) -> tuple[float, Array]:
        """Return the loss at a log temperature and three log shares, and its gradient."""
        shares = softmax(at[1:])
        heated = softmax(logs / np.exp(at[0]), axis=1)
        mine = heated[rows, answers.truth]
        said = shares[0] * mine + shares[1] * plain + shares[2] * guess
        apart = logs[rows, answers.truth] - np.einsum("ij,ij->i", heated, logs)
        hotter = -float(weights @ (shares[0] * mine * apart / said)) / np.exp(at[0])
        more = [
            share * (float(weights @ (part / said)) - 1)
            for share, part in zip(shares, (mine, plain, guess), strict=True)
        ]
        return -float(weights @ np.log(said)), -np.array([hotter, *more])

    start = [0.5, 0.0, 0.0, -2.0]  # hotter than it is: the shares can then tell the two apart
    bounds = [_RANGE, *[(-_FLAT, _FLAT)] * 3]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return {"temperature": [float(np.exp(found[0]))], "shares": softmax(found[1:]).tolist()}


def _platt(answers: Answers) -> dict[str, list[Any]]:
    slopes, intercepts = [], []
    for k in range(len(answers.classes)):
        inside = answers.truth == k
        yes, no = answers.weights[inside].sum(), answers.weights[~inside].sum()
        target = np.where(inside, (yes + 1) / (yes + 2), 1 / (no + 2))
        fitted = fit_logit(_logit(answers.proba[:, k]), target, answers.weights)
        intercepts.append(float(fitted[0]))
        slopes.append(float(fitted[1]))
    return {"slope": slopes, "intercept": intercepts}


def _isotonic(answers: Answers) -> dict[str, list[Any]]:
    x, y = [], []
    for k in range(len(answers.classes)):
        values, owner = np.unique(answers.proba[:, k], return_inverse=True)
        weight = np.bincount(owner, answers.weights)
        share = np.bincount(owner, answers.weights * (answers.truth == k)) / weight
        steps = isotonic_regression(share, weights=weight).x
        # Only the ends of each step are kept: between them the line is flat.
        edge = np.ones(len(steps), dtype=bool)
        edge[1:-1] = (steps[1:-1] != steps[:-2]) | (steps[1:-1] != steps[2:])
        x.append(values[edge].tolist())
        y.append(steps[edge].tolist())
    return {"x": x, "y": y}


def _heated(proba: Array, temperature: float) -> Array:
    return np.asarray(softmax(np.log(np.maximum(proba, _LEAST)) / temperature, axis=1))


def _logit(proba: Array) -> Array:
    inside = np.clip(proba, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(inside) - np.log1p(-inside))
