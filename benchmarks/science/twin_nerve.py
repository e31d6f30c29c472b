"""The twin's nerves and junctions beside measured people.

Engineering verification: it says how close the simulator is to measurements, and nothing about any
patient. Rows marked "fitted" were used to choose parameters (one gain for each muscle, velocities,
terminal times, the rise of the end-plate potential); the others were not.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_nerve.py [--people 40] [--pictures FOLDER]

Reads cmap-scan in the mirror (without it, those rows are left out and it says so). Writes
benchmarks/results/twin_nerve.json and prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from myograph.datasets.load import load
from myograph.twin.cmap import STUDY_MUSCLES, cmap, measure_cmap, motor_units
from myograph.twin.jitter import mcd_us, stimulated_jitter, voluntary_jitter
from myograph.twin.junction import lambert_eaton, myasthenia
from myograph.twin.late import f_waves, h_reflex
from myograph.twin.muap import MuapLibrary
from myograph.twin.munix import interference_epochs, munix
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Q10_DURATION, Nerve
from myograph.twin.neuropathy import carpal_tunnel
from myograph.twin.pathology import als, sma
from myograph.twin.reinnervation import lose_units
from myograph.twin.repetitive import (
    Effort,
    decrement,
    increment,
    repetitive_stimulation,
    unit_output,
)
from myograph.twin.scan import Scan, cmap_scan
from myograph.twin.seeds import stream
from myograph.twin.snap import measure_snap, snap
from myograph.twin.transmission import equipped

RESULTS = Path(__file__).parents[1] / "results" / "twin_nerve.json"
FS_HZ = 20000.0

# nerve, muscle, distal and proximal site; means and standard deviations of buschbacher1999 (DML ms,
# amplitude mV, velocity m/s), the 97th centile of the fall of the amplitude in percent, and F-min.
MOTOR = {
    "median": ("APB", "wrist", "elbow", (3.7, 0.5), (10.2, 3.6), (57, 5), 24, (24.8, 3.2)),
    "ulnar": ("ADM", "wrist", "below elbow", (3.0, 0.3), (11.6, 2.1), (61, 5), 35, (26.5, 2.1)),
    "peroneal": ("EDB", "ankle", "fibular head", (4.8, 0.8), (5.9, 2.5), (47, 4), 25, None),
    "tibial": ("AH", "ankle", "knee", (4.5, 0.8), (12.9, 4.5), (47, 6), None, (47.0, 4.1)),
}
PERSISTENCE = {"ulnar": (0.83, 0.19), "tibial": (0.97, 0.05)}
F_LIMIT_MS = {"median": 31.6, "ulnar": 31.5, "peroneal": 61.2, "tibial": 61.4}
# nerve: distal site, onset ms, peak ms, amplitude uV (mean and standard deviation).
SENSORY = {
    "median": ("wrist", (2.6, 0.25), (3.4, 0.3), (37, 19)),
    "ulnar": ("wrist", (2.6, 0.25), (3.4, 0.3), (33, 17)),
    "sural": ("calf", (3.1, 0.25), (3.8, 0.3), (17, 10)),
}
MUNIX_NORMS = {"APB": (191, 44, 60), "ADM": (179, 39, 59)}  # cao2020: index, spread, size in uV
TABLE = "buschbacher1999"
MUNIX_PEOPLE = 6


@dataclass(frozen=True)
class Row:
    table: str
    what: str
    unit: str
    ours: float | str
    reference: float | str
    source: str
    spread: float | str = ""
    fitted: bool = False


@dataclass(frozen=True)
class Body:
    """One simulated person's nerve and muscle."""

    nerve: Nerve
    muscle: Muscle
    library: MuapLibrary


def person(nerve: str, name: str, seed: int, *, height: float, age: float) -> Body:
    """Draw a healthy adult: size of the muscle, number of its units and fat over it vary."""
    anatomy, rng = STUDY_MUSCLES[name], stream(seed, "body", name)
    size, units, fat = np.exp(rng.normal(0, [0.12, 0.15, 0.3]))
    older = 1 - 0.006 * max(age - 50, 0)
    pool = replace(
        anatomy.pool,
        n_units=max(round(anatomy.pool.n_units * units * older), 10),
        n_fibres=round(anatomy.pool.n_fibres * size**2 * older),
    )
    shape = anatomy.geometry
    geometry = replace(
        shape,
        width_mm=shape.width_mm * size,
        thickness_mm=shape.thickness_mm * size,
        fat_mm=shape.fat_mm * fat,
    )
    muscle = Muscle.healthy(name, pool, geometry, seed=seed)
    own = Nerve.healthy(nerve, n_motor=pool.n_units, seed=seed, height_cm=height, age_years=age)
    return Body(own, muscle, motor_units(muscle, name, fs_hz=FS_HZ))


def people(nerve: str, name: str, count: int) -> Iterator[Body]:
    for seed in range(count):
        rng = stream(seed, "person")
        height, age = float(rng.normal(170, 9)), float(rng.uniform(20, 75))
        yield person(nerve, name, seed, height=np.clip(height, 150, 195), age=age)


def row_of(table: str, what: str, unit: str, values: list[float], norm, **more) -> Row:
    found = np.asarray(values, float)
    found = found[np.isfinite(found)]
    mean, spread = norm
    return Row(
        table, what, unit, round(float(found.mean()), 2), f"{mean} ± {spread}", TABLE,
        spread=round(float(found.std(ddof=1)), 2), **more,
    )  # fmt: skip


def motor_rows(count: int) -> Iterator[Row]:
    for nerve, (muscle, distal, proximal, dml, amplitude, velocity, fall, late) in MOTOR.items():
        found: dict[str, list[float]] = {}
        for seed, body in enumerate(people(nerve, muscle, count)):
            near, far = (
                measure_cmap(cmap(body.nerve, body.library, site=s)) for s in (distal, proximal)
            )
            gap = body.nerve.distance_mm(proximal) - body.nerve.distance_mm(distal)
            waves = f_waves(body.nerve, body.library, site=distal, n_stimuli=20, seed=seed)
            values = {
                "dml": near.onset_ms,
                "amplitude": near.amplitude_mv,
                "velocity": gap / (far.onset_ms - near.onset_ms),
                "fall": 100 * (1 - far.amplitude_mv / near.amplitude_mv),
                "duration": near.duration_ms,
                "f": waves.minimum_ms,
                "persistence": waves.persistence,
            }
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        yield row_of("motor", f"{nerve} distal latency", "ms", found["dml"], dml, fitted=True)
        yield row_of("motor", f"{nerve} CMAP", "mV", found["amplitude"], amplitude, fitted=True)
        yield row_of("motor", f"{nerve} velocity", "m/s", found["velocity"], velocity, fitted=True)
        if fall:
            worst = round(float(np.quantile(found["fall"], 0.97)), 1)
            yield Row("motor", f"{nerve} fall, 97th centile", "%", worst, f"≤ {fall}", TABLE)
        mean = round(float(np.mean(found["duration"])), 2)
        limit = "below 6.6 to 8.8 (limits)"
        yield Row("motor", f"{nerve} negative phase", "ms", mean, limit, "EFNS/PNS")
        if late:
            yield row_of("late", f"{nerve} F-min", "ms", found["f"], late, fitted=True)
        highest = round(float(np.nanquantile(found["f"], 0.97)), 1)
        yield Row(
            "late", f"{nerve} F-min, 97th centile", "ms", highest, f"≤ {F_LIMIT_MS[nerve]}", TABLE
        )
        if nerve in PERSISTENCE:
            yield row_of(
                "late", f"{nerve} F persistence", "", found["persistence"], PERSISTENCE[nerve],
                fitted=True,
            )  # fmt: skip


def sensory_rows(count: int) -> Iterator[Row]:
    for name, (site, onset, peak, amplitude) in SENSORY.items():
        found = []
        for seed in range(count):
            rng = stream(seed, "person")
            height, age = float(np.clip(rng.normal(170, 9), 150, 195)), float(rng.uniform(20, 75))
            nerve = Nerve.healthy(name, n_motor=0, seed=seed, height_cm=height, age_years=age)
            found.append(measure_snap(snap(nerve, site=site, fs_hz=FS_HZ)))
        yield row_of(
            "sensory", f"{name} onset", "ms", [m.onset_ms for m in found], onset, fitted=True
        )
        yield row_of("sensory", f"{name} peak", "ms", [m.peak_ms for m in found], peak)
        yield row_of(
            "sensory", f"{name} SNAP", "uV", [m.amplitude_uv for m in found], amplitude, fitted=True
        )


def reflex_rows(count: int) -> Iterator[Row]:
    anatomy = STUDY_MUSCLES["SOL"]
    pool = replace(anatomy.pool, n_fibres=60_000)
    muscle = Muscle.healthy("SOL", pool, anatomy.geometry, seed=1)
    library = motor_units(muscle, fs_hz=10_000.0)
    latency, ratio = [], []
    for seed in range(count):
        height = float(np.clip(stream(seed, "person").normal(170, 9), 150, 195))
        nerve = Nerve.healthy("tibial-soleus", n_motor=pool.n_units, seed=seed, height_cm=height)
        study = h_reflex(nerve, library, np.linspace(3, 20, 35), site="knee", seed=seed)
        latency.append(study.latency_ms)
        ratio.append(study.ratio)
    yield row_of("late", "soleus H latency", "ms", latency, (30.3, 2.4), fitted=True)
    yield Row("late", "soleus H/M", "", round(float(np.mean(ratio)), 2), "about 0.5", "recalled")


def junction_rows() -> Iterator[Row]:
    anatomy = STUDY_MUSCLES["ADM"]
    muscle = equipped(Muscle.healthy("ADM", anatomy.pool, anatomy.geometry, seed=1), seed=1)
    pairs, single = (
        voluntary_jitter(muscle, n=300, seed=1),
        stimulated_jitter(muscle, n=300, seed=1),
    )
    mean = round(float(pairs.mcd_us.mean()), 1)
    yield Row(
        "junction",
        "voluntary pair MCD, mean",
        "us",
        mean,
        "15 to 35; 19.9 ± 2.9",
        "10.1002/mus.23710",
        fitted=True,
    )
    high = round(float(np.quantile(pairs.mcd_us, 0.95)), 1)
    yield Row(
        "junction",
        "voluntary pair MCD, 95th centile",
        "us",
        high,
        "38 to 45 (limits)",
        "stalberg2016",
    )
    ratio = round(float(single.mcd_us.mean() / pairs.mcd_us.mean()), 2)
    yield Row(
        "junction",
        "stimulated over voluntary MCD",
        "",
        ratio,
        "0.71 (theory), 0.74 to 0.87",
        "stalberg2016",
    )
    noise = stream(1, "law").normal(0, 0.0125, (5000, 50))
    law = round(float(mcd_us(noise).mean() / 12.5), 4)
    yield Row(
        "junction",
        "MCD over sigma, independent intervals",
        "",
        law,
        round(2 / np.sqrt(np.pi), 4),
        "ekstedt1974",
    )
    nerve = Nerve.healthy("ulnar", n_motor=muscle.pool.n_units, seed=1, variation=0.0)
    library = motor_units(muscle, fs_hz=10_000.0)
    states: dict[str, tuple[Callable[[], Muscle], str, str]] = {
        "healthy": (lambda: muscle, "< 5", "aaem2001"),
        "myasthenia 0.7": (lambda: myasthenia(muscle, 0.7, seed=1), "≥ 10 in disease", "aaem2001"),
        "myasthenia 0.9": (lambda: myasthenia(muscle, 0.9, seed=1), "≥ 10 in disease", "aaem2001"),
        "SMA 0.7": (lambda: sma(muscle, 0.7, months=120, seed=1), "12 to 17", "bmjno-2021-000164"),
        "ALS 0.6, 12 months": (lambda: als(muscle, 0.6, months=12, seed=1), "0 to 15", "recalled"),
    }
    times = np.arange(6) / 3
    for name, (state, reference, source) in states.items():
        sick = state()
        units = (
            library
            if name in ("healthy",) or "myasthenia" in name
            else motor_units(sick, fs_hz=10_000.0)
        )
        found = repetitive_stimulation(sick, nerve, units, site="wrist", times_s=times, seed=1)
        yield Row(
            "junction",
            f"decrement at 3 Hz, {name}",
            "%",
            round(decrement(found), 1),
            reference,
            source,
        )
    for severity in (0.0, 0.8, 0.95):
        sick = lambert_eaton(muscle, severity, seed=1)
        rest, tired = (
            cmap(
                nerve, library, site="wrist", output=unit_output(sick, [0.0], seed=1, effort=effort)
            ).amplitudes_mv[0]
            for effort in (None, Effort())
        )
        rise = round(increment(rest, tired), 0)
        reference = "< 5" if severity == 0 else "> 60 to 100"
        yield Row(
            "junction",
            f"increment after 10 s effort, LEMS {severity}",
            "%",
            rise,
            reference,
            "lipka2020",
        )
        yield Row(
            "junction",
            f"CMAP at rest, LEMS {severity}",
            "mV",
            round(float(rest), 1),
            "low",
            "lipka2020",
        )


def bland(sensory: float, dml: float, amplitude: float, difference: float) -> int:
    """Grade by the rule of bland2000; 6.5 ms itself counts as below."""
    if amplitude < 0.2 and sensory == 0:
        return 6
    if dml > 6.5:
        return 5
    if sensory == 0:
        return 4
    if dml > 4.5:
        return 3
    if 140 / difference < 45:
        return 2
    return 1 if 140 / difference < 50 else 0


def tunnel_rows(count: int) -> Iterator[Row]:
    severities = np.linspace(0, 1, 21)
    grades, lines = [], []
    for seed in range(count):
        body = person("median", "APB", seed, height=170, age=50)
        line = []
        for severity in severities:
            nerve = carpal_tunnel(body.nerve, float(severity), months=60, seed=seed)
            motor = measure_cmap(cmap(nerve, body.library, site="wrist"))
            sensory = measure_snap(snap(nerve, site="wrist", fs_hz=FS_HZ))
            grade = bland(
                sensory.amplitude_uv, motor.onset_ms, motor.amplitude_mv, sensory.onset_ms
            )
            line.append(grade)
            grades.append((severity, grade))
        lines.append(line)
    steps = np.diff(lines, axis=1)
    rho = spearmanr(*zip(*grades, strict=True)).statistic
    yield Row(
        "carpal tunnel",
        "Spearman of Bland grade with severity",
        "",
        round(float(rho), 3),
        "1",
        "bland2000",
    )
    yield Row(
        "carpal tunnel",
        "steps that fall back to a lower grade",
        "%",
        round(100 * float((steps < 0).mean()), 2),
        0.0,
        "bland2000",
    )
    seen = Counter(grade for _, grade in grades)
    shares = ", ".join(f"{g}: {seen.get(g, 0) / len(grades):.0%}" for g in range(7))
    yield Row(
        "carpal tunnel",
        "share of each grade over severities 0 to 1",
        "",
        shares,
        "all seven occur",
        "bland2000",
    )


def munix_rows() -> Iterator[Row]:
    forces = np.linspace(0.02, 1, 20)
    for name, nerve_name in (("APB", "median"), ("ADM", "ulnar")):
        index, size, true = [], [], []
        for seed in range(MUNIX_PEOPLE):
            body = person(nerve_name, name, seed, height=170, age=40)
            for lost in (0.0, 0.3, 0.5, 0.7, 0.85):
                muscle = lose_units(body.muscle, lost, months=18, seed=seed, bias=0.5)
                library = motor_units(muscle, name, fs_hz=5000.0)
                response = cmap(body.nerve, library, site="wrist")
                found = munix(response, interference_epochs(muscle, library, forces, seed=seed))
                index.append(found.munix)
                size.append(found.musix_uv)
                true.append(muscle.pool.n_alive)
        ok = np.isfinite(index)
        rho = spearmanr(np.asarray(index)[ok], np.asarray(true)[ok]).statistic
        healthy = np.asarray(index)[::5]
        norm, spread, musix = MUNIX_NORMS[name]
        yield Row(
            "munix",
            f"{name} healthy",
            "",
            round(float(np.nanmean(healthy)), 0),
            f"{norm} ± {spread}",
            "cao2020",
            round(float(np.nanstd(healthy)), 0),
        )
        yield Row(
            "munix",
            f"{name} healthy MUSIX",
            "uV",
            round(float(np.nanmean(size[::5])), 0),
            musix,
            "cao2020",
        )
        yield Row(
            "munix",
            f"{name} Spearman of MUNIX with the true number",
            "",
            round(float(rho), 3),
            "high",
            "truth",
        )
        alone = spearmanr(healthy, np.asarray(true)[::5]).statistic
        yield Row(
            "munix",
            f"{name} the same within healthy people",
            "",
            round(float(alone), 2),
            "low: follows the CMAP",
            "bostock2019",
        )
        kept = np.nanmean(np.asarray(index).reshape(MUNIX_PEOPLE, 5) / healthy[:, None], axis=0)
        grown = np.nanmean(
            np.asarray(size).reshape(MUNIX_PEOPLE, 5) / np.asarray(size)[::5, None], axis=0
        )
        yield Row(
            "munix",
            f"{name} MUNIX left at 0, 30, 50, 70, 85 % loss",
            "",
            " ".join(f"{k:.2f}" for k in kept),
            "falls",
            "neuwirth2015",
        )
        yield Row(
            "munix",
            f"{name} MUSIX relative there",
            "",
            " ".join(f"{k:.2f}" for k in grown),
            "rises",
            "neuwirth2015",
        )


def measured_scans(folder: Path) -> dict[str, list[Scan]]:
    tables = load("cmap-scan", mirror=folder).tables
    scans, visits = tables["scans"], tables["visits"]
    found: dict[str, list[Scan]] = {}
    for scan, muscle, last in zip(
        visits["scan"], visits["muscle"], visits["post_first"], strict=True
    ):
        # What comes after the scan proper repeats the weakest stimulus.
        mine = (scans["scan"] == scan) & (scans["point"] < last)
        points = Scan(scans["stimulus_ma"][mine], scans["amplitude_mv"][mine])
        found.setdefault(str(muscle), []).append(points)
    return found


def scan_rows(count: int, measured: dict[str, list[Scan]] | None) -> Iterator[Row]:
    for nerve, muscle, site in (
        ("median", "APB", "wrist"),
        ("ulnar", "ADM", "wrist"),
        ("peroneal", "TA", "fibular head"),
    ):
        scans = []
        for seed in range(count):
            body = person(nerve, muscle, seed, height=170, age=45)
            scans.append(cmap_scan(body.nerve, body.library, site=site, seed=seed, noise_uv=20.0))
        theirs = (measured or {}).get(muscle, [])
        for what, unit, value in (
            ("largest response", "mV", lambda s: s.largest_mv),
            ("relative range of currents", "", lambda s: s.relative_range),
            ("D50, steps to half the response", "", lambda s: s.d50),
        ):
            ours, other = [value(s) for s in scans], [value(s) for s in theirs]
            reference = (
                f"{np.mean(other):.2f} ± {np.std(other, ddof=1):.2f}" if other else "no mirror"
            )
            fitted = what.startswith("relative")
            yield Row(
                "scan",
                f"{muscle} {what}",
                unit,
                round(float(np.mean(ours)), 2),
                reference,
                "cmap-scan",
                round(float(np.std(ours, ddof=1)), 2),
                fitted,
            )


def temperature_rows() -> Iterator[Row]:
    body = person("median", "APB", 1, height=170, age=40)
    found = []
    for celsius in (33.0, 28.0, 23.0):
        cold = body.nerve.at_temperature(celsius)
        units = motor_units(
            body.muscle, "APB", fs_hz=FS_HZ, slowing=float(cold.slowing(Q10_DURATION))
        )
        near, far = (measure_cmap(cmap(cold, units, site=s)) for s in ("wrist", "elbow"))
        sensory = measure_snap(snap(cold, site="wrist", fs_hz=FS_HZ))
        found.append(
            (
                near.onset_ms,
                220 / (far.onset_ms - near.onset_ms),
                140 / sensory.onset_ms,
                near.amplitude_mv,
                sensory.amplitude_uv,
            )
        )
    warm, cool, cold = map(np.array, found)
    yield Row(
        "temperature",
        "distal latency per degree of cooling, 33 to 28 C",
        "ms/C",
        round((cool - warm)[0] / 5, 3),
        "about 0.2",
        "todnem1989",
    )
    yield Row(
        "temperature",
        "forearm motor velocity per degree",
        "m/s/C",
        round((warm - cool)[1] / 5, 2),
        "0.1 to 1.8",
        "Wu 1993",
    )
    yield Row(
        "temperature",
        "hand sensory velocity per degree",
        "m/s/C",
        round((warm - cool)[2] / 5, 2),
        "0.8 to 2.0",
        "Wu 1993",
    )
    yield Row(
        "temperature",
        "the same, 28 to 23 C (the relation is curved)",
        "m/s/C",
        round((cool - cold)[2] / 5, 2),
        "less",
        "todnem1989",
    )
    yield Row(
        "temperature",
        "CMAP and SNAP at 28 C over 33 C",
        "",
        f"{cool[3] / warm[3]:.2f}, {cool[4] / warm[4]:.2f}",
        "above 1",
        "recalled",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=40)
    count = parser.parse_args().people
    folder = os.environ.get("MYOGRAPH_MIRROR", "")
    measured = measured_scans(Path(folder)) if folder else None
    if measured is None:
        print("MYOGRAPH_MIRROR is not set: measured scans are left out.")
    begin, rows = time.perf_counter(), []
    parts = (
        motor_rows(count), sensory_rows(200), reflex_rows(40), junction_rows(), temperature_rows(),
        tunnel_rows(10), scan_rows(10, measured), munix_rows(),
    )  # fmt: skip
    for part in parts:
        for row in part:
            rows.append(row)
            star = "*" if row.fitted else " "
            value = f"{row.ours!s:>10} {row.spread!s:>6} {row.unit:6}{star}"
            print(f"{row.table:14}{row.what:52}{value} {row.reference!s:28}{row.source}")
    report = {
        "what": "engineering verification of the simulator",
        "people": count,
        "seconds": round(time.perf_counter() - begin, 1),
        "rows": [asdict(row) for row in rows],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
