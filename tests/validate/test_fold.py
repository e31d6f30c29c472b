"""A fold that shares a group between its sides cannot be made."""

import numpy as np
import pytest

from myograph.core.errors import DataError, LeakageError, ParameterError
from myograph.validate.fold import Fold, Groups
from myograph.validate.splits import GroupKFold, LeaveOneSubjectOut

GROUPS = Groups.of(["a", "a", "b", "b", "c", "d"])


def test_groups_number_names_in_order():
    groups = Groups.of(["z", "x", "z"])
    assert groups.names == ("x", "z")
    assert groups.codes.tolist() == [1, 0, 1]
    assert groups.present(np.array([0, 2])) == ("z",)
    assert groups.rows_of(("z",)).tolist() == [0, 2]
    assert groups.rows_of(("z",), among=np.array([1, 2])).tolist() == [2]


def test_a_fold_keeps_its_rows_in_order_and_read_only():
    fold = Fold("x", train=[3, 2, 0, 1], test=[4], groups=GROUPS)
    assert fold.train.tolist() == [0, 1, 2, 3]
    assert fold.validation.tolist() == []
    with pytest.raises(ValueError, match="read-only"):
        fold.train[0] = 5


@pytest.mark.parametrize(
    ("train", "validation", "test", "sides"),
    [
        ([0, 2], [], [1, 4], "train and its test"),
        ([0, 1], [2], [3], "validation and its test"),
        ([0], [1], [4], "train and its validation"),
    ],
)
def test_shared_groups_are_refused(train, validation, test, sides):
    with pytest.raises(LeakageError, match=sides):
        Fold("x", train, test, GROUPS, np.array(validation, dtype=int))


@pytest.mark.parametrize(
    ("train", "test", "error", "message"),
    [
        ([], [4], DataError, "no windows to train on"),
        ([0, 1], [], DataError, "no windows to test on;"),
        ([0, 0], [4], DataError, "names some rows twice"),
        ([0, 9], [4], DataError, "names rows 0 to 9; the table has 6 rows"),
        ([-1], [4], DataError, "names rows -1 to -1"),
        ([0.5], [4], ParameterError, "must be a list of row numbers"),
        ([[0]], [4], ParameterError, r"shape \(1, 1\)"),
    ],
)
def test_bad_rows_are_refused(train, test, error, message):
    with pytest.raises(error, match=message):
        Fold("x", train, test, GROUPS)


def test_inner_folds_keep_the_groups_and_never_see_the_test_side():
    fold = Fold("d", train=[0, 1, 2, 3, 4], test=[5], groups=GROUPS)
    inner = fold.inner(LeaveOneSubjectOut())
    assert [each.name for each in inner] == ["d > a", "d > b", "d > c"]
    assert [each.test.tolist() for each in inner] == [[0, 1], [2, 3], [4]]
    for each in inner:
        assert sorted([*each.train, *each.test]) == [0, 1, 2, 3, 4]
        assert each.groups is GROUPS


def test_inner_folds_of_one_group_are_refused():
    fold = Fold("d", train=[0, 1], test=[5], groups=GROUPS)
    with pytest.raises(DataError, match=r"trains on one group only \('a'\)"):
        fold.inner(GroupKFold(n_folds=2))


def test_validation_side_is_made_of_whole_groups():
    fold = Fold("d", train=[0, 1, 2, 3, 4], test=[5], groups=GROUPS)
    three_sided = fold.with_validation(GroupKFold(n_folds=3, seed=1))
    sides = (three_sided.train, three_sided.validation, three_sided.test)
    assert sorted(np.concatenate(sides).tolist()) == [0, 1, 2, 3, 4, 5]
    assert len(three_sided.validation) > 0
    assert not set(GROUPS.codes[three_sided.validation]) & set(GROUPS.codes[three_sided.train])
