"""``myograph explain``: why a model decides as it does, and how far to believe the explanation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import (
    Force,
    Json,
    LeaveOut,
    People,
    PeopleFrom,
    Read,
    Seed,
    name_list,
    verb,
)

if TYPE_CHECKING:
    from myograph.explain.explained import Explained

__all__ = ["add_to"]

_SHOWN = 8


def add_to(app: typer.Typer) -> None:
    """Register the verb of this module."""
    verb(
        app,
        "explain",
        explain,
        "myograph explain hand.myomodel forearm.edf",
        "myograph explain hand.myomodel forearm.edf --data recordings/ --out why.html",
        "myograph explain hand.myomodel forearm.edf --time 2.4 --method occlusion --json",
        "myograph explain hand.myomodel simulated --person sim-01 --number 0 --start 0.5 --stop 3",
    )


def explain(
    model: Annotated[Path, typer.Argument(help="A .myomodel file.")],
    file: Annotated[str, typer.Argument(help="A recording; or data that hold it, with --number.")],
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="What the model learned from: for similar cases."),
    ] = None,
    people: People = None,
    leave_out: LeaveOut = None,
    people_from: PeopleFrom = "header",
    time: Annotated[float | None, typer.Option("--time", help="The window at this second.")] = None,
    window: Annotated[int | None, typer.Option("--window", help="A window by number.")] = None,
    start: Annotated[float | None, typer.Option("--start", help="From this second on.")] = None,
    stop: Annotated[float | None, typer.Option("--stop", help="Up to this second.")] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            help="auto, shap, permutation, occlusion, integrated-gradients, grad-cam, attention, "
            "cases or counterfactual.",
        ),
    ] = "auto",
    target: Annotated[
        str, typer.Option("--class", help="The class to explain; the decided one by default.")
    ] = "",
    against: Annotated[
        str, typer.Option("--against", help="The class it is compared with; the next by default.")
    ] = "",
    wanted: Annotated[
        str, typer.Option("--wanted", help="The class a change is to reach; the next by default.")
    ] = "",
    person: Annotated[str, typer.Option("--person", help="Whose recording.")] = "",
    number: Annotated[
        int | None, typer.Option("--number", help="Which recording, from 0, where there are more.")
    ] = None,
    read: Read = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the page (.html) or the picture (.png, .svg)."),
    ] = None,
    seed: Seed = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Explain a decision: which muscle, band, feature and moment, and what would change it.

    Every explanation is judged against random orders and shuffled models, and says when it is no
    better. A model file carries nobody's signals: similar cases, changes of features and SHAP
    values of features need --data, chosen as for train (--people, --leave-out).
    """
    from myograph.cli import render
    from myograph.workflows import explain as verbs
    from myograph.workflows.settings import read_options

    if out is not None:
        verbs.check_target(out, force=force)
    reference = None
    if data is not None:
        reference = verbs.People(data, name_list(people), name_list(leave_out), people_from)
    found = verbs.explain(
        model,
        file,
        asked=verbs.Asked(time, start, stop, window, target, against, wanted),
        method=method,
        reference=reference,
        person=person,
        number=number,
        read=read_options(read or ()),
        seed=seed or 0,
    )
    if out is not None:
        verbs.write_explanation(found, out, force=force)
    if json:
        render.print_json({"model": str(model), "file": file, **found.to_dict()})
        return
    _show(found)
    if out is not None:
        render.place("explanation", out)


def _show(found: Explained) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import faithfulness_rows, plural, summary_sentences

    asked = found.question
    index = asked.windows.index
    where = f"{plural(len(index), 'window')}, {index.start_s[0]:.2f} to {index.stop_s[-1]:.2f} s"
    if asked.target:
        share = 100 * asked.proba[asked.classes.index(asked.decided)]
        render.heading(f"{asked.decided} ({share:.0f} % sure), {where}")
        render.line(
            f"evidence for {asked.target} against {asked.against}: {found.evidence:+.2f} log-odds"
        )
    else:
        render.heading(f"{found.evidence:.4g} {asked.unit}, {where}")
    for sentence in summary_sentences(found):
        render.line(sentence)
    for each in found.bars:
        rows = [(name, _signed(value)) for name, value in each.found.strongest(_SHOWN)]
        render.show_table([each.found.about, each.found.unit], rows, numbers_from=1)
    if found.cases is not None:
        similar = [
            (case.person, case.label, f"{case.start_s:.2f} s", f"{case.distance:.2f} SD")
            for case in found.cases.nearest
        ]
        render.show_table(["similar case", "was", "at", "distance"], similar, numbers_from=2)
    for importance in found.importance:
        losses = [
            (name, _signed(loss.value), f"{_signed(loss.low)} to {_signed(loss.high)}")
            for name, loss in zip(importance.names, importance.losses, strict=True)
        ]
        headers = [
            f"exchanged: {importance.about}",
            f"loss of {importance.metric}",
            "95 % interval",
        ]
        render.show_table(headers, losses, numbers_from=1)
    if found.bars or found.heats:
        render.show_table(
            ["explanation", "faithfulness", "away", "back", "shuffled", "gap", "verdict"],
            faithfulness_rows(found),
            numbers_from=1,
        )
    for note in found.notes:
        render.line(f"note: {note}")


def _signed(value: float) -> str:
    """Write a number with its sign, as on the page; what rounds to nothing has none."""
    text = f"{value:+.3f}"
    return "0.000" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
