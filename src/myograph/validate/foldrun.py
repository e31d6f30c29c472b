"""A run over folds: every rung is fitted and asked in each, and the fitting is audited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from myograph.config.schema import PipelineConfig
from myograph.core.recipe import digest_of
from myograph.core.table import FeatureTable
from myograph.pipeline.fanout import fan_out
from myograph.validate import leakage
from myograph.validate.checkpoint import Checkpoint, Outputs, table_digest
from myograph.validate.facts import environment
from myograph.validate.fitting import answer, fit_rows, one_thread
from myograph.validate.fold import Fold, Rows
from myograph.validate.ladder import MODEL, Rung
from myograph.validate.manifest import SplitManifest
from myograph.validate.options import RunOptions
from myograph.validate.probing import CHANGED
from myograph.validate.progress import Reporter
from myograph.validate.refusals import refused_in_fold
from myograph.validate.result import Audit
from myograph.validate.selected import taken_in_fold

__all__ = ["NOTES", "FoldRun", "audits", "run_key"]

#: Under this name a fold keeps what its pipeline says of how it learned.
NOTES = "notes"
#: What a scored pipeline says of some windows it was trained on, for the audit of fitting.
AUDITED = "audited"


@dataclass(frozen=True, slots=True, eq=False)
class FoldRun:
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
                    outputs[AUDITED] = answer(pipeline, rung.table.take(job.asked), classes)
                for name, table in changed.items():
                    outputs[CHANGED + name] = answer(pipeline, table.take(job.test), classes)
    outputs[NOTES] = np.array(notes, dtype=np.str_)
    return job.number, outputs


def audits(
    run: FoldRun,
    config: PipelineConfig,
    table: FeatureTable,
    scope: str,
    outputs: Sequence[Outputs],
) -> tuple[Audit, ...]:
    """Look for leakage in every way there is, and say what each found."""

    def fit(spoiled: FeatureTable, fold: Fold) -> leakage.Predict:
        pipeline = fit_rows(config, spoiled, fold.train, seed=run.seed)
        return lambda probes: answer(pipeline, probes, run.classes)

    index, folds = table.index, run.folds
    asked, rows = run.asked()
    told = None if rows is None else outputs[asked][AUDITED]
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


def run_key(run: FoldRun, table: FeatureTable, manifest: SplitManifest) -> str:
    """Return the digest of everything that the outputs of the folds depend on."""
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
