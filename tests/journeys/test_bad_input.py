"""Bad input: a clear sentence, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from myograph import write
from myograph.core.layout import Layout
from myograph.core.recording import Event, Recording


def _truncated_edf(path: Path, recording: Recording) -> list[str]:
    edf = path / "x.edf"
    write(recording, edf)
    edf.write_bytes(edf.read_bytes()[:3000])
    return ["info", str(edf)]


def _lying_edf(path: Path, recording: Recording) -> list[str]:
    edf = path / "x.edf"
    write(recording, edf)
    content = bytearray(edf.read_bytes())
    content[236:244] = b"99999   "  # number of data records
    edf.write_bytes(bytes(content))
    return ["info", str(edf)]


def _csv(text: str) -> Callable[[Path, Recording], list[str]]:
    def make(path: Path, recording: Recording) -> list[str]:
        del recording
        (path / "x.csv").write_text(text)
        return [
            "convert",
            str(path / "x.csv"),
            str(path / "y.myo"),
            "--rate",
            "100",
            "--unit",
            "uV",
        ]

    return make


def _empty(path: Path, recording: Recording) -> list[str]:
    del recording
    (path / "x.csv").write_text("")
    return ["info", str(path / "x.csv")]


def _unknown_rate(path: Path, recording: Recording) -> list[str]:
    del recording
    (path / "x.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    return ["info", str(path / "x.csv")]


def _mat(path: Path, recording: Recording) -> list[str]:
    del recording
    scipy.io.savemat(path / "x.mat", {"other": np.zeros((2, 50))})
    return [
        *("info", str(path / "x.mat"), "--variable", "emg", "--rate", "100"),
        *("--unit", "uV", "--kinds", "semg"),
    ]


def _cohort(change: Callable[[Recording], Recording], *more: str) -> Callable[..., list[str]]:
    def make(path: Path, recordings: list[Recording]) -> list[str]:
        for number, recording in enumerate(recordings):
            write(change(recording), path / f"r{number:02d}.myo")
        return ["evaluate", "--data", str(path), "-j", "1", "--out", str(path / "out"), *more]

    return make


def _one_class(recording: Recording) -> Recording:
    return recording.with_events(replace(event, label="fist") for event in recording.events)


def _no_class(recording: Recording) -> Recording:
    return recording.with_events([])


def _nobody(recording: Recording) -> Recording:
    return replace(recording, subject=None)


FILES = {
    "truncated EDF": (_truncated_edf, "x.edf"),
    "lying EDF": (_lying_edf, "x.edf"),
    "ragged rows": (_csv("a,b\n1,2\n3\n5,6\n"), "x.csv"),
    "decimal comma": (_csv("a;b\n1,5;2,5\n3,5;4,5\n5,5;6,5\n"), "comma"),
    "NaN": (_csv("a,b\n1,2\nnan,4\n5,6\n"), "NaN"),
    "infinity": (_csv("a,b\n1,2\ninf,4\n5,6\n"), "infin"),
    "empty file": (_empty, "empty"),
    "rate unknown": (_unknown_rate, "rate"),
    "MAT without the variable": (_mat, "emg"),
}

COHORTS = {
    "one class": (_cohort(_one_class), "class"),
    "no labels": (_cohort(_no_class), "label"),
    "nobody named": (_cohort(_nobody), "--people-from"),
    "one person": (_cohort(lambda r: r, "--people", "sim-01"), "at least 2 people"),
    "fewer people than folds": (
        _cohort(lambda r: r, "--split", "group-k-fold", "--set", "split.params.n_folds=9"),
        "needs at least 9",
    ),
    "fewer repetitions than folds": (
        _cohort(lambda r: r, "--split", "repetition", "--set", "split.params.n_folds=9"),
        "9",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_bad_files(cli, case: str, recordings: list[Recording], tmp_path: Path) -> None:
    make, told = FILES[case]
    words = make(tmp_path, recordings[0])
    before = sorted(tmp_path.iterdir())
    said = cli(*words)
    assert said.code == 3, said.err
    assert said.err.startswith("Error: ")
    assert told in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("case", COHORTS)
def test_bad_cohorts(cli, case: str, recordings: list[Recording], tmp_path: Path) -> None:
    make, told = COHORTS[case]
    words = make(tmp_path, recordings[:6])
    before = sorted(tmp_path.iterdir())
    said = cli(*words)
    assert said.code == 3, said.err
    assert told in said.err
    assert said.out == ""
    assert sorted(tmp_path.iterdir()) == before


def _altered(content: dict[str, bytes]) -> dict[str, bytes]:
    arrays = bytearray(content["arrays.npz"])
    arrays[len(arrays) // 2] ^= 1
    return {**content, "arrays.npz": bytes(arrays)}


def _newer(content: dict[str, bytes]) -> dict[str, bytes]:
    manifest = json.loads(content["manifest.json"])
    return {**content, "manifest.json": json.dumps({**manifest, "format": 99}).encode()}


@pytest.mark.parametrize(("spoil", "told"), [(_altered, "altered"), (_newer, "newer")])
def test_bad_models(
    cli,
    spoil: Callable[..., dict[str, bytes]],
    told: str,
    model: Path,
    folder: Path,
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(model) as packed:
        content = {name: packed.read(name) for name in packed.namelist()}
    bad = tmp_path / "bad.myomodel"
    with zipfile.ZipFile(bad, "w") as packed:
        for name, member in spoil(content).items():
            packed.writestr(name, member)
    said = cli("predict", bad, folder / "r00.myo", "--out", tmp_path / "decisions.csv")
    assert said.code == 3
    assert told in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.myomodel"]


def test_no_model(cli, folder: Path, tmp_path: Path) -> None:
    said = cli("predict", tmp_path / "none.myomodel", folder / "r00.myo")
    assert said.code == 3
    assert "none.myomodel" in said.err


def test_another_montage_and_rate(
    cli, model: Path, recordings: list[Recording], tmp_path: Path
) -> None:
    other = recordings[0]
    write(other.select(other.layout.names[:2]), tmp_path / "montage.myo")
    faster = Layout(2 * other.fs_hz, other.layout.channels)
    write(replace(other, layout=faster, events=()), tmp_path / "rate.myo")
    said = cli("predict", model, tmp_path / "montage.myo")
    assert said.code == 3
    assert "emg3" in said.err
    said = cli("predict", model, tmp_path / "rate.myo")
    assert said.code == 3
    assert "1000 Hz" in said.err
    assert "500 Hz" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("convert", "{r}", "{out}.npz"),
        ("quality", "{r}", "--picture", "{out}.png"),
        ("evaluate", "--data", "{folder}", "-j", "1", "--out", "{out}"),
        ("train", "--data", "{folder}", "-j", "1", "--out", "{out}.myomodel"),
        ("predict", "{model}", "{r}", "--out", "{out}.csv"),
        ("report", "{result}", "--out", "{out}.html"),
    ],
)
def test_nothing_is_overwritten_without_force(
    cli, words: tuple[str, ...], folder: Path, model: Path, result: Path, tmp_path: Path
) -> None:
    places = {
        "folder": folder, "model": model, "result": result,
        "out": tmp_path / "there", "r": folder / "r00.myo",
    }  # fmt: skip
    filled = [word.format(**places) for word in words]
    target = Path(filled[-1])
    target.write_text("mine")
    said = cli(*filled)
    assert said.code == 3
    assert "already exists" in said.err
    assert "--force" in said.err
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_force_never_removes_a_strangers_folder(cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    said = cli("evaluate", "--data", folder, "-j", 1, "--out", tmp_path / "thesis", "--force")
    assert said.code == 3
    assert "is not a result of Myograph" in said.err
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_force_replaces_an_earlier_result(cli, folder: Path, tmp_path: Path) -> None:
    words = ("evaluate", "--data", folder, "-j", 1, "--out", tmp_path / "result", "--force")
    (tmp_path / "result").mkdir()
    assert cli(*words).code == 0
    assert cli(*words).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil"])
def test_archives_that_reach_outside(
    cli, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    with tarfile.open(mirror / "myo-cotellard.tar.xz", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo(name), BytesIO())
    monkeypatch.setenv("MYOGRAPH_MIRROR", str(mirror))
    monkeypatch.setenv("MYOGRAPH_CACHE", str(tmp_path / "cache"))
    said = cli("evaluate", "--data", "myo-cotellard")
    assert said.code == 3
    assert "leads out of the folder" in said.err
    assert not [path for path in tmp_path.rglob("*") if path.name == "evil"]


def test_a_full_disk(cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "there")

    monkeypatch.setattr("myograph.workflows.evaluate.write_text", full)
    said = cli("evaluate", "--data", folder, "-j", 1, "--out", tmp_path / "result")
    assert said.code == 3
    assert "disk is full" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fly",), "No such command"),
        (("evaluate",), "--data"),
        (("evaluate", "--data", "nothing-here"), "not a path on this machine either"),
        (("evaluate", "--data", "simulated", "--model", "lds"), "Did you mean 'lda'?"),
        (("evaluate", "--data", "simulated", "--features", "mva"), "Did you mean"),
        (("evaluate", "--data", "simulated", "--split", "random"), "leave-one-subject-out"),
        (("evaluate", "--data", "simulated", "--set", "pipeline.modl.name=lda"), "'model'"),
        (("evaluate", "--data", "simulated", "--people", "sim-99"), "sim-99"),
        (("datasets", "get", "nothing"), "nothing"),
    ],
)
def test_usage_errors(cli, words: tuple[str, ...], told: str) -> None:
    said = cli(*words)
    assert said.code == 2
    assert told in said.err
    assert said.out == ""


def test_a_rejected_channel_is_a_negative_verdict(
    cli, recordings: list[Recording], tmp_path: Path
) -> None:
    samples = recordings[0].samples.copy()
    samples[1] = 0
    write(replace(recordings[0], samples=samples), tmp_path / "flat.myo")
    said = cli("quality", tmp_path / "flat.myo")
    assert said.code == 1
    assert "reject" in said.out
    assert "emg2: does not change" in cli("info", tmp_path / "flat.myo").out


def test_a_folder_tells_what_it_could_not_read(
    cli, recordings: list[Recording], tmp_path: Path
) -> None:
    write(recordings[0], tmp_path / "a.myo")
    write(recordings[0], tmp_path / "b.npz")
    (tmp_path / "notes.docx").write_bytes(b"PK nothing")
    said = cli("info", tmp_path)
    assert said.code == 1
    assert "could not be read" in said.out
    assert "the same samples" in said.out


def test_gaps_are_a_choice(cli, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n" + "1,2\n-1,-2\n" * 40 + "nan,4\n5,6\n")
    words = ("info", tmp_path / "x.csv", "--rate", 100, "--unit", "uV", "--kinds", "semg")
    assert cli(*words).code == 3
    said = cli(*words, "--gaps")
    assert said.code == 0
    assert "! gap: 1 gaps, 0.01 s in all, were never measured" in said.out


def test_events_survive_conversion(cli, recordings: list[Recording], tmp_path: Path) -> None:
    marked = recordings[0].with_events([Event(1.0, 0.5, "fist", "protocol", "1")])
    write(marked, tmp_path / "a.myo")
    assert cli("convert", tmp_path / "a.myo", tmp_path / "b.edf").code == 0
    found = cli("info", tmp_path / "b.edf", "--json").json["files"][0]["recordings"][0]
    assert found["events"] == {"fist": [1, 0.5]}
