"""Calibrate: guide somebody through movements, judge each repetition, and learn from them.

A calibration is pushed the newest samples and says what to show: which movement, how long still,
how good the last repetition was. It reads no clock and draws nothing, so that a screen, a terminal
and a test drive it alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myograph.config.load import parse_config
from myograph.config.schema import PipelineConfig
from myograph.core.checks import check_count
from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.core.table import FeatureTable
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.calibrated import Calibrated, Situation, Verdict
from myograph.stream.effort import EffortScale, Envelope
from myograph.stream.gate import Gate
from myograph.stream.prompts import Plan, Prompt
from myograph.stream.recalibrate import combine
from myograph.stream.separability import Confusion, Separability, confusion, separability
from myograph.stream.signature import Signature
from myograph.stream.wearer import Wearer

__all__ = ["PIPELINE", "Calibrated", "Calibration", "Situation", "Verdict", "follow", "run_prompts"]

#: What is learned unless told otherwise: quick to fit on seconds of signal.
PIPELINE: Mapping[str, Any] = {
    "windowing": {"length_ms": 200.0, "step_ms": 50.0},
    "features": ["hudgins"],
    "scaling": "standard",
    "model": {"name": "lda"},
}

# The movement begins this long before it is recorded, so that getting there is not learned.
_GO_S = 0.3

_LEVEL_MS = 50.0


class Calibration:
    """A calibration under way.

    Parameters
    ----------
    plan : Plan
    layout : Layout
        Of the stream.
    pipeline : PipelineConfig or mapping, optional
        What is learned; `PIPELINE` by default.
    subject : str
        Pseudonym.
    gate : Gate, optional
    most_again : int
        How often a refused repetition is asked for again by itself.

    Examples
    --------
    >>> from myograph.stream.forearm import Forearm
    >>> from myograph.stream.wearer import SimulatedWearer
    >>> wearer = SimulatedWearer(Forearm(1000.0, seed=1), seed=1)
    >>> plan = Plan(("rest", "hand close", "hand open"), 2, countdown_s=0.6, hold_s=1.0)
    >>> guided = Calibration(plan, wearer.layout, subject="p01")
    >>> made = follow(guided, wearer)
    >>> made.confusion.accuracy > 0.9, made.seconds
    (True, 9.6)
    """

    def __init__(
        self,
        plan: Plan,
        layout: Layout,
        *,
        subject: str,
        pipeline: PipelineConfig | Mapping[str, Any] | None = None,
        gate: Gate | None = None,
        most_again: int = 1,
    ) -> None:
        if "rest" not in plan.movements:
            raise ParameterError(
                f"A calibration needs rest among its movements; got {list(plan.movements)}."
            )
        config = PIPELINE if pipeline is None else pipeline
        if not isinstance(config, PipelineConfig):
            config = parse_config(config, schema=PipelineConfig, where="the calibration")
        self.plan, self.layout, self.config = plan, layout, config
        self._gate = gate or Gate()
        self._most_again = check_count(most_again, name="most_again", least=0)
        self._subject = Subject(subject)
        self._prompts = list(plan.prompts)
        self._at = 0
        self._begun = self._seen = 0
        self._kept: list[NDArray[np.float32]] = []
        self._lost = False
        self._verdicts: dict[tuple[str, int], Verdict] = {}
        self._tries: dict[tuple[str, int], int] = {}
        #: The verdict about the repetition that was made last; None before the first.
        self.newest: Verdict | None = None

    # --- what to show ----------------------------------------------------------------------------

    @property
    def situation(self) -> Situation:
        """What to show now."""
        total = len(self._prompts)
        if self.done:
            return Situation(None, "done", 0.0, total, total)
        prompt = self._prompts[self._at]
        phase, stop = self._phase(prompt)
        return Situation(prompt, phase, stop / self.layout.fs_hz, self._at + 1, total)

    @property
    def done(self) -> bool:
        """Whether every prompt was followed."""
        return self._at >= len(self._prompts)

    @property
    def seconds(self) -> float:
        """Signal taken so far."""
        return self._seen / self.layout.fs_hz

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The newest verdict about each repetition, in the order they were first made."""
        return tuple(self._verdicts.values())

    @property
    def samples_left(self) -> int:
        """Samples until the phase changes; 0 when all is done."""
        return 0 if self.done else self._phase(self._prompts[self._at])[1]

    def table(self) -> FeatureTable | None:
        """Return the windows of the accepted repetitions so far; None before the first."""
        recordings = self._accepted()
        return Pipeline(self.config).prepare(recordings) if recordings else None

    def confusion(self) -> Confusion | None:
        """Return who is taken for whom so far; None before there are two movements."""
        table = self._comparable()
        return None if table is None else confusion(self.config, table)

    def separability(self) -> Separability | None:
        """Return how far the movements lie apart so far; None before there are two."""
        table = self._comparable()
        return None if table is None else separability(table)

    # --- what to do ------------------------------------------------------------------------------

    def push(self, chunk: ArrayLike) -> tuple[Verdict, ...]:
        """Take the newest samples and return verdicts about the holds that they completed.

        Samples that are NaN or infinite were lost: a hold with any is refused. What comes after
        the last hold is not used.

        Raises
        ------
        LayoutError
            If the chunk has another number of channels.
        """
        samples = np.asarray(chunk, dtype=np.float32)
        if samples.ndim != 2 or len(samples) != self.layout.n_channels:
            raise LayoutError(
                f"A chunk must be ({self.layout.n_channels} channels, n_new); got {samples.shape}."
            )
        verdicts = []
        while samples.shape[1] and not self.done:
            prompt = self._prompts[self._at]
            phase, left = self._phase(prompt)
            part, samples = samples[:, :left], samples[:, left:]
            if phase != "ready":
                self._keep(part)
            self._begun += part.shape[1]
            self._seen += part.shape[1]
            if phase == "hold" and part.shape[1] == left:
                verdicts.append(self._judge(prompt))
        return tuple(verdicts)

    def redo(self, movement: str, repetition: int) -> None:
        """Ask for one repetition again, next; what was recorded of it is replaced.

        Raises
        ------
        ParameterError
            If it was never asked for.
        """
        first = next(
            (p for p in self.plan.prompts if (p.movement, p.repetition) == (movement, repetition)),
            None,
        )
        if first is None:
            raise ParameterError(
                f"There is no repetition {repetition} of {movement!r}; the plan has "
                f"{self.plan.repetitions} of {list(self.plan.movements)}."
            )
        self._verdicts.pop((movement, repetition), None)
        place = self._at + (0 if self.done or not self._begun else 1)
        self._prompts.insert(place, replace(first, again=True))

    def asks_again(self, movement: str, repetition: int) -> bool:
        """Whether a repetition comes again, now or later."""
        return any(
            (p.movement, p.repetition, p.again) == (movement, repetition, True)
            for p in self._prompts[self._at :]
        )

    def finish(
        self, *, made: str, earlier: FeatureTable | None = None, method: str = "aligned"
    ) -> Calibrated:
        """Learn from what was accepted.

        Parameters
        ----------
        made : str
            When, for the signature.
        earlier : FeatureTable, optional
            Windows of the person's first calibration, for a repeated one; see
            `myograph.stream.recalibrate.combine`.
        method : str
            How the two are combined.

        Raises
        ------
        DataError
            If a movement has no accepted repetition; the reasons are told.
        """
        self._require_all()
        table = self.table()
        if table is None:
            raise DataError("No repetition was accepted.")
        learned = table if earlier is None else combine(earlier, table, method=method)
        levels, labels = self._levels()
        per_movement = {
            name: np.mean([v for v, own in zip(levels, labels, strict=True) if own == name], axis=0)
            for name in self.plan.movements
        }
        return Calibrated(
            Pipeline(self.config).fit(learned),
            EffortScale.of(levels, labels),
            Signature.of(table, per_movement, subject=self._subject.pseudonym, made=made),
            confusion(self.config, table),
            separability(table),
            tuple(self._accepted()),
            self.seconds,
        )

    # --- inside ----------------------------------------------------------------------------------

    def _phase(self, prompt: Prompt) -> tuple[str, int]:
        """Return the phase now and the samples left of it."""
        fs_hz = self.layout.fs_hz
        hold = round(prompt.countdown_s * fs_hz)
        go = max(round((prompt.countdown_s - _GO_S) * fs_hz), 0)
        end = hold + round(prompt.hold_s * fs_hz)
        for phase, stop in (("ready", go), ("go", hold), ("hold", end)):
            if self._begun < stop:
                return phase, stop - self._begun
        return "hold", 0

    def _keep(self, part: NDArray[np.float32]) -> None:
        finite = np.isfinite(part)
        self._lost |= not finite.all()
        self._kept.append(np.where(finite, part, np.float32(0)))

    def _judge(self, prompt: Prompt) -> Verdict:
        samples = np.concatenate(self._kept, axis=1)
        fs_hz = self.layout.fs_hz
        length = round(prompt.hold_s * fs_hz)
        event = Event(
            (samples.shape[1] - length) / fs_hz,
            length / fs_hz,
            prompt.movement,
            "protocol",
            str(prompt.repetition),
        )
        recording = Recording(
            samples, self.layout, (event,), subject=self._subject, session="calibration"
        )
        reasons = self._reasons(prompt, recording)
        key = (prompt.movement, prompt.repetition)
        verdict = Verdict(prompt, not reasons, reasons, recording)
        self._verdicts[key] = self.newest = verdict
        self._begun, self._kept, self._lost = 0, [], False
        self._at += 1
        self._tries[key] = self._tries.get(key, 0) + 1
        if reasons and self._tries[key] <= self._most_again:
            self._prompts.insert(self._at, replace(prompt, again=True))
        return verdict

    def _reasons(self, prompt: Prompt, recording: Recording) -> tuple[str, ...]:
        if self._lost:
            return ("Samples were lost while it was recorded.",)
        rest = next((v for v in self.verdicts if v.accepted and v.prompt.movement == "rest"), None)
        compared = None
        if rest is not None and prompt.movement != "rest":
            compared = _hold(rest.recording)
        return self._gate.reasons(_hold(recording), compared)

    def _accepted(self) -> list[Recording]:
        return [verdict.recording for verdict in self.verdicts if verdict.accepted]

    def _comparable(self) -> FeatureTable | None:
        if len({v.prompt.movement for v in self.verdicts if v.accepted}) < 2:
            return None
        return self.table()

    def _require_all(self) -> None:
        have = {v.prompt.movement for v in self.verdicts if v.accepted}
        missing = [name for name in self.plan.movements if name not in have]
        if missing:
            told = [
                f"{v.prompt.movement} {v.prompt.repetition}: {' '.join(v.reasons)}"
                for v in self.verdicts
                if v.prompt.movement in missing
            ]
            raise DataError(
                f"Nothing good was recorded of {missing}. " + " ".join(told or ["Not asked yet."])
            )

    def _levels(self) -> tuple[list[NDArray[np.float64]], list[str]]:
        levels, labels = [], []
        hop = max(1, round(_LEVEL_MS * self.layout.fs_hz / 1e3))
        for recording in self._accepted():
            envelope = Envelope(self.layout)
            samples, event = recording.samples, recording.events[0]
            for first in range(0, samples.shape[1] - hop + 1, hop):
                level = envelope.push(samples[:, first : first + hop])
                if first / self.layout.fs_hz >= event.onset_s + event.duration_s / 4:
                    levels.append(level)
                    labels.append(event.label)
        return levels, labels


def follow(calibration: Calibration, wearer: Wearer, *, chunk_ms: float = 50.0) -> Calibrated:
    """Let a wearer follow the prompts to the end.

    Parameters
    ----------
    calibration : Calibration
    wearer : Wearer
    chunk_ms : float
    """
    run_prompts(calibration, wearer, chunk_ms=chunk_ms)
    return calibration.finish(made="")


def run_prompts(calibration: Calibration, wearer: Wearer, *, chunk_ms: float = 50.0) -> None:
    """Push a wearer's samples until every prompt was followed."""
    size = max(1, round(chunk_ms * calibration.layout.fs_hz / 1e3))
    before: tuple[int, str] | None = None
    while not calibration.done:
        now = calibration.situation
        if now.prompt is None:
            return
        begins = before != (now.number, now.phase)
        before = (now.number, now.phase)
        take = min(size, calibration.samples_left)
        calibration.push(wearer.give(now.prompt.movement, take, phase=now.phase, begins=begins))


def _hold(recording: Recording) -> Recording:
    event = recording.events[0]
    return recording.crop(event.onset_s, event.end_s)
