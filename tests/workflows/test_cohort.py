"""Cohort: recordings by name, path or from memory, and whose they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from myograph import datasets, write
from myograph.core.errors import DataError, ParameterError
from myograph.core.recording import Recording, RecordingSet
from myograph.workflows.cohort import Selection, open_cohort

Make = Callable[..., Recording]


def _anonymous(recording: Recording) -> Recording:
    return replace(recording, subject=None)


def _people(recordings: object) -> list[str]:
    return [r.subject.pseudonym for r in recordings if r.subject]  # type: ignore[attr-defined]


def test_a_dataset_by_name_says_what_it_is() -> None:
    cohort = open_cohort("simulated", Selection(people=["sim-02"]))
    assert cohort.simulated
    assert set(_people(cohort.recordings)) == {"sim-02"}
    assert "Engineering verification" in cohort.about["notes"][0]
    assert cohort.about["licence"]
    assert cohort.about["digest"] != open_cohort("simulated").about["digest"]


def test_a_dataset_object_is_the_same() -> None:
    assert open_cohort(datasets.load("simulated")).about == open_cohort("simulated").about


def test_a_folder_of_files(make_recording: Make, tmp_path: Path) -> None:
    for person in ("a", "b"):
        write(make_recording(subject=person), tmp_path / f"{person}.myo")
    (tmp_path / "notes.docx").write_bytes(b"PK not a recording")
    (tmp_path / ".hidden").write_text("not looked at")
    cohort = open_cohort(tmp_path)
    assert _people(cohort.recordings) == ["a", "b"]
    assert [what for what, _ in cohort.dropped] == ["notes.docx"]
    assert cohort.about["recordings"] == "2 of 2 people"


@pytest.mark.parametrize(("source", "name"), [("folder", "p07"), ("file", "first")])
def test_people_are_named_after_folder_or_file(
    source: str, name: str, make_recording: Make, tmp_path: Path
) -> None:
    (tmp_path / "p07").mkdir()
    write(_anonymous(make_recording()), tmp_path / "p07" / "first.myo")
    assert _people(open_cohort(tmp_path, Selection(people_from=source)).recordings) == [name]


def test_nobody_is_refused_with_the_way_out(make_recording: Make, tmp_path: Path) -> None:
    write(_anonymous(make_recording()), tmp_path / "first.myo")
    with pytest.raises(DataError, match=r"does not say whose recording.*--people-from folder"):
        open_cohort(tmp_path)


def test_an_unknown_person_lists_the_known(make_recording: Make) -> None:
    with pytest.raises(ParameterError, match=r"one of \['p01'\]; got 'p02'"):
        open_cohort([make_recording()], Selection(people=["p02"]))


def test_neither_name_nor_path() -> None:
    with pytest.raises(ParameterError, match=r"Did you mean 'simulated'.*not a path"):
        open_cohort("simulate")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_cohort(tmp_path / "none")


def test_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no recordings to work on"):
        open_cohort([])
    with pytest.raises(DataError, match="holds no recording that could be read"):
        open_cohort(tmp_path)


def test_the_muscle_member_of_a_set(make_recording: Make, tmp_path: Path) -> None:
    emg = make_recording()
    write(RecordingSet({"emg": emg, "again": emg}), tmp_path / "both.myo")
    with pytest.raises(DataError, match=r"convert --member NAME"):
        open_cohort(tmp_path / "both.myo")


@pytest.mark.parametrize("data", ["simulated", "memory"])
def test_leaving_people_out_is_told(data: str, make_recording: Make) -> None:
    everybody = [make_recording(subject=f"sim-0{k}") for k in (1, 2, 3)]
    selection = Selection(people=["sim-01", "sim-02"], leave_out=["sim-02"])
    cohort = open_cohort(everybody if data == "memory" else data, selection)
    assert set(_people(cohort.recordings)) == {"sim-01"}
    ((gone, why),) = cohort.dropped
    assert gone.startswith("sim-02, sim-03")
    assert why == "left out as asked for"
    with pytest.raises(DataError, match="Nobody is left"):
        open_cohort(everybody, Selection(["sim-01"], leave_out=["sim-01"]))


def test_a_misspelt_person_is_answered_by_the_nearest_not_by_everybody(
    make_recording: Make,
) -> None:
    many = [make_recording(subject=f"patient-{k:03d}") for k in range(40)]
    listed = r"one of 40 known ones \(patient-000, patient-001, patient-002, \.\.\.\); got"
    with pytest.raises(
        ParameterError, match=listed + r".* Did you mean 'patient-0\d\d' or"
    ) as refused:
        open_cohort(many, Selection(["patient-01"]))
    assert len(str(refused.value)) < 250


def test_files_are_read_as_told(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("a,force\n" + "1,2\n-1,-2\n" * 40)
    read = {"fs_hz": 100, "unit": {"a": "mV", "force": "N"}, "kinds": {"a": "semg"}}
    cohort = open_cohort(tmp_path, Selection(people_from="file", read=read))
    assert cohort.recordings[0].samples[0, 0] == 1000.0
    assert cohort.recordings[0].layout.units == ("uV", "N")
