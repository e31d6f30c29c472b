"""``myograph datasets``: which there are, and getting one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Json, verb

if TYPE_CHECKING:
    from myograph.datasets.card import DatasetCard

__all__ = ["app"]

app = typer.Typer(
    name="datasets",
    help="Named cohorts of recordings: list them, get one.",
    no_args_is_help=True,
)


def list_datasets(json: Json = False) -> None:
    """List the datasets with their licences, and whether they are on this machine."""
    from myograph.cli import render
    from myograph.workflows.catalogue import list_datasets as found

    datasets = found()
    if json:
        render.print_json({"datasets": [dataset.to_dict() for dataset in datasets]})
        return
    rows = [
        (d.card.name, "yes" if d.available else "no", d.card.licence, d.card.title)
        for d in datasets
    ]
    render.show_table(["name", "here", "licence", "what"], rows)
    render.note("Get one with: myograph datasets get NAME. MYOGRAPH_MIRROR names a local folder.")


def get(
    name: Annotated[str, typer.Argument(help="A name from myograph datasets list.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Agree to the terms unasked.")] = False,
    json: Json = False,
) -> None:
    """Bring a dataset onto this machine; licence and citation are shown, and asked about, first."""
    from myograph.cli import render
    from myograph.workflows.catalogue import get_dataset

    def confirm(card: DatasetCard) -> bool:
        typer.echo(card.terms(), err=True)
        return yes or _agrees()

    with render.stages(quiet=json) as update:

        def progress(what: str, done: int, total: int | None) -> None:
            of = f" of {total / 1e6:.1f}" if total else ""
            update(f"{what} {name}", done, total or 0, f"{done / 1e6:.1f}{of} MB")

        card, folder = get_dataset(name, confirm=confirm, progress=progress)
    if json:
        render.print_json({"dataset": card.to_dict(), "folder": str(folder)})
        return
    render.line(card.terms())
    render.line(f"here:     {folder}")
    render.line(f"use it:   myograph evaluate --data {card.name}")


def _agrees() -> bool:
    try:
        return typer.confirm("Download it on these terms?", err=True)
    except typer.Abort:  # nobody is there to answer: that is no agreement
        typer.echo(err=True)
        return False


verb(app, "list", list_datasets, "myograph datasets list", "myograph datasets list --json")
verb(
    app,
    "get",
    get,
    "myograph datasets get myo-cotellard",
    "myograph datasets get uci-gestures --yes",
)
