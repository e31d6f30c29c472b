"""The fit on tables of real people: that they are read, and that what they cannot tell stays wide.

A demonstration without any claim about these people. Twenty-seven people after the reconstruction
of a cruciate ligament, up to five visits: force of the knee's extensors and discharge rate of
vastus lateralis units, both at a fifth of the maximum. Nobody of them lost motor units, and they
lost strength and regained it, for which the model has no law; the twin is not told. Older adults in
resistance training, three visits: discharge rate of soleus units at a fifth of the force.

Besides reading, one figure has a yardstick in the data themselves: how often the next visit of a
person lies in the interval that the fit to the earlier ones gave.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_fit_real.py

Writes benchmarks/results/twin_fit_real.json.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import tarfile
import time
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np

from myograph.core.errors import DataError
from myograph.twin.inference import fit
from myograph.twin.visit import MEASURES, Observations
from myograph.twin.whatif import forecast

RESULTS = Path(__file__).parents[1] / "results" / "twin_fit_real.json"
# The table numbers its visits: assumed 0, 1, 2, 4 and 6 months apart; force is in kilograms there.
ACL_MONTHS = {"1": 0.0, "2": 1.0, "3": 2.0, "4": 4.0, "5": 6.0}
NEWTON = 9.80665
# Before and after a control period, and after training; months assumed.
TRAINING_MONTHS = {"c1": 0.0, "c2": 1.0, "post": 4.0}


def table(mirror: Path, name: str) -> list[dict[str, str]]:
    with tarfile.open(mirror / "longitudinal.tar.xz") as archive:
        text = archive.extractfile(f"longitudinal/{name}").read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def acl(mirror: Path) -> dict[str, Observations]:
    """Force and rate of the operated leg, both at a fifth of the maximum of the day."""
    cells: dict[tuple[str, float, str], list[float]] = defaultdict(list)
    for row in table(mirror, "acl/ModellingData.csv"):
        if row["limb"] != "ACL" or row["contraction_intensity_s"] != "0.2":
            continue
        month = ACL_MONTHS[row["time"]]
        cells[row["id"], month, "mvc_n"].append(NEWTON * number(row["force"]) / 0.2)
        if row["muscle"] == "VL" and number(row["peak_fr"]) >= MEASURES["rate_hz"].low:
            cells[row["id"], month, "rate_hz"].append(number(row["peak_fr"]))
    return people(cells, "VL")


def soleus(mirror: Path) -> dict[str, Observations]:
    """Mean rate at 20 % of the force."""
    cells: dict[tuple[str, float, str], list[float]] = defaultdict(list)
    for row in table(mirror, "resistance-training/Delta_f_20_40.csv"):
        if row["intensity"] != "20":
            continue
        month = TRAINING_MONTHS[row["time"]]
        cells[row["participant"], month, "rate_hz"].append(number(row["dr"]))
    return people(cells, "SOL")


def people(
    cells: dict[tuple[str, float, str], list[float]], muscle: str
) -> dict[str, Observations]:
    found = {}
    for person in sorted({key[0] for key in cells}):
        months = sorted({key[1] for key in cells if key[0] == person})
        measures = sorted({key[2] for key in cells if key[0] == person})
        values = {
            name: np.array([mean(cells.get((person, month, name), [])) for month in months])
            for name in measures
        }
        try:
            found[person] = Observations(np.array(months), values, muscle, person)
        except DataError as error:
            print(f"  {person} left out: {error}")
    return found


def judged(cohort: dict[str, Observations]) -> dict[str, object]:
    narrowed, widths, visits, hits, refused, doubted = [], [], [], [], [], 0
    for person, seen in cohort.items():
        visits.append(seen.n_visits)
        try:
            twin = fit(seen, seed=1, particles=500)
            low, high = twin.interval("loss")
            narrowed.append(twin.narrowed("units"))
            widths.append(high / low)
            doubted += any("does not describe" in note for note in twin.notes())
            if seen.n_visits > 2:
                early = seen.until(float(seen.months[-2]))
                after = float(seen.months[-1] - early.months[-1])
                ahead = forecast(fit(early, seed=1, particles=500), after)
                for name, draws in ahead.items():
                    last = seen.values[name][-1]
                    if np.isfinite(last):
                        low, high = np.quantile(draws, [0.05, 0.95])
                        hits.append(low <= last <= high)
        except DataError as error:
            refused.append(f"{person}: {error}")
    return {
        "people": len(cohort),
        "visits": int(np.sum(visits)),
        "refused": refused,
        "people whose twin says that the model does not describe them": doubted,
        "variance of the number of units that was narrowed (median)": float(np.median(narrowed)),
        "upper over lower end of the rate of loss (median)": float(np.median(widths)),
        "last visits inside their 90 % forecast": float(np.mean(hits)) if hits else None,
        "last visits": len(hits),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    mirror = os.environ.get("MYOGRAPH_MIRROR")
    if not mirror:
        print("MYOGRAPH_MIRROR is not set: there are no tables here.")
        return
    warnings.simplefilter("ignore")
    begin = time.perf_counter()
    report: dict[str, object] = {"what": "demonstration of reading; no claim about these people"}
    for name, cohort in (("acl", acl(Path(mirror))), ("soleus", soleus(Path(mirror)))):
        report[name] = judged(cohort)
        print(name, json.dumps(report[name], indent=1))
    report["seconds"] = round(time.perf_counter() - begin, 1)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
