"""Tune: search the settings of a pipeline, and write down the search and what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myograph.core.errors import ParameterError
from myograph.workflows.cluster import on_cluster
from myograph.workflows.cohort import Cohort, Data, Selection, open_cohort
from myograph.workflows.evaluate import Running, Told, measure, split_of
from myograph.workflows.keeping import kept_tables
from myograph.workflows.outputs import check_folder, new_folder, write_json, write_text
from myograph.workflows.refitting import check_refitting
from myograph.workflows.settings import Choices, resolve, tuning

if TYPE_CHECKING:
    from myograph.config.schema import EvaluationConfig
    from myograph.core.table import FeatureTable
    from myograph.validate.ladder import Rung
    from myograph.validate.study import Budget, Study
    from myograph.validate.tuning import Search, Tables

__all__ = ["CONFIG", "STUDY", "Tuned", "TunedFolds", "tune", "tune_folds"]

#: Files of a tuning's folder.
STUDY, CONFIG = "study.json", "config.toml"
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class Tuned:
    """A search that has ended.

    Parameters
    ----------
    study : Study
    settings : EvaluationConfig
        With the best setting in place.
    folder : Path or None
        Where both were written.
    """

    study: Study
    settings: EvaluationConfig
    folder: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        best = self.study.best
        return {
            "metric": self.study.metric,
            "best": best.to_dict(),
            "as_given": self.study.given,
            "trials": len(self.study.trials),
            "failed": sum(trial.score is None for trial in self.study.trials),
            "inner": self.study.inner,
            "space": [str(dial) for dial in self.study.space],
            "spent_s": round(self.study.spent_s, 2),
            "notes": list(self.study.notes),
            "pipeline": self.settings.pipeline.to_dict(),
            "folder": str(self.folder) if self.folder else None,
        }


def tune(  # noqa: PLR0913 - the verb as people type it: every option by its name
    data: Data,
    *,
    minutes: float | None = None,
    trials: int | None = None,
    search: Sequence[str] = (),
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
    jobs: int | None = None,
    cluster: str | None = None,
    cache: bool = True,
    checkpoint: str | PathLike[str] | None = None,
    out: str | PathLike[str] | None = None,
    force: bool = False,
    progress: Told | None = None,
) -> Tuned:
    """Search the settings of a pipeline on folds that keep people whole.

    The best score was chosen for being the best: it says nothing about new people. `evaluate` with
    ``tune=`` searches inside every fold, and its figures are honest.

    Parameters
    ----------
    data, features, model, config, overrides, seed, people, leave_out, people_from, read, jobs
    cluster, cache, force, progress
        As for `myograph.workflows.evaluate.evaluate`.
    minutes, trials : optional
        When to stop; five minutes when neither is given.
    search : sequence of str
        What to search besides what the model declares.
    split : str, optional
        How settings are compared; people dealt into five folds by default.
    checkpoint : path, optional
        Folder for the trials, to go on after an interruption, or with a larger budget.
    out : path, optional
        Folder to write the study and the best settings into.

    Raises
    ------
    ParameterError
        If the space does not fit the pipeline.
    DataError
        If the data cannot be used, or no setting could be fitted.
    """
    if out is not None:
        check_folder(Path(out), mark=STUDY, force=force)
    cohort = open_cohort(data, Selection(people, leave_out, people_from, read or {}))
    budget = [f"minutes={minutes:g}"] if minutes is not None else []
    budget += [f"trials={trials}"] if trials is not None else []
    asked = tuning(budget or ["minutes=5"], search)
    choices = Choices(split, features, model, config, (*overrides, *asked), seed)
    settings = resolve(cohort, choices, people=people)
    check_refitting(settings)
    jobs = settings.jobs if jobs is None else jobs
    with on_cluster(cluster), kept_tables(use=cache) as kept:
        running = Running(jobs, progress, checkpoint, kept)
        table = measure(cohort, settings, running)
        wanted = _search(settings, running)
        study = _tuned(settings, _tables(cohort, settings, table, running), wanted, running)
    from myograph.validate.tuning import with_values

    best = with_values(settings.pipeline, study.best.values)
    found = Tuned(study, settings.model_copy(update={"pipeline": best, "tuning": None}))
    return found if out is None else _saved(found, Path(out), force=force)


@dataclass(frozen=True, eq=False)
class TunedFolds:
    """What was found inside each fold.

    Parameters
    ----------
    rungs : tuple of Rung
        The model of each fold, in the order of the folds.
    facts : dict
        For the result: space, budget, and what each fold took.
    notes : tuple of str
    """

    rungs: tuple[Rung, ...]
    facts: dict[str, Any]
    notes: tuple[str, ...]


def tune_folds(
    cohort: Cohort, settings: EvaluationConfig, table: FeatureTable, running: Running
) -> TunedFolds:
    """Search the settings inside the training side of every fold, one fold after the other."""
    from myograph.validate.ladder import MODEL, Rung
    from myograph.validate.splits import GroupKFold
    from myograph.validate.tuning import features_key, tune, with_values

    if settings.stability and any(dial.name == "features" for dial in _space(settings)):
        raise ParameterError(
            "stability=true tests one set of features on changed recordings, and the features are "
            "to be searched; leave one of them out."
        )
    search = _search(settings, running)
    tables = _tables(cohort, settings, table, running)
    folds = split_of(settings).folds(table.index)
    rungs: list[Rung] = []
    studies: list[Study] = []
    for number, fold in enumerate(folds):
        names = fold.groups.present(fold.train)
        inner = min(_tuning(settings).inner_folds, max(2, len(names)))
        share = _share(search.budget, studies, left=len(folds) - number)
        mine = replace(search, budget=share)
        study = tune(
            settings.pipeline,
            tables,
            fold.inner(GroupKFold(n_folds=inner, seed=settings.seed)),
            mine,
            path=_kept_in(running),
            told=_teller(running, f"fold {number + 1} of {len(folds)}, "),
        )
        best = with_values(settings.pipeline, study.best.values)
        rungs.append(Rung(MODEL, best, tables[features_key(best)]))
        studies.append(study)
    facts = {
        "metric": studies[0].metric,
        "space": [dial.to_dict() for dial in search.space],
        "budget": search.budget.to_dict(),
        "inner_folds": [len(study.inner) for study in studies],
        "together": search.together,
        "folds": {fold.name: _facts(study) for fold, study in zip(folds, studies, strict=True)},
    }
    return TunedFolds(tuple(rungs), facts, _notes(search.budget, studies))


def _facts(study: Study) -> dict[str, Any]:
    return {
        "values": study.best.values,
        "score": study.best.score,
        "as_given": study.given,
        # How long it took is not part of a result: equal runs are equal.
        "trials": [_without_time(trial.to_dict()) for trial in study.trials],
    }


def _without_time(trial: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in trial.items() if name != "seconds"}


def _notes(budget: Budget, studies: Sequence[Study]) -> tuple[str, ...]:
    from myograph.report.words import plural

    counts = [len(study.trials) for study in studies]
    least = "" if min(counts) == max(counts) else f"{min(counts)} to "
    span = least + plural(max(counts), "trial")
    told = list[str]()
    told.append(
        f"The settings were searched anew inside every fold, on its training side alone: {span} "
        f"a fold, {plural(len(studies[0].space), 'dial')}. The figures are those of searching, not "
        "of one setting."
    )
    if budget.minutes is not None:
        told.append(
            "The search ended by the clock: another machine may try more or fewer settings and "
            "take others. A budget in trials gives the same everywhere."
        )
    poor = {note for study in studies for note in study.notes}
    if poor:
        told.append(f"In the inner folds: {sorted(poor)[0]}" + _more(len(poor) - 1))
    return tuple(told)


def _more(n: int) -> str:
    return f" And {n} more of the kind." if n else ""


def _share(budget: Budget, studies: Sequence[Study], *, left: int) -> Budget:
    if budget.minutes is None:
        return budget
    spent = sum(study.spent_s for study in studies) / 60
    return replace(budget, minutes=max((budget.minutes - spent) / left, 1e-3))


def _tuned(settings: EvaluationConfig, tables: Tables, search: Search, running: Running) -> Study:
    from myograph.validate.splits import GroupKFold
    from myograph.validate.tuning import tune

    index = next(iter(tables.values())).index
    if "split" in settings.model_fields_set:
        folds = split_of(settings).folds(index)
    else:
        people = len(set(index.subject.tolist()))
        split = GroupKFold(n_folds=min(_FOLDS, max(2, people)), seed=settings.seed)
        folds = split.folds(index)
    path = _kept_in(running)
    return tune(settings.pipeline, tables, folds, search, path=path, told=_teller(running, ""))


def _tuning(settings: EvaluationConfig) -> Any:
    return settings.tuning


def _space(settings: EvaluationConfig) -> Any:
    from myograph.core.dial import parse_dial
    from myograph.validate.tuning import space_of

    return space_of(settings.pipeline, [parse_dial(each) for each in _tuning(settings).search])


def _search(settings: EvaluationConfig, running: Running) -> Search:
    from myograph.validate.study import Budget
    from myograph.validate.tuning import Search

    asked = _tuning(settings)
    budget = Budget(asked.minutes, asked.trials)
    space = _space(settings)
    return Search(space, budget, settings.seed, asked.together, running.processes)


def _tables(
    cohort: Cohort, settings: EvaluationConfig, table: FeatureTable, running: Running
) -> Tables:
    """Measure what the choices of features need, each once."""
    from myograph.validate.tuning import features_key, with_values

    found = {features_key(settings.pipeline): table}
    for dial in _space(settings):
        for value in dial.choices if dial.name == "features" else ():
            pipeline = with_values(settings.pipeline, {"features": value})
            if features_key(pipeline) not in found:
                other = settings.model_copy(update={"pipeline": pipeline})
                found[features_key(pipeline)] = measure(cohort, other, running)
    return found


def _kept_in(running: Running) -> Path | None:
    if running.checkpoint is None:
        return None
    folder = Path(running.checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _teller(running: Running, where: str) -> Any:
    def told(study: Study) -> None:
        if running.progress is None:
            return
        scores = [trial.score for trial in study.trials if trial.score is not None]
        best = f", best {max(scores):.3f}" if scores else ""
        done, total, left = len(study.trials), study.budget.trials or 0, ""
        if study.budget.minutes is not None:
            seconds = max(0.0, 60 * study.budget.minutes - study.spent_s)
            left = f", about {seconds:.0f} s left"
        running.progress("tuning", done, total, f"{where}{done} trials{best}{left}")

    return told


def _saved(found: Tuned, target: Path, *, force: bool) -> Tuned:
    from myograph.config.toml import to_toml

    with new_folder(target, mark=STUDY, force=force) as folder:
        write_json(folder / STUDY, found.study.to_dict())
        write_text(folder / CONFIG, to_toml(found.settings))
    return replace(found, folder=target)
