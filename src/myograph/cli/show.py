"""``myograph report`` and ``demo``: verbs that end in a page to read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Force, Jobs, Json, verb

if TYPE_CHECKING:
    from myograph.workflows.demo import Demo

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    verb(app, "report", report, "myograph report result", "myograph report result --out page.html")
    verb(app, "demo", demo, "myograph demo", "myograph demo --data simulated")


def report(
    result: Annotated[Path, typer.Argument(help="A folder that evaluate --out wrote.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The page; report.html in the folder by default."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write the report of a result: one self-contained HTML file."""
    from myograph.cli import render
    from myograph.workflows.report import report as run

    page = run(result, out, force=force)
    if json:
        render.print_json({"report": str(page)})
    else:
        render.place("report", page)


def demo(
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="A dataset; a real one on this machine by default."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The demo's own folder.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same result.")] = 0,
    jobs: Jobs = None,
    json: Json = False,
) -> None:
    """Run the main job: judge three models on people they have never seen, and report.

    LDA, SVM and a random forest are evaluated across people, on real recordings when they are at
    hand and on simulated people otherwise. The best is trained without one person, saved, and
    then predicts that person. An earlier demo in the folder is replaced.
    """
    from myograph.cli import render
    from myograph.workflows.demo import demo as run

    with render.stages(quiet=json) as progress:
        done = run(out, data=data, seed=seed, jobs=jobs, progress=progress)
    if json:
        render.print_json(done.to_dict())
    else:
        _show_demo(done)


def _show_demo(done: Demo) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import Measure

    first = done.results[done.best]
    measure = Measure(first.headline)
    kind = "SIMULATED people" if done.simulated else "real people"
    render.heading(f"{done.data}: {len(first.people)} {kind}, {done.why}")
    if done.simulated:
        render.line("Engineering verification of the software, never clinical performance.")
    render.line("Each person was judged by models that were trained on all the others.")
    rows = [
        (name, measure.value(estimate.value), measure.interval(estimate))
        for name, result in done.results.items()
        for estimate in [result.metrics[result.headline]]
    ]
    if first.chance is not None:
        rows.append((measure.guess, measure.value(first.chance), ""))
    render.show_table([measure.name, "mean", "95 % interval over people"], rows)
    passed = all(result.passed for result in done.results.values())
    render.line(f"audits for leakage: {'all passed' if passed else 'FAILED, see the report'}")
    render.line(
        f"{done.best} was trained without {done.person}, saved, loaded again, and called "
        f"{100 * done.accuracy:.1f} % of this person's windows right."
    )
    render.place("model", done.trained.path)
    render.place("report", done.report)
    render.line(f"took {render.duration(done.seconds)}")
