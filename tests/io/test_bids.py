"""BIDS with datatype emg: what is written, what is read back, what a curator may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from myograph.core.errors import DataError, FormatError, OutputExistsError, ParameterError
from myograph.core.layout import Channel
from myograph.core.recording import Event, Recording, RecordingSet, Subject
from myograph.io import read, write, write_bids
from myograph.io.bids_files import entities_of, read_table


def read_one(path: Path, **options: object) -> Recording:
    found = read(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Recording)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "study"


@pytest.fixture
def data(full: Recording, root: Path) -> Path:
    (path,) = write_bids(full, root, task="grasp", sidecar={"PowerLineFrequency": 50})
    return path


def sidecar(data: Path, suffix: str) -> Path:
    return data.with_name(data.name.replace("emg.bdf", suffix))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_there_and_back(full: Recording, data: Path, root: Path) -> None:
    back = read_one(data)
    assert replace(back, samples=full.samples) == full
    span = np.ptp(full.samples, axis=1, keepdims=True)
    assert np.all(np.abs(back.samples - full.samples) <= 2e-7 * span)
    assert read_one(root) == back  # the only recording of the dataset


def test_the_tree_is_as_bids_wants_it(data: Path, root: Path) -> None:
    emg = "sub-p01/ses-2ndvisit/emg/sub-p01_ses-2ndvisit"
    assert sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()) == sorted(
        [
            *("README", "channels.json", "dataset_description.json", "events.json"),
            *("participants.json", "participants.tsv"),
            *(f"{emg}_{end}" for end in ("coordsystem.json", "electrodes.tsv")),
            *(
                f"{emg}_task-grasp_{end}"
                for end in ("channels.tsv", "emg.bdf", "emg.json", "events.tsv")
            ),
        ]
    )
    assert data.name == "sub-p01_ses-2ndvisit_task-grasp_emg.bdf"


def test_required_fields_are_there(data: Path, root: Path) -> None:
    described = json.loads(sidecar(data, "emg.json").read_text())
    required = {"EMGPlacementScheme", "EMGReference", "SamplingFrequency", "PowerLineFrequency"}
    assert required | {"SoftwareFilters", "TaskName"} <= set(described)
    assert described["EMGPlacementScheme"] == "Measured"
    assert (described["SamplingFrequency"], described["PowerLineFrequency"]) == (2000.0, 50)
    rows = read_table(sidecar(data, "channels.tsv"))
    assert list(rows[0])[:3] == ["name", "type", "units"]
    assert [row["type"] for row in rows[:4]] == ["EMG", "EMG", "EMG", "MISC"]
    assert rows[0]["target_muscle"] == "tibialis anterior"
    (electrode,) = read_table(data.with_name("sub-p01_ses-2ndvisit_electrodes.tsv"))
    assert (electrode["x"], electrode["y"], electrode["z"]) == ("1.5", "-20.25", "3.0")
    system = json.loads(data.with_name("sub-p01_ses-2ndvisit_coordsystem.json").read_text())
    assert system["EMGCoordinateUnits"] == "mm"
    assert "EMGCoordinateSystemDescription" in system
    description = json.loads((root / "dataset_description.json").read_text())
    assert description["BIDSVersion"] == "1.11.1"
    (person,) = read_table(root / "participants.tsv")
    assert person["participant_id"] == "sub-p01"
    assert (person["sex"], person["handedness"], person["age"]) == ("F", "L", "61.5")


def test_mne_bids_reads_what_is_written(full: Recording, data: Path, root: Path) -> None:
    mne_bids = pytest.importorskip("mne_bids")
    path = mne_bids.BIDSPath(
        root=root, subject="p01", session="2ndvisit", task="grasp", datatype="emg"
    )
    raw = mne_bids.read_raw_bids(path, verbose="error")
    assert raw.info["sfreq"] == 2000.0
    assert raw.get_channel_types()[:3] == ["emg"] * 3
    assert raw.info["line_freq"] == 50
    np.testing.assert_allclose(
        raw.get_data([0])[0, : full.n_samples] * 1e6, full.samples[0], atol=1e-3
    )
    assert set(raw.annotations.description) == {" ".join(e.label.split()) for e in full.events}
    assert raw.info["subject_info"]["sex"] == 2


def test_a_second_task_joins_the_dataset(full: Recording, data: Path, root: Path) -> None:
    write_bids(full, root, task="pinch", run=2)
    other = replace(full, subject=Subject("q2", sex="male"), session="")
    write_bids(other, root, task="grasp")
    assert [row["participant_id"] for row in read_table(root / "participants.tsv")] == [
        "sub-p01",
        "sub-q2",
    ]
    assert read_one(root / "sub-q2/emg/sub-q2_task-grasp_emg.bdf").subject == other.subject
    assert read_one(data).events == full.events
    with pytest.raises(DataError, match=r"study holds 3 recordings of EMG \['sub-p01/ses-2nd"):
        read(root)


def test_a_set_is_one_occasion(pair: RecordingSet, root: Path) -> None:
    paths = write_bids(pair, root, task="grasp")
    assert [entities_of(path.name)["acq"] for path in paths] == ["emg", "imu"]
    back = read(root)
    assert isinstance(back, RecordingSet)
    assert list(back) == ["emg", "imu"]
    for name in pair:  # the session that one member names is that of the occasion
        expected = replace(pair[name], session="2nd visit")
        assert replace(back[name], samples=pair[name].samples) == expected
    assert isinstance(read(paths[1]), Recording)


def test_existing_recordings_stay(full: Recording, data: Path, root: Path) -> None:
    before = {p: p.read_bytes() for p in root.rglob("*") if p.is_file()}
    with pytest.raises(OutputExistsError, match=r"task-grasp_emg.bdf.*already exists.*--force"):
        write_bids(full.with_events(()), root, task="grasp")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before
    moved = (replace(full.layout.channels[0], position_mm=(0, 0, 0)), *full.layout.channels[1:])
    other = replace(full, layout=replace(full.layout, channels=moved))
    with pytest.raises(OutputExistsError, match=r"electrodes.tsv already exists"):
        write_bids(other, root, task="pinch")
    assert {p: p.read_bytes() for p in root.rglob("*") if p.is_file()} == before
    write_bids(full.with_events(()), root, task="grasp", force=True)
    assert read_one(data).events == ()
    assert not sidecar(data, "events.tsv").exists()
    assert sorted(p.name for p in root.parent.iterdir()) == ["study"]


def test_a_curator_may_change_the_tables(full: Recording, data: Path, root: Path) -> None:
    edit(sidecar(data, "channels.tsv"), "biceps brachii", "brachialis")
    edit(sidecar(data, "channels.tsv"), "acc\tMISC", "acc\tECG")
    edit(sidecar(data, "channels.tsv"), "\tacc\tn/a\tphysical", "\tecg\tleft\tphysical")
    edit(sidecar(data, "events.tsv"), "0.25\t0.5\tfist", "0.5\t0.25\tpinch")
    edit(root / "participants.tsv", "61.5", "62")
    edit(data.with_name("sub-p01_ses-2ndvisit_electrodes.tsv"), "1.5", "0.15")
    edit(data.with_name("sub-p01_ses-2ndvisit_coordsystem.json"), '"mm"', '"cm"')
    back = read_one(data)
    assert back.layout.channels[1].muscle == "brachialis"
    assert (back.layout.channels[3].kind, back.layout.channels[3].side) == ("ecg", "left")
    assert back.layout.channels[0].position_mm == pytest.approx((1.5, -202.5, 30.0))
    assert Event(0.5, 0.25, "pinch", "protocol", "1") in back.events
    assert Event(1.0005, 0.0, "onset", "detector", "2") in back.events
    assert back.subject == replace(full.subject, age_years=62.0)  # type: ignore[type-var]


def test_a_dataset_of_others(tmp_path: Path, emg: Recording) -> None:
    """Plain EDF, tables above it by inheritance, the units that BIDS examples use."""
    edf = pytest.importorskip("pyedflib")
    folder = tmp_path / "d" / "sub-3" / "emg"
    folder.mkdir(parents=True)
    path = folder / "sub-3_task-rest_emg.edf"
    with edf.EdfWriter(str(path), 2) as file:
        for number, label in enumerate(("ch1", "ch2")):
            file.setSignalHeader(number, edf.highlevel.make_signal_header(
                label, "mV", 1000, -1, 1, -32768, 32767))  # fmt: skip
        file.writeSamples([s / 1e3 for s in emg.samples.astype(np.float64)])
    top = tmp_path / "d"
    (top / "dataset_description.json").write_text('{"Name": "d", "BIDSVersion": "1.11.1"}')
    (top / "task-rest_channels.tsv").write_text(
        "name\ttype\tunits\tsignal_electrode\ttarget_muscle\n"
        "ch1\tEMG\tmV\tE1\tsoleus\nch2\tECG\tmV\tE2\tn/a\n"
    )
    (top / "sub-3" / "sub-3_electrodes.tsv").write_text(
        "name\tx\ty\tcoordinate_system\nE1\t0.01\t0.02\tleg\nE2\t50\t50\tchest\n"
    )
    (top / "sub-3" / "sub-3_coordsystem.json").write_text(json.dumps({
        "leg": {"EMGCoordinateSystem": "Other", "EMGCoordinateUnits": "m"},
        "chest": {"EMGCoordinateSystem": "Other", "EMGCoordinateUnits": "percent"},
    }))  # fmt: skip
    (folder / "sub-3_task-rest_events.tsv").write_text("onset\tduration\n0.5\tn/a\n")
    (top / "participants.tsv").write_text("participant_id\tage\tsex\nsub-3\t30\tM\n")
    found = read_one(path)
    assert found.layout.channels == (
        Channel("ch1", "semg", muscle="soleus", position_mm=(10.0, 20.0, 0.0)),
        Channel("ch2", "ecg"),
    )
    np.testing.assert_allclose(found.samples, emg.samples, atol=0.05)
    assert found.events == (Event(0.5, 0.0, "event"),)
    assert found.subject == Subject("3", age_years=30.0, sex="male")


def test_a_slice_keeps_to_the_table(full: Recording, data: Path) -> None:
    names = ["myo3", "TA left"]
    part = read_one(data, start_s=0.3, stop_s=1.1, channels=names)
    assert part == read_one(data).select(names).crop(0.3, 1.1)


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [
        ("channels.tsv", "acc\tMISC", "acc MISC", r"line 5: 8 cells under 9 columns.*tabs"),
        ("channels.tsv", "name\t", "label\t", "has no column name"),
        ("channels.tsv", "grid_1\tEMG", "acc\tEMG", "names a channel more than once"),
        ("channels.tsv", "hdemg", "grid", "'grid_1': kind must be one of.*'grid'"),
        ("channels.tsv", "hdemg\tright", "hdemg\ttop", "'grid_1': side must be one of.*'top'"),
        ("events.tsv", "0.25\t0.5\tfist", "soon\t0.5\tfist", "line 2: 'soon' should be a number"),
        ("events.tsv", "0.25\t0.5\tfist", "0.25\t-1\tfist", "line 2: a duration must be 0 or more"),
        ("events.tsv", "0.25\t0.5\tfist", "n/a\t0.5\tfist", "line 2: an event needs an onset"),
    ],
)
def test_damaged_tables(data: Path, suffix: str, old: str, new: str, message: str) -> None:
    edit(sidecar(data, suffix), old, new)
    with pytest.raises(FormatError, match=f"{data.name.split('_task')[0]}.*{message}"):
        read(data)


def test_damaged_descriptions(data: Path, root: Path) -> None:
    system = data.with_name("sub-p01_ses-2ndvisit_coordsystem.json")
    whole = system.read_text()
    for text, message in (("{", "is no JSON"), ("[1]", "must hold a JSON object")):
        system.write_text(text)
        with pytest.raises(FormatError, match=f"coordsystem.json {message}"):
            read(data)
    system.unlink()
    with pytest.raises(FormatError, match=r"without a coordsystem.json have no unit"):
        read(data)
    system.write_text(whole)
    edit(root / "participants.tsv", "61.5", "-3")
    with pytest.raises(FormatError, match=r"participants.tsv, sub-p01: age_years must be above 0"):
        read(data)
    (root / "participants.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match=r"participants.tsv is not UTF-8"):
        read(data)


def test_events_outside_are_refused_or_dropped(data: Path) -> None:
    edit(sidecar(data, "events.tsv"), "0.25\t0.5\tfist", "99\t0.5\tfist")
    with pytest.raises(DataError, match=r"'fist' at 99-99.5 s lies outside.*stray_events='drop'"):
        read(data)
    assert "fist" not in {e.label for e in read_one(data, stray_events="drop").events}


def test_a_data_file_that_is_none(data: Path) -> None:
    data.write_bytes(b"hello")
    with pytest.raises(
        FormatError, match=r"emg.bdf is neither EDF nor BDF; it begins with b'hello'"
    ):
        read(data)


def test_an_empty_dataset(root: Path) -> None:
    root.mkdir()
    (root / "dataset_description.json").write_text("{}")
    with pytest.raises(DataError, match="holds no recording named"):
        read(root)


def test_refusals_leave_nothing_behind(full: Recording, pair: RecordingSet, root: Path) -> None:
    with pytest.raises(DataError, match=r"is of nobody; give it a subject"):
        write_bids(replace(full, subject=None), root, task="grasp")
    with pytest.raises(ParameterError, match=r"task must be letters and digits only; got 'a b'"):
        write_bids(full, root, task="a b")
    with pytest.raises(ParameterError, match=r"session '--' has no letter or digit"):
        write_bids(replace(full, session="--"), root, task="grasp")
    twins = RecordingSet({"imu 1": pair["imu"], "imu-1": pair["imu"]})
    with pytest.raises(ParameterError, match="same letters and digits"):
        write_bids(twins, root, task="grasp")
    with pytest.raises(DataError, match=r"is not a folder; create it"):
        write_bids(full, root / "deeper", task="grasp")
    assert list(root.parent.iterdir()) == []
    root.mkdir()
    (root / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"is there and is no BIDS dataset"):
        write_bids(full, root, task="grasp")
    assert [p.name for p in root.iterdir()] == ["notes.txt"]


def test_a_name_alone_does_not_make_it_bids(emg: Recording, tmp_path: Path) -> None:
    """The same bytes outside of a folder ``emg`` are a plain BDF."""
    path = write(emg, tmp_path / "sub-1_task-a_emg.bdf")
    (tmp_path / "sub-1_task-a_channels.tsv").write_text("nonsense")
    assert read_one(path).layout == emg.layout
