from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest

from myograph.core.errors import (
    ArtifactError,
    LayoutError,
    OutputExistsError,
    ParameterError,
)
from myograph.core.layout import Layout
from myograph.core.recipe import digest_of
from myograph.core.step import STEPS, Step
from myograph.pipeline import artifact
from myograph.pipeline.archive import pack, pack_arrays, unpack_arrays
from myograph.pipeline.artifact import FORMAT, load_model, read_manifest, save_model
from myograph.pipeline.pipeline import Pipeline

CARD = "# A model\n\nFor tests.\n"
CHANGES: dict[str, dict[str, Any]] = {
    "lda": {},
    "lda, person": {"scaling": "person"},
    "svm": {"model": {"name": "svm"}, "scaling": "standard"},
    "svm, linear": {"model": {"name": "svm", "params": {"kernel": "linear"}}},
    "forest": {"model": {"name": "random-forest", "params": {"n_trees": 7}}},
    "majority": {"model": {"name": "majority"}},
}
Rewrite = Callable[..., Path]


@pytest.fixture
def saved(trained, tmp_path: Path) -> Path:
    return save_model(trained(), tmp_path / "one.myomodel", card=CARD)


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, *, sealed: bool = True, **changes: Any) -> Path:
    """Write the file again with members changed; sealed: by someone who fixes the digests."""
    members = members_of(path)
    for name, change in changes.items():
        full = {"manifest": "manifest.json", "card": "card.md"}.get(name, f"{name}.npz")
        if name == "manifest":
            members[full] = json.dumps(change(json.loads(members[full]))).encode()
        elif name == "card":
            members[full] = change(members[full])
        else:
            members[full] = pack_arrays(change(unpack_arrays(members[full], where="")))
    if sealed:
        manifest = json.loads(members["manifest.json"])
        manifest.pop("seal", None)
        if isinstance(manifest.get("sha256"), dict):
            for name in manifest["sha256"]:
                manifest["sha256"][name] = sha256(members[name]).hexdigest()
        members["manifest.json"] = json.dumps({**manifest, "seal": digest_of(manifest)}).encode()
    path.write_bytes(pack(members))
    return path


# --- what a good file does


@pytest.mark.parametrize("name", CHANGES)
def test_a_loaded_pipeline_is_the_saved_one(trained, table, make_person, tmp_path: Path, name: str):
    pipeline = trained(**CHANGES[name])
    path = save_model(pipeline, tmp_path / "m.myomodel", card=CARD)
    loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(table), pipeline.predict_proba(table))
    dee = make_person("dee")
    for now, then in zip(loaded.predict(dee), pipeline.predict(dee), strict=True):
        np.testing.assert_array_equal(now.probabilities, then.probabilities)
        assert (now.label, now.time_s) == (then.label, then.time_s)
    assert loaded.config == pipeline.config
    assert loaded.classes == pipeline.classes
    assert loaded.layout == pipeline.layout


def test_a_regression_is_saved_too(table, plain, tmp_path: Path):
    numbers = replace(table, index=replace(table.index, label=np.arange(len(table), dtype=float)))
    pipeline = Pipeline({**plain, "model": {"name": "ridge"}}).fit(numbers)
    loaded = load_model(save_model(pipeline, tmp_path / "m.myomodel", card=CARD))
    np.testing.assert_array_equal(loaded.estimate(numbers), pipeline.estimate(numbers))


@pytest.mark.parametrize("name", ["lda", "forest"])
def test_equal_pipelines_give_equal_bytes_also_after_a_round(trained, tmp_path: Path, name: str):
    one, two, three = (tmp_path / f"{k}.myomodel" for k in "abc")
    save_model(trained(**CHANGES[name]), one, card=CARD)
    save_model(trained(**CHANGES[name]), two, card=CARD)
    save_model(load_model(one), three, card=CARD)
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_the_manifest_tells_what_a_reader_has_to_know(trained, tmp_path: Path):
    summary = {"accuracy": {"value": 0.9, "low": 0.8, "high": 1.0, "evidence": "person"}}
    pipeline = trained(model={"name": "svm", "params": {"max_windows": 60}})
    path = save_model(
        pipeline, tmp_path / "m.myomodel", card=CARD, intended_use="Tests.", validation=summary
    )
    manifest = read_manifest(path)
    assert manifest["format"] == FORMAT
    assert manifest["classes"] == ["fist", "open", "rest"]
    assert Layout.from_dict(manifest["layout"]) == pipeline.layout
    assert manifest["training"]["people"] == 3
    assert manifest["training"]["recordings"] == 3
    assert len(manifest["training"]["digest"]) == 64
    assert manifest["intended_use"] == "Tests."
    assert manifest["validation"] == summary
    assert "learned from 60 of" in manifest["notes"][0]
    assert set(manifest["versions"]) >= {"myograph", "python", "numpy", "scikit-learn"}
    loaded = load_model(path).manifest
    assert loaded is not None
    assert loaded["card"] == CARD


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, set()),
        ({"model": {"name": "xgboost", "params": {"n_rounds": 2}}}, {"xgboost", "xgboost-cpu"}),
        ({"novelty": {"name": "vae", "epochs": 1, "false_alarms": 0.5}}, {"torch"}),
    ],
)
def test_versions_name_what_it_learned_with(trained, tmp_path: Path, changed, named):
    """A model whose golden vectors are missed is told to install the versions named there."""
    if named:
        pytest.importorskip(sorted(named)[0])
    path = save_model(trained(**changed), tmp_path / "m.myomodel", card=CARD)
    found = set(read_manifest(path)["versions"])
    assert found >= {"numba", "numpy", "scipy", "scikit-learn", "pywavelets"}
    learning = found & {"torch", "skorch", "xgboost", "xgboost-cpu"}
    assert learning & named if named else not learning


def test_no_signal_and_no_name_of_a_person_travels_in_a_model(saved: Path, cohort):
    text = saved.read_bytes() + b"".join(members_of(saved).values())
    for recording in cohort:
        assert recording.subject.pseudonym.encode() + b'"' not in text
        assert recording.samples[0, :50].tobytes() not in text


def test_other_training_windows_have_another_digest(table, plain):
    digests = {
        Pipeline(plain).fit(t).fitted.training["digest"]
        for t in (table, table.take(np.arange(len(table)) > 0), table)
    }
    assert len(digests) == 2


def test_the_golden_signal_visits_several_classes(saved: Path):
    golden = unpack_arrays(members_of(saved)["golden.npz"], where="")
    assert len(set(golden["signal_output"].argmax(axis=1))) > 1
    assert golden["signal"].dtype == np.float32


def test_a_loaded_model_refuses_another_recording(saved: Path, make_person, layout):
    other = make_person("dee", layout=Layout(1000.0, layout.channels))
    with pytest.raises(LayoutError, match="1000 Hz; 500 Hz is expected"):
        load_model(saved).predict(other)


@dataclass(frozen=True)
class Shift(Step):
    """Take off the mean of the training recordings."""

    mean: float = 0.0
    name = "test-shift"
    learns = True

    def start(self, layout: Layout) -> Any:
        mean = self.mean

        class State:
            def push(self, chunk: Any) -> Any:
                return (chunk - mean).astype(np.float32)

        return State()

    def fit(self, recordings: Any) -> Self:
        return replace(self, mean=float(np.mean([r.samples.mean() for r in recordings])))


def test_what_a_step_learned_is_saved(plain, cohort, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(STEPS._entries, "test-shift", Shift)
    pipeline = Pipeline({**plain, "steps": [{"step": "test-shift"}]}).fit_steps(cohort)
    pipeline.fit(pipeline.prepare(cohort))
    loaded = load_model(save_model(pipeline, tmp_path / "m.myomodel", card=CARD))
    assert loaded.front == pipeline.front
    assert loaded.front.steps[-1].parameters()["mean"] != 0


# --- saving


def test_an_existing_model_is_kept_unless_forced(saved: Path, trained):
    before = saved.read_bytes()
    with pytest.raises(OutputExistsError, match=r"one\.myomodel is already there"):
        save_model(trained(), saved, card="other")
    assert saved.read_bytes() == before
    save_model(trained(), saved, card="other", force=True)
    assert load_model(saved).manifest["card"] == "other"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("m.pkl", {}, r"ends in \.myomodel; got 'm\.pkl'"),
        ("absent/m.myomodel", {}, "folder .*absent does not exist"),
        ("m.myomodel", {"validation": {"x": np.zeros(2)}}, "validation must be plain JSON data"),
        ("m.myomodel", {"validation": {"x": float("nan")}}, "validation must be plain JSON data"),
    ],
)
def test_what_cannot_be_saved_leaves_nothing(trained, tmp_path: Path, name, options, message):
    with pytest.raises(ParameterError, match=message):
        save_model(trained(), tmp_path / name, card=CARD, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_that_learned_nothing_is_not_saved(plain, tmp_path: Path):
    with pytest.raises(ParameterError, match="has not learned anything yet"):
        save_model(Pipeline(plain), tmp_path / "m.myomodel", card=CARD)
    assert list(tmp_path.iterdir()) == []


# --- hostile and damaged files


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("name", ["manifest.json", "arrays.npz", "golden.npz", "card.md"])
def test_any_member_altered_is_noticed(saved: Path, name: str):
    members = members_of(saved)
    members[name] = flip(members[name])
    saved.write_bytes(pack(members))
    with pytest.raises(ArtifactError, match=rf"{name} of .* (was altered|cannot be read)"):
        load_model(saved)
    with pytest.raises(ArtifactError, match=rf"{name} of .* (was altered|cannot be read)"):
        read_manifest(saved)


def test_swapped_classes_are_noticed(saved: Path):
    rewrite(saved, sealed=False, manifest=lambda m: {**m, "classes": m["classes"][::-1]})
    with pytest.raises(ArtifactError, match=r"manifest\.json of .* was altered"):
        load_model(saved)


def test_a_newer_format_is_refused_before_anything_else(saved: Path):
    rewrite(saved, sealed=False, manifest=lambda m: {**m, "format": FORMAT + 1, "new": "thing"})
    message = rf"has format {FORMAT + 1}, written by a newer Myograph; .* reads up to {FORMAT}"
    with pytest.raises(ArtifactError, match=message):
        load_model(saved)


def test_other_outputs_than_the_golden_ones_are_refused(saved: Path):
    rewrite(saved, arrays=lambda a: {**a, "model.coef": a["model.coef"] * 1.001})
    with pytest.raises(ArtifactError, match="misses its golden outputs for signal by"):
        load_model(saved)


@pytest.mark.parametrize("name", ["signal_output", "features_output"])
def test_golden_outputs_that_are_no_numbers_prove_nothing(saved: Path, name: str):
    rewrite(saved, golden=lambda g: {**g, name: np.full_like(g[name], np.nan)})
    with pytest.raises(ArtifactError, match=r"misses its golden outputs for .* by nan"):
        load_model(saved)


@pytest.mark.parametrize("name", ["signal_output", "features_output"])
def test_fewer_golden_outputs_are_refused(saved: Path, name: str):
    rewrite(saved, golden=lambda g: {**g, name: g[name][:0]})
    with pytest.raises(ArtifactError, match="outputs for its golden"):
        load_model(saved)


def test_a_model_without_golden_vectors_is_refused(saved: Path):
    rewrite(saved, golden=lambda g: {})
    with pytest.raises(ArtifactError, match="its golden vectors must be"):
        load_model(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: {**m, "pipeline": {"nonsense": 1}},
        lambda m: {**m, "pipeline": {**m["pipeline"], "model": {"name": "absent", "params": {}}}},
        lambda m: {**m, "pipeline": {**m["pipeline"], "scaling": "standard"}},
        lambda m: {**m, "layout": {"fs_hz": 500.0, "channels": []}},
        lambda m: {**m, "layout": {"fs_hz": "fast"}},
        lambda m: {**m, "layout": {**m["layout"], "fs_hz": 1000.0}},
        lambda m: {**m, "features": m["features"][:-1]},
        lambda m: {**m, "steps": [{"step": "absent"}]},
        lambda m: {**m, "steps": 3},
        lambda m: {**m, "training": 3, "seed": None, "features": None},
        lambda m: {k: v for k, v in m.items() if k != "layout"},
        lambda m: {**m, "sha256": {}},
        lambda m: {**m, "sha256": {"manifest.json": "0"}},
        lambda m: {**m, "format": "1"},
        lambda m: {**m, "format": 0},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(saved: Path, change):
    rewrite(saved, manifest=change)
    with pytest.raises(ArtifactError, match=str(saved)):
        load_model(saved)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}']
)
def test_a_manifest_that_is_no_table_is_refused(saved: Path, content: bytes):
    saved.write_bytes(pack({**members_of(saved), "manifest.json": content}))
    with pytest.raises(ArtifactError, match=r"manifest\.json of .* (cannot be read|not a table)"):
        load_model(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: {**a, "model.coef": a["model.coef"][:, :-1]},
        lambda a: {**a, "model.more": np.zeros(1)},
        lambda a: {**a, "elsewhere.x": np.zeros(1)},
        lambda a: {k: v for k, v in a.items() if k != "model.intercept"},
        lambda a: {**a, "model.n_features_in": np.asarray(3)},
        lambda a: {**a, "model.n_features_in": np.asarray("many")},
        lambda a: {**a, "model.coef": a["model.coef"].astype("U20")},
        lambda a: {**a, "model.classes": a["model.classes"][:2]},
    ],
)
def test_arrays_that_do_not_fit_are_refused(saved: Path, change):
    rewrite(saved, arrays=change)
    with pytest.raises(
        ArtifactError, match=r"cannot be used: .*(rebuilt|shape|features|elsewhere|many)"
    ):
        load_model(saved)


def test_a_model_with_code_in_it_runs_none(saved: Path, tmp_path: Path):
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
    members = members_of(saved)
    members["arrays.npz"] = pack({"model.coef.npy": buffer.getvalue()}, compress=False)
    saved.write_bytes(pack(members))
    rewrite(saved)
    with pytest.raises(ArtifactError, match="of object"):
        load_model(saved)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["/tmp/x", "../x", "a/../../x"])
def test_a_model_with_a_name_that_leads_outside_is_refused(saved: Path, name: str):
    saved.write_bytes(pack({**members_of(saved), name: b"x"}))
    with pytest.raises(ArtifactError, match="a name that leads outside"):
        load_model(saved)


def test_a_model_with_a_member_missing_is_refused(saved: Path):
    members = members_of(saved)
    del members["golden.npz"]
    saved.write_bytes(pack(members))
    with pytest.raises(ArtifactError, match=r"not a whole model file: \['golden\.npz'\] missing"):
        load_model(saved)


def test_members_and_files_of_unreasonable_size_are_refused(saved: Path, monkeypatch):
    monkeypatch.setitem(artifact._LIMITS, "arrays.npz", 100)
    with pytest.raises(ArtifactError, match=r"arrays\.npz in .* is larger than 100 bytes"):
        load_model(saved)
    monkeypatch.setattr(artifact, "_LIMITS", {"manifest.json": 10})
    with pytest.raises(ArtifactError, match=r"larger than any model file \(10 bytes\)"):
        load_model(saved)


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x05\x06" + bytes(18)])
def test_another_file_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "x.myomodel"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"x\.myomodel is (damaged|not a whole model file)"):
        load_model(path)


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(ArtifactError, match=r"absent\.myomodel cannot be read: No such file"):
        load_model(tmp_path / "absent.myomodel")
