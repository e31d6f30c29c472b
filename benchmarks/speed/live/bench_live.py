"""Newest sample in to decision out, over real sockets on loopback, while a core is kept busy.

Another process sends 20 ms chunks over a WebSocket in real time and times the decisions that come
back over UDP; a third one loads a core. Band-pass, notch, Hudgins's features, LDA, 160 ms windows.
Writes benchmarks/results/live-latency.json. Goals, on a machine with nothing else to do: 8 channels
p50 <= 1 ms, p99 <= 5 ms, max <= 25 ms; 64 channels p99 <= 10 ms; mean controller delay <= 93 ms; at
most 10 % of a core at 8 channels.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import json
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
from harness import RESULTS, environment

from myograph.workflows.live_bench import Setting, measure

GOALS = {8: {"p50": 1.0, "p99": 5.0, "max": 25.0}, 64: {"p99": 10.0}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hops", type=int, default=10_000)
    parser.add_argument("--channels", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--priority", type=int, default=0, help="real-time, for a busy machine")
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS / "live-latency.json")
    given = parser.parse_args()
    rows = []
    for n_channels in given.channels:
        for _ in range(given.runs):
            setting = Setting(
                n_channels=n_channels,
                hops=given.hops,
                load=not given.no_load,
                priority=given.priority,
            )
            found = measure(setting)
            goals = GOALS.get(n_channels, {})
            found["goals_ms"] = goals
            found["reached"] = {k: found["latency_ms"][k] <= goal for k, goal in goals.items()}
            rows.append(found)
            told = ", ".join(f"{k} {v:.2f}" for k, v in found["latency_ms"].items())
            print(
                f"{n_channels} channels, {found['hops']} hops: {told} ms; controller delay "
                f"{found['controller_delay_ms']:.1f} ms; {100 * found['cpu_share']:.1f} % of a "
                f"core; lost {found['lost']}, dropped {found['dropped']}; load average "
                f"{found['load_average']:.1f}; goals {found['reached']}",
                flush=True,
            )
    where = environment("scipy", "numba", "websockets")
    given.out.write_text(json.dumps({"environment": where, "results": rows}, indent=2) + "\n")
    print(f"Saved in {given.out}")


if __name__ == "__main__":
    main()
