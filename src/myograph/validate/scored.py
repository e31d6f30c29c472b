"""Scores of a run: the answers of all folds, as figures about people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from myograph.core.errors import DataError
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.validate.answers import Answers
from myograph.validate.checkpoint import Outputs
from myograph.validate.foldrun import FoldRun
from myograph.validate.heterogeneity import Heterogeneity, site_heterogeneity
from myograph.validate.ladder import MODEL, compare_rungs
from myograph.validate.manifest import SplitManifest
from myograph.validate.metrics import METRICS
from myograph.validate.probing import CHANGED, confounds
from myograph.validate.refusals import measure_refusals
from myograph.validate.result import Predictions
from myograph.validate.scores import Scorer, Scores
from myograph.validate.stats import distribution
from myograph.validate.trust import Trust, measure_trust

__all__ = ["Scored", "score_run", "site_differences", "unjudged_notes"]

#: With fewer nothing is said about probabilities.
_LEAST_PEOPLE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scored part of a result, and the index of the tested windows."""

    fields: dict[str, Any]
    index: WindowIndex


def score_run(run: FoldRun, table: FeatureTable, outputs: Sequence[Outputs]) -> Scored:
    """Put the answers of all folds together, and score people, windows and classes."""
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
    return Scored(
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


def _trust(scorer: Scorer, predictions: Predictions, run: FoldRun) -> Trust | None:
    if not scorer.classes:
        return None
    if scorer.cases:
        cases = Answers.of_cases(predictions, scorer.classes, method=scorer.method)
        return measure_trust(
            cases, unit="person", seed=run.seed, prevalences=run.options.prevalences
        )
    windows = Answers.of_predictions(predictions, scorer.classes)
    return measure_trust(windows, unit="window", seed=run.seed)


def site_differences(
    result: Scored, manifest: SplitManifest
) -> tuple[Heterogeneity | None, list[str]]:
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


def unjudged_notes(result: Scored) -> list[str]:
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
