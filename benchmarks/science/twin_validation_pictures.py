"""The pictures of docs/reference/twin-validation.md, from benchmarks/results/twin_*.json."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

mpl.rcParams.update({"svg.hashsalt": "myograph", "font.size": 9, "svg.fonttype": "none"})
OURS, THEIRS, BAND = "#00796b", "#d81b60", "#d81b60"
STATES = {"healthy": "#455a64", "neuropathy": "#1976d2", "myopathy": "#e64a19"}
Results = dict[str, Any]


def save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    # One newline at the end and no spaces before it: what the checks of the repository want.
    text = "\n".join(line.rstrip() for line in path.read_text().splitlines()) + "\n"
    path.write_text(text, encoding="utf-8")


def split(reference: object) -> tuple[float, float] | None:
    """Mean and standard deviation of a text like ``10.2 ± 3.6``."""
    found = re.match(r"^([\d.]+) ± ([\d.]+)$", str(reference))
    return (float(found[1]), float(found[2])) if found else None


def deviations(axes: Any, names: list[str], z: list[float], fitted: list[bool]) -> None:
    """Distances from the reference in its standard deviations, one row each."""
    y = np.arange(len(names))[::-1]
    axes.axvspan(-1, 1, color=BAND, alpha=0.12, label="reference ± 1 SD")
    axes.axvline(0, color=BAND, linewidth=1)
    for mark, kind, face in ((True, "fitted", "white"), (False, "not fitted", OURS)):
        rows = [i for i, f in enumerate(fitted) if f is mark]
        axes.plot([z[i] for i in rows], y[rows], "o", color=OURS, markerfacecolor=face, label=kind)
    axes.set(yticks=y, yticklabels=names, xlabel="simulated minus reference, in reference SDs")
    axes.set_xlim(min(-2.2, min(z) - 0.3), max(2.2, max(z) + 0.3))
    axes.legend(loc="lower right", fontsize=7)


def needle(results: Results, path: Path) -> None:
    reference = results["needle"]["measured TA controls"]
    row = results["needle"]["rows"]["simulated TA, normal"]
    names, z, fitted = [], [], []
    for measure, (mean, sd) in reference.items():
        if sd:
            names.append(f"TA {measure.split('_')[0]}")
            z.append((row[measure]["mean"] - mean) / sd)
            fitted.append(True)
    frozen = results.get("contraction", {}).get("needle, settings of the tibialis frozen", {})
    for muscle, found in frozen.items():
        for measure, (mean, sd) in found["measured"].items():
            names.append(f"{muscle} {measure.split('_')[0]}")
            z.append((found[measure]["mean"] - mean) / sd)
            fitted.append(False)
    figure = Figure(figsize=(9, 0.3 * len(names) + 1.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(3.2, 1, 1.2))
    deviations(left, names, z, fitted)
    known = reference["thickness_ms"][0]
    middle.bar([0], [row["thickness_ms"]["mean"]], color=OURS, width=0.6)
    middle.bar([1], [known], color=THEIRS, width=0.6)
    middle.set(xticks=[0, 1], xticklabels=["simulated", "measured"], ylabel="TA thickness (ms)")
    muscles = {"TA": row, **frozen}
    share = [100 * found["share with at most 4 phases"] for found in muscles.values()]
    right.bar(list(muscles), share, color=OURS, width=0.6)
    right.axhline(85, color=BAND, linestyle="--", linewidth=1, label="goal, 85 %")
    right.set(ylabel="units with at most 4 phases (%)", ylim=(0, 119))
    right.legend(fontsize=7, loc="upper right")
    save(figure, path)


def jitter(results: Results, path: Path) -> None:
    rows = results["pathology"]["junctions"]
    pairs = {row["what"]: row["ours"] for row in results["nerve"]["rows"]}
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, axes = figure.subplots(1, 2, width_ratios=(1.3, 3))
    left.axhspan(15, 35, color=BAND, alpha=0.12, label="mean, 15 to 35 µs")
    left.axhspan(38, 45, color="0.5", alpha=0.2, label="limits of pairs, 38 to 45 µs")
    found = [pairs[f"voluntary pair MCD, {what}"] for what in ("mean", "95th centile")]
    left.plot([0, 1], found, "o", color=OURS, label="simulated")
    left.set(
        xticks=[0, 1], xticklabels=["mean", "95th\ncentile"], xlim=(-0.6, 1.6), ylim=(0, 60),
        ylabel="healthy pairs, voluntary, MCD (µs)",
    )  # fmt: skip
    left.legend(fontsize=7, loc="upper left")
    y = np.arange(len(rows))[::-1]
    axes.barh(y, [row["MCD us"] for row in rows.values()], color=OURS, height=0.6)
    axes.axvspan(10.6, 24.7, color=BAND, alpha=0.12, label="15 to 35 µs for a pair, over √2")
    axes.axvline(27, color=BAND, linewidth=1, linestyle="--", label="limit of a mean, 27 µs")
    axes.set(
        yticks=y, yticklabels=list(rows), xlabel="stimulated jitter of one end-plate, MCD (µs)"
    )
    axes.legend(fontsize=7)
    save(figure, path)


def published(text: str) -> dict[str, tuple[float, ...]]:
    """Ratios of a sentence such as ``amplitude x2.2 (1.4 to 3.3), duration x1.40``."""
    found = re.search(r"amplitude x([\d.]+) \(([\d.]+) to ([\d.]+)\), duration x([\d.]+)", text)
    index = re.search(r"size index ([+-][\d.]+)", text)
    if not found or not index:
        raise ValueError(f"no ratios in {text!r}")
    return {
        "amplitude": tuple(float(found[k]) for k in (1, 2, 3)),
        "duration": (float(found[4]),),
        "size index": (float(index[1]),),
    }


def diseases(results: Results, path: Path) -> None:
    rows, expected = results["pathology"]["potentials"], results["pathology"]["expected"]
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, row in rows.items():
        change = {
            m: row[m]["against healthy"] for m in ("amplitude_uv", "duration_ms", "size_index")
        }
        neurogenic = any(word in name for word in ("ALS", "SMA", "polio", "age"))
        colour = STATES["neuropathy" if neurogenic else "myopathy"]
        colour = STATES["healthy"] if name == "healthy" else colour
        places = (
            (left, change["amplitude_uv"], change["duration_ms"]),
            (right, change["size_index"], change["duration_ms"]),
        )
        word = ",".join(name.split(",")[: 2 if name.startswith("ALS") else 1])
        for axes, x, y in places:
            axes.plot(x, y, "o", color=colour)
            above = word in ("myositis", "ALS, 50 % lost")
            axes.annotate(
                word, (x, y), fontsize=7, xytext=(4, 4 if above else -9),
                textcoords="offset points",
            )  # fmt: skip
    for key, colour, words in (
        ("ALS", STATES["neuropathy"], "people, motor neuron disease"),
        ("DMD", STATES["myopathy"], "people, myopathy"),
    ):
        told = published(expected[key])
        (mean, low, high), (duration,) = told["amplitude"], told["duration"]
        left.errorbar(
            [mean], [duration], xerr=[[mean - low], [high - mean]], fmt="X", color=colour,
            markersize=8, capsize=3, alpha=0.7, label=words,
        )  # fmt: skip
        right.plot(
            *told["size index"], duration, "X", color=colour, markersize=8, alpha=0.7, label=words
        )
    for axes, x in ((left, 1), (right, 0)):
        axes.axhline(1, color="0.7", linewidth=0.8)
        axes.axvline(x, color="0.7", linewidth=0.8)
        axes.legend(fontsize=7, loc="upper left")
        axes.set(ylabel="duration, times healthy", ylim=(0.7, 1.55))
    left.set(xlabel="amplitude, times healthy", xscale="log", xlim=(0.25, 4.5))
    plain(left.xaxis, [0.3, 0.5, 1, 2, 4])
    right.set(xlabel="size index minus healthy", xlim=(-0.8, 1.1))
    save(figure, path)


def plain(axis: Any, ticks: list[float]) -> None:
    """Ticks of a logarithmic axis as plain numbers."""
    axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.set_minor_formatter(NullFormatter())


def clouds(results: Results, path: Path) -> None:
    points = results["sim_to_real"]["turns and amplitude, 100 uV, 100 Hz to 5 kHz"]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    for axes, source in zip(figure.subplots(1, 2, sharex=True, sharey=True), points, strict=True):
        for label, pairs in points[source].items():
            turns, height = np.array(pairs).T
            axes.plot(turns, height, ".", color=STATES[label], alpha=0.6, label=label)
        axes.set(title=source, xlabel="turns per second", xscale="log", yscale="log")
        plain(axes.xaxis, [10, 30, 100, 300, 1000])
        plain(axes.yaxis, [200, 500, 1000, 2000])
    figure.axes[0].set_ylabel("mean amplitude between turns (µV)")
    figure.axes[0].legend(fontsize=7)
    save(figure, path)


def rates(results: Results, path: Path) -> None:
    rows = results["pool"]["rows"]
    figure = Figure(figsize=(10.5, 3.2), layout="constrained")
    *axes_of, last = figure.subplots(1, 4)
    wanted = ("mean rate at", "rate of the first units at", "CV at")
    titles = ("mean rate (Hz), fitted", "first units (Hz), fitted", "CV of intervals, not fitted")
    for axes, start, title in zip(axes_of, wanted, titles, strict=True):
        found = [row for row in rows if row["what"].startswith(start)]
        force = [float(re.search(r"(\d+) %", row["what"])[1]) for row in found]
        axes.plot(force, [row["ours"] for row in found], "o-", color=OURS, label="simulated")
        axes.plot(force, [row["reference"] for row in found], "s--", color=THEIRS, label="measured")
        axes.set(title=title, xlabel="% of the maximum", ylim=(0, None))
    axes_of[0].legend(fontsize=7)
    found = [row for row in rows if row["table"] == "recruitment"]
    names = [re.search(r"(\d+th centile|median|highest)", row["what"])[1] for row in found]
    last.plot(names, [row["ours"] for row in found], "o-", color=OURS)
    last.plot(names, [row["reference"] for row in found], "s--", color=THEIRS)
    last.set(title="thresholds (%), not fitted", xlabel="of the units", ylim=(0, None))
    last.tick_params("x", labelsize=7)
    save(figure, path)


def spectra(results: Results, path: Path) -> None:
    rows = results["surface"]["rows"]
    people = results["surface"].get("measured", {})
    figure = Figure(figsize=(7, 4.6), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(rows))[::-1]
    axes.axvspan(60, 130, color=BAND, alpha=0.12, label="usual medians (recalled)")
    axes.plot([row["median_hz"] for row in rows.values()], y, "o", color=OURS, label="median")
    axes.plot(
        [row["mean_hz"] for row in rows.values()], y, "|", color=OURS, markersize=9, label="mean"
    )
    names = list(rows)
    for k, (muscle, row) in enumerate(people.items()):
        mean, sd = row["median_hz"]
        label = "median, measured ± SD of people" if k == 0 else None
        axes.errorbar([mean], [-1 - k], xerr=[sd], fmt="s", color=THEIRS, capsize=3, label=label)
        axes.plot(row["mean_hz"][0], -1 - k, "|", color=THEIRS, markersize=9)
        names.append(f"measured {muscle}, {row['people']} people")
    places = [*y, *(-1 - k for k in range(len(people)))]
    axes.set(yticks=places, yticklabels=names, xlabel="frequency (Hz)", xlim=(0, 160))
    axes.legend(fontsize=7, loc="upper left")
    save(figure, path)


def fatigue(results: Results, path: Path) -> None:
    row = results["contraction"]["held to exhaustion"]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    share = np.arange(5, 100, 10)
    left.plot(share, row["median frequency, relative"], "o-", color=OURS, label="median frequency")
    left.plot(share, row["amplitude, relative"], "s-", color="0.4", label="amplitude")
    if measured := results["contraction"].get("measured: fatigue-liu"):
        falls = [1 + min(v) / 100 for v in next(iter(measured.values())).values()]
        middle = float(np.mean(falls))
        left.errorbar(
            [95], [middle], yerr=[[middle - min(falls)], [max(falls) - middle]], fmt="s",
            color=THEIRS, capsize=3, label="median frequency, fatigue-liu\n(repeated contractions)",
        )  # fmt: skip
    left.axhline(1, color="0.8", linewidth=0.8)
    left.set(xlabel="% of the endurance time", ylabel="relative to the start")
    left.legend(fontsize=7)
    rows = [r for r in results["pool"]["rows"] if r["table"] == "endurance"]
    force = [float(re.search(r"(\d+) %", r["what"])[1]) for r in rows]
    bounds = [re.match(r"(\d+) \(joints (\d+) to (\d+)\)", r["reference"]) for r in rows]
    right.fill_between(
        force, [float(b[2]) for b in bounds], [float(b[3]) for b in bounds], color=BAND, alpha=0.12
    )
    right.plot(force, [float(b[1]) for b in bounds], "s--", color=THEIRS, label="published")
    right.plot(force, [r["ours"] for r in rows], "o-", color=OURS, label="simulated")
    right.set(xlabel="% of the maximum", ylabel="endurance (s)", yscale="log")
    right.legend(fontsize=7)
    save(figure, path)


def force(results: Results, path: Path) -> None:
    figure = Figure(figsize=(4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    colours = (OURS, "#5e35b1", "#fb8c00")
    for (name, row), colour in zip(
        results["contraction"]["force and surface amplitude"].items(), colours, strict=True
    ):
        axes.plot(
            100 * np.array(row["force"]), 100 * np.array(row["amplitude"]), "o-", color=colour,
            label=f"{name}, exponent {row['exponent']:.2f}",
        )  # fmt: skip
    axes.plot([0, 100], [0, 100], color=BAND, linewidth=0.8, label="proportional (FDI, published)")
    axes.set(xlabel="force (% of the maximum)", ylabel="mean rectified amplitude (%)")
    axes.legend(fontsize=7)
    save(figure, path)


def nerves(results: Results, path: Path) -> None:
    rows = [r for r in results["nerve"]["rows"] if split(r["reference"]) and r["table"] != "scan"]
    rows = [r for r in rows if r["table"] in ("motor", "late", "sensory")]
    z = [
        (float(r["ours"]) - mean) / sd
        for r, (mean, sd) in ((r, split(r["reference"])) for r in rows)
    ]
    figure = Figure(figsize=(6.5, 0.26 * len(rows) + 1.2), layout="constrained")
    deviations(figure.subplots(), [r["what"] for r in rows], z, [bool(r["fitted"]) for r in rows])
    save(figure, path)


def transfer(results: Results, path: Path) -> None:
    found = results["sim_to_real"]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    for k, (what, key) in enumerate(
        (("simulated,\nnot learned from", "on simulated people not learned from"),
         ("measured", "on measured people"))
    ):  # fmt: skip
        row = found[key]
        value = row["balanced accuracy"]
        error = [[value - row["low"]], [row["high"] - value]]
        left.errorbar([k], [value], yerr=error, fmt="o", color=(OURS, THEIRS)[k], capsize=4)
        left.annotate(what, (k, 0.02), ha="center", fontsize=8)
    left.axhline(1 / 3, color="0.5", linestyle="--", linewidth=1)
    left.annotate("chance", (-0.4, 0.35), fontsize=7)
    left.set(ylim=(0, 1), xlim=(-0.5, 1.5), xticks=[], ylabel="balanced accuracy over people")
    families = found["domain gap"]["families"]
    y = np.arange(len(families))[::-1]
    right.barh(
        y, [row["AUC, simulated or measured"] for row in families.values()], color=OURS, height=0.6
    )
    right.axvline(0.5, color="0.5", linestyle="--", linewidth=1)
    right.set(
        yticks=y, yticklabels=list(families), xlim=(0.4, 1.0),
        xlabel="AUC of telling simulated from measured",
    )  # fmt: skip
    save(figure, path)


#: File name to what draws it.
PICTURES: dict[str, Callable[[Results, Path], None]] = {
    "needle": needle,
    "jitter": jitter,
    "diseases": diseases,
    "clouds": clouds,
    "rates": rates,
    "spectra": spectra,
    "fatigue": fatigue,
    "force": force,
    "nerves": nerves,
    "transfer": transfer,
}
