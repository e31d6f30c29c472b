"""A stream gets the decisions that the whole recording gets, however it is cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.pipeline.pipeline import Pipeline


@pytest.fixture(scope="module")
def dee(make_person):
    """Return a recording of a person the pipelines have not seen, 2400 samples long."""
    return make_person("dee")


PIPELINES: dict[str, dict[str, Any]] = {
    "lda": {},
    "svm, standard": {"model": {"name": "svm"}, "scaling": "standard"},
    "forest, rejecting": {
        "model": {"name": "random-forest", "params": {"n_trees": 10}},
        "reject_below": 0.8,
    },
    "lda, rejecting by class": {"reject_below": {"fist": 0.999, "*": 0.6}},
    "lda, person": {"scaling": "person"},
}


@pytest.mark.parametrize("name", PIPELINES)
@given(cuts=st.lists(st.integers(0, 2400), max_size=40), clock_s=st.floats(-10, 1e4))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_live_decisions_are_the_offline_ones_under_any_chunking(
    dee, layout, trained, name, cuts, clock_s
):
    pipeline = trained(**PIPELINES[name])
    person = pipeline.person_scaler([dee])
    offline = pipeline.predict(dee)
    state = pipeline.start(layout, person=person, start_s=clock_s)
    chunks = np.split(dee.samples, sorted(cuts), axis=1)
    live = [decision for chunk in chunks for decision in state.push(chunk)]
    assert len(live) == len(offline)
    for now, then in zip(live, offline, strict=True):
        assert (now.label, now.rejected) == (then.label, then.rejected)
        assert now.time_s - clock_s == pytest.approx(then.time_s, abs=1e-6)
        np.testing.assert_allclose(now.probabilities, then.probabilities, atol=1e-9)


def test_a_decision_comes_with_the_sample_that_completes_its_window(dee, layout, trained):
    state = trained().start(layout)
    assert state.push(dee.samples[:, :99]) == ()
    (first,) = state.push(dee.samples[:, 99:100])
    assert first.time_s == pytest.approx(0.2)
    assert state.push(dee.samples[:, 100:149]) == ()
    assert len(state.push(dee.samples[:, 149:150])) == 1


def test_two_streams_do_not_disturb_each_other(dee, layout, make_person, trained):
    pipeline = trained()
    one, two = pipeline.start(layout), pipeline.start(layout)
    other = make_person("else").samples
    got = []
    for chunk, noise in zip(
        np.array_split(dee.samples, 30, axis=1),
        np.array_split(other, 30, axis=1),
        strict=True,
    ):
        two.push(noise)
        got += one.push(chunk)
    assert [d.label for d in got] == [d.label for d in pipeline.predict(dee)]


def test_a_persons_scale_cannot_be_guessed_live(layout, trained):
    with pytest.raises(ParameterError, match=r"cannot know in advance.*pipeline\.person_scaler"):
        trained(scaling="person").start(layout)


def test_a_step_that_looks_ahead_cannot_run_live(layout, plain, table):
    step = {"step": "zero-phase-bandpass", "low_hz": 20.0, "high_hz": 200.0}
    pipeline = Pipeline({**plain, "steps": [step]}).fit(table)
    with pytest.raises(ParameterError, match="looks ahead of the newest sample"):
        pipeline.start(layout)


@pytest.mark.parametrize("shape", [(3,), (2, 10), (4, 10), (1, 3, 10)])
def test_a_chunk_of_another_shape(layout, trained, shape: tuple[int, ...]):
    with pytest.raises(LayoutError, match=r"must be \(3 channels, n_new samples\); got shape"):
        trained().start(layout).push(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_bad_sample_is_refused_and_leaves_the_state_as_it_was(dee, layout, trained, bad: float):
    pipeline = trained()
    state = pipeline.start(layout)
    first = state.push(dee.samples[:, :700])
    broken = dee.samples[:, 700:].astype(np.float64)
    broken[1, 5] = bad
    with pytest.raises(DataError, match="NaN or infinite samples"):
        state.push(broken)
    rest = state.push(dee.samples[:, 700:])
    labels = [d.label for d in (*first, *rest)]
    assert labels == [d.label for d in pipeline.predict(dee)]
