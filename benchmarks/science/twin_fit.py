"""Does the fit of a patient's twin know what it knows? Coverage, bias and forecasts.

Engineering verification on simulated patients; it says nothing about any patient. Sixty people with
twelve visits each, three months apart: all nine parameters drawn anew for everybody, an offset of
the person in every measure, measurement error, and units that die one by one. The fit knows neither
the truth nor the seeds. It sees thirteen measures. People of other seeds were used while building.

* Coverage: how often the truth lies in the 90 % interval.
* Slope: bias of the number of units lost a month, and of the monthly loss as a rate.
* Forecast: the last visit predicted from those before, beside the last value carried forward and
  a straight line through all values; errors in units of the measurement error, paired by person.
* More people, seeds 10060 and on, fits only: coverage and bias, with less of chance in them; and
  all of them together.
* Fibre by fibre: patients whose visits come from the full simulator (twin_full_visit.py), which the
  fit's model only approximates; the same questions, and how far the model misses.

    python benchmarks/science/twin_fit.py [--people 60] [--more 200] [--full 4] [--first-seed 10000]
        [--parts reduced more full] [--jobs 1]

With ``--parts`` only these are computed, and the others kept as the file has them. Writes
benchmarks/results/twin_fit.json and prints tables.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from myograph.core.errors import DataError
from myograph.twin.inference import fit
from myograph.twin.posterior import PatientTwin
from myograph.twin.reduced import PARAMETERS, priors
from myograph.twin.seeds import stream
from myograph.twin.simulated_visits import CLINICAL, noisy, simulate_visits
from myograph.twin.visit import MEASURES, Observations
from myograph.twin.whatif import forecast

sys.path.insert(0, str(Path(__file__).parent))
import twin_full_visit

RESULTS = Path(__file__).parents[1] / "results" / "twin_fit.json"
MONTHS = 3.0 * np.arange(12)
FULL_MONTHS = 5.0 * np.arange(6)
DERIVED = ("units_first", "units_now", "slope")
LEVEL = 0.9
PARTS = ("reduced", "more", "full")


def inside(twin: PatientTwin, truth: Mapping[str, float]) -> dict[str, bool]:
    found = {}
    for name, value in truth.items():
        low, high = twin.interval(name, LEVEL)
        found[name] = bool(low <= value <= high)
    return found


def truth_of(own: Mapping[str, float], units: np.ndarray, months: np.ndarray) -> dict[str, float]:
    slope = (units[0] - units[-1]) / np.ptp(months)
    return {**own, "units_first": units[0], "units_now": units[-1], "slope": slope}


def share(hits: np.ndarray) -> dict[str, float]:
    """Share of a table people x quantities, with an interval over people."""
    rng = np.random.default_rng(1)
    rows = rng.integers(len(hits), size=(2000, len(hits)))
    means = hits.mean(axis=1)[rows].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": float(hits.mean()), "low": float(low), "high": float(high)}


def ratio(found: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Relative bias of a sum over people, with an interval over people."""
    rng = np.random.default_rng(2)
    rows = rng.integers(len(true), size=(2000, len(true)))
    many = found[rows].sum(axis=1) / true[rows].sum(axis=1) - 1
    low, high = np.quantile(many, [0.025, 0.975])
    return {"value": float(found.sum() / true.sum() - 1), "low": float(low), "high": float(high)}


def ahead(seen: Observations, seed: int) -> dict[str, dict[str, float]]:
    """Absolute errors of three forecasts of the last visit, in units of the measurement error."""
    early = seen.until(float(seen.months[-2]))
    twin = fit(early, seed=seed)
    predicted = forecast(twin, float(seen.months[-1] - early.months[-1]))
    found: dict[str, dict[str, float]] = {}
    for name in early.measures:
        rule = MEASURES[name]
        column = rule.to_scale(seen.values[name]) if name in seen.values else np.array([np.nan])
        known = np.isfinite(column[:-1])
        if not np.isfinite(column[-1]) or known.sum() < 2:
            continue
        past, months = column[:-1][known], early.months[known]
        line = np.polyval(np.polyfit(months, past, 1), seen.months[-1])
        guess = float(np.median(rule.to_scale(np.maximum(predicted[name], rule.low))))
        low, high = np.quantile(predicted[name], [0.05, 0.95])
        found[name] = {
            "twin": abs(column[-1] - guess) / rule.noise,
            "last value": abs(column[-1] - past[-1]) / rule.noise,
            "line": abs(column[-1] - line) / rule.noise,
            "inside": float(low <= seen.values[name][-1] <= high),
        }
    return found


def one(task: tuple[int, bool]) -> dict[str, object]:
    """One simulated patient: what the fit found beside the truth."""
    seed, forecasts = task
    warnings.simplefilter("ignore")
    patient = simulate_visits(MONTHS, seed=seed)
    truth = truth_of(patient.truth, patient.units, MONTHS)
    found: dict[str, object] = {"refused": [], "errors": []}
    begin = time.process_time()
    try:
        twin = fit(patient.observations, seed=seed)
    except DataError as error:
        return {**found, "refused": [f"{seed}: {error}"]}
    found["seconds"] = time.process_time() - begin
    told_of = inside(twin, truth)
    found["hits"] = [told_of[name] for name in (*PARAMETERS, *DERIVED)]
    found["slopes"] = (
        truth["slope"], twin.samples("slope").mean(), truth["loss"], twin.samples("loss").mean()
    )  # fmt: skip
    try:
        if forecasts:
            found["errors"] = [ahead(patient.observations, seed)]
    except DataError as error:
        found["refused"] = [f"{seed}, forecast: {error}"]
    return found


def reduced(people: int, first: int, jobs: int, *, forecasts: bool = True) -> dict[str, object]:
    names = (*PARAMETERS, *DERIVED)
    hits, slopes, errors, refused, seconds = [], [], [], [], []
    tasks = [(seed, forecasts) for seed in range(first, first + people)]
    with ProcessPoolExecutor(jobs) as pool:
        for done, found in enumerate(pool.map(one, tasks), start=1):
            refused += found["refused"]
            if "hits" in found:
                seconds.append(found["seconds"])
                hits.append(found["hits"])
                slopes.append(found["slopes"])
            errors += found["errors"]
            print(f"\r{done} of {people}", end="", file=sys.stderr, flush=True)
    table, lines = np.array(hits, float), np.array(slopes)
    cover = {name: share(table[:, [k]]) for k, name in enumerate(names)}
    cover["all parameters"] = share(table[:, : len(PARAMETERS)])
    result = {
        "people": len(hits), "refused": refused, "seconds of one fit": float(np.median(seconds)),
        "coverage of 90 % intervals": cover,
        "bias of units lost a month": ratio(lines[:, 1], lines[:, 0]),
        "bias of the rate of loss": ratio(lines[:, 3], lines[:, 2]),
        **({"forecast": compared(errors)} if forecasts else {}),
        "rows": {
            "inside": ["".join(str(int(hit)) for hit in row) for row in table],
            "truth and mean of units lost a month and of the rate": lines.round(6).tolist(),
        },
    }  # fmt: skip
    show(result)
    return result


def together(parts: list[dict[str, object]]) -> dict[str, object]:
    """Coverage and bias over the people of several runs."""
    names = (*PARAMETERS, *DERIVED)
    rows = [part["rows"] for part in parts]
    table = np.array([[int(hit) for hit in row] for part in rows for row in part["inside"]], float)
    key = "truth and mean of units lost a month and of the rate"
    lines = np.array([row for part in rows for row in part[key]])
    cover = {name: share(table[:, [k]]) for k, name in enumerate(names)}
    cover["all parameters"] = share(table[:, : len(PARAMETERS)])
    result = {
        "people": len(table),
        "seconds of one fit": float(np.mean([part["seconds of one fit"] for part in parts])),
        "coverage of 90 % intervals": cover,
        "bias of units lost a month": ratio(lines[:, 1], lines[:, 0]),
        "bias of the rate of loss": ratio(lines[:, 3], lines[:, 2]),
    }
    show(result)
    return result


def compared(errors: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Mean errors, and how much smaller the twin's are: paired, over people, with intervals."""
    person = {
        method: np.array([np.mean([cell[method] for cell in own.values()]) for own in errors])
        for method in ("twin", "last value", "line", "inside")
    }
    rng = np.random.default_rng(3)
    rows = rng.integers(len(errors), size=(4000, len(errors)))
    found: dict[str, object] = {m: float(values.mean()) for m, values in person.items()}
    for other in ("last value", "line"):
        gain = person[other] - person["twin"]
        low, high = np.quantile(gain[rows].mean(axis=1), [0.025, 0.975])
        found[f"gain over {other}"] = {"value": float(gain.mean()), "low": low, "high": high}
    found["by measure"] = {
        name: {
            method: round(float(np.mean([own[name][method] for own in errors if name in own])), 3)
            for method in ("twin", "last value", "line", "inside")
        }
        for name in CLINICAL
        if any(name in own for own in errors)
    }
    return found


def full(people: int, first: int) -> dict[str, object]:
    """The same with visits of the full simulator, and the laboratory's own norms for it."""
    norms = healthy_norms(3)
    names = (*PARAMETERS, *DERIVED)
    hits, slopes, errors, misses, refused = [], [], [], [], []
    for seed in range(first, first + people):
        own = person_of(seed)
        body = twin_full_visit.body(20_000 + seed, **{**own, "units": int(own["units"])})
        rows = [twin_full_visit.visit(body, float(month)) for month in FULL_MONTHS]
        clean = {
            name: np.array([row.get(name, np.nan) for row in rows]) for name in CLINICAL
            if name in norms
        }  # fmt: skip
        units = np.array([row["units"] for row in rows])
        seen = Observations(FULL_MONTHS, noisy(clean, seed=seed), "ADM", f"full {seed}", norms)
        truth = truth_of(own, units, FULL_MONTHS)
        try:
            twin = fit(seen, seed=seed)
        except DataError as error:
            refused.append(f"{seed}: {error}")
            continue
        hits.append([inside(twin, truth)[name] for name in names])
        slopes.append((truth["slope"], twin.samples("slope").mean()))
        cells = twin.check()
        misses.append(np.mean([cell.inside for cell in cells]))
        errors.append(ahead(seen, seed))
        print(
            f"\r{seed - first + 1} of {people} fibre by fibre", end="", file=sys.stderr, flush=True
        )
    if not hits:
        return {"refused": refused}
    table, lines = np.array(hits, float), np.array(slopes)
    cover = {name: float(table[:, k].mean()) for k, name in enumerate(names)}
    result = {
        "people": len(hits), "visits": len(FULL_MONTHS), "refused": refused, "norms": norms,
        "coverage of 90 % intervals": {
            **cover,
            "all parameters": share(table[:, : len(PARAMETERS)]),
        },
        "bias of units lost a month": ratio(lines[:, 1], lines[:, 0]),
        "values inside their posterior predictions": float(np.mean(misses)),
        "forecast": compared(errors),
    }  # fmt: skip
    print(json.dumps(result, indent=1))
    return result


def healthy_norms(people: int) -> dict[str, float]:
    """What a laboratory would find in healthy people of the full simulator."""
    rows = []
    for seed in range(people):
        own = {**person_of(10_000), "loss": 0.0, "junction": 1.0, "drive": 0.93, "fatigue": 1.0}
        own |= {"units": 180, "fibre": 1.0}
        rows.append(twin_full_visit.visit(twin_full_visit.body(30_000 + seed, **own), 0.0))
    found = {
        name: float(np.mean([row[name] for row in rows])) for name in CLINICAL if name in rows[0]
    }
    # A percentage that is 0 in health has no norm of its own.
    return {name: value for name, value in found.items() if name != "decrement_percent"} | {
        "decrement_percent": 0.0
    }


def person_of(seed: int) -> dict[str, float]:
    """A person of the population, none of whom has lost nearly everything."""
    z = np.clip(stream(seed, "full person").standard_normal(len(PARAMETERS)), -1.5, 1.5)
    own = {name: float(value) for name, value in priors("ADM").natural(z).items()}
    return {**own, "units": float(round(own["units"]))}


def told(row: dict[str, float], factor: float = 1.0, form: str = ".1f") -> str:
    value, low, high = (factor * row[key] for key in ("value", "low", "high"))
    return f"{value:{form}} ({low:{form}} to {high:{form}})"


def show(result: dict[str, object]) -> None:
    print(f"\n{result['people']} people, one fit {result['seconds of one fit']:.1f} s of CPU")
    for name, row in result["coverage of 90 % intervals"].items():
        print(f"  {name:18} {told(row, 100)} % inside")
    for name in ("bias of units lost a month", "bias of the rate of loss"):
        print(f"{name}: {told(result[name], 100, '+.1f')} %")
    if "forecast" not in result:
        return
    errors = result["forecast"]
    print(
        f"forecast error: twin {errors['twin']:.3f}, last value {errors['last value']:.3f}, "
        f"line {errors['line']:.3f} measurement errors; {100 * errors['inside']:.1f} % inside 90 %"
    )
    for other in ("last value", "line"):
        print(f"  smaller than {other} by {told(errors[f'gain over {other}'], 1, '.3f')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--more", type=int, default=200)
    parser.add_argument("--full", type=int, default=4)
    parser.add_argument("--first-seed", type=int, default=10_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    begin = time.perf_counter()
    report: dict[str, object] = {
        "what": "engineering verification on simulated patients",
        "visits": len(MONTHS),
        "measures": list(CLINICAL),
        "first seed": given.first_seed,
    }
    if set(given.parts) != set(PARTS) and given.out.exists():
        before = json.loads(given.out.read_text(encoding="utf-8"))
        if before["first seed"] != given.first_seed:
            parser.error(f"{given.out} is of other people; compute all parts.")
        before.pop("seconds", None)
        report = {**before, **report}
    if "reduced" in given.parts:
        report["reduced"] = reduced(given.people, given.first_seed, given.jobs)
    if "more" in given.parts:
        # Sixty people leave the coverage and the bias of a skewed quantity uncertain: more of them.
        first = given.first_seed + given.people
        report["more people, fits only"] = reduced(given.more, first, given.jobs, forecasts=False)
    parts = [report[key] for key in ("reduced", "more people, fits only") if key in report]
    if all("rows" in part for part in parts):
        report["all of them"] = together(parts)
    if "full" in given.parts:
        report["fibre by fibre"] = full(given.full, given.first_seed)
    taken = dict(report.get("seconds by part", {}))
    taken[" ".join(given.parts)] = round(time.perf_counter() - begin, 1)
    report["seconds by part"] = taken
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
