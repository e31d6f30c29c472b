"""Attention over the windows of a needle recording: three classes, people held out.

Each recording of needle-nmd (band-passed from 100 Hz to 5 kHz) is cut into windows of 250 ms, each
described by 27 numbers (loudness, sparseness, spectrum, turns). The same windows are put together
in three ways: by attention pooling, by a logistic model of windows whose answers are averaged, and
by a logistic model of the mean and spread of the numbers over the recording. Settings were named
beforehand; one deal of ten stratified folds of people. The unit of evidence is stated with every
number: windows are none.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/needle_attention.py [--cache FILE] [--out FILE]

Writes benchmarks/results/needle_attention.json: figures with 95 % intervals over people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from needle_features import band_passed
from needle_scores import Whose, score, show
from needle_windows import WINDOW_S, described
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from myograph.datasets import load
from myograph.models import build_model
from myograph.models.aggregate import aggregate
from myograph.models.pooling import AttentionPooling

RESULTS = Path(__file__).parents[1] / "results" / "needle_attention.json"
FOLDS = 10
COST = 0.01

Matrix = NDArray[np.float64]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="keep the measured windows here")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    rows, bags, label, person = measured(given.cache)
    said, share = held_out(rows, bags, label, person)
    lines = []
    for name, proba in said.items():
        lines.append(score(name, [proba], Whose(label, person)))
        show(lines[-1])
    told = {
        "rows": lines,
        "people": len(set(person.tolist())),
        "recordings": len(label),
        "windows": len(rows),
        "window_s": WINDOW_S,
        "evidence": "recordings and people, as each figure says; never windows",
        "windows_that_half_the_attention_is_on": float(np.mean(share)),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(f"half of the attention is on {np.mean(share):.1%} of a recording's windows")
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


def held_out(
    rows: Matrix, bags: NDArray[np.intp], label: NDArray[np.str_], person: NDArray[np.str_]
) -> tuple[dict[str, Matrix], list[float]]:
    """Return probabilities of each recording by models that never saw its person."""
    codes = np.unique(label, return_inverse=True)[1]
    names = ("attention pooling", "windows, averaged", "mean and spread")
    said = {name: np.zeros((len(label), 3)) for name in names}
    share: list[float] = []
    deal = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in deal.split(codes, codes, person):
        inside, outside = np.isin(bags, train), np.isin(bags, test)
        known, new = bags[inside], bags[outside]
        pooled = AttentionPooling().fit(rows[inside], known, label[known], person[known])
        order, proba = pooled.combine(rows[outside], new)
        said["attention pooling"][order.astype(int)] = proba
        share += half_of(pooled.attention(rows[outside], new), new)
        windows: Any = build_model("logistic", cost=COST, balance="people")
        windows.fit(rows[inside], label[known], groups=person[known])
        order, proba = aggregate(
            windows.predict_proba(rows[outside]), new, method="mean-log-probability"
        )
        said["windows, averaged"][order] = proba
        whole = np.stack([summary(rows[bags == k]) for k in range(len(label))])
        plain: Any = build_model("logistic", cost=COST, balance="people")
        plain.fit(whole[train], label[train], groups=person[train])
        said["mean and spread"][test] = plain.predict_proba(whole[test])
    return said, share


def summary(rows: Matrix) -> Matrix:
    return np.concatenate([rows.mean(axis=0), rows.std(axis=0)])


def half_of(attention: Matrix, bags: NDArray[np.intp]) -> list[float]:
    """Return the share of each recording's windows that holds half of the attention."""
    found = []
    for bag in np.unique(bags):
        sorted_shares = np.sort(attention[bags == bag])[::-1]
        found.append(float((np.cumsum(sorted_shares) < 0.5).sum() + 1) / len(sorted_shares))
    return found


def measured(
    cache: Path | None,
) -> tuple[Matrix, NDArray[np.intp], NDArray[np.str_], NDArray[np.str_]]:
    """Return the numbers of every window, its recording, and label and person of each recording."""
    if cache is not None and cache.exists():
        with np.load(cache, allow_pickle=False) as kept:
            return kept["rows"], kept["bags"], kept["label"], kept["person"]
    rows, bags, label, person = [], [], [], []
    for number, recording in enumerate(load("needle-nmd").recordings):
        samples = np.asarray(recording.samples[0], dtype=np.float64)
        found = described(band_passed(samples, recording.fs_hz), recording.fs_hz)
        rows.append(found)
        bags += [number] * len(found)
        label.append(recording.subject.condition if recording.subject else "")
        person.append(recording.subject.pseudonym if recording.subject else "")
    told = np.concatenate(rows), np.array(bags), np.array(label), np.array(person)
    if cache is not None:
        np.savez(cache, rows=told[0], bags=told[1], label=told[2], person=told[3])
    return told


if __name__ == "__main__":
    sys.exit(main())
