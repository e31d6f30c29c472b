"""Similar cases: what people in the training data it resembles, and what they were.

A ``.myomodel`` carries no signal and no features of any person, so similar cases need the data
they come from. Distance is the root mean square difference of the features' means, each in units
of its deviation over the reference windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_count
from myograph.core.errors import DataError
from myograph.core.table import FeatureTable
from myograph.explain.question import Question
from myograph.pipeline.scaling import Scaler, scale_people

__all__ = ["Case", "Cases", "similar_cases"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A stretch of another person's recording that resembles the one that is explained.

    Parameters
    ----------
    person, session, trial : str
        Pseudonyms and names as the data give them.
    label : str
        What it was: the class, or the value.
    start_s, stop_s : float
        Where in its recording.
    distance : float
        Root mean square over features, in standard deviations.
    recording : str
        Digest of its samples.
    """

    person: str
    session: str
    trial: str
    label: str
    start_s: float
    stop_s: float
    distance: float
    recording: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Cases:
    """The nearest cases, the nearest first.

    Parameters
    ----------
    nearest : tuple of Case
    usual : float
        Distance from one case of the reference to its nearest one of another person, the median:
        a yardstick.
    people, candidates : int
        Among how many.
    seen : bool
        Whether the person is among the reference people (and was passed over).
    """

    nearest: tuple[Case, ...]
    usual: float
    people: int
    candidates: int
    seen: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "nearest": [case.to_dict() for case in self.nearest],
            "usual_distance": self.usual,
            "people": self.people,
            "candidates": self.candidates,
            "person_in_reference": self.seen,
        }


def similar_cases(question: Question, reference: FeatureTable, *, n: int = 5) -> Cases:
    """Find the cases of other people whose features are nearest.

    A case is a run of windows of one recording, one trial and one label. The person of the
    question, and recordings with the same samples, are never among them; each other person is
    named once at most before anybody is named twice.

    Parameters
    ----------
    question : Question
    reference : FeatureTable
        Labelled windows of training people, as the pipeline measures them.
    n : int
        How many.

    Raises
    ------
    DataError
        If the columns differ, or nobody else is in the reference.
    """
    check_count(n, name="n")
    pipeline = question.pipeline
    if reference.names != pipeline.fitted.names:
        raise DataError("The reference has other features than the model learned from.")
    person = question.recording.subject.pseudonym if question.recording.subject else ""
    index = reference.index
    mine = (index.subject == person) if person else np.zeros(len(index), dtype=np.bool_)
    mine |= index.recording == question.recording.source_digest
    rows = np.flatnonzero(~mine)
    if not len(rows):
        raise DataError("The reference holds nobody but the person who is explained.")
    values, asked = _scaled(question, reference)
    if question.pipeline.front.whole:
        values, asked = _sizes(values, question), _sizes(asked, question)
    scaler = Scaler.of(values[rows])
    values, here = scaler.apply(values), scaler.apply(asked).mean(axis=0)
    groups, firsts, means, ends = _cases(values, reference, rows)
    away = np.sqrt(((means - here) ** 2).mean(axis=1))
    picked = _spread_over_people(away, index.subject[firsts], n)
    nearest = tuple(
        Case(
            person=str(index.subject[firsts[k]]),
            session=str(index.session[firsts[k]]),
            trial=str(index.trial[firsts[k]]),
            label=_label(index.label[firsts[k]]),
            start_s=float(index.start_s[firsts[k]]),
            stop_s=float(ends[k]),
            distance=float(away[k]),
            recording=str(index.recording[firsts[k]]),
        )
        for k in picked
    )
    return Cases(
        nearest,
        _usual(means, index.subject[firsts]),
        len(np.unique(index.subject[rows])),
        groups,
        bool(mine.any()),
    )


def _scaled(question: Question, reference: FeatureTable) -> tuple[Array, Array]:
    pipeline = question.pipeline
    asked = question.measured(question.windows.values)
    if pipeline.config.scaling == "person":
        values = scale_people(reference.values, reference.index.subject)
        return values, pipeline.scale(asked, person=question.person)
    return np.asarray(reference.values), asked


def _sizes(values: Array, question: Question) -> Array:
    """Describe whole windows by the logarithm of each channel's size and of its steps."""
    windows = values.reshape(len(values), question.layout.n_channels, -1)
    sizes = [np.sqrt((each**2).mean(axis=2)) for each in (windows, np.diff(windows, axis=2))]
    return np.log(np.maximum(np.concatenate(sizes, axis=1), 1e-9))


def _cases(
    values: Array, reference: FeatureTable, rows: NDArray[np.intp]
) -> tuple[int, NDArray[np.intp], Array, Array]:
    """Join windows into cases: count, first window, mean features and end of each."""
    index = reference.index.take(rows)
    keys = [index.subject, index.recording, index.trial, index.label.astype(np.str_)]
    codes = np.stack([np.unique(key, return_inverse=True)[1] for key in keys])
    _, first, owner = np.unique(codes, axis=1, return_index=True, return_inverse=True)
    owner = np.ravel(owner)
    counts = np.bincount(owner)
    means = np.zeros((len(first), values.shape[1]))
    np.add.at(means, owner, values[rows])
    ends = np.zeros(len(first))
    np.maximum.at(ends, owner, index.stop_s)
    return len(first), rows[first], means / counts[:, None], ends


def _spread_over_people(away: Array, people: NDArray[np.str_], n: int) -> list[int]:
    order = [int(k) for k in np.argsort(away, kind="stable")]
    nearest: dict[str, int] = {}
    for k in order:
        nearest.setdefault(str(people[k]), k)
    first = list(nearest.values())
    later = [k for k in order if k not in set(first)]
    return sorted([*first, *later][:n], key=lambda k: (away[k], k))


def _usual(means: Array, people: NDArray[np.str_]) -> float:
    """Return the median distance from a case to its nearest case of another person."""
    rows = np.linspace(0, len(means) - 1, min(len(means), 300)).astype(int)
    nearest = []
    for k in rows:
        others = people != people[k]
        if others.any():
            nearest.append(float(np.sqrt(((means[others] - means[k]) ** 2).mean(axis=1)).min()))
    return float(np.median(nearest)) if nearest else 0.0


def _label(label: Any) -> str:
    return f"{label:.4g}" if isinstance(label, float | np.floating) else str(label)
