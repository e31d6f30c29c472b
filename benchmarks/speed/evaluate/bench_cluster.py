"""The same evaluation in one process, on a Dask cluster of two local workers, and with one killed.

Leave one person out on simulated people (or --data), a forest of scikit-learn's own trees. Told:
whether all three give the same result, bit for bit; what the cluster costs beyond the work itself
(a run of one worker's share would take half as long); and what it cost that a worker was killed
(kill -9) while it was fitting.

Writes benchmarks/results/evaluate-cluster.json.
"""

from __future__ import annotations

import os

for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ.setdefault(f"{_name}_NUM_THREADS", "1")

import argparse
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness import RESULTS, environment

from myograph.config.schema import ModelConfig
from myograph.validate.result import ValidationResult
from myograph.validate.run import Progress, RunOptions, evaluate
from myograph.validate.splits import make_split
from myograph.workflows.cluster import local_cluster, on_cluster
from myograph.workflows.cohort import open_cohort
from myograph.workflows.evaluate import Running, measure
from myograph.workflows.settings import Choices, resolve

RESULT = RESULTS / "evaluate-cluster.json"


def bytes_of(result: ValidationResult) -> bytes:
    text = json.dumps(result.to_dict(), sort_keys=True)
    return text.encode() + result.predictions.output.tobytes()


def workers(address: str) -> dict[str, int]:
    """Return the process of each worker."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return client.run(os.getpid)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="simulated")
    parser.add_argument("--trees", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULT)
    given = parser.parse_args()
    cohort = open_cohort(given.data)
    settings = resolve(cohort, Choices(model="random-forest"))
    table = measure(cohort, settings, Running(jobs=1))
    params = {"n_trees": given.trees, "max_windows": None}
    config = settings.pipeline.model_copy(
        update={"model": ModelConfig(name="random-forest", params=params)}
    )
    split = make_split("leave-one-subject-out")

    def run(address: str | None, tell: Any = None) -> tuple[bytes, float]:
        options = RunOptions(baselines=False, progress=tell)
        begin = time.perf_counter()
        with on_cluster(address):
            result = evaluate(config, table, split, options=options)
        return bytes_of(result), time.perf_counter() - begin

    serial, serial_s = run(None)
    with local_cluster(given.workers) as address:
        run(address)  # workers import what they need
        clustered, cluster_s = run(address)
        victim = next(iter(workers(address).values()))
        killed = threading.Event()

        def kill(at: Progress) -> None:
            if not killed.is_set():  # after the first fold: the others are being fitted
                killed.set()
                os.kill(victim, signal.SIGKILL)

        survived, killed_s = run(address, kill)
        left = workers(address)
    report = {
        "benchmark": "one evaluation, serial, on a cluster, and with a worker killed",
        "setting": {
            "data": given.data,
            "people": len(np.unique(table.index.subject)),
            "windows": len(table),
            "trees": given.trees,
            "workers": given.workers,
            "cores": os.cpu_count(),
        },
        "environment": environment("scikit-learn", "joblib", "dask", "distributed"),
        "seconds": {"serial": serial_s, "cluster": cluster_s, "worker killed": killed_s},
        "same_as_serial": {"cluster": clustered == serial, "worker killed": survived == serial},
        "overhead_s": cluster_s - serial_s / given.workers,
        "killed": {"process": victim, "replaced": victim not in left.values()},
        "killed_cost_s": killed_s - cluster_s,
    }
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: report[k] for k in ("setting", "seconds", "same_as_serial")}, indent=1))
    print(f"Beyond half of the serial time the cluster cost {report['overhead_s']:+.2f} s;")
    print(f"the killed worker cost {report['killed_cost_s']:+.2f} s more. Saved in {given.out}")
    return 0 if all(report["same_as_serial"].values()) and killed.is_set() else 1


if __name__ == "__main__":
    sys.exit(main())
