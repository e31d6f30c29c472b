"""Laws that every split owes, on random indices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myograph.core.windows import WindowIndex
from myograph.validate.manifest import SplitManifest
from myograph.validate.splits import SPLITS, make_split

# Parameters to try, and what together is tested exactly once (None: not everything is).
CASES = {
    "leave-one-subject-out": [({}, "subject")],
    "leave-site-out": [({"shared_people": "drop"}, "site")],
    "group-k-fold": [
        ({"n_folds": 2, "seed": 3}, "subject"),
        ({"n_folds": 3, "group": "trial"}, "trial"),
        ({"n_folds": 2, "group": "session"}, "session"),
        ({"n_folds": 2, "group": "site"}, "site"),
        ({"n_folds": 3, "group": "recording", "seed": 1}, "recording"),
    ],
    "hold-out": [({"seed": 5}, None), ({"validation": 0.0, "group": "session"}, None)],
    "repetition": [
        ({}, "trial"),
        ({"n_folds": 2}, "trial"),
        ({"hold_out": "last"}, None),
        ({"per": "session"}, "trial"),
        ({"train": ["1"]}, None),
    ],
    "session": [
        ({"order": "each"}, "session"),
        ({}, None),
        ({"order": "earlier"}, None),
        ({"train": ["2"], "test": ["1"]}, None),
    ],
    "time": [({"train": 0.5}, None)],
}
ALL = [(name, *case) for name, cases in CASES.items() for case in cases]


@st.composite
def indices(draw) -> WindowIndex:
    """People at two sites with sessions and repetitions; windows missing at random, shuffled."""
    n_people = draw(st.integers(3, 5))
    n_sessions = draw(st.integers(2, 3))
    n_trials = draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    owners = [
        (f"p{p}", str(s + 1), str(t + 1), f"site {p % 2}")
        for p in range(n_people)
        for s in range(n_sessions)
        for t in range(n_trials)
        for _ in range(random.integers(2, 5))
    ]
    random.shuffle(owners)
    subject, session, trial, site = (list(column) for column in zip(*owners, strict=True))
    n = len(owners)
    # A window at the start and one at the end of every repetition, some in between.
    first = [k == 0 or owners[k] not in owners[:k] for k in range(n)]
    start = np.where(first, 0.0, random.choice([10.0, 50.0, 99.0], n))
    return WindowIndex.of(
        n,
        subject=subject,
        session=session,
        trial=trial,
        site=site,
        recording=[f"{a}{b}{c}" for a, b, c in zip(subject, session, trial, strict=True)],
        start_s=start,
        stop_s=start + 1,
        label=random.choice(["a", "b"], n),
    )


def units(index: WindowIndex, what: str) -> np.ndarray:
    columns = {"session": ("subject", "session"), "trial": ("subject", "session", "trial")}
    return index.groups(*columns.get(what, (what,)))


def test_every_split_has_a_case():
    assert set(CASES) == set(SPLITS)


@pytest.mark.parametrize(("name", "parameters", "tested_once"), ALL, ids=str)
@given(index=indices())
@settings(max_examples=25, deadline=None)
def test_laws(name, parameters, tested_once, index):
    split = make_split(name, **parameters)
    folds = split.folds(index)
    for fold in folds:
        sides = (fold.train, fold.validation, fold.test)
        rows = np.concatenate(sides)
        assert len(np.unique(rows)) == len(rows)
        assert len(fold.train) > 0
        assert len(fold.test) > 0
        if split.scope == "within recording":
            assert index.stop_s[fold.train].max() <= index.start_s[fold.test].min() + 1e-6
        else:
            groups = [set(units(index, "trial")[side]) for side in sides]
            assert not groups[0] & groups[2]
            assert not groups[0] & groups[1]
            assert not groups[1] & groups[2]
        people = [set(index.subject[side]) for side in sides]
        if split.scope == "across people":
            assert not (people[0] | people[1]) & people[2]
        if name in ("repetition", "session"):
            assert people[0] == people[2]
            assert len(people[0]) == 1
    if tested_once is not None:
        tested = np.concatenate([fold.test for fold in folds])
        assert sorted(tested.tolist()) == list(range(len(index)))
        names = [set(units(index, tested_once)[fold.test]) for fold in folds]
        assert sum(len(each) for each in names) == len(set(units(index, tested_once)))


@pytest.mark.parametrize(("name", "parameters", "_"), ALL, ids=str)
@given(index=indices())
@settings(max_examples=10, deadline=None)
def test_the_same_split_gives_the_same_folds_and_its_manifest_too(name, parameters, _, index):
    split, again = make_split(name, **parameters), make_split(name, **parameters)
    manifest = split.manifest(index)
    rebuilt = SplitManifest.from_dict(manifest.to_dict())
    assert rebuilt.digest() == manifest.digest()
    every = zip(
        split.folds(index), split.folds(index), again.folds(index), rebuilt.rows(index), strict=True
    )
    for first, *others in every:
        for other in others:
            assert other.name == first.name
            for side in ("train", "validation", "test"):
                np.testing.assert_array_equal(getattr(other, side), getattr(first, side))


@pytest.mark.parametrize("name", ["leave-one-subject-out", "group-k-fold"])
@given(index=indices(), seed=st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_inner_folds_partition_the_training_side_by_people(name, index, seed):
    parameters = {"n_folds": 3, "seed": seed} if name == "group-k-fold" else {}
    inner_split = make_split("group-k-fold", n_folds=2, seed=seed)
    for fold in make_split(name, **parameters).folds(index):
        if len(set(index.subject[fold.train])) < 2:
            continue
        inner = fold.inner(inner_split)
        tested = np.concatenate([each.test for each in inner])
        assert sorted(tested.tolist()) == fold.train.tolist()
        for each in inner:
            assert not set(index.subject[each.train]) & set(index.subject[each.test])
