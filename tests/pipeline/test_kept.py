"""Kept tables: equal to measured ones, never out of date, bounded, and damage is said."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.core.recording import Event
from myograph.core.table import FeatureTable
from myograph.features import FEATURES
from myograph.pipeline import kept as kept_module
from myograph.pipeline.kept import KeptTables
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.checkpoint import table_digest

CONFIG = {"features": ["hudgins"], "steps": [{"step": "bandpass", "low_hz": 20, "high_hz": 400}]}


@pytest.fixture
def cohort(make_recording):
    return [make_recording(subject=f"p{k}") for k in range(3)]


@pytest.fixture
def kept(tmp_path: Path) -> KeptTables:
    return KeptTables(tmp_path / "tables")


def entries(kept: KeptTables) -> list[Path]:
    return sorted(kept.folder.rglob("*.npz"))


def same(one: FeatureTable, two: FeatureTable) -> bool:
    return (
        table_digest(one) == table_digest(two)
        and one.layout == two.layout
        and one.recipe == two.recipe
        and one.target_unit == two.target_unit
        and np.array_equal(one.flagged, two.flagged)
        and one.index.label.dtype.kind == two.index.label.dtype.kind
    )


def test_what_was_kept_is_what_would_be_measured(cohort, kept, monkeypatch):
    plain = Pipeline(CONFIG).prepare(cohort)
    first = Pipeline(CONFIG).prepare(cohort, kept=kept)
    assert (kept.found, kept.missed, len(entries(kept))) == (0, 3, 3)
    monkeypatch.setattr("myograph.pipeline.front.Front.measure", None)  # nothing is measured now
    told: list[tuple[int, int]] = []
    second = Pipeline(CONFIG).prepare(
        cohort, kept=kept, progress=lambda done, total: told.append((done, total))
    )
    assert (kept.found, kept.missed) == (3, 3)
    assert same(plain, first)
    assert same(plain, second)
    assert told[-1] == (3, 3)


def test_only_what_is_new_is_measured(cohort, kept, make_recording):
    Pipeline(CONFIG).prepare(cohort[1:], kept=kept)
    table = Pipeline(CONFIG).prepare(cohort, kept=kept, jobs=2)
    assert (kept.found, kept.missed) == (2, 3)
    assert same(table, Pipeline(CONFIG).prepare(cohort))


def test_a_numeric_target_and_whole_windows_are_kept_too(kept, make_recording):
    recording = make_recording()
    layout = recording.layout
    force = replace(
        recording,
        layout=replace(
            layout, channels=(*layout.channels[:2], replace(layout.channels[2], kind="force"))
        ),
    )
    for given, config in (
        (force, {"windowing": {"target_kind": "force", "label_sources": []}}),
        (recording, {"model": {"name": "mdm"}}),
    ):
        pipeline = Pipeline(config)
        measured = pipeline.prepare([given], kept=kept)
        again = pipeline.prepare([given], kept=kept)
        assert same(measured, again)
    assert kept.found == 2


def changed(name: str, recording):
    samples = recording.samples.copy()
    samples[0, 100] += 1
    return {
        "samples": lambda: replace(recording, samples=samples),
        "events": lambda: recording.with_events([*recording.events, Event(0.0, 0.1, "x", "y")]),
        "person": lambda: replace(recording, subject=replace(recording.subject, pseudonym="q")),
        "session": lambda: replace(recording, session="2"),
        "site": lambda: replace(recording, site="there"),
        "clock": lambda: replace(recording, start_s=1.0, events=()),
        "channel": lambda: replace(
            recording,
            layout=replace(
                recording.layout,
                channels=(
                    replace(recording.layout.channels[0], name="other"),
                    *recording.layout.channels[1:],
                ),
            ),
        ),
    }[name]()


@pytest.mark.parametrize(
    "what", ["samples", "events", "person", "session", "site", "clock", "channel"]
)
def test_another_recording_is_another_key(what: str, kept, make_recording):
    front, recording = Pipeline(CONFIG).front, make_recording()
    assert kept.key(front, recording) == kept.key(front, replace(recording))
    assert kept.key(front, recording) != kept.key(front, changed(what, recording))


@pytest.mark.parametrize(
    "config",
    [
        {**CONFIG, "features": ["hudgins", "rms"]},
        {**CONFIG, "features": [{"feature": "zc", "threshold": 2.0}]},
        {**CONFIG, "windowing": {"length_ms": 150}},
        {**CONFIG, "steps": [{"step": "bandpass", "low_hz": 21, "high_hz": 400}]},
        {**CONFIG, "steps": []},
        {**CONFIG, "model": {"name": "mdm"}},
    ],
)
def test_another_front_is_another_key(config, kept, make_recording):
    recording = make_recording()
    assert kept.key(Pipeline(CONFIG).front, recording) != kept.key(
        Pipeline(config).front, recording
    )


def test_a_model_that_sees_the_same_features_shares_them(kept, make_recording):
    recording = make_recording()
    other = {**CONFIG, "model": {"name": "knn"}, "scaling": "standard"}
    assert kept.key(Pipeline(CONFIG).front, recording) == kept.key(Pipeline(other).front, recording)


def test_other_code_is_another_key(kept, make_recording, monkeypatch):
    front, recording = Pipeline(CONFIG).front, make_recording()
    before = kept.key(front, recording)
    code = kept_module._of_code()
    assert len(code["code"]) == 64
    monkeypatch.setattr(kept_module, "_of_code", lambda: {**code, "numpy": "0"})
    assert kept.key(front, recording) != before


def test_features_from_elsewhere_are_not_kept(kept, cohort, monkeypatch):
    monkeypatch.setattr(FEATURES["mav"].function, "__module__", "someone.elses")
    Pipeline(CONFIG).prepare(cohort, kept=kept)
    assert not entries(kept)
    assert kept.key(Pipeline(CONFIG).front, cohort[0]) == ""


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "unlike"])
def test_a_damaged_table_is_measured_again_and_said(damage: str, cohort, kept):
    plain = Pipeline(CONFIG).prepare(cohort, kept=kept)
    path = entries(kept)[0]
    whole = path.read_bytes()
    middle = len(whole) // 2
    bad = {
        "cut": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :],
        "text": b"not a table",
        "empty": b"",
        "unlike": None,
    }[damage]
    if bad is None:
        np.savez(path, header=np.zeros(3, np.uint8))
    else:
        path.write_bytes(bad)
    again = Pipeline(CONFIG).prepare(cohort, kept=kept)
    assert same(plain, again)
    assert len(kept.told) == 1
    assert "is damaged" in kept.told[0]
    assert "measured again" in kept.told[0]
    assert path.read_bytes() == whole
    third = KeptTables(kept.folder)
    Pipeline(CONFIG).prepare(cohort, kept=third)
    assert (third.found, third.told) == (3, [])


def test_objects_are_never_unpickled(cohort, kept):
    Pipeline(CONFIG).prepare(cohort, kept=kept)
    path = entries(kept)[0]
    np.savez(path, header=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    Pipeline(CONFIG).prepare(cohort, kept=kept)
    assert "Object arrays cannot be loaded" in kept.told[0]


def test_the_least_used_go_first(cohort, kept):
    for k, recording in enumerate(cohort):
        Pipeline(CONFIG).prepare([recording], kept=kept)
        for path in entries(kept):
            os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 100 * (3 - k)))
    sizes = [path.stat().st_size for path in entries(kept)]
    small = KeptTables(kept.folder, most_bytes=sum(sizes) - 1)
    Pipeline(CONFIG).prepare([cohort[0]], kept=small)  # the oldest is used now
    assert small.found == 1
    front = Pipeline(CONFIG).front
    left = [small.read(small.key(front, recording)) is not None for recording in cohort]
    assert left == [True, False, True]
    assert small.size()[0] == 2
    assert small.clear() == 2
    assert small.size() == (0, 0)


def test_a_folder_that_cannot_be_written_is_said_and_no_error(cohort, tmp_path):
    (tmp_path / "file").write_text("in the way")
    kept = KeptTables(tmp_path / "file" / "tables")
    table = Pipeline(CONFIG).prepare(cohort, kept=kept)
    assert same(table, Pipeline(CONFIG).prepare(cohort))
    assert len(kept.told) >= 1
    assert any("are not kept in" in told for told in kept.told)


def test_a_size_below_nothing_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="most_bytes must be 0 or more"):
        KeptTables(tmp_path, most_bytes=-1)
