"""Who is held out to say when a training stops."""

from __future__ import annotations

import numpy as np
import pytest

from myograph.core.errors import ParameterError
from myograph.models.holding import hold_out


def test_whole_people_are_held_out_and_every_class_stays(rng):
    people = rng.integers(10, size=400)
    codes = rng.integers(4, size=400)
    held, notes = hold_out(codes, people, share=0.3, seed=1)
    assert set(people[held]).isdisjoint(people[~held])
    assert len(set(people[held])) == 3
    assert set(codes[~held]) == set(codes)
    assert notes == ("Training stopped by 3 of 10 people, who were not learned from.",)


def test_the_seed_chooses_the_people(rng):
    people, codes = np.repeat(np.arange(20), 5), np.tile(np.arange(5), 20)
    chosen = {
        tuple(np.unique(people[hold_out(codes, people, share=0.2, seed=s)[0]])) for s in range(8)
    }
    assert len(chosen) > 4
    again = [hold_out(codes, people, share=0.2, seed=3)[0] for _ in range(2)]
    np.testing.assert_array_equal(*again)


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_one_person_at_least_is_held_out_and_one_learned_from(share):
    people, codes = np.repeat([0, 1], 6), np.tile([0, 1], 6)
    held, _ = hold_out(codes, people, share=share, seed=0)
    assert len(set(people[held])) == len(set(people[~held])) == 1


def test_with_one_person_the_last_windows_of_every_class_are_held_out():
    codes = np.repeat([0, 1], [10, 20])
    held, notes = hold_out(codes, np.zeros(30, dtype=int), share=0.2, seed=0)
    np.testing.assert_array_equal(np.flatnonzero(held), [8, 9, 26, 27, 28, 29])
    assert "the last 20 % of the windows of each class, not by people: there is one" in notes[0]


def test_a_class_that_only_the_held_out_person_shows_is_not_lost():
    codes, people = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 2, 2])
    held, notes = hold_out(codes, people, share=0.3, seed=0)
    assert set(codes[~held]) == {0, 1, 2}
    assert "every class must be learned from somebody" in notes[0]


def test_nobody_is_held_out_for_a_share_of_0_and_shares_from_1_on_are_refused():
    codes = np.zeros(4, dtype=int)
    held, notes = hold_out(codes, codes, share=0.0, seed=0)
    assert not held.any()
    assert notes == ()
    with pytest.raises(ParameterError, match="held_out must be below 1; got 1"):
        hold_out(codes, codes, share=1, seed=0)
