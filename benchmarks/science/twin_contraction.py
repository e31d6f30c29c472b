"""The twin's force and fatigue at surface electrodes, and needles in muscles nobody tuned.

Engineering verification. Three questions, each beside what is measured:

- How does the amplitude of the surface signal follow the force? (Three muscles, 10 to 100 % of the
  maximum; the exponent p of amplitude = force^p.)
- How do median frequency, amplitude and conduction velocity change while a force is held to
  exhaustion? Beside the six measured people of fatigue-liu, who repeated contractions instead.
- Do needle potentials of two other muscles come out right with the settings that were tuned on the
  tibialis anterior, frozen? This is the independent check that twin_needle.py asks for.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_contraction.py [--people 4]

Writes benchmarks/results/twin_contraction.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt, welch

from myograph.datasets import load
from myograph.twin.anatomy import MUSCLES
from myograph.twin.cohort import Scene, sitting
from myograph.twin.cohorts.fatigue import FATIGUE
from myograph.twin.conductor import PlanarConductor
from myograph.twin.contraction import excitation_for_force
from myograph.twin.discharge import discharges
from myograph.twin.drive import Drive
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.muap import muap_library
from myograph.twin.muscle import Muscle

sys.path.insert(0, str(Path(__file__).parent))
import itertools

import twin_needle

RESULTS = Path(__file__).parents[1] / "results" / "twin_contraction.json"
FS_HZ = 1000.0
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PLACES = {"FDI": 0.75, "BB": 0.7, "TA": 0.72}
FIBRES = {"FDI": 1.0, "BB": 0.05, "TA": 0.08}
# Multi-unit needle examination of healthy people (KNF guideline): amplitude uV, duration ms.
NEEDLE = {"FDI": ((752, 247), (9.4, 1.3)), "BB": ((436, 115), (9.9, 1.4))}


def muscle(name: str, share: float, seed: int) -> Muscle:
    """Of a typical adult; a share of the fibres is enough for relative amplitudes."""
    anatomy = MUSCLES[name]
    pool = replace(anatomy.pool, n_fibres=max(round(anatomy.pool.n_fibres * share), 4000))
    density = anatomy.geometry.territory_density_per_mm2 * pool.n_fibres / anatomy.pool.n_fibres
    shape = replace(anatomy.geometry, territory_density_per_mm2=density)
    return Muscle.healthy(name, pool, shape, seed=seed)


def force_emg(people: int) -> dict[str, dict[str, object]]:
    """Mean rectified amplitude over force, both as shares of the maximum."""
    found = {}
    for name, place in PLACES.items():
        curves = []
        for seed in range(people):
            body = muscle(name, FIBRES[name], seed)
            pair = SurfaceElectrodes.bipolar(center_z_mm=place * body.geometry.fibre_length_mm)
            muaps = muap_library(body, pair, PlanarConductor.of(body.geometry), fs_hz=FS_HZ)
            levels, _ = excitation_for_force(body.pool, np.array(SHARES) * body.mvc_n)
            curve = []
            for level in levels:
                drive = Drive(np.full((1, 500), level), fs_hz=100.0)
                curve.append(np.abs(synthesise(discharges(body.pool, drive, seed=seed), muaps))
                             .mean())  # fmt: skip
            curves.append(np.array(curve) / curve[-1])
        mean = np.mean(curves, axis=0)
        exponents = [np.polyfit(np.log(SHARES), np.log(c), 1)[0] for c in curves]
        found[name] = {
            "force": SHARES,
            "amplitude": mean.tolist(),
            "exponent": float(np.mean(exponents)),
            "exponent sd": float(np.std(exponents, ddof=1)) if people > 1 else None,
        }
        print(f"force-EMG {name}: exponent {np.mean(exponents):.2f}, at half force {mean[4]:.2f}")
    return found


def median_hz(x: np.ndarray, fs_hz: float) -> float:
    frequency, power = welch(x, fs_hz, nperseg=min(len(x), round(fs_hz)))
    inside = (frequency >= 20) & (frequency <= 450)
    total = np.cumsum(power[inside])
    return float(np.interp(total[-1] / 2, total, frequency[inside]))


def velocity_share(labels: dict[str, object], truth: object) -> float:
    """Mean relative change of the unit potentials' width, which goes as one over velocity."""
    del labels
    names = list(truth.muaps)
    first, last = truth.muaps[names[0]], truth.muaps[names[-1]]
    fired = np.flatnonzero(np.ptp(first[:, 3], axis=1) > 0)
    centre = [median_hz_of(m[fired, 3], truth.muap_fs_hz) for m in (first, last)]
    return float(centre[1] / centre[0] - 1)


def median_hz_of(potentials: np.ndarray, fs_hz: float) -> float:
    power = np.abs(np.fft.rfft(potentials, 1024, axis=1)) ** 2
    frequency, total = np.fft.rfftfreq(1024, 1 / fs_hz), np.cumsum(power.sum(0))
    return float(np.interp(total[-1] / 2, total, frequency))


def exhaustion(people: int) -> dict[str, object]:
    """Median frequency and amplitude over a contraction held to its end, in tenths of it."""
    scene = Scene(people=max(people, 3), seconds=60.0, seed=3)
    rows, amplitude, potentials = [], [], []
    for k in range(scene.people):
        made = sitting(FATIGUE, scene, k)(1)
        x = sosfiltfilt(butter(2, (20, 400), "bandpass", fs=FS_HZ, output="sos"),
                        made.recording.samples[3])  # fmt: skip
        endurance = min(made.truth.labels["endurance_s"], 59.5)
        edges = (np.linspace(0, endurance, 11) * FS_HZ).astype(int)
        pieces = [x[a:b] for a, b in itertools.pairwise(edges)]
        f = np.array([median_hz(piece, FS_HZ) for piece in pieces])
        a = np.array([piece.std() for piece in pieces])
        rows.append(f / f[0])
        amplitude.append(a / a[0])
        potentials.append(velocity_share(made.truth.labels, made.truth))
    fall = [100 * (row[-1] - 1) for row in rows]
    print(f"held to exhaustion: median frequency {np.mean(fall):.1f} % "
          f"({min(fall):.1f} to {max(fall):.1f})")  # fmt: skip
    return {
        "median frequency, relative": np.mean(rows, axis=0).tolist(),
        "amplitude, relative": np.mean(amplitude, axis=0).tolist(),
        "median frequency, % at the end": {"mean": float(np.mean(fall)), "people": fall},
        "amplitude, % at the end": float(100 * (np.mean(amplitude, axis=0)[-1] - 1)),
        "median frequency of the unit potentials, %": float(100 * np.mean(potentials)),
    }


def measured_fatigue() -> dict[str, object]:
    """The same of fatigue-liu, over tenths of the time of the contractions' activity."""
    rows = {}
    for recording in load("fatigue-liu").recordings:
        muscles = recording.select(kinds=("semg",))
        sos = butter(2, (20, min(400, 0.45 * recording.fs_hz)), "bandpass", fs=recording.fs_hz,
                     output="sos")  # fmt: skip
        x = sosfiltfilt(sos, muscles.samples.astype(float), axis=1)
        level = np.sqrt(np.convolve((x**2).sum(0), np.ones(250) / 250, "same"))
        active = level > np.quantile(level, 0.5)
        falls = []
        for channel in x:
            kept = channel[active]
            pieces = np.array_split(kept, 10)
            f = np.array([median_hz(p, recording.fs_hz) for p in pieces])
            falls.append(100 * (f[-1] / f[0] - 1))
        rows[recording.subject.pseudonym] = [float(v) for v in falls]
    best = [min(v) for v in rows.values()]
    print(f"fatigue-liu: median frequency {np.mean(best):.1f} % in the channel that falls most")
    return {"% from the first to the last tenth, by channel": rows}


def needles(people: int) -> dict[str, object]:
    """The examination of twin_needle.py in other muscles; nothing is tuned for them."""
    found = {}
    for name, (amplitude, duration) in NEEDLE.items():
        taken = []
        for seed in range(people):
            taken += twin_needle.examine(twin_needle.normal, seed=seed, name=name)
        row = twin_needle.summary(taken)
        row["measured"] = {"amplitude_uv": amplitude, "duration_ms": duration}
        found[name] = row
        print(f"needle {name}: {row['amplitude_uv']['mean']:.0f} uV (measured {amplitude}), "
              f"{row['duration_ms']['mean']:.1f} ms (measured {duration})")  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=4)
    people = parser.parse_args().people
    begin = time.perf_counter()
    report: dict[str, object] = {
        "what": "engineering verification of the simulator",
        "people": people,
        "force and surface amplitude": force_emg(people),
        "held to exhaustion": exhaustion(people),
    }
    if os.environ.get("MYOGRAPH_MIRROR"):
        report["measured: fatigue-liu"] = measured_fatigue()
    else:
        print("MYOGRAPH_MIRROR is not set: fatigue-liu is left out.")
    report["needle, settings of the tibialis frozen"] = needles(people)
    report["seconds"] = round(time.perf_counter() - begin, 1)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
