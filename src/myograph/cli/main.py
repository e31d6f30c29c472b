"""The command ``myograph``: its verbs, and how everything that can go wrong is said."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence

import typer

from myograph import __version__
from myograph.cli import (
    calibrate,
    catalogue,
    cluster,
    compare,
    dossier,
    explain,
    files,
    learn,
    live,
    measure,
    show,
    simulate,
    tune,
    twin,
)
from myograph.core.errors import MyographError

__all__ = ["app", "main"]

#: Exit codes. 0: done. 1: done, and the verdict is negative (rejected quality, a failed audit).
#: 2: the command or a setting is wrong. 3: the data cannot be used. 4: a package is missing.
USAGE, DATA, FAULT, INTERRUPTED = 2, 3, 70, 130

app = typer.Typer(
    name="myograph",
    help="From a recording of muscle activity to a decision that a person can check.\n\n"
    "Results go to standard output (with --json as one object), progress and errors to standard "
    "error. Exit codes: 0 done, 1 done with a negative verdict, 2 usage, 3 data, 4 a package is "
    "missing. --debug, anywhere, shows where an error came from.",
    epilog="Research software and decision support: not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"myograph {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version."
    ),
) -> None:
    """Stand before every verb."""


files.add_to(app)
measure.add_to(app)
app.add_typer(catalogue.app)
learn.add_to(app)
explain.add_to(app)
compare.add_to(app)
tune.add_to(app)
calibrate.add_to(app)
show.add_to(app)
app.add_typer(dossier.app)
live.add_to(app)
app.add_typer(simulate.app)
app.add_typer(cluster.app)
app.add_typer(cluster.cache)
app.add_typer(twin.app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; those of the process by default.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without µ shows ?, and goes on
            stream.reconfigure(errors="replace")
    return _guarded(lambda: app([a for a in given if a != "--debug"]), debug=debug)


def _guarded(run: Callable[[], object], *, debug: bool) -> int:
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return _say("Stopped. Nothing was left half-written.", INTERRUPTED)
    except MyographError as error:
        return _fail(str(error), error.exit_code, debug=debug)
    except OSError as error:
        return _fail(*_from_system(error), debug=debug)
    except MemoryError:
        return _fail(
            "The memory ran out; use fewer --jobs, less --data or shorter recordings.",
            DATA,
            debug=debug,
        )
    except Exception as error:  # noqa: BLE001 - the last line of defence says so, and exits 70
        told = f"This is a fault in Myograph, not in your data: {type(error).__name__}: {error}"
        return _fail(f"{told}\nPlease report it with what --debug shows.", FAULT, debug=debug)
    return 0


def _from_system(error: OSError) -> tuple[str, int]:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno == errno.EPIPE:
        # The reader of a pipe left: nothing to say, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return "", 0
    if error.errno == errno.ENOSPC:
        return f"The disk is full{where}; nothing was left half-written.", DATA
    return f"{error.strerror or error}{where}.", DATA


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """Say a warning as a sentence; where it was raised is for --debug."""
    typer.echo(f"note: {message}", err=True)


def _fail(message: str, code: int, *, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    return _say(f"Error: {message}", code) if message else code


def _say(message: str, code: int) -> int:
    typer.echo(message, err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
