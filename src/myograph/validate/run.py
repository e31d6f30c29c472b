"""Evaluate a pipeline: fit it anew in every fold, score people, audit, and say what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from myograph.config.schema import PipelineConfig
from myograph.core.errors import ParameterError
from myograph.core.table import FeatureTable
from myograph.pipeline.rejecting import stated_refusal
from myograph.validate.checkpoint import Outputs
from myograph.validate.facts import data_facts, environment, split_facts
from myograph.validate.fold import Fold
from myograph.validate.foldrun import FoldRun, audits, run_key
from myograph.validate.ladder import Rung, build_ladder
from myograph.validate.options import RunOptions
from myograph.validate.probing import probe_rungs
from myograph.validate.progress import Clock, Progress
from myograph.validate.result import RunInfo, ValidationResult
from myograph.validate.scored import score_run, site_differences, unjudged_notes
from myograph.validate.selected import selection_facts
from myograph.validate.sides import check_training_sides, classes_of, side_notes
from myograph.validate.splits import Split

__all__ = ["Progress", "RunOptions", "evaluate"]


def evaluate(
    config: PipelineConfig,
    table: FeatureTable,
    split: Split,
    *,
    seed: int = 0,
    options: RunOptions | None = None,
    chosen: Sequence[Rung] = (),
) -> ValidationResult:
    """Evaluate the pipeline ``config`` on ``table``, held out as ``split`` says.

    In every fold a new pipeline is built from the configuration and fitted on the training rows,
    so nothing is carried over. The same seed gives the same result, whatever ``options`` say about
    processes and checkpoints.

    Parameters
    ----------
    config : PipelineConfig
    table : FeatureTable
        What ``Pipeline(config).prepare(recordings)`` gave, or any features of labelled windows.
    split : Split
        See `myograph.validate.splits.make_split`.
    seed : int
        Of models and of the bootstrap.
    options : RunOptions, optional
    chosen : sequence of Rung, optional
        The model of each fold, in the order of the folds, where it was tuned inside each.

    Returns
    -------
    ValidationResult
        Failed audits do not stop a run: they are in the result, whose ``passed`` is then False.

    Raises
    ------
    DataError
        If there are no windows, no labels, one class, or too few people or repetitions.

    Examples
    --------
    >>> from myograph.validate.splits import make_split
    >>> result = evaluate(config, table, make_split("leave-one-subject-out"))  # doctest: +SKIP
    >>> print(result.metrics["accuracy"])  # doctest: +SKIP
    0.753 [0.686, 0.806] (19 persons)
    """
    options = options or RunOptions()
    clock = Clock.start()
    manifest = split.manifest(table.index)
    folds = manifest.rows(table.index)
    classes = classes_of(table.index)
    stated_refusal(config, classes)  # an unknown class is refused before any fold is fitted
    check_training_sides(table.index, folds, classes)
    rungs, notes = build_ladder(
        config, table, baselines=options.baselines, given=options.baseline_table
    )
    if options.nuisance is not None:
        rungs = (*rungs, *probe_rungs(config, table, options.nuisance))
    if chosen and len(chosen) != len(folds):
        raise ParameterError(
            f"chosen has {len(chosen)} models for {len(folds)} folds; give one each."
        )
    run = FoldRun(rungs, folds, classes, seed, options, tuple(chosen))
    outputs, resumed = run.outputs(run_key(run, table, manifest))
    result = score_run(run, table, outputs)
    sites, apart = site_differences(result, manifest)
    return ValidationResult(
        config=config.to_dict(),
        split=split_facts(split, manifest),
        data=data_facts(table, result.index),
        seed=seed,
        audits=audits(run, config, table, manifest.scope, outputs),
        notes=(
            *notes,
            *side_notes(outputs, table.index, folds, classes),
            *unjudged_notes(result),
            *apart,
        ),
        selection=_selection(config, table, folds, outputs),
        environment=environment(*(rung.config for rung in (*rungs, *chosen))),
        run=RunInfo(clock.seconds(), clock.started_at, options.jobs, resumed),
        manifest=manifest,
        sites=sites,
        **result.fields,
    )


def _selection(
    config: PipelineConfig, table: FeatureTable, folds: Sequence[Fold], outputs: Sequence[Outputs]
) -> dict[str, Any]:
    if config.selection is None:
        return {}
    return selection_facts(config.selection.to_dict(), table.names, folds, outputs)
