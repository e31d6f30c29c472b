"""Newest sample in to decision out, over real sockets on loopback, while a core is kept busy.

Another process sends 20 ms chunks over a WebSocket in real time and times the decisions that come
back over UDP; a third one loads a core. Band-pass, notch, Hudgins's features, LDA, 160 ms windows.
Writes benchmarks/results/live-latency.json. Goals, on a machine with nothing else to do: 8 channels
p50 <= 1 ms, p99 <= 5 ms, max <= 25 ms; 64 channels p99 <= 10 ms; mean controller delay <= 93 ms; at
most 10 % of a core at 8 channels. A latency begins right before the sender's call and ends in the
sender's program, see `myograph.workflows.live_bench`. With ``--priority 0 40`` everything is
measured twice: at ordinary priority, and with engine and sender at real-time priority (as root).
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import json
import sys
from itertools import product
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
import numpy as np
from harness import RESULTS, bare_loop, environment

from myograph.workflows.live_bench import Setting, measure

GOALS = {8: {"p50": 1.0, "p99": 5.0, "max": 25.0}, 64: {"p99": 10.0}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=10_000)
    parser.add_argument("--channels", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--priority", type=int, nargs="+", default=[0], help="0: ordinary; 40: real-time (as root)"
    )
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS / "live-latency.json")
    given = parser.parse_args()
    rows = []
    for priority, n_channels, _ in product(given.priority, given.channels, range(given.runs)):
        setting = Setting(
            n_channels=n_channels, hops=given.hops, load=not given.no_load, priority=priority
        )
        before = np.median(bare_loop(5000))
        found = measure(setting)
        found["bare_loop_us"] = [float(before), float(np.median(bare_loop(5000)))]
        goals = GOALS.get(n_channels, {})
        found["goals_ms"] = goals
        found["reached"] = {k: found["latency_ms"][k] <= goal for k, goal in goals.items()}
        rows.append(found)
        told = ", ".join(f"{k} {v:.2f}" for k, v in found["latency_ms"].items())
        print(
            f"{n_channels} channels, {found['hops']} hops, priority {priority}: {told} ms; "
            f"controller delay {found['controller_delay_ms']:.1f} ms; "
            f"{100 * found['cpu_share']:.1f} % of a core; lost {found['lost']}, dropped "
            f"{found['dropped']}; load average {found['load_average']:.1f}; a bare "
            f"loop takes {max(found['bare_loop_us']):.0f} us (quiet: 19); goals "
            f"{found['reached']}",
            flush=True,
        )
        for name, part in found["parts_ms"].items():
            print(f"   {name}: " + ", ".join(f"{k} {v:.2f}" for k, v in part.items()) + " ms")
    where = environment("scipy", "numba", "websockets")
    given.out.write_text(json.dumps({"environment": where, "results": rows}, indent=2) + "\n")
    print(f"Saved in {given.out}")


if __name__ == "__main__":
    main()
