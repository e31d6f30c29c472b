"""Pipelines whose steps learn: fitted on the training recordings of every fold, measured anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from myograph.core.errors import DataError, ParameterError
from myograph.workflows.cohort import Cohort

if TYPE_CHECKING:
    from collections.abc import Sequence

    from myograph.config.schema import EvaluationConfig, PipelineConfig
    from myograph.core.recording import Recording
    from myograph.core.table import FeatureTable
    from myograph.pipeline.pipeline import Pipeline
    from myograph.validate.fold import Fold
    from myograph.validate.ladder import Rung
    from myograph.workflows.evaluate import Running

__all__ = ["REFIT_NOTE", "check_refitting", "fitted_pipeline", "plain_pipeline", "refit_rungs"]

#: What a reader of the ladder and the probes has to know.
REFIT_NOTE = (
    "What the pipeline learns from recordings ({parts}) was learned anew from the training "
    "recordings of each fold; the baselines go without it."
)


def check_refitting(settings: EvaluationConfig) -> tuple[str, ...]:
    """Return what the front learns, in words; refuse what cannot be refitted, before any work.

    Raises
    ------
    ParameterError
        If settings are also to be tuned, or the models tested on changed recordings.
    DataError
        If a step must have seen each person, and the split tests people who were never seen.
    """
    from myograph.pipeline.front import build_front

    front = build_front(settings.pipeline)
    parts = front.learned_parts
    asked = {
        "tuning": settings.tuning is not None,
        "stability": settings.stability,
        "robustness": settings.robustness,
    }
    clash = [name for name, wanted in asked.items() if wanted]
    if parts and clash:
        raise ParameterError(
            f"{', '.join(parts)}: learned from the training recordings of each fold, and "
            f"{' and '.join(clash)} measure a table once for all folds; ask for one or the other."
        )
    _check_known_people(settings, [step.name for step in front.steps if step.needs_person])
    return parts


def _check_known_people(settings: EvaluationConfig, steps: Sequence[str]) -> None:
    from myograph.validate.split import ACROSS
    from myograph.workflows.evaluate import split_of

    if steps and split_of(settings).scope == ACROSS:
        named = " and ".join(f"step {name!r}" for name in steps)
        raise DataError(
            f"The split {settings.split.name!r} tests people who are on no training side, and "
            f"{named} needs a reference of each person: nobody who is tested would have one. Test "
            "people on another day (--split session), or use the rolling z-score (step "
            "'rolling-zscore'), which needs no calibration."
        )


def plain_pipeline(config: PipelineConfig) -> PipelineConfig:
    """Return the pipeline without what it learns from recordings."""
    from myograph.config.schema import FeatureConfig
    from myograph.core.step import STEPS

    steps = tuple(step for step in config.steps if not STEPS[step.step].learns)
    features = tuple(
        each if isinstance(each, str) else FeatureConfig(**_without_noise(each.to_dict()))
        for each in config.features
    )
    return config.model_copy(update={"steps": steps, "features": features})


def fitted_pipeline(
    settings: EvaluationConfig, recordings: Sequence[Recording], *, running: Running
) -> tuple[Pipeline, FeatureTable]:
    """Return the pipeline, its steps fitted on all ``recordings``, and their features."""
    from myograph.pipeline.pipeline import Pipeline

    pipeline = Pipeline(settings.pipeline, seed=settings.seed)
    if pipeline.learns_steps:
        pipeline.fit_steps(recordings)
    table = pipeline.prepare(
        recordings,
        jobs=running.processes,
        progress=running.tell("measuring recordings"),
        kept=running.kept,
    )
    return pipeline, table


def refit_rungs(
    cohort: Cohort, settings: EvaluationConfig, folds: Sequence[Fold], plain: FeatureTable, *,
    running: Running,
) -> tuple[Rung, ...]:  # fmt: skip
    """Return the model of each fold: its table was measured by steps fitted on its training side.

    Parameters
    ----------
    cohort : Cohort
    settings : EvaluationConfig
    folds : sequence of Fold
        Of the rows of ``plain``.
    plain : FeatureTable
        Of `plain_pipeline`, on the same windows.
    running : Running

    Raises
    ------
    DataError
        If a fold trains and tests on parts of one recording, or nothing was learned from a
        person who is tested.
    """
    from myograph.pipeline.pipeline import Pipeline
    from myograph.validate.ladder import MODEL, Rung

    rungs = []
    recordings = list(cohort.recordings)  # read, or simulated, once and not in every fold
    for number, fold in enumerate(folds):
        pipeline = Pipeline(settings.pipeline, seed=settings.seed)
        train = _training(recordings, fold, plain, parts=pipeline.front.learned_parts)
        pipeline.fit_steps(train)
        rows = np.concatenate([fold.train, fold.test, fold.validation])
        used = np.isin(plain.index.recording, plain.index.recording[rows])
        digests = set(plain.index.recording[used].tolist())
        table = pipeline.prepare(
            [each for each in recordings if each.source_digest in digests],
            jobs=running.processes,
            progress=running.tell(f"measuring for fold {number + 1} of {len(folds)}"),
            kept=running.kept,
        )
        rungs.append(Rung(MODEL, settings.pipeline, _spread(table, used, plain)))
    return tuple(rungs)


def _spread(table: FeatureTable, used: NDArray[np.bool_], plain: FeatureTable) -> FeatureTable:
    """Return the table with a row for every window: zeros where the fold has no use for one."""
    values = np.zeros((len(plain), len(table.names)))
    flat = np.zeros((len(plain), table.layout.n_channels), dtype=np.bool_)
    values[used], flat[used] = table.values, table.flagged
    return replace(table, values=values, index=plain.index, flat=flat)


def _training(
    recordings: Sequence[Recording], fold: Fold, plain: FeatureTable, *, parts: Sequence[str]
) -> list[Recording]:
    digests = plain.index.recording
    train = set(digests[fold.train].tolist())
    other = set(digests[np.concatenate([fold.test, fold.validation])].tolist())
    if train & other:
        raise DataError(
            f"Fold {fold.name!r} trains and tests on parts of the same {len(train & other)} "
            f"recordings, and the pipeline learns from whole ones ({', '.join(parts)}): what is "
            "tested would be learned from. Hold out people or sessions (--split), or repetitions "
            "that are recordings of their own."
        )
    return [each for each in recordings if each.source_digest in train]


def _without_noise(definition: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in definition.items() if not isinstance(value, dict)}
