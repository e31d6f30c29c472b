"""Refusals: what a pipeline's own refusing comes to on people whom it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.decision import Estimate
from myograph.core.table import FeatureTable
from myograph.models.aggregate import aggregate
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.answers import Answers
from myograph.validate.checkpoint import Outputs
from myograph.validate.rejection import Outcome, coverage_curve, outcome_of
from myograph.validate.stats import resample, resampled_estimate

if TYPE_CHECKING:
    from myograph.validate.result import Predictions

__all__ = ["ClassRefusal", "Refusals", "Refused", "measure_refusals", "refused_in_fold"]

Array = NDArray[np.float64]

#: What a fold says of its tested windows, and of the thresholds it has.
_STRANGE, _THRESHOLDS = "strange", "thresholds"
#: Points of the curve of one threshold for all classes.
_COVERAGES = tuple(round(0.05 * k, 2) for k in range(20, 3, -1))


@dataclass(frozen=True, slots=True)
class ClassRefusal:
    """What refusing comes to among the answers that name one class.

    Parameters
    ----------
    name : str
    answered : Estimate or None
        Share of the answers of this class that are given; None when nobody was called so. Shares
        are as thresholds count them: each person's windows weigh 1 together.
    right_before, right : Estimate or None
        Share of right ones among all answers of this class, and among those that are given.
    least, most : float or None
        The lowest and the highest threshold among the folds that answer this class.
    silent : int
        In how many folds the class is never answered.
    """

    name: str
    answered: Estimate | None
    right_before: Estimate | None
    right: Estimate | None
    least: float | None
    most: float | None
    silent: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ClassRefusal:
        """Rebuild it from what `to_dict` gave."""
        names = ("answered", "right_before", "right")
        return cls(**{**data, **{name: _estimate(data[name]) for name in names}})


@dataclass(frozen=True, slots=True)
class Refused:
    """What refusing comes to, window by window or recording by recording.

    Parameters
    ----------
    unit : str
        ``"window"``, or ``"recording"`` where each shows one class.
    outcome : Outcome
        The working point.
    strange : float
        Share that the novelty gate refuses; mean over people.
    classes : tuple of ClassRefusal
    curve : tuple of Outcome
        One threshold for all classes, higher and higher, for comparison.
    """

    unit: str
    outcome: Outcome
    strange: float
    classes: tuple[ClassRefusal, ...]
    curve: tuple[Outcome, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "unit": self.unit,
            "outcome": self.outcome.to_dict(),
            "strange": self.strange,
            "classes": [each.to_dict() for each in self.classes],
            "curve": [each.to_dict() for each in self.curve],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refused:
        """Rebuild it from what `to_dict` gave."""
        return cls(
            data["unit"],
            Outcome.from_dict(data["outcome"]),
            data["strange"],
            tuple(ClassRefusal.from_dict(each) for each in data["classes"]),
            tuple(Outcome.from_dict(each) for each in data["curve"]),
        )


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a pipeline refuses, and what that comes to on held-out people.

    Parameters
    ----------
    asked : dict
        ``below`` (stated thresholds), ``accuracy`` or ``coverage`` (what learned ones aim at),
        ``novelty`` (the name of the gate): those that the pipeline has.
    parts : tuple of Refused
        About windows, and about recordings where each shows one class.
    """

    asked: dict[str, Any]
    parts: tuple[Refused, ...]

    @property
    def windows(self) -> Refused:
        """The part about windows."""
        return self.parts[0]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {"asked": self.asked, "parts": [each.to_dict() for each in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refusals:
        """Rebuild it from what `to_dict` gave."""
        return cls(dict(data["asked"]), tuple(Refused.from_dict(each) for each in data["parts"]))


def refused_in_fold(pipeline: Pipeline, table: FeatureTable, classes: tuple[str, ...]) -> Outputs:
    """Say which tested windows a fold's pipeline finds strange, and what thresholds it has.

    Returns
    -------
    dict
        ``strange`` (n_windows,): 1 or 0; ``thresholds`` (2, n_classes): for windows and for
        recordings, NaN for a class that the fold does not know. Empty for a pipeline that refuses
        nothing.
    """
    if not pipeline.config.refuses:
        return {}
    thresholds = np.full((2, len(classes)), np.nan)
    places = [classes.index(name) for name in pipeline.classes]
    refusal = pipeline.fitted.refusal
    thresholds[:, places] = 0.0
    if refusal is not None:
        thresholds[0, places] = refusal.windows.thresholds
        thresholds[1, places] = refusal.recordings.thresholds
    strange = pipeline.strange(table.values).astype(np.float64)
    return {_STRANGE: strange, _THRESHOLDS: thresholds}


def measure_refusals(
    config: PipelineConfig,
    predictions: Predictions,
    outputs: Sequence[Outputs],
    classes: tuple[str, ...],
    *,
    seed: int = 0,
) -> Refusals | None:
    """Judge what the pipelines of the folds refuse; None where they refuse nothing.

    Stated thresholds hold for windows and for whole recordings alike; learned ones are two sets.

    Parameters
    ----------
    config : PipelineConfig
    predictions : Predictions
        The held-out answers, with the number of the fold of each.
    outputs : sequence of dict
        Of the folds, see `refused_in_fold`.
    classes : tuple of str
    seed : int
        Of the bootstrap over people.
    """
    if not config.refuses or not classes:
        return None
    thresholds = np.stack([each[_THRESHOLDS] for each in outputs])
    strange = np.concatenate([each[_STRANGE] for each in outputs]) > 0
    answers = Answers.of_predictions(predictions, classes)
    parts = [_judged("window", answers, strange, predictions.fold, thresholds[:, 0], seed=seed)]
    whole = _of_recordings(predictions, strange, classes, method=config.aggregate)
    if whole is not None:
        parts.append(_judged("recording", *whole, thresholds[:, 1], seed=seed))
    return Refusals(_asked(config), tuple(parts))


def _asked(config: PipelineConfig) -> dict[str, Any]:
    plain = config.to_dict()
    asked: dict[str, Any] = {}
    if config.reject_below:
        asked["below"] = plain["reject_below"]
    if config.reject is not None:
        asked |= {k: plain["reject"][k] for k in ("accuracy", "coverage") if plain["reject"][k]}
    if config.novelty is not None:
        asked["novelty"] = config.novelty.name
    return asked


def _of_recordings(
    predictions: Predictions,
    strange: NDArray[np.bool_],
    classes: tuple[str, ...],
    *,
    method: str,
) -> tuple[Answers, NDArray[np.bool_], NDArray[np.intp]] | None:
    """Return answers about whole recordings; None unless each shows one class and is one fold's."""
    index = predictions.index
    names = np.char.add(np.char.add(index.subject, "\n"), index.recording)
    _, first, owner = np.unique(names, return_index=True, return_inverse=True)
    one_class = (index.label == index.label[first][owner]).all()
    if not one_class or (predictions.fold != predictions.fold[first][owner]).any():
        return None
    silent = np.bincount(owner, ~strange, minlength=len(first)) == 0  # nothing else to go by
    heard = ~strange | silent[owner]
    proba = aggregate(predictions.output[heard], owner[heard], method=method)[1]
    answers = Answers.of(proba, index.label[first], index.subject[first], classes=classes)
    return answers, silent, predictions.fold[first]


def _judged(
    unit: str,
    answers: Answers,
    strange: NDArray[np.bool_],
    fold: NDArray[np.intp],
    thresholds: Array,
    *,
    seed: int,
) -> Refused:
    unsure = answers.confidence < thresholds[fold, answers.predicted]
    refused = unsure | strange
    return Refused(
        unit,
        outcome_of(answers, refused, seed=seed),
        float(answers.by_person(strange).mean()),
        tuple(
            _class(answers, refused, k, thresholds[:, k], seed=seed)
            for k in range(len(answers.classes))
        ),
        coverage_curve(answers, coverages=_COVERAGES, seed=seed),
    )


def _class(
    answers: Answers, refused: NDArray[np.bool_], k: int, thresholds: Array, *, seed: int
) -> ClassRefusal:
    counts = resample(answers.n_people, seed=seed, n_resamples=1000)
    mine = answers.predicted == k
    given = mine & ~refused
    known = thresholds[~np.isnan(thresholds)]
    silent = np.isinf(known)
    return ClassRefusal(
        answers.classes[k],
        _share(answers, given, mine, counts),
        _share(answers, answers.right & mine, mine, counts),
        _share(answers, answers.right & given, given, counts),
        float(known[~silent].min()) if not silent.all() else None,
        float(known[~silent].max()) if not silent.all() else None,
        int(silent.sum()),
    )


def _share(
    answers: Answers, some: NDArray[np.bool_], among: NDArray[np.bool_], counts: Array
) -> Estimate | None:
    """Return which part of ``among`` is ``some``: as thresholds count it, people alike."""
    part, whole = answers.by_person(some), answers.by_person(among)
    if not whole.any():
        return None
    drawn = counts @ whole
    return resampled_estimate(
        float(part.sum() / whole.sum()),
        (counts @ part)[drawn > 0] / drawn[drawn > 0],
        evidence="person",
        n=int((whole > 0).sum()),
        bounds=(0.0, 1.0),
    )


def _estimate(data: Mapping[str, Any] | None) -> Estimate | None:
    return None if data is None else Estimate(**data)
