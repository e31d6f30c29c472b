"""``myograph cluster`` and ``myograph cache``: where work is done, and what is kept of it."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from myograph.cli.options import Json, verb

__all__ = ["app", "cache"]

app = typer.Typer(
    name="cluster", help="Processes to send work to, with --cluster.", no_args_is_help=True
)
cache = typer.Typer(
    name="cache", help="Features that were measured and are kept.", no_args_is_help=True
)


def start(
    workers: Annotated[
        int | None, typer.Option("--workers", "-n", help="Processes; one per core by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Run a cluster on this machine until Ctrl-C, and print its address.

    It listens on 127.0.0.1 alone. Dask sends Python objects over its connections: whoever can
    reach a cluster can run code on it.
    """
    from myograph.cli import render
    from myograph.workflows.cluster import local_cluster

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with local_cluster(workers) as address:
        if json:
            render.print_json({"address": address})
        else:
            render.place("cluster", address)
            render.line(f"use it:  myograph evaluate --data simulated --cluster {address}")
            render.note("Ctrl-C stops it.")
        typer.get_text_stream("stdout").flush()
        stop.wait()


def show(json: Json = False) -> None:
    """Say how many feature tables are kept, where, and how much room they take."""
    from myograph.cli import render
    from myograph.workflows.keeping import MOST, show_tables

    kept = show_tables()
    if json:
        render.print_json(kept.to_dict())
        return
    render.show_pairs(
        {
            "tables": f"{kept.tables:,}",
            "size": f"{kept.bytes / 1e6:,.1f} MB of at most {kept.most_bytes / 1e9:g} GB ({MOST})",
        }
    )
    render.place("folder", kept.folder)


def clear() -> None:
    """Drop all kept feature tables; they are measured again when they are needed."""
    from myograph.cli import render
    from myograph.workflows.keeping import clear_tables

    render.line(f"{clear_tables():,} tables dropped")


verb(app, "start", start, "myograph cluster start", "myograph cluster start --workers 4")
verb(cache, "show", show, "myograph cache show", "myograph cache show --json")
verb(cache, "clear", clear, "myograph cache clear")
