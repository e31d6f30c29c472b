"""Probing: the rungs of confound probes, and the model's score on people whom a probe matches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.decision import Estimate
from myograph.core.table import FeatureTable
from myograph.models.aggregate import aggregate_people
from myograph.validate.ladder import MODEL, Rung
from myograph.validate.nuisance import Nuisance
from myograph.validate.perturb import PERTURBATIONS
from myograph.validate.probes import Confounds, Matched, Stability, judge_probes
from myograph.validate.scores import Scorer, Scores
from myograph.validate.stats import resample, resampled_estimate

__all__ = ["CHANGED", "PREFIX", "confounds", "matched_pairs", "probe_rungs"]

#: Names of probes among the rungs of a run, and of the model's answers to changed recordings.
PREFIX, CHANGED = "probe:", "changed:"
#: Two people match when the probe's log odds for them differ by less than this share of the
#: deviation over all people.
_CALIPER = 0.2
_LEAST_PAIRS = 10
_SEED = 0


def probe_rungs(
    config: PipelineConfig, table: FeatureTable, nuisance: Nuisance
) -> tuple[Rung, ...]:
    """Return one rung per family: a linear model of its numbers and their squares."""
    numeric = table.index.label.dtype.kind == "f"
    model = (
        ModelConfig(name="ridge", params={"alpha": 1.0})
        if numeric
        else ModelConfig(name="lda", params={"priors": "uniform"})
    )
    plain = {"model": model, "selection": None, "scaling": "standard"}
    rungs = []
    for name, values in nuisance.families.items():
        both = np.concatenate([values, values**2], axis=1)
        names = tuple(f"recording.{name}[{k}]" for k in range(both.shape[1]))
        seen = FeatureTable(
            both, names, ("1",) * len(names), table.index, table.layout, table.recipe
        )
        rungs.append(Rung(PREFIX + name, config.answering().model_copy(update=plain), seen))
    return tuple(rungs)


def confounds(
    scorer: Scorer,
    scores: Mapping[str, Scores],
    outputs: Mapping[str, NDArray[np.float64]],
    nuisance: Nuisance | None,
    *,
    ladder: Mapping[str, Estimate],
) -> Confounds | None:
    """Judge the scored probes and changes of a run; None when there were none.

    Parameters
    ----------
    scorer : Scorer
    scores, outputs : mapping
        By rung: what was scored, and the held-out answers.
    nuisance : Nuisance or None
    ladder : mapping of str to Estimate
        Of the baselines.
    """
    headline = scorer.headline
    figures = {name: each.figures[headline] for name, each in scores.items()}
    model = scorer.estimate(headline, figures[MODEL])
    if model is None or (nuisance is None and not any(n.startswith(CHANGED) for n in figures)):
        return None
    floor = max([scorer.chance or 0.0, *(e.value for n, e in ladder.items() if n == "majority")])
    said: dict[str, Estimate] = {}
    gains: dict[str, Estimate] = {}
    stability: list[Stability] = []
    for name, figure in figures.items():
        kind, _, family = name.partition(":")
        estimate = scorer.estimate(headline, figure)
        if not family or estimate is None:
            continue
        if kind + ":" == PREFIX:
            said[family] = estimate
            gain = scorer.gain(figures[MODEL], figure)
            gains |= {} if gain is None else {family: gain}
        else:
            change = scorer.gain(figure, figures[MODEL])
            if change is not None:
                what = PERTURBATIONS[family].what
                stability.append(Stability(family, what, estimate, change))
    probes = judge_probes(said, gains, model, floor=floor)
    suspects = [probe.name for probe in probes if probe.above_chance]
    matched = [
        each
        for name in suspects
        for each in matched_pairs(scorer, outputs[MODEL], outputs[PREFIX + name], name=name)
    ]
    unasked = {} if nuisance is None else nuisance.unknown
    return Confounds(probes, tuple(matched), tuple(stability), unasked, floor)


def matched_pairs(
    scorer: Scorer, model: NDArray[np.float64], probe: NDArray[np.float64], *, name: str
) -> tuple[Matched, ...]:
    """Score the model on pairs of people of two classes for whom a probe's answer is the same.

    Every person of the smaller class is paired with all people of the other class whose held-out
    log odds from the probe lie within the caliper; a person without partners is left out.

    Parameters
    ----------
    scorer : Scorer
        Of cases: one label per person. Otherwise every person is their own control, and nothing is
        matched.
    model, probe : ndarray, shape (n_windows, n_classes)
        Held-out probabilities.
    name : str
        Of the probe.
    """
    if not scorer.cases:
        return ()
    truth = np.array([scorer.truth[rows[0]] for rows in scorer.rows])
    said, guessed = (
        np.log(np.maximum(aggregate_people(each, scorer.index, method=scorer.method)[1], 1e-12))
        for each in (model, probe)
    )
    found = []
    for first in range(len(scorer.classes)):
        for second in range(first + 1, len(scorer.classes)):
            estimate = _matched_auc(
                (truth == first, truth == second),
                said[:, first] - said[:, second],
                guessed[:, first] - guessed[:, second],
            )
            if estimate is not None:
                pair = (scorer.classes[first], scorer.classes[second])
                found.append(Matched(name, pair, estimate))
    return tuple(found)


def _matched_auc(
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    said: NDArray[np.float64],
    guessed: NDArray[np.float64],
) -> Estimate | None:
    one, other = np.flatnonzero(sides[0]), np.flatnonzero(sides[1])
    both = np.concatenate([one, other])
    near = np.abs(guessed[one][:, None] - guessed[other]) <= _CALIPER * guessed[both].std()
    right = (said[one][:, None] > said[other]) + 0.5 * (said[one][:, None] == said[other])
    if near.sum() < _LEAST_PAIRS:
        return None
    used = np.unique(np.concatenate([one[near.any(axis=1)], other[near.any(axis=0)]]))
    counts = resample(len(both), seed=_SEED, n_resamples=1000)
    # Pairs weigh so that every person of the first side counts alike.
    weight = near / np.maximum(near.sum(axis=1, keepdims=True), 1)
    mine, theirs = counts[:, : len(one)], counts[:, len(one) :]
    above = ((mine @ (weight * right)) * theirs).sum(axis=1)
    below = ((mine @ weight) * theirs).sum(axis=1)
    drawn = above[below > 0] / below[below > 0]
    value = float((weight * right).sum() / weight.sum())
    return resampled_estimate(value, drawn, evidence="person", n=len(used), bounds=(0.0, 1.0))
