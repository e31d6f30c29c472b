"""Refusing inside a pipeline: thresholds that are stated, or learned on people held out.

Learned thresholds come from the training windows alone: the training people are dealt into inner
folds, each fold is answered by a pipeline of the others, and the thresholds are those at which
these answers reach what is asked. So they are about people whom the answering model has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import EVERY_OTHER, PipelineConfig, RejectionConfig
from myograph.core.checks import unknown_name
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.models.aggregate import aggregate
from myograph.models.rejection import Rejection, class_thresholds

__all__ = [
    "Asked",
    "Refusal",
    "check_rejection",
    "fit_refusal",
    "known_thresholds",
    "restore_refusal",
    "stated_refusal",
]

Array = NDArray[np.float64]
#: Fits on some rows and returns probabilities, in the order of the classes, for others.
Asked = Callable[[NDArray[np.bool_], NDArray[np.bool_]], Array]

#: A class is answered only where so many training people bear its threshold out.
_LEAST_PEOPLE = 3
_SAVED = ("windows", "recordings", "people")


@dataclass(frozen=True, eq=False)
class Refusal:
    """What refuses answers that are not sure enough.

    Parameters
    ----------
    windows : Rejection
        For the answer about one window.
    recordings : Rejection
        For the one answer about a whole recording. Learned on whole recordings where each shows
        one class; that of windows otherwise.
    people : int
        How many the thresholds were learned on; 0 where they were stated.
    """

    windows: Rejection
    recordings: Rejection
    people: int = 0

    @property
    def note(self) -> str:
        """What a reader of results has to know about this refusal; empty where it was stated."""
        rule = self.windows
        if not self.people:
            return ""
        aim = (
            f"{100 * rule.accuracy:g} % of the answers of each class were right"
            if rule.accuracy is not None
            else f"{100 * (rule.coverage or 0):g} % of the answers of each class were given"
        )
        return (
            "Answers that are not sure enough for their class are refused; the thresholds were "
            f"learned on training people, each judged by models of other training people, so that "
            f"{aim} there."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "windows": self.windows.to_dict(),
            "recordings": self.recordings.to_dict(),
            "people": self.people,
        }

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned, as named arrays; nothing where it was stated."""
        if not self.people:
            return {}
        return {
            "windows": self.windows.thresholds,
            "recordings": self.recordings.thresholds,
            "people": np.asarray(float(self.people)),
        }


def check_rejection(config: PipelineConfig, *, task: str) -> None:
    """Refuse what cannot be, before any work is done.

    Raises
    ------
    ParameterError
        If thresholds are stated and learned at once, aim at two things or none, or the model
        estimates numbers.
    """
    learned = config.reject
    if learned is None and not config.reject_below:
        return
    if task != "classification":
        raise ParameterError(
            f"Model {config.model.name!r} does {task} and has no confidence to reject by; leave "
            "reject and reject_below out."
        )
    if learned is None:
        return
    if config.reject_below:
        raise ParameterError(
            f"reject_below={config.reject_below!r} states thresholds, and reject="
            f"{_aim(learned)!r} learns them; give one of the two."
        )
    if len(_aim(learned)) != 1:
        raise ParameterError(
            "reject aims at the accuracy of the answers or at the share of them that is given: "
            f"{{accuracy = 0.95}} or {{coverage = 0.9}}; got {_aim(learned)!r}."
        )


def stated_refusal(config: PipelineConfig, classes: tuple[str, ...]) -> Refusal | None:
    """Return the stated thresholds of a configuration; None when it states none.

    Raises
    ------
    ParameterError
        If a class is named that there is not.
    """
    stated = config.reject_below
    if not stated:
        return None
    if isinstance(stated, Mapping):
        for name in stated:
            if name != EVERY_OTHER and name not in classes:
                told = unknown_name(name, classes, what="A class of reject_below")
                raise ParameterError(f"{told} {EVERY_OTHER!r} stands for every other class.")
        others = stated.get(EVERY_OTHER, 0.0)
        thresholds = np.array([float(stated.get(name, others)) for name in classes])
    else:
        thresholds = np.full(len(classes), float(stated))
    rule = Rejection(classes, thresholds)
    return Refusal(rule, rule)


def known_thresholds(config: PipelineConfig, shown: set[str], known: set[str]) -> PipelineConfig:
    """Return the configuration without stated thresholds of classes that are known elsewhere.

    For a fold whose training side does not show every class: what it cannot answer needs no
    threshold. A class that is known nowhere stays, and is refused by name.
    """
    stated = config.reject_below
    if not isinstance(stated, Mapping):
        return config
    kept = {name: value for name, value in stated.items() if name in shown or name not in known}
    return config if len(kept) == len(stated) else config.model_copy(update={"reject_below": kept})


def fit_refusal(
    config: PipelineConfig,
    table: FeatureTable,
    classes: tuple[str, ...],
    ask: Asked,
    *,
    seed: int,
) -> Refusal | None:
    """Take or learn the thresholds of a configuration; None when it has none.

    Parameters
    ----------
    config : PipelineConfig
    table : FeatureTable
        Of the training windows.
    classes : tuple of str
    ask : callable
        See `Asked`.
    seed : int
        Of the dealing of people.

    Raises
    ------
    DataError
        If thresholds are to be learned from one person, or from an inner fold of one class.
    """
    if config.reject is None:
        return stated_refusal(config, classes)
    index = table.index
    names, codes = np.unique(index.subject, return_inverse=True)
    if len(names) < 2:
        raise DataError(
            "Thresholds for rejection are learned on people whom the model has not seen, and the "
            f"training windows are of {len(names)} person; train on more people, or state "
            "thresholds (reject_below)."
        )
    truth = np.searchsorted(np.array(classes), index.label)
    proba = np.zeros((len(index), len(classes)))
    for held in _dealt(codes, truth, folds=min(config.reject.inner_folds, len(names)), seed=seed):
        test = np.isin(codes, held)
        _check_inner(index, ~test)
        proba[test] = ask(~test, test)
    windows = _rule(config.reject, classes, proba, truth, codes)
    recordings = _of_recordings(proba, truth, index, method=config.aggregate)
    whole = windows if recordings is None else _rule(config.reject, classes, *recordings)
    return Refusal(windows, whole, len(names))


def restore_refusal(
    config: PipelineConfig, arrays: Mapping[str, NDArray[Any]], *, classes: tuple[str, ...]
) -> Refusal | None:
    """Rebuild a refusal from what was saved.

    Raises
    ------
    ArtifactError
        If the arrays do not fit the configuration or the classes.
    """
    if config.reject is None:
        if arrays:
            raise ArtifactError(f"it learned no thresholds, and has some: {sorted(arrays)}.")
        return stated_refusal(config, classes)
    if set(arrays) != set(_SAVED) or np.shape(arrays["people"]) != ():
        raise ArtifactError(
            f"Learned thresholds are rebuilt from the arrays {list(_SAVED)}; got {sorted(arrays)}."
        )
    rules = {}
    for name in ("windows", "recordings"):
        values = np.asarray(arrays[name], dtype=np.float64)
        if values.shape != (len(classes),) or not (values >= 0).all():
            raise ArtifactError(
                f"Thresholds of {name} must be {len(classes)} numbers of 0 or more; got "
                f"{values.tolist()}."
            )
        rules[name] = Rejection(classes, values, config.reject.accuracy, config.reject.coverage)
    return Refusal(**rules, people=int(arrays["people"]))


def _rule(
    asked: RejectionConfig,
    classes: tuple[str, ...],
    proba: Array,
    truth: NDArray[np.intp],
    people: NDArray[np.intp],
) -> Rejection:
    found = class_thresholds(
        proba,
        truth,
        people,
        accuracy=asked.accuracy,
        coverage=asked.coverage,
        least_people=min(_LEAST_PEOPLE, int(people.max()) + 1),
    )
    return Rejection(classes, found, asked.accuracy, asked.coverage)


def _aim(asked: RejectionConfig) -> dict[str, float]:
    given = {"accuracy": asked.accuracy, "coverage": asked.coverage}
    return {name: value for name, value in given.items() if value is not None}


def _dealt(
    codes: NDArray[np.intp], truth: NDArray[np.intp], *, folds: int, seed: int
) -> list[NDArray[np.intp]]:
    """Deal people into folds, those of one class evenly, the order drawn by the seed."""
    order = np.random.default_rng(seed).permutation(codes.max() + 1)
    first = truth[np.unique(codes, return_index=True)[1]]
    order = order[np.argsort(first[order], kind="stable")]
    return [order[k::folds] for k in range(folds)]


def _check_inner(index: WindowIndex, train: NDArray[np.bool_]) -> None:
    shown = np.unique(index.label[train]).tolist()
    if len(shown) < 2:
        raise DataError(
            "Thresholds for rejection are learned on people held out of the training side, and "
            f"without some of them it shows one class only, {shown}; add people who show other "
            "classes, or state thresholds (reject_below)."
        )


def _of_recordings(
    proba: Array, truth: NDArray[np.intp], index: WindowIndex, *, method: str
) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]] | None:
    """Return one answer per recording, its class and its person; None where one shows several."""
    _, first, owner = np.unique(
        np.char.add(np.char.add(index.subject, "\n"), index.recording),
        return_index=True,
        return_inverse=True,
    )
    if (truth != truth[first][owner]).any():
        return None
    people = np.unique(index.subject[first], return_inverse=True)[1]
    return aggregate(proba, owner, method=method)[1], truth[first], people
