"""``myograph twin``: a patient's twin from a table of visits, and what would happen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myograph.cli.options import Force, Json, verb

if TYPE_CHECKING:
    from myograph.twin.posterior import PatientTwin

__all__ = ["app"]

app = typer.Typer(
    name="twin",
    help="A patient's twin: fit it to visits, show it, ask what would happen. A research model, "
    "verified on simulated patients: no diagnosis and no prognosis.",
    no_args_is_help=True,
)

Report = Annotated[
    Path | None, typer.Option("--report", "-r", help="Also write a page with pictures (HTML).")
]
Patient = Annotated[Path, typer.Argument(help="A twin that myograph twin fit wrote.")]


def fit(
    observations: Annotated[
        Path, typer.Argument(help="Table of visits (CSV): months or date, and measures.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The twin's file: NAME.twin.json.")],
    muscle: Annotated[
        str | None, typer.Option("--muscle", help="Which muscle; what the table says, or ADM.")
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option("--known", help="What is known besides: onset_months=14:0.2; repeatable."),
    ] = None,
    norm: Annotated[
        list[str] | None,
        typer.Option("--norm", help="Your laboratory's typical value: munix=165; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same twin.")] = 0,
    particles: Annotated[int, typer.Option("--particles", help="100 or more.")] = 1000,
    report: Report = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Fit a patient's twin to the visits of one muscle: a posterior, never a point.

    A fit that was stopped goes on where it stood when it is started again in the same way.
    """
    from myograph.cli import render
    from myograph.workflows.twin import fit_twin, known_of, twin_object

    with render.bar("fitting", quiet=json) as progress:
        twin = fit_twin(
            observations,
            out,
            muscle=muscle,
            known=known_of(known or ()),
            norms={name: value for name, (value, _) in known_of(norm or ()).items()},
            seed=seed,
            particles=particles,
            report=report,
            force=force,
            progress=progress,
        )
    if json:
        render.print_json(twin_object(twin))
        return
    _show(twin)
    render.place("twin", out)
    if report is not None:
        render.place("report", report)


def show(patient: Patient, report: Report = None, force: Force = False, json: Json = False) -> None:
    """Show a twin: what was found, how far the visits narrowed it, where it misses them."""
    from myograph.cli import render
    from myograph.workflows.twin import load_twin, twin_object, write_report

    twin = load_twin(patient)
    if report is not None:
        write_report(twin, report, force=force)
    if json:
        render.print_json(twin_object(twin))
        return
    _show(twin)
    if report is not None:
        render.place("report", report)


def what_if(
    patient: Patient,
    treatment: Annotated[
        list[str] | None,
        typer.Option(
            "--treatment",
            "-t",
            help="riluzole, riluzole@6:18 (months), riluzole+'strength training'; repeat it to "
            "compare.",
        ),
    ] = None,
    months: Annotated[float, typer.Option("--months", help="How far ahead.")] = 24.0,
    report: Report = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Simulate the months to come, as they go on and under treatments, side by side."""
    from myograph.cli import render
    from myograph.workflows.twin import simulate_twin, what_if_object

    twin, found = simulate_twin(patient, treatment or (), months=months, report=report, force=force)
    told = what_if_object(twin, found)
    if json:
        render.print_json(told)
        return
    render.heading(f"{told['pseudonym']}, {told['muscle']}: {months:g} months after the last visit")
    rows = []
    for arm in told["arms"]:
        for quantity, band in arm["trajectories"].items():
            change = band.get("difference_at_end")
            rows.append(
                (
                    arm["name"],
                    quantity,
                    _span(band["median"][-1], band["low"][-1], band["high"][-1]),
                    "" if change is None else _span(**change, sign="+"),
                )
            )
    render.show_table(["course", "quantity", "at the end, 90 %", "difference, 90 %"], rows)
    _limits(told["notes"], told["limits"])
    if report is not None:
        render.place("report", report)


def _show(twin: PatientTwin) -> None:
    from myograph.cli import render
    from myograph.workflows.twin import twin_object
    from myograph.workflows.wording import plural

    told = twin_object(twin)
    visits, values = plural(told["visits"], "visit"), plural(told["values"], "value")
    render.heading(f"{told['pseudonym']}, {told['muscle']}: {visits}, {values}")
    rows = []
    for row in told["found"]:
        before = row["prior_low"]
        rows.append(
            (
                f"{row['title']} ({row['unit']})" if row["unit"] else row["title"],
                _span(row["median"], row["low"], row["high"]),
                "" if before is None else f"{before:.3g} to {row['prior_high']:.3g}",
                "" if row["narrowed"] is None else f"{100 * row['narrowed']:.0f} %",
            )
        )
    render.show_table(["quantity", "found, 90 %", "before any visit", "narrowed by"], rows)
    check = told["check"]
    render.line(
        f"{check['inside']} of {check['values']} measured values lie in their 90 % predictions"
    )
    for pair in told["confounded"]:
        render.line(
            f"hard to tell apart: {pair['first']} and {pair['second']} "
            f"(correlation {pair['correlation']:+.2f})"
        )
    _limits(told["notes"], told["limits"])


def _limits(notes: list[str], limits: list[str]) -> None:
    from myograph.cli import render

    for note in notes:
        render.line(f"note: {note}")
    for limit in limits:
        render.line(f"limit: {limit}")


def _span(median: float, low: float, high: float, sign: str = "") -> str:
    return f"{median:{sign}.3g} ({low:{sign}.3g} to {high:{sign}.3g})"


verb(
    app,
    "fit",
    fit,
    "myograph twin fit visits.csv --out p07.twin.json",
    "myograph twin fit visits.csv --out p07.twin.json --muscle TA --known onset_months=14:0.2 "
    "--report p07.html",
)
verb(
    app, "show", show, "myograph twin show p07.twin.json", "myograph twin show p07.twin.json --json"
)
verb(
    app,
    "what-if",
    what_if,
    "myograph twin what-if p07.twin.json --treatment riluzole --months 24",
    "myograph twin what-if p07.twin.json -t riluzole -t 'strength training@0:6' --report what.html",
)
