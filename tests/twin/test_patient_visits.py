"""The table of a patient's visits: what it takes, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.twin.visit import MEASURES, TYPICAL, Observations, typical


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_s_scale_goes_both_ways(name):
    rule = MEASURES[name]
    inside = np.linspace(max(rule.low, 0.01), rule.high, 7)
    np.testing.assert_allclose(rule.from_scale(rule.to_scale(inside)), inside)
    assert rule.noise > 0
    assert rule.spread > 0
    assert rule.low < rule.high
    assert np.isnan(rule.to_scale([np.nan])).all()


def test_typical_values_lie_where_people_are():
    for muscle, values in TYPICAL.items():
        for name, value in values.items():
            assert MEASURES[name].low < value < MEASURES[name].high
            assert typical(muscle, name) == (value, MEASURES[name].spread)
    assert typical("VL", "cmap_mv")[1] == 1.0  # nothing is known: wide


def test_visits_keep_gaps_and_drop_empty_measures():
    nothing = [np.nan, np.nan]
    seen = Observations([0, 3], {"cmap_mv": [9.0, np.nan], "munix": nothing, "mvc_n": [20, 19]})
    assert seen.measures == ("cmap_mv", "mvc_n")
    assert (seen.n_visits, seen.count) == (2, 3)
    again = Observations.from_dict(seen.to_dict())
    assert again.digest() == seen.digest()
    assert seen.until(0).n_visits == 1


def test_a_size_index_that_follows_from_two_others_counts_once():
    seen = Observations([0, 3], {"cmap_mv": [10, 9], "munix": [100, 90], "musix_uv": [100, 100]})
    assert seen.measures == ("cmap_mv", "munix")
    assert "two were used" in seen.notes[0]
    derived = Observations([0, 3], {"cmap_mv": [10, 9], "musix_uv": [100, 90]})
    np.testing.assert_allclose(derived.values["munix"], [100, 100])
    alone = Observations([0, 3], {"musix_uv": [100, 90]})
    assert alone.measures == ("musix_uv",)


@pytest.mark.parametrize(
    ("months", "values", "told"),
    [
        ([0, 3, 3], {"cmap_mv": [9, 8, 7]}, "ascend"),
        ([3, 0], {"cmap_mv": [9, 8]}, "ascend"),
        ([0, np.nan], {"cmap_mv": [9, 8]}, "finite"),
        ([], {"cmap_mv": []}, "not empty"),
        ([0, 3], {"cmap_mv": [9]}, "one value for each"),
        ([0, 3], {"cmap_mv": [9, 9000]}, "no muscle has"),
        ([0, 3], {"cmap_mv": [9, -1]}, "no muscle has"),
        ([0, 3], {"cmap_mv": [9, np.inf]}, "finite or NaN"),
        ([0, 3], {"cmap_mv": [np.nan, np.nan]}, "nothing to fit"),
        ([0, 3], {}, "nothing to fit"),
        ([0, 3], {"cmap": [9, 8]}, "Did you mean 'cmap_mv'"),
        ([0], {"cmap_mv": [10], "munix": [100], "musix_uv": [300]}, "contradict"),
    ],
)
def test_impossible_visits_are_refused(months, values, told):
    with pytest.raises(DataError, match=told):
        Observations(months, values)


def test_unknown_muscles_and_impossible_norms_are_refused():
    with pytest.raises(ParameterError, match="muscle must be one of"):
        Observations([0], {"cmap_mv": [9]}, muscle="heart")
    with pytest.raises(DataError, match="no muscle has"):
        Observations([0], {"cmap_mv": [9]}, norms={"cmap_mv": 900})
