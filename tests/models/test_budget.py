from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.errors import ParameterError
from myograph.models.budget import spread_rows

cells = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=200)


@settings(deadline=None)
@given(cells, st.integers(16, 250))
def test_every_class_of_every_person_stays_as_evenly_as_possible(rows, most: int):
    codes, people = np.array(rows).T
    kept, notes = spread_rows(codes, people, most=most)
    assert len(kept) == min(most, len(codes))
    assert (np.diff(kept) > 0).all()
    assert bool(notes) == (most < len(codes))
    before, after = Counter(rows), Counter(rows[i] for i in kept)
    assert set(after) == set(before)
    # A cell with fewer than the fullest one, by more than rounding, was taken whole.
    fullest = max(after.values())
    assert all(n >= fullest - 1 or n == before[cell] for cell, n in after.items())


def test_the_whole_course_of_a_recording_is_kept():
    codes = people = np.zeros(1000, dtype=int)
    kept, _ = spread_rows(codes, people, most=10)
    assert kept.tolist() == list(range(0, 1000, 100))


def test_without_a_cap_all_rows_are_kept():
    kept, notes = spread_rows(np.zeros(5, int), np.zeros(5, int), most=None)
    assert kept.tolist() == [0, 1, 2, 3, 4]
    assert notes == ()


def test_a_cap_below_the_number_of_cells_is_refused():
    with pytest.raises(ParameterError, match=r"max_windows=2 cannot hold .* \(3\)"):
        spread_rows(np.array([0, 1, 2, 2]), np.zeros(4, int), most=2)
