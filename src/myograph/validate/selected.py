"""Which columns were taken in the folds, and how much alike the folds were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from myograph.features.select import Projection, nogueira
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.checkpoint import Outputs
from myograph.validate.fold import Fold

__all__ = ["selection_facts", "taken_in_fold"]

_TAKEN, _FACTS, _FIGURES, _NEW = (
    "selection.taken",
    "selection.facts",
    "selection.figures",
    "selection.new",
)


def taken_in_fold(pipeline: Pipeline) -> Outputs:
    """Return what the selection of one fitted pipeline took, as arrays; nothing without one."""
    selection = pipeline.fitted.selection
    if selection is None:
        return {}
    return {
        _TAKEN: np.array(pipeline.fitted.names_taken, dtype=np.str_),
        _FACTS: np.array(list(selection.facts_), dtype=np.str_),
        _FIGURES: np.array(list(selection.facts_.values()), dtype=np.float64),
        _NEW: np.array(isinstance(selection, Projection)),
    }


def selection_facts(
    config: Mapping[str, Any],
    names: Sequence[str],
    folds: Sequence[Fold],
    outputs: Sequence[Outputs],
) -> dict[str, Any]:
    """Sum up over the folds what was selected, as plain data; empty without a selection.

    Parameters
    ----------
    config : mapping
        The selection's definition.
    names : sequence of str
        Columns of the table.
    folds, outputs : sequences
        One entry per fold.

    Returns
    -------
    dict
        ``name``; ``of``: how many columns there were; ``taken``: mean, least and most over folds;
        ``folds``: names taken, by fold; ``figures``: means over folds of what the method tells of
        itself. Where columns are kept also ``columns``, the share of the folds that took each,
        and ``stability`` (`myograph.features.select.nogueira`), None for a single fold.
    """
    if not outputs or _TAKEN not in outputs[0]:
        return {}
    taken = [each[_TAKEN].tolist() for each in outputs]
    sizes = [len(each) for each in taken]
    told: dict[str, list[float]] = {}
    for each in outputs:
        for what, value in zip(each[_FACTS].tolist(), each[_FIGURES].tolist(), strict=True):
            told.setdefault(what, []).append(value)
    facts: dict[str, Any] = {
        "name": config["name"],
        "of": len(names),
        "taken": {"mean": float(np.mean(sizes)), "least": min(sizes), "most": max(sizes)},
        "folds": {fold.name: each for fold, each in zip(folds, taken, strict=True)},
        "figures": {what: float(np.mean(values)) for what, values in told.items()},
    }
    if not bool(outputs[0][_NEW]):
        supports = np.array([np.isin(np.array(names), each) for each in taken])
        share = supports.mean(axis=0)
        order = np.argsort(-share, kind="stable")
        facts["columns"] = {names[k]: float(share[k]) for k in order if share[k] > 0}
        facts["stability"] = nogueira(supports) if len(supports) > 1 else None
    return facts
