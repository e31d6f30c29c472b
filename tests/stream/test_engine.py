"""The engine decides what the pipeline decides, whatever becomes of the stream."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.pipeline.pipeline import Pipeline
from myograph.stream.consumer import Callback
from myograph.stream.engine import Engine, Rules
from myograph.stream.link import Patience
from myograph.stream.replay import Replay
from myograph.stream.source import Source, SourceMissingError

QUICK = Patience(backoff_s=0.01, longest_backoff_s=0.02)
PIPELINES: dict[str, dict[str, Any]] = {
    "lda": {},
    "svm, standard": {"model": {"name": "svm"}, "scaling": "standard"},
    "forest, rejecting": {
        "model": {"name": "random-forest", "params": {"n_trees": 10}},
        "reject_below": 0.8,
    },
    "lda, rejecting by class": {"reject_below": {"fist": 0.999, "*": 0.6}},
    "selected": {"selection": {"name": "pca"}},
    "no steps": {"steps": []},
}


def run(pipeline: Pipeline, source: Source, *consumers: Any, **options: Any):
    options.setdefault("patience", QUICK)
    return asyncio.run(Engine(pipeline, source, consumers, **options).run())


def same(live, offline) -> None:
    assert len(live) == len(offline)
    for now, then in zip(live, offline, strict=True):
        assert now.decision.label == then.label
        assert now.decision.rejected == then.rejected
        assert now.decision.time_s == pytest.approx(then.time_s, abs=1e-9)
        np.testing.assert_allclose(now.decision.probabilities, then.probabilities, atol=1e-9)


@pytest.mark.parametrize("name", PIPELINES)
def test_live_is_offline(trained, dee, kept, name):
    pipeline = trained(**PIPELINES[name])
    health = run(pipeline, Replay(dee, speed=math.inf, sizes=[1, 7, 0, 250, 33]), kept)
    same(kept.answers, pipeline.predict(dee))
    assert health.decided == len(kept.answers)
    assert (health.gap_samples, health.dropped, health.abstained) == (0, 0, 0)


@given(
    sizes=st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any),
    gaps=st.lists(st.tuples(st.integers(1, 2300), st.integers(1, 500)), max_size=3),
)
@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_live_is_offline_under_any_chunking_and_with_gaps(pipeline, dee, sizes, gaps):
    events = list(dee.events)
    samples = dee.samples.copy()
    for first, size in gaps:
        stop = min(first + size, dee.n_samples)
        events.append(Event(first / dee.fs_hz, (stop - first) / dee.fs_hz, "gap"))
    missing = np.zeros(dee.n_samples, dtype=bool)
    for event in events:
        if event.label == "gap":
            a, b = round(event.onset_s * dee.fs_hz), round(event.end_s * dee.fs_hz)
            missing[a:b] = True
    for k in np.flatnonzero(missing):  # as the readers of files fill a gap
        samples[:, k] = samples[:, k - 1]
    holed = replace(dee, samples=samples, events=tuple(events))
    answers: list[Any] = []
    health = run(pipeline, Replay(holed, speed=math.inf, sizes=sizes), Callback(answers.append))
    end = int(np.flatnonzero(~missing)[-1]) + 1  # a gap at the very end is not known to be one
    decided = [answer for answer in answers if answer.abstains != "gap"]
    offline = [d for d in pipeline.predict(holed) if d.time_s <= end / dee.fs_hz + 1e-9]
    same(decided, offline)
    numbers = [answer.number for answer in answers]
    assert numbers == list(range(len(numbers)))
    assert health.samples + health.gap_samples == end


def test_decisions_abstain_inside_gaps_and_say_so(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(0, x[:, :500]), (800, x[:, 800:1400])]
    health = run(pipeline, scripted(script), kept)
    touching = [a for a in kept.answers if a.number * 50 + 100 > 500 and a.number * 50 < 800]
    assert {a.abstains for a in touching} == {"gap"}
    assert all(a.decision.rejected and np.isnan(a.level).all() for a in touching)
    assert all(not a.abstains for a in kept.answers if a not in touching)
    assert "gap" in kept.kinds
    assert (health.gap_samples, health.gaps, health.samples) == (300, 1, 1100)
    assert health.loss == pytest.approx(300 / 1400)


def test_samples_that_are_nan_are_a_gap_of_all_channels(pipeline, dee, kept, scripted):
    x = dee.samples[:, :1000].copy()
    x[1, 400:420] = np.nan
    x[2, 700] = np.inf
    health = run(pipeline, scripted([(0, x[:, :410]), (410, x[:, 410:])]), kept)
    assert health.non_finite == 21
    touched = [a for a in kept.answers if a.number * 50 < 420 and a.number * 50 + 100 > 400]
    assert all(a.abstains == "gap" for a in touched)
    (told, *_) = [n for n in kept.notices if n.kind == "non-finite"]
    assert "emg2" in told.text
    held = x.copy()
    held[1, 400:420], held[2, 700] = held[1, 399], held[2, 699]
    whole = replace(
        dee,
        samples=held,
        events=(Event(400 / 500, 20 / 500, "gap"), Event(700 / 500, 1 / 500, "gap")),
    )
    same(kept.decided, pipeline.predict(whole))


def test_a_constant_channel_is_told_and_decisions_go_on(pipeline, dee, kept, scripted):
    x = dee.samples.copy()
    x[1, 600:] = 3.0
    run(pipeline, scripted([(0, x)]), kept, rules=Rules(constant_s=1.0))
    (told,) = [n for n in kept.notices if n.kind == "constant"]
    assert told.text.startswith("emg2 kept one value for 1 s")
    assert {a.abstains for a in kept.answers} == {""}


def test_a_constant_channel_can_end_decisions_until_it_varies(pipeline, dee, kept, scripted):
    x = dee.samples.copy()
    x[1, 600:1500] = 3.0
    script = [(first, x[:, first : first + 50]) for first in range(0, 2400, 50)]
    run(pipeline, scripted(script), kept, rules=Rules(constant_s=1.0, on_constant="abstain"))
    why = [a.abstains for a in kept.answers]
    assert why.count("constant") == pytest.approx(8, abs=1)
    assert not why[-1]
    assert [k for k in kept.kinds if k in ("constant", "varies")] == ["constant", "varies"]


def test_a_source_that_is_unplugged_is_found_again(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(0, x[:, :1000]), "lost", (1500, x[:, 1500:])]
    source = scripted(script, away=2)
    health = run(pipeline, source, kept)
    assert [k for k in kept.kinds if k in ("lost", "reconnected", "ended")] == [
        "lost", "reconnected", "ended",
    ]  # fmt: skip
    assert health.reconnections == 1
    assert (health.samples, health.gap_samples) == (1900, 500)
    assert source.closed >= 2


def test_a_source_that_stays_away_is_given_up(pipeline, dee, kept, scripted):
    source = scripted([(0, dee.samples[:, :500]), "lost"], away=10**6)
    patience = Patience(backoff_s=0.01, longest_backoff_s=0.01, give_up_s=0.1)
    health = run(pipeline, source, kept, patience=patience)
    assert kept.kinds[-1] == "ended"
    assert "stayed away" in kept.notices[-1].text
    assert health.samples == 500


def test_a_source_that_comes_back_as_another_is_refused(pipeline, dee, kept, scripted, layout):
    class Changing(scripted):  # type: ignore[misc]
        async def open(self, *, timeout_s: float) -> Layout:
            first = await super().open(timeout_s=timeout_s)
            return first if self.opened == 1 else layout.take([0, 1])

    source = Changing([(0, dee.samples[:, :500]), "lost"])
    with pytest.raises(LayoutError, match=r"came back as another source\. The 2 channels are not"):
        run(pipeline, source, kept)
    assert kept.stopped == 1


def test_a_silent_source_is_answered_by_abstentions_in_time(pipeline, dee, kept, scripted):
    script = [(0, dee.samples[:, :300]), 0.6, (300, dee.samples[:, 300:600])]
    source = scripted(script, patient=False)
    source.tolerance_s = 0.05
    health = run(pipeline, source, kept)
    assert health.silent >= 2
    # What was only late is decided all the same: nothing was lost.
    assert [a.number for a in kept.decided] == list(range(11))
    assert health.gap_samples == 0


OTHERS = {
    "channels": (Layout(500.0, (Channel("emg1", kind="semg"),)), "missing .*emg2"),
    "rate": (
        Layout(1000.0, tuple(Channel(f"emg{i}", kind="semg") for i in (1, 2, 3))),
        "The sampling rate is 1000 Hz; 500 Hz is expected",
    ),
    "unit": (
        Layout(500.0, tuple(Channel(f"emg{i}", kind="semg", scale="count") for i in (1, 2, 3))),
        "semg in count; semg in uV is expected",
    ),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_layout_is_refused_before_anything_starts(pipeline, kept, scripted, what):
    layout, told = OTHERS[what]
    source = scripted([], layout=layout)
    with pytest.raises(LayoutError, match=f"scripted cannot be used.*{told}"):
        run(pipeline, source, kept)
    assert (kept.started, source.closed) == (0, 1)


def test_a_step_that_looks_ahead_is_refused(trained, scripted, kept):
    pipeline = trained(steps=[{"step": "zero-phase-bandpass", "low_hz": 20.0, "high_hz": 200.0}])
    with pytest.raises(ParameterError, match="looks ahead of the newest sample"):
        run(pipeline, scripted([]), kept)


def test_a_source_that_never_appears_ends_in_a_sentence(pipeline, kept, scripted):
    class Never(scripted):  # type: ignore[misc]
        async def open(self, *, timeout_s: float) -> Layout:
            raise SourceMissingError("nothing is there. Seen: a lamp.")

    with pytest.raises(SourceMissingError, match="Seen: a lamp"):
        run(pipeline, Never([]), kept)


def test_windows_that_are_overtaken_are_dropped_and_no_sample_is(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(first, x[:, first : first + 10]) for first in range(0, 2400, 10)]
    source = scripted(script, patient=False, flood=True)
    health = run(pipeline, source, kept, rules=Rules(late_s=1.0), patience=Patience(waiting_s=60))
    assert health.dropped == pytest.approx((2400 - 500) / 50 - 1, abs=2)
    assert health.decided + health.dropped == 47
    assert (health.samples, health.gap_samples) == (2400, 0)
    # Those that were decided are what they would have been: the filters saw everything.
    by_time = {round(d.time_s, 3): d for d in pipeline.predict(dee)}
    same(kept.answers, [by_time[round(a.decision.time_s, 3)] for a in kept.answers])


def test_signal_that_waits_too_long_becomes_a_gap(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(first, x[:, first : first + 10]) for first in range(0, 2400, 10)]
    source = scripted(script, patient=False, flood=True)
    health = run(pipeline, source, kept, patience=Patience(waiting_s=0.2))
    assert health.overrun == health.gap_samples == 2300
    assert health.samples == 100


def test_a_gap_too_long_to_fill_begins_the_filters_anew(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(0, x[:, :500]), (5025, x[:, 500:1000])]
    run(pipeline, scripted(script), kept, rules=Rules(bridge_s=2.0))
    assert [a.number for a in kept.answers] == list(range((5525 - 100) // 50 + 1))
    late = [a for a in kept.decided if a.number * 50 >= 5025]
    assert len(late) == 8
    assert late[0].decision.time_s == pytest.approx((5050 + 100) / 500)


def test_stages_come_before_consumers_in_order(pipeline, dee, kept):
    def first(answer):
        return replace(answer, abstains="unsure")

    def second(answer):
        assert answer.abstains == "unsure"
        return replace(answer, abstains="constant")

    run(pipeline, Replay(dee, speed=math.inf), kept, stages=[first, second])
    assert {a.abstains for a in kept.answers} == {"constant"}


def test_levels_are_the_mean_absolute_values_behind_the_steps(trained, dee, kept):
    pipeline = trained(steps=[])
    run(pipeline, Replay(dee, speed=math.inf), kept)
    np.testing.assert_allclose(
        kept.answers[3].level, np.abs(dee.samples[:, 150:250]).mean(axis=1), rtol=1e-6
    )


def test_it_can_be_stopped(pipeline, dee, kept):
    engine = Engine(pipeline, Replay(dee, speed=1.0), [kept])

    async def both():
        task = asyncio.create_task(engine.run())
        await asyncio.sleep(0.4)
        engine.stop()
        return await task

    health = asyncio.run(both())
    assert 0 < health.samples < 400
    assert kept.stopped == 1


def test_consumers_are_stopped_after_an_error(pipeline, dee, kept):
    def fail(answer):
        raise RuntimeError("a consumer fell over")

    with pytest.raises(RuntimeError, match="fell over"):
        run(pipeline, Replay(dee, speed=math.inf), kept, Callback(fail))
    assert kept.stopped == 1


def test_time_is_measured_stage_by_stage(pipeline, dee):
    told = run(pipeline, Replay(dee, speed=math.inf)).to_dict()
    for stage in ("wait", "steps", "features", "model", "consumers", "total"):
        assert told["latency"][stage]["count"] > 0
    assert told["controller_delay_ms"] == pytest.approx(
        100 + 50 + told["latency"]["total"]["mean_ms"]
    )


def test_notices_beyond_the_limit_are_counted_and_the_count_is_told(pipeline, dee, kept, scripted):
    x = dee.samples
    script = [(first, x[:, first : first + 40]) for first in range(0, 2400, 50)]
    health = run(pipeline, scripted(script), kept, rules=Rules(most_notices=5))
    assert kept.kinds.count("gap") == 5
    assert health.withheld == health.to_dict()["withheld"] == {"gap": 42}
    (told,) = [n for n in kept.notices if n.kind == "withheld"]
    assert (told.samples, "42 more of the kind 'gap'" in told.text) == (42, True)
    assert kept.kinds[0] == "connected"


# --- regression


def forced(seed: int, layout: Layout, *, channels: tuple[str, ...] = ("force",)) -> Recording:
    """Muscles that follow a force, and the force beside them."""
    rng = np.random.default_rng(seed)
    force_n = 50 + 40 * np.sin(2 * np.pi * 0.4 * np.arange(2400) / layout.fs_hz + seed)
    emg = np.array([[2.0], [1.0], [0.5]]) * force_n * rng.standard_normal((3, 2400))
    more = [Channel(name, kind="force") for name in channels]
    samples = np.vstack([emg, *[force_n] * len(more)]).astype(np.float32)
    return Recording(samples, Layout(layout.fs_hz, (*layout.channels, *more)), (), Subject("f"))


@pytest.fixture(scope="module")
def ridge(layout) -> Pipeline:
    pipeline = Pipeline(
        {
            "steps": [{"step": "bandpass", "low_hz": 20.0, "high_hz": 200.0}],
            "windowing": {
                "length_ms": 200.0, "step_ms": 100.0, "label_sources": [], "target_kind": "force",
            },
            "features": ["hudgins", "rms"],
            "scaling": "standard",
            "model": {"name": "ridge"},
        }
    )  # fmt: skip
    return pipeline.fit(pipeline.prepare([forced(1, layout), forced(2, layout)]))


@given(sizes=st.lists(st.integers(0, 400), min_size=1, max_size=12).filter(any))
@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("channels", [(), ("force",)])
def test_a_live_estimate_is_the_offline_one_bit_for_bit(ridge, layout, channels, sizes):
    recording = forced(3, layout, channels=channels)
    offline, time_s = ridge.estimate_recording(recording)
    answers: list[Any] = []
    health = run(ridge, Replay(recording, speed=math.inf, sizes=sizes), Callback(answers.append))
    assert [a.values[0].value for a in answers] == offline.tolist()
    np.testing.assert_allclose([a.decision.time_s for a in answers], time_s, atol=1e-9)
    assert {(v.name, v.unit) for a in answers for v in a.values} == {("force", "N")}
    assert health.decided == len(offline) == 47


def test_estimates_follow_the_force_and_are_none_inside_gaps(ridge, layout, kept, scripted):
    recording = forced(4, layout, channels=())
    script = [(0, recording.samples[:, :500]), (800, recording.samples[:, 800:])]
    health = run(ridge, scripted(script), kept)
    touching = [a for a in kept.answers if a.number * 50 + 100 > 500 and a.number * 50 < 800]
    assert kept.classes == ("force",)
    assert health.abstained == len(touching) == 7
    assert {(a.abstains, a.decision.rejected) for a in touching} == {("gap", True)}
    assert all(math.isnan(a.values[0].value) for a in touching)
    told = touching[0].to_dict()
    assert told["values"] == [{"name": "force", "unit": "N", "value": None}]
    assert not {"label", "probabilities", "confidence"} & set(told)
    truth = 50 + 40 * np.sin(2 * np.pi * 0.4 * np.arange(2400) / 500 + 4)
    wanted = [truth[a.number * 50 : a.number * 50 + 100].mean() for a in kept.decided]
    assert np.corrcoef([a.values[0].value for a in kept.decided], wanted)[0, 1] > 0.9


def test_a_target_with_two_units_is_told_without_one(ridge, layout):
    counts = forced(2, layout)
    channels = (*layout.channels, Channel("force", kind="force", scale="count"))
    counts = replace(counts, layout=Layout(layout.fs_hz, channels))
    assert ridge.target == ("force", "N")
    both = Pipeline(ridge.config)
    assert both.fit(both.prepare([forced(1, layout), counts])).target == ("force", "")


# --- what hops share, and models of whole windows


@pytest.mark.parametrize("features", [["hudgins"], ["hudgins", "rms", "mnf"], ["rms", "ar"]])
def test_what_hops_share_gives_the_offline_features(trained, dee, scripted, kept, features):
    """Gaps, bursts and single hops: the sums that windows share begin anew where they must."""
    pipeline = trained(features=features)
    edges = [0, 130, 180, 230, 280, 330, 600, 650, 700, 1100, 1150, 1200, 1250, 2400]
    script = [
        (a, dee.samples[:, a:b]) for a, b in itertools.pairwise(edges) if a not in (650, 1200)
    ]
    run(pipeline, scripted(script), kept)
    gaps = [Event(650 / 500, 0.1, "gap", "r"), Event(1200 / 500, 0.1, "gap", "r")]
    held = dee.samples.copy()
    for first in (650, 1200):
        held[:, first : first + 50] = held[:, first - 1 : first]
    offline = pipeline.predict(Recording(held, dee.layout, tuple(gaps)))
    assert [a.decision.time_s for a in kept.decided] == pytest.approx([d.time_s for d in offline])
    live = np.array([a.decision.probabilities for a in kept.decided])
    wanted = np.array([d.probabilities for d in offline])
    np.testing.assert_allclose(live, wanted, rtol=1e-9, atol=1e-12)


def test_a_model_of_whole_windows_decides_live_as_offline(trained, dee, kept):
    pipeline = trained(model={"name": "mdm"})
    run(pipeline, Replay(dee, speed=math.inf), kept)
    offline = pipeline.predict(dee)
    assert [a.decision.label for a in kept.answers] == [d.label for d in offline]
    live = np.array([a.decision.probabilities for a in kept.answers])
    np.testing.assert_allclose(live, [d.probabilities for d in offline], rtol=1e-6, atol=1e-9)
