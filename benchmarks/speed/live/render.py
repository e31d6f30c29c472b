"""Write the tables of docs/explanation/live.md from the results, so that they cannot drift.

    python benchmarks/speed/live/render.py

reads benchmarks/results/live-*.json and replaces what stands between the markers of the page. A
test holds the page to what this writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "explanation" / "live.md"


def rendered(page: str) -> str:
    """Return the page with its tables as the results have them now."""
    latency, endurance, peers = (
        json.loads((RESULTS / f"live-{name}.json").read_text(encoding="utf-8"))
        for name in ("latency", "endurance", "peers")
    )
    tables = {
        "latency": latency_table(latency),
        "endurance": endurance_table(endurance),
        "peers": peer_table(peers),
    }
    for name, lines in tables.items():
        block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
        page, found = re.subn(
            rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, b=block: b, page, flags=re.DOTALL
        )
        if not found:
            raise ValueError(f"{PAGE} has no markers for {name}.")
    return page


def latency_table(report: dict[str, Any]) -> Iterator[str]:
    rows = report["results"]
    where = report["environment"]
    loads = ", ".join(f"{row['load_average']:.1f}" for row in rows)
    yield (
        f"{where['processor']}, {where['cores']} cores, load average {loads}; "
        f"{rows[0]['hops']:,} decisions each, another process loading a core"
        f"{priority(rows)}."
    )
    yield ""
    yield "| channels | p50 | p99 | longest | goals | processor | controller delay |"
    yield "|---|---:|---:|---:|---|---:|---:|"
    for row in rows:
        told = row["latency_ms"]
        goals = ", ".join(
            f"{name} ≤ {goal:g} {'met' if row['reached'][name] else 'missed'}"
            for name, goal in row["goals_ms"].items()
        )
        named = f"{row['setting']['n_channels']}{realtime(row)}"
        yield (
            f"| {named} | {told['p50']:.2f} ms | {told['p99']:.2f} ms | {told['max']:.1f} ms | "
            f"{goals} | {100 * row['cpu_share']:.1f} % | {row['controller_delay_ms']:.1f} ms |"
        )
    if "parts_ms" in rows[0]:
        yield ""
        yield from part_table(rows)


def part_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """Where the time goes: the sender's own call and ear, and the engine's stages."""
    heads = ("sender's call", *STAGES, "sender's ear", "not counted: sender late")
    yield "| p50 / p99, ms | " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * len(heads)
    for row in rows:
        parts, stages = row["parts_ms"], row["health"]["latency"]
        cells = [both(parts["sending"])]
        cells += [both(stages[name], "_ms") for name in STAGES]
        cells += [both(parts.get("hearing", {})), both(parts["sender late"])]
        named = f"{row['setting']['n_channels']} channels{realtime(row)}"
        yield f"| {named} | " + " | ".join(cells) + " |"


STAGES = ("wait", "steps", "features", "model", "consumers")


def both(told: dict[str, float], unit: str = "") -> str:
    if f"p50{unit}" not in told:
        return ""
    return f"{told[f'p50{unit}']:.2f} / {told[f'p99{unit}']:.2f}"


def realtime(row: dict[str, Any]) -> str:
    return ", real-time" if row["setting"]["priority"] else ""


def priority(rows: list[dict[str, Any]]) -> str:
    if not any(row["setting"]["priority"] for row in rows):
        return "; engine and sender at ordinary priority"
    return "; rows named so with engine and sender at real-time priority"


def endurance_table(report: dict[str, Any]) -> Iterator[str]:
    yield "| what | measured |"
    yield "|---|---|"
    for key, how in (("hour", ""), ("hour_hop_by_hop", ", hop by hop")):
        if key in report:
            row = report[key]
            yield (
                f"| {row['minutes']} minutes replayed{how} | {row['speed']:.0f} times true speed, "
                f"memory ± {row['memory_swing_mb']:.2f} MB, {row['lost']} samples lost, "
                f"{1e6 * row['cpu_s'] / row['decided']:.0f} µs of processor a decision |"
            )
    clean, bad, kill = (report[name] for name in ("clean_link", "bad_link", "kill"))
    yield (
        f"| clean link, {clean['seconds']:g} s | {clean['received']:,} of {clean['sent']:,} "
        f"samples received, {clean['dropped']} decisions dropped |"
    )
    same = "are" if bad["offline_on_the_recording_is_live"] else "are not"
    yield (
        f"| 5 % loss, 50 ms jitter, 10 s outage, 100 ppm drift, {bad['seconds']:g} s | "
        f"{bad['gaps_marked']} gaps marked, {bad['decided_inside_gaps']} decisions inside them, "
        f"decisions {same} those offline on the recording |"
    )
    yield (
        f"| kill -9, {kill['kills']} times | at most {kill['most_lost_s']:.2f} s of signal lost |"
    )


def peer_table(report: dict[str, Any]) -> Iterator[str]:
    yield "| one step, samples to class | Myograph | LibEMG 2.0.3 | times quicker |"
    yield "|---|---:|---:|---:|"
    for row in report["results"]:
        told = row["median_s"]
        yield (
            f"| {row['case']} | {1e3 * told['myograph']:.2f} ms | {1e3 * told['libemg']:.2f} ms | "
            f"{row['fastest_peer_over_myograph']:.0f} |"
        )


def main() -> None:
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main()
