"""The front of a pipeline: steps, windows, features. It learns nothing from labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

import myograph.preprocess  # noqa: F401  (registers the steps)
from myograph.config.schema import PipelineConfig
from myograph.core.errors import DataError
from myograph.core.layout import MUSCLE_KINDS, Layout
from myograph.core.recording import Recording
from myograph.core.sliding import SlidingWindows
from myograph.core.step import Step, StepState, build_step
from myograph.core.table import FeatureTable
from myograph.core.windows import Windows
from myograph.features import FeatureSpec, extract, parse_features
from myograph.features.plan import Plan, flat_windows
from myograph.features.thresholds import fix_to_noise, of_noise
from myograph.models import MODELS
from myograph.preprocess.rest import channel_noise
from myograph.preprocess.windowing import Windowing

__all__ = ["Front", "FrontState", "build_front", "samples_table"]


@dataclass(frozen=True)
class Front:
    """Steps, then windows, then features.

    Parameters
    ----------
    steps : tuple of Step
        In order. Without a ``select`` step among them the muscle channels are taken first.
    windowing : Windowing
    features : tuple of FeatureSpec
    whole : bool
        True for a model of whole windows: their samples take the place of features.
    """

    steps: tuple[Step, ...]
    windowing: Windowing
    features: tuple[FeatureSpec, ...]
    whole: bool = False

    @property
    def learns(self) -> bool:
        """Whether a step or a threshold has to see training recordings first."""
        return bool(self.learned_parts)

    @property
    def learned_parts(self) -> tuple[str, ...]:
        """What is learned from training recordings, in words; empty for most pipelines."""
        steps = [f"step {step.name!r}" for step in self.steps if step.learns]
        noisy = [f"thresholds of feature {spec.name!r}" for spec in self.features if of_noise(spec)]
        return (*steps, *noisy)

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout of the windows that recordings with this ``layout`` give."""
        for step in self.steps:
            layout = step.output_layout(layout)
        return self.windowing.output_layout(layout)

    def process(self, recording: Recording) -> Recording:
        """Run the steps over a whole recording."""
        for step in self.steps:
            recording = step.apply(recording)
        return recording

    def measure(self, recording: Recording, *, labelled: bool) -> FeatureTable:
        """Return the features of a recording's windows.

        Raises
        ------
        DataError
            If no window can be cut.
        """
        windows = self.windowing.cut(self.process(recording), labelled=labelled)
        if len(windows) == 0:
            raise DataError(self._why_none(recording, labelled=labelled))
        return samples_table(windows) if self.whole else extract(windows, self.features)

    def fit(self, recordings: Sequence[Recording]) -> Front:
        """Return the front with what it learns.

        Steps, each fitted on what comes before it, and then the noise at rest that thresholds are
        multiples of.
        """
        fitted: list[Step] = []
        seen = list(recordings)
        for number, step in enumerate(self.steps):
            learned = step.fit(seen) if step.learns else step
            fitted.append(learned)
            if any(later.learns for later in self.steps[number + 1 :]):
                seen = [learned.apply(recording) for recording in seen]
        front = replace(self, steps=tuple(fitted))
        if not any(of_noise(spec) for spec in self.features):
            return front
        labels = self.windowing.rest_labels
        noise = channel_noise([front.process(each) for each in recordings], rest_labels=labels)
        return replace(front, features=fix_to_noise(self.features, noise))

    def start(self, layout: Layout) -> FrontState:
        """Return a fresh state to push chunks of signal through."""
        states = []
        for step in self.steps:
            states.append(step.start(layout))
            layout = step.output_layout(layout)
        windowing = self.windowing.start(layout)
        length, hop = self.windowing.n_samples(fs_hz=layout.fs_hz)
        layout = self.windowing.output_layout(layout)
        if self.whole:
            return FrontState(states, windowing, lambda w: _samples(w.windows()), layout.fs_hz)
        plan = Plan(self.features, fs_hz=layout.fs_hz, n_samples=length, layout=layout)
        hops = plan.start(n_channels=layout.n_channels, step=hop)
        return FrontState(states, windowing, hops.next, layout.fs_hz)

    def _why_none(self, recording: Recording, *, labelled: bool) -> str:
        cut = self.windowing
        wanted = (
            f"labelled by events from {list(cut.label_sources)} (its labels: "
            f"{sorted({event.label for event in recording.events})}; transition_ms="
            f"{cut.transition_ms:g}, rest={cut.rest!r}, min_coverage={cut.min_coverage:g}) "
            if labelled and cut.label_sources
            else ""
        )
        return (
            f"{recording!r}, session {recording.session!r}, gives no window: "
            f"length_ms={cut.length_ms:g} {wanted}must fit at least once without touching a gap. "
            "Shorten the windows, or leave this recording out."
        )


class FrontState:
    """A front that runs: it takes chunks and returns features of the windows they complete."""

    __slots__ = ("_fs_hz", "_rows", "_steps", "_windowing")

    def __init__(
        self,
        steps: Sequence[StepState],
        windowing: SlidingWindows,
        rows: Callable[[SlidingWindows], NDArray[np.float64]],
        fs_hz: float,
    ) -> None:
        self._steps = steps
        self._windowing = windowing
        self._rows = rows
        self._fs_hz = fs_hz

    def push(self, chunk: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Take the newest samples.

        Returns
        -------
        values : ndarray, shape (n_windows, n_features)
        stop_s : ndarray, shape (n_windows,)
            Seconds since the start of the stream at which each window was complete.
        """
        for step in self._steps:
            chunk = step.push(chunk)
        windowing = self._windowing
        windowing.take(chunk)
        return self._rows(windowing), windowing.stops() / self._fs_hz


def _samples(windows: NDArray[np.float32]) -> NDArray[np.float64]:
    return windows.reshape(len(windows), windows.shape[1] * windows.shape[2]).astype(np.float64)


def samples_table(windows: Windows) -> FeatureTable:
    """Return the samples of windows as a table, one channel after the other."""
    n_samples = windows.values.shape[2]
    names = tuple(
        f"{c.name}.sample[{k}]" for c in windows.layout.channels for k in range(n_samples)
    )
    units = tuple(c.unit for c in windows.layout.channels for _ in range(n_samples))
    values = _samples(windows.values)
    recipe = windows.recipe.then("samples", {})
    return FeatureTable(
        values,
        names,
        units,
        windows.index,
        windows.layout,
        recipe,
        flat_windows(windows.values),
        target_unit=windows.target_unit,
    )


def build_front(config: PipelineConfig) -> Front:
    """Build the front from its configuration; nothing has been learned yet.

    Raises
    ------
    ParameterError
        If a step, feature or parameter is unknown or breaks its rule.
    """
    steps = tuple(build_step(step.to_dict()) for step in config.steps)
    windowing = Windowing(**dict(config.windowing))
    if not any(step.name == "select" for step in steps):
        kinds = (*MUSCLE_KINDS, windowing.target_kind) if windowing.target_kind else MUSCLE_KINDS
        steps = (build_step({"step": "select", "kinds": kinds}), *steps)
    features = [f if isinstance(f, str) else f.to_dict() for f in config.features]
    whole = MODELS[config.model.name].eats == "windows"
    return Front(steps, windowing, parse_features(features), whole)
