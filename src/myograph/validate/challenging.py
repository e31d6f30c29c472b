"""Challenging: the models of the folds, fitted on good recordings, are asked about spoilt ones.

The held-out recordings are spoilt, one challenge at a time, before the whole pipeline; no model is
trained again, and every person's score is compared with their own score on good recordings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.checks import check_count
from myograph.core.decision import Estimate
from myograph.core.errors import DataError
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.core.windows import WindowIndex
from myograph.pipeline.fanout import fan_out
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.challenges import Challenge, Challenged, Given, challenges_for
from myograph.validate.fitting import answer, fit_rows, one_thread
from myograph.validate.fold import Fold
from myograph.validate.manifest import unit_names
from myograph.validate.robustness import Outcome, Robustness
from myograph.validate.scores import Scorer, Scores
from myograph.validate.sides import classes_of
from myograph.validate.splits import Split

__all__ = ["RobustnessOptions", "measure_robustness"]

Array = NDArray[np.float64]

_SHIFTED = "it moves windows in time, and the split names single windows: choose another split"


@dataclass(frozen=True, slots=True)
class RobustnessOptions:
    """How the challenges are put.

    Parameters
    ----------
    jobs : int
        Processes to share recordings and folds among.
    bootstrap : int
        Resamples behind every interval.
    circumference_mm : float, optional
        See `myograph.validate.challenges.Given`.
    progress : callable, optional
        Called with (folds done, folds in all).
    """

    jobs: int = 1
    bootstrap: int = 2000
    circumference_mm: float | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        check_count(self.bootstrap, name="bootstrap", least=100)


def measure_robustness(
    config: PipelineConfig,
    recordings: Sequence[Recording],
    split: Split,
    *,
    seed: int = 0,
    options: RobustnessOptions | None = None,
) -> Robustness:
    """Put every challenge that fits to the models of the folds, none of them trained again.

    Parameters
    ----------
    config : PipelineConfig
    recordings : sequence of Recording
        One layout; labelled.
    split : Split
    seed : int
        Of models, bootstrap and challenges.
    options : RobustnessOptions, optional

    Raises
    ------
    DataError
        As `myograph.validate.run.evaluate`; or if a figure is defined for nobody.

    Examples
    --------
    >>> from myograph.validate.splits import make_split
    >>> found = measure_robustness(  # doctest: +SKIP
    ...     config, recordings, make_split("leave-one-subject-out")
    ... )
    >>> print(found.worst.level, found.worst.change)  # doctest: +SKIP
    SNR 0 dB -0.412 [-0.469, -0.356] (19 persons)
    """
    options = options or RobustnessOptions()
    table = Pipeline(config, seed=seed).prepare(recordings, jobs=options.jobs)
    first = recordings[0]
    given = Given(first.layout, first.device, options.circumference_mm)
    challenges, refused, assumptions = challenges_for(given)
    plan = _Plan(config.answering(), split, table, classes_of(table.index), challenges, seed)
    found = plan.carry_out(recordings, options)
    scorer, scores = _scored(plan, [each[None] for each in found], options.bootstrap)
    headline = scorer.headline
    plain = _known(scorer.estimate(headline, scores.figures[headline]), headline, "good recordings")
    outcomes = []
    for challenge in challenges:
        told = [each[challenge] for each in found]
        if any(each is None for each in told):
            refused[challenge.family] = _SHIFTED
            continue
        outcomes.append(_outcome(plan, challenge, told, (scorer, scores), options.bootstrap))
    kept = {each.family for each in outcomes}
    assumptions = tuple(each for each in assumptions if each.split(":")[0] in kept)
    return Robustness(headline, plain, tuple(outcomes), refused, assumptions, seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """Answers of one fold's model, and about which windows."""

    output: Array
    index: WindowIndex


#: Per challenge, and without any; None where the windows cannot be told apart.
_Found = dict[Challenge | None, _Told | None]


@dataclass(frozen=True, eq=False)
class _Plan:
    """What every fold is asked."""

    config: PipelineConfig
    split: Split
    table: FeatureTable
    classes: tuple[str, ...]
    challenges: tuple[Challenge, ...]
    seed: int

    def carry_out(
        self, recordings: Sequence[Recording], options: RobustnessOptions
    ) -> list[_Found]:
        """Fit and challenge fold by fold; every recording is read once for each fold it tests."""
        index = self.table.index
        digests = np.array([recording.source_digest for recording in recordings])
        folds = self.split.folds(index)

        def tested(fold: Fold) -> list[Recording]:
            rows = np.isin(digests, np.unique(index.recording[fold.test]))
            return [recordings[int(number)] for number in np.flatnonzero(rows)]

        work = ((self, fold, tested(fold)) for fold in folds)
        found = []
        for each in fan_out(_one_fold, work, jobs=options.jobs):
            found.append(each)
            if options.progress is not None:
                options.progress(len(found), len(folds))
        return found


def _one_fold(plan: _Plan, fold: Fold, recordings: Sequence[Recording]) -> _Found:
    """Fit one fold's pipeline, and ask it about its recordings, good and spoilt."""
    with one_thread():
        pipeline = fit_rows(plan.config, plan.table, fold.train, seed=plan.seed)

    def ask(table: FeatureTable, rows: NDArray[np.bool_]) -> _Told:
        tested = table.take(np.flatnonzero(rows))
        with one_thread():
            return _Told(answer(pipeline, tested, plan.classes), tested.index)

    index = plan.table.index
    mine = np.flatnonzero(np.isin(index.recording, [each.source_digest for each in recordings]))
    rows = np.isin(mine, fold.test)
    units = np.unique(unit_names(index.take(fold.test), plan.split.by))
    found: _Found = {None: ask(plan.table.take(mine), rows)}
    for challenge in plan.challenges:
        spoilt = Challenged(recordings, challenge, seed=plan.seed)
        table = Pipeline(plan.config, seed=plan.seed).prepare(spoilt)
        if len(table.index) == len(mine) and (table.index.start_s == index.start_s[mine]).all():
            found[challenge] = ask(table, rows)
        elif tuple(plan.split.by) == ("window",):
            found[challenge] = None  # other windows, and the split names windows
        else:
            found[challenge] = ask(table, np.isin(unit_names(table.index, plan.split.by), units))
    return found


def _scored(plan: _Plan, told: Sequence[_Told | None], bootstrap: int) -> tuple[Scorer, Scores]:
    known = [each for each in told if each is not None]
    scorer = Scorer(
        WindowIndex.concatenate([each.index for each in known]),
        plan.classes,
        method=plan.config.aggregate,
        seed=plan.seed,
        n_resamples=bootstrap,
    )
    return scorer, scorer.score(np.concatenate([each.output for each in known]))


def _outcome(
    plan: _Plan,
    challenge: Challenge,
    told: Sequence[_Told | None],
    plain: tuple[Scorer, Scores],
    bootstrap: int,
) -> Outcome:
    where = f"{challenge.family}, {challenge.level}"
    scorer, found = _scored(plan, told, bootstrap)
    if scorer.units.names != plain[0].units.names:
        raise DataError(
            f"{where}: other people or repetitions were left than there were; scores cannot be "
            "compared one by one."
        )
    headline = scorer.headline
    figure = found.figures[headline]
    people = zip(scorer.people.names, found.per_person[headline].tolist(), strict=True)
    return Outcome(
        challenge.family,
        challenge.level,
        challenge.size,
        challenge.unit,
        _known(scorer.estimate(headline, figure), headline, where),
        _known(scorer.gain(figure, plain[1].figures[headline]), headline, where),
        {person: value if math.isfinite(value) else None for person, value in people},
    )


def _known(estimate: Estimate | None, headline: str, where: str) -> Estimate:
    if estimate is None:
        raise DataError(
            f"{headline} is defined for nobody on {where}; robustness compares people with "
            "themselves and needs it for at least one."
        )
    return estimate
