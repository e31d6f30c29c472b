"""How many windows a second: Myograph beside LibEMG 2.0.3, TSFEL and NeuroKit2.

The same noise, as 400-sample windows at 2000 Hz, one every 100 samples, of 8 and of 64 channels;
one process, one thread, turns interleaved, medians of the processor's time over the repeats; a
turn repeats its work for at least 50 ms.
Myograph reads the overlapping float32 view, the peers a contiguous float64 copy that is not part
of their time. A program that
is slow is given fewer windows; all figures are windows per second. A row whose features are not
registered yet says so. The last rows filter 64 channels beside `scipy.signal.sosfilt`.

Needs the environment of benchmarks/peers.txt for ratios; without peers it prints Myograph's own
figures and saves nothing. Writes benchmarks/results/features-peers.json.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import signal

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]
from harness import RESULTS, Comparison, compare, environment
from peers import LENGTH, ROWS, Row, counts_for, installed, tasks_of, windows_of

from myograph.features.extract import measure
from myograph.signal.filters import CausalFilter, design_bandpass

warnings.simplefilter("ignore")
RESULT = RESULTS / "features-peers.json"
# Nothing here waits and nothing runs beside it: the processor's time is that of a quiet machine.
CLOCK = time.process_time
# The goals are about so many channels.
GOAL_CHANNELS = 8
# Everybody's turn takes at least this long.
TURN_S = 0.05


def per_window(comparison: Comparison, counts: dict[str, int]) -> Comparison:
    """Divide the times by how many windows each program was given."""
    seconds = {who: [s / counts[who] for s in t] for who, t in comparison.seconds.items()}
    return Comparison(comparison.case, seconds)


def one_row(row: Row, n_channels: int, peers: dict[str, Any], repeats: int) -> dict[str, Any]:
    goal = row.goal if n_channels == GOAL_CHANNELS else None
    entry: dict[str, Any] = {"row": row.name, "channels": n_channels, "goal": goal}
    specs = row.specs() if row.ours else None
    if specs is None:
        return {**entry, "told": "not registered yet"}
    view = windows_of(n_channels)
    counts = counts_for(row, n_channels)
    ours = view[: counts["myograph"]]
    counts["myograph"] = len(ours)
    work = {"myograph": lambda: measure(ours, fs_hz=2000.0, features=specs)}
    for who, task in tasks_of(row, peers).items():
        given = np.ascontiguousarray(view[: counts[who]], dtype=np.float64)
        counts[who] = len(given)
        work[who] = lambda task=task, given=given: task(given)
    done = per_window(compare(row.name, work, repeats=repeats, clock=CLOCK, least_s=TURN_S), counts)
    rates = {who: 1 / median for who, median in done.medians.items()}
    ratios = {who: rates["myograph"] / rate for who, rate in rates.items() if who != "myograph"}
    spread = {who: [1 / max(t), 1 / min(t)] for who, t in done.seconds.items()}
    return {
        **entry,
        "features": [spec.name for spec in specs],
        "windows_per_s": rates,
        "range": spread,
        "myograph_over": ratios,
        "real_time": rates["myograph"] / 20,  # one window every 50 ms
        "differs": row.differs,
    }


def filter_rows(repeats: int) -> list[dict[str, Any]]:
    """Band-pass 64 channels, whole and in hops of 100 samples, beside scipy."""
    rng = np.random.default_rng(1)
    samples = (50 * rng.standard_normal((64, 40_000))).astype(np.float32)
    sos = design_bandpass(20.0, 450.0, order=4, fs_hz=2000.0)
    rows = []
    for name, hop in (("filter, 20 s at once", samples.shape[1]), ("filter, hops of 50 ms", 100)):
        parts = [samples[:, k : k + hop] for k in range(0, samples.shape[1], hop)]

        def ours(parts: list[np.ndarray] = parts) -> None:
            state = CausalFilter(sos, n_channels=64)
            for part in parts:
                state.push(part)

        def scipys(parts: list[np.ndarray] = parts) -> None:
            state = np.zeros((len(sos), 64, 2))
            for part in parts:
                _, state = signal.sosfilt(sos, part, axis=1, zi=state)

        done = compare(
            name, {"myograph": ours, "scipy": scipys}, repeats=repeats, clock=CLOCK, least_s=TURN_S
        )
        rates = {who: samples.size / s for who, s in done.medians.items()}
        rows.append(
            {
                "row": name,
                "channels": 64,
                "goal": 2,
                "samples_per_s": rates,
                "myograph_over": {"scipy": done.ratio},
            }
        )
    return rows


def tell(entry: dict[str, Any]) -> str:
    head = f"{entry['row']:<24} {entry['channels']:>3} ch  "
    if "told" in entry:
        return head + entry["told"]
    rates = entry.get("windows_per_s") or entry["samples_per_s"]
    unit = "windows/s" if "windows_per_s" in entry else "samples/s"
    told = "  ".join(f"{who} {rate:,.0f}" for who, rate in rates.items())
    over = "  ".join(f"{ratio:,.1f}x {who}" for who, ratio in entry["myograph_over"].items())
    first = "libemg" if "libemg" in entry["myograph_over"] else "scipy"
    verdict = ""
    if entry["goal"] and first in entry["myograph_over"]:
        met = entry["myograph_over"][first] >= entry["goal"]
        verdict = f"  (goal {entry['goal']:g}x: {'met' if met else 'MISSED'})"
    return f"{head}{told} {unit}  ->  {over or 'no peer'}{verdict}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--channels", type=int, nargs="*", default=[8, 64])
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    peers = installed()
    begin = time.perf_counter()
    entries = []
    for entry in measured(given, peers):
        entries.append(entry)
        print(tell(entry), flush=True)
        if peers and not given.only:  # after every row: a run that is cut short is not lost
            report = {
                "benchmark": "features beside peers",
                "setting": {
                    "fs_hz": 2000,
                    "window": LENGTH,
                    "hop": 100,
                    "repeats": given.repeats,
                    "clock": "cpu",
                    "least_turn_s": TURN_S,
                },
                "environment": environment("scipy", "numba", *peers),
                "seconds": round(time.perf_counter() - begin, 1),
                "rows": entries,
            }
            given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if not peers:
        print("No peer is installed here, so nothing is compared or saved: benchmarks/peers.txt.")
    return 0


def measured(given: argparse.Namespace, peers: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Measure one row after the other: those of 8 channels, the filters, those of more."""
    rows = [row for row in ROWS if given.only.lower() in row.name.lower()]
    for row in rows:
        yield one_row(row, given.channels[0], peers, given.repeats)
    if not given.only or given.only in "filter":
        yield from filter_rows(given.repeats)
    for n_channels in given.channels[1:]:
        for row in (row for row in rows if row.goal):
            yield one_row(row, n_channels, peers, given.repeats)


if __name__ == "__main__":
    sys.exit(main())
