import json

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.features import FeatureSpec, fix_thresholds, parse_features


def test_noise_multiples_become_amplitudes_per_channel():
    rest = np.stack([np.tile([1.0, -1.0], 50), np.tile([4.0, -4.0], 50)])[None]
    specs = parse_features([{"feature": "hudgins", "threshold": {"noise": 2.5}}, "rms"])
    fixed = fix_thresholds(specs, rest)
    assert [spec.name for spec in fixed] == ["mav", "zc", "ssc", "wl", "rms"]
    assert fixed[1].parameters["threshold"] == fixed[2].parameters["threshold"] == (2.5, 10.0)
    assert fixed[4] == specs[4]
    # They travel as JSON, and are the same afterwards.
    assert parse_features([json.loads(json.dumps(fixed[1].to_dict()))]) == (fixed[1],)


def test_what_is_fixed_stays_whatever_comes_later():
    fixed = fix_thresholds([FeatureSpec("zc", {"threshold": 3.0})], np.ones((1, 2, 10)))
    assert fixed[0].parameters["threshold"] == 3.0


@pytest.mark.parametrize(
    ("parameters", "rest", "error", "message"),
    [
        ({"noise": -1.0}, np.ones((1, 1, 10)), ParameterError, "noise multiple .* above 0"),
        ({"noise": 1.0, "at": 2}, np.ones((1, 1, 10)), ParameterError, "must be an amplitude or"),
        ({"nose": 1.0}, np.ones((1, 1, 10)), ParameterError, "must be an amplitude or"),
        ({"noise": 1.0}, np.ones((0, 1, 10)), DataError, "there are none"),
        ({"noise": 1.0}, np.full((1, 1, 10), np.nan), DataError, "must be finite"),
    ],
)
def test_unclear_multiples_are_refused(parameters, rest, error, message):
    with pytest.raises(error, match=message):
        fix_thresholds([FeatureSpec("zc", {"threshold": parameters})], rest)
