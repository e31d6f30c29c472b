"""Write the tables of docs/reference/speed.md from the results, so that they cannot drift.

    python benchmarks/speed/render.py

reads benchmarks/results/features-*.json and evaluate-*.json, and replaces what stands between the
markers of the page. A test holds the page to what this writes.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "reference" / "speed.md"
PICTURE = "features-growth.svg"
WHEN = {"after_install": "no compiled code at hand", "later": "compiled code at hand"}


def rendered(page: str) -> str:
    """Return the page with its tables as the results have them now."""
    peers, live, beside, cluster = (
        json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        for name in (
            "features-peers", "features-live", "evaluate-side-by-side", "evaluate-cluster",
        )
    )  # fmt: skip
    tables = {
        "setting": setting(peers),
        "peers": peer_table(peers["rows"]),
        "alone": own_table(peers["rows"]),
        "filter": filter_table(peers["rows"]),
        "hops": hop_table(live["hops"]),
        "threads": thread_table(live["threads"]),
        "first": first_table(live),
        "growth": growth(live["growth"]),
        "evaluation": evaluation_table(beside),
        "cluster": cluster_table(cluster),
    }
    for name, lines in tables.items():
        block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
        page, found = re.subn(
            rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, b=block: b, page, flags=re.DOTALL
        )
        if not found:
            raise ValueError(f"{PAGE} has no markers for {name}.")
    return page


def setting(report: dict[str, Any]) -> Iterator[str]:
    where, how = report["environment"], report["setting"]
    packages = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    yield (
        f"{where['processor']}, {where['cores']} cores, load average {where['load_average']} when "
        f"measured; Python {where['python']}; {packages}. Windows of {how['window']} samples at "
        f"{how['fs_hz']} Hz, one every {how['hop']}; medians of {how['repeats']} turns."
    )


def table(head: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def peer_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for row in rows:
            over = row["myograph_over"]
            if "libemg" not in over:
                continue
            rates = row["windows_per_s"]
            goal = f"{row['goal']:g}" if row["goal"] else ""
            others = [f"{over[who]:,.0f}" if who in over else "" for who in ("tsfel", "neurokit2")]
            yield [
                row["row"], str(row["channels"]), f"{rates['myograph']:,.0f}",
                f"{rates['libemg']:,.0f}", f"{over['libemg']:.1f}", goal, *others,
            ]  # fmt: skip

    head = ["set", "channels", "Myograph, windows/s", "LibEMG, windows/s", "times LibEMG", "goal"]
    return table([*head, "times TSFEL", "times NeuroKit2"], lines())


def own_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for row in rows:
            if "windows_per_s" in row and not row["myograph_over"]:
                rate = row["windows_per_s"]["myograph"]
                each = 1e6 / rate / row["channels"]
                yield [f"`{row['row']}`", str(row["channels"]), f"{rate:,.0f}", f"{each:.2f}"]

    return table(["feature", "channels", "windows/s", "µs for one channel"], lines())


def filter_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for row in rows:
            if "samples_per_s" in row:
                rates = row["samples_per_s"]
                yield [
                    row["row"], *(f"{rates[who] / 1e6:,.0f}" for who in ("myograph", "scipy")),
                    f"{row['myograph_over']['scipy']:.1f}", f"{row['goal']:g}",
                ]  # fmt: skip

    head = ["64 channels", "Myograph, 10⁶ samples/s", "scipy", "times scipy", "goal"]
    return table(head, lines())


def hop_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for row in rows:
            goal = row["goal_p99_us"]
            yield [
                row["row"], str(row["channels"] or "–"),
                *(f"{value:,.0f}" for value in (row["p50_us"], row["p99_us"])),
                *(f"{value:,.0f}" for value in row["quietest_round_us"]),
                "–" if goal is None else f"{goal:,.0f}",
            ]  # fmt: skip

    head = ["a hop of 50 ms", "channels", "p50, µs", "p99, µs"]
    return table([*head, "p50, quietest round", "p99, quietest round", "goal for p99"], lines())


def thread_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for row in rows:
            rate = row["windows_of_64_channels_per_s"]
            yield [row["row"], str(row["threads"]), f"{rate:,.0f}"]

    return table(["64 channels", "threads", "windows/s"], lines())


def first_table(live: dict[str, Any]) -> Iterator[str]:
    if not live["first_call"]:
        return iter(["Not measured in the last run."])

    def lines() -> Iterator[list[str]]:
        for row in live["first_call"]:
            for when, told in WHEN.items():
                one, goal = row[when], live["first_call_goals_s"][when]
                yield [
                    f"{row['row']}, {told}", f"{one['whole_s']:.2f}", f"{one['cpu_s']:.2f}",
                    f"{one['least_cpu_s']:.2f}", f"{goal:g}",
                ]  # fmt: skip

    return table(["import and first call", "seconds", "of the processor", "least", "goal"], lines())


def growth(grown: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Cost grows with the number of samples to the power {grown['exponent_samples']:.2f}, and "
        f"with the number of channels to the power {grown['exponent_channels']:.2f}; 1 is linear."
    )
    yield ""
    yield f"![Processor time over samples and channels]({PICTURE})"


def evaluation_table(report: dict[str, Any]) -> Iterator[str]:
    def lines() -> Iterator[list[str]]:
        for k, seed in enumerate(map(str, report["setting"]["seeds"])):
            by_hand, ours = (report["seconds"][who][seed] for who in ("by hand", "myograph"))
            shares = [100 * report["accuracy"][who][seed] for who in ("by hand", "myograph")]
            gap = report["myograph_minus_by_hand"][seed]
            yield [
                seed, f"{by_hand:.1f}", f"{ours:.1f}", f"{report['times_faster'][k]:.2f}",
                *(f"{share:.1f}" for share in shares),
                f"{100 * gap['mean']:+.2f} ({100 * gap['low']:+.2f} to {100 * gap['high']:+.2f})",
            ]  # fmt: skip

    yield from table(
        ["seed", "by hand, s", "Myograph, s", "times", "accuracy by hand, %", "Myograph, %",
         "difference, points"],
        lines(),
    )  # fmt: skip


def cluster_table(report: dict[str, Any]) -> Iterator[str]:
    same = {True: "the same, bit for bit", False: "other numbers"}
    took = report["seconds"]
    how = report["setting"]
    yield (
        f"{how['data']}, {how['people']} people, {how['windows']:,} windows, a forest of "
        f"{how['trees']} trees, {how['workers']} workers on {how['cores']} cores."
    )
    yield ""

    def lines() -> Iterator[list[str]]:
        yield ["in one process", f"{took['serial']:.1f}", "", ""]
        more = {"cluster": report["overhead_s"], "worker killed": report["killed_cost_s"]}
        names = {"cluster": "on two workers", "worker killed": "the same, one killed in mid-run"}
        since = {
            "cluster": "beyond half of the serial time",
            "worker killed": "beyond the run above",
        }
        for name, label in names.items():
            yield [
                label, f"{took[name]:.1f}", f"{more[name]:+.1f} {since[name]}",
                same[report["same_as_serial"][name]],
            ]  # fmt: skip

    yield from table(["run", "seconds", "cost, s", "result"], lines())


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(rendered(page), encoding="utf-8")
    shutil.copyfile(RESULTS / PICTURE, PAGE.with_name(PICTURE))
    print(f"Written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
