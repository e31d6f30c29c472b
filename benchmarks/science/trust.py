"""Whether probabilities, sets and refusals can be relied on: simulated people, and real ones.

Simulated people are exchangeable by construction, so there the coverage of conformal sets is
checked against what is promised, over many draws of people. On real people the held-out answers of
LDA on time-domain features are calibrated on other people, and strict splits hold training,
calibration and tested people apart. Artifacts are added to recordings of people whom the novelty
gate has not seen.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/trust.py [--repeats N] [--out FILE]

Writes benchmarks/results/trust.json.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myograph.config.schema import ModelConfig, PipelineConfig, WindowingConfig
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.datasets import load
from myograph.models import build_model
from myograph.pipeline.pipeline import Pipeline
from myograph.twin.contamination import Converter, Mains, Motion, contaminate
from myograph.validate.answers import Answers
from myograph.validate.calibration import METHODS, calibrate_across, fit_calibration
from myograph.validate.conformal import Promise, fit_conformal, sets_across
from myograph.validate.metrics import roc_auc
from myograph.validate.novelty import fit_novelty_gate
from myograph.validate.rejection import coverage_curve, fit_rejection, outcome_of
from myograph.validate.reliability import measure_reliability
from myograph.validate.stats import mean_estimate, resample
from myograph.validate.trust import coverage_of

RESULTS = Path(__file__).parents[1] / "results" / "trust.json"
CONFIG = PipelineConfig(
    windowing=WindowingConfig(length_ms=300.0, step_ms=150.0),
    features=("hudgins",),
    model=ModelConfig(name="lda"),
)
#: Training and calibration people of a strict split; the others are tested.
SPLITS = {"myo-cotellard": (7, 9), "uci-gestures": (10, 19)}
STRICT_REPEATS = 60
#: What evaluations use; the goal is about it.
METHOD = "mixture"
GOALS = {"coverage": (0.89, 0.91), "ece": 0.05, "auroc": 0.95}
WIDE = "all of 20 windows, 19 people"
CLASSES = ("a", "b", "c")

Matrix = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    told: dict[str, Any] = {
        "goals": GOALS,
        "simulated coverage": simulated_coverage(given.repeats),
        "simulated calibration": simulated_calibration(),
    }
    for name in SPLITS:
        recordings = list(load(name).recordings)
        table = Pipeline(CONFIG).prepare(recordings)
        told[name] = real_people(name, table)
        if name == "myo-cotellard":
            told["artifacts"] = artifacts(recordings, table)
    told["missed"] = missed(told)
    told["seconds"] = round(time.perf_counter() - started, 1)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"goals missed: {'; '.join(told['missed']) or 'none'}")
    return 1 if told["missed"] else 0


def people_of_chance(n: int, windows: int, seed: int) -> Answers:
    """People who differ in how hard they are, with answers bolder than is true."""
    random = np.random.default_rng(seed)
    owner = np.repeat(np.arange(n), windows)
    ease = np.exp(0.8 * random.standard_normal(n))[owner, None]
    logits = 1.5 * ease * random.standard_normal((len(owner), 3))
    logits -= logits.max(axis=1, keepdims=True)
    true, said = np.exp(logits), np.exp(2 * logits)
    true /= true.sum(axis=1, keepdims=True)
    said /= said.sum(axis=1, keepdims=True)
    truth = (true.cumsum(axis=1) < random.random((len(owner), 1))).sum(axis=1).clip(0, 2)
    return Answers.of(said, np.array(CLASSES)[truth], owner, classes=CLASSES)


def simulated_coverage(repeats: int) -> list[dict[str, Any]]:
    """Calibrate on new people every time, and test on 20 others."""
    plans = [
        ("one answer a person, 99 people", 99, 1, Promise()),
        ("one answer a person, 19 people", 19, 1, Promise()),
        ("all of 20 windows, 99 people", 99, 20, Promise()),
        ("all of 20 windows, 99 people, class by class", 99, 20, Promise(mondrian=True)),
        ("one of 20 windows drawn, 99 people", 99, 20, Promise(draw="one")),
        ("one of 20 windows drawn, 19 people", 19, 20, Promise(draw="one")),
        (WIDE, 19, 20, Promise()),
        ("every person's 80 % of windows, 99 people", 99, 20, Promise(share=0.8)),
    ]
    rows = []
    for name, people, windows, promise in plans:
        found, sizes = [], []
        classes: list[list[float]] = []
        for seed in range(repeats):
            everybody = people_of_chance(people + 20, windows, seed)
            order = np.array([int(each) for each in everybody.people.names])
            known = order[everybody.people.codes] < people
            rule = fit_conformal(everybody.take(known), replace(promise, seed=seed))
            new = everybody.take(~known)
            sets = rule.sets(new.proba)
            held = sets[np.arange(len(sets)), new.truth]
            each = new.by_person(held)
            found.append(float((each >= 0.8).mean() if promise.share else each.mean()))
            sizes.append(float(sets.sum(axis=1).mean()))
            if windows > 1:
                classes.append([float(held[new.truth == k].mean()) for k in range(3)])
        values = np.array(found)
        half = 1.96 * float(values.std(ddof=1)) / math.sqrt(repeats)
        rows.append(
            {
                "name": name,
                "coverage": float(values.mean()),
                "half_interval": half,
                "size": float(np.mean(sizes)),
                "class_coverage": np.mean(classes, axis=0).tolist() if classes else None,
            }
        )
        print(f"simulated, {name:46s} {values.mean():.4f} +- {half:.4f}", flush=True)
    return rows


def simulated_calibration() -> list[dict[str, Any]]:
    """Fit on 100 people, judge on 400 others."""
    known, new = people_of_chance(100, 20, 1), people_of_chance(400, 20, 2)
    rows = [{"method": "none", "ece": measure_reliability(new).ece.to_dict()}]
    for method in METHODS:
        after = new.replaced(fit_calibration(known, method=method).apply(new.proba))
        rows.append({"method": method, "ece": measure_reliability(after).ece.to_dict()})
    for row in rows:
        print(f"simulated, calibration error, {row['method']:12s} {shown(row['ece'])}", flush=True)
    return rows


def real_people(name: str, table: FeatureTable) -> dict[str, Any]:
    """Calibrate, set and refuse on held-out answers of real people."""
    answers = left_out(table)
    calibrated = {method: calibrate_across(answers, method=method) for method in METHODS}
    rows = {}
    for method, said in {"none": answers, **calibrated}.items():
        found = measure_reliability(said)
        rows[method] = {"ece": found.ece.to_dict(), "brier": found.brier.to_dict()}
        print(
            f"{name}, {method:12s} calibration error {shown(rows[method]['ece'])}, Brier score "
            f"{found.brier.value:.3f}",
            flush=True,
        )
    said = calibrated[METHOD]
    labels = np.array(answers.classes)[answers.truth]
    sets = {}
    for key, promise in {
        "one window drawn": Promise(draw="one"),
        "all windows": Promise(),
        "class by class, one drawn": Promise(mondrian=True, draw="one"),
    }.items():
        given = sets_across(said, promise)
        whole, *_ = coverage_of(said, given)
        by_class = coverage_of(said, given, groups=labels)
        sets[key] = {
            "all": whole.to_dict(),
            "classes": {each.group: each.coverage.value for each in by_class},
        }
        worst = min(each.coverage.value for each in by_class)
        print(
            f"{name}, across people, {key:26s} {shown(whole.coverage.to_dict())}, "
            f"{whole.size:.2f} classes a set, least of a class {worst:.3f}",
            flush=True,
        )
    curve = coverage_curve(said)
    for each in curve:
        print(
            f"{name}, answered {each.coverage.value:.2f}: right {each.right:.3f}, wrong "
            f"{each.wrong:.3f}, refused {each.refused:.3f}",
            flush=True,
        )
    return {
        "people": answers.n_people,
        "windows": len(answers.truth),
        "calibration": rows,
        "sets across people": sets,
        "sets on a strict split": strict(name, table),
        "curve": [each.to_dict() for each in curve],
        "class-wise thresholds for 0.9": refused_across(said),
    }


def refused_across(said: Answers) -> dict[str, Any]:
    """Refuse each person's answers by thresholds from everybody else."""
    refused = np.zeros(len(said.truth), dtype=bool)
    for code in range(said.n_people):
        mine = said.person(code)
        rule = fit_rejection(said.take(said.person(code, others=True)), accuracy=0.9)
        refused[mine] = rule.refused(said.proba[mine])
    return outcome_of(said, refused).to_dict()


def strict(name: str, table: FeatureTable) -> dict[str, Any]:
    """Hold training, calibration and tested people apart, again and again."""
    n_train, n_known = SPLITS[name]
    names = np.unique(table.index.subject)
    covered = {person: [] for person in names.tolist()}
    sizes = []
    for seed in range(STRICT_REPEATS):
        order = np.random.default_rng(seed).permutation(names)
        train = np.isin(table.index.subject, order[:n_train])
        known = np.isin(table.index.subject, order[n_train : n_train + n_known])
        answers = answered(table, train, ~train)
        inside = known[~train]
        rule = fit_conformal(answers.take(inside), Promise(draw="one", seed=seed))
        new = answers.take(~inside)
        sets = rule.sets(new.proba)
        sizes.append(float(sets.sum(axis=1).mean()))
        held = new.by_person(sets[np.arange(len(sets)), new.truth])
        for person, value in zip(new.people.names, held, strict=True):
            covered[person].append(float(value))
    values = np.array([np.mean(each) if each else np.nan for each in covered.values()])
    found = mean_estimate(values, resample(len(values), seed=0), evidence="person", bounds=(0, 1))
    row = {
        "train": n_train,
        "calibration": n_known,
        "tested": len(names) - n_train - n_known,
        "repeats": STRICT_REPEATS,
        "coverage": found.to_dict(),
        "size": float(np.mean(sizes)),
    }
    print(
        f"{name}, strict split {n_train}/{n_known}/{row['tested']}, coverage "
        f"{shown(row['coverage'])}, {row['size']:.2f} classes a set",
        flush=True,
    )
    return row


def left_out(table: FeatureTable) -> Answers:
    """Return what models of everybody else say of each person."""
    classes = tuple(np.unique(table.index.label).tolist())
    proba = np.zeros((len(table.index), len(classes)))
    for person in np.unique(table.index.subject):
        test = table.index.subject == person
        proba[test] = answered(table, ~test, test).proba
    return Answers.of(proba, table.index.label, table.index.subject, classes=classes)


def answered(table: FeatureTable, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> Answers:
    classes = tuple(np.unique(table.index.label).tolist())
    model: Any = build_model("lda").fit(table.values[train], table.index.label[train])
    proba = np.zeros((int(test.sum()), len(classes)))
    columns = [classes.index(each) for each in model.classes_]
    proba[:, columns] = model.predict_proba(table.values[test])
    return Answers.of(proba, table.index.label[test], table.index.subject[test], classes=classes)


def artifacts(recordings: list[Recording], table: FeatureTable) -> list[dict[str, Any]]:
    """Add artifacts to one recording of each person and class, and ask a gate of the others."""
    first: dict[tuple[str, str], Recording] = {}
    for recording in recordings:
        part = Pipeline(CONFIG).prepare([recording]).index
        first.setdefault((str(part.subject[0]), str(part.label[0])), recording)
    chosen = list(first.values())
    clean = Pipeline(CONFIG).prepare(chosen)
    known, kinds = logs(table), table.index.label
    gates = {
        str(person): fit_novelty_gate(
            known[table.index.subject != person],
            table.index.subject[table.index.subject != person],
            labels=kinds[table.index.subject != person],
            false_alarms=0.1,  # 18 people cannot set a limit at 5 %
        )
        for person in np.unique(table.index.subject)
    }
    rows = []
    for name, spoil in SPOILT.items():
        changed = [
            replace(each, samples=spoilt(each, spoil, seed=k)) for k, each in enumerate(chosen)
        ]
        strange = Pipeline(CONFIG).prepare(changed)
        areas, stopped, alarms = [], [], []
        for person, gate in gates.items():
            good = logs(clean)[clean.index.subject == person]
            bad = logs(strange)[strange.index.subject == person]
            far = np.concatenate([gate.distance(good), gate.distance(bad)])
            truth = np.repeat([0, 1], [len(good), len(bad)])
            areas.append(float(roc_auc(truth, np.column_stack([-far, far]))[1]))
            stopped.append(float(gate.stops(bad).mean()))
            alarms.append(float(gate.stops(good).mean()))
        counts = resample(len(areas), seed=0)
        found = mean_estimate(areas, counts, evidence="person", bounds=(0, 1))
        rows.append(
            {
                "name": name,
                "auroc": found.to_dict(),
                "stopped": float(np.mean(stopped)),
                "false_alarms": float(np.mean(alarms)),
            }
        )
        print(
            f"artifact {name:44s} AUROC {shown(rows[-1]['auroc'])}, stopped "
            f"{rows[-1]['stopped']:.2f}, false alarms {rows[-1]['false_alarms']:.3f}",
            flush=True,
        )
    return rows


def logs(table: FeatureTable) -> Matrix:
    """Amplitudes as logarithms, and counts as they are."""
    values = np.array(table.values)
    for k, name in enumerate(table.names):
        if name.endswith((".mav", ".wl")):
            values[:, k] = np.log(values[:, k] + 0.5)
    return values


Spoil = Callable[[Matrix, float, int], Matrix]


def _mains(samples: Matrix, fs_hz: float, seed: int) -> Matrix:
    size = float(samples.std())
    added = contaminate(samples, [Mains(rms_uv=size)], fs_hz=fs_hz, seed=seed)
    return np.asarray(added.samples, dtype=np.float64)


def _motion(samples: Matrix, fs_hz: float, seed: int) -> Matrix:
    size = float(samples.std())
    motion = Motion(rms_uv=2 * size, knocks_per_min=60.0, knock_uv=10 * size)
    return np.asarray(
        contaminate(samples, [motion], fs_hz=fs_hz, seed=seed).samples, dtype=np.float64
    )


def _clipped(samples: Matrix, fs_hz: float, seed: int) -> Matrix:
    del fs_hz, seed
    return Converter(range_uv=0.5 * float(samples.std()), bits=8).apply(samples)


def _lost(samples: Matrix, fs_hz: float, seed: int) -> Matrix:
    del fs_hz
    out = samples.copy()
    out[seed % len(out)] = 0.0
    return out


def _loose(samples: Matrix, fs_hz: float, seed: int) -> Matrix:
    out = samples.copy()
    noise = np.random.default_rng(seed).standard_normal(out.shape[1])
    mains = np.sin(2 * np.pi * 50.0 * np.arange(out.shape[1]) / fs_hz)
    out[seed % len(out)] = 5 * float(samples.std()) * (0.3 * noise + mains)
    return out


SPOILT: dict[str, Spoil] = {
    "mains as large as the signal, all channels": _mains,
    "motion twice the signal, with knocks": _motion,
    "clipped at half the signal's deviation": _clipped,
    "one channel lost": _lost,
    "one electrode loose": _loose,
}


def spoilt(recording: Recording, spoil: Spoil, *, seed: int) -> NDArray[np.float32]:
    rows = list(recording.layout.rows(kinds=MUSCLE_KINDS))
    samples = np.array(recording.samples, dtype=np.float32)
    samples[rows] = spoil(samples[rows].astype(np.float64), recording.fs_hz, seed)
    return samples


def missed(told: dict[str, Any]) -> list[str]:
    """Name every figure that is not what it should be.

    With all windows of 19 people, up to 95 % is what is promised; the goal is about the others.
    """
    low, high = GOALS["coverage"]
    out = [
        f"coverage {row['coverage']:.3f}, {row['name']}"
        for row in told["simulated coverage"]
        if not low <= row["coverage"] <= high and row["name"] != WIDE
    ]
    errors = {"simulated": {row["method"]: row for row in told["simulated calibration"]}}
    errors |= {name: told[name]["calibration"] for name in SPLITS}
    for name, rows in errors.items():
        found = rows[METHOD]["ece"]["value"]
        if found > GOALS["ece"]:
            out.append(f"calibration error {found:.3f}, {name}")
    out += [
        f"AUROC {row['auroc']['value']:.3f}, {row['name']}"
        for row in told["artifacts"]
        if row["auroc"]["value"] < GOALS["auroc"]
    ]
    return out


def shown(estimate: dict[str, Any]) -> str:
    return f"{estimate['value']:.3f} [{estimate['low']:.3f}, {estimate['high']:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
