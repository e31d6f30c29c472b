from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pytest

from myograph.core.errors import DataError, LayoutError, ParameterError
from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.core.step import STEPS, Step
from myograph.core.table import FeatureTable
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.scaling import Scaler, scale_people

MODELS = ["lda", "svm", "random-forest", "majority"]
BANDPASS = {"step": "bandpass", "low_hz": 20.0, "high_hz": 200.0}


def test_people_not_seen_are_told_apart(plain, cohort, table: FeatureTable):
    out = table.index.subject == "cy"
    pipeline = Pipeline(plain).fit(table.take(~out))
    right = [
        decision.label == label
        for decision, label in zip(
            pipeline.decide(pipeline.scale(table.values[out]), table.index.stop_s[out]),
            table.index.label[out],
            strict=True,
        )
    ]
    assert np.mean(right) > 0.9


def test_prepare_keeps_the_order_and_tells_how_far_it_is(plain, cohort):
    seen: list[tuple[int, int]] = []
    table = Pipeline(plain).prepare(cohort, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert list(dict.fromkeys(table.index.subject)) == ["ann", "bo", "cy"]
    again = [Pipeline(plain).prepare([recording]) for recording in cohort]
    np.testing.assert_array_equal(table.values, np.concatenate([part.values for part in again]))


def test_processes_give_what_one_process_gives(plain, cohort):
    one, two = (Pipeline(plain).prepare(cohort, jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.index.label, two.index.label)
    assert one.names == two.names


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scaling", ["none", "standard", "person"])
def test_no_state_passes_from_one_fold_to_the_next(
    plain, table: FeatureTable, model: str, scaling: str
):
    config = {**plain, "model": {"name": model}, "scaling": scaling}
    people = table.index.subject
    fresh = Pipeline(config).fit(table.take(people != "bo"))
    used = Pipeline(config).fit(table.take(people != "ann"))
    used.predict_proba(table)
    used.fit(table.take(people != "bo"))
    np.testing.assert_array_equal(used.predict_proba(table), fresh.predict_proba(table))


def test_what_is_held_out_has_no_say(plain, table: FeatureTable):
    out = table.index.subject == "cy"
    shouting = FeatureTable(
        np.where(out[:, None], 1e6 * table.values, table.values),
        table.names,
        table.units,
        table.index,
        table.layout,
    )
    for scaling in ("none", "standard", "person"):
        config = {**plain, "scaling": scaling}
        one, two = (Pipeline(config).fit(t.take(~out)) for t in (table, shouting))
        rows = table.take(~out)
        np.testing.assert_array_equal(one.predict_proba(rows), two.predict_proba(rows))


def test_the_seed_reaches_the_model_unless_its_parameters_name_one(plain, table: FeatureTable):
    forest = {**plain, "model": {"name": "random-forest", "params": {"n_trees": 5}}}
    proba = [Pipeline(forest, seed=s).fit(table).predict_proba(table) for s in (1, 1, 2)]
    np.testing.assert_array_equal(proba[0], proba[1])
    assert not np.array_equal(proba[0], proba[2])
    forest["model"]["params"]["seed"] = 1
    named = Pipeline(forest, seed=2).fit(table).predict_proba(table)
    np.testing.assert_array_equal(named, proba[0])


def test_only_muscle_channels_are_taken_unless_channels_are_selected(
    layout, make_person, plain, table: FeatureTable
):
    more = Layout(layout.fs_hz, (*layout.channels, Channel("heart", kind="ecg")))
    assert Pipeline(plain).prepare([make_person("ann", layout=more)]).layout == layout
    picked = {**plain, "steps": [{"step": "select", "names": ["emg3", "emg1"]}, BANDPASS]}
    assert Pipeline(picked).prepare([make_person("ann")]).layout.names == ("emg3", "emg1")


def test_a_recording_with_more_channels_than_needed_is_decided(layout, make_person, trained):
    more = Layout(layout.fs_hz, (*layout.channels, Channel("heart", kind="ecg")))
    assert len(trained().predict(make_person("dee", layout=more))) == 47


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            lambda known: Layout(1000.0, known.channels),
            r"sampling rate is 1000 Hz; 500 Hz is expected",
        ),
        (
            lambda known: known.take([0, 1]),
            r"2 channels are not the 3 expected ones: missing \['emg3'\]",
        ),
        (
            lambda known: known.take([1, 0, 2]),
            r"channels are in another order: \['emg2', 'emg1', 'emg3'\]",
        ),
        (
            lambda known: Layout(
                known.fs_hz, tuple(replace(c, scale="count") for c in known.channels)
            ),
            r"'emg1', .* are semg in count; semg in uV is expected",
        ),
        (
            lambda known: Layout(
                known.fs_hz, tuple(replace(c, kind="hdemg") for c in known.channels)
            ),
            r"'emg1', .* are hdemg in uV; semg in uV is expected",
        ),
        (
            lambda known: Layout(
                known.fs_hz, tuple(replace(c, name=f"m{c.name}") for c in known.channels)
            ),
            r"missing \['emg1', 'emg2', 'emg3'\] and not expected \['memg1', 'memg2', 'memg3'\]",
        ),
    ],
)
def test_another_layout_is_refused_in_a_sentence(trained, layout, make_person, other, message):
    pipeline, given = trained(), other(layout)
    with pytest.raises(LayoutError, match="trained for another recording.*" + message):
        pipeline.predict(make_person("dee", layout=given))
    with pytest.raises(LayoutError, match=message):
        pipeline.start(given)


def test_a_table_of_other_features_is_refused(plain, trained, cohort):
    other = Pipeline({**plain, "features": ["mav"]}).prepare(cohort)
    with pytest.raises(LayoutError, match=r"features are not those learned from: \['emg1\.ssc'"):
        trained().predict_proba(other)


def test_recordings_of_two_kinds_are_not_mixed(layout, make_person, plain):
    other = make_person("bo", layout=Layout(1000.0, layout.channels))
    with pytest.raises(LayoutError, match=r"Recording 1 \(subject 'bo'\) differs.*1000 Hz"):
        Pipeline(plain).prepare([make_person("ann"), other])


@pytest.mark.parametrize(
    ("windowing", "message"),
    [
        ({"length_ms": 900.0}, r"subject 'ann'.*gives no window: length_ms=900 labelled by"),
        ({"length_ms": 200.0, "transition_ms": 350.0}, "transition_ms=350.*leave this recording"),
        ({"length_ms": 9000.0, "label_sources": []}, "length_ms=9000 must fit at least once"),
    ],
)
def test_a_recording_without_windows_is_said(
    make_person, plain, windowing: dict[str, Any], message: str
):
    with pytest.raises(DataError, match=message):
        Pipeline({**plain, "windowing": windowing}).prepare([make_person("ann")])


def test_a_recording_shorter_than_a_window_cannot_be_decided(make_person, trained):
    with pytest.raises(DataError, match="gives no window: length_ms=200 must fit"):
        trained().predict(make_person("ann").crop(0.0, 0.15))


def test_nothing_to_prepare(plain):
    with pytest.raises(DataError, match="no recording was given"):
        Pipeline(plain).prepare([])


def test_nothing_is_answered_before_learning(layout, plain, cohort, table: FeatureTable):
    pipeline = Pipeline(plain)
    for ask in (
        lambda: pipeline.predict(cohort[0]),
        lambda: pipeline.predict_proba(table),
        lambda: pipeline.start(layout),
        lambda: pipeline.classes,
    ):
        with pytest.raises(ParameterError, match="has not learned anything yet; call fit first"):
            ask()


def test_windows_without_labels_cannot_be_learned_from(plain, cohort):
    bare = Pipeline({**plain, "windowing": {"length_ms": 200.0, "label_sources": []}})
    with pytest.raises(DataError, match="have no label; a model learns from labelled windows"):
        bare.fit(bare.prepare(cohort))


def test_one_class_cannot_be_learned_from(plain, table: FeatureTable):
    with pytest.raises(DataError, match=r"needs at least 2 classes .* \['fist'\]"):
        Pipeline(plain).fit(table.take(table.index.label == "fist"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"name": "ldaa"}}, "model must be one of .* Did you mean 'lda'"),
        ({"model": {"params": {"shrink": 1}}}, r"parameter of model 'lda' must be one of \["),
        ({"steps": [{"step": "bandpas"}]}, "Did you mean 'bandpass'"),
        ({"features": ["mva"]}, "mav"),
        ({"scaling": "zscore"}, "the pipeline's definition: scaling must be one of"),
    ],
)
def test_a_definition_with_a_mistake_is_refused_when_built(
    plain, change: dict[str, Any], message: str
):
    with pytest.raises(ParameterError, match=message):
        Pipeline({**plain, **change})


# --- scaling


def test_standard_scaling_is_that_of_the_training_windows(plain, table: FeatureTable):
    train = table.take(table.index.subject != "cy")
    scaler = Pipeline({**plain, "scaling": "standard"}).fit(train).fitted.scaler
    assert scaler is not None
    np.testing.assert_allclose(scaler.centre, train.values.mean(axis=0))
    np.testing.assert_allclose(scaler.spread, train.values.std(axis=0))


def test_person_scaling_takes_each_persons_gain_away(make_person, plain):
    config = {**plain, "features": ["mav", "wl"], "scaling": "person"}
    people = [make_person("ann"), make_person("bo"), make_person("cy")]
    pipeline = Pipeline(config)
    pipeline.fit(pipeline.prepare(people))
    quiet, loud = make_person("dee"), make_person("dee", gain=8.0)
    for one, two in zip(pipeline.predict(quiet), pipeline.predict(loud), strict=True):
        assert one.label == two.label
        np.testing.assert_allclose(one.probabilities, two.probabilities, atol=1e-4)
    assert any("without labels" in note for note in pipeline.notes)


def test_person_scaling_needs_to_know_the_person(plain, cohort):
    config = {**plain, "scaling": "person"}
    nobody = [replace(recording, subject=None) for recording in cohort]
    with pytest.raises(DataError, match="needs to know whose each window is"):
        Pipeline(config).fit(Pipeline(config).prepare(nobody))


def test_each_person_is_scaled_alone():
    values = np.array([[1.0, 5.0], [3.0, 5.0], [10.0, 0.0], [30.0, 2.0]])
    scaled = scale_people(values, np.array(["a", "a", "b", "b"]))
    np.testing.assert_allclose(scaled, [[-1, 0], [1, 0], [-1, -1], [1, 1]])


def test_a_feature_that_varies_by_rounding_alone_is_left_small():
    values = np.full((100, 1), 0.1) * np.where(np.arange(100) % 2, 1.0, 1.0 + 2e-16)[:, None]
    assert np.abs(Scaler.of(values).apply(values)).max() < 1e-12


# --- aggregation, rejection, regression


def test_one_decision_about_a_recording(trained, cohort):
    for start_s, label in ((0.8, "fist"), (1.6, "open")):
        decision = trained().predict_recording(cohort[0].crop(start_s, start_s + 0.8))
        assert decision.label == label
        assert decision.time_s == pytest.approx(start_s + 0.8)


def test_decisions_below_the_threshold_are_rejected_and_kept(trained, cohort):
    decisions = trained(reject_below=0.9).predict(cohort[0])
    assert {d.rejected for d in decisions} == {True, False}
    assert all(d.rejected == (d.confidence < 0.9) for d in decisions)


def force_recording(person: str) -> Recording:
    rng = np.random.default_rng([ord(letter) for letter in person])
    force_n = 50 + 40 * np.sin(2 * np.pi * 0.4 * np.arange(4000) / 500.0)
    emg = 2 * force_n * rng.standard_normal((2, 4000))
    channels = (Channel("a", kind="semg"), Channel("b", kind="semg"), Channel("f", kind="force"))
    samples = np.vstack([emg, force_n]).astype(np.float32)
    return Recording(samples, Layout(500.0, channels), subject=Subject(person))


def test_a_force_is_estimated_from_muscles(plain):
    pipeline = Pipeline(
        {
            "steps": [BANDPASS],
            "windowing": {"length_ms": 300, "label_sources": [], "target_kind": "force"},
            "features": ["rms", "wl"],
            "scaling": "standard",
            "model": {"name": "ridge"},
        }
    )
    table = pipeline.prepare([force_recording("ann"), force_recording("bo")])
    assert table.layout.names == ("a", "b")
    pipeline.fit(table.take(table.index.subject == "ann"))
    new = table.take(table.index.subject == "bo")
    estimate = pipeline.estimate(new)
    error = ((estimate - new.index.label) ** 2).mean() / new.index.label.var()
    assert error < 0.1
    with pytest.raises(ParameterError, match="'ridge' does regression, and classification was"):
        pipeline.predict_proba(new)
    with pytest.raises(DataError, match="carry numbers to estimate, and LDA does classification"):
        Pipeline(plain).fit(new)


def test_a_class_is_not_estimated_as_a_number(plain, table: FeatureTable, trained):
    with pytest.raises(DataError, match="carry class labels, and Ridge does regression"):
        Pipeline({**plain, "model": {"name": "ridge"}}).fit(table)
    with pytest.raises(ParameterError, match="regression was asked for"):
        trained().estimate(table)


# --- steps that learn


@dataclass(frozen=True)
class Gain(Step):
    """Divide by the loudest sample of the training recordings."""

    largest: float = 0.0
    name = "test-gain"
    learns = True

    def start(self, layout: Layout) -> Any:
        largest = self.largest

        class State:
            def push(self, chunk: Any) -> Any:
                return (chunk / largest).astype(np.float32)

        return State()

    def fit(self, recordings: Any) -> Self:
        return replace(self, largest=max(float(np.abs(r.samples).max()) for r in recordings))


@pytest.fixture
def with_gain(plain, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setitem(STEPS._entries, "test-gain", Gain)
    return {**plain, "steps": [BANDPASS, {"step": "test-gain"}]}


def test_a_step_that_learns_is_fitted_anew_on_what_comes_before_it(plain, with_gain, cohort):
    pipeline = Pipeline(with_gain)
    assert pipeline.learns_steps
    for train in (cohort[:1], cohort[1:]):
        pipeline.fit_steps(train)
        filtered = Pipeline(plain).front
        expected = max(float(np.abs(filtered.process(r).samples).max()) for r in train)
        assert pipeline.front.steps[-1].parameters() == {"largest": expected}


def test_a_step_that_learns_must_have_learned(with_gain, cohort):
    told = r"learns from recordings \(step 'test-gain'\); call fit_steps"
    with pytest.raises(ParameterError, match=told):
        Pipeline(with_gain).prepare(cohort)


def test_events_of_other_sources_do_not_label(plain, cohort):
    noisy = cohort[0].with_events([*cohort[0].events, Event(0.1, 0.5, "blink", "annotation")])
    one, two = Pipeline(plain).prepare([cohort[0]]), Pipeline(plain).prepare([noisy])
    np.testing.assert_array_equal(one.index.label, two.index.label)
