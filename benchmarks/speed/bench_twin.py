"""How fast the twin computes potentials and signals, against the limits it promised.

    python benchmarks/speed/bench_twin.py

Writes benchmarks/results/twin_speed.json. Exit code 1 when a limit is missed. Potentials are not
cached here; what numba compiles is, by a first small run. Memory is the peak of the whole process.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from myograph.twin.anatomy import MUSCLES
from myograph.twin.conductor import PlanarConductor
from myograph.twin.cylinder import CylindricalConductor
from myograph.twin.discharge import Discharges, discharges
from myograph.twin.drive import Drive
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.muap import LibraryOptions, muap_library
from myograph.twin.muscle import Muscle, MuscleGeometry
from myograph.twin.needle import Needle, needle_library, needle_signal
from myograph.twin.pool import PoolParameters

RESULTS = Path(__file__).parents[1] / "results" / "twin_speed.json"
BOTH_CORES = LibraryOptions(jobs=2)
LIMITS_S = {
    "library, 120 units x 64 electrodes, plane": 20.0,
    "library, 120 units x 64 electrodes, limb": 20.0,
    "64 channels x 60 s at 2048 Hz, 120 units": 10.0,
    "needle, 10 s at 24 kHz, with its potentials and jitter": 3.0,
}


def timed(work: Callable[[], object], repeats: int = 3) -> dict[str, float]:
    """Median and fastest wall time, and processor time of the fastest."""
    walls, cores = [], []
    for _ in range(repeats):
        wall, core = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    return {
        "median_s": float(np.median(walls)),
        "fastest_s": min(walls),
        "processor_s": min(cores),
    }


def contraction(muscle: Muscle, duration_s: float, excitation: float) -> Discharges:
    drive = Drive(np.full((1, round(100 * duration_s)), excitation), fs_hz=100.0)
    return discharges(muscle.pool, drive, seed=1)


def jittered(muscle: Muscle, trains: Discharges, needle: Needle) -> np.ndarray:
    library = needle_library(muscle, needle, fs_hz=24_000.0)
    rng = np.random.default_rng(1)
    delays = [
        0.013 * rng.standard_normal((len(library.near(u)), trains.counts[u]))
        for u in range(library.n_units)
    ]
    return needle_signal(trains, library, delays_ms=delays)


def warm_up() -> None:
    small = Muscle.healthy("FDI", PoolParameters(n_units=3, n_fibres=30), seed=1)
    pair = SurfaceElectrodes.bipolar(center_z_mm=22.0)
    trains = contraction(small, 1.0, 0.5)
    synthesise(
        trains, muap_library(small, pair, PlanarConductor(fat_mm=1, skin_mm=1), fs_hz=2048.0)
    )
    jittered(small, trains, Needle(z_mm=22.0))


def main() -> int:
    warm_up()
    hand = Muscle.healthy("FDI", seed=1)
    leg = MUSCLES["TA"]
    large = Muscle.healthy("TA", PoolParameters(n_units=120, n_fibres=60_000), leg.geometry, seed=1)
    grid = SurfaceElectrodes.grid(8, 8, spacing_mm=4.0, center_z_mm=22.0)
    plane = PlanarConductor.of(hand.geometry)
    limb = CylindricalConductor.of(MuscleGeometry(limb_radius_mm=30, bone_radius_mm=5))
    muaps = muap_library(hand, grid, plane, fs_hz=2048.0, options=BOTH_CORES)
    minute, ten = contraction(hand, 60.0, 0.4), contraction(hand, 10.0, 0.2)
    long = contraction(hand, 120.0, 0.4)
    half = muap_library(
        hand, SurfaceElectrodes.grid(8, 4, spacing_mm=4.0, center_z_mm=22.0), plane, fs_hz=2048.0
    )
    cases: dict[str, Callable[[], object]] = {
        "library, 120 units x 64 electrodes, plane": lambda: muap_library(
            hand, grid, plane, fs_hz=2048.0, options=BOTH_CORES
        ),
        "library, 120 units x 64 electrodes, limb": lambda: muap_library(
            hand, grid, limb, fs_hz=2048.0, options=BOTH_CORES
        ),
        "library, tibialis of 60 000 long fibres": lambda: muap_library(
            large, grid.shifted(z_mm=25.0), PlanarConductor.of(leg.geometry), fs_hz=2048.0,
            options=BOTH_CORES,
        ),
        "64 channels x 60 s at 2048 Hz, 120 units": lambda: synthesise(minute, muaps),
        "64 channels x 120 s at 2048 Hz, 120 units": lambda: synthesise(long, muaps),
        "32 channels x 60 s at 2048 Hz, 120 units": lambda: synthesise(minute, half),
        "needle, 10 s at 24 kHz, with its potentials and jitter": lambda: jittered(
            hand, ten, Needle(z_mm=22.0)
        ),
    }  # fmt: skip
    rows = {name: timed(work) for name, work in cases.items()}
    missed = [name for name, limit in LIMITS_S.items() if rows[name]["median_s"] > limit]
    for name, row in rows.items():
        limit = f"limit {LIMITS_S[name]:g} s" if name in LIMITS_S else ""
        print(
            f"{name:58s} {row['median_s']:7.2f} s  (processor {row['processor_s']:.2f} s)  {limit}"
        )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report = {
        "rows": rows,
        "limits_s": LIMITS_S,
        "missed": missed,
        "discharges": {"60 s": int(minute.counts.sum()), "10 s": int(ten.counts.sum())},
        "peak_mb": round(peak_mb),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"peak memory {peak_mb:.0f} MB; missed: {missed or 'none'}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
