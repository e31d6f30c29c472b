"""Samples are decided about where they come in; what cannot be waits its turn."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os

import numpy as np
import pytest

from myograph.core.decision import Decision
from myograph.core.errors import DataError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording
from myograph.stream.answer import Answer, Value
from myograph.stream.engine import Engine, Rules
from myograph.stream.find import find_source
from myograph.stream.hops import linear_shares, look, mean_sizes
from myograph.stream.hurry import hurried
from myograph.stream.link import Link, Patience, Stretch
from myograph.stream.mailbox import Mailbox
from myograph.stream.replay import Replay
from myograph.stream.source import Chunk, SourceLostError, now
from myograph.stream.sweep import Sweep
from myograph.stream.watch import Watch


def chunk(first: int, size: int = 5) -> Chunk:
    return Chunk(np.full((3, size), first, dtype=np.float32), None, now(), first)


# --- the mailbox and the link --------------------------------------------------------------------


def test_a_chunk_that_nothing_waits_before_is_delivered_at_once():
    async def go() -> tuple[list[int], list[int]]:
        taken: list[int] = []
        mailbox = Mailbox(deliver=lambda one: not taken.append(one.first))
        mailbox.put(chunk(0))
        mailbox.put(chunk(5), more=True)  # newer ones follow: it waits, and so do they
        mailbox.put(chunk(10))
        read = [await mailbox.get(), await mailbox.get()]
        mailbox.put(chunk(15))
        return taken, [one.first for one in read if one]

    assert asyncio.run(go()) == ([0, 15], [5, 10])


def test_what_is_not_taken_is_kept_in_order():
    async def go() -> list[int]:
        mailbox = Mailbox(deliver=lambda _: False)
        for first in (0, 5, 10):
            mailbox.put(chunk(first))
        return [one.first for _ in range(3) if (one := await mailbox.get())]

    assert asyncio.run(go()) == [0, 5, 10]


def test_a_burst_from_a_thread_waits_so_that_lateness_is_seen():
    async def go() -> tuple[list[int], int]:
        taken: list[int] = []
        mailbox = Mailbox(deliver=lambda one: not taken.append(one.first))

        def burst() -> None:
            for first in (0, 5, 10):
                mailbox.put_from_thread(chunk(first))

        await asyncio.gather(*[asyncio.to_thread(burst)])
        await asyncio.sleep(0.01)
        waiting = len(mailbox._chunks)
        return taken, waiting

    taken, waiting = asyncio.run(go())
    assert len(taken) + waiting == 3


def test_what_is_delivered_at_once_breaks_the_silence():
    async def go() -> None:
        mailbox = Mailbox(deliver=lambda _: True)

        async def feed() -> None:
            for first in range(0, 20, 5):
                await asyncio.sleep(0.05)
                mailbox.put(chunk(first))

        feeding = asyncio.create_task(feed())
        with pytest.raises(SourceLostError, match=r"has said nothing for 0\.15 s"):
            await mailbox.get(silence_s=0.15, name="it")
        assert feeding.done()

    asyncio.run(go())


@pytest.fixture
def pushed(scripted):
    """A source that is called with its samples, like a socket."""

    class Pushed(scripted):  # type: ignore[misc]
        def __init__(self, chunks, **options) -> None:
            super().__init__([], patient=False, **options)
            self._chunks, self.offered = chunks, []

        async def open(self, *, timeout_s: float) -> Layout:
            layout = await super().open(timeout_s=timeout_s)
            self._mailbox = Mailbox(deliver=self.deliver)
            self._feeding = asyncio.create_task(self._feed())
            return layout

        async def _feed(self) -> None:
            await asyncio.sleep(0.05)
            for first, samples in self._chunks:
                self._mailbox.put(Chunk(np.asarray(samples, np.float32), None, now(), first))
                self.offered.append(len(self._mailbox._chunks))
                await asyncio.sleep(0.001)
            self._mailbox.end()

        async def read(self) -> Chunk | None:
            return await self._mailbox.get()

    return Pushed


def test_live_is_offline_for_a_source_that_is_called(pipeline, dee, kept, pushed):
    source = pushed([(k, dee.samples[:, k : k + 40]) for k in range(0, 2400, 40)])
    health = asyncio.run(Engine(pipeline, source, [kept], rules=Rules(late_s=60.0)).run())
    assert [a.decision.label for a in kept.answers] == [d.label for d in pipeline.predict(dee)]
    assert health.samples == 2400
    # Nothing waited: every chunk was decided about inside the call that brought it.
    assert source.offered == [0] * 60


def test_gaps_and_doubles_are_told_in_their_place(pipeline, dee, kept, pushed):
    parts = [(0, 400), (400, 600), (500, 600), (800, 1200), (1200, 1600)]
    source = pushed([(a, dee.samples[:, a:b]) for a, b in parts])
    health = asyncio.run(Engine(pipeline, source, [kept], rules=Rules(late_s=60.0)).run())
    assert (health.samples, health.gap_samples) == (1400, 200)
    assert kept.kinds == ["connected", "duplicate", "gap", "ended"]
    assert [first for first, _ in kept.pieces] == [0, 400, 800, 1200]


def test_what_fails_at_once_fails_the_run(pipeline, dee, pushed):
    class Full(ValueError):
        pass

    def full(_: Answer) -> Answer:
        raise Full("no room")

    source = pushed([(k, dee.samples[:, k : k + 40]) for k in range(0, 400, 40)])
    with pytest.raises(Full, match="no room"):
        asyncio.run(Engine(pipeline, source, stages=[full]).run())
    assert source.closed


def test_nothing_is_handed_over_while_the_reader_is_busy(scripted):
    async def go() -> tuple[bool, list[int]]:
        link = Link(scripted([]), patience=Patience())
        await link.open()
        taken: list[int] = []

        def take(stretch: Stretch) -> None:
            taken.append(stretch.first)

        link._now = take
        return link._deliver(chunk(0)), taken

    assert asyncio.run(go()) == (False, [])


# --- the passes over a hop -----------------------------------------------------------------------


def test_runs_and_what_is_no_number_are_counted():
    last, run, found = np.full(3, np.nan, np.float32), np.zeros(3, np.int64), np.zeros(2, np.int64)
    x = np.array([[1, 2, 2], [3, 3, 3], [0, np.nan, np.inf]], dtype=np.float32)
    look(x, last, run, found)
    assert run.tolist() == [2, 3, 1]
    assert found.tolist() == [2, 3]
    look(np.array([[2, 2], [4, 3], [np.nan, np.nan]], dtype=np.float32), last, run, found)
    assert run.tolist() == [4, 1, 0]
    assert found.tolist() == [2, 4]


def test_a_channel_that_goes_on_with_its_value_is_counted_over_chunks():
    watch = Watch(Layout(100.0, (Channel("a", kind="semg"),)), constant_s=0.1)
    one = np.ones((1, 4), dtype=np.float32)
    assert [watch.look(one) for _ in range(4)] == [False, False, True, False]
    assert watch.look(np.zeros((1, 4), dtype=np.float32))
    assert not watch.any_constant


def test_mean_sizes_are_mean_absolute_values():
    x = np.random.default_rng(2).standard_normal((2, 3, 50)).astype(np.float32)[:, :, ::2]
    means = np.empty((2, 3))
    mean_sizes(x, means)
    np.testing.assert_allclose(means, np.abs(x).mean(axis=2, dtype=np.float64), rtol=1e-12)


def test_linear_shares_are_the_softmax_of_scaled_features():
    rng = np.random.default_rng(3)
    values, weights, offsets = rng.normal(size=(4, 6)), rng.normal(size=(3, 6)), rng.normal(size=3)
    scale = rng.normal(size=6), 1 + rng.random(6)
    shares = np.empty((4, 3))
    linear_shares(values, scale, weights, offsets, shares)
    scores = (values - scale[0]) / scale[1] @ weights.T + offsets
    wanted = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, wanted, rtol=1e-12)
    linear_shares(1e6 * values, scale, weights, offsets, shares)  # no overflow
    assert np.isfinite(shares).all()


@pytest.mark.parametrize("scaling", ["none", "standard"])
def test_live_probabilities_are_those_offline(trained, dee, kept, scaling):
    pipeline = trained(scaling=scaling)
    asyncio.run(Engine(pipeline, Replay(dee, speed=math.inf), [kept]).run())
    offline = np.array([d.probabilities for d in pipeline.predict(dee)])
    live = np.array([a.decision.probabilities for a in kept.answers])
    np.testing.assert_allclose(live, offline, rtol=1e-9, atol=1e-12)


# --- answers as JSON -----------------------------------------------------------------------------


def answer(**changes) -> Answer:
    proba = np.array([0.25, 0.75])
    decision = Decision('fi"st', proba, ("rest é", 'fi"st'), 1.5, rejected=bool(changes))
    given = {"abstains": "", "level": np.array([1.25, 0.1]), "values": ()} | changes
    return Answer(7, decision, given["abstains"], given["level"], 1.0, 1.25, given["values"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"abstains": "gap", "level": np.full(2, np.nan)},
        {"values": (Value("force", "N", 2.5), Value("angle", "deg", math.nan))},
    ],
)
def test_an_answer_as_json_is_its_dictionary(changes):
    one = answer(**changes)
    assert json.loads(one.to_json()) == one.to_dict()
    assert one.to_json() == json.dumps(one.to_dict())
    told = one.to_dict()
    del told["level"]
    assert json.loads(one.to_json(level=False)) == told


# --- replay, hurry, sweep ------------------------------------------------------------------------


async def sizes(source: Replay) -> list[int]:
    await source.open(timeout_s=1.0)
    found = []
    while (one := await source.read()) is not None:
        found.append(one.samples.shape[1])
    return found


@pytest.mark.parametrize(("speed", "size"), [(1.0, 2), (10.0, 20), (math.inf, 50)])
def test_a_quick_replay_gives_what_is_due_together(speed, size):
    layout = Layout(100.0, (Channel("a", kind="semg"),))
    recording = Recording(np.ones((1, 100)), layout)
    assert asyncio.run(sizes(Replay(recording, speed=speed)))[0] == size


def test_a_gap_cuts_what_comes_together():
    layout = Layout(100.0, (Channel("a", kind="semg"),))
    gap = Event(0.3, 0.1, "gap", "reader")
    recording = Recording(np.ones((1, 100)), layout, (gap,))
    assert asyncio.run(sizes(Replay(recording, speed=math.inf))) == [30, 50, 10]


def test_faults_come_in_small_pieces(tmp_path):
    from myograph import write

    layout = Layout(100.0, (Channel("a", kind="semg"),))
    write(Recording(np.ones((1, 100)), layout), tmp_path / "a.myo")
    plain = find_source(f"replay:{tmp_path / 'a.myo'}?speed=50")
    faulty = find_source(f"replay:{tmp_path / 'a.myo'}?speed=50&loss=0.1")
    assert (plain._sizes, faulty._source._sizes) == ([50], [2])  # type: ignore[attr-defined]


def test_hurry_is_given_back():
    if not hasattr(os, "sched_getscheduler"):
        pytest.skip("this system has no real-time priority")
    before = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    try:
        with hurried(10):
            assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
    except ParameterError as refusal:
        assert "Real-time priority 10 is refused here" in str(refusal)  # noqa: PT017 - by rights
    assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == before


@pytest.mark.parametrize("priority", [-1, 1.5])
def test_a_priority_is_a_whole_number(priority):
    with pytest.raises(ParameterError, match="priority must be"), hurried(priority):
        pass


def test_hurry_that_is_not_allowed_says_so(monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    with (
        pytest.raises(ParameterError, match=r"refused here \(Operation not permitted\)"),
        hurried(),
    ):
        pass


def test_garbage_is_collected_behind_decisions_and_memory_does_not_grow():
    class Loop:
        def __init__(self) -> None:
            self.me = self

    enabled = gc.isenabled()
    with Sweep() as sweep:
        assert not gc.isenabled()
        for _ in range(1000):
            Loop()
        assert not sweep.now_and_then(10.0)
        assert sweep.now_and_then(12.5)
        assert not sweep.now_and_then(20.0, busy=True)
        assert sweep.now_and_then(45.0, busy=True)
        left = sum(isinstance(one, Loop) for one in gc.get_objects())
        assert left == 0
    assert gc.isenabled() is enabled


def test_an_error_inside_lets_the_collector_go_on():
    enabled = gc.isenabled()
    with pytest.raises(DataError, match="over"), Sweep():
        raise DataError("over")
    assert gc.isenabled() is enabled
