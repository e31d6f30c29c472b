"""Estimate: the numbers that a saved regression gives for recordings, beside those measured."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.recording import Recording
from myograph.validate.metrics import regression_scores
from myograph.workflows.outputs import write_text

if TYPE_CHECKING:
    from myograph.pipeline.pipeline import Pipeline

__all__ = ["Estimation", "estimate_recording", "write_estimates"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimation:
    """What a regression estimates over one recording.

    Parameters
    ----------
    subject, session : str
        Whose it is; empty when unknown.
    target, unit : str
        What is estimated: ``"force"`` in ``"N"``. The unit is empty when recordings learned from
        differed in it.
    time_s : ndarray, shape (n_windows,)
        Moment of the newest sample of each window.
    values : ndarray, shape (n_windows,)
        The estimates.
    truth : ndarray, shape (n_windows,)
        What the recording itself measured, averaged over each window; NaN where it did not.
    """

    subject: str
    session: str
    target: str
    unit: str
    time_s: Floats
    values: Floats
    truth: Floats

    @property
    def measured(self) -> int:
        """How many windows have a measured value to compare with."""
        return int(np.isfinite(self.truth).sum())

    @property
    def scores(self) -> dict[str, float]:
        """``mae`` and ``rmse`` in the target's unit, and ``r2``; NaN where nothing was measured."""
        known = np.isfinite(self.truth)
        return regression_scores(self.truth[known], self.values[known])

    def to_dict(self) -> dict[str, Any]:
        """Return the estimation as plain JSON-able data."""
        rows = zip(self.time_s.tolist(), self.values.tolist(), self.truth.tolist(), strict=True)
        return {
            "subject": self.subject,
            "session": self.session,
            "target": self.target,
            "unit": self.unit,
            "measured_windows": self.measured,
            "scores": {name: _known(value) for name, value in self.scores.items()},
            "windows": [
                {"time_s": time_s, "value": value, "truth": _known(truth)}
                for time_s, value, truth in rows
            ],
        }


def estimate_recording(pipeline: Pipeline, recording: Recording) -> Estimation:
    """Let a fitted regression estimate over one recording, which need not hold the target."""
    values, time_s = pipeline.estimate_recording(recording)
    target, unit = pipeline.target
    return Estimation(
        subject=recording.subject.pseudonym if recording.subject else "",
        session=recording.session,
        target=target,
        unit=unit,
        time_s=time_s,
        values=values,
        truth=_measured(pipeline, recording, len(values)),
    )


def _measured(pipeline: Pipeline, recording: Recording, n_windows: int) -> Floats:
    """Return the target's mean over every window, as training takes it; NaN without its channel."""
    cut = pipeline.front.windowing
    kinds = [channel.kind for channel in recording.layout.channels]
    if kinds.count(cut.target_kind or "") != 1:
        return np.full(n_windows, np.nan)
    every = replace(cut, label_sources=())
    index = every.cut(pipeline.front.process(recording), labelled=True).index
    return np.asarray(index.label, dtype=np.float64)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_estimates(
    estimations: Sequence[Estimation], path: str | PathLike[str], *, force: bool = False
) -> Path:
    """Write one row for every window: whose, when, the estimate, and what was measured.

    The columns of the values are called after what they hold and its unit: ``force_N``.

    Raises
    ------
    OutputExistsError
        If the file exists and ``force`` is not given.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    first = estimations[0] if estimations else None
    name = "_".join(filter(None, (first.target, first.unit))) if first else "value"
    writer.writerow(["person", "session", "time_s", name, f"measured_{name}"])
    for one in estimations:
        for time_s, value, truth in zip(one.time_s, one.values, one.truth, strict=True):
            measured = f"{truth:.6g}" if math.isfinite(truth) else ""
            writer.writerow([one.subject, one.session, f"{time_s:.6g}", f"{value:.6g}", measured])
    return write_text(Path(path), text.getvalue(), force=force)
