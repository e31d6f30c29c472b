"""Splits: what each holds out, and what it refuses."""

import numpy as np
import pytest

from myograph.core.errors import DataError, ParameterError
from myograph.core.windows import WindowIndex
from myograph.validate.splits import SPLITS, make_split, natural_order


def sides(split, index, column):
    return [
        (
            sorted(set(getattr(index, column)[fold.train])),
            sorted(set(getattr(index, column)[fold.test])),
        )
        for fold in split.folds(index)
    ]


def test_leave_one_subject_out(make_index):
    index = make_index(people=3)
    found = sides(make_split("leave-one-subject-out"), index, "subject")
    assert found == [
        (["p01", "p02"], ["p00"]),
        (["p00", "p02"], ["p01"]),
        (["p00", "p01"], ["p02"]),
    ]


def test_another_seed_deals_other_folds(make_index):
    index = make_index(people=12)
    dealt = {
        str(sides(make_split("group-k-fold", n_folds=4, seed=seed), index, "subject"))
        for seed in range(4)
    }
    assert len(dealt) == 4


def test_folds_are_of_about_equally_many_people(make_index):
    folds = sides(make_split("group-k-fold", n_folds=3), make_index(people=11), "subject")
    assert sorted(len(test) for _, test in folds) == [3, 4, 4]


def test_hold_out_shares(make_index):
    index = make_index(people=10)
    (fold,) = make_split("hold-out", test=0.3, validation=0.2).folds(index)
    counted = [len(set(index.subject[rows])) for rows in (fold.train, fold.validation, fold.test)]
    assert counted == [5, 2, 3]


def test_repetitions_are_held_out_of_every_session(make_index):
    index = make_index(people=1, sessions=2, trials=2)
    folds = make_split("repetition").folds(index)
    assert [fold.name for fold in folds] == ["p00: repetition 1", "p00: repetition 2"]
    assert set(index.session[folds[0].test]) == {"1", "2"}
    assert set(index.trial[folds[0].test]) == {"1"}


def test_repetitions_per_session_train_on_that_session_alone(make_index):
    index = make_index(people=1, sessions=2, trials=2)
    folds = make_split("repetition", per="session").folds(index)
    assert len(folds) == 4
    for fold in folds:
        assert len(set(index.session[np.concatenate([fold.train, fold.test])])) == 1


def test_named_repetitions(make_index):
    index = make_index(people=2, trials=4)
    found = sides(make_split("repetition", train=["1", "2", "3"]), index, "trial")
    assert found == [(["1", "2", "3"], ["4"])] * 2
    found = sides(make_split("repetition", train=["4"], test=["1"]), index, "trial")
    assert found == [(["4"], ["1"])] * 2


def test_last_repetition_counts_numbers(make_index):
    index = make_index(people=1, trials=11)
    found = sides(make_split("repetition", hold_out="last"), index, "trial")
    assert found[0][1] == ["11"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("first", [(["1"], ["2", "3"])]),
        ("earlier", [(["1"], ["2"]), (["1", "2"], ["3"])]),
        ("each", [(["2", "3"], ["1"]), (["1", "3"], ["2"]), (["1", "2"], ["3"])]),
    ],
)
def test_session_orders(make_index, order, expected):
    index = make_index(people=1, sessions=3)
    assert sides(make_split("session", order=order), index, "session") == expected


def test_time_cuts_every_recording_and_drops_what_reaches_over():
    starts = np.arange(0, 10, 0.5)  # windows of 1 s, every half second, to 10.5 s
    index = WindowIndex.of(
        20, subject="a", trial="1", recording="r", start_s=starts, stop_s=starts + 1
    )
    (fold,) = make_split("time", train=6 / 10.5).folds(index)
    assert index.stop_s[fold.train].max() == 6.0
    assert index.start_s[fold.test].min() == 6.0
    assert len(fold.train) + len(fold.test) == 19
    with pytest.raises(ParameterError, match=r"train must lie in \(0, 1\); got 1"):
        make_split("time", train=1)


def test_later_sessions_are_later_by_number():
    assert natural_order(np.array(["day-12", "day-2", "day-1"])) == ("day-1", "day-2", "day-12")
    assert natural_order(np.array(["b", "10", "a1", "9"])) == ("9", "10", "a1", "b")


def test_people_at_several_sites(make_index):
    index = make_index(people=3, sessions=2)
    moved = WindowIndex.of(
        len(index),
        **{
            name: getattr(index, name)
            for name in ("subject", "session", "trial", "recording", "start_s", "stop_s", "label")
        },
        site=np.where(index.session == "2", "b", "a"),
    )
    stay = np.where(index.subject == "p00", "a", moved.site)
    moved = WindowIndex.of(
        len(index), **{**{n: getattr(moved, n) for n in moved.__dataclass_fields__}, "site": stay}
    )
    with pytest.raises(DataError, match=r"2 people were recorded at site 'a' and elsewhere"):
        make_split("leave-site-out").folds(moved)
    dropped = make_split("leave-site-out", shared_people="drop")
    with pytest.raises(DataError, match="has no windows to train on"):
        dropped.folds(moved)


@pytest.mark.parametrize(
    ("name", "parameters", "people", "message"),
    [
        (
            "leave-one-subject-out",
            {},
            1,
            r"needs at least 2 people; the data have 1: \['p00'\].*another split \(leave-site-out",
        ),
        ("group-k-fold", {"n_folds": 5}, 3, "needs at least 5 people; the data have 3"),
        ("group-k-fold", {"n_folds": 2, "group": "site"}, 1, "needs at least 2 sites"),
        ("hold-out", {}, 2, "needs at least 3 people; the data have 2"),
        ("hold-out", {"test": 0.5, "validation": 0.45}, 3, "leave none to train on"),
        ("leave-site-out", {}, 1, "needs at least 2 sites; the data have 1"),
        ("repetition", {"n_folds": 5}, 2, "needs at least 5 repetitions of p00; the data have 3"),
        ("repetition", {"train": ["7"]}, 2, r"p00 has no repetition named \['7'\]"),
        ("repetition", {"train": ["1", "2", "3"]}, 2, "p00 has no other repetition to test"),
        ("session", {}, 2, "needs at least 2 sessions of p00; the data have 1"),
        ("session", {"train": ["1"], "test": ["2"]}, 2, r"p00 has no session named \['2'\]"),
    ],
)
def test_too_few_groups(make_index, name, parameters, people, message):
    with pytest.raises(DataError, match=message):
        make_split(name, **parameters).folds(make_index(people=people))


def test_no_windows(make_index):
    empty = make_index().take(np.array([], dtype=int))
    for name in SPLITS:
        with pytest.raises(DataError, match=f"There are no windows to split by '{name}'"):
            make_split(name).folds(empty)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("leave-one-subject-out", "subject"),
        ("repetition", "trial"),
        ("session", "session"),
        ("leave-site-out", "site"),
    ],
)
def test_unnamed_groups(name, column):
    columns = dict.fromkeys(("subject", "session", "trial", "site"), "x") | {column: ["", "x"]}
    index = WindowIndex.of(2, **columns, start_s=0.0, stop_s=1.0)
    with pytest.raises(DataError, match=f"1 of 2 windows have no {column}, which split"):
        make_split(name).folds(index)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("leave-one-subjct-out", {}, "Did you mean 'leave-one-subject-out'.*named by its .json"),
        ("group-k-fold", {"folds": 3}, "parameter of split 'group-k-fold' must be one of"),
        ("group-k-fold", {"n_folds": 1}, "n_folds must be at least 2; got 1"),
        ("group-k-fold", {"group": "person"}, "group must be one of"),
        ("hold-out", {"test": 0.6, "validation": 0.4}, "their sum below 1"),
        ("repetition", {"hold_out": "first"}, "hold_out must be one of"),
        ("repetition", {"test": ["1"]}, "train must name some as well"),
        ("session", {"train": ["1"], "test": ["1", "2"]}, r"both name the sessions \['1'\]"),
        ("leave-site-out", {"shared_people": "keep"}, "shared_people must be one of"),
    ],
)
def test_bad_parameters(name, parameters, message):
    with pytest.raises(ParameterError, match=message):
        make_split(name, **parameters)
