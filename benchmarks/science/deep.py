"""Networks on people never seen, beside plain LDA and the tangent space, in the same folds.

Group k-fold over people (4 folds of whole people by default); nothing of the tested people is
used. Windows of 300 ms every 150 ms; a gesture is one recording: its windows' mean log
probability. A network stops by some of the training people, who are not learned from; its
settings are those below, chosen once and not by the tested people.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/deep.py [--models NAMES] [--out FILE]

Writes benchmarks/results/deep.json: means over people with 95 % intervals over people. What is
finished is kept in --folds FOLDER, epoch by epoch, and a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import covariance_lda
import numpy as np
import torch
from numpy.typing import NDArray

from myograph.config.schema import ModelConfig, PipelineConfig, WindowingConfig
from myograph.core.recording import Recording
from myograph.core.table import FeatureTable
from myograph.datasets import load
from myograph.models.aggregate import aggregate
from myograph.models.base import softmax
from myograph.models.training import carried_out
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.stats import mean_estimate, resample

RESULTS = Path(__file__).parents[1] / "results" / "deep.json"
WINDOWS = {"length_ms": 300.0, "step_ms": 150.0}
#: The same for all networks: it was not tuned network by network.
LEARNING: dict[str, Any] = {
    "epochs": 12,
    "patience": 4,
    "batch": 128,
    "max_windows": 6000,
    "rate": 3e-3,
    "dropout": 0.3,
    "gain_db": 3.0,
    "noise": 0.05,
    "shift_ms": 50.0,
    "drop_channel": 0.05,
}
#: In the order of the table: (name, features, parameters).
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "lda": ("hudgins", {}),
    "tangent-space": ("", {}),
    **dict.fromkeys(
        (
            "covariance-net",
            "ring-cnn",
            "lstm-features",
            "separable",
            "cnn1d",
            "spectrogram-cnn",
            "tcn",
        ),
        ("", LEARNING),
    ),
}
GOALS = {"window": 0.86, "gesture": 0.90}
N_FOLDS = 4
#: The best of ladders.py in one setting, the one that its inner folds chose most often.
COVARIANCES = "LDA on covariances"
SETTING = "bands and lag, power 0.12, people x1"

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rows:
    """Windows: whose, of which recording, what, and in which fold they are tested."""

    person: NDArray[np.intp]
    recording: NDArray[np.str_]
    code: NDArray[np.intp]
    fold: NDArray[np.intp]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="myo-cotellard")
    parser.add_argument("--models", default=",".join(ROWS))
    parser.add_argument("--folds", type=Path, default=Path("runs/deep"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recordings = list(load(given.data).recordings)
    lines, answers = [], {}
    for name in given.models.split(","):
        features, params = ROWS[name]
        config = _config(name, features, params)
        table = Pipeline(config).prepare(recordings)
        rows = _rows(table)
        answers[name], numbers = _held_out(name, config, table, rows, given.folds)
        lines.append({**_line(name, answers[name], rows), "numbers": numbers})
        _show(lines[-1])
    answers[COVARIANCES] = _covariances(recordings, rows)
    lines.append(_line(COVARIANCES, answers[COVARIANCES], rows))
    _show(lines[-1])
    if "covariance-net" in answers:
        both = [
            np.log(np.maximum(answers[name], 1e-12)) for name in (COVARIANCES, "covariance-net")
        ]
        lines.append(_line("both of these", softmax(np.mean(both, axis=0)), rows))
        _show(lines[-1])
    told = {
        "data": given.data,
        "split": f"group k-fold, {N_FOLDS} folds of people, nothing of the tested people",
        "people": int(rows.person.max()) + 1,
        "windows": len(rows.code),
        "learning": LEARNING,
        "goals": GOALS,
        "rows": lines,
        "missed": {line["name"]: _missed(line) for line in lines},
        "versions": {"torch": torch.__version__, "device": "cpu, one thread"},
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if any(not _missed(line) for line in lines) else 1


def _covariances(recordings: list[Recording], rows: Rows) -> Matrix:
    """Return what linear discriminant analysis of covariances answers."""
    plain = covariance_lda.Rows(rows.person, rows.recording, rows.code)
    found = covariance_lda.spectra(recordings, WindowingConfig(**WINDOWS))
    answer = covariance_lda.candidates(found, plain, noise=0.5)[SETTING]
    people = np.arange(plain.n_people)
    fold = np.array([rows.fold[rows.person == person][0] for person in people])
    proba = np.zeros((len(rows.code), plain.n_classes))
    for number in range(N_FOLDS):
        tested = rows.fold == number
        proba[tested] = answer(tested, fold != number)
    return proba


def _config(name: str, features: str, params: dict[str, Any]) -> PipelineConfig:
    return PipelineConfig(
        windowing=WindowingConfig(**WINDOWS),
        features=(features or "hudgins",),
        model=ModelConfig(name=name, params=params),
    )


def _rows(table: FeatureTable) -> Rows:
    index = table.index
    person = np.unique(index.subject, return_inverse=True)[1]
    order = np.random.default_rng(0).permutation(int(person.max()) + 1)
    code = np.unique(index.label, return_inverse=True)[1]
    return Rows(person, index.recording, code, np.argsort(order)[person] % N_FOLDS)


def _held_out(
    name: str, config: PipelineConfig, table: FeatureTable, rows: Rows, folder: Path
) -> tuple[Matrix, int]:
    """Return probabilities of people who were not learned from, fold by fold."""
    proba = np.zeros((len(rows.code), int(rows.code.max()) + 1))
    numbers = 0
    folder.mkdir(parents=True, exist_ok=True)
    for fold in range(N_FOLDS):
        test = rows.fold == fold
        kept = folder / f"{name}-{fold}.npz"
        if not kept.exists():
            with carried_out(checkpoints=folder / "epochs"):
                pipeline = Pipeline(config, seed=0).fit(table.take(np.flatnonzero(~test)))
            answers = pipeline.predict_proba(table.take(np.flatnonzero(test)))
            arrays = pipeline.model.to_arrays().values()
            np.savez(
                kept,
                allow_pickle=False,
                proba=answers,
                numbers=sum(array.size for array in arrays if array.dtype.kind == "f"),
            )
            print(f"  {name} fold {fold}: {pipeline.notes[-1:]}", flush=True)
        with np.load(kept, allow_pickle=False) as done:
            proba[test] = done["proba"]
            numbers = int(done["numbers"])
    return proba, numbers


def _line(name: str, proba: Matrix, rows: Rows) -> dict[str, Any]:
    n = int(rows.person.max()) + 1
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
    print(
        f"{line['name']:16s} {told}  worst person {line['worst_person']:.2f}  "
        f"{line.get('numbers', 0):,} numbers",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
