"""How results look: tables and numbers on stdout, progress on stderr, one object with --json."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from myograph.core.decision import Estimate

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "bar",
    "duration",
    "heading",
    "line",
    "note",
    "percent",
    "place",
    "print_json",
    "show_pairs",
    "show_table",
    "stages",
]

_WIDTH_WITHOUT_TERMINAL = 100


@cache
def _console(stream: str) -> Console:
    from rich.console import Console

    file = getattr(sys, stream)
    # A file or a pipe has no width: tables are as wide as a page, and never cut.
    known = file.isatty() or "COLUMNS" in os.environ
    width = None if known else _WIDTH_WITHOUT_TERMINAL
    return Console(file=file, width=width, highlight=False, emoji=False)


def _out() -> Console:
    return _console_of("stdout")


def _console_of(stream: str) -> Console:
    console = _console(stream)
    if console.file is not getattr(sys, stream):  # the stream was replaced, as tests do
        _console.cache_clear()
        console = _console(stream)
    return console


def print_json(result: object) -> None:
    """Print one JSON object; a NaN would not be JSON, so there is none."""
    sys.stdout.write(json.dumps(result, indent=2, allow_nan=False) + "\n")


def heading(text: str) -> None:
    """Print a line in bold."""
    line(text, style="bold")


def line(text: str = "", style: str | None = None) -> None:
    """Print a line of the result."""
    _out().print(text, style=style, markup=False, soft_wrap=not sys.stdout.isatty())


def place(name: str, path: object) -> None:
    """Print where something is: never broken over lines, so that it can be copied."""
    _out().print(f"{name}: {path}", markup=False, soft_wrap=True)


def note(text: str) -> None:
    """Say something that is not the result, on stderr, after what was said before it."""
    sys.stdout.flush()
    _console_of("stderr").print(text, markup=False, style="dim")


def show_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    numbers_from: int = 99,
) -> None:
    """Print a table; the columns from ``numbers_from`` on are set flush right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for k, name in enumerate(headers):
        table.add_column(
            Text(name), justify="right" if k >= numbers_from else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    _print_trimmed(table)


def show_pairs(pairs: Mapping[str, object] | Sequence[tuple[str, object]]) -> None:
    """Print terms with what they are, aligned; empty ones are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for term, told in pairs.items() if isinstance(pairs, Mapping) else pairs:
        if told not in ("", None):
            grid.add_row(term, Text(str(told)))
    if grid.row_count:
        _print_trimmed(grid)


def _print_trimmed(table: Any) -> None:
    """Print a table without the spaces that fill its lines and the empty lines around it."""
    console = _out()
    with console.capture() as captured:
        console.print(table)
    lines = [text.rstrip() for text in captured.get().splitlines()]
    console.file.write("\n".join(filter(None, lines)) + "\n")


def percent(estimate: Estimate) -> str:
    """Write a share with its interval.

    Examples
    --------
    >>> percent(Estimate(0.753, 0.689, 0.81, evidence="person", n=19))
    '75.3 % [68.9, 81.0]'
    """
    value, low, high = (100 * x for x in (estimate.value, estimate.low, estimate.high))
    return f"{value:.1f} % [{low:.1f}, {high:.1f}]"


def duration(seconds: float) -> str:
    """Write a time as a person would.

    Examples
    --------
    >>> duration(4.2), duration(75), duration(7300)
    ('4.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int, str], None]]:
    """Show one progress bar on stderr while the block runs; see `stages`.

    Yields
    ------
    callable
        ``update(done, total, told)``.
    """
    with stages(quiet=quiet) as update:

        def one(done: int, total: int, told: str) -> None:
            update(what, done, total, told)

        yield one


@contextmanager
def stages(*, quiet: bool = False) -> Iterator[Callable[[str, int, int, str], None]]:
    """Show one progress bar for each stage of a long job, on stderr.

    Yields
    ------
    callable
        ``update(what, done, total, told)``.
    """
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    console = _console_of("stderr")
    columns: list[Any] = [
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    ]
    tasks: dict[str, TaskID] = {}
    off = quiet or not console.is_terminal
    progress = Progress(*columns, console=console, disable=off, transient=True)

    def update(what: str, done: int, total: int, told: str) -> None:
        if what not in tasks:
            progress.start()  # only now: a question may have been asked on the same terminal
            tasks[what] = progress.add_task(what, total=total or None, told="")
        for name, task in tasks.items():
            progress.update(task, visible=name == what)
        progress.update(tasks[what], completed=done, total=total or None, told=told)

    try:
        yield update
    finally:
        progress.stop()
