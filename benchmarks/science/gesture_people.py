"""Gestures of people never seen, learned from everybody who wore the same device.

myo-cotellard, whole people held out, nothing of theirs used. Learned from the training people and
from people of two other collections who wore the same armband (ciil, uci-gestures): covariances by
linear discriminant analysis, as ladders.py has them, with settings chosen by inner folds (for
windows by windows, for gestures by gestures); a network on energies around the ring (`ring-cnn`);
and the mean log probability of both. How each of the other people wore the band, turned or
mirrored, is found from their own labelled windows and the training people's mean.

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
from covariance_lda import Matrix, Rows, Spectra, candidates, deal, spectra
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
#: Written down once, after a prototype of nearly the same in four folds of these people; nothing
#: was searched.
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
COVARIANCES = "covariances, learned from other collections, too"
NETWORK = "network on energies, learned from them, too"
BEST = "best: both, mean log probability"
LINES = (COVARIANCES, NETWORK, BEST)
#: Settings for windows are chosen by windows, and those for gestures by gestures.
UNITS = (accuracy, gesture_accuracy)


@dataclass(frozen=True, eq=False)
class Cut:
    """Windows of one collection."""

    values: Matrix  # (n_windows, n_channels, n_samples)
    person: NDArray[np.str_]
    label: NDArray[np.str_]

    def take(self, rows: Any) -> Cut:
        return Cut(self.values[rows], self.person[rows], self.label[rows])

    def levels(self, person: str, labels: Sequence[str]) -> Matrix:
        """Return how loud each channel of a person is in each movement, in decibels."""
        mine = self.take(self.person == person)
        power = 10 * np.log10(mine.values.var(axis=2) + 0.5)
        found = [power[mine.label == name] for name in labels]
        return np.stack([p.mean(axis=0) if len(p) else np.full(8, np.nan) for p in found])


@dataclass(frozen=True, eq=False)
class Company:
    """A collection of other people: their windows, and what covariances are made of."""

    cut: Cut
    spectra: Spectra

    @classmethod
    def of(cls, name: str, config: PipelineConfig, *, every: int) -> Company:
        recordings = list(load(name).recordings)
        found = spectra(recordings, config.windowing)
        thin = {
            key: (values[::every], columns[::every]) for key, (values, columns) in found.items()
        }
        return cls(cut_of(recordings, config).take(slice(None, None, every)), thin)

    def worn_like(self, known: Cut, labels: Sequence[str]) -> Company:
        """Return who wore the band alike, their channels ordered as the people in ``known`` did."""
        mean = np.mean([known.levels(person, labels) for person in np.unique(known.person)], axis=0)
        parts = []
        for person in np.unique(self.cut.person):
            order, alike = ring_order(self.cut.levels(person, labels), mean)
            if alike >= ALIKE:
                parts.append(self._ordered(self.cut.person == person, order))
        cut = Cut(
            np.concatenate([each.cut.values for each in parts]),
            np.concatenate([each.cut.person for each in parts]),
            np.concatenate([each.cut.label for each in parts]),
        )
        joined = {
            key: tuple(np.concatenate([each.spectra[key][k] for each in parts]) for k in range(2))
            for key in self.spectra
        }
        return Company(cut, joined)

    def _ordered(self, mine: NDArray[np.bool_], order: NDArray[np.intp]) -> Company:
        """Return one person's windows, and their matrices, with the channels in another order."""
        found = {}
        for key, (values, columns) in self.spectra.items():
            copies = columns.shape[1] // len(order)  # beside their copies one sample later
            places = np.concatenate([order + k * len(order) for k in range(copies)])
            found[key] = values[mine], columns[mine][:, places]
        cut = self.cut.take(mine)
        return Company(Cut(cut.values[:, order], cut.person, cut.label), found)

    def rows(self, labels: Sequence[str]) -> Rows:
        person = np.unique(self.cut.person, return_inverse=True)[1]
        code = np.searchsorted(labels, self.cut.label)
        return Rows(person, self.cut.person, code, most=len(labels))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--kept", type=Path, default=Path("runs/gesture-people"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    given.kept.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    config = TESTED.config()
    recordings = list(load(TESTED.name).recordings)
    tested = cut_of(recordings, config)
    labels = np.unique(tested.label).tolist()
    rows = Rows(
        np.unique(tested.person, return_inverse=True)[1],
        recording_names(recordings, config),
        np.searchsorted(labels, tested.label),
    )
    found = spectra(recordings, config.windowing)
    everybody = [Company.of(name, config, every=every) for name, every in OTHERS.items()]
    answers = {name: [np.zeros((len(rows.code), len(labels))) for _ in UNITS] for name in LINES}
    chosen: list[str] = []
    for number, fold in enumerate(deal(np.arange(rows.n_people), N_FOLDS)):
        test = np.isin(rows.person, fold)
        known = tested.take(~test)
        company = [each.worn_like(known, labels) for each in everybody]
        told = [
            network(tested, test, company, seed, given.kept / f"{seed}-{number}.npy")
            for seed in given.seeds
        ]
        energies = softmax(np.mean([np.log(np.maximum(each, 1e-6)) for each in told], axis=0))
        more = [(each.spectra, each.rows(labels)) for each in company]
        said = candidates(found, rows, noise=TESTED.noise, company=more)
        for unit, score in enumerate(UNITS):
            proba, names = best(said, None, rows, [fold], score)
            chosen += [f"{score.__name__}: {name}" for name in names]
            each = (proba[test], energies, together(proba[test], energies))
            for name, answer in zip(LINES, each, strict=True):
                answers[name][unit][test] = answer
        print(f"fold {number + 1} of {N_FOLDS}", flush=True)
    lines = [
        line(name, windows, rows, TESTED, gestures=gestures)
        for name, (windows, gestures) in answers.items()
    ]
    missed = [k for k, goal in TESTED.goals.items() if lines[-1][k]["value"] < goal]
    told = {
        "data": TESTED.name,
        "split": f"{N_FOLDS} folds of whole people, nothing of the tested people",
        "people": rows.n_people,
        "others": {
            name: len(np.unique(each.cut.person))
            for name, each in zip(OTHERS, everybody, strict=True)
        },
        "learning": LEARNING,
        "seeds": given.seeds,
        "chosen": {name: chosen.count(name) for name in sorted(set(chosen))},
        "rows": lines,
        "goals": TESTED.goals,
        "missed": missed,
        "versions": {"torch": torch.__version__, "device": "cpu, one thread"},
    }
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"goals missed: {missed or 'none'}")
    return 1 if missed else 0


def cut_of(recordings: Sequence[Recording], config: PipelineConfig) -> Cut:
    """Cut recordings into windows of their muscle channels."""
    parts = [windows_of(recording, config) for recording in recordings]
    return Cut(
        np.concatenate([each.values for each in parts]).astype(np.float64),
        np.concatenate([each.index.subject for each in parts]),
        np.concatenate([each.index.label for each in parts]),
    )


def windows_of(recording: Recording, config: PipelineConfig) -> Windows:
    cutter = Windowing(**config.windowing.model_dump())
    return cutter.cut(recording.select(kinds=MUSCLE_KINDS))


def recording_names(recordings: Sequence[Recording], config: PipelineConfig) -> NDArray[np.str_]:
    parts = [windows_of(recording, config).index for recording in recordings]
    return np.concatenate([each.groups("recording", "trial") for each in parts])


def network(
    tested: Cut, test: NDArray[np.bool_], company: Sequence[Company], seed: int, kept: Path
) -> Matrix:
    """Return what a network says about windows of people whom it has not seen."""
    if not kept.exists():
        known = [tested.take(~test), *(each.cut for each in company)]
        labels = np.unique(tested.label)
        people = np.concatenate([np.char.add(f"{k} ", each.person) for k, each in enumerate(known)])
        codes = np.searchsorted(labels, np.concatenate([each.label for each in known]))
        model: Any = build_model("ring-cnn", fs_hz=200.0, seed=seed, **LEARNING)
        model.fit(np.concatenate([each.values for each in known]), codes, groups=people)
        np.save(kept, model.predict_proba(tested.values[test]))
    return np.asarray(np.load(kept, allow_pickle=False))


if __name__ == "__main__":
    sys.exit(main())
