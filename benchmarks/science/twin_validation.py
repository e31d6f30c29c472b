"""Write docs/reference/twin-validation.md and its pictures from benchmarks/results/twin_*.json.

    python benchmarks/science/twin_validation.py

What a result lacks is left out, and the page says so. Nothing is computed here.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import twin_validation_pictures as pictures

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "twin-validation.md"
FOLDER = PAGE.with_suffix("")
NAMES = (
    "needle", "pathology", "nerve", "pool", "surface", "contraction", "sim_to_real", "speed",
    "cohort_speed",
)  # fmt: skip
HEAD = ("what", "simulated", "reference", "source", "how")

INTRODUCTION = """# twin-validation

How near the simulated patient comes to measured people: engineering verification of the
simulator, never evidence about anybody. Every figure is written by
`benchmarks/science/twin_validation.py` from the results of the scripts beside it, which say how
each was obtained.

*Fitted* rows were looked at while parameters were chosen, so that agreement there is no evidence.
*Not fitted* rows were not. *Apart* says that a row lies more than one standard deviation away from
its reference, or beyond the bound or range that the reference gives. Sources are keys of
`references.bib` or names of data sets; "recalled" means that the figure was known and its source
not read again.
"""


def shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = HEAD) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(shown(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def verdict(ours: object, reference: object, *, fitted: bool) -> str:
    word = "fitted" if fitted else "not fitted"
    allowed = bounds(str(reference))
    if allowed is None or not isinstance(ours, int | float):
        return word
    return word if allowed[0] <= float(ours) <= allowed[1] else f"{word}, apart"


def bounds(reference: str) -> tuple[float, float] | None:
    """Where a reference wants a value: within one SD, a bound or a range; None when it is words."""
    found = pictures.split(reference)
    if found:
        return found[0] - found[1], found[0] + found[1]
    if found := re.match(r"^([≤<≥>]|above) ([\d.]+)", reference):
        least = found[1] in ("≥", ">", "above")
        return (float(found[2]), math.inf) if least else (-math.inf, float(found[2]))
    if "limits" in reference:
        return None
    if found := re.search(r"(?:^|\(joints )([\d.]+) to ([\d.]+)", reference):
        return float(found[1]), float(found[2])
    return None


def row(what: str, ours: object, reference: object, source: str, *, fitted: bool) -> list[object]:
    return [what, ours, reference, source, verdict(ours, reference, fitted=fitted)]


def with_sd(found: dict[str, Any]) -> str:
    spread = found.get("sd")
    return shown(found["mean"]) + ("" if spread is None else f" ± {shown(spread)}")


def needle_part(results: dict[str, Any]) -> str:
    ours = results["needle"]["rows"]["simulated TA, normal"]
    controls = "control table of a study of the tibialis anterior"
    units = {"amplitude_uv": "µV", "duration_ms": "ms", "area_uv_ms": "µV ms", "thickness_ms": "ms"}
    rows = []
    for name, (mean, sd) in results["needle"]["measured TA controls"].items():
        reference = f"{mean:g}" + (f" ± {sd:g}" if sd else "")
        words = f"tibialis, {name.split('_')[0]} {units.get(name, '')}".strip()
        found = row(words, ours[name]["mean"], reference, controls, fitted=True)
        found[1] = with_sd(ours[name])
        rows.append(found)
    share = 100 * ours["share with at most 4 phases"]
    rows.append(
        row(
            "tibialis, units with at most 4 phases, %",
            share,
            "≥ 85",
            "goal set for the simulator",
            fitted=True,
        )
    )
    frozen = results.get("contraction", {}).get("needle, settings of the tibialis frozen", {})
    for muscle, found in frozen.items():
        for name, (mean, sd) in found["measured"].items():
            words = f"{muscle}, {name.split('_')[0]} {units[name]}"
            line = row(
                words, found[name]["mean"], f"{mean:g} ± {sd:g}", "KNF guideline", fitted=False
            )
            line[1] = with_sd(found[name])
            rows.append(line)
        share = 100 * found["share with at most 4 phases"]
        words = f"{muscle}, units with at most 4 phases, %"
        rows.append(row(words, share, "≥ 85", "goal set for the simulator", fitted=False))
    for name, found in results["needle"]["rows"].items():
        if name.startswith("measured"):
            rows.append([
                f"averaged from {name.removeprefix('measured ')}, amplitude µV; duration ms", "-",
                f"{shown(found['amplitude_uv']['mean'])}; {shown(found['duration_ms']['mean'])}",
                "needle-n2001, measured by the same functions", "one recording each",
            ])  # fmt: skip
    return table(rows)


def jitter_part(results: dict[str, Any]) -> str:
    wanted = ("voluntary pair", "stimulated over", "MCD over", "decrement", "increment", "CMAP at")
    rows = [
        row(f"{r['what']} {r['unit']}", r["ours"], r["reference"], r["source"], fitted=r["fitted"])
        for r in results["nerve"]["rows"]
        if r["table"] == "junction" and r["what"].startswith(wanted)
    ]
    states = [
        (name, found["MCD us"], found["blocking"], found["fibre density"])
        for name, found in results["pathology"]["junctions"].items()
    ]
    head = ("state", "MCD of stimulated end-plates, µs", "blocking", "fibre density")
    return table(rows) + "\n\n" + table(states, head)


def disease_part(results: dict[str, Any]) -> str:
    found, expected = results["pathology"]["potentials"], results["pathology"]["expected"]
    rows = []
    for name, state in found.items():
        key = next((word for word in expected if word in name), "")
        rows.append((
            name, *(state[m]["against healthy"] for m in
                    ("amplitude_uv", "duration_ms", "area_uv_ms", "size_index")),
            1 - state["share with at most 4 phases"], expected.get(key, "-"),
        ))  # fmt: skip
    head = (
        "state (tibialis)", "amplitude ×", "duration ×", "area ×", "size index +", "> 4 phases",
        "published",
    )  # fmt: skip
    recruited = results["pathology"]["recruitment at a tenth of the healthy force"]
    drive = [
        (name, r["strength"], r["units"], r["active"], r["excitation"], r["top rate"])
        for name, r in recruited.items()
    ]
    more = ("state", "strength", "units alive", "active", "excitation needed", "fastest unit, Hz")
    text = (
        "Published are the ratios of 11 people with motor neuron disease and 11 with a myopathy to "
        "12 healthy ones, biceps, people's means (muap-table, pattichis1995); the directions hold "
        "in every row. Sizes that miss: units that lost neighbours grow less here than in people. "
        "A unit that holds two and a half times its fibres is not two and a half times as large at "
        "a needle, since what it adopted lies and fires a little elsewhere; how much of their "
        "units the measured people had lost is not known. Where the muscle is weak and the disease "
        "slow (spinal muscular atrophy, polio, axonal neuropathy) fibres of enlarged units also "
        "thicken, to twice the area at most (grimby2005). Rules of fibre diseases were chosen on "
        "two or three people with other seeds than these; those of myositis so that its "
        "potentials become shorter."
        "\n\n"
        "Recruitment for a tenth of the healthy force: with units lost fewer fire and faster, with "
        "fibres lost more fire and earlier; it follows from solving for the drive. Of the states "
        "of junctions those with myasthenia are older than the rest; no law of theirs has changed."
    )
    return f"{table(rows, head)}\n\n{text}\n\n{table(drive, more)}"


def cloud_part(results: dict[str, Any]) -> str:
    points = results["sim_to_real"]["turns and amplitude, 100 uV, 100 Hz to 5 kHz"]
    rows = []
    for label in ("healthy", "neuropathy", "myopathy"):
        line: list[object] = [label]
        for source in ("simulated", "measured"):
            turns, height = zip(*points[source][label], strict=True)
            line += [len(turns), median(turns), median(height)]
        rows.append(line)
    head = (
        "condition", "simulated recordings", "turns/s", "µV per turn", "measured recordings",
        "turns/s", "µV per turn",
    )  # fmt: skip
    return table(rows, head)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def pool_part(results: dict[str, Any], tables: Sequence[str]) -> str:
    return table(
        row(
            f"{r['what']} ({r['unit']})",
            r["ours"],
            shown(r["reference"]),
            r["source"],
            fitted=r["fitted"],
        )
        for r in results["pool"]["rows"]
        if r["table"] in tables
    )


def surface_part(results: dict[str, Any]) -> str:
    found, people = results["surface"]["rows"], results["surface"].get("measured", {})
    beside = []
    units = {"median_hz": ("median frequency, Hz", 1), "mean_hz": ("mean frequency, Hz", 1),
             "share_20_450_hz": ("power in 20 to 450 Hz, %", 100)}  # fmt: skip
    for name, (words, factor) in units.items():
        if "TA" in people:
            mean, sd = (factor * value for value in people["TA"][name])
            beside.append(row(
                f"TA, excitation 0.4, {words}", factor * found["TA, excitation 0.4"][name],
                f"{mean:.1f} ± {sd:.1f}",
                f"elderly-emg-force, TA of {people['TA']['people']} older adults, isometric",
                fitted=False,
            ))  # fmt: skip
    for muscle in ("BB", "FDI"):
        at = found[f"{muscle}, excitation 0.4"]
        beside.append(row(f"{muscle}, excitation 0.4, median frequency, Hz", at["median_hz"],
                          "60 to 130", "usual, recalled", fitted=False))  # fmt: skip
    for muscle in ("TA", "BB", "FDI"):
        slow = found[f"{muscle}, 0.4, velocity x 0.8"]["median_hz"]
        ratio = slow / found[f"{muscle}, excitation 0.4"]["median_hz"]
        beside.append(row(f"{muscle}, median frequency × when fibres conduct × 0.8", ratio,
                          "0.8", "in proportion to velocity (theory)", fitted=False))  # fmt: skip
    rows = [
        (name, r["rms_uv"], r["median_hz"], r["mean_hz"], 100 * r["share_20_450_hz"])
        for name, r in found.items()
    ]
    head = ("muscle and state", "RMS µV", "median Hz", "mean Hz", "power in 20 to 450 Hz, %")
    return table(beside) + "\n\nAll states, simulated:\n\n" + table(rows, head)


def fatigue_part(results: dict[str, Any]) -> str:
    found = results["contraction"]["held to exhaustion"]
    people = found["median frequency, % at the end"]["people"]
    rows = [
        row(
            f"median frequency at exhaustion, % (biceps, {len(people)} people)",
            found["median frequency, % at the end"]["mean"], "falls", "merletti1999", fitted=False,
        ),
        row("amplitude at exhaustion, %", found["amplitude, % at the end"], "rises", "recalled",
            fitted=False),
        row(
            "median frequency of the units' own potentials, %",
            found["median frequency of the unit potentials, %"],
            "falls with conduction velocity", "recalled", fitted=False,
        ),
    ]  # fmt: skip
    measured = results["contraction"].get("measured: fatigue-liu")
    if measured:
        falls = [min(v) for v in next(iter(measured.values())).values()]
        rows.append([
            "fatigue-liu, the channel of each person that falls most, %", "-",
            f"{sum(falls) / len(falls):.1f} ({min(falls):.1f} to {max(falls):.1f})",
            "fatigue-liu, six people, repeated contractions", "another task",
        ])  # fmt: skip
    return table(rows) + "\n\n" + pool_part(results, ("endurance",))


def force_part(results: dict[str, Any]) -> str:
    published = {"FDI": "about 1 (nearly linear)", "BB": "above 1", "TA": "-"}
    rows = [
        row(
            f"{name}: exponent of amplitude over force", r["exponent"], published[name],
            "Lawrence and De Luca 1983, recalled", fitted=False,
        )
        for name, r in results["contraction"]["force and surface amplitude"].items()
    ]  # fmt: skip
    return table(rows)


def nerve_part(results: dict[str, Any]) -> str:
    kept = ("motor", "late", "sensory", "temperature", "scan", "munix")
    rows = []
    for r in results["nerve"]["rows"]:
        if r["table"] in kept:
            line = row(
                f"{r['what']} {r['unit']}".strip(), r["ours"], r["reference"], r["source"],
                fitted=r["fitted"],
            )  # fmt: skip
            if r.get("spread") not in ("", None):
                line[1] = f"{shown(r['ours'])} ± {shown(r['spread'])}"
            rows.append(line)
    return table(rows)


def transfer_part(results: dict[str, Any]) -> str:
    found = results["sim_to_real"]
    best = found["chosen on simulated people"]
    rows = []
    places = found["on measured people, by muscle"]
    for what, told in (
        ("simulated people, not learned from", found["on simulated people not learned from"]),
        ("**measured people (needle-nmd)**", found["on measured people"]),
        *((f"measured, {place}", places[place]) for place in places),
        (
            "measured, sources aligned without labels (added after the row above was seen)",
            found["on measured people, sources aligned without labels"],
        ),
    ):
        rows.append((
            what, told["people"],
            f"{told['balanced accuracy']:.3f} ({told['low']:.3f} to {told['high']:.3f})",
            f"{told['chance']:.3f}",
            ", ".join(f"{pair} {auc:.2f}" for pair, auc in told["AUC of pairs"].items()),
        ))  # fmt: skip
    head = ("on", "people", "balanced accuracy (95 % over people)", "chance", "AUC of pairs")
    truth = found["on measured people"]
    confusion = table(
        ([name, *counts] for name, counts in zip(
            truth["classes"], truth["confusion (rows truth)"], strict=True)),
        ("measured people, truth", *truth["classes"]),
    )  # fmt: skip
    gaps = table(
        ((name, *r.values()) for name, r in found["domain gap"]["families"].items()),
        ("features", *next(iter(found["domain gap"]["families"].values()))),
    )
    moved = table(
        ((label, r["correlation of the shifts"], r["same direction"])
         for label, r in found["what diseases do to features"].items()),
        ("disease", "correlation of shifts, simulated with measured", "same direction, share"),
    )  # fmt: skip
    away = sorted(
        found["domain gap"]["features"].items(), key=lambda item: -item[1]["distance, measured sd"]
    )
    far = "; ".join(f"{name} {r['distance, measured sd']:.1f}" for name, r in away[:6])
    learned = found["simulated"]
    text = (
        f"Learned from {learned['learned from']} of {learned['people']} simulated people "
        f"({learned['recordings']} recordings, {learned['sites']} sites with a device each; forces "
        "from slight to strong, the needle moved until it is sharp, membrane potentials between "
        "the two published lengths). Chosen there, learning from short membrane potentials and "
        f"asking long ones and the reverse: features *{best['features']}*, model "
        f"*{best['model']}*. Everything after band-pass 100 Hz to 5 kHz at 16 kHz, and no feature "
        "that depends on the gain; no choice was made on measured people."
    )
    gap = (
        "The domain gap: a forest that tells simulated from measured recordings, people apart "
        "(0.5: cannot; 1: always), and the maximum mean discrepancy beside what two halves of the "
        "measured differ by."
    )
    size = "absolute: log rms"
    by = found["what diseases do to features"]["neuropathy"]["shifts"][size]
    low, high = truth["low"], truth["high"]
    reads = "beats chance" if low > 1 / 3 else "does not beat chance"
    right = {pair: auc for pair, auc in truth["AUC of pairs"].items() if auc > 0.6}
    wrong = {pair: auc for pair, auc in truth["AUC of pairs"].items() if auc < 0.5}
    pairs = "; ".join(
        f"{word} *{pair}* ({auc:.2f})"
        for word, some in (("it tells", right), ("it has the wrong way round", wrong))
        for pair, auc in some.items()
    )
    meaning = (
        f"The model {reads} on measured people ({low:.3f} to {high:.3f} around 0.333): {pairs}. "
        "Neuropathy "
        f"makes the recording's size change by {by[0]:+.1f} healthy standard deviations in "
        f"simulation and by {by[1]:+.1f} in measured people: simulated units grow too little "
        "after reinnervation (above), and the forces of the measured contractions are unknown. "
        "Simulated spikes are also less sharp: the membrane potential of rosenfalck1969, which "
        "gives measured durations, is too smooth above 1 kHz. An earlier run, with forces of 4 to "
        "30 %, the needle left where it was put, and *spectrum* chosen as it did best on simulated "
        "people alike, was at chance (0.333, 0.269 to 0.392); what was changed after it are the "
        "examination, who is examined (felice1995) and how a candidate is chosen, each for a "
        "reason that needs no label of a measured person."
    )
    last = f"The features farthest apart, in measured standard deviations: {far}."
    text += " " + found.get("note", "")
    parts = (text.strip(), table(rows, head), confusion, meaning, gap, gaps, last,
             "What a disease does to each feature, simulated beside measured:", moved)  # fmt: skip
    return "\n\n".join(parts)


def speed_part(results: dict[str, Any]) -> str:
    limits = results["speed"]["limits_s"]
    rows: list[Sequence[object]] = [
        (name, r["median_s"], r["processor_s"], limits.get(name, "-"))
        for name, r in results["speed"]["rows"].items()
    ]
    made = results.get("cohort_speed")
    if made:
        cohort = made["cohort"]
        rows.append((
            f"cohort, {cohort['people']} people x 60 s x 8 channels on disk, {cohort['jobs']} jobs",
            cohort["wall_s"], cohort["processor_s"], made["limit_s"],
        ))  # fmt: skip
        rows += [
            (f"one recording of it, {length}", "-", value, "-")
            for length, value in made["one recording, processor_s by length"].items()
        ]
    text = "Two cores, shared with other work: the processor time is what the program needed."
    return text + "\n\n" + table(rows, ("what", "wall s", "processor s", "goal s"))


#: Heading, picture, the results it needs, and what writes it.
SECTIONS = (
    ("Needle potentials of healthy people", "needle", ("needle",), needle_part),
    ("Jitter, blocking and transmission", "jitter", ("nerve", "pathology"), jitter_part),
    ("What diseases do to needle potentials", "diseases", ("pathology",), disease_part),
    ("Turns and amplitude", "clouds", ("sim_to_real",), cloud_part),
    (
        "Discharge rates and recruitment", "rates", ("pool",),
        lambda r: pool_part(r, ("recruitment", "rates", "intervals", "30 % hold", "PIC")),
    ),
    ("Surface spectra", "spectra", ("surface",), surface_part),
    ("Fatigue and endurance", "fatigue", ("contraction", "pool"), fatigue_part),
    ("Force and surface amplitude", "force", ("contraction",), force_part),
    ("Nerve conduction", "nerves", ("nerve",), nerve_part),
    ("From simulated to measured people", "transfer", ("sim_to_real",), transfer_part),
    ("Speed", "", ("speed",), speed_part),
)  # fmt: skip

NOTES = {
    "needle": (
        "Potentials of the first dorsal interosseous (FDI) come out too short, and the length of "
        "its fibres decides: they end 16 mm from the endplates, which 3.7 m/s pass in 4.3 ms. "
        "Changed one at a time, on two simulated people (7.2 ms as it stands): "
        "fibres of 50 mm 8.5 ms; a velocity 15 % lower, as "
        "in a cool hand, 8.4 ms; end looked for at 5 instead of 10 µV 7.8 ms; diameters that "
        "scatter by 12 instead of 9 µm 7.4 ms; fibre ends that scatter by 5 instead of 2.6 mm "
        "7.3 ms; endplates that scatter by 3 mm instead of 1.3 mm within a unit's zone nothing. "
        "Fascicles of the real muscle are shorter than its belly and many lie in series "
        "(infantolino2012), each with its own endplate, so that one unit's fibres end at several "
        "places; the model has one zone and one row of fibres. That is the likely reason, and not "
        "shown. Nothing was changed to meet the norm: it would take fibres of about 60 mm, for "
        "which no source was found; the norm does not say at which temperature, nor by which "
        "rule the ends were set."
    ),
    "clouds": (
        "Measured are the people of needle-nmd (biceps and deltoid). "
        "Both were brought to one band; forces of the measured contractions are not known, so that "
        "only the directions between conditions can be compared. Levels are not fitted."
    ),
    "jitter": "The states below are jitter of stimulated end-plates; a pair has √2 of it.",
}


def main() -> None:
    folder = ROOT / "benchmarks" / "results"
    files = {name: folder / f"twin_{name}.json" for name in NAMES}
    results = {n: json.loads(f.read_text("utf-8")) for n, f in files.items() if f.exists()}
    FOLDER.mkdir(exist_ok=True)
    parts = [INTRODUCTION]
    for heading, picture, needed, write in SECTIONS:
        missing = [name for name in needed if name not in results]
        parts.append(f"## {heading}\n")
        if missing:
            parts.append(f"Not there: twin_{missing[0]}.json.\n")
            continue
        if picture:
            pictures.PICTURES[picture](results, FOLDER / f"{picture}.svg")
            parts.append(f"![{heading}](twin-validation/{picture}.svg)\n")
        if picture in NOTES:
            parts.append(NOTES[picture] + "\n")
        parts.append(write(results) + "\n")
    PAGE.write_text("\n".join(parts), encoding="utf-8")
    print(PAGE, len(parts))


if __name__ == "__main__":
    main()
