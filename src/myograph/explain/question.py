"""The question: which decision is to be explained, and the one number that stands for it.

For classes that number is the logarithm of the odds between the class that is explained and one
other, ``ln p(target) - ln p(against)``: 0 is undecided, +0.7 twice as probable, +2.3 ten times.
A recording's decision is the mean of its windows' logarithms, so the evidence of a recording is
the mean of that of its windows, exactly. For regression the number is the estimate in its unit.

Where the probability is a share of votes (of trees, of neighbours), half a vote is added to either
class (haldane1956). What no tree said would otherwise stand at the floor that keeps logarithms
finite, and one tree of thirty that changes its mind in a quiet window would weigh more than all
thirty in the window that was decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.core.windows import Windows
from myograph.features.extract import measure
from myograph.models import Model
from myograph.models.aggregate import aggregate
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.scaling import Scaler

__all__ = ["LOG_ODDS", "Question", "Stretch", "ask"]

#: Unit of the evidence about classes.
LOG_ODDS = "log-odds"

Array = NDArray[np.float64]

# As in `myograph.models.aggregate`: one window's zero must not silence all the others.
_LEAST = 1e-6
# Samples of windows that are measured at once.
_MOST_SAMPLES = 4_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which windows of a recording are asked about.

    Parameters
    ----------
    start_s, stop_s : float, optional
        Windows that lie between these moments; the whole recording without them.
    time_s : float, optional
        The one window whose middle is nearest to this moment.
    window : int, optional
        The one window with this number, from 0.
    most : int
        At most so many windows, evenly spread: a long recording takes no longer.
    """

    start_s: float | None = None
    stop_s: float | None = None
    time_s: float | None = None
    window: int | None = None
    most: int = 200

    def rows(self, windows: Windows) -> NDArray[np.intp]:
        """Return the numbers of the windows.

        Raises
        ------
        ParameterError
            If a moment or a number lies outside the recording, or two ways of choosing are mixed.
        DataError
            If no window lies in the stretch.
        """
        check_count(self.most, name="most")
        ways = [self.time_s is not None, self.window is not None, self._bounded]
        if sum(ways) > 1:
            raise ParameterError("Choose windows by time_s, by window or by start_s and stop_s.")
        index = windows.index
        if self.window is not None:
            return self._numbered(len(windows))
        if self.time_s is not None:
            return self._near(index.start_s, index.stop_s)
        start = -np.inf if self.start_s is None else self.start_s
        stop = np.inf if self.stop_s is None else self.stop_s
        inside = np.flatnonzero((index.start_s >= start - 1e-9) & (index.stop_s <= stop + 1e-9))
        if not len(inside):
            raise DataError(
                f"No window lies between {start:g} and {stop:g} s; the windows run from "
                f"{index.start_s[0]:g} to {index.stop_s[-1]:g} s."
            )
        if len(inside) > self.most:
            inside = inside[np.linspace(0, len(inside) - 1, self.most).round().astype(np.intp)]
        return inside.astype(np.intp)

    @property
    def _bounded(self) -> bool:
        return self.start_s is not None or self.stop_s is not None

    def _numbered(self, n_windows: int) -> NDArray[np.intp]:
        number = check_count(self.window or 0, name="window", least=0)
        if number >= n_windows:
            raise ParameterError(
                f"window must be one of 0 to {n_windows - 1}, which the recording gives; "
                f"got {number}."
            )
        return np.array([number], dtype=np.intp)

    def _near(self, start_s: Array, stop_s: Array) -> NDArray[np.intp]:
        moment = float(self.time_s or 0.0)
        if not start_s[0] <= moment <= stop_s[-1]:
            raise ParameterError(
                f"time_s must lie in the recording's windows, {start_s[0]:g} to {stop_s[-1]:g} s; "
                f"got {moment:g}."
            )
        middle = (start_s + stop_s) / 2
        return np.array([np.abs(middle - moment).argmin()], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Question:
    """A decision of a fitted pipeline about a stretch of a recording; see `ask`.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    model : Model
        That of the pipeline, or one put in its place to see what changes.
    recording : Recording
        As it was given, before the pipeline's steps.
    processed : Recording
        After them.
    windows : Windows
        Those that are asked about.
    rows : ndarray of int, shape (n_windows,)
        Their numbers among all windows of the recording.
    person : Scaler or None
        The person's own scale, for pipelines that have one.
    target, against : str
        Classes; empty for regression.
    """

    pipeline: Pipeline
    model: Model
    recording: Recording
    processed: Recording
    windows: Windows
    rows: NDArray[np.intp]
    person: Scaler | None = None
    target: str = ""
    against: str = ""

    @property
    def unit(self) -> str:
        """Unit of the evidence: log-odds, or the unit of the estimate."""
        return LOG_ODDS if self.target else (self.pipeline.target[1] or "1")

    @property
    def layout(self) -> Layout:
        """Rate and channels of the windows."""
        return self.windows.layout

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the model; none for regression."""
        return self.pipeline.classes if self.pipeline.task == "classification" else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers that the model takes."""
        return self.pipeline.fitted.names_taken

    def measured(self, values: NDArray[np.float32]) -> Array:
        """Return what the pipeline measures on windows (n, n_channels, n_samples), unscaled."""
        front = self.pipeline.front
        if front.whole:
            return np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        return measure(
            np.ascontiguousarray(values), fs_hz=self.layout.fs_hz, features=front.features
        )

    def taken(self, values: NDArray[np.float32]) -> Array:
        """Return what the model takes of windows (n, n_channels, n_samples)."""
        return self.pipeline.taken(self.pipeline.scale(self.measured(values), person=self.person))

    @cached_property
    def inputs(self) -> Array:
        """What the model takes of the windows that are asked about."""
        return self.taken(self.windows.values)

    def probabilities(self, taken: Array) -> Array:
        """Return probabilities (n, n_classes) for what the model takes."""
        proba: Array = self.model.predict_proba(taken)
        return proba

    def evidence_of(self, taken: Array) -> Array:
        """Return the number that is explained, for each row of what the model takes.

        Where probabilities are shares of votes, half a vote is added to both classes: thirty trees
        that all say no mean odds of one to sixty or so, and not of one to a million.

        References
        ----------
        haldane1956
        """
        if not self.target:
            return np.asarray(self.model.predict(taken), dtype=np.float64)
        proba = self.probabilities(taken)
        votes = self.model.votes
        said = np.log(proba + 0.5 / votes if votes else np.maximum(proba, _LEAST))
        return np.asarray(said[:, self._at(self.target)] - said[:, self._at(self.against)])

    def evidence_in(self, values: NDArray[np.float32]) -> Array:
        """Return the number that is explained, for each of windows (n, n_channels, n_samples)."""
        size = max(1, _MOST_SAMPLES // max(1, values.shape[1] * values.shape[2]))
        blocks = range(0, len(values), size)
        return np.concatenate([self.evidence_of(self.taken(values[b : b + size])) for b in blocks])

    @cached_property
    def evidence(self) -> Array:
        """The number that is explained, for each window; its mean is that of the stretch."""
        return self.evidence_of(self.inputs)

    @cached_property
    def proba(self) -> Array:
        """Probabilities of the classes for the stretch, as the pipeline combines its windows."""
        method = self.pipeline.config.aggregate
        rows = self.probabilities(self.inputs)
        combined: Array = aggregate(rows, np.zeros(len(rows)), method=method)[1][0]
        return combined

    @property
    def decided(self) -> str:
        """The most probable class of the stretch."""
        return self.classes[int(self.proba.argmax())] if self.classes else ""

    def with_model(self, model: Model) -> Question:
        """Return the same question to another model that takes the same."""
        return replace(self, model=model)

    def windows_of(self, recording: Recording, *, raw: bool) -> NDArray[np.float32]:
        """Cut the same windows from a changed recording, before or after the pipeline's steps."""
        front = self.pipeline.front
        processed = front.process(recording) if raw else recording
        return front.windowing.cut(processed, labelled=False).values[self.rows]

    def _at(self, name: str) -> int:
        return self.pipeline.classes.index(name)


def ask(
    pipeline: Pipeline,
    recording: Recording,
    *,
    stretch: Stretch | None = None,
    target: str = "",
    against: str = "",
) -> Question:
    """Ask why a fitted pipeline decides about a stretch of a recording as it does.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    recording : Recording
    stretch : Stretch, optional
        The whole recording by default.
    target : str
        The class to explain; the decided one by default.
    against : str
        The class it is compared with; the most probable other one by default.

    Raises
    ------
    LayoutError
        If rate, channels, their order or their units are not those learned from.
    ParameterError
        If the pipeline has learned nothing, a class is unknown, or the stretch is not there.
    DataError
        If the recording gives no window.
    """
    pipeline.check_layout(recording.layout)
    processed = pipeline.front.process(recording)
    windows = pipeline.front.windowing.cut(processed, labelled=False)
    if not len(windows):
        pipeline.measure(recording)  # which says why there are none
    rows = (stretch or Stretch()).rows(windows)
    person = None
    if pipeline.config.scaling == "person":
        person = pipeline.person_scaler([recording])
    question = Question(
        pipeline, pipeline.model, recording, processed, windows.take(rows), rows, person
    )
    if pipeline.task != "classification":
        if target or against:
            raise ParameterError("This model estimates a value; it has no classes to compare.")
        return question
    order = [pipeline.classes[k] for k in np.argsort(-question.proba, kind="stable")]
    target = check_choice(target or order[0], pipeline.classes, name="target")
    others = [name for name in order if name != target]
    against = check_choice(against or others[0], pipeline.classes, name="against")
    if against == target:
        raise ParameterError(f"against must be another class than {target!r}, which is explained.")
    return replace(question, target=target, against=against)
