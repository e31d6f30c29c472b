"""Needle recordings of healthy, myopathic and neuropathic people: what holds for people unseen.

Whole people are held out (ten stratified folds), everything that is chosen is chosen by inner folds
over the training people, and the input is band-passed from 100 Hz to 5 kHz, because this
collection's drift and hum tell the class by themselves. Beside each figure stand the probes that
see only drift, hum, loudness or quiet moments, the model on people whom the drift probe cannot tell
apart, and the model on recordings that were amplified by 0.5 to 2 and given drift and hum.

The method was made while looking at deals 0 and 1 of people into folds. What is reported is the
mean over deals 10 to 19, which were not looked at before.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/needle_nmd.py [--cache FOLDER] [--out FILE]

Writes benchmarks/results/needle_nmd.json: figures with 95 % intervals over people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import needle_patterns
import needle_windows
import numpy as np
from needle_features import Floats, Named, band_passed, free_of_gain
from needle_models import Heard, Measured, held_out
from needle_scores import Matrix, Whose, balanced, matched, score, show, with_goals
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from myograph.core.recording import Recording
from myograph.datasets import load
from myograph.models import Classifier, build_model
from myograph.validate.nuisance import nuisance_of
from myograph.validate.perturb import perturb

RESULTS = Path(__file__).parents[1] / "results" / "needle_nmd.json"
DEALS = tuple(range(10, 20))
#: Seeds of the changed copies of every recording.
CHANGES = (1, 2)
PROBE_COSTS = (0.003, 0.01, 0.03)
INNER = 4
GOALS = {
    "everything": {"recording": 0.82, "person": 0.86, "myopathy_neuropathy_auc": 0.90},
    "gain-free": {"recording": 0.78},
}
STABLE = {"recording": 0.02}
_WINDOWS = "windows "


@dataclass(frozen=True, eq=False)
class Cohort:
    """Numbers of every recording, as it is and changed, and whose they are."""

    names: NDArray[np.str_]
    values: Matrix  # (n_copies, n_recordings, n_numbers); the first as recorded
    loudness: Matrix  # (n_copies, n_recordings), log10 of microvolts
    nuisance: dict[str, Matrix]
    label: NDArray[np.str_]
    person: NDArray[np.str_]

    def measured(self) -> Measured:
        whose = Whose(self.label, self.person)
        windows = np.char.startswith(self.names, _WINDOWS)
        return Measured(self.values, self.loudness, windows, whose.codes, whose.owner)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="keep numbers and answers in this folder")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--deals", type=int, nargs="+", default=DEALS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    cohort = _cohort(given.cache, jobs=given.jobs)
    measured = cohort.measured()
    heard = joblib.Parallel(n_jobs=given.jobs)(
        joblib.delayed(_heard)(measured, deal, given.cache) for deal in given.deals
    )
    lines = _lines(cohort, heard, given.deals)
    told = {
        "rows": lines,
        "people": len(set(cohort.person.tolist())),
        "recordings": len(cohort.person),
        "numbers": len(cohort.names),
        "deals": list(given.deals),
        "chosen": _counted([each for deal in heard for each in deal.chosen]),
        "seconds": round(time.perf_counter() - started, 1),
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    missed = [line["name"] for line in lines if line.get("missed")]
    print(f"goals missed: {missed or 'none'}")
    return 1 if missed else 0


def _lines(cohort: Cohort, heard: list[Heard], deals: Sequence[int]) -> list[dict[str, Any]]:
    whose, lines = Whose(cohort.label, cohort.person), []

    def add(line: dict[str, Any]) -> None:
        show(line)
        lines.append(line)

    everything = np.concatenate([cohort.values[0], cohort.loudness[0][:, np.newaxis]], axis=1)
    for model in ("majority", "random-forest"):
        add(score(model, [_plain(everything, whose, deal, model) for deal in deals[:2]], whose))
    n_changes = len(cohort.values) - 1
    answers = {"everything": [each.everything for each in heard]}
    answers["gain-free"] = [each.free for each in heard]
    for name, copies in answers.items():
        plain = [each[0] for each in copies]
        changed = [each[1 + k] for each in copies for k in range(n_changes)]
        line = score(name, plain, whose)
        with_goals(line, GOALS[name])
        add(line)
        add(score(f"{name}, recordings changed", changed, whose))
        before = [each for each in plain for _ in range(n_changes)]
        line = score(f"{name}, difference", changed, whose, against=before)
        with_goals(line, STABLE, most=True)
        add(line)
    probes = {}
    for name, values in cohort.nuisance.items():
        both = np.concatenate([values, values**2], axis=1)
        probes[name] = [_plain(both, whose, deal, "logistic") for deal in deals]
        add(score(f"probe: {name}", probes[name], whose))
    for name, copies in answers.items():
        add(matched(name, [each[0] for each in copies], probes["drift"], whose))
    return lines


def _heard(measured: Measured, deal: int, cache: Path | None) -> Heard:
    kept = cache / f"deal-{deal}.json" if cache else None
    if kept and kept.exists():
        told = json.loads(kept.read_text(encoding="utf-8"))
        return Heard(np.array(told["everything"]), np.array(told["free"]), told["chosen"])
    heard = held_out(measured, seed=deal)
    if kept:
        told = {"everything": heard.everything.tolist(), "free": heard.free.tolist()}
        kept.write_text(json.dumps(told | {"chosen": heard.chosen}), encoding="utf-8")
    return heard


def _counted(chosen: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Count how often each say of loudness and each price of the pair was chosen."""
    told: dict[str, dict[str, int]] = {}
    for key in ("say", "pair_cost"):
        values = [each[key] for each in chosen]
        told[key] = {f"{value:g}": values.count(value) for value in sorted(set(values))}
    return told


def _plain(values: Matrix, whose: Whose, deal: int, model: str) -> Matrix:
    """Return probabilities of each recording by a plain model that never saw its person."""
    codes, person = whose.codes, whose.owner
    proba = np.zeros((len(codes), 3))
    split = StratifiedGroupKFold(10, shuffle=True, random_state=deal)
    for rows, tested in split.split(codes, codes, person):
        settings: dict[str, Any] = {}
        if model == "logistic":
            settings = {"cost": _best_cost(values, rows, codes, person), "balance": "people"}
        fitted = _fitted(values[rows], codes[rows], person[rows], model, settings)
        proba[tested] = fitted.predict_proba(values[tested])
    return proba


def _best_cost(
    values: Matrix, rows: NDArray[Any], codes: NDArray[Any], person: NDArray[Any]
) -> float:
    """Choose the price of weights by people held out of the training side."""
    scores = np.zeros(len(PROBE_COSTS))
    deal = StratifiedGroupKFold(INNER, shuffle=True, random_state=0)
    for inside, left in deal.split(rows, codes[rows], person[rows]):
        known, new = rows[inside], rows[left]
        for k, cost in enumerate(PROBE_COSTS):
            settings = {"cost": cost, "balance": "people"}
            model = _fitted(values[known], codes[known], person[known], "logistic", settings)
            scores[k] += balanced(codes[new], model.predict_proba(values[new]), np.ones(len(new)))
    return PROBE_COSTS[int(scores.argmax())]


def _fitted(
    values: Matrix,
    codes: NDArray[Any],
    person: NDArray[Any],
    model: str,
    settings: dict[str, Any],
) -> Classifier:
    built: Any = build_model(model, **settings)
    return built.fit(values, codes, **({"groups": person} if built.uses_groups else {}))


def _cohort(cache: Path | None, *, jobs: int) -> Cohort:
    kept = cache / "measured.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept, allow_pickle=False) as told:
            probes = {k[3:]: told[k] for k in told.files if k.startswith("by ")}
            rest = {k: told[k] for k in told.files if not k.startswith("by ")}
        return Cohort(nuisance=probes, **rest)
    found = joblib.Parallel(n_jobs=jobs)(
        joblib.delayed(_one)(recording) for recording in load("needle-nmd").recordings
    )
    names = list(found[0]["copies"][0][0])
    values = [[[told[name] for name in names] for told, _ in each["copies"]] for each in found]
    cohort = Cohort(
        np.array(names),
        np.array(values, dtype=np.float64).swapaxes(0, 1),
        np.array([[loudness for _, loudness in each["copies"]] for each in found]).T,
        {k: np.stack([each["nuisance"][k] for each in found]) for k in found[0]["nuisance"]},
        np.array([each["label"] for each in found]),
        np.array([each["person"] for each in found]),
    )
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        by = {f"by {k}": v for k, v in cohort.nuisance.items()}
        rest = {k: v for k, v in vars(cohort).items() if k != "nuisance"}
        np.savez(kept, **rest, **by)
    return cohort


def _one(recording: Recording) -> dict[str, Any]:
    samples = np.asarray(recording.samples[0], dtype=np.float64)
    copies = [measure(samples, recording.fs_hz)]
    for seed in CHANGES:
        changed = recording
        for name in ("gain", "drift", "hum"):
            changed = perturb(changed, name, seed=seed)
        copies.append(measure(np.asarray(changed.samples[0], dtype=np.float64), recording.fs_hz))
    nuisance = nuisance_of(samples[np.newaxis], recording.fs_hz)
    return {
        "copies": copies,
        "nuisance": {k: nuisance[k] for k in ("gain", "drift", "hum", "noise-floor")},
        "label": recording.subject.condition if recording.subject else "",
        "person": recording.subject.pseudonym if recording.subject else "",
    }


def measure(samples_uv: Floats, fs_hz: float) -> tuple[Named, float]:
    """Return what does not follow the gain, and the log10 of loudness in microvolts."""
    x = band_passed(samples_uv, fs_hz)
    rms = float(x.std())
    x = x / rms
    told = free_of_gain(x, fs_hz)
    for part in (
        needle_windows.of_quarter_seconds,
        needle_patterns.cloud,
        needle_patterns.envelopes,
        needle_patterns.potentials,
        needle_patterns.steps,
    ):
        told |= {f"{part.__name__}: {k}": v for k, v in part(x, fs_hz).items()}
    return told | needle_windows.of_lengths(x, fs_hz), float(np.log10(rms))


if __name__ == "__main__":
    sys.exit(main())
