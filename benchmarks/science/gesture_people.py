"""Gestures of people never seen, learned from everybody who wore the same device.

myo-cotellard, whole people held out, nothing of theirs used. Covariances by linear discriminant
analysis, as ladders.py has them, with settings chosen by inner folds: for windows by windows, for
gestures by gestures. A network on energies around the ring (`ring-cnn`) that learns from the
training people and from people of two other collections who wore the same armband (ciil,
uci-gestures). And the mean log probability of both. How each of the other people wore the band,
turned or mirrored, is found from their own labelled windows and the training people's mean.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/gesture_people.py [--seeds 0 1] [--kept FOLDER]

Every trained fold is kept in --kept, and a run that was stopped goes on. Writes
benchmarks/results/gesture_people.json; render_accuracy.py draws the rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from covariance_lda import Matrix, Rows, candidates, deal, spectra
from ladders import Collection, accuracy, best, gesture_accuracy, line, together
from numpy.typing import NDArray

from myograph.config.schema import PipelineConfig
from myograph.core.layout import MUSCLE_KINDS
from myograph.core.recording import Recording
from myograph.core.windows import Windows
from myograph.datasets import load
from myograph.models import build_model
from myograph.models.base import softmax
from myograph.preprocess.windowing import Windowing
from myograph.signal.pattern import ring_order

RESULTS = Path(__file__).parents[1] / "results" / "gesture_people.json"
TESTED = Collection("myo-cotellard", goals={"window": 0.86, "gesture": 0.90})
#: Collections of other people, and which of their windows are taken: one in so many.
OTHERS = {"ciil": 2, "uci-gestures": 1}
N_FOLDS = 10
#: Written down once. A prototype in four folds of people had them; nothing was searched.
LEARNING: dict[str, Any] = {
    "epochs": 6,
    "batch": 256,
    "rate": 4e-3,
    "decay": 0.02,
    "dropout": 0.5,
    "held_out": 0.0,
    "gain_db": 3.0,
    "turn": 0.45,
}
#: Whoever wore the band less alike than this is not learned from.
ALIKE = 0.7
COVARIANCES = "covariances, chosen by inner folds"
NETWORK = "network on energies"
WIDER = "network that learned from other collections, too"
BEST = "best: covariances and that network, mean log probability"


@dataclass(frozen=True, eq=False)
class Cut:
    """Windows of one collection."""

    values: Matrix  # (n_windows, n_channels, n_samples)
    person: NDArray[np.str_]
    label: NDArray[np.str_]

    def take(self, rows: NDArray[Any]) -> Cut:
        return Cut(self.values[rows], self.person[rows], self.label[rows])

    def levels(self, person: str, labels: Sequence[str]) -> Matrix:
        """Return how loud each channel of a person is in each movement, in decibels."""
        mine = self.take(self.person == person)
        power = 10 * np.log10(mine.values.var(axis=2) + 0.5)
        found = [power[mine.label == name] for name in labels]
        return np.stack([p.mean(axis=0) if len(p) else np.full(8, np.nan) for p in found])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--kept", type=Path, default=Path("runs/gesture-people"))
    parser.add_argument("--alone", action="store_true", help="also the network without the others")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recordings = list(load(TESTED.name).recordings)
    config = TESTED.config()
    tested = cut_of(recordings, config)
    labels = np.unique(tested.label).tolist()
    rows = Rows(
        np.unique(tested.person, return_inverse=True)[1],
        recording_names(recordings, config),
        np.unique(tested.label, return_inverse=True)[1],
    )
    folds = deal(np.arange(rows.n_people), N_FOLDS)
    others = [cut_of(load(name).recordings, config, every=every) for name, every in OTHERS.items()]
    said = candidates(spectra(recordings, config.windowing), rows, noise=TESTED.noise)
    # What decides about windows is chosen by windows, what decides about gestures by gestures.
    chosen = {
        by: best(said, None, rows, folds, score)[0]
        for by, score in (("window", accuracy), ("gesture", gesture_accuracy))
    }
    answers = {COVARIANCES: (chosen["window"], chosen["gesture"])}
    wanted = [(NETWORK, [])] if given.alone else []
    for name, more in (*wanted, (WIDER, others)):
        given.kept.mkdir(parents=True, exist_ok=True)
        learned = [
            held_out(tested, more, labels, seed, given.kept / ("wider" if more else "alone"))
            for seed in given.seeds
        ]
        proba = softmax(np.mean([np.log(np.maximum(p, 1e-6)) for p in learned], axis=0))
        answers[name] = proba, proba
    pairs = zip(answers[COVARIANCES], answers[WIDER], strict=True)
    answers[BEST] = tuple(together(one, other) for one, other in pairs)
    lines = [
        line(name, windows, rows, TESTED, gestures=gestures)
        for name, (windows, gestures) in answers.items()
    ]
    missed = [k for k, goal in TESTED.goals.items() if lines[-1][k]["value"] < goal]
    told = {
        "data": TESTED.name,
        "split": f"{N_FOLDS} folds of whole people, nothing of the tested people",
        "people": rows.n_people,
        "others": {name: len(np.unique(o.person)) for name, o in zip(OTHERS, others, strict=True)},
        "learning": LEARNING,
        "seeds": given.seeds,
        "rows": lines,
        "goals": TESTED.goals,
        "missed": missed,
        "versions": {"torch": torch.__version__, "device": "cpu, one thread"},
    }
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"goals missed: {missed or 'none'}")
    return 1 if missed else 0


def cut_of(recordings: Any, config: PipelineConfig, *, every: int = 1) -> Cut:
    """Cut recordings into windows of their muscle channels."""
    parts = [windows_of(recording, config) for recording in recordings]
    values = np.concatenate([each.values for each in parts])[::every]
    person = np.concatenate([each.index.subject for each in parts])[::every]
    label = np.concatenate([each.index.label for each in parts])[::every]
    return Cut(np.asarray(values, dtype=np.float64), person, label)


def windows_of(recording: Recording, config: PipelineConfig) -> Windows:
    cutter = Windowing(**config.windowing.model_dump())
    return cutter.cut(recording.select(kinds=MUSCLE_KINDS))


def recording_names(recordings: Sequence[Recording], config: PipelineConfig) -> NDArray[np.str_]:
    parts = [windows_of(recording, config).index for recording in recordings]
    return np.concatenate([each.groups("recording", "trial") for each in parts])


def held_out(
    tested: Cut, others: Sequence[Cut], labels: Sequence[str], seed: int, kept: Path
) -> Matrix:
    """Return what networks say about people whom they have not seen, fold by fold."""
    proba = np.zeros((len(tested.label), len(labels)))
    for number, fold in enumerate(deal(np.unique(tested.person), N_FOLDS)):
        test = np.isin(tested.person, fold)
        path = kept.with_name(f"{kept.name}-{seed}-{number}.npy")
        if not path.exists():
            known = [tested.take(~test)]
            known += [worn_alike(each, known[0], labels) for each in others]
            np.save(path, learned(known, labels, seed).predict_proba(tested.values[test]))
            print(f"  {path.name}: {sum(len(each.label) for each in known)} windows", flush=True)
        proba[test] = np.load(path, allow_pickle=False)
    return proba


def learned(known: Sequence[Cut], labels: Sequence[str], seed: int) -> Any:
    model: Any = build_model("ring-cnn", fs_hz=200.0, seed=seed, **LEARNING)
    people = np.concatenate([np.char.add(f"{k} ", each.person) for k, each in enumerate(known)])
    codes = np.searchsorted(labels, np.concatenate([each.label for each in known]))
    return model.fit(np.concatenate([each.values for each in known]), codes, groups=people)


def worn_alike(cut: Cut, known: Cut, labels: Sequence[str]) -> Cut:
    """Return windows with channels ordered as the training people wore them."""
    mean = np.mean([known.levels(person, labels) for person in np.unique(known.person)], axis=0)
    parts = []
    for person in np.unique(cut.person):
        order, alike = ring_order(cut.levels(person, labels), mean)
        if alike >= ALIKE:
            mine = cut.take(cut.person == person)
            parts.append(Cut(mine.values[:, order], mine.person, mine.label))
    return Cut(
        np.concatenate([each.values for each in parts]),
        np.concatenate([each.person for each in parts]),
        np.concatenate([each.label for each in parts]),
    )


if __name__ == "__main__":
    sys.exit(main())
