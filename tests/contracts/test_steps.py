"""The laws of every registered step. A new step joins by being registered, and by an example."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import myograph.preprocess  # noqa: F401  # registers the steps
from myograph.core.errors import LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.core.step import STEPS, OfflineStep, build_step

EXAMPLES = {
    "bandpass": {"low_hz": 20.0, "high_hz": 450.0},
    "highpass": {"low_hz": 20.0, "order": 2},
    "lowpass": {"high_hz": 6.0, "kinds": ("semg", "force")},
    "notch": {"frequency_hz": 50.0, "harmonics": 3},
    "zero-phase-bandpass": {"low_hz": 20.0, "high_hz": 450.0, "order": 2},
    "zero-phase-highpass": {"low_hz": 20.0},
    "zero-phase-lowpass": {"high_hz": 6.0},
    "zero-phase-notch": {"frequency_hz": 50.0},
    "select": {"names": ("e3", "e1")},
    "band": {"modality": "surface"},
    "drift": {"low_hz": 1.0},
    "resample": {"fs_hz": 750.0},
    "zero-phase-resample": {"fs_hz": 3000.0},
    "subtract-mains": {"frequency_hz": 50.0},
    "conditional-notch": {"frequency_hz": 50.0},
    "interpolate-mains": {"frequency_hz": 50.0},
    "repair": {"longest_ms": 3.0},
    "subtract-heart": {"kinds": ("semg",)},
    "montage": {"montage": "common-average"},
    "normalise": {
        "method": "standard-mvc",
        "learned": (("p01", "e1", 20.0), ("p01", "e2", 30.0), ("p01", "e3", 40.0)),
    },
    "zscore": {"learned": tuple(("p01", f"e{i}", 1.5, 20.0) for i in (1, 2, 3))},
    "whiten-channels": {
        "channels": ("e1", "e2", "e3"),
        "learned": (4.0, 1.0, 0.0, 1.0, 4.0, 1.0, 0.0, 1.0, 4.0),
    },
    "rolling-zscore": {"time_s": 0.02, "least_sd": 1.0},
}
OFFLINE = [
    name
    for name in EXAMPLES
    if name.startswith("zero-phase") or name in ("interpolate-mains", "repair", "subtract-heart")
]
CAUSAL = [name for name in EXAMPLES if name not in OFFLINE]
# Steps that change the signal only where they find something; their own tests show that they do.
WATCHFUL = (
    "subtract-mains",
    "conditional-notch",
    "interpolate-mains",
    "repair",
    "subtract-heart",
)


def step_of(name):
    return build_step({"step": name, **EXAMPLES[name]})


def make(n_samples, *, seed=0, offset=0.0):
    emg = tuple(Channel(f"e{i}", kind="semg") for i in range(1, 4))
    layout = Layout(2000.0, (*emg, Channel("grip", kind="force")))
    noise = 50 * np.random.default_rng(seed).standard_normal((4, n_samples)) + offset
    return Recording(
        noise.astype("f4"),
        layout,
        events=(Event(0.0, n_samples / 2000, "fist", "protocol", "1"),),
        subject=Subject("p01"),
        session="2",
        start_s=0.0,
    )


def test_every_step_has_an_example_here():
    assert set(STEPS) == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_class_says_about_time_is_so(name):
    assert STEPS[name].causal == (name in CAUSAL)
    assert issubclass(STEPS[name], OfflineStep) == (name in OFFLINE)


@pytest.mark.parametrize("name", CAUSAL)
@settings(max_examples=25, deadline=None)
@given(
    n_samples=st.integers(1, 400),
    cuts=st.lists(st.integers(0, 400), max_size=25),
    seed=st.integers(0, 1000),
    offset=st.floats(-1e5, 1e5),
)
def test_live_equals_offline(name, n_samples, cuts, seed, offset):
    recording = make(n_samples, seed=seed, offset=offset)
    step = step_of(name)
    state = step.start(recording.layout)
    # Cuts at one place, at 0 and beyond the end leave empty chunks.
    chunks = np.split(recording.samples, sorted(min(c, n_samples) for c in cuts), axis=1)
    live = [state.push(chunk) for chunk in chunks]
    if step.output_layout(recording.layout).fs_hz == recording.fs_hz:
        assert [out.shape[1] for out in live] == [chunk.shape[1] for chunk in chunks]
    np.testing.assert_allclose(
        np.concatenate(live, axis=1), step.apply(recording).samples, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("name", CAUSAL)
def test_two_streams_of_one_step_do_not_share_state(name):
    recording = make(100)
    step = step_of(name)
    first, second = step.start(recording.layout), step.start(recording.layout)
    expected = first.push(recording.samples)
    first.push(recording.samples)
    np.testing.assert_array_equal(second.push(recording.samples), expected)


@pytest.mark.parametrize("name", CAUSAL)
def test_the_future_does_not_change_the_past(name):
    recording = make(200)
    other = recording.samples.copy()
    other[:, 120:] += 1000
    step = step_of(name)
    known = step.start(recording.layout).push(recording.samples[:, :120])
    for samples in (recording.samples, other):
        out = step.start(recording.layout).push(samples)
        np.testing.assert_array_equal(out[:, : known.shape[1]], known)


@pytest.mark.parametrize("name", EXAMPLES)
def test_applying_keeps_the_input_and_writes_the_recipe(name):
    recording = make(300)
    digest, samples = recording.source_digest, recording.samples.copy()
    step = step_of(name)
    out = step.apply(recording)
    np.testing.assert_array_equal(recording.samples, samples)
    assert out.samples.dtype == np.float32
    assert out.layout == step.output_layout(recording.layout)
    assert out.recipe.source == digest
    assert out.source_digest == digest
    assert [r.step for r in out.recipe.steps] == [name]
    assert (out.events, out.subject, out.session) == (
        recording.events,
        recording.subject,
        recording.session,
    )
    record = out.recipe.steps[0].to_dict()
    assert build_step({"step": record["step"], **record["parameters"]}) == step


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_step_survives_json(name):
    step = step_of(name)
    assert build_step(json.loads(json.dumps(step.to_dict()))) == step
    if not step.learns:
        assert step.fit([]) is step


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_step_is_frozen(name):
    step = step_of(name)
    field = next(iter(step.parameters()))
    with pytest.raises(AttributeError, match="cannot assign"):
        setattr(step, field, 1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_unknown_parameters_are_refused(name):
    with pytest.raises(ParameterError, match=f"parameter of step '{name}' must be one of"):
        build_step({"step": name, **EXAMPLES[name], "strength": 2})


@pytest.mark.parametrize("name", OFFLINE)
def test_steps_that_look_ahead_refuse_a_stream(name):
    with pytest.raises(ParameterError, match="runs offline only"):
        step_of(name).start(make(10).layout)


@pytest.mark.parametrize("name", CAUSAL)
def test_a_chunk_of_another_montage_is_refused(name):
    state = step_of(name).start(make(10).layout)
    with pytest.raises((LayoutError, ValueError), match=r"A chunk must be \(4 channels"):
        state.push(np.zeros((3, 10), dtype="f4"))


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n != "lowpass"])
def test_filters_leave_other_kinds_alone(name):
    recording = make(400)
    out = step_of(name).apply(recording)
    if out.layout != recording.layout:  # another montage or rate: its own tests say which
        return
    np.testing.assert_array_equal(out.samples[3], recording.samples[3])
    assert name in WATCHFUL or np.abs(out.samples[:3] - recording.samples[:3]).max() > 1
