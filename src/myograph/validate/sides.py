"""The two sides of folds: which classes they show, and what a reader has to know about that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myograph.core.errors import DataError
from myograph.core.windows import WindowIndex
from myograph.validate.checkpoint import Outputs
from myograph.validate.fold import Fold
from myograph.validate.foldrun import NOTES

__all__ = ["check_training_sides", "classes_of", "side_notes"]

#: Below this many people the bootstrap is known to be too narrow.
_FEW_PEOPLE = 10


def classes_of(index: WindowIndex) -> tuple[str, ...]:
    """Return the classes, none for a numeric target; refuse what no classifier can learn from."""
    if index.label.dtype.kind != "U":
        return ()
    unlabelled = int((index.label == "").sum())
    if unlabelled:
        raise DataError(
            f"{unlabelled} of {len(index)} windows have no label; an evaluation needs to know "
            "what is right. Cut labelled windows (windowing.label_sources)."
        )
    classes = tuple(np.unique(index.label).tolist())
    if len(classes) < 2:
        raise DataError(
            f"All {len(index)} windows show one class, {classes[0]!r}; telling classes apart "
            "needs at least 2. Check the labels and the rest policy (windowing.rest)."
        )
    return classes


def check_training_sides(
    index: WindowIndex, folds: Sequence[Fold], classes: tuple[str, ...]
) -> None:
    """Refuse a fold with nothing to tell apart, before any other fold is fitted."""
    if not classes:
        return
    for fold in folds:
        shown = np.unique(index.label[fold.train])
        if len(shown) == 1:
            people = np.unique(index.subject[fold.train])
            raise DataError(
                f"Fold {fold.name!r} would train on one class, {str(shown[0])!r} "
                f"({len(fold.train)} windows of {len(people)} "
                f"{'person' if len(people) == 1 else 'people'}); telling classes apart needs at "
                "least 2 on the training side of every fold. Add people who show other classes, "
                "or choose another split (group-k-fold, repetition)."
            )


def side_notes(
    outputs: Sequence[Outputs],
    index: WindowIndex,
    folds: Sequence[Fold],
    classes: tuple[str, ...],
) -> tuple[str, ...]:
    """Say what a reader has to know of few people, of one class, or of classes not learned."""
    told = list(dict.fromkeys(note for each in outputs for note in each[NOTES].tolist()))
    untrained = [
        (fold.name, np.setdiff1d(index.label[fold.test], index.label[fold.train]).tolist())
        for fold in folds
        if classes
    ]
    n_people = len({person for fold in folds for person in index.subject[fold.test].tolist()})
    if n_people == 1:
        told.append(
            "One person was tested: intervals run over their repetitions, and the scores say "
            "nothing about other people."
        )
    elif n_people < _FEW_PEOPLE:
        told.append(
            f"{n_people} people were tested: a bootstrap over so few is narrower than it should be."
        )
    missing = [(name, labels) for name, labels in untrained if labels]
    if missing:
        name, labels = missing[0]
        told.append(
            f"{len(missing)} of {len(folds)} folds test classes that their training side does not "
            f"show, which counts as wrong (fold {name!r}: {labels})."
        )
    alone = _of_one_class(index, folds) if classes else []
    if alone:
        told.append(
            f"{len(alone)} of {n_people} people show one class only ({', '.join(alone[:5])}"
            f"{', ...' if len(alone) > 5 else ''}): their scores are about that class alone, and "
            "areas under curves leave them out."
        )
    return tuple(told)


def _of_one_class(index: WindowIndex, folds: Sequence[Fold]) -> list[str]:
    """Return the tested people who show one class; none where every person is one case."""
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    people, labels = index.subject[tested], index.label[tested]
    shown = {
        person: len(np.unique(labels[people == person])) for person in np.unique(people).tolist()
    }
    alone = [person for person, many in shown.items() if many == 1]
    return alone if len(alone) < len(shown) else []
