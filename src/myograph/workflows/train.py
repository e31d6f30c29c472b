"""Train: fit a pipeline on everybody given, and save it as a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.errors import DataError
from myograph.workflows.cluster import on_cluster
from myograph.workflows.cohort import Cohort, Data, Selection, open_cohort
from myograph.workflows.evaluate import RESULT, Running, Told
from myograph.workflows.keeping import kept_tables
from myograph.workflows.learning import Watching, watched
from myograph.workflows.outputs import check_free
from myograph.workflows.refitting import fitted_pipeline
from myograph.workflows.settings import Choices, require_network, resolve, same_pipeline

if TYPE_CHECKING:
    from myograph.config.schema import EvaluationConfig
    from myograph.core.table import FeatureTable
    from myograph.pipeline.pipeline import Pipeline
    from myograph.validate.result import ValidationResult

__all__ = ["Trained", "fit_and_save", "train"]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was trained and saved.

    Parameters
    ----------
    path : Path
    model : str
    classes : tuple of str
    people, windows : int
        What it learned from.
    left_out : tuple of str
        People it has not seen.
    notes : tuple of str
        What a user of the model has to know.
    """

    path: Path
    model: str
    classes: tuple[str, ...]
    people: int
    windows: int
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "path": str(self.path),
            "model": self.model,
            "classes": list(self.classes),
            "people": self.people,
            "windows": self.windows,
            "left_out": list(self.left_out),
            "notes": list(self.notes),
        }


def train(  # noqa: PLR0913 - the verb as people type it: every option by its name
    data: Data,
    out: str | PathLike[str],
    *,
    features: str | None = None,
    model: str | None = None,
    config: str | PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    people: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    people_from: str = "header",
    read: Mapping[str, Any] | None = None,
    validation: str | PathLike[str] | None = None,
    device: str | None = None,
    jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    curve: str | PathLike[str] | None = None,
    cluster: str | None = None,
    cache: bool = True,
    force: bool = False,
    progress: Told | None = None,
) -> Trained:
    """Fit a pipeline and save it.

    Parameters
    ----------
    data, features, model, config, overrides, seed, people, people_from, read, device, jobs
    cluster, cache
        As for `myograph.workflows.evaluate.evaluate`.
    out : path
        Ends in ``.myomodel``.
    leave_out : sequence of str
        People to keep unseen.
    validation : path, optional
        A result's folder; its summary goes into the model, if its pipeline is the same.
    checkpoint : path, optional
        Folder for the state of a network after every epoch: a training that was stopped goes on
        from there, to the same weights.
    curve : path, optional
        Picture of loss and score of a network by epoch (.svg, .png), drawn while it learns.
    force : bool
        Overwrite the file.
    progress : callable, optional
        See `myograph.workflows.evaluate.Told`.

    Raises
    ------
    DataError
        If the data cannot be used, or ``validation`` is about another pipeline.
    OutputExistsError
        If the file exists and ``force`` is not given.
    """
    target = check_free(Path(out), force=force)
    drawn = None if curve is None else Path(curve)
    watching = Watching(progress, checkpoint, drawn, force)
    cohort = open_cohort(data, Selection(people, leave_out, people_from, read or {}))
    settings = resolve(cohort, Choices(None, features, model, config, overrides, seed, device))
    if checkpoint is not None or curve is not None:
        require_network(settings.pipeline.model.name, what="kept or drawn epoch by epoch")
    with on_cluster(cluster), kept_tables(use=cache) as kept:
        running = Running(jobs, progress, kept=kept)
        pipeline, table = fitted_pipeline(settings, cohort.recordings, running=running)
    result = _validation(validation, settings)
    with watched(watching):
        extra = Kept(leave_out, result, force)
        return fit_and_save(table, settings, cohort, target, extra, pipeline)


@dataclass(frozen=True, slots=True)
class Kept:
    """What goes with a model: who was left out, how it was validated, whether it may overwrite."""

    left_out: Sequence[str] = ()
    validation: ValidationResult | None = None
    force: bool = False


def fit_and_save(
    table: FeatureTable,
    settings: EvaluationConfig,
    cohort: Cohort,
    target: Path,
    kept: Kept,
    pipeline: Pipeline | None = None,
) -> Trained:
    """Fit on every row of ``table`` and save the model with its card.

    ``pipeline`` is the one that measured the table, where its steps learned from recordings.
    """
    from myograph.pipeline.artifact import save_model
    from myograph.pipeline.flat import flat_notes
    from myograph.pipeline.pipeline import Pipeline

    pipeline = (pipeline or Pipeline(settings.pipeline, seed=settings.seed)).fit(table)
    trained = Trained(
        path=target,
        model=settings.pipeline.model.name,
        classes=pipeline.classes if pipeline.task == "classification" else (),
        people=len(np.unique(table.index.subject)),
        windows=len(table),
        left_out=tuple(kept.left_out),
        notes=(*pipeline.notes, *_thresholds(pipeline)),
    )
    trained = replace(trained, notes=(*trained.notes, *flat_notes(table)))
    summary = summarise(kept.validation) if kept.validation is not None else None
    card = _card(trained, cohort, kept.validation)
    save_model(pipeline, target, card=card, validation=summary, force=kept.force)
    return trained


def _thresholds(pipeline: Pipeline) -> tuple[str, ...]:
    """Say from which confidence on each class is answered, where that was learned."""
    refusal = pipeline.fitted.refusal
    if refusal is None or not refusal.people:
        return ()
    told = []
    for unit, rule in (("windows", refusal.windows), ("recordings", refusal.recordings)):
        named = zip(rule.classes, rule.to_dict()["thresholds"], strict=True)
        limits = ", ".join(f"{k} {'never' if v is None else f'{v:.3g}'}" for k, v in named)
        told.append(f"Least confidence to answer about {unit}: {limits}.")
    return tuple(told)


def summarise(result: ValidationResult) -> dict[str, Any]:
    """Return the few lines of a validation that a model carries."""
    return {
        "data": result.data.get("name", ""),
        "split": result.split.get("name", ""),
        "scope": result.split.get("scope", ""),
        "fingerprint": result.split.get("fingerprint", ""),
        "metrics": {name: estimate.to_dict() for name, estimate in result.metrics.items()},
        "chance": result.chance,
        "passed": result.passed,
    }


def _validation(
    folder: str | PathLike[str] | None, settings: EvaluationConfig
) -> ValidationResult | None:
    if folder is None:
        return None
    from myograph.validate.result import ValidationResult

    result = ValidationResult.load(Path(folder))
    if not same_pipeline(result.config, settings.pipeline.to_dict()):
        raise DataError(
            f"{Path(folder) / RESULT} is about another pipeline than the one to be trained; a "
            "model carries its own validation only. Evaluate with the same settings first."
        )
    return result


def _card(trained: Trained, cohort: Cohort, result: ValidationResult | None) -> str:
    from myograph.report.words import Measure, plural

    about: Mapping[str, Any] = cohort.about
    lines = [
        f"# {trained.model} trained on {cohort.name}",
        "",
        "Research software and decision support: not a medical device.",
        "",
        f"- learned from {plural(trained.people, 'person')}, {trained.windows:,} windows",
        f"- classes: {', '.join(trained.classes) or 'a value to estimate'}",
    ]
    if trained.left_out:
        lines.append(f"- never seen: {', '.join(trained.left_out)}")
    if about.get("simulated"):
        lines.append("- the data are simulated: engineering verification, no person was measured")
    lines += [f"- {key}: {about[key]}" for key in ("licence", "citation") if about.get(key)]
    lines += [f"- {note}" for note in trained.notes]
    lines += ["", "## Validation", ""]
    if result is None:
        return "\n".join([*lines, "Not validated: nothing is known of how well it works.", ""])
    measure = Measure(result.headline)
    estimate = result.metrics[result.headline]
    lines.append(
        f"{measure.name}: {measure.told(estimate)}, mean over {plural(estimate.n, 'person')}, "
        f"{result.split.get('name')} on {result.data.get('name')}; {measure.guess} "
        f"{measure.value(result.chance)}."
    )
    return "\n".join([*lines, ""])
