"""Step: one thing done to a recording, defined once, run offline and live alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import unknown_name
from myograph.core.errors import ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Recording
from myograph.core.registry import Registry

__all__ = ["STEPS", "OfflineStep", "Step", "StepState", "build_step", "register_step"]


class StepState(Protocol):
    """A step that runs: it remembers where it stopped."""

    def push(self, chunk: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the newest samples (n_channels, n_new) and return what comes out of them."""
        ...


class Step(ABC):
    """One thing done to a recording. Subclasses are frozen dataclasses of their parameters.

    ``apply`` equals pushing everything: a causal step defines `start` and has no second
    definition that could drift away from it.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    causal: ClassVar[bool] = True
    #: True when the step has to see training data before it can run; see `fit`.
    learns: ClassVar[bool] = False

    @abstractmethod
    def start(self, layout: Layout) -> StepState:
        """Check the step against ``layout`` and return a fresh state to push chunks through."""

    def output_layout(self, layout: Layout) -> Layout:
        """Return the layout of what comes out; most steps leave it as it is."""
        return layout

    def apply(self, recording: Recording) -> Recording:
        """Run the step over a whole recording: one push of everything."""
        return self._derived(recording, self.start(recording.layout).push(recording.samples))

    def fit(self, recordings: Sequence[Recording]) -> Self:
        """Return the step with what it learned from training recordings.

        Called inside each fold, on training people only. A step that learns nothing is returned
        as it is.
        """
        del recordings
        return self

    @property
    def needs_person(self) -> bool:
        """Whether it must have been fitted on recordings of the very person it is applied to."""
        return False

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that rebuild this step."""
        if not is_dataclass(self):
            raise TypeError(f"{type(self).__name__} must be a dataclass of its parameters.")
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain data: its name and its parameters."""
        return {"step": self.name, **self.parameters()}

    def _derived(self, recording: Recording, samples: NDArray[np.float32]) -> Recording:
        if samples.base is None:  # the step's own fresh array: hand it over without a copy
            samples.flags.writeable = False
        return recording.with_samples(
            samples,
            step=self.name,
            parameters=self.parameters(),
            version=self.version,
            layout=self.output_layout(recording.layout),
        )


class OfflineStep(Step):
    """A step that needs the future: offline only, and the live engine refuses it."""

    causal: ClassVar[bool] = False

    @abstractmethod
    def transform(self, samples: NDArray[np.float32], layout: Layout) -> NDArray[np.float32]:
        """Return the new samples, shape (n_channels, n_samples)."""

    def start(self, layout: Layout) -> StepState:
        """Refuse: a step that needs the future cannot run on a stream."""
        raise ParameterError(
            f"Step {self.name!r} looks ahead of the newest sample, so it runs offline only; "
            "choose a causal step for a pipeline that is to run live or on a device."
        )

    def apply(self, recording: Recording) -> Recording:
        """Run the step over a whole recording."""
        return self._derived(recording, self.transform(recording.samples, recording.layout))


#: Every step by name.
STEPS: Registry[type[Step]] = Registry("step")

S = TypeVar("S", bound=type[Step])


def register_step(name: str) -> Callable[[S], S]:
    """Decorate a step class to name and register it."""

    def decorate(cls: S) -> S:
        cls.name = name
        STEPS.add(name, cls)
        return cls

    return decorate


def build_step(definition: Mapping[str, Any]) -> Step:
    """Build a step from ``{"step": name, **parameters}``, what `Step.to_dict` gave.

    Raises
    ------
    ParameterError
        If the step or a parameter is unknown, or a value breaks its rule.
    """
    given = dict(definition)
    if "step" not in given:
        raise ParameterError(f"A step definition needs the key 'step'; got {sorted(given)}.")
    cls = STEPS[given.pop("step")]
    known: list[str] = [f.name for f in fields(cls)] if is_dataclass(cls) else []
    for name in given:
        if name not in known:
            raise ParameterError(unknown_name(name, known, what=f"parameter of step {cls.name!r}"))
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    try:
        return cls(**values)
    except TypeError as error:
        raise ParameterError(f"Step {cls.name!r} cannot be built from {given}: {error}.") from error
