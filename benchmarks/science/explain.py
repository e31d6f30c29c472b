"""Are explanations right? Planted problems: the muscle, the band and the moment are known.

Each problem is a burst of narrow-band noise in one channel of six, in one of five bands, for 0.6 s
of every recording, on noise of a strength of its own in every person and channel. A model learns
from five simulated people where bursts are; the recording of a sixth is explained. Counted is how
often the first answer of each method is what was planted, and how far each explanation is ahead of
random orders. As a check on the check, random explanations are judged the same way. All people are
simulated: engineering verification.

    python benchmarks/science/explain.py [--problems N] [--networks N] [--bursts] [--another SEED]
        [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Event, Recording, Subject
from myograph.explain.attribution import band_gradients, grad_cam, integrated_gradients
from myograph.explain.cell_game import CellGame
from myograph.explain.explainer import spans_of
from myograph.explain.explanation import gathered
from myograph.explain.faithfulness import judge, randomisation
from myograph.explain.game import Game
from myograph.explain.importance import band_importance, muscle_importance
from myograph.explain.moments import MomentGame
from myograph.explain.parts import bands_of, muscles
from myograph.explain.question import Question, Stretch, ask
from myograph.explain.rest import Rest
from myograph.explain.shapley import linear_shap, occlusion, shapley
from myograph.explain.signal_game import BandGame, MuscleGame
from myograph.explain.tree_shap import tree_shap
from myograph.pipeline.pipeline import Pipeline
from myograph.validate.stats import bootstrap_interval, proportion_estimate, resample

SEED = 57
RESULTS = Path(__file__).resolve().parents[1] / "results" / "explain.json"
FS_HZ, LENGTH_S, BURST_S, N_CHANNELS = 500.0, 3.0, 0.6, 6
STEPS = [{"step": "bandpass", "low_hz": 20.0, "high_hz": 225.0}]
WINDOWS = {"length_ms": 200.0, "step_ms": 100.0, "rest": "keep"}
GOAL = 0.95
MODELS: dict[str, dict[str, Any]] = {
    "lda": {},
    "random-forest": {"n_trees": 30, "min_leaf": 3},
}


def pipeline(model: str, **params: Any) -> Pipeline:
    whole = model == "cnn1d"
    return Pipeline(
        {
            "steps": STEPS,
            "windowing": WINDOWS,
            "features": ["td-spectral"],
            "scaling": "none" if whole else "standard",
            "model": {"name": model, "params": params},
        }
    )


def narrow(rng: np.random.Generator, n: int, band: tuple[float, float]) -> np.ndarray:
    """Noise with deviation 1 whose spectrum is that of the middle half of ``band``."""
    low, high = band
    quarter = (high - low) / 4
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / FS_HZ)
    spectrum[(frequency < low + quarter) | (frequency > high - quarter)] = 0
    x = np.fft.irfft(spectrum, n=n)
    return x / x.std()


def person(rng: np.random.Generator, name: str, channel: int, band: Any) -> Recording:
    n, n_burst = round(LENGTH_S * FS_HZ), round(BURST_S * FS_HZ)
    strength = 10 * np.exp(0.3 * rng.standard_normal((N_CHANNELS, 1)))
    samples = strength * rng.standard_normal((N_CHANNELS, n))
    onset_s = float(rng.uniform(0.3, LENGTH_S - BURST_S - 0.3))
    first = round(onset_s * FS_HZ)
    burst = 2.5 * strength[channel, 0] * narrow(rng, n_burst, band)
    samples[channel, first : first + n_burst] += burst
    events = (
        Event(0.0, onset_s, "rest", "protocol"),
        Event(onset_s, BURST_S, "burst", "protocol"),
        Event(onset_s + BURST_S, LENGTH_S - onset_s - BURST_S - 1e-6, "rest", "protocol"),
    )
    channels = tuple(Channel(f"m{k}", kind="semg") for k in range(N_CHANNELS))
    return Recording(
        samples.astype(np.float32),
        Layout(FS_HZ, channels),
        events=events,
        subject=Subject(name, condition="simulated"),
    )


class Score:
    """What was found, problem by problem."""

    def __init__(self) -> None:
        self.right: dict[str, list[bool]] = {}
        self.gain: dict[str, list[float]] = {}
        self.faithful: dict[str, list[bool]] = {}
        self.strict: dict[str, list[bool]] = {}
        self.of_best: dict[str, list[float]] = {}
        self.alike: dict[str, list[float]] = {}
        self.unit: dict[str, str] = {}
        self.gap: dict[str, float] = {}

    def found(self, name: str, right: Any, *, gap: float | None = None) -> None:
        self.right.setdefault(name, []).append(bool(right))
        if gap is not None:
            self.gap[name] = max(self.gap.get(name, 0.0), abs(gap))

    def judged(self, name: str, game: Game, values: np.ndarray, *, seed: int) -> None:
        found = judge(game, values, n_orders=20, seed=seed)
        self.gain.setdefault(name, []).append(found.score)
        self.faithful.setdefault(name, []).append(found.faithful)
        strict = found.deletion.better and found.insertion.better
        self.strict.setdefault(name, []).append(strict)
        self.unit[name] = found.unit
        if found.of_best is not None:
            self.of_best.setdefault(name, []).append(found.of_best)
        if not isinstance(game, CellGame):
            return
        random = np.random.default_rng(seed).standard_normal(len(game))
        wrong = judge(game, random, n_orders=20, seed=seed + 1)
        self.faithful.setdefault("random explanations", []).append(wrong.faithful)
        self.gain.setdefault("random explanations", []).append(wrong.score)

    def table(self) -> dict[str, Any]:
        names = list(dict.fromkeys([*self.right, *self.gain]))
        return {name: self._row(name) for name in names}

    def _row(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {}
        if name in self.right:
            right = self.right[name]
            row["recall"] = proportion_estimate(
                sum(right), len(right), evidence="problem"
            ).to_dict()
        if name in self.gain:
            gains = np.array(self.gain[name])
            low, high = bootstrap_interval(gains, resample(len(gains), seed=SEED))
            row["faithfulness_gain"] = {"value": float(gains.mean()), "low": low, "high": high}
            calls = self.faithful[name]
            called = proportion_estimate(sum(calls), len(calls), evidence="problem")
            row["called_faithful"] = called.to_dict()
            row["beats_95_percent_of_random_orders"] = float(np.mean(self.strict.get(name, calls)))
        if name in self.of_best:
            row["share_of_best_gain"] = float(np.mean(self.of_best[name]))
        if name in self.alike:
            row["rank_correlation_with_shuffled"] = float(np.mean(self.alike[name]))
        if name in self.gap:
            row["largest_additivity_gap"] = self.gap[name]
        return row


def problems(
    n: int, seed: int = SEED
) -> Iterator[tuple[int, int, tuple[float, float], list[Recording]]]:
    rng = np.random.default_rng(seed)
    bands = [b for b in bands_of(pipeline("lda"), FS_HZ) if b[0] >= 20 and b[1] <= 225]
    for k in range(n):
        channel, band = int(rng.integers(N_CHANNELS)), bands[int(rng.integers(len(bands)))]
        yield k, channel, band, [person(rng, f"s{k}-{p}", channel, band) for p in range(7)]


def truth(recording: Recording, edges_s: np.ndarray) -> np.ndarray:
    """Spans that lie in the burst, at least by half."""
    burst = next(event for event in recording.events if event.label == "burst")
    overlap = np.minimum(edges_s[1:], burst.end_s) - np.maximum(edges_s[:-1], burst.onset_s)
    return overlap > 0.5 * np.diff(edges_s)


def by_signal(
    score: Score, model: str, question: Question, rest: Rest, planted_at: Any, seed: int
) -> None:
    bands = bands_of(question.pipeline, FS_HZ)
    channel, band = planted_at
    planted = bands.index(band)
    for way, name in ((shapley, "SHAP"), (occlusion, "occlusion")):
        for game, where, about in (
            (MuscleGame(question, rest), channel, "muscle"),
            (BandGame(question, bands, rest), planted, "band"),
        ):
            found = way(game)
            key = f"{model}: {about}, {name}"
            score.found(key, int(found.values.argmax()) == where, gap=found.gap)
            if name == "SHAP":
                score.judged(key, game, found.values, seed=seed)
                checked = randomisation(
                    question,
                    found.values,
                    lambda other, game=game, way=way: way(game.with_question(other)).values,
                    n_models=3,
                    seed=seed,
                )
                score.alike.setdefault(key, []).extend(checked.alike)
    moments = MomentGame(MuscleGame(question, rest))
    shared = moments.shared()
    row, column = np.unravel_index(shared.values.argmax(), shared.values.shape)
    key = f"{model}: muscle and moment, SHAP"
    inside = truth(question.recording, shared.edges_s)
    score.found(key, row == channel and bool(inside[column]), gap=shared.gap)
    score.judged(key, moments, shared.values.ravel(), seed=seed)
    cells = CellGame(question, spans_of(question), rest)
    heat = cells.alone()
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    key = f"{model}: muscle and moment, occlusion"
    inside = truth(question.recording, cells.edges_s)
    score.found(key, row == channel and bool(inside[column]))
    score.judged(key, cells, heat.ravel(), seed=seed)


def by_decision(
    score: Score, model: str, fitted: Pipeline, recording: Recording, rest: Rest, planted_at: Any
) -> None:
    """Explain the burst alone: the decision that the planted part is about."""
    channel, band = planted_at
    burst = next(event for event in recording.events if event.label == "burst")
    stretch = Stretch(burst.onset_s, burst.end_s)
    question = ask(fitted, recording, stretch=stretch, target="burst", against="rest")
    bands = bands_of(fitted, FS_HZ)
    for game, where in (
        (MuscleGame(question, rest), channel),
        (BandGame(question, bands, rest), bands.index(band)),
    ):
        found = shapley(game)
        key = f"{model}: {game.about} of the burst, SHAP"
        score.found(key, int(found.values.argmax()) == where, gap=found.gap)


def by_features(score: Score, model: str, question: Question, rows: np.ndarray, channel: int):
    found = (linear_shap if model == "lda" else tree_shap)(question, rows)
    summed = gathered(found, muscles(question.names, question.layout))
    key = f"{model}: muscle, SHAP of features"
    score.found(key, int(summed.values.argmax()) == channel, gap=found.gap)


def by_people(score: Score, model: str, fitted: Pipeline, new: list[Recording], channel, band):
    bands = bands_of(fitted, FS_HZ)
    for key, found, where in (
        ("muscle, permutation", muscle_importance(fitted, new, repeats=2), channel),
        ("band, permutation", band_importance(fitted, new, bands, repeats=2), bands.index(band)),
    ):
        losses = [loss.value for loss in found.losses]
        score.found(f"{model}: {key}", int(np.argmax(losses)) == where)


def by_gradients(score: Score, question: Question, rest: Rest, planted_at: Any, seed: int) -> None:
    channel, band = planted_at
    bands = bands_of(question.pipeline, FS_HZ)
    edges_s = spans_of(question)
    inside = truth(question.recording, edges_s)
    cells = CellGame(question, edges_s, rest)
    heat = integrated_gradients(question, edges_s)
    row, column = np.unravel_index(heat.values.argmax(), heat.values.shape)
    score.found(
        "cnn1d: muscle and moment, integrated gradients",
        row == channel and bool(inside[column]),
        gap=heat.gap,
    )
    score.judged(
        "cnn1d: muscle and moment, integrated gradients", cells, heat.values.ravel(), seed=seed
    )
    muscle = heat.values.sum(axis=1)
    score.found("cnn1d: muscle, integrated gradients", int(muscle.argmax()) == channel)
    found = band_gradients(question, bands)
    right = int(found.values.argmax()) == bands.index(band)
    score.found("cnn1d: band, integrated gradients", right, gap=found.gap)
    cam = grad_cam(question, edges_s)
    score.found("cnn1d: moment, Grad-CAM", bool(inside[cam.values[0].argmax()]))
    occluded = cells.alone()
    row, column = np.unravel_index(occluded.argmax(), occluded.shape)
    score.found("cnn1d: muscle and moment, occlusion", row == channel and bool(inside[column]))


def run_bursts(n: int) -> dict[str, Any]:
    """Only what is asked about the bursts alone."""
    score = Score()
    for k, channel, band, recordings in problems(n):
        taught, new = recordings[:5], recordings[5:]
        for model, params in MODELS.items():
            fitted = pipeline(model, **params)
            fitted.fit(fitted.prepare(taught))
            rest = Rest.of(fitted, taught, bands_of(fitted, FS_HZ))
            by_decision(score, model, fitted, new[0], rest, (channel, band))
        print(f"{k + 1} of {n}", flush=True)
    return {"burst_problems": n, "bursts": score.table()}


def run_another(n: int, seed: int) -> dict[str, Any]:
    """Only muscles, of other problems: whole recordings, and the bursts alone."""
    score = Score()
    for k, channel, _, recordings in problems(n, seed):
        taught, new = recordings[:5], recordings[5]
        burst = next(event for event in new.events if event.label == "burst")
        for model, params in MODELS.items():
            fitted = pipeline(model, **params)
            fitted.fit(fitted.prepare(taught))
            rest = Rest.of(fitted, taught, bands_of(fitted, FS_HZ))
            for name, stretch in (
                ("muscle, SHAP", None),
                ("muscle of the burst, SHAP", Stretch(burst.onset_s, burst.end_s)),
            ):
                asked = ask(fitted, new, stretch=stretch, target="burst", against="rest")
                found = shapley(MuscleGame(asked, rest))
                right = int(found.values.argmax()) == channel
                score.found(f"{model}: {name}", right, gap=found.gap)
        print(f"{k + 1} of {n}", flush=True)
    return {"another": {"seed": seed, "problems": n, "methods": score.table()}}


def run(n: int, n_networks: int) -> dict[str, Any]:
    score, started = Score(), time.perf_counter()
    accuracy: dict[str, list[float]] = {}
    for k, channel, band, recordings in problems(max(n, n_networks)):
        taught, new = recordings[:5], recordings[5:]
        models: dict[str, dict[str, Any]] = dict(MODELS) if k < n else {}
        if k < n_networks:
            models["cnn1d"] = {"width": 8, "depth": 2, "epochs": 40, "held_out": 0.0}
        for model, params in models.items():
            fitted = pipeline(model, **params)
            table = fitted.prepare(taught)
            fitted.fit(table)
            question = ask(fitted, new[0], target="burst", against="rest")
            rest = Rest.of(fitted, taught, bands_of(fitted, FS_HZ))
            tested = fitted.prepare(new)
            said = np.array(fitted.classes)[fitted.predict_proba(tested).argmax(axis=1)]
            accuracy.setdefault(model, []).append(float((said == tested.index.label).mean()))
            if model == "cnn1d":
                by_gradients(score, question, rest, (channel, band), k)
                continue
            by_signal(score, model, question, rest, (channel, band), k)
            rows = fitted.taken(fitted.scale(table.values))[::3]
            by_features(score, model, question, rows, channel)
            by_people(score, model, fitted, new, channel, band)
        print(f"{k + 1} of {max(n, n_networks)}, {time.perf_counter() - started:.0f} s", flush=True)
    return {
        "benchmark": "science/explain",
        "evidence": "engineering verification: planted in simulated people",
        "goal": {"recall": GOAL},
        "problems": n,
        "network_problems": n_networks,
        "window_accuracy": {name: float(np.mean(each)) for name, each in accuracy.items()},
        "methods": score.table(),
        "seed": SEED,
        "seconds": round(time.perf_counter() - started, 1),
    }


def show(result: dict[str, Any]) -> None:
    rows = {**result["methods"], **result.get("bursts", {})}
    other = result.get("another", {"methods": {}})
    rows |= {f"another seed, {name}": row for name, row in other["methods"].items()}
    for name, row in rows.items():
        told = [f"{name:52s}"]
        if "recall" in row:
            r = row["recall"]
            mark = "" if r["value"] >= GOAL else " (below the goal)"
            told.append(f"recall {r['value']:.3f} ({r['low']:.2f} to {r['high']:.2f}){mark}")
        if "faithfulness_gain" in row:
            g, c = row["faithfulness_gain"], row["called_faithful"]
            told.append(f"gain {g['value']:+.2f} ({g['low']:+.2f} to {g['high']:+.2f})")
            told.append(f"faithful {100 * c['value']:.0f} %")
        if "share_of_best_gain" in row:
            told.append(f"{100 * row['share_of_best_gain']:.0f} % of the best order")
        if "rank_correlation_with_shuffled" in row:
            told.append(f"shuffled {row['rank_correlation_with_shuffled']:+.2f}")
        if "largest_additivity_gap" in row:
            told.append(f"gap {row['largest_additivity_gap']:.1g}")
        print("  ".join(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--problems", type=int, default=30)
    parser.add_argument("--networks", type=int, default=15)
    parser.add_argument("--bursts", action="store_true", help="only ask about the bursts alone")
    parser.add_argument("--another", type=int, metavar="SEED", help="only muscles, other problems")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.bursts or options.another is not None:
        result = json.loads(options.out.read_text(encoding="utf-8"))
        if options.bursts:
            result |= run_bursts(options.problems)
        if options.another is not None:
            result |= run_another(options.problems, options.another)
    else:
        result = run(options.problems, options.networks)
    show(result)
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
