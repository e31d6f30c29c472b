"""Audits: what could make a score too good to be true, looked for on every run.

A fold cannot share a group between its sides (`myograph.validate.fold`). The audits look at what
a group does not show: people and repetitions behind other groups, raw samples behind windows,
copies of recordings behind other names, and knowledge of the test side in the training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.step import STEPS
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.validate.fold import Fold, Groups, Rows
from myograph.validate.result import Audit

__all__ = [
    "audit_adaptation",
    "audit_columns",
    "audit_copies",
    "audit_fitting",
    "audit_normalisation",
    "audit_people",
    "audit_repetitions",
    "audit_samples",
    "audited",
    "permute_labels",
]

#: What a fit on a fold gives back: a function from a table to predictions.
Predict = Callable[[FeatureTable], NDArray[np.float64]]
Fit = Callable[[FeatureTable, Fold], Predict]

#: Windows whose predictions are compared when the test side is poisoned.
_PROBES = 500
#: Two windows share samples when they overlap by more than rounding; well below one sample.
_TOLERANCE_S = 1e-6


def audit_people(index: WindowIndex, folds: Sequence[Fold], *, scope: str) -> Audit:
    """Look for people on both sides of a fold.

    A split within the person has each person on both sides, and says so.
    """
    people = Groups.of(index.subject)
    shared = _shared_names(people, folds)
    if not shared:
        return _clean("people", f"No person trains and is tested ({len(folds)} folds).")
    seen = f"{len(shared)} of {len(people.names)} people train and are tested"
    if scope != "across people":
        return _clean("people", f"{seen}, as declared: the scores hold {scope} only.")
    return _flagged(
        "people",
        f"{seen} ({_few(shared)}): the scores are not about people never seen. Hold out whole "
        "people (leave-one-subject-out, group-k-fold).",
    )


def audit_repetitions(index: WindowIndex, folds: Sequence[Fold], *, scope: str) -> Audit:
    """Look for one performance of a movement with windows on both sides of a fold.

    A split within the recording has them there, and says so.
    """
    repetitions = Groups.of(_repetition_names(index))
    shared = _shared_names(repetitions, folds)
    if not shared:
        text = f"None of {len(repetitions.names)} repetitions trains and is tested."
        return _clean("repetitions", text)
    if scope == "within recording":
        return _clean(
            "repetitions",
            f"{len(shared)} recordings train with their beginning and are tested with the rest, "
            "as declared: the scores say nothing about another recording.",
        )
    return _flagged(
        "repetitions",
        f"{len(shared)} of {len(repetitions.names)} repetitions have windows on both sides "
        f"({_few(shared)}): neighbouring windows are nearly the same, and the score shows "
        "memory, not skill. Hold out whole repetitions, sessions or people.",
    )


def audit_samples(index: WindowIndex, folds: Sequence[Fold]) -> Audit:
    """Look for raw samples of one recording in training and in test windows."""
    if (index.recording == "").any():
        return _flagged(
            "samples",
            "Some windows do not say which recording they were cut from, so shared samples "
            "cannot be ruled out; cut them from recordings (Windowing.cut).",
        )
    recordings = Groups.of(index.recording)
    overlapping = sum(_n_overlapping(index, recordings, fold) for fold in folds)
    if not overlapping:
        return _clean("samples", "No raw sample is in a training and a test window.")
    return _flagged(
        "samples",
        f"{overlapping} test windows contain samples that are also in training windows of the "
        "same fold. Hold out whole repetitions, or cut windows that do not overlap.",
    )


def audit_copies(index: WindowIndex) -> Audit:
    """Look for byte-identical recordings under two names."""
    if (index.recording == "").any():
        return _flagged(
            "copies",
            "Some windows do not say which recording they were cut from, so copies under other "
            "names cannot be ruled out; cut them from recordings (Windowing.cut).",
        )
    copies = _copies(index)
    if not copies:
        n = len(np.unique(index.recording))
        return _clean("copies", f"No two of {n} recordings under different names are equal.")
    return _flagged(
        "copies",
        f"{len(copies)} recordings are there under two names, byte for byte the same: "
        f"{_few(copies)}. Keep one of each and tell which was dropped.",
    )


def audit_normalisation(table: FeatureTable) -> Audit:
    """Look for features that were made with knowledge of all people before the split."""
    learned = [s.step for s in table.recipe.steps if s.step in STEPS and STEPS[s.step].learns]
    if learned:
        return _flagged(
            "normalisation",
            f"Steps {learned} learned from recordings before the split; put them into the "
            "pipeline, which is fitted inside each fold.",
        )
    if any(step.step == "selection" for step in table.recipe.steps):
        return _flagged(
            "normalisation",
            "Columns were selected or combined before the split, with the windows of all people; "
            "give the whole table and let the pipeline select (pipeline.selection), which is done "
            "again inside each fold.",
        )
    names = [
        name for name, column in zip(table.names, table.values.T, strict=True) if _is_z(column)
    ]
    if names:
        return _flagged(
            "normalisation",
            f"{len(names)} features have mean 0 and deviation 1 over all windows, test people "
            f"included ({_few(names)}): they were scaled before the split. Give unscaled "
            "features and let the pipeline scale them (scaling='standard').",
        )
    return _clean("normalisation", "No feature was scaled or learned before the split.")


def audit_columns(table: FeatureTable) -> Audit:
    """Look for columns that are the label under another name.

    A column with a single value in each class, and not the same in all, was not measured: it is the
    label, or tells some classes from the others. Neither was one that follows a numeric target to
    the last digit.
    """
    label = table.index.label
    told = _follows_number if label.dtype.kind == "f" else _codes_class
    names = [
        name
        for name, column in zip(table.names, table.values.T, strict=True)
        if told(column, label)
    ]
    if names:
        return _flagged(
            "columns",
            f"{len(names)} of {len(table.names)} columns come from the label ({_few(names)}): a "
            "single value in each class, or the target itself. Take them out of the table.",
        )
    return _clean("columns", "No column is the label under another name.")


def _codes_class(column: NDArray[np.float64], label: NDArray[np.str_]) -> bool:
    values, codes = np.unique(column, return_inverse=True)
    classes, shown = np.unique(label, return_inverse=True)
    if not 2 <= len(values) <= len(classes) < len(label):
        return False
    pairs = np.unique(np.stack([codes, shown]), axis=1)
    return pairs.shape[1] == len(classes)


def _follows_number(column: NDArray[np.float64], label: NDArray[np.float64]) -> bool:
    if len(label) < 4 or np.ptp(column) == 0 or np.ptp(label) == 0:
        return False
    return bool(abs(np.corrcoef(column, label)[0, 1]) > 1 - 1e-9)


def audited(folds: Sequence[Fold]) -> tuple[int, Rows]:
    """Return which fold `audit_fitting` looks at, and the training windows it asks about."""
    number = min(range(len(folds)), key=lambda k: len(folds[k].train))
    return number, _spread(folds[number].train, _PROBES)


def audit_fitting(
    fit: Fit,
    table: FeatureTable,
    folds: Sequence[Fold],
    *,
    seed: int,
    told: NDArray[np.float64] | None = None,
) -> Audit:
    """Fit again with everything outside the training side spoiled: nothing may change.

    The fold with the least to train on is fitted twice, on the true table and on one whose other
    rows hold wild numbers and shuffled labels; the predictions for training windows must be the
    same to the last bit. ``told`` are the predictions of a pipeline that was already fitted on
    the true table, for the windows of `audited`; then the first fit is spared.
    """
    number, rows = audited(folds)
    fold, probes = folds[number], table.take(rows)
    before = fit(table, fold)(probes) if told is None else told
    after = fit(_poisoned(table, fold, seed=seed), fold)(probes)
    if np.array_equal(before, after):
        return _clean(
            "fitting",
            f"Spoiling every window outside the training side of fold {fold.name!r} changed "
            "nothing in the fitted pipeline.",
        )
    return _flagged(
        "fitting",
        f"Spoiling the windows outside the training side of fold {fold.name!r} changed what the "
        "pipeline predicts for training windows: something is fitted, scaled or selected with "
        "test data, or differs from fit to fit for the same seed.",
    )


def audit_adaptation(scaling: str) -> Audit:
    """Declare what the model is given of the tested person besides the window itself."""
    if scaling == "person":
        return _clean(
            "adaptation",
            "Declared: features are scaled with each person's own unlabelled windows, tested "
            "people included. The scores are with unlabelled adaptation, not at first sight.",
        )
    return _clean("adaptation", "None: a tested window is judged without any other of it.")


def permute_labels(index: WindowIndex, *, seed: int) -> WindowIndex:
    """Deal the labels out again at random: what is learned from this is chance.

    Where every person has one label, people exchange labels. Otherwise each person's repetitions
    exchange theirs, so a person keeps their classes and a repetition stays of one label.
    """
    random = np.random.default_rng(seed)
    people = Groups.of(index.subject)
    names, codes = np.unique(index.label, return_inverse=True)
    per_person = [np.unique(codes[people.codes == p]) for p in range(len(people.names))]
    if all(len(labels) == 1 for labels in per_person):
        dealt = random.permutation(np.concatenate(per_person))
        return replace(index, label=names[dealt[people.codes]])
    units = Groups.of(_repetition_names(index))
    unit_label, unit_owner = np.zeros((2, len(units.names)), dtype=np.intp)
    unit_label[units.codes], unit_owner[units.codes] = codes, people.codes
    for person in range(len(people.names)):
        mine = np.flatnonzero(unit_owner == person)
        unit_label[mine] = unit_label[random.permutation(mine)]
    return replace(index, label=names[unit_label[units.codes]])


def _clean(name: str, text: str) -> Audit:
    return Audit(name, passed=True, text=text)


def _flagged(name: str, text: str) -> Audit:
    return Audit(name, passed=False, text=text)


def _repetition_names(index: WindowIndex) -> NDArray[np.str_]:
    """One performance of one movement: the file stands in where the repetition is not known."""
    where = np.where(index.trial == "", index.recording, index.trial)
    owner = np.char.add(index.groups("subject", "session"), "/")
    names = np.char.add(owner, where)
    if index.label.dtype.kind != "U":
        return names
    return np.char.add(np.char.add(names, "/"), index.label)


def _shared_names(groups: Groups, folds: Sequence[Fold]) -> list[str]:
    shared: set[str] = set()
    for fold in folds:
        seen_elsewhere = {*groups.present(fold.train), *groups.present(fold.validation)}
        shared |= seen_elsewhere.intersection(groups.present(fold.test))
        shared |= set(groups.present(fold.train)).intersection(groups.present(fold.validation))
    return sorted(shared)


def _n_overlapping(index: WindowIndex, recordings: Groups, fold: Fold) -> int:
    train, test = recordings.codes[fold.train], recordings.codes[fold.test]
    count = 0
    for code in np.intersect1d(train, test):
        train_rows, test_rows = fold.train[train == code], fold.test[test == code]
        order = train_rows[np.argsort(index.start_s[train_rows], kind="stable")]
        # Latest stop among the training windows that start no later than each one.
        latest = np.maximum.accumulate(index.stop_s[order])
        earlier = np.searchsorted(index.start_s[order], index.stop_s[test_rows] - _TOLERANCE_S)
        reached = np.concatenate([[-np.inf], latest])[earlier]
        count += int((reached > index.start_s[test_rows] + _TOLERANCE_S).sum())
    return count


def _copies(index: WindowIndex) -> list[str]:
    """Say, for each recording with two names, which names."""
    owners = _told_apart(index, index.groups("subject", "session"))
    moments = np.char.mod("%.6f", index.start_s)
    trials = Groups.of(index.groups("subject", "session", "trial"))
    # Repetitions of one recording may take turns, but not show the same moment.
    shown = Groups.of(np.char.add(index.groups("subject", "session", "recording"), moments))
    pairs = np.unique(np.column_stack([shown.codes, trials.codes]), axis=0)
    twice = np.flatnonzero(pairs[1:, 0] == pairs[:-1, 0])
    names = [(trials.names[pairs[k, 1]], trials.names[pairs[k + 1, 1]]) for k in twice]
    return sorted({f"{one} = {other}" for one, other in (*owners, *names)})


def _told_apart(index: WindowIndex, owner: NDArray[np.str_]) -> list[tuple[str, str]]:
    """Return pairs of owners who have the same stretch of one recording.

    A file that was cut into sessions has one digest as well, but its stretches follow each other.
    """
    recordings, owners = Groups.of(index.recording), Groups.of(owner)
    keys, which = np.unique(
        np.column_stack([recordings.codes, owners.codes]), axis=0, return_inverse=True
    )
    first_s, last_s = np.full(len(keys), np.inf), np.full(len(keys), -np.inf)
    np.minimum.at(first_s, which.ravel(), index.start_s)
    np.maximum.at(last_s, which.ravel(), index.stop_s)
    order = np.lexsort([first_s, keys[:, 0]])
    found = []
    for one, other in pairwise(order):
        if keys[one, 0] == keys[other, 0] and first_s[other] < last_s[one] - _TOLERANCE_S:
            found.append((owners.names[keys[one, 1]], owners.names[keys[other, 1]]))
    return found


def _is_z(column: NDArray[np.float64]) -> bool:
    return len(column) > 2 and abs(column.mean()) < 1e-6 and abs(column.std() - 1) < 1e-6


def _poisoned(table: FeatureTable, fold: Fold, *, seed: int) -> FeatureTable:
    random = np.random.default_rng(seed)
    outside = np.setdiff1d(np.arange(len(table)), fold.train)
    values, label = table.values.copy(), table.index.label.copy()
    scale = 1e3 * (np.abs(values).max(axis=0) + 1)
    values[outside] = random.standard_normal((len(outside), values.shape[1])) * scale
    label[outside] = random.permutation(label[outside])
    return replace(table, values=values, index=replace(table.index, label=label))


def _spread(rows: Rows, most: int) -> Rows:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.intp))]


def _few(names: Sequence[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:3])
    return f"{shown}, ..." if len(names) > 3 else shown
