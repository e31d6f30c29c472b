"""Planted features: are the columns that matter found among many that do not?

SIMULATED tables: engineering verification. People differ in level; each class moves the planted
columns, everybody's alike, by half a deviation to one and a half; all other columns are noise of
the same spread, some of it shared among columns so that noise looks like structure. For every
cohort, three quarters of the people are learned from.

Recall: the share of the planted columns among as many columns as were planted, ranked by the
method: by the scores of each selection, fitted to keep exactly that many; and by permutation
importance, the loss of accuracy on people held out when one column's values change places among
the windows of all of them, for LDA and for a forest. Mean over cohorts with a bootstrap interval
over cohorts.

Writes benchmarks/results/planted.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speed"))
from harness import RESULTS, environment

from myograph.features.select import SELECTIONS, Projection, build_selection
from myograph.models import build_model

RESULT = RESULTS / "planted.json"
PLANTED, NOISE, CLASSES, PEOPLE, WINDOWS = 12, 108, 4, 16, 15
GOAL = 0.95
# A wrapper fits a model for every set it looks at: hours, for a hundred columns.
LEFT_OUT = {"sequential": "a wrapper: hours for 120 columns", "cost-aware": "weighs costs as well"}


def cohort(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return values, labels, people, and where the planted columns are."""
    random = np.random.default_rng(seed)
    n_columns = PLANTED + NOISE
    planted = np.sort(random.choice(n_columns, PLANTED, replace=False))
    people = np.repeat(np.arange(PEOPLE), CLASSES * WINDOWS)
    labels = np.tile(np.repeat(np.arange(CLASSES), WINDOWS), PEOPLE)
    shared = random.standard_normal((len(people), 6)) @ random.standard_normal((6, n_columns)) / 6
    values = random.standard_normal((len(people), n_columns)) + shared
    values += 0.5 * random.standard_normal((PEOPLE, n_columns))[people]
    for column in planted:
        pattern = random.permutation(np.linspace(-1, 1, CLASSES))
        values[:, column] += random.uniform(0.5, 1.5) * pattern[labels]
    return values, labels, people, planted


def top(scores: np.ndarray) -> set[int]:
    return set(np.argsort(-scores, kind="stable")[:PLANTED].tolist())


def selected(name: str, data: tuple[np.ndarray, ...], train: np.ndarray) -> set[int]:
    values, labels, people, _ = data
    import inspect

    known = inspect.signature(SELECTIONS[name]).parameters
    params: dict[str, Any] = {"keep": PLANTED} if "keep" in known else {}
    if "seed" in known:
        params["seed"] = 0
    selection = build_selection(name, **params)
    text = np.array([f"c{k}" for k in labels])
    selection.fit(values[train], text[train], groups=people[train])
    taken = np.flatnonzero(selection.support_)
    if len(taken) == PLANTED:
        return set(taken.tolist())
    return top(np.where(np.isfinite(selection.scores_), selection.scores_, -np.inf))


def selected_around_people(name: str, data: tuple[np.ndarray, ...], train: np.ndarray) -> set[int]:
    """Select from columns without each person's level, as `scaling="person"` gives them."""
    values, labels, people, planted = data
    around = values.copy()
    for person in np.unique(people):
        around[people == person] -= around[people == person].mean(axis=0)
    return selected(name, (around, labels, people, planted), train)


def permuted(name: str, data: tuple[np.ndarray, ...], train: np.ndarray) -> set[int]:
    values, labels = data[:2]
    params = {"n_trees": 100, "splits": "binned"} if name == "random-forest" else {}
    model = build_model(name, **params).fit(values[train], labels[train])
    test, random = values[~train], np.random.default_rng(0)
    # The mean log-probability of the truth moves where the share of right answers stands still.
    truth = labels[~train]

    def worth(rows: np.ndarray) -> float:
        proba = model.predict_proba(rows)[np.arange(len(rows)), truth]
        return float(np.log(np.maximum(proba, 1e-3)).mean())

    whole, losses = worth(test), np.zeros(values.shape[1])
    for column in range(values.shape[1]):
        for _ in range(2):
            changed = test.copy()
            changed[:, column] = random.permutation(changed[:, column])
            losses[column] += whole - worth(changed)
    return top(losses)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    begin = time.perf_counter()
    keepers = [n for n, cls in SELECTIONS.items() if not issubclass(cls, Projection)]
    ways = {n: selected for n in keepers if n not in LEFT_OUT}
    ways["people's levels taken out, rfe"] = selected_around_people
    ways |= {"permutation, lda": permuted, "permutation, random-forest": permuted}
    ways = {n: way for n, way in ways.items() if not given.only or n in given.only}
    recall: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(given.cohorts):
        data = cohort(seed)
        train = data[2] < 3 * PEOPLE // 4
        for name, way in ways.items():
            found = way(name.rpartition(", ")[2], data, train)
            recall[name].append(len(found & set(data[3].tolist())) / PLANTED)
    rows = {}
    for name, values in recall.items():
        drawn = np.random.default_rng(0).choice(values, (5000, len(values))).mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        mean = float(np.mean(values))
        rows[name] = {"recall": mean, "low": float(low), "high": float(high), "met": mean >= GOAL}
        print(f"{name:<28} {mean:.3f} [{low:.3f}, {high:.3f}]  {'met' if mean >= GOAL else ''}")
    report = {
        "benchmark": "planted features found (simulated)",
        "setting": {
            "cohorts": given.cohorts,
            "people": PEOPLE,
            "windows_per_class": WINDOWS,
            "classes": CLASSES,
            "planted": PLANTED,
            "noise": NOISE,
            "by chance": PLANTED / (PLANTED + NOISE),
        },
        "goal": GOAL,
        "left_out": LEFT_OUT,
        "environment": environment("scikit-learn"),
        "seconds": round(time.perf_counter() - begin, 1),
        "rows": rows,
    }
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Saved in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
