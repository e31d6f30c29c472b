"""``myograph tune``: search settings within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Force, Json, Out, Search, Split, Work, verb

if TYPE_CHECKING:
    from myograph.workflows.tune import Tuned

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    verb(
        app,
        "tune",
        tune,
        "myograph tune --data simulated --model svm --minutes 5 --out tuned",
        "myograph tune --data simulated --trials 20 --search model.name=lda,knn "
        "--search scaling=none,standard",
        "myograph train --data simulated --config tuned/config.toml --out hand.myomodel",
    )


def tune(
    work: Work,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Stop after so long; 5 by default.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Stop after so many: the same everywhere.")
    ] = None,
    search: Search = None,
    split: Split = None,
    out: Out = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Keep trials here; go on after a stop, or with more time."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Search settings on folds that keep people whole, and write the best as a settings file.

    The best score was chosen for being the best, so it is no result. myograph evaluate --tune
    searches inside every fold, and its figures are about people that took no part.
    """
    from myograph.cli import render
    from myograph.workflows.tune import tune as run

    with render.stages(quiet=json) as progress:
        found = run(
            work.data,
            minutes=minutes,
            trials=trials,
            search=search or (),
            split=split,
            checkpoint=resume,
            out=out,
            force=force,
            progress=progress,
            **work.chosen,
        )
    if json:
        render.print_json(found.to_dict())
        return
    _show(found)


def _show(found: Tuned) -> None:
    from myograph.cli import render
    from myograph.workflows.tune import CONFIG, STUDY
    from myograph.workflows.wording import plural

    study = found.study
    best = study.best
    failed = sum(trial.score is None for trial in study.trials)
    tried, folds = plural(len(study.trials), "setting"), plural(len(study.inner), "fold")
    render.heading(f"{tried} tried on {folds}")
    given = "could not be fitted" if study.given is None else f"{study.given:.4f}"
    render.show_pairs(
        {
            "searched": "; ".join(str(dial) for dial in study.space),
            "as given": given,
            "best": f"{best.score:.4f} (trial {best.number})",
            "score": f"{study.metric}, mean over people of the inner folds",
            "failed": f"{plural(failed, 'setting')}: {_first_told(study)}" if failed else "",
            "took": render.duration(study.spent_s),
        }
    )
    if best.values:
        rows = [[_told(each) for each in row] for row in study.changes()]
        render.show_table(["setting", "as given", "best"], rows)
    else:
        render.line("Nothing did better than the settings as given.")
    for note in study.notes:
        render.line(f"note: {note}")
    render.line("The best score was chosen for being the best: evaluate on other people.")
    if found.folder is not None:
        render.place("study", found.folder / STUDY)
        render.place("settings", found.folder / CONFIG)


def _first_told(study: object) -> str:
    trials = getattr(study, "trials", ())
    return next((trial.told for trial in trials if trial.told), "")


def _told(value: object) -> str:
    if value is None:
        return "default"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
