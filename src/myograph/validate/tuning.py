"""Tuning: search settings on inner folds that keep people whole, within a budget.

Trial 0 is the configuration as it was given; the rest are proposed by optuna's tree-structured
Parzen estimator (bergstra2011). Trials are proposed a few at a time, always as many, whatever
carries them out: so one process, many, and a cluster try the same settings in the same order, and
a search that was stopped goes on with the settings it would have tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.load import parse_config
from myograph.config.schema import PipelineConfig
from myograph.core.checks import check_count
from myograph.core.dial import Dial
from myograph.core.errors import DataError, FormatError, MyographError, ParameterError
from myograph.core.optional import needs
from myograph.core.recipe import digest_of
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.models import MODELS
from myograph.pipeline.fanout import fan_out
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.checkpoint import table_digest
from myograph.validate.facts import environment
from myograph.validate.fitting import answer, fit_rows, one_thread
from myograph.validate.fold import Fold, Rows
from myograph.validate.scores import Scorer
from myograph.validate.study import Budget, Study, Trial

__all__ = ["Search", "Tables", "Told", "space_of", "tune", "with_values"]

#: Feature tables of the same windows, by the features they hold (`features_key`).
Tables = Mapping[str, FeatureTable]
#: Called with the study so far, after every few trials.
Told = Callable[[Study], None]

#: Parts of a pipeline that may differ between trials: the windows themselves must not.
_SEARCHED = ("model", "scaling", "selection", "features", "aggregate")
#: Trials drawn at random before the search learns from them.
_AT_RANDOM = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched, and how.

    Parameters
    ----------
    space : tuple of Dial
        Names are key paths of a pipeline: ``model.params.cost``, ``scaling``, ``selection.keep``.
    budget : Budget
    seed : int
    together : int
        Trials proposed at a time. It belongs to the search: another number tries other settings.
    jobs : int
        Processes; they change the time, never the trials.
    """

    space: tuple[Dial, ...]
    budget: Budget
    seed: int = 0
    together: int = 4
    jobs: int = 1

    def __post_init__(self) -> None:
        if not self.space:
            raise ParameterError(
                "There is nothing to search: this model declares no space of its own. Name what to "
                "search: --search model.params.NAME=LOW..HIGH."
            )
        check_count(self.together, name="together")
        for dial in self.space:
            if dial.name.partition(".")[0] not in _SEARCHED:
                raise ParameterError(
                    f"{dial.name!r} cannot be searched: inner folds compare settings on the same "
                    f"windows, so only {', '.join(_SEARCHED)} may vary. Compare windows by runs of "
                    "their own."
                )


def space_of(config: PipelineConfig, more: Sequence[Dial] = ()) -> tuple[Dial, ...]:
    """Return what to search for a pipeline: what its model declares, and ``more``.

    Where ``more`` has a choice of ``model.name``, each of those models brings its own space. What
    ``more`` names takes the place of what a model declares.

    Examples
    --------
    >>> [str(dial) for dial in space_of(PipelineConfig())]
    ['model.params.shrinkage=0.0001..1:log', 'model.params.priors=empirical,uniform']
    """
    named = {dial.name for dial in more}
    several = next((dial.choices for dial in more if dial.name == "model.name"), ())
    found = []
    for name in several or (config.model.name,):
        for dial in MODELS[str(name)].space:
            path = f"model.params.{dial.name}"
            if path not in named:
                found.append(replace(dial, name=path, when=str(name) if several else ""))
    return (*more, *found)


def with_values(config: PipelineConfig, values: Mapping[str, Any]) -> PipelineConfig:
    """Return the configuration with these key paths set; another model starts from its defaults.

    Examples
    --------
    >>> with_values(PipelineConfig(), {"model.name": "knn", "scaling": "standard"}).model.name
    'knn'
    """
    plain = config.to_dict()
    if values.get("model.name", config.model.name) != config.model.name:
        plain["model"] = {"name": values["model.name"], "params": {}}
    for path, value in values.items():
        *above, last = path.split(".")
        place = plain
        for part in above:
            if place.get(part) is None:
                raise ParameterError(
                    f"{path!r} cannot be set: the pipeline has no {part}. Give one first, for "
                    f"example --set pipeline.{above[0]}.name=NAME."
                )
            place = place[part]
        # Features are a list of names; a choice of them is written joined by commas.
        place[last] = str(value).split("+") if path == "features" else value
    return parse_config(plain, schema=PipelineConfig, where="a setting to be tried")


def features_key(config: PipelineConfig) -> str:
    """Return what identifies the features of a configuration."""
    return digest_of(config.to_dict()["features"])


def tune(
    config: PipelineConfig,
    tables: FeatureTable | Tables,
    folds: Sequence[Fold],
    search: Search,
    *,
    path: Path | None = None,
    told: Told | None = None,
) -> Study:
    """Search settings by their scores on ``folds``.

    Parameters
    ----------
    config : PipelineConfig
        The setting to begin with.
    tables : FeatureTable or mapping of str to FeatureTable
        One for each choice of features, of the same windows.
    folds : sequence of Fold
        Inner folds: `Fold.inner` of an outer one, so that its test side is in none of them; or the
        folds of a split of everything there is.
    search : Search
    path : Path, optional
        JSON file for the trials, or a folder for one named after the search. Written after every
        trial. One that is there already is gone on
        with, if it is the same search; a larger budget goes on after a finished one.
    told : callable, optional
        See `Told`.

    Returns
    -------
    Study
        Its ``best`` score was chosen for being high: it is no estimate of anything. Only people
        outside all of the folds can tell what the setting is worth.

    Raises
    ------
    ParameterError
        If the space does not fit the pipeline.
    DataError
        If no fold can be fitted, no setting could be, or ``path`` is of another search.

    References
    ----------
    bergstra2011
    """
    given = {features_key(config): tables} if isinstance(tables, FeatureTable) else dict(tables)
    _check_space(config, search.space)
    bench = _Bench.of(config, given, folds, search.seed)
    study = Study(
        key=bench.key(search),
        metric=bench.scorer.headline,
        space=search.space,
        budget=search.budget,
        config=config.to_dict(),
        inner=bench.inner(),
        seed=search.seed,
        notes=bench.notes,
        environment=_environment(config, search.space),
    )
    if path is not None and path.is_dir():
        path = path / f"study-{study.key[:16]}.json"
    return _searched(study, bench, search, path, told)


def _now() -> float:
    return time.perf_counter()


def _searched(
    study: Study, bench: _Bench, search: Search, path: Path | None, told: Told | None
) -> Study:
    before = _before(study, path)
    done = {trial.number: trial for trial in before.trials} if before else {}
    study = replace(study, spent_s=before.spent_s if before else 0.0)
    begin, spent_s, took_s = _now(), study.spent_s, 0.0
    rounds = _Rounds(search, path_budget=search.budget)
    for asked in rounds:
        missing = [number for number in asked if number not in done]
        if missing and not _time_left(search.budget, study.spent_s, took_s, first=not done):
            break
        sitting = _now()
        for trial in bench.tried({number: asked[number] for number in missing}, search.jobs):
            done[trial.number] = trial
            study = replace(study, spent_s=spent_s + _now() - begin)
            study = replace(study, trials=tuple(done[number] for number in sorted(done)))
            if path is not None:
                study.save(path)
        if missing:
            took_s = _now() - sitting
        rounds.tell({number: _same(done[number], asked[number], path) for number in asked})
        study = replace(study, trials=tuple(done[number] for number in sorted(done)))
        if told is not None:
            told(study)
    _ = study.best  # refuses a study in which nothing could be fitted
    return study


def _before(study: Study, path: Path | None) -> Study | None:
    if path is None or not path.exists():
        return None
    before = Study.load(path)
    if before.key != study.key:
        raise DataError(
            f"{path} holds a search of other data, settings, folds or versions, so it is left as "
            "it is; keep this one elsewhere."
        )
    return before


def _time_left(budget: Budget, spent_s: float, took_s: float, *, first: bool) -> bool:
    return first or budget.minutes is None or spent_s + took_s <= 60 * budget.minutes


def _same(trial: Trial, values: Mapping[str, Any], path: Path | None) -> float | None:
    if trial.values != dict(values):
        raise FormatError(
            f"Trial {trial.number} in {path} is not the one that this search proposes "
            f"({trial.values}, not {dict(values)}): the file was changed. Search elsewhere."
        )
    return trial.score


class _Rounds:
    """Proposes trials a few at a time, and hears how they did: the same for the same seed."""

    def __init__(self, search: Search, *, path_budget: Budget) -> None:
        self.search, self.most = search, path_budget.trials
        optuna = _optuna()
        self.failed = optuna.trial.TrialState.FAIL
        sampler = optuna.samplers.TPESampler(seed=search.seed, n_startup_trials=_AT_RANDOM)
        with _quiet(optuna):
            self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.open: dict[int, Any] = {}

    def __iter__(self) -> Iterator[dict[int, dict[str, Any]]]:
        """Yield settings by the numbers of their trials; number 0 is the given one."""
        yield {0: {}}
        number = 1
        while self.most is None or number < self.most:
            self.open = {k: self.study.ask() for k in range(number, number + self.search.together)}
            asked = {k: _proposed(trial, self.search.space) for k, trial in self.open.items()}
            number += self.search.together
            # The last few may be more than were asked for: proposed alike, and left undone.
            yield {k: v for k, v in asked.items() if self.most is None or k < self.most}

    def tell(self, scores: Mapping[int, float | None]) -> None:
        """Say how the trials of the last round did, in the order of their numbers."""
        for number in sorted(set(scores) & set(self.open)):
            score = scores[number]
            if score is None:
                self.study.tell(self.open[number], state=self.failed)
            else:
                self.study.tell(self.open[number], score)


def _proposed(trial: Any, space: Sequence[Dial]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for dial in space:
        if dial.when and dial.when != values.get("model.name"):
            continue
        name = f"{dial.when}:{dial.name}" if dial.when else dial.name
        if dial.kind == "choice":
            values[dial.name] = trial.suggest_categorical(name, dial.choices)
        elif dial.kind == "whole":
            values[dial.name] = trial.suggest_int(name, int(dial.low or 0), dial.high, log=dial.log)
        else:
            values[dial.name] = trial.suggest_float(name, dial.low, dial.high, log=dial.log)
    return values


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where settings are tried: tables, inner folds, and how their answers are scored."""

    config: PipelineConfig
    tables: Tables
    folds: tuple[Fold, ...]
    scorer: Scorer
    seed: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, config: PipelineConfig, tables: Tables, folds: Sequence[Fold], seed: int) -> _Bench:
        index = next(iter(tables.values())).index
        classes = _classes(index, folds)
        usable, notes = _usable(folds, index, classes)
        tested = np.concatenate([fold.test for fold in usable])
        scorer = Scorer(
            index.take(tested), classes, method=config.aggregate, seed=seed, n_resamples=1
        )
        return cls(config, tables, usable, scorer, seed, notes)

    def key(self, search: Search) -> str:
        return digest_of(
            {
                "config": self.config.to_dict(),
                "tables": {key: table_digest(table) for key, table in self.tables.items()},
                "folds": [[f.name, f.train.tolist(), f.test.tolist()] for f in self.folds],
                "space": [dial.to_dict() for dial in search.space],
                "seed": [search.seed, search.together],
                "environment": _environment(self.config, search.space),
            }
        )

    def inner(self) -> dict[str, int]:
        return {fold.name: len(fold.groups.present(fold.test)) for fold in self.folds}

    def tried(self, asked: Mapping[int, Mapping[str, Any]], jobs: int) -> Iterator[Trial]:
        """Try settings on all inner folds, and yield each trial when its last fold is done."""
        parts: dict[int, dict[int, _Part]] = {number: {} for number in asked}
        configs: dict[int, PipelineConfig] = {}
        for number, values in asked.items():
            try:
                configs[number] = with_values(self.config, values)
            except MyographError as error:
                yield Trial(number, dict(values), None, told=str(error))
        arguments = (
            (
                _Task(number, k, fold.train, fold.test, self.seed),
                (config, self.tables[features_key(config)]),
                self.scorer.classes,
            )
            for number, config in configs.items()
            for k, fold in enumerate(self.folds)
        )
        for part in fan_out(_try_fold, arguments, jobs=jobs, in_order=False):
            mine = parts[part.trial]
            mine[part.fold] = part
            if len(mine) == len(self.folds):
                yield self._trial(part.trial, dict(asked[part.trial]), mine)

    def _trial(self, number: int, values: dict[str, Any], parts: Mapping[int, _Part]) -> Trial:
        seconds = round(sum(part.seconds for part in parts.values()), 4)
        told = next((parts[k].told for k in sorted(parts) if parts[k].told), "")
        if told:
            return Trial(number, values, None, seconds, told)
        output = np.concatenate([parts[k].output for k in range(len(self.folds))])
        score = float(self.scorer.score(output).figures[self.scorer.headline].value)
        if not np.isfinite(score):
            return Trial(number, values, None, seconds, "The score is not defined on these people.")
        return Trial(number, values, score, seconds)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    trial: int
    fold: int
    train: Rows
    test: Rows
    seed: int


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one setting answered on one inner fold, or why it did not."""

    trial: int
    fold: int
    output: NDArray[np.float64]
    seconds: float
    told: str = ""


def _try_fold(
    task: _Task, what: tuple[PipelineConfig, FeatureTable], classes: tuple[str, ...]
) -> _Part:
    begin = time.process_time()
    output, told = np.empty(0), ""
    with one_thread():
        try:
            config, table = what
            pipeline = fit_rows(config.answering(), table, task.train, seed=task.seed)
            output = answer(pipeline, table.take(task.test), classes)
        except MyographError as error:  # a setting that cannot be fitted is an outcome
            told = str(error)
    return _Part(task.trial, task.fold, output, time.process_time() - begin, told)


def _classes(index: WindowIndex, folds: Sequence[Fold]) -> tuple[str, ...]:
    if index.label.dtype.kind != "U":
        return ()
    used = np.unique(np.concatenate([np.union1d(fold.train, fold.test) for fold in folds]))
    return tuple(np.unique(index.label[used]).tolist())


def _usable(
    folds: Sequence[Fold], index: WindowIndex, classes: tuple[str, ...]
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    """Leave out inner folds that nothing can be learned from, and say so."""
    if not classes:
        return tuple(folds), ()
    usable, poor, notes = [], [], []
    for fold in folds:
        shown = np.unique(index.label[fold.train]).tolist()
        if len(shown) < 2:
            poor.append((fold.name, shown))
            continue
        usable.append(fold)
        absent = sorted(set(index.label[fold.test].tolist()) - set(shown))
        if absent:
            notes.append(
                f"Inner fold {fold.name!r} tests classes that its training side does not show, "
                f"which counts as wrong: {absent}."
            )
    if not usable:
        raise DataError(
            f"None of {len(folds)} inner folds can be fitted: fold {poor[0][0]!r} trains on one "
            f"class only, {poor[0][1]}. Tuning needs inner folds that show several classes: give "
            "more people, or fewer inner folds."
        )
    if poor:
        name, shown = poor[0]
        notes.append(
            f"{len(poor)} of {len(folds)} inner folds were left out of the tuning: they train on "
            f"one class only (fold {name!r}: {shown})."
        )
    return tuple(usable), tuple(notes)


def _check_space(config: PipelineConfig, space: Sequence[Dial]) -> None:
    """Refuse, before any work, a dial that no pipeline has; what a value does is for the trials."""
    for dial in space:
        values = {"model.name": dial.when, dial.name: dial.first} if dial.when else {}
        Pipeline(with_values(config, values or {dial.name: dial.first}))


def _environment(config: PipelineConfig, space: Sequence[Dial]) -> dict[str, str]:
    """Say which versions every model that may be tried learns with."""
    models = [name for dial in space if dial.name == "model.name" for name in dial.choices]
    tried = [with_values(config, {"model.name": name}) for name in models]
    return {**environment(config, *tried), "optuna": _optuna().__version__}


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _optuna() -> Any:
    return needs("optuna", to="tune a pipeline", extra="tune")
