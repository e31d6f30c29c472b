"""Onset, fatigue slope, conduction velocity and tremor on signals with known truth.

Goals are those set before the methods were tuned; every figure is printed beside its goal, also
when it misses it. The signals are simulated (see conditioning_truth.py): an engineering
verification, never clinical performance.

    python benchmarks/science/conditioning.py [--trials 300] [--seed 2026] [--only onset ...]

Writes benchmarks/results/conditioning.json; with ``--only`` the other rows stay as they are, if
they were made with the same trials and seed. Exit code 1 when a figure misses its goal.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from conditioning_truth import (
    antagonists,
    array_signals,
    fatigue_epochs,
    onset_trial,
    tremor_acceleration,
)

from myograph.core.layout import Channel, Layout
from myograph.core.recording import Recording
from myograph.preprocess.segment import METHODS, Segmenter
from myograph.signal.edges import locate_onset
from myograph.signal.fatigue import trend
from myograph.signal.onset import hodges_bui_variants
from myograph.signal.spectrum import psd
from myograph.signal.tremor import antagonist_phase, measure
from myograph.signal.velocity import conduction_velocity

RESULTS = Path(__file__).parents[1] / "results" / "conditioning.json"

# An onset counts as detected when it is given out and lies this near.
DETECTED_S = 0.05
GOALS_MS = {5: 8.0, 10: 6.0, 20: 3.0}


@dataclass(frozen=True)
class Figure:
    """One figure: ``goal`` is met when the value is ``at_most`` (or at least) it."""

    row: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    at_most: bool = True

    @property
    def met(self) -> bool:
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        goal = ""
        if self.goal is not None:
            sign = "<=" if self.at_most else ">="
            goal = f"  goal {sign} {self.goal:g}: {'met' if self.met else 'MISSED'}"
        return f"{self.row:<10} {self.what:<62} {self.value:9.3f} {self.unit:<10}{goal}"


def onset(trials: int, seed: int) -> list[Figure]:
    """Median error over all trials (one missed counts as infinite), detection, false epochs."""
    figures = []
    for bursty in (False, True):
        for snr_db, goal_ms in GOALS_MS.items():
            for method in METHODS if not bursty else ("auto", "hodges-bui"):
                slow = method in ("bayesian", "pelt")
                count = min(trials, 100) if slow else trials
                found = _onsets(Segmenter(method=method), count, seed, snr_db, bursty=bursty)
                head = f"{method}, {snr_db} dB{', bursty EMG' if bursty else ''}:"
                aimed = method == "auto" and not bursty
                figures += _onset_figures(head, found, goal_ms if aimed else None)
    return figures + _variants(min(trials, 60), seed) + _single_change(trials, seed)


def _onsets(
    segmenter: Segmenter, trials: int, seed: int, snr_db: float, *, bursty: bool
) -> dict[str, np.ndarray]:
    errors, covered, extra, refused = [], [], [], []
    for k in range(trials):
        trial = onset_trial(np.random.default_rng([seed, k, snr_db]), snr_db=snr_db, bursty=bursty)
        layout = Layout(trial.fs_hz, (Channel("m", kind="semg"),))
        found = segmenter.find(Recording(trial.samples[None], layout), rest=trial.rest)
        near = [e for e in found.epochs if abs(e.onset_s - trial.onset_s) <= DETECTED_S]
        best = min(near, key=lambda e: abs(e.onset_s - trial.onset_s), default=None)
        errors.append(np.inf if best is None else best.onset_s - trial.onset_s)
        if best is not None and best.onset_interval_s is not None:
            low, high = best.onset_interval_s
            covered.append(low <= trial.onset_s <= high)
        extra.append(len(found.epochs) - (best is not None))
        refused.append(len(found.refused))
    return {k: np.array(v) for k, v in locals().items() if k in _COLUMNS}


_COLUMNS = ("errors", "covered", "extra", "refused")


def _onset_figures(head: str, found: dict[str, np.ndarray], goal_ms: float | None) -> list[Figure]:
    size_ms = 1000 * np.abs(found["errors"])
    seen = found["errors"][np.isfinite(found["errors"])]
    goal = None if goal_ms is None else 99.0
    figures = [
        Figure("onset", f"{head} median error", _finite(np.median(size_ms)), "ms", goal_ms),
        Figure(
            "onset", f"{head} detected", 100 * len(seen) / len(size_ms), "%", goal, at_most=False
        ),
        Figure("onset", f"{head} other epochs", float(found["extra"].mean()), "per trial"),
        Figure("onset", f"{head} refused epochs", float(found["refused"].mean()), "per trial"),
    ]
    if len(seen):
        figures += [
            Figure("onset", f"{head} median bias of the detected", 1000 * np.median(seen), "ms"),
            Figure(
                "onset",
                f"{head} 90th centile of the detected",
                1000 * np.quantile(np.abs(seen), 0.9),
                "ms",
            ),
        ]
    if len(found["covered"]):
        share = 100 * float(found["covered"].mean())
        figures.append(Figure("onset", f"{head} 95 % intervals that hold the truth", share, "%"))
    return figures


def _variants(trials: int, seed: int) -> list[Figure]:
    """The 27 variants of Hodges and Bui at 10 dB."""
    medians = {}
    for variant in hodges_bui_variants():
        found = _onsets(Segmenter(detector=variant), trials, seed, 10, bursty=False)
        name = f"{variant.low_pass_hz:g} Hz, {variant.n_sd:g} SD, {variant.window_ms:g} ms"
        medians[name] = _finite(np.median(1000 * np.abs(found["errors"])))
    order = sorted(medians, key=lambda name: medians[name])
    return [
        Figure("onset", f"27 variants, 10 dB: {word} ({name}), median error", medians[name], "ms")
        for word, name in (("best", order[0]), ("middle", order[13]), ("worst", order[-1]))
    ]


def _single_change(trials: int, seed: int) -> list[Figure]:
    """The change point alone, told that there is one onset and no more."""
    figures = []
    for snr_db, goal_ms in GOALS_MS.items():
        errors = []
        for k in range(trials):
            trial = onset_trial(np.random.default_rng([seed, k, snr_db]), snr_db=snr_db)
            errors.append(locate_onset(trial.samples, fs_hz=trial.fs_hz).at_s - trial.onset_s)
        median_ms = float(1000 * np.median(np.abs(errors)))
        what = f"change point with a rise, {snr_db} dB: median error"
        figures.append(Figure("onset", what, median_ms, "ms", goal_ms))
    return figures


def fatigue(trials: int, seed: int) -> list[Figure]:
    """Slopes of mean and median frequency over 60 epochs of 1 s; tests at 5 %."""
    figures = []
    runs = {d: _slopes(trials, seed, decline=d) for d in (0, 5, 10, 20, 30)}
    for name in ("mnf", "mdf"):
        errors = [abs(t.slope_percent_per_min + d) for d, r in runs.items() for t in r[name]]
        main = name == "mnf"
        figures.append(
            Figure(
                "fatigue",
                f"{name}: mean error of the slope, declines of 0-30 %",
                float(np.mean(errors)),
                "points",
                3.0 if main else None,
            )
        )
        for d in (5, 10, 20):
            share = float(np.mean([t.direction == "falling" for t in runs[d][name]]))
            goal = 0.95 if main and d == 10 else None
            figures.append(
                Figure("fatigue", f"{name}: power at {d} %", share, "", goal, at_most=False)
            )
    for label, given in (
        ("independent epochs", {}),
        ("epochs alike by 0.3", {"jitter": 0.05, "alike": 0.3}),
        ("epochs alike by 0.6", {"jitter": 0.05, "alike": 0.6}),
    ):
        nothing = _slopes(4 * trials, seed + 1, decline=0, **given)
        for name in ("mnf", "mdf"):
            rate = 100 * float(np.mean([t.p_value <= 0.05 for t in nothing[name]]))
            what = f"{name}: trends found in none, {label}"
            goal = 5.0 if name == "mnf" else None
            figures.append(Figure("fatigue", what, rate, "%", goal))
    return figures


def _slopes(trials: int, seed: int, *, decline: float, **given: float) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"mnf": [], "mdf": []}
    times_s = np.arange(60) + 0.5
    for k in range(trials):
        rng = np.random.default_rng([seed, k, round(decline)])
        epochs = fatigue_epochs(rng, decline_percent=decline, **given)
        for name, values in _mean_and_median_hz(epochs).items():
            found[name].append(trend(times_s - 0.5, values, n_surrogates=199, seed=k))
    return found


def _mean_and_median_hz(epochs: np.ndarray) -> dict[str, np.ndarray]:
    """Within 10-500 Hz of Welch's spectrum: tapered segments that overlap use all of the epoch."""
    f, density = psd(epochs, fs_hz=2000.0, segment_s=0.25)
    inside = (f >= 10) & (f <= 500)
    f, density = f[inside], density[:, inside]
    shares = np.cumsum(density, axis=1) / density.sum(axis=1, keepdims=True)
    median = [np.interp(0.5, share, f + (f[1] - f[0]) / 2) for share in shares]
    return {"mnf": density @ f / density.sum(axis=1), "mdf": np.array(median)}


def velocity(trials: int, seed: int) -> list[Figure]:
    """Bias and scatter of the conduction velocity at 10 dB, 1 s, 5 mm between channels."""
    figures = []
    for n_channels, common in ((3, 0.0), (4, 0.0), (7, 0.0), (4, 0.2)):
        errors, accepted = [], 0
        for k in range(trials):
            rng = np.random.default_rng([seed, k, n_channels])
            truth = rng.uniform(3.0, 5.5)
            x, p, fs_hz = array_signals(
                rng, velocity_m_s=truth, n_channels=n_channels, common=common
            )
            found = conduction_velocity(x, p, fs_hz=fs_hz, least_channels=3)
            errors.append(found.velocity_m_s - truth)
            accepted += found.accepted
        head = f"{n_channels} channels{', 20 % standing' if common else ''}:"
        aimed = n_channels == 4 and not common
        bias = abs(float(np.mean(errors)))
        figures += [
            Figure("velocity", f"{head} SD", float(np.std(errors)), "m/s", 0.03 if aimed else None),
            Figure("velocity", f"{head} size of the bias", bias, "m/s", 0.02 if aimed else None),
            Figure("velocity", f"{head} accepted", 100 * accepted / trials, "%"),
        ]
    return figures


def tremor(trials: int, seed: int) -> list[Figure]:
    """Error of the frequency, and whether antagonists take turns."""
    figures = []
    for seconds in (3.0, 10.0, 30.0):
        errors = []
        for k in range(trials):
            rng = np.random.default_rng([seed, k, round(seconds)])
            truth = rng.uniform(3.5, 11.0)
            x, fs_hz = tremor_acceleration(rng, frequency_hz=truth, seconds=seconds)
            errors.append(abs(measure(x, fs_hz=fs_hz).peak_hz - truth))
        goal = 0.1 if seconds == 10 else None
        what = f"{seconds:g} s: mean error of the frequency"
        figures.append(Figure("tremor", what, float(np.mean(errors)), "Hz", goal))
    patterns = [
        _pattern(np.random.default_rng([seed, k]), alternating=k % 2 == 1) for k in range(trials)
    ]
    right = [p == ("alternating" if k % 2 else "synchronous") for k, p in enumerate(patterns)]
    share = patterns.count("undecided") / trials
    return [
        *figures,
        Figure(
            "tremor",
            "10 s: phase named rightly (undecided counts as wrong)",
            float(np.mean(right)),
            "",
            0.95,
            at_most=False,
        ),
        Figure("tremor", "10 s: phase undecided", share, ""),
    ]


def _pattern(rng: np.random.Generator, *, alternating: bool) -> str:
    frequency_hz = rng.uniform(3.5, 10.0)
    a, b, fs_hz = antagonists(rng, frequency_hz=frequency_hz, alternating=alternating)
    peak_hz = measure(np.abs(a), fs_hz=fs_hz).peak_hz
    return antagonist_phase(np.abs(a), np.abs(b), fs_hz=fs_hz, peak_hz=peak_hz).pattern


def _finite(value: float) -> float:
    """JSON knows no infinity: a median of mostly missed onsets is told as -1."""
    return float(value) if np.isfinite(value) else -1.0


ROWS: dict[str, Callable[[int, int], list[Figure]]] = {
    "onset": onset,
    "fatigue": fatigue,
    "velocity": velocity,
    "tremor": tremor,
}


def _kept(given: argparse.Namespace) -> dict[str, Any]:
    """Return what was measured before, in the same way, of the rows that are not measured now."""
    nothing: dict[str, Any] = {"seconds": {}, "figures": []}
    if not RESULTS.exists():
        return nothing
    before = json.loads(RESULTS.read_text(encoding="utf-8"))
    if (before["trials"], before["seed"]) != (given.trials, given.seed):
        return nothing
    figures = [row for row in before["figures"] if row["row"] not in given.only]
    return {"seconds": before["seconds"], "figures": figures}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", nargs="+", choices=sorted(ROWS), default=list(ROWS))
    given = parser.parse_args()
    figures: list[Figure] = []
    seconds = {}
    for name in given.only:
        begin = time.perf_counter()
        for figure in ROWS[name](given.trials, given.seed):
            print(figure)
            figures.append(figure)
        seconds[name] = round(time.perf_counter() - begin, 1)
    missed = [figure for figure in figures if not figure.met]
    rows = [{**asdict(figure), "met": figure.met} for figure in figures]
    kept = _kept(given)
    content = {
        "evidence": "engineering verification on simulated signals, never clinical performance",
        "trials": given.trials,
        "seed": given.seed,
        "seconds": {**kept["seconds"], **seconds},
        "figures": [
            row for name in ROWS for row in [*rows, *kept["figures"]] if row["row"] == name
        ],
    }
    RESULTS.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"Saved in {RESULTS}")
    print(f"{len(missed)} figures miss their goal")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
