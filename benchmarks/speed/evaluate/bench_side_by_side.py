"""A whole evaluation: Myograph beside scikit-learn driven by hand on LibEMG's features.

myo-cotellard, leave one person out, the same four time-domain features of the same windows, a
random forest of as many trees that may use every training window. Both begin with the recordings
in memory and end with an accuracy for each person. By hand: LibEMG's windows and features,
scikit-learn's forest fitted and asked once for each person, and nothing else. Myograph: `prepare`
and `evaluate` as `myograph evaluate` calls them, with its audits, intervals and calibration, with
the forest grown on bins (splits='binned') and, with --exact, also with scikit-learn's own trees.

One process, one thread, the processor's time, nothing kept from before (no cache of features). The
compiled code of Myograph is warm. Whether the accuracies agree is asked over people, and held
against what another seed does to the same forest.

Needs the environment of benchmarks/peers.txt. Writes benchmarks/results/evaluate-side-by-side.json.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness import RESULTS, environment

from myograph.config.schema import ModelConfig, PipelineConfig
from myograph.core.recording import Recording
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.run import RunOptions, evaluate
from myograph.validate.splits import make_split
from myograph.workflows.cohort import open_cohort
from myograph.workflows.settings import Choices, resolve

RESULT = RESULTS / "evaluate-side-by-side.json"
FOREST = "random-forest"
FEATURES = ["MAV", "ZC", "SSC", "WL"]
People = dict[str, float]


def by_hand(recordings: list[Recording], config: PipelineConfig, trees: int, seed: int) -> Any:
    """Evaluate as a careful script would; (accuracy of each person, seconds by part)."""
    from libemg.feature_extractor import FeatureExtractor
    from libemg.utils import get_windows

    begin = time.process_time()
    extractor = FeatureExtractor()
    cut = config.windowing
    rows, labels, people = [], [], []
    for recording in recordings:
        size = round(cut.length_ms * recording.fs_hz / 1000)
        step = round(cut.step_ms * recording.fs_hz / 1000)
        windows = get_windows(recording.samples.T.astype(np.float64), size, step)
        rows.append(extractor.extract_features(FEATURES, windows, array=True))
        labels += [recording.events[0].label] * len(windows)
        people += [recording.subject.pseudonym] * len(windows)
    X, y, who = np.concatenate(rows), np.array(labels), np.array(people)
    measured = time.process_time()
    right: People = {}
    for person in np.unique(who):
        train, test = who != person, who == person
        forest = RandomForestClassifier(trees, random_state=seed).fit(X[train], y[train])
        right[str(person)] = float((forest.predict(X[test]) == y[test]).mean())
    done = time.process_time()
    parts = {"features": measured - begin, "folds": done - measured}
    return right, parts, len(X)


def by_myograph(recordings: list[Recording], config: PipelineConfig, seed: int) -> Any:
    begin = time.process_time()
    table = Pipeline(config, seed=seed).prepare(recordings)
    measured = time.process_time()
    split = make_split("leave-one-subject-out")
    result = evaluate(config, table, split, seed=seed, options=RunOptions(baselines=False))
    done = time.process_time()
    parts = {"features": measured - begin, "evaluate": done - measured}
    return dict(result.per_person["accuracy"]), parts, len(table)


def difference(one: People, two: People) -> dict[str, float]:
    """Mean over people of one minus two, with a bootstrap interval over people."""
    each = np.array([one[person] - two[person] for person in sorted(one)])
    drawn = np.random.default_rng(0).choice(each, (5000, len(each))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"mean": float(each.mean()), "low": float(low), "high": float(high)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=19)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--exact", action="store_true", help="also scikit-learn's own trees")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    cohort = open_cohort("myo-cotellard")
    everybody = sorted({e.subject.pseudonym for e in cohort.recordings.entries})[: given.people]
    recordings = [r for r in cohort.recordings if r.subject.pseudonym in everybody]
    plain = resolve(cohort, Choices(features="hudgins", model="random-forest")).pipeline
    settings = {"n_trees": given.trees, "max_windows": None}
    ways = {
        splits: plain.model_copy(
            update={"model": ModelConfig(name=FOREST, params=settings | {"splits": splits})}
        )
        for splits in ("binned", "exact")
    }
    few = [r for r in recordings if r.subject.pseudonym in everybody[:2]]
    by_myograph(few, ways["binned"], 0)  # compiled code and imports
    by_hand(few, plain, 2, 0)
    found: dict[str, dict[int, Any]] = {"by hand": {}, "myograph": {}}
    for seed in given.seeds:
        found["myograph"][seed] = by_myograph(recordings, ways["binned"], seed)
        found["by hand"][seed] = by_hand(recordings, plain, given.trees, seed)
        print(f"seed {seed}: {told(found, seed)}", flush=True)
    first, *others = given.seeds
    if given.exact:
        found["myograph, exact splits"] = {first: by_myograph(recordings, ways["exact"], first)}
        print(told(found, first))
    seconds = {
        who: {seed: sum(parts.values()) for seed, (_, parts, _) in runs.items()}
        for who, runs in found.items()
    }
    ratios = [seconds["by hand"][s] / seconds["myograph"][s] for s in given.seeds]
    report = {
        "benchmark": "an evaluation beside scikit-learn by hand on LibEMG's features",
        "setting": {
            "data": "myo-cotellard",
            "people": len(everybody),
            "windows": found["myograph"][first][2],
            "windows_by_hand": found["by hand"][first][2],
            "features": "hudgins (MAV, ZC, SSC, WL)",
            "trees": given.trees,
            "seeds": given.seeds,
            "clock": "cpu, one process, one thread",
        },
        "environment": environment("scipy", "scikit-learn", "numba", "libemg"),
        "seconds": seconds,
        "parts": {w: {s: parts for s, (_, parts, _) in r.items()} for w, r in found.items()},
        "accuracy": {
            who: {s: float(np.mean(list(right.values()))) for s, (right, _, _) in runs.items()}
            for who, runs in found.items()
        },
        "times_faster": ratios,
        "myograph_minus_by_hand": {
            s: difference(found["myograph"][s][0], found["by hand"][s][0]) for s in given.seeds
        },
        "by_hand_another_seed": {
            s: difference(found["by hand"][s][0], found["by hand"][first][0]) for s in others
        },
        "goal": 5,
    }
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Myograph is {' and '.join(f'{r:.2f}' for r in ratios)} times as fast (goal 5).")
    for name in ("myograph_minus_by_hand", "by_hand_another_seed"):
        for seed, d in report[name].items():
            print(f"{name}, seed {seed}: {d['mean']:+.4f} [{d['low']:+.4f}, {d['high']:+.4f}]")
    print(f"Saved in {given.out}")
    return 0


def told(found: dict[str, dict[int, Any]], seed: int) -> str:
    runs = {who: each[seed] for who, each in found.items() if seed in each}
    return "; ".join(
        f"{who} {np.mean(list(right.values())):.4f} in {sum(parts.values()):.1f} s "
        f"({', '.join(f'{k} {v:.1f}' for k, v in parts.items())})"
        for who, (right, parts, _) in runs.items()
    )


if __name__ == "__main__":
    sys.exit(main())
