"""Conformal sets: instead of one class, all classes that cannot be ruled out at a stated rate.

What may be exchanged is the person. Somebody new is as one more of the calibration people, drawn
the same way; their windows are not more evidence, and nothing is assumed about how windows of one
person hang together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_choice
from myograph.core.errors import DataError, ParameterError
from myograph.models.person_quantile import person_quantile
from myograph.validate.answers import Answers

__all__ = [
    "DRAWS",
    "SCORES",
    "Conformal",
    "Promise",
    "fit_conformal",
    "person_quantile",
    "sets_across",
    "strangeness",
]

Array = NDArray[np.float64]
Sets = NDArray[np.bool_]

#: How strange a class is, given the probabilities.
SCORES = {
    "probability": "one minus its probability: the smallest sets, some may be empty",
    "cumulative": "the probability of all classes at least as probable: never empty",
}

DRAWS = ("all", "one")

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What sets of classes are to hold, and how strange a class may be is measured.

    Parameters
    ----------
    miscoverage : float
        Share of windows of new people whose set may lack the truth, in (0, 1).
    mondrian : bool
        One threshold per class, from the people who show it: the promise then holds class by
        class (vovk2012), at the price of larger sets.
    score : str
        One of `SCORES`.
    share : float, optional
        In (0, 1]. The promise is then about people: at most ``miscoverage`` of new people have the
        truth in the sets of fewer than this share of their windows.
    draw : str
        ``"all"``: every window of the calibration people counts, so that the same people always
        give the same threshold; with n people the sets hold the truth up to 1 / (n + 1) more often
        than asked for, and below 30 people they get large. ``"one"``: one window of each
        calibration person is drawn; as often as asked for also with few people, and the threshold
        depends on the draw.
    seed : int
        Of the draw.
    """

    miscoverage: float = 0.1
    mondrian: bool = False
    score: str = "probability"
    share: float | None = None
    draw: str = "all"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self.score, SCORES, name="score")
        check_choice(self.draw, DRAWS, name="draw")
        _check_share(self.miscoverage, name="miscoverage", top=False)
        if self.share is not None:
            _check_share(self.share, name="share", top=True)
            if self.draw == "one":
                raise ParameterError(
                    "A promise about a share of a person's windows needs all of their windows: "
                    "leave share out, or draw='all'."
                )


@dataclass(frozen=True, eq=False)
class Conformal:
    """A fitted rule that gives sets of classes.

    Parameters
    ----------
    classes : tuple of str
    thresholds : ndarray, shape (n_classes,)
        A class is in the set while its score is at most this. Infinite where there are too few
        people to rule anything out: the class is then in every set.
    promise : Promise
    people : tuple of int
        Calibration people behind each threshold.
    """

    classes: tuple[str, ...]
    thresholds: Array
    promise: Promise
    people: tuple[int, ...]

    def sets(self, proba: ArrayLike) -> Sets:
        """Return which classes cannot be ruled out, shape (n_windows, n_classes)."""
        given = np.asarray(proba, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.classes):
            raise DataError(
                f"This rule is about {len(self.classes)} classes; got probabilities of shape "
                f"{given.shape}."
            )
        return np.asarray(strangeness(given, self.promise.score) <= self.thresholds + _ROUNDING)

    @property
    def guarantee(self) -> str:
        """What is promised, and under which condition."""
        rate = f"{100 * (1 - self.promise.miscoverage):g} %"
        among = " of each class" if self.promise.mondrian else ""
        if self.promise.share is not None:
            what = (
                f"At least {rate} of new people have the truth in the sets of at least "
                f"{100 * self.promise.share:g} % of their windows{among}"
            )
        else:
            what = (
                f"A window{among}, drawn at random from a new person, has the truth in its set "
                f"with probability at least {rate}"
            )
        return (
            f"{what}, on average over calibration people ({min(self.people)} of them), if the new "
            "person and they are exchangeable and the model has trained on none of them. It says "
            "nothing about one given person, or about people of another kind."
        )

    @property
    def unbounded(self) -> tuple[str, ...]:
        """The classes that no set can leave out, for want of calibration people."""
        return tuple(
            name for name, t in zip(self.classes, self.thresholds, strict=True) if math.isinf(t)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data; an infinite threshold is None."""
        return {
            "classes": list(self.classes),
            "thresholds": [None if math.isinf(t) else float(t) for t in self.thresholds],
            "promise": asdict(self.promise),
            "people": list(self.people),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Conformal:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            tuple(data["classes"]),
            np.array([math.inf if t is None else t for t in data["thresholds"]]),
            Promise(**data["promise"]),
            tuple(data["people"]),
        )


def fit_conformal(answers: Answers, promise: Promise | None = None) -> Conformal:
    """Find the thresholds of conformal sets on calibration people.

    Each calibration person spreads a weight of 1 / (n + 1) over their windows, the new person's
    1 / (n + 1) stands at infinity, and the threshold is the quantile of that (lee2023). With one
    window per person, drawn or because there is no other, this is split conformal prediction
    (vovk2005).

    Parameters
    ----------
    answers : Answers
        Of people who did not train the model.
    promise : Promise, optional
        A window of a new person at 90 %, if left out.

    Raises
    ------
    DataError
        If, class by class, a class is shown by nobody.

    Examples
    --------
    >>> sure = [[1 - k / 20, k / 20] for k in range(9)]
    >>> said = Answers.of(sure, ["a"] * 9, list("stuvwxyzp"), classes=("a", "b"))
    >>> rule = fit_conformal(said, Promise(miscoverage=0.1))
    >>> float(rule.thresholds[0])  # 9 people: the strangest of them
    0.4
    """
    promise = promise or Promise()
    rows = np.arange(len(answers.truth))
    own = strangeness(answers.proba, promise.score)[rows, answers.truth]
    codes, n_classes = answers.people.codes, len(answers.classes)
    parts = [np.ones(len(own), dtype=bool)]
    if promise.mondrian:
        parts = [answers.truth == k for k in range(n_classes)]
        missing = [answers.classes[k] for k, part in enumerate(parts) if not part.any()]
        if missing:
            raise DataError(
                f"No calibration person shows {missing}; sets class by class need people of every "
                "class. Calibrate on more people, or without mondrian."
            )
    found = np.array([_threshold(own[part], codes[part], promise) for part in parts])
    people = [len(np.unique(codes[part])) for part in parts]
    if not promise.mondrian:
        found, people = np.repeat(found, n_classes), people * n_classes
    return Conformal(answers.classes, found, promise, tuple(people))


def sets_across(answers: Answers, promise: Promise | None = None) -> Sets:
    """Give each person sets by a rule fitted on everybody else's held-out answers.

    For data too small to hold calibration people out of training. Nothing of a person enters their
    own rule, but the models behind the other people's answers trained on that person, so the
    promise of `Conformal.guarantee` is not exact here: what is found must be measured.

    Parameters
    ----------
    answers : Answers
    promise : Promise, optional
        As in `fit_conformal`; every person's rule has a draw of its own.

    Returns
    -------
    ndarray of bool, shape (n_windows, n_classes)
    """
    if answers.n_people < 2:
        raise DataError("Sets by a rule from other people need at least 2 people; got 1.")
    promise = promise or Promise()
    sets = np.zeros(answers.proba.shape, dtype=bool)
    for code in range(answers.n_people):
        mine = answers.person(code)
        others = answers.take(answers.person(code, others=True))
        drawn = replace(promise, seed=promise.seed + code)
        sets[mine] = fit_conformal(others, drawn).sets(answers.proba[mine])
    return sets


def strangeness(proba: Array, score: str) -> Array:
    """Return how strange each class is, shape (n_windows, n_classes).

    Parameters
    ----------
    proba : ndarray, shape (n_windows, n_classes)
    score : str
        One of `SCORES`.

    Examples
    --------
    >>> strangeness(np.array([[0.5, 0.375, 0.125]]), "cumulative").tolist()
    [[0.0, 0.875, 1.0]]
    """
    if score == "probability":
        return 1.0 - proba
    order = np.argsort(-proba, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(proba, order, axis=1), axis=1)
    total = np.empty_like(proba)
    np.put_along_axis(total, order, sums, axis=1)
    # The most probable class is never ruled out.
    np.put_along_axis(total, order[:, :1], 0.0, axis=1)
    return total


def _threshold(scores: Array, codes: NDArray[np.intp], promise: Promise) -> float:
    if promise.draw == "one":
        order = np.random.default_rng(promise.seed).permutation(len(scores))
        chosen = order[np.unique(codes[order], return_index=True)[1]]
        scores, codes = scores[chosen], codes[chosen]
    elif promise.share is not None:
        names = np.unique(codes)
        parts = [scores[codes == name] for name in names]
        each = [np.quantile(part, promise.share, method="inverted_cdf") for part in parts]
        scores, codes = np.array(each), names
    return person_quantile(scores, codes, miscoverage=promise.miscoverage)


def _check_share(value: float, *, name: str, top: bool) -> None:
    if not 0 < value < 1 and not (top and value == 1):
        raise ParameterError(f"{name} must lie in (0, 1{']' if top else ')'}; got {value!r}.")
