"""Fill the reference pages from the code, so that they are complete whenever they are built.

A line ``[modules: myograph.io]`` becomes the documentation of every public module of the
package; ``[registry: features]`` becomes a table of everything registered; ``[agreement]`` becomes
the table of measured differences from other programs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
MODULES = re.compile(r"^\[modules: (myograph\.\w+)\]$", re.MULTILINE)
AGREEMENT = re.compile(r"^\[agreement\]$", re.MULTILINE)
REGISTRY = re.compile(r"^\[registry: (\w+)\]$", re.MULTILINE)

# Modules that exist to fill a registry, and whose entries a table shows.
HIDDEN = frozenset({"sources"})


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Expand the markers; called by mkdocs for every page."""
    markdown = MODULES.sub(lambda match: _documented(match[1]), markdown)
    markdown = AGREEMENT.sub(lambda _: "\n".join(_agreement()), markdown)
    return REGISTRY.sub(lambda match: "\n".join(_table(match[1])), markdown)


def public_modules(package: str) -> list[str]:
    """Dotted names of the public modules of ``package``, its own first."""
    folder = SOURCE.joinpath(*package.split("."))
    names = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if not any(part.startswith("_") or part in HIDDEN for part in parts):
            names.append(".".join(parts))
    if not names:
        raise FileNotFoundError(f"{package} has no public modules under {SOURCE}.")
    return names


def _documented(package: str) -> str:
    return "\n\n".join(f"::: {name}" for name in public_modules(package))


def _table(name: str) -> Iterator[str]:
    module, registry, columns, row = TABLES[name]
    import_module(module)  # which registers its members
    entries = getattr(import_module(HOMES.get(registry, module)), registry)
    yield "| " + " | ".join(columns) + " |"
    yield "|" + "---|" * len(columns)
    for key in entries:
        yield "| " + " | ".join(_cell(value) for value in (f"`{key}`", *row(entries[key]))) + " |"


def _agreement() -> Iterator[str]:
    path = SOURCE.parent / "benchmarks" / "results" / "feature-agreement.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    told = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    yield f"Measured with {told}."
    yield ""
    yield "| feature | program | what it is there | apart | once aligned | why |"
    yield "|---|---|---|---|---|---|"
    for row in sorted(report["rows"], key=lambda row: (row["feature"], row["peer"])):
        apart = "other columns" if row["apart"] is None else f"{row['apart']:.1e}"
        aligned = f"{row['aligned']:.1e}" if "aligned" in row else ""
        cells = (f"`{row['feature']}`", row["peer"], row["theirs"], apart, aligned, row["why"])
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _set_row(entry: Any) -> tuple[object, ...]:
    return len(entry), ", ".join(f"`{name}`" for name in entry)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0].replace("``", "`")


def _defaults(parameters: dict[str, Any]) -> str:
    return ", ".join(f"`{name} = {value!r}`" for name, value in parameters.items())


def _feature_row(entry: Any) -> tuple[object, ...]:
    line = re.split(r",?(?: with)? :math:|\[\w+\]_", _first_line(entry.function))[0].rstrip(" .:")
    source = f"`{entry.reference}`"
    return line, entry.unit, entry.amplitude_power, _defaults(entry.parameters), source


def _format_row(entry: Any) -> tuple[object, ...]:
    written = "exact" if not entry.relative_error else f"to {entry.relative_error:.1g} of the range"
    return (
        entry.title,
        " ".join(f"`{suffix}`" for suffix in entry.suffixes),
        written if entry.save else "no",
        "" if entry.verified else "not yet read from a vendor's file",
    )


def _class_row(entry: Any) -> tuple[object, ...]:
    return (_first_line(entry),)


def _step_row(entry: Any) -> tuple[object, ...]:
    return _first_line(entry), "yes" if entry.causal else "no"


def _dataset_row(entry: Any) -> tuple[object, ...]:
    card = getattr(entry, "card", entry)
    return card.title, card.people, card.licence


# Registries that are kept below the package whose import fills them.
HOMES = {"STEPS": "myograph.core.step"}

TABLES: dict[str, tuple[str, str, tuple[str, ...], Callable[[Any], tuple[object, ...]]]] = {
    "steps": (
        "myograph.preprocess",
        "STEPS",
        ("name", "what it does", "runs live"),
        _step_row,
    ),
    "features": (
        "myograph.features",
        "FEATURES",
        ("name", "what it is", "unit", "amplitude power", "parameters", "source"),
        _feature_row,
    ),
    "sets": ("myograph.features", "SETS", ("name", "features", "which"), _set_row),
    "formats": (
        "myograph.io",
        "FORMATS",
        ("name", "format", "endings", "written", "remark"),
        _format_row,
    ),
    "models": ("myograph.models", "MODELS", ("name", "what it is"), _class_row),
    "detectors": ("myograph.models.novelty", "DETECTORS", ("name", "what it is"), _class_row),
    "selections": (
        "myograph.features.select",
        "SELECTIONS",
        ("name", "what it does"),
        _class_row,
    ),
    "splits": ("myograph.validate.splits", "SPLITS", ("name", "what it does"), _class_row),
    "datasets": (
        "myograph.datasets",
        "DATASETS",
        ("name", "what it is", "people", "licence at the source"),
        _dataset_row,
    ),
}
