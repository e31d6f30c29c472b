"""Gestures of people never seen: majority, plain LDA, forest, and covariances, beside the goals.

Leave one person out; nothing of the new person is used, no scaling by their own signal either.
Windows of 300 ms every 150 ms. The best rung is linear discriminant analysis of covariances of the
channels in three bands and of channels beside their copy one sample later, each matrix by its
logarithm or a small power; which, is chosen by leaving out one more person inside the training
side. A gesture is one recording: its windows' mean log probability.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/gesture_ladder.py [--data NAME] [--out FILE]

Writes benchmarks/results/gesture_ladder.json: means over people with 95 % intervals over people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from myograph.config.schema import ModelConfig, PipelineConfig, WindowingConfig
from myograph.core.recording import Recording
from myograph.datasets import load
from myograph.models import build_model
from myograph.models.aggregate import aggregate
from myograph.models.base import softmax
from myograph.models.riemannian import lagged
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.stats import mean_estimate, resample

RESULTS = Path(__file__).parents[1] / "results" / "gesture_ladder.json"
WINDOWS = {"length_ms": 300.0, "step_ms": 150.0}
BANDS_HZ = ((15.0, 35.0), (35.0, 60.0), (60.0, 95.0))
#: Quantisation noise of the device, so that a silent channel has a logarithm.
NOISE = 0.5
CURVES: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "log": lambda v: np.log(v + NOISE),
    "power 0.12": lambda v: (v + NOISE) ** 0.12,
}
SETS = {"bands": ("0", "1", "2"), "bands and lag": ("0", "1", "2", "lag")}
BETWEEN = (1.0, 2.0)
SHRINKAGE = 0.01
GOALS = {"window": 0.86, "gesture": 0.90}

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows: whose, of which recording, what."""

    person: NDArray[np.intp]
    recording: NDArray[np.str_]
    code: NDArray[np.intp]

    @property
    def n_people(self) -> int:
        return int(self.person.max()) + 1


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="myo-cotellard")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    recordings = list(load(given.data).recordings)
    plain = Pipeline(_config()).prepare(recordings)
    index = plain.index
    rows = Rows(
        np.unique(index.subject, return_inverse=True)[1],
        index.recording,
        np.unique(index.label, return_inverse=True)[1],
    )
    lines = [
        _line("majority", _learned("majority", plain.values, rows), rows),
        _line("LDA on time-domain features", _learned("lda", plain.values, rows), rows),
        _line(
            "forest on time-domain features", _learned("random-forest", plain.values, rows), rows
        ),
    ]
    proba, chosen = _best(recordings, rows)
    best = _line("LDA on covariances, chosen by inner folds", proba, rows)
    best["chosen"] = {name: chosen.count(name) for name in sorted(set(chosen))}
    best["goals"], best["missed"] = GOALS, _missed(best)
    lines.append(best)
    for line in lines:
        _show(line)
    told = {
        "data": given.data,
        "split": "leave one person out, nothing of the new person",
        "people": rows.n_people,
        "windows": len(rows.code),
        "rows": lines,
        "seconds": round(time.perf_counter() - started, 1),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"chosen: {best['chosen']}; goals missed: {best['missed'] or 'none'}")
    return 1 if best["missed"] else 0


def _config() -> PipelineConfig:
    return PipelineConfig(
        windowing=WindowingConfig(**WINDOWS), features=("hudgins",), model=ModelConfig(name="lda")
    )


def _learned(name: str, values: Matrix, rows: Rows) -> Matrix:
    proba = np.zeros((len(values), int(rows.code.max()) + 1))
    for person in range(rows.n_people):
        test = rows.person == person
        model: Any = build_model(name)
        more = {"groups": rows.person[~test]} if model.uses_groups else {}
        model.fit(values[~test], rows.code[~test], **more)
        proba[np.ix_(test, model.classes_)] = model.predict_proba(values[test])
    return proba


def _best(recordings: list[Recording], rows: Rows) -> tuple[Matrix, list[str]]:
    """Return held-out probabilities, and what each fold's inner people chose."""
    spectra = _spectra(recordings)
    candidates: dict[str, Callable[[int, NDArray[np.bool_]], Matrix]] = {}
    for (curve, function), (name, keys) in product(CURVES.items(), SETS.items()):
        values = np.concatenate([_vectors(*spectra[key], function) for key in keys], axis=1)
        summed = _Summed(values, rows)
        for between in BETWEEN:
            label = f"{name}, {curve}, people x{between:g}"
            candidates[label] = lambda p, t, s=summed, b=between: s.answer(p, t, between=b)
    people = np.arange(rows.n_people)
    proba = np.zeros((len(rows.code), int(rows.code.max()) + 1))
    chosen = []
    for person in people:
        scores = {}
        for label, answer in candidates.items():
            right = []
            for left in people[people != person]:
                train = (people != person) & (people != left)
                mine = rows.person == left
                right.append((answer(left, train).argmax(axis=1) == rows.code[mine]).mean())
            scores[label] = float(np.mean(right))
        chosen.append(max(scores, key=lambda label: scores[label]))
        proba[rows.person == person] = candidates[chosen[-1]](person, people != person)
    return proba, chosen


class _Summed:
    """LDA from each person's means and spreads: leaving out another person costs one solve."""

    def __init__(self, values: Matrix, rows: Rows) -> None:
        self.values = values
        self.person = rows.person
        n_classes, width = int(rows.code.max()) + 1, values.shape[1]
        self.means = np.zeros((rows.n_people, n_classes, width))
        self.spread = np.zeros((rows.n_people, width, width))
        for person, code in product(range(rows.n_people), range(n_classes)):
            mine = self.values[(rows.person == person) & (rows.code == code)]
            self.means[person, code] = mine.mean(axis=0)
            centred = mine - self.means[person, code]
            self.spread[person] += centred.T @ centred / (len(mine) * n_classes)

    def answer(self, person: int, train: NDArray[np.bool_], *, between: float) -> Matrix:
        """Return probabilities of a person's windows by a model of the ``train`` people.

        What differs between people within a class counts ``between`` times.
        """
        means = self.means[train].mean(axis=0)
        away = (self.means[train] - means).reshape(-1, means.shape[1])
        spread = self.spread[train].mean(axis=0) + between * away.T @ away / len(away)
        spread = (1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(np.diag(spread))
        weights = np.linalg.solve(spread, means.T)
        scores = self.values[self.person == person] @ weights
        return softmax(scores - 0.5 * (means.T * weights).sum(axis=0))


def _spectra(recordings: list[Recording]) -> dict[str, tuple[Matrix, Matrix]]:
    """Return eigenvalues and eigenvectors of the covariances of every window."""
    parts: dict[str, list[Matrix]] = {key: [] for key in ("0", "1", "2", "lag")}
    for recording in recordings:
        samples = np.asarray(recording.samples, dtype=np.float64)
        fs_hz = recording.fs_hz
        length, step = (round(ms * fs_hz / 1000) for ms in WINDOWS.values())
        sections = butter(2, 15.0, "highpass", fs=fs_hz, output="sos")
        filtered = {"lag": sosfilt(sections, samples)}
        for k, band in enumerate(BANDS_HZ):
            sections = butter(2, band, "bandpass", fs=fs_hz, output="sos")
            filtered[str(k)] = sosfilt(sections, samples)
        starts = np.arange(0, samples.shape[1] - length + 1, step)
        for key, signal in filtered.items():
            windows = np.stack([signal[:, start : start + length] for start in starts])
            windows = lagged(windows, 1) if key == "lag" else windows
            parts[key].append(windows @ windows.transpose(0, 2, 1) / windows.shape[2])
    return {key: tuple(np.linalg.eigh(np.concatenate(each))) for key, each in parts.items()}


def _vectors(values: Matrix, vectors: Matrix, function: Callable[[Matrix], Matrix]) -> Matrix:
    """Return the upper triangles of ``function`` of the matrices, as vectors."""
    curved = function(np.maximum(values, 0.0))[:, np.newaxis]
    matrices = (vectors * curved) @ vectors.transpose(0, 2, 1)
    rows, columns = np.triu_indices(matrices.shape[1])
    return matrices[:, rows, columns]


def _line(name: str, proba: Matrix, rows: Rows) -> dict[str, Any]:
    n = rows.n_people
    window, gesture = np.zeros(n), np.zeros(n)
    for person in range(n):
        mine = rows.person == person
        window[person] = (proba[mine].argmax(axis=1) == rows.code[mine]).mean()
        names, combined = aggregate(
            proba[mine], rows.recording[mine], method="mean-log-probability"
        )
        first = np.array([np.flatnonzero(rows.recording[mine] == each)[0] for each in names])
        gesture[person] = (combined.argmax(axis=1) == rows.code[mine][first]).mean()
    counts = resample(n, seed=0)
    return {
        "name": name,
        **{
            key: mean_estimate(scores, counts, evidence="person", bounds=(0.0, 1.0)).to_dict()
            for key, scores in (("window", window), ("gesture", gesture))
        },
        "worst_person": float(window.min()),
    }


def _missed(line: dict[str, Any]) -> list[str]:
    return [key for key, goal in GOALS.items() if line[key]["value"] < goal]


def _show(line: dict[str, Any]) -> None:
    told = "  ".join(
        f"per {key} {line[key]['value']:.3f} [{line[key]['low']:.3f}, {line[key]['high']:.3f}]"
        for key in ("window", "gesture")
    )
    print(f"{line['name']:45s} {told}  worst person {line['worst_person']:.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
