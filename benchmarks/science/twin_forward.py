"""How far the reduced model of a muscle agrees with the full twin, measure by measure.

People are drawn, simulated fibre by fibre and examined at two visits (twin_full_visit.py). From the
first half of them the exponents are estimated by which a measure follows the state of the muscle;
those in `myograph.twin.forward` were found so, once, on other seeds. Then the reduced model as it
stands predicts the other half, from the true parameters and the true share of fibres and units:
what is left is the part of a measure that the reduced model does not have.

    python benchmarks/science/twin_forward.py [--people 16] [--first-seed 50000]

Writes benchmarks/results/twin_forward.json and prints a table. Engineering verification.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from myograph.twin.forward import EXPONENTS, clinic
from myograph.twin.reduced import PARAMETERS, Course, grow, onset, priors
from myograph.twin.seeds import stream
from myograph.twin.visit import MEASURES

sys.path.insert(0, str(Path(__file__).parent))
import twin_full_visit

RESULTS = Path(__file__).parents[1] / "results" / "twin_forward.json"
VISITS = (0.0, 14.0)


def person_of(seed: int) -> dict[str, float]:
    z = np.clip(stream(seed, "forward person").standard_normal(len(PARAMETERS)), -1.8, 1.8)
    own = {name: float(value) for name, value in priors("ADM").natural(z).items()}
    return {**own, "units": float(round(own["units"]))}


def simulated(people: int, first: int) -> list[dict[str, float]]:
    rows = []
    for seed in range(first, first + people):
        own = person_of(seed)
        body = twin_full_visit.body(seed, **{**own, "units": int(own["units"])})
        for month in VISITS:
            found = twin_full_visit.visit(body, month)
            alive = found.pop("units")
            rows.append({**found, "alive": alive, "month": month, "seed": seed, **own})
        print(f"\r{seed - first + 1} of {people}", end="", file=sys.stderr, flush=True)
    return rows


def reduced_state(rows: list[dict[str, float]]) -> tuple[dict[str, np.ndarray], Course]:
    """The reduced model told how many units live and how many fibres have a nerve."""
    own = {name: np.array([row[name] for row in rows]) for name in PARAMETERS}
    since = own["onset_months"] + np.array([row["month"] for row in rows])
    course, _ = grow(own, onset(own), since[:, None], np.zeros((len(rows), 2)))
    alive = np.array([[row["alive"]] for row in rows])
    held = np.array([[row["innervated"]] for row in rows])
    return own, Course(alive, held, held * own["units"][:, None] / alive, course.immature)


def slopes(rows: list[dict[str, float]], measure: str) -> dict[str, float]:
    """Least squares of a measure on the terms by which it follows the state."""
    own, course = reduced_state(rows)
    units = clinic("ADM").healthy_units
    terms = {
        "innervated": np.log(course.innervated[:, 0]),
        "fibre": np.log(own["fibre"]),
        "units": np.log(course.units[:, 0] / units),
        "size": np.log(course.innervated[:, 0] * units / course.units[:, 0]),
        "immature": course.immature[:, 0],
    }
    names = list(EXPONENTS[measure])
    desk = clinic("ADM")
    level = desk.expected(own, course, [measure])[0, :, 0] - sum(
        EXPONENTS[measure][name] * terms[name] for name in names
    )
    seen = MEASURES[measure].to_scale([row.get(measure, np.nan) for row in rows])
    ok = np.isfinite(seen)
    design = np.stack([np.ones(ok.sum()), *(terms[name][ok] for name in names)], axis=1)
    found = np.linalg.lstsq(design, (seen - level)[ok], rcond=None)[0]
    return dict(zip(names, map(float, found[1:]), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=16)
    parser.add_argument("--first-seed", type=int, default=50_000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    begin = time.perf_counter()
    rows = simulated(given.people, given.first_seed)
    half = given.first_seed + given.people // 2
    early = [row for row in rows if row["seed"] < half]
    late = [row for row in rows if row["seed"] >= half]
    own, course = reduced_state(late)
    table = {}
    print(f"\n{'':20}{'off':>8}{'scatter':>9}{'of the':>9}{'noise':>8}  exponents (here, again)")
    for name in MEASURES:
        if name not in late[0]:
            continue
        rule = MEASURES[name]
        expected = clinic("ADM").expected(own, course, [name])[0, :, 0]
        seen = rule.to_scale([row.get(name, np.nan) for row in late])
        left = (seen - expected)[np.isfinite(seen)]
        whole = seen[np.isfinite(seen)].std()
        again = slopes(early, name) if name in EXPONENTS else {}
        table[name] = {
            "offset": float(left.mean()),
            "scatter": float(left.std()),
            "scatter of the measure": float(whole),
            "measurement error": rule.noise,
            "exponents": dict(EXPONENTS.get(name, {})),
            "estimated again": again,
        }
        pairs = ", ".join(f"{k} {EXPONENTS[name][k]:.2f}, {v:.2f}" for k, v in again.items())
        print(f"{name:20}{left.mean():8.3f}{left.std():9.3f}{whole:9.3f}{rule.noise:8.3f}  {pairs}")
    held = reduced_share(late)
    print(f"share of fibres with a nerve: off by {held['mean']:+.3f} ± {held['sd']:.3f}")
    report = {
        "what": "engineering verification of the reduced model against the full twin",
        "people": given.people,
        "visits": len(rows),
        "measures": table,
        "innervated share, reduced minus full": held,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def reduced_share(rows: list[dict[str, float]]) -> dict[str, float]:
    """How far the law of adoption is off, when the loss is the one that happened."""
    own = {name: np.array([row[name] for row in rows]) for name in PARAMETERS}
    since = own["onset_months"] + np.array([row["month"] for row in rows])
    alive = np.array([row["alive"] for row in rows])
    own["loss"] = np.maximum(-np.log(alive / own["units"]) / since, 1e-9)
    own["units"] = np.full(len(rows), 1e8)
    course, _ = grow(own, onset(own), since[:, None], np.zeros((len(rows), 2)))
    off = course.innervated[:, 0] - np.array([row["innervated"] for row in rows])
    return {"mean": float(off.mean()), "sd": float(off.std())}


if __name__ == "__main__":
    main()
