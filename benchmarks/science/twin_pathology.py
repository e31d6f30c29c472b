"""The twin's diseases at the needle and in the clinic, beside what is published about people.

Engineering verification: it says whether simulated diseases change what is measured in the
published direction and by about the published size, and nothing about any patient. No signal is
ever scaled: units die, fibres are adopted, waste, split or come back, and the needle sees what is
left. The examination is that of twin_needle.py beside this file: tibialis anterior, 20 potentials a
person.

    python benchmarks/science/twin_pathology.py [--people 6] [--states NAME ...]

With ``--states`` only these are examined, and the rows of the others, of as many people, kept as
the file has them ("healthy" among them, to which all are compared). Writes
benchmarks/results/twin_pathology.json and prints tables.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from myograph.twin.anatomy import MUSCLES
from myograph.twin.contraction import excitation_for_force
from myograph.twin.jitter import stimulated_jitter
from myograph.twin.junction import myasthenia
from myograph.twin.muscle import Muscle
from myograph.twin.needle import Needle
from myograph.twin.pathology import ageing, als, dmd, fshd, myositis, nerve_injury, polio, sma
from myograph.twin.resting_rhythm import RHYTHMS
from myograph.twin.seeds import stream
from myograph.twin.spontaneous import SPONTANEOUS, denervation_activity
from myograph.twin.transmission import equipped

sys.path.insert(0, str(Path(__file__).parent))
import twin_needle

RESULTS = Path(__file__).parents[1] / "results" / "twin_pathology.json"

State = Callable[[Muscle, int], Muscle]
Rows = dict[str, dict[str, object]]
STATES: dict[str, State] = {
    "healthy": lambda muscle, seed: muscle,
    "age 71": lambda muscle, seed: ageing(muscle, 71, seed=seed),
    "ALS, 50 % lost, 12 months": lambda m, s: als(m, 0.5, months=12, seed=s),
    "ALS, 75 % lost, 24 months": lambda m, s: als(m, 0.75, months=24, seed=s),
    "SMA, 70 % lost, 10 years": lambda m, s: sma(m, 0.7, months=120, seed=s),
    "polio, 70 % lost, 30 years": lambda m, s: polio(m, 0.7, months=360, seed=s),
    "DMD, 0.7, 5 years": lambda m, s: dmd(m, 0.7, months=60, seed=s),
    "FSHD, 0.7, 8 years": lambda m, s: fshd(m, 0.7, months=96, seed=s),
    "myositis, 0.7, 12 months": lambda m, s: myositis(m, 0.7, months=12, seed=s),
}
# These are asked about their junctions only.
JUNCTIONS: dict[str, State] = {
    "ALS, 50 % lost, 4 months": lambda m, s: als(m, 0.5, months=4, seed=s),
    "nerve injury, 50 %, 3 months": lambda m, s: nerve_injury(m, 0.5, months=3, seed=s),
    "myasthenia 0.5": lambda m, s: myasthenia(m, 0.5, seed=s),
    "myasthenia 0.8": lambda m, s: myasthenia(m, 0.8, seed=s),
}
# What these states do to the mean potential of people: amplitude, duration and area over those of
# healthy people, and what follows for the size index. Of 11 people with motor neuron disease and 11
# with a myopathy beside 12 healthy ones, biceps (muap-table, pattichis1995; a range of people's
# means in brackets); directions otherwise.
_NEURON = "amplitude x2.2 (1.4 to 3.3), duration x1.40, area x1.6, size index +0.4 (pattichis1995)"
_FIBRES = "amplitude x0.66 (0.3 to 1.3), duration x0.75, area x0.8, size index -0.1 (pattichis1995)"
EXPECTED = {
    "ALS": _NEURON,
    "SMA": "as ALS",
    "polio": "as ALS, largest (to x5 and more)",
    "DMD": _FIBRES,
    "FSHD": "as DMD, less",
    "myositis": _FIBRES,
    "age": "amplitude, duration and turns rise with age",
}
MEASURES = (
    "amplitude_uv",
    "duration_ms",
    "area_uv_ms",
    "thickness_ms",
    "size_index",
    "phases",
    "turns",
)


def potentials(people: int, states: Sequence[str], before: Rows) -> Rows:
    """Examine each state in the same simulated people."""
    found = dict(before)
    for name in [name for name in STATES if name in states]:
        state = STATES[name]
        taken = [item for p in range(people) for item in twin_needle.examine(state, seed=p)]
        if taken:
            found[name] = twin_needle.summary(taken)
    base = found["healthy"]
    print(
        f"\n{'':28}"
        + "".join(f"{m[:13]:>14}" for m in MEASURES)
        + f"{'phases > 4':>12}{'taken':>7}"
    )
    for name, row in found.items():
        cells = ""
        for measure in MEASURES:
            value, normal = row[measure]["mean"], base[measure]["mean"]
            change = value - normal if measure == "size_index" else value / normal
            sign = f"{change:+.2f}" if measure == "size_index" else f"x{change:.2f}"
            row[measure]["against healthy"] = change
            cells += f"{f'{value:.4g} {sign}':>14}"
        polyphasic = 1 - row["share with at most 4 phases"]
        print(f"{name:28}{cells}{polyphasic:12.2f}{row['potentials']:7d}")
    return found


def recruitment(people: int, states: Sequence[str], before: Rows) -> Rows:
    """Solve the drive for a tenth of the healthy maximum: early or reduced recruitment follows."""
    anatomy, found = MUSCLES["TA"], dict(before)
    heads = ("strength", "units", "active", "excitation", "top rate", "force", "fibres")
    print(f"\n{'':28}" + "".join(f"{head:>12}" for head in heads))
    for name in [name for name in STATES if name in states]:
        state, rows = STATES[name], []
        for seed in range(people):
            healthy = Muscle.healthy("TA", anatomy.pool, anatomy.geometry, seed=seed)
            sick = state(healthy, seed)
            level, reached = excitation_for_force(sick.pool, 0.1 * healthy.mvc_n)
            rates = sick.pool.rates_hz([float(level)])[:, 0]
            active, counts = int((rates > 0).sum()), sick.fibre_counts[sick.pool.alive]
            rows.append((
                sick.mvc_n / healthy.mvc_n, sick.pool.n_alive, active, float(level), rates.max(),
                0.1 * healthy.mvc_n / active if reached else np.nan, counts.mean(),
            ))  # fmt: skip
        means = np.mean(rows, axis=0)
        found[name] = dict(zip(heads, map(float, means), strict=True))
        print(f"{name:28}" + "".join(f"{value:12.3g}" for value in means))
    return found


def junctions(people: int, chosen: Sequence[str], before: Rows) -> Rows:
    """Single-fibre jitter and blocking, and how many fibres of one unit lie together."""
    anatomy, found = MUSCLES["TA"], dict(before)
    states = {**STATES, **JUNCTIONS}
    print(f"\n{'':30}{'MCD us':>8}{'MCD > 40':>10}{'blocking':>10}{'immature':>10}{'density':>9}")
    for name, state in states.items():
        if name in before and name not in chosen:
            continue
        rows = []
        for seed in range(min(people, 3)):
            healthy = equipped(
                Muscle.healthy("TA", anatomy.pool, anatomy.geometry, seed=seed), seed=seed
            )
            sick = equipped(state(healthy, seed), seed=seed)
            study = stimulated_jitter(sick, n=200, seed=seed)
            young = sick.fibres.maturity[sick.fibres.innervated] < 0.5
            high = (study.mcd_us > 40) | (study.blocking > 0.1)
            rows.append((
                np.nanmean(study.mcd_us), high.mean(), study.blocking.mean(), young.mean(),
                fibre_density(sick, seed),
            ))  # fmt: skip
        means = np.mean(rows, axis=0)
        keys = ("MCD us", "share above 40 us or blocked", "blocking", "immature", "fibre density")
        found[name] = dict(zip(keys, map(float, means), strict=True))
        print(
            f"{name:30}{means[0]:8.1f}{means[1]:10.2f}{means[2]:10.3f}{means[3]:10.2f}{means[4]:9.2f}"
        )
    print("reference: fibre density 1.5 in health, 2 to 4 after reinnervation;")
    print("MCD of stimulated end-plates: limits of means 21 to 27, of single ones 28 to 36")
    return found


def fibre_density(muscle: Muscle, seed: int, *, uptake_mm: float = 0.3) -> float:
    """Fibres of one unit within the uptake of a single-fibre electrode beside one of them."""
    fibres = muscle.fibres.keep(muscle.fibres.innervated)
    rows = stream(seed, "density").choice(len(fibres), 400, replace=False)
    count = []
    for row in rows:
        # A half circle around an electrode that touches this fibre.
        dx, dy = fibres.x_mm - fibres.x_mm[row], fibres.y_mm - fibres.y_mm[row]
        near = (np.hypot(dx, dy) <= uptake_mm) & (dx >= 0)
        count.append(np.sum(fibres.unit[near] == fibres.unit[row]))
    return float(np.mean(count))


def resting() -> dict[str, dict[str, float]]:
    """Rates and regularity of each kind of spontaneous activity, and the course of denervation."""
    found: dict[str, dict[str, float]] = {}
    print(f"\n{'':32}{'rate Hz':>9}{'5th':>8}{'95th':>8}{'CV':>7}   reference Hz")
    for name, kind in SPONTANEOUS.items():
        low, high = kind.rate_hz
        rates, cv = [], []
        for seed in range(40):
            rate = float(np.exp(stream(seed, "rate").uniform(np.log(low), np.log(high))))
            interval = np.diff(RHYTHMS[kind.rhythm](60.0, rate, stream(seed, name)).times_s)
            if len(interval) > 5:
                rates.append(1 / np.median(interval))
                inside = interval[interval < 5 * np.median(interval)]
                cv.append(inside.std() / inside.mean())
        spread = np.quantile(rates, [0.05, 0.95])
        found[name] = {"rate": float(np.median(rates)), "cv": float(np.median(cv))}
        print(f"{name:32}{np.median(rates):9.2f}{spread[0]:8.2f}{spread[1]:8.2f}{np.median(cv):7.3f}"
              f"   {kind.seen_hz[0]:g} to {kind.seen_hz[1]:g}")  # fmt: skip
    anatomy = MUSCLES["TA"]
    healthy = Muscle.healthy("TA", anatomy.pool, anatomy.geometry, seed=1)
    needle = Needle(z_mm=0.7 * anatomy.geometry.fibre_length_mm, shaft_mm=8.0)
    print("\nactive denervated fibres around a needle after loss of 60 % of the units:")
    for months in (0.0, 0.3, 1.0, 3.0, 6.0, 12.0, 24.0):
        sick = nerve_injury(healthy, 0.6, months=months, seed=1)
        heard = denervation_activity(sick, needle, duration_s=10.0, fs_hz=20_000.0, seed=1)
        peak = float(np.ptp(heard.samples_uv))
        found[f"denervated {months:g} months"] = {"sources": len(heard.times_s), "uv": peak}
        print(
            f"  {months:5.1f} months: {len(heard.times_s):3d} sources, {peak:6.0f} uV peak to peak"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = (*STATES, *JUNCTIONS)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--states", nargs="+", choices=every, default=every)
    given = parser.parse_args()
    people, states = given.people, given.states
    before: dict[str, Rows] = {}
    if set(states) != set(every):
        before = json.loads(RESULTS.read_text(encoding="utf-8"))
        if before["people"] != people:
            parser.error(f"{RESULTS} is of {before['people']} people; examine all states.")
    begin = time.perf_counter()
    key = "recruitment at a tenth of the healthy force"
    strength = recruitment(people, states, before.get(key, {}))
    jitter = junctions(people, states, before.get("junctions", {}))
    report = {
        "what": "engineering verification of the simulator",
        "people": people,
        "expected": EXPECTED,
        "measured TA controls": twin_needle.MEASURED,
        key: strength,
        "junctions": jitter,
        "resting": before.get("resting") or resting(),
        "potentials": potentials(people, states, before.get("potentials", {})),
        "examined last": list(states),
        "seconds": round(time.perf_counter() - begin, 1),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
