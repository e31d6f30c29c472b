"""Each audit is shown what it is there to find, and the same data without it."""

from dataclasses import replace

import numpy as np
import pytest

from myograph.core.recipe import Recipe
from myograph.core.step import STEPS
from myograph.core.windows import WindowIndex
from myograph.validate import leakage
from myograph.validate.fold import Fold, Groups
from myograph.validate.splits import make_split


def window_folds(index, n_folds=5, seed=0):
    """The split nobody should use: windows dealt at random."""
    order = np.random.default_rng(seed).permutation(len(index))
    windows = Groups.of([f"{k:06d}" for k in range(len(index))])
    return [
        Fold(f"{k}", np.setdiff1d(order, part), part, windows)
        for k, part in enumerate(np.array_split(order, n_folds))
    ]


def test_people_on_both_sides(make_index):
    index = make_index()
    across = make_split("leave-one-subject-out").folds(index)
    assert leakage.audit_people(index, across, scope="across people").passed
    found = leakage.audit_people(index, window_folds(index), scope="across people")
    assert not found.passed
    assert "4 of 4 people train and are tested (p00, p01, p02, ...)" in found.text
    within = make_split("repetition").folds(index)
    declared = leakage.audit_people(index, within, scope="within person")
    assert declared.passed
    assert "as declared" in declared.text


def test_repetitions_on_both_sides(make_index):
    index = make_index()
    for name in ("leave-one-subject-out", "repetition"):
        folds = make_split(name).folds(index)
        assert leakage.audit_repetitions(index, folds, scope="across people").passed
    found = leakage.audit_repetitions(index, window_folds(index), scope="across people")
    assert not found.passed
    assert "36 of 36 repetitions" in found.text


def test_one_recording_on_both_sides_is_declared(make_index):
    index = make_index(trials=1, labels=("fist",), windows=9)
    folds = make_split("time").folds(index)
    found = leakage.audit_repetitions(index, folds, scope="within recording")
    assert found.passed
    assert "say nothing about another recording" in found.text
    assert (
        "within recording only" in leakage.audit_people(index, folds, scope="within recording").text
    )


def test_files_stand_in_for_unknown_repetitions(make_index):
    index = replace(make_index(), trial=np.full(len(make_index()), ""))
    assert not leakage.audit_repetitions(index, window_folds(index), scope="across people").passed
    folds = make_split("leave-one-subject-out").folds(index)
    assert leakage.audit_repetitions(index, folds, scope="across people").passed


def test_shared_raw_samples_are_counted():
    # Windows of 0.2 s every 0.1 s: the third overlaps the second, the fourth only touches it.
    starts = np.array([0.0, 0.1, 0.2, 0.3])
    index = WindowIndex.of(4, recording="r", start_s=starts, stop_s=starts + 0.2, label="a")
    alone = Groups.of(list("abcd"))
    overlapping = [Fold("f", [0, 1], [2, 3], alone)]
    found = leakage.audit_samples(index, overlapping)
    assert not found.passed
    assert found.text.startswith("1 test windows contain samples")
    assert leakage.audit_samples(index, [Fold("f", [0, 1], [3], alone)]).passed
    elsewhere = replace(index, recording=np.array(["r", "r", "s", "s"]))
    assert leakage.audit_samples(elsewhere, overlapping).passed


@pytest.mark.parametrize("seed", range(5))
def test_shared_samples_are_those_of_a_plain_count(seed):
    random = np.random.default_rng(seed)
    n = 60
    starts = random.uniform(0, 20, n)
    index = WindowIndex.of(
        n,
        recording=random.choice(["r", "s"], n),
        start_s=starts,
        stop_s=starts + random.uniform(0.05, 2, n),
    )
    train, test = np.split(random.permutation(n), 2)
    fold = Fold("f", train, test, Groups.of([f"{k:02d}" for k in range(n)]))
    plain = sum(
        any(
            index.recording[i] == index.recording[j]
            and index.start_s[i] < index.stop_s[j]
            and index.start_s[j] < index.stop_s[i]
            for i in train
        )
        for j in test
    )
    found = leakage.audit_samples(index, [fold])
    assert found.passed == (plain == 0)
    if plain:
        assert found.text.startswith(f"{plain} test windows")


def test_a_recording_under_two_people_is_found(make_index):
    index = make_index()
    assert leakage.audit_copies(index).passed
    digest = np.where(index.subject == "p03", "p00-1", index.recording)
    found = leakage.audit_copies(replace(index, recording=digest))
    assert not found.passed
    assert "1 recordings are there under two names" in found.text
    assert "p00/1 = p03/1" in found.text


def test_one_file_cut_into_sessions_is_no_copy(make_index):
    index = make_index(people=1, trials=4)
    later = np.where(index.start_s >= np.median(index.start_s), "2", "1")
    assert leakage.audit_copies(replace(index, session=later)).passed
    mixed = np.where(np.arange(len(index)) % 2 == 0, "1", "2")
    found = leakage.audit_copies(replace(index, session=mixed))
    assert not found.passed
    assert "p00/1 = p00/2" in found.text


def test_a_recording_under_two_repetitions_is_found():
    # One file per repetition, each with a clock that starts at 0; "3" is a copy of "1".
    index = WindowIndex.of(
        6,
        subject="a",
        session="1",
        trial=list("112233"),
        recording=["x", "x", "y", "y", "x", "x"],
        start_s=[0.0, 0.1] * 3,
        stop_s=[0.2, 0.3] * 3,
        label="fist",
    )
    found = leakage.audit_copies(index)
    assert not found.passed
    assert "a/1/1 = a/1/3" in found.text
    assert leakage.audit_copies(index.take(np.arange(4))).passed


@pytest.mark.parametrize("audit", ["audit_samples", "audit_copies"])
def test_unknown_sources_are_not_taken_for_clean(make_index, audit):
    index = make_index()
    unknown = replace(index, recording=np.full(len(index), ""))
    folds = [make_split("leave-one-subject-out").folds(index)]
    found = getattr(leakage, audit)(unknown, *(folds if audit == "audit_samples" else []))
    assert not found.passed
    assert "cannot be ruled out" in found.text


def test_scaling_before_the_split_is_found(make_index, make_table):
    table = make_table(make_index())
    assert leakage.audit_normalisation(table).passed
    scaled = (table.values - table.values.mean(axis=0)) / table.values.std(axis=0)
    found = leakage.audit_normalisation(replace(table, values=scaled))
    assert not found.passed
    assert "8 features have mean 0 and deviation 1" in found.text


def test_steps_that_learned_before_the_split_are_found(make_index, make_table, monkeypatch):
    class Learned:
        learns = True

    monkeypatch.setitem(STEPS._entries, "learned-gain", Learned)
    table = replace(make_table(make_index()), recipe=Recipe().then("learned-gain", {}))
    found = leakage.audit_normalisation(table)
    assert not found.passed
    assert "['learned-gain'] learned from recordings before the split" in found.text


def nearest_mean(values, labels):
    classes = np.unique(labels)
    means = np.array([values[labels == name].mean(axis=0) for name in classes])
    return lambda table: -((table.values[:, None] - means) ** 2).sum(axis=2)


def honest(table, fold):
    train = table.take(fold.train)
    return nearest_mean(train.values, train.index.label)


def scaled_by_everyone(table, fold):
    centre, spread = table.values.mean(axis=0), table.values.std(axis=0)
    train = table.take(fold.train)
    inner = nearest_mean((train.values - centre) / spread, train.index.label)
    return lambda probes: inner(replace(probes, values=(probes.values - centre) / spread))


def selected_by_everyone(table, fold):
    codes = np.unique(table.index.label, return_inverse=True)[1]
    best = np.argsort([-abs(np.corrcoef(column, codes)[0, 1]) for column in table.values.T])[:2]
    train = table.take(fold.train)
    kept = np.zeros(table.values.shape[1])
    kept[best] = 1
    inner = nearest_mean(train.values * kept, train.index.label)
    return lambda probes: inner(replace(probes, values=probes.values * kept))


def fitted_on_the_test_side_too(table, fold):
    return nearest_mean(table.values, table.index.label)


@pytest.mark.parametrize(
    ("fit", "passed"),
    [
        (honest, True),
        (scaled_by_everyone, False),
        (selected_by_everyone, False),
        (fitted_on_the_test_side_too, False),
    ],
)
def test_knowledge_of_the_test_side_is_found(make_index, make_table, fit, passed):
    table = make_table(make_index())
    folds = make_split("leave-one-subject-out").folds(table.index)
    found = leakage.audit_fitting(fit, table, folds, seed=0)
    assert found.passed is passed


@pytest.mark.parametrize(("scored", "passed"), [(honest, True), (scaled_by_everyone, False)])
def test_what_a_scored_pipeline_said_spares_one_of_the_two_fits(
    make_index, make_table, scored, passed
):
    table = make_table(make_index())
    folds = make_split("leave-one-subject-out").folds(table.index)
    number, rows = leakage.audited(folds)
    assert np.isin(rows, folds[number].train).all()
    told, fits = scored(table, folds[number])(table.take(rows)), []

    def fit(spoiled, fold):
        fits.append(fold)
        return scored(spoiled, fold)

    found = leakage.audit_fitting(fit, table, folds, seed=0, told=told)
    assert found.passed is passed
    assert fits == [folds[number]]
    other = leakage.audit_fitting(fit, table, folds, seed=0, told=np.nextafter(told, np.inf))
    assert not other.passed


def test_a_column_that_is_the_label_is_found(make_index, make_table):
    index = make_index()
    table = make_table(index)
    assert leakage.audit_columns(table).passed
    values = np.array(table.values)
    values[:, 5] = 10.0 - 3 * np.unique(index.label, return_inverse=True)[1]
    told = leakage.audit_columns(replace(table, values=values))
    assert not told.passed
    assert "1 of 8 columns come from the label (emg2.zc)" in told.text
    values[:, 5] = index.label == "rest"  # tells one class from the others: a label all the same
    assert not leakage.audit_columns(replace(table, values=values)).passed
    values[0, 5] += 0.5  # a single window that says otherwise: measured, however well it tells
    assert leakage.audit_columns(replace(table, values=values)).passed


def test_a_column_that_follows_the_number_is_found(make_index, make_table):
    index = make_index()
    target = np.random.default_rng(1).uniform(0, 10, len(index))
    numbers = replace(index, label=target)
    table = make_table(numbers, signal=0.5)
    assert leakage.audit_columns(table).passed
    values = np.array(table.values)
    values[:, 2] = 3.0 - 0.25 * target
    told = leakage.audit_columns(replace(table, values=values))
    assert not told.passed
    assert "emg1.ssc" in told.text


def test_adaptation_is_declared():
    assert "unlabelled adaptation" in leakage.audit_adaptation("person").text
    assert leakage.audit_adaptation("standard").text.startswith("None")


def test_labels_of_repetitions_are_permuted_within_the_person(make_index):
    index = make_index()
    permuted = leakage.permute_labels(index, seed=1)
    assert (permuted.label != index.label).any()
    whole = np.char.add(index.groups("subject", "trial"), index.label)
    for unit in np.unique(whole):
        assert len(set(permuted.label[whole == unit])) == 1
    for person in np.unique(index.subject):
        mine = index.subject == person
        assert sorted(permuted.label[mine]) == sorted(index.label[mine])
    np.testing.assert_array_equal(permuted.label, leakage.permute_labels(index, seed=1).label)


def test_labels_of_people_are_permuted_among_people(make_index):
    index = make_index(people=8)
    ill = np.where(np.isin(index.subject, ["p01", "p03", "p05"]), "ill", "well")
    permuted = leakage.permute_labels(replace(index, label=ill), seed=0)
    of_person = {
        person: set(permuted.label[index.subject == person]) for person in np.unique(index.subject)
    }
    assert all(len(labels) == 1 for labels in of_person.values())
    assert sum(labels == {"ill"} for labels in of_person.values()) == 3
    assert (permuted.label != ill).any()
