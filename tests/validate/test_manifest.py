"""Split manifests: saved, hashed, refused when altered or made for other data."""

import json

import numpy as np
import pytest

from myograph.core.errors import (
    DataError,
    FormatError,
    LeakageError,
    OutputExistsError,
    ParameterError,
)
from myograph.validate.manifest import FoldUnits, SplitManifest, unit_names
from myograph.validate.splits import make_split


def test_saved_and_read_back(make_index, tmp_path):
    index = make_index(people=10)
    split = make_split("hold-out", test=0.3, seed=4)
    path = split.manifest(index).save(tmp_path / "split.json")
    saved = make_split(str(path))
    (before,), (after,) = split.folds(index), saved.folds(index)
    for side in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(before, side), getattr(after, side))
    assert saved.scope == "across people"
    assert saved.manifest(index).digest() == split.manifest(index).digest()
    assert saved.parameters() == {"sha256": split.manifest(index).digest()}


def test_a_manifest_holds_for_another_windowing(make_index):
    manifest = make_split("repetition").manifest(make_index(windows=5))
    other = make_index(windows=9)
    by_manifest = manifest.rows(other)
    for fold, expected in zip(by_manifest, make_split("repetition").folds(other), strict=True):
        np.testing.assert_array_equal(fold.test, expected.test)


def test_one_changed_letter_is_seen(make_index, tmp_path):
    path = make_split("leave-one-subject-out").manifest(make_index()).save(tmp_path / "s.json")
    path.write_text(path.read_text().replace('"p03"', '"p02"', 1))
    with pytest.raises(DataError, match="was altered after it was saved"):
        make_split(str(path))


def test_the_digest_is_of_the_content_not_of_the_layout(make_index, tmp_path):
    manifest = make_split("leave-one-subject-out").manifest(make_index())
    path = manifest.save(tmp_path / "s.json")
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert SplitManifest.load(path) == manifest


def test_an_existing_file_is_kept(make_index, tmp_path):
    manifest = make_split("leave-one-subject-out").manifest(make_index())
    path = tmp_path / "s.json"
    path.write_text("mine")
    with pytest.raises(OutputExistsError, match="already there and is kept"):
        manifest.save(path)
    assert path.read_text() == "mine"
    manifest.save(path, force=True)
    assert SplitManifest.load(path) == manifest
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[1]", "needs the keys"),
        ('{"format": 2, "sha256": "", "manifest": {}}', "of format 2; this version.*format 1"),
    ],
)
def test_files_that_are_no_manifest(tmp_path, text, message):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        SplitManifest.load(path)


def test_a_manifest_that_lacks_a_field(tmp_path):
    from myograph.core.recipe import digest_of

    path = tmp_path / "s.json"
    path.write_text(json.dumps({"format": 1, "sha256": digest_of({}), "manifest": {}}))
    with pytest.raises(FormatError, match="lacks 'folds'"):
        SplitManifest.load(path)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match="There is no split manifest at"):
        make_split(str(tmp_path / "missing.json"))


def test_a_saved_split_takes_no_parameters(make_index, tmp_path):
    path = make_split("leave-one-subject-out").manifest(make_index()).save(tmp_path / "s.json")
    with pytest.raises(ParameterError, match="takes no parameters"):
        make_split(str(path), seed=1)


def test_other_data_are_refused(make_index):
    manifest = make_split("leave-one-subject-out").manifest(make_index(people=4))
    with pytest.raises(DataError, match=r"1 units of these data are not in it \['p04'\], and 0"):
        manifest.rows(make_index(people=5))
    with pytest.raises(DataError, match=r"0 units .* and 1 that it names are not.*\['p03'\]"):
        manifest.rows(make_index(people=3))


def test_a_leaking_manifest_cannot_be_applied(make_index):
    leaking = SplitManifest(
        "x", "across people", ("subject",), (FoldUnits("f", ("p00", "p01"), (), ("p01",)),)
    )
    with pytest.raises(LeakageError, match="'p01'"):
        leaking.rows(make_index(people=2))


def test_an_unknown_scope_is_refused():
    with pytest.raises(ParameterError, match="scope must be one of"):
        SplitManifest("x", "everyone", ("subject",), ())


def test_window_units_are_unique(make_index):
    index = make_index()
    assert len(set(unit_names(index, ("window",)))) == len(index)


def test_what_no_fold_uses_is_written_down_as_unused(make_index):
    index = make_index(people=1, sessions=3)
    manifest = make_split("session", train=["1"], test=["3"]).manifest(index)
    assert manifest.unused == ("p00/2",)
    (fold,) = manifest.rows(index)
    assert set(index.session[fold.test]) == {"3"}
