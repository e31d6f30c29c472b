"""A result is the same bytes for the same seed, and comes back as it was."""

import json
import math

import numpy as np
import pytest

from myograph.config.schema import PipelineConfig
from myograph.core.decision import Estimate
from myograph.core.errors import FormatError, OutputExistsError
from myograph.validate.manifest import SplitManifest
from myograph.validate.result import Audit, RunInfo, ValidationResult
from myograph.validate.run import evaluate
from myograph.validate.splits import make_split


@pytest.fixture
def result(make_index, make_table):
    table = make_table(make_index())
    return evaluate(PipelineConfig(), table, make_split("leave-one-subject-out"), seed=1)


def test_there_and_back(result, tmp_path):
    folder = result.save(tmp_path / "run")
    assert sorted(path.name for path in folder.iterdir()) == [
        "predictions.npz",
        "result.json",
        "run.json",
        "split.json",
    ]
    again = ValidationResult.load(folder)
    assert again.to_dict() == result.to_dict()
    assert again.metrics["accuracy"] == result.metrics["accuracy"]
    np.testing.assert_array_equal(again.confusion, result.confusion)
    assert again.people == ("p00", "p01", "p02", "p03")
    manifest = SplitManifest.load(folder / "split.json")
    assert manifest.digest() == result.split["fingerprint"]
    with np.load(folder / "predictions.npz", allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["output"], result.predictions.output)


def test_time_is_not_part_of_the_result(result):
    assert "run" not in result.to_dict()
    assert result.run.seconds > 0
    assert json.loads(json.dumps(result.run.to_dict()))["folds_resumed"] == 0
    assert RunInfo().to_dict()["seconds"] is None


def test_an_existing_result_is_kept(result, tmp_path):
    result.save(tmp_path)
    before = (tmp_path / "result.json").read_bytes()
    with pytest.raises(OutputExistsError, match=r"result\.json is already there and is kept"):
        result.save(tmp_path)
    result.save(tmp_path, force=True)
    assert (tmp_path / "result.json").read_bytes() == before


def test_open_intervals_survive_json():
    unknown = Estimate(0.1, -math.inf, 1.0, "person", 1)
    result = ValidationResult(
        task="regression",
        headline="r2",
        config={},
        split={},
        data={},
        seed=0,
        classes=(),
        per_person={"r2": {"a": 0.1}},
        metrics={"r2": unknown},
        audits=(Audit("people", passed=False, text="shared"),),
        dropped=(("a/1", "flat"),),
    )
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["metrics"]["r2"]["low"] is None
    back = ValidationResult.from_dict(data)
    assert back.metrics["r2"] == unknown
    assert back.dropped == (("a/1", "flat"),)
    assert not back.passed


@pytest.mark.parametrize(
    ("change", "message"),
    [({"format": 2}, "of format 2"), ({"metrics": {"a": {}}}, "not a whole validation result")],
)
def test_other_data_are_refused(result, change, message):
    with pytest.raises(FormatError, match=message):
        ValidationResult.from_dict({**result.to_dict(), **change})


def test_a_file_that_is_no_result(tmp_path):
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(FormatError, match="cannot be read as a validation result"):
        ValidationResult.load(tmp_path)
    with pytest.raises(FormatError, match="cannot be read as a validation result"):
        ValidationResult.load(tmp_path / "nowhere")
