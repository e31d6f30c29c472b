"""A model that has seen simulated needle EMG only, asked about measured people.

Engineering verification of the simulator. Simulated people (biceps brachii, eight sites with a
device each) are split: two thirds to learn and to choose features and model by, one third to see
what simulation promises. The choice is made where it hurts as much as it will: the membrane
potential of simulated fibres has one of two published lengths or something between, and a candidate
learns from people with short ones and is asked about people with long ones, and the other way
round. The chosen one, and it alone, is the headline on the measured people of needle-nmd, person by
person, with an interval over people and chance beside it. The other candidates are listed after it,
as not chosen.

All signals are brought to 16 kHz and 100 Hz to 5 kHz, since slow drift in the measured recordings
differs by class. Features of the families ``spectrum``, ``turns``, ``spikes`` and ``envelope`` do
not change with the gain; ``absolute`` does, and is never chosen: the simulated devices' gains are
unknown by construction, and so is what a measured microvolt means.

The domain gap is told by how well a classifier tells simulated from measured people in each family
(0.5: not at all, 1: always), by the maximum mean discrepancy (its bandwidth the median distance),
and by how far single features lie apart, in measured standard deviations.

    MYOGRAPH_MIRROR=FOLDER python benchmarks/science/twin_sim_to_real.py [--people 90]
        [--cohort FOLDER] [--jobs 2] [--picture FILE]

Writes benchmarks/results/twin_sim_to_real.json. The cohort is made when it is not there; a run that
was stopped goes on where it was. With ``--picture`` it draws signals side by side (PNG).
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numba import njit
from scipy.signal import butter, find_peaks, peak_widths, resample_poly, sosfiltfilt, welch
from scipy.stats import wasserstein_distance
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from myograph.datasets import load, open_folder
from myograph.workflows.simulate import simulate_cohort

RESULTS = Path(__file__).parents[1] / "results" / "twin_sim_to_real.json"
FS_HZ, BAND_HZ = 16_000.0, (100.0, 5000.0)
CLASSES = ("healthy", "myopathy", "neuropathy")
EDGES_HZ = (100, 200, 350, 600, 1000, 1600, 2500, 3500, 5000)
GAIN_FREE = ("spectrum", "turns", "spikes", "envelope")
SEED, SITES, TAKES, SECONDS = 20, 8, 2, 5.0
RESAMPLES = 2000


@dataclass
class Table:
    """Features of recordings, one row each."""

    values: np.ndarray
    names: list[str]
    family: np.ndarray
    person: np.ndarray
    label: np.ndarray
    place: np.ndarray
    stretch: np.ndarray  # of the membrane potential, mm; NaN where measured

    def of(self, families: tuple[str, ...]) -> np.ndarray:
        return self.values[:, np.isin(self.family, families)]

    def rows(self, mask: np.ndarray) -> Table:
        return Table(
            self.values[mask], self.names, self.family,
            self.person[mask], self.label[mask], self.place[mask], self.stretch[mask],
        )  # fmt: skip


def prepared(samples: np.ndarray, fs_hz: float) -> np.ndarray:
    x = np.asarray(samples, float)
    if fs_hz != FS_HZ:
        x = resample_poly(x, 125, round(fs_hz / FS_HZ * 125))
    x = sosfiltfilt(butter(2, BAND_HZ, "bandpass", fs=FS_HZ, output="sos"), x)
    return x[: round(4.9 * FS_HZ)]


@njit(cache=False)
def turning(x, threshold):
    """Samples of the turns; as in myograph.features.interference."""
    found = np.empty(len(x), np.int64)
    n = low = high = direction = 0
    for i in range(len(x)):
        if x[i] < x[low]:
            low = i
        if x[i] > x[high]:
            high = i
        if direction >= 0 and i > high and x[high] - x[i] >= threshold:
            if direction > 0:
                found[n] = high
                n += 1
            direction, low = -1, i
        elif direction <= 0 and i > low and x[i] - x[low] >= threshold:
            if direction < 0:
                found[n] = low
                n += 1
            direction, high = 1, i
    return found[:n]


def turn_measures(x: np.ndarray, threshold: float) -> tuple[float, float, float, float]:
    """Turns a second, mean segment, its variation, median length in ms."""
    at = turning(x, threshold)
    if len(at) < 3:
        return 0.0, threshold, 0.0, 50.0
    heights, lengths = np.abs(np.diff(x[at])), np.diff(at) / FS_HZ * 1000
    rate = len(at) / (len(x) / FS_HZ)
    return rate, heights.mean(), heights.std() / heights.mean(), float(np.median(lengths))


def describe(x: np.ndarray) -> dict[str, dict[str, float]]:
    """Features of one prepared recording, by family."""
    scale = x.std()
    y = x / scale
    frequency, power = welch(y, FS_HZ, nperseg=2048)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    total, f, p = power[inside].sum(), frequency[inside], power[inside]
    spectrum = {
        f"log share {a}-{b} Hz": float(np.log(p[(f >= a) & (f < b)].sum() / total + 1e-6))
        for a, b in itertools.pairwise(EDGES_HZ)
    }
    spectrum["log centroid"] = float(np.log((f * p).sum() / total))
    spectrum["log median frequency"] = float(np.log(f[np.searchsorted(np.cumsum(p), total / 2)]))
    turns = {}
    for k in (0.25, 0.5, 1.0, 2.0):
        rate, mean, spread, length = turn_measures(y, k)
        turns[f"log rate, {k} sd"] = float(np.log(rate + 1))
        turns[f"log segment, {k} sd"] = float(np.log(mean))
        turns[f"variation, {k} sd"] = spread
        turns[f"log length, {k} sd"] = float(np.log(length))
    size = np.abs(y)
    spikes = {"log kurtosis": float(np.log(np.mean(y**4)))}
    for q in (0.25, 0.5, 0.9, 0.99, 0.999):
        spikes[f"log quantile {q}"] = float(np.log(np.quantile(size, q) + 1e-3))
    peaks, found = find_peaks(size, height=3.0, distance=round(0.003 * FS_HZ))
    spikes["log peak rate"] = float(np.log(len(peaks) / (len(x) / FS_HZ) + 0.2))
    if len(peaks) > 2:
        width_ms = peak_widths(size, peaks, rel_height=0.5)[0] / FS_HZ * 1000
        heights = found["peak_heights"]
        spikes["log width"] = float(np.log(np.median(width_ms)))
        spikes["variation of heights"] = float(heights.std() / heights.mean())
    else:
        spikes["log width"], spikes["variation of heights"] = 0.0, 0.0
    slow = sosfiltfilt(butter(2, 60.0, fs=FS_HZ, output="sos"), size)
    envelope = {"variation": float(slow.std() / slow.mean())}
    slow = (slow - slow.mean()) / slow.std()
    for lag_ms in (5, 10, 20, 40, 80, 120):
        lag = round(lag_ms / 1000 * FS_HZ)
        envelope[f"autocorrelation {lag_ms} ms"] = float(np.mean(slow[lag:] * slow[:-lag]))
    rate, mean, _, _ = turn_measures(x, 100.0)
    absolute = {
        "log rms": float(np.log(scale)),
        "log turns, 100 uV": float(np.log(rate + 1)),
        "log segment, 100 uV": float(np.log(mean)),
    }
    return {
        "spectrum": spectrum, "turns": turns, "spikes": spikes, "envelope": envelope,
        "absolute": absolute,
    }  # fmt: skip


def table_of(rows: list[tuple[np.ndarray, str, str, str, float]]) -> Table:
    """Rows of prepared samples, person, label, place, stretch of the membrane potential."""
    found = [describe(x) for x, *_ in rows]
    names = [f"{family}: {name}" for family, kept in found[0].items() for name in kept]
    family = np.array([family for family, kept in found[0].items() for _ in kept])
    values = np.array([[v for kept in item.values() for v in kept.values()] for item in found])
    columns = (np.array([row[k] for row in rows]) for k in (1, 2, 3, 4))
    return Table(values, names, family, *columns)


def simulated(folder: Path, people: int, jobs: int) -> Table:
    if not (folder / "cohort.json").exists() or not json.loads(
        (folder / "cohort.json").read_text()
    ).get("complete"):
        simulate_cohort(
            "needle", folder, people=people, seconds=SECONDS, seed=SEED, n_sites=SITES,
            takes=TAKES, fs_hz=FS_HZ, jobs=jobs,
        )  # fmt: skip
    rows, stretches = [], stretch_of(folder)
    for recording in open_folder(folder).recordings:
        condition = recording.subject.condition.removeprefix("simulated: ")
        x = prepared(recording.samples[0], recording.fs_hz)
        rows.append((x, recording.subject.pseudonym, condition, recording.site, np.nan))
    table = table_of(rows)
    return replace(table, stretch=np.array([stretches[name] for name in table.person]))


def stretch_of(folder: Path) -> dict[str, float]:
    """Stretch of every simulated person's membrane potential, from the truth beside the signals."""
    found = {}
    for file in sorted((folder / "truth").rglob("*.json")):
        labels = json.loads(file.read_text(encoding="utf-8"))["labels"]
        found[labels["person"]["pseudonym"]] = float(labels["action_mm"])
    return found


def measured() -> Table:
    rows = []
    for recording in load("needle-nmd").recordings:
        x = prepared(recording.samples[0], recording.fs_hz)
        who = recording.subject
        muscle = recording.layout.channels[0].muscle
        rows.append((x, who.pseudonym, who.condition, muscle, np.nan))
    return table_of(rows)


CANDIDATES = {
    **{
        f"logistic, C {c:g}": lambda c=c: make_pipeline(
            StandardScaler(), LogisticRegression(C=c, max_iter=5000, class_weight="balanced")
        )
        for c in (0.01, 0.1, 1.0)
    },
    "random forest": lambda: RandomForestClassifier(
        300, min_samples_leaf=3, class_weight="balanced", random_state=0, n_jobs=1
    ),
}
FAMILIES = {
    **{name: (name,) for name in GAIN_FREE},
    "all but spectrum": tuple(name for name in GAIN_FREE if name != "spectrum"),
    "all gain-free": GAIN_FREE,
    "all, with absolute": (*GAIN_FREE, "absolute"),
}


@dataclass
class People:
    """One row a person: mean log probabilities of their recordings."""

    names: np.ndarray
    truth: np.ndarray
    scores: np.ndarray

    @property
    def called(self) -> np.ndarray:
        return np.array(CLASSES)[self.scores.argmax(1)]

    def balanced(self, rows: np.ndarray | slice = slice(None)) -> float:
        return float(balanced_accuracy_score(self.truth[rows], self.called[rows]))

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """Over people, drawn within their class."""
        rng = np.random.default_rng(seed)
        groups = [np.flatnonzero(self.truth == c) for c in CLASSES]
        drawn = [
            self.balanced(np.concatenate([g[rng.integers(len(g), size=len(g))] for g in groups]))
            for _ in range(RESAMPLES)
        ]
        low, high = np.quantile(drawn, [0.025, 0.975])
        return float(low), float(high)


def people_of(model: object, table: Table, families: tuple[str, ...]) -> People:
    probability = model.predict_proba(table.of(families))
    order = [list(model.classes_).index(c) for c in CLASSES]
    log = np.log(probability[:, order] + 1e-9)
    names = np.unique(table.person)
    scores = np.stack([log[table.person == n].mean(0) for n in names])
    truth = np.array([table.label[table.person == n][0] for n in names])
    return People(names, truth, scores)


def choose(learn: Table, held: Table) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Every candidate across the lengths of membrane potentials; the best gain-free one."""
    short = learn.stretch < np.median(learn.stretch)
    found = []
    for families, chosen in FAMILIES.items():
        for name in CANDIDATES:
            item: dict[str, object] = {"features": families, "model": name}
            across = [
                people_of(fitted(learn.rows(a), item), learn.rows(~a), chosen).balanced()
                for a in (short, ~short)
            ]
            item["across lengths"] = float(np.mean(across))
            item["simulated, not learned from"] = people_of(
                fitted(learn, item), held, chosen
            ).balanced()
            found.append(item)
    able = [item for item in found if item["features"] != "all, with absolute"]
    return found, max(able, key=lambda item: item["across lengths"])


def fitted(train: Table, item: dict[str, object]) -> object:
    chosen = FAMILIES[str(item["features"])]
    return CANDIDATES[str(item["model"])]().fit(train.of(chosen), train.label)


def told(people: People) -> dict[str, object]:
    low, high = people.interval()
    pairs = {}
    for a, b in (("healthy", "neuropathy"), ("healthy", "myopathy"), ("myopathy", "neuropathy")):
        rows = np.isin(people.truth, (a, b))
        i, j = CLASSES.index(a), CLASSES.index(b)
        margin = people.scores[rows, j] - people.scores[rows, i]
        pairs[f"{a} or {b}"] = float(roc_auc_score(people.truth[rows] == b, margin))
    return {
        "people": len(people.names),
        "balanced accuracy": people.balanced(),
        "low": low,
        "high": high,
        "chance": 1 / 3,
        "AUC of pairs": pairs,
        "confusion (rows truth)": confusion_matrix(
            people.truth, people.called, labels=CLASSES
        ).tolist(),
        "classes": list(CLASSES),
    }


def mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy, Gaussian kernel of the median distance."""
    both = np.concatenate([a, b])
    both = (both - both.mean(0)) / (both.std(0) + 1e-12)
    square = ((both[:, None] - both[None]) ** 2).sum(2)
    kernel = np.exp(-square / np.median(square[square > 0]))
    n, m = len(a), len(b)
    np.fill_diagonal(kernel, 0.0)
    within = kernel[:n, :n].sum() / n / (n - 1) + kernel[n:, n:].sum() / m / (m - 1)
    return float(within - 2 * kernel[:n, n:].mean())


def gap(ours: Table, theirs: Table) -> dict[str, object]:
    """How simulated and measured people differ, family by family, and feature by feature."""
    families, found = {}, {}
    person = np.concatenate([ours.person, theirs.person])
    real = np.r_[np.zeros(len(ours.person)), np.ones(len(theirs.person))]
    forest = RandomForestClassifier(
        200, min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    rng = np.random.default_rng(0)
    for name, chosen in {**FAMILIES, "absolute": ("absolute",)}.items():
        a, b = ours.of(chosen), theirs.of(chosen)
        values = np.concatenate([a, b])
        score = cross_val_predict(
            forest, values, real, groups=person, cv=GroupKFold(5), method="predict_proba"
        )[:, 1]
        half = rng.permutation(len(b))
        families[name] = {
            "AUC, simulated or measured": float(roc_auc_score(real, score)),
            "MMD": mmd(a, b),
            "MMD between halves of the measured": mmd(b[half[::2]], b[half[1::2]]),
        }
    for k, name in enumerate(ours.names):
        a, b = ours.values[:, k], theirs.values[:, k]
        sd = b.std() + 1e-12
        found[name] = {
            "distance, measured sd": float(wasserstein_distance(a, b) / sd),
            "simulated": [float(a.mean()), float(a.std())],
            "measured": [float(b.mean()), float(b.std())],
        }
    return {"families": families, "features": found}


def aligned(table: Table) -> Table:
    """Each feature standardised among the people of its own source: no label is used."""
    values = (table.values - table.values.mean(0)) / (table.values.std(0) + 1e-12)
    return replace(table, values=values)


def with_alignment(ours: Table, theirs: Table, best: dict[str, object]) -> dict[str, object]:
    """The chosen candidate after alignment; added after the headline had been seen."""
    people = np.unique(ours.person)
    learn = np.isin(ours.person, people[: 2 * len(people) // 3])
    model = fitted(aligned(ours.rows(learn)), best)
    return told(people_of(model, aligned(theirs), FAMILIES[str(best["features"])]))


def directions(ours: Table, theirs: Table) -> dict[str, object]:
    """Whether diseases move each feature the same way in both, in standard deviations."""
    moved = {}
    for label in ("neuropathy", "myopathy"):
        shift = []
        for table in (ours, theirs):
            healthy = table.values[table.label == "healthy"]
            shift.append((table.values[table.label == label].mean(0) - healthy.mean(0))
                         / (healthy.std(0) + 1e-12))  # fmt: skip
        moved[label] = {
            "correlation of the shifts": float(np.corrcoef(*shift)[0, 1]),
            "same direction": float(np.mean(np.sign(shift[0]) == np.sign(shift[1]))),
            "shifts": {n: [float(a), float(b)] for n, a, b in zip(ours.names, *shift, strict=True)},
        }
    return moved


def cloud(table: Table) -> dict[str, list[list[float]]]:
    """Turns a second and mean amplitude between turns (uV) of each recording, by condition."""
    turns = np.exp(table.values[:, table.names.index("absolute: log turns, 100 uV")]) - 1
    height = np.exp(table.values[:, table.names.index("absolute: log segment, 100 uV")])
    return {
        label: [
            [round(float(t), 1), round(float(h), 1)]
            for t, h, c in zip(turns, height, table.label, strict=True)
            if c == label and t > 3
        ]
        for label in CLASSES
    }


def report_of(ours: Table, theirs: Table) -> dict[str, object]:
    people = np.unique(ours.person)
    learn = np.isin(ours.person, people[: 2 * len(people) // 3])
    train, held = ours.rows(learn), ours.rows(~learn)
    candidates, best = choose(train, held)
    best = dict(best)
    families = FAMILIES[str(best["features"])]
    model = fitted(train, best)
    headline = told(people_of(model, theirs, families))
    by_muscle = {
        str(place): told(people_of(model, theirs.rows(theirs.place == place), families))
        for place in np.unique(theirs.place)
    }
    for item in candidates:
        chosen = FAMILIES[str(item["features"])]
        item["measured"] = people_of(fitted(train, item), theirs, chosen).balanced()
        item["chosen"] = item["features"] == best["features"] and item["model"] == best["model"]
    return {
        "what": "engineering verification: a model of simulated people on measured ones",
        "simulated": {
            "people": len(people), "learned from": int(2 * len(people) // 3), "sites": SITES,
            "recordings": len(ours.person), "seed": SEED,
        },
        "chosen on simulated people": best,
        "on simulated people not learned from": told(people_of(model, held, families)),
        "on measured people": headline,
        "on measured people, by muscle": by_muscle,
        "on measured people, sources aligned without labels": with_alignment(ours, theirs, best),
        "candidates (measured: for information, not chosen by)": candidates,
        "turns and amplitude, 100 uV, 100 Hz to 5 kHz": {
            "simulated": cloud(ours),
            "measured": cloud(theirs),
        },
        "domain gap": gap(ours, theirs),
        "what diseases do to features": directions(ours, theirs),
    }  # fmt: skip


def picture(folder: Path, file: Path) -> None:
    """Two seconds of simulated and measured signals side by side, two a condition."""
    from matplotlib.figure import Figure

    ours = [
        (r.subject.condition.removeprefix("simulated: "), r) for r in open_folder(folder).recordings
    ]
    theirs = [(r.subject.condition, r) for r in load("needle-nmd").recordings]
    figure = Figure(figsize=(16, 9), layout="constrained")
    panels = figure.subplots(2 * len(CLASSES), 2, sharex=True)
    for column, (source, items) in enumerate((("simulated", ours), ("measured", theirs))):
        for row, label in enumerate(np.repeat(CLASSES, 2)):
            chosen = [recording for name, recording in items if name == label]
            recording = chosen[(row % 2) * (len(chosen) // 2)]
            x = prepared(recording.samples[0], recording.fs_hz)[: round(2 * FS_HZ)]
            axes = panels[row, column]
            axes.plot(np.arange(len(x)) / FS_HZ, x, linewidth=0.4)
            axes.set_title(f"{source}, {label}, {x.std():.0f} µV RMS", fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=60)


def show(report: dict[str, object]) -> None:
    best = report["chosen on simulated people"]
    print(f"chosen: {best['features']}, {best['model']}")
    for what in ("on simulated people not learned from", "on measured people"):
        row = report[what]
        print(
            f"{what:40s} balanced accuracy {row['balanced accuracy']:.3f} "
            f"[{row['low']:.3f}, {row['high']:.3f}] over {row['people']} people, chance 0.333"
        )
    for pair, auc in report["on measured people"]["AUC of pairs"].items():
        print(f"  {pair:28s} AUC {auc:.3f}")
    print("domain gap:")
    for name, row in report["domain gap"]["families"].items():
        print("  " + f"{name:20s}" + ", ".join(f"{k} {v:.3f}" for k, v in row.items()))
    for label, row in report["what diseases do to features"].items():
        print(f"{label}: shifts correlate {row['correlation of the shifts']:.2f}, "
              f"same direction {row['same direction']:.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=90)
    parser.add_argument("--cohort", type=Path, default=Path("sim-to-real-cohort"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    ours = simulated(options.cohort, options.people, options.jobs)
    report = {**report_of(ours, measured()), "seconds": round(time.perf_counter() - begin, 1)}
    show(report)
    if options.picture:
        picture(options.cohort, options.picture)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
