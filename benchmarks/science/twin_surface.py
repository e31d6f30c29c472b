"""The twin's surface signals: spectra, what fat, slowing and depth do, and pictures to look at.

Engineering verification. Bipolar electrodes (20 mm) between endplates and tendon over three
muscles, at three levels of excitation; the same with fibres slowed as by fatigue, and under more
fat. What is published and what the rows must show: power within 20 to 450 Hz, median frequencies of
60 to 130 Hz, a fall of the median frequency in proportion to conduction velocity, and attenuation
with fat.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_surface.py [--pictures FOLDER]

With --measured only the spectra of measured people are made again (elderly-emg-force: isometric
contractions, the contracting muscle's channel while the force is above half of its largest).
Writes benchmarks/results/twin_surface.json.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.signal import welch

from myograph.datasets import load
from myograph.twin.anatomy import MUSCLES
from myograph.twin.conductor import PlanarConductor
from myograph.twin.cylinder import CylindricalConductor
from myograph.twin.discharge import discharges
from myograph.twin.drive import Drive
from myograph.twin.electrode import SurfaceElectrodes
from myograph.twin.emg import synthesise
from myograph.twin.muap import LibraryOptions, muap_library
from myograph.twin.muscle import Muscle

RESULTS = Path(__file__).parents[1] / "results" / "twin_surface.json"
FS_HZ = 2048.0
PLACES = {"TA": 0.72, "BB": 0.7, "FDI": 0.75}  # middle of the electrodes, fraction of the length
MEASURED = {"vastus lateralis": "VL", "biceps femoris": "BF", "tibialis anterior": "TA"}
LEVELS = (0.1, 0.4, 0.9)


def signal(
    muscle: Muscle, place: float, excitation: float, *, slowing: float = 1.0, limb: bool = False
) -> np.ndarray:
    """Ten seconds of one bipolar channel; ``slowing`` divides the velocity."""
    fibres = muscle.fibres.change(velocity_m_s=muscle.fibres.velocity_m_s / slowing)
    state = replace(muscle, fibres=fibres)
    conductor = (
        CylindricalConductor.of(muscle.geometry) if limb else PlanarConductor.of(muscle.geometry)
    )
    pair = SurfaceElectrodes.bipolar(center_z_mm=place * muscle.geometry.fibre_length_mm)
    muaps = muap_library(state, pair, conductor, fs_hz=FS_HZ, options=LibraryOptions(jobs=2))
    drive = Drive(np.full((1, 1000), excitation), fs_hz=100.0)
    return synthesise(discharges(muscle.pool, drive, seed=1), muaps)[0]


def describe(samples: np.ndarray, fs_hz: float = FS_HZ) -> dict[str, float]:
    frequency, power = welch(samples, fs_hz, nperseg=round(fs_hz))
    inside = (frequency >= 20) & (frequency <= 450)
    return {
        "rms_uv": float(samples.std()),
        "median_hz": float(frequency[np.searchsorted(np.cumsum(power), power.sum() / 2)]),
        "mean_hz": float((frequency * power).sum() / power.sum()),
        "share_20_450_hz": float(power[inside].sum() / power.sum()),
    }


def rows() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, place in PLACES.items():
        anatomy = MUSCLES[name]
        # A quarter of the fibres is enough for a spectrum; amplitudes are those of so many.
        muscle = Muscle.healthy(
            name,
            replace(anatomy.pool, n_fibres=max(anatomy.pool.n_fibres // 4, 4000)),
            anatomy.geometry,
            seed=1,
        )
        for level in LEVELS:
            found[f"{name}, excitation {level:g}"] = describe(signal(muscle, place, level))
        found[f"{name}, 0.4, velocity x 0.8"] = describe(signal(muscle, place, 0.4, slowing=1.25))
        fat = replace(muscle, geometry=replace(muscle.geometry, fat_mm=muscle.geometry.fat_mm + 5))
        found[f"{name}, 0.4, 5 mm more fat"] = describe(signal(fat, place, 0.4))
        if name != "FDI":
            found[f"{name}, 0.4, cylinder"] = describe(signal(muscle, place, 0.4, limb=True))
    return found


def measured() -> dict[str, dict[str, object]]:
    """Spectra of people's muscles: means of people's means, with their standard deviation."""
    people: dict[str, dict[str, list[dict[str, float]]]] = {}
    for recording in load("elderly-emg-force").recordings:
        muscle = MEASURED.get(recording.events[0].label)
        if muscle is None:
            continue
        force = recording.select(names=["force"]).samples[0]
        active = force > 0.5 * force.max()
        if active.sum() < 2 * recording.fs_hz:
            continue
        x = recording.select(names=[muscle]).samples[0][active].astype(float)
        told = describe(x - x.mean(), recording.fs_hz)
        people.setdefault(muscle, {}).setdefault(recording.subject.pseudonym, []).append(told)
    found: dict[str, dict[str, object]] = {}
    for muscle, taken in people.items():
        found[muscle] = {"people": len(taken)}
        for name in ("median_hz", "mean_hz", "share_20_450_hz"):
            means = [np.mean([told[name] for told in one]) for one in taken.values()]
            found[muscle][name] = [float(np.mean(means)), float(np.std(means, ddof=1))]
    return found


def render(folder: Path) -> None:
    from matplotlib.figure import Figure

    anatomy = MUSCLES["BB"]
    muscle = Muscle.healthy(
        "BB", replace(anatomy.pool, n_units=100, n_fibres=20_000), anatomy.geometry, seed=1
    )
    grid = SurfaceElectrodes.grid(13, 5, spacing_mm=8.0, center_z_mm=65.0)
    muaps = muap_library(muscle, grid, PlanarConductor.of(muscle.geometry), fs_hz=FS_HZ)
    unit = int(np.argmax(np.ptp(muaps.values, axis=2).max(axis=1)))
    image = muaps.values[unit].reshape(13, 5, -1)
    along = -np.diff(image, axis=0)
    figure = Figure(figsize=(13, 6), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    time_ms = (np.arange(image.shape[2]) - muaps.onset_sample) / FS_HZ * 1000
    for axes, rows_of, title in (
        (left, image, "monopolar"),
        (middle, along, "differences along the fibres"),
    ):
        scale = 0.8 / np.ptp(rows_of[:, 2], axis=1).max()
        for k, wave in enumerate(rows_of[:, 2]):
            axes.plot(time_ms, k + scale * wave, color="C0", linewidth=0.9)
        axes.set(
            title=f"one unit, middle column, {title}", xlabel="ms", ylabel="row", xlim=(-3, 40)
        )
    for fat_mm in (1.0, 4.0, 10.0):
        shape = replace(muscle.geometry, fat_mm=fat_mm)
        samples = signal(replace(muscle, geometry=shape), PLACES["BB"], 0.4)
        frequency, power = welch(samples, FS_HZ, nperseg=1024)
        right.semilogy(frequency, power, label=f"{fat_mm:g} mm of fat")
    right.set(
        title="spectrum, bipolar", xlabel="Hz", ylabel="µV²/Hz", xlim=(0, 600), ylim=(1e-6, None)
    )
    right.legend()
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "twin_surface.png", dpi=80)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--measured", action="store_true", help="only the measured people")
    options = parser.parse_args()
    before = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    found = before["rows"] if options.measured else rows()
    print(f"{'':30s}{'RMS uV':>9s}{'median Hz':>11s}{'mean Hz':>9s}{'20-450 Hz':>11s}")
    for name, row in found.items():
        print(
            f"{name:30s}{row['rms_uv']:9.1f}{row['median_hz']:11.0f}{row['mean_hz']:9.0f}{row['share_20_450_hz']:11.3f}"
        )
    people = measured() if os.environ.get("MYOGRAPH_MIRROR") else before.get("measured", {})
    for name, row in people.items():
        print(f"measured {name}, {row['people']} people: median {row['median_hz'][0]:.1f} Hz, "
              f"mean {row['mean_hz'][0]:.1f} Hz, {row['share_20_450_hz'][0]:.3f}")  # fmt: skip
    if options.pictures:
        render(options.pictures)
    RESULTS.parent.mkdir(exist_ok=True)
    report = {"rows": found, "measured": people}
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
