"""Does a gate that knows healthy muscle stop simulated disease? Engineering verification only.

Simulated healthy people are examined with a needle, and a novelty gate learns what their muscle
looks like; simulated people with a neuropathy or a myopathy, and healthy people whom it has not
seen, then stand before it. No ill person is in its training, and none is used to choose anything:
the eleven numbers it sees were named beforehand, from what is measured in a needle examination
(turns, potentials, spectrum, sparseness).

    python benchmarks/science/pathology_novelty.py --cache FOLDER [--people 48] [--ill 12]

Every person is kept in FOLDER, so that a run goes on where it was stopped. Another detector is one
more entry of ``DETECTORS``: a function of training rows and people to a score of rows. Writes
benchmarks/results/pathology-novelty.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from needle_features import measure
from numpy.typing import NDArray

from myograph.twin.cohort import Scene, sitting
from myograph.twin.cohorts.needle import CONDITIONS, NEEDLE
from myograph.validate.metrics import roc_auc
from myograph.validate.novelty import fit_novelty_gate
from myograph.validate.stats import resample

RESULTS = Path(__file__).parents[1] / "results" / "pathology-novelty.json"
GOAL = 0.80
TAKES = 2
SECONDS = 5.0
#: What the gate sees; named before anything was measured on ill people.
SEEN = (
    "rms", "turns50[0]", "turns50[1]", "turns50[6]", "free.kurtosis", "free.crest",
    "free.edge0.5", "free.thickness_ms50", "free.width_ms50", "free.potentials",
    "free.unsteady0.05",
)  # fmt: skip

Matrix = NDArray[np.float64]
Score = Callable[[Matrix], Matrix]
Fit = Callable[[Matrix, NDArray[Any]], Score]


def mahalanobis(values: Matrix, people: NDArray[Any]) -> Score:
    """Distance to healthy people, every person counting alike."""
    gate = fit_novelty_gate(values, people, false_alarms=0.1)
    return gate.distance


def nearest(values: Matrix, people: NDArray[Any]) -> Score:
    """Mean distance to the five nearest healthy recordings, in standard deviations."""
    del people
    centre, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    known = (values - centre) / spread

    def score(rows: Matrix) -> Matrix:
        away = np.linalg.norm(((rows - centre) / spread)[:, None] - known, axis=2)
        return np.sort(away, axis=1)[:, :5].mean(axis=1)

    return score


#: Every detector by its name in the table; an autoencoder takes its place here.
DETECTORS: dict[str, Fit] = {"Mahalanobis": mahalanobis, "five nearest": nearest}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder for people who are done")
    parser.add_argument("--people", type=int, default=48, help="healthy ones")
    parser.add_argument("--ill", type=int, default=12, help="people of each disease")
    parser.add_argument("--seconds", type=float, default=500.0, help="of making people")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    given.cache.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    wanted = {"healthy": given.people, "neuropathy": given.ill, "myopathy": given.ill}
    for condition, many in wanted.items():
        for number in range(many):
            made(given.cache, condition, number)
            if time.perf_counter() - started > given.seconds:
                print("stopped; run it again to go on")
                return 3
    told = judged(*rows_of(given.cache, wanted))
    told["seconds"] = round(time.perf_counter() - started, 1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"goal missed: {told['missed'] or 'none'}")
    return 1 if told["missed"] else 0


def made(cache: Path, condition: str, number: int) -> Matrix:
    """Return one person's numbers, shape (takes, numbers); simulate the person if need be."""
    file = cache / f"{condition}-{number}.npy"
    if file.exists():
        return np.asarray(np.load(file, allow_pickle=False))
    seed = 100 + CONDITIONS.index(condition)  # other people under every condition
    scene = Scene(people=200, seconds=SECONDS, seed=seed, condition=condition, takes=TAKES)
    record = sitting(NEEDLE, scene, number)
    rows = []
    for take in range(TAKES):
        recording = record(take).recording
        samples = np.asarray(recording.samples[0], dtype=np.float64)
        found = measure(samples, recording.fs_hz)[0]
        rows.append([found[name] for name in SEEN])
    values = np.array(rows, dtype=np.float64)
    np.save(file, values)
    print(f"{condition} {number}: made", flush=True)
    return values


def rows_of(
    cache: Path, wanted: dict[str, int]
) -> tuple[Matrix, NDArray[np.str_], NDArray[np.str_]]:
    """Return numbers, person and condition of every recording."""
    values, people, conditions = [], [], []
    for condition, many in wanted.items():
        for number in range(many):
            found = made(cache, condition, number)
            values.append(found)
            people += [f"{condition}-{number}"] * len(found)
            conditions += [condition] * len(found)
    return np.concatenate(values), np.array(people), np.array(conditions)


def judged(values: Matrix, people: NDArray[Any], conditions: NDArray[Any]) -> dict[str, Any]:
    """Hold healthy people out in four parts, and let each gate see its part and all ill people."""
    healthy = np.unique(people[conditions == "healthy"])
    parts = np.array([np.flatnonzero(healthy == p)[0] % 4 if p in healthy else -1 for p in people])
    lines = []
    for name, fit in DETECTORS.items():
        scores = np.zeros((4, len(people)))
        for part in range(4):
            train = (parts >= 0) & (parts != part)
            scores[part] = fit(values[train], people[train])(values)
        # A healthy person's score is that of the gate without them; an ill one's, the mean of four.
        own = np.where(parts >= 0, scores[np.maximum(parts, 0), np.arange(len(people))], 0.0)
        score = np.where(parts >= 0, own, scores.mean(axis=0))
        for against in ("ill", "neuropathy", "myopathy"):
            lines.append({"detector": name, "against": against})
            lines[-1] |= areas(score, people, conditions, against)
            shown(lines[-1])
    missed = [
        f"{line['detector']}, {line['against']}, {unit}"
        for line in lines
        for unit in ("recording", "person")
        if line["against"] == "ill" and line[unit]["value"] < GOAL
    ]
    return {
        "what": "SIMULATED people: engineering verification, never clinical performance",
        "goal": GOAL,
        "numbers": list(SEEN),
        "people": {c: len(np.unique(people[conditions == c])) for c in CONDITIONS},
        "recordings": {c: int((conditions == c).sum()) for c in CONDITIONS},
        "rows": lines,
        "missed": missed,
    }


def areas(
    score: Matrix, people: NDArray[Any], conditions: NDArray[Any], against: str
) -> dict[str, Any]:
    """Area under the curve of recordings and of people, with intervals by drawing people."""
    kept = (conditions == "healthy") | (conditions == against) | (against == "ill")
    names, owner = np.unique(people[kept], return_inverse=True)
    ill = (conditions[kept] != "healthy").astype(int)
    whole = np.bincount(owner, score[kept]) / np.bincount(owner)
    case = np.array([ill[owner == k][0] for k in range(len(names))])
    drawn: dict[str, list[float]] = {"recording": [], "person": []}
    rows = [np.flatnonzero(owner == k) for k in range(len(names))]
    for counts in resample(len(names), seed=0, n_resamples=500):
        chosen = np.repeat(np.arange(len(names)), counts.astype(int))
        if 0 < case[chosen].sum() < len(chosen):
            drawn["person"].append(area(case[chosen], whole[chosen]))
            each = np.concatenate([rows[k] for k in chosen])
            drawn["recording"].append(area(ill[each], score[kept][each]))
    values = {"recording": area(ill, score[kept]), "person": area(case, whole)}
    return {
        unit: {
            "value": value,
            "low": float(np.quantile(drawn[unit], 0.025)),
            "high": float(np.quantile(drawn[unit], 0.975)),
            "n": len(names),
            "evidence": "person",
        }
        for unit, value in values.items()
    }


def area(case: NDArray[Any], score: Matrix) -> float:
    return float(roc_auc(case, np.column_stack([-score, score]))[1])


def shown(line: dict[str, Any]) -> None:
    told = "  ".join(
        f"per {unit} {line[unit]['value']:.3f} [{line[unit]['low']:.3f}, {line[unit]['high']:.3f}]"
        for unit in ("recording", "person")
    )
    print(f"{line['detector']:14s} healthy against {line['against']:11s} AUROC {told}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
