"""Ladders on every public collection that fits: majority, LDA, forest, and the best of inner folds.

Whole people are left out one at a time (where one person was recorded, repetitions in three
parts); nothing of the left-out person is used. Settings of the best rung are chosen by people dealt
into three parts inside the training side, again for every person left out. Intervals are over
people. Two rows below the ladder use something of the new person, never a label: their own
windows up to now, or all of them.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/ladders.py [--only NAME ...] [--out FILE]

Each collection is written into benchmarks/results/ladders.json when it is done, beside those that
are there already; benchmarks/science/render_accuracy.py draws the table.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from covariance_lda import Answer, Matrix, Rows, candidates, deal, recentred, spectra
from numpy.typing import NDArray

from myograph.config.schema import ModelConfig, PipelineConfig, WindowingConfig
from myograph.core.table import FeatureTable
from myograph.datasets import load
from myograph.models import build_model
from myograph.models.aggregate import aggregate
from myograph.models.base import softmax
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.stats import mean_estimate, resample

Score = Callable[[Matrix, Rows, NDArray[Any]], float]

RESULTS = Path(__file__).parents[1] / "results" / "ladders.json"
INNER = 3
#: Inner forests learn from about so many windows, evenly taken: they are only compared.
THINNED = 3000
FOREST = "forest on time-domain features"
NOT_GROWN = "the forest's row is that of an earlier run on the same windows and folds"
BEST = "best, chosen by inner folds"
PAST = "recentred by the person's own past, no labels"
WHOLE = "recentred by all of the person's windows, no labels"
WITH_FOREST = "covariances with the forest, mean log probability"


@dataclass(frozen=True)
class Collection:
    """One source, how it is cut, and the device's own noise, in the unit of its samples squared."""

    name: str
    noise: float = 0.5
    length_ms: float = 300.0
    step_ms: float = 150.0
    by: str = "subject"
    goals: dict[str, float] = field(default_factory=dict)
    says: str = ""

    def config(self) -> PipelineConfig:
        windowing = WindowingConfig(
            length_ms=self.length_ms, step_ms=self.step_ms, label_sources=("protocol",)
        )
        return PipelineConfig(
            windowing=windowing, features=("hudgins",), model=ModelConfig(name="lda")
        )


#: Tried on the way, by leaving out one person of myo-cotellard: per window / per gesture.
TRIED = (
    "channels turned by one electrode as further training data: 0.732 / 0.803",
    "a Gaussian kernel by 600 random features: 0.819 / 0.852",
    "lags of two samples 0.823 / 0.867, of three 0.824 / 0.867",
    "a mixture of everybody's own class means: 0.780 / 0.850",
    "logistic regression on whitened covariances: 0.823 / 0.868; beside LDA 0.828 / 0.872",
    "mean log probability of six LDA settings: 0.829 / 0.865",
    "log probabilities averaged over the last nine windows, on a stream: 0.851 / 0.872",
)

COLLECTIONS = (
    Collection("lis-emg-imu", by="trial", says="one signer: repetitions held out, in three parts"),
    Collection("ciil/minimal", says="people held out, trained on all their sessions"),
    Collection("longterm-myo-30day", noise=5e-8, says="3 people, 9 days each, 22 motions"),
    Collection("3dc", says="6 of 22 people"),
    Collection("uci-gestures", says="33 people"),
    Collection("ciil/electrode-shift", says="before and after the band was moved"),
    Collection("myo-cotellard", goals={"window": 0.86, "gesture": 0.90}),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="collections, or parts of names")
    parser.add_argument(
        "--no-forest", action="store_true", help="keep its row as it is; no candidate either"
    )
    parser.add_argument("--again", action="store_true", help="also those that are done")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    for each in COLLECTIONS:
        if given.only and not any(name in each.name for name in given.only):
            continue
        before = kept(given.out).get(each.name, {})
        if not given.again and before:
            continue
        started = time.perf_counter()
        told = ladder(each, before if given.no_forest else None)
        told["seconds"] = round(time.perf_counter() - started, 1)
        keep(given.out, each.name, told)
    missed = {name: told["missed"] for name, told in kept(given.out).items() if told.get("missed")}
    print(f"goals missed: {missed or 'none'}")
    return 1 if missed else 0


def kept(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(path: Path, name: str, told: dict[str, Any]) -> None:
    """Write one collection beside the others."""
    whole = {**kept(path), name: told}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def ladder(each: Collection, before: dict[str, Any] | None) -> dict[str, Any]:
    """Climb one collection; with ``before``, without growing a forest again."""
    recordings = list(load(each.name).recordings)
    config = each.config()
    table = Pipeline(config).prepare(recordings)
    index = table.index
    units = getattr(index, each.by)
    rows = Rows(
        np.unique(units, return_inverse=True)[1],
        index.groups("recording", "trial"),
        np.unique(index.label, return_inverse=True)[1],
    )
    people = np.arange(rows.n_people)
    folds = deal(people, len(people) if each.by == "subject" else INNER)
    lines = []
    answers = {
        "majority": learned("majority", table, rows),
        "LDA on time-domain features": learned("lda", table, rows),
    }
    if before is None:
        answers[FOREST] = learned("random-forest", table, rows)
    for name, answer in answers.items():
        proba = np.zeros((len(index), rows.n_classes))
        for fold in folds:
            tested = np.isin(rows.person, fold)
            proba[tested] = answer(tested, ~np.isin(people, fold))
        lines.append(line(name, proba, rows, each))
    forests = None
    if before is None:
        forests = answers[FOREST], learned("random-forest", table, rows, most=THINNED)
    else:
        lines += [row for row in before.get("rows", ()) if row["name"] == FOREST]
    found = spectra(recordings, config.windowing)
    said = candidates(found, rows, noise=each.noise)
    proba, chosen = best(said, forests, rows, folds)
    lines.append(line(BEST, proba, rows, each))
    lines[-1]["chosen"] = chosen
    top = lines[-1]
    for past, name in ((True, PAST), (False, WHOLE)) if each.by == "subject" else ():
        more = recentred(found, rows, noise=each.noise, past=past)
        proba, chosen = best(more, None, rows, folds)
        lines.append(line(name, proba, rows, each))
        lines[-1]["chosen"] = chosen
    return {
        "task": "classes",
        "says": each.says,
        "evidence": "person" if each.by == "subject" else "repetition",
        "people": rows.n_people,
        "windows": len(index),
        "classes": rows.n_classes,
        "chance": 1 / rows.n_classes,
        "cut": {"length_ms": each.length_ms, "step_ms": each.step_ms},
        "candidates": len(said) + (2 if forests else 0),
        "rows": lines,
        "goals": each.goals,
        "tried": list(TRIED) if each.name == "myo-cotellard" else [],
        "notes": [NOT_GROWN] if before is not None else [],
        "missed": [k for k, goal in each.goals.items() if top[k]["value"] < goal],
    }


def learned(name: str, table: FeatureTable, rows: Rows, *, most: int = 0) -> Answer:
    """Return what a model of time-domain features says of windows, by people it may learn from."""

    def answer(tested: NDArray[np.bool_], train: NDArray[np.bool_]) -> Matrix:
        known = np.flatnonzero(train[rows.person])
        known = known[:: max(1, len(known) // most)] if most else known
        model: Any = build_model(name)
        more = {"groups": rows.person[known]} if model.uses_groups else {}
        model.fit(table.values[known], rows.code[known], **more)
        proba = np.zeros((int(tested.sum()), rows.n_classes))
        proba[:, model.classes_] = model.predict_proba(table.values[tested])
        return proba

    return answer


def best(
    said: dict[str, Answer],
    forests: tuple[Answer, Answer] | None,
    rows: Rows,
    folds: list[NDArray[Any]],
    by: Score | None = None,
) -> tuple[Matrix, dict[str, int]]:
    """Return held-out probabilities, and how often the folds' inner people chose what.

    They choose by the share of windows that are named right, or by another score.
    """
    people = np.arange(rows.n_people)
    proba = np.zeros((len(rows.code), rows.n_classes))
    chosen: list[str] = []
    for fold in folds:
        inside = people[~np.isin(people, fold)]
        first, name = choice(said, forests and forests[1], rows, inside, by or accuracy)
        chosen.append(name)
        tested, train = np.isin(rows.person, fold), ~np.isin(people, fold)
        if forests is None or name not in (FOREST, WITH_FOREST):
            proba[tested] = said[first](tested, train)
        else:
            trees = forests[0](tested, train)
            proba[tested] = trees if name == FOREST else together(said[first](tested, train), trees)
    return proba, {name: chosen.count(name) for name in sorted(set(chosen))}


def choice(
    said: dict[str, Answer], forest: Answer | None, rows: Rows, inside: NDArray[Any], by: Score
) -> tuple[str, str]:
    """Return the best setting of covariances, and the best of all, by people held out inside."""
    people, parts = np.arange(rows.n_people), deal(inside, INNER)

    def held_out(answer: Answer) -> Matrix:
        out = np.zeros((len(rows.code), rows.n_classes))
        for part in parts:
            tested = np.isin(rows.person, part)
            out[tested] = answer(tested, np.isin(people, inside) & ~np.isin(people, part))
        return out

    found = {name: held_out(answer) for name, answer in said.items()}
    scores = {name: by(each, rows, inside) for name, each in found.items()}
    first = max(scores, key=lambda name: scores[name])
    if forest is not None:
        trees = held_out(forest)
        scores[FOREST] = by(trees, rows, inside)
        scores[WITH_FOREST] = by(together(found[first], trees), rows, inside)
    return first, max(scores, key=lambda name: scores[name])


def together(one: Matrix, other: Matrix) -> Matrix:
    logs = [np.log(np.maximum(each, 1e-4)) for each in (one, other)]
    return softmax(np.mean(logs, axis=0))


def accuracy(proba: Matrix, rows: Rows, people: NDArray[Any]) -> float:
    return float(np.mean(of_windows(proba, rows)[people]))


def gesture_accuracy(proba: Matrix, rows: Rows, people: NDArray[Any]) -> float:
    return float(np.mean([of_gestures(proba, rows, person) for person in people]))


def of_windows(proba: Matrix, rows: Rows) -> Matrix:
    """Return the share of every person's windows that are named right."""
    right = proba.argmax(axis=1) == rows.code
    return np.array([right[rows.person == person].mean() for person in range(rows.n_people)])


def of_gestures(proba: Matrix, rows: Rows, person: int) -> float:
    """Return the share of a person's gestures that are named right."""
    mine = rows.person == person
    cells = np.char.add(np.char.add(rows.recording[mine], "/"), rows.code[mine].astype(str))
    names, combined = aggregate(proba[mine], cells, method="mean-log-probability")
    first = np.array([np.flatnonzero(cells == cell)[0] for cell in names])
    return float((combined.argmax(axis=1) == rows.code[mine][first]).mean())


def line(
    name: str, proba: Matrix, rows: Rows, each: Collection, *, gestures: Matrix | None = None
) -> dict[str, Any]:
    """Score windows and whole gestures of every person; gestures by other answers, if given."""
    window = of_windows(proba, rows)
    asked = proba if gestures is None else gestures
    gesture = np.array([of_gestures(asked, rows, person) for person in range(rows.n_people)])
    told = estimates({"window": window, "gesture": gesture}, bounds=(0.0, 1.0))
    told["name"], told["worst"] = name, float(window.min())
    shown(each.name, told, ("window", "gesture"))
    return told


def estimates(scores: dict[str, Matrix], *, bounds: tuple[float, float]) -> dict[str, Any]:
    counts = resample(len(next(iter(scores.values()))), seed=0)
    return {
        key: mean_estimate(each, counts, evidence="person", bounds=bounds).to_dict()
        for key, each in scores.items()
    }


def shown(name: str, told: dict[str, Any], keys: Sequence[str]) -> None:
    figures = "  ".join(
        f"{key} {told[key]['value']:.3f} [{told[key]['low']:.3f}, {told[key]['high']:.3f}]"
        for key in keys
    )
    print(f"{name:24s} {told['name']:46s} {figures}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
