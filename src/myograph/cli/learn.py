"""``myograph evaluate``, ``train`` and ``predict``: verbs about models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myograph.cli.options import (
    Device,
    Force,
    Json,
    Out,
    People,
    Read,
    Search,
    Split,
    Work,
    name_list,
    verb,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from myograph.validate.probes import Confounds
    from myograph.validate.refusals import Refusals
    from myograph.validate.result import ValidationResult
    from myograph.validate.robustness import Robustness
    from myograph.validate.trust import Trust

__all__ = ["add_to", "result_object", "show_result"]

_SHOWN_COLUMNS = 16


def add_to(app: typer.Typer) -> None:
    """Register the verbs of this module."""
    verb(
        app,
        "evaluate",
        evaluate,
        "myograph evaluate --data simulated",
        "myograph evaluate --data myo-cotellard --split leave-one-subject-out "
        "--features hudgins --model lda --json",
        "myograph evaluate --data recordings/ --split repetition --out result",
        "myograph evaluate --data myo-cotellard --robustness --out result",
        "myograph evaluate --data simulated --set pipeline.windowing.length_ms=150",
        "myograph evaluate --data simulated --model knn --tune trials=8",
    )
    verb(
        app,
        "train",
        train,
        "myograph train --data simulated --model lda --out hand.myomodel",
        "myograph train --data recordings/ --leave-out p07 --out hand.myomodel",
        "myograph train --data simulated --model cnn1d --curve curve.svg --out hand.myomodel",
    )
    verb(
        app,
        "predict",
        predict,
        "myograph predict hand.myomodel forearm.edf",
        "myograph predict hand.myomodel simulated --people sim-01 --json",
    )


def evaluate(
    work: Work,
    split: Split = None,
    tune: Annotated[
        list[str] | None,
        typer.Option(
            "--tune", help="Search the settings inside every fold: minutes=5, or trials=30."
        ),
    ] = None,
    search: Search = None,
    device: Device = None,
    out: Out = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Keep finished folds here, and go on after a stop."),
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option("--robustness", help="Also spoil the held-out recordings in forty ways."),
    ] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Judge a pipeline on people, sessions or repetitions that it has not seen.

    Figures are means over people with 95 % intervals over people, beside chance and simple
    baselines, with audits for leakage. --out writes a folder with the report. Exit code 1 when an
    audit fails.
    """
    from myograph.cli import render
    from myograph.workflows.evaluate import REPORT
    from myograph.workflows.evaluate import evaluate as run

    with render.stages(quiet=json) as progress:
        chosen = work.chosen
        if robustness:
            chosen["overrides"] += ("robustness=true",)
        result = run(
            work.data,
            split=split,
            device=device,
            tune=tune or (),
            search=search or (),
            checkpoint=resume,
            out=out,
            force=force,
            progress=progress,
            **chosen,
        )
    if json:
        render.print_json(result_object(result))
    else:
        show_result(result)
        if out is not None:
            render.place("report", out / REPORT)
    if not result.passed:
        raise typer.Exit(1)


def train(
    work: Work,
    out: Annotated[Path, typer.Option("--out", "-o", help="The model's file: NAME.myomodel.")],
    validation: Annotated[
        Path | None,
        typer.Option("--validation", help="Folder of evaluate --out: goes into the model."),
    ] = None,
    device: Device = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Keep a network's epochs here, and go on after a stop."),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", help="Draw a network's loss by epoch as it learns: .svg or .png."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Fit a pipeline on everybody given and save it as one file of data, with its proof."""
    from myograph.cli import render
    from myograph.workflows.train import train as run

    with render.stages(quiet=json) as progress:
        trained = run(
            work.data,
            out,
            validation=validation,
            device=device,
            checkpoint=resume,
            curve=curve,
            force=force,
            progress=progress,
            **work.chosen,
        )
    if json:
        render.print_json(trained.to_dict())
        return
    render.show_pairs(
        {
            "model": trained.model,
            "learned": f"{trained.windows:,} windows of {trained.people} people",
            "classes": ", ".join(trained.classes),
            "unseen": ", ".join(trained.left_out),
        }
    )
    render.place("file", trained.path)
    if curve is not None and curve.exists():
        render.place("curve", curve)
    for note in trained.notes:
        render.line(f"note: {note}")


def predict(
    model: Annotated[Path, typer.Argument(help="A .myomodel file.")],
    data: Annotated[str, typer.Argument(help="A recording, a folder of them, or a dataset.")],
    people: People = None,
    read: Read = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write every decision or estimate to a CSV file."),
    ] = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Let a saved model decide about every window of recordings, or estimate a value for it."""
    from myograph.cli import render
    from myograph.cli.predicted import keep, show
    from myograph.workflows.outputs import check_free
    from myograph.workflows.predict import predict as run
    from myograph.workflows.settings import read_options

    if out is not None:
        check_free(out, force=force)
    found = run(model, data, people=name_list(people), read=read_options(read or ()))
    if out is not None:
        keep(found, out, force=force)
    if json:
        render.print_json({"model": str(model), "recordings": [one.to_dict() for one in found]})
        return
    show(found)
    if out is not None:
        render.place("answers", out)


def result_object(result: ValidationResult) -> dict[str, Any]:
    """Return the one object that ``--json`` prints."""
    whole = result.to_dict()
    return {
        "data": whole["data"],
        "split": whole["split"],
        "people": list(result.people),
        "headline": result.headline,
        "metrics": whole["metrics"],
        "chance": result.chance,
        "ladder": whole["ladder"],
        "gain": whole["gain"],
        "comparisons": whole["comparisons"],
        "per_person": whole["per_person"],
        "classes": list(result.classes),
        "confusion": whole["confusion"],
        "selection": whole["selection"],
        "tuning": result.tuning,
        "passed": result.passed,
        "audits": whole["audits"],
        "confounds": whole["confounds"],
        "trust": whole["trust"],
        "refusals": whole["refusals"],
        "subgroups": whole["subgroups"],
        "sites": whole["sites"],
        "robustness": whole["robustness"],
        "notes": whole["notes"],
        "dropped": whole["dropped"],
        "config": whole["config"],
        "seed": result.seed,
        "environment": result.environment,
        "seconds": result.run.to_dict()["seconds"],
    }


def show_result(result: ValidationResult) -> None:
    """Print a result: what was asked, the figures, the ladder, the audits."""
    from myograph.cli import render
    from myograph.workflows.wording import Measure, plural, split_words

    measure = Measure(result.headline)
    model = result.config["model"]["name"]
    if result.confounds is not None and result.confounds.warning:
        render.line(result.confounds.warning)
    render.heading(f"{model} on {result.data.get('name')}, {result.split['name']}")
    if result.data.get("simulated"):
        render.line("SIMULATED people: engineering verification, never clinical performance.")
    render.line(split_words(result.split))
    render.show_table(
        ["metric", "mean", "95 % interval", "evidence"],
        [
            (
                Measure(k).name,
                Measure(k).value(e.value),
                Measure(k).interval(e),
                plural(e.n, e.evidence),
            )
            for k, e in result.metrics.items()
        ],
    )
    render.line()
    _show_ladder(result, model, measure)
    if result.selection:
        _show_selection(result.selection)
    if result.confounds is not None:
        _show_confounds(result.confounds, measure)
    if result.trust is not None:
        _show_trust(result.trust)
    if result.refusals is not None:
        _show_refusals(result.refusals)
    if result.subgroups or result.sites is not None:
        _show_subgroups(result)
    if result.robustness is not None:
        _show_robustness(result.robustness)
    render.line()
    told = [("passed" if a.passed else "FAILED", f"{a.name}: {a.text}") for a in result.audits]
    told += [("note", note) for note in result.notes]
    told += [("left out", f"{what}: {why}") for what, why in result.dropped]
    render.show_pairs(told)
    seconds = result.run.to_dict()["seconds"]
    if seconds is not None:
        render.line(f"took {render.duration(seconds)}, seed {result.seed}")


def _show_ladder(result: ValidationResult, model: str, measure: Any) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import chance_words, reach_words

    headline = result.metrics[result.headline]
    rows = [(f"{model} (this one)", measure.value(headline.value), measure.interval(headline), "")]
    tested = {each.second: chance_words(each.corrected) for each in result.comparisons}
    for name, estimate in result.ladder.items():
        gain = result.gain.get(name)
        better = "" if gain is None else measure.gain(gain.value)
        gained = f"{better}, {tested[name]}" if name in tested else better
        rows.append((name, measure.value(estimate.value), measure.interval(estimate), gained))
    if result.chance is not None:
        rows.append((measure.guess, measure.value(result.chance), "", ""))
    gains = "this one gains, corrected p" if tested else "this one gains"
    render.show_table([measure.name, "mean", "95 % interval", gains], rows)
    if tested:
        fewest = min(each.difference.n for each in result.comparisons)
        if told := reach_words(fewest, "holm", len(tested)):
            render.line(told)


def _show_confounds(confounds: Confounds, measure: Any) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import confound_rows, stability_rows

    render.line()
    render.show_table(
        ["seen alone", measure.name, "95 % interval", "verdict"], confound_rows(confounds, measure)
    )
    if confounds.matched:
        rows = [
            (
                " or ".join(pair.classes),
                pair.probe,
                f"{pair.auc.value:.3f}",
                f"{pair.auc.low:.3f} to {pair.auc.high:.3f}",
            )
            for pair in confounds.matched
        ]
        render.show_table(["model on matched pairs", "matched on", "AUC", "95 % interval"], rows)
    if confounds.stability:
        render.show_table(
            ["tested recordings changed", measure.name, "change", "95 % interval"],
            stability_rows(confounds, measure),
        )


def _show_trust(trust: Trust) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import coverage_rows, ratio_rows, reliability_rows

    render.line()
    render.show_table(
        ["probabilities", "calibration error", "95 % interval", "Brier score"],
        reliability_rows(trust),
    )
    render.show_table(
        ["sets", "people", "hold the truth", "95 % interval", "classes per set"],
        coverage_rows(trust)[:1],
    )
    if trust.worth:
        render.show_table(
            ["the answer", "found of its cases", "cleared of others", "odds ×", "another, odds ×"],
            ratio_rows(trust),
        )


def _show_refusals(refusals: Refusals) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import (
        CLASS_HEADERS,
        OUTCOME_HEADERS,
        class_rows,
        outcome_rows,
        refusal_sentences,
    )

    render.line()
    render.show_table(OUTCOME_HEADERS, outcome_rows(refusals))
    render.show_table(CLASS_HEADERS, class_rows(refusals.windows))
    for sentence in refusal_sentences(refusals):
        render.line(sentence)


def _show_subgroups(result: ValidationResult) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import site_words, subgroup_rows

    rows = subgroup_rows(result.subgroups, result.headline)
    if rows:
        render.show_table(["known", "group", "people", "figure", "than others", ""], rows)
    if result.sites is not None:
        render.line(site_words(result.sites, result.headline))


def _show_robustness(robustness: Robustness) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import Measure, robustness_rows

    measure = Measure(robustness.headline)
    render.line()
    render.show_table(
        ["recordings spoilt", "how much", measure.name, "change", "95 % interval"],
        robustness_rows(robustness),
        numbers_from=2,
    )
    for told in robustness.assumptions:
        render.line(f"taken for granted, {told}")
    for name, why in robustness.refused.items():
        render.line(f"not asked, {name}: {why}")


def _show_selection(selection: Mapping[str, Any]) -> None:
    from myograph.cli import render
    from myograph.workflows.wording import selection_words

    render.line(selection_words(selection))
    columns = sorted(selection.get("columns", {}).items(), key=lambda column: -column[1])
    if columns:
        rows = [(name, f"{100 * share:.0f} %") for name, share in columns[:_SHOWN_COLUMNS]]
        render.show_table(["column", "folds that took it"], rows, numbers_from=1)
    if len(columns) > _SHOWN_COLUMNS:
        render.line(f"and {len(columns) - _SHOWN_COLUMNS} more (--json shows all)")
    for what, value in selection["figures"].items():
        render.line(f"{what}: {value:.4g}")
