"""Subgroups: people first, small groups flagged, nobody lost."""

import math

import numpy as np
import pytest

from myograph.core.errors import DataError
from myograph.validate.subgroups import age_band, subgroup_table


def test_windows_are_averaged_over_people_first():
    rows = subgroup_table([1, 1, 1, 0, 0.5], list("pppqr"), {"sex": list("fffff")}, least=2)
    assert rows[0].score.value == pytest.approx((1 + 0 + 0.5) / 3)
    assert rows[0].difference is None  # there is nobody else
    assert not rows[0].small


def test_a_planted_difference_is_found_and_its_interval_holds_it():
    random = np.random.default_rng(0)
    sex = np.repeat(["f", "m"], 30)
    values = np.clip(np.where(sex == "f", 0.9, 0.7) + 0.05 * random.standard_normal(60), 0, 1)
    rows = {row.level: row for row in subgroup_table(values, np.arange(60), {"sex": sex})}
    assert rows["f"].difference.low <= 0.2 <= rows["f"].difference.high
    assert rows["f"].difference.low > 0.1
    assert rows["m"].difference.value == pytest.approx(-rows["f"].difference.value)


def test_both_sides_of_a_person_are_compared_with_each_other():
    rows = subgroup_table(
        [1, 0, 1, 0, 1, 0], list("ppqqrr"), {"side": ["left", "right"] * 3}, least=4
    )
    assert [(row.level, row.people, row.score.value, row.small) for row in rows] == [
        ("left", 3, 1.0, True),
        ("right", 3, 0.0, True),
    ]
    assert rows[0].difference.low == rows[0].difference.high == 1.0


def test_unknown_is_a_level_and_one_person_proves_nothing():
    rows = subgroup_table([1, 0, 1], list("pqr"), {"sex": ["f", "", "f"]})
    assert [row.level for row in rows] == ["f", "unknown"]
    assert sum(row.people for row in rows) == 3
    assert rows[1].difference.high == math.inf
    assert rows[1].to_dict()["difference"]["high"] is None
    assert rows[1].small


def test_a_group_without_a_figure_is_shown_without_one():
    rows = subgroup_table([math.nan, 1.0], list("pq"), {"site": ["x", "y"]})
    assert rows[0].score is None
    assert rows[0].people == 0
    assert rows[0].to_dict()["score"] is None


@pytest.mark.parametrize(
    ("age", "band"), [(0, "under 18"), (18, "18 to 39"), (74.5, "60 to 74"), (math.nan, "unknown")]
)
def test_age_bands(age, band):
    assert age_band(age) == band


def test_refused():
    with pytest.raises(DataError, match="Factor 'sex' needs one level per window"):
        subgroup_table([1.0], ["p"], {"sex": ["f", "m"]})
    with pytest.raises(DataError, match="one value and one person"):
        subgroup_table([1.0, 2.0], ["p"], {})
