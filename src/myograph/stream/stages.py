"""Stages: smoothing and control inside the running engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from myograph.core.errors import DataError
from myograph.pipeline.smoothing import DecisionFilter
from myograph.stream.answer import Answer
from myograph.stream.consumer import Consumer, Stage
from myograph.stream.control import DOFS, Command, VelocityControl
from myograph.stream.controller import LevelControl
from myograph.stream.effort import EffortScale
from myograph.stream.safety import Safety

__all__ = ["CommandConsumer", "command_stage", "smoothing_stage"]


def smoothing_stage(smoothing: DecisionFilter) -> Stage:
    """Return a stage that steadies decisions.

    A late answer, given for a window that was passed over before, leaves the state as it is and
    goes on as it came. An abstention stays one, and its reason stays.

    Parameters
    ----------
    smoothing : DecisionFilter
        Of this stream alone.
    """
    newest = -np.inf

    def stage(answer: Answer) -> Answer:
        nonlocal newest
        if answer.decision.time_s < newest:
            return answer
        newest = answer.decision.time_s
        steady = smoothing.push(answer.decision)
        if answer.abstains:
            steady = replace(steady, rejected=True)
        abstains = answer.abstains or ("unsure" if steady.rejected else "")
        return replace(answer, decision=steady, abstains=abstains)

    return stage


def command_stage(
    function: Callable[[Command], object],
    *,
    control: LevelControl,
    safety: Safety | None = None,
) -> Stage:
    """Return a stage that turns what a regression estimates into commands.

    The answer goes on as it came. An abstention stops whatever moves, with the reason
    ``"rejected"``; a late answer moves nothing.

    Parameters
    ----------
    function : callable
        Takes a `Command`.
    control : LevelControl
        Takes the values: `myograph.stream.regression.ValueControl`, or a
        `myograph.stream.regression.SimultaneousControl` that learned from such values.
    safety : Safety, optional

    Raises
    ------
    DataError
        By the stage, if an answer has no values: the pipeline names classes.
    """
    newest, gate = -np.inf, safety or Safety()

    def stage(answer: Answer) -> Answer:
        nonlocal newest
        if not answer.values:
            raise DataError(
                "This stage takes what a regression estimates, and the answer names a class; use "
                "CommandConsumer for decisions."
            )
        time_s = answer.decision.time_s
        if time_s < newest:
            return answer
        newest = time_s
        if answer.abstains:
            command = Command(time_s, np.zeros(len(DOFS)), reason="rejected")
        else:
            command = control.push([value.value for value in answer.values], time_s)
        function(gate.push(command))
        return answer

    return stage


class CommandConsumer(Consumer):
    """Turns answers into commands, and hands each to a function.

    Parameters
    ----------
    function : callable
        Takes a `Command`.
    scale : EffortScale
    control : VelocityControl, optional
    safety : Safety, optional
    """

    def __init__(
        self,
        function: Callable[[Command], object],
        *,
        scale: EffortScale,
        control: VelocityControl | None = None,
        safety: Safety | None = None,
    ) -> None:
        self._function, self._scale = function, scale
        self._control = control or VelocityControl()
        self.safety = safety or Safety()
        self._newest = -np.inf

    def take(self, answer: Answer) -> None:
        """Make a command of an answer; one that is late moves nothing."""
        if answer.decision.time_s < self._newest:
            return
        self._newest = answer.decision.time_s
        level = float(np.nan_to_num(np.mean(answer.level)))
        effort = self._scale.effort(answer.decision.label, level)
        command = self._control.push(answer.decision, effort=effort)
        self._function(self.safety.push(command))
