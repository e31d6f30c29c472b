"""``myograph dossier``: the papers about an evaluation, and whether they still hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Force, Json, verb

if TYPE_CHECKING:
    from myograph.workflows.dossier import Dossier

__all__ = ["app"]

app = typer.Typer(
    name="dossier",
    help="Papers about an evaluation, for journals and regulators: write them, check them.",
    no_args_is_help=True,
)


def write(
    result: Annotated[Path, typer.Argument(help="A folder that evaluate --out wrote.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The dossier's folder.")],
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="The model file to lock.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option("--answers", help="What the authors answer (a TOML file).")
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write dataset sheet, split manifest, model card, checklists, change plan and SBOM.

    TRIPOD+AI, PROBAST+AI and STARD-AI are filled from the run; what no run can know is left to
    the authors, who give it with --answers.
    """
    from myograph.cli import render
    from myograph.workflows.dossier import write_dossier

    written = write_dossier(result, out, model=model, answers=answers, force=force)
    if json:
        render.print_json(written.to_dict())
    else:
        _show(written)


def check(
    folder: Annotated[Path, typer.Argument(help="A folder that dossier write wrote.")],
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", help="A model file that should be the locked one."),
    ] = None,
    json: Json = False,
) -> None:
    """Refuse a dossier that was altered, or a model that is not the locked one."""
    from myograph.cli import render
    from myograph.workflows.dossier import check_dossier

    found = check_dossier(folder, model=model)
    if json:
        render.print_json({**found.to_dict(), "model_is_locked": None if model is None else True})
        return
    render.line(f"{len(found.files)} files are as they were written")
    if model is not None:
        render.line(f"{model} is the locked model, sha256 {found.locked}")


def _show(written: Dossier) -> None:
    from myograph.cli import render

    render.heading(written.title)
    for told in written.against:
        render.line(f"- {told}")
    rows = [(name, *counts.values()) for name, counts in written.answered.items()]
    headers = ["", "from the run", "in part", "by the authors", "open"]
    render.show_table(headers, rows, numbers_from=1)
    render.line(f"locked model: {written.locked or 'none'}")
    render.place("dossier", written.folder / "dossier.html")


verb(
    app,
    "write",
    write,
    "myograph dossier write result --out dossier",
    "myograph dossier write result --model hand.myomodel --out dossier --force",
)
verb(app, "check", check, "myograph dossier check dossier --model hand.myomodel")
