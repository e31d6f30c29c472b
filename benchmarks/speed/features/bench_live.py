"""Latency of a live hop, growth of the cost, threads, and what the first call takes.

- A hop: 100 new samples at 2000 Hz go through a causal band-pass and become one 400-sample window
  of features, as in a running pipeline; p50 and p99 of the wall clock, round by round over the
  whole sitting. A bare loop of Python is timed in every round beside them: where the machine is
  shared, its p50 doubles when somebody else is busy, and its p99 is what no program can go below.
- Growth: the same features on longer recordings and on more channels; the exponent of a straight
  line through the logarithms is 1 when the cost is linear. Drawn in features-growth.svg.
- Threads: windows a second with one thread and with all cores, by the wall clock.
- The first call: import and first measurement in a fresh process, with no compiled code at hand,
  and again with it.

Writes benchmarks/results/features-live.json.
"""

from __future__ import annotations

import os

if "NUMBA_NUM_THREADS" not in os.environ:  # a parent process has set the threads already
    for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import compileall
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from harness import RESULTS, bare_loop, environment
from peers import FS_HZ, HOP, LENGTH, SAME, windows_of

import myograph
from myograph.core.layout import Channel, Layout
from myograph.features import parse_features
from myograph.features.extract import measure
from myograph.pipeline.pipeline import Pipeline

RESULT = RESULTS / "features-live.json"
PICTURE = RESULTS / "features-growth.svg"

#: What, channels, features, goal for p99 in microseconds.
HOPS: list[tuple[str, int, list[Any], float]] = [
    ("filter + Hudgins", 8, ["hudgins"], 50.0),
    ("filter + Hudgins", 64, ["hudgins"], 2000.0),
    ("filter + everything but entropy", 64, SAME, 2000.0),
    ("filter + sample entropy", 64, ["sampen"], 50_000.0),
]
GROWTH = SAME
FIRST = """
import json, sys, time
begin = time.perf_counter()
import numpy as np
from myograph.features import parse_features
from myograph.features.extract import measure
imported = time.perf_counter()
measure(np.ones((2, 2, 400), dtype=np.float32), fs_hz=2000.0,
        features=parse_features(json.loads(sys.argv[1])))
end = time.perf_counter()
print(json.dumps({"import_s": imported - begin, "measure_s": end - imported,
                  "whole_s": end - begin, "cpu_s": time.process_time()}))
"""
FIRST_GOALS_S = {"after_install": 3.0, "later": 0.5}
#: What is measured in a fresh process.
FIRST_SETS: dict[str, list[Any]] = {
    "Hudgins": ["hudgins"],
    "everything but entropy": SAME,
}


@dataclass(frozen=True)
class Hop:
    """One case: the pipeline's front, started, and the samples to push."""

    name: str
    n_channels: int
    goal_p99_us: float
    push: Callable[[NDArray[np.float32]], tuple[NDArray[np.float64], NDArray[np.float64]]]
    chunks: NDArray[np.float32]

    @classmethod
    def of(cls, name: str, n_channels: int, features: Sequence[Any], goal: float) -> Hop:
        definition = {
            "steps": [{"step": "bandpass", "low_hz": 20.0, "high_hz": 450.0}],
            "windowing": {
                "length_ms": 1000 * LENGTH / FS_HZ,
                "step_ms": 1000 * HOP / FS_HZ,
                "label_sources": [],
            },
            "features": list(features),
        }
        channels = tuple(Channel(f"e{k}", kind="semg") for k in range(n_channels))
        state = Pipeline(definition).front.start(Layout(float(FS_HZ), channels))
        noise = np.random.default_rng(0).standard_normal((64, n_channels, HOP))
        return cls(name, n_channels, goal, state.push, (50 * noise).astype(np.float32))

    def microseconds(self, count: int) -> NDArray[np.float64]:
        """Push ``count`` hops and return what each took."""
        push, chunks, taken = self.push, self.chunks, np.empty(count)
        for k in range(-100, count):
            chunk = chunks[k % len(chunks)]
            begin = time.perf_counter()
            push(chunk)
            taken[k] = time.perf_counter() - begin  # those before 0 are written over
        return 1e6 * taken


def hop_rows(hops: int, rounds: int) -> list[dict[str, Any]]:
    """Time every case in turns; of each round p50 and p99."""
    cases = [Hop.of(*case) for case in HOPS]
    work = {f"{c.name}, {c.n_channels} channels": c.microseconds for c in cases}
    found: dict[str, list[list[float]]] = {name: [] for name in (*work, "bare loop")}
    for _ in range(rounds):
        for name, measured in (("bare loop", bare_loop), *work.items()):
            taken = measured(hops // rounds)
            found[name].append([round(float(v), 2) for v in np.percentile(taken, [50, 99])])
    rows = [
        {"row": case.name, "channels": case.n_channels, "goal_p99_us": case.goal_p99_us}
        for case in cases
    ]
    rows.append({"row": "a bare loop of Python", "channels": None, "goal_p99_us": None})
    for row, by_round in zip(
        rows, (*(found[name] for name in work), found["bare loop"]), strict=True
    ):
        p50, p99 = np.median(by_round, axis=0)
        quiet = min(by_round, key=lambda one: one[1])
        row.update(
            hops=hops, p50_us=p50, p99_us=p99, quietest_round_us=quiet, rounds_us=by_round
        )  # fmt: skip
    return rows


def seconds_of(view: np.ndarray, specs: Any, *, repeats: int = 3) -> float:
    times = []
    for _ in range(repeats + 1):
        begin = time.process_time()
        measure(view, fs_hz=float(FS_HZ), features=specs)
        times.append(time.process_time() - begin)
    return float(np.median(times[1:]))


def growth() -> dict[str, Any]:
    """Time recordings of growing length, and of growing width."""
    specs = parse_features(GROWTH)
    longer = [(s, seconds_of(windows_of(8, seconds=s), specs)) for s in (10, 20, 40, 80)]
    wider = [(c, seconds_of(windows_of(c, seconds=10), specs)) for c in (8, 16, 32, 64)]
    return {
        "features": GROWTH,
        "seconds_of_signal": longer,
        "channels": wider,
        "exponent_samples": exponent(longer),
        "exponent_channels": exponent(wider),
    }


def exponent(points: Sequence[tuple[float, float]]) -> float:
    size, seconds = np.log(np.array(points)).T
    return float(np.polyfit(size, seconds, 1)[0])


def draw(grown: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained", sharey=True)
    kinds = (
        ("seconds_of_signal", "seconds of signal (8 channels)", "exponent_samples"),
        ("channels", "channels (10 s of signal)", "exponent_channels"),
    )
    for ax, (key, label, fitted) in zip(axes, kinds, strict=True):
        size, seconds = np.array(grown[key]).T
        ax.loglog(size, 1e3 * seconds, "o-", color="#00796b", label="measured")
        ax.loglog(size, 1e3 * seconds[0] * size / size[0], ":", color="#555", label="linear")
        ax.set(xlabel=label, title=f"exponent {grown[fitted]:.2f}")
        ax.set_xticks(size, [f"{s:g}" for s in size])
        ax.minorticks_off()
    axes[0].set_ylabel("processor time (ms)")
    axes[0].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


def first_calls(python: str, repeats: int) -> list[dict[str, Any]]:
    """Run fresh processes without, then with, compiled code at hand."""
    # An installer turns modules into bytecode; so does this, where the environment forbids it.
    compileall.compile_dir(Path(myograph.__file__).parent, quiet=1)
    rows = []
    for name, features in FIRST_SETS.items():
        fresh, again = [], []
        for _ in range(repeats):
            with tempfile.TemporaryDirectory() as cache:
                for found in (fresh, again, again):
                    done = subprocess.run(
                        [python, "-c", FIRST, json.dumps(features)],
                        env={**os.environ, "NUMBA_CACHE_DIR": cache},
                        capture_output=True,
                        text=True,
                        check=True,
                    )
                    found.append(json.loads(done.stdout))
        row: dict[str, Any] = {"row": name}
        for when, runs in (("after_install", fresh), ("later", again)):
            row[when] = {key: float(np.median([run[key] for run in runs])) for key in runs[0]}
            row[when]["least_cpu_s"] = min(run["cpu_s"] for run in runs)
            row[when]["runs"] = len(runs)
        rows.append(row)
    return rows


def threads() -> list[dict[str, Any]]:
    """Measure windows a second with one thread and with all cores, by the wall clock."""
    rows = []
    view = windows_of(64, seconds=5)
    for name, features in (("Hudgins", ["hudgins"]), ("26 features", SAME), ("sampen", ["sampen"])):
        specs = parse_features(features)
        for count in dict.fromkeys((1, os.cpu_count() or 1)):
            times = []
            for _ in range(3):
                begin = time.perf_counter()
                measure(view, fs_hz=float(FS_HZ), features=specs, threads=count)
                times.append(time.perf_counter() - begin)
            rate = len(view) / min(times[1:])
            rows.append({"row": name, "threads": count, "windows_of_64_channels_per_s": rate})
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hops", type=int, default=20_000, help="of each case")
    parser.add_argument("--rounds", type=int, default=20, help="that the hops are spread over")
    parser.add_argument("--repeats", type=int, default=3, help="of the first calls")
    parser.add_argument("--no-first", action="store_true", help="leave the first calls out")
    parser.add_argument(
        "--python",
        default=sys.executable,
        help="whose first calls: numba imports coverage, for one, where that is installed",
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    hops = hop_rows(given.hops, given.rounds)
    for row in hops:
        quiet = row["quietest_round_us"]
        told = (
            f"p50 {row['p50_us']:.0f} us, p99 {row['p99_us']:.0f} us in the median round; "
            f"{quiet[0]:.0f}, {quiet[1]:.0f} us in the quietest"
        )
        channels = f"{row['channels'] or '':>3}"
        print(f"{row['row']:<32} {channels} channels  {told}  (goal {row['goal_p99_us']} us)")
    grown = growth()
    draw(grown, given.out.with_name(PICTURE.name))
    print(
        f"cost grows as samples^{grown['exponent_samples']:.2f}, "
        f"channels^{grown['exponent_channels']:.2f}"
    )
    first = [] if given.no_first else first_calls(given.python, given.repeats)
    for row in first:
        for when in ("after_install", "later"):
            told = row[when]
            print(
                f"{row['row']}, {when}: {told['whole_s']:.2f} s, "
                f"{told['cpu_s']:.2f} s of the processor, "
                f"{told['least_cpu_s']:.2f} s at least (goal {FIRST_GOALS_S[when]} s)"
            )
    side = threads()
    for row in side:
        rate = row["windows_of_64_channels_per_s"]
        print(f"{row['row']}, {row['threads']} threads: {rate:,.0f} windows/s of 64 channels")
    report = {
        "benchmark": "live features",
        "environment": environment("scipy", "numba"),
        "hops": hops,
        "growth": grown,
        "first_call": first,
        "first_call_goals_s": FIRST_GOALS_S,
        "threads": side,
    }
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"Saved in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
