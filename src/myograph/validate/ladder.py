"""The ladder: what is reached with little effort, on the same folds, beside every model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.errors import DataError
from myograph.core.table import FeatureTable
from myograph.models import MODELS
from myograph.validate.compare import Comparison, compare_models

__all__ = ["MODEL", "Rung", "build_ladder", "compare_rungs"]

#: Name of the evaluated pipeline among the rungs.
MODEL = "model"
#: What the field's plain method measures (Hudgins and others, 1993).
_TIME_DOMAIN = ("mav", "zc", "ssc", "wl")
#: Enough trees and windows for a figure that stands, few enough for every run to have it.
_FOREST = {"n_trees": 100, "max_windows": 5000}


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One pipeline and the table it learns from."""

    name: str
    config: PipelineConfig
    table: FeatureTable


def build_ladder(
    config: PipelineConfig,
    table: FeatureTable,
    *,
    baselines: bool,
    given: FeatureTable | None = None,
) -> tuple[tuple[Rung, ...], tuple[str, ...]]:
    """Return the model's rung and its baselines, and notes about rungs that had to be left out.

    Baselines scale features as the model does, so that a gain is the model's and not that of
    having seen the person's unlabelled windows.

    Parameters
    ----------
    config : PipelineConfig
    table : FeatureTable
    baselines : bool
        False leaves the model alone.
    given : FeatureTable, optional
        Time-domain features of the same windows.

    Raises
    ------
    DataError
        If ``given`` is about other windows.
    """
    rungs = [Rung(MODEL, config, table)]
    if not baselines:
        return tuple(rungs), ()
    classes = table.index.label.dtype.kind == "U"
    plain, notes = _plain_table(table, given)
    if config.selection is not None:
        # What the selection is worth: the same pipeline with every column.
        every = config.answering().model_copy(update={"selection": None})
        rungs.append(Rung("all-columns", every, table))
    if classes:
        rungs.append(_rung("majority", config, table, model="majority"))
        if plain is not None:
            rungs.append(_rung("lda-td", config, plain, model="lda"))
        whole = MODELS[config.model.name].eats == "windows"
        seen = plain if whole else table  # a forest of samples would be a straw man
        if seen is not None:
            rungs.append(_rung("random-forest", config, seen, model="random-forest", **_FOREST))
    else:
        if "mean" in MODELS:
            rungs.append(_rung("mean", config, table, model="mean"))
        if plain is not None:
            rungs.append(_rung("ridge-td", config, plain, model="ridge"))
    return tuple(rungs), notes


def compare_rungs(
    people: Mapping[str, Mapping[str, float]], *, seed: int
) -> tuple[Comparison, ...]:
    """Test the model against every baseline, corrected for their number (Holm).

    Parameters
    ----------
    people : mapping of str to mapping of str to float
        Rung, then person; NaN where a person has no score.
    seed : int

    Returns
    -------
    tuple of Comparison
        The model first. Empty where fewer than two people have a score by both.
    """
    ours = people[MODEL]

    def shared(scores: Mapping[str, float]) -> int:
        return sum(math.isfinite(ours[name]) and math.isfinite(scores[name]) for name in ours)

    known = {name: scores for name, scores in people.items() if shared(scores) >= 2}
    if len(known) < 2:
        return ()
    return tuple(each.turned() for each in compare_models(known, reference=MODEL, seed=seed))


def _rung(
    name: str, config: PipelineConfig, table: FeatureTable, *, model: str, **params: int
) -> Rung:
    # What only refuses changes no probability; only ours pays for it.
    plain = {"model": ModelConfig(name=model, params=dict(params)), "selection": None}
    return Rung(name, config.answering().model_copy(update=plain), table)


def _plain_table(
    table: FeatureTable, given: FeatureTable | None
) -> tuple[FeatureTable | None, tuple[str, ...]]:
    if given is not None:
        same = len(given) == len(table) and all(
            np.array_equal(getattr(given.index, name), getattr(table.index, name))
            for name in ("subject", "recording", "start_s", "label")
        )
        if not same:
            raise DataError(
                "The baseline table is about other windows than the evaluated table; measure "
                "both on the same windows."
            )
        return given, ()
    measured = [name.rpartition(".")[2] for name in table.names]
    missing = [name for name in _TIME_DOMAIN if name not in measured]
    if missing:
        return None, (
            f"The time-domain baseline was left out of the ladder: the features lack {missing}.",
        )
    columns = [k for k, name in enumerate(measured) if name in _TIME_DOMAIN]
    if len(columns) == len(table.names):
        return table, ()
    return FeatureTable(
        table.values[:, columns],
        tuple(table.names[k] for k in columns),
        tuple(table.units[k] for k in columns),
        table.index,
        table.layout,
        table.recipe,
    ), ()
