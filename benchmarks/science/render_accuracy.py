"""Write the tables of docs/reference/accuracy.md from the results, so that they cannot drift.

    python benchmarks/science/render_accuracy.py

reads benchmarks/results/ladders.json, gesture_people.json, plain_method.json, needle_nmd.json and
anomaly_pathology.json, and replaces what stands between the markers of the page. A test holds the
page to what this writes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "reference" / "accuracy.md"
NEEDLE = (
    "majority", "random-forest", "everything", "everything, recordings changed",
    "everything, difference", "gain-free", "gain-free, recordings changed",
    "gain-free, difference", "probe: drift", "probe: hum", "probe: gain", "probe: noise-floor",
)  # fmt: skip


def rendered(page: str) -> str:
    """Return the page with its tables as the results have them now."""
    tables = {
        "ladders": ladders(read("ladders.json"), read("gesture_people.json")),
        "numbers": numbers(read("ladders.json")),
        "plain": plain(read("plain_method.json")),
        "needle": needle(read("needle_nmd.json")),
        "novelty": novelty(read("anomaly_pathology.json")),
    }
    for name, lines in tables.items():
        block = "\n".join([f"<!-- {name} -->", *lines, f"<!-- /{name} -->"])
        page, found = re.subn(
            rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, b=block: b, page, flags=re.DOTALL
        )
        if not found:
            raise ValueError(f"{PAGE} has no markers for {name}.")
    return page


def read(name: str) -> Any:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def table(head: list[str], rows: Iterator[list[str]], *, words: int = 1) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * words + "---:|" * (len(head) - words)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def percent(estimate: dict[str, Any]) -> str:
    low, high = (100 * estimate[end] for end in ("low", "high"))
    return f"{100 * estimate['value']:.1f} ({low:.1f} to {high:.1f})"


def three(estimate: dict[str, Any]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def of_task(told: dict[str, Any] | None, task: str) -> dict[str, Any]:
    return {name: each for name, each in (told or {}).items() if each["task"] == task}


def ladders(told: dict[str, Any] | None, wider: dict[str, Any]) -> Iterator[str]:
    def rows() -> Iterator[list[str]]:
        for name, each in of_task(told, "classes").items():
            more = wider["rows"] if name == wider["data"] else []
            for k, row in enumerate(with_networks(each["rows"], more)):
                people = f"{each['people']} {each['evidence']}s, {each['classes']} classes"
                goal = ", ".join(f"{100 * v:.0f} a {k}" for k, v in each["goals"].items())
                goal = goal if row["name"].startswith("best") else ""
                head = [f"`{name}`", people.replace("persons", "people")] if not k else ["", ""]
                figures = [percent(row["window"]), percent(row["gesture"])]
                yield [*head, row["name"], *figures, f"{100 * row['worst']:.0f}", goal]

    heads = ["collection", "tested", "method", "per window, %", "per gesture, %", "worst", "goal"]
    yield from table(heads, rows(), words=3)


def with_networks(rows: list[Any], more: list[Any]) -> list[Any]:
    """Put rows of networks before those that use something of the new person."""
    own = [row for row in rows if not row["name"].startswith("recentred")]
    return own + [row for row in more if "inner folds" not in row["name"]] + rows[len(own) :]


def numbers(told: dict[str, Any] | None) -> Iterator[str]:
    if not of_task(told, "number"):
        yield "Not run yet: `python benchmarks/science/number_ladders.py`."
        return

    def rows() -> Iterator[list[str]]:
        for name, each in of_task(told, "number").items():
            for k, row in enumerate(each["rows"]):
                head = [f"`{name}`", f"{each['people']} people"] if not k else ["", ""]
                figures = [three(row[key]) for key in ("r2", "mae", "rank")]
                yield [*head, row["name"], *figures]

    heads = ["collection", "tested", "method", "R²", "mean absolute error", "rank correlation"]
    yield from table(heads, rows(), words=3)


def plain(told: list[dict[str, Any]]) -> Iterator[str]:
    def rows() -> Iterator[list[str]]:
        for row in told:
            rung = row["ladder"]
            trees = rung.get("random-forest", rung.get("ridge-td"))
            least = rung.get("majority", rung.get("mean"))
            yield [
                f"`{row['data']}`",
                row["split"],
                f"{row['estimate']['n']}",
                f"{least['value']:.3f}",
                three(row["estimate"]),
                three(trees),
            ]

    heads = ["collection", "split", "people", "majority or mean", "LDA or ridge", "forest or ridge"]
    yield from table(heads, rows(), words=2)


def needle(told: dict[str, Any]) -> Iterator[str]:
    def cell(row: dict[str, Any], key: str) -> str:
        goal = f", goal {row[key]['goal']}" if "goal" in row[key] else ""
        return three(row[key]) + goal

    def rows() -> Iterator[list[str]]:
        for row in told["rows"]:
            if row["name"] in NEEDLE:
                keys = ("recording", "person", "myopathy_neuropathy_auc")
                yield [row["name"], *(cell(row, key) for key in keys)]

    yield from table(["method", "per recording", "per person", "myopathy–neuropathy AUC"], rows())


def novelty(told: dict[str, Any] | None) -> Iterator[str]:
    if told is None:
        yield "Not run yet."
        return

    def rows() -> Iterator[list[str]]:
        for row in told["rows"]:
            yield [row["detector"], row["against"], three(row["recording"]), three(row["person"])]

    many = ", ".join(f"{n} {name}" for name, n in told["people"].items())
    yield f"Simulated people: {many}; two recordings each."
    yield ""
    yield from table(
        ["detector", "healthy against", "AUROC per recording", "AUROC per person"], rows(), words=2
    )


def main() -> int:
    PAGE.write_text(rendered(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
