"""The twin in time, beside published courses, and the other signals of the same body.

Engineering verification: it says whether simulated people decline, are treated, train and move as
published cohorts did, and nothing about any patient. The constants of the links between strength
and scores were calibrated to the rows marked "calibrated"; the others are consequences.

    python benchmarks/science/twin_progression.py [--people 500] [--bodies 8] [--picture FILE]
        [--parts als dmd others multimodal]

With ``--parts`` only these are computed, and the others kept as the file has them.

Writes benchmarks/results/twin_progression.json (or --out) and prints tables.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import coherence, csd

from myograph.signal.tremor import measure
from myograph.twin.anatomy import MUSCLES
from myograph.twin.cmap import cmap, motor_units
from myograph.twin.contraction import excitation_for_force, force_n
from myograph.twin.cortex import Cortex, eeg
from myograph.twin.courses import (
    ageing_course,
    als_course,
    als_sigmoid_course,
    cmt_course,
    dmd_course,
    sma_course,
)
from myograph.twin.discharge import discharges
from myograph.twin.drive import CommonNoise, Drive, with_noise
from myograph.twin.emg import synthesise
from myograph.twin.function import (
    AMBULATION_STRENGTH,
    RISE_STRENGTH,
    Alsfrs,
    CmtPeds,
    Nsaa,
    Walk,
    measured,
    months_until,
)
from myograph.twin.heart import Heart, beat, variability
from myograph.twin.limb import Joint, acceleration_g, move
from myograph.twin.muap import MuapLibrary
from myograph.twin.munix import interference_epochs, munix
from myograph.twin.muscle import Muscle
from myograph.twin.nerve import Nerve
from myograph.twin.pool import Pool
from myograph.twin.progression import state_at, wired
from myograph.twin.score_laws import HajjarWalk, HamuroWalk
from myograph.twin.training import Training, trained, training_gain
from myograph.twin.treatment import treated
from myograph.twin.tremor import TREMORS, tremulous

RESULTS = Path(__file__).parents[1] / "results" / "twin_progression.json"
Row = dict[str, Any]


def row(what: str, ours: Any, reference: Any, source: str, note: str = "") -> Row:
    """Round and print one line of a table."""
    digits = np.round(np.asarray(ours, float), 2).tolist()
    print(f"  {what:58} {digits!s:>34}   {reference!s:>30}   {source} {note}")
    return {"what": what, "ours": digits, "reference": reference, "source": source, "note": note}


def interval(values: Any) -> list[float]:
    """Return the mean with its 95 % interval over people (bootstrap)."""
    found = np.asarray(values, float)
    rng = np.random.default_rng(0)
    means = found[rng.integers(len(found), size=(1000, len(found)))].mean(axis=1)
    return [float(found.mean()), *np.quantile(means, [0.025, 0.975]).tolist()]


def als(people: int, bodies: int) -> list[Row]:
    """Scores, units and MUNIX: in mean fields, and measured on bodies of fibres."""
    months = np.array([0.0, 12.0, 27.0])
    slope, score, response, left, gap = [], [], [], [], []
    for seed in range(people):
        course, link = als_course(seed=seed), Alsfrs.of_person(seed=seed)
        points, burden = measured(link, course, months), course.burden(months)
        slope.append((points[0] - points[1]) / 12)
        score.append(100 * (1 - points[2] / points[1]) / 15)
        response.append(100 * (1 - burden.innervated[2] / burden.innervated[1]) / 15)
        left.append(100 * burden.units[1])
    for seed in range(min(people, 200)):
        course, time_m = als_sigmoid_course(seed=seed), np.linspace(0, 200, 801)
        points = measured(Alsfrs.of_person(seed=seed), course, time_m)
        fibres = course.burden(time_m).innervated
        if points[-1] < 24 and fibres[-1] < 0.5:
            gap.append(time_m[np.argmax(points < 24)] - time_m[np.argmax(fibres < 0.5)])
    ratio = np.mean(response) / np.mean(score)
    out = [
        row("ALSFRS-R points lost a month, first year", interval(slope), 0.99, "proact2018",
            "calibrated"),
        row("ALSFRS-R, % of its value a month, months 12 to 27", interval(score), 2.3,
            "neuwirth2015", "calibrated"),
        row("innervated fibres, % a month, months 12 to 27", interval(response), 3.2,
            "neuwirth2015 (MUNIX)", "calibrated"),
        row("ratio of the two", ratio, 1.39, "neuwirth2015"),
        row("units left after a year, %", interval(left), "about half", "assumed"),
        row("months from half of MUNIX to half of the score (sigmoid)", interval(gap), 14,
            "PMC9998642", "not fitted"),
    ]  # fmt: skip
    return out + als_bodies(bodies)


def als_bodies(bodies: int) -> list[Row]:
    """MUNIX and CMAP of first dorsal interossei, measured as a clinic would."""
    anatomy = MUSCLES["FDI"]
    fall: dict[str, list[float]] = {"munix": [], "cmap": [], "units": [], "gap": []}
    for seed in range(bodies):
        healthy = Muscle.healthy("FDI", anatomy.pool, anatomy.geometry, seed=seed)
        nerve = Nerve.healthy("ulnar", n_motor=healthy.pool.n_units, seed=seed)
        course = als_course(seed=seed)
        visits = []
        for months in (12.0, 27.0):
            sick = state_at(healthy, course, months=months, seed=seed)
            library = motor_units(sick, fs_hz=4000.0)
            answer = cmap(wired(nerve, sick), library, site="wrist")
            levels = np.tile(np.linspace(0.1, 1.0, 10), 2)
            epochs = interference_epochs(sick, library, levels, seed=seed)
            share = sick.fibres.innervated.sum() / len(healthy.fibres)
            fall["gap"].append(share - float(course.burden(months).innervated))
            visits.append((munix(answer, epochs).munix, answer.amplitudes_mv[0], sick.pool.n_alive))
        before, after = np.array(visits, float)
        for name, a, b in zip(("munix", "cmap", "units"), before, after, strict=True):
            if np.isfinite([a, b]).all() and a > 0:
                fall[name].append(100 * (1 - b / a) / 15)
    size = f"{bodies} bodies of 40 000 fibres"
    return [
        row("MUNIX of the hand, % a month, months 12 to 27", interval(fall["munix"]), 3.2,
            "neuwirth2015 (muscles 2.4 to 4.2)", f"{len(fall['munix'])} of {size} had one"),
        row("CMAP of the hand, % a month, months 12 to 27", interval(fall["cmap"]), "", "", size),
        row("units, % a month, months 12 to 27", interval(fall["units"]), "", "", size),
        row("mean field less fibres: innervated share, RMS",
            float(np.sqrt(np.mean(np.square(fall["gap"])))), 0, "identity", size),
    ]  # fmt: skip


def dmd(people: int) -> list[Row]:
    """Six-minute walk, NSAA, and how long boys walk, with and without glucocorticoids."""
    rng = np.random.default_rng(0)
    changes: dict[str, list[Any]] = {"twin": [], "hamuro": [], "hajjar": []}
    peak, lost, rise, later = [], [], [], []
    for seed in range(people):
        course = dmd_course(seed=seed)
        age = np.clip(rng.normal(8.3, 2.2), 4.5, 14) + np.arange(4.0)
        walks = {
            "twin": measured(Walk.of_person(seed=seed), course, 12 * age, seed=seed),
            "hamuro": HamuroWalk.of_person(seed=seed).at(age),
            "hajjar": HajjarWalk.of_person(seed=seed).at(age),
        }
        for name, walk in walks.items():
            if walk[0] > 75:
                changes[name].append(walk[1:] - walk[0])
        peak.append(measured(Nsaa.of_person(seed=seed), course, np.arange(36, 160, 3.0)).max())
        slow = treated(course, "glucocorticoid", seed=seed, from_months=60)
        lost.append(months_until(course, AMBULATION_STRENGTH) / 12)
        later.append(months_until(slow, AMBULATION_STRENGTH) / 12)
        rise.append(months_until(course, RISE_STRENGTH) / 12)
    source = "pane2014 (SD 77, 126, 146)"
    out = []
    for name, note in (("twin", ""), ("hamuro", "law alone"), ("hajjar", "law alone")):
        found = np.array(changes[name])
        out.append(row(f"6MWT change at 1, 2, 3 years, m ({name})", found.mean(axis=0),
                       [-15.8, -58.9, -104.2], source, note))  # fmt: skip
        if name == "twin":
            out.append(row("  its SD over boys, noise included, m", found.std(axis=0),
                           [77, 126, 146], "pane2014"))  # fmt: skip
    mean = np.mean([measured(Walk(), dmd_course(seed=s), 12 * np.arange(5.0, 15))
                    for s in range(min(people, 200))], axis=0)  # fmt: skip
    law = np.minimum(270 + 19.6 * np.arange(5.0, 15), 1298 - 84.9 * np.arange(5.0, 15))
    out += [
        row("6MWT against age, RMS off the two lines of 5 to 14 y, m",
            float(np.sqrt(np.mean((mean - law) ** 2))), 0, "hamuro2017", "mean of boys"),
        row("NSAA peak, centiles 10, 25, 50, 75, 90",
            np.quantile(peak, [0.1, 0.25, 0.5, 0.75, 0.9]), [14, 20, 26, 30, 32], "nsaauk2023",
            "calibrated"),
        row("age at loss of ambulation, quartiles, years", np.quantile(lost, [0.25, 0.5, 0.75]),
            [10.7, 12.2, 14.3], "nsaauk2023", "calibrated"),
        row("age at loss of rising, quartiles, years", np.quantile(rise, [0.25, 0.5, 0.75]),
            [8.6, 10.1, 11.9], "nsaauk2023", "one threshold calibrated"),
        row("glucocorticoid from 5 y: later loss of ambulation, years",
            interval(np.subtract(later, lost)), "2.1 to 4.4", "dmdsteroid2023 (milestones)",
            "prior chosen in view of it"),
        row("glucocorticoid: hazard ratio of loss of ambulation, to 18 y",
            hazard_ratio(np.array(later), np.array(lost)), "0.44 (0.40 to 0.48)",
            "dmdsteroid2023", "prior chosen in view of it"),
    ]  # fmt: skip
    return out


def hazard_ratio(one: np.ndarray, other: np.ndarray, *, until: float = 18.0) -> float:
    """Return the hazard ratio by partial likelihood (Cox, one covariate), censored at ``until``."""
    ages = np.concatenate([one, other])
    group = np.concatenate([np.ones(len(one)), np.zeros(len(other))])
    seen = ages < until
    grid = np.linspace(-4, 1, 2001)
    order = np.argsort(ages)
    score = np.zeros(len(grid))
    at_risk_one, at_risk_other = float(len(one)), float(len(other))
    for i in order:
        if seen[i]:
            score += group[i] * grid - np.log(at_risk_one * np.exp(grid) + at_risk_other)
        at_risk_one -= group[i]
        at_risk_other -= 1 - group[i]
    return float(np.exp(grid[np.argmax(score)]))


def others(people: int) -> list[Row]:
    """CMT, SMA, ageing, riluzole, training."""
    out = []
    two_years = {"CMT1A": 1.8, "CMT1B": 2.2, "CMT2A": 6.2, "CMT4C": 3.0}
    for kind, reference in two_years.items():
        gain = [
            np.diff(measured(CmtPeds.of_person(seed=s), cmt_course(seed=s, kind=kind),
                             [24.0, 48.0], seed=s))[0]
            for s in range(people)
        ]  # fmt: skip
        out.append(row(f"CMTPedS points in two years, {kind}", interval(gain), reference,
                       "cmtpeds2022", "calibrated"))  # fmt: skip
    left = [
        100 * np.mean([sma_course(seed=s, onset_months=m).burden(12.0).units
                       for s in range(min(people, 100))])
        for m in (3.0, 12.0, 36.0)
    ]  # fmt: skip
    out.append(row("SMA: units left a year after onset at 3, 12, 36 months, %", left,
                   "< 10 in type 1", "swoboda2005 (recalled)"))  # fmt: skip
    old = [100 * ageing_course(seed=s).burden(12.0 * 41).unit_loss for s in range(people)]
    out.append(row("ageing: units lost at 71 y, %", interval(old), 40, "piasecki2016"))
    gained = []
    for seed in range(min(people, 300)):
        course = als_course(seed=seed)
        slow = treated(course, "riluzole", seed=seed, from_months=9)
        gained.append(months_until(slow, 0.25) - months_until(course, 0.25))
    out.append(row("riluzole: later fall to a quarter of the strength, months, median",
                   float(np.median(gained)), "2 to 3 (survival)", "riluzole2018"))  # fmt: skip
    return out + training()


def training() -> list[Row]:
    """Force, rates and size after weeks of training."""
    muscle = Muscle.healthy("TA", MUSCLES["TA"].pool, MUSCLES["TA"].geometry, seed=1)
    out = []
    for weeks, wanted in ((4, "15 (wilson2023), 14 (delvecchio2019)"), (12, "")):
        gain, faster, size = [], [], []
        for seed in range(12):
            after = trained(muscle, Training(weeks=weeks), seed=seed)
            gain.append(100 * (after.mvc_n / muscle.mvc_n - 1))
            level = [excitation_for_force(m.pool, [0.35 * m.mvc_n])[0] for m in (muscle, after)]
            rates = [m.pool.rates_hz(x)[:, 0] for m, x in zip((muscle, after), level, strict=True)]
            both = (rates[0] > 0) & (rates[1] > 0)
            faster.append((rates[1] - rates[0])[both].mean())
            size.append(100 * training_gain(Training(weeks=weeks), seed=seed).hypertrophy)
        out += [
            row(f"training {weeks} weeks: maximal force, %", interval(gain), wanted, "",
                "calibrated" if weeks == 4 else ""),
            row(f"training {weeks} weeks: rate at 35 %, Hz", interval(faster),
                "+3 (recalled)" if weeks == 4 else "", "delvecchio2019",
                "calibrated" if weeks == 4 else ""),
            row(f"training {weeks} weeks: fibre area, %", interval(size),
                "none yet" if weeks == 4 else "grows", "delvecchio2019"),
        ]  # fmt: skip
    return out


def library(pool: Pool, *, centre_ms: float = 6.0) -> MuapLibrary:
    """Return a biphasic potential for every unit, so that its own delay is known exactly."""
    time_s = np.arange(40) / 1000
    shape = np.gradient(np.exp(-(((time_s - centre_ms / 1000) / 0.002) ** 2)))
    size = 20 * np.sqrt(pool.n_fibres)[:, None] / np.abs(shape).max()
    return MuapLibrary((size * shape)[:, None].astype(np.float32), 1000.0, 0)


def multimodal(repeats: int) -> list[Row]:
    """Coherence and delay, tremor at the accelerometer, the heart under load."""
    pool, noise, out = Pool.fuglevand(), CommonNoise(beta=0.1), []
    drive = Drive(np.full((1, 60_000), 0.2), 1000.0)

    def hold(cortex: Cortex, seed: int) -> tuple[Any, Any, Any, float]:
        cortical = eeg(drive, cortex, fs_hz=1000.0, seed=seed, noise=noise).samples_uv[0, 1000:]
        trains = discharges(pool, with_noise(drive, seed=seed, noise=noise), seed=seed)
        emg = np.abs(synthesise(trains, library(pool))[0, 1000:])
        given = {"fs": 1000.0, "nperseg": 1000, "noverlap": 0}
        frequency, found = coherence(cortical, emg, **given)
        _, cross = csd(cortical, emg, **given)
        band = (frequency >= 15) & (frequency <= 30)
        return frequency[band], found[band], cross[band], 1 - 0.05 ** (1 / (59 - 1))

    for delay in (10.0, 16.0, 30.0):
        lead, share = [], []
        for seed in range(repeats):
            frequency, found, cross, limit = hold(Cortex(delay_ms=delay), seed)
            share.append(100 * np.mean(found > limit))
            phase = np.unwrap(np.angle(cross))
            slope = np.polyfit(frequency, phase, 1, w=np.abs(cross))[0]
            lead.append(-1000 * slope / (2 * np.pi) - 6.0)
        out += [
            row(f"EEG leads by {delay:g} ms: delay found, ms", interval(lead), delay, "truth"),
            row("  beta bins above the 95 % limit, coupled, %", interval(share), "> 5",
                "halliday1995"),
        ]  # fmt: skip
    false = []
    for seed in range(2 * repeats):
        _, found, _, limit = hold(Cortex(coupled=False), seed)
        false.append(100 * np.mean(found > limit))
    out.append(row("  beta bins above the limit, uncoupled, %", interval(false), 5, "nominal"))
    wrist = Joint(arms_mm={"FCR": 14.0, "ECRB": -14.0})
    quiet = Drive(np.full((2, 10_000), 0.05), 500.0, ("FCR", "ECRB"))
    for name, tremor in TREMORS.items():
        peaks = []
        for seed in range(4):
            # Antagonists in step cancel at the joint: such a tremor shows through one of them.
            other = ("ECRB",) if tremor.antagonist_phase_deg else ()
            shaking = tremulous(quiet, tremor, seed=seed, agonists=("FCR",), antagonists=other)
            forces = {
                m: force_n(pool, discharges(pool, shaking, seed=seed + k, muscle=m), fs_hz=500.0)
                for k, m in enumerate(quiet.muscles)
            }
            motion = move(wrist, forces, fs_hz=500.0)
            trace = acceleration_g(wrist, motion, seed=seed)[0].astype(float)
            peaks.append(measure(trace, fs_hz=500.0).peak_hz)
        out.append(row(f"accelerometer peak, {name}, Hz", np.median(peaks), tremor.frequency_hz,
                       "truth"))  # fmt: skip
    for effort in (0.0, 0.3, 0.7):
        times = beat(Heart(), np.full(15_000, effort), fs_hz=50.0, seed=1).times_s
        found = variability(times[times > 90])
        out.append(row(f"heart at effort {effort:g}: rate, SDNN, RMSSD", found, "", ""))
    return out


def picture(path: Path) -> None:
    """Draw courses, scores and treatments."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "myograph"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), constrained_layout=True)
    months = np.linspace(0, 60, 61)
    burden = als_course(seed=0, slope_per_month=0.99).burden(months)
    for name, values in (("units", burden.units), ("innervated fibres", burden.innervated)):
        axes[0, 0].plot(months, 100 * values, label=name)
    points = Alsfrs().of(burden.strength, 60.0)
    axes[0, 0].plot(months, 100 * points / 48, label="ALSFRS-R (of 48)")
    axes[0, 0].set(title="ALS, 0.99 points a month", xlabel="months", ylabel="% of health")
    ages = np.linspace(4, 15, 67)
    walks = np.array([
        measured(Walk.of_person(seed=s), dmd_course(seed=s), 12 * ages) for s in range(150)
    ])  # fmt: skip
    low, middle, high = np.quantile(walks, [0.1, 0.5, 0.9], axis=0)
    axes[0, 1].fill_between(ages, low, high, alpha=0.2, label="twin, 10 to 90 %")
    axes[0, 1].plot(ages, middle, label="twin, median")
    axes[0, 1].plot(ages, HamuroWalk().at(ages), "--", label="hamuro2017")
    axes[0, 1].set(title="Duchenne: six-minute walk", xlabel="age, years", ylabel="m")
    scores = np.array([
        measured(Nsaa.of_person(seed=s), dmd_course(seed=s), 12 * ages) for s in range(150)
    ])  # fmt: skip
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        line = np.quantile(scores, share, axis=0)
        axes[1, 0].plot(ages, line, label=f"{100 * share:g} %", lw=1 + (share == 0.5))
    axes[1, 0].set(title="Duchenne: NSAA centiles", xlabel="age, years", ylabel="points of 34")
    course = als_course(seed=0, slope_per_month=0.99)
    for name, colour in (("riluzole", "C0"), ("tofersen", "C1")):
        drawn = np.array([
            treated(course, name, seed=s, from_months=6).burden(months).strength
            for s in range(150)
        ])  # fmt: skip
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
        axes[1, 1].fill_between(months, 100 * low, 100 * high, alpha=0.25, color=colour, label=name)
    axes[1, 1].plot(months, 100 * burden.strength, "k", lw=1, label="untreated")
    axes[1, 1].set(title="What-ifs: 90 % of the prior", xlabel="months", ylabel="strength, %")
    for axis in axes.ravel():
        axis.legend(fontsize=7, frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.text(0.5, -0.02, "Simulated people: engineering verification, not clinical evidence.",
                ha="center", fontsize=8)  # fmt: skip
    figure.savefig(
        path, bbox_inches="tight", metadata={"Date": None} if path.suffix == ".svg" else None
    )


PARTS = ("als", "dmd", "others", "multimodal")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--bodies", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    begin = time.perf_counter()
    if given.picture:
        picture(given.picture)
    report: dict[str, Any] = {
        "what": "engineering verification of the simulator",
        "people": given.people,
        "bodies": given.bodies,
        "repeats": given.repeats,
    }
    if set(given.parts) != set(PARTS):
        before = json.loads(given.out.read_text(encoding="utf-8"))
        if (before["people"], before["bodies"]) != (given.people, given.bodies):
            parser.error(f"{given.out} is of other numbers of people; compute all parts.")
        report = {**before, **report}
    print("columns: ours (mean, low, high where three), reference, source")
    for name, made in (
        ("als", lambda: als(given.people, given.bodies)),
        ("dmd", lambda: dmd(given.people)),
        ("others", lambda: others(given.people)),
        ("multimodal", lambda: multimodal(given.repeats)),
    ):
        if name in given.parts:
            print(name)
            report[name] = made()
    report["seconds"] = round(time.perf_counter() - begin, 1)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
