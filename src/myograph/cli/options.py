"""The options that several verbs share, worded once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

__all__ = [
    "Cluster",
    "Config",
    "Data",
    "Device",
    "Features",
    "Force",
    "Jobs",
    "Json",
    "LeaveOut",
    "Model",
    "NoCache",
    "Out",
    "People",
    "PeopleFrom",
    "Read",
    "Search",
    "Seed",
    "Settings",
    "Split",
    "Work",
    "name_list",
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
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Send the work to the Dask cluster at this address (myograph cluster start).",
        show_default=False,
    ),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Measure all features anew, and keep none.")
]
Search = Annotated[
    list[str] | None,
    typer.Option(
        "--search",
        help="Search this as well: scaling=none,standard or selection.keep=4..16; repeatable.",
    ),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What every verb that measures and learns is asked; `verb` makes an option of each field."""

    data: Data
    features: Features = None
    model: Model = None
    config: Config = None
    settings: Settings = None
    people: People = None
    leave_out: LeaveOut = None
    people_from: PeopleFrom = "header"
    read: Read = None
    seed: Seed = None
    jobs: Jobs = None
    cluster: Cluster = None
    no_cache: NoCache = False

    @property
    def chosen(self) -> dict[str, Any]:
        """The options as the workflows name them."""
        from myograph.workflows.settings import read_options

        return {
            "features": self.features,
            "model": self.model,
            "config": self.config,
            "overrides": tuple(self.settings or ()),
            "people": name_list(self.people),
            "leave_out": name_list(self.leave_out),
            "people_from": self.people_from,
            "read": read_options(self.read or ()),
            "seed": self.seed,
            "jobs": self.jobs,
            "cluster": self.cluster,
            "cache": not self.no_cache,
        }


def name_list(joined: str | None) -> list[str]:
    """Return names that were joined by commas.

    Examples
    --------
    >>> name_list("p01, p02,"), name_list(None)
    (['p01', 'p02'], [])
    """
    return [name.strip() for name in joined.split(",") if name.strip()] if joined else []


def verb(app: typer.Typer, name: str, function: Callable[..., None], *examples: str) -> None:
    """Register a verb: its docstring is its help, and the examples work as they stand.

    Where the first parameter is a dataclass of options, such as `Work`, its fields are options of
    the verb.
    """
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    told = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    app.command(name, help=told, epilog="\n\n".join(["Examples:", *examples]))(_unfolded(function))


def _unfolded(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function with the fields of its first parameter in the place of it."""
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())
    group = hints[parameters[0].name] if parameters else None
    if not (isinstance(group, type) and is_dataclass(group)):
        return function
    first, *own = parameters
    shared = get_type_hints(group, include_extras=True)

    @wraps(function)
    def called(**given: Any) -> None:
        mine = {name: given.pop(name) for name in shared}
        function(group(**mine), **given)

    del hints[first.name], hints["return"]
    empty = inspect.Parameter.empty
    defaults = {f.name: empty if f.default is MISSING else f.default for f in fields(group)}
    defaults |= {parameter.name: parameter.default for parameter in own}
    options = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation
        )
        for name, annotation in (shared | hints).items()
    ]
    called.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    called.__annotations__ = shared | hints
    del called.__wrapped__  # or its parameters would be taken for the verb's
    return called
