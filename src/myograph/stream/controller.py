"""Controller: samples in, commands out; every way of control behind one pair of methods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.core.checks import check_positive
from myograph.core.layout import Layout
from myograph.pipeline.smoothing import DecisionFilter, Smoothing
from myograph.stream.control import Command, VelocityControl
from myograph.stream.effort import EffortScale, Envelope
from myograph.stream.safety import Safety
from myograph.stream.steady import Steady

if TYPE_CHECKING:
    from myograph.pipeline.pipeline import Pipeline

__all__ = ["Controller", "EnvelopeController", "LevelControl", "PatternController"]


class Controller(Protocol):
    """What turns samples into commands."""

    def push(self, chunk: ArrayLike) -> tuple[Command, ...]:
        """Take the newest samples (n_channels, n_new) and return the commands they complete."""
        ...

    def reset(self) -> None:
        """Start a new stream at time 0."""
        ...


class LevelControl(Protocol):
    """What turns levels of channels into a command."""

    def push(self, levels: ArrayLike, time_s: float) -> Command:
        """Take the newest level of every channel."""
        ...

    def reset(self) -> None:
        """Start a new stream."""
        ...


class PatternController:
    """Pattern recognition: a pipeline decides what moves, effort decides how fast.

    Decisions do not depend on the chunks. The effort is that of the newest sample of a chunk, so
    push no more than a hop at a time, as a live source does.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    layout : Layout
        Of the stream.
    scale : EffortScale
        Of the person.
    smoothing : DecisionFilter, optional
    control : VelocityControl, optional
    safety : Safety, optional
    """

    def __init__(
        self,
        pipeline: Pipeline,
        layout: Layout,
        *,
        scale: EffortScale,
        smoothing: DecisionFilter | None = None,
        control: VelocityControl | None = None,
        safety: Safety | None = None,
    ) -> None:
        self._pipeline, self._layout, self._scale = pipeline, layout, scale
        self._smoothing = smoothing or Smoothing(())
        self._control = control or VelocityControl()
        self.safety = safety or Safety()
        self.reset()

    def push(self, chunk: ArrayLike) -> tuple[Command, ...]:
        """Take samples and return one command per decision."""
        samples = np.asarray(chunk, dtype=np.float32)
        decisions = self._state.push(samples)
        level = float(self._envelope.push(samples).mean())
        commands = []
        for decision in decisions:
            steady = self._smoothing.push(decision)
            effort = self._scale.effort(steady.label, level)
            commands.append(self.safety.push(self._control.push(steady, effort=effort)))
        return tuple(commands)

    def reset(self) -> None:
        """Start a new stream at time 0; an emergency ends."""
        self._state = self._pipeline.start(self._layout)
        self._envelope = Envelope(self._layout)
        self._smoothing.reset()
        self._control.reset()
        self.safety.reset()


class EnvelopeController:
    """Control from the levels of channels alone: two sites, or regression.

    Parameters
    ----------
    layout : Layout
        Of the stream.
    control : LevelControl
        `myograph.stream.threshold.TwoSiteControl`,
        `myograph.stream.regression.SimultaneousControl`, or alike.
    hop_ms : float
        Time from one command to the next.
    average_ms : float
        Of the envelope.
    steady : Steady, optional
        Smooths the velocities.
    safety : Safety, optional
    """

    def __init__(
        self,
        layout: Layout,
        control: LevelControl,
        *,
        hop_ms: float = 50.0,
        average_ms: float = 120.0,
        steady: Steady | None = None,
        safety: Safety | None = None,
    ) -> None:
        self._layout, self.control = layout, control
        self._hop = max(1, round(check_positive(hop_ms, name="hop_ms") * layout.fs_hz / 1e3))
        self._average_ms, self._steady = average_ms, steady
        self._seen = 0
        self._missing = self._hop
        self.safety = safety or Safety()
        self.reset()

    def push(self, chunk: ArrayLike) -> tuple[Command, ...]:
        """Take samples and return one command per hop."""
        left: NDArray[np.float32] = np.asarray(chunk, dtype=np.float32)
        commands = []
        while self._missing <= left.shape[-1]:
            levels = self._envelope.push(left[:, : self._missing])
            left, self._seen = left[:, self._missing :], self._seen + self._missing
            self._missing = self._hop
            time_s = self._seen / self._layout.fs_hz
            command = self.control.push(levels, time_s)
            if self._steady is not None:
                smooth = self._steady.push(command.velocity, time_s)
                command = replace(command, velocity=smooth * (command.velocity != 0))
            commands.append(self.safety.push(command))
        self._envelope.push(left)
        self._missing -= left.shape[-1]
        self._seen += left.shape[-1]
        return tuple(commands)

    def reset(self) -> None:
        """Start a new stream at time 0; an emergency ends."""
        self._envelope = Envelope(self._layout, average_ms=self._average_ms)
        self._seen, self._missing = 0, self._hop
        self.control.reset()
        if self._steady is not None:
            self._steady.reset()
        self.safety.reset()
