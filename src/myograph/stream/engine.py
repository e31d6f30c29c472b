"""Engine: runs a pipeline on a source, decides as samples come, and tells its consumers.

One event loop, no polling: the engine sleeps until samples are there. Memory is fixed: samples
that wait are bounded in number, windows that are overtaken are dropped and counted.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.core.checks import check_choice, check_count, check_non_negative, check_positive
from myograph.core.decision import Decision
from myograph.core.errors import LayoutError
from myograph.core.layout import Layout
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.scaling import Scaler
from myograph.stream.answer import Answer, Notice, Value
from myograph.stream.consumer import Consumer, Stage
from myograph.stream.decider import Decider, Window
from myograph.stream.health import Health
from myograph.stream.link import Link, Patience, Stretch
from myograph.stream.notices import NoticeLimit
from myograph.stream.pace import Pace
from myograph.stream.source import Source, now
from myograph.stream.sweep import Sweep
from myograph.stream.watch import Watch, hold

__all__ = ["Engine", "Rules", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How an engine behaves when a stream does not.

    Parameters
    ----------
    late_s : float
        Windows are dropped, and counted, while more than this much newer signal waits behind them
        or their samples waited for longer. No sample is lost to the filters by that.
    silence_s : float
        A source that says nothing for so long (and for at least two steps of the windows) is
        answered by abstentions.
    bridge_s : float
        A longer gap is not filled: the filters begin anew behind it.
    constant_s : float
        A channel that keeps one value for longer is called constant.
    on_constant : {"tell", "abstain"}
        Whether decisions go on then; a pipeline decides offline all the same.
    most_notices : int
        Notices of one kind told in an hour; what is beyond is counted, and the count is told.
    """

    late_s: float = 0.25
    silence_s: float = 0.1
    bridge_s: float = 30.0
    constant_s: float = 2.0
    on_constant: str = "tell"
    most_notices: int = 60

    def __post_init__(self) -> None:
        check_positive(self.late_s, name="late_s")
        check_positive(self.silence_s, name="silence_s")
        check_non_negative(self.bridge_s, name="bridge_s")
        check_positive(self.constant_s, name="constant_s")
        check_choice(self.on_constant, ("tell", "abstain"), name="on_constant")
        check_count(self.most_notices, name="most_notices")


class Engine:
    """A pipeline, a source, and those who want to know.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, for classification or regression; every step causal.
    source : Source
    consumers : sequence of Consumer
    stages : sequence of callable
        Done to every answer, in order, before the consumers get it: smoothing, control.
    person : Scaler, optional
        With ``scaling="person"``, see `Pipeline.person_scaler`.
    rules : Rules, optional
    patience : Patience, optional

    Examples
    --------
    >>> engine = Engine(pipeline, source, [Callback(show)])  # doctest: +SKIP
    >>> health = asyncio.run(engine.run(seconds=60))  # doctest: +SKIP
    """

    def __init__(  # noqa: PLR0913 - the parts of an engine, each by its name
        self,
        pipeline: Pipeline,
        source: Source,
        consumers: Sequence[Consumer] = (),
        *,
        stages: Sequence[Stage] = (),
        person: Scaler | None = None,
        rules: Rules | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._pipeline, self._person = pipeline, person
        self._consumers, self._stages = tuple(consumers), tuple(stages)
        self._rules = rules or Rules()
        self._link = Link(source, patience=patience)
        self.health = Health()
        self._next = 0  # number of the next sample of the grid
        self._answered = 0  # windows below this were answered at least by an abstention
        self._stop = asyncio.Event()
        self._arrived_s = 0.0
        self._heard_s = 0.0  # when samples came, or their absence was last answered
        self._quiet_s = 0.0  # how long nothing may come after that
        self._sweep = Sweep()
        self._limit = NoticeLimit(self._rules.most_notices)
        self._begun_s = now()

    def stop(self) -> None:
        """Let `run` end after what it is doing."""
        self._stop.set()
        self._link.wake()

    async def run(self, *, seconds: float | None = None) -> Health:
        """Run until the source ends, `stop` is called, or ``seconds`` have passed.

        Raises
        ------
        SourceMissingError
            If the source never appears.
        LayoutError
            If it is not what the model learned from; nothing was started.
        ParameterError
            If a step of the pipeline looks ahead.
        """
        started: list[Consumer] = []
        try:
            layout = await self._link.open()
            self._prepare(layout)
            for consumer in self._consumers:
                started.append(consumer)
                await consumer.start(layout, self._decider.classes)
            self._begun_s = now()
            self._tell(Notice("connected", 0.0, _connected(self._link.source, layout)))
            with self._sweep:
                self._heard_s, self._quiet_s = now(), self._silence_s
                self._link.start(self._take)
                await self._loop(None if seconds is None else now() + seconds)
            self._say(self._limit.finish(self._time_s()))
        finally:
            await self._link.close()
            for consumer in started:
                await consumer.stop()
        return self._summed_up()

    # --- before the first sample -----------------------------------------------------------------

    def _prepare(self, layout: Layout) -> None:
        self._layout = layout
        try:
            self._decider = Decider(
                self._pipeline,
                layout,
                person=self._person,
                stopwatch=self.health.stopwatch,
            )
        except LayoutError as error:
            raise LayoutError(f"{self._link.source.name} cannot be used. {error}") from error
        self._decider.warm_up()
        classes = self._decider.classes
        self._nothing = np.full(len(classes), 1 / len(classes))
        self._no_level = np.full(self._decider.n_channels, np.nan)
        self._label = classes[0]
        self._thresholds = self._pipeline.thresholds
        self._pace = Pace(layout.fs_hz)
        self._watch = Watch(layout, constant_s=self._rules.constant_s)
        self._held = np.zeros(layout.n_channels, dtype=np.float32)
        step_s = self._decider.step / layout.fs_hz
        self._silence_s = max(self._rules.silence_s, 2 * step_s, self._link.source.tolerance_s)
        self._step_s = step_s
        self.health.fs_hz = layout.fs_hz
        self.health.window_ms = 1e3 * self._decider.length / layout.fs_hz
        self.health.hop_ms = 1e3 * step_s

    # --- while it runs ---------------------------------------------------------------------------

    async def _loop(self, until_s: float | None) -> None:
        # Samples that nothing waits before are taken where they come in, see `Link.start`; what is
        # left for this loop is a backlog, notices, silence and the end.
        link, patient = self._link, self._link.source.patient
        while not self._stop.is_set():
            moment_s = now()
            quiet_left_s = math.inf if patient else self._heard_s + self._quiet_s - moment_s
            left_s = math.inf if until_s is None else until_s - moment_s
            if left_s <= 0:
                return
            if quiet_left_s <= 0 and not link.backlog and not link.ended:
                self._silence()
                self._heard_s, self._quiet_s = now(), self._step_s
                self._sweep.now_and_then(self._heard_s)
                continue
            wait_s = min(quiet_left_s, left_s)
            item = await link.get(timeout_s=None if math.isinf(wait_s) else wait_s)
            if isinstance(item, Stretch):
                self._take(item)
                if link.backlog:
                    await asyncio.sleep(0)  # the source and the consumers get their turn
            elif isinstance(item, Notice):
                if item.kind == "reconnected":
                    self.health.reconnections += 1
                self._tell(item)
            elif link.ended:
                return

    def _take(self, stretch: Stretch) -> None:
        begin = now()
        self._heard_s, self._quiet_s = begin, self._silence_s
        waited_s = begin - stretch.arrived_s
        self.health.stopwatch.add("wait", waited_s)
        self._arrived_s = stretch.arrived_s
        missing = stretch.first - self._next
        if missing > 0:
            self._gap(missing)
        behind_s = max(waited_s if self._link.backlog else 0.0, self._link.waiting_s)
        skip = behind_s > self._rules.late_s and not self._link.source.patient
        for consumer in self._consumers:
            consumer.samples(stretch.first, stretch.samples)
        self._next = stretch.first + stretch.samples.shape[1]
        self._samples(stretch.samples, skip=skip)
        if self._sweep.now_and_then(begin, busy=self._link.backlog):
            self._look_at_rate(begin)

    def _look_at_rate(self, moment_s: float) -> None:
        if self._link.source.patient or not self._pace.look(self._next, moment_s):
            return
        text = (
            f"{self._link.source.name} sends about {self._pace.rate_hz:.0f} samples a second and "
            f"says {self._layout.fs_hz:g}; decisions are about the rate that it says."
        )
        self._tell(Notice("rate", self._time_s(), text))

    def _samples(self, samples: NDArray[np.float32], *, skip: bool) -> None:
        if self._watch.look(samples):
            self._tell_constant()
        if self._watch.finite:
            self.health.samples += samples.shape[1]
            self._held[:] = samples[:, -1]
            self._settle(self._decider.push(samples, skip=skip))
            return
        finite = np.isfinite(samples)
        whole: NDArray[np.bool_] = np.logical_and.reduce(finite, axis=0)
        bad = int(whole.size - whole.sum())
        self.health.non_finite += bad
        self.health.samples += int(whole.sum())
        self._mark_gap(bad)
        names = [self._layout.names[row] for row in np.flatnonzero(~finite.all(axis=1))]
        text = f"{bad} samples of {', '.join(names)} are not finite; nothing is decided on them."
        self._tell(Notice("non-finite", self._time_s(), text, bad / self._layout.fs_hz, bad))
        held = hold(samples, self._held)
        self._held[:] = held[:, -1]
        edges = np.flatnonzero(np.diff(whole)) + 1
        for part in np.split(np.arange(len(whole)), edges):
            piece, measured = held[:, part[0] : part[-1] + 1], bool(whole[part[0]])
            self._settle(self._decider.push(piece, measured=measured, skip=skip))

    def _gap(self, missing: int) -> None:
        self._mark_gap(missing)
        length_s = missing / self._layout.fs_hz
        text = f"{missing} samples ({length_s:.3g} s) never came."
        self._tell(Notice("gap", self._next / self._layout.fs_hz, text, length_s, missing))
        most = round(self._rules.bridge_s * self._layout.fs_hz)
        self._settle(self._decider.bridge(missing, most=most))

    def _mark_gap(self, samples: int) -> None:
        self.health.gaps += 1
        self.health.gap_samples += samples

    def _silence(self) -> None:
        """Abstain for the windows that should be complete by now."""
        due = self._link.timeline.due(now())
        decider = self._decider
        number = max(self._answered, decider.number)
        while number * decider.step + decider.length <= due:
            self._abstain(number, number * decider.step + decider.length, "gap")
            self.health.silent += 1
            number += 1
        self._answered = max(self._answered, number)

    # --- answers ---------------------------------------------------------------------------------

    def _settle(self, windows: Iterable[Window]) -> None:
        for window in windows:
            if window.proba is not None and window.level is not None:
                self._decide(window, window.proba, window.level)
            elif window.why == "gap":
                if window.number >= self._answered:
                    self._abstain(window.number, window.stop, "gap")
            else:
                self.health.dropped += 1
            if window.number >= self._answered:
                self._answered = window.number + 1

    def _decide(
        self, window: Window, proba: NDArray[np.float64], level: NDArray[np.float64]
    ) -> None:
        best = int(proba.argmax())
        classes = self._decider.classes
        unsure = bool(proba[best] < self._thresholds[best])
        why = "strange" if window.strange else "unsure" if unsure else ""
        if self._watch.any_constant and self._rules.on_constant == "abstain":
            why = "constant"
        self._label = classes[best]
        time_s = window.stop / self._layout.fs_hz
        decision = Decision(self._label, proba, classes, time_s, rejected=bool(why))
        self.health.decided += 1
        values, number = self._values(window.value), window.number
        self._pass_on(Answer(number, decision, why, level, self._arrived_s, now(), values))

    def _abstain(self, number: int, stop: int, why: str) -> None:
        decision = Decision(
            self._label,
            self._nothing,
            self._decider.classes,
            stop / self._layout.fs_hz,
            rejected=True,
        )
        self.health.abstained += 1
        moment_s = now()
        values = self._values(math.nan)
        self._pass_on(Answer(number, decision, why, self._no_level, moment_s, moment_s, values))

    def _values(self, value: float) -> tuple[Value, ...]:
        target = self._decider.target
        return (Value(*target, value),) if target else ()

    def _pass_on(self, answer: Answer) -> None:
        if answer.abstains != "gap":
            self.health.stopwatch.add("total", answer.latency_s)
        begin = now()
        for stage in self._stages:
            answer = stage(answer)
        for consumer in self._consumers:
            consumer.take(answer)
        self.health.stopwatch.add("consumers", now() - begin)

    # --- notices ---------------------------------------------------------------------------------

    def _time_s(self) -> float:
        return self._next / self._layout.fs_hz

    def _tell_constant(self) -> None:
        names = [self._layout.names[row] for row in np.flatnonzero(self._watch.constant)]
        if names:
            text = f"{', '.join(names)} kept one value for {self._rules.constant_s:g} s."
            self._tell(Notice("constant", self._time_s(), text))
        else:
            self._tell(Notice("varies", self._time_s(), "All channels vary again."))

    def _tell(self, notice: Notice) -> None:
        # Signal may come faster than time passes, and time passes while no signal comes.
        moment_s = max(self._time_s(), now() - self._begun_s)
        self._say(self._limit.push(notice, moment_s))

    def _say(self, notices: Iterator[Notice]) -> None:
        for notice in notices:
            for consumer in self._consumers:
                consumer.hear(notice)

    def _summed_up(self) -> Health:
        self.health.timing = self._link.timeline.to_dict()
        self.health.overrun = self._link.overrun
        self.health.withheld = self._limit.withheld
        self.health.untold = {
            one.name or type(one).__name__: f"{one.dropped:,} dropped{_because(one)}"
            for one in self._consumers
            if one.dropped
        }
        return self.health


async def run(
    pipeline: Pipeline, source: Source, consumers: Sequence[Consumer] = (), **options: object
) -> Health:
    """Run an engine until its source ends; see `Engine` for the options."""
    return await Engine(pipeline, source, consumers, **options).run()  # type: ignore[arg-type]


def _because(consumer: Consumer) -> str:
    return f" ({consumer.trouble})" if consumer.trouble else ""


def _connected(source: Source, layout: Layout) -> str:
    return f"{source.name} gives {layout.n_channels} channels at {layout.fs_hz:g} Hz."
