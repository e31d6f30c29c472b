from __future__ import annotations

import json

import numpy as np
import pytest

from myograph.core.errors import FormatError, OutputExistsError, ParameterError
from myograph.core.recording import Event
from myograph.twin.discharge import Discharges
from myograph.twin.truth import Truth


@pytest.fixture
def truth() -> Truth:
    rng = np.random.default_rng(1)
    return Truth(
        duration_s=2.0,
        discharges={"TA": Discharges(([0.1, 0.5], [], [1.9]), 2.0)},
        muaps={"TA": rng.normal(size=(3, 2, 40)).astype(np.float32)},
        muap_fs_hz=2048.0,
        muap_onset_sample=10,
        events=(Event(1.0, 0.5, "hold", "protocol"), Event(0.2, 0.0, "onset", "twin")),
        forces={"TA": rng.normal(size=20)},
        force_fs_hz=10.0,
        contaminations={"mains": rng.normal(size=(2, 30)).astype(np.float32)},
        labels={"condition": "simulated: ALS", "severity": 0.4, "seed": 3},
    )


def test_what_is_saved_comes_back_bit_for_bit(truth, tmp_path):
    files = truth.save(tmp_path / "person.01")
    assert [f.name for f in files] == ["person.01.npz", "person.01.json"]
    back = Truth.load(tmp_path / "person.01")
    for kind in ("muaps", "forces", "contaminations"):
        for name, array in getattr(truth, kind).items():
            found = getattr(back, kind)[name]
            assert found.dtype == array.dtype
            np.testing.assert_array_equal(found, array)
    for a, b in zip(back.discharges["TA"].times_s, truth.discharges["TA"].times_s, strict=True):
        np.testing.assert_array_equal(a, b)
    assert back.events == truth.events
    assert back.labels == truth.labels
    assert back.muap_onset_sample == 10


def test_nothing_is_overwritten_or_left_half_written(truth, tmp_path):
    truth.save(tmp_path / "a")
    with pytest.raises(OutputExistsError, match="force=True"):
        truth.save(tmp_path / "a")
    truth.save(tmp_path / "a", force=True)
    bad = Truth(duration_s=1.0, labels={"made by": object()})
    with pytest.raises(TypeError, match="not JSON serializable"):
        bad.save(tmp_path / "b")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "a.npz"]


def test_another_file_is_not_taken_for_truth(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(FormatError, match="is not myograph-truth-1"):
        Truth.load(tmp_path / "x")


def test_what_is_not_there_or_damaged_is_said_in_words(truth, tmp_path):
    with pytest.raises(FormatError, match=r"no ground truth at .*nobody\.json is missing"):
        Truth.load(tmp_path / "nobody")
    arrays, header = truth.save(tmp_path / "a")
    arrays.unlink()
    with pytest.raises(FormatError, match=r"a\.npz is missing\. It is two files"):
        Truth.load(tmp_path / "a")
    arrays.write_bytes(b"no archive")
    with pytest.raises(FormatError, match="is damaged"):
        Truth.load(tmp_path / "a")
    header.write_text("[1, 2")
    with pytest.raises(FormatError, match="is damaged"):
        Truth.load(tmp_path / "a")


def test_arrays_need_their_rate():
    with pytest.raises(ParameterError, match="needs their sampling rate"):
        Truth(duration_s=1.0, muaps={"TA": np.zeros((1, 1, 5))})
