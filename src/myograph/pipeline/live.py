"""A pipeline that runs: chunks in, decisions out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from myograph.core.decision import Decision
from myograph.core.errors import DataError, LayoutError
from myograph.core.layout import Layout

if TYPE_CHECKING:
    from myograph.pipeline.front import FrontState
    from myograph.pipeline.pipeline import Pipeline
    from myograph.pipeline.scaling import Scaler

__all__ = ["PipelineState"]


class PipelineState:
    """One stream on its way through a pipeline; made by `Pipeline.start`."""

    __slots__ = ("_front", "_layout", "_person", "_pipeline", "_start_s")

    def __init__(
        self,
        pipeline: Pipeline,
        front: FrontState,
        layout: Layout,
        *,
        person: Scaler | None,
        start_s: float,
    ) -> None:
        self._pipeline = pipeline
        self._front = front
        self._layout = layout
        self._person = person
        self._start_s = start_s

    def push(self, chunk: ArrayLike) -> tuple[Decision, ...]:
        """Take the newest samples and decide about the windows that they complete.

        Parameters
        ----------
        chunk : array, shape (n_channels, n_new)
            In each channel's unit; ``n_new`` may be 0.

        Raises
        ------
        LayoutError
            If the chunk has another number of channels.
        DataError
            If a sample is NaN or infinite. The state is as before the push.
        """
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, see below
            samples = np.asarray(chunk, dtype=np.float32)
        if samples.ndim != 2 or len(samples) != self._layout.n_channels:
            raise LayoutError(
                f"A chunk must be ({self._layout.n_channels} channels, n_new samples); "
                f"got shape {samples.shape}."
            )
        if not np.isfinite(samples).all():
            raise DataError(
                "The chunk holds NaN or infinite samples; leave out what was not measured and "
                "start a new state after the gap."
            )
        values, stop_s = self._front.push(samples)
        if len(values) == 0:
            return ()
        scaled = self._pipeline.scale(values, person=self._person)
        strange = self._pipeline.strange(values)
        return self._pipeline.decide(scaled, self._start_s + stop_s, strange=strange)
