"""Ladders where a number is estimated: effort of a tiring muscle, force of a grasp.

One person (one recording, where that is all there is) at a time is left out and nothing of them is
used. The last rung is chosen by leaving out one more person inside the training side. Beside
fatigue stands what the clock alone says, since effort rises with time in everybody. Writes into
benchmarks/results/ladders.json, beside the classes of `ladders.py`.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/number_ladders.py [--only NAME ...]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ladders import RESULTS, estimates, keep, shown
from numpy.typing import NDArray
from scipy.stats import spearmanr

from myograph.config.schema import ModelConfig, PipelineConfig, WindowingConfig
from myograph.core.table import FeatureTable
from myograph.datasets import load
from myograph.models import build_model
from myograph.pipeline.pipeline import Pipeline

Matrix = NDArray[np.float64]
Codes = NDArray[np.intp]
FIGURES = ("r2", "mae", "rank")


@dataclass(frozen=True)
class Source:
    """One collection: where the number comes from, and how the signal is cut."""

    name: str
    says: str
    target_kind: str = ""
    length_ms: float = 300.0
    step_ms: float = 150.0
    features: tuple[str, ...] = ("hudgins",)
    clock: bool = False

    def table(self) -> FeatureTable:
        sources = () if self.target_kind else ("protocol",)
        windowing = WindowingConfig(
            length_ms=self.length_ms,
            step_ms=self.step_ms,
            label_sources=sources,
            target_kind=self.target_kind,
        )
        model = ModelConfig(name="ridge" if self.target_kind else "lda")
        config = PipelineConfig(windowing=windowing, features=self.features, model=model)
        return Pipeline(config).prepare(load(self.name).recordings)


SOURCES = (
    Source(
        "fatigue-liu",
        "Borg rating 0 to 9 of repeated contractions to exhaustion",
        length_ms=500.0,
        step_ms=250.0,
        features=("hudgins", "mnf", "mdf"),
        clock=True,
    ),
    Source("grasp-force-myo/force", "grasp force as a share of the recording's strongest", "force"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="collections, or parts of names")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    for source in SOURCES:
        if given.only and not any(name in source.name for name in given.only):
            continue
        started = time.perf_counter()
        told = ladder(source)
        told["seconds"] = round(time.perf_counter() - started, 1)
        keep(given.out, source.name, told)
    return 0


def ladder(source: Source) -> dict[str, Any]:
    table = source.table()
    index = table.index
    truth = index.label.astype(np.float64)
    person = np.unique(index.subject, return_inverse=True)[1]
    if source.target_kind:  # each in its own unit: a share of the strongest, as forces are told
        strongest = np.array([truth[person == k].max() for k in range(person.max() + 1)])
        truth = truth / strongest[person]
    loud = np.log(np.abs(table.values) + 1e-3 * np.median(np.abs(table.values), axis=0) + 1e-12)
    plain = table.values
    sets: dict[str, tuple[str, dict[str, Any], Matrix]] = {
        f"ridge {cost:g} on {name}": ("ridge", {"alpha": cost}, values)
        for cost in (1.0, 100.0, 10000.0)
        for name, values in (("time-domain features", plain), ("their logarithms", loud))
    }
    sets["forest on logarithms"] = ("random-forest-regression", {}, loud)
    # Forests are only compared inside: a quarter of the trees tells as well which is better.
    inner_params = {"random-forest-regression": {"n_trees": 25}}
    rungs = {"mean": ("mean", {}, plain)}
    if source.clock:
        rungs["time alone"] = ("ridge", {"alpha": 1.0}, index.start_s[:, np.newaxis])
    rungs["ridge on time-domain features"] = ("ridge", {"alpha": 10.0}, plain)
    rungs["forest on time-domain features"] = ("random-forest-regression", {}, plain)
    lines = []
    people = np.arange(person.max() + 1)
    for name, rung in rungs.items():
        said = np.zeros(len(truth))
        for left in people:
            said[person == left] = answer(rung, truth, person, (people[people != left], left))
        lines.append(line(name, said, truth, person, source.name))
    said, chosen = np.zeros(len(truth)), []
    for left in people:
        inside = people[people != left]
        errors = {}
        for name, rung in sets.items():
            missed = []
            for inner in inside:
                known = inside[inside != inner]
                few = rung[0], {**rung[1], **inner_params.get(rung[0], {})}, rung[2]
                found = answer(few, truth, person, (known, inner))
                missed.append(np.abs(found - truth[person == inner]).mean())
            errors[name] = float(np.mean(missed))
        chosen.append(min(errors, key=lambda name: errors[name]))
        said[person == left] = answer(sets[chosen[-1]], truth, person, (inside, left))
    lines.append(line("best, chosen by inner folds", said, truth, person, source.name))
    lines[-1]["chosen"] = {name: chosen.count(name) for name in sorted(set(chosen))}
    return {
        "task": "number",
        "says": source.says,
        "people": len(people),
        "windows": len(truth),
        "cut": {"length_ms": source.length_ms, "step_ms": source.step_ms},
        "candidates": len(sets),
        "rows": lines,
    }


def answer(
    rung: tuple[str, dict[str, Any], Matrix],
    truth: Matrix,
    person: Codes,
    sides: tuple[Codes, int],
) -> Matrix:
    """Fit on some people, scaled by them, and estimate another."""
    name, params, values = rung
    train, left = sides
    known, asked = np.isin(person, train), person == left
    centre, size = values[known].mean(axis=0), values[known].std(axis=0) + 1e-12
    model: Any = build_model(name, **params)
    more = {"groups": person[known]} if model.uses_groups else {}
    model.fit((values[known] - centre) / size, truth[known], **more)
    return np.asarray(model.predict((values[asked] - centre) / size), dtype=np.float64)


def line(name: str, said: Matrix, truth: Matrix, person: Codes, where: str) -> dict[str, Any]:
    scores = {key: np.zeros(int(person.max()) + 1) for key in FIGURES}
    for each in range(int(person.max()) + 1):
        mine = person == each
        error, spread = said[mine] - truth[mine], truth[mine] - truth[mine].mean()
        scores["r2"][each] = 1 - (error**2).sum() / (spread**2).sum()
        scores["mae"][each] = np.abs(error).mean()
        varies = np.ptp(said[mine]) > 0
        scores["rank"][each] = spearmanr(said[mine], truth[mine])[0] if varies else 0.0
    told: dict[str, Any] = estimates(scores, bounds=(-np.inf, np.inf))
    told["name"] = name
    shown(where, told, FIGURES)
    return told


if __name__ == "__main__":
    sys.exit(main())
