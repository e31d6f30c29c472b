"""The twin's motor-unit pool beside measured people: rates, thresholds, delta F, endurance.

Engineering verification: it says how close the simulator is to measurements, and nothing about any
patient. Rows marked "fitted" were used to choose parameters; the others were not.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_pool.py

Reads motor-units.tar.xz in the mirror (without it, those rows are left out and it says so). Writes
benchmarks/results/twin_pool.json and prints a table.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tarfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from myograph.twin.anatomy import MUSCLES
from myograph.twin.contraction import excitation_for_force, force_n, steady_force_n
from myograph.twin.discharge import Discharges, Firing, Pic, discharges
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.fatigue import endurance_s
from myograph.twin.pool import Pool, PoolParameters
from myograph.twin.subject import aged

RESULTS = Path(__file__).parents[1] / "results" / "twin_pool.json"
SEED = 1
FIRING = Firing(cv=0.1)
NOISE = CommonNoise(common=0.03)

# Endurance = b0 * fraction ** b1 seconds (freylaw2010; coefficients recalled, not verified).
JOINTS = {
    "ankle": (34.71, -2.06),
    "knee": (19.38, -1.88),
    "trunk": (22.69, -2.27),
    "shoulder": (14.86, -1.83),
    "elbow": (17.98, -2.21),
    "hand": (33.55, -1.61),
}

# Size of the persistent inward current, one number per group, fitted to its delta F.
PIC_SIZE = {
    ("TA", "Young"): 0.107,
    ("TA", "Older"): 0.077,
    ("SOL", "Young"): 0.102,
    ("SOL", "Older"): 0.064,
}


@dataclass(frozen=True)
class Row:
    table: str
    what: str
    unit: str
    ours: float
    reference: float | str
    source: str
    fitted: bool = False


def archive() -> dict[str, bytes] | None:
    folder = os.environ.get("MYOGRAPH_MIRROR", "")
    path = Path(folder) / "motor-units.tar.xz"
    if not folder or not path.is_file():
        return None
    with tarfile.open(path) as tar:
        members = {m.name: tar.extractfile(m) for m in tar.getmembers() if m.isfile()}
        return {name: handle.read() for name, handle in members.items() if handle}


def find(files: dict[str, bytes], ending: str) -> io.BytesIO:
    return io.BytesIO(next(data for name, data in files.items() if name.endswith(ending)))


def hold(pool: Pool, fraction: float, seconds: float = 15.0) -> Discharges:
    """Discharges while the pool holds a fraction of its maximal force."""
    excitation, _ = excitation_for_force(pool, [fraction * pool.steady_force_n(1.0)])
    drive = Drive(np.full((1, round(seconds * 500)), excitation[0]), 500.0)
    return discharges(pool, with_noise(drive, seed=SEED, noise=NOISE), seed=SEED, firing=FIRING)


def interval_cv(times: np.ndarray) -> float:
    intervals = np.diff(times)
    intervals = intervals[(intervals > 0.01) & (intervals < 0.4)]
    return float(intervals.std() / intervals.mean())


def mean_rate(times: np.ndarray) -> float:
    intervals = np.diff(times)
    return float(1 / intervals[(intervals > 0.01) & (intervals < 0.4)].mean())


# --- measured units of one person, 10 to 80 % of the maximal force -----------------


def klotz_rows(files: dict[str, bytes]) -> list[Row]:
    data = loadmat(find(files, "MUdict_S1.mat"), squeeze_me=True, struct_as_record=False)
    thresholds, units = data["RTm"], data["Disrate"]
    pool = Pool.fuglevand(MUSCLES["TA"].pool)
    own = np.array([steady_force_n(pool, t) for t in pool.threshold]) / pool.steady_force_n(1) * 100
    source = "klotz-t/MUDecompositionTests, 187 units, one person"
    rows = []
    for name, q in (("10th centile", 10), ("median", 50), ("90th centile", 90)):
        rows.append(
            Row(
                "recruitment",
                f"threshold, {name} of the units",
                "% MVC",
                float(np.percentile(own, q)),
                float(np.nanpercentile(thresholds, q)),
                source + " (decomposition favours large units)",
            )
        )
    rows.append(
        Row("recruitment", "threshold, highest", "% MVC", own[-1], np.nanmax(thresholds), source)
    )
    for k in range(8):
        rows += klotz_level(
            (k + 1) * 10, [(t, u[k]) for t, u in zip(thresholds, units, strict=True)], pool, own
        )
    return rows


def klotz_level(level: int, units: list, pool: Pool, own: np.ndarray) -> list[Row]:
    measured = []
    for threshold, train in units:
        if not len(train) or not np.isfinite(threshold):
            continue
        times = train[train[:, 4] >= level - 0.5, 1]
        if len(times) > 20:
            measured.append((threshold, mean_rate(times), interval_cv(times)))
    threshold, rate, spread = np.array(measured).T
    trains = hold(pool, level / 100)
    active = trains.counts > 20
    ours = np.array([mean_rate(t) for t in trains.times_s if len(t) > 20])
    # Ours at the thresholds that were measured, so that the two samples are alike.
    matched = np.interp(threshold, own[active], ours)
    cv = np.median([interval_cv(t) for t in trains.times_s if len(t) > 20])
    source = f"klotz-t/MUDecompositionTests, {len(rate)} units"
    line, our_line = np.polyfit(threshold, rate, 1), np.polyfit(threshold, matched, 1)
    at = f"at {level} % MVC"
    return [
        Row(
            "rates",
            f"mean rate {at}, same thresholds",
            "Hz",
            matched.mean(),
            rate.mean(),
            source,
            fitted=True,
        ),
        Row(
            "rates",
            f"rate of the first units {at}",
            "Hz",
            our_line[1],
            line[1],
            source,
            fitted=True,
        ),
        Row(
            "rates",
            f"fall of rate with threshold {at}",
            "Hz per % MVC",
            our_line[0],
            line[0],
            source,
            fitted=True,
        ),
        Row("intervals", f"CV {at}", "1", float(cv), float(np.median(spread)), source),
    ]


def caillet_rows(files: dict[str, bytes]) -> list[Row]:
    rows = []
    pool = Pool.fuglevand(MUSCLES["TA"].pool)
    trains = hold(pool, 0.3)
    ours = np.array([mean_rate(t) for t in trains.times_s if len(t) > 20])
    for name in ("S1_30_256.mat", "S1_30_64L.mat"):
        data = loadmat(find(files, name), squeeze_me=True)
        force = data["ref_signal"]
        low, high = np.percentile(force, [1, 95])
        plateau = np.flatnonzero(force > low + 0.95 * (high - low)) / data["fsamp"]
        rates, spread = [], []
        for pulses in data["MUPulses"]:
            times = np.sort(np.asarray(pulses, float)) / data["fsamp"]
            times = times[(times > plateau[0] + 1) & (times < plateau[-1] - 1)]
            if len(times) > 20:
                rates.append(mean_rate(times))
                spread.append(interval_cv(times))
        source = f"caillet {name}, {len(rates)} units, one person"
        rows += [
            Row(
                "30 % hold",
                f"median rate ({name})",
                "Hz",
                np.median(ours),
                np.median(rates),
                source,
            ),
            Row("30 % hold", f"lowest rate ({name})", "Hz", ours.min(), min(rates), source),
            Row("30 % hold", f"highest rate ({name})", "Hz", ours.max(), max(rates), source),
            Row(
                "30 % hold",
                f"interval CV ({name})",
                "1",
                np.median([interval_cv(t) for t in trains.times_s if len(t) > 20]),
                np.median(spread),
                source,
            ),
        ]
    return rows


# --- persistent inward currents ------------------------------------------------------


def delta_f_hz(trains: Discharges) -> tuple[float, float]:
    """Mean delta F over pairs of units and mean peak rate, by the method of the source."""
    smooth = {}
    for i, times in enumerate(trains.times_s):
        if len(times) > 30:
            middles = (times[1:] + times[:-1]) / 2
            smooth[i] = np.polynomial.Polynomial.fit(middles, 1 / np.diff(times), 5)
    found = []
    for i, curve in smooth.items():
        control = trains.times_s[i]
        for j in smooth:
            test = trains.times_s[j]
            if test[0] - control[0] > 1 and control[-1] > test[-1]:
                found.append(curve(test[0]) - curve(test[-1]))
    peaks = [float(curve(np.linspace(*curve.domain, 200)).max()) for curve in smooth.values()]
    return float(np.mean(found)), float(np.mean(peaks))


def ramp_up_down(pool: Pool, peak: float, pic: Pic | None) -> Discharges:
    """Triangular contraction to a fraction of the maximal force, 10 s up and 10 s down.

    The drive has the shape of the excitation for a linear ramp of force; its size is found so that
    the force at the top is the one asked for, as a person who watches the force would do.
    """
    wanted = peak * pool.steady_force_n(1.0)
    half = np.linspace(0, wanted, 2000)
    shape, _ = excitation_for_force(pool, np.concatenate([half, half[::-1]]))
    shape = np.concatenate([np.zeros(200), shape, np.zeros(400)])
    low, high = 0.5, 4.0
    for _ in range(10):
        middle = (low + high) / 2
        drive = with_noise(Drive(middle * shape[None], 200.0), seed=SEED, noise=NOISE)
        trains = discharges(pool, drive, seed=SEED, firing=replace(FIRING, pic=pic))
        force = force_n(pool, trains, fs_hz=100.0)[1000:1250].max()
        low, high = (middle, high) if force < wanted else (low, middle)
    return trains


def pic_rows(files: dict[str, bytes]) -> list[Row]:
    text = find(files, "df-data-30-04-21.csv").read().decode("utf-8-sig")
    measured = list(csv.DictReader(io.StringIO(text)))
    rows = []
    muscles = {"TA": "Tibialis anterior", "SOL": "Soleus"}
    for (muscle, group), size in PIC_SIZE.items():
        age = 29 if group == "Young" else 69
        parameters = aged(MUSCLES[muscle].pool, age)
        pool = Pool.fuglevand(replace(parameters, n_units=min(parameters.n_units, 120)))
        found, peak = delta_f_hz(ramp_up_down(pool, 0.2, Pic(excitation=size)))
        without, _ = delta_f_hz(ramp_up_down(pool, 0.2, None))
        mine = [
            r
            for r in measured
            if r["group_muscle"] == muscles[muscle] and r["group_age"].startswith(group)
        ]
        wanted = {
            key: np.array([float(r[key]) for r in mine if r[key] not in ("", "NA")])
            for key in ("deltaf", "fmax")
        }
        source = f"orssatto/PICs-ageing, {len(wanted['deltaf'])} pairs"
        who = f"{muscle}, {group.lower()} adults"
        rows += [
            Row(
                "PIC", f"delta F, {who}", "Hz", found, wanted["deltaf"].mean(), source, fitted=True
            ),
            Row("PIC", f"delta F without a PIC, {who}", "Hz", without, "0 (by definition)", source),
            Row("PIC", f"peak rate to 20 %, {who}", "Hz", peak, wanted["fmax"].mean(), source),
        ]
    return rows


# --- endurance and speed --------------------------------------------------------------


def endurance_rows() -> list[Row]:
    pool = Pool.fuglevand(PoolParameters(recruitment_range=50.0))
    rows = []
    for fraction in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        seconds = {name: b0 * fraction**b1 for name, (b0, b1) in JOINTS.items()}
        low, high = min(seconds.values()), max(seconds.values())
        rows.append(
            Row(
                "endurance",
                f"at {100 * fraction:.0f} % MVC",
                "s",
                endurance_s(pool, fraction),
                f"{np.mean(list(seconds.values())):.0f} (joints {low:.0f} to {high:.0f})",
                "freylaw2010, recalled; potvin2017 constants unchanged",
            )
        )
    return rows


def speed_rows() -> list[Row]:
    pool = Pool.fuglevand()
    drive = Drive(np.full((1, 60 * 2048), 1.0), 2048.0)
    discharges(pool, drive, seed=0)
    start = time.perf_counter()
    discharges(pool, drive, seed=SEED)
    seconds = time.perf_counter() - start
    return [Row("speed", "120 units x 60 s at 2048 Hz", "s", seconds, "below 1", "our goal")]


def show(rows: list[Row]) -> None:
    print(f"{'table':<12} {'what':<46} {'ours':>9} {'reference':>26} {'unit':<13} source")
    for row in rows:
        reference = row.reference if isinstance(row.reference, str) else f"{row.reference:.2f}"
        mark = " [fitted]" if row.fitted else ""
        print(
            f"{row.table:<12} {row.what:<46} {row.ours:>9.2f} {reference:>26} {row.unit:<13} "
            f"{row.source}{mark}"
        )


def main() -> None:
    files = archive()
    rows: list[Row] = []
    if files is None:
        print("Rows on measured units are left out: set MYOGRAPH_MIRROR (motor-units.tar.xz).")
    else:
        rows += klotz_rows(files) + caillet_rows(files) + pic_rows(files)
    rows += endurance_rows() + speed_rows()
    show(rows)
    result = {
        "what": "engineering verification of the simulated motor-unit pool",
        "seed": SEED,
        "rows": [
            {k: float(v) if isinstance(v, np.floating) else v for k, v in asdict(row).items()}
            for row in rows
        ],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"\nWritten: {RESULTS}")


if __name__ == "__main__":
    main()
