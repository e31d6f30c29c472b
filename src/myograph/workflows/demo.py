"""The demo: three models judged on people they have never seen, the best one saved and used."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from myograph.core.errors import OutputExistsError
from myograph.workflows.cohort import Cohort, open_cohort
from myograph.workflows.evaluate import REPORT, RESULT, Place, Running, Told, judge, measure, save
from myograph.workflows.outputs import new_folder
from myograph.workflows.predict import Prediction, predict_recording
from myograph.workflows.settings import Choices, resolve
from myograph.workflows.train import Kept, Trained, fit_and_save

if TYPE_CHECKING:
    from myograph.config.schema import EvaluationConfig
    from myograph.core.table import FeatureTable
    from myograph.validate.result import ValidationResult

__all__ = ["MODELS", "REAL", "Demo", "demo", "find_real"]

MODELS = ("lda", "svm", "random-forest")
#: Real datasets that suit the demo, the best first.
REAL = ("myo-cotellard", "uci-gestures", "3dc")
SIMULATED = "simulated"
MODEL_FILE = "best.myomodel"
_NOTHING_REAL = (
    "no real recordings are at hand: MYOGRAPH_MIRROR names none, none are in the cache, and there "
    "is no ../shared/data"
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Demo:
    """What the demo did.

    Parameters
    ----------
    data : str
    simulated : bool
    why : str
        Where the data came from, or why they are simulated.
    results : dict of str to ValidationResult
        By model.
    best : str
    trained : Trained
    person : str
        Who was kept from the saved model, and then predicted by it.
    predictions : tuple of Prediction
        About that person's recordings.
    folder, report : Path
    seconds : float
    """

    data: str
    simulated: bool
    why: str
    results: dict[str, ValidationResult]
    best: str
    trained: Trained
    person: str
    predictions: tuple[Prediction, ...]
    folder: Path
    report: Path
    seconds: float

    @property
    def accuracy(self) -> float:
        """Share of the held-out person's labelled windows that were called right."""
        judged = [p for p in self.predictions if p.accuracy is not None]
        windows = [p.labelled for p in judged]
        return float(np.average([p.accuracy or 0.0 for p in judged], weights=windows))

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-able data."""
        return {
            "data": self.data,
            "simulated": self.simulated,
            "why": self.why,
            "models": {
                name: {
                    "metric": result.headline,
                    **result.metrics[result.headline].to_dict(),
                    "passed": result.passed,
                }
                for name, result in self.results.items()
            },
            "best": self.best,
            "model": str(self.trained.path),
            "person": self.person,
            "person_accuracy": self.accuracy,
            "report": str(self.report),
            "seconds": self.seconds,
        }


def find_real() -> tuple[str, Path | None, str] | None:
    """Return the first suitable real dataset on this machine, its mirror, and where that is.

    Looked for in the folder that ``MYOGRAPH_MIRROR`` names, in the cache, and in ``../shared/data``
    beside the checkout or the current folder. Nothing is downloaded.
    """
    from myograph import datasets
    from myograph.datasets.fetch import locate

    checkout = Path(__file__).resolve().parents[3]
    beside = [base.parent / "shared" / "data" for base in (checkout, Path.cwd())]
    for mirror in [None, *(folder for folder in beside if folder.is_dir())]:
        for name in REAL:
            place = locate(datasets.DATASETS[name], mirror=mirror)
            if place is not None:
                return name, mirror, os.path.relpath(place) if mirror else str(place)
    return None


def demo(
    out: str | PathLike[str],
    *,
    data: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Told | None = None,
) -> Demo:
    """Judge three models across people, save the best, predict a person it has not seen, report.

    Parameters
    ----------
    out : path
        The demo's own folder; an earlier demo there is replaced, anything else is refused.
    data : str, optional
        ``"simulated"`` or the name of a dataset; by default a real one when one is at hand.
    seed, jobs, progress
        As for `myograph.workflows.evaluate.evaluate`.
    """
    began = time.monotonic()
    folder = Path(out)
    _check_own(folder)
    cohort, why, before = _cohort(data)
    running = Running(jobs, progress)
    settings = {m: resolve(cohort, Choices(model=m, seed=seed)) for m in MODELS}
    table = measure(cohort, settings[MODELS[0]], running)
    results = {}
    for name in MODELS:
        told = replace(running, progress=_prefixed(progress, name))
        bare = settings[name].model_copy(update={"baselines": name == MODELS[0]})
        results[name] = judge(cohort, bare, table, told)
    best = max(MODELS, key=lambda name: results[name].metrics[results[name].headline].value)
    result = _beside_others(results, best)
    person = _typical(result)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(folder, mark=f"evaluation/{RESULT}", force=True) as made:
        command = f"{before}myograph evaluate --data {cohort.name} --model {best} --seed {seed}"
        place = Place(made / "evaluation", command=command)
        save(result, cohort, settings[best], place)
        trained = _train(cohort, table, settings[best], made, Kept([person], result))
        predictions = _predict(cohort, made / MODEL_FILE, person)
    return Demo(
        data=cohort.name,
        simulated=cohort.simulated,
        why=why,
        results=results,
        best=best,
        trained=replace(trained, path=folder / MODEL_FILE),
        person=person,
        predictions=predictions,
        folder=folder,
        report=folder / "evaluation" / REPORT,
        seconds=time.monotonic() - began,
    )


def _check_own(folder: Path) -> None:
    mine = (folder / "evaluation" / RESULT).is_file()
    if folder.exists() and not mine and any(folder.iterdir()):
        raise OutputExistsError(
            f"{folder} holds other things than an earlier demo, and is left as it is; name another "
            "folder with --out."
        )


def _cohort(data: str | None) -> tuple[Cohort, str, str]:
    """Return the recordings, why these, and what to put before the command that does it again."""
    from myograph import datasets

    if data is not None:
        return open_cohort(data), "as asked for", ""
    found = find_real()
    if found is None:
        return open_cohort(SIMULATED), _NOTHING_REAL, ""
    name, mirror, place = found
    before = "" if mirror is None else f"MYOGRAPH_MIRROR={shlex.quote(os.path.relpath(mirror))} "
    return open_cohort(datasets.load(name, mirror=mirror)), f"found at {place}", before


def _beside_others(results: dict[str, ValidationResult], best: str) -> ValidationResult:
    """Return the best result with the other models and the majority on its ladder."""
    from myograph.validate.ladder import MODEL, compare_rungs

    majority = {k: v for k, v in results[MODELS[0]].ladder.items() if k == "majority"}
    others = {
        name: result.metrics[result.headline] for name, result in results.items() if name != best
    }
    compared = compare_rungs(
        {MODEL if name == best else name: _scores(result) for name, result in results.items()},
        seed=results[best].seed,
    )
    gain = {k: v for k, v in results[best].gain.items() if k in majority}
    gain |= {each.second: each.difference for each in compared}
    return replace(results[best], ladder={**majority, **others}, gain=gain, comparisons=compared)


def _scores(result: ValidationResult) -> dict[str, float]:
    scores = result.per_person[result.headline]
    return {person: np.nan if value is None else value for person, value in scores.items()}


def _typical(result: ValidationResult) -> str:
    """Return the person in the middle: neither the easiest nor the hardest."""
    scores = {k: v for k, v in result.per_person[result.headline].items() if v is not None}
    ranked = sorted(scores, key=lambda person: (scores[person], person))
    return ranked[len(ranked) // 2]


def _train(
    cohort: Cohort, table: FeatureTable, settings: EvaluationConfig, folder: Path, kept: Kept
) -> Trained:
    others = table.take(~np.isin(table.index.subject, list(kept.left_out)))
    return fit_and_save(others, settings, cohort, folder / MODEL_FILE, kept)


def _predict(cohort: Cohort, path: Path, person: str) -> tuple[Prediction, ...]:
    from myograph.pipeline.artifact import load_model

    pipeline = load_model(path)  # from the file, as anybody would: it proves itself first
    return tuple(
        predict_recording(pipeline, recording)
        for recording in cohort.recordings
        if recording.subject is not None and recording.subject.pseudonym == person
    )


def _prefixed(progress: Told | None, name: str) -> Told | None:
    if progress is None:
        return None
    return lambda what, done, total, told: progress(f"{name}: {what}", done, total, told)
