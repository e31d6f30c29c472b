"""Time Myograph beside its peers: same process, same arrays, one sitting, turns interleaved."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass(frozen=True)
class Comparison:
    """Seconds of every repeat, by who did the work; ``myograph`` is one of them."""

    case: str
    seconds: Mapping[str, Sequence[float]]

    @property
    def medians(self) -> dict[str, float]:
        return {who: statistics.median(times) for who, times in self.seconds.items()}

    @property
    def ratio(self) -> float:
        """How many times longer the fastest peer takes; above 1, Myograph is faster."""
        peers = [value for who, value in self.medians.items() if who != "myograph"]
        return min(peers) / self.medians["myograph"]

    def to_dict(self) -> dict[str, Any]:
        spread = {who: [min(times), max(times)] for who, times in self.seconds.items()}
        return {
            "case": self.case,
            "median_s": self.medians,
            "range_s": spread,
            "repeats": len(next(iter(self.seconds.values()))),
            "fastest_peer_over_myograph": self.ratio,
        }


def compare(
    case: str,
    work: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
    least_s: float = 0.0,
) -> Comparison:
    """Time each once per round, after one round that is not counted (imports, file cache).

    With one thread and no waiting, ``clock=time.process_time`` counts the processor's time, which
    a busy machine does not stretch. A turn repeats its work until ``least_s`` have passed, so that
    a short one is not timed on the memory that the turn before it left behind.
    """
    seconds: dict[str, list[float]] = {who: [] for who in work}
    for round_number in range(repeats + 1):
        for who, task in work.items():
            begin, count, spent = clock(), 0, 0.0
            while count == 0 or spent < least_s * bool(round_number):
                task()
                count += 1
                spent = clock() - begin
            if round_number:
                seconds[who].append(spent / count)
    return Comparison(case, seconds)


def bare_loop(count: int) -> NDArray[np.float64]:
    """Time a loop of Python's additions ``count`` times; return microseconds.

    A yardstick of the moment: on a machine that others use too it takes 19 us when they are quiet
    and up to twice as long when they are not.
    """
    taken = np.empty(count)
    for k in range(count):
        begin = time.perf_counter()
        total = 0
        for i in range(600):
            total += i
        taken[k] = time.perf_counter() - begin
    return 1e6 * taken


def environment(*packages: str) -> dict[str, Any]:
    """Say on what the times were measured."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].partition(":")[2].strip() if lines else model
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": model,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "threads": {k: v for k, v in os.environ.items() if k.endswith("_NUM_THREADS")},
        "packages": {name: importlib.metadata.version(name) for name in ("numpy", *packages)},
    }


def report(name: str, comparisons: Sequence[Comparison], where: Mapping[str, Any]) -> Path:
    """Print medians and ratios, and save everything as JSON in benchmarks/results."""
    for comparison in comparisons:
        times = "  ".join(f"{who} {1e3 * s:8.1f} ms" for who, s in comparison.medians.items())
        verdict = "faster" if comparison.ratio >= 1 else "SLOWER"
        print(f"{comparison.case:<28} {times}  -> {comparison.ratio:.2f}x, {verdict}")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    content = {"environment": where, "results": [c.to_dict() for c in comparisons]}
    path.write_text(json.dumps(content, indent=2) + "\n")
    print(f"Saved in {path}")
    return path
