"""The options that several verbs share, worded once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Config",
    "Data",
    "Device",
    "Features",
    "Force",
    "Jobs",
    "Json",
    "LeaveOut",
    "Model",
    "Out",
    "People",
    "PeopleFrom",
    "Read",
    "Seed",
    "Settings",
    "Split",
    "verb",
]

Data = Annotated[
    str, typer.Option("--data", "-d", help="A dataset by name, a recording, or a folder of them.")
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="leave-one-subject-out (default), group-k-fold, repetition, session, "
        "leave-site-out, or a saved split (a .json file).",
    ),
]
Features = Annotated[
    str | None, typer.Option("--features", help="A set, or names joined by commas.")
]
Model = Annotated[str | None, typer.Option("--model", "-m", help="Which model learns.")]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="Settings from a TOML file.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="One setting as key.path=value; repeat it for more."),
]
Device = Annotated[
    str | None,
    typer.Option("--device", help="Where a network is trained: auto (default), cpu, cuda."),
]
People = Annotated[
    str | None, typer.Option("--people", help="Only these people, joined by commas.")
]
LeaveOut = Annotated[
    str | None, typer.Option("--leave-out", help="All but these people, joined by commas.")
]
Read = Annotated[
    list[str] | None,
    typer.Option("--read", help="How files are read: fs_hz=2000, unit=mV, kinds=semg, ..."),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Same seed, same result; 0 by default.")]
PeopleFrom = Annotated[
    str,
    typer.Option(
        "--people-from",
        help="Whose a file is: as its header says, or named after its folder or file.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", help="Processes at work; all cores by default.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where to write.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


def verb(app: typer.Typer, name: str, function: Callable[..., None], *examples: str) -> None:
    """Register a verb: its docstring is its help, and the examples work as they stand."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    told = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    app.command(name, help=told, epilog="\n\n".join(["Examples:", *examples]))(function)
