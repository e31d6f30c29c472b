"""The pictures of docs/reference/twin-validation.md, from benchmarks/results/twin_*.json."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

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
    figure = Figure(figsize=(6.5, 0.3 * len(names) + 1.2), layout="constrained")
    deviations(figure.subplots(), names, z, fitted)
    save(figure, path)


def jitter(results: Results, path: Path) -> None:
    rows = results["pathology"]["junctions"]
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(rows))[::-1]
    axes.barh(y, [row["MCD us"] for row in rows.values()], color=OURS, height=0.6)
    axes.axvspan(10.6, 24.7, color=BAND, alpha=0.12, label="15 to 35 µs for a pair, over √2")
    axes.axvline(27, color=BAND, linewidth=1, linestyle="--", label="limit of a mean, 27 µs")
    axes.set(
        yticks=y, yticklabels=list(rows), xlabel="stimulated jitter of one end-plate, MCD (µs)"
    )
    axes.legend(fontsize=7)
    save(figure, path)


def diseases(results: Results, path: Path) -> None:
    rows = results["pathology"]["potentials"]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, row in rows.items():
        change = {
            m: row[m]["against healthy"] for m in ("amplitude_uv", "duration_ms", "size_index")
        }
        neurogenic = any(word in name for word in ("ALS", "SMA", "polio", "age"))
        colour = STATES["neuropathy" if neurogenic else "myopathy"]
        colour = STATES["healthy"] if name == "healthy" else colour
        left.plot(change["amplitude_uv"], change["duration_ms"], "o", color=colour)
        left.annotate(
            name.split(",")[0], (change["amplitude_uv"], change["duration_ms"]), fontsize=7,
            xytext=(3, 3), textcoords="offset points",
        )  # fmt: skip
        right.plot(change["size_index"], row["turns"]["against healthy"], "o", color=colour)
    box = ([0.4, 0.9], [0.7, 0.7], [0.9, 0.9])
    left.fill_between(*box, color=STATES["myopathy"], alpha=0.12, label="published, myopathic")
    left.plot(1.6, 1.3, "x", color=STATES["neuropathy"], label="published, ALS")
    left.legend(fontsize=7, loc="upper left")
    left.axhline(1, color="0.7", linewidth=0.8)
    left.axvline(1, color="0.7", linewidth=0.8)
    left.set(xlabel="amplitude, times healthy", ylabel="duration, times healthy", xscale="log")
    right.axvspan(-0.9, 0, color=STATES["myopathy"], alpha=0.08, label="published, myopathic")
    right.axvline(0.6, color=STATES["neuropathy"], linewidth=1, label="published, ALS")
    right.set(xlabel="size index minus healthy", ylabel="turns, times healthy")
    save(figure, path)


def clouds(results: Results, path: Path) -> None:
    points = results["sim_to_real"]["turns and amplitude, 100 uV, 100 Hz to 5 kHz"]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    for axes, source in zip(figure.subplots(1, 2, sharex=True, sharey=True), points, strict=True):
        for label, pairs in points[source].items():
            turns, height = np.array(pairs).T
            axes.plot(turns, height, ".", color=STATES[label], alpha=0.6, label=label)
        axes.set(title=source, xlabel="turns per second", xscale="log", yscale="log")
    figure.axes[0].set_ylabel("mean amplitude between turns (µV)")
    figure.axes[0].legend(fontsize=7)
    save(figure, path)


def rates(results: Results, path: Path) -> None:
    rows = results["pool"]["rows"]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes_of = figure.subplots(1, 3)
    wanted = ("mean rate at", "rate of the first units at", "CV at")
    titles = ("mean rate (Hz), fitted", "first units (Hz), fitted", "CV of intervals, not fitted")
    for axes, start, title in zip(axes_of, wanted, titles, strict=True):
        found = [row for row in rows if row["what"].startswith(start)]
        force = [float(re.search(r"(\d+) %", row["what"])[1]) for row in found]
        axes.plot(force, [row["ours"] for row in found], "o-", color=OURS, label="simulated")
        axes.plot(force, [row["reference"] for row in found], "s--", color=THEIRS, label="measured")
        axes.set(title=title, xlabel="% of the maximum", ylim=(0, None))
    axes_of[0].legend(fontsize=7)
    save(figure, path)


def spectra(results: Results, path: Path) -> None:
    rows = results["surface"]["rows"]
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    y = np.arange(len(rows))[::-1]
    axes.axvspan(60, 130, color=BAND, alpha=0.12, label="usual median frequencies")
    axes.plot([row["median_hz"] for row in rows.values()], y, "o", color=OURS, label="median")
    axes.plot(
        [row["mean_hz"] for row in rows.values()], y, "|", color=OURS, markersize=9, label="mean"
    )
    axes.set(yticks=y, yticklabels=list(rows), xlabel="frequency (Hz)", xlim=(0, 160))
    axes.legend(fontsize=7)
    save(figure, path)


def fatigue(results: Results, path: Path) -> None:
    row = results["contraction"]["held to exhaustion"]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    share = np.arange(5, 100, 10)
    left.plot(share, row["median frequency, relative"], "o-", color=OURS, label="median frequency")
    left.plot(share, row["amplitude, relative"], "s-", color="0.4", label="amplitude")
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
    axes.plot([0, 100], [0, 100], color="0.7", linewidth=0.8)
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
