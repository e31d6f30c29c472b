"""Evaluate a pipeline: fit it anew in every fold, score people, audit, and say what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from myograph.config.schema import PipelineConfig
from myograph.core.checks import check_count
from myograph.core.errors import DataError, ParameterError
from myograph.core.recipe import digest_of
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.pipeline.fanout import fan_out
from myograph.pipeline.rejecting import stated_refusal
from myograph.validate import leakage
from myograph.validate.answers import Answers
from myograph.validate.checkpoint import Checkpoint, Outputs, table_digest
from myograph.validate.facts import data_facts, environment, split_facts
from myograph.validate.fitting import answer, fit_rows, one_thread
from myograph.validate.fold import Fold, Rows
from myograph.validate.heterogeneity import Heterogeneity, site_heterogeneity
from myograph.validate.ladder import MODEL, Rung, build_ladder, compare_rungs
from myograph.validate.manifest import SplitManifest
from myograph.validate.metrics import METRICS
from myograph.validate.nuisance import Nuisance
from myograph.validate.probing import CHANGED, confounds, probe_rungs
from myograph.validate.progress import Clock, Progress, Reporter
from myograph.validate.refusals import measure_refusals, refused_in_fold
from myograph.validate.result import Audit, Predictions, RunInfo, ValidationResult
from myograph.validate.scores import Scorer, Scores
from myograph.validate.selected import selection_facts, taken_in_fold
from myograph.validate.splits import Split
from myograph.validate.stats import distribution
from myograph.validate.trust import PREVALENCES, Trust, measure_trust

__all__ = ["Progress", "RunOptions", "classes_of", "evaluate"]

_NOTES = "notes"
#: What a scored pipeline says of some windows it was trained on, for the audit of fitting.
_AUDITED = "audited"
#: Below this many people the bootstrap is known to be too narrow.
_FEW_PEOPLE = 10
#: With fewer nothing is said about probabilities.
_LEAST_PEOPLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class RunOptions:
    """How a run is carried out; none of it changes the model's figures.

    Parameters
    ----------
    jobs : int
        Processes to share the folds among.
    checkpoint : Path, optional
        Folder to keep finished folds in; a run that was stopped goes on from there.
    progress : callable, optional
        Called with a `Progress` after every fold.
    baselines : bool
        Also evaluate the ladder of baselines on the same folds.
    baseline_table : FeatureTable, optional
        Time-domain features of the same windows, for the LDA of the ladder, when the evaluated
        table holds others.
    bootstrap : int
        Resamples behind every interval.
    nuisance : Nuisance, optional
        What probes may see, see `myograph.validate.nuisance.measure_nuisance`; without it nothing
        is probed.
    changed : mapping of str to FeatureTable
        The same windows, measured on changed recordings: see `myograph.validate.perturb`.
    prevalences : sequence of float
        Shares of cases at which answers about people are judged.
    """

    jobs: int = 1
    checkpoint: Path | None = None
    progress: Callable[[Progress], None] | None = None
    baselines: bool = True
    baseline_table: FeatureTable | None = None
    bootstrap: int = 2000
    nuisance: Nuisance | None = None
    changed: Mapping[str, FeatureTable] = field(default_factory=dict)
    prevalences: Sequence[float] = PREVALENCES

    def __post_init__(self) -> None:
        check_count(self.bootstrap, name="bootstrap", least=100)
        if self.jobs == 0:
            raise ParameterError("jobs must not be 0; give 1 or more, or -1 for all cores.")


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
    _check_training_sides(table.index, folds, classes)
    rungs, notes = build_ladder(
        config, table, baselines=options.baselines, given=options.baseline_table
    )
    if options.nuisance is not None:
        rungs = (*rungs, *probe_rungs(config, table, options.nuisance))
    if chosen and len(chosen) != len(folds):
        raise ParameterError(
            f"chosen has {len(chosen)} models for {len(folds)} folds; give one each."
        )
    run = _Run(rungs, folds, classes, seed, options, tuple(chosen))
    outputs, resumed = run.outputs(_run_key(run, table, manifest))
    result = _assemble(run, table, outputs)
    sites, apart = _sites(result, manifest)
    return ValidationResult(
        config=config.to_dict(),
        split=split_facts(split, manifest),
        data=data_facts(table, result.index),
        seed=seed,
        audits=_audits(run, config, table, manifest.scope, outputs),
        notes=(*notes, *_notes(outputs, table.index, folds, classes), *_unjudged(result), *apart),
        selection=_selection(config, table, folds, outputs),
        environment=environment(*(rung.config for rung in (*rungs, *chosen))),
        run=RunInfo(clock.seconds(), clock.started_at, options.jobs, resumed),
        manifest=manifest,
        sites=sites,
        **result.fields,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Everything a fold needs, and how the folds are carried out."""

    rungs: tuple[Rung, ...]
    folds: tuple[Fold, ...]
    classes: tuple[str, ...]
    seed: int
    options: RunOptions
    chosen: tuple[Rung, ...] = ()

    def outputs(self, key: str) -> tuple[list[Outputs], int]:
        """Return the outputs of every fold, in order, and how many were done before."""
        checkpoint = self.options.checkpoint
        kept = Checkpoint(Path(checkpoint), key) if checkpoint is not None else None
        done: dict[int, Outputs] = {}
        for number in range(len(self.folds)):
            before = kept.read(number) if kept is not None else None
            if before is not None:
                done[number] = before
        resumed = len(done)
        report = Reporter(
            self.folds, self.rungs[0].table.index, self.options.progress, resumed=set(done)
        )
        for number, outputs in self._todo(
            [k for k in range(len(self.folds)) if k not in done], kept
        ):
            done[number] = outputs
            report(number)
        return [done[number] for number in range(len(self.folds))], resumed

    def _todo(
        self, numbers: Sequence[int], kept: Checkpoint | None
    ) -> Iterator[tuple[int, Outputs]]:
        asked, rows = self.asked()
        arguments = (
            (
                _Job(
                    number,
                    self.folds[number].train,
                    self.folds[number].test,
                    self.seed,
                    rows if number == asked else None,
                ),
                self._rungs_of(number),
                self.classes,
                self.options.changed,
            )
            for number in numbers
        )
        done = fan_out(_one_fold, arguments, jobs=self.options.jobs, in_order=False)
        for number, outputs in done:
            if kept is not None:  # here, and not where it was done: that may be another machine
                kept.write(number, outputs)
            yield number, outputs

    def asked(self) -> tuple[int, Rows | None]:
        """Return the fold whose scored pipeline the audit of fitting asks, and about which rows.

        None where folds may be fitted elsewhere or earlier, or by another configuration: the last
        bit may differ there with nothing wrong, and the audit fits twice itself.
        """
        if self.options.jobs != 1 or self.options.checkpoint is not None or self.chosen:
            return -1, None
        return leakage.audited(self.folds)

    def _rungs_of(self, number: int) -> tuple[Rung, ...]:
        """Return the rungs of a fold; the model's is as it was tuned for the fold."""
        if not self.chosen:
            return self.rungs
        return (self.chosen[number], *self.rungs[1:])


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What a process is told about a fold: rows, and not the names of everybody else."""

    number: int
    train: Rows
    test: Rows
    seed: int
    asked: Rows | None = None


def _one_fold(
    job: _Job,
    rungs: tuple[Rung, ...],
    classes: tuple[str, ...],
    changed: Mapping[str, FeatureTable],
) -> tuple[int, Outputs]:
    """Fit every rung on the training side and answer for the test side."""
    outputs: Outputs = {}
    notes: list[str] = []
    with one_thread():
        for rung in rungs:
            pipeline = fit_rows(rung.config, rung.table, job.train, seed=job.seed)
            outputs[rung.name] = answer(pipeline, rung.table.take(job.test), classes)
            if rung.name == MODEL:
                notes = list(pipeline.notes)
                outputs |= taken_in_fold(pipeline)
                outputs |= refused_in_fold(pipeline, rung.table.take(job.test), classes)
                if job.asked is not None:
                    outputs[_AUDITED] = answer(pipeline, rung.table.take(job.asked), classes)
                for name, table in changed.items():
                    outputs[CHANGED + name] = answer(pipeline, table.take(job.test), classes)
    outputs[_NOTES] = np.array(notes, dtype=np.str_)
    return job.number, outputs


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """The scored part of a result, and the index of the tested windows."""

    fields: dict[str, Any]
    index: WindowIndex


def _assemble(run: _Run, table: FeatureTable, outputs: Sequence[Outputs]) -> _Scored:
    rows = np.concatenate([fold.test for fold in run.folds])
    number = np.repeat(np.arange(len(run.folds)), [len(fold.test) for fold in run.folds])
    index = table.index.take(rows)
    scorer = Scorer(
        index,
        run.classes,
        method=run.rungs[0].config.aggregate,
        seed=run.seed,
        n_resamples=run.options.bootstrap,
    )
    joined = {
        rung.name: np.concatenate([each[rung.name] for each in outputs]) for rung in run.rungs
    }
    for name in run.options.changed:
        joined[CHANGED + name] = np.concatenate([each[CHANGED + name] for each in outputs])
    scores = {name: scorer.score(output) for name, output in joined.items()}
    plain = {name: each for name, each in scores.items() if ":" not in name}
    compared = _compared(scorer, plain)
    predictions = Predictions(rows, number, joined[MODEL], index)
    return _Scored(
        {
            "task": "classification" if run.classes else "regression",
            "headline": scorer.headline,
            "classes": run.classes,
            "chance": scorer.chance,
            "predictions": predictions,
            "trust": _trust(scorer, predictions, run),
            "refusals": measure_refusals(
                run.rungs[0].config, predictions, outputs, run.classes, seed=run.seed
            ),
            **_described(scorer, scores[MODEL]),
            **compared,
            "confounds": confounds(
                scorer, scores, joined, run.options.nuisance, ladder=compared["ladder"]
            ),
        },
        index,
    )


def _sites(result: _Scored, manifest: SplitManifest) -> tuple[Heterogeneity | None, list[str]]:
    """Compare sites, each judged by models that have not seen it; or say why that cannot be."""
    if "site" not in manifest.by:
        return None, []
    headline = result.fields["headline"]
    scores = result.fields["per_person"][headline]
    where = dict(zip(result.index.subject.tolist(), result.index.site.tolist(), strict=True))
    figures = [np.nan if score is None else score for score in scores.values()]
    try:
        return site_heterogeneity(
            figures, [where[person] for person in scores], bounds=METRICS[headline].bounds
        ), []
    except DataError as error:
        return None, [f"How much sites differ was not judged: {error}"]


def _unjudged(result: _Scored) -> list[str]:
    """Say why nothing is said about probabilities, where there are people enough."""
    fields, index = result.fields, result.index
    if not fields["classes"] or fields["trust"] is not None:
        return []
    people = [np.unique(index.subject[index.label == name]) for name in fields["classes"]]
    if len(np.unique(index.subject)) < _LEAST_PEOPLE:
        return []
    name, shown = min(zip(fields["classes"], people, strict=True), key=lambda each: len(each[1]))
    names = ", ".join(shown[:5].tolist()) + (", ..." if len(shown) > 5 else "")
    told = (
        "What its probabilities are worth was not judged: that takes every class in several groups "
        f"of people, and {name!r} is shown by {len(shown)} ({names})."
    )
    return [told]


def _trust(scorer: Scorer, predictions: Predictions, run: _Run) -> Trust | None:
    if not scorer.classes:
        return None
    if scorer.cases:
        cases = Answers.of_cases(predictions, scorer.classes, method=scorer.method)
        return measure_trust(
            cases, unit="person", seed=run.seed, prevalences=run.options.prevalences
        )
    windows = Answers.of_predictions(predictions, scorer.classes)
    return measure_trust(windows, unit="window", seed=run.seed)


def _described(scorer: Scorer, scores: Scores) -> dict[str, Any]:
    names = scorer.people.names
    return {
        "metrics": scorer.estimates(scores.figures),
        "per_person": {
            metric: {
                person: float(value) if np.isfinite(value) else None
                for person, value in zip(names, values, strict=True)
            }
            for metric, values in scores.per_person.items()
        },
        "per_class": {
            label: scorer.estimates(figures) for label, figures in scores.per_class.items()
        },
        "distribution": {
            metric: spread
            for metric, values in scores.per_person.items()
            if (spread := dict(distribution(values)))
        },
        "confusion": scores.confusion,
    }


def _compared(scorer: Scorer, scores: dict[str, Scores]) -> dict[str, Any]:
    headline = scorer.headline
    figures = {name: each.figures[headline] for name, each in scores.items()}
    ladder, gain = {}, {}
    for name in [name for name in figures if name != MODEL]:
        estimate = scorer.estimate(headline, figures[name])
        difference = scorer.gain(figures[MODEL], figures[name])
        if estimate is not None:
            ladder[name] = estimate
        if difference is not None:
            gain[name] = difference
    people = {
        name: dict(zip(scorer.people.names, each.per_person[headline].tolist(), strict=True))
        for name, each in scores.items()
    }
    return {"ladder": ladder, "gain": gain, "comparisons": compare_rungs(people, seed=scorer.seed)}


def _audits(
    run: _Run, config: PipelineConfig, table: FeatureTable, scope: str, outputs: Sequence[Outputs]
) -> tuple[Audit, ...]:
    def fit(spoiled: FeatureTable, fold: Fold) -> leakage.Predict:
        pipeline = fit_rows(config, spoiled, fold.train, seed=run.seed)
        return lambda probes: answer(pipeline, probes, run.classes)

    index, folds = table.index, run.folds
    asked, rows = run.asked()
    told = None if rows is None else outputs[asked][_AUDITED]
    with one_thread():
        fitting = leakage.audit_fitting(fit, table, folds, seed=run.seed, told=told)
    return (
        leakage.audit_people(index, folds, scope=scope),
        leakage.audit_repetitions(index, folds, scope=scope),
        leakage.audit_samples(index, folds),
        leakage.audit_copies(index),
        leakage.audit_normalisation(table),
        leakage.audit_columns(table),
        fitting,
        leakage.audit_adaptation(config.scaling),
    )


def _selection(
    config: PipelineConfig, table: FeatureTable, folds: Sequence[Fold], outputs: Sequence[Outputs]
) -> dict[str, Any]:
    if config.selection is None:
        return {}
    return selection_facts(config.selection.to_dict(), table.names, folds, outputs)


def _check_training_sides(
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


def _notes(
    outputs: Sequence[Outputs],
    index: WindowIndex,
    folds: Sequence[Fold],
    classes: tuple[str, ...],
) -> tuple[str, ...]:
    told = list(dict.fromkeys(note for each in outputs for note in each[_NOTES].tolist()))
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


def _run_key(run: _Run, table: FeatureTable, manifest: SplitManifest) -> str:
    tables = {id(rung.table): rung.table for rung in (*run.rungs, *run.chosen)}
    digests = {key: table_digest(each) for key, each in tables.items()}
    return digest_of(
        {
            "rungs": [
                [rung.name, rung.config.to_dict(), digests[id(rung.table)]] for rung in run.rungs
            ],
            "chosen": [[rung.config.to_dict(), digests[id(rung.table)]] for rung in run.chosen],
            "split": manifest.digest(),
            "labels": table_digest(table),
            "seed": run.seed,
            "environment": environment(*(r.config for r in (*run.rungs, *run.chosen))),
            "changed": {name: table_digest(each) for name, each in run.options.changed.items()},
        }
    )
