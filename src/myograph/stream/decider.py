"""Decider: samples in, decisions or estimates out, by a pipeline's steps, windows and model.

The arithmetic is that of `Pipeline.predict` and `Pipeline.estimate_recording`; what differs is
that everything which does not depend on the samples was done before the first of them came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from myograph.core.layout import Layout
from myograph.features.plan import Plan
from myograph.models.linear import LDA
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.scaling import Scaler
from myograph.stream.histogram import Stopwatch
from myograph.stream.ring import Ring
from myograph.stream.source import now

if TYPE_CHECKING:
    from myograph.core.sliding import SlidingWindows

__all__ = ["Decider", "Window"]

# Room in the ring for this many samples more than the longest need: what is pushed at once.
_PIECE = 4096
# Windows measured at once, which bounds the memory of a burst.
_AT_ONCE = 64


class Window(NamedTuple):
    """What became of one window.

    Parameters
    ----------
    number : int
        Of the window on the grid.
    stop : int
        Samples of the grid that had passed when it was complete.
    why : str
        Empty, ``"gap"`` when the window touches samples that were never measured, or
        ``"skipped"``.
    proba : ndarray of float64, shape (n_classes,), or None
        None when nothing was decided. For a regression the one class is the target, and sure.
    level : ndarray of float64, shape (n_channels,), or None
        Mean absolute value of each channel, behind the steps.
    value : float
        What a regression estimates; NaN otherwise.
    strange : bool
        Whether the pipeline's novelty gate refuses the window.
    """

    number: int
    stop: int
    why: str
    proba: NDArray[np.float64] | None
    level: NDArray[np.float64] | None
    value: float = math.nan
    strange: bool = False


class Decider:
    """One stream's way through a pipeline.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, for classification or regression.
    layout : Layout
        Of the stream.
    person : Scaler, optional
        With ``scaling="person"``, see `Pipeline.person_scaler`.
    stopwatch : Stopwatch, optional
        Takes how long each stage lasts.

    Raises
    ------
    LayoutError
        If the stream's layout is not the one learned from.
    ParameterError
        If a step looks ahead, or the person's scale is missing.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        layout: Layout,
        *,
        person: Scaler | None = None,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        pipeline.start_front(layout, person=person)  # refuses what cannot run live, with its reason
        self._pipeline, self._layout, self._person = pipeline, layout, person
        #: Name and unit of what a regression estimates; None for classification.
        self.target = pipeline.target if pipeline.task == "regression" else None
        #: Classes, in the order of the probabilities; the target's name alone for regression.
        self.classes = (self.target[0],) if self.target else pipeline.classes
        self._stopwatch = stopwatch or Stopwatch()
        behind = layout
        for step in pipeline.front.steps:
            behind = step.output_layout(behind)
        cut = pipeline.front.windowing
        self.length, self.step = cut.n_samples(fs_hz=layout.fs_hz)
        inputs = cut.output_layout(behind)
        rows = [behind.names.index(name) for name in inputs.names]
        self._rows = None if len(rows) == behind.n_channels else rows
        self.n_channels = inputs.n_channels
        self._plan = Plan(
            pipeline.front.features, fs_hz=layout.fs_hz, n_samples=self.length, layout=inputs
        )
        room = self.length + max(_AT_ONCE * self.step, self.step) + _PIECE
        self._ring = Ring(self.n_channels, room)
        self._cut = _Cut(self._ring.per_channel)
        # Imported when used: the compiler takes longer to load than most commands take.
        from myograph.stream.hops import mean_sizes

        self._sizes = mean_sizes
        self._shares = _scorer(pipeline, person)
        self._told = partial(pipeline.estimates, person=person)
        self._last = np.zeros((layout.n_channels, 1), dtype=np.float32)
        #: Samples of the grid that were pushed, measured or not.
        self.pushed = 0
        #: Number of the next window.
        self.number = 0
        self._gap_stop = 0
        self._hops = self._plan.start(n_channels=self.n_channels, step=self.step)
        self._expected = -1  # number of the window that goes on from the last one measured
        self._restart()

    def warm_up(self) -> None:
        """Compile and load everything before the first sample: a few windows of noise."""
        twin = Decider(self._pipeline, self._layout, person=self._person)
        rng = np.random.default_rng(0)
        for size in (self.length, *[self.step] * 20):
            noise = rng.standard_normal((self._layout.n_channels, size)).astype(np.float32)
            for _ in twin.push(noise):
                pass

    def push(
        self, samples: NDArray[np.float32], *, measured: bool = True, skip: bool = False
    ) -> Iterable[Window]:
        """Take finite samples (n_channels, n_new) and return the windows that they complete.

        Use them up before the next call.

        Parameters
        ----------
        samples : ndarray of float32
        measured : bool
            False for what stands in for samples that were never measured.
        skip : bool
            Run the steps, so that nothing is lost to later windows, and decide nothing.
        """
        if samples.shape[1] <= _PIECE:
            return self._piece(samples, measured=measured, skip=skip)
        firsts = range(0, samples.shape[1], _PIECE)
        pieces = (samples[:, first : first + _PIECE] for first in firsts)
        return chain.from_iterable(
            self._piece(piece, measured=measured, skip=skip) for piece in pieces
        )

    def bridge(self, n_samples: int, *, most: int) -> Iterator[Window]:
        """Hold the last value through a gap, as the readers of files do.

        A gap longer than ``most`` samples is not filled: the steps begin anew behind it.
        """
        if n_samples > most:
            self._restart()
            yield from self._passed(n_samples)
            return
        for first in range(0, n_samples, _PIECE):
            size = min(_PIECE, n_samples - first)
            yield from self._piece(np.repeat(self._last, size, axis=1), measured=False)

    def _restart(self) -> None:
        layout, self._steps = self._layout, []
        for step in self._pipeline.front.steps:
            self._steps.append(step.start(layout))
            layout = step.output_layout(layout)

    def _passed(self, n_samples: int) -> Iterator[Window]:
        self.pushed += n_samples
        self._gap_stop = self.pushed
        while (stop := self.number * self.step + self.length) <= self.pushed:
            yield Window(self.number, stop, "gap", None, None)
            self.number += 1

    def _piece(
        self, samples: NDArray[np.float32], *, measured: bool = True, skip: bool = False
    ) -> Iterable[Window]:
        if samples.shape[1] == 0:
            return ()
        begin = now()
        self._last[:, 0] = samples[:, -1]
        for step in self._steps:
            samples = step.push(samples)
        self._ring.write(samples if self._rows is None else samples[self._rows])
        self._stopwatch.add("steps", now() - begin)
        # The ring counts what it was given; the grid also counts gaps that were not filled.
        self.pushed += samples.shape[1]
        if not measured:
            self._gap_stop = self.pushed
        stop, start = self.number * self.step + self.length, self.number * self.step
        if stop > self.pushed:
            return ()
        if not skip and start >= self._gap_stop and stop + self.step > self.pushed:
            return self._measure(1, stop)  # what happens nearly always
        return self._complete(skip=skip)

    def _complete(self, *, skip: bool) -> Iterator[Window]:
        while (stop := self.number * self.step + self.length) <= self.pushed:
            touching = self.number * self.step < self._gap_stop
            if skip or touching:
                yield Window(self.number, stop, "gap" if touching else "skipped", None, None)
                self.number += 1
                continue
            count = min((self.pushed - stop) // self.step + 1, _AT_ONCE)
            yield from self._measure(count, stop)

    def _values(self, windows: NDArray[np.float32], count: int) -> NDArray[np.float64]:
        if self._pipeline.front.whole:
            return windows.reshape(count, -1).astype(np.float64)
        if count > 1:
            self._expected = -1
            return self._plan.table(windows)
        if self.number != self._expected:  # the last window was not the one before
            self._hops = self._plan.start(n_channels=self.n_channels, step=self.step)
        self._expected = self.number + 1
        return self._hops.next(self._cut.at(windows, self._ring.memory))

    def _measure(self, count: int, first_stop: int) -> list[Window]:
        offset = self.pushed - self._ring.written
        stops = [first_stop + k * self.step for k in range(count)]
        windows = self._ring.windows(
            stops[-1] - offset, count=count, length=self.length, step=self.step
        )
        begin = now()
        values = self._values(windows, count)
        levels = np.empty((count, self.n_channels))
        self._sizes(windows, levels)
        middle = now()
        told = [math.nan] * count
        if self.target:
            proba = np.ones((count, 1))
            told = self._told(values).tolist()
        else:
            proba = self._shares(values)
        strange = self._pipeline.strange(values)
        self._stopwatch.add("features", middle - begin)
        self._stopwatch.add("model", now() - middle)
        number, self.number = self.number, self.number + count
        return [
            Window(number + k, stop, "", proba[k], levels[k], told[k], bool(strange[k]))
            for k, stop in enumerate(stops)
        ]


class _Cut:
    """The newest window and where it lies, as a `SlidingWindows` says it."""

    __slots__ = ("_view", "count", "memory", "per_channel")

    def __init__(self, per_channel: int) -> None:
        self.count, self.per_channel = 1, per_channel

    def at(self, view: NDArray[np.float32], memory: NDArray[np.float32]) -> SlidingWindows:
        self._view, self.memory = view, memory
        return cast("SlidingWindows", self)

    def windows(self) -> NDArray[np.float32]:
        return self._view


def _scorer(
    pipeline: Pipeline, person: Scaler | None
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what turns features into probabilities: the usual model has a pass of its own."""
    model, learned = pipeline.model, pipeline.fitted
    if pipeline.front.whole:
        return lambda values: model.predict_proba(pipeline.taken(values))
    if not isinstance(model, LDA) or learned.selection is not None:
        return partial(pipeline.probabilities, person=person)
    from myograph.stream.hops import linear_shares

    scaler = person if pipeline.config.scaling == "person" else learned.scaler
    n_features = model.coef_.shape[1]
    scale = np.zeros(n_features), np.ones(n_features)
    if scaler is not None:
        scale = scaler.centre, scaler.spread

    def shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.empty((len(values), len(model.coef_)))
        linear_shares(values, scale, model.coef_, model.intercept_, found)
        return found

    return shares
