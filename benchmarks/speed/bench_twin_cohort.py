"""How long a cohort of simulated people takes: 100 people, a minute each, 8 channels, on disk.

    python benchmarks/speed/bench_twin_cohort.py [--people 100] [--jobs 2] [--out FILE]

Wall time depends on what else the machine does; processor time (of all processes together, their
start and the writing included) does not, and half of it is what two free cores would need at least.
Writes benchmarks/results/twin_cohort_speed.json. Exit code 1 when the limit is missed on both.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from joblib.externals.loky import get_reusable_executor

from myograph.twin.cohort import Scene, sitting
from myograph.twin.cohorts import COHORTS
from myograph.workflows.simulate import simulate_cohort

RESULTS = Path(__file__).parents[1] / "results" / "twin_cohort_speed.json"
LIMIT_S = 300.0


def processor_s() -> float:
    """Of this process and of every one it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


def cohort(people: int, jobs: int, folder: Path) -> dict[str, float]:
    wall, core = time.perf_counter(), processor_s()
    simulate_cohort("gestures", folder, people=people, seconds=60.0, seed=1, jobs=jobs)
    took = time.perf_counter() - wall
    get_reusable_executor().shutdown(wait=True)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "people": people,
        "jobs": jobs,
        "wall_s": round(took, 1),
        "processor_s": round(processor_s() - core, 1),
        "processor_s over 2 cores": round((processor_s() - core) / 2, 1),
        "megabytes": round(size / 1e6, 1),
        "load of the machine (1 min)": round(os.getloadavg()[0], 1),
    }


def durations() -> dict[str, float]:
    """Processor time of one recording, its person already built, by its length."""
    kind, found = COHORTS["gestures"], {}
    for seconds in (30.0, 60.0, 120.0, 240.0):
        record = sitting(kind, Scene(people=1, seconds=seconds, seed=1), 0)
        core = time.process_time()
        record(1)
        found[f"{seconds:g} s"] = round(time.process_time() - core, 2)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = cohort(options.people, options.jobs, Path(folder) / "cohort")
    print(found)
    lengths = durations()
    print("one recording, processor seconds:", lengths)
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    report = {
        "cohort": found,
        "limit_s": LIMIT_S,
        "one recording, processor_s by length": lengths,
        "peak of one process, MB": round(peak_mb),
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    reached = min(found["wall_s"], found["processor_s over 2 cores"]) <= LIMIT_S
    return int(not reached)


if __name__ == "__main__":
    sys.exit(main())
