from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph import io
from myograph.core.errors import DataError, FormatError, OutputExistsError, ParameterError
from myograph.datasets import open_folder
from myograph.twin.truth import Truth
from myograph.workflows import simulate
from myograph.workflows.cohort import open_cohort
from myograph.workflows.simulate import simulate_cohort, simulate_recording

SCENE = {"people": 3, "seconds": 1.0, "seed": 2, "takes": 1, "fs_hz": 8000.0}


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "clinic"
    told = []
    simulate_cohort("needle", folder, jobs=1, progress=lambda *a: told.append(a), **SCENE)
    return folder, told


def test_the_folder_holds_each_recording_and_its_truth(made):
    folder, told = made
    assert sorted(bytes_of(folder)) == sorted(
        [
            "cohort.json",
            *(f"recordings/sim-00{k}/insertion-1.myo.h5" for k in (1, 2, 3)),
            *(f"truth/sim-00{k}/insertion-1.{end}" for k in (1, 2, 3) for end in ("npz", "json")),
        ]
    )
    assert told[0][1:3] == (0, 3)
    assert told[-1] == ("simulating", 3, 3, "3 of 3 recordings")
    said = json.loads((folder / "cohort.json").read_text())
    assert said["complete"]
    assert said["simulated"]
    assert said["title"].startswith("SIMULATED")


def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(made, tmp_path):
    folder, _ = made
    simulate_cohort("needle", tmp_path / "again", jobs=2, **SCENE)
    assert bytes_of(tmp_path / "again") == bytes_of(folder)


def test_a_stopped_run_goes_on(made, tmp_path, monkeypatch):
    folder, _ = made
    real, calls = io.write, []

    def dies(recording, path, **more):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(recording, path, **more)

    target = tmp_path / "clinic"
    monkeypatch.setattr(io, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        simulate_cohort("needle", target, jobs=1, **SCENE)
    monkeypatch.setattr(io, "write", real)
    # What a killed process leaves behind.
    (target / "recordings" / "sim-002" / ".myograph-x").mkdir(parents=True, exist_ok=True)
    part = open_folder(target)
    assert len(part.recordings) == 1
    assert len(part.dropped) == 2
    again = simulate_cohort("needle", target, jobs=1, **SCENE)
    assert (again.made, again.kept) == (2, 1)
    assert bytes_of(target) == bytes_of(folder)


def test_nothing_is_overwritten_unasked(made, tmp_path):
    folder, _ = made
    before = bytes_of(folder)
    with pytest.raises(OutputExistsError, match="complete"):
        simulate_cohort("needle", folder, jobs=1, **SCENE)
    with pytest.raises(OutputExistsError, match="another cohort"):
        simulate_cohort("needle", folder, jobs=1, **{**SCENE, "seed": 9})
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="even with --force"):
        simulate_cohort("needle", other, force=True, **SCENE)
    with pytest.raises(OutputExistsError, match="is a file"):
        simulate_cohort("needle", other / "chapter.txt", **SCENE)
    assert bytes_of(folder) == before
    assert [p.name for p in other.iterdir()] == ["chapter.txt"]


def test_force_replaces_the_whole_cohort(tmp_path):
    target = tmp_path / "c"
    simulate_cohort("needle", target, jobs=1, **SCENE)
    simulate_cohort("needle", target, jobs=1, force=True, **{**SCENE, "people": 1})
    assert len(open_folder(target).recordings) == 1
    assert [p.name for p in (target / "recordings").iterdir()] == ["sim-001"]


def test_bad_input_leaves_nothing(tmp_path):
    with pytest.raises(ParameterError, match="Did you mean 'needle'"):
        simulate_cohort("needles", tmp_path / "a", **SCENE)
    with pytest.raises(ParameterError, match="people must be at least 1"):
        simulate_cohort("needle", tmp_path / "a", **{**SCENE, "people": 0})
    with pytest.raises(ParameterError, match="Did you mean 'seconds'"):
        simulate_cohort("needle", tmp_path / "a", second=3)
    with pytest.raises(DataError, match="create it first"):
        simulate_cohort("needle", tmp_path / "no" / "a", **SCENE)
    assert not list(tmp_path.iterdir())


def test_the_folder_is_a_dataset_marked_as_simulated(made):
    folder, _ = made
    dataset = open_folder(folder)
    assert dataset.card.simulated
    assert "never" in dataset.card.notes[0]
    conditions = [s.condition for s in dataset.subjects]
    assert conditions == [f"simulated: {c}" for c in ("healthy", "neuropathy", "myopathy")]
    cohort = open_cohort(str(folder))
    assert cohort.simulated
    assert cohort.name == str(folder)
    assert len(cohort.recordings) == 3
    assert cohort.about["title"].startswith("SIMULATED")


def test_simulated_and_real_people_are_never_pooled(made, tmp_path):
    folder, _ = made
    one = open_folder(folder).recordings[0]
    person = replace(one, subject=replace(one.subject, pseudonym="p1", condition="healthy"))
    with pytest.raises(DataError, match="never pooled"):
        open_cohort([one, person])
    assert open_cohort([one]).simulated
    assert not open_cohort([person]).simulated
    # A real recording put into a cohort's folder is found when it is read.
    copy = tmp_path / "copy"
    simulate_cohort("needle", copy, jobs=1, **{**SCENE, "people": 1})
    io.write(person, copy / "recordings" / "sim-001" / "insertion-1.myo.h5", force=True)
    with pytest.raises(DataError, match="not a simulated recording"):
        open_folder(copy).recordings[0]


def test_a_folder_that_is_no_cohort_says_so(made, tmp_path):
    with pytest.raises(FormatError, match="not a simulated cohort"):
        open_folder(tmp_path)
    (tmp_path / "cohort.json").write_text('{"format": "myograph-cohort-1"}')
    with pytest.raises(FormatError, match="make the cohort again"):
        open_folder(tmp_path)


def test_one_recording_is_the_one_of_the_cohort(made, tmp_path):
    folder, _ = made
    scene = {key: value for key, value in SCENE.items() if key != "people"}
    found, truth, files = simulate_recording("needle", tmp_path / "two.myo.h5", person=2, **scene)
    assert [file.name for file in files] == ["two.myo.h5", "two.truth.npz", "two.truth.json"]
    there = open_folder(folder).recordings[1]
    assert np.array_equal(found.samples, there.samples)
    assert np.array_equal(io.read(files[0]).samples, found.samples)
    kept = Truth.load(tmp_path / "two.truth")
    assert np.array_equal(kept.muaps["BB"], truth.muaps["BB"])
    with pytest.raises(OutputExistsError, match="already exists"):
        simulate_recording("needle", tmp_path / "two.myo.h5", person=2, **scene)


def test_kinds_are_listed():
    assert {"gestures", "needle", "fatigue"} <= set(simulate.cohort_kinds())
