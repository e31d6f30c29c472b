"""Evaluate: how well a pipeline works on people, or repetitions, that it has not seen."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.errors import DataError
from myograph.workflows.cluster import on_cluster
from myograph.workflows.cohort import Cohort, Data, Selection, open_cohort
from myograph.workflows.keeping import kept_tables
from myograph.workflows.learning import Watching, watched
from myograph.workflows.outputs import check_folder, new_folder, write_json, write_text
from myograph.workflows.refitting import (
    REFIT_NOTE,
    check_refitting,
    plain_pipeline,
    refit_rungs,
)
from myograph.workflows.settings import Choices, resolve, tuning

if TYPE_CHECKING:
    from myograph.config.schema import EvaluationConfig
    from myograph.core.table import FeatureTable
    from myograph.pipeline.kept import KeptTables
    from myograph.validate.nuisance import Nuisance
    from myograph.validate.result import ValidationResult
    from myograph.validate.robustness import Robustness
    from myograph.validate.splits import Split
    from myograph.validate.subgroups import Subgroup

__all__ = [
    "MATERIAL",
    "REPORT",
    "RESULT",
    "Running",
    "Told",
    "evaluate",
    "judge",
    "measure",
    "result_folder",
    "split_of",
]

#: Files of a result's folder.
RESULT, MATERIAL, REPORT = "result.json", "material.json", "report.html"

#: Called with what is being done, how much of it is done, of how much, and a word about it.
Told = Callable[[str, int, int, str], None]


@dataclass(frozen=True, slots=True)
class Running:
    """How something is carried out; none of it changes what comes out.

    Parameters
    ----------
    jobs : int, optional
        Processes; as many as there are cores by default.
    progress : callable, optional
        See `Told`.
    checkpoint : path, optional
        Folder for finished folds: a run that was stopped goes on from there.
    kept : KeptTables, optional
        Feature tables of before.
    """

    jobs: int | None = None
    progress: Told | None = None
    checkpoint: str | PathLike[str] | None = None
    kept: KeptTables | None = None

    @property
    def processes(self) -> int:
        """Jobs as joblib counts them."""
        return -1 if self.jobs is None else self.jobs

    def tell(self, what: str) -> Callable[[int, int], None]:
        """Return a progress callable about one thing."""
        told = self.progress

        def update(done: int, total: int) -> None:
            if told is not None:
                told(what, done, total, f"{done} of {total}")

        return update


def evaluate(  # noqa: PLR0913 - the verb as people type it: every option by its name
    data: Data,
    *,
    split: str | None = None,
    features: str | None = None,
    model: str | None = None,
    config: str | PathLike[str] | None = None,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    people: Sequence[str] = (),
    leave_out: Sequence[str] = (),
    people_from: str = "header",
    read: Mapping[str, Any] | None = None,
    device: str | None = None,
    tune: Sequence[str] = (),
    search: Sequence[str] = (),
    jobs: int | None = None,
    cluster: str | None = None,
    cache: bool = True,
    checkpoint: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    force: bool = False,
    progress: Told | None = None,
) -> ValidationResult:
    """Evaluate a pipeline on a dataset, a file or folder of recordings, or recordings.

    Parameters
    ----------
    data : str, path, Dataset or sequence of Recording
    split : str, optional
        ``"leave-one-subject-out"`` by default; or another name, or a saved split.
    features : str, optional
        Names of features or sets, joined by commas; ``"hudgins"`` by default.
    model : str, optional
        ``"lda"`` by default (``"ridge"`` where a force is estimated).
    config : path, optional
        A TOML file; flags win over it.
    overrides : sequence of str
        ``key.path=value``, over everything.
    seed : int, optional
        0 by default. The same seed gives the same result and report.
    people, leave_out : sequence of str
        Only these; all but these.
    people_from, read
        How files are read: see `myograph.workflows.cohort.Selection`.
    device : str, optional
        Where a network is trained: ``"auto"``, ``"cpu"`` or ``"cuda"``.
    tune : sequence of str
        ``minutes=5`` or ``trials=30``: search the settings inside every fold, within this budget.
    search : sequence of str
        What to search besides what the model declares, see `myograph.core.dial.parse_dial`.
    jobs : int, optional
        Processes; all cores by default.
    cluster : str, optional
        Address of a Dask cluster to send the work to; see `myograph.workflows.cluster`.
    cache : bool
        Keep the features that were measured, and use those that were kept.
    checkpoint : path, optional
        Folder for finished folds, to go on after an interruption; with ``jobs=1`` also for the
        epochs of a network in the fold that was not finished.
    out : path, optional
        Folder to write result, split, settings and report into.
    force : bool
        Replace an earlier result at ``out``.
    progress : callable, optional
        See `Told`.

    Returns
    -------
    ValidationResult

    Raises
    ------
    DataError
        If the data cannot honestly be used: one person, one class, too few repetitions, ...
    ParameterError
        If a setting is unknown or breaks its rule.
    OutputExistsError
        If ``out`` exists and ``force`` is not given.

    Examples
    --------
    >>> import myograph
    >>> result = myograph.evaluate("simulated", model="lda")  # doctest: +SKIP
    >>> print(result.metrics["accuracy"])  # doctest: +SKIP
    0.853 [0.801, 0.899] (8 persons)
    """
    if out is not None:
        check_folder(Path(out), mark=RESULT, force=force)
    selection = Selection(people, leave_out, people_from, read or {})
    cohort = open_cohort(data, selection)
    searched = (*overrides, *tuning(tune, search))
    choices = Choices(split, features, model, config, searched, seed, device)
    settings = resolve(cohort, choices, people=people)
    jobs = settings.jobs if jobs is None else jobs
    split_of(settings)  # an unknown one is refused before any work is done
    check_refitting(settings)
    with on_cluster(cluster), kept_tables(use=cache) as kept:
        running = Running(jobs, progress, checkpoint, kept)
        table = measure(cohort, settings, running)
        result = judge(cohort, settings, table, running)
    if out is not None:
        command = _command(cohort, choices, selection)
        save(result, cohort, settings, Place(Path(out), force, command))
    return result


def measure(cohort: Cohort, settings: EvaluationConfig, running: Running) -> FeatureTable:
    """Read the recordings, cut them into windows and measure these; it learns nothing.

    What the pipeline would learn from recordings is left out: see `myograph.workflows.refitting`.
    """
    from myograph.pipeline.pipeline import Pipeline

    pipeline = Pipeline(plain_pipeline(settings.pipeline), seed=settings.seed)
    return pipeline.prepare(
        cohort.recordings,
        jobs=running.processes,
        progress=running.tell("measuring recordings"),
        kept=running.kept,
    )


def judge(
    cohort: Cohort, settings: EvaluationConfig, table: FeatureTable, running: Running
) -> ValidationResult:
    """Fit and test fold by fold; the result carries the data's name and what was left out."""
    from myograph import validate
    from myograph.pipeline.flat import flat_notes
    from myograph.validate.run import Progress, RunOptions

    def update(at: Progress) -> None:
        if running.progress is None:
            return
        left = "" if at.seconds_left is None else f", about {at.seconds_left:.0f} s left"
        told = f"{at.people_done} of {at.people} people, fold {at.folds_done} of {at.folds}{left}"
        running.progress("folds", at.folds_done, at.folds, told)

    options = RunOptions(
        jobs=running.processes,
        checkpoint=None if running.checkpoint is None else Path(running.checkpoint),
        progress=update,
        baselines=settings.baselines,
        baseline_table=_baseline_table(cohort, settings, running),
        bootstrap=settings.bootstrap,
        nuisance=_nuisance(cohort, settings, table, running),
        changed=_changed(cohort, settings, running),
        prevalences=settings.prevalence,
    )
    found = None
    if settings.tuning is not None:
        from myograph.workflows.tune import tune_folds

        found = tune_folds(cohort, settings, table, running)
    chosen = found.rungs if found else ()
    learned = check_refitting(settings)
    if learned:
        folds = split_of(settings).folds(table.index)
        chosen = refit_rungs(cohort, settings, folds, table, running=running)
    epochs = None if running.checkpoint is None else Path(running.checkpoint) / "epochs"
    with watched(Watching(running.progress, epochs)):
        result = validate.run.evaluate(
            settings.pipeline,
            table,
            split_of(settings),
            seed=settings.seed,
            options=options,
            chosen=chosen,
        )
    if found is not None:
        result = replace(result, tuning=found.facts, notes=(*result.notes, *found.notes))
    if learned:
        told = REFIT_NOTE.format(parts=", ".join(learned))
        result = replace(result, notes=(*result.notes, told))
    result = replace(result, notes=(*result.notes, *flat_notes(table)))
    data = {**result.data, "name": cohort.name, "simulated": cohort.simulated}
    return replace(
        result,
        data=data,
        dropped=(*result.dropped, *cohort.dropped),
        subgroups=_subgroups(result, cohort, settings),
        robustness=_robustness(cohort, settings, running),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a result goes, and the command that does it again."""

    folder: Path
    force: bool = False
    command: str = ""
    written: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")


def save(
    result: ValidationResult, cohort: Cohort, settings: EvaluationConfig, place: Place
) -> Path:
    """Write a result's folder: complete, or not at all."""
    from myograph.config.toml import to_toml
    from myograph.report.evaluation import evaluation_page
    from myograph.report.material import Material
    from myograph.workflows.material import gather

    # The page is drawn from what is kept, so that it can be drawn again, byte for byte.
    kept = gather(result, cohort, command=place.command).to_dict()
    with new_folder(place.folder, mark=RESULT, force=place.force) as folder:
        result.save(folder, force=True)
        write_text(folder / "config.toml", to_toml(settings))
        write_json(folder / MATERIAL, kept)
        page = evaluation_page(result, Material.from_dict(kept), written=place.written)
        write_text(folder / REPORT, page)
    return place.folder


def result_folder(result: str | PathLike[str]) -> Path:
    """Return the folder of an evaluation, given it or the `RESULT` in it.

    Raises
    ------
    DataError
        If no result lies there.
    """
    folder = Path(result)
    if folder.name == RESULT:
        folder = folder.parent
    if not (folder / RESULT).is_file():
        raise DataError(
            f"{folder} holds no {RESULT}; give a folder that myograph evaluate --out wrote."
        )
    return folder


def split_of(settings: EvaluationConfig) -> Split:
    """Return the split of the settings; one that draws takes their seed."""
    from myograph.validate.splits import SPLITS, make_split

    parameters = dict(settings.split.params)
    name = settings.split.name
    if name in SPLITS and "seed" in {f.name for f in fields(SPLITS[name])}:
        parameters.setdefault("seed", settings.seed)
    return make_split(name, **parameters)


def _baseline_table(
    cohort: Cohort, settings: EvaluationConfig, running: Running
) -> FeatureTable | None:
    """Measure the time-domain features of the ladder when the pipeline uses others."""
    from myograph.config.schema import ModelConfig
    from myograph.models import MODELS

    whole = MODELS[settings.pipeline.model.name].eats == "windows"
    if not settings.baselines or (settings.pipeline.features == ("hudgins",) and not whole):
        return None
    changes: dict[str, Any] = {"features": ("hudgins",)}
    if whole:
        changes["model"] = ModelConfig(name="lda")
    plain = settings.pipeline.model_copy(update=changes)
    quiet = replace(running, progress=None)
    return measure(cohort, settings.model_copy(update={"pipeline": plain}), quiet)


def _nuisance(
    cohort: Cohort, settings: EvaluationConfig, table: FeatureTable, running: Running
) -> Nuisance | None:
    """Measure what probes may see."""
    from myograph.validate.nuisance import measure_nuisance

    if not settings.probes:
        return None
    return measure_nuisance(cohort.recordings, table.index, jobs=running.processes)


def _changed(
    cohort: Cohort, settings: EvaluationConfig, running: Running
) -> dict[str, FeatureTable]:
    """Measure the same windows on changed recordings."""
    from myograph.validate.perturb import PERTURBATIONS, Perturbed

    if not settings.stability:
        return {}
    quiet = replace(running, progress=None)
    return {
        name: measure(
            replace(cohort, recordings=Perturbed(cohort.recordings, name, seed=settings.seed)),
            settings,
            quiet,
        )
        for name in PERTURBATIONS
    }


def _subgroups(
    result: ValidationResult, cohort: Cohort, settings: EvaluationConfig
) -> tuple[Subgroup, ...]:
    """Score the groups that the headers know of."""
    from myograph.validate.subgroups import factors_of, subgroup_table

    if not settings.probes or result.predictions is None:
        return ()
    index = result.predictions.index
    factors = factors_of(cohort.recordings, index)
    if not factors:
        return ()
    bounds = (0.0, 1.0) if result.classes else (0.0, math.inf)
    return subgroup_table(
        result.correctness, index.subject, factors, bounds=bounds, seed=settings.seed
    )


def _robustness(cohort: Cohort, settings: EvaluationConfig, running: Running) -> Robustness | None:
    """Ask the models of the folds about spoilt recordings."""
    from myograph.validate.challenging import RobustnessOptions, measure_robustness

    if not settings.robustness:
        return None
    options = RobustnessOptions(
        jobs=running.processes,
        bootstrap=settings.bootstrap,
        circumference_mm=settings.circumference_mm,
        progress=running.tell("spoiling recordings"),
    )
    return measure_robustness(
        settings.pipeline,
        cohort.recordings,
        split_of(settings),
        seed=settings.seed,
        options=options,
    )


def _command(cohort: Cohort, choices: Choices, selection: Selection) -> str:
    given: list[tuple[str, Any]] = [
        ("--data", cohort.name),
        ("--split", choices.split or "leave-one-subject-out"),
        ("--features", choices.features),
        ("--model", choices.model),
        ("--config", choices.config),
        *(("--set", override) for override in choices.overrides),
        ("--people", ",".join(selection.people)),
        ("--leave-out", ",".join(selection.leave_out)),
        ("--people-from", "" if selection.people_from == "header" else selection.people_from),
        *(("--read", f"{name}={value}") for name, value in selection.read.items()),
        ("--device", choices.device),
        ("--seed", choices.seed or 0),
    ]
    words = [word for flag, value in given if value not in (None, "") for word in (flag, value)]
    return "myograph evaluate " + " ".join(shlex.quote(str(word)) for word in words)
