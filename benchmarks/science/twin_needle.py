"""The twin's motor-unit potentials at a concentric needle beside measured people.

Engineering verification: it says how close the simulator is to measurements, and nothing about any
patient. Simulated people are examined as in a clinic: random insertions into the tibialis anterior,
a low contraction, a few units at each site, taken when they are near enough to be sharp; twenty
potentials a person, measured by one set of rules, 10 Hz to 10 kHz. The biceps recordings of N2001,
marked by experts, are averaged and measured by the same functions, whether sharp or not.

The simulated row is tuned to the measured one, not predicted: needle gain, depth, shaft, fibre
diameter, density and the lowest slope were chosen while looking at every measure. An independent
check needs another muscle with these settings frozen.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_needle.py [--people 20]
        [--pictures FOLDER] [--state NAME=MODULE:FUNCTION ...]

A state is a function (muscle, seed) -> muscle, for example of a disease. Without a mirror the
measured recordings are left out, and it says so. Writes benchmarks/results/twin_needle.json.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfilt, sosfiltfilt

from myograph.core.errors import DataError
from myograph.motorunits.waveform import MuapMeasures, MuapRules, measure_muap
from myograph.twin.anatomy import MUSCLES
from myograph.twin.muscle import Muscle
from myograph.twin.needle import NEEDLES, Needle, NeedleLibrary, needle_library
from myograph.twin.seeds import stream

RESULTS = Path(__file__).parents[1] / "results" / "twin_needle.json"
FS_HZ = 23_437.5  # that of N2001
RULES = MuapRules()
PER_PERSON, PER_SITE = 20, 4
LOW_CONTRACTION = 0.15  # excitation: units with a lower threshold are seen
# What a clinician takes: near the fibres, and not lost in the others.
NEAREST_MM, LEAST_SLOPE, LEAST_UV = 0.5, 300.0, 50.0
REACH_MM = 8.0
MEASURES = (
    "amplitude_uv", "duration_ms", "area_uv_ms", "thickness_ms", "size_index", "phases", "turns",
)  # fmt: skip

# Means and standard deviations over healthy people: control table of a study of the tibialis
# anterior (reference/motor-units-and-twin, 4.5; its thickness is mean area over mean amplitude).
MEASURED = {
    "amplitude_uv": (661.5, 92.0),
    "duration_ms": (9.35, 0.93),
    "area_uv_ms": (851.5, 158.7),
    "thickness_ms": (1.29, None),
    "phases": (3.47, 0.36),
    "turns": (3.35, 0.52),
}

State = Callable[[Muscle, int], Muscle]


def normal(muscle: Muscle, seed: int) -> Muscle:
    return muscle


@dataclass(frozen=True)
class Taken:
    person: int
    potential: np.ndarray
    measures: MuapMeasures


def examine(state: State, *, seed: int, name: str = "TA") -> list[Taken]:
    """Twenty accepted potentials of one simulated person."""
    anatomy = MUSCLES[name]
    muscle = state(Muscle.healthy(name, anatomy.pool, anatomy.geometry, seed=seed), seed)
    rng = stream(seed, "examination")
    active = muscle.keep_units(muscle.pool.alive & (muscle.pool.threshold < LOW_CONTRACTION))
    taken: list[Taken] = []
    for _ in range(60):
        library = _insert(active, rng)
        taken += _acceptable(library, seed)
        if len(taken) >= PER_PERSON:
            break
    return taken[:PER_PERSON]


def _insert(muscle: Muscle, rng: np.random.Generator) -> NeedleLibrary:
    shape = muscle.geometry
    side = rng.choice([-1.0, 1.0])
    # Between the endplates and the tendons, 6 to 10 mm under the skin.
    z = shape.zones_mm[0] + side * rng.uniform(0.2, 0.4) * shape.fibre_length_mm
    y = shape.skin_y_mm - rng.uniform(6.0, 10.0)
    x = rng.uniform(-0.25, 0.25) * shape.width_mm
    needle = Needle(
        x_mm=x, y_mm=y, z_mm=z, facing=int(rng.choice([-1, 1])), shaft_mm=shape.skin_y_mm - y
    )
    near = np.hypot(muscle.fibres.x_mm - x, muscle.fibres.y_mm - y) < REACH_MM
    return needle_library(
        replace(muscle, fibres=muscle.fibres.keep(near)), needle, fs_hz=FS_HZ, near_uv=20.0
    )


def _acceptable(library: NeedleLibrary, person: int) -> Iterator[Taken]:
    nearest = np.full(library.n_units, np.inf)
    np.minimum.at(nearest, library.unit, library.distance_mm)
    muaps, count = library.muaps, 0
    for unit in np.argsort(nearest):
        if nearest[unit] > NEAREST_MM or count == PER_SITE:
            return
        found = record(muaps[unit])
        try:
            measures = measure_muap(found, fs_hz=FS_HZ, rules=RULES)
        except DataError:
            continue
        if measures.slope_uv_per_ms >= LEAST_SLOPE and measures.amplitude_uv >= LEAST_UV:
            count += 1
            yield Taken(person, found, measures)


def record(potential: np.ndarray) -> np.ndarray:
    """What an amplifier of 10 Hz to 10 kHz shows, with silence around."""
    padded = np.pad(potential.astype(float), (round(0.015 * FS_HZ), round(0.02 * FS_HZ)))
    return sosfilt(butter(1, (10.0, 10_000.0), "bandpass", fs=FS_HZ, output="sos"), padded)


def summary(taken: list[Taken]) -> dict[str, object]:
    """Means over people of people's means, with their standard deviation over people."""
    people = sorted({item.person for item in taken})
    found: dict[str, object] = {"people": len(people), "potentials": len(taken)}
    for name in MEASURES:
        means = [
            np.mean([getattr(t.measures, name) for t in taken if t.person == p]) for p in people
        ]
        spread = float(np.std(means, ddof=1)) if len(people) > 1 else None
        found[name] = {"mean": float(np.mean(means)), "sd": spread}
    counts = np.array([t.measures.phases for t in taken])
    found["share with at most 4 phases"] = float((counts <= 4).mean())
    single = np.array([t.measures.amplitude_uv for t in taken])
    found["amplitude_uv, 5th to 95th percentile of potentials"] = np.percentile(
        single, [5, 95]
    ).tolist()
    return found


def measured_recordings(mirror: Path) -> dict[str, list[Taken]]:
    """Averages of the expert-marked discharges of N2001, at least 20 each."""
    found: dict[str, list[Taken]] = {}
    with tarfile.open(mirror / "needle-n2001.tar.xz") as archive:
        files = {
            Path(m.name).parent.name + "/" + Path(m.name).name: m for m in archive if m.isfile()
        }
        for name in sorted({key.split("/")[0] for key in files}):
            content = {
                part: archive.extractfile(files[f"{name}/data.{part}"]).read()
                for part in ("npy", "eaf")
            }
            samples = np.load(io.BytesIO(content["npy"]), allow_pickle=False).astype(float).ravel()
            marks = re.findall(rb"^(\d+\.\d+) (\d+) \d+$", content["eaf"], re.MULTILINE)
            # Recorded negative up: turned, so that negative is down as everywhere here.
            found[name] = list(_averages(-samples, np.array(marks, float)))
    return found


def _averages(samples: np.ndarray, marks: np.ndarray) -> Iterator[Taken]:
    band = butter(1, 10.0, "highpass", fs=FS_HZ, output="sos")
    filtered = sosfiltfilt(band, samples)
    before, after, slack = round(0.015 * FS_HZ), round(0.025 * FS_HZ), 40
    for unit in np.unique(marks[:, 1]):
        places = np.round(marks[marks[:, 1] == unit, 0] * FS_HZ).astype(int)
        places = places[(places > before + slack) & (places + after + slack < len(filtered))]
        if len(places) < 20:
            continue
        pieces = np.stack([filtered[i - before - slack : i + after + slack] for i in places])
        average = np.median(pieces[:, slack:-slack], axis=0)
        for _ in range(3):  # the marks are to the sample of the expert's template: align again
            shifts = [int(np.argmax(np.correlate(p, average, "valid"))) for p in pieces]
            average = np.median(
                [p[s : s + before + after] for p, s in zip(pieces, shifts, strict=True)], axis=0
            )
        average = average - np.median(np.r_[average[:100], average[-100:]])
        yield Taken(0, average, measure_muap(average, fs_hz=FS_HZ, rules=RULES))


def render(states: dict[str, list[Taken]], folder: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 2.2 * len(states)), layout="constrained")
    grid = figure.subplots(len(states), 6, squeeze=False)
    for row, (name, taken) in zip(grid, states.items(), strict=True):
        for axes, item in zip(row, taken[:: max(len(taken) // 6, 1)], strict=False):
            time_ms = np.arange(len(item.potential)) / FS_HZ * 1000
            m = item.measures
            axes.axvspan(m.onset_ms, m.onset_ms + m.duration_ms, alpha=0.15)
            axes.plot(time_ms, -item.potential, linewidth=0.9)
            axes.set_title(f"{m.amplitude_uv:.0f} µV, {m.duration_ms:.1f} ms", fontsize=8)
            axes.set_xlim(m.onset_ms - 5, m.onset_ms + m.duration_ms + 8)
        row[0].set_ylabel(f"{name}\nµV, negative up", fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "twin_needle.png", dpi=80)


def table(states: dict[str, dict[str, object]]) -> str:
    lines = [
        f"{'':28s}" + "".join(f"{name[:14]:>15s}" for name in MEASURES) + f"{'<= 4 phases':>13s}"
    ]
    measured = [MEASURED.get(name) for name in MEASURES]
    lines.append(
        f"{'measured, TA controls':28s}"
        + "".join(_cell(*m) if m else f"{'-':>15s}" for m in measured)
    )
    for name, found in states.items():
        cells = "".join(_cell(found[m]["mean"], found[m]["sd"]) for m in MEASURES)
        lines.append(f"{name[:28]:28s}{cells}{found['share with at most 4 phases']:13.2f}")
    return "\n".join(lines)


def _cell(mean: float, sd: float | None) -> str:
    digits = 0 if mean > 100 else 2
    spread = "" if sd is None else f" ± {sd:.{digits}f}"
    return f"{f'{mean:.{digits}f}{spread}':>15s}"


def _states(given: list[str]) -> dict[str, State]:
    states: dict[str, State] = {"normal": normal}
    for text in given:
        name, place = text.split("=", 1)
        module, function = place.split(":", 1)
        states[name] = getattr(import_module(module), function)
    return states


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--state", action="append", default=[], metavar="NAME=MODULE:FUNCTION")
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    found = {
        f"simulated TA, {name}": [t for p in range(options.people) for t in examine(state, seed=p)]
        for name, state in _states(options.state).items()
    }
    mirror = os.environ.get("MYOGRAPH_MIRROR")
    if mirror:
        for name, taken in measured_recordings(Path(mirror)).items():
            found[f"measured BB, {name}"] = taken
    else:
        print("MYOGRAPH_MIRROR is not set: the measured recordings are left out.")
    summaries = {name: summary(taken) for name, taken in found.items() if taken}
    print(table(summaries))
    if options.pictures:
        render(found, options.pictures)
    RESULTS.parent.mkdir(exist_ok=True)
    report = {
        "rules": asdict(RULES),
        "needle": asdict(NEEDLES["concentric"]),
        "measured TA controls": MEASURED,
        "rows": summaries,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
