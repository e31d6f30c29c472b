"""A pipeline's own thresholds: stated or learned, offline and live, saved and loaded."""

import json
import zipfile
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from myograph.config.load import load_config
from myograph.config.schema import PipelineConfig
from myograph.core.errors import ArtifactError, DataError, ParameterError
from myograph.core.recipe import digest_of
from myograph.core.recording import Recording
from myograph.pipeline.archive import pack, pack_arrays, unpack_arrays
from myograph.pipeline.artifact import load_model, read_manifest, save_model
from myograph.pipeline.pipeline import Pipeline
from myograph.pipeline.rejecting import fit_refusal, known_thresholds

#: A model that is not always nearly sure.
FOREST = {"model": {"name": "random-forest", "params": {"n_trees": 10}}}
STATED = {"reject_below": {"fist": 0.9, "rest": 0.6}}
OTHERS = {"reject_below": {"fist": 0.9, "*": 0.7}}
LEARNED = {"reject": {"accuracy": 0.9}}
GIVEN = {"reject": {"coverage": 0.6}}
LIMITS = {
    "stated": (STATED, {"fist": 0.9, "rest": 0.6, "open": 0.0}),
    "others": (OTHERS, {"fist": 0.9, "rest": 0.7, "open": 0.7}),
    "one": ({"reject_below": 0.8}, dict.fromkeys(("fist", "rest", "open"), 0.8)),
    "none": ({}, dict.fromkeys(("fist", "rest", "open"), 0.0)),
}


@pytest.fixture(scope="module")
def dee(make_person):
    """Return somebody louder than everybody known, so that some answers are unsure."""
    return make_person("dee", gain=2.0)


@pytest.mark.parametrize("name", LIMITS)
def test_each_class_has_its_threshold(trained, dee, name):
    changes, limits = LIMITS[name]
    pipeline = trained(**FOREST, **changes)
    assert dict(zip(pipeline.classes, pipeline.thresholds, strict=True)) == limits
    decisions = pipeline.predict(dee)
    assert all(d.rejected == (d.confidence < limits[d.label]) for d in decisions)
    if name != "none":
        assert {d.rejected for d in decisions} == {True, False}


@pytest.mark.parametrize("changes", [STATED, OTHERS, LEARNED, GIVEN])
def test_offline_is_live_is_loaded(trained, dee, layout, tmp_path, changes):
    pipeline = trained(**FOREST, **changes)
    offline = [d.rejected for d in pipeline.predict(dee)]
    state = pipeline.start(layout)
    chunks = np.split(dee.samples, [1, 500, 501, 1700], axis=1)
    assert [d.rejected for chunk in chunks for d in state.push(chunk)] == offline
    path = save_model(pipeline, tmp_path / "m.myomodel", card="x")
    loaded = load_model(path)
    assert [d.rejected for d in loaded.predict(dee)] == offline
    assert loaded.thresholds == pipeline.thresholds
    assert loaded.predict_recording(dee).rejected == pipeline.predict_recording(dee).rejected
    save_model(loaded, tmp_path / "again.myomodel", card="x")
    assert (tmp_path / "again.myomodel").read_bytes() == path.read_bytes()


def test_learned_thresholds_are_in_the_manifest_and_in_the_notes(trained, tmp_path):
    pipeline = trained(**LEARNED)
    manifest = read_manifest(save_model(pipeline, tmp_path / "m.myomodel", card="x"))
    assert manifest["refusal"]["people"] == 3
    assert manifest["refusal"]["windows"]["accuracy"] == 0.9
    assert any("so that 90 % of the answers of each class were right" in n for n in pipeline.notes)
    plain = read_manifest(save_model(trained(), tmp_path / "n.myomodel", card="x"))
    assert "refusal" not in plain


def changed(path, **changes):
    """Rewrite a model file by somebody who also sets its digests right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name, change in changes.items():
        arrays = unpack_arrays(members[f"{name}.npz"], where="")
        members[f"{name}.npz"] = pack_arrays(change(arrays))
    manifest = json.loads(members["manifest.json"])
    manifest.pop("seal")
    manifest["sha256"] = {k: sha256(members[k]).hexdigest() for k in manifest["sha256"]}
    members["manifest.json"] = json.dumps({**manifest, "seal": digest_of(manifest)}).encode()
    path.write_bytes(pack(members))
    return path


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (lambda a: {**a, "rejection.windows": 0 * a["rejection.windows"]}, "thresholds were chang"),
        (lambda a: {**a, "rejection.windows": np.full(2, 0.5)}, "must be 3 numbers of 0 or more"),
        (lambda a: {**a, "rejection.windows": np.full(3, np.nan)}, "must be 3 numbers of 0 or mo"),
        (lambda a: {k: v for k, v in a.items() if k != "rejection.people"}, "rebuilt from the arr"),
    ],
)
def test_altered_thresholds_are_refused(trained, tmp_path, arrays, message):
    path = save_model(trained(**FOREST, **GIVEN), tmp_path / "m.myomodel", card="x")
    with pytest.raises(ArtifactError, match=message):
        load_model(changed(path, arrays=arrays))


def test_golden_refusals_are_kept_where_there_is_a_threshold_by_class(trained, tmp_path):
    for name, changes, kept in (("a", STATED, True), ("b", {"reject_below": 0.8}, False)):
        path = save_model(trained(**changes), tmp_path / f"{name}.myomodel", card="x")
        with zipfile.ZipFile(path) as archive:
            golden = unpack_arrays(archive.read("golden.npz"), where="")
        assert ("signal_refused" in golden) == kept
    flipped = changed(
        tmp_path / "a.myomodel",
        golden=lambda g: {**g, "features_refused": ~g["features_refused"]},
    )
    with pytest.raises(ArtifactError, match="it answers otherwise than it did"):
        load_model(flipped)


def test_thresholds_are_learned_on_people_whom_the_answering_model_has_not_seen(table):
    """Every person is asked about exactly once, by a model of other people alone."""
    config = PipelineConfig.model_validate(LEARNED)
    asked = np.zeros(len(table), dtype=int)
    people = table.index.subject

    def ask(train, test):
        assert not set(people[train]) & set(people[test])
        asked[test] += 1
        return np.full((int(test.sum()), 3), 1 / 3)

    refusal = fit_refusal(config, table, ("fist", "open", "rest"), ask, seed=0)
    assert (asked == 1).all()
    assert refusal.people == 3


def test_the_probabilities_are_those_of_the_same_pipeline_without(trained, table):
    plain = trained().predict_proba(table)
    for changes in (STATED, LEARNED):
        np.testing.assert_array_equal(trained(**changes).predict_proba(table), plain)


def one_gesture(recording, number):
    """Return the repetition as a recording of its own."""
    event, n = recording.events[number], round(0.8 * recording.fs_hz)
    samples = recording.samples[:, number * n : (number + 1) * n]
    events = (replace(event, onset_s=0.0),)
    return Recording(samples, recording.layout, events, recording.subject, session="1")


def test_whole_recordings_have_thresholds_of_their_own(trained, table, cohort):
    mixed = trained(**GIVEN).fitted.refusal
    assert mixed.windows is mixed.recordings  # each recording of the cohort shows several classes
    parts = [one_gesture(r, k) for r in cohort for k in range(6)]
    pipeline = Pipeline({**trained().config.to_dict(), **GIVEN})
    pipeline.fit(pipeline.prepare(parts))
    refusal = pipeline.fitted.refusal
    assert refusal.recordings is not refusal.windows
    fist = pipeline.classes.index("fist")
    limit = refusal.recordings.thresholds[fist]
    decided = [pipeline.predict_recording(part) for part in parts]
    assert all(d.rejected == (d.confidence < limit) for d in decided if d.label == "fist")


def test_a_class_that_a_fold_does_not_show_needs_no_threshold():
    config = PipelineConfig(reject_below={"fist": 0.8, "pinch": 0.5, "fsit": 0.1, "*": 0.2})
    kept = known_thresholds(config, {"fist"}, {"fist", "pinch"})
    assert kept.reject_below == {"fist": 0.8, "fsit": 0.1, "*": 0.2}


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"reject_below": {"fsit": 0.5}}, ParameterError, r"got 'fsit'\. Did you mean 'fist'\?"),
        ({"reject_below": 0.5, **LEARNED}, ParameterError, "give one of the two"),
        ({"reject": {}}, ParameterError, "aims at the accuracy .* or at the share"),
        ({"reject": {"accuracy": 0.9, "coverage": 0.9}}, ParameterError, "aims at the accuracy"),
        ({"reject": {"accuracy": 2.0}}, ParameterError, r"reject\.accuracy must be 1 or less"),
        ({"model": {"name": "ridge"}, **LEARNED}, ParameterError, "has no confidence to reject"),
        ({"model": {"name": "ridge"}, "reject_below": 0.5}, ParameterError, "has no confidence"),
    ],
)
def test_what_cannot_be_is_refused(trained, changes, error, message):
    with pytest.raises(error, match=message):
        trained(**changes)


def test_one_person_is_nobody_to_learn_thresholds_on(table, plain):
    with pytest.raises(DataError, match="are of 1 person; train on more people"):
        Pipeline({**plain, **LEARNED}).fit(table.take(table.index.subject == "bo"))
    alone = np.where(table.index.subject == "bo", table.index.label, "rest")
    lonely = replace(table, index=replace(table.index, label=alone))
    with pytest.raises(DataError, match=r"it shows one class only, \['rest'\]"):
        Pipeline({**plain, **LEARNED}).fit(lonely)


@pytest.mark.parametrize(
    ("given", "stated"),
    [
        (["reject_below=0.6"], 0.6),
        (["reject_below.fist=0.8", "reject_below.rest=0.5"], {"fist": 0.8, "rest": 0.5}),
        (['reject_below={fist=0.8, "*"=0.5}'], {"fist": 0.8, "*": 0.5}),
    ],
)
def test_the_command_line_says_it(given, stated):
    config = load_config(overrides=given, schema=PipelineConfig)
    assert config.reject_below == stated
    assert config.refuses
    assert not config.answering().refuses
