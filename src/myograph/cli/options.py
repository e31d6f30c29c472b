"""The options that several verbs share, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Config",
    "Data",
    "Features",
    "Force",
    "Jobs",
    "Json",
    "Model",
    "Out",
    "People",
    "Seed",
    "Settings",
    "Split",
    "examples",
]

Data = Annotated[
    str, typer.Option("--data", "-d", help="A dataset by name, a recording, or a folder of them.")
]
Split = Annotated[
    str,
    typer.Option(
        "--split",
        help="leave-one-subject-out, group-k-fold, repetition, session, leave-site-out, or a "
        "saved split (a .json file).",
    ),
]
Features = Annotated[
    str | None, typer.Option("--features", help="A set, or names joined by commas.")
]
Model = Annotated[str | None, typer.Option("--model", "-m", help="Which model learns.")]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings from a TOML file.", show_default=False)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting as key.path=value; repeat it for more."),
]
People = Annotated[
    str | None, typer.Option("--people", help="Only these people, joined by commas.")
]
Seed = Annotated[int, typer.Option("--seed", help="Same seed, same result.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Processes at work; all cores by default.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def examples(*commands: str) -> str:
    """Return the end of a verb's help: commands that work as they stand."""
    return "\n\n".join(["Examples:", *commands])
