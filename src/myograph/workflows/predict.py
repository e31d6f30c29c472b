"""Predict: what a saved model says about recordings it is given."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.decision import Decision
from myograph.core.recording import GAP, Recording
from myograph.workflows.cohort import Data, Selection, open_cohort
from myograph.workflows.estimate import Estimation, estimate_recording
from myograph.workflows.outputs import write_text

if TYPE_CHECKING:
    from myograph.pipeline.pipeline import Pipeline

__all__ = ["Prediction", "Stretch", "predict", "predict_recording", "write_decisions"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A run of windows during which the recording names one thing.

    Parameters
    ----------
    start_s, stop_s : float
        Times of the first and the last decision.
    truth : str
        What the recording says.
    called : str
        What the model said most often.
    right : float
        Share of the windows that were called right.
    windows : int
    """

    start_s: float
    stop_s: float
    truth: str
    called: str
    right: float
    windows: int

    @classmethod
    def of(cls, decisions: Sequence[Decision], truth: str) -> Stretch:
        """Sum up the decisions of one run."""
        labels = [decision.label for decision in decisions]
        called = Counter(labels).most_common(1)[0][0]
        right = labels.count(truth) / len(labels)
        return cls(decisions[0].time_s, decisions[-1].time_s, truth, called, right, len(labels))


@dataclass(frozen=True)
class Prediction:
    """What a model says about one recording.

    Parameters
    ----------
    subject, session : str
        Whose it is; empty when unknown.
    decisions : tuple of Decision
        One per window, in time.
    whole : Decision
        One about the whole recording.
    truth : tuple of str
        What the recording itself says about each window; empty where it says nothing.
    """

    subject: str
    session: str
    decisions: tuple[Decision, ...]
    whole: Decision
    truth: tuple[str, ...]

    @property
    def shares(self) -> dict[str, float]:
        """Share of the windows that each label got, the commonest first."""
        counts = Counter(decision.label for decision in self.decisions)
        return {label: n / len(self.decisions) for label, n in counts.most_common()}

    @property
    def accuracy(self) -> float | None:
        """Share of the labelled windows that were called right; None without labels."""
        judged = [
            decision.label == truth
            for decision, truth in zip(self.decisions, self.truth, strict=True)
            if truth
        ]
        return float(np.mean(judged)) if judged else None

    @property
    def refused(self) -> int:
        """How many windows got no answer: not sure enough, or unlike anything learned from."""
        return sum(decision.rejected for decision in self.decisions)

    @property
    def accuracy_answered(self) -> float | None:
        """Share of right ones among the labelled windows that were answered; None without any."""
        judged = [
            decision.label == truth
            for decision, truth in zip(self.decisions, self.truth, strict=True)
            if truth and not decision.rejected
        ]
        return float(np.mean(judged)) if judged else None

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Runs of windows with one label of the recording, in time, and what was said in each."""
        pairs = zip(self.decisions, self.truth, strict=True)
        runs = (list(run) for _, run in groupby(pairs, key=lambda pair: pair[1]))
        return tuple(Stretch.of([d for d, _ in run], run[0][1]) for run in runs if run[0][1])

    @property
    def labelled(self) -> int:
        """How many windows have a label to compare with."""
        return sum(bool(truth) for truth in self.truth)

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as plain JSON-able data."""
        windows = [
            {**decision.to_dict(), "truth": truth or None}
            for decision, truth in zip(self.decisions, self.truth, strict=True)
        ]
        return {
            "subject": self.subject,
            "session": self.session,
            "whole": self.whole.to_dict(),
            "shares": self.shares,
            "accuracy": self.accuracy,
            "labelled_windows": self.labelled,
            "refused_windows": self.refused,
            "accuracy_answered": self.accuracy_answered,
            "stretches": [asdict(stretch) for stretch in self.stretches],
            "windows": windows,
        }


def predict(
    model: str | PathLike[str] | Pipeline,
    data: Data,
    *,
    people: Sequence[str] = (),
    read: Mapping[str, Any] | None = None,
) -> tuple[Prediction, ...] | tuple[Estimation, ...]:
    """Let a model decide about every window of every recording, or estimate its value.

    Parameters
    ----------
    model : path or Pipeline
        A ``.myomodel`` file.
    data : str, path, Dataset or sequence of Recording
        Files need not say whose they are.
    people : sequence of str
        Only these.
    read : mapping, optional
        Options for reading files, as for `myograph.read`.

    Returns
    -------
    tuple of Prediction, or of Estimation when the model is a regression

    Raises
    ------
    ArtifactError
        If the model's file was altered, or is from a newer format.
    LayoutError
        If a recording has another rate, montage or unit than the model was trained for.
    DataError
        If a recording is shorter than a window.
    """
    pipeline = _loaded(model) if isinstance(model, str | PathLike) else model
    cohort = open_cohort(data, Selection(people, people_from="file", read=read or {}))
    if pipeline.task == "regression":
        return tuple(estimate_recording(pipeline, recording) for recording in cohort.recordings)
    return tuple(predict_recording(pipeline, recording) for recording in cohort.recordings)


def predict_recording(pipeline: Pipeline, recording: Recording) -> Prediction:
    """Let a fitted pipeline decide about one recording."""
    decisions = pipeline.predict(recording)
    length_s = pipeline.config.windowing.length_ms / 1000
    truth = [_truth(pipeline, recording, d.time_s - length_s, d.time_s) for d in decisions]
    return Prediction(
        subject=recording.subject.pseudonym if recording.subject else "",
        session=recording.session,
        decisions=decisions,
        whole=pipeline.predict_recording(recording),
        truth=tuple(truth),
    )


def _loaded(path: str | PathLike[str]) -> Pipeline:
    from myograph.pipeline.artifact import load_model

    return load_model(Path(path))


def _truth(pipeline: Pipeline, recording: Recording, start_s: float, stop_s: float) -> str:
    """Return the label of the event that covers a window, if it is one the model knows."""
    slack_s = 0.5 / recording.fs_hz
    sources = pipeline.config.windowing.label_sources
    for event in recording.events:
        covers = event.onset_s <= start_s + slack_s and event.end_s >= stop_s - slack_s
        if covers and event.label != GAP and event.source in sources:
            return event.label if event.label in pipeline.classes else ""
    return ""


def write_decisions(
    predictions: Sequence[Prediction], path: str | PathLike[str], *, force: bool = False
) -> Path:
    """Write one row for every decision: whose, when, what, how sure, and the label if there is one.

    Raises
    ------
    OutputExistsError
        If the file exists and ``force`` is not given.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    classes = predictions[0].whole.classes if predictions else ()
    names = [f"p({name})" for name in classes]
    writer.writerow(["person", "session", "time_s", "label", "rejected", "truth", *names])
    for prediction in predictions:
        for decision, truth in zip(prediction.decisions, prediction.truth, strict=True):
            writer.writerow(
                [
                    prediction.subject,
                    prediction.session,
                    f"{decision.time_s:.6g}",
                    decision.label,
                    int(decision.rejected),
                    truth,
                    *(f"{p:.6g}" for p in decision.probabilities),
                ]
            )
    return write_text(Path(path), text.getvalue(), force=force)
