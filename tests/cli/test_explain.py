"""`myograph explain` at the terminal: sentences, a page, a picture, and its refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from myograph import write
from myograph.cli.main import main
from myograph.core.recording import Subject
from myograph.workflows.train import train


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("explained")


@pytest.fixture
def files(make_recording, place: Path) -> tuple[str, str, str]:
    """A model, a file of somebody new, and the folder of those it learned from."""
    model, new, folder = place / "m.myomodel", place / "new.npz", place / "people"
    if not model.exists():
        folder.mkdir()
        people = [make_recording(subject=f"p{k}", fs_hz=500.0) for k in range(3)]
        loud = []
        for recording in [*people, make_recording(subject="new", fs_hz=500.0)]:
            samples = recording.samples.copy()
            for event in recording.events:
                if event.label == "fist":
                    first, last = (round(t * 500) for t in (event.onset_s, event.end_s))
                    samples[1, first:last] *= 5
            loud.append(replace(recording, samples=samples))
        for recording in loud[:3]:
            write(recording, folder / f"{recording.subject.pseudonym}.npz")
        write(replace(loud[3], subject=Subject("new")), new)
        train(folder, model, overrides=["pipeline.scaling=standard"], jobs=1)
    return str(model), str(new), str(folder)


STRETCH = ["--start", "1", "--stop", "2"]


def test_a_decision_is_explained_in_sentences(files, capsys):
    model, new, folder = files
    assert main(["explain", model, new, *STRETCH, "--data", folder]) == 0
    said = capsys.readouterr().out
    assert "fist (" in said
    assert "emg2" in said
    assert "It resembles p" in said
    assert "The model would have said 'rest' had" in said
    assert "too few" in said  # parts: three muscles have too few orders (the cell may be wrapped)
    assert "digests differ" not in said


def test_without_the_data_it_says_what_is_missing(files, capsys):
    model, new, _ = files
    assert main(["explain", model, new, *STRETCH, "--method", "occlusion"]) == 0
    assert "a model file carries nobody's signals" in capsys.readouterr().out


def test_json_is_one_object(files, capsys):
    model, new, _ = files
    assert main(["explain", model, new, *STRETCH, "--method", "shap", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    muscle = told["attributions"][0]
    assert muscle["about"] == "muscle"
    assert max(muscle["values"], key=muscle["values"].get) == "emg2"
    assert abs(muscle["additivity_gap"]) < 1e-9
    assert told["decision"]["label"] == "fist"
    assert told["heat"][0]["faithfulness"]["faithful"] is True


@pytest.mark.parametrize("ending", [".html", ".png", ".svg"])
def test_a_page_or_a_picture_is_written(files, tmp_path, capsys, ending):
    model, new, _ = files
    out = tmp_path / f"why{ending}"
    words = ["explain", model, new, "--time", "1.5", "--method", "shap", "--out", str(out)]
    assert main(words) == 0
    content = out.read_bytes()
    if ending == ".html":
        assert b"Why" in content
        assert b"<image" not in content  # which the page's own rules would not show
        assert b"not a medical device" in content
    assert len(content) > 5000
    assert main(words) == 3
    assert "already exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--window", "400"], 2, "window must be one of 0 to"),
        (["--time", "99"], 2, "time_s must lie in"),
        (["--method", "magic"], 2, "method must be one of"),
        (["--method", "cases"], 2, "give the data it learned from"),
        (["--method", "permutation"], 2, "give the data it learned from"),
        (["--method", "integrated-gradients"], 2, "not a network"),
        (["--class", "fits"], 2, "Did you mean 'fist'"),
        (["--number", "3"], 2, "number must be 0 to 0"),
        (["--out", "why.pdf"], 2, "the ending of an explanation's file"),
        (["--data", "nowhere-at-all"], 2, "not a path on this machine"),
    ],
)
def test_what_cannot_be_explained_is_refused(files, capsys, words, code, told):
    model, new, _ = files
    assert main(["explain", model, new, *words]) == code
    assert told in capsys.readouterr().err


def test_one_of_several_recordings_has_to_be_chosen(files, capsys):
    model, _, folder = files
    assert main(["explain", model, folder]) == 2
    assert "choose one by its number" in capsys.readouterr().err


def test_another_montage_is_refused(files, make_recording, tmp_path, capsys):
    model, _, _ = files
    other = tmp_path / "other.npz"
    write(make_recording(n_channels=2, fs_hz=500.0), other)
    assert main(["explain", model, str(other)]) == 3
    assert "trained for another recording" in capsys.readouterr().err
